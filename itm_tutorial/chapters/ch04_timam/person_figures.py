"""Figures of person search: the worlds, galleries of results, and a widget to describe a person."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.text import tokenize
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Matching
from itm_tutorial.retrieval.search import Hits, search
from itm_tutorial.show.canvas import GREEN, INK, described, new_figure, to_html

PIXELS = 300  # height of a picture, which is drawn one or two inches high
ATTRIBUTES = (  # of the explorer; a description names ticked attributes in this order
    ("man", "woman"),
    ("red top", "blue top", "black top", "white top"),
    ("trousers", "jeans", "shorts", "skirt"),
    ("backpack", "handbag"),
    ("hat", "cap", "umbrella"),
)


def worlds(splits: Mapping[str, Split], n: int = 6, figure: Figure | None = None) -> Figure:
    """Draws one row per world: two pictures of each of its first identities, with a number for each.

    Args:
        splits: name of a world -> one of its splits.
        n: pictures per row.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives a caption of each row.

    Raises:
        ItmError: no split, or one that does not say who is shown.
    """
    if not splits or any(split.identity is None for split in splits.values()):
        raise ItmError("splits: give at least one, each with an identity for its pictures")
    figure = figure or new_figure(1.5 * n, 2.1 * len(splits))
    parts = []
    for row, (name, split) in zip(figure.subplots(len(splits), n, squeeze=False), splits.items(), strict=True):
        known = split.identity.unique()[: -(-n // 2)]
        first = [i for who in known for i in (split.identity == who).nonzero().flatten()[:2].tolist()][:n]
        numbers = split.identity[first].unique(return_inverse=True)[1].tolist()
        for axes in row[len(first) :]:
            axes.axis("off")
        for axes, image, number in zip(row, first, numbers, strict=False):
            axes.imshow(split.display(image, PIXELS).permute(1, 2, 0).numpy())
            axes.set(xticks=[], yticks=[])
            axes.set_title(f"{name}, no. {number + 1}", fontsize=9, color=INK)
            axes.spines[:].set_visible(False)
        counts = ", ".join(f"{numbers.count(k)} of no. {k + 1}" for k in sorted(set(numbers)))
        parts.append(f"{name}: {counts}; the first is described as: {split.captions_of(first[0])[0].rstrip('.')}")
    return described(figure, f"{len(splits)} rows of drawn pictures. {'. '.join(parts)}.")


def identity_gallery(
    split: Split, found: Sequence[Hits], people: Sequence[int], figure: Figure | None = None
) -> Figure:
    """Draws one row of pictures per description, best first; the described person has a tick and a frame.

    Args:
        split: the split that was searched; it says who is shown.
        found: the results of ``search``, one per description.
        people: the identity that each description is of.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives the ranks of the described person.

    Raises:
        ItmError: no description, another number of people, or a split that does not say who is shown.
    """
    if split.identity is None:
        raise ItmError(f"split {split.name!r} does not say who is shown: take one of a corpus of people or classes")
    if not found or len(found) != len(people):
        raise ItmError(f"{len(found)} descriptions for {len(people)} people: give one person each, and at least one")
    columns = max(len(hits.indices) for hits in found)
    height, width = split.images[found[0].indices[0]].shape[1:]
    wide = 1.05 * columns
    rows_high = 0.92 * wide / columns * height / width + 0.85
    figure = figure or new_figure(max(wide, 6), rows_high * len(found))
    listed = []
    parts = [figure] if len(found) == 1 else figure.subfigures(len(found), 1, squeeze=False).flat
    for part, hits, who in zip(parts, found, people, strict=True):
        part.suptitle(textwrap.fill(hits.query, round(12 * max(wide, 6))), fontsize=9, color=INK)
        shown = split.identity[hits.indices].tolist()
        for rank, axes in enumerate(part.subplots(1, columns, squeeze=False).flat):
            if rank >= len(shown):
                axes.axis("off")
            else:
                _paint_person(axes, split.display(hits.indices[rank], PIXELS), rank + 1, shown[rank] == who)
        ranks = [str(rank) for rank, one in enumerate(shown, start=1) if one == who]
        at = f"the right one at rank {', '.join(ranks)}" if ranks else "the right one is not among them"
        listed.append(f"“{hits.query}”: {at}, of {len(shown)} shown")
    return described(figure, f"Galleries for {len(found)} descriptions, best first. {'; '.join(listed)}.")


def _paint_person(axes: Axes, image: Tensor, rank: int, correct: bool) -> None:
    axes.imshow(image.permute(1, 2, 0).numpy(), interpolation="bicubic")
    style = {"color": GREEN if correct else INK, "fontweight": "bold" if correct else "normal"}
    axes.set_title(f"✓ {rank}" if correct else f"{rank}", fontsize=9, pad=3, **style)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=correct, color=GREEN, linewidth=4)


def described_by(ticked: Sequence[str]) -> str:
    """A description from ticked attributes, such as "a woman, a red top, jeans"; empty if none is ticked."""
    order = [name for group in ATTRIBUTES for name in group]
    chosen = sorted(ticked, key=order.index)
    return ", ".join(name if name in ("trousers", "jeans", "shorts") else f"a {name}" for name in chosen).replace(
        "a umbrella", "an umbrella"
    )


def person_explorer(model: Matching, split: Split, ticked: Sequence[str] = ("woman", "blue top", "jeans"), k: int = 8):
    """Makes tick boxes and a text field to describe a person, with the gallery of people found.

    Args:
        model: a trained model.
        split: the split to search.
        ticked: attributes to begin with, of ``ATTRIBUTES``.
        k: pictures shown.

    Returns:
        The widget: buttons of attributes, the text that they make, and the gallery below. Its default state is
        ``person_gallery(model, split, ticked)``.

    Raises:
        ItmError: an attribute that has no button.
    """
    import ipywidgets as widgets

    known = [name for group in ATTRIBUTES for name in group]
    if strange := [name for name in ticked if name not in known]:
        raise ItmError(f"{strange[0]!r} is no attribute of the explorer: choose of {', '.join(known)}")
    boxes = {
        name: widgets.Checkbox(value=name in ticked, description=name, indent=False, layout=widgets.Layout(width="8em"))
        for name in known
    }
    text = widgets.Text(
        value=described_by(ticked),
        description="Who",
        placeholder="Tick above, or type a description and press Enter",
        continuous_update=False,
        layout=widgets.Layout(width="90%"),
    )
    view = widgets.HTML()

    def show(change=None) -> None:
        words = [word for word in tokenize(text.value) if word in model.vocabulary]
        left_out = [word for word in dict.fromkeys(tokenize(text.value)) if word not in model.vocabulary]
        note = f"<p>Not in the vocabulary, left out: {html.escape(', '.join(left_out))}.</p>" if left_out else ""
        if not words:
            view.value = f"{note}<p>There is no word to search for: tick an attribute, or type a description.</p>"
        else:
            query = " ".join(words) if left_out else text.value.strip()
            view.value = note + to_html(person_gallery(model, split, query, k))

    def from_ticks(change=None) -> None:
        text.value = described_by([name for name, box in boxes.items() if box.value])

    for box in boxes.values():
        box.observe(from_ticks, names="value")
    text.observe(show, names="value")
    show()
    rows = [widgets.HBox([boxes[name] for name in group]) for group in ATTRIBUTES]
    return widgets.VBox([*rows, text, view])


def person_gallery(model: Matching, split: Split, asked: str | Sequence[str], k: int = 8) -> Figure:
    """Draws the people found for a description or for ticked attributes; no picture is marked as correct.

    Args:
        model: a trained model.
        split: the split to search.
        asked: a description, or attributes of ``ATTRIBUTES``.
        k: pictures shown.

    Returns:
        The figure: the default state of ``person_explorer``.
    """
    query = asked if isinstance(asked, str) else described_by(asked)
    hits = search(model, split, query, k)
    drawn = identity_gallery(split, [hits], [_nobody(split)])
    captions = [split.captions_of(i)[0] for i in hits.indices[:4]]
    return described(
        drawn, f"{len(hits.indices)} people found for “{hits.query}”, best first. They show: {' '.join(captions)}"
    )


def _nobody(split: Split) -> int:
    return int(split.identity.min()) - 1
