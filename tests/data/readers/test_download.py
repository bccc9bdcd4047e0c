"""The downloader with a local server: broken connections, dead mirrors, wrong files, malicious archives."""

import hashlib
import io
import multiprocessing
import re
import socket
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from itm_tutorial.data.readers import download as download_module
from itm_tutorial.data.readers import flickr8k
from itm_tutorial.data.readers.download import Archive, Patience, download
from itm_tutorial.data.readers.listing import prepared_folder, read_prepared
from itm_tutorial.errors import ItmError

CONTENT = bytes(range(256)) * 1000


@pytest.fixture(autouse=True)
def quick(server):
    """No test waits between two tries."""


@pytest.fixture
def nobody():
    """An address without a server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/a.zip"


def archive(*mirrors, content=CONTENT):
    return Archive("a.zip", mirrors, hashlib.md5(content).hexdigest())


def test_a_file_is_fetched_once(server, tmp_path):
    server.files["a.zip"] = CONTENT
    for _ in range(2):
        assert download(archive(server.url("a.zip")), tmp_path).read_bytes() == CONTENT
    assert server.requests == [("a.zip", None)]
    assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize("wanted", ["0", "1"])
def test_a_bar_is_drawn_for_a_person_only(server, tmp_path, monkeypatch, capsys, wanted):
    monkeypatch.setenv("ITM_PROGRESS", wanted)
    server.files["a.zip"] = CONTENT
    download(archive(server.url("a.zip")), tmp_path)
    assert ("a.zip" in capsys.readouterr().err) == (wanted == "1")


def test_a_cut_connection_is_taken_up_where_it_was_cut(server, tmp_path):
    server.files["a.zip"], server.cuts = CONTENT, 2
    assert download(archive(server.url("a.zip")), tmp_path).read_bytes() == CONTENT
    assert server.requests == [("a.zip", None), ("a.zip", "bytes=1000-"), ("a.zip", "bytes=2000-")]


def test_a_later_run_goes_on_where_the_first_one_stopped(server, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(CONTENT[:5000])
    server.files["a.zip"] = CONTENT
    assert download(archive(server.url("a.zip")), tmp_path).read_bytes() == CONTENT
    assert server.requests == [("a.zip", "bytes=5000-")]


def test_a_server_that_cannot_go_on_begins_anew(server, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(CONTENT[:5000])
    server.files["a.zip"], server.ranges = CONTENT, False
    assert download(archive(server.url("a.zip")), tmp_path).read_bytes() == CONTENT


def test_a_whole_part_is_only_renamed(server, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(CONTENT)
    server.files["a.zip"] = CONTENT
    assert download(archive(server.url("a.zip")), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("size", [5000, len(CONTENT) + 7])
def test_a_beginning_that_does_not_fit_is_thrown_away(server, tmp_path, size):
    (tmp_path / "a.zip.part").write_bytes(b"x" * size)
    server.files["a.zip"] = CONTENT
    assert download(archive(server.url("a.zip")), tmp_path).read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_a_wrong_file_is_refused_and_not_kept(server, tmp_path):
    server.files["a.zip"] = b"<html>please sign in</html>"
    with pytest.raises(ItmError, match="a.zip .its MD5 checksum is [0-9a-f]{32}, not [0-9a-f]{32}.*--from DIR"):
        download(archive(server.url("a.zip")), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_next_mirror_is_asked(server, nobody, tmp_path):
    server.files |= {"wrong.zip": b"x", "a.zip": CONTENT}
    mirrors = nobody, server.url("gone.zip"), server.url("wrong.zip"), server.url("a.zip")
    assert download(archive(*mirrors), tmp_path).read_bytes() == CONTENT


def test_no_network_is_reported_with_each_address_and_a_remedy(server, nobody, tmp_path):
    with pytest.raises(ItmError) as error:
        download(archive(nobody, server.url("gone.zip")), tmp_path)
    message = str(error.value)
    assert f"{nobody} (" in message and "refused" in message and "gone.zip (404 Not Found)" in message
    assert "check the network" in message and "--from DIR" in message


def test_what_arrived_before_the_cut_is_kept_for_the_next_run(server, tmp_path):
    server.files["a.zip"], server.cuts, server.ranges = CONTENT, 99, False
    with pytest.raises(ItmError, match="cut short after 1,000 of 256,000 bytes"):
        download(archive(server.url("a.zip")), tmp_path)
    assert (tmp_path / "a.zip.part").read_bytes() == CONTENT[:1000]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_reported(server, tmp_path):
    server.files["a.zip"] = CONTENT
    (tmp_path / "a.zip.part").symlink_to("/dev/full")
    with pytest.raises(ItmError, match="disk is full"):
        download(archive(server.url("a.zip")), tmp_path)


def test_a_part_that_is_a_link_is_not_followed(server, tmp_path):
    (tmp_path / "victim.txt").write_text("mine")
    (tmp_path / "into").mkdir()
    (tmp_path / "into/a.zip.part").symlink_to(tmp_path / "victim.txt")
    server.files["a.zip"] = CONTENT
    assert download(archive(server.url("a.zip")), tmp_path / "into").read_bytes() == CONTENT
    assert (tmp_path / "victim.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["a.zip", "a.zip.part"])
def test_a_folder_in_the_way_is_named(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(ItmError, match=f"{name} is a folder.*remove it"):
        download(archive("http://127.0.0.1:1/a.zip"), tmp_path)


def test_a_file_that_is_there_already_is_checked(server, tmp_path, capsys):
    server.files["a.zip"] = CONTENT
    (tmp_path / "a.zip").write_bytes(CONTENT[:-1])
    assert download(archive(server.url("a.zip")), tmp_path).read_bytes() == CONTENT
    assert "is not the published file (its MD5 checksum is" in capsys.readouterr().out


def test_a_wrong_file_stays_until_the_right_one_is_there(tmp_path, nobody):
    (tmp_path / "a.zip").write_bytes(b"perhaps of use")
    with pytest.raises(ItmError, match="cannot download a.zip"):
        download(archive(nobody), tmp_path)
    assert (tmp_path / "a.zip").read_bytes() == b"perhaps of use"


def test_a_published_size_is_checked_before_anything_is_downloaded(server, tmp_path):
    server.files["a.zip"] = CONTENT
    known = Archive("a.zip", (server.url("a.zip"),), n_bytes=len(CONTENT) + 1)
    with pytest.raises(ItmError, match="it has 256,000 bytes, not 256,001: another edition"):
        download(known, tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a.zip").write_bytes(CONTENT)
    assert download(Archive("a.zip", (), n_bytes=len(CONTENT)), tmp_path).read_bytes() == CONTENT


def test_sha256_is_checked_too(server, tmp_path):
    server.files["a.zip"] = CONTENT
    right = hashlib.sha256(CONTENT).hexdigest()
    with pytest.raises(ItmError, match="its SHA-256 checksum is"):
        download(Archive("a.zip", (server.url("a.zip"),), sha256="0" * 64), tmp_path)
    assert download(Archive("a.zip", (server.url("a.zip"),), sha256=right), tmp_path).read_bytes() == CONTENT


def test_where_no_checksum_is_published_the_one_found_is_recorded_and_checked_later(server, tmp_path, capsys):
    server.files["a.zip"] = CONTENT
    known = Archive("a.zip", (server.url("a.zip"),))
    (tmp_path / "a.zip.part").write_bytes(b"of an edition that nobody can tell from this one")
    download(known, tmp_path)
    found = hashlib.sha256(CONTENT).hexdigest()
    assert f"no checksum is published for a.zip: its 256,000 bytes have the SHA-256 {found}" in capsys.readouterr().out
    assert (tmp_path / "a.zip.sha256").read_text().startswith(found)
    (tmp_path / "a.zip").write_bytes(b"damaged since")
    assert download(known, tmp_path).read_bytes() == CONTENT


def test_what_a_person_must_get_is_named_with_its_page_and_taken_once_it_is_there(tmp_path):
    known = Archive("a.zip", page="https://example.org/a")
    with pytest.raises(
        ItmError, match="a.zip has to be got with a browser: take it from https://example.org/a, put it"
    ):
        download(known, tmp_path)
    for content in (b"one edition", b"another edition"):
        (tmp_path / "a.zip").write_bytes(content)
        assert download(known, tmp_path).read_bytes() == content
        assert (tmp_path / "a.zip.sha256").read_text().startswith(hashlib.sha256(content).hexdigest())


def test_a_disk_that_is_too_small_is_told_before_the_download(server, tmp_path):
    server.files["a.zip"] = CONTENT
    known = Archive("a.zip", (server.url("huge.zip"),), md5="0" * 32, n_bytes=10**17)
    server.files["huge.zip"] = CONTENT
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000000000\r\n\r\n"
    with Odd(answer) as odd, pytest.raises(ItmError, match="GB left, and a.zip needs 100000000.0 GB more: free some"):
        download(Archive(known.name, (odd.url,), known.md5, n_bytes=known.n_bytes), tmp_path)


class Odd:
    """A server that sends the same bytes to everybody, whatever was asked; ``forever`` are repeated after them."""

    def __init__(self, answer, forever=b"", piece=None):
        self.answer, self.forever, self.piece, self.asked = answer, forever, piece, 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/a.zip"

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.close()

    def serve(self):
        while True:
            try:
                asked, _ = self.socket.accept()
            except OSError:
                return
            self.asked += 1
            threading.Thread(target=self.reply, args=(asked,), daemon=True).start()

    def reply(self, asked):
        with asked:
            try:
                asked.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                asked.recv(65536)
                asked.sendall(self.answer)
                while self.forever:
                    asked.sendall(self.forever)
                asked.shutdown(socket.SHUT_WR)
                asked.recv(1)
            except OSError:
                pass


REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: %s\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", "closed connection"),
        (b"\xff\xfe\x00 rubbish\r\n\r\n", ""),
        (b"HTTP/1.1 200 OK\r\nContent-Le", ""),
        (b"HTTP/1.1 416 Range Not Satisfiable\r\n\r\n", "416 Range Not Satisfiable"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "204 No Content"),
        (b"HTTP/1.1 999 \x1b[31mred\x07\r\n\r\n", r"999 \?\[31mred\?"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ""),
        (b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 7-9/10\r\n\r\nabc", "another part of the file"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "cut short after 3 of 9 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc", "checksum"),
        (REDIRECT % b"http://[rubbish", ""),
        (REDIRECT % b"http://a..b/c", ""),
        (REDIRECT % b"http://127.0.0.1:99999999/", ""),
        (REDIRECT % b"\xff\xfe", ""),
        (REDIRECT % b"file:///etc/passwd", "302 Found"),
        (REDIRECT % b"ftp://127.0.0.1:1/a", "unknown url type"),
        (REDIRECT % b"/a.zip", "infinite loop"),
        (b"HTTP/1.1 302 Found\r\nX: " + b"y" * 70_000, ""),
        (b"".join(b"X: y\r\n" for _ in range(200)), ""),
    ],
)
def test_an_answer_that_is_none_sends_us_to_the_next_mirror(server, tmp_path, answer, told):
    with Odd(answer) as odd:
        with pytest.raises(ItmError, match=f"cannot download a.zip from {odd.url} .*{told}.*--from DIR") as error:
            download(archive(odd.url), tmp_path)
        assert str(error.value).isprintable()
        server.files["a.zip"] = CONTENT
        assert download(archive(odd.url, server.url("a.zip")), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("length", [b"abc", b"-5", b"9" * 5000, b"\xc2\xb2", b""])
def test_a_length_that_is_no_number_is_not_believed(tmp_path, length):
    with Odd(b"HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n" % length + CONTENT) as odd:
        assert download(archive(odd.url), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "url", ["", "rubbish", "http://", "http://[", "file:///etc/passwd", "ftp://127.0.0.1/a", "\udcff"]
)
def test_an_address_that_is_none_sends_us_to_the_next_mirror(server, tmp_path, url):
    server.files["a.zip"] = CONTENT
    assert download(archive(url, server.url("a.zip")), tmp_path).read_bytes() == CONTENT
    (tmp_path / "a.zip").unlink()
    with pytest.raises(ItmError, match="cannot download a.zip from"):
        download(archive(url), tmp_path)


@pytest.mark.parametrize(
    ("answer", "forever"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (b"HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n", b"x" * 50_000),  # urllib reads all of it
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n" * 10_000),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 50_000),
    ],
)
def test_an_answer_without_end_is_cut_off(tmp_path, monkeypatch, answer, forever):
    monkeypatch.setattr(download_module, "LARGEST_FILE", 300_000)
    with Odd(answer, forever) as odd, pytest.raises(ItmError, match="headers without end|more bytes than the file has"):
        download(archive(odd.url), tmp_path)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 300_000


class Clock:
    """A clock that goes on by so many seconds each time it is read, and remembers who slept."""

    def __init__(self, step=0.0):
        self.now, self.step, self.slept = 0.0, step, []

    def __call__(self):
        self.now += self.step
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)


def test_a_server_that_drips_is_given_up(tmp_path):
    clock = Clock(step=30)  # each look at the clock is half a minute later
    slow = Patience(clock=clock, sleep=clock.sleep, bytes_per_second=10**6)
    too_slow = "it is too slow: .* bytes in 30 seconds, under 1,000,000 per second.*--from DIR"
    with Odd(b"HTTP/1.1 200 OK\r\nContent-Length: 256000\r\n\r\n", b"x") as odd:
        with pytest.raises(ItmError, match=too_slow):
            download(archive(odd.url), tmp_path, slow)
        assert odd.asked == 1 and clock.slept == []


def test_a_server_that_drips_its_headers_is_given_up(tmp_path):
    clock = Clock(step=30)
    with Odd(b"", b"HTTP/1.1 200") as odd, pytest.raises(ItmError, match="it is too slow"):
        download(archive(odd.url), tmp_path, Patience(clock=clock, sleep=clock.sleep, bytes_per_second=10**9))
    with Odd(b"", b"HTTP/1.1 200") as odd, pytest.raises(ItmError, match="got more than 65536 bytes"):
        download(archive(odd.url), tmp_path, Patience(clock=clock, sleep=clock.sleep, bytes_per_second=0))


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 256000\r\n\r\nsome"])
def test_a_server_that_falls_silent_is_asked_once(tmp_path, sent):
    tested = threading.Event()

    class Silent(Odd):
        def reply(self, asked):
            with asked:
                asked.recv(65536)
                asked.sendall(self.answer)
                tested.wait()

    with Silent(sent) as odd, pytest.raises(ItmError, match="timed out|it fell silent"):
        download(archive(odd.url), tmp_path, Patience(seconds=0.2))
    tested.set()
    assert odd.asked == 1


def test_each_mirror_that_fails_is_told_at_once(server, nobody, tmp_path, capsys):
    server.files["a.zip"] = CONTENT
    download(archive(nobody, server.url("a.zip")), tmp_path)
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"downloading a.zip from {nobody}"
    assert re.fullmatch(f"{nobody} .*refused.*: asking {server.url('a.zip')}", told[1]) and len(told) == 2


def test_a_fast_server_is_not_too_slow(server, tmp_path):
    server.files["a.zip"] = CONTENT
    clock = Clock(step=1)
    download(archive(server.url("a.zip")), tmp_path, Patience(clock=clock, bytes_per_second=10))
    assert clock.now > 0


def test_one_byte_per_answer_is_asked_for_a_few_times_only(server, tmp_path):
    server.files["a.zip"], server.cuts, server.cut_after = CONTENT, 10**9, 1
    clock = Clock()
    with pytest.raises(
        ItmError, match="cut short after 5 of 256,000 bytes, the 5 times that we asked.*5 bytes that came"
    ):
        download(archive(server.url("a.zip")), tmp_path, Patience(clock=clock, sleep=clock.sleep))
    assert len(server.requests) == 5 and clock.slept == [0.5, 1, 2, 4]
    assert (tmp_path / "a.zip.part").read_bytes() == CONTENT[:5]


def test_a_busy_server_is_asked_again_and_one_without_the_file_is_not(server, tmp_path):
    with Odd(b"HTTP/1.1 503 Service Unavailable\r\n\r\n") as busy, Odd(b"HTTP/1.1 410 Gone\r\n\r\n") as gone:
        with pytest.raises(ItmError, match="503 Service Unavailable, the 5 times that we asked.* or from .*410 Gone"):
            download(archive(busy.url, gone.url), tmp_path)
        assert (busy.asked, gone.asked) == (5, 1)


def test_a_line_that_breaks_often_comes_to_its_end_if_it_brings_enough(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download_module, "WORTH_IT", 1000)
    server.files["a.zip"], server.cuts = CONTENT[:20_000], 19
    assert download(archive(server.url("a.zip"), content=CONTENT[:20_000]), tmp_path).stat().st_size == 20_000
    assert len(server.requests) == 20


def test_a_network_that_is_away_for_a_while_is_waited_for(server, nobody, tmp_path, monkeypatch):
    """The server brings half of the file and is gone; when it is asked for the third time, it is there again."""
    monkeypatch.setattr(download_module, "WORTH_IT", 1000)
    server.files["a.zip"], server.cuts, server.cut_after = CONTENT, 1, len(CONTENT) // 2
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 1:
            monkeypatch.setenv("http_proxy", nobody)
            monkeypatch.setenv("no_proxy", "")
        if len(slept) == 3:
            monkeypatch.delenv("http_proxy")

    monkeypatch.setattr(download_module, "_opener", lambda patience, made=download_module._opener: Anew(made, patience))
    download(archive(server.url("a.zip")), tmp_path, Patience(sleep=sleep))
    assert slept == [0.5, 1, 2] and (tmp_path / "a.zip").read_bytes() == CONTENT
    assert server.requests == [("a.zip", None), ("a.zip", f"bytes={len(CONTENT) // 2}-")]


class Anew:
    """Reads the proxies of the environment each time it opens an address."""

    def __init__(self, make, patience):
        self.make, self.patience = make, patience

    def open(self, *arguments, **options):
        return self.make(self.patience).open(*arguments, **options)


def test_a_server_that_begins_anew_and_breaks_off_ever_elsewhere_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download_module, "WORTH_IT", 1000)
    server.files["a.zip"], server.cuts, server.ranges = CONTENT, 10**9, False
    lengths = iter([5000, 3000, 5000, 3000, 6000] + [3000, 5000] * 50)

    monkeypatch.setattr(type(server), "cut_after", property(lambda _: next(lengths), lambda *_: None), raising=False)
    with pytest.raises(ItmError, match="cut short after .* of 256,000 bytes, the 5 times that we asked"):
        download(archive(server.url("a.zip")), tmp_path)
    assert len(server.requests) == 9


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answer=st.binary(max_size=300), status=st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", REDIRECT[:28]]))
def test_whatever_a_server_sends_there_is_one_error(tmp_path, answer, status):
    with Odd(status + answer) as odd, pytest.raises(ItmError, match="cannot download a.zip from"):
        download(archive(odd.url), tmp_path)


def make_zip(files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        for name, content in files.items():
            out.writestr(name, content)
    return made.getvalue()


@pytest.fixture
def served(server, tmp_path, monkeypatch):
    """A tiny Flickr8k, packed as published, at two mirrors of which the first is dead."""
    monkeypatch.setenv("ITM_CACHE", str(tmp_path / "cache"))
    texts = {"Flickr8k.token.txt": "\n".join(f"{name}.jpg#0\tA dog ." for name in "abcde")}
    texts |= {"Flickr_8k.trainImages.txt": "a.jpg\nb.jpg", "Flickr_8k.devImages.txt": "c.jpg"}
    texts |= {"Flickr_8k.testImages.txt": "d.jpg", "__MACOSX/._readme.txt": "x"}
    photograph = io.BytesIO()
    Image.new("RGB", (20, 30)).save(photograph, "JPEG")
    photographs = {f"Flicker8k_Dataset/{name}.jpg": photograph.getvalue() for name in "abcde"}
    server.files = {"Flickr8k_text.zip": make_zip(texts), "Flickr8k_Dataset.zip": make_zip(photographs)}
    archives = [
        Archive(
            known.name,
            (server.url("gone/" + known.name), server.url(known.name)),
            hashlib.md5(server.files[known.name]).hexdigest(),
            known.into,
        )
        for known in flickr8k.ARCHIVES
    ]
    monkeypatch.setattr(flickr8k, "ARCHIVES", archives)
    return server


def test_flickr8k_is_downloaded_prepared_and_its_archives_thrown_away(served, tmp_path, capsys):
    served.cuts, served.cut_after = 1, 100
    corpus = read_prepared("flickr8k", flickr8k.prepare())
    assert (len(corpus.train.images), len(corpus.test.images)) == (2, 1)
    assert corpus.about == "complete; 1 captioned image (1 caption) in no list"
    assert "research use" in capsys.readouterr().out
    assert not (tmp_path / "cache/downloads/flickr8k").exists()
    before = len(served.requests)
    flickr8k.prepare()
    assert len(served.requests) == before


def test_two_processes_download_once(served):
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=flickr8k.prepare) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert sorted(name for name, _ in served.requests if "/" not in name) == [
        "Flickr8k_Dataset.zip",
        "Flickr8k_text.zip",
    ]


def test_flickr8k_without_a_network_leaves_no_corpus(served):
    from typer.testing import CliRunner

    from itm_tutorial.cli import app_of_commands

    served.files.clear()
    result = CliRunner().invoke(app_of_commands, ["prepare", "flickr8k"])
    assert isinstance(result.exception, ItmError) and "research use" in result.output
    assert re.search("cannot download Flickr8k_text.zip from http.* or from http.*--from DIR", str(result.exception))
    assert not prepared_folder("flickr8k").exists()
