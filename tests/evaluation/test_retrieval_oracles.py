"""Recall at k against two libraries that other people wrote: torchmetrics and ranx, on scores without ties.

With ties the three differ by design: here a tie counts against the model, and a library takes the order of its sort.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch

from itm_tutorial.evaluation.retrieval_metrics import evaluate

CUTOFFS = (1, 5, 10)


def one_each(n):
    """One caption per image."""
    return torch.arange(n)


def five_each(n):
    """Five captions per image, in order."""
    return torch.arange(n).repeat_interleave(5)


def ragged(n):
    """From no caption to six per image, in no order."""
    n_captions = torch.randint(0, 7, (n,))
    n_captions[0], n_captions[1] = 0, 6  # an image without a caption is a distractor, and no query
    image_of = torch.arange(n).repeat_interleave(n_captions)
    return image_of[torch.randperm(len(image_of))]


CASES = [
    pytest.param(pairing, n, seed, id=f"{pairing.__name__}-{n}-{seed}")
    for pairing, n in ((one_each, 40), (five_each, 25), (ragged, 30), (ragged, 4))
    for seed in range(3)
]


def case(pairing, n, seed):
    """Scores without ties, better than chance: [n_images, n_captions], and image_of [n_captions]."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        image_of = pairing(n)
        positive = torch.arange(n)[:, None] == image_of  # [n_images, n_captions]
        order = (torch.randn(positive.shape, dtype=torch.float64) + 1.5 * positive).flatten().argsort()
        scores = torch.empty(positive.numel())
        scores[order] = torch.arange(positive.numel(), dtype=torch.float32)  # ranks: no two are equal
    return scores.view_as(positive), image_of, positive


def recalls(report):
    """The six recalls in percent, image to caption first."""
    return [value for side in (report.i2t, report.t2i) for value in (side.r1, side.r5, side.r10)]


def by_torchmetrics(scores, positive):
    """The same six by ``RetrievalHitRate``; a query without a positive is skipped."""
    from torchmetrics.retrieval import RetrievalHitRate

    values = []
    for preds, target in ((scores, positive), (scores.T, positive.T)):
        query = torch.arange(len(preds))[:, None].expand_as(preds)
        for k in CUTOFFS:
            metric = RetrievalHitRate(empty_target_action="skip", top_k=k)
            values.append(100 * metric(preds.flatten(), target.flatten(), indexes=query.flatten()).item())
    return values


RANX = """
import json, sys
import ranx

for qrels, run in json.load(sys.stdin):
    found = ranx.evaluate(ranx.Qrels(qrels), ranx.Run(run), sys.argv[1:])
    print(json.dumps([100 * float(found[name]) for name in sys.argv[1:]]))
"""


def by_ranx(cases, folder):
    """The same six of each case by ``hit_rate@k``; a query without a positive is left out.

    ranx runs in a process of its own without its compiler, which takes a minute where nothing is compiled yet.
    """
    questions = []
    for scores, positive in cases:
        for preds, target in ((scores, positive), (scores.T, positive.T)):
            asked = target.any(1).nonzero().flatten().tolist()
            qrels = {f"q{q}": {f"d{d}": 1 for d in target[q].nonzero().flatten().tolist()} for q in asked}
            run = {f"q{q}": {f"d{d}": value for d, value in enumerate(preds[q].tolist())} for q in asked}
            questions.append((qrels, run))
    words = [sys.executable, "-c", RANX, *(f"hit_rate@{k}" for k in CUTOFFS)]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "IR_DATASETS_HOME": str(folder)}  # else a folder in HOME
    answer = subprocess.run(words, input=json.dumps(questions), env=environment, stdout=subprocess.PIPE, text=True)
    assert answer.returncode == 0
    sides = [json.loads(line) for line in answer.stdout.splitlines()]
    return [i2t + t2i for i2t, t2i in zip(sides[::2], sides[1::2], strict=True)]


@pytest.mark.parametrize(("pairing", "n", "seed"), CASES)
def test_recall_equals_the_hit_rate_of_torchmetrics(pairing, n, seed):
    pytest.importorskip("torchmetrics")
    scores, image_of, positive = case(pairing, n, seed)
    assert recalls(evaluate(scores, image_of)) == pytest.approx(by_torchmetrics(scores, positive), abs=1e-4)


@pytest.mark.skipif(find_spec("ranx") is None, reason="ranx is not installed")
def test_recall_equals_the_hit_rate_of_ranx(tmp_path):
    cases = [case(*parameters.values) for parameters in CASES]
    values = by_ranx([(scores, positive) for scores, _, positive in cases], tmp_path)
    for (scores, image_of, _), expected in zip(cases, values, strict=True):
        assert recalls(evaluate(scores, image_of)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_cases_tell_wrong_metrics_apart(seed):
    pytest.importorskip("torchmetrics")
    scores, image_of, positive = case(five_each, 40, seed)
    values = by_torchmetrics(scores, positive)
    (r1, r5, r10), t2i = values[:3], values[3:]
    assert 5 < r1 < r5 < r10 < 100 and [r1, r5, r10] != t2i and sorted(set(t2i)) == t2i
    other_pairs = evaluate(scores, image_of.roll(1))  # the first caption of each image is given to the one before
    assert recalls(other_pairs) != pytest.approx(values, abs=1e-4)
