"""Which streets a written street may be: exact keys first, likeness only for what they miss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.fuzz import ratio

from geomatch.addresses.communes.key_table import KeyTable
from geomatch.addresses.streets import houses, street_score
from geomatch.addresses.streets.index import StreetIndex
from geomatch.addresses.streets.names import keys_of
from geomatch.addresses.streets.questions import Questions
from geomatch.addresses.streets.zones import Nearness
from geomatch.arrays.groups import ragged_ranges, top
from geomatch.arrays.jit import compiled

Ints = NDArray[np.int64]
Pairs = tuple[Ints, Ints]

#: Cells of one block of comparisons: 8 million float32 are 32 MB.
_BLOCK = 8_000_000
#: Likest streets kept of each question, and likest words of each of its words.
_KEPT, _WORDS_KEPT = 8, 4
#: Names, and words, less alike than this are not looked at.
_ALIKE, _WORD_ALIKE = 55.0, 72.0
#: Words shorter than this, or borne by more streets, point at nothing.
_WORD_LENGTH, _COMMON = 3, 40
#: Probability from which on a question needs no dearer search.
_EXACT_SURE, _SURE, _LIKELY = 0.97, 0.85, 0.5
#: Probability that a street loses to one of its name that is where the address says.
_TOLD_SHARE = 0.97
#: Share that parts of one street keep of their own probability where nothing tells them apart.
_OWN_SHARE = 0.2


@dataclass(frozen=True)
class Found:
    """Candidates: question, street, nearness of its commune, and probability; aligned."""

    question: Ints
    street: Ints
    near: Ints
    probability: NDArray[np.float64]

    def best_of(self, n: int) -> NDArray[np.float64]:
        """Highest probability of each of `n` questions."""
        best = np.zeros(n)
        np.maximum.at(best, self.question, self.probability)
        return best


def find(index: StreetIndex, questions: Questions) -> Found:
    """Candidates of every question with their probabilities, dearer searches only in doubt."""
    _, bag, packed = keys_of(questions.names)
    everything = np.arange(len(questions))
    found = _scored(
        index,
        questions,
        [
            _by_key(index.by_full, questions.keys, everything),
            _by_key(index.by_typed, questions.typed, everything),
            _by_key(index.by_road, questions.typed, everything),
        ],
    )
    todo = np.flatnonzero(found.best_of(len(questions)) < _EXACT_SURE)
    whole = questions.whole.tolist()
    more = [
        _by_key(index.by_bag, bag, todo),
        _by_key(index.by_packed, packed, todo),
        _by_key(index.by_packed, whole, todo),
    ]
    found = _scored(index, questions, [(found.question, found.street), *more])
    for search, enough, reach in (
        (_by_letters, _SURE, Nearness.SAME_CITY),
        (_by_words, _SURE, Nearness.SAME_CITY),
        (_by_letters, _LIKELY, Nearness.NEIGHBOUR),
    ):
        todo = np.flatnonzero(found.best_of(len(questions)) < enough)
        more = list(search(index, questions, todo, reach))
        if more:
            found = _scored(index, questions, [(found.question, found.street), *more])
    return found


def with_doors(index: StreetIndex, questions: Questions, found: Found) -> Found:
    """Candidates, where a street that several parts of a city share is where its door is.

    In such a city numbers go on from one part to the next, and people take one for the other:
    the likeliest part without the door changes places with the likeliest that has it.
    """
    asked = (questions.numero[found.question] > 0) & (found.near <= Nearness.SAME_CITY)
    at = np.flatnonzero(asked)
    at = at[
        np.lexsort((-found.probability[at], index.key_code[found.street[at]], found.question[at]))
    ]
    group = found.question[at] * (int(index.key_code.max(initial=0)) + 1)
    group += index.key_code[found.street[at]]
    shared = np.zeros(len(at), dtype=bool)
    shared[1:] = group[1:] == group[:-1]
    shared[:-1] |= shared[1:]
    at, group = at[shared], group[shared]
    if not len(at):
        return found
    level = houses.level_of(index, found.street[at], questions.numero[found.question[at]])
    is_door = level == houses.HOUSENUMBER
    first = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    doors = np.flatnonzero(is_door)
    behind = np.minimum(np.searchsorted(doors, first), max(len(doors) - 1, 0))
    door = doors[behind] if len(doors) else first
    swapped = ~is_door[first] & is_door[door] & (group[door] == group[first]) & (door > first)
    low, high = at[first[swapped]], at[door[swapped]]
    # streets of one name in one commune are other streets
    apart = index.commune[found.street[low]] != index.commune[found.street[high]]
    low, high = low[apart], high[apart]
    probability = found.probability.copy()
    probability[low], probability[high] = probability[high], probability[low]
    return Found(found.question, found.street, found.near, probability)


def with_places(index: StreetIndex, questions: Questions, found: Found) -> Found:
    """Candidates, where of streets of one name in one commune the one that is told is likelier.

    The stated postcode and the former commune that stands in place of the town tell them apart:
    those that do not agree give nearly all of their probability to those that do.
    """
    at = np.flatnonzero(index.is_homonym[found.street])
    if not len(at):
        return found
    question, street = found.question[at], found.street[at]
    n_names = int(index.key_code.max(initial=0)) + 1
    named = (question * len(index.communes) + index.commune[street]) * n_names
    distinct, group = np.unique(named + index.key_code[street], return_inverse=True)
    agrees = np.zeros(len(at), dtype=np.int64)
    for asked, known in (
        (questions.code_postal, index.told(street)["code_postal"]),
        (questions.former, index.former[street]),
    ):
        agrees += (asked[question] == known) & (asked[question] != "")
    best = np.zeros(len(distinct), dtype=np.int64)
    np.maximum.at(best, group, agrees)
    is_less = agrees < best[group]
    probability = found.probability[at]
    moved = np.where(is_less, probability * _TOLD_SHARE, 0.0)
    gained = np.bincount(group, moved, minlength=len(distinct))
    heirs = np.bincount(group, ~is_less, minlength=len(distinct))
    share = np.where(is_less, 0.0, gained[group] / np.maximum(heirs[group], 1))
    out = found.probability.copy()
    out[at] = _shared_out(index.is_cut[street], probability - moved + share, group, is_less)
    return Found(found.question, found.street, found.near, out)


def _shared_out(
    is_cut: NDArray[np.bool_],
    probability: NDArray[np.float64],
    group: Ints,
    is_less: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Nearly evenly among parts of one street that nothing tells apart.

    Their doors tell little: the store keeps one of two doors of one number.
    """
    level = is_cut & ~is_less
    total = np.bincount(group, probability * level)
    count = np.bincount(group, level)
    mean = total[group] / np.maximum(count[group], 1)
    even = _OWN_SHARE * probability + (1 - _OWN_SHARE) * mean
    return np.where(level, even, probability)


