"""Chapter 90's figures, in one place for the notebook."""

from itm_tutorial.chapters.ch90_literature.explorer import literature_explorer
from itm_tutorial.chapters.ch90_literature.leaderboard_figure import leaderboard
from itm_tutorial.chapters.ch90_literature.map_figures import papers_timeline, who_follows_whom
from itm_tutorial.chapters.ch90_literature.record_figures import ingredients, record

__all__ = [
    "ingredients",
    "leaderboard",
    "literature_explorer",
    "papers_timeline",
    "record",
    "who_follows_whom",
]
