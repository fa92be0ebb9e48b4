from __future__ import annotations

import re

import pandas as pd

from geomatch.linkage.contributions import Evidence, Fact
from geomatch.linkage.explanation import Explanation
from geomatch.review.desk.weighing import NOTHING, weighing_html

ONE = {"siret": "10000000000011", "raison_sociale": "CHEZ <PAUL>"}
OTHER = {"siret": "10000000000029", "raison_sociale": "AUTRE"}


def told(evidence: tuple[Evidence, ...], *candidates: dict[str, str]) -> str:
    columns = ["siret", "raison_sociale"]
    return weighing_html(Explanation({}, pd.DataFrame([*candidates], columns=columns), evidence))


def test_bars_go_to_the_side_they_speak_for_and_are_as_long_as_they_weigh() -> None:
    facts = (Fact("même voie", "oui", "non", 2.0), Fact("numéro <1>", "1", "", 0.5))
    html = told((Evidence("adresse", 2.0, facts), Evidence("nom", -1.0, ())), ONE, OTHER)
    bars = re.findall(r'x="([\d.]+)" y="2" width="([\d.]+)"', html)
    assert bars == [("120.0", "120.0"), ("60.0", "60.0")]
    assert "+2,0" in html
    assert "-1,0" in html
    assert "même voie : oui contre non ; numéro &lt;1&gt; : 1" in html
    assert "CHEZ &lt;PAUL&gt;" in html


def test_the_longest_bar_is_whole_and_what_hardly_weighs_is_short() -> None:
    assert 'width="120.0"' in told((Evidence("nom", 400.0, ()),), ONE, OTHER)
    assert 'width="12.0"' in told((Evidence("nom", 0.2, ()),), ONE, OTHER)


def test_without_candidates_or_evidence_it_says_so() -> None:
    assert NOTHING in told(())
    assert "Rien ne les départage" in told((Evidence("nom", 0.01, ()),), ONE, OTHER)
    assert "pour le 2" not in told((Evidence("nom", 1.0, ()),), ONE)
