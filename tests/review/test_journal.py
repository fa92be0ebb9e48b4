from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.core.errors import ConfigError, DataError
from geomatch.review.desk.journal import ACTS, Act, Journal, latest_verdicts, read_journal


def act(
    id: str = "B1", act: str = "verdict", siret: str | None = "0" * 14, batch: str = "a"
) -> Act:
    return Act(id, act, siret, "Anne", "2030-01-01T00:00:00+00:00", "0", "", batch)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "verdicts.jsonl"


def write(file: Path, *acts: Act) -> None:
    journal = Journal(file)
    journal.append(acts)
    journal.close()


def test_what_was_written_is_read_again_in_order(file: Path) -> None:
    acts = [act("B1"), act("B2", siret=None), act("B1", "undo", None), act("é\n;", "skip", None)]
    write(file, *acts[:2])
    write(file, *acts[2:])
    assert read_journal(file) == acts
    assert len(file.read_bytes().splitlines()) == 4


def test_no_journal_is_an_empty_one(file: Path) -> None:
    assert read_journal(file) == []


@pytest.mark.parametrize("kept", [0, 1, 40])
def test_a_torn_last_line_is_left_out_and_cut_off_by_the_next_writer(file: Path, kept: int) -> None:
    write(file, act("B1"), act("B2"))
    first = file.read_bytes().splitlines(keepends=True)[0]
    file.write_bytes(file.read_bytes()[: len(first) + kept])
    assert [a.id for a in read_journal(file)] == ["B1"]
    write(file, act("B3"))
    assert [a.id for a in read_journal(file)] == ["B1", "B3"]


@given(cut=st.integers(0, 600))
def test_wherever_a_kill_cuts_the_lines_before_are_whole(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    file = tmp_path_factory.mktemp("cut") / "verdicts.jsonl"
    write(file, act("B1"), act("B2"), act("B3"))
    content = file.read_bytes()[:cut]
    file.write_bytes(content)
    assert [a.id for a in read_journal(file)] == ["B1", "B2", "B3"][: content.count(b"\n")]


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"id": "B1"}', json.dumps({**act().__dict__, "act": "guess"}), "SECRET TEXT"],
)
def test_a_damaged_line_before_others_is_refused_without_quoting_it(file: Path, line: str) -> None:
    write(file, act("B1"))
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole + line + "\n" + whole, encoding="utf-8")
    with pytest.raises(DataError, match="line 2") as refusal:
        read_journal(file)
    assert "SECRET" not in str(refusal.value)
    with pytest.raises(DataError):
        Journal(file)


def test_the_last_act_wins() -> None:
    acts = [
        act("chosen", siret="1"), act("chosen", siret="2"),
        act("undone"), act("undone", "undo", None),
        act("again"), act("again", "undo", None), act("again", siret=None),
        act("skipped", "skip", None),
    ]  # fmt: skip
    found = latest_verdicts(acts)
    assert {i: a.siret for i, a in found.items()} == {"chosen": "2", "again": None}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(ACTS))))
def test_a_verdict_is_in_force_exactly_when_nothing_came_after_it(
    told: list[tuple[str, str]],
) -> None:
    found = latest_verdicts([act(i, a) for i, a in told])
    for id in "abc":
        own = [a for i, a in told if i == id]
        assert (id in found) == (own[-1:] == ["verdict"])


def test_one_writer_at_a_time(file: Path) -> None:
    first = Journal(file)
    with pytest.raises(ConfigError, match="in use"):
        Journal(file)
    first.close()
    Journal(file).close()


def test_a_disk_that_refuses_leaves_the_journal_as_it_was(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(file)
    journal.append([act("B1")])

    def refuse(_: int) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse)
        with pytest.raises(DataError, match="cannot be written"):
            journal.append([act("B2")])
    journal.append([act("B3")])
    journal.close()
    assert [a.id for a in read_journal(file)] == ["B1", "B3"]
