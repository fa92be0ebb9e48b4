from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chains import Chain
from registers import names_of, register, write_store

from gazetteer.store import write_departement, write_manifest
from geomatch.bulletins import read_bulletins
from geomatch.evaluation import read_truth
from geomatch.linkage.by_rare_name import departements_of_names, searched_departements
from geomatch.linkage.matcher import Matcher
from geomatch.names.clean import NAMES, employer_names
from geomatch.runs import batch
from geomatch.runs.batch import partition_rows, run
from geomatch.store.reader import Store

HERE = (
    {"denomination": "FONDERIE VALBRUNOISE", "code_commune": "96001"},
    {"denomination": "GARAGE MARTIN", "code_commune": "96001"},
    {"denomination": "ZYGOMAR", "code_commune": "96002"},
    *({"denomination": "CAFE DE LA PLACE", "code_commune": "96003"} for _ in range(4)),
    *({"denomination": "TISSAGES OURSINOIS", "code_commune": "96002"} for _ in range(3)),
)
THERE = (
    {"denomination": "GARAGE MARTIN", "code_commune": "96004"},
    {"denomination": "SCIERIE DU MONTFRELON", "code_commune": "96004"},
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A register over two départements, 96 and 95; only its names are asked here."""
    root = tmp_path_factory.mktemp("national") / "store"
    written = write_store(root, register(*HERE))
    write_departement(root, NAMES, "95", NAMES.conform(names_of(register(*THERE))), crs=2154)
    write_manifest(root, {**written.manifest, "departements": ["95", "96"]})
    return Store.open(root)


@pytest.mark.parametrize(
    ("name", "departement"),
    [
        ("FONDERIE VALBRUNOISE", "96"),
        ("SCIERIE DU MONTFRELON", "95"),
        ("TISSAGES OURSINOIS", "96"),  # three bearers, all of them there
        ("CAFE DE LA PLACE", None),  # four
        ("GARAGE MARTIN", None),  # one here, one there
        ("ZYGOMAR", None),  # a single word
        ("FONDERIE DE NULLE PART", None),  # not known
    ],
)
def test_a_rare_name_of_several_words_tells_its_departement(
    store: Store, name: str, departement: str | None
) -> None:
    assert departements_of_names(store, [name]).get(name) == departement


def test_only_bulletins_without_any_place_are_searched_by_their_name(store: Store) -> None:
    raisons = ["Fonderie Valbrunoise", "Scierie du Montfrelon", "Garage Martin", ""]
    nothing = [""] * len(raisons)
    names = employer_names(raisons, nothing, nothing)
    declared = np.array(["95", "", "", ""], dtype=object)
    searched = searched_departements(declared, names, store)
    assert searched.tolist() == ["95", "95", "", ""]
    assert declared.tolist() == ["95", "", "", ""]


def test_no_table_is_read_where_every_place_is_known(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "departement", None)
    declared = np.array(["95", "96"], dtype=object)
    names = employer_names(["Fonderie Valbrunoise", "Tissages Oursinois"], ["", ""], ["", ""])
    assert searched_departements(declared, names, store) is declared


# ------------------------------------------------------------------ the whole chain
PLACE = ("commune", "departement", "code_postal", "code_commune_declaree",
         "code_commune_residence", "lieu_travail", "adresse", "nom_voie")  # fmt: skip


def test_bulletins_without_a_place_find_their_establishment_by_a_rare_name(chain: Chain) -> None:
    bulletins = read_bulletins(chain.files.bulletins)
    bulletins = bulletins.assign(**dict.fromkeys(PLACE, ""))
    result = Matcher.open(chain.store, chain.config).match_bulletins(bulletins)
    searched = result.prepared.searched != ""
    truth = read_truth(chain.files.truth).set_index("id")["siret"]
    right = result.decisions["siret"].to_numpy() == truth.reindex(bulletins["id"]).to_numpy()
    assert (result.prepared.departement == "").all()
    assert searched.sum() > 40
    assert right[searched].mean() > 0.8
    others = result.decisions[~searched]
    assert (others["siret"] == "").all()


def test_their_results_do_not_depend_on_who_else_is_in_the_partition(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they name is not counted among what the bulletins of that département name."""
    source = tmp_path / "bulletins.csv"
    table = pd.read_csv(
        chain.files.bulletins, sep=";", dtype=str, encoding="latin-1", keep_default_na=False
    )
    columns = ["CLT_X", "DLT_X", "DEPCOM_CODE", "ILT_X", "NOMVOI_X", "CPLADR_X"]
    table.loc[::2, [c for c in columns if c in table]] = ""
    table.to_csv(source, sep=";", index=False, encoding="latin-1")
    found = {}
    for most in (1, 1_000):
        out = tmp_path / str(most)
        monkeypatch.setattr(batch, "partition_rows", partial(partition_rows, most=most))
        run(source, chain.store, out, chain.config)
        found[most] = [(out / f"{t}.parquet").read_bytes() for t in ("decisions", "candidates")]
    assert found[1] == found[1_000]
    decisions = pd.read_parquet(tmp_path / "1" / "decisions.parquet")
    assert decisions["siret"][::2].notna().sum() > 20
