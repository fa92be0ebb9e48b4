"""The bulletins of the fictional département: INSEE's shares, honest difficulty."""

from __future__ import annotations

import pandas as pd
import pytest

from geomatch.core.text import normalise
from geomatch.demo import DemoFiles
from geomatch.demo.answers import SHARES


@pytest.mark.parametrize("column", sorted(SHARES))
def test_missing_shares_are_the_published_ones(bulletins: pd.DataFrame, column: str) -> None:
    missing = (bulletins[column] == "").mean()
    assert missing == pytest.approx(SHARES[column], abs=0.05)


def test_two_thousand_bulletins_with_a_truth_each(
    bulletins: pd.DataFrame, truth: pd.DataFrame, establishments: pd.DataFrame
) -> None:
    assert len(bulletins) == 2_000
    assert bulletins["CABBI"].is_unique
    assert bulletins["CABBI"].tolist() == truth["CABBI"].tolist()
    found = truth[truth["SIRET"] != ""].merge(establishments, left_on="SIRET", right_on="siret")
    assert len(found) == (truth["SIRET"] != "").sum()
    assert (found["etatAdministratifEtablissement"] == "A").all()
    assert (found["activitePrincipaleEtablissement"] == found["NAF"]).all()
    assert (truth["SIRET"] == "").mean() == pytest.approx(0.07, abs=0.02)


def test_people_work_where_many_work(truth: pd.DataFrame, establishments: pd.DataFrame) -> None:
    found = truth.merge(establishments, left_on="SIRET", right_on="siret")
    large = (found["trancheEffectifsEtablissement"].between("21", "53")).mean()
    all_large = (establishments["trancheEffectifsEtablissement"].between("21", "53")).mean()
    assert large > 10 * all_large


def test_kinds_of_errors(bulletins: pd.DataFrame) -> None:
    names = bulletins["RS_X"]
    assert (names == "EDUCATION NATIONALE").mean() > 0.012
    assert names.str.contains(r"NATIONALE \(", regex=True).any()
    assert (bulletins["PLT_X"] != "").any()
    assert set(bulletins["VARDOMPART_X"]) == {"", "1", "2", "3"}
    assert bulletins["NUMVOI_X"].str.fullmatch("0[0-9]{3}").any()
    paper = bulletins[bulletins["TYPCOL"] == "0"]
    assert len(paper) / len(bulletins) == pytest.approx(0.36, abs=0.04)
    read_wrong = paper["RS_X"].str.contains(r"[A-Z][015][A-Z]", regex=True).mean()
    web = bulletins[bulletins["TYPCOL"] == "1"]
    assert read_wrong > 2 * web["RS_X"].str.contains(r"[A-Z][015][A-Z]", regex=True).mean()


def test_bulletins_are_no_copies_of_the_register(
    bulletins: pd.DataFrame, truth: pd.DataFrame, establishments: pd.DataFrame, units: pd.DataFrame
) -> None:
    """A name equal to one of the register's own happens, and not too often."""
    both = establishments.merge(units, on="siren").set_index("siret")
    columns = [
        "enseigne1Etablissement",
        "denominationUniteLegale",
        "denominationUsuelleEtablissement",
    ]
    known = {
        siret: {normalise(v) for v in row if v}
        for siret, *row in both[columns].itertuples(name=None)
    }
    pairs = [
        (name, siret)
        for name, siret in zip(bulletins["RS_X"], truth["SIRET"], strict=True)
        if siret and name
    ]
    same = sum(name in known[siret] for name, siret in pairs) / len(pairs)
    assert 0.1 < same < 0.4


def test_past_coding_has_the_published_shares(bulletins: pd.DataFrame, truth: pd.DataFrame) -> None:
    coded = bulletins["I_MCA_C"] == "C"
    assert coded.mean() == pytest.approx(0.44, abs=0.05)
    right = bulletins.loc[coded, "SIRETC"] == truth.loc[coded, "SIRET"]
    assert right.mean() == pytest.approx(0.92, abs=0.03)
    assert set(bulletins["I_MCA_C"]) == {"C", "D", "E", ""}
    assert (bulletins["SIRET_DEC"] == truth["SIRET"]).mean() < 0.93


def test_files_are_latin_1(files: DemoFiles) -> None:
    files.bulletins.read_bytes().decode("latin-1")
