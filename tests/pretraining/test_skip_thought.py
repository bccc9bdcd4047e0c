"""Skip-thoughts against a loop over single sentences and words, the place of the reset gate, shifts, and expansion."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from itm_tutorial.data.text import END, SPECIAL, UNKNOWN, Tokens, Vocabulary, padded
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.encoders.skip_thought import SkipThoughtEncoder
from itm_tutorial.errors import ItmError
from itm_tutorial.pretraining import skip_thought
from itm_tutorial.pretraining.skip_thought import (
    SkipThoughtNetwork,
    caption_stories,
    load_caption_encoder,
    load_skip_thought,
    number_sentences,
    shifted,
    skip_thought_folder,
    train_skip_thought,
)
from itm_tutorial.pretraining.skip_thought_encoder import SkipThought, expansion_map
from itm_tutorial.storage import read_json
from itm_tutorial.worlds.stories import write_stories

WORDS = ["dog", "cat", "sees", "runs", "red"]
TEXT = [[["dog", "runs"], ["red", "dog", "sees", "cat"], ["cat", "runs"], ["cat", "sees"]], [["dog"], ["red"], ["cat"]]]


def sigmoid(x):
    return 1 / (1 + math.exp(-max(x, -500)))


def gru_step(gru, x, h):
    """One step of the authors' GRU on lists of floats: u keeps the old state, r acts after the product with U."""
    w, u = gru.weight_ih_l0.tolist(), gru.weight_hh_l0.tolist()
    b, c = gru.bias_ih_l0.tolist(), gru.bias_hh_l0.tolist()
    dim = len(h)

    def row(matrix, bias, vector, i):
        return bias[i] + sum(m * v for m, v in zip(matrix[i], vector, strict=True))

    new = []
    for i in range(dim):
        reset = sigmoid(row(w, b, x, i) + row(u, c, h, i))
        keep = sigmoid(row(w, b, x, dim + i) + row(u, c, h, dim + i))
        proposal = math.tanh(row(w, b, x, 2 * dim + i) + reset * row(u, c, h, 2 * dim + i))
        new.append(keep * h[i] + (1 - keep) * proposal)
    return new


def loop_loss(network, triples):
    """One sentence and one word at a time, both decoders: -sum log softmax."""
    table, dim = network.encoder.words.weight.tolist(), network.encoder.gru.hidden_size
    matrix, bias = network.output.weight.tolist(), network.output.bias.tolist()
    total = 0.0
    for sentence, following, previous in triples:
        vector = [0.0] * dim
        for word in sentence:
            vector = gru_step(network.encoder.gru, table[word], vector)
        for decoder, target in ((network.next_decoder, following), (network.previous_decoder, previous)):
            state, read = [0.0] * dim, [0.0] * len(table[0])
            for word in target:
                state = gru_step(decoder, [*read, *vector], state)
                logits = [
                    b + sum(m * s for m, s in zip(r, state, strict=True)) for r, b in zip(matrix, bias, strict=True)
                ]
                total -= logits[word] - math.log(sum(math.exp(logit) for logit in logits))
                read = table[word]
    return total


@settings(max_examples=10)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 10_000))
def test_the_loss_equals_the_loop_over_sentences_and_words(n, dim, word_dim, seed):
    torch.manual_seed(seed)
    network = SkipThoughtNetwork(7, word_dim, dim).double()
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.7)
    sides = [[torch.randint(0, 7, (int(torch.randint(1, 6, ())),)).tolist() for _ in range(n)] for _ in range(3)]
    loss = network(*(padded(side) for side in sides))
    assert loss.item() == pytest.approx(loop_loss(network, list(zip(*sides, strict=True))), abs=1e-10)


def gru_of_the_tiny_example():
    """h = (1, 2), r = (1, 0), rows hU with U = [[0, 1], [0, 0]]; u = 0: the new state is tanh of the product."""
    gru = torch.nn.GRU(1, 2).double()
    with torch.no_grad():
        for weight in gru.parameters():
            weight.zero_()
        gru.bias_ih_l0[:4] = torch.tensor([1000.0, -1000, -1000, -1000])  # r = (1, 0), u = (0, 0)
        gru.weight_hh_l0[4:] = torch.tensor([[0.0, 1], [0, 0]]).T  # torch multiplies U from the left
    return gru, torch.tensor([[1.0, 2.0]]).double()


def test_the_reset_gate_acts_after_the_product():
    gru, state = gru_of_the_tiny_example()
    new = gru(torch.zeros(1, 1, 1).double(), state[None])[1].flatten()
    assert torch.allclose(new, torch.zeros(2).double(), atol=1e-12)
    assert gru_step(gru, [0.0], [1.0, 2.0]) == pytest.approx([0, 0], abs=1e-12)
    reset, matrix = torch.tensor([1.0, 0]), torch.tensor([[0.0, 1], [0, 0]])
    before = torch.tanh((reset * torch.tensor([1.0, 2.0])) @ matrix)
    assert before.tolist() == pytest.approx([0, math.tanh(1)])  # the other place of the gate gives another state


