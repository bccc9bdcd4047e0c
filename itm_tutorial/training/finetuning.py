"""Second stages of training: the backbone, or attention, is trained after everything else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from itm_tutorial.encoders.backbones import create_backbone
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Matching, build_model, provides, start_model
from itm_tutorial.pretraining.backbone import load_mini

STAGE = {"epochs": 0.5, "learning_rate": 0.1}  # of the first stage's; VSE++: 30 epochs at 2e-4, then 15 at 2e-5


def unfreeze(model: Matching) -> Matching:
    """Puts the backbone inside a trained model, so that ``fit`` trains all weights, at a tenth of the learning rate.

    The first stage trains the model on features that are computed once. Below randomly initialised layers, a backbone
    would forget more than it learns, so it is trained only after these layers (Faghri et al. 2018, section 3.2).

    Args:
        model: trained by ``fit`` on "global" or "grid" features; it is left as it is.

    Returns:
        A model that reads pixels, gives the same embeddings as the first and, as its recipe, trains half as long at a
        tenth of the rate, without another warm-up. ``fit``, ``score``, ``save_model`` and the others take it like any
        other.

    Raises:
        ItmError: the model reads pixels already, or features that are not of a whole image from a backbone.
    """
    kind, backbone = model.features.kind, model.features.backbone
    if provides(model, "unfrozen"):  # it has its own network inside
        tuned = build_model(model.name, model.vocabulary, model.features, **model.unfrozen())
        tuned.load_state_dict(model.state_dict())
    elif kind not in ("global", "grid"):
        raise ItmError(f"{model.name} reads {kind}: only a model of global or grid features has a backbone to unfreeze")
    else:
        tuned = build_model(model.name, model.vocabulary, replace(model.features, kind="pixels"), **model.options)
        seeing = load_mini() if backbone == "mini" else create_backbone(backbone)
        weights = {f"pixel_backbone.network.{name}": value for name, value in seeing.state_dict().items()}
        tuned.load_state_dict({**model.state_dict(), **weights})
    first = model.recipe
    tuned.recipe = replace(
        first,
        epochs=max(1, round(first.epochs * STAGE["epochs"])),
        learning_rate=first.learning_rate * STAGE["learning_rate"],
    )
    loss = getattr(tuned, "loss_function", None)
    if hasattr(loss, "end_warmup"):
        loss.end_warmup()  # the first stage has had it
    return tuned.to(model.device)


def add_attention(model: Matching, **options: Any) -> Matching:
    """Turns a trained VSE++ with a bag of words into SCAN: ``SCAN.from_vsepp``, under the name of an earlier version.

    Args:
        model: a trained "vsepp" with ``sentence="bow"``; it is left as it is.
        options: of "scan".

    Returns:
        SCAN, to be trained further.

    Raises:
        ItmError: as for ``SCAN.from_vsepp``.
    """
    return start_model("scan", model, **options)
