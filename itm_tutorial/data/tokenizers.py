"""Checks the description of a tokenizer before the ``tokenizers`` library reads it: a wrong one can end the process."""

from __future__ import annotations

import json
from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from itm_tutorial.errors import ItmError
from itm_tutorial.storage import fault_in

MOST_PIECES = 5_000_000  # ids are below: the library makes a list as long as the largest id
_Id = Annotated[int, Field(ge=0, lt=MOST_PIECES)]
_PROBE = "a \u2603\u2603"  # one piece that a vocabulary has, perhaps, and a word that it hardly has


class _Model(TypedDict):
    type: NotRequired[str]
    vocab: dict[str, _Id] | list[Any]
    max_input_chars_per_word: NotRequired[Annotated[int, Field(ge=1, le=100_000)]]


class _Added(TypedDict):
    id: _Id
    content: Annotated[str, Field(min_length=1)]


class _Special(TypedDict):
    id: str
    ids: list[_Id]
    tokens: list[str]


class _Processor(TypedDict):
    type: str
    single: NotRequired[list[dict[str, dict[str, Any]]]]
    pair: NotRequired[list[dict[str, dict[str, Any]]]]
    special_tokens: NotRequired[dict[str, _Special]]
    sep: NotRequired[tuple[str, _Id] | list[str | _Id]]
    cls: NotRequired[tuple[str, _Id] | list[str | _Id]]


class _Description(TypedDict):
    """What a fast tokenizer's description has, as far as it can do harm."""

    model: _Model
    added_tokens: NotRequired[list[_Added] | None]
    post_processor: NotRequired[_Processor | None]


def fault_in_tokenizer(description: str) -> str:
    """What is wrong with the description of a fast tokenizer; an empty text if nothing is.

    Args:
        description: JSON, as in ``tokenizer.json``.
    """
    try:
        value = json.loads(description)
    except (ValueError, RecursionError) as error:
        return f"broken JSON: {str(error).partition(';')[0]}"
    if found := fault_in(value, _Description):
        return found
    if not value["model"]["vocab"]:
        return "its vocabulary is empty"
    processor = value.get("post_processor") or {}
    parts = [*processor.get("single", ()), *processor.get("pair", ())]
    for part in parts:
        name = part.get("SpecialToken", {}).get("id")
        if name is not None and name not in processor.get("special_tokens", {}):
            return f"its post_processor puts {str(name)[:40]!r} into captions, which special_tokens does not have"
    return ""


def library_errors(error: BaseException, what: str, remedy: str) -> ItmError | None:
    """The course's error for one of the ``tokenizers`` library; None for what is none, such as an interrupt.

    The library is written in Rust: beside ordinary exceptions it raises ``PanicException``, which is no ``Exception``.

    Args:
        error: what was caught.
        what: the tokenizer, as the message begins.
        remedy: the end of the message.
    """
    if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
        return None
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return ItmError(f"{what} ({reason}); {remedy}")


def load_tokenizer(description: str) -> Any:
    """A ``tokenizers.Tokenizer`` from its description, tried on two words.

    Raises:
        ItmError: the description is broken or incomplete.
    """
    from tokenizers import Tokenizer

    remedy = "fetch the BERT again, or save the model again"
    if fault := fault_in_tokenizer(description):
        raise ItmError(f"word pieces: no tokenizer ({fault}); {remedy}")
    try:
        tokenizer = Tokenizer.from_str(description)
        tokenizer.no_padding()  # of its own kind; ``padded`` does it
        tokenizer.no_truncation()  # a caption is not cut in silence
        tokenizer.decode(tokenizer.encode(_PROBE).ids)
        tokenizer.encode(_PROBE, _PROBE)
    except BaseException as error:
        known = library_errors(error, "word pieces: no tokenizer", remedy)
        if known is None:
            raise
        raise known from error
    return tokenizer
