"""Ten clerks at once, five hundred cards each: every verdict in the journal, none twice."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from clerks import Clerk, Served, first_choice

from geomatch.core.config import Config
from geomatch.demo import generate
from geomatch.review.desk.journal import JOURNAL, read_journal
from geomatch.runs.batch import run
from geomatch.store.reader import Store

pytestmark = pytest.mark.slow
CLERKS, CARDS = 10, 500


@pytest.fixture(scope="module")
def big_run(demo_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that leaves more cards than the clerks will settle."""
    folder = tmp_path_factory.mktemp("big")
    files = generate(folder / "files", size=26_000, seed=2)
    run(files.bulletins, demo_store.path, folder / "results", Config())
    return folder / "results"


def test_ten_clerks_settle_five_hundred_cards_each(big_run: Path) -> None:
    took: list[float] = []
    lock = threading.Lock()

    def work(name: str) -> list[tuple[str, str | None, str]]:
        done = []
        with Clerk(served.url) as clerk:
            told = clerk.enter(name)
            for _ in range(CARDS):
                choice = first_choice(told["card"])
                done += [(i, choice["siret"], name) for i in told["card"]["ids"]]
                start = time.perf_counter()
                told = clerk.did("/api/verdict", **choice)
                with lock:
                    took.append(time.perf_counter() - start)
        return done

    with Served(big_run) as served, ThreadPoolExecutor(CLERKS) as pool:
        told = [one for part in pool.map(work, [f"c{i}" for i in range(CLERKS)]) for one in part]
        served.kill()
    written = [(a.id, a.siret, a.who) for a in read_journal(big_run / JOURNAL)]
    assert len(took) == CLERKS * CARDS
    assert Counter(written) == Counter(told)
    assert max(Counter(i for i, _, _ in written).values()) == 1
    print(f"next card: median {1000 * statistics.median(took):.0f} ms for ten clerks at once")
