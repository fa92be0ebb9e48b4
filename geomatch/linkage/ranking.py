"""The ranking features: one record each, from which everything else is derived.

:data:`FEATURES` is the whole of what the model sees of a bulletin and a candidate by themselves;
:data:`COLLECTIVE` is what other bulletins of the file say (:mod:`geomatch.linkage.collective`).
A feature is added here and computed in :mod:`geomatch.linkage.comparison`; then the model is
learned again, because a model of other features is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geomatch.arrays.rows import Columns, Rows
from geomatch.core.wording import GROUPS, UNITS
from geomatch.linkage import comparison, distinctive_names
from geomatch.linkage.comparison import Comparison, Declared, Function
from geomatch.linkage.pool import Pool
from geomatch.linkage.workplaces import Places


@dataclass(frozen=True)
class Feature:
    """One feature of the ranking; refused when incomplete.

    Parameters
    ----------
    name : column of the feature, and name of its weight in the model
    group, label, unit : how French screens tell it (:mod:`geomatch.core.wording`)
    doc : what it measures, for the model card
    function : computes it; None for what other bulletins say
    prior : weight that a sample corrects, where it says anything
    bounds : least and greatest weight
    told_by : feature whose value is shown instead, where this one is not 0
    """

    name: str
    group: str
    unit: str
    function: Function | None = None
    label: str = ""
    doc: str = ""
    prior: float | None = None
    bounds: tuple[float, float] | None = None
    told_by: str = ""

    def __post_init__(self) -> None:
        empty = [n for n in ("name", "label", "doc") if not getattr(self, n)]
        if empty:
            raise ValueError(f"feature {self.name!r} has no {', '.join(empty)}; fill it in")
        for what, got, known in (("group", self.group, GROUPS), ("unit", self.unit, UNITS)):
            if got not in known:
                raise ValueError(
                    f"feature {self.name!r} has {what} {got!r}, expected one of "
                    f"{', '.join(known)}; add it to geomatch.core.wording if it is a new one"
                )


def table_of(records: Iterable[Feature], *, computed: bool) -> dict[str, Feature]:
    """Features by name, in the order given.

    Raises ValueError when two have one name or one label, or one has no function though
    `computed` says that it needs one.
    """
    records = list(records)
    for what in ("name", "label"):
        told = [getattr(f, what) for f in records]
        twice = {t for t in told if told.count(t) > 1}
        if twice:
            raise ValueError(f"two features have one {what}: {sorted(twice)}; rename one")
    if computed and (without := [f.name for f in records if f.function is None]):
        raise ValueError(f"no function computes {', '.join(without)}; name one in the record")
    return {f.name: f for f in records}


# Name, group, unit, function; French label, what it measures. Scores are in [0, 1] unless said
# otherwise. A file with official codes was filled in by an administration, which takes one
# commune for another far more seldom than a respondent; census bulletins, which the shipped
# model learned from, have no such column: hence the prior of outside_code.
# fmt: off
FEATURES: Mapping[str, Feature] = table_of((
    Feature("both", "nom", "part", comparison.names,
            "les deux noms se recouvrent", "product of the two"),
    Feature("shared", "nom", "nombre", comparison.names,
            "mots rares en commun", "weight (idf, natural log) of the words that both names have"),
    Feature("shared_outside", "nom", "nombre", comparison.shared_outside,
            "mots rares en commun, hors de la commune déclarée",
            "shared, for candidates outside the declared commune"),
    Feature("rest_written", "nom", "nombre", comparison.names,
            "mots rares du bulletin absents du nom",
            "log of 1 + weight (idf) of the written words that the register's name lacks"),
    Feature("rest_known", "nom", "nombre", comparison.names,
            "mots rares du nom absents du bulletin",
            "log of 1 + weight (idf) of the register name's words that were not written"),
    Feature("characters", "nom", "part", comparison.names,
            "noms semblables lettre à lettre",
            "similarity of the two names, words in order of the alphabet"),
    Feature("contained", "nom", "part", comparison.names,
            "l'un des noms contenu dans l'autre",
            "similarity of the best part of the longer name"),
    Feature("token_set", "nom", "part", comparison.names,
            "mots en commun", "similarity of shared and unshared words"),
    Feature("same_name", "nom", "oui_non", comparison.names,
            "noms identiques", "1 when the two names are equal"),
    Feature("own_shared", "nom", "nombre", distinctive_names.agreement,
            "mots propres en commun",
            "weight (idf) of the shared words that are neither trade nor place"),
    Feature("own_both", "nom", "part", distinctive_names.agreement,
            "les mots propres se recouvrent", "product of the coverages by such words"),
    Feature("own_written", "nom", "nombre", distinctive_names.agreement,
            "mots propres du bulletin absents du nom",
            "log of 1 + weight of such written words that the register's name lacks"),
    Feature("own_differs", "nom", "oui_non", distinctive_names.agreement,
            "mots propres différents", "1 when both have such words and share hardly any"),
    Feature("own_unknown", "nom", "oui_non", distinctive_names.agreement,
            "aucun mot propre au répertoire", "1 when only the register's name has no such words"),
    Feature("own_nothing", "nom", "oui_non", distinctive_names.agreement,
            "aucun mot propre de part et d'autre", "1 when neither has such words"),
    Feature("other_at_door", "adresse", "oui_non", distinctive_names.other_at_door,
            "même adresse, autre nom propre", "own_differs where street and number agree"),
    Feature("name_missing", "nom", "oui_non", comparison.names,
            "pas de nom utilisable au bulletin", "1 when the bulletin gives no usable name"),
    Feature("generic_name", "nom", "oui_non", comparison.names,
            "employeur générique seulement", "1 when the bulletin names a generic employer only"),
    Feature("unnamed", "nom", "oui_non", comparison.names,
            "établissement sans nom au répertoire",
            "1 when the register gives the establishment no name"),
    Feature("rare_match", "nom", "part", comparison.names,
            "nom rare et retrouvé", "both, over 1 + log of those of the pool that bear the name"),
    Feature("rare_local", "nom", "part", comparison.names,
            "nom rare dans la commune",
            "both, over 1 + log of those that bear the name in the candidate's commune"),
    Feature("inside_match", "nom", "part", comparison.inside_match,
            "nom rare dans la commune déclarée", "rare_local in the declared commune"),
    Feature("town_named", "nom", "oui_non", comparison.communes,
            "la commune est dans le nom écrit",
            "1 when the written name holds the name of the candidate's commune"),
    Feature("town_other", "nom", "oui_non", comparison.communes,
            "le nom écrit cite une autre commune", "1 when it holds that of another commune only"),
    Feature("kind_shared", "nom", "oui_non", comparison.names,
            "même sorte de lieu dans les deux noms",
            "1 when both names say the same kind of place (maternelle, lycée …)"),
    Feature("kind_differs", "nom", "oui_non", comparison.names,
            "sortes de lieu différentes dans les noms", "1 when both say one and not the same"),
    Feature("kind_written_only", "nom", "oui_non", comparison.names,
            "sorte de lieu dite au bulletin seulement", "1 when only the written name says one"),
    Feature("kind_more", "nom", "oui_non", comparison.names,
            "sorte de lieu dite au répertoire seulement",
            "1 when the register's name says one that the written name does not"),
    Feature("street", "adresse", "oui_non", comparison.streets,
            "même voie", "1 when both are in one street of the gazetteer"),
    Feature("street_text", "adresse", "part", comparison.streets,
            "noms de voie semblables", "similarity of the street names as written"),
    Feature("street_missing", "adresse", "oui_non", comparison.streets,
            "pas de voie au bulletin", "1 when the bulletin gives no street"),
    Feature("street_unknown", "adresse", "oui_non", comparison.streets,
            "voie au bulletin, aucune au répertoire",
            "1 when the bulletin gives one and the register none"),
    Feature("street_differs", "adresse", "oui_non", comparison.streets,
            "voies connues et différentes",
            "1 when both give a street and the two have nothing in common"),
    Feature("stranger_at_door", "adresse", "oui_non", comparison.stranger_at_door,
            "même adresse, nom sans rapport",
            "1 when street and number agree and the two names share nothing"),
    Feature("number", "adresse", "oui_non", comparison.streets,
            "même voie et même numéro", "1 when street and number agree"),
    Feature("number_differs", "adresse", "oui_non", comparison.streets,
            "même voie, autre numéro",
            "1 when the street agrees and both have numbers that differ"),
    Feature("number_gap", "adresse", "ecart", comparison.streets,
            "écart entre les numéros",
            "how far the numbers are apart in one street, log scale; 0 when unknown"),
    Feature("number_alone", "adresse", "oui_non", comparison.streets,
            "même numéro, voie différente ou inconnue",
            "1 when the numbers agree and the streets do not, or one is not known"),
    Feature("distance", "distance", "metres", comparison.distances,
            "éloignement", "log of 1 + metres / 50, 0 when unknown"),
    Feature("distance_known", "distance", "oui_non", comparison.distances,
            "les deux lieux sont situés", "1 when both have a position better than the commune"),
    Feature("within", "distance", "oui_non", comparison.distances,
            "dans le rayon d'incertitude", "1 when the distance is within the two uncertainties"),
    Feature("ratio", "distance", "nombre", comparison.distances,
            "distance rapportée à l'incertitude",
            "distance over the two uncertainties, at most 3, 0 when unknown"),
    Feature("inside", "commune", "oui_non", comparison.declared_commune,
            "dans la commune déclarée", "1 in the declared commune"),
    Feature("neighbour", "commune", "oui_non", comparison.declared_commune,
            "dans une commune voisine", "1 in a neighbouring one"),
    Feature("outside_code", "commune", "oui_non", comparison.declared_commune,
            "hors de la commune dont le code officiel est donné",
            "1 outside a declared commune that was given by its official code", prior=-3.0),
    Feature("choice_of_communes", "commune", "compte", comparison.declared_commune,
            "communes également possibles",
            "log of how many communes of the pool stand to the declared one alike"),
    Feature("home", "commune", "oui_non", comparison.communes,
            "dans la commune de résidence, où le travail est dit être",
            "1 in the commune of residence, when work is said to be there"),
    Feature("home_excluded", "commune", "oui_non", comparison.communes,
            "dans la commune de résidence, alors que le travail est ailleurs",
            "1 in the commune of residence, when work is said to be elsewhere"),
    Feature("activity", "activité", "nombre", comparison.activities,
            "l'activité écrite convient à sa NAF",
            "evidence of the activity text for the candidate's NAF, log"),
    Feature("profession", "activité", "nombre", comparison.activities,
            "la profession convient à sa NAF", "evidence of the occupation, log"),
    Feature("name_activity", "activité", "nombre", comparison.activities,
            "le nom écrit convient à sa NAF", "evidence of the written name, log"),
    Feature("kind_activity", "activité", "oui_non", comparison.activities,
            "NAF attendue d'un tel employeur",
            "1 when the NAF is one that the generic employer implies"),
    Feature("kind_contradicts", "activité", "oui_non", comparison.activities,
            "NAF contraire à un tel employeur", "1 when it is not"),
    Feature("size", "taille", "effectif", comparison.establishments,
            "effectif", "log of the headcount's middle"),
    Feature("size_unknown", "taille", "oui_non", comparison.establishments,
            "effectif inconnu", "1 when the tranche is NN"),
    Feature("siege", "taille", "oui_non", comparison.establishments,
            "siège", "1 for a head office"),
    Feature("eldest", "rivaux", "oui_non", comparison.establishments,
            "premier immatriculé des candidats de son unité légale",
            "1 for the lowest NIC of its unit among the bulletin's candidates, if of several"),
    Feature("office", "taille", "oui_non", comparison.establishments,
            "mairie ou siège de collectivité de la commune déclarée",
            "1 for the office (mairie) of a local authority in the declared commune"),
    Feature("first_of_unit", "taille", "oui_non", comparison.establishments,
            "premier immatriculé de son unité légale",
            "1 for the lowest NIC of its unit in the pool"),
    Feature("registered_late", "taille", "nombre", comparison.establishments,
            "rang d'immatriculation dans l'unité légale",
            "log of the establishment's number among all that its unit ever had"),
    Feature("first_elsewhere", "adresse", "oui_non", comparison.first_elsewhere,
            "premier immatriculé, dans une autre voie",
            "first_of_unit where another street is given"),
    Feature("size_generic", "taille", "nombre", comparison.of_vague_names,
            "effectif (employeur générique)", "size, for generic or missing names only"),
    Feature("activity_generic", "activité", "nombre", comparison.of_vague_names,
            "l'activité convient (employeur générique)",
            "activity, for generic or missing names only"),
    Feature("street_generic", "adresse", "part", comparison.of_vague_names,
            "la voie convient (employeur générique)", "street, for generic or missing names only"),
    Feature("best_name", "nom", "nombre", comparison.rivals,
            "nom comparé au meilleur des candidats",
            "both, less the best of the bulletin's candidates"),
    Feature("best_characters", "nom", "nombre", comparison.rivals,
            "mots en commun comparés au meilleur des candidats", "token_set, less the best"),
    Feature("best_rest", "nom", "nombre", comparison.rivals,
            "mots propres inexpliqués comparés au meilleur des candidats",
            "own_written of the best, less its own"),
    Feature("best_activity", "activité", "nombre", comparison.rivals,
            "activité comparée à la meilleure parmi les candidats",
            "activity and occupation together, less the best"),
    Feature("best_size", "taille", "nombre", comparison.rivals,
            "effectif comparé au plus grand des candidats de même nom",
            "size, less the best among candidates whose name is as good"),
    Feature("best_street", "adresse", "nombre", comparison.rivals,
            "voie comparée à la meilleure parmi les candidats",
            "1 when the street agrees, less the best"),
    Feature("best_number", "adresse", "nombre", comparison.rivals,
            "numéro comparé au meilleur des candidats", "1 when the number agrees, less the best"),
), computed=True)
#: What the file says of a candidate. Colleagues speak for an establishment, their absence
#: against it: hence the bounds.
COLLECTIVE: Mapping[str, Feature] = table_of((
    Feature("seen", "collègues", "nombre", bounds=(0.0, 3.0),
            label="d'autres bulletins sûrs nomment cet établissement",
            doc="log of 1 + other bulletins that surely name it, times how often any come back"),
    Feature("missed", "collègues", "effectif", bounds=(-3.0, 0.0), told_by="size",
            label="effectif qu'aucun autre bulletin sûr ne nomme",
            doc="log of the headcount where no other surely names it, times the same"),
), computed=False)
# fmt: on
FEATURE_NAMES: tuple[str, ...] = tuple(FEATURES)
#: Weights that a sample corrects, where it says anything.
PRIOR_WEIGHTS: dict[str, float] = {
    f.name: f.prior for f in FEATURES.values() if f.prior is not None
}
#: Least and greatest weight of what other bulletins say.
WEIGHT_BOUNDS: dict[str, tuple[float, float]] = {
    f.name: f.bounds for f in COLLECTIVE.values() if f.bounds is not None
}
#: Columns of :func:`compare` that are no features, and what computes them.
_FOR_THE_READER: Mapping[str, Function] = {
    "metres": comparison.distances,
    "radius": comparison.distances,
}
_FUNCTIONS: Mapping[str, Function] = {
    **{f.name: f.function for f in FEATURES.values() if f.function},
    **_FOR_THE_READER,
}


def check_learned(names: Collection[str]) -> None:
    """Raise ValueError unless a model's weights are those of :data:`FEATURES`."""
    missing, unknown = set(FEATURE_NAMES) - set(names), set(names) - set(FEATURE_NAMES)
    if missing or unknown:
        told = [f"{w} {', '.join(sorted(n))}" for w, n in (
            ("no weight for", missing), ("a weight for the unknown", unknown)) if n]  # fmt: skip
        raise ValueError(f"learned with other features: {' and '.join(told)}")


def compare(
    pairs: Columns, places: Places, declared: Declared, pool: Pool, naf: NDArray[np.int64]
) -> Rows:
    """Features of each pair.

    Parameters
    ----------
    pairs, places, declared, pool, naf
        As :class:`geomatch.linkage.comparison.Comparison` takes them.

    Returns
    -------
    Rows of float32, one column a feature (:data:`FEATURES`), plus ``distance_m``,
    ``radius_m`` (NaN when unknown) for the reader; rows as in `pairs`.
    """
    values = Comparison(pairs, places, declared, pool, naf, _FUNCTIONS)
    features = {k: np.asarray(values[k], np.float32) for k in FEATURE_NAMES}
    return Rows({**features, "distance_m": values["metres"], "radius_m": values["radius"]})
