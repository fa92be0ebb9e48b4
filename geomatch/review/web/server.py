"""The reviewer's page, served on this machine alone to whoever has the token.

Loopback only; every request shows a session's cookie, which only the token of the printed
address gives; the Host header has to be ours, so that no other site's name leads here. No
bulletin text reaches a log: what is logged is method, route and status.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import sys
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from geomatch.core.errors import ConfigError, GeomatchError
from geomatch.core.paths import Location, is_remote
from geomatch.core.processes import private_files
from geomatch.review.desk.actions import ACTIONS, act
from geomatch.review.desk.desk import Desk, RefusedError, Session
from geomatch.review.desk.options import AS_IT_IS, ReviewOptions
from geomatch.review.web.entry import Strangers, browser_opened
from geomatch.review.web.screen import ASSETS, HTML, asset, notice, page, policy
from geomatch.runs.results import results_of

_log = logging.getLogger(__name__)
HOST = "127.0.0.1"
#: Longest body of a request, bytes.
MOST_BODY = 16 * 1024
#: Sessions kept; the one that was silent longest goes first.
MOST_SESSIONS = 200
#: Connections at a time.
MOST_CONNECTIONS = 128
#: Seconds a connection may be silent.
_SILENCE_S = 60
#: Addresses of the acts.
_ACTS = "/api/"


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    kind: str = "application/json; charset=utf-8"
    cookie: str = ""


def serve_review(
    run_dir: Location,
    *,
    options: ReviewOptions = AS_IT_IS,
    port: int = 8866,
    name: str = "",
    open_browser: bool = False,
) -> None:
    """Serve the reviewer's page of a run until interrupted; its address goes to stdout.

    Parameters
    ----------
    run_dir : path
        Folder made by ``geomatch match``; verdicts go to its ``verdicts.jsonl``.
    options : ReviewOptions
        Store, background, double coding.
    port : int
        On 127.0.0.1; 0 takes a free one.
    name : str
        Clerk's name proposed by the page.
    open_browser : bool
        Whether to open the page in this machine's browser.

    Raises
    ------
    ConfigError
        When the port is taken or another page serves this folder.
    DataError
        When the run, its bulletins, the store or the journal is not readable.
    """
    with private_files(), results_of(run_dir) as folder:
        desk = Desk.open(folder, options, mirror=run_dir if is_remote(run_dir) else None)
        server = make_server(desk, port=port, name=name)
        print(server.url, flush=True)
        try:
            with browser_opened(server.entry_url()) if open_browser else nullcontext():
                server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            _log.info("interrupted")
        finally:
            server.server_close()
            desk.journal.close()


def make_server(desk: Desk, *, port: int, name: str = "gestionnaire") -> ReviewServer:
    """A server bound to loopback, not yet serving; :class:`ConfigError` when the port is taken."""
    try:
        return ReviewServer(desk, port=port, name=name)
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f"port {port} of {HOST} cannot be used ({error}); choose another one with --port"
        ) from error


class ReviewServer(ThreadingHTTPServer):
    """A desk on the web of one machine."""

    daemon_threads = True
    #: a connection takes a thread: no more than these at a time, others are closed at once
    most_connections = MOST_CONNECTIONS
    request_queue_size = 64

    def __init__(self, desk: Desk, *, port: int, name: str) -> None:
        super().__init__((HOST, port), _Handler)
        self.desk = desk
        self.clerk_name = name
        self.token = secrets.token_urlsafe(32)
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()
        self._lock = threading.Lock()
        #: tokens that let in once
        self._entries: set[str] = set()
        self.strangers = Strangers()
        self._places = threading.BoundedSemaphore(self.most_connections)
        self.policy = policy(desk.maps.background)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, when there is room for one more."""
        self.strangers.make_room()
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        self.strangers.add(request)
        try:
            super().process_request(request, client_address)
        except BaseException:
            self.strangers.remove(request)
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.strangers.remove(request)
            self._places.release()

    def service_actions(self) -> None:
        """Between connections: end those that take too long to show who they are."""
        self.strangers.end_old()

    @property
    def port(self) -> int:
        """The port it is bound to."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """Address that lets a browser in."""
        return f"http://{HOST}:{self.port}/?token={self.token}"

    def entry_url(self) -> str:
        """Address that lets one browser in, once."""
        entry = secrets.token_urlsafe(32)
        with self._lock:
            self._entries.add(entry)
        return f"http://{HOST}:{self.port}/?token={entry}"

    @property
    def cookie_name(self) -> str:
        """Ports share cookies: each has its own."""
        return f"geomatch_review_{self.port}"

    def is_host(self, host: str) -> bool:
        """Whether a Host header is one of this server's names."""
        return host in (f"{HOST}:{self.port}", f"localhost:{self.port}")

    def is_token(self, token: str) -> bool:
        """Whether a token is ours; takes as long when it is not."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def is_entry(self, token: str) -> bool:
        """Whether a token lets in once; it does not any more afterwards."""
        with self._lock:
            found = [e for e in self._entries if hmac.compare_digest(token.encode(), e.encode())]
            self._entries.difference_update(found)
        return bool(found)

    def start_session(self) -> str:
        """A new session; returns the secret of its cookie."""
        secret = secrets.token_urlsafe(32)
        session = Session(secrets.token_hex(8))
        with self._lock:
            self._sessions[_digest(secret)] = session
            while len(self._sessions) > MOST_SESSIONS:
                self.desk.leave(self._sessions.popitem(last=False)[1])
        return secret

    def session(self, secret: str) -> Session | None:
        """The session of a cookie's secret. Digests are compared, so that time tells nothing."""
        key = _digest(secret)
        with self._lock:
            session = self._sessions.get(key)
            if session is not None:
                self._sessions.move_to_end(key)
        return session

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say that something broke without saying what the request or the data held."""
        kind, _, trace = sys.exc_info()
        frames = traceback.extract_tb(trace)
        where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
        _log.error("request failed: %s at %s", kind.__name__ if kind else "unknown", where)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    protocol_version = "HTTP/1.1"
    server_version = "geomatch"
    sys_version = ""
    timeout = _SILENCE_S
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def do_GET(self) -> None:
        """The page and its assets."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """The clerk's acts."""
        self._answer(self._post)

    # ------------------------------------------------------------------ routes

    def _get(self) -> _Answer:
        asked = urlsplit(self.path)
        query = {k: v[-1] for k, v in parse_qs(asked.query).items()}
        session = self._session()
        if asked.path == "/":
            return self._page(session, query.get("token", ""))
        if session is None:
            return _refusal(HTTPStatus.FORBIDDEN, _NOT_IN)
        if asked.path in ASSETS:
            name, kind = ASSETS[asked.path]
            return _Answer(HTTPStatus.OK, asset(name), kind)
        return _refusal(HTTPStatus.NOT_FOUND, "Cette adresse n'existe pas.")

    def _page(self, session: Session | None, token: str) -> _Answer:
        html = page(self.server.clerk_name)
        if token and not (self.server.is_token(token) or self.server.is_entry(token)):
            return _Answer(HTTPStatus.FORBIDDEN, notice(_NOT_IN), HTML)
        if session is not None:
            return _Answer(HTTPStatus.OK, html, HTML)
        if not token:
            return _Answer(HTTPStatus.FORBIDDEN, notice(_NOT_IN), HTML)
        self.server.strangers.remove(self.connection)
        secret = self.server.start_session()
        cookie = f"{self.server.cookie_name}={secret}; Path=/; HttpOnly; SameSite=Strict"
        return _Answer(HTTPStatus.OK, html, HTML, cookie)

    def _post(self) -> _Answer:
        session = self._session()
        if session is None:
            return self._closing(_refusal(HTTPStatus.FORBIDDEN, _NOT_IN))
        origin = self.headers.get("Origin")
        if origin is not None and not self.server.is_host(origin.removeprefix("http://")):
            return self._closing(_refusal(HTTPStatus.FORBIDDEN, _NOT_IN))
        body = self._body()
        path = urlsplit(self.path).path
        name = path.removeprefix(_ACTS) if path.startswith(_ACTS) else ""
        return _Answer(HTTPStatus.OK, _json(act(self.server.desk, session, name, body)))

    # ------------------------------------------------------------------ plumbing

    def _answer(self, route: Callable[[], _Answer]) -> None:
        if not self.server.is_host(self.headers.get("Host", "")):
            self._send(self._closing(_refusal(HTTPStatus.FORBIDDEN, _NOT_IN)))
            return
        try:
            answer = route()
        except RefusedError as error:
            answer = _refusal(error.status, str(error))
        except GeomatchError as error:
            _log.error("%s", error)
            answer = _refusal(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "La base ou le journal ne répond pas ; rien n'a été enregistré. Voir la console.",
            )
        self._send(answer)

    def _session(self) -> Session | None:
        try:
            cookies = SimpleCookie(self.headers.get("Cookie", ""))
        except CookieError:
            return None
        morsel = cookies.get(self.server.cookie_name)
        session = self.server.session(morsel.value) if morsel else None
        if session is not None:
            self.server.strangers.remove(self.connection)
        return session

    def _body(self) -> Mapping[str, Any]:
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip()
        length = self.headers.get("Content-Length", "")
        if kind != "application/json" or not (length.isascii() and length.isdigit()):
            self.close_connection = True
            raise RefusedError("Requête mal formée.", HTTPStatus.BAD_REQUEST)
        if len(length) > 9 or int(length) > MOST_BODY:
            self.close_connection = True
            raise RefusedError("Requête trop longue.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            told = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise RefusedError("Requête mal formée.", HTTPStatus.BAD_REQUEST) from error
        if not isinstance(told, dict):
            raise RefusedError("Requête mal formée.", HTTPStatus.BAD_REQUEST)
        return told

    def _closing(self, answer: _Answer) -> _Answer:
        """The answer, after which the connection ends: its body was not read."""
        self.close_connection = True
        return answer

    def _send(self, answer: _Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cache-Control", "no-store")
        if answer.cookie:
            self.send_header("Set-Cookie", answer.cookie)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Method and status; the path only where it is one of ours, for it may quote a search."""
        path = urlsplit(getattr(self, "path", "")).path
        is_ours = path.removeprefix(_ACTS) in ACTIONS or path in ASSETS or path == "/"
        route = path if is_ours else "(other)"
        shown = code.value if isinstance(code, HTTPStatus) else code
        _log.debug("%s %s %s", self.command, route, shown)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the default quotes what was asked."""


_NOT_IN = "Accès refusé : ouvrez l'adresse complète que la commande « geomatch review » a affichée."


def _refusal(status: int, message: str) -> _Answer:
    return _Answer(int(status), _json({"error": message}))


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode("utf-8")
