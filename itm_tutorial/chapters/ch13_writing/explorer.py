"""The widget of chapter 13: a picture, a temperature, and written captions with what is true of them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from itm_tutorial.chapters.ch13_writing.caption_figures import MARKS
from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError, visible
from itm_tutorial.evaluation.caption_truth import statement_truth
from itm_tutorial.evaluation.statements import has_statements
from itm_tutorial.extraction.features import split_features
from itm_tutorial.models import Matching
from itm_tutorial.retrieval.scoring import with_boxes
from itm_tutorial.retrieval.writing import WrittenCaption, write_beams, write_captions
from itm_tutorial.show.canvas import GREY, described, new_figure, to_html

SAMPLES, WIDTH, HOTTEST = 5, 5, 2.0  # captions that are drawn; width of the beam; the largest temperature


def caption_explorer(models: Matching | Mapping[str, Matching], split: Split, images: Sequence[int], seed: int = 0):
    """Makes a list of pictures and a temperature; below, the captions that a model writes, statement by statement.

    At temperature 0 the greedy caption and the captions of the beam are shown, above it five drawn ones. The random
    numbers are the same at each temperature, so that a caption changes only where its words do. All of it works by
    keyboard: Tab goes from control to control, arrows choose and move the temperature.

    Args:
        models: a trained model that writes, or several by name.
        split: of drawn scenes.
        images: indices of the pictures to choose from.
        seed: of the drawn captions.

    Returns:
        The widget.

    Raises:
        ItmError: no model, no picture, a picture that is not there, or pictures that are no drawn scenes.
    """
    import ipywidgets as widgets

    by_name = dict(models) if isinstance(models, Mapping) else {"": models}
    images = list(dict.fromkeys(images))
    if not by_name or not images:
        raise ItmError("caption_explorer: give one model or more, and one picture or more")
    if not has_statements(split) or not all(0 <= image < len(split.images) for image in images):
        raise ItmError(f"caption_explorer: give pictures 0 to {len(split.images) - 1} of a split of drawn scenes")
    wide = {"layout": widgets.Layout(width="95%"), "style": {"description_width": "7em"}}
    model = widgets.Dropdown(options=list(by_name), description="Model", **wide)
    picture = widgets.Dropdown(options=[(f"{i}: {_first(split, i)}", i) for i in images], description="Picture", **wide)
    heat = widgets.FloatSlider(
        value=0, min=0, max=HOTTEST, step=0.1, description="Temperature", continuous_update=False, **wide
    )
    view = widgets.HTML()

    def show(change=None) -> None:
        view.value = page(by_name[model.value], split, picture.value, heat.value, seed)

    for control in (model, picture, heat):
        control.observe(show, names="value")
    show()
    return widgets.VBox([*([model] if len(by_name) > 1 else []), picture, heat, view])


def page(model: Matching, split: Split, image: int, temperature: float, seed: int = 0) -> str:
    """What the widget shows: the picture and its captions, as HTML.

    Args:
        model: that writes.
        split: of drawn scenes.
        image: the index of the picture.
        temperature: 0 writes greedily and by a beam; above it captions are drawn.
        seed: of the drawn captions.
    """
    features = with_boxes(model, split, split_features(split, model.features))
    rows = features[[image] * (SAMPLES if temperature else 1)]
    if temperature:
        heading = f"Drawn at temperature {temperature:.1f}"
        found = [("", one) for one in write_captions(model, rows, "sample", temperature=temperature, seed=seed)]
    else:
        heading = "The likeliest captions"
        beam = write_beams(model, rows, WIDTH)[0]
        found = [("greedy", write_captions(model, rows)[0]), *((f"beam, {n}", one) for n, one in enumerate(beam, 1))]
    items = "".join(f'<li style="margin-bottom: 0.5em">{_item(name, one, split, image)}</li>' for name, one in found)
    return (
        f'<div style="display: flex; flex-wrap: wrap; gap: 1.5em">{_picture(split, image)}'
        f'<div style="flex: 1; min-width: 18em"><p><b>{heading}</b></p><ol>{items}</ol></div></div>'
    )


def _item(name: str, written: WrittenCaption, split: Split, image: int) -> str:
    """A caption, its log P, and its statements: each has a mark, a word and a colour, so that none is needed alone."""
    truth = statement_truth(written.text, split, image)
    marks = []
    for statement, true in truth:
        mark, colour, word = MARKS[true]
        about = f" ({statement.subject})" if statement.subject not in ("", statement.words) else ""
        text = html.escape(visible(f"{statement.words}{about}"))
        marks.append(f'<span style="color: {colour}; white-space: nowrap">{mark} {text}: {word}</span>')
    n_true = sum(true for _, true in truth)
    first = f"{html.escape(name)}: " if name else ""
    return (
        f"{first}{html.escape(visible(written.text))} "
        f"<br>log P = {written.log_p:.1f}; {n_true} of {len(truth)} statements are true"
        f"{'<br>' if marks else ''}{'; '.join(marks)}"
    )


def _picture(split: Split, image: int) -> str:
    figure = new_figure(3.2, 3.2)
    axes = figure.subplots()
    axes.imshow(split.display(image).permute(1, 2, 0).numpy())
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(color=GREY, linewidth=0.6)
    return f"<div>{to_html(described(figure, f'Picture {image}: {_first(split, image)}'))}</div>"


def _first(split: Split, image: int) -> str:
    """The first caption of a picture, by which a reader knows it."""
    return visible(next(iter(split.captions_of(image)), "no caption"))
