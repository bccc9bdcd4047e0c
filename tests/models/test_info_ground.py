"""InfoGround: attention with keys and values, images that compete for a word, and changed nouns."""

import copy
import math
from dataclasses import replace

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.data.parsing import WorldParser
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.grounding import attend
from itm_tutorial.interaction.keys_values import Keyed, KeysAndValues, attention, score_all, score_own
from itm_tutorial.losses.word_info_nce import image_info_nce, noun_info_nce
from itm_tutorial.models._changed_nouns import NEGATIVES, implied, known_nouns, substitutes, true_nouns
from itm_tutorial.models.info_ground import AttendingWords
from itm_tutorial.training.loop import _load

WORDS = [
    "dog",
    "puppy",
    "cat",
    "kitten",
    "wolf",
    "animal",
    "car",
    "van",
    "vehicle",
    "dogs",
    "cats",
    "sheep",
    "red",
    "near",
]
SMALL = {"embed_size": 16, "word_dim": 8}


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def phi_by_loops(regions, word_key, word_value):
    """One word and one image, on Python's floats."""
    keys, values = (part.tolist() for part in regions)
    k, f = word_key.tolist(), word_value.tolist()
    dot = lambda a, b: sum(x * y for x, y in zip(a, b, strict=True))  # noqa: E731
    logits = [dot(key, k) / math.sqrt(len(k)) for key in keys]
    total = sum(math.exp(x) for x in logits)
    return sum(math.exp(x) / total * dot(value, f) for x, value in zip(logits, values, strict=True))


def test_the_losses_equal_the_equations_by_loops():
    n_images, n_regions, n_captions, seq_len, dim = 4, 3, 5, 6, 7
    image_of = torch.tensor([2, 0, 3, 1, 2])
    regions = Keyed(numbers(n_images, n_regions, dim), numbers(n_images, n_regions, dim, seed=1))
    words = AttendingWords(
        numbers(n_captions, seq_len, dim, seed=2),
        numbers(n_captions, seq_len, dim, seed=3),
        torch.tensor(
            [[0, 1, 1, 0, 1, 0], [0, 1, 0, 0, 0, 0], [0, 1, 1, 1, 1, 0], [0, 0, 1, 0, 1, 0], [0, 0, 0, 1, 1, 0]]
        )
        > 0,
    )
    phi = score_all(regions, words.at(words.counted))
    loss = image_info_nce(phi, words.counted.nonzero()[:, 0], image_of)
    of_captions, all_words = [], []
    for c in range(n_captions):
        terms = []
        for w in range(seq_len):
            if words.counted[c, w]:
                scores = [
                    phi_by_loops((regions.keys[i], regions.values[i]), words.keys[c, w], words.values[c, w])
                    for i in range(n_images)
                ]
                terms.append(math.log(sum(map(math.exp, scores))) - scores[image_of[c]])
        of_captions.append(sum(terms) / len(terms))
        all_words += terms
    expected = sum(of_captions) / n_captions
    assert loss.item() == pytest.approx(expected, abs=1e-10)
    pooled = sum(all_words) / len(all_words)  # a mean over all words at once is another number
    assert abs(loss.item() - pooled) > 1e-3
    own = score_own(regions, words.at((torch.arange(5), torch.tensor([1, 1, 2, 4, 3]))), image_of)
    for c, w in enumerate([1, 1, 2, 4, 3]):
        i = int(image_of[c])
        one = phi_by_loops((regions.keys[i], regions.values[i]), words.keys[c, w], words.values[c, w])
        assert own[c].item() == pytest.approx(one, abs=1e-10)


