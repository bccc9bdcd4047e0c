"""The results pages: made from the kept claims, none drifted, nothing in them or in README that no claim says."""

import copy
import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from typer.main import get_command

from itm_tutorial.chapters import experiment
from itm_tutorial.chapters.page import Column, Page, Table
from itm_tutorial.cli import app_of_commands
from itm_tutorial.course import photographs, result_pages
from itm_tutorial.errors import ItmError

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PAGES = result_pages.load_pages()
N_CHAPTERS = len(tomllib.loads((ROOT / "course.toml").read_text(encoding="utf-8"))["chapter"])  # a figure for each
DOCUMENTS = ["README.md", "CONTRIBUTING.md", *(f"docs/results/{f.name}" for f in result_pages.FOLDER.glob("*.md"))]
EFFECT = {"mean": 2.04, "standard_error": 0.5, "values": [1.5, 2.58], "verdict": "holds"}
KEPT = {
    "toy": {
        "figures": [
            {"seed": 0, "model": "bow", "rsum": 10.0, "deep": {"x": 1.0}, "batch_size": 32, "on": "bow"},
            {"seed": 1, "model": "bow", "rsum": 12.0, "deep": {"x": 2.0}, "batch_size": 32},
            {"seed": 0, "model": "bow", "rsum": 99.0, "batch_size": 64},
            {"seed": 0, "model": "vse | GRU", "rsum": 20.0, "deep": {"x": True}},
            {"seed": 1, "model": "vse | GRU", "rsum": 20.0},
        ],
        "effects": [{"name": "vse beats bow (rsum)", **EFFECT}],
        "provenance": {"date": "2026-01-02", "machine": "m", "system": "s", "cores": 2, "torch": "9.9"},
    }
}
TOY_TABLE = Table(
    "Toy",
    "toy",
    "model",
    (Column("rsum", "rsum", where={"batch_size": 32}),),
    {"bow": "`bow`"},
    text="{value: toy / bow / deep/x}",
)
TOY = Page("Toy page", ("toy",), ("A gain: {holds: vse beats bow (rsum)}.",), (TOY_TABLE,), notes=("by hand",))


def kept(claim):
    return KEPT[claim]


# Tables and placeholders, by hand.


def test_a_page_by_hand():
    text = result_pages.page_text(TOY, kept)
    assert "A gain: +2.0, standard error 0.5.\n" in text
    assert "\n1.5 ± 0.7\n" in text  # the value placeholder
    assert "| model | rsum |\n| --- | --- |\n| `bow` | 11.0 ± 1.4 |\n" in text
    assert "| vse beats bow (rsum) | +2.0 | 0.5 | +1.5 to +2.6 | holds |" in text
    assert "`itm claims toy --seeds 2`: 2 seeds (0, 1), 2026-01-02, m, s, 2 cores; torch 9.9." in text
    assert text.endswith("- by hand\n")


def cell(column, name="bow", rows=None):
    return result_pages.results_table(
        Table("T", "toy", "model", (column,), {name: "x"}), lambda claim: {"figures": rows or KEPT["toy"]["figures"]}
    ).splitlines()[-1]


def test_cells_by_hand():
    assert cell(Column("deep", "deep/x")) == "| x | 1.5 ± 0.7 |"
    assert cell(Column("fraction", "deep/x", decimals=3)) == "| x | 1.500 ± 0.707 |"
    assert cell(Column("of another run", "rsum", run="vse | GRU")) == "| x | 20.0 ± 0.0 |"
    assert cell(Column("row in the path", "deep/{row}", run="bow"), name="x") == "| x | 1.5 ± 0.7 |"
    assert cell(Column("best", "rsum", where={"batch_size": 32}, best="deep/x")) == "| x | 11.0 ± 1.4 (1.5) |"
    assert cell(Column("one seed", "rsum", where={"batch_size": 64})) == "| x | 99.0, 1 of 2 seeds |"
    one = [{"seed": 3, "model": "bow", "rsum": 7.0}]
    assert cell(Column("one seed alone", "rsum"), rows=one) == "| x | 7.0 |"
    assert result_pages.values_at([{"a": {"b": True}}, {"a": 1}, {"a": {"b": 2}}], "a/b") == [2.0]


