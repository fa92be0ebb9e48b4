"""What commands say to the person at the screen."""

from __future__ import annotations

import io
import re
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from chains import Chain
from commands import Commands
from rich.console import Console

from geomatch.cli.app import COMMANDS
from geomatch.cli.built import contents_table, files_table
from geomatch.cli.options import between_0_and_1, share
from geomatch.core import progress
from geomatch.core.errors import ConfigError
from geomatch.core.wording import duration
from geomatch.runs import batch

USAGE, DATA = 2, 3


# ------------------------------------------------------------------ what people type
@pytest.mark.parametrize(
    ("text", "value"),
    [("0.95", 0.95), ("0,95", 0.95), ("95 %", 0.95), ("95%", 0.95), ("97,5 %", 0.975),
     (".9", 0.9), (" 0,9 ", 0.9), ("95", 95.0), ("0", 0.0)],
)  # fmt: skip
def test_a_precision_is_read_as_people_write_it(text: str, value: float) -> None:
    assert share(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "high", "nan", "0.9.5", "%", "-0.5", "1e-1", ",", "0;95"])
def test_what_is_no_precision_is_told_what_is(text: str) -> None:
    with pytest.raises(ConfigError, match="0,95 or 95 %"):
        share(text)


def test_a_percentage_without_its_sign_is_answered_with_it() -> None:
    with pytest.raises(ConfigError, match=r"\(or 95 %\)"):
        between_0_and_1(95.0)


def test_files_that_the_shell_made_of_a_star_are_answered(commands: Commands) -> None:
    asked = ("--sirene", "s", "--cog", "c", "--out", "o")
    ran = commands("build", *asked, "--ban", "a.csv.gz", "b.csv.gz", "c.csv.gz")
    assert ran.code == USAGE
    assert "--ban a.csv.gz --ban b.csv.gz" in ran.err


@pytest.mark.parametrize("name", ["absent.csv", "absent.CSV", "dir/absent.parquet", "a.xlsx"])
def test_a_file_that_is_not_there_is_no_address(commands: Commands, name: str) -> None:
    ran = commands("parse", name)
    assert ran.code == USAGE
    assert ran.out == ""
    assert f"{name} does not exist" in ran.err


def test_a_file_without_out_is_told_to_have_one(commands: Commands, tmp_path: Path) -> None:
    file = tmp_path / "adresses"
    file.write_text("adresse\n3 rue des Pins\n")
    ran = commands("parse", file)
    assert ran.code == USAGE
    assert "--out" in ran.err


@pytest.mark.parametrize("text", ["12 rue du csv", "1 RUE A.B", "RUE DU PARC"])
def test_addresses_stay_addresses(commands: Commands, text: str) -> None:
    assert commands("parse", text).code == 0


