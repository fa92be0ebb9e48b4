"""Where files lie: on this machine's disks, or under ``s3://bucket/key``.

One mechanism for all: what is read is bytes or a local copy, what is written appears whole or
not at all. On a disk a file is written beside, put on the disk (fsync) and renamed; an S3 store
shows an object only when it has all of it. A folder is sent with the file that makes it whole
last. Credentials and endpoint are the environment's: ``AWS_ACCESS_KEY_ID``,
``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN``, ``AWS_ENDPOINT_URL`` or ``AWS_S3_ENDPOINT``.

What is not there raises :class:`FileNotFoundError`, here as there; a store that does not answer
or refuses raises :class:`SourceUnavailableError`; a full or unwritable disk :class:`ConfigError`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from geomatch.core.errors import ConfigError, SourceUnavailableError

#: A path on a disk, or ``s3://bucket/key`` as text.
Location = str | Path
S3 = "s3://"
_CHUNK = 1 << 20
#: What :func:`writing` calls a file that is not whole yet.
_DRAFT = re.compile(r"\..+\.[0-9a-f]{8}\.partial(\.\w+)?")
#: Seconds to wait for a connection, and for an answer.
_CONNECT_S, _READ_S = 5, 60


def is_remote(path: Location) -> bool:
    """Whether a path is in an S3 store. Raises :class:`ConfigError` for other schemes."""
    text = str(path)
    if "://" not in text:
        return False
    if text.startswith(S3) and text[len(S3) :].strip("/"):
        return True
    raise ConfigError(f"path {text} is not known: expected s3://bucket/key or a local path")


def location(path: Location) -> Location:
    """The path as the other functions like it: a ``Path``, or ``s3://…`` without a last slash."""
    return str(path).rstrip("/") if is_remote(path) else Path(path)


def join(path: Location, name: str) -> Location:
    """A file or folder under a folder; `name` may have slashes."""
    return f"{str(path).rstrip('/')}/{name}" if is_remote(path) else Path(path) / name


def name_of(path: Location) -> str:
    """The last part of a path."""
    return str(path).rstrip("/").rpartition("/")[2] if is_remote(path) else Path(path).name


