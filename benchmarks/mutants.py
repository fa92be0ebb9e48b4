"""Deliberate changes of the code, and whether a test notices: one JSON line.

Each change is made alone in a copy of the checkout: a comparison, a constant, a condition, an
operator or a call that is left out. Then the tests of its module run, without the shared data, in
a process forked from one that has loaded the libraries. A change that no test notices is a
survivor: it gets a test, or a reason in ``mutants_reasons.csv``.

    python benchmarks/mutants.py --sample 200 --seed 1 [--only decisions]
"""

from __future__ import annotations

import argparse
import ast
import copy
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).parents[1]
REASONS = Path(__file__).with_name("mutants_reasons.csv")
#: Module → tests that are to notice what changes in it.
TARGETS: dict[str, tuple[str, ...]] = {
    "geomatch/linkage/decisions.py": (
        "tests/linkage/test_decisions.py", "tests/linkage/test_ladder.py",
        "tests/linkage/test_held_values.py"),
    "geomatch/linkage/model.py": ("tests/linkage/test_model.py",),
    "geomatch/linkage/model_checks.py": ("tests/linkage/test_model_checks.py",),
    "geomatch/linkage/comparison.py": (
        "tests/linkage/test_held_values.py", "tests/linkage/test_comparison.py"),
    "geomatch/linkage/distinctive_names.py": (
        "tests/linkage/test_held_values.py", "tests/linkage/test_comparison.py"),
    "geomatch/linkage/collective.py": ("tests/linkage/test_collective.py",),
    "geomatch/addresses/streets/geocoder.py": ("tests/addresses/test_geocode.py",),
    "geomatch/addresses/streets/street_score.py": ("tests/addresses/test_geocode.py",),
    "gazetteer/fields.py": ("tests/gazetteer/test_fields.py", "tests/gazetteer/test_accounts.py"),
    "gazetteer/sirene.py": ("tests/gazetteer/test_sirene.py", "tests/gazetteer/test_accounts.py"),
    "geomatch/bulletins/records.py": (
        "tests/bulletins/test_bulletins.py", "tests/bulletins/test_rejects.py"),
    "geomatch/bulletins/rejects.py": ("tests/bulletins/test_rejects.py",),
    "geomatch/bulletins/codes.py": ("tests/bulletins/test_codes.py",),
    "geomatch/runs/ordered_merge.py": ("tests/runs/test_ordered_merge.py",),
    "geomatch/runs/out_folder.py": ("tests/runs/test_out_folder.py",),
    "geomatch/runs/work_folder.py": (
        "tests/runs/test_batch.py", "tests/runs/test_out_folder.py"),
    "geomatch/review/desk/journal.py": ("tests/review/test_journal.py",),
    "geomatch/core/paths.py": ("tests/core/test_paths.py",),
    "geomatch/store/integrity.py": ("tests/store/test_integrity.py",),
}  # fmt: skip
_LIMIT_S = 240
_SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.And: ast.Or,
    ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change, by its place in the module's tree, and how a person finds it."""

    module: str
    line: int
    what: str
    node: int
    way: int

    def source(self, text: str) -> str:
        """The module's text with the change."""
        tree = ast.parse(text)
        _change(next(islice(ast.walk(tree), self.node, None)), self.way)
        return ast.unparse(ast.fix_missing_locations(tree))

    @property
    def name(self) -> str:
        """Module, line and change."""
        return f"{self.module}:{self.line} {self.what}"


def mutants_of(module: str, text: str) -> Iterator[Mutant]:
    """All changes of a module, in the order of its tree."""
    tree = ast.parse(text)
    told = _docstrings(tree)
    for i, node in enumerate(ast.walk(tree)):
        for way in range(2) if id(node) not in told else ():
            probe = copy.copy(node)
            if isinstance(probe, ast.Compare):
                probe.ops = [*probe.ops]
            what = _change(probe, way)
            if what:
                yield Mutant(module, getattr(node, "lineno", 0), what, i, way)


def _docstrings(tree: ast.Module) -> set[int]:
    """Nodes that are no code that runs: docstrings, annotations, imports, messages of errors."""
    out: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise | ast.Import | ast.ImportFrom):
            out |= {id(n) for n in ast.walk(node)}
        for name in ("annotation", "returns"):
            part = getattr(node, name, None)
            if part is not None:
                out |= {id(n) for n in ast.walk(part)}
        if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call):
            out |= {id(n) for n in ast.walk(node)}
    return out


