"""The literature as data: it equals the survey, all readers report damaged files, and the BibTeX parses."""

import csv
import re
import time
import tomllib
import unicodedata
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

import itm_tutorial as itm
from itm_tutorial.errors import ItmError
from itm_tutorial.literature import catalogue, reported
from itm_tutorial.literature.tables import FOLDER, read_table

ROOT = Path(__file__).parents[2]
SURVEY = ROOT.parent / "shared" / "seed"  # the survey's files, if they are beside the checkout
beside_the_survey = pytest.mark.skipif(not SURVEY.exists(), reason="the survey's own files are not there")
NAMES = ["dataset", "method", "note", "ensemble", "questionable"]
COUNTS = {  # edition -> data set -> number of values, number of reported ones, their sum
    "2020": {
        "Flickr8K": (114, 110, 4315.20),
        "Flickr30K": (186, 180, 9394.10),
        "MSCOCO1K": (144, 138, 9690.60),
        "MSCOCO5K": (60, 58, 2863.80),
        "CUHK-PEDES": (36, 31, 1763.81),
        "CUB": (18, 18, 964.90),
        "Flowers": (18, 18, 1140.50),
    },
    "2025": {
        "Flickr8K": (150, 138, 5835.40),
        "Flickr30K": (882, 862, 62517.90),
        "MSCOCO1K": (852, 832, 68443.10),
        "MSCOCO5K": (504, 492, 32411.90),
        "CUHK-PEDES": (99, 90, 6023.28),
        "ICFG-PEDES": (18, 18, 1137.71),
        "RSTPReid": (3, 3, 150.70),
        "CUB": (22, 22, 1240.70),
        "Flowers": (22, 22, 1438.30),
    },
}


def rows_of(edition):
    """The published rows, each with its values."""
    return reported.read_rows(FOLDER / f"results_{edition}.csv")


def written(path, header, *lines):
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("edition", COUNTS)
def test_counts_and_sums_of_values(edition):
    frame = itm.literature.results(edition)
    assert len(frame) == {"2020": 576, "2025": 2552}[edition]
    for dataset, group in frame.groupby("dataset"):
        n, n_reported, total = COUNTS[edition][dataset]
        assert (len(group), group.value.count()) == (n, n_reported)
        assert group.value.sum() == pytest.approx(total, abs=0.005)
    assert set(frame.dataset) == set(COUNTS[edition]) and set(frame.edition) == {edition}


@beside_the_survey
@pytest.mark.parametrize(("edition", "file"), [("2020", "results.csv"), ("2025", "results_2025.csv")])
def test_every_value_is_the_surveys(edition, file):
    columns = [*NAMES, "direction", "metric", "value"]
    theirs = pd.read_csv(SURVEY / file, keep_default_na=False, na_values={"value": [""]})
    ours = itm.literature.results(edition)
    pd.testing.assert_frame_equal(ours[columns], theirs[columns], check_dtype=False)


@beside_the_survey
def test_every_paper_is_the_surveys():
    with (SURVEY / "papers.csv").open(encoding="utf-8", newline="") as stream:
        theirs = list(csv.DictReader(stream))
    ours = itm.literature.papers().to_dict("records")
    assert len(ours) == len(theirs) == 78
    for mine, other in zip(ours, theirs, strict=True):
        assert f"{mine['venue']}{mine['year']}" == re.sub(r" (?=\d{4}$)", "", other.pop("venue"))
        assert {name: mine[name] for name in other} == other


@beside_the_survey
def test_dropped_rows_are_those_of_the_survey():
    text = (SURVEY / "tutorial.md").read_text(encoding="utf-8")
    parts = re.split(r"### \*[Pp]erformance of ", text)[1:]
    counted = {part.split("*")[0]: part.count("<tr> <td>222</td>") for part in parts}
    assert {name: n for name, n in counted.items() if n} == dict(
        itm.literature.dropped()[["dataset", "rows"]].itertuples(index=False)
    )


def test_papers_are_78_with_their_links():
    frame = itm.literature.papers()
    assert len(frame) == 78 and frame.key.is_unique and frame.name.is_unique
    assert {link: int((frame[link] != "").sum()) for link in ("paper", "code", "demo", "slides")} == {
        "paper": 78,
        "code": 21,
        "demo": 2,
        "slides": 1,
    }
    assert frame.year.between(2010, 2020).all() and (frame.chapter != "").all()
    assert len(itm.literature.papers(beyond=True)) > 78


