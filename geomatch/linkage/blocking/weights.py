"""Weights of the cheap scores that choose candidates before they are compared.

Each source keeps the best of what it finds, and :mod:`geomatch.linkage.blocking.prune` keeps the
best of all sources. The scores only rank: they are no probabilities, and are compared for one
bulletin and one score at a time. They were set by hand on the recall of rp_dev and real_dev
(decision 0043). The compiled loops get a record as an argument.
"""

from __future__ import annotations

from typing import NamedTuple

#: The commune of residence beside a name, where work is said to be in it; see ``home``.
_AT_HOME = 0.3


class NameWeights(NamedTuple):
    """Score of an establishment with a similar name; the similarity itself, in [0, 1], counts 1."""

    #: commune as declared counts twice, a neighbour once (``Relation``)
    relation: float = 0.1
    #: logarithm of the headcount
    size: float = 0.03
    #: in the commune of residence, where work is said to be in it
    home: float = _AT_HOME


class PlaceWeights(NamedTuple):
    """Score of an establishment found by its position or its street.

    The distance counts 1 minus kilometres; an establishment found by its street alone has 0.
    """

    #: same house number
    number: float = 1.0
    size: float = 0.15
    #: the register has a name for it
    has_name: float = 0.5
    #: sum of the two coverages of the names, each in [0, 1]
    names: float = 2.0


class PruneWeights(NamedTuple):
    """Score of a candidate when the candidates of all sources are pruned."""

    #: similarity of the names, in [0, 1]
    name: float = 4.0
    #: same street, by its identifier or as written
    street: float = 1.5
    number: float = 1.0
    #: found within both uncertainties
    radius: float = 0.7
    relation: float = 0.4
    #: times 1 where work is said to be in the commune of residence, -1 elsewhere
    home: float = 4.0 * _AT_HOME
    size: float = 0.25
    has_name: float = 0.3
    #: evidence of the activity for the candidate's NAF, a log-likelihood ratio
    activity: float = 0.25


NAME_WEIGHTS = NameWeights()
PLACE_WEIGHTS = PlaceWeights()
PRUNE_WEIGHTS = PruneWeights()
