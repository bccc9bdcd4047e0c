"""The figures and the widget of chapter 15: what they compute, what their alt texts say, and what they refuse."""

import re
from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.chapters.ch15_attention import figures as ch15
from itm_tutorial.chapters.ch15_attention.attention_figures import pooled
from itm_tutorial.chapters.ch15_attention.cost_figures import LABELS, pareto_front
from itm_tutorial.chapters.ch15_attention.graph_figures import edges_of
from itm_tutorial.chapters.ch15_attention.pair_costs import KINDS
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.grounding import attend
from itm_tutorial.interaction.adaptive_scaling import fovea
from itm_tutorial.models._trees import random_tree
from itm_tutorial.show.canvas import alt_text

TRILLION = 1e12
ADDED = {
    ("imram", "maps of queries"): 126,
    ("mmca", "output and feed-forward"): 47,
    ("camp", "fusion"): 252,
    ("rve", "recurrence over regions"): 1132,
    ("gsmn", "Gram matrix per block, words"): 1.2,
}  # trillions of multiply-adds for 1,000 images and 5,000 captions, counted by hand
POINTS = (
    ch15.Point("slow", 2.0, 300.0),
    ch15.Point("fast", 0.1, 200.0),
    ch15.Point("beaten", 3.0, 300.0, shortlist=True),
    ch15.Point("middle", 0.5, 250.0),
    ch15.Point("also beaten", 0.6, 240.0),
)
TREE = ["a", "red", "dog", "and", "a", "dog", "near", "it"], [2, 2, 2, 5, 5, 2, 2, 6]
COST = torch.tensor([[0.1, 0.4], [0.5, 0.3]])
MODELS = {"IMRAM": "imram", "GOT": "got", "CAMP": "camp"}


@pytest.fixture(scope="module")
def models(tiny, cheap_features):
    """Untrained models with attention, on features that need no backbone."""
    from itm_tutorial.evaluation import grounding
    from itm_tutorial.retrieval import scoring

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grounding, "split_features", cheap_features)
        for name in ("split_boxes", "split_confidence"):
            patch.setattr(grounding, name, getattr(scoring, name))
        options = {"features": "oracle", "embed_size": 8, "word_dim": 8}
        yield {label: itm.create_model(name, tiny, **options) for label, name in MODELS.items()}


@pytest.fixture
def figures(attended, models, tiny):
    seen, split = attended
    items = torch.tensor([[1.0, 0.0], [-1.0, 1.0], [0.5, 0.5]])
    return {
        "attention_beside_truth": ch15.attention_beside_truth({"IMRAM": seen, "GOT": seen}, split),
        "channel_curves": ch15.channel_curves(items, torch.tensor([2.0, 1.0]), 1.0, [0, 1]),
        "pareto": ch15.pareto(POINTS),
        "plans": ch15.plans(ch15.plans_after(COST), COST, ["red", "dog"]),
        "rsum_by_alpha": ch15.rsum_by_alpha({0.4: [301.0, 303.0], 0.1: [300.0]}, [290.0], {"i2t": [90.0, 92.0]}),
        "tree_and_twin": ch15.tree_and_twin(*TREE),
        "zoo": ch15.zoo(),
    }


def test_every_figure_says_what_it_shows(figures, drawing):
    helpers = {"Point", "Sizes", "found_by", "method_explorer", "pair_costs", "plans_after", "steps_of"}
    assert set(figures) == set(ch15.__all__) - helpers
    quoted = {
        "attention_beside_truth": ["“A red dog and a dog", "IMRAM: “red” attends", "GOT: “red” attends"],
        "channel_curves": ["channel 0: from -1.00 to 1.00, mean 0.17; with 1 + gamma = 2.00 the caption takes 0.8"],
        "pareto": [
            "No method beats in both: fast (200.0 in 0.1 ms), middle (250.0 in 0.5 ms), slow (300.0 in 2 ms).",
            "at least as fast and as good as: beaten (300.0 in 3 ms), also beaten (240.0 in 0.6 ms).",
        ],
        "plans": ["1 step: cost", "20 steps: cost 0.200, entropy 0.69 nats", "Sinkhorn, 20 steps: cost 0.294"],
        "rsum_by_alpha": ["rsum: 300.0 for alpha 0.1, 302.0 for alpha 0.4; 290.0 for the first", "i2t 91.0"],
        "tree_and_twin": ["“a red dog and a dog near it”", "dependency tree: a - dog", "of 7 edges are shared"],
        "zoo": ["36 regions, 12 words, 1,024 numbers", "RVE 227 million, most of it recurrence over regions"],
    }
    drawing.check_alt_texts(figures, quoted)
    drawing.check_texts(figures)


