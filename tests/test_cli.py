from __future__ import annotations

import gzip
import io
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from chains import Chain
from commands import Commands, Ran
from rich.console import Console

import geomatch
from geomatch.core import progress
from geomatch.core.progress import Bar
from geomatch.core.schema import STORE_FORMAT, STORE_FORMAT_VERSION
from geomatch.runs import batch, executors
from geomatch.runs.batch import partition_rows
from geomatch.store.reader import MANIFEST

#: Stands for a bulletin's text: it may reach no message.
SECRET = "ZYGOMARINE SECRETE"
HEADER = "CABBI;TYPCOL;RS_X;NUMVOI_X;TYPEVOI_X;NOMVOI_X;CLT_X;DLT_X;DEPCOM_CODE;ACTET_X"
ROW = f"1;1;{SECRET};3;R;{SECRET};{SECRET};96;96001;{SECRET}"
USAGE, DATA, SOURCE = 2, 3, 4


def refused(ran: Ran, code: int, *parts: str) -> None:
    """One clear message on stderr, nothing on stdout, no bulletin text, no traceback."""
    assert ran.code == code, ran.err
    assert ran.out == ""
    assert len(ran.err.splitlines()) == 1, ran.err
    assert ran.err.startswith("geomatch: ")
    assert SECRET not in ran.err
    assert "ZYGOMARINE" not in ran.err
    for part in parts:
        assert part in ran.err


def left_nothing(folder: Path) -> bool:
    return not folder.exists() or not list(folder.iterdir())


