"""The downloader with a local server: broken connections, dead mirrors, wrong files, malicious archives."""

import hashlib
import io
import multiprocessing
import re
import socket
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from itm_tutorial.data.readers import flickr8k
from itm_tutorial.data.readers.download import Archive, download, unpack
from itm_tutorial.data.readers.listing import prepared_folder, read_prepared
from itm_tutorial.errors import ItmError

CONTENT = bytes(range(256)) * 1000


class Server(ThreadingHTTPServer):
    """Serves ``files``; cuts the first ``cuts`` answers after ``cut_after`` bytes; supports Range if ``ranges``."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.requests, self.cuts, self.cut_after, self.ranges = {}, [], 0, 1000, True

    def url(self, name):
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, name, wanted = self.server, self.path.lstrip("/"), self.headers["Range"]
        server.requests.append((name, wanted))
        if name not in server.files:
            return self.send_error(404)
        content = server.files[name]
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted).group(1)) if wanted and server.ranges else 0
        if start and start >= len(content):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        if server.cuts:
            server.cuts -= 1
            body = body[: server.cut_after]
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("ITM_PROGRESS", "0")
    with Server() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


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


def make_zip(files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        for name, content in files.items():
            out.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/out.txt", "C:/out.txt", "..\\out.txt"])
def test_a_name_that_leads_out_is_refused(tmp_path, name):
    (tmp_path / "a.zip").write_bytes(make_zip({"in.txt": b"x", name: b"x"}))
    with pytest.raises(ItmError, match="leads out of the folder"):
        unpack(tmp_path / "a.zip", tmp_path / "into")
    assert sorted(file.name for file in tmp_path.rglob("*.txt")) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-30],
        lambda content: content.replace(b"first", b"worst", 1),
        lambda content: b"<html>",
    ],
)
def test_a_damaged_archive_is_named(tmp_path, damage):
    (tmp_path / "a.zip").write_bytes(damage(make_zip({"a.txt": b"the first line"})))
    with pytest.raises(ItmError, match="a.zip is cut short or not a zip archive"):
        unpack(tmp_path / "a.zip", tmp_path / "into")


def test_what_macos_adds_is_left_out(tmp_path):
    (tmp_path / "a.zip").write_bytes(make_zip({"a/b.txt": b"x", "__MACOSX/a/._b.txt": b"x"}))
    unpack(tmp_path / "a.zip", tmp_path / "into")
    assert [file.name for file in (tmp_path / "into").rglob("*") if file.is_file()] == ["b.txt"]


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


def test_each_published_archive_has_a_checksum_and_a_mirror():
    for known in flickr8k.ARCHIVES:
        assert re.fullmatch("[0-9a-f]{32}", known.md5)
        assert all(url.startswith("https://") and url.endswith(known.name) for url in known.mirrors)
