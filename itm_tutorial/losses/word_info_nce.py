"""InfoNCE per word: the images of a batch compete for a word, and words compete for an image.

Gupta et al., "Contrastive Learning for Weakly Supervised Phrase Grounding", ECCV 2020, https://arxiv.org/abs/2006.09920.
"""

from __future__ import annotations

from torch import LongTensor, Tensor


def image_info_nce(phi: Tensor, caption_of: LongTensor, image_of: LongTensor) -> Tensor:
    """Minus the log probability of the own image among all images, mean over a caption's words, then over captions.

    Args:
        phi: [n_images, n_words], scores of words with images.
        caption_of: int64 [n_words], the caption of each word; each caption has one word or more.
        image_of: int64 [n_captions], the image of each caption.

    Returns:
        A scalar.
    """
    own = phi.log_softmax(0).gather(0, image_of[caption_of][None])[0]  # [n_words]
    return -(own / caption_of.bincount(minlength=len(image_of))[caption_of]).sum() / len(image_of)


def noun_info_nce(true: Tensor, changed: Tensor, there: Tensor) -> Tensor:
    """Minus the log probability of the true noun among itself and its substitutes, the mean over captions.

    Args:
        true: [n_captions], the score of the true noun with its image.
        changed: [n_captions, n_negatives], those of its substitutes with the same image.
        there: bool [n_captions, n_negatives], False for padding; a caption without any substitute is left out.

    Returns:
        A scalar; 0 where no caption has a substitute.
    """
    logits = changed.masked_fill(~there, -float("inf"))
    among = logits.logsumexp(1).logaddexp(true) if logits.shape[1] else true
    return ((among - true) * there.any(1)).sum() / there.any(1).sum().clamp(min=1)
