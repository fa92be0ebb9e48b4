from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gazetteer import naf
from gazetteer.engine import frame, quoted, run
from gazetteer.reading import checked
from gazetteer.sources import find
from geomatch.core.text import normalise

LETTERS = "ABCDEFGHIJ abcdez 0189 &'’-.,/()°éèêëàâäîïôöùûüçñŒœÆæØø"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(text=st.text(alphabet=LETTERS, max_size=40))
def test_name_key_is_the_key_of_the_rest_of_the_project(con, text: str):
    assert run(con, f"SELECT name_key({quoted(text)})") == [(normalise(text),)]


def _labels(con, tmp_path, written, text: str, name: str = "naf.csv"):
    written(tmp_path / name, text)
    found = find([tmp_path / name], ["naf"], option="--naf")
    (tmp_path / "work").mkdir()
    return naf.read_naf(con, [checked(s, tmp_path / "work") for s in found])


def test_labels_keep_sub_classes_only(con, tmp_path, written):
    text = "Code;Libellé\nC;Industrie\n10;Alimentaire\n10.71C;Boulangerie\n8411Z;Mairie\n"
    labels = _labels(con, tmp_path, written, text)
    assert list(labels["naf"]) == ["10.71C", "84.11Z"]
    assert set(labels["nomenclature"]) == {"NAFRev2"}


@pytest.mark.parametrize(
    ("name", "header"), [("naf2025.csv", "code;libelle"), ("x.csv", "code_naf_2025;libelle")]
)
def test_nomenclature_of_2025(con, tmp_path, written, name: str, header: str):
    labels = _labels(con, tmp_path, written, f"{header}\n10.71Y;Pain\n", name)
    assert set(labels["nomenclature"]) == {"NAF2025"}


def test_no_label_file(con):
    assert len(naf.read_naf(con, [])) == 0


@pytest.fixture
def register(con) -> str:
    run(con, "CREATE TABLE r (naf VARCHAR, denomination VARCHAR, denominations_usuelles VARCHAR, "
             "enseignes VARCHAR)")  # fmt: skip
    rows = [
        ("10.71C", "BOULANGERIE LEMADEC", "", "BOULANGERIE | AU PAIN"),
        ("10.71C", "LA BOULANGERIE", "", ""),
        ("47.11D", "BOULANGERIE 2000 A", "", ""),
        ("", "BOULANGERIE", "", ""),
        ("84.11Z", "MAIRIE", "", ""),
        ("84.11Z", "Mairie de Ploumanec", "", ""),
    ]
    for row in rows:
        run(con, f"INSERT INTO r VALUES ({', '.join(map(quoted, row))})")
    return "r"


def test_words_are_counted_once_for_an_establishment_and_rare_pairs_dropped(con, register):
    words = naf.naf_words(con, register)
    assert [tuple(w) for w in words.to_numpy()] == [
        ("BOULANGERIE", "10.71C", 2),
        ("MAIRIE", "84.11Z", 2),
    ]


def test_only_the_commonest_pairs_are_kept(con, register, monkeypatch):
    monkeypatch.setattr(naf, "MAX_PAIRS", 1)
    assert len(naf.naf_words(con, register)) == 1


def test_codes_of_the_register_stand_in_for_labels(con, register):
    labels = naf.unlabelled_naf(con, register, "NAFRev2")
    assert list(labels["naf"]) == ["10.71C", "47.11D", "84.11Z"]
    assert set(labels["libelle"]) == {""}


def test_macros_can_be_defined_again(con):
    naf.define_macros(con)
    assert len(frame(con, "SELECT valid_naf('1071C') AS n")) == 1


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("10.71C", "10.71C"),
        ("1071c", "10.71C"),
        ("99.00Z", "99.00Z"),
        ("00.00Z", None),
        ("0000Z", None),
        ("84.11", None),
        ("84", None),
        ("", None),
    ],
)
def test_a_code_that_no_nomenclature_has_is_none(con, written: str, code: str | None) -> None:
    assert run(con, f"SELECT valid_naf({quoted(written)})") == [(code,)]
