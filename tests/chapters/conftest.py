"""What the tests of exercises share: the checks that every exercise of every chapter has to pass."""

from types import SimpleNamespace

import pytest
import torch


@pytest.fixture
def exercise_checks(capsys):
    """Functions that check an exercise: its right answers, its wrong ones, its stub, its hints and its solution."""

    def checked(exercise, answer):
        """What check returns, and what it prints as one line."""
        found = exercise.check(answer)
        return found, " ".join(capsys.readouterr().out.split())

    def right_answers(exercise, variants):
        """The package's version, the reference and each variant pass."""
        assert len(variants) >= 3
        for answer in (exercise.own, exercise.reference, *variants):
            found, printed = checked(exercise, answer)
            assert found is answer and printed.startswith("Right"), printed

    def wrong_answers(exercise, others):
        """Each typical mistake gets its own message, and the chapter goes on with the package's version."""
        assert len(exercise.mistakes) >= 5
        assert len({message for _, message in exercise.mistakes}) == len(exercise.mistakes)
        for mistake, message in exercise.mistakes:
            found, printed = checked(exercise, mistake)
            assert found is exercise.own and printed.startswith(f"Not yet. {message}"), printed
        for mistake, words in others:
            found, printed = checked(exercise, mistake)
            assert found is exercise.own and printed.startswith("Not yet.") and words in printed, printed

    def stubs(exercise):
        """An unwritten answer, in any form, says how to begin."""

        def stub(*inputs): ...

        def to_be_done(*inputs):
            raise NotImplementedError

        for unwritten in (stub, to_be_done, lambda *inputs: ..., ..., None):
            assert exercise.check(unwritten) is exercise.own
            printed = " ".join(capsys.readouterr().out.split())
            assert "not written yet" in printed and exercise.hints[0] not in printed
            assert f"{exercise.name}.hint()" in printed

    def hints_and_solution(exercise):
        """Hints go from the first to the last, whatever the number, and the printed solution passes the check."""
        for number in (0, 1, 2, 3, 99):
            exercise.hint(number)
        hints = " ".join(capsys.readouterr().out.split()).split("Hint ")[1:]
        assert hints[0] == hints[1] and hints[3].strip() == hints[4] == f"3 of 3: {exercise.hints[2]}"
        exercise.solution()
        printed = capsys.readouterr().out
        assert printed.startswith(exercise.first_line)
        scope = {"torch": torch, "normalize": torch.nn.functional.normalize}
        exec(printed, scope)
        assert exercise.verdict(scope[exercise.name]).startswith("Right")

    return SimpleNamespace(
        right_answers=right_answers, wrong_answers=wrong_answers, stubs=stubs, hints_and_solution=hints_and_solution
    )
