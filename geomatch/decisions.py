"""Phase 5: coded, to a clerk, or none — at the precision that was asked for.

"On peut toujours trouver un écho, encore faut-il s'assurer que c'est le bon": the score of
the best echo is compared with its rivals and with the chance that the right establishment is
not among them; the probability that comes out is calibrated, and a threshold on it decides.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.config import DecisionOptions
from geomatch.model import Model, threshold_for

#: type → the sentence a clerk reads.
REASONS: dict[str, str] = {
    "sure": "Nom, lieu et activité concordent.",
    "abroad": "Lieu de travail déclaré à l'étranger.",
    "no_declaration": "Aucune déclaration exploitable de l'employeur.",
    "home": "Travail déclaré au domicile ; aucun écho assez sûr.",
    "private_employer": "Employeur particulier : pas d'établissement au répertoire.",
    "temp_agency": "Agence d'intérim : l'agence et le lieu de mission peuvent différer.",
    "itinerant": "Lieu de travail variable ; aucun écho assez sûr.",
    "self_employed": "Indépendant sans nom d'entreprise.",
    "generic_employer": "Employeur générique : seuls l'adresse et l'activité peuvent trancher.",
    "tie": "Plusieurs établissements conviennent aussi bien.",
    "same_siren": "L'entreprise est sûre, pas l'établissement.",
    "no_candidate": "Aucun établissement proche par le nom ni par le lieu.",
    "low_probability": "Aucun écho assez sûr.",
}
#: Which flag of a bulletin names the type, most telling first.
_KINDS = ("abroad", "no_declaration", "private_employer", "self_employed", "home",
          "itinerant", "temp_agency", "generic_employer")  # fmt: skip
#: Bulletins for which "none" is an answer when no echo is likely.
_NONE_TYPES = ("abroad", "private_employer", "no_candidate")


def best_echoes(pairs: pd.DataFrame, features: pd.DataFrame, flags: pd.DataFrame) -> pd.DataFrame:
    """What is known of each bulletin's best echo: the features of calibration.

    Parameters
    ----------
    pairs : DataFrame
        ``row``, ``score``, ``chance``, ``siren``, sorted by row then by falling score.
    features : DataFrame aligned with `pairs`
        The ranking features.
    flags : DataFrame, one row a bulletin
        See :func:`bulletin_flags`.

    Returns
    -------
    DataFrame aligned with `flags`: ``first`` (position in `pairs`, -1 for none),
    ``second_chance``, ``chance`` and the columns of :data:`CALIBRATION_FEATURES`.
    """
    n = len(flags)
    row = pairs["row"].to_numpy(np.int64)
    first = np.searchsorted(row, np.arange(n))
    size = np.searchsorted(row, np.arange(n), side="right") - first
    nowhere = len(row)  # position of a pair that stands for "no echo"
    top = np.where(size > 0, first, nowhere)
    chance = np.append(pairs["chance"].to_numpy(np.float64), 1e-6)
    siren = np.append(pairs["siren"].to_numpy(np.int64), -1)
    best = chance[top]
    second = np.where(size > 1, chance[np.minimum(first + 1, nowhere)], 0.0)
    of_unit = np.where(siren[:-1] == siren[top][row], chance[:-1], 0.0)
    echoes = {
        "first": np.where(size > 0, first, -1),
        "chance": best,
        "second_chance": second,
        "log_odds": _logit(best),
        "score": np.append(pairs["score"].to_numpy(np.float64), -8.0)[top],
        "lead": np.log((best + 1e-4) / (second + 1e-4)),
        "unit_chance": np.bincount(row, weights=of_unit, minlength=n),
    }
    for name in _TOP_FEATURES:
        echoes[f"top_{name}"] = np.append(features[name].to_numpy(np.float64), 0.0)[top]
    for flag in _FLAGS:
        echoes[flag] = flags[flag].to_numpy(np.float64)
    return pd.DataFrame(echoes, index=flags.index)


_TOP_FEATURES = ("both", "rare_match", "rare_local", "characters", "number", "inside", "unnamed")
_FLAGS = ("is_generic", "is_paper", "is_placed", "is_temp", "is_home", "name_missing")
#: Columns of :func:`best_echoes` that the calibration sees.
CALIBRATION_FEATURES: tuple[str, ...] = (
    "log_odds",
    "score",
    "lead",
    "unit_chance",
    *(f"top_{name}" for name in _TOP_FEATURES),
    *_FLAGS,
)

_FOREIGN_EXCEPT = frozenset({"", "FRANCE", "FR", "F"})


def bulletin_flags(bulletins: pd.DataFrame, kind: list[str], level: pd.Series) -> pd.DataFrame:
    """Facts of each bulletin that decide its type and feed calibration.

    `kind` is that of :func:`geomatch.names.employer_kinds`, `level` the geocode level.
    """
    kinds = np.array(kind, dtype=object)
    country = bulletins["pays"].str.upper().str.strip()
    return pd.DataFrame(
        {
            "abroad": ~country.isin(_FOREIGN_EXCEPT).to_numpy(),
            "no_declaration": kinds == "no_declaration",
            "private_employer": (kinds == "private_employer")
            | (bulletins["lieu_variable"] == "3").to_numpy(),
            "self_employed": kinds == "self_employed",
            "home": (bulletins["lieu_variable"] == "2").to_numpy(),
            "itinerant": (bulletins["lieu_variable"] == "1").to_numpy(),
            "temp_agency": kinds == "temp_agency",
            "generic_employer": ~np.isin(kinds, ["", "temp_agency"]),
            "is_generic": ~np.isin(kinds, ["", "no_declaration"]),
            "is_paper": (bulletins["mode_collecte"] == "paper").to_numpy(),
            "is_placed": level.isin(["housenumber", "interpolated", "street"]).to_numpy(),
            "is_temp": kinds == "temp_agency",
            "is_home": (bulletins["lieu_variable"] == "2").to_numpy(),
            "name_missing": (bulletins["raison_sociale"] == "").to_numpy(),
        },
        index=bulletins.index,
    )


def decide(
    echoes: pd.DataFrame, flags: pd.DataFrame, model: Model, options: DecisionOptions
) -> pd.DataFrame:
    """auto, review or none for each bulletin, with type and reason.

    Returns
    -------
    DataFrame aligned with `echoes`: ``decision``, ``probability``, ``margin``, ``type``,
    ``reason``.
    """
    found = echoes["first"].to_numpy() >= 0
    probability = np.where(found, model.siret.probability(echoes), 0.0)
    sure = probability >= threshold_for(model.thresholds, options.precision)
    kind = _types(echoes, flags, found, sure, probability)
    none = np.isin(kind, _NONE_TYPES) & ~sure & (probability < 0.2)
    decision = np.where(sure, "auto", np.where(none | ~found, "none", "review"))
    margin = np.maximum(probability - echoes["second_chance"].to_numpy(), 0.0)
    return pd.DataFrame(
        {
            "decision": decision.astype(object),
            "probability": probability,
            "margin": np.where(found, margin, 0.0),
            "type": kind,
            "reason": [REASONS[k] for k in kind],
        },
        index=echoes.index,
    )


def _types(
    echoes: pd.DataFrame, flags: pd.DataFrame, found: NDArray, sure: NDArray, probability: NDArray
) -> NDArray[np.object_]:
    tie = echoes["second_chance"].to_numpy() > 0.5 * echoes["chance"].to_numpy()
    unit = echoes["unit_chance"].to_numpy() > 0.8
    conditions = [sure, *(flags[k].to_numpy() for k in _KINDS), ~found, unit & found,
                  tie & found & (probability > 0.05)]  # fmt: skip
    names = ["sure", *_KINDS, "no_candidate", "same_siren", "tie"]
    return np.select(conditions, names, default="low_probability").astype(object)


def decide_naf(
    pairs: pd.DataFrame, echoes: pd.DataFrame, texts: pd.DataFrame, model: Model, precision: float
) -> pd.DataFrame:
    """The NAF that the likely echoes agree on, or that the texts alone imply.

    Parameters
    ----------
    pairs : DataFrame
        ``row``, ``chance``, ``naf`` (text), sorted by row.
    texts : DataFrame aligned with `echoes`
        ``naf`` the likeliest code from activity, occupation and name, ``naf_chance`` its share.

    Returns
    -------
    DataFrame ``naf``, ``naf_probability``, ``naf_decision`` aligned with `echoes`.
    """
    n = len(echoes)
    shares = pairs.groupby(["row", "naf"], sort=True)["chance"].sum().reset_index()
    known = np.zeros(n)
    np.add.at(known, pairs["row"].to_numpy(np.int64), pairs["chance"].to_numpy())
    rest = pd.DataFrame(
        {"row": np.arange(n), "naf": texts["naf"], "chance": (1 - known) * texts["naf_chance"]}
    )
    shares = pd.concat([shares, rest], ignore_index=True)
    shares = shares[shares["naf"] != ""].groupby(["row", "naf"], sort=True)["chance"].sum()
    shares = shares.reset_index().sort_values(["row", "chance"], ascending=[True, False])
    best = shares.drop_duplicates("row").set_index("row").reindex(range(n))
    naf = best["naf"].fillna("").to_numpy(object)
    share = best["chance"].fillna(0.0).to_numpy()
    features = naf_features(share, echoes)
    probability = np.where(naf != "", model.naf.probability(features), 0.0)
    sure = probability >= threshold_for(model.naf_thresholds, precision)
    decision = np.where(naf == "", "none", np.where(sure, "auto", "review"))
    return pd.DataFrame(
        {"naf": naf, "naf_probability": probability, "naf_decision": decision, "naf_share": share},
        index=echoes.index,
    )


def naf_features(share: NDArray[np.float64], echoes: pd.DataFrame) -> pd.DataFrame:
    """Features of the NAF's calibration."""
    return pd.DataFrame(
        {
            "share_log_odds": _logit(share),
            "log_odds": echoes["log_odds"].to_numpy(),
            "is_generic": echoes["is_generic"].to_numpy(),
            "name_missing": echoes["name_missing"].to_numpy(),
        }
    )


NAF_FEATURES = ("share_log_odds", "log_odds", "is_generic", "name_missing")


def _logit(p: NDArray[np.float64]) -> NDArray[np.float64]:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))
