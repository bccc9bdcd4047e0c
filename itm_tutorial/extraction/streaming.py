"""Images decoded ahead of the network, and results written to disk chunk by chunk: memory holds a few chunks."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

from itm_tutorial.encoders.cores import usable_cores
from itm_tutorial.errors import ItmError
from itm_tutorial.progress import progress_bar
from itm_tutorial.storage import disk_errors

AHEAD = 2  # chunks per decoding thread that wait for the network; more only cost memory
DTYPES = {torch.float32: "F32", torch.float16: "F16", torch.uint8: "U8"}  # names in a safetensors header
HEADER = 4096  # bytes kept for it, more than any has


def decoded_chunks(images: Sequence[Tensor], size: int, what: str) -> Iterator[Tensor]:
    """Stacks images in chunks; those that are decoded from files are decoded by threads ahead of the caller.

    Pillow and torch let other threads run while they decode and resize. Threads need no copy of the program, as
    processes do, and cost no copy of the pixels.

    Args:
        images: uint8 [3, H, W] each, of one size. Where ``images.threads`` is true, several threads may index it.
        size: images per chunk.
        what: label of the progress bar.

    Yields:
        uint8 [n, 3, H, W] with n = ``size``, smaller in the last chunk; in order.

    Raises:
        ItmError: an image cannot be decoded.
    """

    def chunk(first: int) -> Tensor:
        return torch.stack([images[i] for i in range(first, min(first + size, len(images)))])

    firsts = progress_bar(range(0, len(images), size), what)
    workers = usable_cores() if getattr(images, "threads", False) and len(images) > size else 0
    if not workers:
        yield from map(chunk, firsts)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    try:
        yield from _in_order(pool, chunk, firsts, AHEAD * workers)
    finally:  # an error, or a caller that stops early: what has not begun is dropped
        pool.shutdown(wait=True, cancel_futures=True)


def _in_order(pool: ThreadPoolExecutor, chunk, firsts: Iterable[int], ahead: int) -> Iterator[Tensor]:
    waiting: deque[Future] = deque()
    for first in firsts:
        waiting.append(pool.submit(chunk, first))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def in_memory(chunks: Iterable[dict[str, Tensor]], n: int) -> dict[str, Tensor]:
    """Puts chunks together.

    Args:
        chunks: name -> [n_chunk, ...], with the same names in each.
        n: the number of rows in all.

    Returns:
        name -> [n, ...].

    Raises:
        ItmError: there are no rows.
    """
    whole: dict[str, Tensor] = {}
    first = 0
    for part in chunks:
        for name, rows in part.items():
            if name not in whole:
                whole[name] = rows.new_empty((n, *rows.shape[1:]))
            whole[name][first : first + len(rows)] = rows
        first += len(next(iter(part.values())))
    _refuse_none(whole)
    return whole


def on_disk(chunks: Iterable[dict[str, Tensor]], n: int, file: Path) -> None:
    """Writes chunks to one safetensors file; memory holds one chunk at a time.

    Args:
        chunks: as for ``in_memory``; float32, float16 or uint8.
        n: the number of rows in all.
        file: is complete or absent afterwards.

    Raises:
        ItmError: there are no rows, or the file cannot be written.
    """
    with disk_errors(file):
        part = file.with_name(f"{file.name}.part")
        try:
            with part.open("wb") as opened:
                starts: dict[str, int] = {}  # name -> where its next row goes
                for rows in chunks:
                    starts = starts or _begin(opened, rows, n)
                    for name, tensor in rows.items():
                        opened.seek(starts[name])
                        starts[name] += opened.write(tensor.detach().cpu().contiguous().numpy().tobytes())
                _refuse_none(starts)
                opened.flush()
                os.fsync(opened.fileno())
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)


def _begin(opened, rows: dict[str, Tensor], n: int) -> dict[str, int]:
    """Writes the header of a safetensors file for n rows like these -> where each tensor begins."""
    header, starts, at = {}, {}, 0
    for name in sorted(rows, key=lambda name: (-rows[name].element_size(), name)):  # so that each is aligned
        row = rows[name]
        size = n * row[0].numel() * row.element_size()
        header[name] = {"dtype": DTYPES[row.dtype], "shape": [n, *row.shape[1:]], "data_offsets": [at, at + size]}
        starts[name] = HEADER + at
        at += size
    text = json.dumps(header).encode().ljust(HEADER - 8)
    opened.write(len(text).to_bytes(8, "little") + text)
    opened.truncate(HEADER + at)  # a disk that is too small is found out now where the file system reserves space
    return starts


def _refuse_none(found: dict) -> None:
    if not found:
        raise ItmError("there are no images to extract features from: the split is empty")