# ------------------------------------------------------------------ bulletins that are no good
def cut_gz(path: Path) -> None:
    whole = gzip.compress((HEADER + "\n" + f"{ROW}\n" * 2_000).encode())
    path.write_bytes(whole[: len(whole) // 2])


def cut_parquet(path: Path) -> None:
    pd.DataFrame({"id": ["1"], "nom": [SECRET]}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])


def text(content: str) -> Callable[[Path], None]:
    return lambda path: path.write_text(content, encoding="utf-8") and None


def nothing(path: Path) -> None:
    """Leave the place empty."""


BAD_FILES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "missing": ("absent.csv", nothing),
    "a folder": ("folder.csv", Path.mkdir),
    "empty": ("empty.csv", text("")),
    "blank": ("blank.csv", text("\n \n\n")),
    "only a header": ("header.csv", text(HEADER + "\n")),
    "another layout": ("other.csv", text(f"a;b;c\n1;{SECRET};3\n")),
    "one column": ("one.csv", text(f"{SECRET}\n{SECRET}\n")),
    "no header": ("noheader.csv", text(f"{ROW}\n{ROW}\n")),
    "no name column": ("noname.csv", text(f"CABBI;ACTET_X\n1;{SECRET}\n")),
    "no identifier": ("noid.csv", text(f"RS_X;NOMVOI_X;CLT_X\n{SECRET};{SECRET};{SECRET}\n")),
    "a column twice": ("twice.csv", text(f"CABBI;RS_X;RS_X\n1;{SECRET};{SECRET}\n")),
    "truncated gz": ("cut.csv.gz", cut_gz),
    "truncated parquet": ("cut.parquet", cut_parquet),
    "a zip": ("book.xlsx", lambda path: path.write_bytes(b"PK\x03\x04" + b"\0" * 50) and None),
    "a pdf": ("page.csv", lambda path: path.write_bytes(b"%PDF-1.7\n" + b"\1" * 50) and None),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_match_refuses_bulletins_that_are_no_good(
    commands: Commands, chain: Chain, tmp_path: Path, kind: str
) -> None:
    name, make = BAD_FILES[kind]
    source, out = tmp_path / name, tmp_path / "out"
    make(source)
    ran = commands("match", source, "--store", chain.store, "--out", out, "--model", chain.model)
    refused(ran, DATA, name)
    assert left_nothing(out)


def test_a_missing_column_is_named_with_those_the_file_has(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    source = tmp_path / "noname.csv"
    source.write_text(f"CABBI;NUMVOI_X;ACTET_X\n1;3;{SECRET}\n")
    arguments = ("--store", chain.store, "--out", tmp_path / "out", "--model", chain.model)
    ran = commands("match", source, "--layout", "rp_final", *arguments)
    refused(ran, DATA, "RS_X")


# ------------------------------------------------------------------ stores that are no good
def other_version(store: Path) -> None:
    store.mkdir()
    manifest = {"format": STORE_FORMAT, "format_version": 999, "departements": ["96"]}
    (store / MANIFEST).write_text(json.dumps(manifest))


def no_manifest(store: Path) -> None:
    store.mkdir()
    (store / "communes.parquet").write_bytes(b"")


def damaged_manifest(store: Path) -> None:
    store.mkdir()
    (store / MANIFEST).write_text('{"format": "geomatch-st')


def no_tables(store: Path) -> None:
    store.mkdir()
    manifest = {
        "format": STORE_FORMAT,
        "format_version": STORE_FORMAT_VERSION,
        "departements": ["96"],
    }
    (store / MANIFEST).write_text(json.dumps(manifest))


def nothing_but_a_version(store: Path) -> None:
    store.mkdir()
    manifest = {"format": STORE_FORMAT, "format_version": STORE_FORMAT_VERSION}
    (store / MANIFEST).write_text(json.dumps(manifest))


BAD_STORES: dict[str, tuple[Callable[[Path], None], str]] = {
    "absent": (nothing, "geomatch build"),
    "no store": (no_manifest, "geomatch build"),
    "of another format version": (other_version, "999"),
    "damaged": (damaged_manifest, "not readable"),
    "without its tables": (no_tables, "not readable"),
    "with a manifest of nothing": (nothing_but_a_version, "departements"),
}


@pytest.mark.parametrize("command", ["match", "geocode", "train"])
@pytest.mark.parametrize("kind", BAD_STORES)
def test_a_store_that_is_no_good_is_refused(
    commands: Commands, chain: Chain, tmp_path: Path, command: str, kind: str
) -> None:
    make, part = BAD_STORES[kind]
    store = tmp_path / "store"
    make(store)
    source = chain.files.bulletins
    if command == "geocode":
        source = tmp_path / "adresses.csv"
        source.write_text("id;adresse\n1;3 rue des Pins\n")
    out = tmp_path / ("out.csv" if command == "geocode" else "out")
    more = {"match": ("--model", chain.model), "train": ("--truth", chain.files.truth)}
    ran = commands(command, source, "--store", store, "--out", out, *more.get(command, ()))
    refused(ran, DATA, str(store), part)
    assert not out.exists() or left_nothing(out)


# ------------------------------------------------------------------ options that are no good
BAD_OPTIONS: dict[str, tuple[str, ...]] = {
    "--precision 0": ("--precision", "0"),
    "--precision 1": ("--precision", "1"),
    "--precision 95": ("--precision", "95"),
    "--precision nan": ("--precision", "nan"),
    "--precision high": ("--precision", "high"),
    "--columns without sign": ("--columns", "raison_sociale"),
    "--columns without name": ("--columns", "raison_sociale="),
    "--columns of an unknown column": ("--columns", "raison=RS_X"),
    "--layout unknown": ("--layout", "census"),
    "--parser unknown": ("--parser", "magic"),
    "--model absent": ("--model", "/nowhere/model"),
    "--config absent": ("--config", "/nowhere/geomatch.toml"),
    "--workers 0": ("--workers", "0"),
    "--workers many": ("--workers", "many"),
    "unknown option": ("--presicion", "0.9"),
}


@pytest.mark.parametrize("kind", BAD_OPTIONS)
def test_match_refuses_options_that_are_no_good(
    commands: Commands, chain: Chain, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / "out"
    model = () if "--model" in BAD_OPTIONS[kind] else ("--model", chain.model)
    store = ("--store", chain.store, "--out", out)
    ran = commands("match", chain.files.bulletins, *store, *model, *BAD_OPTIONS[kind])
    refused(ran, USAGE)
    assert left_nothing(out)


@pytest.mark.parametrize("content", ["[decisons]\n", "[decisions]\nprecision = 'x'\n", "[[[\n"])
def test_a_configuration_file_that_is_no_good_is_refused(
    commands: Commands, chain: Chain, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "geomatch.toml"
    file.write_text(content)
    out = tmp_path / "out"
    arguments = ("--store", chain.store, "--out", out, "--config", file)
    refused(commands("match", chain.files.bulletins, *arguments), USAGE, "geomatch.toml")
    assert left_nothing(out)


@pytest.mark.parametrize("precision", ["0.0", "1.0", "7", "-0.5"])
def test_a_precision_of_the_configuration_file_is_checked_too(
    commands: Commands, chain: Chain, tmp_path: Path, precision: str
) -> None:
    file = tmp_path / "geomatch.toml"
    file.write_text(f"model = '{chain.model}'\n[decisions]\nprecision = {precision}\n")
    out = tmp_path / "out"
    arguments = ("--store", chain.store, "--out", out, "--config", file)
    refused(commands("match", chain.files.bulletins, *arguments), USAGE, "precision")
    assert left_nothing(out)


def test_columns_that_the_file_has_not_are_bad_data(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("--store", chain.store, "--out", out, "--model", chain.model)
    ran = commands(
        "match", chain.files.bulletins, *arguments, "--columns", "raison_sociale=EMPLOYEUR"
    )
    assert ran.code in (USAGE, DATA)
    refused(ran, ran.code, "EMPLOYEUR")
    assert left_nothing(out)


@pytest.mark.parametrize(
    "arguments",
    [
        ("match",),
        ("match", "bulletins.csv"),
        ("matsch", "bulletins.csv"),
        ("build", "--out", "store"),
        ("explain", "results"),
        ("download", "--out", "files"),
        ("demo", "--size", "3"),
        ("evaluate", "--truth", "truth.csv"),
        ("--verzion",),
    ],
)
def test_wrong_calls_are_usage_errors(commands: Commands, arguments: tuple[str, ...]) -> None:
    refused(commands(*arguments), USAGE)


def test_results_never_replace_a_file(commands: Commands, chain: Chain, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("kept")
    arguments = ("--store", chain.store, "--out", out, "--model", chain.model)
    refused(commands("match", chain.files.bulletins, *arguments), USAGE, "--out")
    assert out.read_text() == "kept"


def test_a_place_under_a_file_is_refused_by_every_command_that_writes(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    place, store = file / "out", ("--store", chain.store)
    files, truth = chain.files, ("--truth", chain.files.truth)
    official = ("--ban", files.ban_dir, "--sirene", files.sirene_dir, "--cog", files.cog_dir)
    for arguments in (
        ("match", files.bulletins, *store, "--model", chain.model, "--out", place),
        ("train", files.bulletins, *store, *truth, "--out", place),
        ("build", *official, "--out", place),
        ("demo", "--size", 50, "--out", place),
        ("evaluate", chain.out, *truth, "--report", place / "page.html"),
        ("review", chain.out, "--export", place / "regles.parquet"),
        ("geocode", files.truth, *store, "--address", "NAF", "--out", place / "places.csv"),
        ("parse", files.truth, "--address", "NAF", "--out", place / "parts.csv"),
    ):
        ran = commands(*arguments)
        assert ran.code == USAGE, ran.err
        assert str(file) in ran.err
        assert "Traceback" not in ran.err
    assert file.read_text() == "kept"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    "arguments",
    [
        ("match", "b.csv", "--store", "s", "--out", ""),
        ("match", "b.csv", "--store", "s", "--out", "out", "--config", ""),
        ("merge", "a", "b", "--out", " "),
        ("geocode", "a.csv", "--store", "s", "--out", ""),
        ("parse", "a.csv", "--out", ""),
        ("train", "b.csv", "--store", "s", "--out", ""),
        ("evaluate", "a", "--report", ""),
        ("review", "a", "--export", ""),
        ("download", "--departements", "35", "--out", ""),
        ("demo", "--out", ""),
    ],
)
def test_an_empty_path_is_not_taken_for_the_current_folder(
    commands: Commands,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(commands(*arguments), USAGE, f"{arguments[-2]} is empty")
    assert left_nothing(tmp_path)


def test_no_scheduler_is_a_usage_error(
    commands: Commands, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "_ANSWER_S", 1)
    arguments = ("--store", chain.store, "--out", tmp_path / "out", "--model", chain.model)
    ran = commands("match", chain.files.bulletins, *arguments, "--scheduler", "tcp://127.0.0.1:9")
    refused(ran, USAGE, "--scheduler" if "Dask:" in ran.err else "127.0.0.1:9")
    assert not (tmp_path / "out" / "decisions.parquet").exists()


# ------------------------------------------------------------------ match
def test_match_says_where_the_results_are_and_how_fast_it_went(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("--store", chain.store, "--out", out, "--model", chain.model)
    ran = commands("match", chain.files.bulletins, *arguments)
    assert ran.code == 0, ran.err
    assert ran.out == f"{out}\n"
    assert "400 bulletins" in ran.err
    assert "/s" in ran.err
    names = {p.name for p in out.iterdir()}
    assert names == {"decisions.parquet", "candidates.parquet", "run.json"}


def test_two_workers_write_the_bytes_of_one(
    commands: Commands, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "partition_rows", partial(partition_rows, most=150, cut=150))
    for workers in (1, 2):
        out = tmp_path / str(workers)
        arguments = ("--store", chain.store, "--out", out, "--model", chain.model)
        ran = commands("match", chain.files.bulletins, *arguments, "--workers", workers)
        assert ran.code == 0, ran.err
    for name in ("decisions.parquet", "candidates.parquet"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_an_interrupted_match_is_taken_up_where_it_was(
    commands: Commands, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "partition_rows", partial(partition_rows, most=150, cut=150))
    store = ("--store", chain.store, "--model", chain.model)
    assert commands("match", chain.files.bulletins, *store, "--out", tmp_path / "a").code == 0
    real, matched = batch.match_partition, []

    def interrupted(task: batch.Task) -> int:
        if len(matched) == 2:
            raise KeyboardInterrupt
        matched.append(task.number)
        return real(task)

    out = tmp_path / "b"
    with monkeypatch.context() as patch:
        patch.setattr(batch, "match_partition", interrupted)
        ran = commands("match", chain.files.bulletins, *store, "--out", out)
    assert ran.code == 130
    assert "Traceback" not in ran.err
    assert not list(out.glob("*.parquet"))
    ran = commands("match", chain.files.bulletins, *store, "--out", out, "--resume")
    assert ran.code == 0, ran.err
    for name in ("decisions.parquet", "candidates.parquet"):
        assert (out / name).read_bytes() == (tmp_path / "a" / name).read_bytes()


def test_options_of_the_command_line_stand_over_those_of_the_file(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    file = tmp_path / "geomatch.toml"
    file.write_text(
        f"model = '{chain.model}'\n[addresses]\nparser = 'rules'\n"
        "[decisions]\nprecision = 0.9\nnaf_precision = 0.8\n"
    )
    out = tmp_path / "out"
    arguments = ("--store", chain.store, "--out", out, "--config", file, "--precision", "0.97")
    assert commands("match", chain.files.bulletins, *arguments).code == 0
    options = json.loads((out / "run.json").read_text(encoding="utf-8"))["options"]
    assert options["decisions"]["precision"] == 0.97
    assert options["decisions"]["naf_precision"] == 0.8
    assert options["addresses"]["parser"] == "rules"
    assert options["model"] == str(chain.model)


def test_a_free_file_is_matched_with_its_columns_named(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    source = tmp_path / "libre.csv"
    source.write_text("cle,boite,lieu,ville\n7,GALANT,3 rue des Pins,\n", encoding="utf-8")
    out = tmp_path / "out"
    columns = "id=cle, raison_sociale=boite, adresse=lieu, commune=ville"
    arguments = ("--store", chain.store, "--out", out, "--model", chain.model)
    ran = commands("match", source, *arguments, "--layout", "free", "--columns", columns)
    assert ran.code == 0, ran.err
    assert pd.read_parquet(out / "decisions.parquet")["id"].tolist() == ["7"]


# ------------------------------------------------------------------ the other commands
def test_version_and_help() -> None:
    for arguments, expected in (
        (["--version"], f"geomatch {geomatch.__version__}\n"),
        (["--help"], "match"),
        (["match", "--help"], "--precision"),
    ):
        ran = subprocess.run(
            [sys.executable, "-m", "geomatch.cli", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={"COLUMNS": "200", "PATH": ""},
        )
        assert ran.returncode == 0
        assert ran.stderr == ""
        assert expected in ran.stdout


def test_the_exit_code_reaches_the_shell(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "geomatch.cli", "match", "absent.csv", "--store", str(tmp_path),
         "--out", str(tmp_path / "out")],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert ran.returncode == DATA
    assert ran.stdout == ""
    assert ran.stderr.startswith("geomatch: ")
    assert "Traceback" not in ran.stderr


def test_parse_prints_the_parts_of_one_address(commands: Commands) -> None:
    ran = commands("parse", "12 bis rue des Pins 96100 VALBRUNE", "--parser", "rules")
    assert ran.code == 0, ran.err
    parts = json.loads(ran.out)
    assert parts["numero"] == "12"
    assert parts["rep"] == "bis"
    assert parts["code_postal"] == "96100"


def test_parse_and_geocode_add_columns_to_a_file(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    ban = pd.read_csv(chain.files.ban, sep=";", dtype=str, keep_default_na=False).head(3)
    line = (
        ban["numero"] + " " + ban["nom_voie"] + " " + ban["code_postal"] + " " + ban["nom_commune"]
    )
    source = tmp_path / "adresses.csv"
    pd.DataFrame({"cle": ["a", "b", "c"], "adresse": line}).to_csv(source, sep=";", index=False)
    for command, column in (("parse", "parsed_numero"), ("geocode", "result_housenumber")):
        out = tmp_path / f"{command}.csv"
        store = ("--store", chain.store) if command == "geocode" else ()
        ran = commands(command, source, *store, "--out", out)
        assert ran.code == 0, ran.err
        assert ran.out == f"{out}\n"
        made = pd.read_csv(out, sep=";", dtype=str, keep_default_na=False)
        assert made["cle"].tolist() == ["a", "b", "c"]
        assert made[column].tolist() == ban["numero"].tolist()


@pytest.mark.parametrize("command", ["parse", "geocode"])
def test_files_of_addresses_that_are_no_good_are_refused(
    commands: Commands, chain: Chain, tmp_path: Path, command: str
) -> None:
    store = ("--store", chain.store) if command == "geocode" else ()
    source, out = tmp_path / "adresses.csv", tmp_path / "out.csv"
    refused(commands(command, source, *store, "--out", out), DATA, "adresses.csv")
    source.write_text(f"cle;rien\n1;{SECRET}\n")
    refused(commands(command, source, *store, "--out", out), DATA, "--address")
    source.write_text(f"1;{SECRET}\n2;{SECRET}\n")  # no header
    refused(commands(command, source, *store, "--out", out), DATA, "--address", "header")
    refused(commands(command, source, *store, "--out", tmp_path / "out.xls"), USAGE, ".parquet")
    assert [p.name for p in tmp_path.iterdir()] == ["adresses.csv"]


def test_build_refuses_files_that_are_no_good_and_leaves_nothing(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    files, out = chain.files, tmp_path / "store"
    empty = tmp_path / "empty"
    empty.mkdir()
    good = {"--ban": files.ban_dir, "--sirene": files.sirene_dir, "--cog": files.cog_dir}
    for option in good:
        for place in (tmp_path / "absent", empty):
            arguments = [a for pair in {**good, option: place}.items() for a in pair]
            ran = commands("build", *arguments, "--out", out)
            refused(ran, ran.code, option)
            assert ran.code in (USAGE, DATA)
            assert not out.exists()


def test_download_without_a_network_says_that_the_source_is_unavailable(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    ran = commands("download", "--departements", "35", "--out", tmp_path / "files")
    assert ran.code == SOURCE, ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert "try again later" in ran.err


def test_evaluate_prints_one_json_object(commands: Commands, chain: Chain) -> None:
    ran = commands("evaluate", chain.out, "--truth", chain.files.truth, "--json")
    assert ran.code == 0, ran.err
    figures = json.loads(ran.out)
    assert figures["n"] == 400
    assert figures["top1"] > 0.7


def test_evaluate_refuses_a_truth_without_rows(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("CABBI;SIRET\n")
    refused(commands("evaluate", chain.out, "--truth", truth), DATA, "truth.csv", "no row")


@pytest.mark.parametrize("content", ["[]", "{}", '{"input": [], "store": {"path": "s"}}'])
def test_every_command_refuses_a_run_that_does_not_say_what_it_was(
    commands: Commands, chain: Chain, tmp_path: Path, content: str
) -> None:
    run = tmp_path / "run"
    shutil.copytree(chain.out, run)
    (run / "run.json").write_text(content)
    for arguments in (
        ("evaluate", run, "--truth", chain.files.truth),
        ("evaluate", run),
        ("evaluate", chain.out, "--against", run),
        ("explain", run, "--id", "1"),
        ("review", run, "--export", tmp_path / "settled.parquet"),
        ("review", run, "--agreement"),
        ("review", run, "--port", 0, "--no-browser"),
        ("merge", run, "--out", tmp_path / "merged"),
    ):
        ran = commands(*arguments)
        refused(ran, ran.code, "run")
        assert ran.code in (USAGE, DATA)
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_evaluate_names_the_column_that_candidates_lack(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(chain.out, run)
    file = run / "candidates.parquet"
    pd.read_parquet(file).drop(columns=["siret"]).to_parquet(file)
    ran = commands("evaluate", run, "--truth", chain.files.truth)
    refused(ran, DATA, "candidates.parquet", "siret missing")


@pytest.mark.parametrize("missing", ["run", "truth", "decisions.parquet", "run.json"])
def test_evaluate_refuses_what_is_no_result(
    commands: Commands, chain: Chain, tmp_path: Path, missing: str
) -> None:
    run, truth = tmp_path / "run", chain.files.truth
    if missing != "run":
        run.mkdir()
        for file in chain.out.iterdir():
            if file.name != missing:
                (run / file.name).write_bytes(file.read_bytes())
    if missing == "truth":
        truth = tmp_path / "absent.csv"
    refused(commands("evaluate", run, "--truth", truth), DATA)


def test_evaluate_refuses_a_stratum_that_nobody_knows(commands: Commands, chain: Chain) -> None:
    ran = commands("evaluate", chain.out, "--truth", chain.files.truth, "--by", "NO_SUCH")
    refused(ran, ran.code, "NO_SUCH")
    assert ran.code in (USAGE, DATA)


def test_explain_tells_one_bulletin_and_refuses_an_unknown_one(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    first = pd.read_parquet(chain.out / "decisions.parquet")["id"].iloc[0]
    ran = commands("explain", chain.out, "--id", first)
    assert ran.code == 0, ran.err
    assert str(first) in ran.out
    refused(commands("explain", chain.out, "--id", "no such one"), USAGE, "--id")
    refused(commands("explain", tmp_path, "--id", first), DATA)


def test_train_writes_a_model_that_match_can_use(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    ran = commands(
        "train", chain.files.bulletins, "--truth", chain.files.truth, "--store", chain.store,
        "--out", model, "--share", "0.6",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    card = json.loads(ran.out)
    assert 200 <= card["bulletins"] < 400
    assert card["measured_on"] == "rest"
    out = tmp_path / "out"
    arguments = ("--store", chain.store, "--out", out, "--model", model)
    assert commands("match", chain.files.bulletins, *arguments).code == 0


def test_train_refuses_too_little_or_nothing_to_learn_from(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    store = ("--store", chain.store, "--out", out)
    truth = tmp_path / "truth.csv"
    truth.write_text("CABBI;SIRET\n1;\n")
    source = chain.files.bulletins
    refused(commands("train", source, "--truth", truth, *store), DATA, "200")
    refused(commands("train", source, "--truth", tmp_path / "absent.csv", *store), DATA)
    for share in ("0", "1.5"):
        ran = commands("train", source, "--truth", chain.files.truth, *store, "--share", share)
        refused(ran, USAGE, "--share")
    assert not out.exists()


def test_a_log_gets_a_line_now_and_then_with_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([0.0, 10.0, 40.0, 50.0])
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    written = io.StringIO()
    with Bar(Console(file=written), "bulletins") as tell:
        for done in (1_000, 2_000, 5_000, 6_000):  # a thousand were done by an earlier run
            tell(done, 25_000)
    assert written.getvalue() == "bulletins : 5000 sur 25000, 100/s, reste 3.3 min\n"


def test_a_terminal_gets_a_bar_with_rate_and_time_left() -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100)
    with Bar(console, "bulletins") as tell:
        for done in (0, 50, 100):
            tell(done, 100)
            time.sleep(0.2)
    shown = written.getvalue()
    assert "100/100" in shown
    assert "/s" in shown
    assert "0:00:" in shown
