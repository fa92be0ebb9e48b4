from __future__ import annotations

import sys

from benchmarks.measured import measured

_CHILD = "x = bytearray(b'1' * 150_000_000); import time; time.sleep(1)"
_PARENT = f"""
import subprocess, sys
sys.exit(subprocess.run([sys.executable, "-c", {_CHILD!r}]).returncode)
"""


def test_memory_is_that_of_all_processes() -> None:
    report = measured([sys.executable, "-c", _PARENT], every_s=0.05)
    assert report["exit_code"] == 0
    assert 0.15 < report["peak_gb"] < 0.6
    assert report["seconds"] >= 1


def test_the_exit_code_is_the_commands() -> None:
    assert measured([sys.executable, "-c", "raise SystemExit(3)"])["exit_code"] == 3
