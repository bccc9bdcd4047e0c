"""The measures of GOT's claim read one model's plan and its attention."""

import math

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch15_attention.measures.got import plan_and_attention, reading
from itm_tutorial.chapters.runner import Trained


def test_plan_and_attention_are_read_from_the_same_weights(tiny, made_up_regions):
    model = itm.create_model("got", tiny, embed_size=16, word_dim=8, uniform=True)
    found = plan_and_attention(Trained(None, model, tiny, 0))
    assert found["entropy"]["plan"] == pytest.approx(math.log(16), abs=1e-4)  # a uniform plan over sixteen regions
    assert 0 < found["entropy"]["attention"] < math.log(16)
    assert set(found["pointing"]["plan"]) == set(found["pointing"]["attention"]) > {"noun"}
    copy = reading(model, "attention")
    assert copy.attends == "attention" and model.attends == "plan"
    assert all(torch.equal(a, b) for a, b in zip(copy.state_dict().values(), model.state_dict().values(), strict=True))
