"""Showing a bulletin to a person: map, card, page. Nothing here needs a network."""

from geomatch.review.desk.stories import Stories, read_stories, tell_stories
from geomatch.review.map.atlas import Atlas
from geomatch.review.map.drawing import neighbourhood_svg
from geomatch.review.notebook.display import BulletinView, ambiguous_map, show_bulletin, verdicts
from geomatch.review.web.page import bulletin_page

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
