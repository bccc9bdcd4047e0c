"""How much of an image's consensus lies on concepts that it shows and that a caption of it leaves out."""

from __future__ import annotations

from typing import Any

import torch

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.encoders.concepts import named_concepts
from itm_tutorial.encoders.consensus import Consensus
from itm_tutorial.extraction.features import split_features


@torch.no_grad()
def left_unsaid(trained: Trained) -> dict[str, Any]:
    """The weight of concepts that another caption of the image names and this one does not, a mean in percent."""
    model, test = trained.model.eval(), trained.corpus.test
    graph = model.concepts
    weights = model.spell_images(split_features(test, model.features).to(model.device, model.dtype)).weights.cpu()
    ids = model.tokenize(test.captions).ids
    named = named_concepts(ids, graph.concept_of.cpu(), len(graph.ids))  # [n_captions, n_concepts]
    shown = torch.zeros(len(test.images), named.shape[1]).index_add_(0, test.image_of, named) > 0
    unsaid = shown[test.image_of] & (named == 0)  # [n_captions, n_concepts]
    return {"unsaid": 100 * (weights[test.image_of] * unsaid).sum(1).mean().item(), "edges": edges_of(graph)}


def edges_of(graph: Consensus) -> int:
    """The number of edges of a graph, without those of concepts with themselves."""
    return (graph.weights - graph.weights.diag().diag()).count_nonzero().item()
