"""Decisions have a date and a status, and their index is as they are.

``python tests/test_decision_notes.py`` writes the index again.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "docs" / "decisions"
INDEX = FOLDER / "README.md"
DECISIONS = sorted(FOLDER.glob("[0-9]*.md"))
HEAD = re.compile(
    r"# (?P<number>\d{4}) (?P<title>[^\n]+)\n\n"
    r"Date: (?P<date>\d{4}-\d{2}-\d{2})\. "
    r"Status: (?P<status>(?:proposed|accepted|rejected|superseded by \d{4})"
    r"(?:, amended by \d{4})*)\.\n\n"
)
INTRO = """# Decisions

Choices that others would question: the question, the decision, the figures. A new one takes the
next free number, `NNNN-title.md`, and begins as the others do: title, date, status
(proposed, accepted, rejected, superseded by NNNN; amended by NNNN). `python
tests/test_decision_notes.py` writes this list.

| number | decision | date | status |
|---|---|---|---|
"""


def head(path: Path) -> dict[str, str]:
    found = HEAD.match(path.read_text(encoding="utf-8"))
    assert found, (
        f"{path.name} begins otherwise than '# NNNN Title', an empty line, "
        "'Date: 2026-11-29. Status: accepted.', an empty line"
    )
    return found.groupdict()


def index() -> str:
    """The index as the decisions give it."""
    lines = []
    for path in DECISIONS:
        one = head(path)
        cells = (one["number"], f"[{one['title']}]({path.name})", one["date"], one["status"])
        lines.append(f"| {' | '.join(cells)} |\n")
    return INTRO + "".join(lines)


@pytest.mark.parametrize("path", DECISIONS, ids=lambda p: p.name)
def test_a_decision_begins_with_its_number_title_date_and_status(path: Path) -> None:
    one = head(path)
    assert path.name.startswith(f"{one['number']}-")
    for number in re.findall(r"by (\d{4})", one["status"]):
        assert list(FOLDER.glob(f"{number}-*.md")), f"{path.name}: no decision {number}"


def test_numbers_are_used_once() -> None:
    numbers = [path.name[:4] for path in DECISIONS]
    assert sorted(set(numbers)) == numbers


def test_the_index_is_as_the_decisions_are() -> None:
    assert INDEX.read_text(encoding="utf-8") == index(), (
        "docs/decisions/README.md is old: run python tests/test_decision_notes.py"
    )


if __name__ == "__main__":
    INDEX.write_text(index(), encoding="utf-8")
