"""The page of the reality check, by hand and as it is committed."""

import copy
import json
import math

import pytest

from itm_tutorial.course import result_pages
from itm_tutorial.course.reality_check import page
from itm_tutorial.course.reality_check.results import check_protocol, read_check
from itm_tutorial.course.reality_check.run import about_protocol
from itm_tutorial.errors import ItmError

WHERE = {"date": "2026-01-02", "machine": "m", "system": "s", "cores": 2, "sources": "abc", "torch": "9.9"}


def measured(rsum, **pairs):
    queries = dict.fromkeys(pairs, 5)
    return {"rsum": rsum, "i2t_r1": rsum / 10, "t2i_r1": rsum / 20, "minimal_pairs": pairs} | {
        "minimal_pair_queries": queries
    }


def model(rsums, seconds=4.0, **given):
    """A part of the kept file: one training per rsum, None for one that failed."""
    tests = [None if rsum is None else measured(rsum, count=50.0 + rsum / 100, binding=70.0) for rsum in rsums]
    trainings = [
        {"seed": seed, "outcome": "trained" if test else "failed", "message": "" if test else "not finite"}
        | {"seconds": seconds, "test": test}
        for seed, test in enumerate(tests)
    ]
    tried = [{"rate": rate, "epochs": 4, "rsum": 100 * rate, "message": ""} for rate in (1.0, 2.0, 3.0)]
    usual = {"features": "global", "embed_size": 256, "tried": tried, "rate": 2.0, "epochs": 4, "gain": 0.001}
    usual |= {"still_rising": False, "failed": "", "parameters": 1234567, "trainings": trainings, "provenance": WHERE}
    return usual | given


@pytest.fixture
def kept(tmp_path):
    """Writes kept results -> their file."""

    def write(models, left_out=None):
        lines = {"ceiling": measured(590.0, binding=100.0), "chance": measured(9.0, binding=50.0)}
        whole = {"protocol": about_protocol("mini"), "lines": {"0": lines, "1": lines}}
        whole |= {"left_out": left_out or {}, "models": models}
        file = tmp_path / "check.json"
        file.write_text(json.dumps(whole), encoding="utf-8")
        return file

    return write