def test_reading_takes_less_than_a_tenth_of_a_second():
    for read in (itm.literature.papers, itm.literature.results, lambda: itm.literature.results("2025")):
        start = time.process_time()  # of the CPU, so that a busy machine does not matter; pandas is imported already
        read()
        assert time.process_time() - start < 0.1


@pytest.mark.parametrize("edition", COUNTS)
def test_recalls_grow_with_k(edition):
    for row in rows_of(edition):
        for direction in ("i2t", "t2i"):
            curve = [row.values.get((direction, f"R@{k}")) for k in (1, 5, 10)]
            known = [value for value in curve if value is not None]
            assert all(a <= b for a, b in pairwise(known)), row


@pytest.mark.parametrize("edition", COUNTS)
def test_values_off_their_curve_or_the_same_in_both_directions_are_doubtful(edition):
    """Recall must not grow faster between ranks 5 and 10 than between 1 and 5, nor two directions agree twice."""
    found = set()
    for row in rows_of(edition):
        name = (row.dataset, row.method)
        for direction in ("i2t", "t2i"):
            r1, r5, r10 = (row.values.get((direction, f"R@{k}")) for k in (1, 5, 10))
            if None not in (r1, r5, r10) and (r10 - r5) / 5 > (r5 - r1) / 4:
                found.add((*name, direction, "R@5"))
        pairs = [(row.values.get(("i2t", m)), row.values.get(("t2i", m)), m) for m in ("R@1", "R@5", "R@10")]
        same = [metric for a, b, metric in pairs if a is not None and a == b]
        if len(same) > 1:
            found |= {(*name, direction, metric) for direction in ("i2t", "t2i") for metric in same}
    frame = itm.literature.results(edition)
    other = frame.method.isin(["2WayNet", "GVSE"]) | frame.questionable
    doubtful = frame[frame.doubtful & ~other]
    assert set(doubtful[["dataset", "method", "direction", "metric"]].itertuples(index=False, name=None)) == found
    assert (doubtful.remark != "").all() and len(found) == 5


def test_the_two_editions_agree_on_every_value_and_new_names_are_marked():
    later = rows_of("2025")
    other_names = itm.literature.corrections().query("edition == '2020' and kind == 'other name'")
    other_names = set(other_names[["dataset", "method", "note"]].itertuples(index=False, name=None))
    renamed = set()
    for row in rows_of("2020"):
        same = [other for other in later if other.dataset == row.dataset and other.values == row.values]
        assert len(same) == 1 and same[0].ensemble == row.ensemble, row
        if (same[0].method, same[0].note) != (row.method, row.note) and not row.method.startswith("SCAN_"):
            renamed.add((row.dataset, row.method, row.note))  # SCAN_t2i is SCAN, T2I later: the same words
    assert renamed - {("Flickr8K", "IMRAM", "BUTD")} == other_names


def test_remarks_say_why():
    frame = itm.literature.results("2025")
    assert frame[frame.questionable].doubtful.all() and not itm.literature.results("2020").questionable.any()
    assert frame[frame.method == "2WayNet"].remark.str.contains("counts two ranks").all()
    assert frame[frame.ensemble].remark.str.startswith("an ensemble").all()
    assert (frame[frame.doubtful].remark != "").all()
    assert not frame[(frame.method == "SPE") & (frame.dataset == "Flickr30K")].doubtful.any()
    assert len(frame[(frame.method == "GVSE") & (frame.dataset == "MSCOCO5K") & frame.doubtful]) == 12


def test_keys_lead_from_values_to_papers():
    frame = itm.literature.results("2020")
    known = set(itm.literature.papers().key)
    assert set(frame.key) <= known  # every method of 2020 is one of the 78
    assert set(frame[frame.method == "SCAN_t2i"].key) == {"lee2018scan"}
    assert set(itm.literature.results("2025").key) <= known | {""}


def test_an_unknown_edition_is_refused():
    with pytest.raises(ItmError, match="unknown edition '2021'"):
        itm.literature.results("2021")


