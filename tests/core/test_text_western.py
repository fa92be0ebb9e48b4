"""Text in Windows-1252 takes a shorter way to the same normalised text."""

from __future__ import annotations

import random
import unicodedata

from geomatch.core.text import _of_any, _of_western, normalise


def test_every_western_character_is_normalised_alike_both_ways() -> None:
    for i in range(256):
        letter = bytes([i]).decode("cp1252", errors="replace")
        for text in (letter, f"é{letter}", f"a{letter}b é", f"{letter}{letter}ç"):
            assert _of_western(text) in ("", _of_any(text)), (i, text)


def test_random_texts_are_normalised_alike_both_ways() -> None:
    draw = random.Random(5)
    letters = [*"abcXYZ09éèêçœŒæß&’'–…™½²µª°ŸÿØø ð", "\ufffd", "\u0301", "ő", "Ж", "\n\x00"]
    quick = 0
    for _ in range(3000):
        text = "".join(draw.choice(letters) for _ in range(draw.randint(1, 12)))
        found = _of_western(text)
        quick += bool(found)
        assert found in ("", _of_any(text)), text
    assert quick > 300


def test_decomposed_letters_and_double_encoding_are_still_understood() -> None:
    assert normalise(unicodedata.normalize("NFD", "Crêperie de l'Œuf")) == "CREPERIE DE L OEUF"
    assert normalise("AllÃ©e") == "ALLEE"
