"""The LSTM of CMPL and TIMAM, compared with a loop over captions, one direction at a time, with any padding."""

import pytest
import torch

from itm_tutorial.encoders.lstm import MaxLSTM, WordLSTM


def captions(n=6, seq_len=9, dim=4):
    torch.manual_seed(1)
    return torch.randn(n, seq_len, dim), torch.tensor([seq_len, 1, 5, 2, 8, 3])[:n]


def one_direction(lstm, suffix):
    """An LSTM of one direction with the weights of a bidirectional one."""
    single = torch.nn.LSTM(lstm.input_size, lstm.hidden_size, batch_first=True)
    weights = lstm.state_dict()
    single.load_state_dict({name: weights[name + suffix] for name in single.state_dict()})
    return single


def test_embeddings_equal_a_loop_over_captions_with_the_backward_direction_turned_by_hand():
    model = MaxLSTM(4, 5)
    vectors, lengths = captions()
    forth, back = one_direction(model.lstm, ""), one_direction(model.lstm, "_reverse")
    embeddings = model(vectors, lengths)
    assert embeddings.shape == (6, 5)
    for row, n, embedding in zip(vectors, lengths.tolist(), embeddings, strict=True):
        words = row[:n]
        rightward = forth(words[None])[0][0]  # [n, 5]
        leftward = back(words.flip(0)[None])[0][0].flip(0)  # [n, 5]
        largest = torch.cat([rightward, leftward], 1).max(0).values  # [10]
        assert torch.allclose(model.project(largest), embedding, atol=1e-6)


def test_a_caption_does_not_depend_on_padding_or_on_its_neighbours():
    model = MaxLSTM(4, 5)
    with torch.no_grad():
        for (
            name,
            value,
        ) in model.lstm.named_parameters():  # makes all states negative: zeros of padding would be the maximum
            if name.startswith("bias"):
                value[10:15] = -3.0
    vectors, lengths = captions()
    embeddings = model(vectors, lengths)
    padding = torch.full((6, 3, 4), 7.0)
    assert torch.allclose(model(torch.cat([vectors, padding], 1), lengths), embeddings, atol=1e-6)
    alone = torch.cat([model(row[None, :n], n[None]) for row, n in zip(vectors, lengths, strict=True)])
    assert torch.allclose(alone, embeddings, atol=1e-6)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    assert torch.allclose(model(vectors[order], lengths[order]), embeddings[order], atol=1e-6)


def test_gradients_are_finite_and_reach_no_padding():
    model = MaxLSTM(4, 5)
    vectors, lengths = captions()
    vectors.requires_grad_()
    model(vectors, lengths).square().sum().backward()
    real = torch.arange(9)[None] < lengths[:, None]
    assert torch.isfinite(vectors.grad).all() and vectors.grad[~real].eq(0).all() and vectors.grad[real].ne(0).any()


def test_learned_words_are_read_by_the_same_lstm_and_hidden_in_training_alone():
    torch.manual_seed(0)
    model = WordLSTM(20, 4, 5, dropout=0.5)
    ids, lengths = torch.randint(1, 20, (3, 6)), torch.tensor([6, 2, 4])
    ids *= torch.arange(6)[None] < lengths[:, None]
    assert not torch.allclose(model(ids, lengths), model(ids, lengths))
    model.eval()
    assert torch.equal(model(ids, lengths), model.lstm(model.words(ids), lengths))
    assert not torch.allclose(model(ids, lengths).norm(dim=-1), torch.ones(3), atol=1e-2)


def test_the_order_of_words_matters():
    model = WordLSTM(20, 8, 5).eval()
    embeddings = model(torch.tensor([[3, 4, 5], [5, 4, 3]]), torch.tensor([3, 3]))
    assert not torch.allclose(embeddings[0], embeddings[1], atol=1e-4)


def test_a_caption_without_words_is_refused():
    with pytest.raises(RuntimeError):
        MaxLSTM(4, 5)(torch.zeros(1, 3, 4), torch.tensor([0]))
