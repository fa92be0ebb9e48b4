from __future__ import annotations

import numpy as np
import pytest

from geomatch.names.clean import category_words, clean_names, name_words
from geomatch.names.coverage import Coverage
from geomatch.names.distinctive import Distinctive, PlaceWords
from geomatch.names.lexicon import Lexicon

KNOWN = ["RESTAURANT ASAHI", "JAPON WEI", "ECOLE MATERNELLE GLACIERE", "PISCINE DE LA JONQUIERE",
         "EPICERIE FINE", "PHARMACIE", "PHARMACIE DU LION", "MUSEE DE VANNES"]  # fmt: skip


def weights(written: str, known: str, street: str = "", town: str = "") -> dict[str, float]:
    """Weights of the distinctive words of a written and a register name, and what they share."""
    names = clean_names(KNOWN)
    lexicon = Lexicon.of([name_words(n) for n in names])
    coverage = Coverage(lexicon, [name_words(clean_names([written])[0])])
    words = Distinctive(coverage, PlaceWords(lexicon), np.array([town], dtype=object))
    at = np.array([names.index(clean_names([known])[0])])
    zero, streets = np.zeros(1, np.int64), np.array([street], dtype=object)
    found = words.agreement(zero, at, (zero, streets), zero)
    return {k: float(getattr(found, k)[0]) for k in ("written", "known", "explained", "shared")}


@pytest.mark.parametrize(
    ("written", "known", "place", "has"),
    [
        ("JAPON WEI (RESTAURANT)", "RESTAURANT ASAHI", {}, {"written", "known"}),
        ("RESTAURANT", "RESTAURANT ASAHI", {}, {"known"}),
        ("RESTAURANT JAPON WEI", "JAPON WEI", {}, {"written", "known", "explained", "shared"}),
        ("RESTAURANT ASAHHI", "RESTAURANT ASAHI", {}, {"written", "known", "explained", "shared"}),
        ("EPICERIE JONQUIERE", "PISCINE DE LA JONQUIERE", {"street": "DE LA JONQUIERE"}, set()),
        ("MUSEE DE VANNES", "MUSEE DE VANNES", {"town": "VANNES"}, set()),
        ("PHARMACIE", "PHARMACIE", {}, set()),
        ("PHARMACIE", "PHARMACIE DU LION", {}, {"known"}),
        ("PHARMACIE DU LION", "PHARMACIE", {}, {"written"}),
    ],
)  # fmt: skip
def test_words_of_trade_street_and_town_distinguish_nobody(
    written: str, known: str, place: dict[str, str], has: set[str]
) -> None:
    found = weights(written, known, **place)
    assert {k for k, weight in found.items() if weight > 0.5} == has


def test_what_is_explained_is_no_more_than_what_is_written() -> None:
    found = weights("LION LION DU LIONN", "PHARMACIE DU LION")
    assert 0.0 < found["explained"] <= found["written"]


def test_category_words_are_written_as_names_are_cleaned() -> None:
    words = sorted(category_words())
    assert clean_names(words) == words
