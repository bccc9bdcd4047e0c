"""One caption as four encoders read it: words in order, a dependency tree, characters, and hops of attention."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from torch import Tensor

from itm_tutorial.data.parsing import Parse
from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import ACCENT, BLUE, GREY, INK, PALE, described, new_figure

WINDOWS = (3, 5, 7)  # characters per window of CHAIN-VSE's first layer
SHADES = "Blues"


def readings(parse: Parse, hops: Tensor, trained: bool = True, figure: Figure | None = None) -> Figure:
    """Draws a caption in four panels: word order, tree, characters, and which words each hop reads.

    Args:
        parse: of the caption.
        hops: [n_hops, n_words], the weights of each hop, without those of <start> and <end>.
        trained: whether the hops are those of a trained model.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives the tree and the word that each hop reads most.

    Raises:
        ItmError: not one weight per word.
    """
    n = len(parse.words)
    if hops.ndim != 2 or hops.shape[1] != n:
        raise ItmError(f"readings: hops are {list(hops.shape)} for {n} words; give [n_hops, n_words]")
    height = 0.24 * len(hops) + 0.55
    depth = arc_height(parse)
    figure = figure or new_figure(10.4, 1.1 + depth + 1.3 + height + 1.2)
    panels = figure.subplots(4, 1, height_ratios=[0.75, depth + 0.75, 1.15, height])
    _chain(panels[0], parse.words)
    draw_tree(panels[1], parse)
    panels[1].set_title("a tree (SDT-RNN): each word sends its vector to its head", **_TITLE)
    _characters(panels[2], " ".join(parse.words))
    _hops(panels[3], parse.words, hops, trained)
    when = "after training" if trained else "before training"
    tops = ", ".join(f"hop {h + 1} {parse.words[int(row.argmax())]}" for h, row in enumerate(hops))
    return described(
        figure,
        f"“{' '.join(parse.words)}” read in four ways: word after word; as a tree: {tree_text(parse)}; as "
        f"{len(' '.join(parse.words))} characters with windows of 3, 5 and 7; by {len(hops)} hops {when}, whose "
        f"largest weights are: {tops}.",
    )


_TITLE = {"fontsize": 10.5, "color": INK, "loc": "left"}


def tree_text(parse: Parse) -> str:
    """The tree in words: each word with its head and its relation."""
    parts = [
        f"{word} is the root" if head == w else f"{word} hangs on {parse.words[head]} ({relation})"
        for w, (word, head, relation) in enumerate(zip(parse.words, parse.heads, parse.relations, strict=True))
    ]
    return ", ".join(parts)


def arc_height(parse: Parse) -> float:
    """Inches that the arcs of a tree need."""
    longest = max((abs(head - w) for w, head in enumerate(parse.heads)), default=1)
    return 0.5 + 0.2 * min(longest, 10)


def draw_tree(axes: Axes, parse: Parse) -> None:
    """Draws the words in a row, and an arc from each head to its children with the name of the relation."""
    n, spans = len(parse.words), [abs(head - w) for w, head in enumerate(parse.heads)]
    tall = _level(max(spans)) + 0.7
    axes.set(xlim=(-0.5, n - 0.5), ylim=(-0.75, tall))
    axes.axis("off")
    _words(axes, parse.words, -0.4)
    for w, (head, relation) in enumerate(zip(parse.heads, parse.relations, strict=True)):
        if head == w:
            axes.annotate("", (w, 0), (w, tall), arrowprops={"arrowstyle": "-|>", "color": ACCENT, "linewidth": 1.8})
            axes.text(w + 0.08, tall - 0.1, "root", fontsize=8.5, color=ACCENT, va="top", fontweight="bold")
            continue
        side = 0.13 if head < w else -0.13
        top = _level(abs(head - w))
        start, end = head + side, w - 0.4 * side
        axes.plot([start, start, end, end], [0, top, top, 0.12], color=BLUE, linewidth=1.2, solid_joinstyle="round")
        axes.plot([end], [0.12], marker="v", color=BLUE, markersize=4)
        axes.text((start + end) / 2, top, relation, fontsize=8, color=INK, ha="center", va="center",
                  bbox={"facecolor": "w", "edgecolor": "none", "pad": 0.8})  # fmt: skip


def _level(span: int) -> float:
    """How high an arc over some words runs, in data units."""
    return 0.35 + 0.62 * min(span, 10) ** 0.85


def _words(axes: Axes, words: tuple[str, ...], y: float) -> None:
    for w, word in enumerate(words):
        axes.text(w, y, word, ha="center", va="center", fontsize=10, color=INK)


def _chain(axes: Axes, words: tuple[str, ...]) -> None:
    axes.set(xlim=(-0.5, len(words) - 0.5), ylim=(-0.6, 0.6))
    axes.axis("off")
    for w, word in enumerate(words):
        box = FancyBboxPatch((w - 0.34, -0.26), 0.68, 0.52, boxstyle="round,pad=0,rounding_size=0.08",
                             facecolor=PALE, edgecolor=GREY, linewidth=0.8)  # fmt: skip
        axes.add_patch(box)
        axes.text(w, 0, word, ha="center", va="center", fontsize=9, color=INK)
        if w:
            axes.annotate("", (w - 0.34, 0), (w - 0.66, 0), arrowprops={"arrowstyle": "-|>", "color": BLUE})
    axes.set_title("words in order (GRU): each state reads one more word", **_TITLE)


def _characters(axes: Axes, text: str) -> None:
    n = len(text)
    axes.set(xlim=(0, n), ylim=(-1.7, 1.1))
    axes.axis("off")
    for place, letter in enumerate(text):
        axes.add_patch(
            Rectangle((place, 0), 1, 1, facecolor=PALE if letter != " " else "w", edgecolor=GREY, linewidth=0.4)
        )
        axes.text(place + 0.5, 0.47, letter, ha="center", va="center", fontsize=9, color=INK, family="monospace")
    for number, width in enumerate(WINDOWS):
        start = 2 + number * 10
        axes.plot([start, start, start + width, start + width], [-0.2, -0.55, -0.55, -0.2], color=ACCENT, linewidth=1.6)
        axes.text(start + width / 2, -1.15, f"{width} characters", ha="center", va="center", fontsize=8.5, color=INK)
    axes.set_title("characters (CHAIN-VSE): windows of 3, 5 and 7 slide over the text", **_TITLE)


def _hops(axes: Axes, words: tuple[str, ...], hops: Tensor, trained: bool) -> None:
    axes.imshow(hops.numpy(), cmap=SHADES, vmin=0, vmax=max(0.25, float(hops.max())), aspect="auto")
    axes.set_xlim(-0.5, len(words) - 0.5)
    axes.set_xticks(range(len(words)), words, fontsize=9.5)
    axes.set_yticks(range(len(hops)), [f"hop {h + 1}" for h in range(len(hops))], fontsize=8)
    for h, row in enumerate(hops):
        top = int(row.argmax())
        value = float(row[top])
        axes.text(top, h, f"{value:.2f}", ha="center", va="center", fontsize=7.5,
                  color="w" if value > 0.6 * max(0.25, float(hops.max())) else INK)  # fmt: skip
    axes.tick_params(length=0)
    axes.spines[:].set_color(GREY)
    when = "after training" if trained else "before training"
    axes.set_title(f"hops (SEAM, {when}): a row divides 1 among the words, <start> and <end> (not shown)", **_TITLE)
