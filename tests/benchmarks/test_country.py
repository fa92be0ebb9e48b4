from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.country import generate as country
from benchmarks.country.cog import invented
from benchmarks.country.generate import Options, generate
from benchmarks.country.plan import ACTIVE, ADDRESSES, BULLETINS, drawn
from benchmarks.country.sirene import siren, siret
from gazetteer.build import BuildOptions, build
from gazetteer.sources import find
from geomatch.core.config import Config
from geomatch.core.schema import STORE_ESTABLISHMENTS
from geomatch.runs.batch import run
from geomatch.store.reader import Store

pytestmark = pytest.mark.slow

#: Nothing is large here: what is drawn is the shape of a country, not its size.
SMALL = Options(Path(), scale=0.002, only=("35", "75", "974"), bulletins=1_500, workers=1)


@dataclass(frozen=True)
class Made:
    options: Options
    counts: Mapping[str, Any]

    def csv(self, name: str) -> pd.DataFrame:
        file = self.options.out / name
        return pd.read_csv(file, sep=";", dtype=str, encoding="latin-1", keep_default_na=False)

    @property
    def stock(self) -> pd.DataFrame:
        return pd.read_parquet(self.options.out / "sirene" / "StockEtablissement_utf8.parquet")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    options = dataclasses.replace(SMALL, out=tmp_path_factory.mktemp("country"))
    return Made(options, generate(options))


@pytest.fixture(scope="module")
def store(made: Made) -> Store:
    out = made.options.out
    return build(
        BuildOptions(
            ban=(out / "ban",),
            sirene=out / "sirene",
            cog=out / "cog",
            geoloc=out / "geoloc",
            out=out / "store",
        )
    )


def is_luhn(code: str) -> bool:
    digits = [int(c) * (2 if i % 2 else 1) for i, c in enumerate(reversed(code))]
    return sum(d - 9 if d > 9 else d for d in digits) % 10 == 0


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(f.relative_to(folder)): f.read_bytes()
        for f in sorted(folder.rglob("*"))
        if f.is_file() and "store" not in f.parts and f.name != ".store.lock"
    }


# ------------------------------------------------------------------ the plan
def test_at_scale_one_the_country_is_as_large_as_france() -> None:
    plan = drawn(invented(1), scale=1.0, seed=1)
    assert len(plan.shares) == 101
    assert 34_500 < len(plan.communes) < 35_500
    for field, total in (("addresses", ADDRESSES), ("active", ACTIVE), ("bulletins", BULLETINS)):
        assert sum(getattr(s, field) for s in plan.shares) == pytest.approx(total, rel=1e-4)
    units = sorted((s.first_unit, s.active + s.closed) for s in plan.shares)
    assert all(a + n < b for (a, n), (b, _) in pairwise(units))


def test_a_smaller_scale_keeps_fewer_communes_of_the_same_size() -> None:
    communes = invented(1)
    whole, tenth = (drawn(communes, scale=s, seed=1) for s in (1.0, 0.1))
    assert len(tenth.communes) == pytest.approx(len(whole.communes) / 10, rel=0.02)
    sizes = [sum(s.addresses for s in p.shares) / len(p.communes) for p in (whole, tenth)]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.05)


def test_sirets_are_valid_and_each_its_own() -> None:
    unit, nic = np.arange(50_000), np.arange(50_000) % 300 + 1
    codes = [f"{c:014d}" for c in siret(unit, nic).tolist()]
    assert len(set(codes)) == len(set(siren(unit).tolist())) == 50_000
    assert all(is_luhn(c) and is_luhn(c[:9]) for c in codes[::100])


# ------------------------------------------------------------------ the files
def test_the_official_layouts_are_recognised(made: Made) -> None:
    out = made.options.out
    roles = {
        "ban": ["ban"],
        "sirene": ["etablissements", "unites_legales"],
        "geoloc": ["geoloc"],
        "cog": ["communes", "laposte", "mouvements", "naf"],
    }
    for folder, expected in roles.items():
        found = find([out / folder], expected, option=f"--{folder}")
        assert sorted({s.role for s in found}) == expected
    assert not (out / ".parts").exists()


