"""Every command that the README and the guide show is run, in the order a reader meets them."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from commands import Commands

import geomatch
from geomatch.demo import DemoFiles
from geomatch.evaluation.truth import read_truth
from geomatch.review.desk.journal import VERDICT, Act, Journal

ROOT = Path(__file__).parent.parent
README = ("README.md",)
GUIDE = (
    *(f"docs/guide/{p}.md" for p in ("construire", "preparer", "apparier", "lire", "decider")),
    *(f"docs/{p}.md" for p in ("guide/controler", "guide/cartes", "comment/qgis", "guide")),
)
#: Words of a command that is not run here, and why.
NOT_RUN = {
    "geomatch download": "needs the network; tests/gazetteer/test_download.py",
    "geomatch --install-completion": "changes the shell's files",
    ".venv/bin/geomatch": "of make demo, which tests/demo runs",
}
#: A page that is served until it is closed; tests/review drives it.
SERVED = re.compile(r"geomatch review \S+( --double \S+| --audit| --background \S+)?")


def shown(page: str) -> Iterator[str]:
    """Whole commands of a page, those in its text too."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.finditer(r"^ *```(?:sh)?\n(.*?)^ *```|`(geomatch\s[^`]*)`", text, re.DOTALL | re.M)
    for block in found:
        for line in (block[1] or " ".join((block[2] or "").split())).splitlines():
            command = line.partition(" #")[0].strip()
            if "geomatch " in command[:20] and "…" not in command and " " in command[9:]:
                yield command


def is_run(command: str) -> bool:
    return not (command.startswith(tuple(NOT_RUN)) or SERVED.fullmatch(command))


@pytest.fixture
def desk(demo_files: DemoFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that both languages of the pages name."""
    for folder in ("files", "fichiers"):
        (tmp_path / folder).mkdir()
        shutil.copytree(demo_files.ban_dir, tmp_path / folder / "ban")
        shutil.copytree(demo_files.sirene_dir, tmp_path / folder / "sirene")
        shutil.copytree(demo_files.cog_dir, tmp_path / folder / "reference")
    shutil.copy(demo_files.bulletins, tmp_path / "bulletins.csv")
    for name in ("truth.csv", "verite.csv"):
        shutil.copy(demo_files.truth, tmp_path / name)
    places = pd.DataFrame({"adresse": ["12 rue de la Gare", "Place de la Mairie"]})
    for name in ("addresses.csv", "adresses.csv"):
        places.to_csv(tmp_path / name, sep=";", index=False)
    employers = pd.DataFrame({"cle": ["1"], "employeur": ["MAIRIE"], "lieu": ["rue de la Gare"]})
    employers.to_csv(tmp_path / "employeurs.csv", sep=";", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def filled_in(command: str, run_dir: Path) -> list[str]:
    """The command's words, with an identifier and a place for those that stand for one."""
    words = shlex.split(command)[1:]
    if "explain" in words:
        one = pd.read_parquet(run_dir / "candidates.parquet", columns=["id", "siret"]).iloc[0]
        of = {"ID": one["id"], "7000000000": one["id"], "SIRET": one["siret"]}
        return [of.get(w, w) for w in words]
    return [{"LON": "2.35", "LAT": "48.86"}.get(w, w) for w in words]


def check(run_dir: Path) -> None:
    """What a clerk hands back of the sample, when the pages come to it."""
    cards = json.loads((run_dir / "audit.json").read_text("utf-8"))["cards"]
    truth = read_truth("verite.csv")
    of_sample = truth[truth["id"].isin([c["id"] for c in cards])]
    of_sample[["id", "siret"]].to_csv("controle.csv", sep=";", index=False)


def settle(run_dir: Path) -> None:
    """What clerks would have done when the pages come to it: most of the bulletins."""
    found = pd.read_parquet(run_dir / "decisions.parquet", columns=["id", "siret"]).fillna("")
    when, version = "2026-01-01T00:00:00+00:00", geomatch.__version__
    journal = Journal(run_dir / "verdicts.jsonl")
    journal.append(
        [
            Act(row.id, VERDICT, row.siret or None, "Anne", when, version, "", str(i))
            for i, row in enumerate(found.itertuples())
            if i % 8
        ]
    )
    journal.close()


@pytest.mark.slow
@pytest.mark.parametrize("pages", [README, GUIDE], ids=["README", "guide"])
def test_every_command_shown_ends_well(
    pages: tuple[str, ...], desk: Path, commands: Commands
) -> None:
    ran = []
    for page in pages:
        for command in filter(is_run, shown(page)):
            run_dir = desk / ("results" if pages is README else "resultats")
            if "--agreement" in command:
                settle(run_dir)
            if "controle.csv" in command:
                check(run_dir)
            told = commands(*filled_in(command, run_dir))
            assert told.code == 0, f"{page}: {command}: {told.err}"
            ran.append(command)
    assert len(ran) >= (8 if pages is README else 25), ran


def test_pages_show_no_command_that_is_neither_run_nor_explained() -> None:
    left = [c for page in (*README, *GUIDE) for c in shown(page) if not is_run(c)]
    assert {c.split()[1] for c in left} <= {"download", "review", "--install-completion"}, left
