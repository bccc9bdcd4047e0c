"""How far apart images and captions lie as two crowds: the gap between their middles, and a fresh judge."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.data.corpus import check_pairing
from itm_tutorial.errors import ItmError
from itm_tutorial.losses.adversarial import ModalityDiscriminator, discriminator_loss

STEPS = 300  # of Adam, over all that the judge learns from; twice as many move no figure of chapter 04 by a point
JUDGES = ("line", "network")


def modality_gap(image_emb: Tensor, caption_emb: Tensor) -> float:
    """The distance between the mean of the images and the mean of the captions, all scaled to length one.

    Args:
        image_emb: [n_images, dim].
        caption_emb: [n_captions, dim].

    Returns:
        From 0 (one middle) to 2 (opposite points).

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
    """How often a judge, trained afterwards on finished embeddings, tells images from captions.

    An adversary's own accuracy says how well *it* was fooled. This judge took no part in the game: it learns on every
    second identity, and is asked about the others. A picture counts once, and so does one caption of it.

    Args:
        image_emb: [n_images, dim], of any length; only their direction is shown to the judge.
        caption_emb: [n_captions, dim].
        image_of: int64 [n_captions].
        identity: int64 [n_images], or None where each image is an identity of its own.
        judge: "line", one linear cut, or "network", a fresh ``ModalityDiscriminator``.
        seed: of the judge's first weights.

    Returns:
        Percent; 50 is a coin.

    Raises:
        ItmError: an unknown judge, a pairing that does not fit, fewer than two identities with a caption.
    """
    if judge not in JUDGES:
        raise ItmError(f"judge is {judge!r}; give one of {', '.join(JUDGES)}")
    check_pairing(image_of, len(image_emb), len(caption_emb), "modality_probe")
    images, captions, who = _pairs(image_emb, caption_emb, image_of, identity)
    learns = who % 2 == 0  # bool [n_pairs]
    if learns.all():
        raise ItmError("modality_probe: all captions are of one identity; give embeddings of two or more")
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.enable_grad():
        torch.manual_seed(seed)
        dim = images.shape[1]
        cut = nn.Sequential(nn.Linear(dim, 1), nn.Flatten(0)) if judge == "line" else ModalityDiscriminator(dim)
        optimizer = torch.optim.Adam(cut.parameters(), 1e-2, weight_decay=1e-4)
        for _ in range(STEPS):
            optimizer.zero_grad()
            discriminator_loss(cut(images[learns]), cut(captions[learns])).backward()
            optimizer.step()
    with torch.no_grad():
        right = (cut(images[~learns]) > 0).double().mean() + (cut(captions[~learns]) <= 0).double().mean()
    return 50 * right.item()


def _pairs(
    image_emb: Tensor, caption_emb: Tensor, image_of: LongTensor, identity: LongTensor | None
) -> tuple[Tensor, Tensor, LongTensor]:
    """Each described image, its first caption, and its identity's number: [n, dim], [n, dim], int64 [n]."""
    described, places = image_of.cpu().unique(return_inverse=True)
    last_to_first = torch.arange(len(places) - 1, -1, -1)
    first = torch.empty_like(described).index_copy_(0, places[last_to_first], last_to_first)  # the first one stays
    who = described if identity is None else identity.cpu()[described]
    sides = (normalize(side.detach().float().cpu(), dim=-1).clone() for side in (image_emb, caption_emb))
    images, captions = sides
    return images[described], captions[first], who.unique(return_inverse=True)[1]
