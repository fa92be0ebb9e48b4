"""A finished run beside its truth: what the measures of this folder are asked about."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from geomatch.training.train import in_share


def arguments(description: str | None) -> argparse.ArgumentParser:
    """``RUN TRUTH [--held-back 0.5]``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("run", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--held-back", type=float, default=0.0)
    return parser


def unseen(frame: pd.DataFrame, held_back: float) -> pd.DataFrame:
    """Bulletins that a model learned from this share has not seen; all when it is 0."""
    return frame[~in_share(frame["id"].tolist(), held_back)] if held_back else frame
