"""SIREN and SIRET numbers with valid check digits, in a range hardly any real unit bears."""

from __future__ import annotations

#: Distinct units that :func:`siren_number` can number.
MAX_UNITS = 100_000


def check_digit(digits: str) -> str:
    """The digit that makes ``digits + check`` pass Luhn's test."""
    total = 0
    for position, character in enumerate(reversed(digits)):
        value = int(character) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def siren_number(rank: int) -> str:
    """SIREN of the `rank`-th unit: ``000`` and scattered digits.

    Leading zeros are on purpose: a reader that takes the codes for numbers loses them.
    """
    return _checked(f"000{(rank * 7919 + 41_137) % MAX_UNITS:05d}")


def siret_number(siren: str, rank: int) -> str:
    """SIRET of the `rank`-th establishment (from 1) of a unit."""
    return _checked(f"{siren}{rank:04d}")


def _checked(digits: str) -> str:
    return digits + check_digit(digits)
