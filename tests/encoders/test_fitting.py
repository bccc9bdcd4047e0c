"""Images at a backbone's size: photographs as their weights were measured, tall crops without loss."""

from types import SimpleNamespace

import pytest
import torch
from torchvision.models import get_model_weights
from torchvision.transforms.functional import resize

from itm_tutorial.encoders.backbones import normalised
from itm_tutorial.encoders.fitting import fit_of, fitted, place_in_square
from itm_tutorial.errors import ItmError


def person(height=192, width=64):
    """A crop with a red head, a grey middle and blue shoes."""
    image = torch.full((3, height, width), 90, dtype=torch.uint8)
    image[:, : height // 8] = torch.tensor([255, 0, 0]).view(3, 1, 1)
    image[:, -height // 8 :] = torch.tensor([0, 0, 255]).view(3, 1, 1)
    return image


def test_a_tall_crop_keeps_head_and_shoes_and_its_proportions():
    seen = fitted(person(), "mobilenet_v2", "pad")
    assert seen.shape == (3, 224, 224) and seen.dtype == torch.uint8
    top, left, height, width = place_in_square(192, 64, 224)
    assert (top, height, width) == (0, 224, 75) and abs(height / width - 3) < 0.03
    inner = seen[:, :, left : left + width].float()
    assert inner[0, :20].min() > 240 and inner[2, -20:].min() > 240
    cropped = fitted(person(), "mobilenet_v2").float()
    assert cropped[0].max() < 100  # what the central square loses


def test_padding_is_zero_once_it_is_normalised():
    seen = normalised(fitted(person(), "mobilenet_v2", "pad")[None], "mobilenet_v2")
    assert seen[..., :74].abs().max() < 0.01 and seen[..., -74:].abs().max() < 0.01


@pytest.mark.parametrize(("height", "width"), [(192, 64), (64, 192), (50, 50), (1, 900), (900, 1), (225, 224)])
def test_the_whole_image_is_inside_in_either_direction(height, width):
    image = torch.randint(0, 256, (3, height, width), dtype=torch.uint8)
    seen = fitted(image, "mobilenet_v2", "pad")
    top, left, h, w = place_in_square(height, width, 224)
    assert torch.equal(seen[:, top : top + h, left : left + w], resize(image, [h, w], antialias=True))
    assert max(h, w) == 224 and min(top, left) == 0 and top + h <= 224 and left + w <= 224


@pytest.mark.parametrize(("height", "width"), [(333, 500), (500, 375), (500, 164), (224, 900)])
def test_photographs_are_seen_as_before(height, width):
    image = torch.randint(0, 256, (3, height, width), dtype=torch.uint8)
    theirs = get_model_weights("mobilenet_v2").DEFAULT.transforms()(image)
    assert torch.allclose(normalised(fitted(image, "mobilenet_v2")[None], "mobilenet_v2")[0], theirs, atol=1e-5)


def test_a_very_long_image_costs_no_more_than_its_centre(monkeypatch):
    sizes = []
    real = resize

    def noted(image, *arguments, **options):
        sizes.append(tuple(image.shape))
        return real(image, *arguments, **options)

    monkeypatch.setattr("torchvision.transforms.functional.resize", noted)
    assert fitted(torch.zeros(3, 2, 100_000, dtype=torch.uint8), "mobilenet_v2").shape == (3, 224, 224)
    assert sizes == [(3, 2, 32)]


def test_an_unknown_fit_is_refused():
    with pytest.raises(ItmError, match="fit 'pads': did you mean 'pad'"):
        fitted(person(), "mobilenet_v2", "pads")


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(192, 64)] * 5, "pad"),
        ([(128, 64), (120, 64), (300, 100)], "pad"),
        ([(500, 375), (375, 500), (900, 300)], ""),
        ([(1920, 1080)] * 3, ""),  # photographs of a phone held upright
        ([(64, 192)] * 3, ""),
        ([], ""),
    ],
)
def test_the_data_set_decides(sizes, expected):
    assert fit_of([torch.zeros(3, *size) for size in sizes]) == expected


def test_only_headers_of_a_few_photographs_are_read():
    asked = []
    images = SimpleNamespace(size_of=lambda i: asked.append(i) or (300, 100))
    many = type("Many", (), {"__len__": lambda self: 100_000, "size_of": lambda self, i: images.size_of(i)})()
    assert fit_of(many) == "pad"
    assert len(asked) == 32 and asked[0] == 0 and asked[-1] == 99_999


def test_a_photograph_that_cannot_be_read_is_no_concern_here():
    class Broken(list):
        def size_of(self, i):
            if i == 0:
                raise ItmError("damaged")
            return 300, 100

    assert fit_of(Broken([None, None])) == "pad"
    assert fit_of(Broken([None])) == ""
