"""English where it is asked for: every help text has its English, and no other is in the table."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from chains import Chain
from commands import Commands

from geomatch.cli.app import app
from geomatch.core.errors import ConfigError
from geomatch.core.language import asked, english, said, speaking
from geomatch.core.tables import load_table
from geomatch.core.wording import decimal, integer, percent

ROOT = Path(__file__).parent.parent
FRENCH_SIGNS = re.compile(r"[àâéèêëîïôûçœ]|«| (de|du|des|les|une|sans|pour|ou) ", re.IGNORECASE)
#: Words that are the same in both languages, in an English help.
FRENCH_ALL_THE_SAME = ("département", "Départements", "Géoplateforme")


def texts(command: Any) -> Iterator[str]:
    yield from filter(None, [command.help, *(getattr(p, "help", None) for p in command.params)])
    for below in getattr(command, "commands", {}).values():
        yield from texts(below)


def test_every_help_text_has_its_english() -> None:
    library = {"Install completion for the current shell."}
    told = {t for t in texts(typer.main.get_command(app)) if not t.startswith(("Install", "Show"))}
    assert told - {*english()} - library == set()


def test_the_table_holds_each_text_once_with_the_same_gaps() -> None:
    rows = load_table("english")
    assert len({french for french, _ in rows}) == len(rows)
    for french, text in rows:
        assert french.count("{}") == text.count("{}"), french
        assert text.strip(), french


def test_no_text_of_the_table_is_said_nowhere() -> None:
    code = "".join(file.read_text("utf-8") for file in (ROOT / "geomatch").rglob("*.py")) + (
        ROOT / "geomatch/core/tables/decision_types.csv"
    ).read_text("utf-8")
    joined = re.sub(r'"\s*\n?\s*f?"', "", code)
    derived = ("Réponse", "Qui avait raison")
    missing = [f for f in english() if f not in joined and f.replace('"', '\\"') not in joined]
    missing = [f for f in missing if not f.startswith(derived)]
    assert missing == []


@pytest.mark.parametrize(
    ("arguments", "environment", "language", "left"),
    [
        (["match", "x"], {}, "fr", ["match", "x"]),
        (["match", "x"], {"LANG": "en_GB.UTF-8"}, "en", ["match", "x"]),
        (["match", "x"], {"LANG": "en_GB.UTF-8", "LC_ALL": "fr_FR"}, "fr", ["match", "x"]),
        (["match"], {"LANG": "C.UTF-8"}, "fr", ["match"]),
        (["--lang", "en", "match"], {}, "en", ["match"]),
        (["match", "--help", "--lang=en"], {}, "en", ["match", "--help"]),
        (["match", "--lang", "fr"], {"LANG": "en"}, "fr", ["match"]),
        (["parse", "--", "--lang", "en"], {}, "fr", ["parse", "--", "--lang", "en"]),
    ],
)
def test_the_option_goes_before_the_environment(
    arguments: list[str], environment: dict[str, str], language: str, left: list[str]
) -> None:
    assert asked(arguments, environment) == (language, left)


def test_an_option_without_a_value_is_told() -> None:
    with pytest.raises(ConfigError, match="--lang is empty"):
        asked(["match", "--lang"], {})


def test_another_language_is_refused(commands: Commands) -> None:
    ran = commands("--lang", "de", "parse", "1 rue X")
    assert (ran.code, ran.out) == (2, "")
    assert "expected one of fr, en" in ran.err


@pytest.mark.parametrize("command", ["", "match", "build", "evaluate", "review", "certify"])
def test_a_help_is_in_one_language(commands: Commands, command: str) -> None:
    words = [command] if command else []
    french = commands(*words, "--help").out
    for word in ("Usage:", "Options:", "Commands:", "[required]", "[default:", "Show this"):
        assert word not in french
    told = commands(*words, "--help", "--lang", "en").out
    for word in ("Usage :", "[obligatoire]", "[défaut", "Exemple"):
        assert word not in told
    for same in FRENCH_ALL_THE_SAME:
        told = told.replace(same, "")
    example = told.find("Example:")
    found = FRENCH_SIGNS.search(told[:example] if example > 0 else told)
    assert found is None, told


def test_match_and_evaluate_end_in_english(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    source, out = chain.files.bulletins, tmp_path / "results"
    ran = commands("match", source, "--store", chain.store, "--out", out, "--lang", "en")
    assert ran.code == 0, ran.err
    assert "Coded automatically" in ran.err
    assert "Next: geomatch review" in ran.err
    assert FRENCH_SIGNS.search(ran.err.replace(str(tmp_path), "")) is None, ran.err
    ran = commands("evaluate", out, "--truth", chain.files.truth, "--lang", "en")
    assert "precision of automatic codes" in ran.out
    assert FRENCH_SIGNS.search(ran.out) is None, ran.out
    again = commands("evaluate", out, "--truth", chain.files.truth)
    assert "précision du codage automatique" in again.out


def test_a_report_is_french_in_any_language(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    pages = []
    for words in ([], ["--lang", "en"]):
        page = tmp_path / f"report{len(words)}.html"
        commands("evaluate", chain.out, "--truth", chain.files.truth, "--report", page, *words)
        pages.append(re.sub(r"\d\d:\d\d", "", page.read_text("utf-8")))
    assert pages[0] == pages[1]


def test_numbers_are_written_as_the_language_does() -> None:
    assert (decimal(0.5, 1), integer(1200), percent(0.123)) == ("0,5", "1\u202f200", "12,3 %")
    with speaking("en"):
        assert (decimal(0.5, 1), integer(1200), percent(0.123)) == ("0.5", "1,200", "12.3 %")
        assert said("Ensuite : {}") == "Next: {}"
        assert said("pas dans la table") == "pas dans la table"


def test_the_table_is_a_table() -> None:
    file = ROOT / "geomatch/core/tables/english.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        assert {len(row) for row in csv.reader(lines, delimiter=";")} == {2}
