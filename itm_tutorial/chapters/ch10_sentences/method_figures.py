"""The seven methods of the chapter side by side: what each reads, how it makes one vector of it, and how it learns."""

from __future__ import annotations

from matplotlib.figure import Figure

from itm_tutorial.show.family_map import family_map

METHODS = {  # name -> part -> what it is there
    "SDT-RNN (2014)": {
        "reads": "words and a dependency tree",
        "combines by": "a matrix per relation, from the leaves to the root",
        "image side": "one vector",
        "trained by": "ranking, dot products without normalisation",
    },
    "m-CNN (2015)": {
        "reads": "words in order",
        "combines by": "convolutions that read the image too, at four levels",
        "image side": "one vector, inside the text network",
        "trained by": "ranking, with one random negative",
    },
    "Skip-thoughts (2015)": {
        "reads": "words in order",
        "combines by": "a GRU that stays frozen",
        "image side": "one vector",
        "trained by": "stories without images, then two linear maps",
    },
    "HM-LSTM (2017)": {
        "reads": "words and a tree of phrases",
        "combines by": "an LSTM with two kinds of children",
        "image side": "one vector, and regions for phrases",
        "trained by": "ranking of sentences, then of phrases with regions",
    },
    "SEAM (2018)": {
        "reads": "words, as a set or in order",
        "combines by": "several hops of self-attention",
        "image side": "one vector",
        "trained by": "ranking",
    },
    "CHAIN-VSE (2018)": {
        "reads": "characters in order",
        "combines by": "towers of convolutions, largest value over time",
        "image side": "one vector",
        "trained by": "ranking",
    },
    "CSE (2018)": {
        "reads": "words in order",
        "combines by": "convolutions",
        "image side": "pixels, trained from the start",
        "trained by": "ranking, and a local term on middle layers",
    },
}
NEW = {
    ("SDT-RNN (2014)", "reads"),
    ("SDT-RNN (2014)", "combines by"),
    ("m-CNN (2015)", "combines by"),
    ("m-CNN (2015)", "image side"),
    ("Skip-thoughts (2015)", "trained by"),
    ("HM-LSTM (2017)", "reads"),
    ("HM-LSTM (2017)", "combines by"),
    ("HM-LSTM (2017)", "image side"),
    ("SEAM (2018)", "combines by"),
    ("CHAIN-VSE (2018)", "reads"),
    ("CHAIN-VSE (2018)", "combines by"),
    ("CSE (2018)", "trained by"),
    ("CSE (2018)", "image side"),
}


def methods() -> Figure:
    """Draws the map of the seven methods of the chapter."""
    return family_map(METHODS, NEW)