@pytest.mark.parametrize(
    ("columns", "rows", "message"),
    [
        ({"rsum": "rsum"}, {"bow": "a", "bwo": "b"}, "row 'bwo' has no value in the results of toy"),
        ({"rsum": "rsum", "r1": "rsmu"}, {"bow": "a"}, r"column 'r1' \(rsmu\) has no value in toy"),
    ],
)
def test_a_misspelt_row_or_column_is_an_error(columns, rows, message):
    table = Table("T", "toy", "model", tuple(Column(h, p) for h, p in columns.items()), rows)
    with pytest.raises(ItmError, match=message):
        result_pages.results_table(table, kept)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{effect: vse beats bow}", r"unknown effect of toy 'vse beats bow': did you mean 'vse beats bow \(rsum\)'"),
        ("{does not hold: vse beats bow (rsum)}", "a sentence says 'does not hold' .* the kept verdict is 'holds'"),
        ("{too close to say: vse beats bow (rsum)}", "the kept verdict is 'holds': rewrite it"),
        ("{hold: vse beats bow (rsum)}", "begin with effect, value, holds"),
        ("{rsum}", "begin with effect, value, holds"),
        ("{value: toy / bwo / rsum}", "unknown run of toy 'bwo': did you mean 'bow'"),
        ("{value: toy / bow / rsmu}", "'bow' of toy has no number at 'rsmu'"),
        ("{value: toy / bow}", "has no number at ''"),
    ],
)
def test_a_placeholder_that_says_nothing_true_is_an_error(text, message):
    with pytest.raises(ItmError, match=message):
        result_pages.fill(text, TOY, kept)


def test_placeholders_in_a_wrapped_text():
    assert (
        result_pages.fill("a\n  gain {effect: vse\n  beats bow (rsum)}", TOY, kept) == "a gain +2.0, standard error 0.5"
    )


# The pages that are committed.


def test_no_page_has_drifted():
    assert result_pages.build_pages(check=True) == [], f"run {result_pages.COMMAND}"


@pytest.mark.parametrize("number", PAGES)
def test_every_kept_run_and_effect_stands_on_its_page(number):
    page = PAGES[number]
    text = (result_pages.FOLDER / f"{number}.md").read_text(encoding="utf-8")
    for claim, shown in result_pages.shown_runs(page).items():
        assert {row["model"] for row in experiment.results(claim)["figures"]} - shown == set()
        for effect in experiment.results(claim)["effects"]:
            line = f"| {effect['name']} | {effect['mean']:+.1f} | {effect['standard_error']:.1f} |"
            assert any(row.startswith(line) and row.endswith(f"| {effect['verdict']} |") for row in text.splitlines())


def test_a_page_shows_the_claims_that_are_kept():
    other = replace(TOY_TABLE, claim="other")
    page = replace(TOY, claims=("toy", "other"), tables=(TOY_TABLE, other))
    assert result_pages.kept_part(page, lambda claim: claim == "toy") == replace(TOY, tables=(TOY_TABLE,))
    assert result_pages.kept_part(page, lambda claim: True) == page
    assert result_pages.kept_part(page, lambda claim: False).claims == ()


def test_every_claim_that_was_run_has_a_page():
    paged = {claim for page in PAGES.values() for claim in page.claims}
    run = {n for n in experiment.list_claims() if results_or_none(n) is not None}
    assert run == paged


def results_or_none(name):
    try:
        return experiment.results(name)
    except ItmError:
        return None


def test_every_number_of_a_page_is_declared_and_not_typed():
    """Prose between tables has numbers of its own only about the setting: none with a decimal, as results have."""
    for page in PAGES.values():
        for text in (*page.paragraphs, *page.headlines, *(t.after for t in page.tables)):
            typed = re.sub(r"\{[^{}]*\}|\(\d{4}\)|chapter \d+", "", " ".join(text.split()))
            assert set(re.findall(r"\d+\.\d+", typed)) <= {"0.03", "0.1", "0.3", "1.0", "1.4"}, text


