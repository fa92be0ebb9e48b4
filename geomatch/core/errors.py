"""What can go wrong, as few exceptions, each with the exit code the command line gives it.

A message says what was got, what was expected and what to do, and never quotes a bulletin.
"""

from __future__ import annotations


class GeomatchError(Exception):
    """Root of every error this project raises on purpose."""

    exit_code = 1


class ConfigError(GeomatchError):
    """An option, a path of an option or a configuration file is not usable (exit code 2)."""

    exit_code = 2


class DataError(GeomatchError):
    """A file is missing, unreadable, or not laid out as it has to be (exit code 3)."""

    exit_code = 3


class LayoutError(DataError):
    """A file's columns are not those of any known layout."""


class StoreError(DataError):
    """The reference store is absent, incomplete or of another format version."""


class SourceUnavailableError(GeomatchError):
    """A remote source does not answer or answers with an error (exit code 4)."""

    exit_code = 4
