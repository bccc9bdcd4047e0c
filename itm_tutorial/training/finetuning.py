"""Second stages: the backbone's own weights, or attention, after everything else has learned what it can without."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from itm_tutorial.encoders.backbones import create_backbone
from itm_tutorial.errors import ItmError
from itm_tutorial.models import FeatureSpec, Matching, build_model
from itm_tutorial.pretraining.backbone import load_mini

GRID_OF = {
    "global": "grid",
    "mirrored": "mirrored_grid",
}  # a picture's one feature -> the squares that it is the mean of
NO_MEAN = ("mini", "precomputed")  # backbones whose global feature is another thing than the mean of a grid
LENGTHS = {"sentence": "bow", "no_imgnorm": True, "no_txtnorm": True, "pooling": "length", "smooth": 4.0, "warmup": 0.0}
SHARED = ("embed_size", "word_dim", "margin", "loss", "k", "mask_same_image", "dropout")
STAGE = {"epochs": 0.5, "learning_rate": 0.1}  # of the first stage's; VSE++: 30 epochs at 2e-4, then 15 at 2e-5


def unfreeze(model: Matching) -> Matching:
    """Puts the backbone inside a trained model, so that ``fit`` goes on with all weights, at a tenth of the rate.

    A first stage trains the model on features that are computed once. From random weights above it, a backbone would
    forget more than it learns; so it joins when these are trained (Faghri et al. 2018, section 3.2).

    Args:
        model: trained by ``fit`` on "global" or "grid" features; it is left as it is.

    Returns:
        A model that reads pixels, gives the same embeddings as the first and, as its recipe, trains half as long at a
        tenth of the rate, without another warm-up. ``fit``, ``score``, ``save_model`` and the others take it like any
        other.

    Raises:
        ItmError: the model reads pixels already, or features that are no backbone's whole picture.
    """
    kind, backbone = model.features.kind, model.features.backbone
    if kind not in ("global", "grid"):
        raise ItmError(f"{model.name} reads {kind}: only a model of global or grid features has a backbone to unfreeze")
    tuned = build_model(model.name, model.vocabulary, FeatureSpec("pixels", backbone), **model.options)
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
    """Turns a trained VSE++ with a bag of words into SCAN, which goes on from what is learned.

    The projection of an image becomes that of its squares, and that of a caption is halved: one half for the word
    itself, one for the mean of the caption it stands in. Both sides keep their lengths. With ``smooth=0``, which looks
    everywhere alike, the scores are those of the first model. This is ours, not the paper's.

    Args:
        model: "vsepp" with ``sentence="bow"``, trained by ``fit``; it is left as it is.
        options: of "scan", such as ``smooth`` or ``sample``; those that both have are the first model's.

    Returns:
        SCAN on the regions whose mean the first model reads, to be trained half as long.

    Raises:
        ItmError: another model or text encoder, features that are no mean of regions, an unknown option.
    """
    first_options = model.options
    if model.name != "vsepp" or first_options.get("sentence") != "bow" or first_options.get("no_imgnorm"):
        raise ItmError(
            f"attention cannot begin with {model.name} {first_options}: train vsepp with sentence='bow' first"
        )
    first = model.features
    spec = replace(first, kind=GRID_OF.get(first.kind, first.kind))
    if first.kind == "pixels" or (first.kind in GRID_OF and first.backbone in NO_MEAN):
        raise ItmError(f"{first.kind} features of {first.backbone} are no mean of regions: train vsepp on 'grid' first")
    if fixed := sorted({"embed_size", "word_dim", "sentence"} & options.keys()):
        raise ItmError(f"{', '.join(fixed)}: as in the model that attention begins with; leave it out")
    shared = {name: first_options[name] for name in SHARED if first_options.get(name) is not None}
    shared.setdefault("loss", "max_of_hinges" if first_options.get("max_violation", True) else "sum_of_hinges")
    scan = build_model("scan", model.vocabulary, spec, **{**LENGTHS, **shared, **options})
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    half = weights.pop("text_encoder.project.weight") / 2
    weights |= {f"text_encoder.{part}.weight": half.clone() for part in ("project", "context")}
    weights["text_encoder.context.bias"] = weights.pop("text_encoder.project.bias")
    scan.load_state_dict(weights)
    scan.recipe = replace(model.recipe, epochs=max(1, round(model.recipe.epochs * STAGE["epochs"])))
    return scan.to(model.device)
