"""Which establishment of the Sirene register is this declared workplace?

::

    from geomatch import Matcher

    result = Matcher.open("store").match(frame)
    result.decisions, result.candidates
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geomatch.linkage.matcher import Matcher, Result

__version__ = "0.1.0"
__all__ = ["Matcher", "Result", "__version__"]


def __getattr__(name: str) -> Any:
    """Load the matcher only when it is asked for: the command line starts without it."""
    if name in ("Matcher", "Result"):
        from geomatch.linkage import matcher

        return getattr(matcher, name)
    raise AttributeError(f"module 'geomatch' has no attribute '{name}'")
