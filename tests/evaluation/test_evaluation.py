from __future__ import annotations

import io
import json
import math
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from geomatch.core.errors import ConfigError, DataError, LayoutError
from geomatch.evaluation import compare, evaluate, html_report, read_truth
from geomatch.evaluation.measures import Curve, calibration, calibration_error, coverages, share

BENCH = Path(__file__).parents[3] / "shared" / "bench"


def siret(i: int) -> str:
    return f"{i:014d}"


def run(rows: list[tuple], **more) -> pd.DataFrame:
    """(id, decision, siret, probability) → decisions."""
    frame = pd.DataFrame(rows, columns=["id", "decision", "siret", "probability"])
    return frame.assign(siren=frame["siret"].str[:9], **more)


def among(**candidates: list[str]) -> pd.DataFrame:
    rows = [(i, r, s) for i, sirets in candidates.items() for r, s in enumerate(sirets, start=1)]
    return pd.DataFrame(rows, columns=["id", "rank", "siret"])


A, B, C = siret(100_000_000_00011), siret(100_000_000_00029), siret(200_000_000_00017)
TRUTH = pd.DataFrame(
    {
        "id": list("abcdef"),
        "siret": [A, A, A, C, "", ""],
        "naf": ["84.11Z", "84.11Z", "84.12Z", "47.11F", "", ""],
    }
)
DECISIONS = run(
    [
        ("a", "auto", A, 0.9),  # right
        ("b", "auto", B, 0.8),  # right SIREN, wrong site, right one at rank 2
        ("c", "review", A, 0.8),  # right
        ("d", "review", A, 0.3),  # wrong, right one not among the candidates
        ("e", "auto", C, 0.6),  # not in the register
        ("f", "none", "", np.nan),  # not in the register, none said
    ],
    naf=["84.11Z", "84.11Z", "84.11Z", "47.81Z", "47.11F", ""],
    naf_probability=[0.9, 0.9, 0.6, 0.5, 0.4, np.nan],
    naf_decision=["auto", "auto", "auto", "review", "review", "none"],
)
CANDIDATES = among(a=[A], b=[B, A], c=[A, B], d=[A, B], e=[C])


def text(renderable) -> str:
    out = io.StringIO()
    Console(width=200, file=out).print(renderable)
    return out.getvalue()


# ----------------------------------------------------------------------- computed by hand


def test_metrics_of_six_bulletins_computed_by_hand():
    got = evaluate(DECISIONS, CANDIDATES, TRUTH).as_dict()
    expected = {
        "n": 6,
        "n_with_truth": 4,
        "n_missing": 0,
        "n_unlabelled": 0,
        "top1": 2 / 4,
        "recall_20": 3 / 4,
        "coding_rate": 3 / 6,
        "precision": 1 / 3,
        # 0.9: 1/1 right; 0.8 (two at once): 2/3; so one bulletin in six
        "coverage_90": 1 / 6,
        "coverage_95": 1 / 6,
        "coverage_98": 1 / 6,
        "none_precision": 1.0,
        "none_recall": 1 / 2,
    }
    assert {k: got[k] for k in expected} == pytest.approx(expected)
    assert got["siren"]["top1"] == pytest.approx(3 / 4)
    assert got["siren"]["precision"] == pytest.approx(2 / 3)


def test_kinds_of_error_counted_by_hand():
    errors = evaluate(DECISIONS, CANDIDATES, TRUTH).as_dict()["errors"]
    assert errors["auto"] == {
        "wrong": 2,
        "not_in_register": 1,
        "right_siren_wrong_site": 1,
        "without_candidate": 0,
        "rank_2_20": 1,
        "not_among_candidates": 0,
    }
    assert errors["all"] == {
        "wrong": 3,
        "not_in_register": 1,
        "right_siren_wrong_site": 1,
        "without_candidate": 0,
        "rank_2_20": 1,
        "not_among_candidates": 1,
    }


