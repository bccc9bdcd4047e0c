"""How an answer is checked: a careless one gets a message of its own, and nothing that it does spoils the check."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from itm_tutorial import chapters
from itm_tutorial.chapters.ch00_start_here.exercises import cosine_scores, image_ranks, recall_at_k

LESSONS = sorted(file.parent.name for file in Path(chapters.__file__).parent.glob("*/exercises.py"))


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_chapter_with_exercises_tests_them(lesson):
    exercises = import_module(f"itm_tutorial.chapters.{lesson}.exercises").EXERCISES
    files = (Path(__file__).parent / lesson).glob("test_*exercises.py")  # one per file of exercises
    tests = "\n".join(file.read_text(encoding="utf-8") for file in files)
    assert len({exercise.name for exercise in exercises}) == len(exercises) >= 3
    assert all(f'"{exercise.name}"' in tests for exercise in exercises)


def misspelt(images, captions):
    return torch.nn.functional.normalise(images, dim=-1) @ captions.T


def misspelt_argument(images, captions):
    return image @ captions.T  # noqa: F821


def in_place(images, captions):
    images /= images.norm(dim=-1, keepdim=True)
    captions /= captions.norm(dim=-1, keepdim=True)
    return images @ captions.T


def prints_only(images, captions):
    print(cosine_scores.own(images, captions).shape)


own = cosine_scores.own
CARELESS = {
    "a list": (lambda i, c: own(i, c).tolist(), "The numbers are right, but cosine_scores gives a list"),
    "an array": (lambda i, c: own(i, c).numpy(), "The numbers are right, but cosine_scores gives a numpy array"),
    "a gradient": (lambda i, c: own(i.requires_grad_(), c), "carries a gradient"),
    "a dtype": (lambda i, c: own(i, c).double(), "gives float64 numbers, but the chapter needs torch.float32"),
    "a shape": (lambda i, c: own(i, c)[None], "shape [1, 2, 7], and the right shape is [2, 7], [n_images, n_captions]"),
    "NaN": (lambda i, c: own(i, c) * 0 / 0, "gives NaN"),
    "an infinity": (lambda i, c: torch.full_like(own(i, c), torch.inf), "gives an infinity"),
    "a text": (lambda i, c: "0.5", "gives a text, which is no tensor"),
    "no return": (prints_only, "returns nothing: end it with return"),
    "a print": (prints_only, "The first line that it printed: torch.Size([2, 7])"),
    "in place": (in_place, "The numbers are right, but cosine_scores changes images and captions"),
    "no function": (
        torch.zeros(2),
        "is a Tensor here, not a function: start with def cosine_scores(images, captions):",
    ),
    "one argument": (
        lambda images: images,
        "takes (images), but the chapter calls it with other arguments: start with def",
    ),
    "three arguments": (lambda i, c, k: i, "takes (i, c, k), but the chapter calls it with other arguments"),
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
    verdict = cosine_scores.verdict(answer)
    assert verdict.startswith("Not yet.") and words in verdict, verdict


def test_each_careless_answer_differs_in_its_message():
    verdicts = [cosine_scores.verdict(answer) for answer, _ in CARELESS.values()]
    assert len(set(verdicts)) >= len(verdicts) - 1  # the print and the missing return are one answer


def test_an_answer_that_prints_may_be_right(capsys):
    def chatty(ranks, k):
        print("ranks", list(ranks.shape))
        return recall_at_k.reference(ranks, k)

    assert recall_at_k.check(chatty) is chatty
    assert capsys.readouterr().out.count("ranks [20]") == 1


def test_a_plain_number_is_asked_for_in_words():
    for form, words in (
        (torch.tensor, "a Tensor, but the chapter needs a plain number: end with .item()"),
        (lambda x: np.float32(x), "a float32, but the chapter needs a plain number"),
        (lambda x: [x], "shape [1], and the right shape is []"),
    ):
        assert words in recall_at_k.verdict(lambda ranks, k, form=form: form(recall_at_k.reference(ranks, k)))


def test_ranks_as_floats_get_a_message_about_their_dtype():
    verdict = image_ranks.verdict(lambda scores, image_of: image_ranks.own(scores, image_of).float())
    assert "gives float32 numbers, but the chapter needs torch.int64: end with .to(torch.int64)" in verdict


def test_an_answer_that_spoils_its_inputs_spoils_no_comparison():
    def zeroed(scores, image_of):
        found = image_ranks.reference(scores, image_of)
        scores.zero_()
        image_of.zero_()
        return found

    assert "The numbers are right, but image_ranks changes scores and image_of" in image_ranks.verdict(zeroed)
