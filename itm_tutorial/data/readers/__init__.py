"""Readers of data sets as people have them: a module has LAYOUTS, or its own ``prepare`` and ``recognises``."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itm_tutorial.data.names import OWN, PUBLISHED
from itm_tutorial.errors import ItmError, refuse_options, unknown

if TYPE_CHECKING:
    from itm_tutorial.data.corpus import Corpus
    from itm_tutorial.data.readers.listing import Layout


def prepare(name: str, source: Path | None = None, **options: Any) -> None:
    """Checks a data set in the layout in which it was published, and keeps in the cache what the course needs.

    Args:
        name: one of ``PUBLISHED``.
        source: the folder that holds it; None downloads it, where that is possible.
        options: of this reader.

    Raises:
        ItmError: the folder holds something else (the message says what, if it is known), a file is missing, cut short
            or malformed, or the data set cannot be downloaded.
    """
    module = _module(name)
    if not hasattr(module, "LAYOUTS"):
        return module.prepare(name, source, **options)
    from itm_tutorial.data.readers.listing import prepare_listing, prepared_folder
    from itm_tutorial.data.readers.sources import fetch

    refuse_options(name, options, "its layout says which column is which")
    if source is None:
        if hasattr(module, "prepare"):  # such as flickr8k's, which copies its photographs and deletes the download
            return module.prepare(name, None)
        if prepared_folder(name).exists():
            return None
        source = fetch(name)
    prepare_listing(read(name, source))
    return None


def check(name: str, source: Path | None = None) -> str:
    """Reads a copy of a data set from end to end, and changes nothing.

    Args:
        name: one of ``PUBLISHED``.
        source: the folder that holds it; None checks the prepared corpus.

    Returns:
        One sentence on how much there is.

    Raises:
        ItmError: something is missing, cut short or malformed; the message names it.
    """
    from itm_tutorial.data.readers.checks import check_listing, check_prepared

    module = _module(name)
    if source is None:
        return check_prepared(name)
    if hasattr(module, "check"):
        return module.check(name, existing(source))
    if hasattr(module, "LAYOUTS"):
        return check_listing(read(name, source))
    if hasattr(module, "read_folder"):
        return check_listing(module.read_folder(existing(source), name))
    raise ItmError(f"{name} is checked while it is prepared: prepare it, then check the prepared copy, without --from")


def load(name: str, **options: Any) -> Corpus:
    """Loads a prepared data set.

    Args:
        name: one of ``PUBLISHED``.
        options: of this reader.

    Raises:
        ItmError: it was not prepared, or its files were moved or damaged.
    """
    module = _module(name)
    if hasattr(module, "load"):  # it takes options, or says more about how to prepare the set
        return module.load(name, **options)
    from itm_tutorial.data.readers.listing import read_prepared

    refuse_options(name, options)
    return read_prepared(name)


def read(name: str, source: Path):
    """Reads a folder in whichever of the data set's layouts it has.

    Args:
        name: a data set of photographs.
        source: the folder.

    Returns:
        The ``Listing``; the photographs are not decoded yet.

    Raises:
        ItmError: the folder has none of the layouts, or a file in it is malformed.
    """
    folder = existing(source)
    layouts = layouts_of(name)
    for layout in layouts:
        if layout.recognises(folder):
            return layout.read(folder, name)
    if others := [other for other in recognised(folder) if other != name]:
        raise ItmError(f"{folder} holds {others[0]}, not {name}: run `itm prepare {others[0]} --from {folder}`")
    if len(layouts) == 1:
        return layouts[0].read(folder, name)  # which names the file that is missing
    expected = "; or ".join(layout.expects for layout in layouts)
    raise ItmError(f"{folder} does not hold {name}: it must have {expected}")


def existing(source: Path) -> Path:
    """The folder that a user named, with ``~`` expanded.

    Raises:
        ItmError: there is no such folder.
    """
    try:
        folder = Path(source).expanduser()
    except RuntimeError as error:  # ~nobody
        raise ItmError(f"--from {source}: {error}; write out the folder") from error
    if folder.is_file():
        raise ItmError(f"--from {source}: this is a file; give the folder that holds it, --from {folder.parent}")
    if not folder.is_dir():
        raise ItmError(f"--from {source}: there is no such folder; check its name")
    return folder


def layouts_of(name: str) -> tuple[Layout, ...]:
    """The layouts from which a data set can be read."""
    return tuple(layout for layout in _module(name).LAYOUTS if name in layout.names)


def recognised(folder: Path) -> list[str]:
    """The data sets whose layout a folder has; your own photographs, whose layout is free, where it is of none."""
    found: list[str] = []
    for name in PUBLISHED:
        if found and name in OWN:
            continue
        module = _module(name)
        if hasattr(module, "LAYOUTS"):
            matches = any(layout.recognises(folder) for layout in layouts_of(name))
        else:
            matches = module.recognises(folder, name)
        if matches:
            found.append(name)
    return found


def _module(name: str):
    if name not in PUBLISHED:
        raise unknown("data set", name, PUBLISHED)
    return import_module(f"{__name__}.{PUBLISHED[name]}")
