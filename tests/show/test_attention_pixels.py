"""The pixels under an attention map: grids, the crop that a backbone sees, and heat on regions."""

import pytest
import torch

from itm_tutorial.encoders.backbones import BACKBONES
from itm_tutorial.show.attention_pixels import (
    above_uniform,
    grid_side,
    heat_of_grid,
    heat_of_regions,
    seen_square,
    tinted,
)


def test_boxes_are_a_grid_only_in_its_order(corners):
    cell = torch.arange(49)
    squares = torch.stack([cell % 7, cell // 7, cell % 7 + 1, cell // 7 + 1], 1) / 7
    assert grid_side(squares) == 7
    assert grid_side(squares.flip(0)) == grid_side(squares[:-1]) == grid_side(corners) == grid_side(squares[:1]) == 0


@pytest.mark.parametrize("backbone", ["mini", "mobilenet_v2", "resnet50"])
@pytest.mark.parametrize("size", [(300, 470), (470, 300), (232, 232), (224, 224)])
def test_the_square_that_is_drawn_is_the_one_the_model_saw(backbone, size):
    from itm_tutorial.extraction.features import fitted

    y, x = torch.meshgrid(torch.linspace(0, 255, size[0]), torch.linspace(0, 255, size[1]), indexing="ij")
    image = torch.stack([x, y, x]).byte()
    square, expected = seen_square(image, backbone), fitted(image, backbone)
    about = BACKBONES[backbone]
    assert square.shape[1] == square.shape[2]
    small = torch.nn.functional.interpolate(square[None].float(), (about.image_size,) * 2, mode="area")[0]
    assert (small - expected.float()).abs().mean() < 2.5


def test_heat_adds_up_attention_above_uniform():
    boxes = torch.tensor([[0.0, 0, 0.5, 1], [0, 0, 1, 0.5], [0, 0, 0, 0]])
    heat = heat_of_regions(boxes, torch.tensor([0.4, 0.5, 0.1]), 8)  # so small that no edge is soft
    first, second = ((weight - 1 / 3) / (2 / 3) for weight in (0.4, 0.5))
    for y in range(8):
        for x in range(8):
            assert heat[y, x].item() == pytest.approx(first * (x < 4) + second * (y < 4), abs=1e-6)
    assert heat_of_regions(boxes, torch.full((3,), 1 / 3), 8).max() < 1e-6  # also where uniform regions overlap
    assert heat_of_regions(boxes, torch.tensor([1.0, 0, 0]), 96).max() == pytest.approx(1)


def test_heat_of_a_grid_is_highest_at_its_largest_cell():
    weights = torch.tensor([0.1] * 15 + [0.9]) / 2.4
    heat = heat_of_grid(weights, 4, 40)
    assert heat.max() == 1 and heat.argmax() % 40 > 30 and heat[:20].max() < 0.05
    assert heat_of_grid(torch.full((16,), 1 / 16), 4, 40).max() < 1e-3
    assert above_uniform(torch.tensor([1.0])).tolist() == [0]  # one region has all the attention, and it is uniform


def test_a_tinted_picture_is_grey_without_heat_and_lighter_with_it():
    image = torch.randint(0, 256, (3, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    cold, hot = tinted(image, torch.zeros(4, 4)), tinted(image, torch.ones(4, 4))
    assert cold.std(2).max() < 1e-6 and hot.std(2).mean() > 0.1
    assert (hot.mean(2) > cold.mean(2)).all() and cold.min() >= 0 and hot.max() <= 1