def test_the_update_gate_keeps_the_old_state():
    gru, state = gru_of_the_tiny_example()
    with torch.no_grad():
        gru.bias_ih_l0[2:4] = 1000.0  # u = (1, 1)
    assert torch.allclose(gru(torch.ones(1, 1, 1).double(), state[None])[1], state[None])


def test_a_decoder_reads_the_word_before_and_never_the_last_one():
    words = torch.arange(6.0).view(1, 3, 2) + 1
    assert shifted(words).tolist() == [[[0, 0], [1, 2], [3, 4]]]
    network = SkipThoughtNetwork(7, 3, 4)
    sentence, target = padded([[4, 2]]), padded([[5, 6, 3]])
    loss = network(sentence, target, padded([[2]]))
    loss.backward()
    gradient = network.encoder.words.weight.grad
    assert gradient[3].abs().sum() == 0  # the last target is predicted, and read nowhere
    assert gradient[[4, 5, 6]].abs().sum(1).min() > 0


def test_padding_and_neighbours_in_the_batch_change_nothing():
    network = SkipThoughtNetwork(7, 3, 4).double()
    sides = [[[4, 2], [5, 6, 5, 2]], [[5, 2], [6, 4, 4, 6, 2]], [[6, 5, 4, 2], [2]]]
    whole = network(*(padded(side) for side in sides))
    alone = sum(network(*(padded([side[i]]) for side in sides)) for i in range(2))
    assert whole.item() == pytest.approx(alone.item(), abs=1e-12)
    encoder, longer = network.encoder, Tokens(torch.tensor([[4, 2, 3, 3]]), torch.tensor([2]))
    assert torch.allclose(encoder(longer.ids, longer.lengths), encoder(torch.tensor([[4, 2]]), torch.tensor([2])))


def test_the_decoders_share_the_output_matrix_and_all_share_one_word_table():
    network = SkipThoughtNetwork(7, 3, 4)
    shapes = [tuple(weight.shape) for weight in network.parameters()]
    assert shapes.count((7, 3)) == 1 and shapes.count((7, 4)) == 1  # one table, one output matrix
    recurrent = network.next_decoder.weight_hh_l0.chunk(3)
    assert all(torch.allclose(matrix @ matrix.T, torch.eye(4), atol=1e-5) for matrix in recurrent)


def test_sentences_end_with_the_token_and_middles_have_both_neighbours():
    vocabulary = Vocabulary(["dog", "cat", "runs"])
    tokens, middles = number_sentences(TEXT, vocabulary)
    end, unknown = vocabulary.index[END], vocabulary.index[UNKNOWN]
    assert middles.tolist() == [1, 2, 5]
    assert tokens.ids[0, : tokens.lengths[0]].tolist() == [4, 6, end]
    assert tokens.ids[1, : tokens.lengths[1]].tolist() == [unknown, 4, unknown, 5, end]


def test_training_learns_the_order_of_sentences_and_leaves_random_numbers_alone():
    text = write_stories(60, seed=3)
    before = torch.random.get_rng_state()
    encoder, metrics = train_skip_thought(
        text, text[:20], word_dim=8, dim=12, steps=40, n_words=100, learning_rate=0.03
    )
    again, _ = train_skip_thought(text, text[:20], word_dim=8, dim=12, steps=40, n_words=100, learning_rate=0.03)
    assert torch.equal(before, torch.random.get_rng_state())
    assert metrics["nats"] < metrics["unigram"]
    weights = encoder.module.state_dict()
    assert all(torch.equal(weight, again.module.state_dict()[name]) for name, weight in weights.items())
    assert not any(weight.requires_grad for weight in encoder.module.parameters())
    assert encoder.encode(["a dog on the beach", "A dog on the beach!"]).unique(dim=0).shape == (1, 12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ([[["a"], ["b"]]], "no story has three sentences"),
        ([[["a"], "b", ["c"]]], "a sentence is a string or empty"),
        ([[["a"], [], ["c"]]], "a sentence is a string or empty"),
    ],
)
def test_a_text_without_neighbours_is_refused(text, message):
    with pytest.raises(ItmError, match=message):
        train_skip_thought(text)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 10_000))
def test_expansion_is_the_exact_map_where_there_is_one(source_dim, target_dim, seed):
    generator = torch.Generator().manual_seed(seed)
    sources = torch.randn(20, source_dim, generator=generator)
    matrix, intercept = torch.randn(source_dim, target_dim, generator=generator), torch.randn(target_dim)
    found, shift = expansion_map(sources, sources @ matrix + intercept)
    assert torch.allclose(found, matrix, atol=1e-4) and torch.allclose(shift, intercept, atol=1e-4)


def test_expansion_has_an_intercept_and_no_penalty():
    sources, targets = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[1.0], [3.0], [8.0]])
    matrix, intercept = expansion_map(sources, targets)
    assert (matrix.item(), intercept.item()) == pytest.approx((3.5, 0.5))  # the line of least squares
    assert (sources.T @ targets / (sources.T @ sources)).item() == pytest.approx(3.8)  # without an intercept
    centred, aim = sources - 1, targets - 4
    assert (centred.T @ aim / (centred.T @ centred + 1)).item() == pytest.approx(7 / 3)  # with a ridge of 1