HEADER = "dataset,method,note,ensemble,questionable," + ",".join(reported.MEASURES)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("Flickr9K,A,B,no,no,1,2,3,1,2,3,", "unknown data set 'Flickr9K': did you mean 'Flickr8K'"),
        ("Flickr8K,,B,no,no,1,2,3,1,2,3,", "no method"),
        ("Flickr8K,A,B,perhaps,no,1,2,3,1,2,3,", "ensemble is 'perhaps'; write yes or no"),
        ("Flickr8K,A,B,no,,1,2,3,1,2,3,", "questionable is ''"),
        ("Flickr8K,A,B,no,no,1,2,3,1,2,222,", "t2i R@10 is 222; write a percentage"),
        ("Flickr8K,A,B,no,no,-1,2,3,1,2,3,", "i2t R@1 is -1"),
        ("Flickr8K,A,B,no,no,nan,2,3,1,2,3,", "i2t R@1 is nan"),
        ("Flickr8K,A,B,no,no,1,two,3,1,2,3,", "i2t R@5 is 'two'; write a number, or --"),
        ("Flickr8K,A,B,no,no,,,,,,,", "no value except zeros"),
        ("Flickr8K,A,B,no,no,0,0,0,0.0,0,0,", "no value except zeros"),
        ("Flickr8K,A,B,no,no,--,--,--,--,--,--,", "no value except zeros"),
        ("Flickr8K,A,B,C,no,no,1,2,3,1,2,3,", "13 columns instead of 12"),
        ("Flickr8K,A,no,no,1,2,3,1,2,3,", "11 columns instead of 12"),
        ('Flickr8K,A,"B,no,no,1,2,3,1,2,3,', "quotation mark"),
    ],
)
def test_a_damaged_table_of_results_is_reported_with_its_line(tmp_path, line, complaint):
    file = written(tmp_path / "results.csv", HEADER, "Flickr8K,A,,no,no,1,2,3,1,2,--,", line)
    with pytest.raises(ItmError, match=r"results\.csv line [34]: ") as error:
        reported.read_rows(file)
    assert complaint in str(error.value)


@pytest.mark.parametrize(("measure", "what"), [("i2i R@1", "direction 'i2i'"), ("i2t R@2", "metric 'R@2'")])
def test_an_unknown_measure_is_reported(tmp_path, measure, what):
    file = written(tmp_path / "results.csv", f"dataset,method,note,ensemble,questionable,{measure}")
    with pytest.raises(ItmError, match=f"line 1: unknown {what}"):
        reported.read_rows(file, [measure])


def test_a_median_rank_is_no_percentage(tmp_path):
    header = "dataset,method,note,ensemble,questionable,i2t MedR"
    file = written(tmp_path / "results.csv", header, "CUB,A,,no,no,250")
    assert reported.read_rows(file, ["i2t MedR"])[0].values == {("i2t", "MedR"): 250.0}
    written(file, header, "CUB,A,,no,no,inf")
    with pytest.raises(ItmError, match="i2t MedR is inf; write a number of 0 or more"):
        reported.read_rows(file, ["i2t MedR"])


CORRECTIONS = "edition,dataset,method,note,direction,metric,kind,why"


def test_a_row_that_occurs_twice_is_refused_unless_marked_as_repeated(tmp_path):
    row = "Flickr8K,A,B,no,no,1,2,3,1,2,3,"
    file = written(tmp_path / "results.csv", HEADER, row, row.replace("1", "4", 1))
    corrections = written(tmp_path / "corrections.csv", CORRECTIONS)
    with pytest.raises(ItmError, match=r"results\.csv line 3: A \(B\) on Flickr8K is in line 2 too"):
        reported.reported_values("2020", file, corrections)
    written(corrections, CORRECTIONS, "2020,Flickr8K,A,B,,,repeated,two of one name")
    assert [row["doubtful"] for row in reported.reported_values("2020", file, corrections)] == [True] * 12


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("2021,,A,,,,repeated,x", "unknown edition '2021'"),
        (",CUBS,A,,,,repeated,x", "unknown dataset 'CUBS'"),
        (",,A,,up,,repeated,x", "unknown direction 'up'"),
        (",,A,,,R@7,repeated,x", "unknown metric 'R@7'"),
        (",,A,,,,strange,x", "unknown kind 'strange'"),
        (",,A,,,,repeated,", "no reason"),
        (",,C,,,,repeated,x", "no value of the edition of 2020"),
    ],
)
def test_a_damaged_correction_is_reported_with_its_line(tmp_path, line, complaint):
    file = written(tmp_path / "results.csv", HEADER, "Flickr8K,A,B,no,no,1,2,3,1,2,3,")
    corrections = written(tmp_path / "corrections.csv", CORRECTIONS, line)
    with pytest.raises(ItmError, match=r"corrections\.csv line 2: ") as error:
        reported.reported_values("2020", file, corrections)
    assert complaint in str(error.value)


