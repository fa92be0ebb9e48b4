"""The sample of an audit: drawn once, kept beside the run as ``audit.json``, extended if asked.

Cards are drawn without replacement and with known chances: in the core, and in the rest of the
target. They are kept in random order, and whoever checks them sees neither stratum nor
probability.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.audit.design import Design, allotted, in_order, make_design
from geomatch.core import paths
from geomatch.core.errors import ConfigError, DataError
from geomatch.core.paths import Location
from geomatch.runs.results import read_decisions, read_run

SAMPLE = "audit.json"
FORMAT, FORMAT_VERSION = "geomatch-audit", 1
#: Level of an answer → column of its probability.
LEVELS: Mapping[str, str] = {
    "siret": "probability",
    "site": "site_probability",
    "siren": "siren_probability",
}


@dataclass(frozen=True)
class AuditOptions:
    """What is to be certified, with how many cards; :class:`ConfigError` when it makes no sense.

    Attributes
    ----------
    size : cards in all
    precision : asked for, in (0, 1); None for the one of the run
    level : siret, site (the unit in the commune) or siren
    clerks : who see each card, 1 or 2; where two differ, a third one decides
    seed : of the draw; None for one that hangs on the decisions alone
    """

    size: int = 300
    precision: float | None = None
    level: str = "siret"
    clerks: int = 1
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ConfigError(f"--size is {self.size}, expected at least one card")
        if self.precision is not None and not 0.0 < self.precision < 1.0:
            raise ConfigError(f"--precision is {self.precision}, expected one between 0 and 1")
        if self.level not in LEVELS:
            raise ConfigError(f"--level is {self.level}, expected one of {', '.join(LEVELS)}")
        if self.clerks not in (1, 2):
            raise ConfigError(f"--clerks is {self.clerks}, expected 1 or 2")


@dataclass(frozen=True)
class Card:
    """One bulletin to check: where its answer stands in the order, and when it was drawn."""

    id: str
    position: int
    draw: int


@dataclass(frozen=True)
class Sample:
    """Cards in the order they are shown, and the design they were drawn for.

    `decisions` is the SHA-256 of the decisions that the sample is of.
    """

    level: str
    clerks: int
    seed: int
    decisions: str
    design: Design
    cards: tuple[Card, ...]

    @property
    def ids(self) -> list[str]:
        """The bulletins to check."""
        return [c.id for c in self.cards]

    @property
    def draws(self) -> int:
        """How many times cards were drawn."""
        return max(c.draw for c in self.cards)

    @property
    def position(self) -> NDArray[np.int64]:
        """Of each card's answer in the order of probability."""
        return np.array([c.position for c in self.cards], dtype=np.int64)

    def held(self) -> tuple[int, int]:
        """Cards of the core and of the rest."""
        core = int((self.position < self.design.core).sum())
        return core, len(self.cards) - core


def audit(run: Location, options: AuditOptions) -> Sample:
    """Draw the sample of a run, or more cards of one that was drawn; write ``audit.json``.

    Raises
    ------
    ConfigError
        When the sample has as many cards as are asked for, or was drawn for another question;
        when no set can be certified with so many.
    DataError
        When the folder is not one of results, or has changed since the first draw.
    """
    if paths.is_file(paths.join(run, SAMPLE)):
        before = read_sample(run)
        _refuse_another_question(before, options)
        sample = _extended(before, ordered_answers(run, before.level), options.size)
    else:
        sample = first_sample(run, options)
    content = {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(sample)}
    text = json.dumps(content, ensure_ascii=False, indent=1)
    paths.write_bytes(paths.join(run, SAMPLE), f"{text}\n".encode())
    return sample


def first_sample(run: Location, options: AuditOptions) -> Sample:
    """The first draw from a run's decisions; nothing is written."""
    asked = options.precision
    if asked is None:
        asked = float(read_run(run)["options"]["decisions"]["precision"])
    digest = paths.size_and_sha256(paths.join(run, "decisions.parquet"))[1]
    answers = ordered_answers(run, options.level)
    n_bulletins = len(read_decisions(run, ["id"]))
    seed = int(digest[:8], 16) if options.seed is None else options.seed
    design = make_design(
        answers["probability"].to_numpy(np.float64),
        options.size,
        precision=asked,
        n_bulletins=n_bulletins,
    )
    empty = Sample(options.level, options.clerks, seed, digest, design, ())
    return drawn(empty, answers["id"].tolist(), allotted(design, options.size, (0, 0), 1), 1)


