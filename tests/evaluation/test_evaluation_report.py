"""Strata, who was right, runs without a truth, drift, and the page that tells them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from chains import Chain
from commands import Commands
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from geomatch.core.decision_types import type_label
from geomatch.core.errors import ConfigError, DataError
from geomatch.core.wording import (
    AGREEMENT_LABELS,
    CODING_LABELS,
    LABELS,
    LEVEL_NAMES,
    NAF_TITLES,
    RATE_LABELS,
    RIGHT_LABELS,
    STRATA_COLUMNS,
    integer,
    percent,
    points,
)
from geomatch.evaluation import drift, evaluate, html_report, portrait
from geomatch.evaluation.drift import MOVED, WATCH, change, shift
from geomatch.evaluation.measures import share
from geomatch.evaluation.strata import sections

A, B, C = "10000000000011", "10000000000029", "20000000000017"


def decided(**more: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "id": list("abcdef"),
            "decision": ["auto", "auto", "review", "review", "auto", "none"],
            "siret": [A, B, A, A, C, ""],
            "probability": [0.9, 0.8, 0.8, 0.3, 0.6, 0.0],
            "naf": ["84.11Z", "85.10Z", "", "47.11F", "47.11F", ""],
            "naf_probability": [0.9, 0.9, 0.1, 0.6, 0.6, 0.0],
            "naf_decision": ["auto", "auto", "none", "review", "review", "none"],
            "code_commune": ["75101", "75102", "97411", "2A004", "", "35238"],
        }
    )
    return frame.assign(**more)


TRUTH = pd.DataFrame(
    {
        "id": list("abcdef"),
        "siret": [A, A, A, C, "", ""],
        "naf": ["84.11Z", "84.11Z", "84.12Z", "47.11F", "", ""],
    }
)
BULLETINS = pd.DataFrame(
    {
        "id": list("fedcba"),
        "siret_mca": ["", C, C, B, A, A],
        "classe_mca": ["", "C", "D", "C", "C", "C"],
        "raison_sociale": ["x", "x", "x", "x", "x", ""],
        "numero": ["", "", "", "1", "2", ""],
        "complement": [""] * 6,
        "mode_collecte": ["web", "web", "web", "paper", "paper", "paper"],
    }
)


# ------------------------------------------------------------------------------- strata
def test_sections_of_codes_with_and_without_a_dot() -> None:
    nafs = ["84.11Z", "8411Z", "01.11Z", "99.00Z", "", "04.00Z"]
    found = sections(np.array(nafs, dtype=object))
    assert [s[:1] for s in found] == ["O", "O", "A", "U", "", ""]


def test_every_division_in_use_has_one_section() -> None:
    used = {*range(1, 4), *range(5, 10), *range(10, 34), *range(35, 40), *range(41, 44),
            *range(45, 48), *range(49, 54), *range(55, 57), *range(58, 64), *range(64, 67), 68,
            *range(69, 76), *range(77, 83), 84, 85, *range(86, 89), *range(90, 94),
            *range(94, 97), *range(97, 99), 99}  # fmt: skip
    told = sections(np.array([f"{d:02d}.00Z" for d in range(100)], dtype=object))
    assert {d for d in range(100) if told[d]} == used
    assert len(set(told) - {""}) == 21


def test_sections_are_those_of_the_truth_and_departements_those_found() -> None:
    strata = evaluate(decided(), None, TRUTH, with_standard=True).as_dict()["strata"]
    assert {v: m["n"] for v, m in strata["departement_travail"].items()} == {
        "75": 2, "974": 1, "2A": 1, "(vide)": 1, "35": 1,
    }  # fmt: skip
    named = {v[:1]: (m["n"], m["coding_rate"]) for v, m in strata["section_naf"].items()}
    assert named == {"O": (3, 2 / 3), "(": (2, 0.5), "G": (1, 0.0)}


def test_strata_that_do_not_vary_are_told_only_when_asked() -> None:
    one = decided(type="sure")
    assert "type" not in evaluate(one, None, TRUTH, with_standard=True).strata
    assert "type" in evaluate(one, None, TRUTH, by=["type"]).strata


# ------------------------------------------------------------------------- who was right
def test_who_was_right_counted_by_hand() -> None:
    got = evaluate(decided(), None, TRUTH, bulletins=BULLETINS).as_dict()["who_was_right"]
    # a: both right; b: we say B, MCA A, A is true; c: we say A (right), MCA B; d: we say A,
    # MCA C (right); e: both C, not in the register
    assert got["mca"]["all"] == {
        "agree_right": 1, "agree_wrong": 1, "run_right": 1, "other_right": 2, "both_wrong": 0,
    }  # fmt: skip
    assert got["mca"]["auto"] == {
        "agree_right": 1, "agree_wrong": 1, "run_right": 0, "other_right": 1, "both_wrong": 0,
    }  # fmt: skip
    assert sum(got["mca_c"]["all"].values()) == 4


@given(st.lists(st.tuples(*[st.sampled_from(["", A, B, C])] * 3), min_size=1, max_size=30))
def test_every_coded_bulletin_is_in_one_cell(rows: list[tuple[str, str, str]]) -> None:
    ours, true, past = ([r[i] for r in rows] for i in range(3))
    ids = [str(i) for i in range(len(rows))]
    decisions = pd.DataFrame(
        {
            "id": ids,
            "decision": ["auto" if s else "none" for s in ours],
            "siret": ours,
            "probability": 0.5,
        }
    )
    truth = pd.DataFrame({"id": ids, "siret": true})
    bulletins = pd.DataFrame({"id": ids, "siret_gestionnaire": past})
    got = evaluate(decisions, None, truth, bulletins=bulletins).overall
    n_coded = sum(p != "" for p in past)
    if n_coded:
        cells = got.who_was_right["gestionnaire"]["all"]
        assert sum(cells.values()) == n_coded
        right = cells["agree_right"] + cells["other_right"]
        assert got.agreement["gestionnaire"]["precision"].value == pytest.approx(right / n_coded)
    else:
        assert got.who_was_right == {}


# ---------------------------------------------------------------------- without a truth
def test_a_run_without_a_truth_told_by_hand() -> None:
    got = portrait(decided(), BULLETINS, by=["naf_decision"]).as_dict()
    assert got["coding_rate"] == pytest.approx(3 / 6)
    assert got["none_rate"] == pytest.approx(1 / 6)
    assert got["expected_precision"] == pytest.approx((0.9 + 0.8 + 0.6) / 3)
    assert got["naf_coding_rate"] == pytest.approx(2 / 6)
    assert got["missing"]["raison_sociale"] == pytest.approx(1 / 6)
    assert got["missing"]["numero"] == pytest.approx(4 / 6)
    assert "complement" not in got["missing"]  # nobody fills it: the layout has none
    assert got["agreement"]["mca"]["agreement"] == pytest.approx(2 / 5)
    assert got["agreement"]["mca_c"]["agreement_auto"] == pytest.approx(2 / 3)
    paper = got["strata"]["mode_collecte"]["paper"]
    assert (paper["n"], paper["coding_rate"]) == (3, pytest.approx(2 / 3))
    assert got["strata"]["naf_decision"]["review"]["n"] == 2


def test_a_portrait_refuses_what_it_cannot_look_at() -> None:
    with pytest.raises(DataError, match="probability"):
        portrait(decided().drop(columns="probability"))
    with pytest.raises(ConfigError, match="NO_SUCH"):
        portrait(decided(), by=["NO_SUCH"])


# --------------------------------------------------------------------------------- drift
def test_the_index_of_a_known_shift_computed_by_hand() -> None:
    before, now = np.array([0.1] * 50 + [0.9] * 50), np.array([0.1] * 80 + [0.9] * 20)
    got = shift(before, now)
    p, q = np.array([50.5, 50.5]), np.array([80.5, 20.5])
    total = 100 + 0.5 * (len(got.edges) + 2)  # empty bins add nothing else
    expected = float(np.sum((q - p) / total * np.log(q / p)))
    assert got.psi == pytest.approx(expected)
    assert got.verdict == "a changé"


@given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=60))
def test_the_same_scores_have_not_moved(values: list[float]) -> None:
    scores = np.array(values, np.float64)
    got = shift(scores, scores)
    assert got.psi == pytest.approx(0.0)
    assert got.verdict == "stable"
    assert got.now.sum() == pytest.approx(1.0 if len(values) else 0.0)


def test_a_step_of_the_calibration_that_moves_by_a_thousandth_is_no_drift() -> None:
    before = np.r_[np.linspace(0, 0.9, 50), np.full(50, 0.9768)]
    now = np.r_[np.linspace(0, 0.9, 50), np.full(50, 0.9771)]
    assert shift(before, now).verdict == "stable"


@pytest.mark.parametrize(("share", "text"), [(0.0, "0,0"), (-1e-9, "0,0"), (-0.012, "−1,2")])
def test_differences_are_told_in_points(share: float, text: str) -> None:
    assert points(share) == text


@pytest.mark.parametrize(
    ("psi", "word"),
    [(0.0, "stable"), (WATCH, "à surveiller"), (MOVED, "a changé"), (9.0, "a changé")],
)
def test_the_index_has_customary_bounds(psi: float, word: str) -> None:
    nothing = np.empty(0)
    assert type(shift(nothing, nothing))(nothing, nothing, nothing, psi).verdict == word


def test_newcombes_interval_of_a_published_example() -> None:
    # Newcombe 1998, Statistics in Medicine 17, p. 876: 56/70 and 48/80, method 10
    got = change(share(48, 80), share(56, 70))
    assert got.difference == pytest.approx(0.2)
    assert (got.low, got.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert got.is_clear


def test_two_campaigns_are_compared_field_by_field_and_stratum_by_stratum() -> None:
    before = portrait(decided(), BULLETINS)
    now = portrait(decided(decision="auto"), BULLETINS.assign(raison_sociale=["x"] * 5 + [""]))
    got = drift(now, before).as_dict()
    assert got["rates"]["coding_rate"]["difference"] == pytest.approx(0.5)
    assert got["missing"]["numero"]["difference"] == 0
    assert got["strata"]["mode_collecte"]["web"]["now"] == 1.0
    assert got["scores"]["probability"]["psi"] == pytest.approx(0.0)
    json.dumps(got)


# ------------------------------------------------------------------------------ the page
class Tables(HTMLParser):
    """Rows of cells under each heading of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.heading, self.section = "", ""
        self.rows: dict[tuple[str, str], list[list[str]]] = {}
        self._cells: list[str] | None = None
        self._into: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("h1", "h2", "h3"):
            self._into, self._text, self.section = tag, "", ""
        elif tag == "tr":
            self._cells = []
            self._is_section = ("class", "section") in attrs
        elif tag in ("td", "th"):
            self._into, self._text = tag, ""
        elif tag == "small":
            self._text += "|"

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("h1", "h2", "h3"):
            self.heading = self._text
        elif tag in ("td", "th") and self._cells is not None:
            self._cells.append(self._text.split("|")[0].strip())
        elif tag == "tr" and self._cells is not None:
            if self._is_section:
                self.section = self._cells[0]
            else:
                self.rows.setdefault((self.heading, self.section), []).append(self._cells)
            self._cells = None

    def labelled(self, heading: str, section: str = "") -> dict[str, list[str]]:
        return {cells[0]: cells[1:] for cells in self.rows[heading, section]}


