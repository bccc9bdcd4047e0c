"""The five methods side by side: what each changes, and how often they find what a caption names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import ACCENT, BLUE, GREY, INK, PALE, described, new_figure
from itm_tutorial.show.family_map import family_map

METHODS = {  # name -> part -> what it is there
    "DeFrag (2014)": {
        "pieces of text": "pairs of words in a dependency tree",
        "a piece takes": "all regions with a positive dot product",
        "score": "their sum, divided by length + n",
        "trained by": "ranking, and labels that the model guesses",
    },
    "DVSA (2015)": {
        "pieces of text": "words",
        "a piece takes": "its best region",
        "score": "the sum over words",
        "trained by": "ranking",
    },
    "CITE (2018)": {
        "pieces of text": "noun phrases",
        "a piece takes": "its best region",
        "score": "a network; the phrase mixes its K outputs",
        "trained by": "true boxes of the phrases",
    },
    "Align2Ground (2019)": {
        "pieces of text": "noun phrases",
        "a piece takes": "its best region",
        "score": "caption against the chosen regions alone",
        "trained by": "ranking",
    },
    "InfoGround (2020)": {
        "pieces of text": "words",
        "a piece takes": "a weighted mean of regions",
        "score": "the mean over words",
        "trained by": "InfoNCE over images, and changed nouns",
    },
}
NEW = {
    ("DeFrag (2014)", "pieces of text"),
    ("DeFrag (2014)", "trained by"),
    ("DVSA (2015)", "a piece takes"),
    ("DVSA (2015)", "score"),
    ("CITE (2018)", "score"),
    ("Align2Ground (2019)", "score"),
    ("InfoGround (2020)", "trained by"),
}


def methods() -> Figure:
    """Draws the map of the five methods of the chapter."""
    return family_map(METHODS, NEW)


def found_by(rows: Mapping[str, Sequence[float]], controls: Mapping[str, Sequence[float]], what: str) -> Figure:
    """Draws a share of phrases or words that methods localise, with their controls, over several seeds.

    Args:
        rows: method -> percent, one value per seed.
        controls: the same for baselines that know nothing of the words.
        what: the measure, for the axis.

    Returns:
        The figure; its alt text gives each mean with its standard deviation.

    Raises:
        ItmError: no method, or a row without a value.
    """
    every = {**rows, **controls}
    if not rows or not all(every.values()):
        raise ItmError(f"found_by: give one or more values for each of {list(every)}")
    figure = new_figure(8.4, 0.9 + 0.36 * len(every))
    axes = figure.subplots()
    told = []
    for place, (name, values) in enumerate(every.items()):
        mean = sum(values) / len(values)
        deviation = (sum((v - mean) ** 2 for v in values) / max(1, len(values) - 1)) ** 0.5
        style = {"color": BLUE} if name in rows else {"facecolor": PALE, "edgecolor": GREY, "hatch": "////"}
        axes.barh(place, mean, 0.66, **style)
        axes.plot(values, [place] * len(values), linestyle="none", marker="o", markersize=4, color=ACCENT, zorder=3)
        several = len(values) > 1
        label = f"{mean:.1f} ± {deviation:.1f}" if several else f"{mean:.1f}"
        axes.text(max(mean, *values) + 1.2, place, label, va="center", fontsize=9.5, color=INK)
        told.append(f"{name} {mean:.1f} ± {deviation:.1f}" if several else f"{name} {mean:.1f}")
    axes.set_yticks(range(len(every)), every, fontsize=10)
    axes.set(xlim=(0, 110), xticks=range(0, 101, 20), ylim=(len(every) - 0.4, -0.6))
    axes.set_xlabel(f"{what}, in percent (dots: seeds; hatched: controls)", fontsize=10)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return described(
        figure, f"{what}, in percent, mean and deviation over seeds where there are several: {'; '.join(told)}."
    )