def is_utf8_name(path: Location) -> bool:
    """Whether a path is text: names of other encodings cannot be written into results."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


# ------------------------------------------------------------------ reading
def read_bytes(path: Location) -> bytes:
    """All of a file. Raises OSError for a pipe or a device, which might never end."""
    if not is_remote(path):
        _refuse_pipe(Path(path))
        return Path(path).read_bytes()
    with _speaking(path) as store:
        content: bytes = store.cat_file(str(path))
        return content


def size_and_sha256(path: Location) -> tuple[int, str]:
    """Bytes of a file, and its SHA-256."""
    with _opened(path) as stream:
        digest, size = hashlib.sha256(), 0
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


@contextmanager
def _opened(path: Location) -> Iterator[IO[bytes]]:
    if is_remote(path):
        with _speaking(path) as store, store.open(str(path), "rb") as stream:
            yield stream
    else:
        _refuse_pipe(Path(path))
        with Path(path).open("rb") as stream:
            yield stream


def _refuse_pipe(path: Path) -> None:
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "it is a pipe or a device, expected a file", str(path))


def is_file(path: Location) -> bool:
    """Whether there is a file of that very name."""
    if not is_remote(path):
        return Path(path).is_file()
    with _speaking(path) as store:
        try:
            return bool(store.info(str(path))["type"] == "file")
        except FileNotFoundError:
            return False


def files_of(folder: Location) -> list[str]:
    """Names of all files under a folder, from it on, sorted; none when there is no folder."""
    if not is_remote(folder):
        root = Path(folder)
        return sorted(str(f.relative_to(root)) for f in root.rglob("*") if f.is_file())
    root_key = str(folder)[len(S3) :].rstrip("/") + "/"
    with _speaking(folder) as store:
        try:
            keys = store.find(root_key)
        except FileNotFoundError:
            return []
    # A key that ends in a slash is what some tools make of an empty folder.
    names = [k.removeprefix(root_key) for k in keys if k.startswith(root_key)]
    return sorted(n for n in names if n and not n.endswith("/"))


@contextmanager
def reading(path: Location, *, endings: tuple[str, ...] = ("",)) -> Iterator[Path]:
    """A local path to a file or folder: itself, or a copy that only this user can read.

    Of a folder only the files are copied whose names have one of the `endings`. The copy is
    deleted afterwards. Raises :class:`FileNotFoundError` when a remote one is not there.
    """
    if not is_remote(path):
        yield Path(path)
        return
    with _temporary() as folder:
        copy = folder / name_of(path)
        if is_file(path):
            fetch(path, copy)
        else:
            names = [n for n in files_of(path) if n.endswith(endings)]
            if not names:
                raise FileNotFoundError(2, "no such file or folder", str(path))
            for name in names:
                fetch(join(path, name), copy / name)
        yield copy


def version_of(path: Location) -> str:
    """What changes when an object of an S3 store does."""
    with _speaking(path) as store:
        return str(store.info(str(path))["ETag"])


def read_version(path: Location) -> tuple[bytes, str]:
    """All of an object of an S3 store, and its version; ``b""`` and ``""`` when there is none."""
    with _speaking(path) as store:
        try:
            version = str(store.info(str(path))["ETag"])
            content: bytes = store.cat_file(str(path))
            return content, version
        except FileNotFoundError:
            return b"", ""


def replace_version(path: Location, content: bytes, version: str) -> str:
    """Write an object of an S3 store over the version that was read; the new version.

    Raises :class:`ConfigError` when there is another one by now.
    """
    bucket, _, key = str(path)[len(S3) :].partition("/")
    condition = {"IfMatch": version} if version else {"IfNoneMatch": "*"}
    changed = ConfigError(f"{path} was written by somebody else since; start again")
    with _storing(path) as store:
        if read_version(path)[1] != version:  # stores that know no conditions
            raise changed
        try:
            answer = store.call_s3("put_object", Bucket=bucket, Key=key, Body=content, **condition)
        except OSError as error:
            if "PreconditionFailed" in str(error.__cause__):
                raise changed from error
            raise
        return str(answer["ETag"])


def fetch(source: Location, target: Path) -> None:
    """Copy a file to a disk; it appears there whole or not at all."""
    with writing(target) as partial, _speaking(source) as store:
        store.get_file(str(source), str(partial))


def cache_folder() -> Path:
    """Where copies of public data are kept: ``GEOMATCH_CACHE``, else the user's cache folder."""
    own = os.environ.get("GEOMATCH_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(own) if own else Path(base) / "geomatch"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be made ({error.strerror}); set GEOMATCH_CACHE to a folder that can"
        ) from error
    return folder


# ------------------------------------------------------------------ writing
def write_bytes(path: Location, content: bytes) -> None:
    """Write a file, whole or not at all."""
    if is_remote(path):
        with _storing(path) as store:
            store.pipe_file(str(path), content)
        return
    with writing(path) as partial:
        partial.write_bytes(content)


@contextmanager
def writing(path: Location) -> Iterator[Path]:
    """A local name to write a file under; it gets its place when the block ends well."""
    if is_remote(path):
        with _temporary() as folder:
            partial = folder / name_of(path)
            yield partial
            send(partial, path)
        return
    final = Path(path)
    partial = final.with_name(f".{final.stem}.{secrets.token_hex(4)}.partial{final.suffix}")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(final, error) from error
    try:
        yield partial
        place(partial, final)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise unwritable(final, error) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


@contextmanager
def writing_folder(path: Location, last: str) -> Iterator[Path]:
    """A local folder to write files in: itself, or one that is sent when the block ends well.

    In an S3 store the file named `last`, which tells that the rest is whole, is taken away
    first and sent last.
    """
    if not is_remote(path):
        try:
            Path(path).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{path} is no folder: {error.strerror}; give another") from error
        yield Path(path)
        return
    with _temporary() as folder:
        yield folder
        send_folder(folder, path, last=last)


def send_folder(folder: Path, target: Location, *, last: str) -> None:
    """Copy a local folder; the file `last` goes last, and an old one is taken away first."""
    remove(join(target, last))
    for name in sorted(files_of(folder), key=lambda n: (n == last, n)):
        send(folder / name, join(target, name))


