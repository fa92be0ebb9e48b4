"""Which establishment of the Sirene register is this declared workplace?

::

    from geomatch import Matcher

    result = Matcher.open("store").match(frame)
    result.decisions, result.candidates
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geomatch.core.errors import (
        ConfigError,
        DataError,
        GeomatchError,
        SourceUnavailableError,
        StoreError,
    )
    from geomatch.core.geoframes import to_geodataframe
    from geomatch.evaluation import evaluate, read_truth
    from geomatch.linkage.matcher import Matcher, Result
    from geomatch.store.reader import Store

__version__ = "0.2.0"
#: Public name -> the module that defines it. Each is loaded when it is first asked for, so that
#: ``import geomatch`` and the command line start quickly.
_PUBLIC = {
    "ConfigError": "geomatch.core.errors",
    "DataError": "geomatch.core.errors",
    "GeomatchError": "geomatch.core.errors",
    "Matcher": "geomatch.linkage.matcher",
    "Result": "geomatch.linkage.matcher",
    "SourceUnavailableError": "geomatch.core.errors",
    "Store": "geomatch.store.reader",
    "StoreError": "geomatch.core.errors",
    "evaluate": "geomatch.evaluation",
    "read_truth": "geomatch.evaluation",
    "to_geodataframe": "geomatch.core.geoframes",
}
__all__ = [
    "ConfigError",
    "DataError",
    "GeomatchError",
    "Matcher",
    "Result",
    "SourceUnavailableError",
    "Store",
    "StoreError",
    "__version__",
    "evaluate",
    "read_truth",
    "to_geodataframe",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for."""
    if name in _PUBLIC:
        from importlib import import_module

        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'geomatch' has no attribute '{name}'")
