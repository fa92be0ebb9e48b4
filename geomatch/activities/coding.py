"""Activity texts coded in the NAF: of a program, of a file, of one text on the screen."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from rich.table import Table

from geomatch.activities.counts import LEVELS
from geomatch.activities.model import ActivityModel, Coded
from geomatch.activities.shipped import open_model
from geomatch.activities.why import speakers
from geomatch.bulletins.clean import clean_column
from geomatch.bulletins.tables import beside, read_table, write_table
from geomatch.core.errors import ConfigError, LayoutError
from geomatch.core.paths import Location
from geomatch.core.schema import STORE_NAF
from geomatch.core.text import factorise, normalise
from geomatch.core.wording import ACTIVITY_LEVELS, decimal
from geomatch.store.reader import Store

#: Names of the column of activities, normalised, beside those of bulletins.
ACTIVITY_COLUMNS = ("ACTIVITE", "ACTET X", "TEXT", "TEXTE", "ACTIVITY")
#: A level is sure from this probability on.
SURE = 0.90
#: Codes told of a text.
_MOST = 10
#: Texts whose probabilities are held at a time.
_AT_ONCE = 10_000


def code_activities(
    texts: Sequence[str],
    store: Store | Location | None = None,
    *,
    sure: float = SURE,
    nomenclature: str = "",
) -> pd.DataFrame:
    """NAF codes of activity texts.

    Parameters
    ----------
    texts : sequence of str
        Activities as they were written; absent ones are ``""`` or None.
    store : Store or path, optional
        Its nomenclature, labels and register are used; else those that are shipped (NAF rév. 2).
    sure : float
        Least probability of a level that is called sure.
    nomenclature : str
        ``NAFRev2`` or ``NAF2025``, which the store must have; ``""`` is whatever it has.

    Returns
    -------
    DataFrame, one row a text
        ``naf`` the likeliest sub-class, null where the text says nothing; ``naf_probability`` that
        it is right; ``naf_level`` the deepest level that is sure (``section``, ``division``,
        ``group``, ``class``, ``sub-class``, else ``none``); ``naf_at_level`` the code there and
        ``naf_level_probability`` that it is right; ``naf_candidates`` up to ten codes, best
        first, separated by spaces.

    Raises
    ------
    ConfigError
        When `sure` is not between 0 and 1, or the nomenclature asked for is not the store's.
    StoreError
        When there is no store there.

    Examples
    --------
    >>> code_activities(["pose de carrelage"])["naf"].tolist()
    ['43.33Z']
    """
    if not 0.0 < sure <= 1.0:
        raise ConfigError(f"sure is {sure}, expected a probability above 0, up to 1")
    opened = Store.open(store) if store is not None and not isinstance(store, Store) else store
    _check_nomenclature(opened, nomenclature)
    return coded_table(open_model(opened), ["" if t is None else t for t in texts], sure)


def _check_nomenclature(store: Store | None, asked: str) -> None:
    has = "NAFRev2" if store is None else store.manifest["options"]["nomenclature"]
    if asked and asked != has:
        what = "the shipped model" if store is None else f"store {store.place}"
        raise ConfigError(
            f"nomenclature {asked} was asked for, {what} has {has}; give a store that was built "
            f"with --nomenclature {asked}"
        )


def coded_table(model: ActivityModel, texts: Sequence[str], sure: float = SURE) -> pd.DataFrame:
    """The columns of :func:`code_activities`; each distinct text is worked on once."""
    code_of, distinct = factorise(texts)
    parts = range(0, max(len(distinct), 1), _AT_ONCE)
    tables = [_coded_part(model, distinct[low : low + _AT_ONCE], sure) for low in parts]
    return pd.concat(tables).iloc[code_of].reset_index(drop=True)


def _coded_part(model: ActivityModel, texts: Sequence[str], sure: float) -> pd.DataFrame:
    coded = model.code(texts)
    at, code, chance = levels_sure(model, coded, sure)
    nafs = np.array(model.nomenclature.nafs, dtype=object)
    known = coded.is_known
    first = np.argsort(-coded.probability, axis=1, kind="stable")[:, :_MOST]
    return pd.DataFrame(
        {
            "naf": np.where(known, nafs[first[:, 0]], np.array(None, object)),
            "naf_probability": np.where(known, coded.sure[:, -1], np.nan),
            "naf_level": at,
            "naf_at_level": code,
            "naf_level_probability": chance,
            "naf_candidates": [
                " ".join(nafs[row]) if k else None for row, k in zip(first, known, strict=True)
            ],
        }
    )


def levels_sure(
    model: ActivityModel, coded: Coded, sure: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Deepest level of each text that is sure, the code there, and its probability."""
    n = len(coded.is_known)
    level, code = np.full(n, "none", object), np.full(n, None, object)
    chance = np.full(n, np.nan)
    for i, name in enumerate(LEVELS):
        rows = np.flatnonzero(coded.is_known & (coded.sure[:, i] >= sure))
        level[rows], chance[rows] = name, coded.sure[rows, i]
        code[rows] = model.nomenclature.names(name)[coded.best[rows, i]]
    return level, code, chance


