"""Relation fragments against a loop over words, and fragments that keep their length."""

import pytest
import torch

from itm_tutorial.data.parsing import RELATIONS, WorldParser, parse_captions, parse_tensors
from itm_tutorial.encoders.fragments import RegionFragments, RelationFragments

CAPTIONS = [
    "Two girls in white stand beside a lady in blue.",
    "A dog.",
    "cat",
    "A red car and a small van on the grass.",
]


def read(captions):
    """Word ids that count the words of all captions, and their parse."""
    parses = parse_captions(captions, WorldParser("scenes"))
    known = {word: 4 + i for i, word in enumerate(sorted({w for p in parses for w in p.words}))}
    tensors = parse_tensors(parses, ends=True)
    ids = torch.zeros_like(tensors["heads"])
    for row, parse in enumerate(parses):
        numbers = [1, *(known[word] for word in parse.words), 2]
        ids[row, : len(numbers)] = torch.tensor(numbers)
    lengths = torch.tensor([len(p.words) + 2 for p in parses])
    return parses, ids, lengths, tensors["heads"], tensors["relations"]


def test_a_fragment_is_its_relation_s_map_of_head_and_dependent():
    encoder = RelationFragments(40, 3, 4).double()
    torch.nn.init.normal_(encoder.bias)
    parses, ids, lengths, heads, relations = read(CAPTIONS)
    vectors, mask = encoder(ids, lengths, heads, relations)
    assert mask.sum(1).tolist() == [len(p.words) for p in parses]
    words = encoder.words.weight.tolist()
    for row, parse in enumerate(parses):
        for w, (head, relation) in enumerate(zip(parse.heads, parse.relations, strict=True)):
            pair = words[ids[row, head + 1]] + words[ids[row, w + 1]]  # the numbers of both words, one list
            kind = RELATIONS.index(relation)
            for k in range(4):
                value = sum(a * b for a, b in zip(encoder.weight[kind, k].tolist(), pair, strict=True))
                expected = max(0.0, value + encoder.bias[kind, k].item())
                assert vectors[row, w + 1, k].item() == pytest.approx(expected, abs=1e-10)
    assert vectors[~mask].abs().sum() == 0


def test_a_fragment_does_not_depend_on_the_batch():
    encoder = RelationFragments(40, 3, 4).double()
    _, ids, lengths, heads, relations = read(CAPTIONS)
    together = encoder(ids, lengths, heads, relations).vectors
    for row, n in enumerate(lengths.tolist()):
        alone = encoder(
            *(x[row : row + 1, :n] for x in (ids,)), lengths[:1], heads[row : row + 1, :n], relations[row : row + 1, :n]
        )
        assert torch.allclose(alone.vectors[0], together[row, :n], atol=1e-12)


def test_head_and_dependent_are_told_apart_and_so_are_relations():
    encoder = RelationFragments(10, 3, 4)
    ids, lengths = torch.tensor([[1, 5, 6, 2]]), torch.tensor([4])
    det, amod = (1 + RELATIONS.index(name) for name in ("det", "amod"))
    root = 1 + RELATIONS.index("root")

    def fragment(heads, relations, place):
        return encoder(ids, lengths, torch.tensor([heads]), torch.tensor([relations])).vectors[0, place]

    first = fragment([0, 2, 2, 0], [0, det, root, 0], 1)  # word 1 hangs on word 2
    assert not torch.allclose(first, fragment([0, 2, 2, 0], [0, amod, root, 0], 1))
    assert not torch.allclose(first, fragment([0, 1, 1, 0], [0, root, det, 0], 2))  # word 2 hangs on word 1


def test_regions_keep_the_length_they_get():
    encoder = RegionFragments(6, 5)
    features = torch.rand(2, 3, 6)
    embeddings = encoder(features)
    assert torch.allclose(encoder(7 * features), embeddings, atol=1e-6)  # of features the direction alone counts
    assert not torch.allclose(embeddings.norm(dim=2), torch.ones(2, 3), atol=1e-2)
    expected = features / features.norm(dim=2, keepdim=True) @ encoder.project.weight.T + encoder.project.bias
    assert torch.allclose(embeddings, expected, atol=1e-6)


def test_training_hides_the_same_numbers_in_all_regions_of_an_image():
    encoder = RegionFragments(6, 5, dropout=0.5).train()
    embeddings = encoder(torch.rand(3, 1, 6).expand(3, 4, 6))
    assert torch.allclose(embeddings, embeddings[:, :1].expand_as(embeddings), atol=1e-6)
