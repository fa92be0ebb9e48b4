"""Who may import whom, who may touch disk, and that nothing happens at import."""

from __future__ import annotations

import ast
import importlib
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("geomatch", "gazetteer")

#: Units of ``geomatch`` (a module, or a package as one), lowest first. A unit may import every
#: layer below its own, and of its own layer only what ALONGSIDE names.
LAYERS: dict[str, tuple[str, ...]] = {
    "ground": (
        "errors", "paths", "text", "tables", "schema", "config", "store", "territories", "voies",
        "columns", "compiled", "cores", "memory", "ragged", "rows", "stored",
    ),
    "knowledge": (
        "bags", "crowds", "joined", "letters", "trigrams", "lexicon", "coverage", "written",
        "model", "collective", "fitting", "positions", "workplaces",
    ),
    "phases": (
        "bulletins", "names", "register_names", "addresses", "activities", "establishments",
        "candidates", "ranking", "decisions",
    ),
    "assembly": ("national", "prepared", "resources", "results", "matcher"),
    "uses": (
        "batch", "cluster", "collating", "partitions", "planning", "merging", "evaluation",
        "geocoding", "training", "finished", "scoring", "explaining", "review", "evidence",
        "verdicts", "workload", "progress",
    ),
    "demo": ("demo",),
    "command line": ("cli",),
}  # fmt: skip
ALONGSIDE: dict[str, set[str]] = {
    "schema": {"errors"},
    "config": {"errors", "paths"},
    "paths": {"errors"},
    "store": {"columns", "errors", "paths", "schema"},
    "voies": {"tables", "text"},
    "lexicon": {"bags", "crowds", "joined", "letters", "trigrams"},
    "ragged": {"compiled"},
    "stored": {"columns", "errors", "paths"},
    "trigrams": {"letters"},
    "coverage": {"lexicon"},
    "written": {"coverage", "lexicon"},
    "model": {"collective"},
    "fitting": {"collective", "model"},
    # Phases never import each other, but for the register's side and the words.
    "activities": {"names"},
    "establishments": {"names"},
    "register_names": {"names"},
    "candidates": {"establishments"},
    "ranking": {"establishments", "activities"},
    "matcher": {"national", "prepared", "resources", "results"},
    "batch": {"cluster", "partitions", "planning"},
    "planning": {"cluster"},
    "merging": {"collating", "partitions"},
    "partitions": {"collating"},
    "training": {"evaluation", "verdicts"},
    "verdicts": {"evaluation", "review"},
    "scoring": {"evaluation", "finished"},
    "explaining": {"evidence", "finished", "review"},
    "review": {"evaluation", "finished"},
    "workload": {"evaluation", "finished"},
}
#: Units that may not see all that lies below them.
ONLY: dict[str, set[str]] = {
    "compiled": set(),
    "crowds": {"ragged"},
    "joined": {"ragged"},
    "workplaces": set(),
    "bags": {"columns", "ragged"},
    "letters": set(),
    "memory": set(),
    "columns": set(),
    "cores": set(),
    "lexicon": {"bags", "crowds", "joined", "letters", "ragged", "stored", "trigrams"},
    "coverage": {"compiled", "lexicon", "ragged"},
    "positions": {"ragged"},
    "ragged": {"compiled"},
    "rows": set(),
    "written": {"compiled", "coverage", "lexicon", "ragged", "rows"},
    "collective": {"rows"},
    "decisions": {"config", "model", "rows"},
    "results": {"collective", "rows", "schema", "territories"},
    "evaluation": {"bulletins", "errors", "paths", "schema", "territories", "tables", "text"},
    "geocoding": {
        "addresses",
        "bulletins",
        "config",
        "errors",
        "paths",
        "schema",
        "territories",
        "store",
    },
    "review": {
        "bulletins",
        "config",
        "errors",
        "coverage",
        "establishments",
        "evaluation",
        "lexicon",
        "memory",
        "names",
        "paths",
        "ragged",
        "schema",
        "territories",
        "finished",
        "store",
        "stored",
        "text",
        "voies",
    },
}
#: What the builder of the store may use of the matcher: the ground floor, the public geocoder,
#: and the register's side, names and pools, which are prepared once for all.
OF_GAZETTEER = {*LAYERS["ground"], "addresses", "establishments", "register_names"}
#: Who imports the builder, and only inside functions.
BUILDERS = {"cli", "demo"}
#: Who may read or write files.
TOUCH_DISK = {
    "bulletins", "cli", "config", "demo", "evaluation", "finished", "geocoding", "collating",
    "merging", "model", "partitions", "paths", "review", "store", "stored", "tables", "training",
    "workload",
}  # fmt: skip
DISK_CALLS = {
    "read_text", "read_bytes", "write_text", "write_bytes", "read_csv", "read_parquet",
    "read_json", "to_csv", "to_parquet", "to_json", "ParquetFile", "ParquetWriter", "read_table",
    "write_table", "mkdir", "rmtree", "unlink", "rmdir", "makedirs", "iterdir", "copyfile",
}  # fmt: skip
MOST_LINES = 400
#: The table of all tables.
LONGER: dict[str, int] = {}


