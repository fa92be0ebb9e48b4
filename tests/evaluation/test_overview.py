"""A whole run on one map by commune of work: right figures, small, and needing nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chains import Chain
from commands import Commands

from geomatch.core.errors import DataError
from geomatch.core.schema import STORE_COMMUNES
from geomatch.evaluation.outlines import SHADES
from geomatch.evaluation.overview import commune_map, run_map

N_COMMUNES = 3_000


def communes(n: int = N_COMMUNES, crs: int = 2154) -> pd.DataFrame:
    draw = np.random.default_rng(3)
    codes = [f"{10 + i // 500:02d}{i % 500:03d}" for i in range(n)]
    return STORE_COMMUNES.conform(
        pd.DataFrame(
            {
                "code_commune": codes,
                "libelle": [f"Commune <{c}>" for c in codes],
                "departement": [c[:2] for c in codes],
                "x": draw.uniform(1e5, 1.1e6, n),
                "y": draw.uniform(6.1e6, 7.1e6, n),
                "crs": crs,
            }
        )
    )


def titles(svg: str) -> list[str]:
    return re.findall(r"<title>([^<]*)</title>", svg)


def counted(svg: str) -> int:
    """Bulletins that the discs tell, all together."""
    numbers = (
        re.search(r" : ([\d\s\u202f\xa0]+) bulletins", t)
        for t in titles(svg)
        if t[:11] != "Département"
    )
    return sum(int(re.sub(r"\D", "", m[1])) for m in numbers if m)


def test_each_commune_has_its_figures() -> None:
    decisions = pd.DataFrame(
        {
            "code_commune": ["10000"] * 4 + ["10001", None],
            "decision": ["auto", "auto", "auto", "review", "none", "review"],
        }
    )
    svg = run_map(decisions, communes(2)).svg
    ground, first, second = titles(svg)
    assert ground == "Département 10 : 5 bulletins, 60 % codés"
    assert first.startswith("Commune &lt;10000&gt; : 4 bulletins")
    assert "codés automatiquement 75 %" in first
    assert "à reprendre 25 %" in first
    assert "sans établissement 100 %" in second
    assert "1 sans commune située" in svg
    assert "codés automatiquement : 3 (50 %)" in svg


def test_a_hundred_thousand_bulletins_make_a_small_drawing_that_counts_them_all() -> None:
    draw = np.random.default_rng(4)
    known = communes()
    decisions = pd.DataFrame(
        {
            "code_commune": draw.choice(known["code_commune"].to_numpy(object), 100_000),
            "decision": draw.choice(["auto", "review", "none"], 100_000),
        }
    )
    svg = run_map(decisions, known).svg
    assert len(svg) < 1_500_000
    assert counted(svg) == 100_000
    assert "communes voisines" in svg


def test_another_projection_is_drawn_beside() -> None:
    island = communes(3, 2975).assign(
        code_commune=["97401", "97402", "97403"], departement="974", x=[0, 1e4, 2e4], y=[0, 1e4, 0]
    )
    both = pd.concat([communes(5), island], ignore_index=True)
    rows = pd.DataFrame({"code_commune": ["10000", "10001", "97401"], "decision": "auto"})
    svg = run_map(rows, both).svg
    assert "Dép. 974" in svg
    assert counted(svg) == 3
    x = [float(v) for v in re.findall(r'<circle cx="([\d.-]+)"', svg)]
    assert all(0 <= v <= 980 for v in x)


def test_a_kind_without_colour_is_refused() -> None:
    with pytest.raises(DataError, match="colour"):
        commune_map(pd.Series(["10000"]), pd.Series(["?"]), communes(1), {"x": "#000"})


def test_no_bulletin_with_a_place_still_draws_the_legend() -> None:
    rows = pd.DataFrame({"code_commune": [None, "99999"], "decision": "review"})
    svg = run_map(rows, communes(2)).svg
    assert "2 sans commune située" in svg
    assert titles(svg) == []


def test_the_report_has_the_map_and_asks_nobody(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    ran = commands("evaluate", chain.out, "--truth", chain.files.truth, "--report", report)
    assert ran.code == 0
    text = report.read_text(encoding="utf-8")
    assert "Où sont les bulletins" in text
    assert "Carte des bulletins" in text
    assert report.stat().st_size < 2_000_000
    assert set(re.findall(r"https?://[^\s\"<]+", text)) <= {"http://www.w3.org/2000/svg"}


def test_a_departement_is_shaded_by_the_share_coded_not_by_the_number() -> None:
    known = communes(1_500)
    n = {"10": (90, 10), "11": (2, 8), "12": (0, 0)}
    decisions = pd.concat(
        [
            pd.DataFrame({"code_commune": f"{d}001", "decision": ["auto"] * a + ["review"] * b})
            for d, (a, b) in n.items()
        ]
    )
    svg = run_map(decisions, known).svg
    shades = dict(re.findall(r'fill="(#\w+)"><title>Département (\d\d)', svg))
    assert {d: s for s, d in shades.items()} == {"10": SHADES[-1][1], "11": SHADES[0][1]}
    for low, colour in SHADES:
        assert colour in svg, low


def test_paris_has_a_drawing_of_its_own_where_it_is_crowded() -> None:
    known = communes(1_000)
    known.loc[known["departement"] == "10", "departement"] = "75"
    codes = known.loc[known["departement"] == "75", "code_commune"].tolist()
    other = known.loc[known["departement"] == "11", "code_commune"].iloc[0]

    def drawn(used: list[str]) -> str:
        frame = pd.DataFrame({"code_commune": [*used, other], "decision": "auto"})
        return run_map(frame, known).svg

    assert "Paris et petite couronne" in drawn(codes[:3])
    assert "Paris et petite couronne" not in drawn(codes[:2])
