"""Chapter 02's figures: which negatives a loss uses, the collapse, the toy space with its widget, the sweep."""

import pandas as pd
import pytest
import torch
from torch.nn.functional import normalize

from itm_tutorial import show
from itm_tutorial.chapters.ch02_vsepp import figures as ch02
from itm_tutorial.chapters.ch02_vsepp.loss_figures import cosines_of, fraction_with_doubles, holding_half
from itm_tutorial.chapters.ch02_vsepp.toy_figures import (
    LOSSES,
    toy_after,
    toy_angles,
    toy_forces,
    toy_hinges,
    toy_turns,
)
from itm_tutorial.retrieval.search import Hits

SWEEP = pd.DataFrame({"margin": [0.1, 0.2], "negatives": "sum", "batch_size": 32, "rsum": [400.0, 410.0]})
SQUARE = torch.tensor([[0.6, 0.5, 0.45], [0.7, 0.6, 0.3], [0.1, 0.2, 0.9]])
RUNS = {"no warm-up": ([80.0] + [51.2] * 60, [40.0, 90.0]), "warm-up": ([900.0, 300.0] + [30.0] * 59, [300.0, 420.0])}
BY_SIZE = {"sum": {32: 380.0, 128: 391.4, 512: 380.0}, "max": {32: 390.0, 128: 410.0, 512: 420.6}}
DOUBLES = {"shuffled captions": (3000, 0.9), "distinct images": (3000, 0.0)}


def hits(n):
    return Hits("a red van", list(range(n)), [0.9 - i / 100 for i in range(n)])


def maps():
    """Embeddings of four pairs: at first anywhere, then each pair in one direction."""
    early = tuple(normalize(torch.randn(4, 6, generator=torch.Generator().manual_seed(n)), dim=-1) for n in (1, 2))
    return {"before": early, "after": (torch.eye(4, 6), torch.eye(4, 6))}


def figures_of(split):
    return {
        "before_and_after": ch02.before_and_after(split, hits(6), hits(4), [3]),
        "collapse": ch02.collapse(RUNS, 51.2, {"warm-up": 0.5}),
        "doubles": ch02.doubles(DOUBLES),
        "forces": ch02.forces(),
        "gradients": ch02.gradients({"sum": torch.tensor([[-3.0, 1, 2], [0, -1, 0], [0, 0, 0]]), "max": -torch.eye(3)}),
        "hardest_negatives": ch02.hardest_negatives(SQUARE, split.images[:3], split.captions[:3]),
        "heat_map": ch02.heat_map(SWEEP),
        "maps_by_epoch": ch02.maps_by_epoch(maps()),
        "rsum_by_batch_size": ch02.rsum_by_batch_size(BY_SIZE),
    }


def test_alt_text_quotes_the_numbers(small_split, drawing):
    figures = figures_of(small_split)
    assert set(figures) == set(ch02.__all__) - {"explorer_of_forces"}
    quoted = {
        "before_and_after": ["“before training: a red van”", "“after training: a red van”, best first. The right"],
        "collapse": [
            "51.2, the loss of equal",
            "no warm-up: loss 51.2, rsum 90; warm-up: loss 30.0, rsum 420, the maximum alone from",
        ],
        "doubles": ["Flickr8k 66 %; Flickr30k 20 %; MSCOCO 6 %", "distinct images on 3000 images, counted: 0 %"],
        "forces": [
            "sum: 4 of 7 negatives count, loss 0.44; cosine: own caption 0.94, hardest negative 0.98",
            "rotates away from its own caption with a force of 0.18; by negative: a +0.55, b -0.19, c -0.25, d -0.30",
            "rotates towards its own caption with a force of 0.55; by negative: a +0.55.",
        ],
        "gradients": ["sum: 2 of 6 negative scores are pushed down, half of the push falls on 1", "max: 0 of 6"],
        "hardest_negatives": [
            "3 of 6 negative pairs cost something, sum 0.45, ringed 0.40",
            "2 of 6",
            "b: a big van on",
        ],
        "heat_map": ["from 400.0 to 410.0, 2 runs", "Batch size 32: sum at margin 0.1 400.0 (1 seed)"],
        "maps_by_epoch": ["2 maps of 4 pictures", "cosine: positive 1.00, hardest negative 0.00; 4 of 4 captions"],
        "rsum_by_batch_size": ["sum: 380 at 32, 391 at 128", "max: 390 at 32, 410 at 128, 421 at 512"],
    }
    drawing.check_alt_texts(figures, quoted)
    assert "-0" not in show.alt_text(figures["gradients"])


