"""A split: captions are texts, identities are whole numbers, and what is wrong is named."""

import numpy as np
import pandas as pd
import pytest
import torch

from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError

IMAGES = [torch.zeros(3, 4, 4, dtype=torch.uint8)] * 2


def split(captions, **parts):
    return Split("val", IMAGES, captions, torch.zeros(len(captions), dtype=torch.int64), **parts)


@pytest.mark.parametrize("captions", [["a", None], ["a", float("nan")], np.array(["a", None]), ("a", pd.NA)])
def test_a_caption_that_is_no_text_is_named(captions):
    with pytest.raises(ItmError, match="val: caption 1 is .*, not a text: .*keep_default_na=False"):
        split(captions)


def test_captions_of_a_table_are_a_list_by_place():
    made = split(pd.Series(["a dog", "a cat"], index=[7, 3]))
    assert made.captions == ["a dog", "a cat"] and made.captions_of(0) == ["a dog", "a cat"]
    kept = ["a", "b"]
    assert split(kept).captions is kept


def test_printed_bytes_are_repaired(said):
    assert split(["b'a dog'", "a cat"]).captions == ["a dog", "a cat"]
    assert len(said()) == 1


@pytest.mark.parametrize("identity", [[0, 1], torch.zeros(3, dtype=torch.int64), torch.zeros(2)])
def test_identities_are_one_whole_number_per_image(identity):
    with pytest.raises(ItmError, match="val: identity is .*give an int64 tensor"):
        split(["a"], identity=identity)


def test_long_captions_are_told_when_a_split_is_made(said):
    split(["a", "a dog " * 200])
    (told,) = said()
    assert told.startswith("val: caption 1 ") and "256 words" in told
