"""A dependency tree beside a random tree in which each word has as many neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from itm_tutorial.errors import ItmError
from itm_tutorial.models._trees import random_tree
from itm_tutorial.show.canvas import ACCENT, BLUE, INK, described, new_figure


def tree_and_twin(words: Sequence[str], heads: Sequence[int], seed: int = 0) -> Figure:
    """Draws a caption's tree, and below it a random tree with the same degrees; edges that both have are bold.

    Args:
        words: of the caption.
        heads: the word that each word hangs on; the root's head is itself, as in ``Parse.heads``.
        seed: of the random tree.

    Returns:
        The figure; its alt text lists the edges of both trees.

    Raises:
        ItmError: fewer than three words, or not one head per word.
    """
    if len(words) != len(heads) or len(words) < 3:
        raise ItmError(f"tree_and_twin: {len(words)} words and {len(heads)} heads; give one head for each of 3 or more")
    twin = random_tree(list(heads), seed)
    trees = {"dependency tree": edges_of(heads), "random tree, as many neighbours per word": edges_of(twin)}
    both = frozenset.intersection(*trees.values())
    longest = max(abs(a - b) for edges in trees.values() for a, b in edges)
    figure = new_figure(max(6.5, min(11.0, 0.95 * len(words))), 2 * (1.15 + 0.2 * min(longest, 8)))
    told = []
    for axes, (name, edges) in zip(figure.subplots(2, 1), trees.items(), strict=True):
        _draw(axes, words, edges, both, longest)
        axes.set_title(name, fontsize=11, loc="left", color=INK)
        told.append(f"{name}: " + ", ".join(f"{words[a]} - {words[b]}" for a, b in sorted(edges)))
    return described(
        figure, f"“{' '.join(words)}”. {'. '.join(told)}. {len(both)} of {len(words) - 1} edges are shared."
    )


def edges_of(heads: Sequence[int]) -> frozenset[tuple[int, int]]:
    """The undirected edges of a tree, each as (smaller, larger)."""
    return frozenset((min(w, head), max(w, head)) for w, head in enumerate(heads) if w != head)


def _draw(axes: Axes, words: Sequence[str], edges: frozenset, both: frozenset, longest: int) -> None:
    degrees = Counter(node for edge in edges for node in edge)
    axes.set(xlim=(-0.6, len(words) - 0.4), ylim=(-0.9, 0.5 + longest**0.8))
    axes.axis("off")
    for a, b in edges:
        top = (b - a) ** 0.8
        shared = (a, b) in both
        axes.plot(
            [a, a + 0.12, b - 0.12, b],
            [0, top, top, 0],
            color=ACCENT if shared else BLUE,
            linewidth=2.6 if shared else 1.2,
            solid_joinstyle="round",
        )
    for w, word in enumerate(words):
        axes.plot(w, 0, "o", color=INK, markersize=4, zorder=3)
        axes.text(w, -0.2, f"{word}\n{degrees[w]}", ha="center", va="top", fontsize=9.5, color=INK)
