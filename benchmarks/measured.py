"""``python benchmarks/measured.py COMMAND…``: seconds, CPU seconds, peak memory of its processes.

Memory is the sum of the proportional set sizes (PSS) of the command and its descendants, so pages
shared by several processes count once. One JSON line on stderr's end; the command's own output
goes where it would.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

_EVERY_S = 1.0


def measured(command: list[str], every_s: float = _EVERY_S) -> dict[str, float]:
    """Run a command to its end; its exit code, seconds, CPU seconds and peak memory in GB."""
    begun, before, peak = time.monotonic(), _cpu_s(), 0
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(_pss, descendants(process.pid))))
            time.sleep(every_s)
    return {
        "exit_code": process.returncode,
        "seconds": round(time.monotonic() - begun, 1),
        "cpu_seconds": round(_cpu_s() - before, 1),
        "peak_gb": round(peak / 1e9, 3),
    }


def _cpu_s() -> float:
    """CPU seconds of all commands that have ended so far, their descendants' included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def descendants(pid: int) -> list[int]:
    """A process and all that it, or they, started and are still there."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path("/proc", entry, "stat").read_text()
            except OSError:
                continue
            children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def _pss(pid: int) -> int:
    """Bytes; 0 when the process is gone."""
    try:
        lines = Path("/proc", str(pid), "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


if __name__ == "__main__":
    report = measured(sys.argv[1:])
    print(json.dumps({"command": " ".join(sys.argv[1:]), **report}), file=sys.stderr)
    sys.exit(int(report["exit_code"]))
