from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from geomatch.core.config import Config
from geomatch.core.errors import ConfigError


def write(folder: Path, text: str) -> Path:
    file = folder / "geomatch.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_an_empty_file_leaves_every_default(tmp_path: Path) -> None:
    assert Config.from_toml(write(tmp_path, "")) == Config()


def test_options_of_the_file_replace_the_defaults_and_no_others(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
        model = "mon/modele"
        [bulletins]
        layout = "free"
        columns = { raison_sociale = "employeur" }
        [addresses]
        parser = "rules"
        least_probability = 1
        [decisions]
        precision = 0.97
        """,
    )
    config = Config.from_toml(file)
    assert config.model == "mon/modele"
    assert config.bulletins.layout == "free"
    assert config.bulletins.columns == {"raison_sociale": "employeur"}
    assert config.addresses.parser == "rules"
    assert config.addresses.least_probability == 1.0
    assert isinstance(config.addresses.least_probability, float)
    assert config.decisions.precision == 0.97
    assert config.decisions.naf_precision == Config().decisions.naf_precision
    assert config.candidates == Config().candidates


def test_what_asdict_gives_is_read_back() -> None:
    config = Config.from_dict({"candidates": {"kept": 7}, "model": "m"})
    assert Config.from_dict(dataclasses.asdict(config)) == config


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
        decisons = 1
        candidates = 3
        [addresses]
        parsers = "rules"
        [decisions]
        precision = "high"
        """,
    )
    with pytest.raises(ConfigError) as raised:
        Config.from_toml(file)
    message = str(raised.value)
    for part in (
        str(file),
        "unknown section or option 'decisons'",
        "'candidates' must be a table, got int",
        "unknown option 'addresses.parsers'",
        "'decisions.precision' must be float, got str",
    ):
        assert part in message


@pytest.mark.parametrize(
    "content",
    [
        {"candidates": {"kept": True}},
        {"candidates": {"kept": 2.5}},
        {"decisions": {"precision": True}},
        {"bulletins": {"columns": ["raison_sociale"]}},
        {"addresses": {"parser": 3}},
    ],
)
def test_a_value_of_another_kind_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="must be"):
        Config.from_dict(content)


def test_a_file_that_is_absent_or_no_toml_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not readable"):
        Config.from_toml(tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="not TOML"):
        Config.from_toml(write(tmp_path, "[addresses\nparser"))


def test_a_file_that_is_no_text_is_a_configuration_error(tmp_path: Path) -> None:
    file = tmp_path / "geomatch.toml"
    file.write_bytes(b'model = "\xe9t\xe9"\n')
    with pytest.raises(ConfigError, match=r"geomatch\.toml"):
        Config.from_toml(file)


def test_options_cannot_be_changed_once_made() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().model = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    "option",
    [
        "[candidates]\nkept = 0",
        "[candidates]\nby_name = -1",
        "[candidates]\nleast = 0",
        "[candidates]\nreach = -0.5",
        "[candidates]\nmin_radius_m = -5.0",
        "[candidates]\nmax_radius_m = inf",
        "[candidates]\nmax_radius_m = nan",
        "[addresses]\nleast_probability = 7",
        "[decisions]\nprecision = nan",
    ],
)
def test_numbers_that_make_no_sense_are_refused_by_name(tmp_path: Path, option: str) -> None:
    name = option.split()[1]
    with pytest.raises(ConfigError, match=rf"\.{name}' is .*, expected .* to "):
        Config.from_toml(write(tmp_path, option))
