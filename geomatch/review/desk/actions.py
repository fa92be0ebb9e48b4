"""What a screen may ask for: each act, what its body has to hold, what the desk then does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from geomatch.core.errors import ConfigError
from geomatch.review.desk.desk import Desk, RefusedError, Session, Typed
from geomatch.review.desk.maps import MapRequest, is_metres, size_of, window_of
from geomatch.review.desk.queue import Filters

Body = Mapping[str, Any]
Action = Callable[[Desk, Session, Body], dict[str, Any]]
#: Longest text typed into any field, characters.
_MOST_TEXT = 1000
#: A map is drawn with so many candidates at most.
_MOST_SIRETS = 8


def _enter(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    desk.enter(session, _text(body, "name"))
    return _card(desk, session, body)


def _pause(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    return desk.pause(session)


def _day(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    return desk.day(session)


def _reopen(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    return desk.undo(session, _text(body, "batch"))


def _card(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    try:
        session.filters = Filters.from_query(_texts(body, "filters"))
    except ConfigError as error:
        raise RefusedError("Un filtre de probabilité est un nombre entre 0 et 1.", 422) from error
    return desk.next_card(session)


def _verdict(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    siret = None if body.get("siret", "") is None else _text(body, "siret")
    if siret == "":
        raise RefusedError("Requête mal formée.")
    without = body.get("without", [])
    if not isinstance(without, list) or not all(isinstance(i, str) for i in without):
        raise RefusedError("Requête mal formée.")
    note = _text(body, "note")
    return desk.settle(session, _number(body), siret, note=note, without=without)


def _skip(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    return desk.skip(session, _number(body), note=_text(body, "note"))


def _undo(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    return desk.undo(session)


def _search(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    name, street, where = (_text(body, n).strip() for n in ("name", "street", "departement"))
    return desk.search(session, _number(body), Typed(name, street, where, _point(body)))


def _siret(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    return desk.look_up(session, _number(body), _text(body, "siret"))


def _map(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    sirets = body.get("sirets", [])
    if not isinstance(sirets, list) or len(sirets) > _MOST_SIRETS:
        raise RefusedError("Requête mal formée.")
    if not all(isinstance(s, str) and len(s) == 14 for s in sirets):
        raise RefusedError("Requête mal formée.")
    asked = _metres(body, "window")
    window = None if asked is None else window_of(asked, session.size)
    if asked is not None and window is None:
        raise RefusedError("Requête mal formée.")
    return desk.draw(_number(body), MapRequest(tuple(sirets), window, _point(body), session.size))


def _weigh(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    return desk.weigh(_number(body))


ACTIONS: Mapping[str, Action] = {
    "enter": _enter,
    "card": _card,
    "verdict": _verdict,
    "skip": _skip,
    "undo": _undo,
    "reopen": _reopen,
    "pause": _pause,
    "day": _day,
    "search": _search,
    "siret": _siret,
    "map": _map,
    "weigh": _weigh,
}


def act(desk: Desk, session: Session, name: str, body: Body) -> dict[str, Any]:
    """Do what a screen asks, and prepare in the background what it will probably ask next.

    Raises
    ------
    RefusedError
        When there is no such act (status 404), the body is not what it takes, or the desk
        refuses.
    """
    action = ACTIONS.get(name)
    if action is None:
        raise RefusedError("Cette adresse n'existe pas.", 404)
    if "size" in body:
        session.size = size_of(body["size"])
    told = action(desk, session, body)
    if told.get("card"):
        desk.prepare_later(session)
    return told


def _text(body: Body, name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > _MOST_TEXT:
        raise RefusedError("Requête mal formée.")
    return value


def _texts(body: Body, name: str) -> dict[str, str]:
    value = body.get(name, {})
    if not isinstance(value, dict):
        raise RefusedError("Requête mal formée.")
    return {str(key): _text(value, key) for key in value}


def _number(body: Body) -> int:
    value = body.get("number")
    if not isinstance(value, int) or isinstance(value, bool):
        raise RefusedError("Requête mal formée.")
    return value


def _metres(body: Body, name: str) -> list[float] | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(is_metres(v) for v in value):
        raise RefusedError("Requête mal formée.")
    return [float(v) for v in value]


def _point(body: Body) -> tuple[float, float] | None:
    value = _metres(body, "point")
    if value is None:
        return None
    if len(value) != 2:
        raise RefusedError("Requête mal formée.")
    return (value[0], value[1])
