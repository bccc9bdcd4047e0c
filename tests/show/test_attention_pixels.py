"""The pixels under an attention map: grids, the crop that a backbone sees, and light on regions."""

import pytest
import torch

from itm_tutorial.encoders.backbones import BACKBONES
from itm_tutorial.show.attention_pixels import grid_side, light, seen_square, spotlit


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


def test_light_adds_up_where_regions_overlap():
    boxes = torch.tensor([[0.0, 0, 0.5, 1], [0, 0, 1, 0.5], [0, 0, 0, 0]])
    lit = light(boxes, torch.tensor([0.2, 0.5, 0.3]), 4)
    expected = torch.zeros(4, 4)
    for y in range(4):
        for x in range(4):
            expected[y, x] = 0.2 * (x < 2) + 0.5 * (y < 2)
    assert torch.allclose(lit, expected)
    image = torch.randint(0, 256, (3, 4, 4), dtype=torch.uint8)
    assert torch.allclose(spotlit(image, torch.ones(4, 4)), image.permute(1, 2, 0) / 255)
    assert spotlit(image, torch.zeros(4, 4)).std(2).max() < 1e-6  # without light there is no colour
