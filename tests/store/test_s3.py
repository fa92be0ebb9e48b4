"""The whole chain with every path in an S3 store, over HTTP."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from chains import Chain
from command_line import TABLES, content, ended, start
from commands import Commands
from s3_server import BUCKET, S3Server, s3_server

from geomatch.core import paths
from geomatch.core.errors import DataError, StoreError
from geomatch.linkage.matcher import Matcher
from geomatch.linkage.model import Model
from geomatch.review.desk.desk import Desk
from geomatch.review.desk.journal import JOURNAL, VERDICT, Act
from geomatch.review.desk.mirror import MirroredJournal
from geomatch.store.reader import Store

ROOT = f"s3://{BUCKET}"


@dataclass(frozen=True)
class Remote:
    """What lies in the bucket, and the environment that leads to it."""

    server: S3Server
    environment: dict[str, str]
    store: str = f"{ROOT}/base"
    bulletins: str = f"{ROOT}/bulletins.csv"
    truth: str = f"{ROOT}/verite.csv"
    model: str = f"{ROOT}/modele"


@pytest.fixture(scope="module")
def remote(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Remote:
    """A bucket with the demo's inputs, a store as a copy of a folder, and a model."""
    cache = tmp_path_factory.mktemp("cache")
    with s3_server(tmp_path_factory.mktemp("s3")) as server, pytest.MonkeyPatch.context() as patch:
        environment = {**server.environment, "GEOMATCH_CACHE": str(cache)}
        for name, value in environment.items():
            patch.setenv(name, value)
        there = Remote(server, environment)
        paths.send(chain.files.bulletins, there.bulletins)
        paths.send(chain.files.truth, there.truth)
        paths.send_folder(chain.store, there.store, last="manifest.json")
        paths.send_folder(chain.model, there.model, last="model.json")
        yield there


@pytest.fixture(autouse=True)
def environment(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in remote.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def results(remote: Remote, chain: Chain) -> str:
    """A run with all its paths in the bucket."""
    out = f"{ROOT}/resultats"
    code, told = ended(start(*match(remote, out), environment=remote.environment))
    assert code == 0, told
    return out


def match(remote: Remote, out: str, *more: object) -> tuple[object, ...]:
    return ("match", remote.bulletins, "--store", remote.store, "--out", out,
            "--model", remote.model, *more)  # fmt: skip


def table(location: str) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(paths.read_bytes(location)))


# ------------------------------------------------------------------ match
def test_a_run_in_the_bucket_gives_the_bytes_of_one_on_a_disk(
    results: str, chain: Chain, tmp_path: Path
) -> None:
    arguments = ("--store", chain.store, "--out", tmp_path, "--model", chain.model)
    code, told = ended(start("match", chain.files.bulletins, *arguments))
    assert code == 0, told
    assert {n: paths.read_bytes(f"{results}/{n}") for n in TABLES} == content(tmp_path)
    assert paths.files_of(results) == ["candidates.parquet", "decisions.parquet", "run.json"]
    told_of = json.loads(paths.read_bytes(f"{results}/run.json"))
    assert told_of["store"]["path"] == f"{ROOT}/base"
    assert told_of["input"]["path"] == f"{ROOT}/bulletins.csv"


def test_bulletins_are_never_copied_to_a_disk(results: str, remote: Remote, tmp_path: Path) -> None:
    """What the cache keeps are parts of the store and marks that they were read, nothing else."""
    kept = paths.files_of(Path(remote.environment["GEOMATCH_CACHE"]))
    assert kept
    assert all(n.startswith(("stores/", "verified/")) for n in kept)


@pytest.mark.slow
def test_a_killed_run_in_the_bucket_is_resumed(
    results: str, remote: Remote, tmp_path: Path
) -> None:
    out = f"{ROOT}/coupe"
    process = start(*match(remote, out, "--workers", 2), environment=remote.environment)
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        if any("-decisions" in n for n in paths.files_of(f"{out}/.partitions")):
            break
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not paths.is_file(f"{out}/run.json")
    done = {n for n in paths.files_of(f"{out}/.partitions") if "-decisions" in n}
    assert done
    resumed = start(*match(remote, out, "--resume"), environment=remote.environment)
    code, told = ended(resumed)
    assert code == 0, told
    for name in TABLES:
        assert paths.read_bytes(f"{out}/{name}") == paths.read_bytes(f"{results}/{name}")
    assert not paths.files_of(f"{out}/.partitions")
    _, told = ended(start(*match(remote, out, "--resume"), environment=remote.environment))
    assert "rien à reprendre" in told


