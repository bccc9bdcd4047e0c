"""``check``: reads a copy of a data set from end to end, as preparing it would, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from itm_tutorial.data.readers.listing import DECODERS, Listing
from itm_tutorial.data.readers.photographs import decode
from itm_tutorial.data.readers.sources import SOURCES
from itm_tutorial.progress import progress_counter


def check_listing(listing: Listing) -> str:
    """Decodes each photograph that a folder lists.

    Args:
        listing: what a reader found in the folder.

    Returns:
        One sentence on how much there is.

    Raises:
        ItmError: a photograph is damaged; the message names it.
    """
    files = [listing.photographs / row["image"] for row in listing.rows()]
    _each(decode, files)
    counts = {split: (len(rows), sum(len(row["captions"]) for row in rows)) for split, rows in listing.splits.items()}
    return _verdict(listing.name, counts, sum(row["bytes"] for row in listing.rows()), listing.note)


def check_prepared(name: str) -> str:
    """Decodes each photograph of a prepared corpus, or reads each of its arrays.

    Args:
        name: of the corpus.

    Returns:
        One sentence on how much there is.

    Raises:
        ItmError: it was not prepared, or a file was moved or is damaged.
    """
    from itm_tutorial.data.readers import load

    corpus = load(name)
    for split in corpus.splits.values():
        if split.precomputed is None:
            _each(split.images.__getitem__, range(len(split.images)))
        else:
            float(split.precomputed.sum())  # reads it to the end
    counts = {split: (len(there.images), len(there.captions)) for split, there in corpus.splits.items()}
    return _verdict(name, counts, 0, corpus.about)


def _each(read: Callable, items: Iterable) -> None:
    items = list(items)

    def look(item: object) -> None:  # returns nothing: the images must not queue up
        read(item)

    pool = ThreadPoolExecutor(DECODERS)
    try:
        with progress_counter(len(items), "checking photographs", "photograph") as bar:
            for _ in pool.map(look, items):
                bar.update()
    finally:
        pool.shutdown(cancel_futures=True)


def _verdict(name: str, counts: dict[str, tuple[int, int]], n_bytes: int, note: str) -> str:
    parts = [f"{split} {images:,} images and {captions:,} captions" for split, (images, captions) in counts.items()]
    if n_bytes:
        parts.append(f"{n_bytes / 1e6:,.1f} MB")
    told = [", ".join(parts)] + [note] * bool(note)
    found, published = sum(images for images, _ in counts.values()), SOURCES[name].n_images if name in SOURCES else ()
    if published and found not in published:
        whole = " or ".join(f"{n:,}" for n in published)
        told.append(f"the published set has {whole} images, so this is a part of it, or another edition")
    return f"{name}: nothing is broken; {'; '.join(told)}"
