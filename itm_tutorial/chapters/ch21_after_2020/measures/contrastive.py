"""What the claims about contrastive losses need: a model with another loss, its temperature, and its modality gap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.runner import Trained
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.evaluation.modality_gap import modality_gap
from itm_tutorial.extraction.features import split_features
from itm_tutorial.losses.pairwise_sigmoid import PairwiseSigmoid
from itm_tutorial.losses.ranking import MaxOfHinges, SumOfHinges
from itm_tutorial.losses.symmetric_cross_entropy import SymmetricCrossEntropy
from itm_tutorial.models import Matching, create_model
from itm_tutorial.retrieval.scoring import CHUNK, encode_in_chunks

LOSSES: dict[str, Callable[[], nn.Module]] = {
    "sum of hinges": SumOfHinges,
    "max of hinges": lambda: MaxOfHinges(warmup=0.25),
    "softmax": SymmetricCrossEntropy,
    "sigmoid": PairwiseSigmoid,
}


def with_its_loss(arm: Arm, corpus: Corpus, seed: int, before: Matching | None) -> Matching:
    """The arm's model with the loss that the arm is named after; the first weights are those of every other arm."""
    model = create_model(arm.model, corpus, seed=seed, **arm.options)
    model.loss_function = LOSSES[arm.name]()
    return model


@torch.inference_mode()
def embedding_space(trained: Trained) -> dict[str, Any]:
    """The gap between the means of both sides, and how far true pairs and other pairs are apart, on the test split.

    ``gap``: distance of the two means; ``alignment``: mean cosine of true pairs; ``others``: mean cosine of all other
    pairs; ``scale``: what the cosines are multiplied with after training, where the loss has such a number.
    """
    model, split = trained.model, trained.corpus.test
    features = split_features(split, model.features)
    sides = (
        torch.cat(list(encode_in_chunks(encode, inputs, CHUNK)))
        for encode, inputs in ((model.encode_images, features), (model.encode_captions, split.captions))
    )
    image_emb, caption_emb = sides
    scores, captions = trained.scores, torch.arange(len(split.captions))
    true = scores[split.image_of, captions].double()
    n_others = scores.numel() - len(captions)
    found = {
        "gap": modality_gap(image_emb, caption_emb),
        "alignment": true.mean().item(),
        "others": ((scores.double().sum() - true.sum()) / n_others).item(),
    }
    scale = getattr(model.loss_function, "scale", None)
    return {**found, **({} if scale is None else {"scale": scale().item()})}
