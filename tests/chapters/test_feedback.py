"""Feedback on answers: where numbers differ, how a type differs, stubs, near names."""

import numpy as np
import pytest
import torch

from itm_tutorial.chapters.feedback import alike, difference, in_words, is_stub, kind_of, near_name, same, wrong_form


def test_differences_say_where_they_are():
    correct = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert difference(correct.clone(), correct) == ""
    assert difference([[1, 2], [3, 9]], correct) == "9 at [1, 1], and right is 4"
    assert difference(1.5, 2.0) == "1.5, and right is 2"
    assert "an infinity" in difference(correct / 0, correct) and "NaN" in difference(correct * torch.nan, correct)
    assert "no tensor of numbers" in difference({"a": 1}, correct)
    assert difference(correct[0], correct, "[n, m]") == "shape [2], and the right shape is [2, 2], [n, m]"


def test_a_stub_is_an_empty_body():
    def answered():
        return 1

    def passed():
        pass

    def dotted(): ...

    assert is_stub(passed) and is_stub(dotted)
    assert not is_stub(answered) and not is_stub(lambda: 1) and not is_stub(3)


@pytest.mark.parametrize(
    ("value", "kind"),
    [([1], "a list"), (np.zeros(1), "a numpy array"), ("", "a text"), (1, "an int"), (None, "a NoneType")],
)
def test_types_have_names(value, kind):
    assert kind_of(value) == kind


def test_alike_needs_the_shape_and_the_numbers():
    assert alike([1, 2], torch.tensor([1.0, 2.0 + 1e-7])) and alike(torch.nan, float("nan"))
    assert not alike([1, 2], [[1, 2]]) and not alike("a", "a") and not alike([1, 2], [1, 3])


def test_an_input_is_the_same_only_if_nothing_in_it_changed():
    before = torch.tensor([1.0, torch.nan])
    assert same(before, before.clone()) and same(3, 3) and not same(3, 4)
    assert not same(before, torch.tensor([2.0, torch.nan])) and not same(before, before[None])


def test_forms_name_the_remedy():
    number, tensor = 0.5, torch.tensor([1])
    assert wrong_form(1, number) == wrong_form(number, number) == wrong_form(tensor, tensor) == ""
    assert "end with .item()" in wrong_form(tensor, number) and "float(...)" in wrong_form(True, number)
    assert "torch.as_tensor" in wrong_form([1], tensor) and "end with .to(torch.int64)" in wrong_form(
        tensor.float(), tensor
    )
    assert "gradient" in wrong_form(tensor.float().requires_grad_(), tensor.float())


def test_inputs_and_near_names_in_words():
    assert in_words(["scores", "k"], (torch.zeros(2, 3), 5)) == "scores [2, 3], k 5"

    def answer(images):
        return images

    assert near_name(NameError("no", name="image"), answer) == " Did you mean images?"
    assert near_name(NameError("no", name="qqqqqq"), answer) == near_name(ValueError("no"), answer) == ""
    assert near_name(AttributeError("no", name="sofmax", obj=torch), answer) == " Did you mean softmax?"
