"""The clerk's desk in a notebook cell: the page's front end, its acts answered by the kernel."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from geomatch.core.errors import ConfigError, GeomatchError
from geomatch.review.desk.actions import act
from geomatch.review.desk.desk import Desk, RefusedError, Session
from geomatch.review.desk.options import AS_IT_IS, ReviewOptions
from geomatch.review.desk.queue import Filters
from geomatch.review.web.screen import desk_html, notebook_module, notebook_style

#: What a clerk is told when the store or the disk fails; the log says more.
_BROKEN = "La base ou le journal ne répond pas ; rien n'a été enregistré. Voir le noyau."
_FILTERS = ("departement", "type", "pmin", "pmax")
#: Desks open in this process, by folder and kind: several cells share one journal.
_DESKS: dict[tuple[Path, bool], Desk] = {}


class ReviewWidget(anywidget.AnyWidget):
    """Card, map, search and verdicts, as on the page; see :func:`review`.

    Every asset comes with the widget over the kernel's own connection: nothing is fetched.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _style = traitlets.Unicode().tag(sync=True)
    _desk = traitlets.Unicode().tag(sync=True)
    who = traitlets.Unicode().tag(sync=True)
    filters = traitlets.Dict().tag(sync=True)

    def __init__(self, desk: Desk, *, name: str, filters: Mapping[str, str]) -> None:
        super().__init__(
            _esm=notebook_module(),
            _style=notebook_style(),
            _desk=desk_html(),
            who=name,
            filters=dict(filters),
        )
        self.desk = desk
        self.session = Session(secrets.token_hex(8), name or "gestionnaire")
        self.on_msg(self._answer)

    def _answer(self, _: object, content: Any, __: object) -> None:
        """Answer one message of the front end: ``number``, ``name`` of the act, ``body``."""
        told = content if isinstance(content, dict) else {}
        answer: dict[str, Any] = {"number": told.get("number")}
        body = told.get("body")
        try:
            if not isinstance(body, dict):
                raise RefusedError("Requête mal formée.")
            answer["answer"] = act(self.desk, self.session, str(told.get("name")), body)
        except RefusedError as error:
            answer |= {"error": str(error), "status": error.status}
        except GeomatchError as error:
            self.log.error("%s", error)
            answer |= {"error": _BROKEN, "status": 500}
        self.send(answer)

    def close(self) -> None:
        """Give the card back and take the widget away."""
        self.desk.leave(self.session)
        super().close()


def review(
    run_dir: str | Path,
    *,
    name: str = "",
    filters: Mapping[str, str] | None = None,
    options: ReviewOptions = AS_IT_IS,
) -> ReviewWidget:
    """The desk of a run as the value of a notebook cell.

    Parameters
    ----------
    run_dir : path
        Folder made by ``geomatch match``; verdicts go to its ``verdicts.jsonl``, the same that
        the page writes.
    name : str
        Clerk; empty to be asked.
    filters : mapping
        ``departement``, ``type`` (comma-separated), ``pmin``, ``pmax``; see
        :class:`~geomatch.review.desk.queue.Filters`.
    options : ReviewOptions
        Those of the first call for a folder count until :func:`close_reviews`.

    Raises
    ------
    ConfigError
        When another process has the journal, or a filter makes no sense.
    DataError
        When the run, its bulletins, the store or the journal is not readable.
    """
    wanted = dict(filters or {})
    strange = sorted(set(wanted) - set(_FILTERS))
    if strange:
        raise ConfigError(f"filter {', '.join(strange)} unknown; expected {', '.join(_FILTERS)}")
    Filters.from_query(wanted)
    folder = Path(run_dir).resolve()
    key = (folder, options.audit)
    if key not in _DESKS:
        _DESKS[key] = Desk.open(folder, options)
    return ReviewWidget(_DESKS[key], name=name, filters=wanted)


def close_reviews() -> None:
    """Let go of the journals that :func:`review` opened, so that a page can serve them."""
    while _DESKS:
        _DESKS.popitem()[1].journal.close()
