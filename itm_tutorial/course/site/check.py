"""Checks of the built pages: links and anchors, nothing from the network, alt text, headings, language, skip link."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

MADE_BY_SPHINX = ("genindex.html", "search.html", "py-modindex.html")  # their headings are the theme's
_LOADED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "link": "href",
}
_REMOTE = re.compile(r"^(https?:)?//")
_IN_STYLE = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])\s*((?:https?:)?//[^'\")]+)")


@dataclass
class Page:
    """What a page holds, as far as the checks need it.

    Attributes:
        language: the lang of its <html>.
        ids: the anchors.
        links: the targets of <a>.
        loaded: what the page loads by itself: scripts, styles, images.
        alts: per image, its source and its alt text; None where it has none.
        headings: level and text of each heading, in order.
        skips: whether a link that skips to the content leads the page.
    """

    language: str = ""
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    alts: list[tuple[str, str | None]] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    skips: bool = False


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page, self._heading, self._link = Page(), False, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        page = self.page
        if tag == "html":
            page.language = given.get("lang") or ""
        for name in ("id", "name"):
            if given.get(name) and (name == "id" or tag == "a"):
                page.ids.add(str(given[name]))
        if tag == "a" and given.get("href"):
            self._link = str(given["href"])
            page.links.append(self._link)
        loaded = given.get(_LOADED.get(tag, ""))
        if loaded and not (tag == "link" and given.get("rel") in ("canonical", "next", "prev", "index", "search")):
            page.loaded.append(loaded)
        if tag == "img":
            page.alts.append((given.get("src") or "", given.get("alt")))
        if re.fullmatch("h[1-6]", tag):
            page.headings.append((int(tag[1]), ""))
            self._heading = True

    def handle_endtag(self, tag: str) -> None:
        if re.fullmatch("h[1-6]", tag):
            self._heading = False
        if tag == "a":
            self._link = ""

    def handle_data(self, data: str) -> None:
        if self._heading:
            level, text = self.page.headings[-1]
            self.page.headings[-1] = (level, text + data)
        if self._link.startswith("#") and data.strip().lower().startswith("skip to"):
            self.page.skips = True


def read_page(text: str) -> Page:
    """Reads a page of HTML."""
    reader = _Reader()
    reader.feed(text)
    return reader.page


def check_site(folder: Path) -> list[str]:
    """Checks every page of a built site.

    Args:
        folder: the folder with the HTML.

    Returns:
        One line per fault, with the page that has it; empty where there is none.
    """
    folder = folder.resolve()
    files = sorted(folder.rglob("*.html"))
    pages = {file: read_page(file.read_text(encoding="utf-8")) for file in files if "_static" not in file.parts}
    faults = [] if pages else [f"{folder} holds no page: run make site"]
    for file, page in pages.items():
        name = file.relative_to(folder).as_posix()
        found = [*_links(file, page, pages), *_resources(page, file), *_alts(page)]
        if name not in MADE_BY_SPHINX:
            found += _headings(page)
        if not page.language:
            found.append("has no language: set it in conf.py")
        if not page.skips:
            found.append("has no link that skips to the content")
        faults += [f"{name}: {fault}" for fault in found]
    for style in sorted(folder.rglob("*.css")):
        remote = _IN_STYLE.findall(style.read_text(encoding="utf-8", errors="replace"))
        faults += [f"{style.relative_to(folder).as_posix()}: loads {address}" for address in remote]
    return faults


def _links(file: Path, page: Page, pages: dict[Path, Page]) -> list[str]:
    faults = []
    for link in page.links:
        address = urlsplit(link)
        if address.scheme or address.netloc:
            continue
        target = (file.parent / unquote(address.path)).resolve() if address.path else file
        if target.is_dir():
            target = target / "index.html"
        if not target.exists():
            faults.append(f"links to {link}, which does not exist")
        elif address.fragment and target in pages and unquote(address.fragment) not in pages[target].ids:
            faults.append(f"links to {link}, which has no such place")
    return faults


def _resources(page: Page, file: Path) -> list[str]:
    faults = [f"loads {address} from the network" for address in page.loaded if _REMOTE.match(address)]
    for address in page.loaded:
        path = unquote(urlsplit(address).path)
        if not _REMOTE.match(address) and not address.startswith("data:") and not (file.parent / path).exists():
            faults.append(f"loads {address}, which does not exist")
    return faults


def _alts(page: Page) -> list[str]:
    return [f"shows {source[:80]} without alt text" for source, alt in page.alts if not (alt or "").strip()]


def _headings(page: Page) -> list[str]:
    """One heading of level 1 leads the page, and no later one jumps over a level."""
    levels = [level for level, _ in page.headings]
    if not levels or levels[0] != 1 or levels.count(1) != 1:
        return [f"has {levels.count(1)} headings of level 1: give it one, as its first"]
    return [
        f"jumps from level {before} to {after} at {text.strip()[:60]!r}"
        for before, (after, text) in zip(levels, page.headings[1:], strict=False)
        if after > before + 1
    ]
