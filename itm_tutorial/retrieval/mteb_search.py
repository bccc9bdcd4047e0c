"""Any model of the course in MTEB's retrieval tasks between images and texts, where new models report their results.

Muennighoff et al., "MTEB: Massive Text Embedding Benchmark", EACL 2023, https://arxiv.org/abs/2210.07316. The package
is an extra: pip install 'itm-tutorial[mteb]'. It downloads the data of a task when the task is run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.readers.pixels import to_rgb
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Matching
from itm_tutorial.retrieval.scoring import score


class MTEBSearch:
    """A model as MTEB's ``SearchProtocol`` wants it: a gallery is given first, then queries of the other modality.

    It scores every query against the whole gallery as ``itm.score`` does, so that models without a vector per image,
    such as SCAN, can be tried too.

    Args:
        model: trained, or with published weights.
        name: under which results are kept, as owner/name; by default that of the model.

    Example:
        >>> mteb.evaluate(MTEBSearch(model), mteb.get_task("Flickr30kT2IRetrieval"))
    """

    def __init__(self, model: Matching, name: str | None = None):
        self.model, self.name = model, name or f"itm_tutorial/{model.name}"
        self._gallery: Any = None

    @property
    def mteb_model_meta(self):
        """What MTEB keeps about the model beside its results.

        Raises:
            ItmError: the package mteb is not installed.
        """
        try:
            from mteb.models import ModelMeta
        except ImportError as error:
            raise ItmError("MTEB's tasks need the package mteb: pip install 'itm-tutorial[mteb]'") from error
        unknown = ("release_date", "languages", "memory_usage_mb", "max_tokens", "embed_dim", "license", "open_weights")
        unknown += ("public_training_code", "public_training_data", "similarity_fn_name", "training_datasets")
        n_weights = sum(weight.numel() for weight in self.model.parameters())
        return ModelMeta(
            loader=None,
            name=self.name,
            revision="no_revision_available",
            n_parameters=n_weights,
            framework=["PyTorch"],
            use_instructions=False,
            modalities=["image", "text"],
            **dict.fromkeys(unknown),
        )

    def index(self, corpus: Any, **about: Any) -> None:
        """Takes the gallery of a task; nothing is computed yet.

        Args:
            corpus: its rows, with columns "id" and "image" or "text".
            about: what MTEB says of the task; it is not used.
        """
        self._gallery = corpus

    def search(
        self,
        queries: Any,
        *,
        top_k: int,
        top_ranked: Mapping[str, Sequence[str]] | None = None,
        **about: Any,
    ) -> dict[str, dict[str, float]]:
        """Scores queries against the gallery.

        Args:
            queries: as the gallery, of the other modality.
            top_k: items that are given back per query.
            top_ranked: query -> the only items that may be found, for MTEB's reranking tasks.
            about: what MTEB says of the task; it is not used.

        Returns:
            Query -> item -> score, the best ``top_k`` of each.

        Raises:
            ItmError: no gallery was given, or both sides are of the same modality.
        """
        if self._gallery is None:
            raise ItmError("MTEBSearch: search was called before index; let mteb.evaluate call both")
        asked, found = _modality(queries, "queries"), _modality(self._gallery, "corpus")
        if asked == found:
            raise ItmError(
                f"MTEBSearch: queries and corpus are both {asked}s, but a model of this course compares images with "
                "texts; take a task of the category i2t or t2i"
            )
        images, texts = (queries, self._gallery) if asked == "image" else (self._gallery, queries)
        captions = [str(text) for text in texts["text"]]
        pairing = torch.zeros(len(captions), dtype=torch.int64)  # MTEB knows the pairs; a split must have some
        scores = score(self.model, Split("test", _Pictures(images), captions, pairing))  # [n_images, n_captions]
        by_query = scores if asked == "image" else scores.T
        items = list(self._gallery["id"])
        place = {item: number for number, item in enumerate(items)}
        results = {}
        for query, row in zip(queries["id"], by_query, strict=True):
            allowed = range(len(items)) if top_ranked is None else [place[item] for item in top_ranked[query]]
            some = torch.as_tensor(list(allowed), dtype=torch.int64)
            best = row[some].topk(min(top_k, len(some)))
            chosen = some[best.indices].tolist()
            results[query] = {items[at]: value for at, value in zip(chosen, best.values.tolist(), strict=True)}
        return results


class _Pictures(Sequence):
    """The images of a data set, decoded when they are indexed."""

    def __init__(self, rows: Any):
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> Tensor:
        """uint8 [3, H, W] of the image i."""
        return to_rgb(self.rows[i]["image"], f"image {i}")


def _modality(rows: Any, what: str) -> str:
    """ "image" or "text": which of both columns the rows have.

    Raises:
        ItmError: neither, or both.
    """
    columns = set(rows.column_names)
    present = [name for name in ("image", "text") if name in columns]
    if len(present) != 1:
        has = " and ".join(present) or ", ".join(sorted(columns))
        raise ItmError(f"MTEBSearch: {what} has {has}: take a task with images on one side and texts on the other")
    return present[0]
