"""Writes ``docker/lock/*.txt``: every wheel of an image's target, with version and SHA-256.

    python docker/lock.py [TARGET…]

Asks pip which files it would install, for each Python and processor that an image may be of. Run
it after a change of ``pyproject.toml`` or ``constraints.txt``, and commit what it writes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
#: Target of the Dockerfile → extras of pyproject.toml.
TARGETS = {"batch": ("s3", "cluster", "tableur")}
#: Of the images: an image of another Python or processor needs them here first.
PYTHONS = ("3.11", "3.12")
PROCESSORS = ("x86_64",)
GLIBCS = ("manylinux_2_36", "manylinux_2_28", "manylinux_2_17", "manylinux2014")


def requirements(extras: tuple[str, ...]) -> list[str]:
    """What a target needs beside geomatch itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    return [*project["dependencies"], *(r for e in extras for r in optional[e])]


def resolved(wanted: list[str], python: str, processor: str) -> list[dict]:
    """Files that pip would install, as it reports them."""
    platforms = [f"--platform={glibc}_{processor}" for glibc in GLIBCS]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed",
            "--disable-pip-version-check", "--only-binary=:all:", f"--target={folder}/none",
            f"--python-version={python}", *platforms, f"--report={report}",
            f"--constraint={ROOT / 'constraints.txt'}", *wanted,
        ]  # fmt: skip
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.loads(report.read_text(encoding="utf-8"))["install"]


def lock(target: str) -> str:
    """The lock file of a target: name, version, and the sums of all its wheels."""
    versions: dict[str, set[str]] = defaultdict(set)
    sums: dict[tuple[str, str], set[str]] = defaultdict(set)
    for python in PYTHONS:
        for processor in PROCESSORS:
            for one in resolved(requirements(TARGETS[target]), python, processor):
                name, version = one["metadata"]["name"].lower(), one["metadata"]["version"]
                file = one["download_info"]
                assert urlsplit(file["url"]).path.endswith(".whl"), file["url"]
                versions[name].add(version)
                sums[name, version].add(file["archive_info"]["hashes"]["sha256"])
    twice = {name: found for name, found in versions.items() if len(found) > 1}
    if twice:
        sys.exit(f"different versions for different Pythons: {twice}; name them in constraints.txt")
    lines = [f"# Written by docker/lock.py for the target {target}: do not edit."]
    for (name, version), found in sorted(sums.items()):
        hashes = " \\\n".join(f"    --hash=sha256:{one}" for one in sorted(found))
        lines.append(f"{name}=={version} \\\n{hashes}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for name in sys.argv[1:] or TARGETS:
        (ROOT / "docker" / "lock" / f"{name}.txt").write_text(lock(name), encoding="utf-8")
