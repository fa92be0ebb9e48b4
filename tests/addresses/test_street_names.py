from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.addresses.parse.numbers import read_number, rep_letter
from geomatch.addresses.parse.types import glued_type, misspelt_type
from geomatch.addresses.streets.names import TYPED, keys_of, read_street, street_columns
from geomatch.core.street_keys import street_key, street_types, street_word_table


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Bd du Gal. Leclerc", "BOULEVARD DU GENERAL LECLERC"),
        ("R ST JACQUES", "RUE SAINT JACQUES"),
        ("GAL LECLERC", "GENERAL LECLERC"),  # a general, not a gallery
        ("Grande Pl", "GRANDE PLACE"),
        ("Rue du 1er Mai", "RUE DU 1ER MAI"),
        ("Rue du 11ème Régiment", "RUE DU 11E REGIMENT"),
        ("Rue du 11e Régiment", "RUE DU 11E REGIMENT"),
        ("RN7", "ROUTE NATIONALE 7"),
        ("Rt Nat 7", "ROUTE NATIONALE 7"),
        ("12P3 Rue des Lilas", "RUE DES LILAS"),
        ("104Ba Boulevard Anatole Merlin", "BOULEVARD ANATOLE MERLIN"),
        ("8E RUE CITE MORIN", "8E RUE CITE MORIN"),
        ("Cours", "COURS"),
        ("", ""),
        ("---", ""),
    ],
)
def test_street_key(name: str, key: str) -> None:
    assert street_key(name) == key
    assert street_key(key) == key


def test_tables_have_no_expression_twice() -> None:
    from geomatch.core.tables import load_table

    for table in ("street_types", "street_words", "institutions"):
        written = [row[0] for row in load_table(table)]
        assert len(written) == len(set(written)), table


def test_expansions_are_final() -> None:
    types = street_types()
    assert all(types[full] == full for full in types.values())
    words = street_word_table()
    assert not set(words) & {w for full in words.values() for w in full.split()}


@given(st.text(max_size=40))
def test_key_of_any_text_is_normalised(text: str) -> None:
    key = street_key(text)
    assert key == " ".join(key.split())
    assert key.isascii()


@pytest.mark.parametrize(
    ("key", "kind", "packed"),
    [
        ("RUE DES 4 VENTS", "RUE", "QUATREVENTS"),
        ("RUE DES QUATRE VENTS", "RUE", "QUATREVENTS"),
        ("RUE DU 8 MAI 1945", "RUE", "HUITMAI1945"),
        ("ALLEES JEAN JAURES", "ALLEE", "JEANJAURES"),
        ("GRANDE RUE", "", "GRANDERUE"),
        ("LE BOURG", "", "BOURG"),
        ("RUE DE LA", "RUE", "DELA"),
    ],
)
def test_what_a_name_is_compared_by(key: str, kind: str, packed: str) -> None:
    name = read_street(key)
    assert (name.kind, name.packed) == (kind, packed)


def test_columns_of_the_store_are_what_a_street_asked_for_is_compared_by() -> None:
    keys = ["RUE DES 4 VENTS", "LE BOURG", "RUE DE LA", "PLACE SAINT JEAN D ACRE"]
    columns = street_columns(keys)
    assert columns["mots_norm"] == ["QUATRE VENTS", "BOURG", "DE LA", "SAINT JEAN ACRE"]
    typed, _, packed = keys_of([read_street(k) for k in keys])
    stored = zip(columns["type_norm"], columns["mots_norm"], strict=True)
    assert [TYPED.join(c) for c in stored] == typed
    assert [w.replace(" ", "") for w in columns["mots_norm"]] == packed


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("RUR", "RUE"), ("AVENEU", "AVENUE"), ("BOULEVRD", "BOULEVARD"), ("IMPASE", "IMPASSE"),
        ("LILAS", ""), ("R", ""), ("MORIN", ""), ("PORT", ""),
    ],
)  # fmt: skip
def test_misspelt_type(word: str, kind: str) -> None:
    assert misspelt_type(word) == kind


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("RUEDELAPAIX", ("RUE", "DELAPAIX")),
        ("AVENUEFOCHMORIN", ("AVENUE", "FOCHMORIN")),
        ("RUELLE", None),
        ("RUEIL", None),
        ("LILAS", None),
    ],
)
def test_type_run_into_the_name(word: str, parts: tuple[str, str] | None) -> None:
    assert glued_type(word) == parts


@pytest.mark.parametrize(
    ("word", "number"),
    [("12", ("12", "")), ("0012B", ("12", "b")), ("12BIS", ("12", "bis")), ("000", ("", "")),
     ("LILAS", ("", "")), ("123456", ("", "")), ("4W1", ("4", "w1"))],
)  # fmt: skip
def test_number(word: str, number: tuple[str, str]) -> None:
    assert read_number(word) == number


def test_letter_and_word_of_a_repetition_are_one() -> None:
    assert rep_letter("bis") == rep_letter("b")
    assert rep_letter("ter") == rep_letter("t")
    assert rep_letter("a") == "a"