def test_naf_at_each_level_computed_by_hand():
    naf = evaluate(DECISIONS, CANDIDATES, TRUTH).as_dict()["naf"]
    # right at 5: a, b; at 4: the same (84.12 is not 84.11); at 3 and 2: c, then d too
    assert {k: v["top1"] for k, v in naf.items()} == {"5": 0.5, "4": 0.5, "3": 0.75, "2": 1.0}
    assert {k: v["precision"] for k, v in naf.items()} == pytest.approx(
        {"5": 2 / 3, "4": 2 / 3, "3": 1.0, "2": 1.0}
    )
    assert naf["5"]["coding_rate"] == 0.5
    assert naf["5"]["n_with_truth"] == 4
    assert naf["5"]["coverage_95"] == pytest.approx(2 / 6)
    assert naf["2"]["coverage_95"] == pytest.approx(4 / 6)
    assert "calibration_error" in naf["5"]
    assert "calibration_error" not in naf["2"]


def test_unknown_activities_count_as_wrong_except_where_said():
    truth = TRUTH.assign(naf=["84.11Z", "", "84.12Z", "47.11F", "", ""])
    got = evaluate(DECISIONS, CANDIDATES, truth).as_dict()["naf"]["5"]
    assert got["precision"] == pytest.approx(1 / 3)
    assert got["precision_known"] == pytest.approx(1 / 2)


def test_naf_dots_do_not_matter_and_a_dot_is_no_code():
    decisions = DECISIONS.assign(naf=DECISIONS["naf"].str.replace(".", ""))
    truth = TRUTH.assign(naf=["8411z", "84.11Z", ".", "47.11F", "", ""])
    got = evaluate(decisions, CANDIDATES, truth).as_dict()["naf"]["5"]
    assert got["n_with_truth"] == 3
    assert got["top1"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("kind", [dict, pd.Series])
def test_naf_of_the_truth_may_come_from_the_register(kind):
    register = kind({A: "84.11Z", C: "47.81Z"})
    truth = TRUTH.drop(columns="naf")
    assert evaluate(DECISIONS, CANDIDATES, truth).as_dict()["naf"] == {}
    got = evaluate(DECISIONS, CANDIDATES, truth, naf_of_siret=register).as_dict()["naf"]["5"]
    assert got["n_with_truth"] == 4
    assert got["top1"] == 1.0


def test_agreement_with_earlier_codings():
    bulletins = pd.DataFrame(
        {
            "id": list("fedcba"),
            "siret_mca": ["", C, C, "", A, A],
            "classe_mca": ["", "E", "C", "", "D", "C"],
            "siret_final": [""] * 6,
        }
    )
    got = evaluate(DECISIONS, CANDIDATES, TRUTH, bulletins=bulletins).as_dict()["agreement"]
    assert list(got) == ["mca", "mca_c"]
    assert got["mca_c"]["coding_rate"] == pytest.approx(2 / 6)
    assert got["mca_c"]["precision"] == 1.0
    assert got["mca_c"]["agreement"] == 1 / 2
    mca = {k: v for k, v in got["mca"].items() if k != "intervals"}
    assert mca == pytest.approx(
        {"coding_rate": 4 / 6, "precision": 3 / 4, "agreement": 2 / 4, "agreement_auto": 2 / 3}
    )


def test_calibration_error_computed_by_hand():
    # two bins: told 0.9 and seen 1/2, told 0.2 and seen 0
    curve = Curve.of([0.9, 0.9, 0.2, 0.2], [True, False, False, False], n=4)
    measured = calibration_error(calibration(curve, bins=2))
    assert measured.value == pytest.approx((0.4 + 0.2) / 2)
    assert measured.n == 4


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 20, 0.0, 0.1611), (20, 20, 0.8389, 1.0), (1, 2, 0.0945, 0.9055)],
)
def test_wilson_interval_of_published_examples(right, n, low, high):
    measured = share(right, n)
    assert (measured.low, measured.high) == (
        pytest.approx(low, abs=1e-4),
        pytest.approx(high, abs=1e-4),
    )


def test_coverage_takes_the_largest_share_not_the_first_dip():
    # precision 1, 1/2, 2/3, 3/4, 4/5: at 0.8 all five may be kept
    curve = Curve.of([0.9, 0.8, 0.7, 0.6, 0.5], [1, 0, 1, 1, 1], n=10)
    assert curve.coverage(0.8) == 0.5
    assert curve.coverage(0.81) == 0.1
    assert curve.coverage(0.0) == 0.5


