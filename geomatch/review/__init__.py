"""Showing a bulletin to a person: map, card, page. Nothing here needs a network."""

from geomatch.review.atlas import Atlas
from geomatch.review.display import BulletinView, ambiguous_map, show_bulletin, verdicts
from geomatch.review.map import neighbourhood_svg
from geomatch.review.page import bulletin_page
from geomatch.review.stories import Stories, read_stories, tell_stories

__all__ = [
    "Atlas",
    "BulletinView",
    "Stories",
    "ambiguous_map",
    "bulletin_page",
    "neighbourhood_svg",
    "read_stories",
    "show_bulletin",
    "tell_stories",
    "verdicts",
]