@pytest.mark.parametrize(("name", "part"), ADDED)
def test_costs_are_those_counted_by_hand(name, part):
    found = ch15.pair_costs()[name].parts[part] * ch15.Sizes().n_pairs / TRILLION
    assert found == pytest.approx(ADDED[name, part], rel=0.04)


def test_costs_of_caan_and_adapt_are_those_counted_by_hand():
    costs, n_pairs = ch15.pair_costs(), ch15.Sizes().n_pairs
    mixes = sum(value for name, value in costs["caan"].parts.items() if name.startswith("mixes"))
    assert mixes * n_pairs / TRILLION == pytest.approx(12, rel=0.04)
    assert costs["adapt"].exponentials * n_pairs == pytest.approx(1.8e11, rel=0.04)


def test_only_matrices_grow_with_the_square_of_the_dimension():
    few, many = (ch15.pair_costs(ch15.Sizes(dim=dim, joint_dim=dim)) for dim in (2**14, 2**15))
    for name, cost in few.items():
        growth = many[name].total / cost.total
        assert (growth > 3.5) == (cost.kind == KINDS[-1]), (name, growth)
    assert set(few) == set(LABELS) and {cost.kind for cost in few.values()} == set(KINDS)
    with pytest.raises(ItmError, match="n_words is 0"):
        ch15.Sizes(n_words=0)


def test_the_front_holds_what_nothing_beats():
    assert [one.name for one in pareto_front(POINTS)] == ["fast", "middle", "slow"]
    twins = [ch15.Point("a", 1.0, 5.0), ch15.Point("b", 1.0, 5.0)]
    assert len(pareto_front(twins)) == 2
    for wrong in ([], [ch15.Point("a", 0.0, 5.0)], [ch15.Point("a", 1.0, float("nan"))]):
        with pytest.raises(ItmError, match="milliseconds above 0"):
            ch15.pareto(wrong)
    assert "beats in both: a" in alt_text(ch15.pareto(twins[:1]))


def test_alphas_need_values():
    for wrong in (({}, [1.0], {"i2t": [1.0]}), ({0.1: []}, [1.0], {"i2t": [1.0]}), ({0.1: [1.0]}, [1.0], {})):
        with pytest.raises(ItmError, match="one or more values"):
            ch15.rsum_by_alpha(*wrong)


def test_a_twin_has_the_degrees_of_its_tree():
    words, heads = TREE
    own, other = edges_of(heads), edges_of(random_tree(heads, 0))
    assert len(own) == len(other) == len(words) - 1
    assert [Counter(node for edge in edges for node in edge) for edges in (own,)] == [
        Counter(node for edge in other for node in edge)
    ]
    with pytest.raises(ItmError, match="one head for each of 3 or more"):
        ch15.tree_and_twin(words[:2], [1, 1])


def test_plans_keep_their_masses_and_steps_sharpen_them():
    g = torch.Generator().manual_seed(0)
    cost = 1 - normalize(torch.randn(5, 4, generator=g), dim=1) @ normalize(torch.randn(7, 4, generator=g), dim=1).T
    found = ch15.plans_after(cost, (1, 50))
    assert list(found) == ["1 step", "50 steps", "Sinkhorn, 50 steps"]
    for plan in found.values():
        assert torch.allclose(plan.sum(0), torch.full((7,), 1 / 7), atol=1e-5)
    assert torch.allclose(found["50 steps"].sum(1), torch.full((5,), 1 / 5), atol=0.02)
    entropy = {name: torch.special.entr(plan).sum().item() for name, plan in found.items()}
    assert entropy["50 steps"] < entropy["1 step"] - 0.5 < entropy["Sinkhorn, 50 steps"]
    for wrong in ({}, {"a": torch.ones(2, 2)}):
        with pytest.raises(ItmError, match="one or more plans"):
            ch15.plans(wrong, cost, list("abcdefg"))


