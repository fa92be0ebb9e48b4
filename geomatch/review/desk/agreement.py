"""How far two clerks agree on the same bulletin: the quality operation of the reprise.

A sample of cards (``geomatch review --double``) is settled by two clerks, neither of whom
knows. Agreement says how much error to expect of one of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.table import Table

from geomatch.core.errors import DataError
from geomatch.core.paths import Location
from geomatch.core.wording import NO_VALUE, integer, percent
from geomatch.evaluation.measures import Measure, share
from geomatch.evaluation.tables import spread
from geomatch.review.desk.journal import JOURNAL, Act, read_journal, verdicts_by_clerk
from geomatch.review.desk.register import Register
from geomatch.runs.results import read_run, results_of
from geomatch.store.reader import Store

#: Levels at which two verdicts may be the same: digits kept of SIRET or of NAF.
_LEVELS: Mapping[str, tuple[str, int]] = {
    "établissement (SIRET)": ("siret", 14),
    "entreprise (SIREN)": ("siret", 9),
    "activité (NAF, 5 positions)": ("naf", 6),
    "classe (4 chiffres)": ("naf", 5),
    "division (2 chiffres)": ("naf", 2),
}
SIRET, DIVISION = next(iter(_LEVELS)), list(_LEVELS)[-1]
#: Error of one clerk at NAF division that was published for the manual reprise, and how many
#: doubly coded bulletins that figure is worth beside those of a journal.
PUBLISHED_ERROR, PRIOR_BULLETINS = 0.095, 50


@dataclass(frozen=True)
class Agreement:
    """What two clerks said of the same bulletins.

    Attributes
    ----------
    levels : share of the bulletins on which both said the same, by level; "none of the
        register" twice is agreement
    disputed : bulletins on which the SIRET differs, sorted
    """

    levels: Mapping[str, Measure]
    disputed: tuple[str, ...]

    @property
    def n(self) -> int:
        """Bulletins with two verdicts."""
        return self.levels[SIRET].n

    def clerk_error(self, level: str = SIRET) -> float:
        """Error of one clerk, in [0, 1], the published figure where little was coded twice.

        Two clerks of one quality whose errors hardly ever coincide agree on (1 - error)².
        """
        measure = self.levels[level]
        seen = measure.value * measure.n if measure.n else 0.0
        before = PRIOR_BULLETINS * (1.0 - PUBLISHED_ERROR) ** 2
        return 1.0 - math.sqrt((seen + before) / (measure.n + PRIOR_BULLETINS))


def run_agreement(run_dir: Location, *, store: Location | None = None) -> Agreement:
    """Agreement in the journal of a run; `store` None is the one run.json names.

    Raises :class:`DataError` when the run, its store or its journal is not readable.
    """
    with results_of(run_dir) as folder:
        acts = read_journal(folder / JOURNAL)
    opened = Store.open(store if store is not None else read_run(run_dir)["store"]["path"])
    return agreement(acts, naf_of(chosen(acts), opened))


def chosen(acts: Iterable[Act]) -> list[str]:
    """Establishments that verdicts in force name, sorted."""
    told = verdicts_by_clerk(acts).values()
    return sorted({act.siret for of in told for act in of.values() if act.siret})


def naf_of(sirets: list[str], store: Store) -> dict[str, str]:
    """NAF of establishments; :class:`DataError` when the store has not all of them."""
    rows = Register(store).rows(sirets, [])
    missing = len(sirets) - len(rows)
    if missing:
        raise DataError(
            f"{missing} of {len(sirets)} establishment(s) of the journal are not in the store "
            f"{store.path}; name the store the clerks worked with"
        )
    return dict(zip(rows["siret"], rows["naf"], strict=True))


def agreement(acts: Iterable[Act], naf: Mapping[str, str]) -> Agreement:
    """Compare the first two clerks of each bulletin that has two; `naf` by SIRET."""
    pairs = {
        id: tuple(act.siret or "" for act in list(of.values())[:2])
        for id, of in verdicts_by_clerk(acts).items()
        if len(of) > 1
    }
    levels = {}
    for level, (what, kept) in _LEVELS.items():
        same = sum(_same(pair, what, kept, naf) for pair in pairs.values())
        levels[level] = share(same, len(pairs))
    disputed = sorted(id for id, (one, other) in pairs.items() if one != other)
    return Agreement(levels, tuple(disputed))


def _same(pair: tuple[str, ...], what: str, kept: int, naf: Mapping[str, str]) -> bool:
    one, other = pair
    if one == other:
        return True
    if not one or not other:
        return False
    if what == "siret":
        return one[:kept] == other[:kept]
    return bool(naf[one]) and naf[one][:kept] == naf[other][:kept]


def agreement_table(found: Agreement) -> Table:
    """The agreement as a French table for the screen."""
    title = f"Double reprise : {integer(found.n)} bulletins vus par deux gestionnaires"
    table = Table("niveau", "accord", "intervalle à 95 %", "erreur d'un gestionnaire", title=title)
    for level, measure in found.levels.items():
        error = percent(found.clerk_error(level)) if measure.n else NO_VALUE
        table.add_row(level, percent(measure.value), spread(measure), error)
    table.caption = (
        f"Bulletins en désaccord : {integer(len(found.disputed))}. Erreur déduite de l'accord et "
        f"de la valeur publiée ({percent(PUBLISHED_ERROR)}), qui compte pour "
        f"{PRIOR_BULLETINS} bulletins."
    )
    return table
