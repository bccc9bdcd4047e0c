"""The exercises of chapter 10: right answers pass, however they are written, and typical mistakes are named."""

import pytest
import torch
from torch.nn.functional import cross_entropy, log_softmax, nll_loss, normalize

from itm_tutorial.chapters.ch10_sentences import exercises
from itm_tutorial.losses.ranking import SumOfHinges


def sizes_by_reachability(heads, lengths):
    """A matrix of who is below whom, squared until it no longer changes."""
    n, seq_len = heads.shape
    real = torch.arange(seq_len) < lengths[:, None]
    below = torch.eye(seq_len).expand(n, -1, -1).clone()
    below.scatter_(1, heads[:, None], 1.0)  # [n, above, word]
    below = below * real[:, None] * real[:, :, None]
    for _ in range(seq_len):
        below = (below @ below).clamp(max=1)
    return below.sum(2).long()


def sizes_from_the_leaves(heads, lengths):
    sizes = (torch.arange(heads.shape[1]) < lengths[:, None]).long()
    own = sizes
    place = torch.arange(heads.shape[1])
    for _ in range(heads.shape[1]):
        sizes = own + torch.zeros_like(own).scatter_add(1, heads, sizes * (heads != place))
    return sizes * own


def sizes_by_walks(heads, lengths):
    rows = []
    for row, length in zip(heads.tolist(), lengths.tolist(), strict=True):
        counts = [0] * len(row)
        for word in range(length):
            counts[word] += 1
            while row[word] != word:
                word = row[word]
                counts[word] += 1
        rows.append(counts)
    return torch.tensor(rows)


def level_by_adjacency(words, states, sizes, heads, relations, matrices, here):
    seq_len = heads.shape[1]
    child_of = torch.nn.functional.one_hot(heads, seq_len).transpose(1, 2).float()  # [n, head, child]
    sent = (matrices[relations] @ states[..., None])[..., 0] * sizes[..., None]
    new = torch.tanh((words + child_of @ sent) / sizes[..., None].clamp(min=1))
    return new * here[..., None] + states * ~here[..., None]


def level_by_relations(words, states, sizes, heads, relations, matrices, here):
    sent = sum(
        (states @ matrix.T) * (relations == number)[..., None] * sizes[..., None]
        for number, matrix in enumerate(matrices)
    )
    total = torch.stack([w.index_add(0, h, s) for w, h, s in zip(words, heads, sent, strict=True)])
    found = states.clone()
    found[here] = torch.tanh(total[here] / sizes[here][:, None])
    return found


def level_by_words(words, states, sizes, heads, relations, matrices, here):
    found = states.clone()
    for n, w in here.nonzero().tolist():
        children = [c for c in range(heads.shape[1]) if heads[n, c] == w and c != w and sizes[n, c]]
        total = words[n, w] + sum(sizes[n, c] * (matrices[relations[n, c]] @ states[n, c]) for c in children)
        found[n, w] = torch.tanh(total / sizes[n, w])
    return found


def hops_by_captions(states, lengths, w1, w2):
    found = torch.zeros(len(states), len(w2), states.shape[1])
    for i, n in enumerate(lengths.tolist()):
        found[i, :, :n] = torch.softmax(w2 @ torch.tanh(w1 @ states[i, :n].T), 1)
    return found


def hops_by_exponentials(states, lengths, w1, w2):
    real = torch.arange(states.shape[1]) < lengths[:, None]
    scores = torch.einsum("ou,nwu->now", w2, torch.einsum("ud,nwd->nwu", w1, states).tanh())
    scores = scores.where(real[:, None], torch.tensor(-torch.inf))
    raised = (scores - scores.amax(2, keepdim=True)).exp()
    return raised / raised.sum(2, keepdim=True)


def hops_as_in_the_public_code(states, lengths, w1, w2):
    padding = (torch.arange(states.shape[1]) >= lengths[:, None]).float()
    scores = torch.tanh(states @ w1.T) @ w2.T
    return (scores.transpose(1, 2) - 1e9 * padding[:, None]).softmax(2)


def flat_by_hops(attention, states, weight, bias):
    parts = weight.reshape(len(weight), attention.shape[1], -1)  # [embed_dim, n_hops, dim]
    return normalize(torch.einsum("nhw,nwd,ehd->ne", attention, states, parts) + bias, dim=1).abs()


def flat_by_linear(attention, states, weight, bias):
    hops = torch.bmm(attention, states).reshape(len(states), -1)
    return torch.abs(normalize(torch.nn.functional.linear(hops, weight, bias), dim=-1))


