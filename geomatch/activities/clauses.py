"""What the entries found in one clause say together: verbs and the objects that they govern.

A verb governs the objects that follow it, commas included: *vente de carrelage, faïence* is twice a
sale. What follows a phrase of statutes weighs little, what follows *hors* or *sauf* is not meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from geomatch.activities.lexicon import Entry, Shares

#: Each further activity of a text weighs this much of the one before it.
NEXT = 0.65
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

#: Codes with shares, how sure they are, and the entries that say so.
Thing = tuple[Shares, float, tuple[int, ...]]


def strength_of(entry: Entry) -> float:
    """How sure an entry is by its length."""
    return 1.0 + _LONGER * min(entry.n_words - 1, _MOST_LONGER)


def things_of(entries: Sequence[Entry], clause: list[int], is_later: bool) -> Iterator[Thing]:
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
                yield entry.codes, factor * strength_of(entry), (at,)
        else:
            used = True
            for codes, weight, by in _with_verbs(entries, verbs, [*ways, *owning], at):
                yield codes, factor * weight, by
    if not used:
        for at in [*ways, *owning, *verbs]:
            if entries[at].does and entries[at].codes:
                weight = _WAY_ALONE if at in ways else _VERB_ALONE
                yield entries[at].codes, factor * weight * strength_of(entries[at]), (at,)


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
) -> Iterator[Thing]:
    """A word or an object, with the verbs that govern it.

    `before` are those that come first whatever stands nearest: ways of selling, and owning.
    """
    entry = entries[at]
    strength = strength_of(entry)
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
        yield codes, strength * weight * NEXT**order, (v, at)


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
