"""``python -m benchmarks.country --scale 0.1 --out FOLDER``: one JSON line of what was made."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.country.generate import Options, generate


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.country", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for all the files")
    parser.add_argument("--scale", type=float, default=0.01, help="1 is France")
    parser.add_argument("--cog", type=Path, help="folder of real COG files; else invented communes")
    parser.add_argument("--departements", help="only these, such as 35,75")
    parser.add_argument("--bulletins", type=int, help="how many, instead of the scale's share")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet", dest="form")
    given = vars(parser.parse_args())
    only = given.pop("departements")
    options = Options(**given, only=tuple(only.split(",")) if only else None)
    print(json.dumps(generate(options, _tell)))


def _tell(step: str, share: float) -> None:
    print(f"{step} {share:.0%}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