PAPER = "a2020b,section,A,A,CVPR,2020,01,A title,An Author,http://a.b/c,,,"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("a2020b", "A2020b", "the key is 'A2020b'"),
        (",2020,", ",,", "the year of a2020b is ''; write four digits"),
        (",2020,", ",2019,", "names another year than 2019"),
        (",A title,", ",,", "has no title"),
        (",An Author,", ", ,", "has no authors"),
        ("http://a.b/c", "a.b/c", "paper of a2020b is 'a.b/c'"),
    ],
)
def test_a_damaged_table_of_papers_is_reported_with_its_line(tmp_path, old, new, complaint):
    header = ",".join(catalogue.COLUMNS)
    file = written(tmp_path / "papers.csv", header, PAPER.replace("a2020b", "z2020z"), PAPER.replace(old, new, 1))
    with pytest.raises(ItmError, match=r"papers\.csv line 3: ") as error:
        catalogue.read_papers(file)
    assert complaint in str(error.value)


def test_a_key_twice_and_a_misprint_that_is_none_are_reported(tmp_path):
    file = written(tmp_path / "papers.csv", ",".join(catalogue.COLUMNS), PAPER, PAPER)
    with pytest.raises(ItmError, match="line 3: the key a2020b occurs twice"):
        catalogue.read_papers(file)
    papers = catalogue.read_papers(written(file, ",".join(catalogue.COLUMNS), PAPER))
    header = "key,field,printed,right,why"
    for line, complaint in {
        "b2020b,title,x,y,z": "unknown key 'b2020b'",
        "a2020b,year,x,y,z": "unknown field 'year'",
        "a2020b,title,Another,y,z": "'Another' must occur once in title of a2020b",
    }.items():
        wrong = written(tmp_path / "wrong.csv", header, line)
        with pytest.raises(ItmError, match=f"wrong.csv line 2: {complaint}"):
            catalogue.read_corrections(wrong, papers)


def test_a_table_that_is_missing_or_no_text_is_reported(tmp_path):
    with pytest.raises(ItmError, match=r"none\.csv cannot be read"):
        read_table(tmp_path / "none.csv", ["a"])
    (tmp_path / "latin.csv").write_bytes("a\nJônatas\n".encode("latin-1"))
    with pytest.raises(ItmError, match=r"latin\.csv is not UTF-8 at byte"):
        read_table(tmp_path / "latin.csv", ["a"])
    with pytest.raises(ItmError, match="line 1: the columns are a,b; write a"):
        read_table(written(tmp_path / "other.csv", "a,b"), ["a"])


def test_misprints_are_listed_by_papers_and_corrected_by_citations():
    frame = itm.literature.papers().set_index("key")
    assert frame.authors["li2017gnarnn"].startswith("huang  Li")
    assert "'Shuang Li' is meant" in frame.remark["li2017gnarnn"]
    assert "author = {Li, Shuang and Xiao, Tong" in itm.literature.bibtex("li2017gnarnn")
    assert itm.literature.cite("carraggi2018vsaaemmd") == "Carraggi et al., ECCV workshop 2018"


def parsed(entry):
    """Kind, key and fields of one BibTeX entry; fails on braces that do not match."""
    kind, key, body = re.fullmatch(r"@(\w+)\{(\w+),\n(.*)\}\n", entry, re.DOTALL).groups()
    fields = dict(re.fullmatch(r"  (\w+) = \{(.*)\},", line).groups() for line in body.splitlines())
    for value in fields.values():
        depth = 0
        for sign in re.sub(r"\\[{}]", "", value):
            depth += (sign == "{") - (sign == "}")
            assert depth >= 0, entry
        assert depth == 0, entry
    return kind, key, fields


def test_bibtex_parses_and_is_whole():
    entries = [entry + "\n" for entry in itm.literature.bibtex().rstrip("\n").split("\n\n")]
    papers = itm.literature.papers(beyond=True)
    found = [parsed(entry) for entry in entries]
    assert [key for _, key, _ in found] == list(papers.key) and papers.key.is_unique
    for (kind, key, fields), year, authors in zip(found, papers.year, papers.authors, strict=True):
        place = {"inproceedings": "booktitle", "article": "journal", "misc": "note"}[kind]
        assert set(fields) - {"url"} == {"title", "author", place, "year"} and all(fields.values())
        assert int(fields["year"]) == year == int(re.search(r"\d{4}", key)[0])
        assert fields["author"].count(" and ") == authors.count(",")
        text = "".join(value for name, value in fields.items() if name != "url")
        assert text.isascii() and not re.search(r"(?<!\\)[&%$#_]", text)
        assert itm.literature.bibtex(key) in itm.literature.bibtex()


