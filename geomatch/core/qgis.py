"""How QGIS draws the result tables: colours by decision, uncertainty as a circle on the ground.

A style is a QML file, which QGIS 3 takes by itself when it lies beside a file of the same
name. A GeoPackage could hold it, but then every other reader is told of two layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from xml.etree import ElementTree as ET

from geomatch.core import paths
from geomatch.core.paths import Location
from geomatch.core.wording import DECISION_COLOURS, DECISIONS, MAP_WORDS

#: The circle of uncertainty in the layer's degrees, drawn in the metres of the row's projection.
_CIRCLE = (
    "transform(buffer(transform($geometry,'EPSG:4326','EPSG:'||\"crs\"),\"uncertainty_m\",24),"
    "'EPSG:'||\"crs\",'EPSG:4326')"
)
_FIRST, _OTHER = "#7b3294", "#c2a5cf"


class _Class(NamedTuple):
    """Rows of one value: how the legend calls them and how they are drawn."""

    value: str
    label: str
    colour: str
    size: float


class Style(NamedTuple):
    """How the rows of a table are drawn: by the values of an expression."""

    expression: str
    classes: tuple[_Class, ...]
    has_circle: bool
    name: str


#: Table of results → its style.
STYLES: Mapping[str, Style] = {
    "decisions": Style(
        "decision",
        tuple(_Class(c, DECISIONS[c].title, colour, 2.8) for c, colour in DECISION_COLOURS.items()),
        True,
        "decision",
    ),
    "candidates": Style(
        'if("rank" = 1, 1, 2)',
        (
            _Class("1", MAP_WORDS["first"], _FIRST, 2.6),
            _Class("2", MAP_WORDS["others"], _OTHER, 1.6),
        ),
        False,
        "candidates",
    ),
}


def style_text(table: str) -> str:
    """The style of a table (:data:`STYLES`) as QML."""
    style = STYLES[table]
    root = ET.Element("qgis", version="3.22.0", styleCategories="Symbology")
    renderer = ET.SubElement(
        root, "renderer-v2", type="categorizedSymbol", attr=style.expression, symbollevels="0",
        enableorderby="0", forceraster="0",
    )  # fmt: skip
    categories = ET.SubElement(renderer, "categories")
    symbols = ET.SubElement(renderer, "symbols")
    for number, one in enumerate(style.classes):
        ET.SubElement(
            categories, "category", value=one.value, label=one.label, symbol=str(number),
            render="true",
        )  # fmt: skip
        _symbol(symbols, str(number), one, style.has_circle)
    ET.indent(root)
    return "<!DOCTYPE qgis>\n" + ET.tostring(root, encoding="unicode") + "\n"


def _symbol(parent: ET.Element, name: str, one: _Class, has_circle: bool) -> None:
    symbol = ET.SubElement(parent, "symbol", name=name, type="marker", alpha="1")
    colour = _rgba(one.colour)
    if has_circle:
        circle = _layer(
            symbol,
            "GeometryGenerator",
            SymbolType="Fill",
            geometryModifier=_CIRCLE,
            units="MapUnit",
        )
        inner = ET.SubElement(circle, "symbol", name=f"@{name}@0", type="fill", alpha="0.8")
        _layer(inner, "SimpleFill", color=colour, outline_color=colour, outline_width="0.3",
               style="no")  # fmt: skip
    _layer(symbol, "SimpleMarker", color=colour, name="circle", size=str(one.size),
           outline_color="255,255,255,255", outline_width="0.3")  # fmt: skip


def _layer(symbol: ET.Element, kind: str, **options: str) -> ET.Element:
    attributes = {"class": kind, "enabled": "1", "pass": "0", "locked": "0"}
    layer = ET.SubElement(symbol, "layer", attributes)
    told = ET.SubElement(layer, "Option", type="Map")
    for name, value in options.items():
        ET.SubElement(told, "Option", name=name, type="QString", value=value)
    return layer


def _rgba(colour: str) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"


def write_style(table: str, layer: Location) -> None:
    """Write the style of a table beside the file of a layer: ``places.gpkg`` → ``places.qml``."""
    name = paths.name_of(layer)
    folder = str(layer).removesuffix(name)
    out = paths.location(f"{folder}{name[: name.rindex('.')]}.qml")
    with paths.writing(out) as partial:
        partial.write_text(style_text(table), encoding="utf-8")
