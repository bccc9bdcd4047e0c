"""A widget for labels: the reader chooses a picture and an epoch, and sees the labels of the picture at that epoch."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from itm_tutorial.chapters.ch01_devise.label_figures import labels_over_epochs
from itm_tutorial.data.corpus import ClassTree, Split
from itm_tutorial.show.canvas import to_html


def explorer_of_labels(split: Split, by_epoch: Sequence[Tensor], classes: ClassTree, images: Sequence[int]):
    """Makes a list of pictures and a slider of epochs, and shows the labels of the chosen picture at that epoch.

    Args:
        split: whose pictures are listed.
        by_epoch: scores of the split's images, [n_images, n_classes], before training and after each epoch.
        classes: the tree.
        images: indices of the pictures to choose from.

    Returns:
        The widget. ``labels_over_epochs(split, images[0], by_epoch, classes)`` is its default state.
    """
    import ipywidgets as widgets

    names = [classes.names[int(split.identity[i])] for i in images]
    picture = widgets.Dropdown(
        options=[(f"{n}: {name}", i) for n, (name, i) in enumerate(zip(names, images, strict=True), start=1)],
        value=images[0],
        description="Picture",
    )
    last = len(by_epoch) - 1
    epoch = widgets.IntSlider(value=last, min=0, max=last, description="Epoch", continuous_update=False)
    view = widgets.HTML()

    def show(change=None) -> None:
        view.value = to_html(labels_over_epochs(split, picture.value, by_epoch, classes, epoch.value))

    picture.observe(show, names="value")
    epoch.observe(show, names="value")
    show()
    return widgets.VBox([widgets.HBox([picture, epoch]), view])
