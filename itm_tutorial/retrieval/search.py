"""Search by a text or by an image: once, or many times with an index of stored embeddings."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.options import PositiveInt, check_options
from itm_tutorial.data.readers.photographs import decode
from itm_tutorial.data.text import tokenize
from itm_tutorial.encoders.embeddings import Embeddings, to_device
from itm_tutorial.encoders.threads import free_cores
from itm_tutorial.errors import ItmError, visible
from itm_tutorial.extraction.features import image_features, split_features
from itm_tutorial.models import Matching
from itm_tutorial.retrieval.scoring import CHUNK, encode_in_chunks, evaluation_mode, reads_words, with_boxes

IMAGE_FILES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".jp2", ".avif", ".heic")
_WHOLE = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}  # bytes per number -> whole numbers


@dataclass(frozen=True)
class Hits:
    """What a search found, best first.

    Attributes:
        query: the text of the query, or "an image".
        indices: of images (for a text) or of captions (for an image).
        scores: one each.
    """

    query: str
    indices: list[int]
    scores: list[float]


@torch.inference_mode()
@free_cores()
def search(model: Matching, split: Split, query: str | Path | Tensor, k: int = 8) -> Hits:
    """Finds the images that fit a text, or the captions that fit an image.

    A warning names the words that are not in the model's vocabulary. Every call encodes the whole split; for several
    queries use ``SearchIndex``, which stores the embeddings.

    Args:
        model: a trained model.
        split: where to search.
        query: a text, an image, uint8 [3, H, W], or the path of an image file.
        k: number of hits; fewer if the split is smaller.

    Returns:
        The hits, best first.

    Raises:
        ItmError: k below 1, an empty text, a text none of whose words the model knows, an image of another shape, or
            the path of an image that is not there or not readable.
    """
    query, k = _checked(model, query, k)
    with evaluation_mode(model):
        return _find(model, query, k, _encode(model, split, query))


class SearchIndex:
    """The stored embeddings of a split: a further query costs only its own encoding and one comparison per embedding.

    Images are encoded by the first text query, captions by the first image query. The hits are those of ``search``.
    Every query checks a digest of the model's weights. A model that was trained further is refused, because its new
    queries would be compared with old embeddings.

    Args:
        model: a trained model; its weights must stay as they are. It may move to another device.
        split: where to search.

    Example:
        >>> index = itm.SearchIndex(model, corpus.test)
        >>> index.search("a red car on the grass", k=8).indices
    """

    def __init__(self, model: Matching, split: Split):
        self.model, self.split = model, split
        self._kept: dict[type, list[Embeddings]] = {}  # type of the query -> embeddings of what it searches
        self._weights = _digest(model)

    @torch.inference_mode()
    @free_cores()
    def search(self, query: str | Path | Tensor, k: int = 8) -> Hits:
        """Finds the images that fit a text, or the captions that fit an image.

        Args:
            query: a text, an image, uint8 [3, H, W], or the path of an image file.
            k: number of hits; fewer if the split is smaller.

        Returns:
            The hits, best first.

        Raises:
            ItmError: as for ``search``; or the model was trained, or given other weights, since the index was made.
        """
        query, k = _checked(self.model, query, k)
        self._refuse_other_weights()
        kind = str if isinstance(query, str) else Tensor
        with evaluation_mode(self.model):
            if kind not in self._kept:
                self._kept[kind] = list(_encode(self.model, self.split, query))
            # a model that was moved to another device takes the embeddings along
            self._kept[kind] = [to_device(part, self.model.device) for part in self._kept[kind]]
            return _find(self.model, query, k, self._kept[kind])

    def _refuse_other_weights(self) -> None:
        if _digest(self.model) != self._weights:
            raise ItmError("the model's weights have changed since the index was made: make a new SearchIndex")


def _digest(model: Matching) -> list[int]:
    """One number per parameter and buffer: the sum of its bits, read as whole numbers.

    It costs about as much as reading the weights once, as the query's own encoding does. Whole numbers that wrap around
    have the same sum in any order, so it does not depend on the device or the number of threads.
    """
    sums = []
    for tensor in (*model.parameters(), *model.buffers()):
        bits = tensor.detach().contiguous().view(_WHOLE[tensor.element_size()])
        sums.append(bits.sum(dtype=torch.int64 if bits.dtype == torch.int64 else torch.int32).item())
    return sums


def _checked(model: Matching, query: str | Path | Tensor, k: int) -> tuple[str | Tensor, int]:
    """What is searched for, a text or an image, and how many; the image of a file is read.

    Raises:
        ItmError: see ``search``.
    """
    k = check_options("search", {"k": PositiveInt}, {"k": k})["k"]
    file = image_file(query)
    if file is not None:
        return decode(file), k
    if isinstance(query, str):
        _check_words(model, query)
    elif not (isinstance(query, Tensor) and query.ndim == 3 and len(query) == 3 and query.dtype == torch.uint8):
        raise ItmError(
            "query is neither a text nor an image: give a str, the path of an image, or a uint8 tensor [3, H, W]"
        )
    return query, k


def image_file(query: object) -> Path | None:
    """The image file that a query names; None for a query that is a text or an image.

    A text names a file where it ends as the name of an image does or has a folder in it, and this file is there. One
    without a space that ends so names a file that is missing.

    Args:
        query: of a search.

    Raises:
        ItmError: the file is not there.
    """
    if not isinstance(query, str | Path):
        return None
    file = Path(query)
    named_so = file.suffix.lower() in IMAGE_FILES
    try:
        there = (named_so or len(file.parts) > 1) and file.expanduser().is_file()
    except (OSError, ValueError, RuntimeError):  # a text that no file can be called
        there = False
    if there:
        return file.expanduser()
    if isinstance(query, Path) or (named_so and not any(map(str.isspace, str(query)))):
        raise ItmError(
            f"query: there is no image file {str(query)!r} (images end in {', '.join(IMAGE_FILES[:4])} and the like): "
            "check its path, or describe the picture in words"
        )
    return None


def hit_lines(split: Split, hits: Hits, captions: bool = False) -> str:
    """The hits as lines for a terminal, best first: rank, index, score, and the caption, or the first of the image.

    A photograph's file name follows.

    Args:
        split: the split that was searched.
        hits: what was found.
        captions: whether captions were found, not images.
    """
    what = "caption" if captions else "image"
    found = [[split.captions[i]] if captions else split.captions_of(i) for i in hits.indices]
    files = None if captions else getattr(split.images, "files", None)  # drawn images have none
    named = [f"  ({visible(files[i].name)})" if files else "" for i in hits.indices]
    rows = zip(hits.indices, hits.scores, found, named, strict=True)
    return "\n".join(
        f"{rank:>2}  {what} {i:>5}  {value:.3f}  {visible(texts[0] if texts else '(no caption)')}{name}"
        for rank, (i, value, texts, name) in enumerate(rows, start=1)
    )


def _check_words(model: Matching, query: str) -> None:
    """Refuses a text without a word that the model knows, and names the unknown words of another.

    Raises:
        ItmError: no word, or none that the model knows.
    """
    words = list(dict.fromkeys(tokenize(query)))
    if not words:
        raise ItmError(f"the query {query!r} has no word in it: say what the picture should show")
    unseen = [word for word in words if word not in model.vocabulary]
    if not unseen or not reads_words(model):
        return
    message = f"the model never saw {', '.join(map(repr, unseen))} in training"
    known = [word for word in model.vocabulary.words if word[:1].isalnum()]
    near = {word: difflib.get_close_matches(word, known, n=1, cutoff=0.75) for word in unseen[:8]}
    meant = [f"{word!r}: did you mean {found[0]!r}?" for word, found in near.items() if found]
    message += f" ({' '.join(meant)})" if meant else ""
    if len(unseen) == len(words):
        raise ItmError(f"{message}: use words of its training captions")
    warnings.warn(
        f"{message}: the search goes by the other words", stacklevel=6
    )  # past the checks and torch's own wrapper


def _encode(model: Matching, split: Split, query: str | Tensor) -> Iterable[Embeddings]:
    """Embeddings of what a query searches, chunk by chunk: of the images for a text, of the captions for an image."""
    if isinstance(query, str):
        images = with_boxes(model, split, split_features(split, model.features))
        return encode_in_chunks(model.encode_images, images, CHUNK)
    return encode_in_chunks(model.encode_captions, split.captions, CHUNK)


def _find(model: Matching, query: str | Tensor, k: int, chunks: Iterable[Embeddings]) -> Hits:
    """The k best of all chunks."""
    if isinstance(query, str):
        text = model.encode_captions([query])
        scores = torch.cat([model.similarity(image_emb, text)[:, 0] for image_emb in chunks])  # [n_images]
    else:
        alone = Split("query", [query], [], torch.empty(0, dtype=torch.int64))
        image = model.encode_images(with_boxes(model, alone, image_features([query], model.features)))
        scores = torch.cat([model.similarity(image, caption_emb)[0] for caption_emb in chunks])  # [n_captions]
    values, indices = scores.float().cpu().topk(min(k, len(scores)))
    return Hits(query if isinstance(query, str) else "an image", indices.tolist(), values.tolist())
