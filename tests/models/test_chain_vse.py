"""CHAIN-VSE against three nested loops; the maximum over real positions; characters that save, load and fold."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from itm_tutorial.data.text import SPECIAL, Tokens, Vocabulary
from itm_tutorial.errors import ItmError
from itm_tutorial.models import build_model
from itm_tutorial.models._base import FeatureSpec
from itm_tutorial.models._characters import ALPHABET, MOST, Characters, folded
from itm_tutorial.models.chain_vse import CharacterTowers, Maxout

SMALL = {"embed_size": 6, "stem_maps": 2, "maps": 3}


def looped_maxout(rows, layer):
    """Position, map, kernel offset: the larger of two convolutions with zeros outside; rows is [seq_len][channels]."""
    weight, bias = layer.both.weight.tolist(), layer.both.bias.tolist()
    half, size = len(weight) // 2, len(weight[0][0])
    found = []
    for place in range(len(rows)):
        sums = []
        for kernel, shift in zip(weight, bias, strict=True):
            total = shift
            for offset in range(size):
                at = place + offset - size // 2
                if 0 <= at < len(rows):
                    total += sum(kernel[c][offset] * x for c, x in enumerate(rows[at]))
            sums.append(total)
        found.append([max(sums[m], sums[m + half]) for m in range(half)])
    return found


def looped_embedding(encoder, ids):
    """The embedding of one caption of real characters."""
    one_hot = [[float(i == c) for c in range(1, encoder.n_characters)] for i in ids]
    parts = [looped_maxout(one_hot, convolution) for convolution in encoder.stem]
    stem = [sum(rows, []) for rows in zip(*parts, strict=True)]
    found = []
    for tower in encoder.towers:
        rows = stem
        for layer in tower:
            rows = looped_maxout(rows, layer)
        found += [max(column) for column in zip(*rows, strict=True)]
    weight, bias = encoder.project.weight.tolist(), encoder.project.bias.tolist()
    raw = [sum(w * x for w, x in zip(row, found, strict=True)) + b for row, b in zip(weight, bias, strict=True)]
    norm = math.sqrt(sum(x * x for x in raw))
    return [x / norm for x in raw]


def encoder_of(seed, towers=2):
    torch.manual_seed(seed)
    return CharacterTowers(7, 2, 3, towers, 4).double()


def captions_of(lengths, seed):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, 7, (len(lengths), max(lengths)), generator=generator)
    lengths = torch.tensor(lengths)
    return ids * (torch.arange(ids.shape[1]) < lengths[:, None]), lengths


@settings(max_examples=25)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(1, 4), st.integers(0, 10_000))
def test_it_equals_the_loop_for_captions_of_any_length(lengths, towers, seed):
    encoder = encoder_of(seed, towers)
    ids, lengths = captions_of(lengths, seed)
    rows = [looped_embedding(encoder, row[:n].tolist()) for row, n in zip(ids, lengths, strict=True)]
    expected = torch.tensor(rows, dtype=torch.float64)
    assert torch.allclose(encoder(ids, lengths), expected, atol=1e-10)
    assert torch.allclose(encoder.float()(ids, lengths).double(), expected, atol=1e-6)


@settings(max_examples=25)
@given(st.integers(1, 12), st.integers(0, 10_000))
def test_padding_changes_no_number(more, seed):
    encoder = encoder_of(seed, towers=3)
    ids, lengths = captions_of([2, 6, 4], seed)
    wide = torch.cat([ids, torch.zeros(3, more, dtype=torch.int64)], 1)
    assert torch.allclose(encoder(wide, lengths), encoder(ids, lengths), atol=1e-12)


def test_the_maximum_is_taken_over_real_positions_alone():
    """Kernels of -1, bias .5, x >= 1: at most -.5 where the caption is, .5 where it is not."""
    encoder = encoder_of(0, towers=1)
    (layer,) = encoder.towers[0]
    for module, weight, bias in ((layer.both, -1.0, 0.5), *((part.both, 0.0, 1.0) for part in encoder.stem)):
        torch.nn.init.constant_(module.weight, weight)
        torch.nn.init.constant_(module.bias, bias)
    seen = {}
    encoder.project.register_forward_pre_hook(lambda _, inputs: seen.update(maxima=inputs[0]))
    ids, lengths = captions_of([2, 9], 0)
    encoder(ids, lengths)
    assert seen["maxima"].max() <= -0.5
    mask = torch.ones(1, 1, 9, dtype=torch.bool)  # as if the padding were part of the caption
    stem = torch.zeros(1, 6, 9).double()
    stem[:, :, :2] = 1
    assert layer(stem, mask).amax().item() == pytest.approx(0.5)


def test_maxout_is_no_relu():
    """Two convolutions that give -2 and -3: the larger is -2, where a ReLU would give 0."""
    layer = Maxout(1, 1, 3)
    torch.nn.init.zeros_(layer.both.weight)
    with torch.no_grad():
        layer.both.bias.copy_(torch.tensor([-2.0, -3.0]))
    assert layer(torch.randn(1, 1, 4), torch.ones(1, 1, 4, dtype=torch.bool)).flatten().tolist() == [-2.0] * 4


def test_towers_have_different_depths_and_stems_different_windows():
    encoder = encoder_of(0, towers=4)
    assert [len(tower) for tower in encoder.towers] == [1, 2, 3, 4]
    assert [part.both.kernel_size for part in encoder.stem] == [(3,), (5,), (7,)]


def test_characters_are_folded_and_unknown_ones_are_spaces():
    known = Characters()
    assert len(known) == len(SPECIAL) + 69 and known.words[:4] == list(SPECIAL)
    assert folded("  Un Café\tÉlégant ") == "un cafe elegant"
    tokens = known.encode(["Café №5", "a☃b"])
    assert tokens.ids[1, :5].tolist() == [1, known.index["a"], known.index[" "], known.index["b"], 2]
    assert known.decode(tokens.ids[0]) == "cafe no5" and tokens.lengths.tolist() == [10, 5]
    assert known.encode(["x" * 9999]).ids.shape == (1, MOST + 2)


@settings(max_examples=50)
@given(st.text(max_size=30))
def test_a_text_gives_the_characters_of_its_folded_form_or_an_error(text):
    known = Characters()
    try:
        tokens = known.encode([text])
    except ItmError:
        return
    expected = "".join(c if c in ALPHABET else " " for c in folded(text))
    assert known.decode(tokens.ids[0]) == expected and tokens.lengths.item() == len(expected) + 2


def test_a_word_is_known_if_its_characters_are():
    known = Characters()
    assert "xyzzy" in known and "Café" in known and "雪" not in known
    assert known.unknown_share(["a 雪"]) == 0.5


def test_characters_save_and_load_as_a_list_of_words(tmp_path):
    known = Characters()
    known.save(tmp_path / "vocabulary.json")
    plain = Vocabulary.load(tmp_path / "vocabulary.json")
    assert plain == known and known == plain
    model = build_model("chain_vse", plain, FeatureSpec(), **SMALL)
    assert isinstance(model.vocabulary, Characters) and model.vocabulary == known
    assert isinstance(model.tokenize(["a red car"]), Tokens) and model.tokenize(["a red car"]).ids.shape == (1, 11)


@pytest.mark.parametrize("wrong", ["red", ""])
def test_a_vocabulary_of_words_is_refused(wrong):
    with pytest.raises(ItmError, match="not one character"):
        build_model("chain_vse", Vocabulary([" ", "a", wrong]), FeatureSpec())


def test_a_vocabulary_without_a_space_is_refused():
    with pytest.raises(ItmError, match="space is missing"):
        Characters("abc")


def test_captions_without_a_word_are_refused():
    with pytest.raises(ItmError, match="caption 1 has no word"):
        Characters().encode(["a", " ... "])


def test_a_misspelt_caption_stays_near_and_needs_no_known_word():
    torch.manual_seed(0)
    model = build_model("chain_vse", Characters(), FeatureSpec(), **SMALL).eval()
    right, misspelt = model.encode_captions(["a red car", "a rad cxr"])
    assert right.shape == (6,) and not torch.allclose(right, misspelt)


@pytest.mark.parametrize("wrong", [{"towers": 0}, {"towers": 17}, {"maps": 0}, {"stem_maps": -1}])
def test_wrong_options_are_refused_by_name(wrong):
    with pytest.raises(ItmError, match=next(iter(wrong))):
        build_model("chain_vse", Characters(), FeatureSpec(), **{**SMALL, **wrong})