def ordered_answers(run: Location, level: str) -> pd.DataFrame:
    """``id``, ``siret`` and ``probability`` at a level of the answers, the likeliest first."""
    column = LEVELS[level]
    told = read_decisions(run, ["id", "siret", column]).rename(columns={column: "probability"})
    told = told[told["siret"].notna() & (told["siret"] != "")]
    if len(told) and told["probability"].isna().all():
        raise DataError(
            f"{run} has no probabilities of level {level}; match again with this version"
        )
    told = told[told["probability"] > 0]
    tie = np.array([zlib.crc32(i.encode()) for i in told["id"]], dtype=np.int64)
    order = in_order(told["probability"].to_numpy(np.float64), tie)
    return told.iloc[order].reset_index(drop=True)


def drawn(sample: Sample, ids: list[str], new: tuple[int, int], draw: int) -> Sample:
    """The sample with `new` cards of the core and of the rest, drawn among those not yet in it."""
    rng = np.random.default_rng([sample.seed, draw])
    known = sample.position
    bounds = ((0, sample.design.core), (sample.design.core, sample.design.target))
    found = [
        rng.choice(np.setdiff1d(np.arange(*bound), known), n, replace=False)
        for bound, n in zip(bounds, new, strict=True)
    ]
    positions = rng.permutation(np.concatenate(found)).astype(np.int64)
    cards = tuple(Card(ids[p], int(p), draw) for p in positions)
    return replace(sample, cards=(*sample.cards, *cards))


def _extended(sample: Sample, answers: pd.DataFrame, size: int) -> Sample:
    draw = sample.draws + 1
    new = allotted(sample.design, size, sample.held(), draw)
    if size <= len(sample.cards) or not sum(new):
        raise ConfigError(
            f"the sample has {len(sample.cards)} cards of {sample.design.target} answers already; "
            "give a larger --size to draw more, or go on with 'geomatch certify RUN'"
        )
    return drawn(sample, answers["id"].tolist(), new, draw)


def _refuse_another_question(sample: Sample, options: AuditOptions) -> None:
    asked = {"--level": (sample.level, options.level), "--clerks": (sample.clerks, options.clerks)}
    if options.precision is not None:
        asked["--precision"] = (sample.design.precision, options.precision)
    for name, (drawn_for, now) in asked.items():
        if drawn_for != now:
            raise ConfigError(
                f"{name} is {now}, but the sample of this run was drawn for {drawn_for}; a sample "
                "answers one question: copy the run for another one"
            )


def read_sample(run: Location) -> Sample:
    """``audit.json`` of a result folder.

    Raises
    ------
    ConfigError
        When no sample was drawn.
    DataError
        When the file is not one that :func:`audit` writes, or the decisions are others by now.
    """
    file = paths.join(run, SAMPLE)
    if not paths.is_file(file):
        raise ConfigError(f"{run} has no audit; draw its sample first: geomatch audit {run}")
    try:
        content: dict[str, Any] = json.loads(paths.read_bytes(file))
        sample = _sample(content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{file} is not readable ({error}); expected the file written by 'geomatch audit'"
        ) from error
    if paths.size_and_sha256(paths.join(run, "decisions.parquet"))[1] != sample.decisions:
        raise DataError(
            f"the decisions of {run} changed since its sample was drawn, which tells nothing of "
            f"them; move {SAMPLE} away and draw again"
        )
    return sample


def _sample(content: Mapping[str, Any]) -> Sample:
    got = (content["format"], content["format_version"])
    if got != (FORMAT, FORMAT_VERSION):
        raise ValueError(f"format {got}, expected {(FORMAT, FORMAT_VERSION)}")
    design = dict(content["design"])
    return Sample(
        level=content["level"],
        clerks=content["clerks"],
        seed=content["seed"],
        decisions=content["decisions"],
        design=Design(
            design["precision"],
            tuple(design["sizes"]),
            tuple(design["thresholds"]),
            design["n_bulletins"],
        ),
        cards=tuple(Card(**c) for c in content["cards"]),
    )
