"""What is lost of an official file is told, and ends the build when it is much."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from official_files import Country, Row, address, establishment

from gazetteer.accounts import Account, settle
from gazetteer.build import BuildOptions, build
from geomatch.core.errors import DataError
from geomatch.core.schema import STORE_ESTABLISHMENTS


def _without_zeros(row: Row, *columns: str) -> Row:
    return {**row, **{c: str(row[c]).lstrip("0") for c in columns}}


def _in_the_ain(country: Country) -> None:
    """All that is of Trébourg lies in 01: its codes begin with a zero."""
    moved = {"35901": "01901", "35990": "01990", "35902": "01902", "35991": "01991"}
    for table in (country.ban, country.communes, country.laposte, country.sirene,
                  country.mouvements):  # fmt: skip
        for row in table:
            row |= {k: moved.get(str(v), v) for k, v in row.items()}


def _ban_without_zeros(country: Country) -> None:
    country.ban = [_without_zeros(r, "code_insee", "code_postal") for r in country.ban]


def _ban_with_commas(country: Country) -> None:
    country.ban = [{**r, "x": f"{r['x']},5", "y": f"{r['y']},25"} for r in country.ban]


def _codes_without_zeros(country: Country) -> None:
    keys = ("Code_commune_INSEE", "Code_postal")
    country.laposte = [_without_zeros(r, *keys) for r in country.laposte]
    country.communes = [_without_zeros(r, "COM") for r in country.communes]


def _sirene_without_zeros(country: Country) -> None:
    keys = ("codeCommuneEtablissement", "codePostalEtablissement")
    country.sirene = [_without_zeros(r, *keys) for r in country.sirene]


def _formulas(country: Country) -> None:
    country.sirene = [{**r, "siret": f'="{r["siret"]}"'} for r in country.sirene]


DAMAGES = (_ban_without_zeros, _ban_with_commas, _codes_without_zeros, _sirene_without_zeros,
           _formulas)  # fmt: skip


def _counts(options: BuildOptions) -> dict[str, int]:
    return {name: table["rows"] for name, table in build(options).manifest["tables"].items()}


@pytest.fixture
def sound(tmp_path: Path) -> dict[str, int]:
    country = Country(tmp_path / "sound")
    _in_the_ain(country)
    return _counts(country.write())


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.__name__.strip("_"))
def test_files_saved_by_a_spreadsheet_give_the_same_store(
    country: Country, sound: dict[str, int], damage: Callable[[Country], None]
):
    _in_the_ain(country)
    damage(country)
    assert _counts(country.write()) == sound


def test_columns_of_numbers_in_parquet_are_codes_again(country: Country):
    for row in country.sirene:
        row["siret"] = "00" + str(row["siret"])[2:]
        row["siren"] = str(row["siret"])[:9]
    for row in country.unites:
        row["siren"] = "00" + str(row["siren"])[2:]
    country.sirene[0] |= {"trancheEffectifsEtablissement": "01"}
    options = country.write(sirene=".parquet")
    for file in options.sirene.iterdir():
        table = pd.read_parquet(file)
        for column in ("siret", "siren", "numeroVoieEtablissement"):
            if column in table:
                table[column] = pd.to_numeric(table[column])
        table.to_parquet(file, index=False)
    store = build(options)
    bakery = store.departement(STORE_ESTABLISHMENTS, "35").set_index("siret").loc["00000000100017"]
    assert (bakery["denomination"], bakery["numero"]) == ("BOULANGERIE LEMADEC", "4")
    assert store.manifest["tables"]["establishments"]["rows"] == 4


def test_scientific_notation_is_refused_and_said_to_be_of_the_siret(country: Country):
    country.sirene = [{**r, "siret": "9,00000E+13"} for r in country.sirene]
    with pytest.raises(DataError, match="whose siret is not 14 digits"):
        build(country.write())
    assert not (country.root / "store").exists()


def _ban_of(country: Country, n_bad: int, n: int = 1000) -> None:
    country.ban = [
        address(i + 1, "Rue du Moulin", "35901" if i >= n_bad else "99999", 350_000 + i, 6_790_000)
        for i in range(n)
    ]


@pytest.mark.parametrize(("n_bad", "is_told"), [(1, False), (2, True), (50, True)])
def test_a_loss_is_counted_and_beyond_a_thousandth_warned_of(
    country: Country, caplog: pytest.LogCaptureFixture, n_bad: int, is_told: bool
):
    _ban_of(country, n_bad)
    store = build(country.write())
    account = next(a for a in store.manifest["accounts"] if a["file"] == "adresses-35.csv.gz")
    reasons = {"of a commune that the COG does not know": n_bad}
    told = (account["read"], account["kept"], account["outside"], account["refused"])
    assert told == (1000, 1000 - n_bad, 0, reasons)
    assert any(f"{n_bad} refused" in r.message for r in caplog.records) is is_told


def test_a_loss_beyond_a_twentieth_ends_the_build_unless_allowed(country: Country):
    _ban_of(country, 51)
    options = country.write()
    with pytest.raises(DataError, match="51 of a commune that the COG does not know"):
        build(options)
    assert _counts(dataclasses.replace(options, allowed=0.06))["addresses"] == 949


def test_rows_of_other_places_and_of_closed_establishments_are_no_loss(country: Country):
    country.sirene += [
        establishment("90000000700014", "35901", etatAdministratifEtablissement="F"),
        establishment("90000000800012", "", codePostalEtablissement="",
                      codePaysEtrangerEtablissement="99109"),
    ]  # fmt: skip
    manifest = build(dataclasses.replace(country.write(), departements=("35",))).manifest
    for account in manifest["accounts"]:
        assert account["refused"] == {}
        assert account["read"] == account["kept"] + account["outside"]


def test_what_is_read_is_what_is_kept_outside_or_refused():
    account = Account.of("a.csv", 10, 5, {"bad": 2, "none": 0})
    assert (account.outside, account.refused, account.n_refused) == (3, {"bad": 2}, 2)
    assert json.loads(json.dumps(settle([account], 0.5)))[0]["read"] == 10


def _zip_by(path: Path, patch: Callable[[bytearray], None]) -> None:
    """Rewrite a zip's headers, as another program would have written them."""
    content = bytearray(path.read_bytes())
    patch(content)
    path.write_bytes(content)


