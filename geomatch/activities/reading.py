"""What the lexicon reads in activity texts.

A text is cut into clauses (``;``, full stop, dash, line), in each the longest entries are found
from left to right. A verb governs the objects that follow it in its clause, commas included:
*vente de carrelage, faïence* is twice a sale. What is said first leads. Clauses of statutes
(*et plus généralement toutes opérations*) weigh little, what follows *hors* or *sauf* is not meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geomatch.activities.lexicon import END, Entry, Lexicon, Shares, fold, lexicon
from geomatch.activities.spelling import Spelling
from geomatch.core.text import normalise

#: What a text is (``Reading.kinds``): one with activities, without words, with no word that is
#: known, an answer that says nothing (IDEM), an occupation and no activity.
ACTIVITY, EMPTY, UNKNOWN, NO_ANSWER, OCCUPATION = range(5)

#: Letters that no text keeps through normalisation mark where a clause and a part of it end.
_CLAUSE, _PART = "0CLAUSE0", "0PART0"
#: The same among the entries that were found.
_ENDS_PART, _ENDS_CLAUSE = -1, -2
_MARKS = str.maketrans(
    dict.fromkeys(";\n\r|•·●", f" {_CLAUSE} ") | dict.fromkeys(",()[]:/+", f" {_PART} ")
)
_STOPS = re.compile(r"(?<=[^\W\d_]{3})\s?\.(?=\s|$)|\.(?=[A-ZÉ][a-zé])|\s[-–—*]+(?=\s|\w)|^\s*[-*]")

#: 3,5 tonnes
_DECIMAL = re.compile(r"(?<=\d),(?=\d)")

#: Each further activity of a text weighs this much of the one before it.
_NEXT = 0.65
#: A clause of statutes weighs this much of another.
_MINOR = 0.15
#: Each further word of an entry makes it surer by this much.
_LONGER = 0.2
_MOST_LONGER = 3
#: A verb without object, an object without verb, and an object that has no code in a verb's role.
_VERB_ALONE, _OBJECT_ALONE, _OTHER_ROLE = 0.3, 0.8, 0.5
#: Roles that are ways of selling too.
_TRADES = ("gros", "detail")
#: A way of selling without object (*vente en ligne*).
_WAY_ALONE = 0.8
#: Things that follow a verb that is an activity whatever its object (FORMATION EN ...).
_GOVERNED = 0.35


class Said(NamedTuple):
    """One thing that a text says: codes with weights, by which entries, in which order."""

    codes: Shares
    weight: float
    rank: int
    entries: tuple[int, ...]


@dataclass(frozen=True)
class Reading:
    """What texts say: parallel arrays, one element a code said of a text.

    ``text`` is the position of the text, ``code`` the position in ``codes`` (codes of all
    levels), ``weight`` > 0, ``rank`` 0 for the activity that leads its text, ``said`` the position
    in ``words`` of the words that said so. ``kinds`` has one element a text: :data:`ACTIVITY`, ....
    """

    text: NDArray[np.int64]
    code: NDArray[np.int64]
    weight: NDArray[np.float32]
    rank: NDArray[np.int64]
    said: NDArray[np.int64]
    kinds: NDArray[np.int8]
    codes: list[str]
    words: list[str]


def read(texts: Sequence[str], known: Lexicon | None = None) -> Reading:
    """Read activity texts.

    Parameters
    ----------
    texts : sequence of str
        As they were written; ``""`` where there is none.
    known : Lexicon, optional
        Another than the shipped one.

    Returns
    -------
    Reading
    """
    reader = _reader() if known is None else Reader(known)
    codes = {code: i for i, code in enumerate(reader.codes)}
    words: dict[tuple[int, ...], int] = {}
    rows: list[tuple[int, int, float, int, int]] = []
    kinds = np.zeros(len(texts), np.int8)
    for i, text in enumerate(texts):
        kinds[i], things = reader.read(text)
        for thing in things:
            said = words.setdefault(thing.entries, len(words))
            rows += [
                (i, codes[code], thing.weight * share, thing.rank, said)
                for code, share in thing.codes
            ]
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    whole = table.astype(np.int64)
    entries = reader.lexicon.entries
    return Reading(
        text=whole[:, 0],
        code=whole[:, 1],
        weight=table[:, 2].astype(np.float32),
        rank=whole[:, 3],
        said=whole[:, 4],
        kinds=kinds,
        codes=list(codes),
        words=[" + ".join(entries[e].said for e in key) for key in words],
    )


def spread(
    reading: Reading,
    nafs: Sequence[str],
    prior: NDArray[np.float64],
    sections: Mapping[str, str] | None = None,
    neighbours: Sequence[tuple[str, Mapping[str, int]]] | None = None,
) -> sparse.csr_array:
    """The weights of a reading on the codes of a nomenclature.

    Parameters
    ----------
    reading : Reading
    nafs : sequence of str
        Sub-classes (``43.33Z``); what the lexicon says of others is left out.
    prior : array, shape (codes,)
        Shares by which a code of a higher level is parted among its sub-classes.
    sections : mapping of str, optional
        Section of each division (``{"43": "F"}``); without it a section says nothing.
    neighbours : sequence of (code of any level, {code: of a hundred}), optional
        Codes that are given instead of others (default: those of the shipped lexicon).

    Returns
    -------
    csr_array, shape (texts, codes)
    """
    nearby = _reader().lexicon.neighbours if neighbours is None else neighbours
    by_code = _spreading(
        tuple(reading.codes),
        tuple(nafs),
        np.asarray(prior, np.float64).tobytes(),
        tuple((sections or {}).items()),
        tuple((code, tuple(meant.items())) for code, meant in nearby),
    )
    of_text = sparse.csr_array(
        (reading.weight.astype(np.float64), (reading.text, reading.code)),
        (len(reading.kinds), len(reading.codes)),
    )
    return sparse.csr_array(of_text @ by_code)


@lru_cache(maxsize=4)
def _spreading(
    codes: tuple[str, ...],
    nafs: tuple[str, ...],
    prior: bytes,
    sections: tuple[tuple[str, str], ...],
    nearby: tuple[tuple[str, tuple[tuple[str, int], ...]], ...],
) -> sparse.csr_array:
    """Weights of the sub-classes for one of each code, shape (codes, sub-classes)."""
    shares = np.frombuffer(prior)
    by_code = _members(codes, nafs, shares, dict(sections))
    others = sorted({code for _, meant in nearby for code, _ in meant})
    position = {code: i for i, code in enumerate(others)}
    instead = [
        (i, position[code], of_hundred / 100)
        for begin, meant in nearby
        for i, naf in enumerate(nafs)
        if naf.startswith(begin)
        for code, of_hundred in meant
    ]
    if not instead:
        return by_code
    row, column, value = (np.array(x) for x in zip(*instead, strict=True))
    meant = sparse.csr_array((value, (row, column)), (len(nafs), len(others)))
    return sparse.csr_array(by_code + by_code @ (meant @ _members(others, nafs, shares, {})))


def _members(
    codes: Sequence[str],
    nafs: Sequence[str],
    prior: NDArray[np.float64],
    sections: Mapping[str, str],
) -> sparse.csr_array:
    """Shares of the sub-classes in codes of any level, shape (codes, sub-classes)."""
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    begins = np.array(nafs, dtype=str)
    of_section = np.array([sections.get(n[:2], "") for n in nafs], dtype=str)
    for i, code in enumerate(codes):
        is_member = of_section == code if code.isalpha() else np.char.startswith(begins, code)
        members = np.flatnonzero(is_member)
        shares = prior[members] + 1e-12
        rows += [i] * len(members)
        columns += members.tolist()
        values += (shares / shares.sum()).tolist()
    return sparse.csr_array((values, (rows, columns)), (len(codes), len(nafs)))


@lru_cache(maxsize=1)
def _reader() -> Reader:
    return Reader(lexicon())


class Reader:
    """Reads one text after the other with a lexicon; remembers the words it has seen."""

    def __init__(self, known: Lexicon) -> None:
        self.lexicon = known
        self.codes = known.targets()
        self._spelling = Spelling(known.vocabulary)
        self._word = lru_cache(maxsize=200_000)(self._meant)

    def _meant(self, word: str) -> str:
        """The folded word, spelt as the lexicon has it; empty for a word without weight."""
        if word in (_CLAUSE, _PART):
            return word
        word = fold(word)
        if word in self.lexicon.empty_words:
            return ""
        return self._spelling.nearest(word)

    def read(self, text: str) -> tuple[int, list[Said]]:
        """What one text is (:data:`ACTIVITY`, ...) and what it says, first things first."""
        words = self._words(text)
        said = [w for w in words if w != _CLAUSE and w != _PART]
        if not said:
            return EMPTY, []
        if (whole := self._alone(said)) is not None:
            entry = self.lexicon.entries[whole]
            return ACTIVITY, [Said(entry.codes, _strength(entry), 0, (whole,))]
        found = self._found(words)
        kinds = {self.lexicon.entries[e].kind for e in found if e >= 0}
        if "rien" in kinds and kinds <= {"rien"}:
            return NO_ANSWER, []
        things = list(self._said(found))
        if things:
            return ACTIVITY, things
        return (OCCUPATION if "metier" in kinds else UNKNOWN), []

    def _words(self, text: str) -> list[str]:
        text = _STOPS.sub(f" {_CLAUSE} ", _DECIMAL.sub(" ", text)).translate(_MARKS)
        return [w for w in map(self._word, normalise(text).split()) if w]

    def _alone(self, words: list[str]) -> int | None:
        """The entry that means something only where it is the whole text."""
        node = self.lexicon.alone
        for word in words:
            if word not in node:
                return None
            node = node[word]
        return cast("int | None", node.get(END))

    def _found(self, words: list[str]) -> list[int]:
        """Entries in order, and where parts and clauses end. Unknown words are passed over."""
        found = []
        n, i = len(words), 0
        while i < n:
            word = words[i]
            if word in (_PART, _CLAUSE):
                found.append(_ENDS_PART if word == _PART else _ENDS_CLAUSE)
                i += 1
                continue
            entry, verb, after, after_verb = self._longest(words, i)
            if entry is None:
                i += 1
                continue
            if verb is not None and after_verb < after:
                # *vente de bois* gives way to the longer *bois de chauffage*.
                longer = self._longest(words, after_verb)
                if longer[0] is not None and longer[2] > after:
                    entry, after = verb, after_verb
            found.append(entry)
            i = after
        return found

    def _longest(self, words: list[str], i: int) -> tuple[int | None, int | None, int, int]:
        """The longest entry from word `i` on, the shortest verb there, and what follows them."""
        node: dict[str, Any] | None = self.lexicon.tree.get(words[i])
        entry = verb = None
        after = after_verb = i + 1
        j = i
        while node is not None:
            j += 1
            here = node.get(END)
            if here is not None:
                if verb is None and self.lexicon.entries[here].does:
                    verb, after_verb = here, j
                entry, after = here, j
            node = node.get(words[j]) if j < len(words) else None
        return entry, verb, after, after_verb

    def _said(self, found: list[int]) -> Iterator[Said]:
        rank = 0
        clause: list[int] = []
        for entry in [*found, _ENDS_CLAUSE]:
            if entry != _ENDS_CLAUSE:
                clause.append(entry)
                continue
            for codes, weight, by in _of_clause(self.lexicon.entries, clause, rank > 0):
                yield Said(codes, weight * _NEXT**rank, rank, by)
                rank += 1
            clause = []


_Thing = tuple[Shares, float, tuple[int, ...]]


def _strength(entry: Entry) -> float:
    return 1.0 + _LONGER * min(entry.n_words - 1, _MOST_LONGER)


def _of_clause(entries: Sequence[Entry], clause: list[int], is_later: bool) -> Iterator[_Thing]:
    """What one clause says, in order: a verb governs what follows it until the next verb."""
    heard = _heard(entries, _verbs_first(entries, clause), is_later)
    ways = _ways(entries, [at for at, _ in heard])
    verbs: list[int] = []
    owning: list[int] = []
    used, factor = False, 1.0
    for at, factor in heard:
        entry = entries[at]
        if entry.kind == "verb":
            if used:
                verbs, used = [], False
            if "propriete" in entry.does:
                owning.append(at)
            elif at not in ways:
                verbs.append(at)
            if not entry.does and entry.codes:
                yield entry.codes, factor * _strength(entry), (at,)
        else:
            used = True
            for codes, weight, by in _with_verbs(entries, verbs, [*ways, *owning], at):
                yield codes, factor * weight, by
    if not used:
        for at in [*ways, *owning, *verbs]:
            if entries[at].does and entries[at].codes:
                weight = _WAY_ALONE if at in ways else _VERB_ALONE
                yield entries[at].codes, factor * weight * _strength(entries[at]), (at,)


def _heard(entries: Sequence[Entry], clause: list[int], is_later: bool) -> list[tuple[int, float]]:
    """Words, objects and verbs of a clause that count, and how much.

    What follows a phrase of statutes weighs little, unless nothing came before it in the text:
    there is nothing that it comes on top of.
    """
    heard = []
    is_hidden, factor = False, 1.0
    for i, at in enumerate(clause):
        kind = entries[at].kind if at >= 0 else ""
        if not kind:
            is_hidden = False
        elif kind == "hors":
            is_hidden = True
        elif kind == "mineur":
            factor = _MINOR if is_later else 1.0
        elif (
            kind not in ("rien", "metier") and not is_hidden and not _gives_way(entries, clause, i)
        ):
            heard.append((at, factor))
            is_later = is_later or kind != "verb" or not entries[at].does
    return heard


def _ways(entries: Sequence[Entry], heard: list[int]) -> list[int]:
    """Verbs that say how things are sold, wherever they stand: online, on markets.

    *En gros* and *au détail* say it too where nothing follows that they would govern.
    """
    ways = []
    for at, after in zip(heard, [*heard, None][1:], strict=True):
        does = entries[at].does
        main = max(does, key=does.__getitem__, default="")
        is_last = after is None or entries[after].kind == "verb"
        if main in ("ligne", "marche") or (is_last and len(does) == 1 and main in _TRADES):
            ways.append(at)
    return ways


def _gives_way(entries: Sequence[Entry], clause: list[int], i: int) -> bool:
    """Whether a vague object (*produits*) is followed at once by what it is (*laitiers*)."""
    if entries[clause[i]].kind != "vague" or i + 1 == len(clause) or clause[i + 1] < 0:
        return False
    return entries[clause[i + 1]].kind in ("word", "object")


def _verbs_first(entries: Sequence[Entry], clause: list[int]) -> list[int]:
    """A clause that ends with its only verbs (*carrelage, vente*) has them before its objects."""
    is_verb = [at >= 0 and entries[at].kind == "verb" and bool(entries[at].does) for at in clause]
    if not any(is_verb) or is_verb[0]:
        return clause
    first = is_verb.index(True)
    if any(at >= 0 and not v for at, v in zip(clause[first:], is_verb[first:], strict=True)):
        return clause
    return clause[first:] + clause[:first]


def _with_verbs(
    entries: Sequence[Entry], verbs: list[int], before: list[int], at: int
) -> Iterator[_Thing]:
    """A word or an object, with the verbs that govern it.

    `before` are those that come first whatever stands nearest: ways of selling, and owning.
    """
    entry = entries[at]
    strength = _strength(entry)
    if entry.kind == "word":
        is_governed = any(not entries[v].does and entries[v].codes for v in verbs)
        is_done = any(entries[v].does for v in verbs)
        yield entry.codes, strength * (_GOVERNED if is_governed and not is_done else 1.0), (at,)
        return
    doing = [
        v for v in before if "propriete" not in entries[v].does or "propriete" in entry.by_role
    ]
    doing += [v for v in verbs if entries[v].does and entries[v].does.keys() & entry.by_role.keys()]
    if not doing:
        doing = [v for v in verbs if entries[v].does and entries[v].codes]
    if not doing:
        is_governed = any(entries[v].codes for v in verbs)
        weight = _GOVERNED if is_governed else 1.0 if verbs or before else _OBJECT_ALONE
        yield entry.codes, strength * weight, (at,)
    for order, v in enumerate(doing):
        codes, weight = _composed(entries[v], entry)
        yield codes, strength * weight * _NEXT**order, (v, at)


def _composed(verb: Entry, thing: Entry) -> tuple[Shares, float]:
    """Codes of an object in the roles of a verb, and how sure they are."""
    codes: dict[str, float] = {}
    for role, share in verb.does.items():
        for code, part in thing.by_role.get(role, ()):
            codes[code] = codes.get(code, 0.0) + share * part
    total = sum(codes.values())
    if total:
        return tuple((c, w / total) for c, w in codes.items()), 1.0 + 0.25 * total
    both = [(c, 0.6 * w) for c, w in verb.codes] + [(c, 0.4 * w) for c, w in thing.codes]
    return tuple(both), _OTHER_ROLE