def test_equal_probabilities_are_kept_together():
    right_first = Curve.of([0.5] * 4, [1, 1, 1, 0], n=4)
    assert right_first.coverage(0.9) == 0.0
    assert right_first.coverage(0.75) == 1.0


# ------------------------------------------------------------------- which bulletins count


def test_bulletins_missing_on_either_side_are_told_and_left_out():
    extra = pd.DataFrame({"id": ["z"], "siret": [A], "naf": [""]})
    some = evaluate(DECISIONS, CANDIDATES, pd.concat([TRUTH.iloc[:3], extra]))
    assert some.overall.n == 3
    assert (some.n_missing, some.n_unlabelled) == (1, 3)
    shown = text(some.table())
    assert "bulletins de la vérité sans décision (non comptés)" in shown
    assert "décisions sans vérité (non comptées)" in shown


def test_null_sirets_are_none():
    decisions = DECISIONS.assign(
        siret=DECISIONS["siret"].where(DECISIONS["siret"] != "", None),
        naf=DECISIONS["naf"].where(DECISIONS["naf"] != "", None),
    )
    expected = evaluate(DECISIONS, CANDIDATES, TRUTH).as_dict()
    assert evaluate(decisions, CANDIDATES, TRUTH).as_dict() == expected


def test_without_candidates_what_needs_them_is_left_out():
    got = evaluate(DECISIONS, None, TRUTH).as_dict()
    assert "recall_20" not in got
    assert "rank_2_20" not in got["errors"]["all"]


def test_a_run_without_naf_has_no_naf_measures():
    got = evaluate(DECISIONS[["id", "decision", "siret", "probability"]], None, TRUTH)
    assert got.as_dict()["naf"] == {}


def test_a_run_that_codes_nothing_has_no_precision():
    decisions = run([(i, "none", "", np.nan) for i in "abcdef"])
    got = evaluate(decisions, CANDIDATES.iloc[:0], TRUTH).as_dict()
    assert got["precision"] is None
    assert got["calibration_error"] is None
    assert got["intervals"]["precision"] == [None, None]
    assert got["coverage_90"] == 0.0
    assert got["coding_rate"] == 0.0
    assert "NaN" not in json.dumps(got)


def test_rank_beyond_twenty_is_not_recalled():
    others = [siret(i) for i in range(20)]
    decisions = run([("a", "auto", others[0], 0.5), ("b", "auto", others[0], 0.5)])
    found = evaluate(decisions, among(a=[*others, A], b=[*others[:19], A]), TRUTH.iloc[:2])
    assert found.as_dict()["recall_20"] == 0.5


def test_candidates_in_any_order():
    shuffled = CANDIDATES.sample(frac=1, random_state=3)
    expected = evaluate(DECISIONS, CANDIDATES, TRUTH).as_dict()
    assert evaluate(DECISIONS, shuffled, TRUTH).as_dict() == expected


def test_no_bulletin_at_all():
    got = evaluate(DECISIONS.iloc[:0], CANDIDATES.iloc[:0], TRUTH.iloc[:0]).as_dict()
    assert got["n"] == 0
    assert got["top1"] is None
    assert got["coverage_95"] is None


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda d, c, t: (pd.concat([d, d.iloc[:1]]), c, t), "1 identifier"),
        (lambda d, c, t: (d, c, pd.concat([t, t.iloc[:2]])), "stand twice: 2"),
        (lambda d, c, t: (d.drop(columns="decision"), c, t), "decision missing"),
        (lambda d, c, t: (d, c.drop(columns="rank"), t), "rank missing"),
        (lambda d, c, t: (d, c, t.drop(columns="siret")), "siret missing"),
        (lambda d, c, t: (d.assign(probability=np.nan), c, t), "no probability"),
        (lambda d, c, t: (d.assign(probability=1.5), c, t), "5 row"),
        (lambda d, c, t: (d.assign(naf_probability=np.nan), c, t), "no naf_probability"),
        (lambda d, c, t: (d.assign(id="x" + d["id"]), c, t), "same identifiers"),
        (lambda d, c, t: (d, c, t.assign(siret="123")), "not 14 digits"),
        (lambda d, c, t: (d, c, t.assign(id="")), "without identifier"),
    ],
)
def test_unusable_tables_are_refused(change, part):
    decisions, candidates, truth = change(DECISIONS, CANDIDATES, TRUTH)
    with pytest.raises(DataError, match=part):
        evaluate(decisions, candidates, truth)


