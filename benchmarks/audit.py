"""Is the precision that ``certify`` swears to kept, and how much does it let one code?

The answers are those of models that did not learn from the bulletins they judge (two halves of both
development sets, :mod:`learn`), so that probabilities are as wrong as they are on a new file. An
audit is then made again and again, each with another draw: the truth plays the clerk, or two
clerks who each err on some of the cards, and a third decides where they differ. One JSON line a
case:

``valid``      share of the audits whose certified answers, without those found wrong, are right at
               the precision asked for; an audit that certifies nothing is valid
``empty``      share of the audits that certify nothing
``of_oracle``  median coding rate, as a share of what an oracle that knows every truth could code in
               our order at that precision

``--answers FILE`` keeps the answers (Parquet), and takes them from there when the file exists.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from learn import SETS, chosen, joined_sets, judged
from numpy.typing import NDArray

from geomatch.audit.certificate import Cards, passing
from geomatch.audit.clerks import ERROR_SHARE, settle
from geomatch.audit.design import Design, allotted, alpha_of, in_order, make_design
from geomatch.audit.sample import Sample, drawn
from geomatch.core.config import Config
from geomatch.core.errors import ConfigError
from geomatch.evaluation.measures import Curve
from geomatch.store.reader import Store
from geomatch.training.train import cross_evidence, fit, in_share

PARTS = 2
PRECISION = 0.95


class Case(NamedTuple):
    """One file of answers, audited with so many cards by clerks who err so often."""

    set: str
    level: str
    cards: int
    clerks: int
    error: float


CASES = [
    Case(name, level, cards, clerks, 0.05 if clerks == 2 else 0.0)
    for name in SETS
    for level in ("siret", "site")
    for cards in (300, 1000)
    for clerks in (1, 2)
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, default=Path("../shared/bench"))
    parser.add_argument("--store", type=Path, default=Path("build/store"))
    parser.add_argument("--answers", type=Path, default=None)
    parser.add_argument("--replicates", type=int, default=200)
    asked = parser.parse_args()
    if asked.answers and asked.answers.is_file():
        answers = pd.read_parquet(asked.answers)
    else:
        answers = answers_of(asked.bench, asked.store)
        if asked.answers:
            answers.to_parquet(asked.answers)
    for case in CASES:
        mine = answers[answers["set"] == case.set]
        told = audited(mine, case, asked.replicates)
        print(json.dumps({**case._asdict(), **told}), flush=True)


def answers_of(bench: Path, store: Path) -> pd.DataFrame:
    """Probability and rightness of every answer at each level, by a model that has not seen it."""
    opened = Store.open(store)
    sample = cross_evidence(*joined_sets(bench, opened), opened, Config())
    ids = sample.truth["id"].tolist()
    parts = []
    for part in range(PARTS):
        below, above = (in_share(ids, (part + k) / PARTS) for k in (0, 1))
        held = above & ~below
        parts.append(judged(sample, fit(chosen(sample, ~held)), held))
    return pd.concat(parts, ignore_index=True)


def audited(answers: pd.DataFrame, case: Case, replicates: int) -> dict[str, float]:
    """What so many audits of a file swear to, and whether it is so."""
    probability = answers[f"p_{case.level}"].to_numpy(np.float64)
    right = answers[f"right_{case.level}"].to_numpy(bool)
    oracle = Curve.of(probability, right, n=len(answers)).coverage(PRECISION)
    given = np.flatnonzero(probability > 0)
    tie = np.array([zlib.crc32(i.encode()) for i in answers["id"].iloc[given]], np.int64)
    order = given[in_order(probability[given], tie)]
    probability, right = probability[order], right[order]
    ids = answers["id"].iloc[order].tolist()
    try:
        design = make_design(probability, case.cards, precision=PRECISION, n_bulletins=len(answers))
    except ConfigError:
        return {"oracle": round(oracle, 4), "valid": 1.0, "empty": 1.0, "of_oracle": 0.0}
    sizes, valid = [], []
    for cards in _checked(design, ids, right, case, replicates):
        size = passing(design, cards, 1)
        sizes.append(size)
        n_given = size - cards.n_corrected(size)
        # a right answer that was taken for wrong is given no more either
        wrong_found = cards.position[cards.is_settled & ~cards.is_right]
        kept = np.ones(size, bool)
        kept[wrong_found[wrong_found < size]] = False
        valid.append(not size or right[:size][kept].sum() >= PRECISION * n_given - 1e-9)
    rates = np.array(sizes) / len(answers)
    told = {
        "oracle": oracle,
        "target": design.target / len(answers),
        "valid": float(np.mean(valid)),
        "empty": float(np.mean(rates == 0)),
        "coding_rate": float(np.median(rates)),
        "of_oracle": float(np.median(rates)) / oracle if oracle else 0.0,
    }
    return {k: round(v, 4) for k, v in told.items()}


def _checked(
    design: Design, ids: list[str], right: NDArray[np.bool_], case: Case, replicates: int
) -> Iterator[Cards]:
    """The cards of one audit after the other, as they were checked."""
    for seed in range(replicates):
        empty = Sample(case.level, case.clerks, seed, "", design, ())
        sample = drawn(empty, ids, allotted(design, case.cards, (0, 0), 1), 1)
        position = sample.position
        rng = np.random.default_rng([seed, 2])
        said = {
            str(at): _said(bool(ok), case, rng)
            for at, ok in zip(position.tolist(), right[position].tolist(), strict=True)
        }
        settled = settle(said, case.clerks)
        is_right = np.array([settled.verdicts[str(at)] == "ours" for at in position.tolist()])
        unseen = settled.unseen(alpha_of(1) * ERROR_SHARE)
        yield Cards(position, is_right, np.ones(len(position), bool), unseen)


def _said(is_right: bool, case: Case, rng: np.random.Generator) -> list[tuple[str, str | None]]:
    """What the clerks, and where they differ a third who knows, say of a card."""
    truth, error = ("ours", "other") if is_right else ("other", "ours")
    told: list[tuple[str, str | None]] = [
        (f"clerk {n}", error if rng.random() < case.error else truth) for n in range(case.clerks)
    ]
    return [*told, ("third", truth)] if len({siret for _, siret in told}) > 1 else told


if __name__ == "__main__":
    main()
