"""Prompts: articles, the fact sheet's two templates, and ensembles that normalise first or last."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.zero_shot import class_embeddings, ensemble, fill

TWO = torch.tensor([[[2.0, 0.0]], [[0.0, 1.0]]])  # the templates (2, 0) and (0, 1) of one class


def test_the_tiny_example_normalised_first_and_averaged_first():
    assert ensemble(TWO)[0].tolist() == pytest.approx([0.7071, 0.7071], abs=5e-5)
    assert ensemble(TWO, "mean")[0].tolist() == pytest.approx([0.8944, 0.4472], abs=5e-5)


@given(n=st.integers(1, 5), seed=st.integers(0, 99), factor=st.floats(0.1, 10))
def test_the_length_of_a_template_counts_in_the_mean_alone(n, seed, factor):
    made = torch.randn(n, 3, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    longer = made.clone()
    longer[0] *= factor
    assert torch.allclose(ensemble(longer), ensemble(made), atol=1e-10)
    assert torch.allclose(ensemble(made).norm(dim=-1), torch.ones(3).double())
    by_loop = [normalize(sum(normalize(row, dim=0) for row in made[:, c]), dim=0) for c in range(3)]
    assert torch.allclose(ensemble(made), torch.stack(by_loop), atol=1e-10)
    unit = normalize(made, dim=-1)
    assert torch.allclose(ensemble(unit, "mean"), ensemble(made), atol=1e-10)
    if n == 1:
        assert torch.allclose(ensemble(longer, "mean"), ensemble(made), atol=1e-10)


def test_articles_follow_the_label():
    assert fill("a photo of a {}", "dog") == "a photo of a dog"
    assert fill("a photo of a {}", "owl") == "a photo of an owl"
    assert fill("A {} in a field", "oak") == "An oak in a field"
    assert fill("{}", "apple") == "apple"
    with pytest.raises(ItmError, match="no {} for the label"):
        fill("a photo", "dog")


def test_each_class_is_encoded_once_per_template():
    asked = []

    def encode(texts):
        asked.extend(texts)
        return torch.tensor([[float(len(text)), 1.0] for text in texts])

    found = class_embeddings(encode, ["dog", "owl"], ["a {}", "two {}s"], "mean")
    assert asked == ["a dog", "an owl", "two dogs", "two owls"]
    assert torch.allclose(found, normalize(torch.tensor([[6.5, 1.0], [7.0, 1.0]]), dim=-1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"templates": []}, "give a list of one or more"),
        ({"templates": "a photo of a {}"}, "give a list of one or more"),
        ({"normalise": "ech"}, "did you mean 'each'"),
    ],
)
def test_what_makes_no_ensemble_is_refused(change, message):
    given_arguments = {"templates": ["{}"], "normalise": "each", **change}
    with pytest.raises(ItmError, match=message):
        class_embeddings(lambda texts: torch.ones(len(texts), 2), ["dog"], **given_arguments)
