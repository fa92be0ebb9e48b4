from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import geomatch.core.schema as schema
from geomatch.core.errors import DataError
from geomatch.core.schema import Table, text_array
from geomatch.core.territories import crs_of, departement_of

TABLES = [v for v in vars(schema).values() if isinstance(v, Table)]
EXAMPLE = Table(
    "example",
    {
        "nom": ("text", "a name"),
        "x": ("float", "metres"),
        "n": ("int", "how many"),
        "is_siege": ("bool", "head office"),
    },
)
DTYPES = {"text": "object", "float": "float64", "int": "int64", "bool": "bool"}


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_every_table_has_known_kinds_meanings_and_an_empty_frame_of_its_types(table: Table) -> None:
    empty = table.empty()
    assert list(empty.columns) == table.names
    assert not len(empty)
    for column, (kind, meaning) in table.columns.items():
        assert meaning
        assert empty[column].dtype == DTYPES[kind]


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_conforming_twice_changes_nothing(table: Table) -> None:
    once = table.conform(pd.DataFrame(index=range(2)))
    pd.testing.assert_frame_equal(table.conform(once), once)


def test_what_is_absent_becomes_blank_nan_zero_or_false() -> None:
    made = EXAMPLE.conform(pd.DataFrame({"other": [1, 2]}, index=[5, 3]))
    assert made.index.tolist() == [5, 3]
    assert made["nom"].tolist() == ["", ""]
    assert made["x"].isna().all()
    assert made["n"].tolist() == [0, 0]
    assert made["is_siege"].tolist() == [False, False]


@pytest.mark.parametrize("null", [None, np.nan, pd.NA, pd.NaT])
def test_null_text_becomes_blank_and_stays_python_text(null: object) -> None:
    made = EXAMPLE.conform(pd.DataFrame({"nom": pd.Series(["a", null], dtype=object)}))
    assert made["nom"].tolist() == ["a", ""]
    assert made["nom"].dtype == object


@pytest.mark.parametrize("dtype", ["string", "category", object])
def test_text_of_any_pandas_kind_is_accepted(dtype: object) -> None:
    values = text_array(pd.Series(["a", None, "b"], dtype=dtype))
    assert values.tolist() == ["a", "", "b"]


def test_text_array_does_not_change_what_it_was_given() -> None:
    given = pd.Series(["a", None], dtype=object)
    text_array(given)
    assert given[1] is None


def test_numbers_that_are_no_numbers_become_nan() -> None:
    made = EXAMPLE.conform(pd.DataFrame({"x": ["1.5", "abc", None]}))
    assert made["x"].iloc[0] == 1.5
    assert made["x"].isna().tolist() == [False, True, True]


def test_a_missing_column_is_named_with_what_was_got() -> None:
    with pytest.raises(DataError, match=r"file\.csv: column\(s\) x, n missing; got nom, is_siege"):
        EXAMPLE.require(pd.DataFrame({"nom": [], "is_siege": []}), "file.csv")


@pytest.mark.parametrize(
    ("code", "departement", "crs"),
    [
        ("35238", "35", 2154),
        ("2A004", "2A", 2154),
        ("01004", "01", 2154),
        ("97411", "974", 2975),
        ("97105", "971", 5490),
        ("97209", "972", 5490),
        ("97302", "973", 2972),
        ("97608", "976", 4471),
        ("98818", "988", 3163),
        ("75056", "75", 2154),
    ],
)
def test_a_commune_code_tells_departement_and_projection(
    code: str, departement: str, crs: int
) -> None:
    assert departement_of(code) == departement
    assert crs_of(code) == crs
    assert crs_of(departement) == crs


def test_contract_columns_of_the_result_files() -> None:
    assert schema.DECISIONS.names == [
        "id", "decision", "siret", "siren", "probability", "margin", "type", "naf",
        "naf_probability", "naf_decision", "code_commune", "geocode_level", "geocode_score",
        "x", "y", "crs", "uncertainty_m", "ban_id", "reason",
        "site_probability", "siren_probability", "answer_level", "answer_probability",
        "code_pays", "present_probability", "presence", "given_siret", "given_site", "given_siren",
        "given_second", "doubt", "facts",
    ]  # fmt: skip
    assert schema.CANDIDATES.names == [
        "id", "rank", "siret", "probability", "name_compared", "raison_sociale", "adresse",
        "code_commune", "naf", "x", "y", "crs", "name_score", "activity_score", "distance_m",
        "radius_m", "address_score", "given_present",
    ]  # fmt: skip
