from __future__ import annotations

import pytest

from geomatch.core.numerals import canonical_words, number_prefix, rank, roman, spelled

SAME_NAME = (
    ("JEAN XXIII", "JEAN 23", "JEAN VINGT TROIS"),
    ("HENRI IV", "HENRI 4", "HENRI QUATRE"),
    ("GEORGE V", "GEORGE 5", "GEORGE CINQ"),
    ("36 PONTS", "TRENTE SIX PONTS"),
    ("2E D B", "DEUXIEME D B", "IIE D B", "2EME D B", "SECONDE D B"),
    ("1ER MAI", "1 MAI", "PREMIER MAI"),
    ("1ERE ECLUSE", "PREMIERE ECLUSE"),
    ("1814", "MIL HUIT CENT QUATORZE", "DIX HUIT CENT QUATORZE"),
    ("19 MARS 1962", "DIX NEUF MARS 1962"),
    ("FRANCOIS IER", "FRANCOIS 1ER", "FRANCOIS PREMIER"),
    ("VE REPUBLIQUE", "CINQUIEME REPUBLIQUE", "5E REPUBLIQUE"),
)


@pytest.mark.parametrize("names", SAME_NAME, ids=lambda names: names[0])
def test_spellings_of_a_name_meet(names: tuple[str, ...]) -> None:
    assert len({" ".join(canonical_words(name.split())) for name in names}) == 1


@pytest.mark.parametrize(
    "name",
    ["V HUGO", "VIE", "PIERRE MILLE", "MILLE FLEURS", "UN", "CX", "LE MIDI", "VI", "152E RI"],
)
def test_other_words_stay(name: str) -> None:
    assert " ".join(canonical_words(name.split())) == name


@pytest.mark.parametrize("number", range(1, 100))
def test_spelled_numbers_are_read_again(number: int) -> None:
    assert number_prefix(spelled(number)) == (number, len(spelled(number)))


@pytest.mark.parametrize(
    ("words", "number", "used"),
    [
        ("QUATRE VINGT DOUZE RUE", 92, 3),
        ("DEUX CENT TROIS RUE", 203, 3),
        ("VINGT ET UN", 21, 3),
        ("SOIXANTE ET ONZE", 71, 3),
        ("DOUZE TREIZE", 12, 1),
        ("QUATRE VENTS", 4, 1),
        ("VINGT ET RUE", 20, 1),
        ("DEUX MILLE VINGT SIX", 2026, 4),
        ("RUE", 0, 0),
    ],
)
def test_number_that_words_begin_with(words: str, number: int, used: int) -> None:
    assert number_prefix(words.split()) == (number, used)


@pytest.mark.parametrize(
    ("word", "number"),
    [("XIV", 14), ("IIII", 0), ("IC", 0), ("XC", 90), ("VX", 0), ("ABC", 0), ("", 0)],
)
def test_roman(word: str, number: int) -> None:
    assert roman(word) == number


@pytest.mark.parametrize(
    ("word", "number"),
    [("3E", 3), ("3EME", 3), ("IIIE", 3), ("TROISIEME", 3), ("VIE", 0), ("LE", 0), ("1ER", 1)],
)
def test_rank(word: str, number: int) -> None:
    assert rank(word) == number