def _encrypted(content: bytearray) -> None:
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1


def _deflate64(content: bytearray) -> None:
    content[8] = 9
    content[content.index(b"PK\x01\x02") + 10] = 9


@pytest.mark.parametrize(
    ("patch", "told"), [(_encrypted, "zip with a password"), (_deflate64, "method 9")]
)
def test_zips_that_cannot_be_unpacked_are_refused(
    country: Country, patch: Callable[[bytearray], None], told: str
):
    options = country.write(sirene=".zip")
    for file in options.sirene.iterdir():
        assert zipfile.is_zipfile(file)
        _zip_by(file, patch)
    with pytest.raises(DataError, match=told) as error:
        build(options)
    assert len(str(error.value).splitlines()) == 2  # one for each of the two files


def test_a_file_newer_than_the_cog_is_placed_by_the_former_commune(country: Country):
    country.ban += [
        address(n, "Rue Neuve", "35999", 351_000 + n, 6_789_500,
                code_insee_ancienne_commune="35901") for n in range(1, 4)
    ]  # fmt: skip
    assert _counts(country.write())["addresses"] == len(country.ban)


def test_lines_of_a_text_with_a_break_are_one_row(country: Country):
    country.sirene[0]["enseigne1Etablissement"] = "AU PAIN\nDORE"
    account = next(
        a for a in build(country.write()).manifest["accounts"] if "StockEtablissement" in a["file"]
    )
    assert account["read"] == len(country.sirene)
