"""How far image and caption embeddings are apart: the gap between their means, and a probe that separates them."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.data.corpus import check_pairing
from itm_tutorial.errors import ItmError
from itm_tutorial.losses.adversarial import ModalityDiscriminator, discriminator_loss

STEPS = (
    300  # of Adam, each on all of the probe's training data; twice as many change no metric of chapter 04 by a point
)
JUDGES = ("line", "network")


def modality_gap(image_emb: Tensor, caption_emb: Tensor) -> float:
    """The distance between the mean image embedding and the mean caption embedding, all scaled to unit length.

    Args:
        image_emb: [n_images, dim].
        caption_emb: [n_captions, dim].

    Returns:
        From 0 (equal means) to 2 (opposite points).

    Liang et al. 2022, "Mind the Gap".
    """
    images, captions = normalize(image_emb, dim=-1), normalize(caption_emb, dim=-1)
    return (images.mean(0) - captions.mean(0)).norm().item()


def modality_probe(
    image_emb: Tensor,
    caption_emb: Tensor,
    image_of: LongTensor,
    identity: LongTensor | None = None,
    judge: str = "line",
    seed: int = 0,
) -> float:
    """The accuracy of a probe: a classifier, trained on finished embeddings, that separates images from captions.

    The accuracy of the discriminator in adversarial training only shows how well that one discriminator was fooled.
    This probe took no part in training: it learns on every second identity and is tested on the others. Each image
    counts once, with one of its captions.

    Args:
        image_emb: [n_images, dim], of any length; the probe sees them scaled to unit length.
        caption_emb: [n_captions, dim].
        image_of: int64 [n_captions].
        identity: int64 [n_images], or None where each image is its own identity.
        judge: the probe: "line", a linear classifier, or "network", a new ``ModalityDiscriminator``.
        seed: of the probe's initial weights.

    Returns:
        Percent; chance is 50.

    Raises:
        ItmError: the judge is unknown, the pairing does not fit, or fewer than two identities have a caption.
    """
    if judge not in JUDGES:
        raise ItmError(f"judge is {judge!r}; give one of {', '.join(JUDGES)}")
    check_pairing(image_of, len(image_emb), len(caption_emb), "modality_probe")
    images, captions, identities = _pairs(image_emb, caption_emb, image_of, identity)
    train = identities % 2 == 0  # bool [n_pairs]
    if train.all():
        raise ItmError("modality_probe: all captions are of one identity; give embeddings of two or more")
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.enable_grad():
        torch.manual_seed(seed)
        dim = images.shape[1]
        probe = nn.Sequential(nn.Linear(dim, 1), nn.Flatten(0)) if judge == "line" else ModalityDiscriminator(dim)
        optimizer = torch.optim.Adam(probe.parameters(), 1e-2, weight_decay=1e-4)
        for _ in range(STEPS):
            optimizer.zero_grad()
            discriminator_loss(probe(images[train]), probe(captions[train])).backward()
            optimizer.step()
    with torch.no_grad():
        correct = (probe(images[~train]) > 0).double().mean() + (probe(captions[~train]) <= 0).double().mean()
    return 50 * correct.item()


def _pairs(
    image_emb: Tensor, caption_emb: Tensor, image_of: LongTensor, identity: LongTensor | None
) -> tuple[Tensor, Tensor, LongTensor]:
    """Each image with a caption, its first caption, and the index of its identity: [n, dim], [n, dim], int64 [n]."""
    described, places = image_of.cpu().unique(return_inverse=True)
    last_to_first = torch.arange(len(places) - 1, -1, -1)
    first = torch.empty_like(described).index_copy_(
        0, places[last_to_first], last_to_first
    )  # the last write is the first caption
    identities = described if identity is None else identity.cpu()[described]
    sides = (normalize(side.detach().float().cpu(), dim=-1).clone() for side in (image_emb, caption_emb))
    images, captions = sides
    return images[described], captions[first], identities.unique(return_inverse=True)[1]
