"""The language of the screen: French, or English where ``tables/english.csv`` has the words.

Screens say ``said("Terminé en {}.").format(…)``: the French text is the key, so that what is not in
the table is shown in French, never left out. Pages of clerks, reports and files are French.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from geomatch.core.errors import ConfigError
from geomatch.core.tables import load_table

FRENCH, ENGLISH = "fr", "en"
LANGUAGES = (FRENCH, ENGLISH)
OPTION = "--lang"
_spoken: ContextVar[str] = ContextVar("language", default=FRENCH)


def speak(language: str) -> None:
    """From here on, say everything in `language`, one of :data:`LANGUAGES`."""
    _spoken.set(_known(language))


def is_english() -> bool:
    """Whether the screen is in English."""
    return _spoken.get() == ENGLISH


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Another language for a while: a page is French whoever asks for it."""
    before = _spoken.set(_known(language))
    try:
        yield
    finally:
        _spoken.reset(before)


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise ConfigError(f"{OPTION} is '{language}', expected one of {', '.join(LANGUAGES)}")
    return language


def said(french: str) -> str:
    """The text in the language of the screen; French where the table has no other."""
    return english().get(french, french) if is_english() else french


@cache
def english() -> Mapping[str, str]:
    """French text → English text, both with the same ``{}`` in the same order."""
    return dict(load_table("english"))  # type: ignore[arg-type]


def asked(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[str, list[str]]:
    """The language asked for, and the arguments without the option, wherever it stood.

    ``--lang`` goes first, then ``LC_ALL``, ``LC_MESSAGES`` and ``LANG``: English where one begins
    with ``en``, French otherwise.
    """
    left, told = [], ""
    given = iter(arguments)
    for argument in given:
        if argument == "--":
            left += [argument, *given]
        elif argument == OPTION:
            told = next(given, "")
            if not told:
                raise ConfigError(f"{OPTION} is empty, expected one of {', '.join(LANGUAGES)}")
        elif argument.startswith(f"{OPTION}="):
            told = argument.partition("=")[2]
        else:
            left.append(argument)
    if told:
        return told, left
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environment[n] for n in names if environment.get(n)), "")
    return (ENGLISH if locale.lower().startswith("en") else FRENCH), left