def _scored(index: StreetIndex, questions: Questions, found: Sequence[Pairs]) -> Found:
    """Distinct pairs, scored."""
    question = np.concatenate([q for q, _ in found])
    street = np.concatenate([s for _, s in found])
    if len(found) > 1:
        distinct = np.unique(question * len(index) + street)
        question, street = distinct // len(index), distinct % len(index)
    pairs = street_score.Pairs(index, questions, question, street)
    return Found(question, street, pairs.near, street_score.score(pairs))


def _by_key(table: KeyTable, keys: Sequence[str], asked: Ints) -> Pairs:
    pairs = table.find([keys[i] for i in asked.tolist()])
    return asked[pairs.question], pairs.street


def _by_letters(
    index: StreetIndex, questions: Questions, todo: Ints, reach: int
) -> Iterator[Pairs]:
    """The likest streets of each question's zone, by letters run together."""
    for streets, asked in _zones(index, questions, todo, reach):
        known = index.packed[streets]
        for part in _parts(asked, len(streets)):
            row, column = _likest(questions.packed[part], known, _ALIKE, _KEPT)
            yield part[row], streets[column]


def _by_words(index: StreetIndex, questions: Questions, todo: Ints, reach: int) -> Iterator[Pairs]:
    """Streets that bear a rare word like one of the question's: LOSSERAND, RAYMOND LOSSERAND."""
    for streets, asked in _zones(index, questions, todo, reach):
        known, bearers = index.words_of(streets)
        flat = [(q, w) for q in asked.tolist() for w in questions.names[q].words]
        flat = [(q, w) for q, w in flat if len(w) >= _WORD_LENGTH]
        if not flat or not len(known):
            continue
        words, code = np.unique(np.array([w for _, w in flat], dtype=object), return_inverse=True)
        owner = np.array([q for q, _ in flat], dtype=np.int64)
        for part in _parts(np.arange(len(words)), len(known)):
            row, word = _likest(words[part], index.words[known], _WORD_ALIKE, _WORDS_KEPT)
            yield _bearers(part[row], word, bearers, (code, owner))


def _bearers(at: Ints, word: Ints, bearers: Pairs, asked: Pairs) -> Pairs:
    """Pairs of question and street from pairs of distinct asked word and known word."""
    start, rows = bearers
    few = start[word + 1] - start[word] <= _COMMON
    at, word = at[few], word[few]
    pair, position = ragged_ranges(start[word], start[word + 1])
    street, at = rows[position], at[pair]
    code, owner = asked
    order = np.argsort(code, kind="stable")
    low = np.searchsorted(code[order], at)
    high = np.searchsorted(code[order], at, side="right")
    pair, position = ragged_ranges(low, high)
    return owner[order[position]], street[pair]


def _likest(
    asked: NDArray[np.object_], known: NDArray[np.object_], cutoff: float, most: int
) -> Pairs:
    """Positions of asked texts and of the `most` known ones likest to each, from `cutoff` on."""
    scores = process.cdist(asked, known, scorer=ratio, dtype=np.float32, score_cutoff=cutoff)
    # nearly all cells are 0, so that sorting what is left beats a partition of every row
    row, column, score = _alike(scores)
    best = top(row, score, most)
    return row[best], column[best]


@compiled
def _alike(scores: NDArray[np.float32]) -> tuple[Ints, Ints, NDArray[np.float32]]:
    """Row, column and value of each cell that is not 0, row by row."""
    n = 0
    for row in scores:
        for score in row:
            n += score > 0
    rows, columns = np.empty(n, np.int64), np.empty(n, np.int64)
    values = np.empty(n, np.float32)
    n = 0
    for i in range(len(scores)):
        for j in range(scores.shape[1]):
            if scores[i, j] > 0:
                rows[n], columns[n], values[n] = i, j, scores[i, j]
                n += 1
    return rows, columns, values


def _parts(asked: Ints, width: int) -> Iterator[Ints]:
    step = max(1, _BLOCK // max(width, 1))
    for low in range(0, len(asked), step):
        yield asked[low : low + step]


def _zones(
    index: StreetIndex, questions: Questions, todo: Ints, reach: int
) -> Iterator[tuple[Ints, Ints]]:
    """Streets to be searched and the questions they are searched for."""
    sets: dict[tuple[int, ...], list[Ints]] = {}
    zones = questions.zone[todo]
    for zone in np.unique(zones):
        communes = questions.zones.communes(int(zone), reach)
        sets.setdefault(communes, []).append(todo[zones == zone])
    for communes, asked in sets.items():
        streets = index.of_communes(communes)
        if len(streets):
            yield streets, np.concatenate(asked)
