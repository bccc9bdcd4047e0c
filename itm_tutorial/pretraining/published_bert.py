"""Published BERTs, from a folder or by a name at Hugging Face."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from itm_tutorial.data.text import WordPieces
from itm_tutorial.data.tokenizers import library_errors
from itm_tutorial.encoders.bert import BertWords
from itm_tutorial.errors import ItmError, shown
from itm_tutorial.pretraining.bert_folder import check_folder

OF_CONFIG = (  # the fields of a published configuration that affect what the network computes
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "hidden_act",
    "max_position_embeddings",
    "type_vocab_size",
    "layer_norm_eps",
    "pad_token_id",
)


def load_published(name: str) -> tuple[BertWords, WordPieces, dict[str, Any]]:
    """Loads a BERT with the ``transformers`` library: only safetensors and plain data, no pickle and no remote code.

    Args:
        name: a folder on disk, or a name at Hugging Face, such as "bert-base-uncased".

    Returns:
        The network, frozen; its word pieces; its configuration, from which ``BertWords(config)`` builds the network.

    Raises:
        ItmError: the folder or name does not exist, there is no network access, it is not a BERT with safetensors and a
            fast tokenizer, or its parts do not fit together.
    """
    source = _find(name)
    try:
        from transformers import AutoConfig, AutoTokenizer, BertModel
    except ImportError as error:
        raise ItmError("BERT needs the package transformers: pip install transformers") from error
    with _as_course_errors(name), _quiet():
        if Path(source).is_dir():
            check_folder(Path(source))
        published = AutoConfig.from_pretrained(source, trust_remote_code=False)
        if published.model_type != "bert":
            kind = shown(published.model_type, 40)
            raise ItmError(f"bert {name!r} is of the type {kind}: use one whose config.json says model_type bert")
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        weights, report = BertModel.from_pretrained(
            source,
            use_safetensors=True,  # a pickle could run any code
            trust_remote_code=False,
            add_pooling_layer=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
        if not tokenizer.is_fast:
            raise ItmError(f"bert {name!r} has no fast tokenizer: use one that has a tokenizer.json")
        if missing := sorted(report["missing_keys"]):
            raise ItmError(f"bert {name!r}: its weights lack {missing[0]}; use a complete BERT, or download it again")
        config = {key: getattr(published, key) for key in OF_CONFIG}
        vocabulary = WordPieces(tokenizer.backend_tokenizer.to_str())
        largest = max(vocabulary.index.values())
        if largest >= config["vocab_size"]:
            raise ItmError(
                f"bert {name!r}: its tokenizer counts to {largest}, but its weights have {config['vocab_size']} word "
                "pieces; take both from one place"
            )
        module = BertWords(config)
        module.bert.load_state_dict(weights.state_dict())
    return module, vocabulary, config


def _find(name: str) -> str:
    """The folder of this name, if it is complete; if there is none, the name itself, for Hugging Face.

    Raises:
        ItmError: a path is not a folder, or the folder lacks configuration, safetensors or tokenizer.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if folder.is_absolute() or name.startswith((".", "~")) or len(folder.parts) > 2:
            raise ItmError(f"bert {name!r} is not a folder: check the path, or give 'mini' or a Hugging Face name")
        return name
    needed = {
        "config.json": ("config.json",),
        "weights as safetensors": ("model.safetensors", "model.safetensors.index.json"),
        "a tokenizer": ("tokenizer.json", "vocab.txt"),
    }
    for what, files in needed.items():
        if not any((folder / file).is_file() for file in files):
            raise ItmError(f"{folder} has no {what.removeprefix('a ')} ({' or '.join(files)}): save the model and "
                           "its tokenizer there with save_pretrained")  # fmt: skip
    return str(folder)


@contextmanager
def _as_course_errors(name: str) -> Iterator[None]:
    """Turns errors of transformers, tokenizers, Hugging Face or the network into an ``ItmError`` of one sentence."""
    try:
        yield
    except ItmError:
        raise
    except BaseException as error:
        remedy = (
            "check the name and the network, or give a folder with config.json, model.safetensors and tokenizer.json"
        )
        known = library_errors(error, f"bert {name!r} cannot be loaded", remedy)
        if known is None:
            raise
        raise known from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides progress bars and the list of unused weights, such as those of the head for masked words."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
