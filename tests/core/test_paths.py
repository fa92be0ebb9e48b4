from __future__ import annotations

import sys
from pathlib import Path

import pytest
from s3_server import BUCKET, S3Server, s3_server

from geomatch.core import paths
from geomatch.core.errors import ConfigError, SourceUnavailableError


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> S3Server:
    with s3_server(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture(params=["disk", "s3"])
def root(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> paths.Location:
    """A folder on a disk, then one in an S3 store: all that follows holds for both."""
    if request.param == "disk":
        return tmp_path / "ici"
    server: S3Server = request.getfixturevalue("server")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{tmp_path.name}"


# ------------------------------------------------------------------ here as there
def test_what_is_written_is_read(root: paths.Location) -> None:
    file = paths.join(root, "a/b.bin")
    assert not paths.is_file(file)
    paths.write_bytes(file, b"un")
    paths.write_bytes(file, b"deux")
    assert paths.read_bytes(file) == b"deux"
    assert paths.is_file(file)
    assert not paths.is_file(paths.join(root, "a"))
    assert paths.size_and_sha256(file)[0] == 4
    assert paths.files_of(root) == ["a/b.bin"]


def test_what_is_not_there_is_file_not_found(root: paths.Location) -> None:
    for read in (paths.read_bytes, paths.size_and_sha256):
        with pytest.raises(FileNotFoundError):
            read(paths.join(root, "absent"))
    assert paths.files_of(paths.join(root, "absent")) == []
    paths.remove(paths.join(root, "absent"))


def test_a_folder_is_sent_and_read_back_and_removed(root: paths.Location, tmp_path: Path) -> None:
    local = tmp_path / "local"
    for name in ("run.json", "x/1.txt", "x/2.txt"):
        (local / name).parent.mkdir(parents=True, exist_ok=True)
        (local / name).write_text(name)
    paths.send_folder(local, root, last="run.json")
    with paths.reading(root) as copy:
        assert {n: (copy / n).read_text() for n in paths.files_of(copy)} == {
            n: n for n in ("run.json", "x/1.txt", "x/2.txt")
        }
    with paths.reading(root, endings=("1.txt",)) as copy:
        assert "x/1.txt" in paths.files_of(copy)
    paths.remove(root)
    assert paths.files_of(root) == []


def test_a_failed_write_leaves_what_was_there(root: paths.Location) -> None:
    file = paths.join(root, "table.csv")
    paths.write_bytes(file, b"avant")

    def fail() -> None:
        with paths.writing(file) as partial:
            partial.write_bytes(b"mi")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert paths.read_bytes(file) == b"avant"
    assert paths.files_of(root) == ["table.csv"]


# ------------------------------------------------------------------ a disk
def test_a_full_disk_is_one_clear_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"No space left.*make room"):
        paths.write_bytes(_full(tmp_path, monkeypatch), b"x" * 65_536)
    assert list(tmp_path.iterdir()) == []


def test_drafts_of_killed_processes_are_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = ["notes.parquet", ".partial.parquet", ".a.partial.parquet", ".b.0123456z.partial.csv"]
    for name in kept:
        (tmp_path / name).touch()
    with paths.writing(tmp_path / "a.b.parquet") as draft:
        draft.touch()
    # as it would be had the process ended before it got its place
    (tmp_path / "a.b.parquet").rename(draft)
    paths.remove_drafts(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(kept)
    paths.remove_drafts(tmp_path / "absent")


def _full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file whose draft cannot be written: the draft's name is a link to /dev/full."""
    monkeypatch.setattr(paths.secrets, "token_hex", lambda n: "x")
    (tmp_path / ".plein.x.partial.bin").symlink_to("/dev/full")
    return tmp_path / "plein.bin"


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "fichier").write_text("x")
    for place in (tmp_path / "fichier" / "sous" / "x", Path("/proc/geomatch/x")):
        with pytest.raises(ConfigError, match="cannot be written"):
            paths.write_bytes(place, b"x")


# ------------------------------------------------------------------ names
@pytest.mark.parametrize("path", ["gs://b/k", "http://h/k", "s3://", "s3:///"])
def test_other_schemes_and_no_bucket_are_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="s3://bucket/key"):
        paths.location(path)


def test_names_are_put_together_here_as_there() -> None:
    assert paths.join("s3://b/k/", "x/y") == "s3://b/k/x/y"
    assert paths.join(Path("k"), "x/y") == Path("k/x/y")
    assert paths.name_of("s3://b/k/") == paths.name_of(Path("b/k")) == "k"
    assert paths.location("s3://b/k/") == "s3://b/k"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"AWS_S3_ENDPOINT": "minio.exemple.fr"}, "https://minio.exemple.fr"),
        ({"AWS_S3_ENDPOINT": "http://127.0.0.1:9000"}, "http://127.0.0.1:9000"),
        ({"AWS_ENDPOINT_URL": "https://a", "AWS_S3_ENDPOINT": "b"}, "https://a"),
        ({"AWS_ENDPOINT_URL_S3": "https://c", "AWS_ENDPOINT_URL": "https://a"}, "https://c"),
    ],
)
def test_the_endpoint_is_the_one_of_the_environment(
    environment: dict[str, str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_S3_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert paths.endpoint() == expected


# ------------------------------------------------------------------ a store that refuses
@pytest.fixture
def environment(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return server


def test_who_has_no_rights_is_told_so(environment: S3Server) -> None:
    paths.write_bytes(f"s3://{BUCKET}/secret", b"x")
    environment.refuse_everybody()
    try:
        for call in (paths.read_bytes, paths.is_file, paths.files_of, paths.remove):
            with pytest.raises(SourceUnavailableError, match="check the credentials"):
                call(f"s3://{BUCKET}/secret")
    finally:
        environment.let_in()


def test_a_store_that_does_not_answer(
    environment: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_S3_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(SourceUnavailableError, match="does not answer"):
        paths.read_bytes(f"s3://{BUCKET}/x")


def test_a_bucket_that_is_not_there(environment: S3Server) -> None:
    with pytest.raises(FileNotFoundError):
        paths.read_bytes("s3://pas-de-seau/x")
    with pytest.raises(SourceUnavailableError, match="no bucket pas-de-seau"):
        paths.write_bytes("s3://pas-de-seau/x", b"x")


def test_without_s3fs_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(ConfigError, match=r"geomatch-sirene\[s3\]"):
        paths.read_bytes(f"s3://{BUCKET}/x")


def test_a_version_is_not_written_over_another(environment: S3Server) -> None:
    file = f"s3://{BUCKET}/journal"
    assert paths.read_version(file) == (b"", "")
    first = paths.replace_version(file, b"1", "")
    second = paths.replace_version(file, b"2", first)
    for stale in ("", first):
        with pytest.raises(ConfigError, match="somebody else"):
            paths.replace_version(file, b"3", stale)
    assert paths.read_version(file) == (b"2", second)
