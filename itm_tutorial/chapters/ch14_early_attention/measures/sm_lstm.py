"""What sm-LSTM's maps reach."""

from __future__ import annotations

from typing import Any

import torch

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.chapters.small_galleries import GALLERY
from itm_tutorial.evaluation.phrase_grounding import overlap
from itm_tutorial.extraction.features import split_boxes, split_features

CHUNK = 256  # pairs at a time
COVER = 0.5  # intersection over union from which a region shows a named box


@torch.inference_mode()
def coverage(trained: Trained) -> dict[str, Any]:
    """How much of the named objects the T maps reach, and how much the maps of a pair differ.

    ``coverage``: sum over regions that show a named box of min(1, sum over t of the weight), divided by the number of
    named boxes, in percent; several regions may show one box. ``moved``: half the absolute difference between the
    first and the last map, 0 if they are equal and 1 if they share no region.
    """
    model, test = trained.model.eval(), trained.corpus.test
    features, boxes = split_features(test, model.features), split_boxes(test, model.features)
    reached, named, moved = 0.0, 0, []
    rows = torch.arange(len(test.captions))[: 5 * GALLERY]
    for some in rows.split(CHUNK):
        own = test.image_of[some]
        captions = model.encode_captions([test.captions[c] for c in some.tolist()])
        p = model.network.pair_maps(model.encode_images(features[own]), captions).regions.float().cpu()  # [T, n, R]
        moved.append((p[-1] - p[0]).abs().sum(1) / 2)
        total = p.sum(0).clamp(max=1)  # [n, n_regions]
        for weights, caption, image in zip(total, some.tolist(), own.tolist(), strict=True):
            objects = sorted({box for _, box in test.groundings[caption]})
            shared = overlap(boxes[image][None], test.boxes[image][objects][None])[0]  # [n_regions, n_objects]
            inside = (shared >= COVER).any(1)
            reached += weights[inside].sum().item()
            named += len(objects)
    return {"coverage": 100 * reached / max(1, named), "moved": torch.cat(moved).mean().item()}