def parsed(file: Path) -> Tables:
    tables = Tables()
    tables.feed(file.read_text(encoding="utf-8"))
    return tables


def told(value: float | None) -> str:
    return percent(math.nan if value is None else value)


def overall_numbers(got: dict) -> Iterator[tuple[str, str, float | None]]:
    """Section, label and value of every measure that JSON tells overall."""
    blocks = {"SIRET": (got, LABELS), "SIREN": (got["siren"], LABELS)}
    blocks |= {NAF_TITLES[int(level)]: (m, LABELS) for level, m in got["naf"].items()}
    blocks |= {CODING_LABELS[n]: (m, AGREEMENT_LABELS) for n, m in got["agreement"].items()}
    for section, (measures, labels) in blocks.items():
        for name in measures["intervals"]:
            yield section, labels[name], measures[name]


def test_the_numbers_of_the_page_are_those_of_the_json(
    chain: Chain, commands: Commands, tmp_path: Path
) -> None:
    page = tmp_path / "r.html"
    ran = commands(
        "evaluate", chain.out, "--truth", chain.files.truth, "--by", "type",
        "--report", page, "--json", "--against", chain.out,
    )  # fmt: skip
    got, tables = json.loads(ran.out), parsed(page)
    shown = 0
    for section, label, value in overall_numbers(got):
        assert tables.labelled("Toutes les mesures", section)[label] == [told(value)], label
        shown += 1
    assert shown > 40
    counted = tables.labelled("Toutes les mesures")
    assert counted["bulletins évalués"] == [integer(got["n"])]
    for name, scopes in got["who_was_right"].items():
        cells = tables.labelled(f"Qui avait raison : {CODING_LABELS[name]}")
        for kind, label in RIGHT_LABELS.items():
            assert cells[label] == [integer(k[kind]) for k in scopes.values()]
    assert got["who_was_right"]
    for value, measures in got["strata"]["type"].items():
        row = tables.labelled("Par type de bulletin")[type_label(value)]
        assert row == [integer(measures["n"]), *(told(measures.get(m)) for m in STRATA_COLUMNS)]
    rates = tables.labelled("Résultats")
    for name, rate in got["drift"]["rates"].items():
        assert rates[RATE_LABELS[name]][2:4] == [told(rate["before"]), told(rate["now"])]
    assert all(s["psi"] == pytest.approx(0) for s in got["drift"]["scores"].values())


