"""Checks the folder of a published BERT before a library reads it: wrong numbers there can fill the memory."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from itm_tutorial.data.tokenizers import MOST_PIECES, fault_in_tokenizer
from itm_tutorial.errors import ItmError, shown
from itm_tutorial.storage import read_json

REMEDY = "take config.json, model.safetensors and tokenizer.json from one place, or download them again"
_LAYER = re.compile(r"encoder\.layer\.(\d{1,6})\.")
_Size = Annotated[int, Field(ge=1, le=100_000)]


class _Config(TypedDict):
    """What config.json says of the network's size; what it does not say is as in ``transformers.BertConfig``."""

    model_type: NotRequired[str]
    vocab_size: NotRequired[Annotated[int, Field(ge=1, le=MOST_PIECES)]]
    hidden_size: NotRequired[_Size]
    num_hidden_layers: NotRequired[Annotated[int, Field(ge=1, le=1000)]]
    num_attention_heads: NotRequired[_Size]
    intermediate_size: NotRequired[_Size]
    hidden_act: NotRequired[str]
    max_position_embeddings: NotRequired[_Size]
    type_vocab_size: NotRequired[_Size]
    layer_norm_eps: NotRequired[Annotated[float, Field(gt=0, lt=1)]]
    pad_token_id: NotRequired[Annotated[int, Field(ge=0, le=MOST_PIECES)] | None]


class _TokenizerConfig(TypedDict, total=False):
    added_tokens_decoder: dict[Annotated[str, Field(pattern=r"^\d{1,7}$")], dict[str, Any]]


DEFAULTS = {"vocab_size": 30_522, "hidden_size": 768, "num_hidden_layers": 12, "intermediate_size": 3072}
DEFAULTS |= {"max_position_embeddings": 512, "type_vocab_size": 2}


def check_folder(folder: Path) -> None:
    """Refuses a folder whose files are damaged or do not belong together.

    Args:
        folder: with config.json, weights as safetensors and a tokenizer.

    Raises:
        ItmError: the message names the file and the part.
    """
    config = read_json(folder / "config.json", _Config, REMEDY)
    if config.get("model_type", "bert") != "bert":
        kind = shown(config["model_type"], 40)
        raise ItmError(f"{folder} is of the type {kind}: use one whose config.json says model_type bert")
    for file in (folder / "tokenizer_config.json", folder / "special_tokens_map.json", folder / "added_tokens.json"):
        if file.exists():
            read_json(file, _TokenizerConfig if file.name == "tokenizer_config.json" else dict[str, Any], REMEDY)
    file = folder / "tokenizer.json"
    if file.exists():
        try:
            fault = fault_in_tokenizer(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            fault = str(error)
        if fault:
            raise ItmError(f"{file}: {fault}; {REMEDY}")
    if (folder / "model.safetensors").is_file():
        _check_sizes(folder / "model.safetensors", {**DEFAULTS, **config})


def _check_sizes(file: Path, config: dict[str, Any]) -> None:
    """Compares the sizes in config.json with the shapes of the weights, before a network of that size is made."""
    from safetensors import safe_open

    with safe_open(file, framework="pt") as weights:
        shapes = {name.removeprefix("bert."): list(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    expected = {
        "embeddings.word_embeddings.weight": [config["vocab_size"], hidden],
        "embeddings.position_embeddings.weight": [config["max_position_embeddings"], hidden],
        "embeddings.token_type_embeddings.weight": [config["type_vocab_size"], hidden],
        "encoder.layer.0.intermediate.dense.weight": [inner, hidden],
    }
    last = f"encoder.layer.{config['num_hidden_layers'] - 1}.output.dense.weight"
    for name, shape in {**expected, last: [hidden, inner]}.items():
        if name not in shapes:
            raise ItmError(f"{file}: its weights lack {name}, which config.json asks for; {REMEDY}")
        if shapes[name] != shape:
            raise ItmError(f"{file}: {name} is {shapes[name]}, but config.json asks for {shape}; {REMEDY}")
    layers = {int(match[1]) for match in map(_LAYER.match, shapes) if match}
    if len(layers) != config["num_hidden_layers"]:
        raise ItmError(f"{file} has {len(layers)} layers, but config.json says {config['num_hidden_layers']}; {REMEDY}")