def test_what_is_told_is_what_is_there(made: Made, store: Store) -> None:
    tables, stock = store.manifest["tables"], made.stock
    assert tables["addresses"]["rows"] == made.counts["addresses"]
    assert sorted(tables["addresses"]["departements"]) == ["35", "75", "974"]
    assert (
        tables["establishments"]["rows"] == (stock["etatAdministratifEtablissement"] == "A").sum()
    )
    assert len(stock) == made.counts["establishments"]
    assert stock["siret"].is_unique
    units = pd.read_parquet(made.options.out / "sirene" / "StockUniteLegale_utf8.parquet")
    assert units["siren"].is_unique
    assert set(stock["siren"]) >= set(units["siren"])
    # the first site of a chain may stand in a département that was not asked for
    assert stock["siren"].isin(units["siren"]).mean() > 0.99


def test_establishments_are_found_where_they_stand(store: Store) -> None:
    rows = store.departements_of(STORE_ESTABLISHMENTS)
    assert rows["geocode_level"].isin(["housenumber", "interpolated", "street"]).mean() > 0.9
    assert {2154, 2975} == set(rows["crs"])


def test_bulletins_lack_what_the_census_says_they_lack(made: Made) -> None:
    bulletins = made.csv("bulletins.csv")
    assert len(bulletins) == made.counts["bulletins"] == pytest.approx(1_500, abs=3)
    assert bulletins["CABBI"].is_unique
    missing = (bulletins == "").mean()
    for column, share in {"RS_X": 0.011, "NUMVOI_X": 0.67, "NOMVOI_X": 0.25, "ACTET_X": 0.068,
                          "CPLADR_X": 0.98, "CLT_X": 0.38}.items():  # fmt: skip
        assert missing[column] == pytest.approx(share, abs=0.08), column
    assert (bulletins["TYPCOL"] == "0").mean() == pytest.approx(0.36, abs=0.05)


def test_the_truth_is_an_active_establishment_or_none(made: Made) -> None:
    truth, stock = made.csv("truth.csv"), made.stock.set_index("siret")
    assert truth["CABBI"].tolist() == made.csv("bulletins.csv")["CABBI"].tolist()
    known = truth[truth["SIRET"] != ""]
    assert 1 - len(known) / len(truth) == pytest.approx(0.07, abs=0.03)
    rows = stock.loc[known["SIRET"]]
    assert (rows["etatAdministratifEtablissement"] == "A").all()
    assert (rows["activitePrincipaleEtablissement"].to_numpy() == known["NAF"].to_numpy()).all()
    assert (known["SIREN"] == known["SIRET"].str[:9]).all()


def test_the_matcher_finds_most_of_them(made: Made, store: Store, tmp_path: Path) -> None:
    run(made.options.out / "bulletins.csv", store.path, tmp_path / "run", Config())
    decisions = pd.read_parquet(tmp_path / "run" / "decisions.parquet")
    truth = made.csv("truth.csv")["SIRET"]
    known = (truth != "").to_numpy()
    assert (decisions["siret"].to_numpy() == truth.to_numpy())[known].mean() > 0.5


def test_the_same_seed_gives_the_same_files(made: Made, tmp_path: Path) -> None:
    generate(dataclasses.replace(made.options, out=tmp_path))
    assert content(tmp_path) == content(made.options.out)


def test_processes_leave_no_trace(made: Made, tmp_path: Path) -> None:
    generate(dataclasses.replace(made.options, out=tmp_path, workers=2))
    assert content(tmp_path) == content(made.options.out)


def test_the_stock_as_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = dataclasses.replace(SMALL, out=tmp_path, only=("974",), bulletins=20, form="csv")
    assert country.generate(options)["bulletins"] == 20
    roles = ["etablissements", "unites_legales"]
    assert len(find([tmp_path / "sirene"], roles, option="--sirene")) == 2