def test_a_run_without_a_truth_has_its_page_and_its_json(
    chain: Chain, commands: Commands, tmp_path: Path
) -> None:
    page = tmp_path / "r.html"
    ran = commands("evaluate", chain.out, "--report", page, "--json")
    got, tables = json.loads(ran.out), parsed(page)
    assert "precision" not in got
    shown = tables.labelled("Codage, sans vérité")
    for name, label in RATE_LABELS.items():
        assert shown[label][0].split(" (")[0] == told(got[name])
    for value, stratum in got["strata"]["departement_travail"].items():
        row = tables.labelled(f"Par département de travail – {chain.out.name}")[value]
        assert row[:2] == [integer(stratum["n"]), told(stratum["coding_rate"])]
    on_screen = commands("evaluate", chain.out, "--against", chain.out)
    assert "précision attendue" in on_screen.out
    assert "indice de stabilité" in on_screen.out


def test_several_runs_have_a_scoreboard(chain: Chain, tmp_path: Path) -> None:
    runs = {
        "<un>": evaluate(decided(), None, TRUTH, bulletins=BULLETINS),
        "deux": evaluate(decided(siret=C), None, TRUTH),
    }
    tables = parsed(html_report(runs, tmp_path / "r.html"))
    board = tables.labelled("Tableau des passages")
    assert board["<un>"][0] == "1"
    assert board["<un>"][1:3] == ["50,0 %", "33,3 %"]
    assert board["<un>"][-1] == "40,0 %"  # agreement with MCA
    assert board["deux"][-1] == "–"