def test_the_loss_of_nouns_equals_the_equation_by_loops():
    true, changed = numbers(4), numbers(4, 3, seed=1)
    there = torch.tensor([[1, 1, 0], [0, 0, 0], [1, 1, 1], [0, 1, 0]]) > 0
    terms = []
    for c in range(4):
        others = [changed[c, j].item() for j in range(3) if there[c, j]]
        if others:
            terms.append(math.log(sum(math.exp(x) for x in [true[c].item(), *others])) - true[c].item())
    assert noun_info_nce(true, changed, there).item() == pytest.approx(sum(terms) / len(terms), abs=1e-10)
    padded = noun_info_nce(true, changed, torch.ones_like(there))
    assert abs(padded.item() - sum(terms) / len(terms)) > 1e-3  # padding that counts as a substitute
    assert noun_info_nce(true, changed, torch.zeros_like(there)) == 0
    assert noun_info_nce(true, changed[:, :0], there[:, :0]) == 0


def test_keys_find_regions_and_values_are_read():
    """Two regions: the key of the word fits the first; the value of the second is the one that agrees with it."""
    regions = Keyed(torch.tensor([[[2.0, 0], [0, 0]]]), torch.tensor([[[1.0, 0], [3, 0]]]))
    word = Keyed(torch.tensor([[math.sqrt(2) * math.log(3) / 2, 0]]), torch.tensor([[1.0, 0]]))
    assert attention(regions.keys, word.keys)[0, :, 0].tolist() == pytest.approx([0.75, 0.25])
    assert score_all(regions, word).item() == pytest.approx(0.75 * 1 + 0.25 * 3)  # 1.5
    with_keys = Keyed(regions.values, regions.values)
    assert score_all(with_keys, word).item() != pytest.approx(1.5)  # one vector for both is another number
    alone = attention(regions.keys * math.sqrt(2), word.keys)  # without the root of dim
    assert alone[0, 0, 0].item() != pytest.approx(0.75)


def test_a_padded_region_would_take_part_in_the_softmax():
    """The public code lets padded boxes, features of zeros, attract attention: a bias gives them a key."""
    torch.manual_seed(0)
    heads = KeysAndValues(5, 4)
    real, zeros = torch.randn(1, 3, 5), torch.zeros(1, 2, 5)
    word = Keyed(torch.randn(2, 4), torch.randn(2, 4))
    alone, padded = heads(real), heads(torch.cat([real, zeros], 1))
    assert not torch.allclose(score_all(alone, word), score_all(padded, word), atol=1e-3)
    tiles = score_all(Keyed(alone.keys.expand(7, -1, -1), alone.values.expand(7, -1, -1)), word)
    assert torch.allclose(tiles, score_all(alone, word).expand(7, -1), atol=1e-6)


def table(negatives):
    known = known_nouns(WORDS)
    fits = substitutes(known, negatives)
    return {one.word: {known[j].word for j in row.nonzero().flatten()} for one, row in zip(known, fits, strict=True)}


def test_substitutes_of_each_sort():
    assert table("synonym")["dog"] == {"puppy", "animal"} and table("synonym")["animal"] == set()
    assert table("random")["dog"] == {"cat", "kitten", "wolf", "sheep", "car", "van"}
    assert table("random")["dogs"] == {"cats", "sheep"} and table("random")["animal"] == {"vehicle"}
    assert table("plausible")["dog"] == {"cat", "kitten", "wolf", "sheep"}  # of its family, and no car
    assert table("plausible")["sheep"] == {"dog", "puppy", "cat", "kitten", "wolf", "dogs", "cats"}
    assert not any(table("none").values())
    with pytest.raises(ItmError, match="unknown negatives 'plausibel': did you mean 'plausible'"):
        substitutes(known_nouns(WORDS), "plausibel")
    assert known_nouns(["red", "near"]) == [] and substitutes([], "random").shape == (0, 0)