def test_bulletins_without_identifier_are_no_duplicates():
    decisions = pd.concat([DECISIONS, run([("", "none", "", np.nan)] * 2)])
    assert evaluate(decisions, CANDIDATES, TRUTH).n_unlabelled == 2


# --------------------------------------------------------------------------------- strata


def test_strata_come_from_decisions_bulletins_or_truth():
    decisions = DECISIONS.assign(type=["x", "x", "y", "", None, ""])
    bulletins = pd.DataFrame({"id": list("abcdef"), "mode": list("wwwppp")})
    truth = TRUTH.assign(origine=[1, 1, 2, 2, 2, 2])
    found = evaluate(
        decisions, CANDIDATES, truth, bulletins=bulletins, by=["type", "mode", "origine"]
    )
    strata = found.as_dict()["strata"]
    assert {k: {v: m["n"] for v, m in s.items()} for k, s in strata.items()} == {
        "type": {"(vide)": 3, "x": 2, "y": 1},
        "mode": {"p": 3, "w": 3},
        "origine": {"2": 4, "1": 2},
    }
    assert strata["mode"]["w"]["top1"] == pytest.approx(2 / 3)
    assert len(found.strata_tables()) == 3


def test_values_of_one_name_are_one_stratum_and_bulletins_count_by_their_first_row():
    bulletins = pd.DataFrame(
        {"id": list("badcbfeb"), "mode": [1, "1", "1", 1, "other", "0", "0", "other"]}, dtype=object
    )
    strata = evaluate(DECISIONS, CANDIDATES, TRUTH, bulletins=bulletins, by=["mode"]).as_dict()
    assert [(v, m["n"]) for v, m in strata["strata"]["mode"].items()] == [("1", 4), ("0", 2)]


def test_unknown_strata_are_told_together():
    with pytest.raises(ConfigError, match="by lune, soleil: expected columns"):
        evaluate(DECISIONS, CANDIDATES, TRUTH, by=["lune", "id", "soleil"])


def test_rare_values_are_put_together():
    n = 100
    decisions = run([(str(i), "auto", A, 0.5) for i in range(n)], commune=range(n))
    truth = pd.DataFrame({"id": [str(i) for i in range(n)], "siret": A})
    strata = evaluate(decisions, None, truth, by=["commune"]).as_dict()["strata"]["commune"]
    assert len(strata) == 41
    assert strata["(autres)"]["n"] == 60
    assert sum(m["n"] for m in strata.values()) == n


# ----------------------------------------------------------------------------- properties


@st.composite
def runs(draw):
    n = draw(st.integers(1, 60))
    of = st.sampled_from
    rows = draw(
        st.lists(
            st.tuples(
                of(["auto", "review", "none"]),
                of([A, B, C, ""]),
                of([0.0, 0.2, 0.5, 0.9, 0.95, 1.0]) | st.floats(0, 1),
                of([A, B, C, ""]),
            ),
            min_size=n,
            max_size=n,
        )
    )
    ids = [f"b{i}" for i in range(n)]
    decisions = run([(i, d, s, p) for i, (d, s, p, _) in zip(ids, rows, strict=True)])
    return decisions, pd.DataFrame({"id": ids, "siret": [t for *_, t in rows]})


@settings(max_examples=80, deadline=None)
@given(data=runs(), seed=st.integers(0, 99))
def test_the_order_of_the_rows_does_not_matter(data, seed):
    decisions, truth = data
    shuffled = decisions.sample(frac=1, random_state=seed)
    first = evaluate(decisions, None, truth).as_dict()
    assert evaluate(shuffled, None, truth.iloc[::-1]).as_dict() == first


