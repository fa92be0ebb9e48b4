from __future__ import annotations

import pytest

from geomatch.linkage.prepared import departement_code


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("1", "01"),
        (" 35 ", "35"),
        ("2a", "2A"),
        ("974", "974"),
        ("20", ""),
        ("PARIS", ""),
        ("", ""),
    ],
)
def test_a_departement_is_a_code_that_a_store_can_hold(written: str, code: str) -> None:
    assert departement_code(written) == code
