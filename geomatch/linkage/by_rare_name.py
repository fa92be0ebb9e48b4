"""Bulletins that tell no place: a name that hardly anybody bears tells the département.

Without a commune, a département, a postcode or a residence there is nowhere to search. What is
left is the name: where very few establishments of the whole register bear it as it is written,
and all of them in one département, that is where to look. It serves files that give little but
a name; in a census the commune of residence is always known.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geomatch.arrays.rows import Rows
from geomatch.core.schema import NAMES
from geomatch.names.clean import name_words
from geomatch.store.reader import Store, as_frame

#: Establishments of the whole store that may bear a name that tells a département.
MOST_BEARERS = 3
#: Words that such a name has at least: single ones are acronyms and first names too often.
LEAST_WORDS = 2


def searched_departements(
    departement: NDArray[np.object_], names: Rows, store: Store
) -> NDArray[np.object_]:
    """Where to search for each bulletin: its département, or that of its rare name.

    Parameters
    ----------
    departement : array (n,)
        Département of work, ``""`` where no place is known.
    names : Rows
        Names of the bulletins (:data:`geomatch.core.schema.NAMES`), of each the best first.
    store : Store
        All its tables of names are read when a place is unknown, one département at a time.

    Returns
    -------
    array (n,), `departement` itself when every place is known.
    """
    lost = departement == ""
    if not lost.any():
        return departement
    mine = names.take(np.flatnonzero(lost[names["row"]])).frame()
    mine = mine.assign(departement=mine["name"].map(departements_of_names(store, mine["name"])))
    told = mine.dropna(subset="departement").drop_duplicates("row")
    if told.empty:
        return departement
    searched = departement.copy()
    searched[told["row"].to_numpy(np.int64)] = told["departement"].to_numpy(object)
    return searched


def departements_of_names(store: Store, names: Iterable[str]) -> dict[str, str]:
    """The département of each cleaned name that few establishments bear, all of them there.

    Left out are names of fewer than :data:`LEAST_WORDS` words, those of more than
    :data:`MOST_BEARERS` establishments, and those borne in two départements or none.
    """
    asked = {name for name in names if len(name_words(name)) >= LEAST_WORDS}
    if not asked:
        return {}
    found = pd.concat([_bearers(store, d, asked) for d in store.departements])
    total = found.groupby(level=0)["bearers"].agg(["sum", "size"])
    rare = total.index[(total["sum"] <= MOST_BEARERS) & (total["size"] == 1)]
    return dict(found.loc[rare, "departement"].items())


def _bearers(store: Store, departement: str, asked: set[str]) -> pd.DataFrame:
    """How many establishments of a département bear each of the names that some bear."""
    names = store.arrow(NAMES, departement, ["row", "name"])
    # as Arrow: most of a département's names need never become Python text
    is_asked = pc.is_in(names.column("name"), pa.array(sorted(asked), pa.string()))
    borne = as_frame(NAMES.only(["row", "name"]), names.filter(is_asked))
    borne = borne.drop_duplicates(["name", "row"])
    bearers = borne["name"].value_counts(sort=False)
    return pd.DataFrame({"bearers": bearers, "departement": departement})
