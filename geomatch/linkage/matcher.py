"""The phases in their order: the only place that knows it.

::

    bulletins → names → addresses → activities → candidates → ranking → decisions
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from geomatch.addresses import get_parser, whole_numbers, with_employers_abroad
from geomatch.arrays.groups import in_reach
from geomatch.arrays.rows import Columns, Ordered, Rows
from geomatch.bulletins import standard_rows
from geomatch.bulletins.layouts import MAPPABLE
from geomatch.core.config import Config
from geomatch.core.errors import ConfigError
from geomatch.core.frames import AnyFrame, as_pandas, kind_of
from geomatch.core.memory import seldom_collected
from geomatch.core.schema import BULLETINS, GEOCODES
from geomatch.core.territories import departements_of, official_departements
from geomatch.linkage import (
    activities,
    blocking,
    collective,
    comparison,
    decisions,
    ranking,
    results,
)
from geomatch.linkage.by_rare_name import searched_departements
from geomatch.linkage.calibration_features import best_candidates, bulletin_flags
from geomatch.linkage.model import Model
from geomatch.linkage.pool import street_codes
from geomatch.linkage.prepared import PLACED, Prepared, address_parts, places_of_work, resolved
from geomatch.linkage.resources import IndexedPool, Resources
from geomatch.linkage.results import Result
from geomatch.linkage.settling import decided_of
from geomatch.linkage.workplaces import Places, Relation
from geomatch.names.clean import TownWords, clean_names, employer_kinds, employer_names, name_words
from geomatch.names.coverage import Coverage
from geomatch.names.distinctive import Distinctive
from geomatch.names.similar import similar_names
from geomatch.store.reader import Store

Progress = Callable[[str, float], None]
#: Bulletins of a département that are compared at once: in Paris each has thousands of names and
#: neighbours to look at.
_AT_ONCE = 5_000
#: What is weighed against one another once it is compared: the first candidates of a bulletin, as
#: many as results list, and whoever is not further behind the best (log-odds), for other bulletins
#: may speak for them.
_REACH = 3.0


class Matcher:
    """Tells which establishment of the store each bulletin names.

    Use :meth:`open`; a matcher keeps what it has loaded, so keep the matcher.
    """

    def __init__(self, store: Store, config: Config, model: Model) -> None:
        self.store = store
        self.config = config
        self.model = model
        self.parser = get_parser(config.addresses)
        self.resources = Resources(store, config.addresses)

    @classmethod
    def open(cls, store: str | Path, config: Config | None = None) -> Matcher:
        """Open a reference store built by ``geomatch build``.

        Raises
        ------
        StoreError
            When there is no store there, or it is of another format version.
        ConfigError
            When the model or the parser asked for cannot be had.
        """
        config = config or Config()
        return cls(Store.open(store), config, Model.load(config.model))

    def with_model(self, model: Model) -> Matcher:
        """The same matcher, what it has loaded included, with another model."""
        return self._sharing(self.config, model)

    def _sharing(self, config: Config, model: Model) -> Matcher:
        """A matcher that shares what this one has loaded; the parser stays the same."""
        other = copy(self)
        other.config, other.model = config, model
        for derived in ("_activity_words", "_profession_words"):
            if model is not self.model:
                other.__dict__.pop(derived, None)
        return other

    def match(
        self,
        frame: AnyFrame,
        progress: Progress | None = None,
        *,
        columns: Mapping[str, str] | None = None,
        precision: float | None = None,
        collective: bool | None = None,
    ) -> Result:
        """Decide every bulletin of a table in one of the known layouts.

        Parameters
        ----------
        frame : table
            pandas, polars, Arrow, DuckDB or another with the Arrow PyCapsule interface; columns
            of the census layout or of the free one (see ``geomatch.bulletins``). Without a column
            of identifiers, rows are numbered from 1.
        progress : callable, optional
            Told the name of the step and the share done (0 to 1).
        columns : mapping, optional
            Standard column → column of `frame`, for those that their names do not tell:
            ``{"raison_sociale": "employeur"}``.
        precision : float, optional
            Precision asked of automatic codes, between 0 and 1; None: the configuration's.
        collective : bool, optional
            Whether sure bulletins of the table speak for the establishments they name. False:
            each is decided as if it were alone. None: the configuration's.

        Returns
        -------
        Result
            ``decisions`` has one row a bulletin in input order, ``candidates`` up to twenty.

        Raises
        ------
        ConfigError
            When `frame` is no table or `precision` is out of range.
        LayoutError
            When its columns cannot be used.

        Examples
        --------
        >>> matcher = Matcher.open("store")  # doctest: +SKIP
        >>> result = matcher.match(frame, columns={"raison_sociale": "employeur"})  # doctest: +SKIP
        """
        asked = self._asked(columns, precision, collective)
        rows = standard_rows(as_pandas(frame), asked.config.bulletins)
        return replace(asked.match_bulletins(rows, progress), given_kind=kind_of(frame))

    def match_one(
        self,
        *,
        raison_sociale: str = "",
        adresse: str = "",
        commune: str = "",
        activite: str = "",
        precision: float | None = None,
        **others: str,
    ) -> Result:
        """Decide one bulletin, by itself.

        Parameters
        ----------
        raison_sociale, adresse, commune, activite : str
            Employer, address of the workplace, its town and the activity, as they were written.
        precision : float, optional
            Precision asked of an automatic code; None: the configuration's.
        **others : str
            Other columns of the free layout: ``code_postal``, ``departement``, ``profession``, …

        Returns
        -------
        Result
            Of one bulletin. In a file, sure bulletins also speak for one another
            (:meth:`match`, `collective`); that is the only difference.

        Raises
        ------
        ConfigError
            When one of `others` is no column of the free layout.
        """
        known = set(MAPPABLE)
        if unknown := sorted(set(others) - known):
            raise ConfigError(
                f"{', '.join(unknown)}: expected columns among {', '.join(sorted(known))}"
            )
        told = {"id": "1", "raison_sociale": raison_sociale, "adresse": adresse}
        told |= {"commune": commune, "activite": activite} | others
        return self.match(pd.DataFrame([told]), precision=precision, collective=False)

    def _asked(
        self,
        columns: Mapping[str, str] | None,
        precision: float | None,
        collective: bool | None,
    ) -> Matcher:
        """This matcher with the options of one call."""
        bulletins, options = self.config.bulletins, self.config.decisions
        if columns is not None:
            bulletins = replace(bulletins, columns={**bulletins.columns, **columns})
        if precision is not None:
            if not 0.0 < precision < 1.0:
                raise ConfigError(f"precision is {precision}, expected one between 0 and 1")
            options = replace(options, precision=precision)
        if collective is not None:
            options = replace(options, collective=collective)
        config = replace(self.config, bulletins=bulletins, decisions=options)
        return self if config == self.config else self._sharing(config, self.model)

    @seldom_collected()
    def match_bulletins(
        self,
        bulletins: Columns,
        progress: Progress | None = None,
        communes: Rows | None = None,
        *,
        whole: bool = True,
    ) -> Result:
        """:meth:`match` of a bulletins table (:data:`geomatch.core.schema.BULLETINS`).

        `communes` are those of work where they were found before (:mod:`geomatch.runs.planning`).
        The table is a `whole` file, or a part of one that is settled later."""
        tell = progress or _silent
        prepared = self.prepare(bulletins, tell, communes)
        found = self.pairs(prepared, tell, only_likely=True)
        tell("decisions", 0.95)
        result = self._decide(prepared, *found, whole=whole)
        tell("decisions", 1.0)
        return result

    # ---------------------------------------------------------------- phases 1 to 3
    def prepare(
        self,
        bulletins: Columns,
        tell: Progress | None = None,
        communes: Rows | None = None,
    ) -> Prepared:
        """Phases 1 to 3: names, places and activities of a bulletins table."""
        tell = tell or _silent
        tell("addresses", 0.05)
        told = Rows.of(bulletins, _TEXTS)
        parts = address_parts(told, self.parser, self.resources.communes)
        communes = resolved(told, parts, self.resources.communes, communes)
        communes = with_employers_abroad(told, communes)
        departement, zone = places_of_work(told, communes)
        if len(asked := np.unique(departement.astype(str))) == 1:
            self.resources.load(str(asked[0]))
        geocodes = self._geocoded(parts, communes, departement)
        tell("activities", 0.2)
        raisons = told["raison_sociale"].tolist()
        names = employer_names(raisons, parts["nom"].tolist(), self._towns(communes))
        kinds, implied = employer_kinds(raisons)
        generic = list(zip(kinds, implied, strict=True))
        codes = {g: i for i, g in enumerate(dict.fromkeys(g for g in generic if g[0]))}
        masks = [activities.naf_prefix_mask(self.resources.nafs, nafs) for _, nafs in codes]
        return Prepared(
            given=bulletins,
            told=told,
            parts=parts,
            communes=communes,
            geocodes=geocodes,
            departement=departement,
            searched=searched_departements(departement, names, self.store),
            zone_code=zone,
            names=names,
            kinds=kinds,
            kind_code=np.array([codes.get(g, -1) for g in generic], dtype=np.int64),
            kind_mask=np.array(masks or [np.zeros(len(self.resources.nafs), bool)]),
            activity=self._activity_words.evidence(told["activite"].tolist()),
            profession=self._profession_words.evidence(told["profession"].tolist()),
            name_activity=self.resources.name_words_model.evidence(raisons),
        )

    def _geocoded(self, parts: Rows, communes: Rows, departement: NDArray[np.object_]) -> Rows:
        """Places, département by département: no answer depends on the rest of the batch."""
        found, asked = [], []
        for code in sorted(set(departement)):
            rows = np.flatnonzero(departement == code)
            geocoder = self.resources.geocoder(code)
            found.append(geocoder.geocode(parts.take(rows), communes.take(rows)))
            asked.append(rows)
        if not found:
            return Rows.of(GEOCODES.empty(), GEOCODES.names)
        return Rows.joined(found).take(np.argsort(np.concatenate(asked)))

    # ---------------------------------------------------------------- phase 4
    def pairs(
        self, prepared: Prepared, tell: Progress | None = None, only_likely: bool = False
    ) -> tuple[Rows, Rows]:
        """Candidates of every bulletin and their features, aligned, sorted by bulletin.

        `only_likely`: without those that the shipped or given model puts far behind, those of a
        bulletin together but bulletins in any order, for :meth:`ranked`. The pairs have besides
        :data:`~geomatch.linkage.blocking.PAIRS` the columns ``siret``, ``siret_number``, ``siren``
        (integers), ``naf``, ``code_commune``, ``name_compared``, and ``own_score``, what the
        model gives each by itself.
        """
        tell = tell or _silent
        found: list[tuple[Rows, Rows]] = []
        zone = pd.factorize(prepared.zone_code)[0]
        asked = sorted({*prepared.searched} & self.resources.known)
        for i, departement in enumerate(asked):
            tell(f"candidates {departement}", 0.25 + 0.7 * i / len(asked))
            rows = np.flatnonzero(prepared.searched == departement)
            # who works in one place is looked at together
            rows = rows[np.argsort(zone[rows], kind="stable")]
            pool = self.resources.pool(departement)
            slices = (rows[low : low + _AT_ONCE] for low in range(0, len(rows), _AT_ONCE))
            found += [self._pairs_of(prepared, part, pool, only_likely) for part in slices]
        if not found:
            empty = Rows.of(blocking.PAIRS.empty(), blocking.PAIRS.names)
            numbers, texts = np.zeros(0, np.int64), np.zeros(0, object)
            empty = empty.plus(
                siret=texts, siret_number=numbers, siren=numbers, naf=texts, code_commune=texts
            )
            none = Rows({f: np.zeros(0) for f in _FEATURE_COLUMNS})
            return empty.plus(name_compared=texts, own_score=np.zeros(0)), none
        pairs = Rows.moved([p for p, _ in found])
        features = Rows.moved([f for _, f in found])
        if only_likely:
            return pairs, features
        order = np.argsort(pairs["row"], kind="stable")
        return pairs.take(order), features.take(order)

    def _pairs_of(
        self, prepared: Prepared, rows: NDArray[np.int64], indexed: IndexedPool, only_likely: bool
    ) -> tuple[Rows, Rows]:
        pool = indexed.pool
        places = self._places(prepared, rows, indexed)
        position = np.full(len(prepared.told), -1, np.int64)
        position[rows] = np.arange(len(rows))
        writer, name = (prepared.names[c] for c in ("row", "name"))
        mine = np.flatnonzero(position[writer] >= 0)
        mine = mine[np.argsort(position[writer[mine]], kind="stable")]
        code, written = pd.factorize(name[mine])
        coverage = Coverage(pool.lexicon, [name_words(w) for w in written])
        names = similar_names(position[writer[mine]], code, coverage, len(written))
        asked = prepared.asked_activities(rows, indexed.naf)
        pairs = blocking.find_candidates(places, names, asked, pool, self.config.candidates)
        has_name = np.zeros(len(rows), dtype=bool)
        has_name[names.row] = True
        distinctive = Distinctive(coverage, indexed.place_words, indexed.town_names)
        declared = comparison.Declared(
            written=np.asarray(written, dtype=object),
            has_name=has_name,
            kind=prepared.kind_code[rows],
            kind_mask=prepared.kind_mask,
            activity=prepared.activity.rows(rows),
            profession=prepared.profession.rows(rows),
            name_activity=prepared.name_activity.rows(rows),
            distinctive=distinctive,
            own_weight=distinctive.weight(names.row, names.name, len(rows)),
        )
        features = ranking.compare(pairs, places, declared, pool, indexed.naf)
        pairs = pairs.plus(own_score=self.model.ranking.score(features))
        if only_likely:
            most, least = self.config.candidates.kept, results.KEPT_CANDIDATES
            best = np.sort(in_reach(pairs["row"], pairs["own_score"], most, least, _REACH))
            pairs, features = pairs.take(best), features.take(best)
        est = pairs["establishment"]
        pairs = pairs.plus(
            row=rows[pairs["row"]],
            siret=pool.siret(est),
            siret_number=pool.siret_number[est],
            siren=pool.siren[est],
            # A code that the nomenclature has not is no activity.
            naf=np.where(indexed.naf[est] >= 0, pool.naf(est), ""),
            code_commune=pool.communes[pool.commune[est]],
            name_compared=pool.names_at(pairs["known"]),
        )
        return pairs, features

    def _towns(self, communes: Rows) -> list[str]:
        labels = self.resources.commune_labels
        return clean_names([labels.get(c, "") for c in communes["code_commune"]])

    def _places(self, prepared: Prepared, rows: NDArray[np.int64], indexed: IndexedPool) -> Places:
        zones, zone = np.unique(prepared.zone_code[rows].astype(str), return_inverse=True)
        position = indexed.commune_position
        relation = np.array([self._relation(z, position) for z in zones])
        geocodes, parts = prepared.geocodes, prepared.parts
        told = prepared.told
        placed = np.array([level in PLACED for level in geocodes["geocode_level"][rows]], bool)
        # The code of the place found tells the département its street number belongs to.
        found = departements_of(geocodes["code_commune"][rows])
        voie = geocodes["voie_id"][rows]
        numero = whole_numbers(parts["numero"][rows], absent=-1)
        xy = np.stack([geocodes[c][rows] for c in ("x", "y")], axis=1)
        home = (position.get(c, -1) for c in told["code_commune_residence"][rows])
        at_home = (_AT_HOME.get(said, 0) for said in told["lieu_travail"][rows])
        return Places(
            zone=zone.ravel(),
            relation=relation.reshape(len(zones), len(position)),
            position=np.where(placed[:, None], xy, np.nan),
            radius=np.where(placed, geocodes["uncertainty_m"][rows], np.nan),
            street=np.where(placed & (voie >= 0), street_codes(found, voie), -1),
            numero=np.where(numero > 0, numero, -1),
            street_text=parts["nom_voie"][rows],
            home=np.fromiter(home, np.int64, len(rows)),
            at_home=np.fromiter(at_home, np.int8, len(rows)),
            by_code=prepared.communes["commune_method"][rows] == "code",
            named=_towns_of(told["raison_sociale"][rows], indexed.towns),
            town=indexed.towns.number,
        )

    def _relation(self, zone: str, communes: Mapping[str, int]) -> NDArray[np.int8]:
        """:class:`Relation` of each commune of a pool (code → position)."""
        out = np.full(len(communes), Relation.ELSEWHERE, np.int8)
        if zone == "~":
            out[:] = Relation.NEIGHBOUR
            return out
        code = zone.lstrip("~")
        inside = self.resources.communes.zone(code)
        near = {n for c in (*inside, code) for n in self.resources.communes.neighbours(c)}
        out[[communes[c] for c in near if c in communes]] = Relation.NEIGHBOUR
        own = Relation.NEIGHBOUR if zone.startswith("~") else Relation.INSIDE
        out[[communes[c] for c in inside if c in communes]] = own
        return out

    # ---------------------------------------------------------------- phase 5
    def _decide(self, prepared: Prepared, pairs: Rows, features: Rows, *, whole: bool) -> Result:
        pairs, ordered = self.ranked(pairs, features, prepared.departement)
        flags = self.flags(prepared)
        leading = best_candidates(pairs, ordered, flags)
        options, texts = self.config.decisions, self.naf_of_texts(prepared)
        nafs = decisions.decide_naf(pairs, leading, texts, self.model, options.naf_precision)
        known = decisions.assess(leading, flags, self.model)
        best = results.best_sirets(pairs["siret"], leading["first"])
        known = known.plus(siret=best, **{c: nafs[c] for c in nafs})
        decided, settlement = decided_of(known, self.model, options, whole=whole)
        kept = results.kept_candidates(pairs["row"])
        return Result(
            results.decision_table(prepared, decided),
            results.candidate_table(prepared, pairs, ordered, decided, kept),
            pairs["row"][kept],
            prepared,
            self.store,
            self.model,
            settlement=settlement,
        )

    def ranked(
        self, pairs: Rows, features: Rows, group: NDArray[np.object_]
    ) -> tuple[Rows, Ordered]:
        """Score the pairs, best first within each bulletin.

        `group` is the département of each bulletin. The pairs gain ``score``, ``chance`` and
        what other bulletins say (see :mod:`geomatch.linkage.collective`).
        """
        weights = self.model.collective if self.config.decisions.collective else {}
        own, size = pairs["own_score"], features["size"]
        chances = collective.chances(pairs, own, size, group, weights)
        pairs = pairs.plus(**chances)
        order = np.lexsort((pairs["siret_number"], -pairs["score"], pairs["row"]))
        return pairs.take(order), Ordered(features, order)

    def flags(self, prepared: Prepared) -> Rows:
        """Facts of each bulletin that decide its type (see :mod:`geomatch.linkage.decisions`)."""
        code, distinct = pd.factorize(prepared.searched)
        absent = official_departements() - self.resources.known
        is_outside = np.array([d in absent for d in distinct], dtype=bool)[code]
        told, levels = prepared.told, prepared.geocodes["geocode_level"]
        outside = {"is_outside": is_outside, "is_abroad": prepared.is_abroad}
        return bulletin_flags(told, prepared.kinds, levels, **outside)

    def naf_of_texts(self, prepared: Prepared) -> Rows:
        """Likeliest NAF of each bulletin from its texts alone, with its share."""
        return prepared.naf_of_texts(self.resources.nafs, self._activity_words.prior)

    @cached_property
    def _activity_words(self) -> activities.WordModel:
        counts = [
            (self.model.activity_words, 1.0),
            (self.resources.label_counts, activities.LABEL_WEIGHT),
        ]
        return activities.WordModel(self.resources.nafs, counts)

    @cached_property
    def _profession_words(self) -> activities.WordModel:
        counts = [(self.model.profession_words, 1.0), (self.resources.label_counts, 1.0)]
        return activities.WordModel(self.resources.nafs, counts)


#: Columns of a bulletins table that are text.
_TEXTS = tuple(c for c, (kind, _) in BULLETINS.columns.items() if kind == "text")
#: ILT_X → whether work is in the commune of residence.
_AT_HOME = {"1": 1, "2": -1}
_FEATURE_COLUMNS = (*ranking.FEATURE_NAMES, "distance_m", "radius_m")


def _towns_of(raisons: NDArray[np.object_], towns: TownWords) -> sparse.csr_array:
    """Which of the towns each employer name holds; each distinct name is looked at once."""
    code, distinct = pd.factorize(raisons)
    return towns.named_in(clean_names(distinct))[code]


def _silent(step: str, share: float) -> None:
    """Tell nobody."""