def test_what_is_taken_from_a_channel_is_the_fovea():
    g = torch.Generator().manual_seed(0)
    items, scale = torch.randn(6, 3, generator=g), torch.randn(3, generator=g)
    weights = fovea(items[None, None], scale[None, None, None], None, 2.0)[0, 0]
    for channel in range(3):
        found = pooled(items[:, channel], scale[channel][None], 2.0)
        assert found.item() == pytest.approx((weights * items)[:, channel].sum().item(), abs=1e-5)
    curve = pooled(items[:, 0], torch.tensor([-1e4, 0.0, 1e4]), 2.0)
    n = items[:, 0]
    assert curve.tolist() == pytest.approx([n.min().item(), n.mean().item(), n.max().item()], abs=1e-5)
    for channels in ([], [3]):
        with pytest.raises(ItmError, match="one or more channels of 3"):
            ch15.channel_curves(items, scale, 2.0, channels)


def test_methods_must_look_at_the_same_regions(attended, models, tiny):
    seen, split = attended
    with pytest.raises(ItmError, match="one method or more"):
        ch15.attention_beside_truth({}, split)
    for other in (replace(seen, boxes=seen.boxes * 0.5), replace(seen, images=torch.tensor([1]))):
        with pytest.raises(ItmError, match="one caption, one picture, the same regions"):
            ch15.attention_beside_truth({"a": seen, "b": other}, split)
    one = {name: attend(model, tiny.test, [0]) for name, model in models.items()}
    figure = ch15.attention_beside_truth(one, tiny.test)
    assert all(f"{name}: “man” attends" in alt_text(figure) for name in models)
    rows = {axes.get_title("left").split()[-1] for axes in figure.axes if axes.get_title("left")}
    assert rows == {"man", "dog", "kitten"}  # nouns alone, by default
    chosen = ch15.attention_beside_truth(one, tiny.test, ["white"])
    assert "“white”" in alt_text(chosen) and "“man”" not in alt_text(chosen)


def test_steps_are_those_of_the_model(models, tiny):
    model = models["IMRAM"]
    steps = {name: attend(one, tiny.test, [0, 2]) for name, one in ch15.steps_of(model, "").items()}
    assert list(steps) == ["step 1", "step 2", "step 3"] and "IMRAM, step 1" in ch15.steps_of(model)
    assert torch.equal(steps["step 3"].weights[1], attend(model, tiny.test, [0, 2]).weights[1])
    assert not torch.allclose(steps["step 1"].weights[0], steps["step 3"].weights[0])
    assert "attention" not in vars(model)
    with pytest.raises(ItmError, match="does not attend in steps"):
        ch15.steps_of(models["CAMP"])


def test_the_slider_goes_over_methods(models, tiny):
    caption, method, view = ch15.method_explorer(models, tiny.test, [0, 5, 0]).children
    assert list(method.options) == list(models) and len(caption.options) == 2
    assert "<b>IMRAM.</b>" in view.value and re.search(r'<img alt="[^"]{20,}', view.value)
    first = view.value
    method.value = "GOT"
    assert "<b>GOT.</b>" in view.value and view.value != first
    caption.value = 1
    assert tiny.test.captions[5].split()[0] in view.value
    method.value, caption.value = "IMRAM", 0
    assert view.value == first


def test_what_the_slider_cannot_show_is_refused(models, tiny):
    for some, captions in (({}, [0]), (models, [])):
        with pytest.raises(ItmError, match="one model or more, and one caption or more"):
            ch15.method_explorer(some, tiny.test, captions)
    with pytest.raises(ItmError, match="no caption"):
        ch15.method_explorer(models, tiny.test, [10**6])
