"""Tables with points as maps that need no network: a page that browsers and notebooks show."""

from geomatch.core.maps.page import MapPage, explore, explore_matches

__all__ = ["MapPage", "explore", "explore_matches"]
