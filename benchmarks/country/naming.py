"""What establishments are called, on whole columns: patterns of the demo's word lists filled."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.country.words import first_names, invented_words, qualifiers, surnames
from geomatch.demo.naming import SIZES, TRANCHES, UNMANNED

Ints = np.ndarray
#: What precedes or follows a company's name in the register, and how often; ``shown`` is how
#: often the register also knows the sign over the door.
LEGAL: Mapping[str, tuple[tuple[float, str, float], ...]] = {
    "soc": (
        (0.22, "{nom}", 0.35),
        (0.07, "SARL {nom}", 0.35),
        (0.08, "{nom} SARL", 0.35),
        (0.08, "SAS {nom}", 0.35),
        (0.05, "EURL {nom}", 0.35),
        (0.06, "SARL {patron}", 0.75),
        (0.04, "{patron} ET FILS", 0.75),
        (0.05, "{patron} {prenom}", 0.75),
        (0.05, "STE {patron}", 0.75),
        (0.13, "{syl}", 0.7),
        (0.06, "SARL {syl}", 0.7),
        (0.06, "{syl} SAS", 0.7),
        (0.05, "SOCIETE {syl}", 0.7),
    ),
    "sci": ((0.85, "SCI {nom}", 0.0), (0.15, "SOCIETE CIVILE IMMOBILIERE {nom}", 0.0)),
    "agricole": ((0.4, "EARL {nom}", 0.0), (0.4, "GAEC {nom}", 0.0), (0.2, "SCEA {nom}", 0.0)),
    "asso": ((0.8, "{nom}", 0.0), (0.2, "ASSOCIATION {nom}", 0.0)),
    "public": ((1.0, "{nom}", 0.3),),
    "ei": ((1.0, "", 0.22),),
}
#: Words that a country has many of; a name made of none of them is borne all over a town.
_MANY = frozenset({"patron", "syl", "saint"})
#: Share of such names that get a word of their own.
_TOLD_APART = 0.93
_SMALL = ("DE", "DU", "DES", "LA", "LE", "D", "L", "ET")


@dataclass(frozen=True)
class Mots:
    """The words each establishment's names are made of: a position in a pool for each."""

    codes: Mapping[str, Ints]
    pools: Mapping[str, pa.Array]

    def column(self, part: str, at: Ints) -> pa.Array:
        """The word of one part, of some establishments."""
        return self.pools[part].take(pa.array(self.codes[part][at]))

    def of(self, row: int) -> dict[str, str]:
        """All words of one establishment; ``saint`` is a first name and a name."""
        return {p: self.pools[p][int(c[row])].as_py() for p, c in self.codes.items()}


def draw_mots(random: np.random.Generator, towns: Sequence[str], commune: Ints) -> Mots:
    """Words for establishments of the given communes (positions in `towns`, capitals)."""
    n = len(commune)
    codes: dict[str, Ints] = {p: random.integers(0, len(w), n) for p, w in qualifiers().items()}
    pools: dict[str, pa.Array] = dict(qualifiers())
    for part, pool in (("patron", surnames()), ("prenom", first_names())):
        codes[part], pools[part] = pool.draw(random, n), pool.words
    codes["syl"], pools["syl"] = invented_words().draw(random, n), invented_words().words
    saints = _saints()
    codes["saint"] = np.minimum(random.exponential(len(saints) / 9, n).astype(int), len(saints) - 1)
    pools["saint"] = saints
    for part in ("commune", "bourg"):
        codes[part], pools[part] = commune, pa.array(list(towns))
    codes["departement"], pools["departement"] = np.zeros(n, np.int64), pa.array(["VAL D ORME"])
    return Mots(codes, pools)


@cache
def _saints() -> pa.Array:
    """Those whose names schools bear: some thousands, the first ones in every town."""
    random = np.random.default_rng(16)
    given = first_names().words.take(pa.array(first_names().draw(random, 4_000)))
    last = surnames().words.take(pa.array(surnames().flat(random, 4_000)))
    return pc.binary_join_element_wise(given, last, " ")


