"""The files of the fictional département: layouts, determinism, what is in them."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geomatch.core.errors import ConfigError
from geomatch.demo import DemoFiles, generate
from geomatch.demo.identifiers import check_digit, siren_number, siret_number

CASES = Path(__file__).parents[1] / "cases" / "demo_headers.csv"
with CASES.open(encoding="utf-8") as stream:
    HEADERS = list(csv.DictReader(stream, delimiter="|"))


@pytest.mark.parametrize("case", HEADERS, ids=lambda c: c["file"])
def test_columns_are_the_official_ones_in_their_order(
    files: DemoFiles, case: dict[str, str]
) -> None:
    path: Path = getattr(files, case["file"])
    content = path.read_bytes()
    content = gzip.decompress(content) if path.suffix == ".gz" else content
    assert content.split(b"\n", 1)[0].decode("ascii") == case["header"]


def test_the_register_has_54_columns_and_the_positions_19() -> None:
    headers = {c["file"]: c["header"] for c in HEADERS}
    assert len(headers["etablissements"].split(",")) == 54
    assert len(headers["geolocalisation"].split(";")) == 19
    assert len(headers["ban"].split(";")) == 23


def test_same_seed_same_bytes(files: DemoFiles, tmp_path: Path) -> None:
    again = generate(tmp_path, size=2_000, seed=1)
    for path in sorted(p for p in files.root.rglob("*") if p.is_file()):
        other = again.root / path.relative_to(files.root)
        assert other.read_bytes() == path.read_bytes(), path.name


def test_another_seed_is_another_territory(files: DemoFiles, tmp_path: Path) -> None:
    other = generate(tmp_path, size=100, seed=2)
    assert other.communes.read_bytes() != files.communes.read_bytes()
    assert len(pd.read_csv(other.bulletins, sep=";", encoding="latin-1")) == 100


def test_size_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        generate(tmp_path / "demo", size=0)
    assert not (tmp_path / "demo").exists()


def test_no_file_is_over_two_mebibytes(files: DemoFiles) -> None:
    assert max(p.stat().st_size for p in files.root.rglob("*") if p.is_file()) < 2 * 2**20


# ------------------------------------------------------------------ places


def test_forty_communes_and_twenty_thousand_addresses(
    addresses: pd.DataFrame, communes: pd.DataFrame
) -> None:
    assert (communes["TYPECOM"] == "COM").sum() == 40
    assert 18_000 <= len(addresses) <= 22_000
    assert addresses["id"].is_unique
    assert set(addresses["code_insee"]) == set(communes.query("TYPECOM == 'COM'")["COM"])


def test_one_town_is_larger(addresses: pd.DataFrame) -> None:
    share = addresses["code_insee"].value_counts(normalize=True)
    assert share.iloc[0] > 0.2 > 3 * share.iloc[1]


def test_odd_and_even_numbers_face_each_other(addresses: pd.DataFrame) -> None:
    """Neighbours on one side are one plot apart; the other side is across the road."""
    streets = addresses[addresses["rep"] == ""].assign(n=lambda d: d["numero"].astype(int))
    streets = streets.astype({"x": float, "y": float})
    for _, street in list(streets.groupby("id_fantoir"))[100:140]:
        for parity in (0, 1):
            side = street[street["n"] % 2 == parity].sort_values("n")
            steps = np.hypot(side["x"].diff(), side["y"].diff()).dropna()
            assert steps.empty or steps.median() < 130


def test_merged_communes_keep_their_name_in_addresses(
    addresses: pd.DataFrame, communes: pd.DataFrame, movements: pd.DataFrame
) -> None:
    delegated = communes[communes["TYPECOM"] == "COMD"]
    assert len(delegated) >= 4
    assert set(delegated["COMPARENT"]) <= set(communes.query("TYPECOM == 'COM'")["COM"])
    old = addresses[addresses["code_insee_ancienne_commune"] != ""]
    assert set(delegated["COM"]) <= set(old["code_insee_ancienne_commune"])
    assert {"10", "31", "32", "33"} <= set(movements["MOD"])


def test_some_places_share_a_name(communes: pd.DataFrame) -> None:
    assert communes.loc[communes["TYPECOM"] != "COMA", "NCC"].duplicated().any()


def test_every_commune_has_a_postcode(communes: pd.DataFrame, postcodes: pd.DataFrame) -> None:
    in_force = communes.query("TYPECOM == 'COM'")["COM"]
    assert set(in_force) == set(postcodes["Code_commune_INSEE"])
    assert (postcodes["Ligne_5"] != "").any()


def test_coordinates_and_degrees_agree(addresses: pd.DataFrame) -> None:
    from pyproj import Transformer

    some = addresses.iloc[::997]
    lon, lat = Transformer.from_crs(2154, 4326, always_xy=True).transform(
        some["x"].astype(float).to_numpy(), some["y"].astype(float).to_numpy()
    )
    assert np.allclose(lon, some["lon"].astype(float), atol=1e-5)
    assert np.allclose(lat, some["lat"].astype(float), atol=1e-5)


# ------------------------------------------------------------------ the register


@pytest.mark.parametrize("rank", [1, 2, 77, 4_999])
def test_identifiers_pass_luhn(rank: int) -> None:
    siren = siren_number(rank)
    siret = siret_number(siren, 3)
    assert len(siren) == 9
    assert len(siret) == 14
    assert check_digit(siren[:-1]) == siren[-1]
    assert check_digit(siret[:-1]) == siret[-1]


def test_check_digit_of_a_known_number() -> None:
    # 732 829 320 is the usual textbook example of the algorithm
    assert check_digit("73282932") == "0"


def test_five_thousand_active_establishments(
    establishments: pd.DataFrame, units: pd.DataFrame
) -> None:
    active = establishments[establishments["etatAdministratifEtablissement"] == "A"]
    assert len(active) == 5_000
    assert 100 < len(establishments) - len(active) < 600
    assert establishments["siret"].is_unique
    assert units["siren"].is_unique
    assert set(establishments["siren"]) == set(units["siren"])
    heads = establishments[establishments["etablissementSiege"] == "true"]
    assert heads["siren"].is_unique


def test_sizes_are_skewed(establishments: pd.DataFrame) -> None:
    sizes = establishments["trancheEffectifsEtablissement"].value_counts(normalize=True)
    assert sizes["NN"] > 0.4
    assert sizes.reindex(["21", "22", "31", "32", "41"]).fillna(0).sum() < 0.03
    assert (establishments["trancheEffectifsEtablissement"] >= "32").any()


def test_hard_cases_are_there(establishments: pd.DataFrame, units: pd.DataFrame) -> None:
    both = establishments.merge(units, on="siren")
    same_address = [
        "libelleVoieEtablissement",
        "numeroVoieEtablissement",
        "codeCommuneEtablissement",
    ]
    numbered = both[both["numeroVoieEtablissement"].str.isdigit()]
    assert numbered.duplicated(same_address).sum() > 50
    assert both["siren"].value_counts().iloc[0] >= 8
    assert (both["nomUniteLegale"] == "[ND]").any()
    brand = both[both["enseigne1Etablissement"] == "MARCHE FLEURI"]
    assert len(brand) >= 3
    assert not brand["denominationUniteLegale"].str.contains("FLEURI").any()
    old = set(both["codeCommuneEtablissement"])
    assert both["codeCommuneEtablissement"].nunique() > 40, old


def test_all_qualities_of_position(positions: pd.DataFrame, establishments: pd.DataFrame) -> None:
    shares = positions["qualite_xy"].value_counts(normalize=True)
    assert set(shares.index) == {"11", "12", "21", "22", "33"}
    assert shares["11"] == pytest.approx(0.8, abs=0.05)
    assert set(positions["siret"]) < set(establishments["siret"])
    assert (positions["epsg"] == "2154").all()
