"""The everyday words of activities, from the tables ``activity_*.csv``.

Three kinds of entries, each a word or a short phrase:

- *words* (``activity_words_*.csv``) mean an activity by themselves: BOULANGERIE;
- *objects* (``activity_objects_*.csv``) are made, sold, laid, mended, let: CARRELAGE;
- *verbs* (``activity_verbs.csv``) say which of it: POSE, VENTE EN GROS, FABRICATION.

A code is of any level of NAF rév. 2 (``43.33Z``, ``43.33``, ``43.3``, ``43``, ``F``): a whole
group or division where the word says no more. Several codes share a word by shares
(``47.71Z=70 46.42Z=30``). ``activity_phrases.csv`` has what is no activity: words without weight,
clauses of statutes, answers such as IDEM, occupations. ``activity_alone.csv`` has words that mean
an activity where they are the whole text and nothing in a longer one: ETAT, PARTICULIERS.
Objects of ``activity_objects_vague.csv`` (PRODUITS, BIENS) give way to what follows them.
``activity_neighbours.csv`` says which codes are often given to what reads like others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from geomatch.core.errors import GeomatchError
from geomatch.core.tables import load_header, load_table, table_names
from geomatch.core.text import normalise

#: What can be done with an object: the columns of its table after the words.
ROLES = (
    "seul", "fabrication", "gros", "detail", "ligne", "marche", "agent", "pose", "reparation",
    "location", "propriete",
)  # fmt: skip
#: What a phrase that is no activity does to its text (see :mod:`geomatch.activities.reading`).
PHRASES = ("vide", "rien", "metier", "mineur", "hors")

_CODE = re.compile(r"(?:[A-U]|\d\d(?:\.\d(?:\d[A-Z]?)?)?)\Z")
_SHARE = re.compile(r"[1-9][0-9]{0,3}\Z")
#: Where an entry ends in the tree; no word has a dot.
END = "."

Shares = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One word or phrase.

    ``kind`` is ``word``, ``object``, ``vague``, ``verb``, ``alone`` or one of :data:`PHRASES`.
    ``said`` is the phrase as the table has it, ``codes`` what it means alone (shares that sum to
    1), ``by_role`` of an object its codes by role, ``does`` of a verb the shares of the roles it
    stands for.
    """

    said: str
    kind: str
    codes: Shares = ()
    by_role: dict[str, Shares] = field(default_factory=dict)
    does: dict[str, float] = field(default_factory=dict)
    n_words: int = 1


@dataclass(frozen=True)
class Lexicon:
    """All entries, and the tree of words in which they are found.

    ``alone`` is the tree of whole texts that mean something by themselves.
    """

    entries: tuple[Entry, ...]
    tree: dict[str, Any]
    alone: dict[str, Any]
    empty_words: frozenset[str]
    vocabulary: frozenset[str]
    #: Codes of any level, and in how many of a hundred texts another is meant instead.
    neighbours: tuple[tuple[str, dict[str, int]], ...] = ()

    def targets(self) -> list[str]:
        """Every code that an entry may mean, of all levels, sorted."""
        found = {code for e in self.entries for code, _ in e.codes}
        for entry in self.entries:
            found.update(code for codes in entry.by_role.values() for code, _ in codes)
        return sorted(found)


def fold(word: str) -> str:
    """A normalised word without the marks of its plural: TRAVAUX is TRAVAL, POSES is POSE."""
    if len(word) > 3:
        if word.endswith("EAUX"):
            return word[:-1]
        if word.endswith("AUX"):
            return word[:-2] + "L"
        if word[-1] in "SX" and word[-2] not in "SU":
            return word[:-1]
        if word.endswith("EUX"):
            return word[:-1]
    return word


def shares(text: str, where: str) -> Shares:
    """``"47.71Z=70 46.42Z=30"`` as codes with shares that sum to 1; equal ones where none is said.

    Raises
    ------
    GeomatchError
        A code that no level of the nomenclature can have, or a share that is no positive number.
    """
    parts = [part.partition("=") for part in text.split()]
    for code, _, share in parts:
        if share and not _SHARE.match(share):
            raise GeomatchError(f"{where}: share {share!r} of {code}; expected a whole number > 0.")
    numbers = [int(share or "1") for _, _, share in parts]
    total = sum(numbers)
    return tuple((c, n / total) for (c, _, _), n in zip(parts, numbers, strict=True))


def _codes(text: str, where: str) -> Shares:
    found = shares(text, where)
    for code, _ in found:
        if not _CODE.match(code):
            raise GeomatchError(
                f"{where}: code {code!r}; expected one such as 43.33Z, 43.3, 43 or F."
            )
    return found


@cache
def lexicon() -> Lexicon:
    """The lexicon of the shipped tables, read once.

    Raises
    ------
    GeomatchError
        A table that cannot be used as it is: what stands where, and what is expected.
    """
    return build(_tables())


def _tables() -> Iterator[tuple[str, tuple[str, ...], Sequence[tuple[str, ...]]]]:
    for kind in _HEADERS:
        for name in table_names(f"activity_{kind}_"):
            yield name, load_header(name), load_table(name)