@pytest.mark.parametrize("what", ["a figure", "an effect"])
def test_a_changed_number_is_found(tmp_path, what):
    folder, readme = tmp_path / "results", tmp_path / "README.md"
    readme.write_text(README, encoding="utf-8")
    result_pages.build_pages(folder=folder, readme=readme)
    assert result_pages.build_pages(check=True, folder=folder, readme=readme) == []
    changed = copy.deepcopy(experiment.results("vsepp"))
    if what == "a figure":
        next(row for row in changed["figures"] if row["model"] == "sum")["rsum"] += 1
    else:
        changed["effects"][0]["mean"] += 1
    read = lambda name: changed if name == "vsepp" else experiment.results(name)  # noqa: E731
    found = result_pages.build_pages(check=True, folder=folder, readme=readme, kept=read)
    assert found == ["results/ch02.md"] + (["README.md"] if what == "an effect" else [])


def test_a_verdict_that_changed_stops_the_page():
    changed = copy.deepcopy(experiment.results("scan"))
    next(e for e in changed["effects"] if e["verdict"] == "holds" and "same regions" in e["name"])["verdict"] = "x"
    read = lambda name: changed if name == "scan" else experiment.results(name)  # noqa: E731
    with pytest.raises(ItmError, match="a sentence says 'holds'"):
        result_pages.page_text(PAGES["ch03"], read)


def test_building_mends_drift_and_leaves_other_files_alone(tmp_path):
    folder, readme = tmp_path / "results", tmp_path / "README.md"
    drifted = result_pages.with_headlines(README, f"{result_pages.START}\n- other\n{result_pages.END}")
    readme.write_text(drifted, encoding="utf-8")
    result_pages.build_pages(folder=folder, readme=readme)
    assert readme.read_text(encoding="utf-8") == README
    (folder / "ch01.md").write_text("other", encoding="utf-8")
    (folder / "ch77.md").write_text("of a chapter that is no more", encoding="utf-8")
    (folder / "another_report.md").write_text("not ours", encoding="utf-8")
    (folder / "photographs.md").unlink()
    drifted = result_pages.build_pages(check=True, folder=folder, readme=readme)
    assert drifted == ["results/ch01.md", "results/ch77.md", "results/photographs.md"]
    result_pages.build_pages(folder=folder, readme=readme)
    assert result_pages.build_pages(check=True, folder=folder, readme=readme) == []
    assert not (folder / "ch77.md").exists() and (folder / "another_report.md").read_text() == "not ours"


def test_a_readme_without_its_markers_is_refused():
    for text in ("", result_pages.START, f"{result_pages.END}{result_pages.START}", README + result_pages.START):
        with pytest.raises(ItmError, match="put the headline results between"):
            result_pages.with_headlines(text, "x")


# Photographs.


def test_the_page_of_photographs_holds_the_kept_numbers():
    text = (result_pages.FOLDER / "photographs.md").read_text(encoding="utf-8")
    kept_by_hand = tomllib.loads(photographs.FILE.read_text(encoding="utf-8"))
    for run in kept_by_hand["run"]:
        (line,) = [row for row in text.splitlines() if row.startswith(f"| {run['model']} |")]
        assert [f"{float(v):g}" for v in re.findall(r"[\d.]+(?= /)|(?<=/ )[\d.]+", line)] == [
            f"{value:g}" for value in (*run["i2t"], *run["t2i"])
        ]
    assert (
        "| UVSE (Kiros et al., NIPS workshop 2014) | VggNet | test | 18.0 / 40.9 / 55.0 | 12.5 / 37.0 / 51.5 |" in text
    )
    assert "| +11.9 | 1.0 | holds |" in text  # 9.9, 12.5 and 13.4: mean 11.93, standard deviation 1.82 over root 3
    assert "| +11.9 | 1.0 | holds |" not in photographs.FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("i2t = [21.9, 46.9, 60.1]", "i2t = [21.9, 46.9, 160.1]", "rising"),
        ("i2t = [21.9, 46.9, 60.1]", "i2t = [46.9, 21.9, 60.1]", r"`bow`, InfoNCE', i2t is \[46.9, 21.9, 60.1\]"),
        ("i2t = [21.9, 46.9, 60.1]", "i2t = [21.9, 46.9]", "give R@1, R@5 and R@10"),
        ('title = "Photographs: Flickr8k"', "", "lacks 'title'"),
        ("seeds = 1", "", "lacks 'seeds'"),
        ("[maps]", "[map]", "lacks 'maps'"),
        ("[[trial]]", "[[trial]", "is no valid TOML"),
        ('note = "RCNN"', 'note = "RNN"', "no row 'DeViSE', 'RNN' on Flickr8K"),
    ],
)
def test_damaged_numbers_of_photographs_are_refused(tmp_path, old, new, message):
    text = photographs.FILE.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "photographs.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ItmError, match=message):
        photographs.page_text("made", file)


