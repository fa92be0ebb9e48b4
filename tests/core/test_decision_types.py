"""The table of decision types: complete, or refused with what it lacks."""

from __future__ import annotations

import pytest

from geomatch.core.decision_types import check_conditions, decision_types, read_types, type_label
from geomatch.core.errors import ConfigError

LINE = ("tie", "10", "0", "plusieurs candidats", "Plusieurs conviennent.")


def test_types_come_by_priority_and_sure_before_all() -> None:
    types = list(decision_types().values())
    assert [t.priority for t in types] == sorted(t.priority for t in types)
    assert (types[0].code, types[-1].code) == ("sure", "low_probability")


def test_a_reason_is_a_sentence_and_a_label_is_none() -> None:
    for one in decision_types().values():
        assert one.reason.endswith("."), one.code
        assert one.reason[0].isupper(), one.code
        assert not one.label.endswith("."), one.code


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([LINE[:4]], "line 2 lacks reason"),
        ([(*LINE[:3], "", LINE[4])], "line 2 lacks label"),
        ([(*LINE, "more")], "line 2 has 6 values"),
        ([(LINE[0], "first", *LINE[2:])], "priority is a number"),
        ([(*LINE[:2], "yes", *LINE[3:])], "may_be_none is 0 or 1"),
        ([LINE, LINE], "code tie is there twice; priority 10 is there twice"),
    ],
)
def test_an_incomplete_table_is_refused(rows: list[tuple[str, ...]], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read_types(rows)


def test_a_type_without_condition_is_refused_and_a_condition_without_type() -> None:
    known = set(decision_types())
    check_conditions(known)
    with pytest.raises(ConfigError, match=r"no condition in linkage/decisions\.py for tie"):
        check_conditions(known - {"tie"})
    with pytest.raises(ConfigError, match=r"no line in core/tables/decision_types\.csv for new"):
        check_conditions({*known, "new"})


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert type_label("tie") == decision_types()["tie"].label
    assert type_label("of another version") == "of another version"
