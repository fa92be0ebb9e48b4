from __future__ import annotations

from dataclasses import replace

import pytest

from geomatch.core.wording import UNITS
from geomatch.linkage.contributions import for_and_against, weigh
from geomatch.linkage.model import Linear, Model
from geomatch.training.train import UNTRAINED


def model(weights: dict[str, float], of_file: dict[str, float] | None = None) -> Model:
    return replace(UNTRAINED, ranking=Linear(weights, 0.0), collective=of_file or {})


def test_kinds_of_evidence_are_summed_and_the_strongest_comes_first() -> None:
    found = weigh(
        {"same_name": 1.0, "both": 0.5, "number": 0.0, "seen": 2.0, "missed": 0.0, "size": 1.0},
        {"same_name": 0.0, "both": 0.5, "number": 1.0, "seen": 0.0, "missed": 2.0, "size": 1.0},
        model({"same_name": 2.0, "both": 3.0, "number": 1.5}, {"seen": 0.25, "missed": -0.5}),
    )
    assert [(e.group, e.pull) for e in found] == [
        ("nom", 2.0),
        ("adresse", -1.5),
        ("collègues", 1.5),
    ]
    assert [f.label for f in found[0].facts] == ["noms identiques"]


def test_reasons_are_words_for_and_against() -> None:
    found = weigh(
        {"same_name": 1.0, "number": 0.0},
        {"same_name": 0.0, "number": 1.0},
        model({"same_name": 2.0, "number": 1.5}),
    )
    pros, cons = for_and_against(found)
    assert pros == ["nom (noms identiques : oui contre non)"]
    assert cons == ["adresse (même voie et même numéro : non contre oui)"]


def test_an_establishment_that_nobody_names_is_told_by_its_headcount() -> None:
    found = weigh(
        {"size": 1.6094, "missed": 0.0},
        {"size": 5.2983, "missed": 3.1},
        model({"size": 0.5}, {"missed": -1.0}),
    )
    facts = {e.group: (e.facts[0].first, e.facts[0].second) for e in found}
    assert facts == {"collègues": ("–", "200"), "taille": ("5", "200")}


def test_without_a_second_the_first_stands_alone() -> None:
    (one,) = weigh({"street": 1.0}, None, model({"street": 1.0, "number": 1.0}))
    assert (one.pull, one.facts[0].second) == (1.0, "")
    assert for_and_against([one])[0] == ["adresse (même voie : oui)"]


def test_equal_candidates_leave_nothing_to_say() -> None:
    same = {"street": 1.0, "both": 0.4}
    assert for_and_against(weigh(same, same, model({"street": 2.0, "both": 1.0}))) == ([], [])


@pytest.mark.parametrize(
    ("value", "unite", "text"),
    [
        (1.0, "oui_non", "oui"),
        (0.0, "oui_non", "non"),
        (0.923, "part", "92 %"),
        (-1.25, "nombre", "-1,25"),
        (0.0, "compte", "1"),
        (2.0794, "compte", "8"),
        (0.0, "metres", "0 m"),
        (0.6931, "metres", "50 m"),
        (1.0986, "ecart", "2"),
    ],
)
def test_values_are_told_as_people_count(value: float, unite: str, text: str) -> None:
    assert UNITS[unite](value) == text
