"""How good a run is: coding rate, quality, calibration, agreement with earlier codings."""

from geomatch.evaluation.compare import compare
from geomatch.evaluation.drift import Drift, drift
from geomatch.evaluation.evaluate import Evaluation, evaluate
from geomatch.evaluation.measures import Measure, expected_share, share
from geomatch.evaluation.metrics import Metrics
from geomatch.evaluation.report import html_report
from geomatch.evaluation.truth import check_truth, read_truth
from geomatch.evaluation.without_truth import Portrait, portrait

__all__ = [
    "Drift",
    "Evaluation",
    "Measure",
    "Metrics",
    "Portrait",
    "check_truth",
    "compare",
    "drift",
    "evaluate",
    "expected_share",
    "html_report",
    "portrait",
    "read_truth",
    "share",
]