def rows_of(text, head):
    """The rows of the table whose header begins so."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {head} |"))
    end = next(number for number in range(start, len(lines)) if not lines[number].startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:end] if "---" not in line]


def test_a_page_by_hand(kept):
    models = {"bow": model([100.0, 110.0]), "vse": model([200.0, 220.0], rate=3.0, seconds=8.0, still_rising=True)}
    text = page.page_text("Made.", kept(models, {"cmpl": "no identities"}))
    head, *rows = rows_of(text, "model | chapter")
    assert head[3:] == ["R@1 image to text", "R@1 text to image", "rsum", "binding", "count", "published"]
    assert [row[0] for row in rows] == [page.LINES["ceiling"], page._link("vse"), page._link("bow"), "*chance*"]
    assert rows[1][1:8] == ["00", "global", "21.0", "10.5", "210.0 ± 14.1", "70.0", "52.1"]
    assert rows[1][8] == "Flickr30K, VggNet: 23.0 / 16.8, rsum 251.9" and rows[2][8] == "no paper"
    assert rows[3][5:8] == ["9.0 ± 0.0", "50.0", ""]
    _, bow, vse = rows_of(text, "model | learning rate")
    assert bow[1:] == ["2", "4", "1 x 4: 100.0, 2 x 4: 200.0, 3 x 4: 300.0", "0.5", "1,234,567"]
    assert vse[1:3] == ["3 (highest)", "4 (still rising)"] and vse[4] == "1"
    assert "A training of `vse` took 8 seconds" in text and "- `cmpl`: no identities.\n" in text
    assert "- `bow`, `vse`: 2026-01-02, m, s, 2 cores; torch 9.9.\n" in text
    missing = text.partition("## Not run yet")[2].partition("##")[0]
    assert "`scan`" in missing and "`bow`" not in missing and "`cmpl`" not in missing and "`orderpp`" not in missing
    assert "## Failures" not in text and "None" not in text and "nan" not in text


def test_equal_rows_are_said_to_be_one_model(kept):
    models = {"spe": model([100.0, 110.0]), "two_branch": model([100.0, 110.0]), "vse": model([100.0, 111.0])}
    assert "Equal rows are the same model under this protocol: `spe` and `two_branch`." in page.page_text(
        "Made.", kept(models)
    )
    models["two_branch"] = model([100.0, 110.1])
    assert "Equal rows" not in page.page_text("Made.", kept(models))


def test_failures_stand_on_the_page(kept):
    failing = model([], rate=None, epochs=None, gain=None, failed="not finite at step 3", parameters=None)
    failing["tried"] = [{"rate": rate, "epochs": 4, "rsum": None, "message": "not finite"} for rate in (1.0, 2.0)]
    half = model([100.0, None, 120.0])
    text = page.page_text("Made.", kept({"bow": half, "vse": failing}))
    _, *rows = rows_of(text, "model | chapter")
    assert rows[1][5] == "110.0 ± 14.1; 1 of 3 trainings failed" and rows[-1][0] == page._link("vse")
    assert rows[-1][3:6] == ["", "", "failed"]
    failures = text.partition("## Failures")[2].partition("## ")[0]
    assert "- vse, 1 x 4: failed: not finite.\n- vse, 2 x 4: failed: not finite.\n" in failures
    assert "- bow, seed 1: not finite." in failures
    _, bow, vse = rows_of(text, "model | learning rate")
    assert vse[1:] == ["", "", "1 x 4: failed, 2 x 4: failed", "", ""] and bow[4] == ""


def test_times_are_compared_on_one_machine_only(kept):
    elsewhere = model([200.0], provenance={**WHERE, "cores": 64, "date": "2026-02-03"})
    text = page.page_text("Made.", kept({"bow": model([100.0]), "vse": elsewhere}))
    assert [row[4] for row in rows_of(text, "model | learning rate")[1:]] == ["", "1"]
    assert (
        "- `vse`: 2026-02-03, m, s, 64 cores; torch 9.9." in text and "± " not in rows_of(text, "model | chapter")[2][5]
    )


def test_a_model_whose_size_no_option_sets_is_named(kept):
    text = page.page_text("Made.", kept({"devise_retrieval": model([100.0], embed_size=None)}))
    assert "No option sets the embedding size of `devise_retrieval`" in text
    assert "No option" not in page.page_text("Made.", kept({"bow": model([1.0])}))


def test_the_page_without_results_says_what_is_missing(tmp_path):
    text = page.page_text("Made.", tmp_path / "none.json")
    assert "`bow`" in text.partition("## Not run yet")[2] and "## Results" not in text and "## Limits" in text
    assert "0.333, 1, 3 times the rate" in text and "less than 1 %" in text and "at most 4 times" in text


def test_results_of_models_that_are_no_more_are_not_shown(kept):
    text = page.page_text("Made.", kept({"of_old": model([1.0]), "bow": model([2.0])}, {"older": "x"}))
    assert "of_old" not in text and "older" not in text


def damaged(change):
    whole = {"protocol": about_protocol("mini"), "lines": {}, "left_out": {}, "models": {"bow": model([1.0])}}
    whole = copy.deepcopy(whole)
    change(whole)
    return whole


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda whole: whole.pop("models"), "lacks 'models'"),
        (lambda whole: whole["protocol"].pop("doublings"), "lacks 'doublings'"),
        (lambda whole: whole["protocol"].update(doublings=10**6), "doublings"),
        (lambda whole: whole["models"]["bow"].update(tried=[]), "tried"),
        (lambda whole: whole["models"]["bow"].update(rate="fast"), "rate"),
        (lambda whole: whole["models"]["bow"]["trainings"][0]["test"].update(rsum=601.0), "rsum"),
        (lambda whole: whole["models"]["bow"]["trainings"][0]["test"].update(rsum=math.nan), "rsum"),
        (lambda whole: whole["models"]["bow"]["trainings"][0].update(outcome="perhaps"), "outcome"),
        (lambda whole: whole.update(models=[]), "models"),
    ],
)
def test_damaged_results_are_refused_with_the_place(tmp_path, change, message):
    file = tmp_path / "check.json"
    file.write_text(json.dumps(damaged(change)), encoding="utf-8")
    with pytest.raises(ItmError, match=f"{message}.*; delete it and run `itm reality --out"):
        page.page_text("Made.", file)


def test_results_under_another_protocol_are_refused(tmp_path):
    about = about_protocol("mini")
    check_protocol(tmp_path / "f", {"protocol": about}, about_protocol("mini"))
    with pytest.raises(ItmError, match="f was made with least_gain 0.5, this run has 0.01: give another --out"):
        check_protocol(tmp_path / "f", {"protocol": {**about, "least_gain": 0.5}}, about)


def test_published_rows():
    assert page.published("faghri2018vsepp") == "Flickr30K, ResNet: 52.9 / 39.6, rsum 409.8"
    assert page.published("vendrov2016order") == "MSCOCO1K, VggNet: 46.7 / 37.9"  # no R@5, so no rsum
    assert page.published("ma2015mcnn") == "Flickr30K, VggNet, ensemble: 33.6 / 26.2, rsum 324.7"  # nothing else
    assert page.published("lee2018scan").startswith("Flickr30K, BUTD, I2T_AVE: 67.9 / 43.9")  # not the ensemble
    assert page.published("") == "no paper" and page.published("gupta2020infoground") == "none"


def test_the_committed_page_is_that_of_the_kept_results():
    """And a changed number would be seen."""
    text = (result_pages.FOLDER / "reality_check.md").read_text(encoding="utf-8")
    assert text == page.page_text(result_pages.MADE)
    assert "(reality_check.md)" in (result_pages.FOLDER / "README.md").read_text(encoding="utf-8")
    if page.FILE.exists():
        for name, kept in read_check(page.FILE)["models"].items():
            assert f"[`{name}`]" in text
            for training in kept["trainings"]:
                assert training["seed"] != kept.get("tuning_seed", 7)


def test_a_changed_result_is_drift(kept, tmp_path, monkeypatch):
    readme = tmp_path / "README.md"
    readme.write_text(result_pages.README.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(page, "FILE", kept({"bow": model([100.0])}))
    places = {"folder": tmp_path / "results", "readme": readme}
    result_pages.build_pages(**places)
    assert result_pages.build_pages(check=True, **places) == []
    kept({"bow": model([101.0])})
    assert result_pages.build_pages(check=True, **places) == ["results/reality_check.md"]
    (tmp_path / "results" / "reality_check.md").unlink()
    assert result_pages.build_pages(check=True, **places) == ["results/reality_check.md"]
