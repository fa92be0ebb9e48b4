"""Bulletins whose place is unknown: how many there are, and what a rare name finds of them.

For each shared set one JSON line: bulletins without a département as they are; then the same
bulletins with every word about a place taken out (rp_dev: the half not learned from). And how
often a name that one establishment of the register bears, in another département than the
declared one, is the right answer.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

from geomatch.bulletins import read_bulletins
from geomatch.evaluation import read_truth
from geomatch.linkage.by_rare_name import departements_of_names
from geomatch.linkage.matcher import Matcher
from geomatch.names.clean import employer_names
from geomatch.training.train import in_share

PLACE = ("commune", "departement", "code_postal", "code_commune_declaree",
         "code_commune_residence", "lieu_travail", "adresse", "numero", "rep", "type_voie",
         "nom_voie", "complement")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, default=Path("../shared/bench"))
    parser.add_argument("--store", type=Path, default=Path("build/store"))
    parser.add_argument("--sets", default="rp_dev,real_dev")
    asked = parser.parse_args()
    matcher = Matcher.open(asked.store)
    for name in asked.sets.split(","):
        bulletins = read_bulletins(asked.bench / f"{name}.csv")
        truth = read_truth(asked.bench / f"{name}_truth.csv").drop_duplicates("id")
        if name == "rp_dev":
            rest = ~in_share(bulletins["id"].tolist(), 0.5)
            bulletins = bulletins[rest].reset_index(drop=True)
        wanted = truth.set_index("id")["siret"].reindex(bulletins["id"]).fillna("").to_numpy()
        found = {"set": name, "n": len(bulletins), **as_declared(matcher, bulletins, wanted)}
        print(json.dumps({**found, "without_place": blanked(matcher, bulletins, wanted)}))


def as_declared(matcher: Matcher, bulletins: pd.DataFrame, wanted: np.ndarray) -> dict[str, int]:
    """Bulletins without a département, and rare names that point to another one."""
    prepared = matcher.prepare(bulletins)
    nothing = [""] * len(bulletins)
    names = employer_names(bulletins["raison_sociale"].tolist(), nothing, nothing).frame()
    told = names["name"].map(departements_of_names(matcher.store, names["name"]))
    told = names.assign(told=told).dropna(subset="told").drop_duplicates("row")
    row = told["row"].to_numpy(np.int64)
    other = told["told"].to_numpy(object) != prepared.departement[row]
    lost = prepared.departement == ""
    again = bulletins.iloc[row[other]].assign(**dict.fromkeys(PLACE, "")).reset_index(drop=True)
    siret = matcher.match_bulletins(again).decisions["siret"].to_numpy()
    return {
        "no_departement": int(lost.sum()),
        "rare_name_elsewhere": int(other.sum()),
        "rare_name_elsewhere_right": int((siret == wanted[row[other]]).sum()),
    }


def blanked(matcher: Matcher, bulletins: pd.DataFrame, wanted: np.ndarray) -> dict[str, float]:
    """What is found of bulletins that tell no place at all."""
    bulletins = bulletins.assign(**dict.fromkeys(PLACE, ""))
    cpu = time.process_time()
    result = matcher.match_bulletins(bulletins)
    cpu = time.process_time() - cpu
    right = (result.decisions["siret"].to_numpy() == wanted) & (wanted != "")
    searched = result.prepared.searched != ""
    coded = (result.decisions["decision"] == "auto").to_numpy()
    return {
        "searched": round(float(searched.mean()), 3),
        "top1_of_searched": round(float(right[searched].mean()), 3),
        "coded": round(float(coded.mean()), 3),
        "precision": round(float(right[coded].mean()), 3),
        "bulletins_per_cpu_s": round(len(bulletins) / cpu),
    }


if __name__ == "__main__":
    main()
