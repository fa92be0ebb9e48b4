"""A clerk's own day: what was settled, when, how fast, and every note that was written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from geomatch.core.wording import NO_VALUE, integer
from geomatch.review.desk.journal import SKIP, UNDO, VERDICT, Act
from geomatch.review.desk.run import ReviewRun
from geomatch.review.desk.wording import register_title
from geomatch.review.map.svg import element, escaped, table

#: Acts of a day told one by one, and notes.
_MOST_ACTS, _MOST_NOTES = 60, 100


def day_html(acts: Sequence[Act], who: str, open_to: Collection[str], run: ReviewRun) -> str:
    """The latest day a clerk worked: figures, acts that can be taken back, notes of everybody.

    Parameters
    ----------
    acts
        Of the journal, first to last.
    open_to
        Batches that this clerk can still take back: they have a button.
    """
    mine = _batches(a for a in acts if a.who == who)
    days = [_day(batch) for batch in mine]
    today = [batch for batch, day in zip(mine, days, strict=True) if day == days[-1]]
    return _figures(today) + _acts(today, open_to, run) + _notes(acts, run)


def _batches(acts: Iterable[Act]) -> list[list[Act]]:
    """Acts of one key press together, in order."""
    found: dict[str, list[Act]] = {}
    for act in acts:
        found.setdefault(act.batch, []).append(act)
    return list(found.values())


def _day(batch: Sequence[Act]) -> str:
    return _local(batch[0]).strftime("%d/%m/%Y")


def _local(act: Act) -> datetime:
    return datetime.fromisoformat(act.when).astimezone()


def _figures(today: Sequence[Sequence[Act]]) -> str:
    if not today:
        return element("p", "Rien de fait sous ce nom pour l'instant.")
    n = {kind: sum(len(b) for b in today if b[0].act == kind) for kind in (VERDICT, UNDO, SKIP)}
    none = sum(len(b) for b in today if b[0].act == VERDICT and b[0].siret is None)
    first, last = (_local(b[0]).strftime("%H:%M") for b in (today[0], today[-1]))
    told = (
        f"{_day(today[0])}, de {first} à {last} : {integer(n[VERDICT])} réglés, dont "
        f"{integer(none)} sans établissement ; {integer(n[SKIP])} passés, "
        f"{integer(n[UNDO])} annulés."
    )
    hours: dict[str, int] = {}
    for batch in (b for b in today if b[0].act == VERDICT):
        hour = _local(batch[0]).strftime("%H h")
        hours[hour] = hours.get(hour, 0) + len(batch)
    by_hour = " · ".join(f"{hour} : {integer(count)}" for hour, count in hours.items())
    return element("p", escaped(told)) + (element("p", escaped(by_hour)) if by_hour else "")


def _acts(today: Sequence[Sequence[Act]], open_to: Collection[str], run: ReviewRun) -> str:
    rows = [_row(batch, open_to, run) for batch in today[::-1][:_MOST_ACTS]]
    if not rows:
        return ""
    heads = ("Heure", "Employeur écrit", "Choix", "Bulletins", "Note", "")
    head = element("tr", "".join(element("th", escaped(h), scope="col") for h in heads))
    return element("h3", "Derniers choix") + element(
        "div", table(head, "".join(rows)), class_="wide"
    )


def _row(batch: Sequence[Act], open_to: Collection[str], run: ReviewRun) -> str:
    first = batch[0]
    cells = [
        _local(first).strftime("%H:%M"), _employer(first.id, run), _choice(first, run),
        str(len(batch)), first.note,
    ]  # fmt: skip
    undo = ""
    if first.batch in open_to:
        undo = element("button", "Annuler", type="button", data_batch=first.batch)
    return element("tr", "".join(element("td", escaped(c)) for c in cells) + element("td", undo))


def _employer(id: str, run: ReviewRun) -> str:
    return str(run.bulletins.at[id, "raison_sociale"]) if id in run.bulletins.index else id


def _choice(act: Act, run: ReviewRun) -> str:
    if act.act == UNDO:
        return "annulé"
    if act.act == SKIP:
        return "passé"
    if act.siret is None:
        return "aucun établissement"
    near = [str(run.decisions.at[act.id, "code_commune"])[:2]] if act.id in run.ids else []
    rows = run.register.rows([act.siret], near)
    return act.siret if rows.empty else register_title(rows.iloc[0])[0]


def _notes(acts: Sequence[Act], run: ReviewRun) -> str:
    """Notes of all clerks, the latest first."""
    noted = [batch[0] for batch in _batches(a for a in acts if a.note)][::-1]
    rows = "".join(
        element("tr", "".join(element("td", escaped(c)) for c in cells))
        for cells in (
            (
                _local(a).strftime("%d/%m %H:%M"), a.who, a.id, _employer(a.id, run) or NO_VALUE,
                a.note,
            )
            for a in noted[:_MOST_NOTES]
        )
    )  # fmt: skip
    if not rows:
        return element("h3", "Notes") + element("p", "Aucune note.")
    heads = ("Quand", "Qui", "Bulletin", "Employeur écrit", "Note")
    head = element("tr", "".join(element("th", escaped(h), scope="col") for h in heads))
    return element("h3", f"Notes ({len(noted)})") + element("div", table(head, rows), class_="wide")
