"""The table of reference sources: what a record must say, and what is derived from it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from official_files import Country, as_csv, write

from gazetteer.build import build
from gazetteer.download import remotes
from gazetteer.layouts import Layout
from gazetteer.loading import Stage, into_store
from gazetteer.reference import Presence, Publication, Reference, by_role
from gazetteer.references import BY_ROLE, REFERENCES
from gazetteer.sources import recognise
from geomatch.core.errors import DataError
from geomatch.core.schema import Table

SUCCESSIONS = Table(
    "successions",
    {
        "siretEtablissementPredecesseur": ("text", "closed establishment"),
        "siretEtablissementSuccesseur": ("text", "establishment that follows it"),
    },
)
#: A source as a newcomer adds it: one record, no other code.
NEW = Reference(
    layout=Layout(
        role="successions",
        title="Sirene StockEtablissementLiensSuccession",
        signature=("siretEtablissementPredecesseur",),
        needed=tuple(SUCCESSIONS.names),
    ),
    option="sirene",
    presence=Presence.SOME,
    stage=Stage.LABELS,
    load=into_store("successions", SUCCESSIONS),
    publication=Publication(
        "sirene",
        BY_ROLE["etablissements"].publication.base_url,
        "StockEtablissementLiensSuccession_utf8.parquet",
    ),
    example={
        "siretEtablissementPredecesseur": "90000000300013",
        "siretEtablissementSuccesseur": "90000000100017",
    },
)


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> tuple[Reference, ...]:
    """The table with the newcomer's record."""
    table = (*REFERENCES, NEW)
    for module in ("build", "download", "examples", "inputs", "sources"):
        monkeypatch.setattr(f"gazetteer.{module}.REFERENCES", table)
    monkeypatch.setitem(BY_ROLE, NEW.role, NEW)
    monkeypatch.setattr("official_files.REFERENCES", table)
    return table


def test_a_source_added_as_one_record_is_written_found_built_and_fetched(
    country: Country, added: tuple[Reference, ...]
):
    store = build(country.write())
    rows = store.country(SUCCESSIONS)
    assert rows.to_dict("records") == [dict(NEW.example)]
    assert store.manifest["tables"]["successions"] == {"rows": 1}
    assert "successions" in {s["role"] for s in store.manifest["sources"]}
    assert NEW.publication.remote_name in {r.remote_name for r in remotes(["35"], None)}


def test_a_needed_source_that_lacks_is_told(country: Country, added: tuple[Reference, ...]):
    options = country.write()
    for file in (country.root / "official" / "sirene").glob("*Succession*"):
        file.unlink()
    with pytest.raises(DataError, match=r"--sirene .* StockEtablissementLiensSuccession"):
        build(options)


@pytest.mark.parametrize("one", REFERENCES, ids=lambda r: r.role)
def test_the_example_of_each_source_is_a_file_of_it(tmp_path: Path, one: Reference):
    file = write(tmp_path / "x.csv", as_csv([dict(one.example)], list(one.example)))
    assert [s.role for s in recognise(file)] == [one.role]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"option": "succession"}, "option 'succession' is not one of ban, cog"),
        ({"own_option": "x"}, "own_option 'x' is not one of"),
        ({"only_with": "x"}, "only_with 'x' is no option of the build"),
        ({"load": None}, "give `cut` at the stage ADDRESSES, `load` at any other"),
        ({"stage": Stage.ADDRESSES}, "give `cut` at the stage ADDRESSES"),
        ({"example": {}}, "the example lacks the column.* siretEtablissementPredecesseur"),
        ({"publication": Publication("", "http://x", "")}, "the publication has no family"),
        ({"layout": Layout("x", "", (), ())}, "no title; the layout has no signature"),
    ],
)
def test_an_incomplete_record_is_refused(wrong: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(NEW, **wrong)


def test_a_record_without_a_field_is_refused():
    with pytest.raises(TypeError, match="example"):
        Reference(NEW.layout, "sirene", NEW.presence, NEW.stage, NEW.publication)


def test_records_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match="has two records"):
        by_role([NEW, NEW])
    other = dataclasses.replace(NEW.publication, base_url="https://elsewhere.example")
    with pytest.raises(ValueError, match="give it another family"):
        by_role([*REFERENCES, dataclasses.replace(NEW, publication=other)])
    hidden = dataclasses.replace(NEW.layout, role="hidden")
    with pytest.raises(ValueError, match="its columns are those of 'successions'"):
        by_role([NEW, dataclasses.replace(NEW, layout=hidden)])
