from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from geomatch.addresses import get_parser
from geomatch.addresses.parse.libpostal import (
    ENVIRONMENT_VARIABLE,
    LibpostalParser,
    _row,
    libpostal_problem,
)
from geomatch.addresses.parse.parsers import AutoParser
from geomatch.addresses.parse.rules import RulesParser, parts_rows
from geomatch.arrays.rows import Rows
from geomatch.core.config import AddressOptions
from geomatch.core.errors import ConfigError
from geomatch.core.schema import ADDRESS_PARTS

ARCHIVE = Path(__file__).parents[3] / "shared" / "libpostal" / "data-fr.tar.gz"


def parts_of(labelled: Sequence[tuple[str, str]]) -> dict[str, object]:
    return dict(zip(ADDRESS_PARTS.columns, _row(labelled), strict=True))


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A French data folder for libpostal, unpacked."""
    pytest.importorskip("postal.utils", reason="the extra 'libpostal' is not installed")
    if not ARCHIVE.is_file():
        pytest.skip("the shared data of libpostal are not beside the checkout")
    folder = tmp_path_factory.mktemp("libpostal")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return str(folder / "data-fr")


@pytest.mark.parametrize(
    ("labelled", "expected"),
    [
        (
            [("12 bis", "house_number"), ("av du gal leclerc", "road"), ("vaubray", "city")],
            {"numero": "12", "rep": "bis", "type_voie": "AVENUE", "nom_voie": "DU GENERAL LECLERC",
             "commune": "VAUBRAY", "doubt": ""},
        ),
        ([("12b", "house_number"), ("le callou", "road")],
         {"numero": "12", "rep": "b", "nom_voie": "LE CALLOU", "doubt": "no type"}),
        ([("5-7", "house_number"), ("rue du four", "road")],
         {"numero": "5", "numero_fin": "7", "nom_voie": "DU FOUR"}),
        ([("rue du four", "road"), ("bat b", "unit"), ("3e etage", "level")],
         {"complement": "BAT B 3E ETAGE"}),
        ([("sarl martel", "house"), ("za des chenes", "suburb")],
         {"nom": "SARL MARTEL", "lieu": "ZA DES CHENES", "doubt": "no street"}),
        ([("75613", "postcode"), ("paris cedex 13", "city")],
         {"code_postal": "75613", "commune": "PARIS 13", "cedex": True}),
        ([("sn", "house_number"), ("france", "country")], {"numero": "", "doubt": "no street"}),
        ([], {"doubt": "empty"}),
    ],
)  # fmt: skip
def test_labels_become_parts(labelled: list[tuple[str, str]], expected: dict[str, object]) -> None:
    got = parts_of(labelled)
    assert {k: got[k] for k in expected} == expected


def test_repeated_labels_are_joined() -> None:
    assert parts_of([("bat b", "unit"), ("esc 2", "unit")])["complement"] == "BAT B ESC 2"


def test_without_a_folder_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("postal.utils", reason="the extra 'libpostal' is not installed")
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    with pytest.raises(ConfigError, match="libpostal_data download"):
        get_parser(AddressOptions(parser="libpostal"))


def test_incomplete_data_are_named_file_by_file(tmp_path: Path) -> None:
    pytest.importorskip("postal.utils", reason="the extra 'libpostal' is not installed")
    (tmp_path / "numex").mkdir()
    (tmp_path / "numex" / "numex.dat").touch()
    problem = libpostal_problem(str(tmp_path))
    assert "address_parser_crf.dat" in problem
    assert "transliteration.dat" in problem
    assert "numex.dat" not in problem


def test_without_the_library_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"geomatch-sirene\[libpostal\]"):
        LibpostalParser("anywhere")


def test_auto_is_the_rules_where_there_is_no_libpostal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    assert get_parser(AddressOptions(parser="auto")).name == "rules"


def test_auto_refuses_a_folder_that_is_given_and_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        get_parser(AddressOptions(parser="auto", libpostal_data=str(tmp_path)))


class Fixed:
    """A parser that reads every line the same way and remembers which it was asked."""

    name = "fixed"

    def __init__(self, **parts: str) -> None:
        self.row = tuple(parts.get(c, "" if c != "cedex" else False) for c in ADDRESS_PARTS.columns)
        self.asked: list[str] = []

    def parse(self, texts: Sequence[str]) -> Rows:
        self.asked += texts
        return parts_rows([self.row] * len(texts))


def test_auto_asks_only_about_lines_in_doubt() -> None:
    other = Fixed(type_voie="RUE", nom_voie="FOUND", numero="1")
    parts = AutoParser(RulesParser(), other).parse(["3 rue du Four", "LE BOURG", ""])
    assert other.asked == ["LE BOURG"]
    assert parts["nom_voie"].tolist() == ["DU FOUR", "FOUND", ""]
    assert parts["doubt"].tolist() == ["", "", "empty"]


def test_auto_keeps_the_rules_where_the_other_finds_no_typed_street() -> None:
    parts = AutoParser(RulesParser(), Fixed(nom_voie="FOUND")).parse(["LE BOURG"])
    assert parts["nom_voie"].tolist() == ["LE BOURG"]


@pytest.mark.libpostal
@pytest.mark.shared
def test_real_library(data: str) -> None:
    parser = get_parser(AddressOptions(parser="libpostal", libpostal_data=data))
    lines = ["12 bis rue du 8 mai 1945 75013 Paris", "", "12 rue\x00 des Lilas, Nantes", "\x00",
             "é" * 100_000, "12 bis rue du 8 mai 1945 75013 Paris"]  # fmt: skip
    parts = parser.parse(lines).frame()
    assert list(parts.columns) == ADDRESS_PARTS.names
    first = parts.iloc[0]
    assert (first["numero"], first["rep"], first["type_voie"]) == ("12", "bis", "RUE")
    assert (first["nom_voie"], first["code_postal"], first["commune"]) == (
        "DU 8 MAI 1945",
        "75013",
        "PARIS",
    )
    assert parts["doubt"].tolist()[1] == "empty"
    # what follows a NUL is not lost
    assert parts["nom_voie"].tolist()[2].startswith("DES LILAS")
    assert parts.iloc[5].equals(first)


@pytest.mark.libpostal
@pytest.mark.shared
def test_real_library_cannot_change_its_data(data: str, tmp_path: Path) -> None:
    LibpostalParser(data).parse(["1 rue du Four"])
    (tmp_path / "other").symlink_to(data)
    moved = tmp_path / "copy"
    for file in Path(data).rglob("*.dat"):
        target = moved / file.relative_to(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(file)
    for file in Path(data).rglob("*.trie"):
        (moved / file.relative_to(data)).symlink_to(file)
    # the same folder by another name is no other folder
    LibpostalParser(str(tmp_path / "other")).parse(["1 rue du Four"])
    with pytest.raises(ConfigError, match="start another process"):
        LibpostalParser(str(moved)).parse(["1 rue du Four"])


@pytest.mark.libpostal
@pytest.mark.shared
def test_broken_data_are_an_error_of_configuration(data: str, tmp_path: Path) -> None:
    for file in Path(data).rglob("*.*"):
        target = tmp_path / file.relative_to(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    code = (
        "from geomatch.addresses.parse.libpostal import LibpostalParser\n"
        "from geomatch.core.errors import ConfigError\n"
        "import sys\n"
        "try:\n"
        "    LibpostalParser(sys.argv[1]).parse(['1 rue du Four'])\n"
        "except ConfigError as error:\n"
        "    print('refused:', error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("refused: libpostal does not start with")