def filled(pattern: str, mots: Mots, at: Ints, **more: pa.Array) -> pa.Array:
    """A pattern filled for the establishments `at`; `more` are columns aligned with `at`."""
    pieces: list[pa.Array | str] = []
    for literal, part, _, _ in string.Formatter().parse(pattern):
        if literal:
            pieces.append(literal)
        if part:
            pieces.append(more[part] if part in more else mots.column(part, at))
    if all(isinstance(p, str) for p in pieces):
        return pa.array(["".join(map(str, pieces))] * len(at), pa.string())
    joined = pc.binary_join_element_wise(*pieces, "") if len(pieces) > 1 else pieces[0]
    return elided(joined)


def told_apart(
    random: np.random.Generator, pattern: str, text: pa.Array, mots: Mots, at: Ints
) -> pa.Array:
    """Most names made of few words only with one more word behind them."""
    if _MANY & {part for _, part, _, _ in string.Formatter().parse(pattern)}:
        return text
    longer = pc.binary_join_element_wise(text, mots.column("syl", at), " ")
    return pc.if_else(pa.array(random.random(len(at)) < _TOLD_APART), longer, text)


def elided(text: pa.Array) -> pa.Array:
    """``DE ECORCE`` → ``D ECORCE``, as the demo writes it."""
    return pc.replace_substring_regex(text, r"\bDE ([AEIOUY])", r"D \1")


def by_group(code: Ints, n: int) -> list[Ints]:
    """Positions of each group ``0 … n-1``."""
    order = np.argsort(code, kind="stable")
    start = np.searchsorted(code[order], np.arange(n + 1))
    return [order[start[i] : start[i + 1]] for i in range(n)]


def scattered(parts: Sequence[tuple[Ints, pa.Array]], n: int) -> pa.Array:
    """Columns of disjoint sets of rows as one column; rows of none are ``""``."""
    if not parts:
        return pa.array([""] * n, pa.string())
    at = np.concatenate([a for a, _ in parts])
    texts = pa.concat_arrays([*(_flat(t) for _, t in parts), pa.array([""], pa.string())])
    source = np.full(n, len(at), np.int64)
    source[at] = np.arange(len(at))
    return texts.take(pa.array(source))


def _flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def initials(text: str) -> str:
    """Sigle of a name of at least three words that count, else nothing."""
    words = [w for w in text.split() if w not in _SMALL]
    return "".join(w[0] for w in words) if len(words) > 2 else ""


def sized(random: np.random.Generator, kinds: Sequence[str], kind: Ints) -> tuple[np.ndarray, Ints]:
    """Size codes, and people at work, of establishments of the given kinds of sizes."""
    tranche = np.full(len(kind), "NN", dtype=object)
    people = np.zeros(len(kind), np.int64)
    for i, at in enumerate(by_group(kind, len(kinds))):
        weights = SIZES[kinds[i] or "moyen"]
        codes = np.array(list(weights), dtype=object)
        share = np.array(list(weights.values()), float)
        drawn = codes[random.choice(len(codes), len(at), p=share / share.sum())]
        low = np.array([TRANCHES[c][0] for c in codes])
        high = np.array([TRANCHES[c][1] for c in codes])
        index = {c: k for k, c in enumerate(codes)}
        k = np.array([index[c] for c in drawn], dtype=np.int64)
        count = random.integers(low[k], high[k] + 1) if len(at) else np.array([], np.int64)
        alone = np.isin(drawn, ["NN", "00"])
        if kinds[i] in UNMANNED:
            count = np.where(alone, 0, count)
        elif kinds[i] != "nul":
            # the register does not know yet that somebody was hired
            late = (drawn == "NN") & (random.random(len(at)) < 0.2)
            count = np.where(late, random.integers(2, 9, len(at)), count)
        tranche[at], people[at] = drawn, count
    return tranche, people
