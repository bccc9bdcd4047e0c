"""The field's first years in one picture: which of the four parts each system changed, and what that gave."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from itm_tutorial.show.canvas import ACCENT, BLUE, GREY, INK, PALE, axes_of, described

PARTS = ("image encoder", "text encoder", "interaction", "loss")
TOP, BARS = -1.0, len(PARTS)  # rows of the names above the parts, and of the bars below them


@dataclass(frozen=True)
class Step:
    """A system, and the parts in which it differs most from those drawn before it.

    Attributes:
        name, venue, year: as in the survey.
        changed: what is new, by part; lines broken by hand.
        r1: R@1 of image retrieval on Flickr30K, in percent, as the survey lists it.
        backbone: the image network behind that result.
        chapter: of this course, or None.
    """

    name: str
    venue: str
    year: int
    changed: dict[str, str]
    r1: float
    backbone: str
    chapter: str | None = None


STEPS = (
    Step(
        "DeViSE",
        "NIPS",
        2013,
        {
            "image encoder": "CNN, then\none linear map",
            "text encoder": "skip-gram\nword vectors",
            "interaction": "dot product",
            "loss": "hinge with\na margin",
        },
        6.7,
        "RCNN",
        "01",
    ),
    Step("UVSE", "NIPS workshop", 2014, {"text encoder": "a recurrent\nnet reads the\nsentence"}, 16.8, "VGG", "00"),
    Step(
        "DVSA",
        "CVPR",
        2015,
        {
            "image encoder": "19 boxes\nand the whole\nimage",
            "text encoder": "a vector for\neach word",
            "interaction": "each word\ntakes its\nbest box",
        },
        15.2,
        "RCNN",
    ),
    Step("VSE++", "BMVC", 2018, {"loss": "only the\nhardest\nnegative counts"}, 39.6, "ResNet", "02"),
    Step("CMPL", "ECCV", 2018, {"loss": "projections\nin place of\nmargins"}, 37.3, "ResNet", "04"),
    Step(
        "SCAN",
        "ECCV",
        2018,
        {
            "image encoder": "36 regions",
            "text encoder": "a vector for\neach word",
            "interaction": "each word\nattends to all\nregions",
        },
        45.8,
        "regions",
        "03",
    ),
    Step(
        "TIMAM",
        "ICCV",
        2019,
        {"text encoder": "BERT's word\nvectors", "loss": "CMPL's, with\nidentities and\nan adversary"},
        42.6,
        "ResNet",
        "04",
    ),
    Step("IMRAM", "CVPR", 2020, {"interaction": "attention with\na memory,\nrepeated"}, 53.9, "regions"),
)


def history(here: str = "00", axes: Axes | None = None) -> Figure | Axes:
    """Draws eight systems from 2013 to 2020, one per column, with a card where one of the four parts was new.

    Args:
        here: the chapter whose column is marked.
        axes: drawn on; a new figure by default.

    Returns:
        The axes it was given, or else the new figure.
    """
    axes, drawn = axes_of(axes, 12, 6)
    for row, part in enumerate(PARTS):
        axes.plot([-0.5, len(STEPS) - 0.5], [row, row], color=PALE, linewidth=14, zorder=0, solid_capstyle="butt")
        axes.text(-0.6, row, part, ha="right", va="center", fontsize=10.5, fontweight="bold", color=INK)
    axes.text(-0.6, BARS + 0.15, "image R@1 on\nFlickr30K, in %", ha="right", va="center", fontsize=10, color=INK)
    for column, step in enumerate(STEPS):
        _column(axes, column, step, ACCENT if step.chapter == here else None)
    axes.set(xlim=(-1.75, len(STEPS) - 0.45), ylim=(BARS + 0.95, TOP - 0.6))
    axes.axis("off")
    return described(drawn, _alt(here))


def _column(axes: Axes, column: int, step: Step, mark: str | None) -> None:
    """A system from top to bottom: chapter, name, cards, bar; all in one colour where it is marked."""

    def write(y: float, words: str, size: float, **style) -> None:
        axes.text(column, y, words, ha="center", fontsize=size, **{"color": INK, **style})

    if step.chapter:
        write(TOP - 0.33, "you are here" if mark else f"chapter {step.chapter}", 9, color=mark or INK)
    write(TOP, step.name, 12, fontweight="bold", color=mark or INK)
    write(TOP + 0.25, f"{step.venue} {step.year}", 9)
    for part, words in step.changed.items():
        _card(axes, column, PARTS.index(part), words, mark or BLUE)
    height = 0.9 * step.r1 / max(other.r1 for other in STEPS)
    axes.bar(column, -height, 0.5, bottom=BARS + 0.6, color=mark or GREY)
    write(BARS + 0.55 - height, f"{step.r1:.1f}", 10, va="bottom")
    write(BARS + 0.68, step.backbone, 9, va="top")


def _card(axes: Axes, column: float, row: float, words: str, color: str) -> None:
    rounded = "round,pad=0,rounding_size=0.06"
    box = FancyBboxPatch((column - 0.46, row - 0.36), 0.92, 0.72, boxstyle=rounded, facecolor="w", edgecolor=color)
    box.set_linewidth(1.8)
    axes.add_patch(box)
    axes.text(column, row, words, ha="center", va="center", fontsize=9, color=INK, linespacing=1.15)


def _alt(here: str) -> str:
    sentences = []
    for step in STEPS:
        changed = "; ".join(f"{part}: {' '.join(words.split())}" for part, words in step.changed.items())
        place = " (this chapter)" if step.chapter == here else ""
        sentences.append(f"{step.name}, {step.year}{place}: {changed}; R@1 {step.r1:.1f}.")
    return (
        f"A timeline of {len(STEPS)} systems with what was new in each, and the R@1 of image retrieval on Flickr30K "
        f"that the survey lists. {' '.join(sentences)}"
    )
