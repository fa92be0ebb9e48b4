"""French wording of all screens: how numbers are written, and what things are called.

Screens, reports and pages take their words from here; types of decision have theirs in
``tables/decision_types.csv``, ranking features in :mod:`geomatch.linkage.ranking`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from geomatch.core.language import is_english, said

#: Shown where there is nothing to tell.
NO_VALUE = "–"


def decimal(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """``0.8734`` → ``0,873`` (``0.873`` in English), with a sign if `signed`."""
    sign = "+" if signed else ""
    return f"{value:{sign}.{digits}f}".replace(".", "." if is_english() else ",")


def integer(value: int) -> str:
    """``20 000`` with a narrow no-break space."""
    return f"{value:,}".replace(",", "," if is_english() else "\u202f")


def percent(share: float, digits: int = 1) -> str:
    """``0.8123`` → ``81,2 %``, or a dash when there is nothing to tell."""
    return NO_VALUE if math.isnan(share) else f"{decimal(100 * share, digits)} %"


def interval(low: float, high: float) -> str:
    """Two shares → ``80,6 – 81,8``, in per cent."""
    return f"{decimal(100 * low, 1)} – {decimal(100 * high, 1)}"


def points(difference: float) -> str:
    """A difference of shares → ``+1,2`` or ``−0,4``, in points of per cent."""
    text = decimal(100 * difference, 1, signed=True)
    return "0,0" if text in ("+0,0", "-0,0") else text.replace("-", "\u2212")


def chance(share: float) -> str:
    """``0.873`` → ``87 %``; ``–`` when unknown. Never 100 % for what is not certain."""
    if math.isnan(share):
        return NO_VALUE
    if 0 < share < 0.005:
        return "< 1\u00a0%"
    shown = min(99.9, 100 * share) if share < 1 else 100.0
    return f"{decimal(shown, 0 if shown < 99 or shown == 100 else 1)}\u00a0%"


def metres(value: float) -> str:
    """A distance as clerks read it: ``35 m``, ``1,2 km``; ``–`` when unknown."""
    if math.isnan(value):
        return NO_VALUE
    if value < 995:
        return f"{value:.0f}\u00a0m"
    return f"{decimal(value / 1000, 1)}\u00a0km"


def duration(seconds: float) -> str:
    """Seconds as people say them: ``0,4 s``, ``12 s``, ``3 min 05 s``, ``2 h 10 min``."""
    if seconds < 10:
        return f"{decimal(seconds, 1)} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


#: Unit of a ranking feature → how a value is told. Several features are logarithms, which
#: nobody reads.
UNITS: Mapping[str, Callable[[float], str]] = {
    "oui_non": lambda v: "oui" if v >= 0.5 else "non",
    "part": lambda v: percent(v, 0),
    "nombre": lambda v: decimal(v, 2),
    "compte": lambda v: f"{math.exp(v):.0f}",
    "effectif": lambda v: f"{math.exp(v):.0f}",
    "ecart": lambda v: f"{math.expm1(v):.0f}",
    "metres": lambda v: f"{50.0 * math.expm1(v):.0f} m",
}
#: Groups of ranking features, as explanations list them.
GROUPS = ("nom", "adresse", "distance", "commune", "activité", "taille", "rivaux", "collègues")


# ------------------------------------------------------------------ decisions and places
class DecisionWords(NamedTuple):
    """One decision: as a title, inside a sentence, and of several bulletins."""

    title: str
    phrase: str
    plural: str


DECISIONS: Mapping[str, DecisionWords] = {
    "auto": DecisionWords("Codé automatiquement", "codé automatiquement", "codés automatiquement"),
    "clerk": DecisionWords(
        "Réglé par un gestionnaire", "réglé par un gestionnaire", "réglés par un gestionnaire"
    ),
    "review": DecisionWords("À reprendre par un gestionnaire", "à un gestionnaire", "à reprendre"),
    "none": DecisionWords("Pas d'établissement", "pas d'établissement", "sans établissement"),
}

#: Decision → its colour on maps, told apart by colour-blind readers too (Okabe and Ito).
DECISION_COLOURS: Mapping[str, str] = {
    "auto": "#0072b2",
    "clerk": "#009e73",
    "review": "#e69f00",
    "none": "#8a8a90",
}
#: What a map of results calls its layers and what it tells of each point.
MAP_WORDS: Mapping[str, str] = {
    "title": "Carte",
    "rows": "lignes",
    "candidates": "Candidats",
    "uncertainty_area": "incertitude du lieu",
    "first": "premier candidat",
    "others": "autres candidats",
    "id": "Bulletin",
    "decision": "Décision",
    "type": "Type",
    "siret": "SIRET",
    "probability": "Probabilité",
    "reason": "Motif",
    "place": "Lieu",
    "uncertainty": "Incertitude",
    "rank": "Rang",
    "name": "Raison sociale",
    "address": "Adresse",
    "naf": "NAF",
}


#: Fact of :mod:`geomatch.linkage.facts` → how reasons tell it.
FACTS: Mapping[str, str] = {
    "same_name": "même nom",
    "close_name": "nom très proche",
    "name_in_part": "nom semblable en partie",
    "office": "mairie ou siège de la collectivité déclarée",
    "same_number": "même voie et même numéro",
    "same_street": "même voie",
    "near": "position compatible",
    "kind_activity": "activité attendue d'un tel employeur",
    "activity": "activité compatible",
    "seen": "nommé par d'autres bulletins",
    "in_commune": "dans la commune déclarée",
    "no_rival": "aucun autre candidat vraisemblable",
    "other_name": "nom différent",
    "no_name": "pas de nom utilisable au bulletin",
    "unnamed": "établissement sans nom au répertoire",
    "other_street": "autre voie",
    "other_number": "autre numéro",
    "no_street": "pas de voie au bulletin",
    "other_activity": "activité peu compatible",
}
#: Level of an answer → its name.
LEVEL_NAMES: Mapping[str, str] = {
    "siret": "établissement (SIRET)",
    "site": "entreprise dans la commune",
    "siren": "entreprise (SIREN)",
    "naf": "activité (NAF)",
}
FIRST_ECHO = "Premier candidat :"
#: Reason of a code for which no single fact speaks.
NOTHING_CLEAR = "Aucun indice net à lui seul, mais leur ensemble suffit."


def sentence_of(pros: Sequence[str], cons: Sequence[str]) -> str:
    """Facts for and against → ``Même nom, même voie, malgré : autre numéro.``; "" for none."""
    told = ", ".join(pros)
    if cons:
        told = f"{told}, malgré : {', '.join(cons)}" if pros else ", ".join(cons)
    return f"{told[0].upper()}{told[1:]}." if told else ""


class LevelWords(NamedTuple):
    """How a place was found: as a title, and after « situé »."""

    title: str
    phrase: str


#: ``geocode_level`` → its words.
LEVELS: Mapping[str, LevelWords] = {
    "housenumber": LevelWords("numéro trouvé", "au numéro"),
    "interpolated": LevelWords("numéro estimé", "au numéro interpolé"),
    "street": LevelWords("rue trouvée", "à la voie"),
    "locality": LevelWords("lieu-dit trouvé", "au lieu-dit"),
    "commune": LevelWords("commune seulement", "à la commune"),
    "none": LevelWords("lieu inconnu", "non situé"),
    "moved": LevelWords("point posé à la main", "au point posé à la main"),
}
#: ``tranche_effectifs`` → its words.
PEOPLE: Mapping[str, str] = {
    "NN": "non employeur ou inconnu",
    "": "inconnu",
    "00": "0 salarié",
    "01": "1 ou 2",
    "02": "3 à 5",
    "03": "6 à 9",
    "11": "10 à 19",
    "12": "20 à 49",
    "21": "50 à 99",
    "22": "100 à 199",
    "31": "200 à 249",
    "32": "250 à 499",
    "41": "500 à 999",
    "42": "1 000 à 1 999",
    "51": "2 000 à 4 999",
    "52": "5 000 à 9 999",
    "53": "10 000 et plus",
}
#: ``mode_collecte`` → its words.
COLLECTED: Mapping[str, str] = {"web": "internet", "paper": "papier"}
#: ILT_X → its words.
COMMUTING: Mapping[str, str] = {
    "1": "travaille dans sa commune",
    "2": "travaille dans une autre commune",
}
#: VARDOMPART_X → its words.
VARIABLE: Mapping[str, str] = {
    "1": "lieu variable",
    "2": "à son domicile",
    "3": "chez un particulier",
}


#: Tables of a store that people ask about, and what they are called.
STORE_TABLES: Mapping[str, str] = {
    "communes": "communes",
    "streets": "voies et lieux-dits",
    "addresses": "adresses",
    "establishments": "établissements",
    "names": "noms d'établissements",
    "naf": "codes d'activité",
}
#: Fields of a bulletin, with their name in the census layout.
FIELDS: Mapping[str, str] = {
    "raison_sociale": "raison sociale (RS_X)",
    "adresse": "adresse",
    "numero": "numéro (NUMVOI_X)",
    "type_voie": "type de voie (TYPEVOI_X)",
    "nom_voie": "nom de voie (NOMVOI_X)",
    "complement": "complément (CPLADR_X)",
    "commune": "commune (CLT_X)",
    "departement": "département (DLT_X)",
    "code_postal": "code postal",
    "activite": "activité (ACTET_X)",
    "profession": "profession",
}

# ------------------------------------------------------------------ measures
#: Measure → what a reader calls it, in the order shown.
LABELS: Mapping[str, str] = {
    "top1": "meilleur candidat juste",
    "recall_20": "bon SIRET parmi les 20 premiers",
    "coding_rate": "taux de codage automatique",
    "precision": "précision du codage automatique",
    "precision_known": "précision, activité vraie connue",
    "coverage_90": "part codable à 90 % de précision",
    "coverage_95": "part codable à 95 % de précision",
    "coverage_98": "part codable à 98 % de précision",
    "calibration_error": "erreur de calibration",
    "none_precision": "« aucun » justifiés",
    "none_recall": "absents du répertoire reconnus",
}
NAF_TITLES = {
    5: "NAF (sous-classe)",
    4: "NAF à 4 chiffres",
    3: "NAF à 3 chiffres",
    2: "NAF à 2 chiffres",
}
ERROR_LABELS: Mapping[str, str] = {
    "wrong": "candidats faux",
    "not_in_register": "dont établissement absent du répertoire",
    "rank_2_20": "dont bon SIRET aux rangs 2 à 20",
    "not_among_candidates": "dont bon SIRET absent des candidats",
    "right_siren_wrong_site": "(bon SIREN, mauvais établissement)",
    "without_candidate": "(aucun candidat proposé)",
}
ERROR_TITLES = {"auto": "Erreurs du codage automatique", "all": "Erreurs de tous les candidats"}
CODING_LABELS = {
    "mca": "codage MCA (SIRETC)",
    "mca_c": "codage MCA sûr (classe C)",
    "gestionnaire": "codage du gestionnaire (SIRETM)",
    "final": "codage final (SIRET_DEC)",
}
AGREEMENT_LABELS = {
    "coding_rate": "bulletins codés",
    "precision": "précision de ce codage",
    "agreement": "accord du meilleur candidat",
    "agreement_auto": "accord du codage automatique",
}
#: What a table by stratum shows, and its short headings.
STRATA_COLUMNS: Mapping[str, str] = {
    "top1": "1er candidat",
    "recall_20": "20 premiers",
    "coding_rate": "codage",
    "precision": "précision",
    "coverage_95": "codable à 95 %",
}
RATE_LABELS: Mapping[str, str] = {
    "coding_rate": "taux de codage automatique",
    "review_rate": "à reprendre par un gestionnaire",
    "none_rate": "sans établissement",
    "expected_precision": "précision attendue du codage",
    "naf_coding_rate": "NAF codées automatiquement",
    "expected_naf_precision": "précision attendue de ces NAF",
}
SCORE_LABELS: Mapping[str, str] = {
    "probability": "probabilité du candidat",
    "margin": "écart au second",
    "naf_probability": "probabilité de la NAF",
    "geocode_score": "sûreté du lieu",
}
RIGHT_LABELS: Mapping[str, str] = {
    "agree_right": "d'accord, et juste",
    "agree_wrong": "d'accord, et faux",
    "run_right": "en désaccord, nous avons raison",
    "other_right": "en désaccord, l'autre a raison",
    "both_wrong": "en désaccord, ni l'un ni l'autre",
}
SCOPE_LABELS = {"auto": "codés par les deux", "all": "codés par l'autre"}
#: What screens call a stratification.
STRATA_TITLES: Mapping[str, str] = {
    "decision": "décision",
    "naf_decision": "décision de la NAF",
    "section_naf": "section de la NAF",
    "departement_travail": "département de travail",
    "mode_collecte": "mode de collecte",
    "geocode_level": "précision du lieu trouvé",
    "type": "type de bulletin",
    "classe_mca": "classe de MCA",
}

#: Levels of the nomenclature at which an activity may be sure.
ACTIVITY_LEVELS: Mapping[str, str] = {
    "none": "aucun",
    "section": "section",
    "division": "division",
    "group": "groupe",
    "class": "classe",
    "sub-class": "sous-classe",
}


def rejected_rows(n: int, reasons: Mapping[str, int]) -> str:
    """``3 lignes inutilisables telles quelles (champs manquants : 2, identifiant vide : 1)``."""
    why = ", ".join(
        said("{} : {}").format(said(reason), integer(k)) for reason, k in reasons.items()
    )
    some = said(
        "ligne inutilisable telle quelle" if n == 1 else "lignes inutilisables telles quelles"
    )
    return f"{integer(n)} {some} ({why})"