def _change(node: ast.AST, way: int) -> str:
    """Change a node in place; what was changed, "" when it is not one to change that way."""
    if isinstance(node, ast.Compare) and way == 0:
        old = node.ops[0]
        if type(old) in _SWAPS:
            node.ops[0] = _SWAPS[type(old)]()
            return f"{type(old).__name__} → {type(node.ops[0]).__name__}"
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and way == 0:
        old_op = node.op
        if type(old_op) in _SWAPS:
            node.op = _SWAPS[type(old_op)]()  # type: ignore[assignment]
            return f"{type(old_op).__name__} → {type(node.op).__name__}"
    if isinstance(node, ast.Constant):
        return _other_constant(node, way)
    if isinstance(node, ast.If | ast.IfExp | ast.While) and not isinstance(node, ast.While):
        node.test = ast.Constant(value=way == 0)
        return f"if {way == 0}"
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and way == 0:
        called = ast.unparse(node.value.func)
        if called.split(".")[0] in ("log", "_log", "warnings"):
            return ""
        node.value = ast.Constant(value=None)
        return f"no call of {called}"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and way == 0:
        node.op = ast.UAdd()
        node.operand = ast.Call(ast.Name("bool", ast.Load()), [node.operand], [])
        return "without not"
    return ""


def _other_constant(node: ast.Constant, way: int) -> str:
    old = node.value
    if isinstance(old, bool):
        node.value = not old
        return f"{old} → {not old}" if way == 0 else ""
    if isinstance(old, int | float):
        node.value = (old + 1 if way == 0 else old * 10) if old else (1 if way == 0 else None)
        return f"{old} → {node.value}" if node.value is not None else ""
    return ""


def sample(size: int, seed: int, only: str) -> list[Mutant]:
    """Changes of the targets, as many of each module as it has a share of all."""
    found = [
        mutant
        for module in TARGETS
        if only in module
        for mutant in mutants_of(module, (ROOT / module).read_text(encoding="utf-8"))
    ]
    random.Random(seed).shuffle(found)
    return found[:size]


def is_noticed(mutant: Mutant, copy_of_it: Path) -> bool:
    """Whether a test of the module fails, or does not end."""
    file = copy_of_it / mutant.module
    before = file.read_text(encoding="utf-8")
    file.write_text(mutant.source(before), encoding="utf-8")
    try:
        return _tests_fail(copy_of_it, TARGETS[mutant.module])
    finally:
        file.write_text(before, encoding="utf-8")


def _tests_fail(folder: Path, tests: tuple[str, ...]) -> bool:
    child = os.fork()
    if child == 0:
        _run_tests(folder, tests)
    until = time.monotonic() + _LIMIT_S
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status != 0
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _run_tests(folder: Path, tests: tuple[str, ...]) -> None:
    """Never returns."""
    import pytest

    os.setsid()
    os.chdir(folder)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    sys.path.insert(0, str(folder))
    os.environ["PYTHONPATH"] = str(folder)
    there = [t for t in tests if (folder / t).is_file()]
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    code = 1
    try:
        code = int(pytest.main([*options, *there]))
    finally:
        os._exit(code)


def _copied(folder: Path) -> None:
    """The checkout's files, without the shared data beside it."""
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    for name in filter(None, names):
        if name.startswith(("geomatch/", "gazetteer/", "tests/", "pyproject")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="part of a module's path")
    asked = parser.parse_args()
    # the libraries, once for all; nothing of the project
    import duckdb  # noqa: F401
    import numba  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import scipy.special  # noqa: F401
    import shapely  # noqa: F401
    import sklearn.linear_model  # noqa: F401

    reasons = {}
    if REASONS.is_file():
        with REASONS.open(encoding="utf-8", newline="") as stream:
            reasons = {r["mutant"]: r["reason"] for r in csv.DictReader(stream, delimiter=";")}
    survivors: list[str] = []
    by_module: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name)
        _copied(folder)
        chosen = sample(asked.sample, asked.seed, asked.only)
        for module in {m.module for m in chosen}:
            if _tests_fail(folder, TARGETS[module]):
                raise SystemExit(f"the tests of {module} fail without any change")
        for mutant in chosen:
            noticed = is_noticed(mutant, folder)
            counts = by_module.setdefault(mutant.module, [0, 0])
            counts[0] += 1
            counts[1] += noticed
            if not noticed:
                survivors.append(mutant.name)
            print("noticed " if noticed else "SURVIVED", mutant.name, file=sys.stderr, flush=True)
    tried, caught = (sum(c[i] for c in by_module.values()) for i in (0, 1))
    told = {"tried": tried, "noticed": caught, "share": round(caught / max(tried, 1), 3)}
    told |= {"by_module": by_module}
    told["survivors"] = [{"mutant": s, "reason": reasons.get(s, "")} for s in survivors]
    print(json.dumps(told, ensure_ascii=False))


if __name__ == "__main__":
    main()
