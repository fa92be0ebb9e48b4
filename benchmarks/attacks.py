"""Attacks on readers and stores, many at a time; one JSON line each.

    python benchmarks/attacks.py files --rounds 10000
    python benchmarks/attacks.py flips --rounds 500 --store STORE --bulletins FILE
    python benchmarks/attacks.py kills --rounds 10 --store STORE --bulletins FILE

``files`` generates files of bulletins (encodings, ends of line, separators, quotes, torn rows,
packing) and reads them: an error must be one of this project's, and every line that is not blank
must be in one record. ``flips`` flips one bit of one file of a copy of the store and matches: the
result must be the sound one or an error. ``kills`` ends a match with SIGKILL and resumes it: the
same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from geomatch.bulletins import read_bulletins
from geomatch.bulletins.files import open_source
from geomatch.core.errors import GeomatchError

_ENCODINGS = ("utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16")
_ENDS = ("\n", "\r\n", "\r")
_HEADERS = (
    ("id", "raison_sociale", "adresse"),
    ("id", "employeur", "adresse", "code_postal", "commune", "activite"),
)
_PIECES = ("MAIRIE", "é", '"', '""', "'", " ", "35", "0012", "\\", "\t", "\u00a0", "œ", "’", "=",
           "", "\x00", "\x1a", "A" * 300, "\u2028")  # fmt: skip


def generated(rng: random.Random) -> bytes:
    """The content of a file that somebody might have written."""
    header = rng.choice(_HEADERS)
    mark, end = rng.choice(";;;,\t|"), rng.choice(_ENDS)
    lines = [mark.join(header)]
    for i in range(rng.randrange(12)):
        fields = [str(i)] + [
            "".join(rng.choice(_PIECES) for _ in range(rng.randrange(4))) for _ in header[1:]
        ]
        kind = rng.random()
        if kind < 0.15:
            fields = [f'"{f}"' for f in fields]
        elif kind < 0.25:
            at = rng.randrange(1, len(fields))
            fields[at] = f'"{fields[at]}{end}suite"'
        elif kind < 0.35:
            fields = fields[: rng.randrange(len(fields))] + ["x"] * rng.randrange(3)
        elif kind < 0.4:
            fields = []
        lines.append(mark.join(fields))
    text = end.join(lines) + (end if rng.random() < 0.7 else "")
    content = text.encode(rng.choice(_ENCODINGS), "replace")
    if rng.random() < 0.1 and content:
        content = content[: rng.randrange(len(content))]
    if rng.random() < 0.1:
        spoilt = bytearray(content)
        for _ in range(rng.randrange(1, 4)):
            if spoilt:
                spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
        content = bytes(spoilt)
    if rng.random() < 0.1:
        content = gzip.compress(content)
        content = content[: rng.randrange(len(content))] if rng.random() < 0.3 else content
    return content


def files(rounds: int, seed: int) -> dict[str, object]:
    """Read generated files."""
    rng = random.Random(seed)
    told: Counter[str] = Counter()
    bad: list[str] = []
    with tempfile.TemporaryDirectory(prefix="attacks-") as name:
        file = Path(name) / "b.csv"
        for number in range(rounds):
            file.write_bytes(generated(rng))
            try:
                told[_read(file)] += 1
            except GeomatchError:
                told["refused"] += 1
            except Exception as error:  # noqa: BLE001  what is looked for
                bad.append(f"{number}: {type(error).__name__}")
    return {"files": rounds, **told, "tracebacks": len(bad), "first": bad[:5]}


def _read(file: Path) -> str:
    bulletins = read_bulletins(file)
    opened = open_source(file)
    first, after = opened.lines()
    lines = opened.body.split(b"\n")
    written = {opened.above + 1 + i for i, line in enumerate(lines) if line}
    covered = {n for a, b in zip(first.tolist(), after.tolist(), strict=True) for n in range(a, b)}
    if len(bulletins) != len(first) or not written <= covered:
        raise AssertionError("a line is in no record")
    return "read"


def _matched(store: Path, bulletins: Path, out: Path) -> tuple[int, bytes]:
    command = [sys.executable, "-m", "geomatch.cli", "match", str(bulletins), "--store", str(store)]
    ran = subprocess.run([*command, "--out", str(out), "--force"], capture_output=True, check=False)
    table = out / "decisions.parquet"
    if b"Traceback" in ran.stderr:
        return -1, b""
    return ran.returncode, table.read_bytes() if ran.returncode == 0 else b""


def flips(rounds: int, seed: int, store: Path, bulletins: Path) -> dict[str, object]:
    """One bit of one file of a store at a time."""
    rng = random.Random(seed)
    told: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="attacks-") as name:
        copy, out = Path(name) / "store", Path(name) / "out"
        shutil.copytree(store, copy)
        _, sound = _matched(copy, bulletins, out)
        names = sorted(f for f in copy.rglob("*") if f.is_file())
        for _ in range(rounds):
            file = rng.choice(names)
            before = file.read_bytes()
            changed = bytearray(before)
            at = rng.randrange(8 * len(changed))
            changed[at // 8] ^= 1 << at % 8
            file.write_bytes(changed)
            code, found = _matched(copy, bulletins, out)
            kind = {0: "same" if found == sound else "different", -1: "traceback"}
            told[kind.get(code, "refused")] += 1
            file.write_bytes(before)
    return {"flips": rounds, "different": 0, "traceback": 0, **told}


def kills(rounds: int, seed: int, store: Path, bulletins: Path) -> dict[str, object]:
    """A match that is killed, and goes on."""
    rng = random.Random(seed)
    told: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="attacks-") as name:
        out = Path(name) / "out"
        begun = time.monotonic()
        _, sound = _matched(store, bulletins, out)
        length = time.monotonic() - begun
        for number in range(rounds):
            here = Path(name) / str(number)
            command = [sys.executable, "-m", "geomatch.cli", "match", str(bulletins), "--store",
                       str(store), "--out", str(here), "--workers", "2"]  # fmt: skip
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
            time.sleep(rng.random() * length)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            ran = subprocess.run([*command, "--resume"], capture_output=True, check=False)
            same = (here / "decisions.parquet").read_bytes() == sound if not ran.returncode else 0
            told["same" if same else "lost"] += 1
    return {"kills": rounds, "lost": 0, **told}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("attack", choices=("files", "flips", "kills"))
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=25)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--bulletins", type=Path)
    asked = parser.parse_args()
    if asked.attack == "files":
        told = files(asked.rounds, asked.seed)
    else:
        if asked.store is None or asked.bulletins is None:
            parser.error("--store and --bulletins are needed")
        attack = {"flips": flips, "kills": kills}[asked.attack]
        told = attack(asked.rounds, asked.seed, asked.store, asked.bulletins)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
