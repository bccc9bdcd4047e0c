"""Every check takes right answers, however they are written, and names what is wrong with typical wrong ones."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cosine_similarity

from itm_tutorial.chapters.ch00_start_here import exercises as start_here
from itm_tutorial.chapters.ch00_start_here.exercises import cosine_scores, image_ranks, recall_at_k
from itm_tutorial.chapters.ch01_devise import exercises as devise
from itm_tutorial.chapters.ch02_vsepp import exercises as vsepp
from itm_tutorial.chapters.ch03_scan import exercises as scan
from itm_tutorial.chapters.ch04_timam import exercises as timam
from itm_tutorial.chapters.ch90_literature import exercises as literature
from itm_tutorial.chapters.feedback import difference
from itm_tutorial.evaluation.retrieval_metrics import evaluate, evaluate_folds


def cosine_by_division(images, captions):
    lengths = images.norm(dim=1)[:, None] * captions.norm(dim=1)[None, :]
    return torch.einsum("id,cd->ic", images, captions) / lengths


def ranks_by_pairs(scores, image_of):
    places = torch.ones(scores.shape[1], dtype=torch.int64)
    for caption in range(scores.shape[1]):
        for image in range(scores.shape[0]):
            if image != image_of[caption] and not scores[image, caption] < scores[image_of[caption], caption]:
                places[caption] += 1
    return places


def ranks_by_sorting(scores, image_of):
    ascending = scores.sort(dim=0).values.T.contiguous()  # [n_captions, n_images]
    right = scores.gather(0, image_of[None]).T.contiguous()
    return len(scores) - torch.searchsorted(ascending, right)[:, 0]


def recall_by_counting(ranks, k):
    hits = 0
    for rank in ranks:
        if int(rank) - 1 < k:
            hits = hits + 1
    return hits * 100 / ranks.numel()


def rank_loss_by_mask(scores, right, margin):
    n, m = scores.shape
    wrong = torch.arange(m)[None, :] != right[:, None]
    costs = torch.relu(scores - scores[torch.arange(n), right][:, None] + margin)
    return costs[wrong].sum() / n


def rank_loss_by_rows(scores, right, margin):
    return torch.stack(
        [(margin - s[y] + s).clamp(min=0).sum() - margin for s, y in zip(scores, right, strict=True)]
    ).mean()


def precision_by_sets(scores, identity, distances, k):
    hits = 0
    for row, y in zip(scores, identity, strict=True):
        reach = distances[y].sort().values[k - 1]
        near = set((distances[y] <= reach).nonzero().flatten().tolist())
        hits += len(near & set(row.argsort(descending=True)[:k].tolist()))
    return 100 * hits / (k * len(scores))


def precision_by_mask(scores, identity, distances, k):
    stated = torch.zeros_like(scores).scatter(1, scores.topk(k).indices, 1.0)
    from_right = distances[identity]
    near = from_right <= from_right.kthvalue(k, dim=1, keepdim=True).values
    return float((stated * near).sum(1).div(k).mean() * 100)


def occurrence_by_ranks(scores, k):
    return (scores.argsort(1, descending=True).argsort(1) < k).sum(0)


def occurrence_by_adding(scores, k):
    counts = torch.zeros(scores.shape[1], dtype=torch.int64)
    for row in scores:
        counts[row.topk(k).indices] += 1
    return counts


def bias_by_hand(scores, words):
    lengths = torch.sqrt((words * words).sum(-1))
    return lengths[scores.max(1).indices].mean().item() / lengths.mean().item()


def hardest_by_sorting(scores, margin):
    found = scores.new_zeros(())
    for s in (scores, scores.T):
        for i, row in enumerate(s):
            wrong = torch.cat([row[:i], row[i + 1 :]]).sort().values[-1]
            found = found + torch.relu(margin + wrong - row[i])
    return found


def hardest_by_masking_scores(scores, margin):
    wrong = scores - 1e9 * torch.eye(len(scores))
    return sum(torch.relu(margin - scores.diag() + wrong.max(d).values).sum() for d in (0, 1))


def caption_recall_by_first(scores, image_of):
    hits = []
    for image in image_of.unique().tolist():
        order = sorted(range(len(image_of)), key=lambda c: (-scores[image, c].item(), image_of[c] == image))
        hits.append(image_of[order[0]] == image)
    return 100 * sum(map(bool, hits)) / len(hits)


def folds_by_evaluating(scores, image_of, n_folds):
    return evaluate_folds(scores, image_of, n_folds).t2i.r1


def folds_by_chunks(scores, image_of, n_folds):
    recalls = []
    for images in torch.arange(len(scores)).chunk(n_folds):
        ranks = []
        for caption, image in enumerate(image_of.tolist()):
            if image in images:
                column = scores[images, caption]
                ranks.append(int((column >= scores[image, caption]).sum()))
        recalls.append(recall_by_counting(torch.tensor(ranks), 1))
    return float(np.mean(recalls))


def bug_by_loops(loss):
    scores = torch.tensor([[0.5, 0.6, 0.7], [0.9, 0.5, 0.2], [-0.9, -0.9, 0.8]])
    right = vsepp.hardest_negative_loss.own(scores, 0.1).item()
    summary = {round(right, 4): 0}
    summary[round(right + 0.2, 4)] = 1  # the last pair pays its own margin, in both directions
    found = round(loss(scores, 0.1).item(), 4)
    return (
        summary[found]
        if found in summary
        else 4
        if abs(found * 6 - right) < 1e-3
        else 3
        if loss(torch.eye(2), 0) < 0
        else 2
    )


def bug_by_guessing_once(loss):
    for number, other in enumerate(vsepp.SUSPECTS):
        scores = torch.randn(5, 5, generator=torch.Generator().manual_seed(1)) + 1.5 * torch.eye(5)
        if torch.allclose(loss(scores, 0.2), other(scores, 0.2)):
            return number


def normalised_by_rows(similarities):
    rectified = torch.where(similarities > 0, similarities, similarities / 10)
    return torch.stack([row / max(float((row * row).sum()) ** 0.5, 1e-8) for row in rectified])


def weights_by_columns(normalised, smooth):
    columns = [torch.softmax(smooth * normalised[:, word], 0) for word in range(normalised.shape[1])]
    return torch.stack(columns, 1)


def weights_by_exponentials(normalised, smooth):
    raised = torch.exp(normalised * smooth)
    return raised / raised.sum(0)


def attended_by_words(regions, words, weights):
    attended = [(weights[:, w, None] * regions).sum(0) for w in range(len(words))]
    return torch.stack([cosine_similarity(a, e, dim=0) for a, e in zip(attended, words, strict=True)])


def gram_by_words(similarities, weights, gram):
    return torch.stack([(a @ s) / (a @ gram @ a).sqrt() for a, s in zip(weights.T, similarities.T, strict=True)])


def gram_by_diagonal(similarities, weights, gram):
    return (weights.T @ similarities).diag() / (weights.T @ gram @ weights).diag().sqrt()


def pooled_by_captions(cosines, there, lse):
    rows = [row[mask] for row, mask in zip(cosines, there, strict=True)]
    if lse is None:
        return torch.stack([row.mean() for row in rows])
    return torch.stack([torch.logsumexp(lse * row, 0) / lse for row in rows])


def pooled_by_weights(cosines, there, lse):
    if lse is None:
        return (cosines * there).sum(1) / there.float().sum(1)
    return ((lse * cosines).exp() * there).sum(1).log() / lse


def pointing_by_words(weights, boxes, named):
    found = []
    for word in range(len(named)):
        box = boxes[int(weights[:, word].argmax())]
        x, y = float(box[0::2].mean()), float(box[1::2].mean())
        left, top, right, bottom = named[word].tolist()
        found.append(left < x < right and top < y < bottom)
    return sum(found) * 100 / len(found)


def pointing_by_chunks(weights, boxes, named):
    middle = torch.stack(boxes[weights.max(0).indices].chunk(2, dim=1)).mean(0)
    low, high = named.chunk(2, dim=1)
    return float(((middle - low) * (high - middle) > 0).all(1).float().mean() * 100)


def rerank_by_masking(quick, expensive, k):
    order = quick.argsort(descending=True)[:k]
    costly = torch.full_like(quick, -torch.inf)
    costly[order] = expensive(order)
    return costly.topk(k).indices


def rerank_by_pairs(quick, expensive, k):
    shortlist = quick.topk(k).indices
    pairs = sorted(zip(expensive(shortlist).tolist(), shortlist.tolist(), strict=True), reverse=True)
    return torch.tensor([image for _, image in pairs])


def record_by_sorting(years, values):
    rows = sorted((y, v) for y, v in zip(years.tolist(), values.tolist(), strict=True) if v == v)
    record, steps = -np.inf, {}
    for year, value in rows:
        record = max(record, value)
        steps[year] = record
    for before, year in zip(years.unique().tolist(), years.unique().tolist()[1:], strict=False):
        steps.setdefault(year, steps[before])  # a year whose figures are all missing
    return torch.tensor([steps[year] for year in years.unique().tolist()], dtype=values.dtype)


def record_by_masks(years, values):
    known = torch.where(values.isnan(), torch.full_like(values, -1e9), values)
    return torch.stack([known.masked_fill(years > year, -1e9).max() for year in years.unique()])


def suspicious_by_slopes(r1, r5, r10):
    early, late = (r5 - r1) / 4, (r10 - r5) / 5
    return (early < 0) | (late < 0) | (late > early)


def suspicious_by_rows(r1, r5, r10):
    summary = []
    for a, b, c in torch.stack([r1, r5, r10], 1).tolist():
        summary.append(any((a > b, b > c, 4 * (c - b) > 5 * (b - a))))
    return torch.tensor(summary)


def paired_by_names(dataset, method, network, value):
    names = list(zip(dataset.tolist(), method.tolist(), strict=True))
    before, after = ({n: v for n, k, v in zip(names, network, value, strict=True) if k == side} for side in (0, 1))
    return float(np.mean([float(after[n] - before[n]) for n in before if n in after]))


def paired_by_matrix(dataset, method, network, value):
    pair = (dataset[:, None] == dataset) & (method[:, None] == method)
    pair &= (network[:, None] == 1) & (network == 0)
    return (value[:, None] - value)[pair].mean().item()


def merged_by_asking(mine, theirs):
    rows = list(mine)
    for row in theirs:
        if not any(torch.equal(row, other) for other in rows):
            rows.append(row)
    return torch.stack(rows)


def merged_by_first_places(mine, theirs):
    both = torch.cat([mine, theirs])
    same = (both[:, None] == both[None]).all(2)
    return both[same.float().argmax(1) == torch.arange(len(both))]


def shares_by_rows(images, captions):
    lengths = (captions * captions).sum(1).sqrt()
    return torch.stack([torch.softmax((captions @ image) / lengths, 0) for image in images])


def targets_by_rows(match):
    return torch.stack([row / row.sum() for row in match.float()])


def divergence_by_logs(shares, targets):
    rows = [(p * (p.log() - (q + 1e-8).log())).sum() for p, q in zip(shares, targets, strict=True)]
    return sum(rows) / len(rows)


def max_by_captions(states, lengths):
    return torch.stack([rows[:n].max(0).values for rows, n in zip(states, lengths.tolist(), strict=True)])


def max_by_weights(states, lengths):
    real = torch.arange(states.shape[1]) < lengths[:, None]
    return torch.where(real[:, :, None], states, torch.full_like(states, -1e30)).max(dim=1).values


def person_recall_by_ranks(scores, shown, described, k):
    right = shown[:, None] == described[None]
    best = scores.masked_fill(~right, -torch.inf).amax(0)
    return 100 * float(((scores > best).sum(0) < k).float().mean())


def person_recall_by_captions(scores, shown, described, k):
    hits = [who in shown[column.argsort(descending=True)[:k]] for column, who in zip(scores.T, described, strict=True)]
    return 100 * sum(hits) / len(hits)


def precision_by_classes(scores, identity, k):
    shares = [(identity[column.topk(k).indices] == c).double().mean() for c, column in enumerate(scores.T)]
    return 100 * float(sum(shares) / len(shares))


def precision_by_one_hot(scores, identity, k):
    own = torch.nn.functional.one_hot(identity, scores.shape[1]).double()
    return float(own.gather(0, scores.argsort(0, descending=True)[:k]).mean() * 100)


RIGHT = {
    "projection_shares": [
        shares_by_rows,
        lambda i, c: torch.softmax(i @ torch.nn.functional.normalize(c, dim=-1).T, -1),
    ],
    "matching_targets": [targets_by_rows, lambda m: torch.nn.functional.normalize(m.float(), p=1, dim=1)],
    "divergence": [
        divergence_by_logs,
        lambda p, q: torch.nn.functional.kl_div((q + 1e-8).log(), p, reduction="batchmean"),
    ],
    "norm_softmax_logits": [lambda c, w, s: s * cosine_by_division(c, w), lambda c, w, s: s * cosine_scores.own(c, w)],
    "max_over_words": [max_by_captions, max_by_weights],
    "person_recall": [person_recall_by_ranks, person_recall_by_captions],
    "held_out": [
        lambda identity, order, n: (identity[:, None] == order[None, :n]).any(1),
        lambda identity, order, n: torch.tensor([who in order[:n].tolist() for who in identity.tolist()]),
    ],
    "precision_at_k": [precision_by_classes, precision_by_one_hot],
    "record_by_year": [record_by_sorting, record_by_masks],
    "suspicious": [suspicious_by_slopes, suspicious_by_rows],
    "paired_difference": [paired_by_names, paired_by_matrix],
    "merged": [merged_by_asking, merged_by_first_places],
    "normalised_similarities": [
        normalised_by_rows,
        lambda s: torch.nn.functional.normalize(torch.nn.functional.leaky_relu(s, 0.1), dim=-1),
    ],
    "attention_weights": [weights_by_columns, weights_by_exponentials],
    "attended_cosine": [attended_by_words, lambda v, e, a: cosine_similarity(a.T @ v, e, dim=1)],
    "cosine_by_gram": [gram_by_words, gram_by_diagonal],
    "pooled": [pooled_by_captions, pooled_by_weights],
    "pointing_game": [pointing_by_words, pointing_by_chunks],
    "rerank": [rerank_by_masking, rerank_by_pairs],
    "hardest_negative_loss": [hardest_by_sorting, hardest_by_masking_scores],
    "top_k_loss": [
        lambda c, k: c.sort(dim=1, descending=True).values[:, :k].sum(),
        lambda c, k: torch.stack([row.topk(min(k, len(row))).values.sum() for row in c]).sum(),
    ],
    "caption_recall": [caption_recall_by_first, lambda s, o: evaluate(s, o).i2t.r1],
    "recall_in_folds": [folds_by_evaluating, folds_by_chunks],
    "collapse_loss": [
        lambda n, m, k: 2 * n * m * (k if k < n else n - 1),
        lambda n, m, k: float(2 * (m * torch.ones(n, n - 1).double()).topk(min(k, n - 1), dim=1).values.sum()),
    ],
    "which_bug": [bug_by_loops, bug_by_guessing_once],
    "without_same_image": [
        lambda c, o: c * (o[:, None] != o),
        lambda c, o: torch.where(o.unsqueeze(1) == o.unsqueeze(0), torch.zeros_like(c), c),
    ],
    "cosine_scores": [cosine_by_division, lambda i, c: cosine_similarity(i[:, None], c[None], dim=-1)],
    "image_ranks": [ranks_by_pairs, ranks_by_sorting],
    "recall_at_k": [recall_by_counting, lambda ranks, k: float(np.mean(ranks.numpy() <= k) * 100)],
    "rank_loss": [rank_loss_by_mask, rank_loss_by_rows],
    "zero_shot": [
        lambda s, c: torch.full_like(s, -torch.inf).index_copy(1, c, s[:, c]).argmax(1),
        lambda s, c: torch.stack([c[row[c].argmax()] for row in s]),
    ],
    "hierarchical_precision": [precision_by_sets, precision_by_mask],
    "k_occurrence": [occurrence_by_ranks, occurrence_by_adding],
    "length_bias": [bias_by_hand, lambda s, w: float(w.norm(dim=-1)[s.argmax(-1)].mean() / w.norm(dim=-1).mean())],
}
LESSONS = (start_here, devise, vsepp, scan, timam, literature)
EXERCISES = [exercise for lesson in LESSONS for exercise in lesson.EXERCISES]
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)


@each_exercise
def test_right_answers_pass(exercise):
    variants = RIGHT[exercise.name]
    assert len(variants) >= 2
    for answer in (exercise.own, exercise.reference, *variants):
        assert exercise.verdict(answer).startswith("Right")
        assert exercise.check(answer) is answer


@each_exercise
def test_wrong_answers_are_named(exercise):
    assert len(exercise.mistakes) >= 4
    assert len({message for _, message in exercise.mistakes}) == len(exercise.mistakes)
    for mistake, message in exercise.mistakes:
        assert exercise.verdict(mistake).startswith(f"Not yet. {message}")
        assert exercise.check(mistake) is exercise.own


@each_exercise
def test_a_stub_is_told_how_to_begin(exercise, capsys):
    def stub(*inputs): ...

    def to_be_done(*inputs):
        raise NotImplementedError

    for unwritten in (stub, to_be_done, lambda *inputs: ..., ..., None):
        assert exercise.check(unwritten) is exercise.own
        summary = " ".join(capsys.readouterr().out.split())
        assert "not written yet" in summary and exercise.hints[0] in summary and f"{exercise.name}.hint(2)" in summary


@each_exercise
def test_hints_grow_plainer_and_the_solution_passes(exercise, capsys):
    for number in (0, 1, 2, 3, 99):
        exercise.hint(number)
    printed = " ".join(capsys.readouterr().out.split())
    summary = printed.split("Hint ")[1:]
    assert summary[0] == summary[1] and summary[3].strip() == summary[4] == f"3 of 3: {exercise.hints[2]}"
    exercise.solution()
    printed = capsys.readouterr().out
    assert printed.startswith(exercise.first_line)
    scope = {"torch": torch, "normalize": torch.nn.functional.normalize}
    exec(printed, scope)
    assert exercise.verdict(scope[exercise.name]).startswith("Right")


def misspelt(images, captions):
    return torch.nn.functional.normalise(images, dim=-1) @ captions.T


def misspelt_argument(images, captions):
    return image @ captions.T  # noqa: F821


def in_place(images, captions):
    images /= images.norm(dim=-1, keepdim=True)
    captions /= captions.norm(dim=-1, keepdim=True)
    return images @ captions.T


def prints_only(images, captions):
    print(cosine_by_division(images, captions).shape)


own = cosine_scores.own
CARELESS = {
    "a list": (lambda i, c: own(i, c).tolist(), "The numbers are right, but cosine_scores gives a list"),
    "an array": (lambda i, c: own(i, c).numpy(), "The numbers are right, but cosine_scores gives a numpy array"),
    "a gradient": (lambda i, c: own(i.requires_grad_(), c), "carries a gradient"),
    "a dtype": (lambda i, c: own(i, c).double(), "gives float64 numbers, and the chapter goes on with torch.float32"),
    "a shape": (lambda i, c: own(i, c)[None], "shape [1, 2, 7], and the right shape is [2, 7], [n_images, n_captions]"),
    "NaN": (lambda i, c: own(i, c) * 0 / 0, "gives NaN"),
    "an infinity": (lambda i, c: torch.full_like(own(i, c), torch.inf), "gives an infinity"),
    "a text": (lambda i, c: "0.5", "gives a text, which is no tensor"),
    "no return": (prints_only, "gives nothing back: end it with return"),
    "a print": (prints_only, "The first line that it printed: torch.Size([2, 7])"),
    "in place": (in_place, "The numbers are right, but cosine_scores changes images and captions"),
    "no function": (
        torch.zeros(2),
        "is a Tensor here, and no function: start with def cosine_scores(images, captions):",
    ),
    "one argument": (lambda images: images, "takes (images), and the chapter calls it otherwise: start with def"),
    "three arguments": (lambda i, c, k: i, "takes (i, c, k), and the chapter calls it otherwise"),
    "a typing error": (misspelt, "Did you mean normalize?"),
    "a wrong name": (misspelt_argument, "Did you mean images? It was called with images [2, 3], captions [7, 3]."),
    "an error": (lambda i, c: i @ c, "stopped with RuntimeError"),
    "one kind only": (
        lambda i, c: own(i, c).squeeze(),
        "It is right for vectors of any length and vectors of length 1, and wrong for a single image.",
    ),
    "lengths kept": (
        lambda i, c: i @ c.T,
        "It is right for vectors of length 1, and wrong for vectors of any length and a single",
    ),
    "a number": (lambda i, c: own(i, c) + (i.norm(dim=1)[:, None] > 2), "and right is"),
}


@pytest.mark.parametrize("what", CARELESS)
def test_a_careless_answer_has_its_own_words(what):
    answer, words = CARELESS[what]
    summary = cosine_scores.verdict(answer)
    assert summary.startswith("Not yet.") and words in summary, summary


def test_each_careless_answer_differs_in_its_message():
    summary = [cosine_scores.verdict(answer) for answer, _ in CARELESS.values()]
    assert len(set(summary)) >= len(summary) - 1  # the print and the missing return are one answer


def test_an_answer_that_prints_may_be_right(capsys):
    def chatty(ranks, k):
        print("ranks", list(ranks.shape))
        return recall_by_counting(ranks, k)

    assert recall_at_k.check(chatty) is chatty
    assert capsys.readouterr().out.count("ranks [20]") == 1


def test_a_plain_number_is_asked_for_in_words():
    for form, words in (
        (torch.tensor, "a Tensor, and the chapter goes on with a plain number: end with .item()"),
        (lambda x: np.float32(x), "a float32, and the chapter goes on with a plain number"),
        (lambda x: [x], "shape [1], and the right shape is []"),
    ):
        assert words in recall_at_k.verdict(lambda ranks, k, form=form: form(recall_by_counting(ranks, k)))


def test_ranks_as_floats_are_told_their_dtype():
    summary = image_ranks.verdict(lambda scores, image_of: image_ranks.own(scores, image_of).float())
    assert "gives float32 numbers, and the chapter goes on with torch.int64: end with .to(torch.int64)" in summary


def test_an_answer_that_spoils_its_inputs_spoils_no_comparison():
    def zeroed(scores, image_of):
        found = ranks_by_pairs(scores, image_of)
        scores.zero_()
        image_of.zero_()
        return found

    assert "The numbers are right, but image_ranks changes scores and image_of" in image_ranks.verdict(zeroed)


def test_differences_are_told_where_they_are():
    right = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert difference(right.clone(), right) == ""
    assert difference([[1, 2], [3, 9]], right) == "9 at [1, 1], and right is 4"
    assert difference(1.5, 2.0) == "1.5, and right is 2"
    assert "an infinity" in difference(right / 0, right) and "NaN" in difference(right * torch.nan, right)
    assert "no tensor of numbers" in difference({"a": 1}, right)
