"""Pairs of published rows and ideas of papers: each is in the tables, and damaged files are reported."""

import pytest

import itm_tutorial as itm
from itm_tutorial.errors import ItmError
from itm_tutorial.literature.relations import PARTS, SEEN_IN, read_changes, read_ideas

CHANGES = "part,change,from_method,from_note,from_ensemble,to_method,to_note,to_ensemble"


def test_every_change_has_pairs_and_every_pair_is_two_published_values():
    frame, values = itm.literature.pairs(), itm.literature.results("2025")
    assert {(c.part, c.change) for c in read_changes()} == set(zip(frame.part, frame.change, strict=True))
    assert set(frame.part) == set(PARTS) and not frame.duplicated().any()
    values = values[(values.metric == "R@1") & ~values.doubtful]
    for pair in frame.itertuples():
        column = values[(values.dataset == pair.dataset) & (values.direction == pair.direction)]
        assert pair.after in set(column[column.method == pair.method].value) and pair.before in set(column.value)
        assert pair.difference == pytest.approx(pair.after - pair.before)


def test_pairs_by_hand():
    frame = itm.literature.pairs().query("method == 'VSE++' and change == 'VGG → ResNet' and dataset == 'Flickr30K'")
    assert list(frame.difference) == [11.6, 8.2]
    frame = itm.literature.pairs().query("method == 'CMPL' and part == 'loss'")
    assert sorted(zip(frame.dataset, frame.before, frame.after, strict=True)) == [
        ("CUB", 62.1, 64.3),
        ("CUHK-PEDES", 44.02, 49.37),
        ("Flowers", 66.1, 68.9),
    ]
    assert "SAN" not in set(itm.literature.pairs().method)  # the survey marks its rows as questionable
    with pytest.raises(ItmError, match="unknown metric"):
        itm.literature.pairs(metric="MedR")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("luck,x,,A,same,,B,same", "unknown part 'luck'"),
        ("loss,x,A,,same,,,same", "method is 'A' before and '' after"),
        ("loss,x,,A,no,,B,same", "ensemble is 'no' before and 'same' after"),
        ("loss,x,,A,perhaps,,B,no", "ensemble is perhaps and no; write yes, no or same"),
        ("loss,x,,A,same,,A,same", "both sides are the same row"),
    ],
)
def test_a_damaged_table_of_changes_is_reported_with_its_line(tmp_path, line, complaint):
    file = tmp_path / "pairs.csv"
    file.write_text(f"{CHANGES}\n{line}\n", encoding="utf-8")
    with pytest.raises(ItmError, match=f"pairs.csv line 2: {complaint}"):
        read_changes(file)


def test_ideas_connect_papers_of_the_survey():
    known = set(itm.literature.papers().key)
    for idea in itm.literature.ideas():
        assert {idea.source, idea.heir} <= known and idea.source != idea.heir and len(idea.idea) < 70
    assert {idea.seen_in for idea in itm.literature.ideas()} == set(SEEN_IN)


def test_the_surveys_notes_support_the_changes():
    frame = itm.literature.results("2025")
    names = {key: name for key, name in zip(itm.literature.papers().key, itm.literature.papers().name, strict=True)}
    for idea in itm.literature.ideas():
        if idea.seen_in == "survey":
            assert frame[frame.key == idea.heir].note.str.contains(names[idea.source]).any(), idea


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("faghri2018vse,lee2018scan,x,code", "unknown source 'faghri2018vse': did you mean 'faghri2018vsepp'"),
        ("faghri2018vsepp,lee2018scan,x,dream", "unknown place 'dream'"),
        ("lee2018scan,kiros2014uvse,x,code", "kiros2014uvse is older than lee2018scan"),
        ("faghri2018vsepp,lee2018scan,,code", "no idea"),
    ],
)
def test_a_damaged_table_of_ideas_is_reported_with_its_line(tmp_path, line, complaint):
    file = tmp_path / "ideas.csv"
    file.write_text(f"source,heir,idea,seen_in\n{line}\n", encoding="utf-8")
    with pytest.raises(ItmError, match=f"ideas.csv line 2: {complaint}"):
        read_ideas(file)
    file.write_text("source,heir,idea,seen_in\n" + "faghri2018vsepp,lee2018scan,x,code\n" * 2, encoding="utf-8")
    with pytest.raises(ItmError, match=r"ideas\.csv line 3: .* occur twice"):
        read_ideas(file)
