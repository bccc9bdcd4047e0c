"""Weights from files: torchvision's published ones, and those of the course's own networks in the cache."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError

from torch import nn

from itm_tutorial.errors import ItmError
from itm_tutorial.storage import read_tensors


def weights_file(name: str) -> Path:
    """The file in which torchvision keeps, or would keep, the weights of a network."""
    from torch.hub import get_dir
    from torchvision.models import get_model_weights

    return Path(get_dir()) / "checkpoints" / Path(get_model_weights(name).DEFAULT.url).name


def load_published(network: nn.Module, name: str, instead: str = "") -> None:
    """Gives a network torchvision's published weights, which are downloaded once.

    Args:
        network: made by torchvision's function of this name.
        name: as torchvision lists it, such as "resnet18".
        instead: what may be done without these weights, for the message.

    Raises:
        ItmError: the weights can neither be found nor downloaded, or the file is damaged or of another network; the
            message names the file and the address.
    """
    from torchvision.models import get_model_weights

    weights, file = get_model_weights(name).DEFAULT, weights_file(name)
    try:
        network.load_state_dict(weights.get_state_dict(progress=False, weights_only=True))  # never unpickles code
    except Exception as error:  # of the network, the disk, pickle, zip or torch, by what is wrong with the file
        remedy = (
            f"delete this file and connect to the network once, or download {weights.url} and put it there"
            if file.exists()
            else f"connect to the network once, or download {weights.url} and set TORCH_HOME to a folder whose "
            "hub/checkpoints holds this file"
        )
        more = f"; {instead}" if instead else ""
        raise ItmError(f"the weights of {name} cannot be had from {file} ({_reason(error)}): {remedy}{more}") from error


def _reason(error: Exception) -> str:
    """Why a file could not be read; torch's own text advises to unpickle it all the same."""
    if isinstance(error, UnpicklingError):
        return "it is cut short, damaged, or no file of weights"
    return " ".join(str(error).split())[:200] or type(error).__name__


def load_kept(network: nn.Module, file: Path) -> None:
    """Gives a network the weights that were kept in the cache when it was trained.

    Args:
        network: with the sizes that it was trained with.
        file: weights.safetensors in a folder that can be deleted and made again.

    Raises:
        ItmError: the file is missing, cut short, or holds other weights.
    """
    state = network.state_dict()
    weights = read_tensors(file, {name: (str(value.dtype), *value.shape) for name, value in state.items()})
    network.load_state_dict({name: weights[name] for name in state})