@settings(max_examples=80, deadline=None)
@given(data=runs())
def test_every_interval_holds_its_value_and_lies_in_0_1(data):
    decisions, truth = data
    found = evaluate(decisions, None, truth).overall
    for measured in [*found.siret.values(), *found.siren.values()]:
        if not math.isnan(measured.value):
            assert 0 <= measured.low <= measured.value <= measured.high <= 1


@settings(max_examples=150, deadline=None)
@given(data=runs(), precision=st.sampled_from([0.5, 0.9, 0.95, 0.98, 1.0]))
def test_what_is_kept_at_a_precision_has_that_precision(data, precision):
    decisions, truth = data
    answered = decisions[decisions["siret"] != ""]
    is_right = (answered["siret"] == truth.loc[answered.index, "siret"]).to_numpy()
    curve = Curve.of(answered["probability"], is_right, n=len(decisions))
    n_kept = round(curve.coverage(precision) * len(decisions))
    order = np.argsort(-answered["probability"].to_numpy(), kind="stable")
    if n_kept:
        assert is_right[order[:n_kept]].mean() >= precision - 1e-9
    # and no larger cut between two different probabilities would do
    p = answered["probability"].to_numpy()[order]
    for k in range(n_kept + 1, len(p) + 1):
        if k == len(p) or p[k] < p[k - 1]:
            assert is_right[order[:k]].mean() < precision


@settings(max_examples=50, deadline=None)
@given(data=runs())
def test_errors_add_up(data):
    decisions, truth = data
    candidates = decisions.assign(rank=1)[["id", "rank", "siret"]]
    for kinds in evaluate(decisions, candidates, truth).overall.errors.values():
        parts = ("not_in_register", "rank_2_20", "not_among_candidates")
        assert kinds["wrong"] == sum(kinds[k] for k in parts)
        assert kinds["right_siren_wrong_site"] <= kinds["wrong"]


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 300))
def test_a_perfect_run_gives_one(n):
    ids = [str(i) for i in range(n)]
    truth = pd.DataFrame({"id": ids, "siret": [siret(i) for i in range(n)], "naf": "84.11Z"})
    decisions = truth.assign(
        decision="auto", probability=1.0, naf_decision="auto", naf_probability=1.0
    )
    found = evaluate(decisions, truth.assign(rank=1), truth).overall
    measures = dict(found.siret)
    assert measures.pop("calibration_error").value == 0
    assert measures.pop("none_precision").n == measures.pop("none_recall").n == 0
    for measured in [*measures.values(), *found.siren.values(), *found.naf[2].values()]:
        assert measured.value == measured.high == 1
    assert found.errors["all"]["wrong"] == 0


# --------------------------------------------------------------- intervals, speed, at scale


