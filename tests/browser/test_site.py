"""The pages that ``make site`` built, in a real browser: no console error, and no link that leads nowhere."""

from __future__ import annotations

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
SITE, SHOTS = ROOT / "build" / "site" / "html", ROOT / "build" / "browser"
LINKS = """() => [...document.querySelectorAll('a[href], link[rel=stylesheet], img[src], script[src]')]
    .map(one => one.href || one.src)"""
NAMED = "() => [...document.querySelectorAll('[id], a[name]')].map(one => one.id || one.name)"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *about):
        pass


@pytest.fixture(scope="module")
def site():
    """The address of a server of the built site."""
    if not (SITE / "index.html").exists():
        pytest.skip("no site to look at: make site")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def crawl(page, site):
    """Opens every page that links lead to -> address -> (the ids in it, the addresses that it links to)."""
    found, todo = {}, [f"{site}index.html"]
    while todo:
        address = todo.pop()
        if address in found:
            continue
        page.goto(address)
        links = page.evaluate(LINKS)
        found[address] = set(page.evaluate(NAMED)), links
        todo += [
            bare
            for link in links
            if (bare := urldefrag(link)[0]).startswith(site) and bare.endswith((".html", "/")) and bare not in found
            if (SITE / unquote(urlsplit(bare).path.lstrip("/"))).exists()
        ]
    return found


def test_no_link_is_broken_and_no_page_complains(page, site):
    pages = crawl(page, site)
    broken = []
    for address, (_, links) in pages.items():
        for link in links:
            bare, part = urldefrag(link)
            if not bare.startswith(site):
                continue
            if not (SITE / unquote(urlsplit(bare).path.lstrip("/"))).exists():
                broken.append(f"{address.removeprefix(site)} -> {link.removeprefix(site)}")
            elif part and bare in pages and unquote(part) not in pages[bare][0]:
                broken.append(f"{address.removeprefix(site)} -> {link.removeprefix(site)}: no such place in the page")
    assert broken == []
    assert len(pages) >= 6
    assert page.complaints == []


def test_a_page_is_looked_at(page, site):
    """Screenshots, light and dark, of the first page and of the first chapter."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{site}index.html")
        page.screenshot(path=SHOTS / f"site-{scheme}.png", full_page=True)
    assert page.evaluate("() => document.documentElement.lang") == "en"
