"""How good a run is: coding rate, quality, calibration, agreement with earlier codings."""

from geomatch.evaluation.compare import compare
from geomatch.evaluation.evaluate import Evaluation, evaluate
from geomatch.evaluation.measures import Measure, expected_share, share
from geomatch.evaluation.metrics import Metrics
from geomatch.evaluation.report import html_report
from geomatch.evaluation.truth import check_truth, read_truth

__all__ = [
    "Evaluation",
    "Measure",
    "Metrics",
    "check_truth",
    "compare",
    "evaluate",
    "expected_share",
    "html_report",
    "read_truth",
    "share",
]