def flat_by_captions(attention, states, weight, bias):
    rows = [(weight @ (a @ h).reshape(-1) + bias).abs() for a, h in zip(attention, states, strict=True)]
    return torch.stack([row / row.square().sum().sqrt() for row in rows])


def hinge_by_package(scores, image_of, margin):
    positives = torch.arange(len(scores))[:, None] == image_of
    return SumOfHinges(margin)(scores, positives)


def hinge_by_pairs(scores, image_of, margin):
    total = torch.zeros(())
    for j, i in enumerate(image_of.tolist()):
        total = total + (margin - scores[i, j] + scores[i][image_of != i]).relu().sum()
        total = total + (margin - scores[i, j] + scores[torch.arange(len(scores)) != i, j]).relu().sum()
    return total


def hinge_by_images(scores, image_of, margin):
    total = 0
    for i, row in enumerate(scores):
        mine = image_of == i
        total = total + (margin - row[mine][:, None] + row[~mine][None]).clamp(min=0).sum()
        others = torch.cat([scores[:i], scores[i + 1 :]])[:, mine]
        total = total + (margin - row[mine][None] + others).clamp(min=0).sum()
    return total


RIGHT = {
    "subtree_sizes": [sizes_by_reachability, sizes_from_the_leaves, sizes_by_walks],
    "compose_level": [level_by_adjacency, level_by_relations, level_by_words],
    "attention_hops": [hops_by_captions, hops_by_exponentials, hops_as_in_the_public_code],
    "flatten_hops": [flat_by_hops, flat_by_linear, flat_by_captions],
    "hinge_of_other_images": [hinge_by_package, hinge_by_pairs, hinge_by_images],
    "probe_loss": [
        cross_entropy,
        lambda x, y: nll_loss(log_softmax(x, 1), y),
        lambda x, y: -x.log_softmax(1)[torch.arange(len(y)), y].mean(),
    ],
    "majority_line": [
        lambda a, b: 100 * float((b == a.mode().values).sum()) / len(b),
        lambda a, b: 100 * b.tolist().count(max(a.tolist(), key=a.tolist().count)) / len(b),
        lambda a, b: 100 * (b == a.unique()[a.unique(return_counts=True)[1].argmax()]).double().mean().item(),
    ],
    "selectivity": [
        lambda x, y, cx, cy: 100 * ((x.argmax(1) == y).sum() / len(y) - (cx.argmax(1) == cy).sum() / len(cy)).item(),
        lambda x, y, cx, cy: exercises.selectivity.reference(x, y, cx, cy),
        lambda x, y, cx, cy: sum(
            sign
            * 100
            * sum(int(row.argmax()) == int(label) for row, label in zip(rows, labels, strict=True))
            / len(rows)
            for sign, rows, labels in ((1, x, y), (-1, cx, cy))
        ),
    ],
}


def padded(value):
    return lambda h, n, w1, w2: exercises._filled(h, n, exercises._scores(h, w1, w2), value).softmax(1).transpose(1, 2)