def test_a_store_is_read_part_by_part_and_once(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEOMATCH_CACHE", str(tmp_path))
    store = Store.open(remote.store)
    assert paths.files_of(store.path) == ["manifest.json"]
    Matcher.open(remote.store).resources.communes  # noqa: B018
    kept = paths.files_of(store.path)
    assert "communes.parquet" in kept
    assert not any(n.startswith("establishments/") for n in kept)
    asked: list[object] = []
    monkeypatch.setattr(paths, "fetch", lambda *a: asked.append(a))
    Matcher.open(remote.store).resources.communes  # noqa: B018
    assert asked == []


def test_a_store_built_again_meanwhile_is_not_mixed_with_the_old(
    remote: Remote, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEOMATCH_CACHE", str(tmp_path))
    place = f"{ROOT}/base-changeante"
    paths.send_folder(chain.store, place, last="manifest.json")
    store = Store.open(place)
    manifest = json.loads(paths.read_bytes(f"{place}/manifest.json"))
    paths.write_bytes(f"{place}/manifest.json", json.dumps({**manifest, "created": "x"}).encode())
    from geomatch.core.schema import STORE_COMMUNES

    with pytest.raises(StoreError, match="built again"):
        store.country(STORE_COMMUNES)
    assert paths.files_of(store.path) == ["manifest.json"]


# ------------------------------------------------------------------ the other commands
def test_evaluate_with_all_paths_in_the_bucket(
    results: str, remote: Remote, chain: Chain, commands: Commands
) -> None:
    page = f"{ROOT}/rapport.html"
    ran = commands("evaluate", results, "--truth", remote.truth, "--report", page, "--json")
    assert ran.code == 0, ran.err
    here = commands("evaluate", chain.out, "--truth", chain.files.truth, "--json")
    there, local = json.loads(ran.out), json.loads(here.out)
    assert (there["n"], there["recall_20"]) == (local["n"], local["recall_20"])
    assert b"</html>" in paths.read_bytes(page)


def test_explain_reads_a_run_in_the_bucket(results: str, commands: Commands) -> None:
    first = table(f"{results}/decisions.parquet")["id"].iloc[0]
    ran = commands("explain", results, "--id", first)
    assert ran.code == 0, ran.err
    assert first in ran.out


def test_geocode_and_parse_files_of_the_bucket(
    remote: Remote, chain: Chain, commands: Commands
) -> None:
    addresses = f"{ROOT}/adresses.csv"
    paths.write_bytes(addresses, b"id;adresse\n1;12 rue de la Gare\n")
    for name, arguments in {
        "geocode": ("--store", remote.store),
        "parse": (),
    }.items():
        out = f"{ROOT}/{name}.csv"
        ran = commands(name, addresses, *arguments, "--out", out)
        assert ran.code == 0, ran.err
        assert paths.read_bytes(out).startswith(b"id;adresse;")


@pytest.mark.slow
def test_train_writes_a_model_that_match_reads(
    remote: Remote, chain: Chain, commands: Commands
) -> None:
    model = f"{ROOT}/appris"
    ran = commands("train", remote.bulletins, "--truth", remote.truth, "--store", remote.store,
                   "--out", model)  # fmt: skip
    assert ran.code == 0, ran.err
    words = "activity_words.csv"
    assert paths.read_bytes(f"{model}/{words}") == (chain.model / words).read_bytes()
    there, here = Model.load(model), Model.load(chain.model)
    assert (there.ranking, there.siret) == (here.ranking, here.siret)
    assert paths.is_file(f"{model}/model_card.md")


def test_a_store_built_in_the_bucket_is_built_once(
    remote: Remote, chain: Chain, commands: Commands, tmp_path: Path
) -> None:
    files, out = chain.files, f"{ROOT}/base-construite"
    for folder in (files.ban_dir, files.sirene_dir, files.cog_dir):
        paths.send_folder(folder, f"{ROOT}/officiel/{folder.name}", last="")
    arguments = (
        "build", "--ban", f"{ROOT}/officiel/{files.ban_dir.name}",
        "--sirene", f"{ROOT}/officiel/{files.sirene_dir.name}",
        "--cog", f"{ROOT}/officiel/{files.cog_dir.name}", "--out", out,
    )  # fmt: skip
    assert commands(*arguments).code == 0
    first = paths.read_bytes(f"{out}/manifest.json")
    ran = commands(*arguments)
    assert ran.code == 0, ran.err
    assert paths.read_bytes(f"{out}/manifest.json") == first
    shutil.rmtree(Path(remote.environment["GEOMATCH_CACHE"]) / "builds")
    assert commands(*arguments).code == 0  # by another machine, with an empty cache
    assert paths.read_bytes(f"{out}/manifest.json") == first
    assert Store.open(out).departements == Store.open(chain.store).departements
    paths.send(files.naf, f"{ROOT}/officiel/{files.naf.name}")
    assert commands(*arguments, "--naf", f"{ROOT}/officiel/{files.naf.name}").code == 0
    assert paths.read_bytes(f"{out}/manifest.json") != first
    folder = json.loads(paths.read_bytes(f"{out}/manifest.json"))["folder"]
    assert {n.partition("/")[0] for n in paths.files_of(out)} == {"manifest.json", folder}
    from geomatch.core.schema import STORE_COMMUNES

    assert len(Store.open(out).country(STORE_COMMUNES))


# ------------------------------------------------------------------ review
def act(bulletin: str, siret: str | None = None) -> Act:
    return Act(bulletin, VERDICT, siret, "moi", "2026-01-01T00:00:00+00:00", "0", "", "b")


def test_a_verdict_is_in_the_bucket_before_it_is_told(results: str, tmp_path: Path) -> None:
    with paths.reading(results) as folder:
        desk = Desk.open(folder, mirror=results)
        desk.journal.append([act("1")])
        assert paths.read_bytes(f"{results}/{JOURNAL}").count(b"\n") == 1
        desk.journal.append([act("2"), act("3")])
        desk.journal.close()
    assert paths.read_bytes(f"{results}/{JOURNAL}").count(b"\n") == 3
    paths.remove(f"{results}/{JOURNAL}")


def test_of_two_reviews_of_one_folder_the_second_to_write_is_refused(tmp_path: Path) -> None:
    remote = f"{ROOT}/deux/{JOURNAL}"
    one, other = (MirroredJournal(tmp_path / n, remote) for n in ("a", "b"))
    one.append([act("1")])
    with pytest.raises(DataError, match="somebody else"):
        other.append([act("2")])
    assert (tmp_path / "b").read_bytes() == b""
    one.append([act("3")])
    assert paths.read_bytes(remote) == (tmp_path / "a").read_bytes()
    one.close()
    other.close()


# ------------------------------------------------------------------ refusals
@pytest.mark.parametrize(
    ("what", "code", "says"),
    [
        ("absent.csv", 3, "does not exist"),
        ("base-absente", 3, "no reference store"),
        ("modele-absent", 2, "model"),
    ],
)
def test_what_is_not_in_the_bucket_is_one_clear_error(
    remote: Remote, commands: Commands, what: str, code: int, says: str
) -> None:
    given = {"INPUT": remote.bulletins, "--store": remote.store, "--model": remote.model}
    name = {"a": "INPUT", "b": "--store", "m": "--model"}[what[0]]
    given[name] = f"{ROOT}/{what}"
    ran = commands("match", given.pop("INPUT"), *(x for pair in given.items() for x in pair),
                   "--out", f"{ROOT}/rien")  # fmt: skip
    assert ran.code == code
    assert says in ran.err
    assert ran.err.count("\n") == 1
    assert paths.files_of(f"{ROOT}/rien") == []


def test_an_endpoint_that_does_not_answer_and_rights_that_lack_exit_with_4(
    remote: Remote, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.server.refuse_everybody()
    try:
        denied = commands(*match(remote, f"{ROOT}/rien"))
    finally:
        remote.server.let_in()
    monkeypatch.setenv("AWS_S3_ENDPOINT", "http://127.0.0.1:9")
    silent = commands(*match(remote, f"{ROOT}/rien"))
    for ran, says in ((denied, "check the credentials"), (silent, "does not answer")):
        assert (ran.code, ran.out) == (4, "")
        assert says in ran.err
        assert ran.err.count("\n") == 1