def test_a_later_chapter_adds_rows_to_the_page_of_photographs(tmp_path):
    folder = tmp_path / "ch99_new"
    folder.mkdir()
    rows = """[[run]]
model = "`new`"
cost = ""
seeds = 1
i2t = [20.5, 43.0, 56.0]
t2i = [14.0, 35.0, 48.0]

[[published]]
method = "FV"
note = "GMM+HGLMM"
"""
    before = photographs.page_text("made", folder=tmp_path)
    (folder / "photographs.toml").write_text(rows, encoding="utf-8")
    added = set(photographs.page_text("made", folder=tmp_path).splitlines()) - set(before.splitlines())
    ours, published = sorted(added, reverse=True)
    assert ours == "| `new` | MobileNetV2 | dev | 20.5 / 43.0 / 56.0 | 14.0 / 35.0 / 48.0 | 1 seed |"
    assert published.startswith("| FV (Klein et al., CVPR 2015) | GMM+HGLMM | test | 31.0 / ")
    assert photographs.page_text("made").count("| `seam`, ") == 1  # kept by chapter 10
    for old, new, message in (
        ("43.0", "13.0", r"ch99_new.*`new`', i2t is \[20.5, 13.0"),
        ("[[run]]", "[[ran]]", "'run'"),
    ):
        (folder / "photographs.toml").write_text(rows.replace(old, new), encoding="utf-8")
        with pytest.raises(ItmError, match=message):
            photographs.page_text("made", folder=tmp_path)


# README and CONTRIBUTING.


def test_readme_is_short():
    assert README.count("\n") <= 130


HEADLINES = {  # claim, the effect -> its words in README; read here from the files themselves
    ("ch00_start_here", "start_here", "vse beats bow where the binding decides (points)"): "a bag of words does not",
    ("ch01_devise", "devise", "devise beats softmax in zero-shot hit@1 (points)"): "which a classifier cannot do",
    ("ch01_devise", "devise", "rank loss beats L2 in zero-shot hit@1 (points)"): "does **not** beat plain L2",
    ("ch02_vsepp", "vsepp", "max with a warm-up beats sum at convergence (rsum)"): "The hardest negative",
    ("ch03_scan", "scan", "given the same regions, scan beats vsepp (rsum)"): "Words that attend to image regions",
    ("ch04_timam", "timam", "cmpl beats a triplet loss of the hardest (R@1)"): "CMPL does **not** beat a triplet loss",
}


def headline_numbers(readme):
    """Words of a headline -> its mean and standard error, as printed."""
    block = readme.partition(result_pages.START)[2].partition(result_pages.END)[0]
    found = {}
    for line in block.strip().splitlines():
        (numbers,) = re.findall(r": ([+-][\d.]+), standard error ([\d.]+) \(", line)
        found[next(words for words in HEADLINES.values() if words in line)] = numbers
    return found


def test_the_six_headline_results_are_those_of_the_kept_claims():
    expected = {}
    for (folder, claim, name), words in HEADLINES.items():
        file = ROOT / "itm_tutorial" / "chapters" / folder / "results.json"
        (effect,) = [e for e in json.loads(file.read_text())[claim]["effects"] if e["name"] == name]
        expected[words] = (f"{effect['mean']:+.1f}", f"{effect['standard_error']:.1f}")
        assert (effect["verdict"] == "does not hold") == ("**not**" in words)
    assert headline_numbers(README) == expected and len(expected) == 6
    number = next(iter(expected.values()))[0]
    assert headline_numbers(README.replace(number, "+99.9")) != expected  # a changed number would be seen


def missing_links(text, folder):
    """Link targets inside the repository that are not there."""
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)|src=\"([^\"]+)\"", text)
    targets = [a or b for a, b in links]
    return [t for t in targets if not t.startswith("http") and not (folder / t).exists()]


@pytest.mark.parametrize("page", DOCUMENTS)
def test_links_and_images_are_there(page):
    file = ROOT / page
    assert missing_links(file.read_text(encoding="utf-8"), file.parent) == []