WRONG = {
    "subtree_sizes": [
        (lambda h, n: sizes_by_walks(h, n).float(), "gives float32 numbers"),
        (lambda h, n: sizes_by_walks(h, n).clamp(max=3), "and right is"),
        (lambda h, n: sizes_by_walks(h, n).clamp(min=1), "and right is 0"),
        (lambda h, n: sizes_by_walks(h, n - 1), "and right is"),
        (lambda h, n: sizes_by_walks(h, n)[0], "the right shape is"),
    ],
    "compose_level": [
        (lambda x, h, s, *r: level_by_words(x, h, s, *r).clamp(min=0), "and right is -"),
        (lambda x, h, s, *r: level_by_words(x, h, s.clamp(max=2), *r), "and right is"),
        (lambda x, h, s, *r: level_by_words(x, h, s, *r) * r[-1][..., None], "and right is"),
        (lambda x, h, s, *r: level_by_words(2 * x, h, s, *r), "and right is"),
        (lambda x, h, s, *r: level_by_words(x, h.abs(), s, *r), "and right is"),
    ],
    "attention_hops": [
        (padded(-1.0), "and right is"),
        (padded(-30.0), "and right is"),
        (lambda h, n, w1, w2: hops_by_captions(h, n, w1, w2).round(decimals=2), "and right is"),
        (lambda h, n, w1, w2: hops_by_captions(h, n.clamp(max=2), w1, w2), "and right is"),
        (lambda h, n, w1, w2: hops_by_captions(h, n, w1, w2 / len(w1) ** 0.5), "and right is"),
        (lambda h, n, w1, w2: hops_by_captions(h, n, w1, w2).mean(1), "the right shape is"),
    ],
    "flatten_hops": [
        (lambda a, h, w, b: flat_by_hops(a.flip(1), h, w, b), "right for a single hop"),
        (lambda a, h, w, b: flat_by_hops(a[:, :1].expand_as(a), h, w, b), "right for a single hop"),
        (lambda a, h, w, b: flat_by_hops(a, h, w, b).square(), "and right is"),
        (lambda a, h, w, b: flat_by_hops(a, h, w.abs(), b), "and right is"),
        (lambda a, h, w, b: flat_by_hops(a, h, w, b) / len(b), "and right is"),
    ],
    "hinge_of_other_images": [
        (lambda s, of, m: hinge_by_package(s, of, 0.2), "and right is"),
        (lambda s, of, m: hinge_by_package(s.abs(), of, m), "and right is"),
        (lambda s, of, m: hinge_by_package(s, of, m) / 2, "and right is"),
        (lambda s, of, m: hinge_by_package(s, of, m).item(), "needs a tensor"),
        (lambda s, of, m: hinge_by_package(s.softmax(1), of, m), "and right is"),
    ],
    "probe_loss": [
        (lambda x, y: cross_entropy(x.softmax(1), y), "The softmax is applied twice"),
        (lambda x, y: cross_entropy(x, y, label_smoothing=0.1), "and right is"),
        (lambda x, y: -(x.softmax(1) + 1e-3).log().gather(1, y[:, None]).mean(), "and right is"),
        (lambda x, y: cross_entropy(x.log_softmax(1).clamp(min=-3), y), "and right is"),
        (lambda x, y: cross_entropy(x, y).item(), "needs a tensor"),
        (lambda x, y: cross_entropy(x.sigmoid(), y), "and right is"),
    ],
    "majority_line": [
        (lambda a, b: round(exercises.majority_line.own(a, b)), "and right is"),
        (lambda a, b: 100 * (b == a.median()).double().mean().item(), "and right is"),
        (lambda a, b: 100 * a.bincount().max().item() / len(a), "This is the accuracy on the training items"),
        (lambda a, b: 100 * b.bincount().max().item() / len(b), "You chose the label by the test items"),
        (lambda a, b: 100 * (b == b[0]).double().mean().item(), "and right is"),
    ],
    "selectivity": [
        (lambda *x: round(exercises.selectivity.own(*x)), "and right is"),
        (lambda *x: abs(exercises.selectivity.own(*x)), "and right is"),
        (lambda x, y, cx, cy: exercises.selectivity.own(-x, y, -cx, cy), "and right is"),
        (lambda *x: exercises.selectivity.own(*x) / 2, "and right is"),
        (lambda *x: torch.tensor(exercises.selectivity.own(*x)), "needs a plain number"),
    ],
}
each_exercise = pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda e: e.name)


@each_exercise
def test_right_answers_pass(exercise, exercise_checks):
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each_exercise
def test_wrong_answers_are_named(exercise, exercise_checks):
    assert len(WRONG[exercise.name]) >= 5
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])


def test_the_tree_of_the_fact_sheet():
    """Four words, identity in place of the tanh: with every weight at 1 the root's state is the mean of all words."""
    heads = torch.tensor([[0, 0, 0, 2]])
    sizes = exercises.subtree_sizes.own(heads, torch.tensor([4]))
    assert sizes.tolist() == [[4, 1, 2, 1]]
    small = 1e-3  # where the tanh is the identity
    words, ones = small * torch.tensor([[[1.0], [2.0], [3.0], [4.0]]]), torch.ones(1, 1, 1)
    states, relations = torch.zeros(1, 4, 1), torch.zeros(1, 4, dtype=torch.int64)
    for level in ([1, 3], [2], [0]):
        here = torch.zeros(1, 4, dtype=torch.bool)
        here[0, level] = True
        states = exercises.compose_level.own(words, states, sizes, heads, relations, ones, here)
    assert states[0, 0].item() / small == pytest.approx(2.5, abs=1e-4)


def test_the_attention_of_the_fact_sheet():
    """Without weights every hop is the mean of the real words: 2 for the words 1 and 3, whatever the padding holds."""
    states = torch.tensor([[[1.0], [3.0], [100.0]]])
    attention = exercises.attention_hops.own(states, torch.tensor([2]), torch.ones(2, 1), torch.zeros(4, 2))
    assert (attention @ states).flatten().tolist() == [2.0] * 4
