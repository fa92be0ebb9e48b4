"""Which words of a text spoke for a code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geomatch.activities.model import LEXICON, ActivityModel

#: What says less than this (natural logarithm) is not told.
_LEAST = 0.05


def speakers(
    model: ActivityModel, activity: str, nafs: Sequence[str], most: int = 4
) -> list[list[str]]:
    """Words that spoke for each code more than for the others likely, most telling first.

    Stems are in capitals (``POSE+CARRELA`` is two that follow one another), words of the lexicon
    as it has them.
    """
    asked = model.asked([activity])
    chance = model.code([activity]).probability[0].astype(np.float64)
    stem_of = list(model.vocabulary)
    codes = model.nomenclature.positions(nafs)
    said: list[list[tuple[float, str]]] = [[] for _ in codes]
    row = asked.words[[0]].tocoo()
    for word, weight in zip(row.col.tolist(), row.data.tolist(), strict=True):
        spoken = weight * model.words_evidence[[word]].toarray().ravel()
        for i, code in enumerate(codes):
            said[i].append((float(spoken[code] - chance @ spoken), stem_of[word]))
    weight_of_lexicon = model.weights.sources.get(LEXICON, 0.0)
    told = asked.reading
    for target, weight, by in zip(told.code, told.weight, told.said, strict=True):
        code = told.codes[target]
        for i, naf in enumerate(nafs):
            section = model.nomenclature.sections.get(naf[:2], "")
            if naf.startswith(code) or code == section:
                said[i].append((float(weight) * weight_of_lexicon, told.words[by]))
    return [_told(words, most) for words in said]


def _told(words: list[tuple[float, str]], most: int) -> list[str]:
    ordered = sorted((w for w in words if w[0] > _LEAST), key=lambda w: (-w[0], w[1]))
    return list(dict.fromkeys(word for _, word in ordered))[:most]