# ------------------------------------------------------------------ the end of a match
def test_match_ends_with_what_happened_and_what_to_do_next(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    asked = ("--store", chain.store, "--model", chain.model, "--precision", "90 %")
    ran = commands("match", chain.files.bulletins, *asked, "--out", out)
    assert ran.code == 0, ran.err
    told = dict(re.findall(r"^  (.+) : (\d+) \(", ran.err, re.MULTILINE))
    decided = pd.read_parquet(out / "decisions.parquet")["decision"].value_counts()
    assert told == {
        "Codé automatiquement": str(decided["auto"]),
        "À reprendre par un gestionnaire": str(decided["review"]),
        "Pas d'établissement": str(decided.get("none", 0)),
    }
    assert f"Ensuite : geomatch review {out}" in ran.err
    again = commands("match", chain.files.bulletins, *asked, "--out", out, "--resume")
    assert "rien à reprendre" in again.err


def test_identifiers_that_are_there_twice_are_counted(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    lines = chain.files.bulletins.read_bytes().splitlines(keepends=True)[:41]
    source = tmp_path / "twice.csv"
    source.write_bytes(b"".join([*lines, *lines[1:4]]))
    asked = ("--store", chain.store, "--model", chain.model)
    ran = commands("match", source, *asked, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    found = re.search(r"Attention : (\d+) bulletins .* identifiant en double", ran.err)
    assert found is not None, ran.err
    assert int(found[1]) in (3, 6)  # the doubles, or all that bear such an identifier


def test_who_interrupts_is_told_how_to_go_on_and_then_what_was_kept(
    commands: Commands, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functools import partial

    monkeypatch.setattr(batch, "partition_rows", partial(batch.partition_rows, most=150, cut=150))
    real, matched = batch.match_partition, []

    def interrupted(task: batch.Task) -> int:
        if matched:
            raise KeyboardInterrupt
        matched.append(task.number)
        return real(task)

    asked = ("--store", chain.store, "--model", chain.model, "--out", tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(batch, "match_partition", interrupted)
        ran = commands("match", chain.files.bulletins, *asked)
    assert ran.code == 130
    assert "--resume" in ran.err
    ran = commands("match", chain.files.bulletins, *asked, "--resume")
    assert ran.code == 0, ran.err
    assert re.search(r"\d+ repris du passage coupé", ran.err)


# ------------------------------------------------------------------ build
def test_what_was_built_is_a_table_that_fits_eighty_columns() -> None:
    files = [
        {"file": "adresses-35.csv.gz", "read": 658_500, "kept": 650_000, "outside": 8_000,
         "refused": {"no number": 500}},
        {"file": "un_nom_de_fichier_tres_long_" * 4 + ".parquet", "read": 40_000_000,
         "kept": 15_000_000, "outside": 25_000_000, "refused": {}},
    ]  # fmt: skip
    written = io.StringIO()
    console = Console(file=written, width=80)
    console.print(files_table(files))
    console.print(contents_table({"streets": 12, "addresses": 34, "naf_words": 5}, ["35", "75"]))
    shown = written.getvalue().replace("\u202f", " ")
    assert max(map(len, shown.splitlines())) <= 80
    for part in ("658 500", "650 000", "8 000", "500", "40 000 000", "35, 75", "34"):
        assert part in shown
    assert "…" not in shown
    assert "naf_words" not in shown


# ------------------------------------------------------------------ progress and wording
def test_time_left_is_that_of_all_that_was_done_and_counts_down_between_lumps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    pace = progress.Pace()
    assert pace.told() == ""
    pace.take(clock[0], 10.0, 1_000, 9_000)
    assert pace.told() == "100/s, reste 0:01:30"
    clock[0] += 25.0
    assert pace.told() == "100/s, reste 0:01:05"
    pace.take(clock[0], 40.0, 8_000, 2_000)  # faster than thought
    assert pace.told() == "200/s, reste 0:00:10"
    clock[0] += 60.0
    assert pace.told() == "200/s, reste 0:00:00"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.42, "0,4 s"), (12.3, "12 s"), (59.7, "1 min 00 s"), (185.0, "3 min 05 s"),
     (7_800.0, "2 h 10 min")],
)  # fmt: skip
def test_times_are_told_as_people_say_them(seconds: float, told: str) -> None:
    assert duration(seconds) == told


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.__name__)
def test_every_help_has_an_example_and_says_what_each_option_is(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, command: object
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    name = command.__name__  # type: ignore[attr-defined]
    ran = commands(name, "--help")
    assert ran.code == 0
    assert f"Exemple : geomatch {name}" in ran.out
    bare = re.findall(r"^  --\S+(?: <[^>]*>| \[[^\]]*\])?\s*$", ran.out, re.MULTILINE)
    followed = [line for line in bare if "\n" + line + "\n      " not in ran.out + "\n"]
    assert followed == []


def test_the_shell_can_complete(commands: Commands) -> None:
    assert "--install-completion" in commands("--help").out


def test_strata_have_no_number_cut_at_eighty_columns() -> None:
    from geomatch.core.wording import STRATA_COLUMNS
    from geomatch.evaluation.measures import share as measured
    from geomatch.evaluation.metrics import Metrics
    from geomatch.evaluation.tables import strata_table

    siret = dict.fromkeys(STRATA_COLUMNS, measured(1_700_000, 1_700_000))
    one = Metrics(1_700_000, 1_700_000, siret, {})
    written = io.StringIO()
    names = ["M Activités spécialisées, scientifiques et techniques", "interpolated"]
    for column in ("section_naf", "geocode_level"):
        table = strata_table(column, dict.fromkeys(names, one))
        Console(file=written, width=80).print(table)
    shown = written.getvalue()
    assert shown.count("100,0 %") == 4 * len(STRATA_COLUMNS)
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "numéro estimé" in shown
