"""Written captions beside their pictures, statement by statement, and how log P adds up over the words of a caption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.caption_truth import statement_truth
from itm_tutorial.evaluation.statements import Statement
from itm_tutorial.retrieval.writing import WrittenCaption
from itm_tutorial.show.canvas import ACCENT, BLUE, GREEN, GREY, INK, described, new_figure, wrapped

PICTURE, LINE, WIDE = 2.1, 0.185, 2.75  # inches: the height of a picture, of a line of text, the width of a column
LETTERS = 34  # per line
MARKS = {True: ("✓", GREEN, "true"), False: ("✗", ACCENT, "false")}


def written(split: Split, images: Sequence[int], captions: Mapping[str, Sequence[WrittenCaption]]) -> Figure:
    """Draws pictures with the captions that were written for them, each statement marked as true or false.

    Args:
        split: of drawn scenes.
        images: indices of the pictures, one column each.
        captions: name of a way to write, such as "greedy" -> one caption for each of the pictures.

    Returns:
        The figure; its alt text gives every caption and its false statements.

    Raises:
        ItmError: no picture, no caption, or not one caption for each picture.
    """
    if not images or not captions or any(len(row) != len(images) for row in captions.values()):
        raise ItmError(f"written: give one caption of each way to write for each of the {len(images)} pictures")
    blocks = {
        name: [_lines(one, statement_truth(one.text, split, image)) for one, image in zip(row, images, strict=True)]
        for name, row in captions.items()
    }
    tall = [LINE * (1.6 + max(map(len, column))) for column in blocks.values()]
    figure = new_figure(WIDE * len(images), PICTURE + sum(tall))
    rows = figure.subplots(1 + len(blocks), len(images), squeeze=False, height_ratios=[PICTURE, *tall])
    for axes, image in zip(rows[0], images, strict=True):
        axes.imshow(split.display(image).permute(1, 2, 0).numpy())
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(color=GREY, linewidth=0.6)
    for row, height, (name, column) in zip(rows[1:], tall, blocks.items(), strict=True):
        for axes, lines in zip(row, column, strict=True):
            axes.axis("off")
            for number, (text, colour, weight) in enumerate([(name, BLUE, "bold"), *lines]):
                place = 1 - (number + 0.3) * LINE / height
                axes.text(0, place, text, transform=axes.transAxes, color=colour, weight=weight, fontsize=9, va="top")
    told = [_told(split, image, captions, place) for place, image in enumerate(images)]
    return described(figure, " ".join(told))


def _lines(caption: WrittenCaption, truth: list[tuple[Statement, bool]]) -> list[tuple[str, str, str]]:
    """A caption, its log P and its statements as lines: (text, colour, weight)."""
    lines = [(line, INK, "normal") for line in wrapped(caption.text, LETTERS).splitlines()]
    n_true = sum(true for _, true in truth)
    lines.append((f"log P {caption.log_p:.1f}; {n_true} of {len(truth)} true", INK, "normal"))
    for statement, true in truth:
        mark, colour, _ = MARKS[true]
        about = f" ({statement.subject})" if statement.subject not in ("", statement.words) else ""
        lines.append((f"{mark} {statement.words}{about}", colour, "normal"))
    return lines


def _told(split: Split, image: int, captions: Mapping[str, Sequence[WrittenCaption]], place: int) -> str:
    said = []
    for name, row in captions.items():
        false = [s.words for s, true in statement_truth(row[place].text, split, image) if not true]
        said.append(f"{name} “{row[place].text}” ({'false: ' + ', '.join(false) if false else 'nothing false'})")
    return f"Picture {place + 1}: {'; '.join(said)}."


def log_p_by_word(captions: Mapping[str, Sequence[tuple[str, float]]], figure: Figure | None = None) -> Figure:
    """Draws how log P of captions adds up word by word: each bar goes down by log p of its word.

    Args:
        captions: what a caption is, such as "its own caption" -> its words with their log p, as
            ``word_log_probabilities`` gives them.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives each caption's log P and its most surprising word.

    Raises:
        ItmError: no caption, or one without a word.
    """
    if not captions or not all(captions.values()):
        raise ItmError("log_p_by_word: give one caption or more, each with its words and their log p")
    longest = max(map(len, captions.values()))
    figure = figure or new_figure(min(12, 2 + 0.62 * longest), 2.15 * len(captions))
    panels = figure.subplots(len(captions), 1, squeeze=False, sharey=True)[:, 0]
    lowest = min(sum(p for _, p in row) for row in captions.values())
    told = []
    for axes, (name, row), colour in zip(panels, captions.items(), [BLUE, ACCENT] * longest, strict=False):
        before = 0.0
        for place, (_, p) in enumerate(row):
            axes.bar(place, p, 0.7, bottom=before, color=colour, hatch=None if colour == BLUE else "///", ec="white")
            if place < len(row) - 1:  # a thin line to where the next bar begins
                axes.plot([place - 0.35, place + 1.35], [before + p] * 2, color=GREY, linewidth=0.6, zorder=0)
            axes.text(place, before + p - 0.02 * abs(lowest), f"{p:.1f}", ha="center", va="top", fontsize=8, color=INK)
            before += p
        axes.set(xlim=(-0.6, longest + 1.2), ylim=(1.14 * lowest, 0.5))
        axes.set_xticks(range(len(row)), [word for word, _ in row], fontsize=9)
        axes.set_title(name, fontsize=10, color=INK, loc="left")
        axes.set_ylabel("sum of log p", fontsize=9)
        axes.text(len(row) - 0.1, before, f"log P = {before:.1f}", va="center", fontsize=10, color=INK, weight="bold")
        axes.spines[["top", "right"]].set_visible(False)
        word, worst = min(row, key=lambda pair: pair[1])
        told.append(
            f"{name}: log P {before:.1f} over {len(row) - 1} words and stop, least likely “{word}” ({worst:.1f})"
        )
    return described(figure, f"How log P adds up word by word. {'; '.join(told)}.")
