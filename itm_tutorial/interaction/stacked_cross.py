"""Stacked cross attention: every word attends to regions, or every region to words, for each image-caption pair.

Lee, Chen, Hua, Hu and He, "Stacked Cross Attention for Image-Text Matching", ECCV 2018, sections 3.1 and 3.2.

Words attending to regions ("t2i") and regions attending to words ("i2t") are the same computation with the roles of
queries and keys exchanged. We never compute the attended vector a = sum_k alpha_k v_k of a query e: its cosine needs
only two numbers, which follow from products that we have already: <e, a> = sum_k alpha_k <e, v_k>, and
|a|^2 = alpha' G alpha, with G the Gram matrix of the keys. So no tensor has a dimension ``dim`` per pair.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import LongTensor, Tensor
from torch.nn.functional import leaky_relu, pad
from torch.utils.checkpoint import checkpoint

from itm_tutorial.errors import ItmError, unknown

CHOICES = {
    "direction": ("t2i", "i2t"),
    "pooling": ("mean", "lse", "sum", "max", "length"),
    "rectifier": ("leaky", "plain"),
}
EPS = 1e-8  # smallest length, as in the authors' code: a zero vector has cosine 0
TILE = 2**19  # similarities of words and regions per tile, which fits a core's cache
KEPT = 2**25  # up to so many similarities, all tiles are kept for the gradient; beyond, each is computed again


class Attended(NamedTuple):
    """Scores and attention weights.

    Attributes:
        scores: [n_images, n_captions].
        attention: [n_images, n_captions, n_regions, seq_len]; it sums to one over the regions in "t2i", over the words
            in "i2t", and is zero where a caption has ended.
    """

    scores: Tensor
    attention: Tensor


def stacked_cross_attention(
    regions: Tensor,
    words: Tensor,
    lengths: LongTensor,
    direction: str = "t2i",
    smooth: float = 9.0,
    pooling: str = "mean",
    lse: float = 6.0,
    rectifier: str = "leaky",
    return_attention: bool = False,
    chunk: int | None = None,
) -> Tensor | Attended:
    """Scores every image against every caption by attention between regions and words.

    Args:
        regions: [n_images, n_regions, dim], unit vectors in the paper.
        words: [n_captions, seq_len, dim], unit vectors in the paper; positions after a caption's end are ignored.
        lengths: int64 [n_captions], words of each caption, 1 or more.
        direction: "t2i", words attend to regions (equations 1 to 6), or "i2t", regions attend to words (7 to 10).
        smooth: lambda_1, the inverse temperature of attention; in the authors' code 9 for "t2i" and 4 for "i2t".
        pooling: of the cosines of all queries: "mean", "lse" (log-sum-exp), "sum" or "max"; or "length", which is
            not in the paper: their sum weighted by the queries' lengths, divided by the length of the sum of the
            queries. With uniform attention it equals the cosine of the mean word and the mean region.
        lse: lambda_2, the inverse temperature of "lse"; a longer caption scores higher by about log(n_words) / lse.
        rectifier: applied to the similarities before attention: "leaky" (slope 0.1), as in the authors' code, or
            "plain", as in the paper.
        return_attention: whether to return the attention weights too.
        chunk: images, and captions, per tile; by default chosen for speed.

    Returns:
        Scores [n_images, n_captions], or ``Attended``.

    Raises:
        ItmError: shapes do not fit, an image has no region, a caption has no word, or an option is unknown.
    """
    check_options(direction=direction, pooling=pooling, rectifier=rectifier)
    _check_shapes(regions, words, lengths, chunk)
    ends, order = lengths.cpu().sort()  # captions of equal length are neighbours, so tiles have little padding
    order, counts = torch.stack([order, ends]).to(words.device)  # one copy to the device for both
    ends = ends.tolist()
    word_mask = torch.arange(words.shape[1], device=words.device)[None] < counts[:, None]  # [n_captions, seq_len]
    words = words[order].masked_fill(~word_mask[..., None], 0)
    region_mask = torch.ones(regions.shape[:2], dtype=torch.bool, device=regions.device)  # [n_images, n_regions]

    def tile(
        tile_regions: Tensor, region_mask: Tensor, tile_words: Tensor, word_mask: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """The scores [n, m] of n images and m captions, and their attention [n, m, n_regions, n_words]."""
        if direction == "t2i":
            cosine, alpha = attend(tile_words, tile_regions, None, smooth, rectifier)
            scores = pool(cosine, tile_words, word_mask, pooling, lse)
        else:
            cosine, alpha = attend(tile_regions, tile_words, word_mask, smooth, rectifier)
            scores, alpha = pool(cosine, tile_regions, region_mask, pooling, lse).T, alpha.permute(2, 3, 0, 1)
        # [n, n_regions, m, n_words] from here on
        return scores, alpha.transpose(1, 2).masked_fill(~word_mask[:, None], 0) if return_attention else None

    side = chunk or _side(regions, words)
    kept = torch.is_grad_enabled() and len(regions) * regions.shape[1] * words.shape[:2].numel() > KEPT
    run = partial(checkpoint, tile, use_reentrant=False) if kept and not return_attention else tile
    firsts = range(0, max(1, len(words)), side)
    cuts = [slice(None, max([1, *ends[first : first + side]])) for first in firsts]  # words of a tile's longest caption
    columns = [
        (tile_words[:, cut], tile_mask[:, cut])
        for tile_words, tile_mask, cut in zip(words.split(side), word_mask.split(side), cuts, strict=True)
    ]
    rows = zip(regions.split(side), region_mask.split(side), strict=True)
    made = [[run(*row, *column) for column in columns] for row in rows]
    back = order.argsort()
    scores = torch.cat([torch.cat([part[0] for part in row], 1) for row in made])[:, back]
    if not return_attention:
        return scores
    whole = [[pad(part[1], (0, words.shape[1] - part[1].shape[3])) for part in row] for row in made]
    return Attended(scores, torch.cat([torch.cat(row, 1) for row in whole])[:, back])


def attend(
    queries: Tensor, keys: Tensor, key_mask: Tensor | None, smooth: float, rectifier: str = "leaky"
) -> tuple[Tensor, Tensor]:
    """Lets every query of every set attend to every set of keys, and compares it with the attended vector.

    Args:
        queries: [n_query_sets, n_queries, dim]; padding is zero.
        keys: [n_key_sets, n_keys, dim]; padding is zero.
        key_mask: bool [n_key_sets, n_keys], False for padding; None: no padding.
        smooth: the inverse temperature.
        rectifier: "leaky" or "plain".

    Returns:
        The cosine between each query and its attended vector [n_key_sets, n_query_sets, n_queries], and the attention
        [n_key_sets, n_keys, n_query_sets, n_queries], which sums to one over the keys.
    """
    s = (keys.flatten(0, 1) @ queries.flatten(0, 1).T).view(*keys.shape[:2], *queries.shape[:2])
    ahead = leaky_relu(s, 0.1) if rectifier == "leaky" else s.clamp(min=0)
    length = ahead.norm(dim=3, keepdim=True).clamp(min=EPS)  # a key's similarities, over all queries of a set
    logits = ahead * (smooth / length)  # [n_key_sets, n_keys, n_query_sets, n_queries]
    if key_mask is not None:
        logits = logits.masked_fill(~key_mask[..., None, None], -torch.inf)
    alpha = logits.softmax(1)
    gram = keys @ keys.mT  # [n_key_sets, n_keys, n_keys]
    squared = (alpha * (gram @ alpha.flatten(2)).view_as(alpha)).sum(1)  # |a|^2, [n_key_sets, n_query_sets, n_queries]
    product = (alpha * s).sum(1)  # <e, a>
    # rounding may make the square negative; and at zero the root has no finite gradient
    return product / (queries.norm(dim=2) * squared.clamp(min=EPS**2).sqrt()).clamp(min=EPS), alpha


def pool(cosine: Tensor, queries: Tensor, mask: Tensor, pooling: str, lse: float) -> Tensor:
    """Pools the cosines of all queries of a set into one score.

    Args:
        cosine: [n_key_sets, n_query_sets, n_queries].
        queries: [n_query_sets, n_queries, dim]; padding is zero.
        mask: bool [n_query_sets, n_queries], False for padding.
        pooling: "mean", "lse", "sum", "max" or "length".
        lse: the inverse temperature of "lse".

    Returns:
        [n_key_sets, n_query_sets].
    """
    if pooling == "max":
        return cosine.masked_fill(~mask, -torch.inf).amax(2)
    if pooling == "lse":
        return (lse * cosine).masked_fill(~mask, -torch.inf).logsumexp(2) / lse
    if pooling == "length":  # padding has length 0
        return (cosine * queries.norm(dim=2)).sum(2) / queries.sum(1).norm(dim=1).clamp(min=EPS)
    total = cosine.masked_fill(~mask, 0).sum(2)
    return total / mask.sum(1) if pooling == "mean" else total


def _side(regions: Tensor, words: Tensor) -> int:
    """Images, and captions, per tile."""
    return max(1, int((TILE / (regions.shape[1] * max(1, words.shape[1]))) ** 0.5))


def check_options(**options: str) -> None:
    """Checks that each option has a value in ``CHOICES``.

    Raises:
        ItmError: a value is unknown; the message names the nearest ones.
    """
    for what, value in options.items():
        if value not in CHOICES[what]:
            raise unknown(what, value, CHOICES[what])


def _check_shapes(regions: Tensor, words: Tensor, lengths: LongTensor, chunk: int | None) -> None:
    if regions.ndim != 3 or words.ndim != 3 or regions.shape[2] != words.shape[2]:
        raise ItmError(
            f"regions are {list(regions.shape)} and words {list(words.shape)}: give [n_images, n_regions, dim] and "
            "[n_captions, seq_len, dim] with the same dim"
        )
    if not regions.shape[1]:
        raise ItmError(f"regions are {list(regions.shape)}: an image needs at least one region")
    if tuple(lengths.shape) != (len(words),):
        raise ItmError(f"lengths are {list(lengths.shape)} for {len(words)} captions: give one number per caption")
    if len(words) and not (int(lengths.min()) >= 1 and int(lengths.max()) <= words.shape[1]):
        raise ItmError(
            f"lengths go from {int(lengths.min())} to {int(lengths.max())}, but they must be 1 to {words.shape[1]}"
        )
    if chunk is not None and chunk < 1:
        raise ItmError(f"chunk is {chunk}; give 1 or more")
