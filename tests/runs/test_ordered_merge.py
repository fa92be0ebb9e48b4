from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geomatch.core.schema import Table
from geomatch.runs import ordered_merge
from geomatch.runs.ordered_merge import as_partition, collate

TABLE = Table("t", {"id": ("text", ""), "siret": ("text", ""), "score": ("float", "")})


def _parts(folder: Path, of_part: list[list[int]], each: int = 2) -> list[Path]:
    files = []
    for number, bulletins in enumerate(of_part):
        row = np.repeat(np.array(bulletins, dtype=np.int64), each)
        rows = pd.DataFrame({
            "id": pd.Series([f"b{r}" for r in row], dtype=object),
            "siret": pd.Series(["" if r % 3 == 0 else str(r) for r in row], dtype=object),
            "score": np.arange(len(row)) / 4,
            "source_row": row,
        })  # fmt: skip
        files.append(folder / f"{number}.arrow")
        schema = pa.schema([("id", pa.string()), ("siret", pa.string()), ("score", pa.float64()),
                            ("source_row", pa.int64())])  # fmt: skip
        files[-1].write_bytes(as_partition(pa.Table.from_pandas(rows, schema)))
    return files


@pytest.mark.parametrize("block", [1, 2, 3, 100])
@pytest.mark.parametrize(
    "of_part",
    [
        [[0, 1, 2, 3, 4]],
        [[0, 2, 4], [1, 3]],
        [[], [3, 4], [0, 1, 2]],
        [[4], [3], [2], [1], [0]],
        [[0, 4], [], [1, 2, 3]],
    ],
)
def test_input_order_whatever_the_partitions(tmp_path, monkeypatch, of_part, block):
    monkeypatch.setattr(ordered_merge, "_BATCH_ROWS", 3)
    target = tmp_path / "whole.parquet"
    collate(_parts(tmp_path, of_part), TABLE, target, block=block)
    rows = pq.read_table(target)
    assert rows.column("id").to_pylist() == [f"b{i}" for i in range(5) for _ in range(2)]
    assert rows.column("siret").to_pylist() == [
        None if i % 3 == 0 else str(i) for i in range(5) for _ in range(2)
    ]
    assert rows.column_names == TABLE.names


def test_rows_of_one_bulletin_keep_their_order(tmp_path):
    target = tmp_path / "whole.parquet"
    collate(_parts(tmp_path, [[1], [0]], each=4), TABLE, target)
    assert pq.read_table(target).column("score").to_pylist() == [0.0, 0.25, 0.5, 0.75] * 2


@pytest.mark.parametrize("of_part", [[[]], [[], []], [[], [1]]])
def test_partitions_without_a_row_have_text_for_text(tmp_path, of_part):
    target = tmp_path / "whole.parquet"
    collate(_parts(tmp_path, of_part), TABLE, target)
    rows = pq.read_table(target)
    assert len(rows) == 2 * sum(map(len, of_part))
    assert rows.schema.types == [pa.string(), pa.string(), pa.float64()]


@pytest.mark.parametrize("gap", [0, 1])
def test_a_number_is_required_when_no_partition_lacks_it(tmp_path: Path, gap: int) -> None:
    files, target = [], tmp_path / "whole.parquet"
    for number in range(2):
        score = pa.array([None if number == gap else 0.5], pa.float64())
        texts = {"id": pa.array(["b"]), "siret": pa.array(["1"])}
        rows = {**texts, "score": score, "size": pa.array([1.5])}
        files.append(tmp_path / f"{number}.arrow")
        files[-1].write_bytes(as_partition(pa.table({**rows, "source_row": pa.array([number])})))
    collate(files, TABLE, target)
    rows = pq.read_table(target)
    assert [f.nullable for f in rows.schema] == [True, True, True, False]
    assert rows.column("score").null_count == 1
    assert rows.column("score")[gap].as_py() is None
