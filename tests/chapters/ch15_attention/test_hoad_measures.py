"""The measure of HOAD's claim chooses its weight on the validation split."""

import torch

from itm_tutorial.chapters.ch15_attention.measures.hoad import WEIGHTS, chosen_weight


def test_the_weight_is_the_smallest_of_the_best(tiny):
    n, m = len(tiny.val.images), len(tiny.val.captions)
    right = torch.zeros(n, m)
    right[tiny.val.image_of, torch.arange(m)] = 0.3
    asked, prominence = torch.ones(n, m, 2), torch.ones(n, 2)
    assert chosen_weight(right, asked, prominence, tiny.val) == 0.0
    asked = (right > 0).float()[..., None].expand(-1, -1, 2)  # only the right images are asked for
    assert chosen_weight(-right, asked, prominence, tiny.val) == next(w for w in WEIGHTS if 2 * w > 0.3)
