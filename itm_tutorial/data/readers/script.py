"""What all scripts in ``data_scripts/`` do: prepare, check or download one data set."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from itm_tutorial.data import readers
from itm_tutorial.data.readers.sources import SOURCES, fetch, how_to_get
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import cache_dir


def run(*names: str, arguments: Sequence[str] | None = None) -> None:
    """Runs a script for one data set, or for one of several that are alike.

    Args:
        names: of the data sets; with more than one, the first argument chooses.
        arguments: the command line; None takes the process's own.

    Raises:
        SystemExit: something is broken, missing or not asked for; the exit code is 1, and one sentence says what.
    """
    parser = argparse.ArgumentParser(
        description="\n".join(map(_about, names)), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if len(names) > 1:
        parser.add_argument("name", nargs="?", choices=names, default=names[0], help=f"by default {names[0]}")
    parser.add_argument("--from", dest="source", type=Path, metavar="DIR", help="prepare it from this folder")
    parser.add_argument("--check", action="store_true", help="only check: DIR, or without --from the prepared copy")
    parser.add_argument("--download", action="store_true", help="download it and prepare it")
    chosen = parser.parse_args(arguments)
    name = chosen.name if len(names) > 1 else names[0]
    try:
        print(_do(name, chosen.source, chosen.check, chosen.download))
    except ItmError as error:
        sys.exit(f"{name}: {error}")


def _do(name: str, source: Path | None, check: bool, download: bool) -> str:
    corpus = SOURCES[name].corpus or name if name in SOURCES else name
    if download and (check or source is not None):
        raise ItmError("--download goes with neither --from nor --check: leave the others out")
    if check:
        return readers.check(corpus, source)
    if source is not None:
        readers.prepare(corpus, source)
    elif download and name in SOURCES and SOURCES[name].archives:
        # flickr8k's reader copies its photographs and throws the download away; the others read them where they are
        readers.prepare(corpus, None if name == "flickr8k" else fetch(name))
    elif name in SOURCES:
        raise ItmError(
            how_to_get(name)
            if not SOURCES[name].archives
            else "say what to do: --from DIR prepares it from a folder, --check checks a copy, --download downloads it "
            f"({SOURCES[name].terms})"
        )
    else:
        raise ItmError("give the folder with --from DIR")
    place = cache_dir() / "corpora" / corpus
    return f"prepared in {place if place.exists() else place.with_suffix('.json')}: {readers.load(corpus).about}"


def _about(name: str) -> str:
    if name not in SOURCES:
        return name
    source = SOURCES[name]
    return f"{name}: {source.title}, {source.page}\n{source.terms}"
