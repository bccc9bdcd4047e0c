"""Writes captions with a model that knows log p of the next word: greedily, by beam search, or by sampling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.options import PositiveInt, Seed, Weight, check_options
from itm_tutorial.data.text import SPECIAL
from itm_tutorial.encoders.embeddings import Embeddings, pick
from itm_tutorial.encoders.threads import free_cores
from itm_tutorial.errors import ItmError
from itm_tutorial.extraction.features import split_features
from itm_tutorial.models import Images, Matching
from itm_tutorial.retrieval.scoring import CHUNK, encode_in_chunks, evaluation_mode, n_rows, with_boxes

METHODS = ("greedy", "beam", "sample")
MOST = 2**22  # scores of next words that are in memory at a time
OPTIONS = {
    "method": Literal["greedy", "beam", "sample"],
    "width": PositiveInt,
    "temperature": Weight,
    "max_len": PositiveInt,
    "seed": Seed,
}


class WrittenCaption(NamedTuple):
    """A caption that a model wrote.

    Attributes:
        text: its words, separated by spaces.
        log_p: log P(caption | image) of the model, stop included, whatever the temperature at which it was drawn.
    """

    text: str
    log_p: float


@torch.inference_mode()
@free_cores()
def write_captions(
    model: Matching,
    images: Split | Tensor | Images,
    method: str = "greedy",
    *,
    width: int = 5,
    temperature: float = 1.0,
    max_len: int = 24,
    seed: int = 0,
) -> list[WrittenCaption]:
    """Writes one caption for each image.

    "greedy" takes the most likely word at each step. "beam" keeps the ``width`` most likely beginnings and returns the
    most likely caption among them; a width of 1 is greedy. "sample" draws each word from p ** (1 / temperature),
    normalised again; a temperature of 0 is greedy. Of equally likely words the one with the smaller id is taken, and
    stop last. Every caption has at least one word; after ``max_len`` words the caption is stopped, and the logarithm of
    the probability of stop counts there too, so that ``log_p`` is the model's own log P of the text.

    Args:
        model: trained or not, one that writes; it is left as it was.
        images: a split, or features [n_images, ...] as the model reads them.
        method: one of ``METHODS``.
        width: of the beam.
        temperature: of sampling: below 1 likely words become likelier, above 1 unlikely ones.
        max_len: words at most.
        seed: of the random numbers of sampling. Each image has its own, so that another number of images or another
            temperature does not change them.

    Returns:
        A caption for each image, in their order.

    Raises:
        ItmError: the model cannot write, an argument is out of range, or a probability is NaN.

    Example:
        >>> itm.write_captions(model, corpus.test, "beam")[0]
        WrittenCaption(text='a red car on the beach', log_p=-4.2)
    """
    _check(locals(), ("method", "temperature", "width", "max_len", "seed"))
    if method == "beam":
        return [captions[0] for captions in write_beams(model, images, width, max_len)]
    drawn = method == "sample" and temperature > 0
    uniform = torch.Generator().manual_seed(seed)
    found: list[WrittenCaption] = []
    with evaluation_mode(model):
        for image_emb in _encoded(model, images, 1, max_len):
            numbers = None
            if drawn:  # [n, max_len], row by row, so that a longer list of images begins alike
                numbers = torch.rand(n_rows(image_emb), max_len, generator=uniform, dtype=torch.float64)
            found += _one_by_one(model, image_emb, max_len, temperature, numbers)
    return found


@torch.inference_mode()
@free_cores()
def write_beams(
    model: Matching, images: Split | Tensor | Images, width: int = 5, max_len: int = 24
) -> list[list[WrittenCaption]]:
    """Writes the captions of a beam for each image, the most likely first.

    At each step all beginnings are continued by each word and by stop, and the ``width`` most likely results are kept.
    A caption that has stopped stays in the beam with its log P until better ones displace it. Lengths are not
    normalised: each further word can only lower log P. A beam that is as wide as the number of possible beginnings
    finds the most likely caption of all; a narrow one may miss it.

    Args:
        model: trained or not, one that writes; it is left as it was.
        images: a split, or features [n_images, ...] as the model reads them.
        width: the number of beginnings that are kept.
        max_len: words at most; see ``write_captions``.

    Returns:
        For each image at most ``width`` different captions, and at least one.

    Raises:
        ItmError: the model cannot write, an argument is out of range, or a probability is NaN.
    """
    _check(locals(), ("width", "max_len"))
    found: list[list[WrittenCaption]] = []
    with evaluation_mode(model):
        for image_emb in _encoded(model, images, width, max_len):
            words, scores = _beams(model, image_emb, width, max_len)
            for some, of_image in zip(words.tolist(), scores.tolist(), strict=True):
                pairs = zip(some, of_image, strict=True)
                kept = [_caption(model, row, score) for row, score in pairs if score > -torch.inf]
                found.append(kept or [_caption(model, some[0], of_image[0])])
    return found


@torch.inference_mode()
@free_cores()
def word_log_probabilities(
    model: Matching, images: Split | Tensor | Images, captions: Sequence[str]
) -> list[list[tuple[str, float]]]:
    """How log P of given captions adds up: log p of each word, after the words before it.

    Args:
        model: trained or not, one that writes; it is left as it was.
        images: a split, or features [n_images, ...] as the model reads them.
        captions: n_images texts, one for each image.

    Returns:
        For each caption its words with their log p; the last pair is "<end>" with that of stop.

    Raises:
        ItmError: the model cannot write, a caption has a word that the model does not know, or the numbers of images
            and captions differ.
    """
    _check({"model": model}, ())
    tokens = model.vocabulary.encode(list(captions))
    ids, n_words = tokens.ids[:, 1:], tokens.lengths - 1  # without <start>; with <end>
    real = torch.arange(ids.shape[1]) < n_words[:, None] - 1
    for row, column in (real & (ids < len(SPECIAL))).nonzero()[:1].tolist():
        word = captions[row].split()[column : column + 1]
        raise ItmError(f"caption {row} has a word that the model does not know ({' '.join(word)!r}): choose another")
    with evaluation_mode(model):
        image_emb = list(_encoded(model, images, 1, ids.shape[1]))
        if sum(map(n_rows, image_emb)) != len(ids):
            raise ItmError(f"{sum(map(n_rows, image_emb))} images and {len(ids)} captions: give one caption per image")
        log_p, stop = torch.zeros(ids.shape, dtype=torch.float64), len(model.vocabulary)
        first = 0
        for some in image_emb:
            rows = torch.arange(first, first := first + n_rows(some))
            for t in range(ids.shape[1]):
                live = (n_words[rows] > t).nonzero()[:, 0]
                if len(live):
                    at = rows[live]
                    last = n_words[at] - 1 == t
                    found = _log_p(model, pick(some, live), ids[at, :t])
                    log_p[at, t] = found.gather(1, torch.where(last, stop, ids[at, t])[:, None])[:, 0]
    names = model.vocabulary.words
    return [
        [(names[word], value) for word, value in zip(row[:n], values[:n], strict=True)]
        for row, values, n in zip(ids.tolist(), log_p.tolist(), n_words.tolist(), strict=True)
    ]


def _one_by_one(
    model: Matching, image_emb: Embeddings, max_len: int, temperature: float, numbers: Tensor | None
) -> list[WrittenCaption]:
    """Writes one caption per image word by word, all images at once: the most likely word, or one that is drawn.

    Args:
        model: that writes.
        image_emb: of n images.
        max_len: words at most.
        temperature: of sampling.
        numbers: float64 [n, max_len] in [0, 1), one per word to draw; None takes the most likely word.
    """
    n, stop = n_rows(image_emb), len(model.vocabulary)
    words = torch.full((n, max_len + 1), stop)
    total, live = torch.zeros(n, dtype=torch.float64), torch.arange(n)
    for t in range(max_len + 1):
        log_p = _log_p(model, pick(image_emb, live), words[live, :t])
        allowed = _allowed(log_p, t, max_len)
        if numbers is None or t == max_len:
            chosen = allowed.argmax(1)  # the first of equal ones
        else:
            chosen = _draw(allowed / temperature, numbers[live, t])
        words[live, t] = chosen
        total[live] += log_p.gather(1, chosen[:, None])[:, 0]
        live = live[chosen != stop]
        if not len(live):
            break
    return [_caption(model, row, score) for row, score in zip(words.tolist(), total.tolist(), strict=True)]


def _draw(logits: Tensor, numbers: Tensor) -> LongTensor:
    """Draws from a softmax over logits [n, n_options] by numbers [n] in [0, 1): the inverse of the distribution."""
    below = logits.softmax(1).cumsum(1)
    target = numbers[:, None] * below[:, -1:]  # rounding may leave the sum a little below 1
    return (below <= target).sum(1)


def _beams(model: Matching, image_emb: Embeddings, width: int, max_len: int) -> tuple[LongTensor, Tensor]:
    """Beam search for n images -> words int64 [n, width, max_len + 1], filled with stop, and log P [n, width]."""
    n, stop = n_rows(image_emb), len(model.vocabulary)
    words = torch.full((n, width, max_len + 1), stop)
    scores = torch.full((n, width), -torch.inf, dtype=torch.float64)
    scores[:, 0] = 0  # one beginning, the empty one
    done = torch.zeros(n, width, dtype=torch.bool)
    for t in range(max_len + 1):
        image, beam = (~done & (scores > -torch.inf)).nonzero(as_tuple=True)  # of the rows that go on
        if not len(image):
            break
        log_p = _allowed(_log_p(model, pick(image_emb, image), words[image, beam, :t]), t, max_len)
        options = torch.full((n, width, stop + 1), -torch.inf, dtype=torch.float64)
        options[image, beam] = scores[image, beam, None] + log_p
        options[..., stop][done] = scores[done]  # a caption that has stopped stays as it is
        best = options.flatten(1).sort(dim=1, descending=True, stable=True)
        scores, chosen = best.values[:, :width], best.indices[:, :width]
        words = words.gather(1, (chosen // (stop + 1))[..., None].expand_as(words))
        words[..., t] = chosen % (stop + 1)
        done = words[..., t] == stop
    return words, scores


def _log_p(model: Matching, image_emb: Embeddings, prefixes: LongTensor) -> Tensor:
    """log p of the next word, float64 [n, n_words + 1] on the CPU; the last column is stop."""
    log_p = model.next_words(image_emb, prefixes).cpu().double()
    if log_p.isnan().any():
        raise ItmError(f"{_name(model)} gives NaN for the next word: train it again with a lower learning_rate")
    return log_p


def _allowed(log_p: Tensor, t: int, max_len: int) -> Tensor:
    """Forbids stop before the first word, and all but stop after the last one."""
    column = torch.arange(log_p.shape[1]) == log_p.shape[1] - 1
    if t == 0:
        return log_p.masked_fill(column, -torch.inf)
    return log_p.masked_fill(~column, -torch.inf) if t == max_len else log_p


def _caption(model: Matching, row: list[int], score: float) -> WrittenCaption:
    stop = len(model.vocabulary)
    return WrittenCaption(" ".join(model.vocabulary.words[word] for word in row[: row.index(stop)]), score)


def _encoded(model: Matching, images: Split | Tensor | Images, width: int, max_len: int) -> Iterator[Embeddings]:
    """Embeddings of the images, as many at a time as their next words leave room for."""
    if isinstance(images, Split):
        images = with_boxes(model, images, split_features(images, model.features))
    chunk = max(1, min(CHUNK, MOST // (width * (len(model.vocabulary) + max_len + 1))))
    return encode_in_chunks(model.encode_images, images, chunk)


def _name(model: Matching) -> str:
    return getattr(model, "name", type(model).__name__)


def _check(given: dict[str, Any], names: tuple[str, ...]) -> None:
    if not hasattr(given["model"], "next_words"):
        raise ItmError(f"{_name(given['model'])} cannot write captions: take a model that does, such as 'nic'")
    check_options("write_captions", OPTIONS, {name: given[name] for name in names})