def simulated(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.beta(3, 1, n)
    return p, rng.random(n) < p


def test_coverage_interval_holds_the_true_value_about_95_times_in_100():
    p, is_right = simulated(2_000_000, 0)
    true = Curve.of(p, is_right, n=len(p)).coverage(0.9)
    hits = 0
    for seed in range(1, 101):
        p, is_right = simulated(2_000, seed)
        measured = coverages(Curve.of(p, is_right, n=len(p)), [0.9])[0]
        hits += measured.low <= true <= measured.high
    assert 85 <= hits <= 100


def test_a_calibrated_run_has_a_small_calibration_error_and_a_shifted_one_has_not():
    p, is_right = simulated(20_000, 1)
    good = calibration_error(calibration(Curve.of(p, is_right, n=len(p))))
    bad = calibration_error(calibration(Curve.of(np.minimum(p + 0.1, 1), is_right, n=len(p))))
    assert good.value < 0.015
    assert bad.low > 0.05


def large(n: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    p, is_right = simulated(n, 2)
    ids = np.array([f"70{i:08d}" for i in range(n)], dtype=object)
    sirets = np.array([siret(i) for i in range(n)], dtype=object)
    wrong = np.roll(sirets, 1)
    truth = pd.DataFrame({"id": ids, "siret": sirets, "naf": "84.11Z"})
    decisions = pd.DataFrame(
        {
            "id": ids,
            "decision": np.where(p > 0.9, "auto", "review"),
            "siret": np.where(is_right, sirets, wrong),
            "probability": p,
            "naf": np.where(is_right, "84.11Z", "84.12Z"),
            "naf_probability": p,
            "naf_decision": "auto",
        }
    )
    candidates = pd.DataFrame(
        {
            "id": np.repeat(ids, 20),
            "rank": np.tile(np.arange(1, 21), n),
            "siret": np.stack([np.roll(sirets, k) for k in range(20)], axis=1).ravel(),
        }
    )
    return decisions, candidates, truth


def test_twenty_thousand_bulletins_take_less_than_two_seconds():
    tables = large(20_000)
    start = time.perf_counter()
    found = evaluate(*tables)
    assert time.perf_counter() - start < 2
    assert found.overall.siret["recall_20"].value == 1


# ---------------------------------------------------------------------- comparison, report


def worse() -> pd.DataFrame:
    return DECISIONS.assign(probability=1 - DECISIONS["probability"])


def test_runs_are_ranked_side_by_side():
    good, bad = (evaluate(d, CANDIDATES, TRUTH) for d in (DECISIONS, worse()))
    shown = text(compare({"ancien [v1]": bad, "nouveau": good}))
    head = next(line for line in shown.splitlines() if "1." in line)
    assert head.index("1. nouveau") < head.index("2. ancien [v1]")
    assert "part codable à 95 % de précision" in shown
    assert "Erreurs du codage automatique" in shown


def test_best_value_is_marked_and_ties_are_not():
    from geomatch.evaluation.compare import rows

    found = rows([evaluate(d, CANDIDATES, TRUTH) for d in (worse(), DECISIONS)])["SIRET"]
    best = {row.label: set(row.best) for row in found}
    assert best["part codable à 95 % de précision"] == {1}
    assert best["meilleur candidat juste"] == set()
    assert best["erreur de calibration"] == {1}


def test_nothing_to_compare_or_report_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="nothing to compare"):
        compare({})
    with pytest.raises(ConfigError, match="no run"):
        html_report({}, tmp_path / "r.html")


class Page(HTMLParser):
    """Checks that tags are closed in order, and gathers what would load from elsewhere."""

    VOID = frozenset({"meta", "line", "circle", "polyline"})

    def __init__(self):
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in ("src", "href") and v]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_report_is_one_page_that_needs_nothing_else(tmp_path):
    runs_ = {
        "un <essai>": evaluate(DECISIONS, CANDIDATES, TRUTH, by=["naf"]),
        "deux": evaluate(worse().drop(columns="naf"), None, TRUTH),
    }
    path = html_report(runs_, tmp_path / "r.html")
    content = path.read_text(encoding="utf-8")
    page = Page()
    page.feed(content)
    assert page.open == []
    assert page.links == []
    assert "http" not in content.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert page.tags.count("figure") == 4
    assert {"polyline", "circle"} <= set(page.tags)
    assert "un &lt;essai&gt;" in content
    assert "Par naf" in content
    assert not re.search(r"\bnan\b", content)
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]


def test_report_of_a_single_run_that_answers_nothing(tmp_path):
    decisions = run([(i, "none", "", np.nan) for i in "abcdef"])
    content = html_report(evaluate(decisions, None, TRUTH), tmp_path / "r.html").read_text("utf-8")
    assert "<figure>" not in content
    assert "bulletins évalués" in content


def test_report_makes_its_folder_and_is_refused_where_there_can_be_none(tmp_path):
    evaluation = evaluate(DECISIONS, CANDIDATES, TRUTH)
    assert html_report(evaluation, tmp_path / "absent" / "r.html").is_file()
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        html_report(evaluation, tmp_path / "file" / "r.html")


def test_screen_table_is_french():
    shown = text(evaluate(DECISIONS, CANDIDATES, TRUTH).table())
    assert "taux de codage automatique" in shown
    assert "33,3 %" in shown
    assert "NAF à 2 chiffres" in shown


# ------------------------------------------------------------------------------ truth file