class Import(NamedTuple):
    """One import statement's target (a module of the project), and where it stands."""

    module: str
    name: str
    is_inside_function: bool


@cache
def modules() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(p for p in parts if p != "__init__")] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


@cache
def imports(module: str) -> tuple[Import, ...]:
    return tuple(i for i in _imports(tree(module), False) if i.module.split(".")[0] in PACKAGES)


def _imports(node: ast.AST, inside: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from (Import(a.name, "", inside) for a in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert not child.level, "relative import"
            base = child.module or ""
            for alias in child.names:
                full = f"{base}.{alias.name}"
                is_module = full in modules() and not _defines(base, alias.name)
                yield Import(full if is_module else base, alias.name, inside)
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _imports(child, inside or is_function)


def _defines(package: str, name: str) -> bool:
    """Whether a package's own file binds the name, so that it is not the module of that name."""
    if package not in modules():
        return False
    return any(
        alias.name == name or alias.asname == name
        for node in ast.walk(tree(package))
        if isinstance(node, ast.ImportFrom) and node.module != package
        for alias in node.names
    )


def unit(module: str) -> str:
    """``geomatch.addresses.parse`` → ``addresses``; the bare package is ``""``."""
    return module.partition(".")[2].partition(".")[0]


def units() -> dict[str, set[str]]:
    """Unit of geomatch → units it imports, itself left out."""
    found: dict[str, set[str]] = {}
    for module in modules():
        if module.startswith("geomatch."):
            own = unit(module)
            targets = {unit(i.module) for i in imports(module) if i.module.startswith("geomatch.")}
            found.setdefault(own, set()).update(targets - {own})
    return found


def layer(name: str) -> int:
    return next(i for i, names in enumerate(LAYERS.values()) if name in names)


# ------------------------------------------------------------------ imports
def test_every_unit_stands_in_the_table() -> None:
    known = {name for names in LAYERS.values() for name in names}
    assert set(units()) == known


@pytest.mark.parametrize("name", [n for names in LAYERS.values() for n in names])
def test_a_unit_imports_only_what_lies_below_or_is_named(name: str) -> None:
    below = {n for names in list(LAYERS.values())[: layer(name)] for n in names}
    allowed = ONLY.get(name, below) | ALONGSIDE.get(name, set())
    assert units().get(name, set()) <= allowed


def test_the_tables_above_name_nothing_that_is_gone() -> None:
    for name, others in ALONGSIDE.items():
        assert others <= units()[name], f"ALONGSIDE of {name}"


@pytest.mark.parametrize("module", [m for m in modules() if m.startswith("gazetteer")])
def test_the_builder_uses_the_ground_floor_the_geocoder_and_the_register(module: str) -> None:
    for target in imports(module):
        if target.module.startswith("geomatch"):
            assert unit(target.module) in OF_GAZETTEER | {""}, target.module


@pytest.mark.parametrize("module", [m for m in modules() if m.startswith("geomatch")])
def test_the_builder_is_imported_by_few_and_only_when_called(module: str) -> None:
    for target in imports(module):
        if target.module.startswith("gazetteer"):
            assert unit(module) in BUILDERS, target.module
            assert target.is_inside_function, target.module


def test_the_package_itself_loads_nothing_until_asked() -> None:
    assert all(i.is_inside_function for i in imports("geomatch"))


@pytest.mark.parametrize("module", sorted(modules()))
def test_addresses_is_used_through_its_face_and_no_private_name_leaves_its_module(
    module: str,
) -> None:
    for target in imports(module):
        if unit(module) != "addresses":
            assert not target.module.startswith("geomatch.addresses."), target.module
        if target.name != "__version__":
            assert not target.name.startswith("_"), f"{target.module}.{target.name}"


def test_no_module_imports_itself_in_the_end() -> None:
    graph = {m: {i.module for i in imports(m) if i.module in modules()} for m in modules()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)


# ------------------------------------------------------------------ disk and import time
@pytest.mark.parametrize("module", [m for m in modules() if m.startswith("geomatch.")])
def test_phases_do_not_touch_disk(module: str) -> None:
    if unit(module) in TOUCH_DISK:
        return
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name):
                assert called.id not in {"open", *DISK_CALLS}, f"line {node.lineno}"
            elif isinstance(called, ast.Attribute):
                assert called.attr not in DISK_CALLS, f"line {node.lineno}"


#: Imports every module and prints what was opened for writing, what of the project was read
#: that is no code, and what was sent, started or connected.
_WATCH = """
import importlib, os, sys

def watch(event, args):
    if event == "open":
        path, mode, flags = args
        path = os.fsdecode(path) if isinstance(path, (str, bytes)) else ""
        writes = (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        if writes and path not in ("", os.devnull):
            print("writes", path)
        elif path.startswith(sys.argv[1]) and not path.endswith((".py", ".pyc")):
            print("reads", path)
    elif event.split(".")[0] in ("socket", "urllib", "http") or event in (
        "subprocess.Popen", "os.system", "os.mkdir", "os.remove", "os.rename", "os.putenv",
        "shutil.rmtree", "tempfile.mkstemp", "tempfile.mkdtemp", "signal.pthread_kill",
    ):
        if event not in ("socket.__new__", "socket.gethostname"):
            print(event, args[:1])

for name in ("numpy", "pandas", "pyarrow.parquet", "duckdb", "scipy.sparse", "sklearn.linear_model",
             "scipy.optimize", "numba", "rapidfuzz", "pyproj", "shapely", "requests", "typer",
             "rich.progress"):
    importlib.import_module(name)  # what others do at import is theirs
sys.addaudithook(watch)
for name in sys.argv[2:]:
    importlib.import_module(name)
print("done")
"""


def test_nothing_is_read_written_or_sent_at_import() -> None:
    ran = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", _WATCH, str(ROOT / "geomatch"), *modules()],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert ran.stderr == ""
    assert ran.stdout.split("\n")[:-1] == ["done"]


@pytest.mark.parametrize("module", sorted(modules()))
def test_compiled_functions_use_what_their_own_module_defines_alone(module: str) -> None:
    """Numba keeps what it compiled as long as the file of the function is the same."""
    foreign = {i.name for i in imports(module)}
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef) and any(
            ast.unparse(d) in ("compiled", "compiled_part") for d in node.decorator_list
        ):
            body = ast.Module(node.body, [])
            used = {n.id for n in ast.walk(body) if isinstance(n, ast.Name)}
            assert not used & foreign, f"{node.name} uses {used & foreign}: pass it as an argument"


# ------------------------------------------------------------------ shape
@pytest.mark.parametrize("module", sorted(modules()))
def test_what_a_module_says_it_offers_is_there(module: str) -> None:
    loaded = importlib.import_module(module)
    offered = getattr(loaded, "__all__", [])
    assert len(set(offered)) == len(offered)
    for name in offered:
        assert hasattr(loaded, name), name


def test_no_module_is_long() -> None:
    lines = {m: len(p.read_text(encoding="utf-8").splitlines()) for m, p in modules().items()}
    assert {m: n for m, n in lines.items() if n > LONGER.get(m, MOST_LINES)} == {}
    assert statistics.median(lines.values()) <= 150


def test_every_module_says_what_it_is_for() -> None:
    assert [m for m in modules() if not ast.get_docstring(tree(m))] == []
