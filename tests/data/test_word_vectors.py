"""Word vectors: lookup, comparison, and all file formats; each fault of a file is named with its line."""

import gzip
import struct
import tracemalloc

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from itm_tutorial.data.word_vectors import WordVectors, read_glove, read_word2vec, read_word_vectors
from itm_tutorial.errors import ItmError

ZOO = WordVectors(
    ["dog", "wolf", "polar", "bear", "car", "ice_cream"],
    torch.tensor([[3.0, 1.0], [2.0, 1.0], [0.0, 4.0], [2.0, 0.0], [-1.0, -1.0], [7.0, 7.0]]),
)


def test_words_have_vectors():
    assert (len(ZOO), ZOO.dim, "wolf" in ZOO, "fox" in ZOO, ZOO.index["bear"]) == (6, 2, True, False, 3)
    assert ZOO.vector("wolf").tolist() == [2, 1]
    names = ["polar bear", "wolf", "brown bear", "ice_cream", "polar-bear", "polar_bear"]
    assert ZOO.matrix(names).tolist() == [[1, 2], [2, 1], [2, 0], [7, 7], [1, 2], [1, 2]]
    assert ZOO.matrix([]).shape == (0, 2)


def test_the_nearest_leave_out_the_word_itself():
    found = ZOO.nearest("dog", 2)
    assert [word for word, _ in found] == ["wolf", "bear"]
    assert found[0][1] == pytest.approx(7 / 50**0.5)
    assert [word for word, _ in ZOO.nearest(torch.tensor([3, 1]), 1)] == ["dog"]
    assert [word for word, _ in ZOO.nearest("dog", 2, among=["car", "dog", "polar"])] == ["polar", "car"]


def test_unit_vectors_have_length_one_however_small_they_were():
    tiny = WordVectors(["a", "b"], torch.tensor([[3e-30, 4e-30], [0.0, -2e30]]))
    assert tiny.unit().vectors.tolist() == [pytest.approx([0.6, 0.8]), [0, -1]]


def test_saved_vectors_come_back(tmp_path):
    WordVectors(ZOO.words, ZOO.vectors, duplicates=3).save(tmp_path / "zoo")
    again = WordVectors.load(tmp_path / "zoo")
    assert (again.words, again.duplicates) == (ZOO.words, 3)
    assert torch.equal(again.vectors, ZOO.vectors)
    (tmp_path / "zoo" / "words.json").write_text("[1, 2]")
    with pytest.raises(ItmError, match="make it again"):
        WordVectors.load(tmp_path / "zoo")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: ZOO.vector("wolff"), "'wolff'.*'wolf'"),
        (lambda: ZOO.vector("xyz"), "no word is spelled like it"),
        (lambda: ZOO.matrix(["dog", "carr van"]), "'carr van'"),
        (lambda: ZOO.matrix("dog"), "list"),
        (lambda: ZOO.nearest("dog", 6), "k is 6, with 5 words"),
        (lambda: ZOO.nearest("dog", 0), "k is 0"),
        (lambda: ZOO.nearest("dog", 1, among=["doge"]), "'doge'.*'dog'"),
        (lambda: ZOO.nearest(torch.ones(3)), r"\[3\].*\[2\]"),
        (lambda: ZOO.nearest(torch.zeros(2)), "zero"),
        (lambda: ZOO.nearest(7), "int"),
        (lambda: WordVectors(["a", "b"], torch.eye(2) * torch.tensor([1, 0])).unit(), "'b' is zero"),
        (lambda: WordVectors(["a", "a"], torch.ones(2, 2)), "'a' occurs twice"),
        (lambda: WordVectors(["a"], torch.ones(2, 2)), "1 words for 2 vectors"),
        (lambda: WordVectors(["a"], torch.ones(1, 2).double()), "float64"),
        (lambda: WordVectors(["a"], [[1.0]]), "list"),
        (lambda: WordVectors(["a"], torch.full((1, 2), float("nan"))), "NaN"),
    ],
)
def test_faults_are_reported_clearly(ask, message):
    with pytest.raises(ItmError, match=message):
        ask()


def text_of(words, rows, header=False, end="\n"):
    lines = [f"{len(words)} {len(rows[0])}"] if header else []
    lines += [" ".join([word, *map(repr, row)]) for word, row in zip(words, rows, strict=True)]
    return end.join([*lines, ""]).encode()


def binary_of(words, rows, between=b"\n"):
    records = (word.encode() + b" " + struct.pack(f"<{len(row)}f", *row) for word, row in zip(words, rows, strict=True))
    return f"{len(words)} {len(rows[0])}\n".encode() + between.join([*records, b""])


@st.composite
def tables(draw):
    """Words in any script, some with odd white space, and rows of float32 numbers."""
    letters = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters=" ")
    words = draw(st.lists(st.text(letters, min_size=1, max_size=6), min_size=1, max_size=6, unique=True))
    dim = draw(st.integers(1, 5))
    row = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=dim, max_size=dim)
    return words, draw(st.lists(row, min_size=len(words), max_size=len(words)))