@pytest.mark.parametrize(
    "content",
    [
        f"CABBI;SIRET;NAF;SIREN\n1;{A};84.11Z;{A[:9]}\n2;;;\n",
        f"id;siret;naf\n1;{A};84.11Z\n2;;\n",
        f"ID,SIRET,APE\n1,{A[:9]} {A[9:]},84.11Z\n2,,\n",
        f"siret\tnaf\tid\r\n{A}\t84.11Z\t1\r\n\t\t2\r\n",
    ],
)
def test_truth_files_of_both_layouts(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_text(content, encoding="utf-8", newline="")
    got = read_truth(path)
    assert got.to_numpy().tolist() == [["1", A, "84.11Z", A[:9]], ["2", "", "", ""]]
    assert list(got.columns) == ["id", "siret", "naf", "siren"]


def test_other_columns_of_a_truth_serve_as_strata(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"id;siret;source\na;{A};x\nb;;y\n", encoding="utf-8")
    truth = read_truth(path)
    assert truth["source"].tolist() == ["x", "y"]
    strata = evaluate(DECISIONS, CANDIDATES, truth, by=["source"]).as_dict()["strata"]
    assert strata["source"]["x"]["top1"] == 1.0


def test_sirets_stored_as_numbers_find_their_zeros_again(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"id": [1, 2], "siret": [5_520_176_600_018, None]}).to_parquet(path)
    got = read_truth(path)
    assert got["siret"].tolist() == ["05520176600018", ""]
    assert got["siren"].tolist() == ["055201766", ""]


@pytest.mark.parametrize(
    ("content", "error", "part"),
    [
        ("a;b\n1;2\n", LayoutError, "no column id nor siret"),
        ("id;naf\n1;2\n", LayoutError, "no column siret"),
        ("id;siret\n1;5,5E+13\n", DataError, "not 14 digits: 1 row"),
        ("id;siret;naf\n1;\n", DataError, "1 row.* have not 3 fields"),
        (f"id;siret\n1;{A}\n1;{A}\n", DataError, "stand twice"),
        (f"id;siret\n;{A}\n", DataError, "without identifier"),
        ("", DataError, "is empty"),
    ],
)
def test_bad_truth_files_are_refused(tmp_path, content, error, part):
    path = tmp_path / "t.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(error, match=part):
        read_truth(path)


@pytest.mark.shared
@pytest.mark.skipif(not BENCH.is_dir(), reason="shared real data not beside the checkout")
@pytest.mark.parametrize(
    ("name", "with_naf"), [("rp_dev_truth.csv", True), ("real_dev_truth.csv", False)]
)
def test_shared_truths_judge_themselves_right(name, with_naf):
    truth = read_truth(BENCH / name)
    n = len(truth)
    with (BENCH / name).open(encoding="utf-8") as lines:
        assert n == sum(1 for _ in lines) - 1
    has = truth["siret"] != ""
    decisions = truth.assign(
        decision=np.where(has, "auto", "none"),
        probability=np.where(has, 1.0, np.nan),
        naf_decision=np.where(truth["naf"] != "", "auto", "none"),
        naf_probability=1.0,
    )
    found = evaluate(decisions, truth.assign(rank=1), truth).overall
    assert found.siret["top1"].value == found.siret["precision"].value == 1
    assert found.siret["coverage_98"].value == pytest.approx(has.mean())
    assert bool(found.naf) == with_naf


@pytest.mark.slow
def test_the_whole_census_takes_less_than_a_minute():
    n = 1_700_000
    decisions, _, truth = large(10)
    decisions, truth = (
        pd.concat([t] * (n // 10), ignore_index=True).assign(id=[f"{i:09d}" for i in range(n)])
        for t in (decisions, truth)
    )
    candidates = pd.DataFrame(
        {
            "id": np.repeat(truth["id"].to_numpy(object), 20),
            "rank": np.tile(np.arange(1, 21), n),
            "siret": np.tile(truth["siret"].to_numpy(object), 20),
        }
    )
    start = time.perf_counter()
    evaluate(decisions, candidates, truth)
    assert time.perf_counter() - start < 60
