"""Links between the repository's files, as they must read on the site."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from itm_tutorial.course.frame import BRANCH

CODE = "code"  # the site's folder for pages of source files
_LINK = re.compile(r"(\]\()(<?)([^)>\s]+)(>?\))|(\b(?:href|src)=\")([^\"]+)(\")")
_HREF = re.compile(r"(\bhref=\")([^\"]+)(\")")
_SOURCE = re.compile(r"^(?![a-z][a-z0-9+.-]*:)([^#]+)\.(?:ipynb|md)(?=#|$)")


class Links:
    """Rewrites what a page links to.

    The site keeps the folders of the repository, so that a link between notebooks and pages of docs is right as it
    stands. A link to another file leads to the repository, where it has an address, or else to a page of its own.

    Args:
        root: the folder of the repository.
        pages: the site's pages and images, as paths from the root.
        repository: the address of the repository; empty where it has none.

    Attributes:
        sources: the files that need a page of their own, as paths from the root.
    """

    def __init__(self, root: Path, pages: set[str], repository: str = ""):
        self._root, self._pages, self._repository = root, pages, repository.rstrip("/")
        self.sources: set[str] = set()

    def rewritten(self, text: str, page: str) -> str:
        """A Markdown text of a page, with links that work on the site.

        Args:
            text: Markdown, where HTML may occur.
            page: the page's path from the root, such as "notebooks/00_start_here.ipynb".
        """
        return _LINK.sub(self._replaced(page), text)

    def in_html(self, text: str, page: str) -> str:
        """The HTML of an output, which Sphinx passes on as it is, with links to the pages that Sphinx makes.

        Args:
            text: HTML.
            page: the page's path from the root.
        """
        return _HREF.sub(
            lambda found: found[1] + _SOURCE.sub(r"\1.html", self._target(found[2], page)) + found[3], text
        )

    def _replaced(self, page: str) -> Callable[[re.Match], str]:
        def replaced(found: re.Match) -> str:
            if found[1]:
                return found[1] + found[2] + self._target(found[3], page) + found[4]
            return found[5] + self._target(found[6], page) + found[7]

        return replaced

    def _target(self, link: str, page: str) -> str:
        path, _, place = link.partition("#")
        if not path or re.match(r"[a-z][a-z0-9+.-]*:", path):
            return link
        start = PurePosixPath(page).parent
        file = os.path.normpath(start / path).replace(os.sep, "/")
        if (self._root / file).is_dir():
            file = next(
                (f"{file}/{name}" for name in ("README.md", "index.md") if f"{file}/{name}" in self._pages), file
            )
        if file not in self._pages:
            if file.startswith("..") or not (self._root / file).exists():
                return link  # Sphinx reports it
            if self._repository:
                return f"{self._repository}/blob/{BRANCH}/{file}"
            if (self._root / file).is_dir():
                return link
            self.sources.add(file)
            file = f"{CODE}/{file}.md"
        return os.path.relpath(file, start or ".").replace(os.sep, "/") + (f"#{place}" if place else "")
