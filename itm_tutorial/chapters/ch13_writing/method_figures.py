"""The three methods side by side: where the image enters, what images share, what ranks, and what trains."""

from __future__ import annotations

from matplotlib.figure import Figure

from itm_tutorial.show.family_map import family_map

METHODS = {  # name -> part -> what it is there
    "NIC (2015)": {
        "the image enters": "once, as the first word",
        "the recurrence": "an LSTM, one run per pair",
        "the score": "log P of the caption, given the image",
        "trained by": "log P of an image's own captions",
    },
    "m-RNN (2015)": {
        "the image enters": "at each step, beside the recurrence",
        "the recurrence": "over words alone, one run per caption",
        "the score": "log P; for image to text divided by the prior",
        "trained by": "log P of an image's own captions",
    },
    "GXN (2018)": {
        "the image enters": "as two embeddings",
        "the recurrence": "two sentence encoders, one run per caption",
        "the score": "the mean of two cosines; nothing is written",
        "trained by": "ranking, and writing, and imagining features",
    },
}
NEW = {
    ("NIC (2015)", "the image enters"),
    ("NIC (2015)", "the score"),
    ("m-RNN (2015)", "the image enters"),
    ("m-RNN (2015)", "the recurrence"),
    ("m-RNN (2015)", "the score"),
    ("GXN (2018)", "trained by"),
}


def methods() -> Figure:
    """Draws the map of the three methods of the chapter."""
    return family_map(METHODS, NEW)
