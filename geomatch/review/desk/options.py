"""What a review is opened with."""

from __future__ import annotations

from dataclasses import dataclass

from geomatch.core.errors import ConfigError
from geomatch.core.paths import Location
from geomatch.review.map.background import BACKGROUNDS


@dataclass(frozen=True)
class ReviewOptions:
    """Options of a page or a notebook; :class:`ConfigError` when one makes no sense.

    Attributes
    ----------
    store : reference store, None for the one run.json names
    background : ``""``, or ``ign`` for a map of the Géoplateforme under our own
    double : share of the cards, in [0, 1], that a second clerk settles too
    audit : whether the sample of ``geomatch audit`` is checked blindly, instead of a review
    """

    store: Location | None = None
    background: str = ""
    double: float = 0.0
    audit: bool = False

    def __post_init__(self) -> None:
        if self.background not in BACKGROUNDS:
            known = ", ".join(name for name in BACKGROUNDS if name)
            raise ConfigError(f"background is {self.background}, expected {known}, or nothing")
        if not 0.0 <= self.double <= 1.0:
            raise ConfigError(f"double is {self.double}, expected a share between 0 and 1")
        if self.audit and self.double:
            raise ConfigError(
                "double and audit together; who sees a card of an audit is told when its sample is "
                "drawn: geomatch audit RUN --clerks 2"
            )


#: The run's own store, no background, no card twice.
AS_IT_IS = ReviewOptions()
