"""A server on this machine that has faults when it is told to."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from itm_tutorial.data.readers import download


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
    """A server; there is no proxy, there are no bars, and nobody waits between two tries."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("ITM_PROGRESS", "0")
    monkeypatch.setattr(download, "PATIENCE", download.Patience(pause=0))
    with Server() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()
