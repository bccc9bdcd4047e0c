"""The three methods of the chapter side by side: what each changes."""

from __future__ import annotations

from matplotlib.figure import Figure

from itm_tutorial.show.family_map import family_map

METHODS = {  # name -> part -> what it is there
    "DAN (2017)": {
        "image becomes": "K + 1 vectors side by side",
        "attention reads": "the memory of its own side",
        "what crosses": "nothing",
        "score": "one dot product",
        "trained by": "ranking",
    },
    "sm-LSTM (2017)": {
        "image becomes": "its regions and their mean",
        "attention reads": "the state of the pair",
        "what crosses": "the state, in every step",
        "score": "the last state of an LSTM per pair",
        "trained by": "ranking, and a squared penalty on the maps",
    },
    "SCO (2018)": {
        "image becomes": "concepts and context, joined by a gate",
        "attention reads": "no attention",
        "what crosses": "nothing",
        "score": "a cosine",
        "trained by": "ranking, labels, and writing the caption",
    },
}
NEW = {
    ("DAN (2017)", "image becomes"),
    ("DAN (2017)", "attention reads"),
    ("sm-LSTM (2017)", "attention reads"),
    ("sm-LSTM (2017)", "score"),
    ("SCO (2018)", "image becomes"),
    ("SCO (2018)", "trained by"),
}


def methods() -> Figure:
    """Draws the map of the three methods of the chapter."""
    return family_map(METHODS, NEW)
