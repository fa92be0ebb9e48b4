from __future__ import annotations

import email.utils
import gzip
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from gazetteer import transfer
from gazetteer.download import BASE_URLS, DownloadOptions, download, remotes
from gazetteer.references import REFERENCES
from gazetteer.transfer import Patience, Transfer, session
from geomatch.core.errors import ConfigError, SourceUnavailableError

CONTENT = gzip.compress(bytes(range(256)) * 4000, 1)
ETAG = '"v1"'
MODIFIED = "Tue, 03 Mar 2026 10:00:00 GMT"
HASTY = Patience(tries=4, first_pause_s=0.01, connect_s=2.0, read_s=2.0)


@dataclass
class Source:
    """What the server does: a file by path, and the faults it has before it serves well."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    #: statuses answered first, with the headers that go with them
    faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    #: bytes after which connections are cut, one by one
    cuts: list[int] = field(default_factory=list)
    etag: str | None = ETAG
    modified: str | None = MODIFIED
    ranges: bool = True
    redirect: bool = False
    chunked: bool = False
    requests: list[dict[str, str]] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    source: Source

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        source = self.source
        source.requests.append({**self.headers, "path": self.path})
        if source.faults:
            status, headers = source.faults.pop(0)
            self._head(status, {**headers, "Content-Length": "0"})
            return
        if source.redirect and not self.path.startswith("/moved"):
            self._head(302, {"Location": "/moved" + self.path, "Content-Length": "0"})
            return
        name = self.path.removeprefix("/moved").split("?")[0].lstrip("/")
        if name not in source.files:
            self._head(404, {"Content-Length": "0"})
            return
        self._serve(source.files[name])

    def _serve(self, content: bytes) -> None:
        source = self.source
        since = self.headers.get("If-Modified-Since")
        if since and since == source.modified:
            self._head(304, {})
            return
        headers = {}
        if source.etag:
            headers["ETag"] = source.etag
        if source.modified:
            headers["Last-Modified"] = source.modified
        start, status = 0, 200
        asked = self.headers.get("Range")
        known = self.headers.get("If-Range") in (source.etag, source.modified)
        if asked and source.ranges and known:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self._head(416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"})
                return
            status = 206
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        rest = content[start:]
        if not source.chunked:
            headers["Content-Length"] = str(len(rest))
        self._head(status, headers)
        self.wfile.write(rest[: source.cuts.pop(0)] if source.cuts else rest)
        self.close_connection = True

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


@pytest.fixture
def source() -> Iterator[Source]:
    made = Source(files={"x.csv.gz": CONTENT})
    handler = type("Handler", (_Handler,), {"source": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def _fetch(source: Source, target: Path, patience: Patience = HASTY) -> list[float]:
    shares: list[float] = []
    with session() as http:
        name = target.name
        Transfer(http, f"{source.url}/{name}", target, patience).run(shares.append)
    return shares


def _leftovers(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_file_arrives_whole_with_the_date_of_the_source(source, tmp_path):
    shares = _fetch(source, tmp_path / "x.csv.gz")
    assert (tmp_path / "x.csv.gz").read_bytes() == CONTENT
    modified = email.utils.parsedate_to_datetime(MODIFIED).timestamp()
    assert (tmp_path / "x.csv.gz").stat().st_mtime == modified
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    assert _leftovers(tmp_path) == ["x.csv.gz"]


def test_a_cut_connection_is_taken_up_where_it_stopped(source, tmp_path):
    source.cuts = [1000, 500]
    _fetch(source, tmp_path / "x.csv.gz")
    assert (tmp_path / "x.csv.gz").read_bytes() == CONTENT
    assert [r.get("Range") for r in source.requests] == [None, "bytes=1000-", "bytes=1500-"]


def test_a_later_call_resumes_what_an_earlier_one_left(source, tmp_path):
    source.cuts = [1000]
    with pytest.raises(SourceUnavailableError, match="what was fetched is kept"):
        _fetch(source, tmp_path / "x.csv.gz", Patience(tries=1))
    assert _leftovers(tmp_path) == ["x.csv.gz.part", "x.csv.gz.part.json"]
    _fetch(source, tmp_path / "x.csv.gz")
    assert (tmp_path / "x.csv.gz").read_bytes() == CONTENT
    assert source.requests[-1]["Range"] == "bytes=1000-"
    assert _leftovers(tmp_path) == ["x.csv.gz"]


def test_a_part_of_another_version_is_fetched_anew(source, tmp_path):
    source.cuts = [1000]
    with pytest.raises(SourceUnavailableError):
        _fetch(source, tmp_path / "x.csv.gz", Patience(tries=1))
    source.etag = '"v2"'
    source.files["x.csv.gz"] = gzip.compress(b"newer" * 1000)
    _fetch(source, tmp_path / "x.csv.gz")
    assert (tmp_path / "x.csv.gz").read_bytes() == source.files["x.csv.gz"]


@pytest.mark.parametrize("what", ["no ranges", "no version", "date only"])
def test_sources_that_resume_badly_still_give_the_whole_file(source, tmp_path, what: str):
    source.cuts = [1000]
    source.ranges = what != "no ranges"
    source.etag = None if what != "no ranges" else ETAG
    source.modified = MODIFIED if what != "no version" else None
    _fetch(source, tmp_path / "x.csv.gz")
    assert (tmp_path / "x.csv.gz").read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(source, tmp_path):
    (tmp_path / "x.csv.gz.part").write_bytes(b"0" * (len(CONTENT) + 10))
    (tmp_path / "x.csv.gz.part.json").write_text('{"version": "\\"v1\\""}')
    _fetch(source, tmp_path / "x.csv.gz")
    assert (tmp_path / "x.csv.gz").read_bytes() == CONTENT


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_faults_that_pass_are_waited_out(source, tmp_path, status: int):
    source.faults = [(status, {}), (status, {})]
    _fetch(source, tmp_path / "x.csv.gz")
    assert (tmp_path / "x.csv.gz").read_bytes() == CONTENT
    assert len(source.requests) == 3


def test_retry_after_is_honoured(source, tmp_path):
    source.faults = [(429, {"Retry-After": "1"})]
    start = time.monotonic()
    _fetch(source, tmp_path / "x.csv.gz")
    assert 1.0 <= time.monotonic() - start < 3.0


@pytest.mark.parametrize(
    ("attempt", "asked", "seconds"),
    [(0, None, 1.0), (3, None, 8.0), (0, 30.0, 30.0), (3, 2.0, 8.0), (0, 1e9, 120.0),
     (20, None, 120.0)],
)  # fmt: skip
def test_pauses_grow_and_are_bounded(attempt: int, asked: float | None, seconds: float):
    assert Patience().pause(attempt, asked) == seconds


def test_a_source_that_stays_silent_is_given_up(source, tmp_path):
    source.faults = [(503, {})] * 10
    with pytest.raises(SourceUnavailableError, match=r"after 4 tries \(HTTP 503\)") as caught:
        _fetch(source, tmp_path / "x.csv.gz")
    assert caught.value.exit_code == 4
    assert _leftovers(tmp_path) == []


def test_a_closed_port_is_a_source_unavailable(tmp_path):
    with pytest.raises(SourceUnavailableError, match="does not answer"):
        _fetch(Source(url="http://127.0.0.1:9"), tmp_path / "x.csv.gz")


@pytest.mark.parametrize(("status", "words"), [(404, "has no such file"), (403, "refuses")])
def test_a_refusal_is_told_at_once(source, tmp_path, status: int, words: str):
    source.faults = [(status, {})]
    with pytest.raises(SourceUnavailableError, match=f"HTTP {status}, the source {words}"):
        _fetch(source, tmp_path / "x.csv.gz")
    assert len(source.requests) == 1
    assert _leftovers(tmp_path) == []


def test_redirects_are_followed(source, tmp_path):
    source.redirect = True
    source.cuts = [700]
    _fetch(source, tmp_path / "x.csv.gz")
    assert (tmp_path / "x.csv.gz").read_bytes() == CONTENT


def test_length_unknown(source, tmp_path):
    source.chunked = True
    _fetch(source, tmp_path / "x.csv.gz")
    assert (tmp_path / "x.csv.gz").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv.gz", b"<html>maintenance</html>"),
        ("x.zip", b"<html>maintenance</html>"),
        ("x.parquet", b"<html>maintenance</html>"),
        ("x.csv", b"\n <!DOCTYPE html>"),
        ("x.csv", b""),
    ],
)
def test_an_error_page_served_as_a_file_is_refused(source, tmp_path, name: str, content: bytes):
    source.files[name] = content
    with pytest.raises(SourceUnavailableError, match="something else than"):
        _fetch(source, tmp_path / name)
    assert _leftovers(tmp_path) == []


def test_a_file_that_is_there_is_fetched_again_only_when_newer(source, tmp_path):
    _fetch(source, tmp_path / "x.csv.gz")
    _fetch(source, tmp_path / "x.csv.gz")
    assert source.requests[-1]["If-Modified-Since"] == MODIFIED
    source.modified = "Wed, 04 Mar 2026 10:00:00 GMT"
    source.files["x.csv.gz"] = gzip.compress(b"newer", mtime=0)
    _fetch(source, tmp_path / "x.csv.gz")
    assert (tmp_path / "x.csv.gz").read_bytes() == gzip.compress(b"newer", mtime=0)


def _options(source: Source) -> DownloadOptions:
    return DownloadOptions(dict.fromkeys(BASE_URLS, source.url), patience=HASTY)


def _publish(source: Source, *departements: str, localities: bool = True) -> None:
    source.files = {}
    for remote in remotes(departements, None):
        name = remote.remote_name.split("?")[0]
        magic = {".gz": b"\x1f\x8b", ".zip": b"PK\x03\x04", ".parquet": b"PAR1"}
        source.files[name] = magic.get(Path(name).suffix, b"") + name.encode()
    if not localities:
        for name in [n for n in source.files if n.startswith("lieux-dits")]:
            del source.files[name]


def test_all_official_files_in_the_folders_a_build_reads(source, tmp_path):
    _publish(source, "35", "2A")
    told: list[tuple[str, float]] = []
    got = download(
        ["35", "2a"],
        tmp_path,
        options=_options(source),
        progress=lambda name, share: told.append((name, share)),
    )
    names = [str(p.relative_to(tmp_path)) for p in got]
    published = [r for r in REFERENCES if r.publication.is_fetched]
    assert {Path(n).parts[0] for n in names} == {r.option for r in published}
    assert len(set(names)) == len(names)
    assert set(names) >= {
        "ban/adresses-2A.csv.gz",
        "ban/adresses-35.csv.gz",
        "ban/lieux-dits-2A-beta.csv.gz",
        "ban/lieux-dits-35-beta.csv.gz",
        "cog/laposte_hexasmal.csv",
        "cog/naf_rev2.csv",
        "cog/v_commune_2026.csv",
        "cog/v_mvt_commune_2026.csv",
        "geoloc/GeolocalisationEtablissement_Sirene_pour_etudes_statistiques_utf8.zip",
        "sirene/StockEtablissement_utf8.parquet",
        "sirene/StockUniteLegale_utf8.parquet",
    }
    assert all(p.exists() for p in got)
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_lieux_dits_may_be_missing_but_addresses_may_not(source, tmp_path):
    _publish(source, "35", localities=False)
    options = DownloadOptions({"ban": source.url}, ("ban",), HASTY)
    assert [p.name for p in download(["35"], tmp_path, options=options)] == ["adresses-35.csv.gz"]
    with pytest.raises(SourceUnavailableError, match=r"adresses-44\.csv\.gz: HTTP 404"):
        download(["44"], tmp_path, options=options)


@pytest.mark.parametrize("codes", [["20"], ["00"], ["35", "999"], ["Bretagne"], []])
def test_departements_that_do_not_exist(tmp_path, codes: list[str]):
    with pytest.raises(ConfigError, match="expected codes such as"):
        download(codes, tmp_path)
    assert _leftovers(tmp_path) == []


def test_a_file_in_the_way_of_the_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ConfigError, match="cannot be made a folder"):
        download(["35"], tmp_path / "out")


@pytest.mark.parametrize("code", ["01", "19", "2A", "2B", "75", "95", "971", "976"])
def test_departements_that_exist(source, tmp_path, code: str):
    source.files[f"adresses-{code}.csv.gz"] = CONTENT
    options = DownloadOptions({"ban": source.url}, ("ban",), HASTY)
    assert len(download([code], tmp_path, options=options)) == 1


def test_the_real_addresses_are_secure():
    assert all(url.startswith("https://") for url in BASE_URLS.values())


# ------------------------------------------------------------------ to whom nothing is sent
def test_no_credentials_of_the_machine_are_sent(source, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with transfer.session() as http:
        request = requests.Request("GET", "http://127.0.0.1/x")
        sent = http.prepare_request(request)
        assert "Authorization" not in sent.headers
        answer = requests.Response()
        answer.request = sent
        http.rebuild_auth(sent, answer)
        assert "Authorization" not in sent.headers


@pytest.mark.parametrize(
    ("asked", "led_to", "is_refused"),
    [
        ("https://a.data.gouv.fr/x", "https://b.data.gouv.fr/x", False),
        ("https://a.data.gouv.fr/x", "http://b.data.gouv.fr/x", True),
        ("https://a.data.gouv.fr/x", "https://gouv.fr.example.com/x", True),
        ("http://127.0.0.1:1/x", "http://127.0.0.1:2/x", False),
        ("http://127.0.0.1:1/x", "http://10.0.0.1/x", True),
    ],
)
def test_a_redirect_leads_to_official_hosts_by_https(tmp_path, asked, led_to, is_refused):
    first, last = requests.Response(), requests.Response()
    first.url, last.url = asked, led_to
    last.history = [first]
    one = transfer.Transfer(transfer.session(), asked, tmp_path / "x", HASTY)
    if is_refused:
        with pytest.raises(SourceUnavailableError, match="official hosts"):
            one._refuse_strange(last)
    else:
        one._refuse_strange(last)


def test_a_source_without_end_is_given_up(source, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "MOST_BYTES", 10)
    source.files["/x.csv.gz"] = CONTENT
    with pytest.raises(SourceUnavailableError, match="sends more than"):
        _fetch(source, tmp_path / "x.csv.gz")
    assert _leftovers(tmp_path) == []
