"""What a detector found, drawn over what is there."""

import pytest
import torch
from matplotlib.figure import Figure

from itm_tutorial import show
from itm_tutorial.chapters.ch03_scan import figures as ch03
from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError

TRUE = [torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0]]), torch.zeros(0, 4)]
REGIONS = torch.tensor([[[0.0, 0.0, 0.5, 0.45], [0.1, 0.6, 0.3, 0.9], [0.0, 0.0, 1.0, 1.0]]]).repeat(2, 1, 1)


@pytest.fixture
def split():
    images = torch.zeros(2, 3, 20, 30, dtype=torch.uint8)
    return Split("test", images, ["a", "b"], torch.arange(2), boxes=TRUE)


def test_true_boxes_and_regions_are_drawn_apart_and_counted(split):
    figure = ch03.regions_found(split, REGIONS, [0, 1])
    first, second = figure.get_axes()
    assert [axes.get_title()[:6] for axes in (first, second)] == ["1 of 2", "0 of 0"]
    widths = [patch.get_linewidth() for patch in first.patches]
    assert widths == [3.0, 3.0, 1.2, 1.2, 1.2] and len(second.patches) == 3
    assert first.patches[1].get_bbox().extents.tolist() == [0.5, 0.5, 1.0, 1.0]
    assert "overlaps by half: 1 of 2, 0 of 0" in show.alt_text(figure)


def test_it_draws_on_what_it_is_given_and_refuses_what_has_no_boxes(split):
    figure = Figure()
    assert ch03.regions_found(split, REGIONS, [0], figure) is figure
    for wrong in ((Split("test", split.images, ["a"], torch.zeros(1, dtype=torch.int64)), [0]), (split, [])):
        with pytest.raises(ItmError, match="drawn world"):
            ch03.regions_found(wrong[0], REGIONS, wrong[1])