def build(tables: Iterable[tuple[str, tuple[str, ...], Sequence[tuple[str, ...]]]]) -> Lexicon:
    """A lexicon from tables: name (``activity_<kind>_<part>``), column names and rows of each."""
    entries: list[Entry] = []
    neighbours: list[tuple[str, dict[str, int]]] = []
    for name, header, rows in tables:
        kind = name.split("_")[1]
        if header != _HEADERS[kind]:
            raise GeomatchError(
                f"{name}: columns {';'.join(header)}; expected {';'.join(_HEADERS[kind])}."
            )
        for line, row in enumerate(rows, start=2):
            where = f"{name}, row {line} ({row[-1][:30] if kind != 'objects' else row[0][:30]})"
            if len(row) != len(header):
                raise GeomatchError(f"{where}: {len(row)} values; expected {len(header)}.")
            if kind == "neighbours":
                neighbours.append(_neighbours(row, where))
                continue
            read = list(_READERS[kind](row, where))
            if name.endswith("_vague"):
                read = [replace(entry, kind="vague") for entry in read]
            entries += read
    return replace(_planted(entries), neighbours=tuple(neighbours))


_HEADERS = {
    "words": ("codes", "mots"),
    "objects": ("mots", *ROLES),
    "verbs": ("roles", "codes", "mots"),
    "phrases": ("genre", "mots"),
    "alone": ("codes", "mots"),
    "neighbours": ("codes", "voisins"),
}


def _phrases(text: str, where: str) -> list[str]:
    found = [phrase.strip() for phrase in text.split(",")]
    if not all(normalise(phrase) for phrase in found):
        raise GeomatchError(f"{where}: an empty word between two commas; expected words.")
    return found


def _words(row: tuple[str, ...], where: str) -> Iterator[Entry]:
    codes = _codes(row[0], where)
    if not codes:
        raise GeomatchError(f"{where}: no code; expected one or several.")
    for said in _phrases(row[1], where):
        yield Entry(said, "word", codes)


def _objects(row: tuple[str, ...], where: str) -> Iterator[Entry]:
    roles = {r: _codes(v, f"{where}, {r}") for r, v in zip(ROLES, row[1:], strict=True) if v}
    if not roles:
        raise GeomatchError(f"{where}: no code in any role; expected at least one.")
    alone = roles.get("seul") or roles.get("detail") or next(iter(roles.values()))
    for said in _phrases(row[0], where):
        yield Entry(said, "object", alone, by_role=roles)


def _verbs(row: tuple[str, ...], where: str) -> Iterator[Entry]:
    roles = dict(shares(row[0], where))
    if unknown := set(roles) - set(ROLES):
        raise GeomatchError(f"{where}: role {sorted(unknown)[0]}; expected {', '.join(ROLES)}.")
    codes = _codes(row[1], where)
    for said in _phrases(row[2], where):
        yield Entry(said, "verb", codes, does=roles)


def _others(row: tuple[str, ...], where: str) -> Iterator[Entry]:
    if row[0] not in PHRASES:
        raise GeomatchError(f"{where}: genre {row[0]!r}; expected {', '.join(PHRASES)}.")
    for said in _phrases(row[1], where):
        yield Entry(said, row[0])


def _alone(row: tuple[str, ...], where: str) -> Iterator[Entry]:
    for entry in _words(row, where):
        yield replace(entry, kind="alone")


def _neighbours(row: tuple[str, ...], where: str) -> tuple[str, dict[str, int]]:
    _codes(row[0], where)
    parts = row[1].split()
    if not _codes(row[1], where) or not all("=" in part for part in parts):
        raise GeomatchError(f"{where}: {row[1]!r}; expected codes with numbers of a hundred.")
    return row[0], {code: int(n) for code, _, n in (part.partition("=") for part in parts)}


_READERS = {
    "words": _words,
    "objects": _objects,
    "verbs": _verbs,
    "phrases": _others,
    "alone": _alone,
}


def _planted(entries: Sequence[Entry]) -> Lexicon:
    """Put entries into the tree of their words; a word of two meanings keeps the first."""
    empty = frozenset(
        fold(word) for e in entries if e.kind == "vide" for word in normalise(e.said).split()
    )
    tree: dict[str, Any] = {}
    alone: dict[str, Any] = {}
    kept: list[Entry] = []
    vocabulary: set[str] = set()
    for entry in entries:
        if entry.kind == "vide":
            continue
        words = tuple(w for w in map(fold, normalise(entry.said).split()) if w not in empty)
        if not words:
            raise GeomatchError(f"{entry.said!r} has only words without weight; expected one more.")
        before = _plant(alone if entry.kind == "alone" else tree, words, len(kept))
        if before is not None:
            raise GeomatchError(
                f"{entry.said!r} ({entry.kind}) means what {kept[before].said!r} "
                f"({kept[before].kind}) does; expected each word once."
            )
        kept.append(replace(entry, n_words=len(words)))
        vocabulary.update(words)
    return Lexicon(tuple(kept), tree, alone, empty, frozenset(vocabulary))


def _plant(where: dict[str, Any], words: tuple[str, ...], number: int) -> int | None:
    """Put an entry where it is found; the one that stands there already is left and returned."""
    node = where
    for word in words:
        node = node.setdefault(word, {})
    before: int | None = node.get(END)
    if before is None:
        node[END] = number
    return before
