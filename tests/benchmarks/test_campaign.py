"""What the benchmark of a campaign times is there."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.campaign import PHASES


@pytest.mark.parametrize(
    ("owner", "name"), [function for functions in PHASES.values() for function in functions]
)
def test_every_timed_function_is_there(owner: Any, name: str) -> None:
    assert callable(getattr(owner, name))
