"""Which streets a written street may be: exact keys first, likeness only for what they miss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.fuzz import ratio

from geomatch.addresses.gazetteer_index import Pairs, StreetIndex
from geomatch.addresses.street_names import StreetName, keys_of

Ints = NDArray[np.int64]

#: How far a street's commune is from the one that is asked for.
STATED, SAME_CITY, NEIGHBOUR, ELSEWHERE = 0, 1, 2, 3
#: Cells of one block of comparisons: 8 million float32 are 32 MB.
_BLOCK = 8_000_000
_KEPT = 6


@dataclass(frozen=True)
class Questions:
    """Distinct streets asked for.

    `zone` is the position in `zones` of each, -1 for none; ``zones[z]`` has one number for each
    commune of the index (STATED … ELSEWHERE).
    """

    keys: Sequence[str]
    names: Sequence[StreetName]
    zone: Ints
    zones: NDArray[np.int8]
    numero: Ints


#: Candidates: question, street, how it was found (the smaller the surer) and likeness in [0, 1].
CANDIDATES = ("question", "street", "tier", "likeness")


def find(index: StreetIndex, questions: Questions, *, cutoff: float) -> pd.DataFrame:
    """Candidates of every question: those of the exact keys, else the likest ones of the zone."""
    found = _by_keys(index, questions)
    best = np.full(len(questions.keys), ELSEWHERE + 1)
    near = found["near"].to_numpy()
    np.minimum.at(best, found["question"].to_numpy(), near)
    for most in (SAME_CITY, NEIGHBOUR):
        todo = np.flatnonzero((best > most) & (questions.zone >= 0))
        alike = _alike(index, questions, todo, most=most, cutoff=cutoff)
        found = pd.concat([found, alike], ignore_index=True)
        np.minimum.at(best, alike["question"].to_numpy(), alike["near"].to_numpy())
    return found.drop_duplicates(["question", "street"], ignore_index=True)


def _by_keys(index: StreetIndex, questions: Questions) -> pd.DataFrame:
    typed, bag, packed = keys_of(questions.names)
    tables = (
        (index.by_full, questions.keys),
        (index.by_typed, typed),
        (index.by_bag, bag),
        (index.by_packed, packed),
    )
    done = np.zeros(len(questions.keys), dtype=bool)
    frames = []
    for tier, (table, keys) in enumerate(tables):
        asked = np.flatnonzero(~done)
        pairs = table.find([keys[i] for i in asked.tolist()])
        frame = _candidates(index, questions, Pairs(asked[pairs.question], pairs.street))
        frame["tier"] = tier
        frame["likeness"] = 1.0 - 0.01 * tier
        near = frame[frame["near"] <= SAME_CITY]
        done[near["question"].to_numpy()] = True
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _candidates(index: StreetIndex, questions: Questions, pairs: Pairs) -> pd.DataFrame:
    zone = questions.zone[pairs.question]
    near = questions.zones[zone, index.commune[pairs.street]]
    near = np.where(zone >= 0, near, ELSEWHERE)
    return pd.DataFrame({"question": pairs.question, "street": pairs.street, "near": near})


def _alike(
    index: StreetIndex, questions: Questions, todo: Ints, *, most: int, cutoff: float
) -> pd.DataFrame:
    """The likest streets of each question's zone, by letters run together."""
    parts = [_nothing()]
    groups = _same_communes(questions, todo, most)
    for communes, asked in groups:
        streets = index.of_communes(index.communes[list(communes)])
        if not len(streets):
            continue
        known = index.packed[streets]
        step = max(1, _BLOCK // len(streets))
        for low in range(0, len(asked), step):
            part = asked[low : low + step]
            parts.append(_likest(index, questions, part, streets, known, cutoff))
    return pd.concat(parts, ignore_index=True)


def _same_communes(
    questions: Questions, todo: Ints, most: int
) -> list[tuple[tuple[int, ...], Ints]]:
    """Questions by the set of communes to be searched for them."""
    sets: dict[tuple[int, ...], list[Ints]] = {}
    zones = questions.zone[todo]
    for zone in np.unique(zones):
        communes = tuple(np.flatnonzero(questions.zones[zone] <= most).tolist())
        sets.setdefault(communes, []).append(todo[zones == zone])
    return [(communes, np.concatenate(asked)) for communes, asked in sets.items() if communes]


def _likest(
    index: StreetIndex,
    questions: Questions,
    asked: Ints,
    streets: Ints,
    known: NDArray[np.object_],
    cutoff: float,
) -> pd.DataFrame:
    packed = [questions.names[i].packed for i in asked]
    scores = process.cdist(
        packed, known, scorer=ratio, dtype=np.float32, score_cutoff=(cutoff - 0.15) * 100
    )
    kept = min(_KEPT, len(streets))
    top = np.argpartition(-scores, kept - 1, axis=1)[:, :kept]
    likeness = np.take_along_axis(scores, top, axis=1).ravel() / 100
    question = np.repeat(asked, kept)
    good = likeness > 0
    pairs = Pairs(question[good], streets[top.ravel()[good]])
    frame = _candidates(index, questions, pairs)
    frame["tier"] = len(CANDIDATES)
    frame["likeness"] = likeness[good]
    return frame


def _nothing() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "question": np.array([], np.int64),
            "street": np.array([], np.int64),
            "near": np.array([], np.int8),
            "tier": np.array([], np.int64),
            "likeness": np.array([], np.float64),
        }
    )