def test_no_substitute_is_true_of_the_image_as_its_captions_say(tiny):
    model = itm.create_model("info_ground", tiny, **SMALL)
    tokens = model.tokenize(tiny.train.captions)
    words = [noun.word for noun in model.known]
    said = {}
    for caption, image in zip(tiny.train.captions, tiny.train.image_of.tolist(), strict=True):
        said.setdefault(image, set()).update(set(itm_words(caption)) & set(words))
    for row, image in enumerate(tiny.train.image_of.tolist()):
        true = {words[j] for j in tokens.per_caption["true_nouns"][row].nonzero().flatten()}
        assert said[image] <= true
        kinds = {noun.kind for noun in model.known if noun.word in said[image]}
        families = {noun.family for noun in model.known if noun.word in said[image]}
        assert true == {n.word for n in model.known if n.kind in kinds or n.kind in families}
    alone = model.tokenize(tiny.train.captions[:3]).per_caption["true_nouns"]
    assert (alone.sum(1) <= tokens.per_caption["true_nouns"][:3].sum(1)).all()
    assert true_nouns(tokens.ids[:0], torch.zeros(0, dtype=torch.int64), model.vocabulary, model.known).shape[0] == 0
    assert implied(model.known).diagonal().all()


def itm_words(caption):
    from itm_tutorial.data.text import tokenize

    return tokenize(caption)


def test_only_nouns_of_the_parse_are_changed(tiny):
    model = itm.create_model("info_ground", tiny, **SMALL)
    nouns = model.tokenize(tiny.val.captions).per_word["nouns"]
    for row, parse in enumerate(WorldParser("scenes")(tiny.val.captions)):
        for w, (word, tag) in enumerate(zip(parse.words, parse.parts_of_speech, strict=True)):
            number = int(nouns[row, w + 1])
            assert number == 0 or (tag == "NOUN" and model.known[number - 1].word == word)
    assert (nouns > 0).sum() > 100


@pytest.mark.parametrize("negatives", NEGATIVES)
def test_the_loss_reads_what_the_negatives_say(tiny, cheap_features, negatives):
    model = itm.create_model("info_ground", tiny, negatives=negatives, **SMALL)
    (batch,) = _load(model, tiny.train, torch.device("cpu")).batches([torch.arange(40)])
    images, words = model.encode_images(batch), model.encode_captions(batch)
    phi = score_all(images, words.at(words.counted))
    of_images = image_info_nce(phi, words.counted.nonzero()[:, 0], batch.image_of)
    assert (model.loss(batch) > of_images).item() == (negatives != "none")
    bare = copy.deepcopy(model)
    bare.substitutes.zero_()  # no noun can be changed
    assert torch.isclose(bare.loss(batch), of_images)
    model.known, model.substitutes = [], model.substitutes[:0]
    empty = replace(batch.captions, per_word={**batch.captions.per_word, "nouns": batch.captions.per_word["nouns"] * 0})
    assert (empty.per_word["nouns"] == 0).all()


def test_a_changed_caption_is_read_again(tiny, cheap_features):
    """The substitute's state is that of the changed sentence: by a GRU it differs from a mere change of one vector."""
    model = itm.create_model("info_ground", tiny, sentence="gru", **SMALL).eval()
    tokens = model.tokenize(["a red dog near a cat"])
    changed = replace(tokens, ids=tokens.ids.scatter(1, torch.tensor([[3]]), model.vocabulary.index["wolf"]))
    with torch.no_grad():
        one, two = model.encode_captions(tokens), model.encode_captions(changed)
    assert not torch.allclose(one.keys[0, 3], two.keys[0, 3]) and not torch.allclose(one.keys[0, 2], two.keys[0, 2])
    assert one.counted[0].tolist() == [False, False, True, True, False, False, True, False]
    nothing = model.encode_captions(["near the"]).counted[0].tolist()
    assert nothing == [False, True, True, False]  # neither noun nor adjective: all words, without <start> and <end>


def test_attention_points_at_regions(tiny, made_up_regions):
    model = itm.create_model("info_ground", tiny, **SMALL)
    seen = attend(model, tiny.val, captions=[0, 5])
    assert [weights.shape[0] for weights in seen.weights] == [16, 16]
    assert all(torch.allclose(w.sum(0), torch.ones(w.shape[1]), atol=1e-5) for w in seen.weights)
