"""Published CLIP and SigLIP weights, from a folder or from Hugging Face's cache; nothing is fetched unless asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NotRequired

import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import TypedDict

from itm_tutorial.data.text import WordPieces
from itm_tutorial.encoders.dual_encoder import Colour, DualEncoderNetwork, ImageInput, NetworkConfig
from itm_tutorial.errors import ItmError, shown
from itm_tutorial.storage import checked, read_json, read_tensors

KINDS = ("clip", "siglip")
FILES = ["config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json", "*.safetensors"]
FILES += ["model.safetensors.index.json"]
REMEDY = "take all files from one place, or download them again"
ADDRESS = "https://huggingface.co"
INTERPOLATIONS = {2: "bilinear", 3: "bicubic"}  # Pillow's numbers
LOWERED = ("Siglip2Tokenizer", "GemmaTokenizer", "GemmaTokenizerFast")  # SigLIP 2 was trained on lower-case texts
NAME = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
Pixels = Annotated[int, Field(ge=1, le=2**14)]


class Preprocessor(TypedDict):
    """``preprocessor_config.json``."""

    size: Pixels | dict[str, Pixels | None]
    crop_size: NotRequired[Pixels | dict[str, Pixels | None] | None]
    do_center_crop: NotRequired[bool | None]
    resample: NotRequired[int]
    image_mean: Colour
    image_std: Colour


class TokenizerConfig(TypedDict):
    """``tokenizer_config.json``, as far as it decides how a text is written before it is cut into pieces."""

    tokenizer_class: NotRequired[str | None]
    do_lower_case: NotRequired[bool | None]


class Index(TypedDict):
    """``model.safetensors.index.json``: which file holds which weight."""

    weight_map: dict[str, str]


@dataclass(frozen=True)
class DualEncoder:
    """Published weights, ready to be copied into a model.

    Attributes:
        module: the network, frozen, on the CPU, in float32.
        vocabulary: turns captions into the ids that the network reads.
        config: the sizes, as plain data from which the network is built again.
        images: how an image becomes its input.
        text: how a text is written before it is cut into pieces: "as it is", "lower case", or "without punctuation",
            which is in lower case too.
    """

    module: DualEncoderNetwork
    vocabulary: WordPieces
    config: NetworkConfig
    images: ImageInput
    text: str


def load_dual_encoder(name: str) -> DualEncoder:
    """Loads a published CLIP or SigLIP: safetensors and plain data, no pickle and no code of others.

    Args:
        name: a folder with config.json, preprocessor_config.json, tokenizer.json and the weights as safetensors, as
            ``save_pretrained`` of model and processor writes them; or a name at Hugging Face whose files are in the
            cache of their library. ``fetch_dual_encoder`` puts them there.

    Returns:
        The network, its vocabulary, and what it takes to build it again.

    Raises:
        ItmError: the files are not on this computer (the message says what to download where), are damaged, do not fit
            together, or are of another kind of network.
    """
    folder = _find(name)
    config = _config(folder / "config.json")
    images = _image_input(folder / "preprocessor_config.json")
    weights = _weights(folder)
    with torch.device("meta"):  # takes no memory, whatever sizes a damaged file asks for
        shapes = {
            key: list(value.shape) for key, value in DualEncoderNetwork(config, images).network.state_dict().items()
        }
    _check_weights(weights, shapes, folder)
    with torch.random.fork_rng(devices=[]):  # a network is first made with random weights
        module = DualEncoderNetwork(config, images)
    module.network.load_state_dict({key: weights[key].view(shapes[key]) for key in shapes})
    vocabulary = _vocabulary(folder, module)
    return DualEncoder(module.float().eval().requires_grad_(False), vocabulary, config, images, _text(folder, config))


def fetch_dual_encoder(name: str) -> Path:
    """Downloads the files of a published network into the cache of Hugging Face's library, once.

    Args:
        name: at Hugging Face, such as "openai/clip-vit-base-patch32".

    Returns:
        The folder.

    Raises:
        ItmError: there is no network access, or nothing of this name.
    """
    if not NAME.fullmatch(name):
        raise ItmError(f"{name!r} is no name at Hugging Face: write owner/name, such as openai/clip-vit-base-patch32")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=FILES))
    except Exception as error:  # of the network, the disk, or the library, which has many kinds
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ItmError(f"{name} cannot be fetched ({reason}): {_by_hand(name)}") from error


def _by_hand(name: str) -> str:
    return (
        f"download config.json, preprocessor_config.json, tokenizer.json, tokenizer_config.json and model.safetensors "
        f"from {ADDRESS}/{name} into a folder, and give weights=FOLDER"
    )


def _find(name: str) -> Path:
    """The folder of this name, or the one in the cache of Hugging Face's library.

    Raises:
        ItmError: there is neither.
    """
    if not name or "\0" in name:
        raise ItmError(f"weights is {name!r}; give a folder, a name at Hugging Face, or 'tiny'")
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if not NAME.fullmatch(name) or folder.is_file():
        raise ItmError(f"weights {shown(name)} is no folder: check the path, or give 'tiny' or a name at Hugging Face")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=FILES, local_files_only=True))
    except Exception as error:
        raise ItmError(
            f"the weights of {name} are not on this computer, and nothing is fetched unless you ask: run "
            f"`python -c \"from itm_tutorial.pretraining.dual_encoder import fetch_dual_encoder as f; f('{name}')\"` "
            f"once with a network, or {_by_hand(name)}"
        ) from error


def _config(file: Path) -> NetworkConfig:
    """The sizes in ``config.json``.

    Raises:
        ItmError: the file is missing or damaged, or is of another kind of network.
    """
    read = read_json(file, dict[str, Any], REMEDY)
    if read.get("model_type") not in KINDS:
        raise ItmError(
            f"{file} is of the type {shown(read.get('model_type'), 40)}: take a network whose config.json says "
            f"model_type clip or siglip"
        )
    known: NetworkConfig = checked(read, NetworkConfig, f"{file}", REMEDY)
    if known["model_type"] == "clip":  # the library's own default, which the file may leave out
        known.setdefault("projection_dim", 512)
    else:
        known.pop("projection_dim", None)
    return known


def _image_input(file: Path) -> ImageInput:
    """How images are prepared, from ``preprocessor_config.json``.

    Raises:
        ItmError: the file is missing or damaged, or asks for something else than a square.
    """
    read = read_json(file, Preprocessor, REMEDY)
    cut = bool(read.get("do_center_crop"))
    size, crop = read["size"], read.get("crop_size") if cut else None
    if isinstance(size, int):
        resized, whole = size, cut
    elif size.get("shortest_edge"):
        resized, whole = size["shortest_edge"], cut
    else:
        resized, whole = size.get("height"), size.get("height") == size.get("width") and not cut
    square = 0 if crop is None else crop if isinstance(crop, int) else crop.get("height")
    if isinstance(crop, dict) and crop.get("height") != crop.get("width"):
        whole = False
    interpolation = INTERPOLATIONS.get(read.get("resample", 3))
    if not whole or resized is None or square is None or interpolation is None or min(read["image_std"]) <= 0:
        raise ItmError(f"{file}: images must become squares, by bilinear or bicubic interpolation; {REMEDY}")
    return {
        "resized": resized,
        "crop": square,
        "interpolation": interpolation,
        "mean": list(read["image_mean"]),
        "std": list(read["image_std"]),
    }


def _weights(folder: Path) -> dict[str, Tensor]:
    """All weights of a folder, from one file or from several that an index names.

    Raises:
        ItmError: a file is missing or damaged.
    """
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        file = folder / "model.safetensors"
        if not file.is_file():
            pickled = "; pytorch_model.bin is not read, since a pickle can run any code" * any(folder.glob("*.bin"))
            raise ItmError(f"{folder} has no model.safetensors{pickled}: {REMEDY}")
        return read_tensors(file)
    names = sorted(set(read_json(index, Index, REMEDY)["weight_map"].values()))
    if bad := [name for name in names if Path(name).name != name or not name.endswith(".safetensors")]:
        raise ItmError(f"{index} names {shown(bad[0])}, which is no file of weights; {REMEDY}")
    return {key: value for name in names for key, value in read_tensors(folder / name).items()}


def _check_weights(weights: dict[str, Tensor], shapes: dict[str, list[int]], folder: Path) -> None:
    """Compares the weights with the sizes in ``config.json`` before a network of that size is made."""
    for name, shape in shapes.items():
        if name not in weights:
            raise ItmError(f"{folder}: its weights lack {name}, which config.json asks for; {REMEDY}")
        found = list(weights[name].shape)
        if found != shape and not (weights[name].numel() == 1 and shape in ([], [1])):
            raise ItmError(f"{folder}: {name} is {found}, but config.json asks for {shape}; {REMEDY}")
        if not weights[name].is_floating_point():
            raise ItmError(f"{folder}: {name} holds no floating-point numbers; {REMEDY}")
    others = [name for name in weights if name not in shapes and not name.endswith("position_ids")]
    if others:
        raise ItmError(f"{folder}: its weights have {others[0][:80]}, which config.json does not ask for; {REMEDY}")


def _vocabulary(folder: Path, module: DualEncoderNetwork) -> WordPieces:
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise ItmError(
            f"{folder} has no tokenizer.json: save it there with save_pretrained of the fast tokenizer, or {REMEDY}"
        )
    try:
        vocabulary = WordPieces(file.read_text(encoding="utf-8"))
    except (ItmError, OSError, UnicodeDecodeError) as error:
        raise ItmError(f"{file}: {error}; {REMEDY}") from error
    largest, rows = max(vocabulary.index.values()), module.network.config.text_config.vocab_size
    if largest >= rows:
        raise ItmError(f"{folder}: its tokenizer counts to {largest}, but its weights have {rows} tokens; {REMEDY}")
    return vocabulary


def _text(folder: Path, config: NetworkConfig) -> str:
    """How texts are written for this tokenizer; the library does this in Python, outside tokenizer.json."""
    file = folder / "tokenizer_config.json"
    read = read_json(file, TokenizerConfig, REMEDY) if file.is_file() else {}
    if config["model_type"] == "clip":
        return "as it is"  # its tokenizer.json has lower case in it
    if read.get("tokenizer_class") in LOWERED:
        return "lower case"
    return "without punctuation"  # as SigLIP's own tokenizer writes every text