def test_the_summary_tells_what_matters_in_words(chain: Chain, tmp_path: Path) -> None:
    evaluation = evaluate(decided(), None, TRUTH, bulletins=BULLETINS)
    text = html_report(evaluation, tmp_path / "r.html").read_text(encoding="utf-8")
    brief = text[text.index("En bref") : text.index("</ul>")]
    assert "Sur 6 bulletins, 50,0 %" in brief
    assert "33,3 %" in brief
    assert "MCA codait 66,7 %" in brief
    only = html_report({}, tmp_path / "p.html", portraits={"": portrait(decided())})
    assert "une promesse" in only.read_text(encoding="utf-8")


def test_the_page_says_what_it_is_of(chain: Chain, commands: Commands, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    ran = commands("evaluate", chain.out, "--truth", chain.files.truth, "--report", file)
    assert ran.code == 0
    html = file.read_text("utf-8")
    run = json.loads((chain.out / "run.json").read_text("utf-8"))
    for told in (
        f"<dd>{run['geomatch']}</dd>",
        Path(run["input"]["path"]).name,
        f"{integer(run['input']['bulletins'])} bulletins",
        percent(run["options"]["decisions"]["precision"], 1),
        run["store"]["manifest_sha256"][:12],
        "Page établie le",
    ):
        assert told in html, told
    assert "@media print" in html
    assert str(chain.out) not in html


def test_a_report_tells_every_level_and_folds_what_is_long(chain: Chain, tmp_path: Path) -> None:
    from geomatch.evaluation.scoring import Asked, evaluate_runs

    page = tmp_path / "report.html"
    asked = Asked(by=("departement_travail",), report=str(page))
    evaluate_runs([str(chain.out)], str(chain.files.truth), Console(quiet=True), asked)
    html = page.read_text("utf-8")
    assert "Ce qui est sûr, niveau par niveau" in html
    for level in ("siret", "site", "siren"):
        assert f"<td>{LEVEL_NAMES[level]}</td>" in html
    folded = re.findall(r"<details( open)?>.*?</details>", html, re.DOTALL)
    lines = [d.count("<tr>") - 1 for d in re.findall(r"<details.*?</details>", html, re.DOTALL)]
    assert folded == [" open" if n <= 12 else "" for n in lines]
    assert "details::details-content{content-visibility:visible" in html


def test_every_picture_of_a_report_is_an_image_of_its_own(chain: Chain, tmp_path: Path) -> None:
    from geomatch.evaluation.scoring import Asked, evaluate_runs

    page = tmp_path / "report.html"
    asked = Asked(report=str(page))
    evaluate_runs([str(chain.out)], str(chain.files.truth), Console(quiet=True), asked)
    pictures = re.findall(r"<svg.*?</svg>", page.read_text("utf-8"), re.DOTALL)
    assert len(pictures) >= 4
    for picture in pictures:
        assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
