"""The measures and the frozen encoders of the claim about skip-thoughts, on small corpora."""

import torch

from itm_tutorial.chapters.ch10_sentences.claims.skip_thought import CLAIMS
from itm_tutorial.chapters.ch10_sentences.measures import skip_thought as measures
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.encoders.skip_thought import SkipThoughtEncoder
from itm_tutorial.pretraining.skip_thought import load_skip_thought
from itm_tutorial.pretraining.word_vectors import SkipGramResult


def encoder_of(model):
    return next(module for module in model.modules() if isinstance(module, SkipThoughtEncoder))


def arm(name):
    return next(one for one in CLAIMS[0].arms if one.name == name)


def test_ranks_count_ties_against_the_image():
    scores = torch.tensor([[0.9, 0.2, 0.5], [0.1, 0.2, 0.4], [0.3, 0.1, 0.6]])
    assert measures.ranks_of_images(scores, torch.tensor([0, 1, 0])).tolist() == [1, 2, 2]


def test_exchanged_words_keep_the_same_vectors_on_other_words(tiny):
    model = measures.of_seed(arm("stories"), tiny, 0, None)
    other = measures.exchanged(arm("stories, expanded words exchanged"), tiny, 0, None)
    known = load_skip_thought().known
    right, wrong = (encoder_of(one).words.weight for one in (model, other))
    assert torch.equal(right[:known], wrong[:known])
    assert not torch.equal(right[known:], wrong[known:])
    assert torch.equal(right[known:].sort(0).values, wrong[known:].sort(0).values)


def test_a_random_gru_has_other_weights_and_a_long_memory_keeps_its_state(tiny):
    first, memory = (arm(f"random GRU, {name}") for name in ("initial weights", "long memory"))
    short, long = (encoder_of(one.start(one, tiny, 0, None)) for one in (first, memory))
    assert short.words.weight.abs().max() <= 0.1 and long.words.weight.std() > 0.9
    ids = torch.randint(4, 200, (2, 9))
    ids[1, 1:] = ids[0, 1:]  # only the first word differs
    lengths = torch.tensor([9, 9])
    moved = [(states[0] - states[1]).norm() / states.norm() for states in (m(ids, lengths) for m in (short, long))]
    assert moved[1] > 5 * moved[0]
    again = encoder_of(memory.start(memory, tiny, 0, None))
    assert torch.equal(again.gru.weight_ih_l0, long.gru.weight_ih_l0)


def test_the_mean_of_words_has_as_many_numbers_and_is_not_trained(tiny, monkeypatch):
    def learned(text, dim, **_):
        words = sorted({word for sentence in text for word in sentence})
        return SkipGramResult(WordVectors(words, torch.randn(len(words), dim)), [], {})

    monkeypatch.setattr(measures, "train_skip_gram", learned)
    model = measures.mean_of_words(arm("mean of word vectors"), tiny, 0, None)
    assert model.text_encoder.project.in_features == load_skip_thought().dim
    tokens = model.tokenize(["a cow on the grass", "on the grass a cow", "a dog"])
    vectors = model.text_encoder.frozen(tokens.ids, tokens.lengths)
    assert torch.allclose(vectors[0], vectors[1], atol=1e-6) and not torch.allclose(vectors[0], vectors[2])
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert len(trained) == 4 and not any("frozen" in name for name in trained)
