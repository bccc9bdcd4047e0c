"""README states only what the kept results support."""

from pathlib import Path
from statistics import mean, stdev

import pytest

from itm_tutorial.chapters.experiment import per_model, results

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
FIGURES = results("start_here")["figures"]
KINDS = ("binding", "object", "count", "relation")


def spread(values: list[float]) -> str:
    return f"{mean(values):.1f} ± {stdev(values):.1f}"


@pytest.mark.parametrize("model", ["ceiling", "bow", "vse", "untrained"])
def test_the_tables_are_those_of_the_claims(model):
    kept = [row for row in FIGURES if row["model"] == model]
    rows = [line for line in README.splitlines() if line.startswith((f"| `{model}` |", f"| {model} "))]
    recalls = " | ".join(spread([row[key] for row in kept]) for key in ("i2t_r1", "t2i_r1", "rsum"))
    assert recalls in rows[0]
    if model != "ceiling":
        minimal_pairs = " | ".join(spread([row["minimal_pairs"][kind] for row in kept]) for kind in KINDS)
        assert minimal_pairs in rows[1]


def test_the_claim_in_prose_is_the_one_that_was_measured():
    effect = next(e for e in results("start_here")["effects"] if e["name"].startswith("vse beats bow where a binding"))
    assert effect["verdict"] == "holds"
    assert f"by {effect['mean']:.1f} points" in README
    assert f"error {effect['standard_error']:.1f}" in " ".join(README.split())


DEVISE = {"softmax": "softmax", "devise": "`devise`", "l2": "`devise`, L2 in place of the rank loss", "dem": "`dem`"}


@pytest.mark.parametrize("model", DEVISE)
def test_the_table_of_chapter_01_is_that_of_the_claims(model):
    kept = [row for row in results("devise")["figures"] if row["model"] == model]
    measures = [("flat_hit", "1"), ("hierarchical_precision", "5"), ("zero_shot_hit", "1"), ("zero_shot_hit", "5")]
    measures.append(("generalised_hit", "1"))
    figures = " | ".join(spread([row[name][k] for row in kept]) for name, k in measures)
    assert f"| {DEVISE[model]} | {figures} |" in README


def test_what_does_not_hold_is_stated():
    verdicts = {effect["name"]: effect for effect in results("devise")["effects"]}
    prose = " ".join(README.split())
    for name, sentence in {
        "rank loss beats L2 in zero-shot hit@1 (points)": "behind by {:.1f} points, standard error {:.1f}",
        "fewer hubs in the visual space: skewness of N_1 unseen, L2 less dem": "by {:.1f}, standard error {:.1f}",
    }.items():
        effect = verdicts[name]
        assert effect["verdict"] != "holds"
        assert sentence.format(-effect["mean"], effect["standard_error"]) in prose


VSEPP = {"sum": "sum of hinges", "max": "largest hinge", "max, warm-up": "largest hinge, warm-up"}
VSEPP |= {"top 5": "five largest", "infonce": "InfoNCE"}


@pytest.mark.parametrize("loss", VSEPP)
def test_the_table_of_chapter_02_is_that_of_the_claims(loss):
    figures = results("vsepp")["figures"]

    def cell(model: str, batch_size: int) -> str:
        kept = [row["rsum"] for row in figures if row["model"] == model and row.get("batch_size") == batch_size]
        return f"{spread(kept)} |" if kept else "|"

    cells = [cell(loss, 32), cell(loss, 128), cell(loss, 512), cell(f"{loss}, 10 % wrong", 128)]
    assert f"| {VSEPP[loss]} | {' '.join(cells)}" in README
    assert all(row["converged"] for row in figures if "converged" in row)


