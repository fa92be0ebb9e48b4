"""A file matched in parts by département, and put together again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chains import Chain
from command_line import content
from commands import Commands

from geomatch.core.config import BulletinOptions
from geomatch.core.errors import ConfigError, DataError
from geomatch.runs import batch
from geomatch.runs.batch import UNKNOWN, RunOptions, run
from geomatch.runs.merge_parts import merge_runs
from geomatch.runs.work_folder import PART
from geomatch.store.reader import Store


@pytest.fixture(scope="module")
def bulletins(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's bulletins, some with places outside of the store, one identifier twice."""
    frame = pd.read_csv(chain.files.bulletins, sep=";", encoding="latin-1", dtype=str)
    frame = frame.fillna("")
    for rows, departement in ((range(40), "99"), (range(40, 70), "")):
        frame.loc[list(rows), ["CLT_X", "DEPCOM_CODE", "ILT_X"]] = ""
        frame.loc[list(rows), "DLT_X"] = departement
    frame.loc[5, "CABBI"] = frame.loc[200, "CABBI"]
    file = tmp_path_factory.mktemp("bulletins") / "bulletins.csv"
    frame.to_csv(file, sep=";", index=False, encoding="latin-1")
    return file


def places(chain: Chain, bulletins: Path) -> pd.Series:
    """Bulletins by département of work."""
    job = batch._Job.open(bulletins, chain.store, chain.config, RunOptions())
    return pd.Series(job.places()["departement"]).value_counts()


@pytest.fixture(scope="module")
def whole(chain: Chain, bulletins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    run(bulletins, chain.store, out, chain.config)
    return out


@pytest.fixture(scope="module")
def parts(chain: Chain, bulletins: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A run for each département of the store, and one for every other place."""
    folder = tmp_path_factory.mktemp("parts")
    codes = [*Store.open(chain.store).departements, UNKNOWN]
    for code in codes:
        run(bulletins, chain.store, folder / code, chain.config, RunOptions(departements=(code,)))
    return [folder / c for c in codes]


def test_the_bulletins_lie_in_several_parts(chain: Chain, bulletins: Path) -> None:
    found = places(chain, bulletins)
    # work abroad, written 99, is in no département
    assert "" in found.index
    assert "99" not in found.index
    assert set(found.index) & set(Store.open(chain.store).departements)


def test_parts_put_together_give_the_bytes_of_one_run(
    whole: Path, parts: list[Path], tmp_path: Path
) -> None:
    description = merge_runs(parts[::-1], tmp_path)
    assert content(tmp_path) == content(whole)
    told = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert told == description
    assert told["input"]["bulletins"] == 400
    assert (told["parts"], "part" in told) == (len(parts), False)
    # an identifier stands twice: where each bulletin stands is told
    assert (tmp_path / PART).read_bytes() == (whole / PART).read_bytes()


def test_a_part_tells_what_it_is_a_part_of(parts: list[Path]) -> None:
    told = [json.loads((p / "run.json").read_text(encoding="utf-8")) for p in parts]
    assert sum(t["part"]["bulletins"] for t in told) == 400
    assert {t["input"]["bulletins"] for t in told} == {400}
    rows = [pd.read_parquet(p / PART)["source_row"] for p in parts]
    assert sorted(np.concatenate(rows)) == list(range(400))


def test_a_part_is_matched_as_a_run_of_its_own(parts: list[Path]) -> None:
    for part in parts:
        n = json.loads((part / "run.json").read_text(encoding="utf-8"))["part"]["bulletins"]
        assert len(pd.read_parquet(part / "decisions.parquet")) == n


def test_a_part_without_bulletins_is_no_error(
    chain: Chain, bulletins: Path, parts: list[Path], whole: Path, tmp_path: Path
) -> None:
    frame = pd.read_csv(bulletins, sep=";", encoding="latin-1", dtype=str).iloc[70:]
    source = tmp_path / "here.csv"
    frame.to_csv(source, sep=";", index=False, encoding="latin-1")
    codes = [*Store.open(chain.store).departements, UNKNOWN]
    empty = []
    for code in codes:
        options = RunOptions(departements=(code,))
        told = run(source, chain.store, tmp_path / code, chain.config, options)
        empty += [code] * (told["part"]["bulletins"] == 0)
    assert UNKNOWN in empty
    run(source, chain.store, tmp_path / "one", chain.config)
    merge_runs([tmp_path / c for c in codes], tmp_path / "merged")
    assert content(tmp_path / "merged") == content(tmp_path / "one")


# ------------------------------------------------------------------ refused
def test_a_part_that_lacks_and_one_given_twice_are_refused(
    parts: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"70 bulletin\(s\) of 400 are in no part"):
        merge_runs(parts[:-1], tmp_path / "out")
    with pytest.raises(DataError, match=r"70 bulletin\(s\) are in two parts"):
        merge_runs([*parts, parts[-1]], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_parts_of_different_options_and_what_is_no_part_are_refused(
    chain: Chain, bulletins: Path, parts: list[Path], whole: Path, tmp_path: Path
) -> None:
    other = replace(chain.config, bulletins=BulletinOptions(layout="rp_final"))
    options = RunOptions(departements=(UNKNOWN,))
    run(bulletins, chain.store, tmp_path / "other", other, options)
    with pytest.raises(ConfigError, match="not of the same options"):
        merge_runs([*parts[:-1], tmp_path / "other"], tmp_path / "out")
    for no_part in (whole, tmp_path):
        with pytest.raises(ConfigError, match="is no part"):
            merge_runs([*parts, no_part], tmp_path / "out")


def test_a_departement_that_is_not_in_the_store_is_refused(
    chain: Chain, bulletins: Path, tmp_path: Path
) -> None:
    options = RunOptions(departements=("35", "zz"))
    with pytest.raises(ConfigError, match=r"--departements .*zz.*'inconnu'"):
        run(bulletins, chain.store, tmp_path / "out", chain.config, options)
    assert not (tmp_path / "out").exists()


def test_the_commands(
    chain: Chain, bulletins: Path, whole: Path, commands: Commands, tmp_path: Path
) -> None:
    codes = [*Store.open(chain.store).departements, UNKNOWN]
    first, rest = codes[0], ",".join(codes[1:])
    for name, asked in (("a", first), ("b", rest)):
        ran = commands("match", bulletins, "--store", chain.store, "--model", chain.model,
                       "--out", tmp_path / name, "--departements", asked)  # fmt: skip
        assert ran.code == 0, ran.err
    ran = commands("merge", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "out")
    assert (ran.code, ran.out) == (0, f"{tmp_path / 'out'}\n"), ran.err
    assert content(tmp_path / "out") == content(whole)
