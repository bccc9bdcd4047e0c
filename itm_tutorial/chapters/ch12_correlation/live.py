"""What the notebook of the chapter computes from its own runs: projections, curves, words in the plane."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters.ch12_correlation.measures.dcca import pearson
from itm_tutorial.chapters.ch12_correlation.measures.two_way_net import of_hidden
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.data.text import tokenize
from itm_tutorial.encoders.fisher_vector import Mixture
from itm_tutorial.extraction.features import split_features
from itm_tutorial.losses.correlation import total_correlation
from itm_tutorial.models import create_model
from itm_tutorial.models._canonical import CanonicalMatching
from itm_tutorial.training.loop import fit

Variances = dict[str, list[float]]  # label of a variant -> one number per epoch


@torch.inference_mode()
def outputs(model: CanonicalMatching, split: Split) -> tuple[Tensor, Tensor]:
    """What CCA reads, one row per caption of a split: [n_captions, image_dim] and [n_captions, text_dim], float64."""
    model = model.eval()
    tokens = model.tokenize(split.captions)
    images = model.image_features(split_features(split, model.features).to(model.device, model.dtype))
    texts = model.text_features(tokens.ids, tokens.lengths)
    return images.cpu().double()[split.image_of], texts.cpu().double()


def projections(model: CanonicalMatching, split: Split) -> tuple[Tensor, Tensor]:
    """The pairs of a split along the canonical directions, [n_captions, size] each; no rows of unit length."""
    canonical = model.canonical
    sides = zip(outputs(model, split), ("image", "text"), strict=True)
    return tuple(
        (side - getattr(canonical, f"{name}_mean").detach().cpu().double())
        @ getattr(canonical, name).detach().cpu().double()
        for side, name in sides
    )


def correlations(model: CanonicalMatching, split: Split) -> dict[str, Tensor]:
    """Correlation along each canonical direction: "train", of the pairs that CCA was solved with, and "test"."""
    return {"train": model.canonical.correlations.cpu().double(), "test": pearson(*projections(model, split))}


def correlation_curve(x: Tensor, y: Tensor, batches: Iterable[int], ridge: float = 1e-8) -> list[dict[str, float]]:
    """The total correlation of batches of pairs drawn at random.

    Args:
        x: [n_pairs, dim].
        y: [n_pairs, dim].
        batches: numbers of pairs; those of more than ``n_pairs`` are left out.
        ridge: of the covariances.

    Returns:
        For each batch size: batch and correlation.
    """
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    sizes = [n for n in batches if n <= len(x)]
    return [{"batch": n, "correlation": total_correlation(x[order[:n]], y[order[:n]], ridge).item()} for n in sizes]


def word_plane(vectors: Mapping[str, Tensor], n_components: int, seed: int = 0) -> tuple[dict[str, Tensor], Mixture]:
    """Word vectors in the plane of their two largest variances, and a mixture of Gaussians that is fitted there.

    Args:
        vectors: word -> [dim].
        n_components: of the mixture.
        seed: of its first means.

    Returns:
        Word -> [2], and the mixture.
    """
    rows = torch.stack(list(vectors.values())).double()
    rows = rows - rows.mean(0)
    plane = torch.linalg.svd(rows, full_matrices=False).Vh[:2]  # [2, dim]
    plane = plane * plane.sum(1, keepdim=True).sign()  # so that no processor turns the figure over
    places = (rows @ plane.T).float()
    mixture = Mixture(n_components, 2)
    mixture.fit(places, seed, floor=0.01)
    return dict(zip(vectors, places, strict=True)), mixture


def caption_words(model: CanonicalMatching, split: Split) -> dict[str, Tensor]:
    """The fixed vectors of the words that the captions of a split hold: word -> [dim]."""
    known = set(model.vocabulary.words)
    used = sorted({word for caption in split.captions for word in tokenize(caption)} & known)
    ids = model.tokenize([" ".join(used)]).ids[0].tolist()
    by_word = {model.vocabulary.words[i]: model.words.vectors[i] for i in ids}
    return {word: by_word[word] for word in used if by_word[word].any()}


def variances(corpus: Corpus, variants: Mapping[str, tuple[str, dict[str, Any]]], **training: Any) -> Variances:
    """Trains variants of 2WayNet and follows the variance of their middle layer over the images of the test split.

    Args:
        corpus: the drawn corpus.
        variants: label -> name of a variant of ``two_way_net``, and its options.
        **training: of ``fit``; ``seed`` is that of the weights too.

    Returns:
        Label -> the variance before training and after each epoch.
    """
    found: Variances = {}
    for label, (name, options) in variants.items():
        rows = found.setdefault(label, [])
        model = create_model(name, corpus, seed=training.get("seed", 0), **options)
        features = torch.nn.functional.normalize(split_features(corpus.test, model.features).float(), dim=1)

        @torch.no_grad()
        def follow(model, row=None, rows=rows, features=features):
            was = model.training
            h = model.eval().middle(features.to(model.device, model.dtype), False)
            model.train(was)
            rows.append(of_hidden(h.cpu())["variance"])

        follow(model)
        fit(model, corpus, callbacks=[follow], **training)
    return found
