"""What the page may ask for: each address, what its body has to hold, what the desk then does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from geomatch.errors import ConfigError
from geomatch.review.desk import Desk, RefusedError, Session
from geomatch.review.queue import Filters

Body = Mapping[str, Any]
Action = Callable[[Desk, Session, Body], dict[str, Any]]
#: Longest text typed into any field, characters.
_MOST_TEXT = 1000


def _enter(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    is_shared = desk.enter(session, _text(body, "name"))
    return {**_card(desk, session, body), "name_is_shared": is_shared}


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
    alone = body.get("alone", False) is True
    note = _text(body, "note")
    return desk.settle(session, _number(body), siret, note=note, alone=alone)


def _skip(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    return desk.skip(session, _number(body), note=_text(body, "note"))


def _undo(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    return desk.undo(session)


def _search(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    name, street = _text(body, "name"), _text(body, "street")
    return desk.search(_number(body), name, street, _text(body, "departement"))


def _siret(desk: Desk, session: Session, body: Body) -> dict[str, Any]:
    return desk.look_up(_number(body), _text(body, "siret"))


ACTIONS: Mapping[str, Action] = {
    "/api/enter": _enter,
    "/api/card": _card,
    "/api/verdict": _verdict,
    "/api/skip": _skip,
    "/api/undo": _undo,
    "/api/search": _search,
    "/api/siret": _siret,
}


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
