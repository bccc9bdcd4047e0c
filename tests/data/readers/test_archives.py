"""Archives as they come from a network: damaged, hostile, or fine."""

import bz2
import gzip
import io
import lzma
import shutil
import stat
import tarfile
import zipfile

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from itm_tutorial.data.readers import archives
from itm_tutorial.data.readers.archives import unpack
from itm_tutorial.errors import ItmError


def make_zip(files, how=zipfile.ZIP_DEFLATED):
    """A zip archive of (name or ZipInfo, content) pairs; any text is a name."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", how) as out:
        for name, content in files.items() if isinstance(files, dict) else files:
            entry = name
            if isinstance(name, str):
                entry = zipfile.ZipInfo("x")
                entry.filename = name  # as it is: the constructor mends names
            out.writestr(entry, content, compress_type=how)
    return made.getvalue()


def make_tar(files, pack=gzip.compress):
    """A tar archive of (name or TarInfo, content) pairs."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as out:
        for name, content in files.items() if isinstance(files, dict) else files:
            entry = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if content is not None:
                entry.size = len(content)
            out.addfile(entry, None if content is None else io.BytesIO(content))
    return pack(made.getvalue())


def entry(name, kind, link=""):
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


def unpacked(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def make(kind, files):
    return make_zip(files) if kind == "zip" else make_tar(files)


FILES = {"a/b/c.txt": b"the first line" * 100, "a/d.jpg": b"", "e.txt": "\u00e9".encode()}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.zip", make_zip(FILES)),
        ("a.ZIP", make_zip(FILES, zipfile.ZIP_STORED)),
        ("a.zip", make_zip(FILES, zipfile.ZIP_BZIP2)),
        ("a.zip", make_zip(FILES, zipfile.ZIP_LZMA)),
        ("a.tar", make_tar(FILES, bytes)),
        ("a.tgz", make_tar(FILES)),
        ("a.tar.gz", make_tar(FILES)),
        ("a.tar.bz2", make_tar(FILES, bz2.compress)),
        ("a.tar.xz", make_tar(FILES, lzma.compress)),
        ("a.tgz", make_tar(FILES, bytes)),  # a name that is wrong about the compression
    ],
)
def test_what_is_whole_is_unpacked(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    unpack(tmp_path / name, tmp_path / "into")
    assert unpacked(tmp_path / "into") == FILES


def test_another_file_is_copied(tmp_path):
    (tmp_path / "labels.mat").write_bytes(b"numbers")
    unpack(tmp_path / "labels.mat", tmp_path / "into")
    assert unpacked(tmp_path / "into") == {"labels.mat": b"numbers"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_folders_are_made_and_may_be_named_twice(tmp_path):
    (tmp_path / "a.zip").write_bytes(make_zip([("a/", b""), ("a/b/", b""), ("a/", b"")]))
    folders = [entry(name, tarfile.DIRTYPE) for name in ("./", "a", "a/b", "a")]
    (tmp_path / "a.tgz").write_bytes(make_tar([(folder, None) for folder in folders]))
    for name in ("a.zip", "a.tgz"):
        unpack(tmp_path / name, tmp_path / f"into-{name}")
        assert (tmp_path / f"into-{name}/a/b").is_dir()


def test_backslashes_part_folders_on_every_system(tmp_path):
    (tmp_path / "a.zip").write_bytes(make_zip({"Images\\a.jpg": b"x"}))
    unpack(tmp_path / "a.zip", tmp_path / "into")
    assert unpacked(tmp_path / "into") == {"Images/a.jpg": b"x"}


OUT = ["../out.txt", "a/../../out.txt", "/out.txt", "C:/out.txt", "..\\out.txt", "//host/share/out.txt", "C:out.txt"]


@pytest.mark.parametrize("kind", ["zip", "tgz"])
@pytest.mark.parametrize("name", OUT)
def test_a_name_that_leads_out_is_refused(tmp_path, kind, name):
    (tmp_path / f"a.{kind}").write_bytes(make(kind, {name: b"x"}))
    with pytest.raises(ItmError, match="which leads out of the folder: get it from elsewhere"):
        unpack(tmp_path / f"a.{kind}", tmp_path / "into")
    assert [file.name for file in tmp_path.rglob("*.txt")] == []


def test_nothing_of_a_zip_is_written_if_one_name_leads_out(tmp_path):
    (tmp_path / "a.zip").write_bytes(make_zip({"in.txt": b"x", "../out.txt": b"x"}))
    with pytest.raises(ItmError, match="leads out of the folder"):
        unpack(tmp_path / "a.zip", tmp_path / "into")
    assert list((tmp_path / "into").iterdir()) == []


@pytest.mark.parametrize("name", ["", "a\0b.txt", "\0"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    (tmp_path / "a.zip").write_bytes(make_zip({name: b"x"}))
    with pytest.raises(ItmError, match="a.zip holds .*, which is not a file name: get it from elsewhere"):
        unpack(tmp_path / "a.zip", tmp_path / "into")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_a_zip_with_a_link_or_a_device_is_refused(tmp_path, kind):
    link = zipfile.ZipInfo("link")
    link.create_system, link.external_attr = 3, (kind | 0o777) << 16
    (tmp_path / "a.zip").write_bytes(make_zip([(link, b"/etc/passwd")]))
    with pytest.raises(ItmError, match="a.zip holds 'link', a link or a device"):
        unpack(tmp_path / "a.zip", tmp_path / "into")


KINDS = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE]


@pytest.mark.parametrize("kind", KINDS)
def test_a_tar_with_a_link_or_a_device_is_refused(tmp_path, kind):
    (tmp_path / "a.tgz").write_bytes(make_tar([(entry("link", kind, "/etc"), None), ("link/out.txt", b"x")]))
    with pytest.raises(ItmError, match="a.tgz holds 'link', a link or a device"):
        unpack(tmp_path / "a.tgz", tmp_path / "into")
    assert not (tmp_path / "into/link").exists()


@pytest.mark.parametrize("kind", ["zip", "tgz"])
@pytest.mark.parametrize("second", ["a.txt", "./a.txt", "x/a.txt", "a.txt/b.txt"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused(tmp_path, kind, second):
    first = "x\\a.txt" if second.startswith("x") else "a.txt"
    (tmp_path / f"a.{kind}").write_bytes(make(kind, [(first, b"first"), (second, b"second")]))
    with pytest.raises(ItmError, match="an earlier entry is called too|a folder, and a file of the same name"):
        unpack(tmp_path / f"a.{kind}", tmp_path / "into")
    assert list(unpacked(tmp_path / "into").values()) == [b"first"]


@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_what_expands_without_end_is_refused(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(archives, "SLACK", 1000)
    (tmp_path / f"a.{kind}").write_bytes(make(kind, {"a.txt": bytes(10**6)}))
    with pytest.raises(ItmError, match="unpacks to more than 100 times its size, as no data set does"):
        unpack(tmp_path / f"a.{kind}", tmp_path / "into")
    assert unpacked(tmp_path / "into") == {}


def test_many_small_bombs_are_one(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "SLACK", 1000)
    content = make_zip({f"{i}.txt": bytes(40_000) for i in range(40)})
    (tmp_path / "a.zip").write_bytes(content)
    assert 40_000 < 100 * len(content) < 40 * 40_000
    with pytest.raises(ItmError, match="unpacks to more than 100 times its size"):
        unpack(tmp_path / "a.zip", tmp_path / "into")


def test_a_zip_that_lies_about_a_size_is_damaged(tmp_path):
    content = make_zip({"a.txt": bytes(5000)})
    (tmp_path / "a.zip").write_bytes(content.replace((5000).to_bytes(4, "little"), (50).to_bytes(4, "little")))
    with pytest.raises(ItmError, match="a.zip is cut short or not a zip archive"):
        unpack(tmp_path / "a.zip", tmp_path / "into")


def test_a_tar_header_without_end_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST_HEADER", 100_000)
    bomb = entry("x", tarfile.XHDTYPE)
    (tmp_path / "a.tgz").write_bytes(make_tar([(bomb, bytes(10**6))]))
    with pytest.raises(ItmError, match="a.tgz has a header without end"):
        unpack(tmp_path / "a.tgz", tmp_path / "into")


def test_large_files_are_no_headers(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST_HEADER", 20_000)
    files = {"__MACOSX/a": bytes(100_000), "a": bytes(100_000), "b": bytes(100_000)}
    (tmp_path / "a.tgz").write_bytes(make_tar(files))
    unpack(tmp_path / "a.tgz", tmp_path / "into")
    assert set(unpacked(tmp_path / "into")) == {"a", "b"}


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST_ENTRIES", 3)
    for kind in ("zip", "tgz"):
        (tmp_path / f"a.{kind}").write_bytes(make(kind, {name: b"" for name in "abcd"}))
        with pytest.raises(ItmError, match="holds more than 3 files"):
            unpack(tmp_path / f"a.{kind}", tmp_path / "into")


def test_an_encrypted_zip_is_named(tmp_path):
    content = bytearray(make_zip({"a.txt": b"x" * 20}))
    for header, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(header) + at] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ItmError, match="a.zip holds 'a.txt', which is encrypted"):
        unpack(tmp_path / "a.zip", tmp_path / "into")


DAMAGES = [
    lambda content: content[:-30],
    lambda content: content[: len(content) // 2],
    lambda content: b"<html>",
    lambda content: b"",
]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz", "a.tar.bz2", "a.tar.xz"])
def test_a_damaged_archive_is_named(tmp_path, name, damage):
    pack = {"a.tar": bytes, "a.tgz": gzip.compress, "a.tar.bz2": bz2.compress, "a.tar.xz": lzma.compress}.get(name)
    whole = make_tar(FILES, pack) if pack else make_zip(FILES)
    (tmp_path / name).write_bytes(damage(whole[: -9 * 1024] if name == "a.tar" else whole))  # a tar ends in zeros
    with pytest.raises(ItmError, match=rf"{name} is cut short or not a (zip|tar) archive.*delete it and get it again"):
        unpack(tmp_path / name, tmp_path / "into")


def test_a_wrong_byte_is_found_by_the_checksum(tmp_path):
    whole = make_zip({"a.txt": b"the first line"}, zipfile.ZIP_STORED)
    (tmp_path / "a.zip").write_bytes(whole.replace(b"first", b"worst", 1))
    with pytest.raises(ItmError, match="a.zip is cut short or not a zip archive .Bad CRC-32"):
        unpack(tmp_path / "a.zip", tmp_path / "into")


def test_a_tar_that_stops_between_two_files_is_cut_short(tmp_path):
    whole = make_tar({"a.txt": b"x" * 600, "b.txt": b"y" * 600}, bytes)
    for end in (512 * 3, 512 * 3 + 100):  # after a.txt, and in the header of b.txt
        (tmp_path / "a.tgz").write_bytes(gzip.compress(whole[:end]))
        with pytest.raises(ItmError, match="a.tgz is cut short"):
            unpack(tmp_path / "a.tgz", tmp_path / f"into-{end}")


def test_a_missing_archive_and_a_folder_are_named(tmp_path):
    (tmp_path / "a.zip").mkdir()
    for name in ("a.zip", "b.zip"):
        with pytest.raises(ItmError, match=f"{name} is missing or is a folder"):
            unpack(tmp_path / name, tmp_path / "into")


@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_what_macos_adds_is_left_out(tmp_path, kind):
    (tmp_path / f"a.{kind}").write_bytes(make(kind, {"a/b.txt": b"x", "__MACOSX/a/._b.txt": b"x"}))
    unpack(tmp_path / f"a.{kind}", tmp_path / "into")
    assert unpacked(tmp_path / "into") == {"a/b.txt": b"x"}


def test_a_name_is_not_written_to_a_terminal_as_it_is(tmp_path):
    (tmp_path / "a.zip").write_bytes(make_zip({"../\x1b[31mred" + "x" * 500: b"x"}))
    with pytest.raises(ItmError) as error:
        unpack(tmp_path / "a.zip", tmp_path / "into")
    assert str(error.value).isprintable() and len(str(error.value)) < 400


NAMES = st.lists(
    st.one_of(st.text(st.sampled_from("ab./\\:C\0\u00e9\u0301\x1b\ud800~"), max_size=9), st.text(max_size=40)),
    max_size=4,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=NAMES, kind=st.sampled_from(["zip", "tgz"]))
@example(names=["a", "a/b"], kind="zip")
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_name_leads_out_and_no_name_raises_anything_else(tmp_path, names, kind):
    here = tmp_path / "deep" / "er"
    shutil.rmtree(tmp_path / "deep", ignore_errors=True)
    here.mkdir(parents=True)
    try:
        content = make(kind, [(name, b"x") for name in names])
    except (UnicodeEncodeError, ValueError):  # Python cannot write such an archive
        return
    (here / f"a.{kind}").write_bytes(content)
    try:
        unpack(here / f"a.{kind}", here / "into")
    except ItmError as error:
        assert str(error).isprintable()
    outside = [file for file in tmp_path.rglob("*") if not file.is_relative_to(here / "into")]
    assert {str(file.relative_to(here)) for file in outside if file.is_relative_to(here)} <= {".", f"a.{kind}"}
    assert {file.name for file in outside if not file.is_relative_to(here)} <= {"deep", ".hypothesis"}


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.sampled_from(["a.zip", "a.tar", "a.tgz"]))
def test_wrong_bytes_raise_one_error_or_none(tmp_path, data, name):
    shutil.rmtree(tmp_path / "into", ignore_errors=True)
    content = bytearray(
        make_zip(FILES) if name == "a.zip" else make_tar(FILES, bytes if name == "a.tar" else gzip.compress)
    )
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        content[at] = data.draw(st.integers(0, 255))
    begin = data.draw(st.integers(0, len(content)))
    del content[begin : begin + data.draw(st.integers(0, 20))]
    (tmp_path / name).write_bytes(content)
    try:
        unpack(tmp_path / name, tmp_path / "into")
    except ItmError as error:
        assert name in str(error) and str(error).isprintable()
