"""A finished run decided again, for another precision, level or threshold, without matching."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from geomatch.core import paths
from geomatch.core.config import Config
from geomatch.core.errors import ConfigError, DataError
from geomatch.core.paths import Location
from geomatch.core.processes import private_files
from geomatch.core.schema import CANDIDATES, DECISIONS
from geomatch.linkage.model import LEVELS, Model, model_hash, threshold_for
from geomatch.linkage.settling import ASSESSED, Bounds
from geomatch.runs.ordered_merge import ORDER
from geomatch.runs.points import without_points
from geomatch.runs.results import read_run
from geomatch.runs.settled_tables import Settled, rows_of
from geomatch.runs.work_folder import PART, RUN, write_description


@private_files()
def decide_run(
    run: Location,
    out: Location,
    *,
    precision: float | None = None,
    level: str = "",
    threshold: float | None = None,
) -> dict[str, Any]:
    """Decide the bulletins of a finished run again; what the new run.json holds.

    Probabilities stay as they are; so do the candidates, which are copied.

    Parameters
    ----------
    run, out : path
        Folder of results; the new one, which must not be the same.
    precision : float, optional
        Asked of automatic codes; None: as before.
    level : str, optional
        ``siret``, ``site``, ``siren`` or ``naf``: only this level is asked for `precision` or
        `threshold`; empty: the precision is that of the first three.
    threshold : float, optional
        Least probability that is coded, in place of a precision; of the SIRET unless a `level` is
        given.

    Raises
    ------
    ConfigError
        When what is asked for makes no sense, or the model is not the run's.
    DataError
        When the run cannot be read, or an earlier version wrote it.
    """
    description = read_run(run)
    _refuse(run, out, precision, level, threshold)
    config = Config.from_dict(
        {k: description["options"][k] for k in ("decisions", "model")}, source=RUN
    )
    if model_hash(config.model) != description["model"]["sha256"]:
        raise ConfigError(
            f"the model of {run} has changed since; match it again, or name the same model"
        )
    model, options = Model.load(config.model), config.decisions
    if precision is not None and level == "naf":
        options = replace(options, naf_precision=precision)
    elif precision is not None and not level:
        options = replace(options, precision=precision)
    bounds = Bounds(level or "siret", precision if level else None, threshold)
    least_naf = threshold if level == "naf" else None
    with paths.reading(run) as local, paths.writing_folder(out, RUN) as target:
        table = _with_row_numbers(without_points(_read(local / f"{DECISIONS.name}.parquet")))
        table = _with_first_sirets(table, _first_sirets(local))
        table = _with_naf(table, model, options.naf_precision, least_naf)
        whole = Settled.of([table], model, options, bounds)
        decided = _without_blanks(whole.decisions(table).drop_columns(ORDER))
        pq.write_table(decided, target / f"{DECISIONS.name}.parquet", compression="zstd")
        for name in (f"{CANDIDATES.name}.parquet", PART):
            if (local / name).is_file():
                paths.write_bytes(target / name, (local / name).read_bytes())
        told = {**description, **whole.described()}
        told["options"] = {**description["options"], "decisions": asdict(options)}
        told["decided_again"] = {"precision": precision, "level": level, "threshold": threshold}
        told.pop("workload", None)
        write_description(target, told)
    return told


def _refuse(
    run: Location, out: Location, precision: float | None, level: str, threshold: float | None
) -> None:
    if str(paths.location(run)) == str(paths.location(out)):
        raise ConfigError("--out is the run itself; give another folder")
    if level and level not in (*LEVELS, "naf"):
        raise ConfigError(f"--level is {level!r}, expected siret, site, siren or naf")
    for name, value in (("precision", precision), ("threshold", threshold)):
        if value is not None and not 0.0 < value < 1.0:
            raise ConfigError(f"--{name} is {value}, expected one between 0 and 1")
    if (precision is None) == (threshold is None):
        raise ConfigError("give --precision or --threshold, one of them")


def _read(file: Any) -> pa.Table:
    try:
        table = pq.read_table(file)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{file} is not readable: {error}; match again") from error
    lacks = [c for c in ASSESSED if c not in table.column_names]
    if lacks:
        raise DataError(
            f"{file} lacks {', '.join(lacks)}: an earlier version wrote it; match again"
        )
    return table


def _with_row_numbers(table: pa.Table) -> pa.Table:
    return table.append_column(ORDER, pa.array(np.arange(table.num_rows)))


def _first_sirets(folder: Any) -> pa.Array:
    """SIRET of the best candidate of every bulletin that has one, in the order of bulletins."""
    only = pq.read_table(
        folder / f"{CANDIDATES.name}.parquet", columns=["siret"], filters=[("rank", "=", 1)]
    )
    return only.column("siret").combine_chunks()


def _with_first_sirets(table: pa.Table, first: pa.Array) -> pa.Table:
    """Decisions with the SIRET of the best candidate, also where the answer was "none"."""
    has_echo = (table.column("facts").to_numpy() & 1).astype(bool)
    if int(has_echo.sum()) != len(first):
        raise DataError("decisions and candidates are not of one run; match again")
    siret = np.full(table.num_rows, None, dtype=object)
    siret[has_echo] = first.to_numpy(zero_copy_only=False)
    at = table.schema.get_field_index("siret")
    return table.set_column(at, "siret", pa.array(siret, pa.string()))


def _with_naf(table: pa.Table, model: Model, precision: float, least: float | None) -> pa.Table:
    """Decisions about the activity at another precision, or from a threshold on."""
    rows = rows_of(table)
    bound = threshold_for(model.naf_thresholds, precision) if least is None else least
    sure = rows["naf_probability"] >= bound
    decision = np.where(rows["naf"] == "", "none", np.where(sure, "auto", "review"))
    at = table.schema.get_field_index("naf_decision")
    return table.set_column(at, "naf_decision", pa.array(decision.astype(object), pa.string()))


def _without_blanks(table: pa.Table) -> pa.Table:
    """Absent text is null in files."""
    for i, field in enumerate(table.schema):
        if pa.types.is_string(field.type) and field.name != "id":
            values = table.column(i).to_pandas()
            blank = (values == "").to_numpy(bool)
            if blank.any():
                values = pa.array(values.mask(blank, None), pa.string())
                table = table.set_column(i, field.name, values)
    return table