def code_activity_file(
    source: Location,
    out: Location,
    *,
    text: str = "",
    store: Location = "",
    sure: float = SURE,
    nomenclature: str = "",
) -> None:
    """Add the columns of :func:`code_activities` to a file (CSV or Parquet).

    Raises
    ------
    DataError, LayoutError
        When the file cannot be read or has no column of activities.
    """
    table = read_table(source)
    texts = clean_column(table.column(_column(table.column_names, text))).values.tolist()
    found = code_activities(texts, store or None, sure=sure, nomenclature=nomenclature)
    write_table(beside(table, found), out)


def _texts(source: Location, text: str) -> list[str]:
    table = read_table(source)
    texts: list[str] = clean_column(table.column(_column(table.column_names, text))).values.tolist()
    return texts


def _column(names: Sequence[str], asked: str) -> str:
    wanted = [n for n in names if n == asked or (not asked and normalise(n) in ACTIVITY_COLUMNS)]
    if len(wanted) != 1:
        what = f"no column '{asked}'" if asked else "no column, or several, of activities"
        raise LayoutError(f"{what} among {', '.join(names)}; name one with --text")
    return wanted[0]


def told_activity(
    text: str, store: Location = "", *, sure: float = SURE, nomenclature: str = ""
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """One text: what :func:`code_activities` says of it, and its likely codes with the words for.

    Each candidate has ``naf``, ``probability``, ``libelle`` (``""`` without store) and ``mots``.
    """
    opened = Store.open(store) if store else None
    _check_nomenclature(opened, nomenclature)
    model = open_model(opened)
    row = coded_table(model, [text], sure).iloc[0].to_dict()
    nafs = (row["naf_candidates"] or "").split()
    labels = {}
    if opened is not None:
        names = opened.country(STORE_NAF)
        labels = dict(zip(names["naf"], names["libelle"], strict=True))
    chance = model.code([text]).probability[0]
    said = speakers(model, text, nafs)
    candidates = [
        {
            "naf": naf,
            "probability": round(float(chance[model.nomenclature.position[naf]]), 4),
            "libelle": labels.get(naf, ""),
            "mots": words,
        }
        for naf, words in zip(nafs, said, strict=True)
    ]
    clean = {k: None if pd.isna(v) else v for k, v in row.items()}
    return clean, candidates


def show_activity(
    source: str,
    *,
    text: str = "",
    store: str = "",
    sure: float = SURE,
    kind: str = "table",
    nomenclature: str = "",
) -> str | Table:
    """What the command prints when no file is to be written: one text, or every line of stdin.

    `kind` is ``table`` (one text), ``csv`` or ``json`` (a list; of one text with its words).
    """
    if kind not in ("table", "csv", "json"):
        raise ConfigError(f"--format is {kind}, expected table, csv or json")
    if source == "-" or text:
        lines = sys.stdin.read().splitlines() if source == "-" else _texts(source, text)
        found = code_activities(lines, store or None, sure=sure, nomenclature=nomenclature)
        found.insert(0, "text", lines)
        if kind == "json":
            return str(found.to_json(orient="records", force_ascii=False))
        return str(found.to_csv(sep=";", index=False)).rstrip("\n")
    row, candidates = told_activity(source, store, sure=sure, nomenclature=nomenclature)
    if kind == "table":
        return activity_table(row, candidates)
    if kind == "json":
        return json.dumps({**row, "candidates": candidates}, ensure_ascii=False)
    table = pd.DataFrame(candidates, columns=["naf", "probability", "libelle", "mots"])
    table["mots"] = [", ".join(words) for words in table["mots"]]
    return str(table.to_csv(sep=";", index=False)).rstrip("\n")


def activity_table(found: dict[str, Any], candidates: list[dict[str, Any]]) -> Table:
    """A French table of at most 80 columns."""
    level = ACTIVITY_LEVELS[found["naf_level"]]
    if found["naf_at_level"]:
        level += f" {found['naf_at_level']} ({decimal(found['naf_level_probability'], 2)})"
    table = Table(title=f"niveau sûr : {level}", title_justify="left", width=80)
    table.add_column("code", no_wrap=True)
    table.add_column("prob.", no_wrap=True, justify="right")
    with_labels = any(c["libelle"] for c in candidates)
    if with_labels:
        table.add_column("libellé", ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column("mots qui l'ont dit", ratio=2, no_wrap=True, overflow="ellipsis")
    for c in candidates:
        cells = [c["naf"], decimal(c["probability"], 2)]
        cells += [c["libelle"]] if with_labels else []
        table.add_row(*cells, ", ".join(c["mots"]))
    return table
