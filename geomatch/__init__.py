"""Which establishment of the Sirene register is this declared workplace?

::

    from geomatch import Matcher

    result = Matcher.open("store").match(frame)
    result.decisions, result.candidates
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geomatch.activities.coding import code_activities
    from geomatch.core.errors import (
        ConfigError,
        DataError,
        GeomatchError,
        LayoutError,
        SourceUnavailableError,
        StoreError,
    )
    from geomatch.core.geoframes import to_geodataframe
    from geomatch.core.maps import MapPage, explore
    from geomatch.evaluation import evaluate, read_truth
    from geomatch.geocoding import Geocoder
    from geomatch.linkage.explanation import Explanation
    from geomatch.linkage.matcher import Matcher
    from geomatch.linkage.results import Result
    from geomatch.runs.results import Run, open_run
    from geomatch.store.reader import Store

__version__ = "0.2.0"
#: Public name -> the module that defines it. Each is loaded when it is first asked for, so that
#: ``import geomatch`` and the command line start quickly.
_PUBLIC = {
    "ConfigError": "geomatch.core.errors",
    "DataError": "geomatch.core.errors",
    "Explanation": "geomatch.linkage.explanation",
    "Geocoder": "geomatch.geocoding",
    "GeomatchError": "geomatch.core.errors",
    "LayoutError": "geomatch.core.errors",
    "MapPage": "geomatch.core.maps",
    "Matcher": "geomatch.linkage.matcher",
    "Result": "geomatch.linkage.results",
    "Run": "geomatch.runs.results",
    "SourceUnavailableError": "geomatch.core.errors",
    "Store": "geomatch.store.reader",
    "StoreError": "geomatch.core.errors",
    "code_activities": "geomatch.activities.coding",
    "evaluate": "geomatch.evaluation",
    "explore": "geomatch.core.maps",
    "open_run": "geomatch.runs.results",
    "read_truth": "geomatch.evaluation",
    "to_geodataframe": "geomatch.core.geoframes",
}
__all__ = [
    "ConfigError",
    "DataError",
    "Explanation",
    "Geocoder",
    "GeomatchError",
    "LayoutError",
    "MapPage",
    "Matcher",
    "Result",
    "Run",
    "SourceUnavailableError",
    "Store",
    "StoreError",
    "__version__",
    "code_activities",
    "evaluate",
    "explore",
    "open_run",
    "read_truth",
    "to_geodataframe",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for."""
    if name in _PUBLIC:
        from importlib import import_module

        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'geomatch' has no attribute '{name}'")


def __dir__() -> list[str]:
    """Public names, also those that are not loaded yet."""
    return sorted({*globals(), *__all__})