def test_bibtex_by_hand():
    assert itm.literature.bibtex("faghri2018vsepp") == (
        "@inproceedings{faghri2018vsepp,\n"
        "  title = {{VSE++:} Improving {Visual-Semantic} Embeddings with Hard Negatives},\n"
        "  author = {Faghri, Fartash and Fleet, David J. and Kiros, Jamie Ryan and Fidler, Sanja},\n"
        "  booktitle = {British Machine Vision Conference},\n"
        "  year = {2018},\n"
        "  url = {https://arxiv.org/pdf/1707.05612.pdf},\n"
        "}\n"
    )
    assert 'Dahlgren Lindstr{\\"{o}}m, Adam' in itm.literature.bibtex("lindstrom2020probing")
    assert "van den Oord, Aaron" in itm.literature.bibtex("oord2018infonce")
    assert "Ranzato, Marc'Aurelio" in itm.literature.bibtex("frome2013devise")


@pytest.mark.parametrize(
    ("key", "words"),
    {
        "faghri2018vsepp": "Faghri et al., BMVC 2018",
        "zhang2018cmpl": "Zhang and Lu, ECCV 2018",
        "kiros2014uvse": "Kiros et al., NIPS workshop 2014",
        "maaten2008tsne": "van der Maaten and Hinton, JMLR 2008",
        "wong2011color": "Wong, Nature Methods 2011",
    }.items(),
)
def test_citations(key, words):
    assert itm.literature.cite(key) == words


def test_an_unknown_key_is_refused():
    with pytest.raises(ItmError, match="unknown paper 'faghri2018vse': did you mean 'faghri2018vsepp'"):
        itm.literature.cite("faghri2018vse")
    with pytest.raises(ItmError, match="unknown paper"):
        itm.literature.bibtex("nobody1999nothing")


def test_what_notebooks_cite_is_there():
    for notebook in sorted((ROOT / "notebooks" / "source").glob("*.py")):
        for key in re.findall(r"[\"']([a-z]+(?:19|20)\d\d\w+)[\"']", notebook.read_text(encoding="utf-8")):
            assert itm.literature.cite(key), f"{notebook.name} cites {key}"


def test_a_chapter_cites_every_paper_of_the_survey_that_belongs_to_it():
    course = tomllib.loads((ROOT / "course.toml").read_text(encoding="utf-8"))
    in_footers = {chapter["notebook"]: chapter["papers"] for chapter in course["chapter"]}
    sources = sorted((ROOT / "notebooks" / "source").glob("[0-8]?_*.py"))
    for notebook in (source for source in sources if "_lab_" not in source.stem):
        papers = itm.literature.papers()
        text = notebook.read_text(encoding="utf-8")
        text += "".join(f'"{key}"' for key in in_footers[f"{notebook.stem}.ipynb"])
        for key in papers.key[papers.chapter == notebook.name[:2]]:
            assert f'"{key}"' in text, f"{notebook.name} never cites {key}"


def ascii_name(name):
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()


def test_who_is_cited_by_year_in_the_package_is_in_the_bibliography():
    """Docstrings cite papers as "Faghri et al. 2018": each such first author and year has an entry."""
    known = {(re.split(r"\d", key)[0], re.search(r"\d{4}", key)[0]) for key in itm.literature.papers(beyond=True).key}
    named = re.compile(r"([A-Z][\w'-]+)(?: et al\.?,?| and [A-Z]\w+,?) \(?((?:19|20)\d\d)\)?")
    for file in [*(ROOT / "itm_tutorial").rglob("*.py"), ROOT / "README.md"]:
        for name, year in named.findall(file.read_text(encoding="utf-8")):
            assert (ascii_name(name), year) in known, f"{file.name} cites {name} {year}"


def test_the_bibliography_page_is_the_one_that_is_made():
    page = (ROOT / "docs" / "bibliography.md").read_text(encoding="utf-8")
    assert page == itm.literature.bibliography(), "run python docs/bibliography.py"
    assert page.count("\n- **") == len(itm.literature.papers(beyond=True))


def test_the_files_ship_in_the_wheel():
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    assert "**/*.csv" in data["itm_tutorial"]