@pytest.mark.parametrize(
    ("name", "sentence", "holds"),
    [
        ("max with a warm-up beats sum", "with a warm-up by {:.1f}, standard error {:.1f};", True),
        ("max without a warm-up beats sum", "without by {:.1f}, standard error {:.1f})", True),
        ("a batch of 512 over one of 32", "by {:.1f} more than the sum ({:.1f})", True),
        ("with the GRU, vsepp beats vse", "`vsepp` beats `vse` by {:.1f} ({:.1f})", True),
        ("a warm-up helps max", "the warm-up ({:.1f}, {:.1f};", False),
        ("InfoNCE beats max", "the largest hinge ({:.1f}, {:.1f})", False),
        ("with 10 % wrong captions", "bear wrong captions better ({:.1f}, {:.1f})", False),
        ("order violation tells entailment better than vse", "better than the cosines of `vse`", True),
    ],
)
def test_the_claims_of_chapter_02_in_prose_are_those_that_were_measured(name, sentence, holds):
    effect = next(e for e in results("vsepp")["effects"] if e["name"].startswith(name))
    assert (effect["verdict"] == "holds") == holds
    assert sentence.format(effect["mean"], effect["standard_error"]) in " ".join(README.split())


SCAN = {
    "vsepp, regions": "`vsepp` | regions",
    "scan, regions": "`scan`, words look at regions | regions",
    "scan i2t, regions": "`scan_i2t`, regions look at words | regions",
    "scan t2i + i2t, regions": "the scores of both, averaged | regions",
    "vsepp, grid": "`vsepp` | grid",
    "scan, grid": "`scan`, words look at cells | grid",
}
PARTIES = {
    "model": "`scan`",
    "uniform": "uniform attention",
    "shuffled captions": "the words of shuffled captions",
    "untrained": "the same model, untrained",
}


@pytest.mark.parametrize("model", SCAN)
def test_the_table_of_chapter_03_is_that_of_the_claims(model):
    kept = [row for row in results("scan")["figures"] if row["model"] == model]
    minimal_pairs = [spread([row["minimal_pairs"][kind] for row in kept]) for kind in KINDS]
    assert f"| {SCAN[model]} | {' | '.join([spread([row['rsum'] for row in kept]), *minimal_pairs])} |" in README


@pytest.mark.parametrize("party", PARTIES)
def test_the_pointing_game_in_the_table_is_that_of_the_claims(party):
    kept = [row["pointing"][party] for row in results("scan")["figures"] if "pointing" in row]
    cells = " | ".join(spread([row[word_class] for row in kept]) for word_class in ("noun", "colour", "relation"))
    assert f"| {PARTIES[party]} | {cells} |" in README


@pytest.mark.parametrize(
    ("name", "sentence", "verdict"),
    [
        ("given the same regions, scan beats vsepp (rsum)", "by {:.1f}, standard error {:.1f}; given", "holds"),
        (
            "given the same grid, scan beats vsepp (rsum)",
            "given the same grid, by {:.1f}, standard error {:.1f}",
            "holds",
        ),
        ("given the same regions, scan beats vsepp where a binding", "ahead by {:.1f} and", "holds"),
        ("given the same grid, scan beats vsepp where a binding", "and {:.1f} points", "holds"),
        (
            "both together beat words alone",
            "both directions together beat words alone is too close",
            "too close to say",
        ),
        ("pointing game, relations", "twenty points above it there is too close", "too close to say"),
    ],
)
def test_the_claims_of_chapter_03_in_prose_are_those_that_were_measured(name, sentence, verdict):
    effect = next(e for e in results("scan")["effects"] if e["name"].startswith(name))
    assert effect["verdict"] == verdict
    assert sentence.format(effect["mean"], effect["standard_error"]) in " ".join(README.split())


def test_where_scan_is_behind_is_stated():
    name = "given the same grid, scan beats vsepp where a kin decides (points)"
    effect = next(e for e in results("scan")["effects"] if e["name"] == name)
    assert effect["verdict"] == "does not hold"
    as_text = f"by {-effect['mean']:.1f} points, standard error {effect['standard_error']:.1f}"
    assert as_text in " ".join(README.split())


TIMAM = {
    "triplet, max": "triplet, largest hinge, warm-up",
    "triplet, sum": "triplet, sum of hinges",
    "cmpm": "`cmpl` without CMPC",
    "cmpl": "`cmpl`",
    "timam, learned words": "`timam`, adversary of weight 0.1",
    "without identification": "`timam` without identification",
    "without the adversary": "`timam` without the adversary",
    "adversary of weight 0.03": "`timam`, adversary of weight 0.03",
    "adversary of weight 0.3": "`timam`, adversary of weight 0.3",
    "adversary of weight 1.0": "`timam`, adversary of weight 1.0",
    "timam": "`timam` through the small BERT",
    "without matching": "`timam` without matching",
    "identification alone": "`timam`, identification alone",
    "one classifier for both": "instance loss, one classifier",
    "a classifier each": "instance loss, a classifier each",
}


