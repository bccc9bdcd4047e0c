"""Corrections of scores at test time, against hubs and against captions that score high for every image.

A hub is an image or a caption among the nearest neighbours of many unrelated queries (Liu and Ye, "A Strong and Robust
Baseline for Text-Image Matching", 2019, https://arxiv.org/abs/1906.01205, correct for hubs at test time by inverted
softmax and CSLS). Every function takes scores [n_images, n_captions] and gives new ones; the input is left as it is.

A correction that is estimated from the test queries uses the whole test set: the results of one query then depend on
the other queries. Scores against training images or captions avoid that, in the functions that take them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from itm_tutorial.errors import ItmError, unknown

CHUNK = 1024  # rows whose nearest neighbours are searched at a time
DIRECTIONS = ("t2i", "i2t")


def csls(
    scores: Tensor, k: int = 10, *, train_captions: Tensor | None = None, train_images: Tensor | None = None
) -> Tensor:
    """Cross-domain similarity local scaling: subtracts the mean score of each side with its k nearest neighbours.

    Source: Conneau et al., "Word Translation Without Parallel Data", ICLR 2018,
    https://arxiv.org/abs/1710.04087: CSLS(i, c) = 2 s(i, c) - r(i) - r(c), where r(i) is the mean of the k largest
    scores of image i over captions, and r(c) that of caption c over images.

    It works for both directions. For one caption, r(c) is the same for every image, so only r(i) changes the ranking
    of images; for one image, only r(c) changes the ranking of captions.

    Args:
        scores: floating [n_images, n_captions], similarities.
        k: how many nearest neighbours count.
        train_captions: floating [n_images, n_train_captions]; where given, r(i) is taken over these captions.
        train_images: floating [n_train_images, n_captions]; where given, r(c) is taken over these images.

    Returns:
        Corrected scores [n_images, n_captions], of the same dtype.

    Raises:
        ItmError: no matrix of finite numbers, shapes that do not fit, or k that is below 1 or above the neighbours
            that there are.
    """
    _check(scores, "scores")
    of_images = scores if train_captions is None else _bank(train_captions, "train_captions", scores, 0)
    of_captions = scores if train_images is None else _bank(train_images, "train_images", scores, 1)
    r_image = _nearest_mean(of_images, k, "captions").to(scores.dtype)  # [n_images]
    r_caption = _nearest_mean(of_captions.T, k, "images").to(scores.dtype)  # [n_captions]
    return 2 * scores - r_image[:, None] - r_caption[None, :]


def inverted_softmax(
    scores: Tensor, temperature: float, direction: str, *, train_scores: Tensor | None = None
) -> Tensor:
    """Log of a softmax over the queries instead of the items: an item near all queries gets a low score from each.

    Source: Smith et al., "Offline Bilingual Word Vectors, Orthogonal Transformations and the Inverted Softmax", ICLR
    2017, https://arxiv.org/abs/1702.03859. For caption queries ("t2i"): log P(i, c) = s(i, c) / temperature - log sum
    over captions c' of exp(s(i, c') / temperature). The logarithm keeps the ranking, while float32 probabilities would
    underflow to ties. A factor that depends only on the query changes no ranking and is left out; for the same reason,
    an ordinary softmax over the items would change nothing.

    Args:
        scores: floating [n_images, n_captions], similarities.
        temperature: above 0; the inverse of the paper's beta. The larger it is, the weaker the correction.
        direction: the only direction for which the result may be used: "t2i" ranks images for a caption and sums over
            captions, "i2t" ranks captions for an image and sums over images.
        train_scores: other queries to sum over, in place of those of ``scores``: floating [n_images, n_train_captions]
            for "t2i", [n_train_images, n_captions] for "i2t".

    Returns:
        Log-probabilities [n_images, n_captions], of the same dtype.

    Raises:
        ItmError: no matrix of finite numbers, shapes that do not fit, a temperature of 0 or below, or an unknown
            direction.
    """
    _check(scores, "scores")
    if direction not in DIRECTIONS:
        raise unknown("direction", direction, DIRECTIONS)
    if not 0 < temperature < float("inf"):
        raise ItmError(f"temperature is {temperature}; give a number above 0, such as 0.05 for cosines")
    queries, shared = (1, 0) if direction == "t2i" else (0, 1)
    bank = scores if train_scores is None else _bank(train_scores, "train_scores", scores, shared)
    total = (bank / temperature).logsumexp(queries, keepdim=True).to(scores.dtype)  # one number per item
    return scores / temperature - total


def divide_by_prior(log_likelihoods: Tensor, train_log_likelihoods: Tensor) -> Tensor:
    """Divides the probability of a caption given an image by its mean probability over images, in logarithms.

    Source: Mao et al., "Explain Images with Multimodal Recurrent Neural Networks", 2014,
    https://arxiv.org/abs/1410.1090: log P(c | i) - log mean over training images i' of P(c | i'). A model that writes
    captions gives a common sentence a high probability for every image; this correction removes it.

    It is for "i2t" only. The prior depends only on the caption, so the ranking of images for a caption does not change.

    Args:
        log_likelihoods: floating [n_images, n_captions], log P(c | i): the sum over the words of a caption, and so 0
            or below.
        train_log_likelihoods: floating [n_train_images, n_captions], of the same captions given images of the training
            split. Those of the searched split would leak test data, and a score would depend on the gallery.

    Returns:
        Corrected log-likelihoods [n_images, n_captions], of the same dtype.

    Raises:
        ItmError: no matrix of finite numbers, a logarithm of a probability above 1, or captions that do not match.
    """
    _check(log_likelihoods, "log_likelihoods")
    bank = _bank(train_log_likelihoods, "train_log_likelihoods", log_likelihoods, 1)
    for what, values in (("log_likelihoods", log_likelihoods), ("train_log_likelihoods", bank)):
        if values.max() > 1e-4:  # a sum of logarithms may be rounded to just above 0
            raise ItmError(f"{what} reaches {values.max():.3g}: the logarithm of a probability is 0 or below")
    # float64: long captions have log-likelihoods of -100 and below
    prior = bank.double().logsumexp(0) - torch.tensor(len(bank), dtype=torch.float64).log()  # [n_captions]
    return (log_likelihoods.double() - prior).to(log_likelihoods.dtype)


def subtract_distraction(scores: Tensor, asked: Tensor, prominence: Tensor, weight: float) -> Tensor:
    """Lowers the score of an image with prominent regions that the caption does not mention.

    Our own formula, after the idea of Li et al., "Visual-Semantic Matching by Exploring High-Order Attention and
    Distraction", CVPR 2020 (HOAD), https://pkumyd.github.io/paper/CVPR2020_LYZ.pdf, whose formula is a different one:
    s(i, c) - weight * sum over regions r of prominence(i, r) * (1 - asked(i, c, r)).

    It is for "t2i", where images compete for one caption: it measures what is in the image but not in the caption.

    Args:
        scores: floating [n_images, n_captions].
        asked: floating [n_images, n_captions, n_regions] in [0, 1]: how much a caption mentions a region, such as the
            largest similarity of the region with one of its words. 1 everywhere leaves the score unchanged.
        prominence: floating [n_images, n_regions], 0 or above; how prominent each region is. It is not
            normalised: one more region that is not mentioned costs exactly ``weight`` times its prominence.
        weight: 0 or above; 0 leaves the scores as they are.

    Returns:
        Corrected scores [n_images, n_captions], of the same dtype.

    Raises:
        ItmError: numbers that are not finite or out of range, or shapes that do not fit.
    """
    _check(scores, "scores")
    if asked.ndim != 3 or asked.shape[:2] != scores.shape or prominence.shape != (len(scores), asked.shape[2]):
        raise ItmError(
            f"asked is {list(asked.shape)} and prominence {list(prominence.shape)} for scores {list(scores.shape)}: "
            "give [n_images, n_captions, n_regions] and [n_images, n_regions]"
        )
    if not ((asked >= 0) & (asked <= 1)).all():  # false for NaN too
        raise ItmError("asked: numbers must lie from 0 to 1; rescale the similarities of regions and words")
    if not ((prominence >= 0) & prominence.isfinite()).all():
        raise ItmError("prominence: numbers must be finite and 0 or above")
    if not 0 <= weight < float("inf"):
        raise ItmError(f"weight is {weight}; give 0 or more")
    chunks = zip(asked.split(CHUNK), prominence.to(asked.dtype).split(CHUNK), strict=True)
    unasked = [((1 - some) @ shown[..., None])[..., 0] for some, shown in chunks]  # [at most CHUNK, n_captions]
    return scores - weight * torch.cat(unasked).to(scores.dtype)


def _nearest_mean(scores: Tensor, k: int, neighbours: str) -> Tensor:
    """The mean of the k largest of every row: [n, m] -> float32 or float64 [n]."""
    if not 1 <= k <= scores.shape[1]:
        raise ItmError(f"k is {k}, but there are {scores.shape[1]} {neighbours} to be near: give 1 to that many")
    wide = torch.promote_types(scores.dtype, torch.float32)
    return torch.cat([some.topk(k, 1).values.to(wide).mean(1) for some in scores.split(CHUNK)])


def _bank(bank: Tensor, what: str, scores: Tensor, shared: int) -> Tensor:
    """Scores against training items, beside the scores that they correct; dimension ``shared`` must be the same."""
    _check(bank, what)
    if bank.shape[shared] != scores.shape[shared]:
        side = ("images (rows)", "captions (columns)")[shared]
        raise ItmError(f"{what} is {list(bank.shape)} for scores {list(scores.shape)}: it needs the same {side}")
    return bank


def _check(scores: Tensor, what: str) -> None:
    """Refuses everything but a matrix of finite numbers.

    Raises:
        ItmError: the message names the first number that is not finite.
    """
    if not isinstance(scores, Tensor) or scores.ndim != 2 or not scores.is_floating_point() or not scores.numel():
        found = f"{list(scores.shape)} {scores.dtype}" if isinstance(scores, Tensor) else type(scores).__name__
        raise ItmError(f"{what} is {found}; give a floating tensor [n_images, n_captions]")
    finite = scores.isfinite()
    if not finite.all():
        image, caption = (~finite).nonzero()[0].tolist()
        raise ItmError(f"{what}: {scores[image, caption].item()} at [{image}, {caption}]; all numbers must be finite")
