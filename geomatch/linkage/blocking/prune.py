"""The union of what the sources found, cut to those in reach of the best by a cheap score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geomatch.arrays.groups import in_reach
from geomatch.arrays.jit import compiled
from geomatch.arrays.rows import Rows
from geomatch.core.config import CandidateOptions
from geomatch.linkage.blocking.by_activity import Activities
from geomatch.linkage.blocking.sources import AT_HOME, BY_RADIUS
from geomatch.linkage.pool import Pool
from geomatch.linkage.workplaces import Places
from geomatch.names.similar import WrittenNames


def likeliest(
    found: Rows,
    places: Places,
    names: WrittenNames,
    activities: Activities,
    pool: Pool,
    options: CandidateOptions,
) -> Rows:
    """One row a (bulletin, establishment): the best names, all the sources, the cheap score.

    Those in reach of the best stay.
    """
    row, establishment, pair, source = _merged(
        found["row"], found["establishment"], found["names"], found["source"], names.score,
        len(places),
    )  # fmt: skip
    asked = pool.codes_of_streets(places.street_text)
    relation, score = _cheap_scores(
        row, establishment, pair, source, names.score,
        (places.zone, places.relation, places.street, asked, places.numero, places.home,
         places.at_home),
        pool.traits,
        (activities.code, activities.evidence, activities.naf),
        4.0 * AT_HOME, BY_RADIUS,
    )  # fmt: skip
    kept = in_reach(row, score, options.kept, options.least, options.reach)
    columns = {
        "row": row, "establishment": establishment, "names": pair, "source": source,
        "relation": relation,
    }  # fmt: skip
    return Rows(columns).take(kept)


@compiled
def _merged(
    row: NDArray[np.int64],
    establishment: NDArray[np.int64],
    pair: NDArray[np.int64],
    source: NDArray[np.int64],
    name_score: NDArray[np.float64],
    n_rows: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The columns without repetition, by bulletin and establishment, each with its best names."""
    start = np.zeros(n_rows + 1, np.int64)
    for r in row:
        start[r + 1] += 1
    start = np.cumsum(start)
    # both in one number, which is sorted at once
    establishment_and_at = np.empty(len(row), np.int64)
    end = start.copy()
    for i in range(len(row)):
        establishment_and_at[end[row[i]]] = establishment[i] << 32 | i
        end[row[i]] += 1
    out_row, out_establishment = np.empty(len(row), np.int64), np.empty(len(row), np.int64)
    out_pair, out_source = np.empty(len(row), np.int64), np.empty(len(row), np.int64)
    n = 0
    for r in range(n_rows):
        last = -1
        for both in np.sort(establishment_and_at[start[r] : start[r + 1]]):
            i = both & 0xFFFFFFFF
            if establishment[i] != last:
                last = establishment[i]
                out_row[n], out_establishment[n] = r, last
                out_pair[n], out_source[n] = pair[i], source[i]
                n += 1
                continue
            out_source[n - 1] |= source[i]
            before = out_pair[n - 1]
            if pair[i] >= 0 and (before < 0 or name_score[pair[i]] > name_score[before]):
                out_pair[n - 1] = pair[i]
    return out_row[:n], out_establishment[:n], out_pair[:n], out_source[:n]


@compiled
def _cheap_scores(
    row: NDArray[np.int64],
    establishment: NDArray[np.int64],
    pair: NDArray[np.int64],
    source: NDArray[np.int64],
    name_score: NDArray[np.float64],
    declared: tuple[NDArray, ...],
    traits: NDArray[np.void],
    activities: tuple[NDArray, ...],
    at_home_weight: float,
    by_radius: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """How each candidate's commune stands to the declared one, and the cheap score."""
    zone, relation_of, street, text, numero, home, at_home = declared
    code, evidence, naf = activities
    relation, score = np.empty(len(row), np.int64), np.empty(len(row), np.float64)
    for i in range(len(row)):
        r, e = row[i], traits[establishment[i]]
        relation[i] = relation_of[zone[r], e["commune"]]
        same_street = street[r] >= 0 and street[r] == e["street"]
        same_text = text[r] >= 0 and text[r] == e["street_text"]
        same_number = numero[r] >= 0 and numero[r] == e["numero"]
        total = 4.0 * name_score[pair[i]] if pair[i] >= 0 else 0.0
        total += 1.5 * (same_street or same_text) + 1.0 * same_number
        total += 0.7 * (source[i] & by_radius > 0) + 0.4 * relation[i]
        if home[r] == e["commune"]:
            total += at_home_weight * at_home[r]
        total += 0.25 * e["size"] + 0.3 * e["has_name"]
        its_naf = naf[establishment[i]]
        if its_naf >= 0:
            total += 0.25 * evidence[code[r], its_naf]
        score[i] = total
    return relation, score
