"""Who may import whom, who may touch disk, and that nothing happens at import."""

from __future__ import annotations

import ast
import contextlib
import importlib
import re
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

#: Packages of ``geomatch``, lowest first; each imports only those before it.
ORDER = (
    "core", "arrays", "store", "bulletins", "names", "activities", "addresses", "linkage",
    "geocoding", "runs", "evaluation", "audit", "review", "training", "explain", "demo",
    "cli",
)  # fmt: skip
#: Parts of a package in the same order. A part that is not named here may be anywhere in it.
PARTS: dict[str, tuple[str, ...]] = {
    "addresses": ("parse", "communes", "streets"),
    "review": ("map", "desk", "web", "notebook"),
}
#: Phases know each other by their tables only: who may not import whom inside ``linkage``.
APART: dict[str, set[str]] = {
    "activities": {"blocking", "comparison", "collective", "decisions"},
    "blocking": {"activities", "comparison", "collective", "decisions", "model"},
    "comparison": {"blocking", "collective", "decisions", "model", "ranking"},
    "ranking": {"blocking", "collective", "decisions", "model"},
    "collective": {"activities", "blocking", "comparison", "decisions", "model"},
    "decisions": {"activities", "blocking", "comparison"},
    "pool": {"activities", "blocking", "comparison", "collective", "decisions", "model"},
}
#: What the builder of the store may use of the matcher.
OF_GAZETTEER = {"core", "arrays", "store", "names", "addresses", "linkage.pool"}
#: Who imports the builder, and only inside functions.
BUILDERS = {"cli", "demo"}
#: Who may read or write files.
TOUCH_DISK = {
    "activities.coding", "activities.shipped", "audit.sample", "bulletins", "cli", "core.config",
    "core.geoframes", "core.maps", "core.paths", "core.qgis", "core.tables", "arrays.jit", "demo",
    "evaluation", "geocoding", "linkage.model", "linkage.results", "review", "runs", "store",
    "training",
}  # fmt: skip
DISK_CALLS = {
    "read_text", "read_bytes", "write_text", "write_bytes", "read_csv", "read_parquet",
    "read_json", "to_csv", "to_parquet", "to_json", "ParquetFile", "ParquetWriter", "read_table",
    "write_table", "mkdir", "rmtree", "unlink", "rmdir", "makedirs", "iterdir", "copyfile",
}  # fmt: skip


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


def package(module: str) -> str:
    """``geomatch.addresses.parse.rules`` → ``addresses``; the bare package is ``""``."""
    return module.partition(".")[2].partition(".")[0]


def part(module: str) -> str:
    """``geomatch.addresses.parse.rules`` → ``parse``."""
    return ".".join(module.split(".")[2:3])


def is_in(module: str, names: set[str]) -> bool:
    """Whether a module of geomatch is one of the named modules or packages, or inside one."""
    own = module.partition(".")[2]
    return any(own == name or own.startswith(f"{name}.") for name in names)


# ------------------------------------------------------------------ imports
def test_every_package_stands_in_the_order() -> None:
    found = {package(m) for m in modules() if m.startswith("geomatch.")}
    assert found == set(ORDER)
    assert {p for p in found if f"geomatch.{p}.__init__" not in _files()} == {"geocoding"}


def _files() -> set[str]:
    return {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in modules().values()}


@pytest.mark.parametrize("module", sorted(m for m in modules() if m.startswith("geomatch.")))
def test_a_module_imports_only_from_packages_before_its_own(module: str) -> None:
    own = ORDER.index(package(module))
    for target in imports(module):
        if target.module.startswith("geomatch."):
            assert ORDER.index(package(target.module)) <= own, target.module


@pytest.mark.parametrize("name", sorted(PARTS))
def test_parts_of_a_package_import_only_parts_before_theirs(name: str) -> None:
    order = PARTS[name]
    for module in modules():
        if package(module) == name and part(module) in order:
            for target in imports(module):
                if package(target.module) == name and part(target.module) in order:
                    assert order.index(part(target.module)) <= order.index(part(module)), module


@pytest.mark.parametrize("name", sorted(APART))
def test_phases_of_linkage_do_not_import_each_other(name: str) -> None:
    for module in modules():
        if is_in(module, {f"linkage.{name}"}):
            for target in imports(module):
                assert not is_in(target.module, {f"linkage.{o}" for o in APART[name]}), (
                    f"{module} imports {target.module}"
                )


@pytest.mark.parametrize("module", [m for m in modules() if m.startswith("gazetteer")])
def test_the_builder_uses_only_what_it_may_of_the_matcher(module: str) -> None:
    for target in imports(module):
        if target.module.startswith("geomatch."):
            assert is_in(target.module, OF_GAZETTEER), target.module


@pytest.mark.parametrize("module", [m for m in modules() if m.startswith("geomatch")])
def test_the_builder_is_imported_by_few_and_only_when_called(module: str) -> None:
    for target in imports(module):
        if target.module.startswith("gazetteer"):
            assert package(module) in BUILDERS, target.module
            assert target.is_inside_function, target.module


def test_the_package_itself_loads_nothing_until_asked() -> None:
    assert all(i.is_inside_function for i in imports("geomatch"))


@pytest.mark.parametrize("module", sorted(modules()))
def test_addresses_is_used_through_its_face_and_no_private_name_leaves_its_module(
    module: str,
) -> None:
    for target in imports(module):
        if package(module) != "addresses":
            assert not target.module.startswith("geomatch.addresses."), target.module
        if target.name != "__version__":
            assert not target.name.startswith("_"), f"{target.module}.{target.name}"


def test_no_module_imports_itself_in_the_end() -> None:
    graph = {m: {i.module for i in imports(m) if i.module in modules()} for m in modules()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)


# ------------------------------------------------------------------ disk and import time
@pytest.mark.parametrize("module", [m for m in modules() if m.startswith("geomatch.")])
def test_phases_do_not_touch_disk(module: str) -> None:
    if is_in(module, TOUCH_DISK):
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


@pytest.mark.parametrize("module", sorted(modules()))
def test_what_docstrings_refer_to_is_there(module: str) -> None:
    text = modules()[module].read_text(encoding="utf-8")
    named = re.findall(
        r":(?:mod|func|class|data|meth|attr):`~?((?:geomatch|gazetteer)[\w.]*)`", text
    )
    assert [name for name in named if not _is_there(name.split("."))] == []


def _is_there(names: list[str]) -> bool:
    """Whether a dotted name is a module, or what a module or a class holds."""
    for k in range(len(names), 0, -1):
        with contextlib.suppress(ImportError):
            held = importlib.import_module(".".join(names[:k]))
            for name in names[k:]:
                if not hasattr(held, name):  # a field of a dataclass without a default
                    return name in getattr(held, "__annotations__", {})
                held = getattr(held, name)
            return True
    return False


def test_modules_are_short_as_a_rule() -> None:
    """How long one function is, and how branched, ruff says."""
    lines = [len(p.read_text(encoding="utf-8").splitlines()) for p in modules().values()]
    assert statistics.median(lines) <= 150


def test_every_module_says_what_it_is_for() -> None:
    assert [m for m in modules() if not ast.get_docstring(tree(m))] == []
