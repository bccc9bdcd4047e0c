"""The measures of SDT-RNN's claim: ranks by a loop, reordered captions, and trees with shuffled words."""

from types import SimpleNamespace

import torch

from itm_tutorial.chapters.ch10_sentences.measures import sdt_rnn
from itm_tutorial.chapters.ch10_sentences.measures.sdt_rnn import ShuffledTrees, agreement, reordered
from itm_tutorial.models import create_model


def test_agreement_equals_the_loops(tiny, monkeypatch):
    monkeypatch.setattr(sdt_rnn, "CHUNK", 7)
    split, n = tiny.test, len(tiny.test.captions)
    vectors = torch.nn.functional.normalize(torch.randn(n, 3).double(), dim=1)
    rows = {caption: row for row, caption in enumerate(split.captions)}
    captions = [f"{number} {caption}" for number, caption in enumerate(split.captions)]  # each is another one
    numbered = SimpleNamespace(**{**vars(split), "captions": captions})
    model = SimpleNamespace(encode_captions=lambda some: 5 * vectors[[int(one.split()[0]) for one in some]])
    query, answer = (torch.tensor([0, 4]), torch.tensor([1, 3]))
    monkeypatch.setattr(sdt_rnn, "reordered", lambda split: (query, answer))
    found = agreement(SimpleNamespace(corpus=SimpleNamespace(test=numbered), model=model))
    near, image_of = (vectors @ vectors.T).tolist(), split.image_of.tolist()

    def rank(one, best):
        return 1 + sum(near[one][c] >= best for c in range(n) if image_of[c] != image_of[one])

    best = [max(near[q][c] for c in range(n) if image_of[c] == image_of[q] and c != q) for q in range(n)]
    assert abs(found["same_image"] - sum(rank(q, b) for q, b in enumerate(best)) / n) < 1e-9
    assert found["reordered"] == (rank(0, near[0][1]) + rank(4, near[4][3])) / 2 and found["reordered_pairs"] == 2
    assert len(rows) <= n


def test_reordered_captions_state_the_same_of_the_same_image_in_another_order(tiny):
    split = tiny.train
    query, answer = reordered(split)
    assert len(query) and set(zip(query.tolist(), answer.tolist(), strict=True)) == set(
        zip(answer.tolist(), query.tolist(), strict=True)
    )
    for a, b in zip(query.tolist(), answer.tolist(), strict=True):
        assert split.image_of[a] == split.image_of[b] and a != b
        assert split.facts.of_caption[a] == split.facts.of_caption[b]
        meant = [[w.meaning for w in split.facts.truths[c].words if w.meaning is not None] for c in (a, b)]
        assert meant[0] != meant[1]


def test_shuffled_trees_keep_their_shape_and_nothing_else_changes(tiny):
    model, captions = create_model("sdt_rnn", tiny), tiny.val.captions[:8]
    own = model.tokenize(captions)
    model.text_input = ShuffledTrees()
    shuffled, again = model.tokenize(captions), model.tokenize(captions[::-1])
    assert torch.equal(own.ids, shuffled.ids)
    assert torch.equal(own.per_word["relations"], shuffled.per_word["relations"])
    assert not torch.equal(own.per_word["heads"], shuffled.per_word["heads"])
    for row, n in enumerate(own.lengths.tolist()):
        assert torch.equal(shuffled.per_word["heads"][row, :n], again.per_word["heads"][7 - row, :n])  # always alike
        children = [sorted(t.per_word["heads"][row, 1 : n - 1].bincount().tolist()) for t in (own, shuffled)]
        assert [c for c in children[0] if c] == [c for c in children[1] if c]
    assert model.encode_captions(captions).isfinite().all()  # they are trees still
