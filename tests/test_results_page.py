"""Result files say what their columns mean; ``docs/results.md`` says it in one page.

``python tests/test_results_page.py`` writes the page.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chains import Chain

from geomatch.core.decision_types import decision_types
from geomatch.core.schema import CANDIDATES, DECISIONS, DTYPES, GEOCODES, Table
from geomatch.core.wording import DECISIONS as DECISION_WORDS
from geomatch.core.wording import LEVELS
from geomatch.linkage.ranking import COLLECTIVE, FEATURES
from geomatch.review.desk.journal import Act
from geomatch.runs.columns import DESCRIPTION, FILES, FURTHER, meanings

PAGE = Path(__file__).parent.parent / "docs" / "results.md"
INTRO = """\
# Les fichiers de résultats, colonne par colonne

**En bref.** Un passage (`geomatch match`) écrit trois fichiers : `decisions.parquet`, une ligne
par bulletin dans l'ordre du fichier d'entrée ; `candidates.parquet`, jusqu'à vingt candidats par
bulletin ; `run.json`, ce qui a été passé, avec quoi. La reprise y ajoute `verdicts.jsonl`.
Chaque colonne Parquet porte sa description, que montrent Arrow et R :
`arrow::open_dataset("resultats/decisions.parquet")$schema`,
`pyarrow.parquet.read_schema(…).field("siret").metadata`.

This page is written by `python tests/test_results_page.py` from the tables of
`geomatch/core/schema.py`; a test compares them. Codes are text; what is absent is null;
probabilities and scores are in [0, 1]; `_m` is metres; `x`, `y` are metres in the projection
that `crs` (EPSG) names, 2154 in mainland France.
"""
RUN_JSON = {
    "geomatch": "version of geomatch",
    "python": "version of Python",
    "input": "path, size, sha256, number of bulletins",
    "rows": "rows read, sound, not usable as they stand (rejects.parquet) and why",
    "store": "path, sha256 of its manifest, format version",
    "model": "`shipped` or path, and sha256",
    "options": "every option of every phase, as given or by default",
    "part": "of a run with `--departements`: which, and how many bulletins",
    "workers": "processes",
    "scheduler": "whether a Dask cluster did it",
    "seconds": "time of the run, without reading the program",
    "partitions": "into how many the file was cut",
    "absent_share": "share of the bulletins that probably have no establishment in the store",
    "file_level": "level of the file's probabilities against those of the model's own sample",
    "is_own_level": "whether level and thresholds are this file's, or the learned ones (too small)",
    "decided": "bulletins of each decision",
    "unusual": "in what the file is unlike those the model learned from",
    "decided_again": "of `geomatch decide`: what was asked",
    "levels": "siret, site, siren: least probability coded, number coded, precision expected and "
    "its 95 % interval",
    "workload": "of `--clerks-hours`: what is left to clerks",
}
VERDICTS = {
    "id": "the bulletin",
    "act": "`verdict`, `undo` or `skip`",
    "siret": "the establishment chosen; null: none of the register; null too for undo and skip",
    "who": "the clerk, as they named themselves",
    "when": "ISO date and time, UTC",
    "version": "of geomatch",
    "note": "what the clerk wrote",
    "batch": "the same for all lines of one key press",
}
#: Columns that --geo adds.
POINTS = {
    "geometry": "point, EPSG:4326 (WKB)",
    "bbox": "its bounding box, as GeoParquet 1.1 has it",
}


def rows(*cells: tuple[str, ...]) -> str:
    return "".join(f"| {' | '.join(c.replace('|', '/') for c in row)} |\n" for row in cells)


def table(heads: tuple[str, ...], *cells: tuple[str, ...]) -> str:
    return "\n" + rows(heads, ("---",) * len(heads), *cells) + "\n"


def columns_of(one: Table) -> str:
    return table(
        ("column", "type", "meaning"),
        *((f"`{name}`", kind, meaning) for name, (kind, meaning) in one.columns.items()),
    )


def page() -> str:
    types = [(f"`{t.code}`", t.label, t.reason) for t in decision_types().values()]
    features = [(f"`{f.name}`", f.label, f.doc) for f in (*FEATURES.values(), *COLLECTIVE.values())]
    return "".join([
        INTRO, "\n## decisions.parquet\n", columns_of(DECISIONS),
        "### `decision`, `naf_decision`\n",
        table(("code", "en français"), *((f"`{c}`", w.title) for c, w in DECISION_WORDS.items()
                                         if c != "clerk")),
        "`clerk` stands only in the file that `geomatch review --export` writes.\n\n### `type`\n",
        table(("code", "libellé", "raison"), *types), "### `geocode_level`\n",
        f"\n{GEOCODES.columns['geocode_level'][1]}\n",
        table(("code", "en français"), *((f"`{c}`", w.title) for c, w in LEVELS.items())),
        "## candidates.parquet\n", columns_of(CANDIDATES),
        "Then the features of the ranking, in its order, and what brought the candidate in:\n",
        table(("column", "libellé", "meaning"), *features, ("`source`", "", FURTHER["source"])),
        "## With `--geo`\n", table(("column", "meaning"),
                                  *((f"`{c}`", m) for c, m in POINTS.items())),
        "## run.json\n", table(("key", "meaning"), *((f"`{k}`", m) for k, m in RUN_JSON.items())),
        "## verdicts.jsonl\n\nA line an act, never rewritten; the last act on a bulletin counts.\n",
        table(("key", "meaning"), *((f"`{k}`", m) for k, m in VERDICTS.items())),
    ]).rstrip() + "\n"  # fmt: skip


def test_the_page_is_as_the_tables_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "docs/results.md is old: run python tests/test_results_page.py"
    )


@pytest.mark.parametrize("name", FILES)
def test_every_column_of_a_result_file_bears_its_description(chain: Chain, name: str) -> None:
    told = meanings(FILES[name])
    schema = pq.read_schema(chain.out / name)
    for field in schema:
        assert (field.metadata or {}).get(DESCRIPTION, b"").decode() == told[field.name]
    kinds = {name: kind for name, (kind, _) in FILES[name].columns.items()}
    for field in schema:
        if field.name in kinds:
            is_text = pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
            assert is_text == (kinds[field.name] == "text"), field.name
    assert set(kinds.values()) <= set(DTYPES)


def test_every_key_of_run_json_is_explained(chain: Chain) -> None:
    told = json.loads((chain.out / "run.json").read_text(encoding="utf-8"))
    assert set(told) <= set(RUN_JSON)


def test_every_key_of_the_journal_is_explained() -> None:
    assert [f.name for f in dataclasses.fields(Act)] == list(VERDICTS)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
