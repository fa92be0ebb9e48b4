from __future__ import annotations

import numpy as np

from geomatch.linkage.ladder import LEVELS, answers


def test_the_answer_is_at_the_most_precise_level_that_is_sure() -> None:
    sure = {
        "siret": np.array([1, 0, 0, 0, 0], bool),
        "site": np.array([1, 1, 0, 0, 0], bool),
        "siren": np.array([1, 1, 1, 0, 0], bool),
        "naf": np.array([0, 1, 1, 1, 0], bool),
    }
    chance = {level: np.full(5, 0.9 + i / 100) for i, level in enumerate(LEVELS)}
    out = answers(chance, sure)
    assert out["answer_level"].tolist() == ["siret", "site", "siren", "naf", "none"]
    np.testing.assert_allclose(out["answer_probability"][:4], [0.9, 0.91, 0.92, 0.93])
    assert np.isnan(out["answer_probability"][4])