def test_texts_stay_inside_the_figure_and_off_each_other(small_split, drawing):
    long = "There is a large spotted orange animal to the right of several small grey houses in the snow at night."
    small_split.captions[:] = [long] * len(small_split.captions)
    drawing.check_texts(figures_of(small_split))


def test_figures_draw_on_what_they_are_given(small_split, drawing):
    drawing.check_targets(
        [
            lambda f: ch02.before_and_after(small_split, hits(2), hits(2), [0], figure=f),
            lambda f: ch02.collapse(RUNS, 51.2, figure=f),
            lambda f: ch02.forces(figure=f),
            lambda f: ch02.gradients({"max": -torch.eye(2)}, figure=f),
            lambda f: ch02.hardest_negatives(SQUARE, small_split.images[:3], small_split.captions[:3], figure=f),
            lambda f: ch02.heat_map(SWEEP, figure=f),
            lambda f: ch02.maps_by_epoch(maps(), figure=f),
        ],
        [lambda a: ch02.doubles(DOUBLES, axes=a), lambda a: ch02.rsum_by_batch_size(BY_SIZE, axes=a)],
    )


def test_the_chance_of_an_image_twice_is_that_of_drawing():
    assert fraction_with_doubles(2, 2) == pytest.approx(4 / 9)  # of the nine captions left, four are of the same image
    assert fraction_with_doubles(3, 4) == 1 and fraction_with_doubles(5, 4, captions_each=1) == 0
    generator = torch.Generator().manual_seed(0)
    image_of = torch.arange(40).repeat_interleave(5)
    batches = [image_of[torch.randperm(200, generator=generator)[:8]] for _ in range(4000)]
    counted = sum(len(batch.unique()) < 8 for batch in batches) / 4000
    assert fraction_with_doubles(40, 8) == pytest.approx(counted, abs=0.03)


@pytest.mark.parametrize("loss", LOSSES)
def test_forces_of_the_toy_space_are_the_slopes_of_its_hinges(loss):
    angles = toy_angles()
    pushes, small = toy_forces(angles, 0.2, loss), 1e-3
    for n in range(len(angles)):
        step = small * torch.eye(len(angles))[n]
        up, down = (toy_hinges(a, 0.2).topk(LOSSES[loss]).values.sum() for a in (angles + step, angles - step))
        assert pushes[n].item() == pytest.approx(-float(up - down) / (2 * small), abs=2e-3)
    turns = toy_turns(angles, 0.2, loss)
    assert turns.sum().item() == pytest.approx(pushes[0].item(), abs=1e-5)
    assert int((turns != 0).sum()) == min(LOSSES[loss], 4)
    assert pushes.sum().item() == pytest.approx(0, abs=1e-5)  # turning everything changes nothing
    assert toy_hinges(toy_after(0.2, loss, 60), 0.2).sum() < 0.4 * toy_hinges(angles, 0.2).sum()


def test_the_explorer_of_forces_starts_with_its_figure_and_follows_its_controls():
    (first, second, view) = ch02.explorer_of_forces().children
    (margin, choice), (play, steps) = first.children, second.children
    assert view.value == show.to_html(ch02.forces(0.2))
    assert "rotates away from its own" in view.value and "rotates towards its own" in view.value
    play.value = 21
    assert steps.value == 21 and "after 21 steps" in view.value
    choice.value, margin.value = "top 2", 0.0
    assert "top 2: " in view.value and "margin 0.00" in view.value


def test_half_of_the_push_is_counted_from_the_hardest():
    assert holding_half(torch.tensor([[0.0, 1.0], [1.0, 1.0]])) == 2
    assert holding_half(torch.tensor([5.0, 1.0, 1.0, -9.0])) == 1 and holding_half(torch.zeros(3)) == 0


def test_cosines_compare_each_caption_with_its_hardest_negative():
    images, captions = torch.eye(3), normalize(torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 3.0, 4.0]]), dim=1)
    own, hardest, found = cosines_of(images, captions)
    assert (own, hardest) == (pytest.approx((1 + 0 + 0.8) / 3), pytest.approx((0 + 1 + 0.6) / 3)) and found == 2
