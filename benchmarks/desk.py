"""``python benchmarks/desk.py RUN --truth FILE``: how far the cards of a run make the choice easy.

A reader that knows nothing but what stands on a card settles the cards of a run: which words of
a candidate are lit in its name, street, number and town, whether the card says that the activity
fits, and who stands first. It has no score, no probability and no feature. Its verdicts are
compared with the truth on the same bulletins whatever the order of the cards, so that two versions
of the card can be compared. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd

from geomatch.core.text import normalise
from geomatch.review.desk.desk import Desk, Session
from geomatch.review.desk.journal import JOURNAL, latest_verdicts

#: Zones of a candidate, by the class of their element.
_ZONES = ("name", "also", "where", "naf", "why")
#: What each thing seen is worth to the reader. Chosen once, before any card was changed.
_NAME, _STREET, _NUMBER, _TOWN = 3.0, 1.0, 0.7, 0.4
_ACTIVITY, _CIRCLE = 0.7, 0.3
#: With less of the name lit and no street, nobody of the list is taken.
_LEAST_NAME = 0.25


@dataclass
class Seen:
    """A candidate as read: letters lit in its names, and what is lit or told beside them."""

    lit: int = 0
    letters: int = 0
    marks: set[str] = field(default_factory=set)
    words: str = ""

    def worth(self, written: int) -> float:
        """What speaks for it, for a form whose employer has so many letters."""
        told = _NAME * self.share(written)
        told += _STREET * ("street" in self.marks) + _NUMBER * ("number" in self.marks)
        told += _TOWN * ("town" in self.marks)
        told += _CIRCLE * (("dans le cercle" in self.words) - ("hors du cercle" in self.words))
        fits = "activité qui concorde" in self.words
        return told + _ACTIVITY * (fits - ("autre activité" in self.words))

    def share(self, written: int) -> float:
        """How much of the written name is lit in it, and of it in the written one; in [0, 1]."""
        if not self.letters or not written:
            return 0.0
        return 0.5 * min(1.0, self.lit / written) + 0.5 * self.lit / self.letters


class _Card(HTMLParser):
    """Reads the candidates of a card."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Seen] = []
        self._open: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        css = dict(attrs).get("class") or ""
        self._open.append((tag, css))
        if tag == "button":
            self.seen.append(Seen())
        if tag == "mark" and self.seen and self._zone() == "where":
            self.seen[-1].marks.update(css.split())

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self.seen or not any(tag == "button" for tag, _ in self._open):
            return
        one, zone = self.seen[-1], self._zone()
        if zone in ("name", "also"):
            letters = len(normalise(data).replace(" ", ""))
            one.letters += letters if zone == "name" else 0
            one.lit += letters * any(tag == "mark" for tag, _ in self._open)
        if zone == "why":
            one.words += data

    def _zone(self) -> str:
        found = (w for tag, css in reversed(self._open) if tag == "span" for w in css.split())
        return next((w for w in found if w in _ZONES), "")


def choice(card: Mapping[str, Any]) -> str | None:
    """SIRET that the reader takes, None for nobody of the list."""
    parser = _Card()
    parser.feed(card["candidates"])
    written = len(normalise(_employer(card["bulletin"])).replace(" ", ""))
    if not parser.seen:
        return None
    worth = [one.worth(written) for one in parser.seen]
    best = worth.index(max(worth))
    one = parser.seen[best]
    if one.share(written) < _LEAST_NAME and "street" not in one.marks:
        return None
    return str(card["sirets"][best])


def _employer(html: str) -> str:
    """The written employer: the first cell of the form."""
    cell = re.search(r"<td[^>]*>(.*?)</td>", html, re.DOTALL)
    return re.sub(r"<[^>]+>", "", cell[1]) if cell else ""


def settle(run: Path, truth: Mapping[str, str], n: int) -> dict[str, float]:
    """Settle every card of a copy of the run; agreement on `n` bulletins drawn by identifier."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(run, Path(folder) / "run"))
        (copy / JOURNAL).unlink(missing_ok=True)
        desk, session = Desk.open(copy), Session("reader", "lecteur")
        desk.enter(session, "lecteur")
        told = desk.next_card(session)
        while told["card"]:
            number = told["card"]["number"]
            told = desk.settle(session, number, choice(told["card"]), note="")
        desk.journal.close()
        verdicts = latest_verdicts(Desk.open(copy).journal.acts)
    known = sorted((i for i in verdicts if i in truth), key=lambda i: zlib.crc32(i.encode()))[:n]
    pairs = [(verdicts[i].siret or "", truth[i]) for i in known]
    right = sum(said == true for said, true in pairs)
    unit = sum(said[:9] == true[:9] for said, true in pairs)
    chosen = [(said, true) for said, true in pairs if said]
    return {
        "n": len(pairs),
        "right": round(right / len(pairs), 4),
        "right_unit": round(unit / len(pairs), 4),
        "chosen": round(len(chosen) / len(pairs), 4),
        "right_of_chosen": round(sum(s == t for s, t in chosen) / max(1, len(chosen)), 4),
    }


def main() -> None:
    """Read the options, settle, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--cards", type=int, default=300)
    asked = parser.parse_args()
    rows = pd.read_csv(asked.truth, sep=";", dtype=str, keep_default_na=False)
    named = {c.lower(): c for c in rows.columns}
    id = named.get("cabbi", named.get("id", ""))
    truth = dict(zip(rows[id], rows[named["siret"]], strict=True))
    print(json.dumps(settle(asked.run, truth, asked.cards)))


if __name__ == "__main__":
    main()
