"""The table of a family of methods: every number from kept results, nothing missing in silence."""

import pytest

from itm_tutorial.chapters import experiment
from itm_tutorial.chapters.family import HEADS, NOT_RUN, Member, family_table
from itm_tutorial.errors import ItmError

ROW = {
    "model": "vsepp",
    "part": "loss",
    "change": "Only the hardest negative counts.",
    "claimed": "R@1 from 43.2 to 52.9 & more <on COCO>.",
    "claim": "vsepp",
    "effects": ("max beats sum",),
}
EFFECTS = {"effects": [{"name": "max beats sum", "mean": -1.25, "standard_error": 0.5, "verdict": "does not hold"}]}


def test_a_row_says_what_was_kept():
    table = family_table([Member(**ROW)], kept=lambda name: {"vsepp": EFFECTS}[name])
    (row,) = table.rows
    assert row[0] == "vsepp (Faghri et al., BMVC 2018)"
    assert row[-1] == "max beats sum: -1.2, standard error 0.5 (does not hold)"
    page = table._repr_html_()
    assert page.count('<th scope="col"') == len(HEADS) and page.count('<th scope="row"') == 1
    assert "43.2 to 52.9 &amp; more &lt;on COCO&gt;" in page and "<on COCO>" not in page
    assert "vsepp (Faghri et al., BMVC 2018) (loss)" in repr(table) and max(map(len, repr(table).splitlines())) <= 100


def test_what_was_never_run_says_so(monkeypatch):
    monkeypatch.setattr(experiment, "was_run", lambda name: False)
    assert family_table([Member(**ROW)]).rows[0][-1] == NOT_RUN


def test_kept_results_of_the_course_fill_a_row():
    name = "max with a warm-up beats sum at convergence (rsum)"
    (row,) = family_table([Member(**ROW | {"effects": (name,)})]).rows
    (effect,) = [one for one in experiment.results("vsepp")["effects"] if one["name"] == name]
    assert f"{effect['mean']:+.1f}" in row[-1] and effect["verdict"] in row[-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"part": "text encodr"}, "unknown part of vsepp 'text encodr': did you mean 'text encoder'"),
        ({"effects": ()}, "the row of vsepp shows no effect"),
        ({"effects": ("max beats sun",)}, "unknown effect of vsepp 'max beats sun': did you mean 'max beats sum'"),
        ({"model": "vsep"}, "unknown model 'vsep'"),
    ],
)
def test_a_row_that_names_what_is_not_there_is_refused(change, message):
    with pytest.raises(ItmError, match=message):
        family_table([Member(**ROW | change)], kept=lambda name: EFFECTS)