def test_a_missing_link_would_be_found():
    text = 'a [b](c.md) ![d](e.png) <img src="f.png" alt="g"> [h](https://i.org) [j](README.md#k)'
    assert missing_links(text, ROOT) == ["c.md", "e.png", "f.png"]


def images_without_alt(text):
    markdown = re.findall(r"!\[\s*\]\(([^)]*)\)", text)
    return markdown + [tag for tag in re.findall(r"<img [^>]*>", text) if not re.search(r'alt="[^"]{10,}"', tag)]


def test_every_image_has_alt_text():
    assert images_without_alt(README) == [] and README.count("<img ") == N_CHAPTERS
    assert images_without_alt('![](a.png) <img src="b.png"> <img src="c.png" alt="">') != []


def test_images_are_small():
    sizes = {name: (ROOT / "docs" / "images" / name).stat().st_size for name in images_of(README)}
    assert max(sizes.values()) < 200_000 and sum(sizes.values()) < 500_000


def images_of(text):
    return {Path(a or b).name for a, b in re.findall(r"!\[[^\]]*\]\(([^)]+)\)|src=\"([^\"]+)\"", text)}


def unknown_commands(text):
    """``itm`` commands, their options and ``make`` targets in a text that do not exist."""
    commands = get_command(app_of_commands).commands
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    unknown = []
    code = [*re.findall(r"`([^`\n]+)`", text), *"\n".join(re.findall(r"```\n(.*?)```", text, re.DOTALL)).splitlines()]
    for line in (part.partition("#")[0].strip() for part in code):
        tool, *words = line.split()[:1] + line.split()[1:] if line else [""]
        if tool == "make" and words and words[0] not in targets:
            unknown.append(line)
        if tool == "itm" and words:
            known = commands.get(words[0])
            options = {o for p in known.params for o in (*p.opts, *p.secondary_opts)} if known else {"--help"}
            named = [word for word in words if word.startswith("-")]
            if (known is None and words[0] != "--help") or set(named) - options - {"--help"}:
                unknown.append(line)
    return unknown


@pytest.mark.parametrize("page", DOCUMENTS)
def test_commands_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert unknown_commands(text) == []
    assert re.search(r"\bitm [a-z]+|\bmake [a-z]+", text)


def test_an_unknown_command_would_be_found():
    text = "`make curse` `itm trian vse` `itm train vse --reciep x` `itm list`\n```\nitm evalute\nmake lab # x\n```"
    assert unknown_commands(text) == ["make curse", "itm trian vse", "itm train vse --reciep x", "itm evalute"]


def test_names_after_commands_exist():
    import itm_tutorial as itm

    named = re.findall(r"itm (train|claims|prepare|sweep) (\w+)", README)
    known = {
        "train": itm.list_models(),
        "claims": experiment.list_claims(),
        "prepare": [*itm.list_corpora(), "course"],
        "sweep": sweeps(),
    }
    assert len(named) >= 6 and [pair for pair in named if pair[1] not in known[pair[0]]] == []
    for name in set(re.findall(r"\bitm\.(\w+)\(", README)):
        assert name in itm.__all__


def sweeps():
    return [sweep["name"] for sweep in tomllib.loads((ROOT / "course.toml").read_text())["sweep"]]


def test_readme_has_the_chapters_of_the_course_with_their_minutes():
    for chapter in tomllib.loads((ROOT / "course.toml").read_text())["chapter"]:
        link = f"(notebooks/{chapter['notebook']})"
        (row,) = [line for line in README.splitlines() if line.startswith("| <img ") and link in line]
        assert f"| {chapter['minutes']} min |" in row


def test_readme_and_contributing_have_their_parts():
    for heading in ("## Start", "## What you will be able to do", "## Results", "## Use it"):
        assert README.count(f"\n{heading}\n") == 1
    for heading in ("## Add a method", "## Add a chapter", "## Where things are", "## How long the tests take"):
        assert CONTRIBUTING.count(f"\n{heading}\n") == 1
    for heading in ("## Add a method", "## Add a chapter"):
        steps = CONTRIBUTING.partition(f"{heading}\n")[2].partition("\n## ")[0]
        assert re.findall(r"^(\d+)\. ", steps, re.MULTILINE) == [str(n) for n in range(1, 11)]


def test_another_title_gives_another_page():
    assert result_pages.page_text(replace(TOY, title="Other"), kept) != result_pages.page_text(TOY, kept)
