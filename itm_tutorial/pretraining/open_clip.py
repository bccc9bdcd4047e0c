"""Weights of the library open_clip, written as a folder that ``dual_encoder`` reads.

open_clip (https://github.com/mlfoundations/open_clip) and transformers have the same network for CLIP with a vision
transformer, under other names; so the weights are renamed once, and nothing else in the course knows open_clip.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from itm_tutorial.errors import ItmError
from itm_tutorial.storage import make_folder, user_path, write_json, write_tensors

TOWERS = {"": "text_model", "visual.": "vision_model"}  # beginning of a name in open_clip -> in transformers
LAYERS = {"ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}
LAYERS |= {"attn.out_proj": "self_attn.out_proj"}
WHOLE = {
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.ln_pre.weight": "vision_model.pre_layrnorm.weight",
    "visual.ln_pre.bias": "vision_model.pre_layrnorm.bias",
    "visual.ln_post.weight": "vision_model.post_layernorm.weight",
    "visual.ln_post.bias": "vision_model.post_layernorm.bias",
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
    "logit_scale": "logit_scale",
}
TURNED = {"visual.proj": "visual_projection.weight", "text_projection": "text_projection.weight"}
BLOCK = re.compile(r"(visual\.)?transformer\.resblocks\.(\d+)\.(.+)\.(weight|bias|in_proj_weight|in_proj_bias)")
IN_PROJ = re.compile(r"(visual\.)?transformer\.resblocks\.(\d+)\.attn\.in_proj_(weight|bias)")
PREPROCESSING = {"do_center_crop": True, "resample": 3}  # as open_clip prepares images for CLIP
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]  # OpenAI's, its default


def renamed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of an open_clip network under the names of transformers' ``CLIPModel``.

    Args:
        weights: its state dictionary.

    Returns:
        Name -> tensor; queries, keys and values are apart, and projections are turned.

    Raises:
        ItmError: a weight has no counterpart, as in networks with another image or text encoder.
    """
    found: dict[str, Tensor] = {}
    for name, value in weights.items():
        if name in WHOLE:
            found[WHOLE[name]] = value
        elif name in TURNED:
            found[TURNED[name]] = value.T.contiguous()
        elif match := IN_PROJ.fullmatch(name):
            layer = f"{TOWERS[match[1] or '']}.encoder.layers.{match[2]}.self_attn"
            for part, piece in zip(("q_proj", "k_proj", "v_proj"), value.chunk(3), strict=True):
                found[f"{layer}.{part}.{match[3]}"] = piece.contiguous()
        elif (match := BLOCK.fullmatch(name)) and match[3] in LAYERS:
            layer = f"{TOWERS[match[1] or '']}.encoder.layers.{match[2]}"
            found[f"{layer}.{LAYERS[match[3]]}.{match[4]}"] = value
        else:
            raise ItmError(
                f"open_clip: the weight {name} has no counterpart in transformers' CLIP: take a network with a vision "
                "transformer and CLIP's own text encoder, such as ViT-B-32"
            )
    return found


def sizes_of(network: nn.Module) -> dict[str, Any]:
    """The sizes of an open_clip network as ``config.json`` has them."""
    visual, text = network.visual, network
    towers = {}
    for name, part in (("vision_config", visual), ("text_config", text)):
        blocks = part.transformer.resblocks
        activation = blocks[0].mlp.gelu
        towers[name] = {
            "hidden_size": blocks[0].ln_1.weight.shape[0],
            "intermediate_size": blocks[0].mlp.c_fc.weight.shape[0],
            "num_hidden_layers": len(blocks),
            "num_attention_heads": blocks[0].attn.num_heads,
            "hidden_act": "gelu" if isinstance(activation, nn.GELU) else "quick_gelu",
        }
    patch = visual.conv1.weight.shape[-1]
    side = round((visual.positional_embedding.shape[0] - 1) ** 0.5) * patch
    towers["vision_config"] |= {"image_size": side, "patch_size": patch}
    n_words = network.token_embedding.weight.shape[0]
    towers["text_config"] |= {
        "vocab_size": n_words,
        "max_position_embeddings": network.positional_embedding.shape[0],
        "bos_token_id": n_words - 2,
        "eos_token_id": n_words - 1,
    }
    return {"model_type": "clip", "projection_dim": network.text_projection.shape[1], **towers}


def keep_open_clip(network: nn.Module, tokenizer: Any, folder: str | Path) -> Path:
    """Writes an open_clip network as a folder for ``create_model("dual_encoder", corpus, weights=folder)``.

    Args:
        network: as ``open_clip.create_model`` gives it, with a vision transformer and CLIP's text encoder.
        tokenizer: as ``open_clip.get_tokenizer`` gives it.
        folder: where to; made if missing.

    Returns:
        The folder.

    Raises:
        ItmError: another kind of network, or the folder cannot be written to.

    Example:
        >>> network = open_clip.create_model("ViT-B-32", pretrained="laion2b_s34b_b79k")
        >>> keep_open_clip(network, open_clip.get_tokenizer("ViT-B-32"), "weights/ViT-B-32")
    """
    folder = user_path(folder, "folder")
    weights = renamed({name: value.detach().float().cpu() for name, value in network.state_dict().items()})
    config = sizes_of(network)
    if not hasattr(tokenizer, "bpe_ranks"):
        raise ItmError("open_clip: this tokenizer is not CLIP's own: take a network whose texts it reads")
    try:
        from transformers import CLIPTokenizer
    except ImportError as error:
        raise ItmError("a dual encoder needs the package transformers: pip install transformers") from error
    words = dict(tokenizer.encoder)
    first, last = (words.pop(name) for name in ("<start_of_text>", "<end_of_text>"))
    words |= {"<|startoftext|>": first, "<|endoftext|>": last}
    make_folder(folder)
    CLIPTokenizer(vocab=words, merges=list(tokenizer.bpe_ranks)).save_pretrained(folder)
    mean, std = (
        getattr(network.visual, f"image_{name}", None) or given for name, given in (("mean", MEAN), ("std", STD))
    )
    side = config["vision_config"]["image_size"]
    size = {"size": {"shortest_edge": side}, "crop_size": {"height": side, "width": side}}
    write_json(
        folder / "preprocessor_config.json", {**PREPROCESSING, **size, "image_mean": list(mean), "image_std": list(std)}
    )
    write_json(folder / "config.json", config)
    write_tensors(folder / "model.safetensors", weights)
    return folder