@pytest.mark.parametrize("model", TIMAM)
def test_the_table_of_chapter_04_is_that_of_the_claims(model):
    kept = [row for row in results("timam")["figures"] if (row["corpus"], row["model"]) == ("people", model)]
    columns = [("t2i", "r1"), ("t2i", "r10"), ("probe", "line"), ("probe", "network")]
    cells = [spread([row[group][name] for row in kept]) for group, name in columns]
    assert f"| {TIMAM[model]} | {' | '.join(cells)} |" in README


@pytest.mark.parametrize(("model", "name"), [("cmpl", "`cmpl`"), ("timam", "`timam`, learned words")])
def test_the_table_of_species_is_that_of_the_claims(model, name):
    cells = []
    for world in ("birds", "flowers"):
        kept = [row for row in results("timam")["figures"] if (row["corpus"], row["model"]) == (world, model)]
        best = mean([row["best"] for row in kept])
        cells += [f"{spread([row['ap50'] for row in kept])} ({best:.1f})", spread([row["image_r1"] for row in kept])]
    assert f"| {name} | {' | '.join(cells)} |" in README


@pytest.mark.parametrize(
    ("name", "sentence", "verdict"),
    [
        ("cmpl beats a triplet loss of the hardest", "is ahead by {:.1f}, standard error {:.1f}", "does not hold"),
        ("cmpl beats a triplet loss that sums", "and the sum as good", "too close to say"),
        ("CMPC adds to CMPM", "that three seeds could see ({:.1f}, {:.1f})", "too close to say"),
        ("identification adds", "too little to say ({:.1f}, {:.1f})", "too close to say"),
        ("a small frozen BERT", "in a minute costs {:.1f} ({:.1f})", "does not hold"),
        ("timam with learned words beats cmpl", "is too close to say ({:.1f}, {:.1f})", "too close to say"),
        ("an adversary of weight 0.1: a fresh line", "by {:.1f} points ({:.1f}) at weight 0.1", "holds"),
        ("an adversary of weight 0.03: a fresh line", "and by {:.1f} and", "holds"),
        ("an adversary of weight 1.0: a fresh line", "and {:.1f} at 0.03 and 1.0", "holds"),
        ("an adversary of weight 0.1 adds", "does not rise: {:.1f} ({:.1f}) at weight 0.1", "too close to say"),
        ("a classifier for both sides", "ahead of one each by {:.1f} ({:.1f})", "holds"),
        ("with a classifier each", "with one each, R@1 is a guess", "holds"),
        ("identification alone beats", "the game ruins the search", "holds"),
    ],
)
def test_the_claims_of_chapter_04_in_prose_are_those_that_were_measured(name, sentence, verdict):
    effect = next(e for e in results("timam")["effects"] if e["name"].startswith(name))
    assert effect["verdict"] == verdict
    behind = -1 if verdict == "does not hold" else 1
    assert sentence.format(behind * effect["mean"], effect["standard_error"]) in " ".join(README.split())


def test_what_no_network_could_learn_is_stated():
    effects = [e for e in results("timam")["effects"] if "a fresh network" in e["name"]]
    assert effects and all(e["verdict"] == "too close to say" for e in effects)
    assert "for a fresh network it is too close to say, at every weight" in " ".join(README.split())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("the backbone trained too", "add {:.1f} to rsum, standard error {:.1f}, from"),
        ("more than going on with it frozen", "and are behind by {:.1f} ({:.1f})"),
    ],
)
def test_the_second_stage_is_reported_as_measured(name, sentence):
    effect = next(e for e in results("second_stage")["effects"] if e["name"].startswith(name))
    prose = " ".join(README.split())
    assert effect["verdict"] == "holds" and sentence.format(effect["mean"], effect["standard_error"]) in prose
    rsum = per_model(results("second_stage")["figures"], "rsum")
    assert f"from {spread(rsum['first stage'])} to {spread(rsum['on, all weights free'])}" in prose
