"""Captions in text files: tabs, commas with and without quotes, bars and their broken line; faults are named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.data.readers.caption_tables import first_image, read_table
from itm_tutorial.errors import ItmError


def table(tmp_path, text):
    file = tmp_path / "captions.txt"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(file)


@pytest.mark.parametrize(
    ("line", "caption"),
    [
        ("a.jpg,A dog .", "A dog ."),
        ("a.jpg,A dog , a cat , and a car", "A dog , a cat , and a car"),  # not in quotes, as some copies have it
        ('a.jpg,"A dog , a cat"', "A dog , a cat"),
        ('a.jpg,"A ""big"" dog"', 'A "big" dog'),
        ('a.jpg,A 6" pipe', 'A 6" pipe'),
        ('a.jpg,"Go" , says a sign', '"Go" , says a sign'),
        ('"a.jpg","A dog"', "A dog"),
        ('a.jpg,"A dog\nwith a ball , in snow"', "A dog with a ball , in snow"),
        ("a.jpg,5 | 6 dogs", "5 | 6 dogs"),
    ],
)
def test_captions_with_commas_and_quotes_are_whole(tmp_path, line, caption):
    found = table(tmp_path, f"image,caption\n{line}\nb.jpg,A cat .\n")
    assert found.captions == {"a.jpg": [caption], "b.jpg": ["A cat ."]}


@pytest.mark.parametrize("heading", ["image,caption", "image_name,comment_number,comment", "filename,caption", ""])
def test_headings_of_copies(tmp_path, heading):
    number = "0," if "number" in heading else ""
    found = table(tmp_path, f"{heading}\na.jpg,{number}A dog , a cat\na.jpg,{number}A car\n".lstrip("\n"))
    assert found.captions == {"a.jpg": ["A dog , a cat", "A car"]}


def test_another_order_of_columns(tmp_path):
    assert table(tmp_path, 'caption,image\n"A dog , a cat",a.jpg\n').captions == {"a.jpg": ["A dog , a cat"]}


def test_the_published_line_without_its_bar_is_repaired_and_said(tmp_path):
    lines = ["image_name| comment_number| comment", "2199200615.jpg| 3| A dog .", "2199200615.jpg| 4   A dog runs ."]
    found = table(tmp_path, "\r\n".join(lines))
    assert found.captions == {"2199200615.jpg": ["A dog .", "A dog runs ."]}
    assert found.notes() == ["line 3 (2199200615.jpg): the missing '|' after the number was put in"]
    assert (
        table(tmp_path, "\n".join([*lines, "a.jpg| 0 A cat"])).notes()[0].startswith("line 3 (2199200615.jpg) and 1 m")
    )
    assert table(tmp_path, "\n".join(lines[:2])).notes() == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,caption\na.jpg\n", "line 2: 1 of 2 columns; write it as image,caption"),
        ("image,caption\na.jpg,\n", "line 2: the caption of a.jpg is empty"),
        ("image,caption\na.jpg,'.'\n", "line 2: the caption of a.jpg is empty"),
        ("image,caption\n,A dog\n", "line 2: no image name"),
        ("image_name| comment_number| comment\na.jpg| A dog\n", r"line 2: 2 of 3 columns; write it as image|number"),
        ("a.jpg A dog\n", "line 1: no tab between image name and caption"),
        ("a.jpg#0\tA dog\na.jpg#0\tA dog\n", "line 2: a.jpg#0 is in line 1 already"),
        ("\n\n", "holds no captions"),
        (b"image,caption\na.jpg,A d\xffg\n", "line 2: not UTF-8"),
        ("caption,image\n" + '"A' * 70000 + '",a.jpg\n', "line 2"),
    ],
)
def test_faults_name_the_line(tmp_path, text, message):
    with pytest.raises(ItmError, match=message):
        table(tmp_path, text)


def test_the_first_image_is_read_from_the_first_bytes(tmp_path):
    file = tmp_path / "captions.txt"
    for text, image in [
        ("image,caption\n1_a.jpg,A dog", "1_a.jpg"),
        ("12.jpg| 0| A dog", "12.jpg"),
        ("\ufeff12.jpg#0\tA dog", "12.jpg"),
        ("file_name,caption,split\nx", ""),
        ("", ""),
    ]:
        file.write_text(text, encoding="utf-8")
        assert first_image(file) == image
    assert first_image(tmp_path) == first_image(tmp_path / "absent") == ""


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=30)


@given(captions=st.lists(WORDS.map(lambda text: f"a{text}".strip()), min_size=1, max_size=5))
def test_what_the_csv_module_writes_is_read_back(tmp_path_factory, captions):
    import csv

    file = tmp_path_factory.mktemp("csv") / "captions.txt"
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([["image", "caption"], *(["a.jpg", caption] for caption in captions)])
    assert read_table(file).captions == {"a.jpg": captions}
