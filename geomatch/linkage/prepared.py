"""Bulletins with all that phases 1 to 3 understood of them, as the later phases need it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.addresses import (
    COMMUNE_QUESTION,
    AddressParser,
    CommuneIndex,
    bulletin_parts,
    complete_parts,
)
from geomatch.arrays.rows import Columns, Rows, constant
from geomatch.core.territories import departement_of
from geomatch.linkage.activities import Evidence
from geomatch.linkage.blocking import Activities

#: Geocode levels that give a place better than the commune.
PLACED = ("housenumber", "interpolated", "street", "locality")
#: What a NAF that the generic employer does not imply loses, log.
_CONTRADICTED = 5.0
#: Mixes of texts looked at together: their evidence is to stay in the processor's cache.
_SLICE = 250


@dataclass(frozen=True)
class Prepared:
    """Bulletins with all that phases 1 to 3 understood of them; every table is aligned."""

    #: the bulletins table as it came
    given: Columns
    #: text columns of the bulletins
    told: Rows
    parts: Rows
    communes: Rows
    geocodes: Rows
    #: département of work, "" where no place is known; and the one to search then
    departement: NDArray[np.object_]
    searched: NDArray[np.object_]
    zone_code: NDArray[np.object_]
    names: Rows
    kinds: list[str]
    kind_code: NDArray[np.int64]
    kind_mask: NDArray[np.bool_]
    activity: Evidence
    profession: Evidence
    name_activity: Evidence

    @cached_property
    def bulletins(self) -> pd.DataFrame:
        """The bulletins table, made of its arrays when somebody reads it."""
        return self.given.frame() if isinstance(self.given, Rows) else self.given

    @property
    def is_abroad(self) -> NDArray[np.bool_]:
        """Whose place of work is in another country."""
        return np.asarray(self.communes["code_pays"] != "", bool)

    def asked_activities(self, rows: NDArray[np.int64], naf: NDArray[np.int64]) -> Activities:
        """Evidence of activity, occupation and kind of employer together, once for each mix."""
        keys = np.stack(
            [
                self.activity.code_of[rows],
                self.profession.code_of[rows],
                self.kind_code[rows],
            ],
            axis=1,
        )
        distinct, code = np.unique(keys, axis=0, return_inverse=True)
        evidence = self.activity.values[distinct[:, 0]] + self.profession.values[distinct[:, 1]]
        implied = self.kind_mask[np.maximum(distinct[:, 2], 0)]
        asks = (distinct[:, 2] >= 0) & implied.any(axis=1)
        evidence[asks] += np.where(implied[asks], 0.0, -_CONTRADICTED)
        return Activities(code.ravel(), evidence, naf)

    def naf_of_texts(self, nafs: Sequence[str], prior: NDArray[np.float64]) -> Rows:
        """Likeliest NAF of each bulletin from activity, occupation and name alone.

        Parameters
        ----------
        nafs, prior : the codes of the evidence, and how likely each is before any text

        Returns
        -------
        Rows ``naf`` and ``naf_chance``, its share, one a bulletin.
        """
        n = len(self.told)
        if not len(nafs):
            return Rows({"naf": constant("", n), "naf_chance": constant(0.0, n)})
        evidences = (self.activity, self.profession, self.name_activity)
        keys = np.stack([e.code_of for e in evidences], axis=1)
        distinct, back = np.unique(keys, axis=0, return_inverse=True)
        naf, share = np.zeros(len(distinct), np.int64), np.zeros(len(distinct))
        for low in range(0, len(distinct), _SLICE):
            part = distinct[low : low + _SLICE]
            total = np.log(prior)[None, :].repeat(len(part), axis=0)
            for i, evidence in enumerate(evidences):
                total += evidence.values[part[:, i]]
            total = np.exp(total - total.max(axis=1, keepdims=True))
            naf[low : low + _SLICE] = total.argmax(axis=1)
            share[low : low + _SLICE] = total.max(axis=1) / total.sum(axis=1)
        codes = np.array(nafs, dtype=object)[naf[back.ravel()]]
        return Rows({"naf": codes, "naf_chance": share[back.ravel()]})


def address_parts(told: Columns, parser: AddressParser, communes: CommuneIndex) -> Rows:
    """Parts of each bulletin's address; the town that ends a line is found among the known."""
    parts = bulletin_parts(told, parser)
    town, code, line = (
        np.asarray(told[c]) for c in ("commune", "code_commune_declaree", "adresse")
    )
    lines = np.flatnonzero((town == "") & (code == "") & (line != ""))
    if not len(lines):
        return parts
    found = complete_parts(parts.take(lines), communes)
    completed = {c: parts[c].copy() for c in parts}
    for column, values in completed.items():
        values[lines] = found[column]
    return Rows(completed)


def asked_communes(told: Columns, parts: Rows) -> Rows:
    """Commune questions: columns of their own first, else what the address line says."""
    asked = Rows.of(told, COMMUNE_QUESTION)
    read = ("commune", "code_postal", "departement")
    return asked.plus(**{c: np.where(asked[c] != "", asked[c], parts[c]) for c in read})


def resolved(told: Columns, parts: Rows, index: CommuneIndex, known: Rows | None = None) -> Rows:
    """Commune of work of each bulletin (COMMUNES_RESOLVED).

    `known` is what `told` alone says, where that was found before: it is asked again only where
    the address line says more.
    """
    asked = asked_communes(told, parts)
    if known is None:
        return index.resolve(asked)
    read = ("commune", "code_postal", "departement")
    more = [asked[c] != np.asarray(told[c]) for c in read]
    rows = np.flatnonzero(np.logical_or.reduce(more))
    if not len(rows):
        return known
    again = index.resolve(asked.take(rows))
    columns = {c: known[c].copy() for c in again}
    for column, values in columns.items():
        values[rows] = again[column]
    return Rows(columns)


def places_of_work(
    told: Columns, communes: Columns
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Département to search, and the code of the zone in it, of each bulletin.

    `communes` are COMMUNES_RESOLVED. The zone is the workplace commune; ``"~" + commune`` where
    only the commune of residence is known and work is elsewhere; ``"~"`` for the whole
    département.
    """
    departement, zone = [], []
    for code, known, home in zip(
        communes["code_commune"],
        communes["code_departement"],
        np.asarray(told["code_commune_residence"]),
        strict=True,
    ):
        if code or known:
            departement.append(known or departement_of(code))
            zone.append(code or "~")
        else:
            departement.append(departement_of(home) if home else "")
            zone.append("~" + home if home else "~")
    return np.array(departement, dtype=object), np.array(zone, dtype=object)
