"""The causes of failure that the census has published, each with invented names.

``cases/hard_cases.csv`` holds the bulletins, ``cases/hard_registers.csv`` the right
establishment of each and those that are not. All stand in one register, among others.
"""

from __future__ import annotations

import csv
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
from registers import register, write_store

from geomatch import Matcher
from geomatch.core.config import AddressOptions, Config, DecisionOptions
from geomatch.linkage.blocking import BY_ACTIVITY, BY_NAME, BY_RADIUS, BY_STREET
from geomatch.linkage.matcher import Result
from geomatch.linkage.model import SHIPPED

CASES = Path(__file__).parents[1] / "cases"
SOURCES = {"name": BY_NAME, "radius": BY_RADIUS, "street": BY_STREET, "activity": BY_ACTIVITY}
#: Everyday establishments around those of the cases: names share words, as in a real register.
TRADES = {
    "BOULANGERIE": "10.71C", "GARAGE": "45.20A", "CABINET": "69.20Z", "RESTAURANT": "56.10A",
    "TRANSPORTS": "49.41A", "MENUISERIE": "43.32A", "PHARMACIE": "47.73Z", "ECOLE": "85.20Z",
}  # fmt: skip
SURNAMES = ("BASTOREL", "CLERVAUD", "DUMINEAU", "ESTRADEL", "GOUZENNE", "HERBELOT")
TOWNS = ("96001", "96002", "96003", "96004", "96005")


def rows(name: str) -> list[dict[str, str]]:
    with (CASES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


BULLETINS = rows("hard_cases.csv")
REGISTER = rows("hard_registers.csv")
NAMES = [b["case"] for b in BULLETINS]
#: Right establishment and the others of each case, as SIRETs of the register below.
RIGHT: dict[str, str] = {}
OTHERS: dict[str, list[str]] = {}


def whole_register() -> pd.DataFrame:
    filler = [
        {"denomination": f"{trade} {surname}", "naf": naf, "code_commune": town,
         "tranche_effectifs": "02", "is_siege": True}
        for (trade, naf), surname, town in product(TRADES.items(), SURNAMES, TOWNS)
    ]  # fmt: skip
    own: list[dict[str, object]] = []
    for row in REGISTER:
        kept = {k: v for k, v in row.items() if v and k not in ("case", "is_right", "is_siege")}
        own.append({**kept, "is_siege": row["is_siege"] == "1"})
    frame = register(*own, *filler)
    for row, siret in zip(REGISTER, frame["siret"], strict=False):
        if row["is_right"] == "1":
            RIGHT[row["case"]] = siret
        else:
            OTHERS.setdefault(row["case"], []).append(siret)
    return frame


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    if not SHIPPED.is_dir():
        pytest.skip("no model is shipped yet")
    root = tmp_path_factory.mktemp("hard") / "store"
    write_store(root, whole_register())
    config = Config(
        addresses=AddressOptions(parser="rules"), decisions=DecisionOptions(collective=False)
    )
    frame = pd.DataFrame(BULLETINS).rename(columns={"case": "CABBI"}).drop(columns="source")
    return Matcher.open(root, config).match(frame)


def candidates_of(result: Result, case: str) -> pd.DataFrame:
    return result.candidates[result.candidates["id"] == case].set_index("siret")


def test_every_case_has_one_right_establishment_and_others() -> None:
    right = [r["case"] for r in REGISTER if r["is_right"] == "1"]
    assert sorted(right) == sorted(NAMES)
    assert {r["case"] for r in REGISTER if r["is_right"] == "0"} == set(NAMES)


@pytest.mark.parametrize("bulletin", BULLETINS, ids=NAMES)
def test_the_right_establishment_is_found(result: Result, bulletin: dict[str, str]) -> None:
    found = candidates_of(result, bulletin["case"])
    right = RIGHT[bulletin["case"]]
    assert right in found.index
    assert int(found.loc[right, "source"]) & SOURCES[bulletin["source"]]


@pytest.mark.parametrize("case", NAMES)
def test_the_right_establishment_is_worth_more_than_the_others(result: Result, case: str) -> None:
    found = candidates_of(result, case)["rank"]
    others = found.reindex(OTHERS[case]).dropna()
    assert found.get(RIGHT[case], 99) < others.min() if len(others) else RIGHT[case] in found.index


@pytest.mark.parametrize("case", NAMES)
def test_the_right_establishment_is_the_best_echo(result: Result, case: str) -> None:
    assert candidates_of(result, case)["rank"].idxmin() == RIGHT[case]