def send(source: Path, target: Location) -> None:
    """Copy a local file to its place."""
    if is_remote(target):
        with _storing(target) as store:
            store.put_file(str(source), str(target))
        return
    with writing(target) as partial:
        shutil.copyfile(source, partial)


def place(partial: Path, final: Path) -> None:
    """Give a local file that is complete its name, so that a power cut leaves one or the other."""
    with partial.open("rb") as stream:
        os.fsync(stream.fileno())
    partial.replace(final)
    if os.name == "posix":
        folder = os.open(final.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def remove(path: Location) -> None:
    """Delete a file, or a folder with all that is in it; nothing when there is none."""
    if not is_remote(path):
        local = Path(path)
        if local.is_dir():
            shutil.rmtree(local)
        else:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                local.unlink()
        return
    with _storing(path) as store:
        keys = [str(path)] if is_file(path) else [str(join(path, n)) for n in files_of(path)]
        if keys:
            store.rm(keys)


def remove_drafts(folder: Location) -> None:
    """Delete what processes that were killed left half-written in a folder of this machine."""
    if not is_remote(folder) and Path(folder).is_dir():
        for file in Path(folder).iterdir():
            if _DRAFT.fullmatch(file.name):
                file.unlink(missing_ok=True)


def unwritable(path: Location, error: OSError) -> ConfigError:
    """The error that says that a place cannot be written, and why."""
    return ConfigError(
        f"{path} cannot be written: {error.strerror or error}; make room or give another place"
    )


def make_private(folder: Path) -> None:
    """Make a folder of this user alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def _temporary() -> Iterator[Path]:
    """A folder that only this user can read (``TMPDIR`` says where), gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="geomatch-") as folder:
        yield Path(folder)


# ------------------------------------------------------------------ the S3 store
def filesystem() -> Any:
    """The S3 store of the environment, as an fsspec file system (one a process).

    Raises :class:`ConfigError` when s3fs is not installed.
    """
    try:
        import s3fs
    except ImportError as error:
        raise ConfigError("s3:// paths need s3fs: pip install 'geomatch-sirene[s3]'") from error
    return s3fs.S3FileSystem(
        endpoint_url=endpoint(),
        use_listings_cache=False,
        config_kwargs={"connect_timeout": _CONNECT_S, "read_timeout": _READ_S},
    )


def endpoint() -> str | None:
    """Address of the S3 store that the environment names; None is Amazon's.

    ``AWS_S3_ENDPOINT`` is a host without a scheme on Onyxia.
    """
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_S3_ENDPOINT")
    told = next((os.environ[n] for n in names if os.environ.get(n)), "")
    if not told:
        return None
    return told if "://" in told else f"https://{told}"


@contextmanager
def _storing(path: Location) -> Iterator[Any]:
    """As :func:`_speaking`, to write: what is not there then is the bucket."""
    try:
        with _speaking(path) as store:
            yield store
    except FileNotFoundError as error:
        bucket = str(path)[len(S3) :].partition("/")[0]
        raise SourceUnavailableError(
            f"{path} cannot be written: there is no bucket {bucket}; make it or give another"
        ) from error


@contextmanager
def _speaking(path: Location) -> Iterator[Any]:
    """The S3 store; what it refuses becomes one clear error."""
    store = filesystem()
    where = endpoint() or "Amazon S3"
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield store
    except FileNotFoundError:
        raise
    except NoCredentialsError as error:
        raise SourceUnavailableError(
            f"{path}: no credentials for {where}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from error
    except PermissionError as error:
        raise SourceUnavailableError(
            f"{path}: {where} refuses ({error}); check the credentials (a session token may have "
            "run out) and the rights on the bucket"
        ) from error
    except (BotoCoreError, ClientError, ConnectionError, TimeoutError) as error:
        raise SourceUnavailableError(f"{path}: {where} does not answer: {error}") from error
    except OSError as error:
        if error.__cause__ is None or not isinstance(error.__cause__, ClientError):
            raise
        raise SourceUnavailableError(f"{path}: {where} refuses: {error}") from error
