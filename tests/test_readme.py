"""README promises nothing that the kept figures do not say."""

from pathlib import Path
from statistics import mean, stdev

import pytest

from itm_tutorial.claims import results

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
FIGURES = results("start_here")["figures"]
KINDS = ("binding", "kin", "count", "relation")


def told(values: list[float]) -> str:
    return f"{mean(values):.1f} ± {stdev(values):.1f}"


@pytest.mark.parametrize("model", ["ceiling", "bow", "vse", "untrained"])
def test_the_tables_are_those_of_the_claims(model):
    kept = [row for row in FIGURES if row["model"] == model]
    rows = [line for line in README.splitlines() if line.startswith((f"| `{model}` |", f"| {model} "))]
    recalls = " | ".join(told([row[key] for row in kept]) for key in ("i2t_r1", "t2i_r1", "rsum"))
    assert recalls in rows[0]
    if model != "ceiling":
        siblings = " | ".join(told([row["siblings"][kind] for row in kept]) for kind in KINDS)
        assert siblings in rows[1]


def test_the_claim_in_prose_is_the_one_that_was_measured():
    effect = next(e for e in results("start_here")["effects"] if e["name"].startswith("vse beats bow where a binding"))
    assert effect["verdict"] == "holds"
    assert f"by {effect['mean']:.1f} points" in README
    assert f"error {effect['standard_error']:.1f}" in " ".join(README.split())