def small_encoder():
    encoder, _ = train_skip_thought(TEXT, word_dim=2, dim=3, steps=2)
    return encoder


def test_expanded_words_lie_where_the_map_puts_them_and_own_words_stay():
    encoder = small_encoder()
    words = WordVectors([*WORDS, "puppy", "<unk>"], torch.arange(7.0)[:, None] ** 2)
    wider = encoder.expanded(words)
    assert wider.vocabulary.words == [*encoder.vocabulary.words, "puppy"] and wider.known == len(encoder.vocabulary)
    old, new = encoder.module.words.weight, wider.module.words.weight
    assert torch.equal(new[: len(old)], old)
    shared = [word for word in encoder.vocabulary.words if word in WORDS]
    matrix, intercept = expansion_map(
        words.vectors[[words.index[w] for w in shared]], old[[encoder.vocabulary.index[w] for w in shared]]
    )
    assert torch.allclose(new[-1], words.vector("puppy") @ matrix + intercept, atol=1e-5)
    assert torch.equal(encoder.encode(["red dog"]), wider.encode(["red dog"]))
    assert torch.equal(encoder.encode(["red puppy"]), encoder.encode(["red kitten"]))  # both are <unk>
    assert not torch.equal(wider.encode(["red puppy"]), wider.encode(["red kitten"]))


def test_too_few_shared_words_are_refused():
    with pytest.raises(ItmError, match="3 words are shared, for 4 unknowns per dimension"):
        small_encoder().expanded(WordVectors(["dog", "cat", "runs", "x"], torch.rand(4, 3)))


def test_a_saved_encoder_is_read_again_and_an_expanded_one_is_not_saved(tmp_path):
    encoder = small_encoder()
    encoder.save(tmp_path / "kept")
    again = load_skip_thought(str(tmp_path / "kept"))
    assert again.vocabulary == encoder.vocabulary
    assert torch.equal(again.encode(["dog sees cat"]), encoder.encode(["dog sees cat"]))
    wider = encoder.expanded(WordVectors([*WORDS, "puppy"], torch.rand(6, 1)))
    with pytest.raises(ItmError, match="this encoder was expanded"):
        wider.save(tmp_path / "wide")
    with pytest.raises(ItmError, match="did you mean 'stories'"):
        load_skip_thought("storis")


@pytest.mark.parametrize("damage", ["cut short", "another's", "other words", "no words"])
def test_a_damaged_folder_is_named(tmp_path, damage):
    small_encoder().save(tmp_path / "kept")
    folder = tmp_path / "kept"
    weights = folder / "weights.safetensors"
    if damage == "cut short":
        weights.write_bytes(weights.read_bytes()[:-20])
    elif damage == "another's":
        SkipThought(SkipThoughtEncoder(9, 2, 5), Vocabulary(WORDS), 9).save(tmp_path / "other")
        weights.write_bytes((tmp_path / "other" / "weights.safetensors").read_bytes())
    elif damage == "other words":
        Vocabulary(WORDS[:3]).save(folder / "vocabulary.json")
    else:
        (folder / "vocabulary.json").unlink()
    with pytest.raises(ItmError, match=str(folder)):
        load_skip_thought(str(folder))


def test_captions_of_an_image_are_neighbours_in_a_circle():
    stories = caption_stories(["A dog.", "the dog runs", "one cat", "dog, red"], torch.tensor([0, 0, 1, 0]))
    assert stories == [[["dog", "red"], ["a", "dog"], ["the", "dog", "runs"], ["dog", "red"], ["a", "dog"]]]


def test_an_encoder_of_captions_is_kept_and_one_caption_per_image_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("ITM_CACHE", str(tmp_path))
    captions, image_of = ["a dog runs", "the dog", "a cat"], torch.tensor([0, 0, 1])
    encoder = load_caption_encoder(captions, image_of)
    (folder,) = [folder for folder in (tmp_path / "skip_thought").iterdir() if folder.is_dir()]
    assert set(read_json(folder / "figures.json")) == {"seconds", "seed"}
    monkeypatch.setattr(skip_thought, "train_skip_thought", None)  # it is not trained again
    assert torch.equal(load_caption_encoder(captions, image_of).encode(["a dog"]), encoder.encode(["a dog"]))
    with pytest.raises(ItmError, match="no image has two captions: give encoder=FOLDER"):
        load_caption_encoder(["a dog", "a cat"], torch.tensor([0, 1]))


def test_the_folder_differs_by_text_and_seed():
    folders = {skip_thought_folder(text, seed) for text in ("stories", "shuffled") for seed in (0, 1)}
    assert len(folders) == 4


def test_the_kept_encoder_learned_from_the_neighbours(cache):
    """Predicting with the sentence's own vector is better than with that of a sentence of another story."""
    encoder = load_skip_thought()
    figures = read_json(skip_thought_folder() / "figures.json")
    assert figures["nats"] < figures["another_sentence"] - 0.1 and figures["nats"] < figures["unigram"] - 1
    assert len(encoder.vocabulary) == skip_thought.N_WORDS + len(SPECIAL) == encoder.known
