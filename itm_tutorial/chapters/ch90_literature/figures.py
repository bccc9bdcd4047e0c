"""The figures of chapter 90, the list of papers and the data behind the record, in one place for the notebook."""

from itm_tutorial.chapters.ch90_literature.explorer import literature_explorer
from itm_tutorial.chapters.ch90_literature.leaderboard_figure import leaderboard
from itm_tutorial.chapters.ch90_literature.map_figures import papers_timeline, who_follows_whom
from itm_tutorial.chapters.ch90_literature.paper_list import papers_list
from itm_tutorial.chapters.ch90_literature.record_figures import ingredients, record, reported, staircase

__all__ = [
    "ingredients",
    "leaderboard",
    "literature_explorer",
    "papers_list",
    "papers_timeline",
    "record",
    "reported",
    "staircase",
    "who_follows_whom",
]
