"""Identifiers that are empty or stand twice: each bulletin is settled, exported, learned from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from chains import Chain

from geomatch.bulletins import read_bulletins
from geomatch.core.config import Config
from geomatch.review.desk.desk import Desk, Session
from geomatch.review.desk.export import merge_verdicts
from geomatch.review.desk.journal import JOURNAL, read_journal
from geomatch.review.desk.run import ReviewRun
from geomatch.runs.batch import run
from geomatch.training.train import train_files


def _written(file: Path, ids: list[str], out: Path) -> Path:
    """The demo's bulletins under other identifiers."""
    header, *lines = file.read_text(encoding="latin-1").splitlines()
    at = header.split(";").index("CABBI")
    for i, new in enumerate(ids):
        fields = lines[i].split(";")
        fields[at] = new
        lines[i] = ";".join(fields)
    out.write_text("\n".join([header, *lines, ""]), encoding="latin-1")
    return out


@pytest.fixture(scope="module")
def twins(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's run with three identifiers for all bulletins, one of them empty."""
    folder = tmp_path_factory.mktemp("twins")
    ids = [("", "B1", "B2")[i % 3] for i in range(400)]
    source = _written(chain.files.bulletins, ids, folder / "bulletins.csv")
    run(source, chain.store, folder / "run", chain.config)
    return folder / "run"


@pytest.fixture
def run_dir(twins: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(twins, tmp_path / "run"))


def test_each_card_has_the_bulletin_and_the_candidates_of_its_own_line(
    chain: Chain, run_dir: Path
) -> None:
    expected, found = ReviewRun.read(chain.out), ReviewRun.read(run_dir)
    lines = [int(key.split("(ligne ")[1].rstrip(")")) for key in found.decisions.index]
    names = read_bulletins(chain.files.bulletins)
    assert len(found.ids) == len(expected.ids) > 20
    for key, line in list(zip(found.decisions.index, lines, strict=True)):
        original = names["id"].iloc[line - 2]
        assert found.bulletins.loc[key, "raison_sociale"] == names["raison_sociale"].iloc[line - 2]
        mine, theirs = (
            r.dossier([i]).candidates["siret"].tolist()
            for r, i in ((found, key), (expected, original))
        )
        assert mine == theirs


def test_verdicts_are_exported_to_the_bulletin_they_were_on(run_dir: Path, tmp_path: Path) -> None:
    desk = Desk.open(run_dir)
    session = Session("s", "Anne")
    desk.enter(session, "Anne")
    told = desk.next_card(session)["card"]
    desk.settle(session, told["number"], None, note="")
    desk.journal.close()
    (act,) = {a.id for a in read_journal(run_dir / JOURNAL)} - set(told["ids"][1:])
    assert merge_verdicts(run_dir, tmp_path / "out.parquet") == len(told["ids"])
    after = pd.read_parquet(tmp_path / "out.parquet")
    lines = {int(i.split("(ligne ")[1].rstrip(")")) for i in told["ids"]}
    assert set(after.index[after["decision"] == "clerk"] + 2) == lines
    assert set(after["id"]) == {"", "B1", "B2"}
    assert act.endswith(")")
    Desk.open(run_dir).journal.close()  # taken up again


def test_verdicts_on_them_are_learned_from(chain: Chain, run_dir: Path, tmp_path: Path) -> None:
    desk = Desk.open(run_dir)
    session = Session("s", "Anne")
    desk.enter(session, "Anne")
    n = 0
    while (told := desk.next_card(session)["card"]) is not None and n < 20:
        first = told["sirets"][0] if told["sirets"] else None
        desk.settle(session, told["number"], first, note="")
        n += len(told["ids"])
    desk.journal.close()
    source = run_dir.parent / "bulletins.csv"
    ids = [("", "B1", "B2")[i % 3] for i in range(400)]
    _written(chain.files.bulletins, ids, source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geomatch.training.train.LEAST_BULLETINS", 5)
        card = train_files(
            source, None, chain.store, tmp_path / "model", Config(), verdicts=run_dir / JOURNAL
        )
    assert card["bulletins"] == card["verdicts"] > 5