@given(tables(), st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_layout_gives_the_vectors_back(tmp_path, table, data):
    words, rows = table
    some = data.draw(st.sets(st.sampled_from(words), min_size=1))
    spaced = [f"{word} b c" for word in words]  # as ". . ." in GloVe's largest file
    layouts = {
        "glove.txt": (words, text_of(words, rows)),
        "spaces.txt": (spaced, text_of(spaced, rows)),
        "word2vec.txt": (
            words,
            text_of(words, rows, header=True, end=" \r\n"),
        ),  # a space before the end, as word2vec writes
        "feeds.bin": (words, binary_of(words, rows)),
        "none.bin": (words, binary_of(words, rows, between=b"")),
    }
    for name, (there, content) in layouts.items():
        file = tmp_path / name
        file.write_bytes(content)
        whole = read_word_vectors(file)
        assert (whole.words, whole.vectors.tolist(), whole.duplicates) == (there, rows, 0)
        wanted = [i for i, word in enumerate(words) if word in some]
        part = read_word_vectors(file, {there[i] for i in wanted} | {"nowhere"})
        assert (part.words, part.vectors.tolist()) == ([there[i] for i in wanted], [rows[i] for i in wanted])


def test_a_binary_file_is_known_without_its_ending(tmp_path):
    (tmp_path / "vectors").write_bytes(binary_of(["a", "b"], [[1.0, 2.0], [3.0, 4.0]]))
    assert read_word_vectors(tmp_path / "vectors").vectors.tolist() == [[1, 2], [3, 4]]


def test_the_first_of_two_lines_with_one_word_is_kept(tmp_path):
    file = tmp_path / "g.txt"
    file.write_bytes(b"a 1 2\nb 3 4\na 5 6\n\xc2\x85 7 8\n\n")
    found = read_word_vectors(file)
    assert (found.words, found.vectors.tolist(), found.duplicates) == (["a", "b", "\x85"], [[1, 2], [3, 4], [7, 8]], 1)


def test_a_number_may_be_a_word(tmp_path):
    (tmp_path / "g.txt").write_bytes(b"1 0.5 2\n2000 3 4\nnan 5 6\n")
    assert read_glove(tmp_path / "g.txt").words == ["1", "2000", "nan"]


GOOD = binary_of(["a", "bc"], [[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("g.txt", b"", "g.txt is empty"),
        ("g.txt", b"\n\n", "g.txt is empty"),
        ("g.txt", b"hello world\n", "g.txt line 1: no numbers"),
        ("g.txt", b"a 1 2\nb 3\n", "g.txt line 2: 1 numbers instead of 2"),
        ("g.txt", b"a 1 2\n\nb 3 4 5\n", "g.txt line 3: 3 numbers instead of 2"),
        ("g.txt", b"a 1 2\nb 3 x4\n", "g.txt line 2: 'x4' is not a number"),
        ("g.txt", b"a 1 2\nb nan 4\n", "g.txt line 2: .* 'b' holds nan"),
        ("g.txt", b"a 1 2\nb 3 -inf\n", "g.txt line 2: .* 'b' holds -inf"),
        ("g.txt", b"a 1 2\nb 3 1e39\n", "not a finite float32"),
        ("g.txt", b"a 1 2\ncaf\xe9 3 4\n", "g.txt line 2: .*not UTF-8"),
        ("g.txt", gzip.compress(b"a 1 2\n", mtime=0), "gzip.*unpack"),
        ("w.txt", b"3 2\na 1 2\nb 3 4\n", "w.txt line 1: .*n_words is 3, but 2 follow"),
        ("w.txt", b"1 2\na 1 2\nb 3 4\n", "w.txt line 1: .*n_words is 1, but more than 1 follow"),
        ("w.txt", b"2 3\na 1 2\nb 3 4\n", "w.txt line 2: 2 numbers instead of 3"),
        ("w.txt", b"0 2\n", "0 words of 2 numbers"),
        ("w.txt", b"999999999999 2\n", "but 0 follow"),
        ("w.txt", b"2 2\na 1 2\n\xff 3 4\n", "w.txt line 3: .*not UTF-8"),
        ("w.bin", GOOD[:-9], "w.bin line 1: .*cut short"),
        ("w.bin", GOOD[:-2], "w.bin word 2 of 2: .*cut short"),
        ("w.bin", GOOD + b"d ", "n_words is 2, but more than 2 follow"),
        ("w.bin", b"2 900000000\n" + GOOD, "cut short"),
        ("w.bin", b"1 1\n" + b"x" * 2000, "word 1 of 1: .*not word2vec's binary format"),
        ("w.bin", binary_of(["a"], [[float("nan")]]), "word 1: .* holds nan"),
        ("w.bin", GOOD.replace(b"bc", b"b\xff"), "word 2: .*not UTF-8"),
    ],
)
def test_faults_of_a_file_are_named_with_their_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ItmError, match=message):
        read_word_vectors(tmp_path / name)


def test_what_cannot_be_read_at_all(tmp_path):
    with pytest.raises(ItmError, match="does not exist"):
        read_word_vectors(tmp_path / "none.txt")
    with pytest.raises(ItmError, match="cannot be read"):
        read_word_vectors(tmp_path)
    (tmp_path / "g.txt").write_bytes(b"a 1 2\n")
    with pytest.raises(ItmError, match="none of the 1 words"):
        read_word_vectors(tmp_path / "g.txt", {"b"})
    with pytest.raises(ItmError, match="single text"):
        read_word_vectors(tmp_path / "g.txt", "a")
    with pytest.raises(ItmError, match="read_glove"):
        read_word2vec(tmp_path / "g.txt")


def test_a_large_file_is_read_in_little_memory(tmp_path):
    row = " ".join(["0.12345"] * 50)
    (tmp_path / "g.txt").write_text("".join(f"word{i} {row}\n" for i in range(8_000)))  # 3 MB
    tracemalloc.start()
    try:
        found = read_word_vectors(tmp_path / "g.txt", {"word7", "word7999"})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.words == ["word7", "word7999"]
    assert peak < 300_000
