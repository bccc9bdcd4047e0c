"""Arrays of published features: mapped into memory, and checked a chunk at a time."""

from __future__ import annotations

import tokenize
from pathlib import Path

import numpy as np

from itm_tutorial.errors import ItmError
from itm_tutorial.progress import progress_bar

LOOK = 25  # rows at the beginning of an array that show whether it repeats its images
CHUNK = 2**26  # bytes of an array checked at a time
AGAIN = "get this file again"
_NOT_AN_ARRAY = (ValueError, TypeError, KeyError, OverflowError, SyntaxError, tokenize.TokenError)  # a broken header


def size_of(file: Path) -> int:
    """The size of a file.

    Raises:
        ItmError: there is no such file.
    """
    try:
        if file.is_file():
            return file.stat().st_size
    except (OSError, ValueError) as error:  # a name that no file can have
        raise ItmError(f"{file} cannot be read ({error}): it must be a file that you may read") from error
    raise ItmError(f"{file} is missing: give the folder that holds it and the other published files")


def open_array(file: Path) -> np.memmap:
    """Maps a published array into memory, read-only: a row is read from disk when it is asked for.

    Returns:
        float16, float32 or float64, [n_rows, dim] or [n_rows, n_regions, dim].

    Raises:
        ItmError: the file is missing, cut short, or not a .npy file of plain numbers; or the array has another dtype or
            shape.
    """
    size_of(file)
    try:
        array = np.lib.format.open_memmap(file, mode="r")  # unlike np.load, it knows neither pickles nor archives
    except OSError as error:
        raise ItmError(f"{file} cannot be read ({error.strerror}): it must be a file that you may read") from error
    except (*_NOT_AN_ARRAY, MemoryError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ItmError(f"{file} is cut short, or not a .npy file of plain numbers ({reason}): {AGAIN}") from error
    if array.dtype not in (np.float16, np.float32, np.float64):  # of this machine's byte order
        raise ItmError(f"{file} is {array.dtype.str} {array.dtype.name}: save it again as .astype('float32')")
    if array.ndim not in (2, 3) or array.size == 0:
        raise ItmError(
            f"{file} has shape {list(array.shape)}, not [n_images, dim] or [n_images, n_regions, dim]: {AGAIN}"
        )
    return array


def rows_per_image(array: np.ndarray, n_captions: int, file: Path) -> int:
    """How many rows of an array belong to each image, one after the other: 1, or as many as it has captions.

    Args:
        array: [n_rows, ...].
        n_captions: lines of the captions' file.
        file: of the array, for the message.

    Raises:
        ItmError: the captions cannot be shared out among the rows.
    """
    n_rows = len(array)
    if n_captions > n_rows and n_captions % n_rows == 0:
        return 1
    if n_captions != n_rows:
        raise ItmError(
            f"{file} has {n_rows:,} rows, and {file.name.replace('_ims.npy', '_caps')} {n_captions:,} lines: there "
            "must be as many lines as rows, or for each row the same number of lines; get both files from one edition"
        )
    first = np.asarray(array[:LOOK])
    same_as_last = (first[1:] == first[:-1]).reshape(len(first) - 1, -1).all(1)  # [at most LOOK - 1]
    times = int(np.argmin(same_as_last)) + 1 if not same_as_last.all() else len(first)
    if times == 1 and same_as_last.mean() > 0.5:
        row = int(np.argmax(same_as_last))
        raise ItmError(
            f"{file}: rows {row} and {row + 1} (counted from 0) are the same image, as in a file with one row per "
            "caption, but rows 0 and 1 are not; get it and its captions from one edition"
        )
    if len(first) > 1 and times == len(first):
        raise ItmError(f"{file}: its first {times} rows are all the same image; {AGAIN}")
    if n_rows % times:
        raise ItmError(
            f"{file} begins with {times} equal rows, so each image should have {times}, but {n_rows:,} rows cannot be "
            f"divided by {times}: get this file and its captions from one edition"
        )
    return times


def check_values(array: np.ndarray, times: int, file: Path) -> None:
    """Checks every number of an array, a chunk at a time.

    Args:
        array: floats [n_rows, ...].
        times: how often each image must occur in succession.
        file: for the message.

    Raises:
        ItmError: a number is NaN or infinite, or the rows of an image differ.
    """
    rows = max(1, CHUNK // (array[0].nbytes * times)) * times  # never cuts an image in two
    for first in progress_bar(range(0, len(array), rows), f"checking {file.name}"):
        chunk = array[first : first + rows]
        finite = np.isfinite(chunk)
        if not finite.all():
            at = np.argwhere(~finite)[0]
            number, place = chunk[tuple(at)], [int(first + at[0]), *map(int, at[1:])]
            raise ItmError(f"{file} holds {number} at {place}, counted from 0: {AGAIN}")
        if times > 1:
            _check_repeats(chunk, times, first, file)


def _check_repeats(chunk: np.ndarray, times: int, first: int, file: Path) -> None:
    """Checks that rows repeat.

    Args:
        chunk: [times * some images, ...].
        times: how many rows in succession must be equal.
        first: the index in the array of the first row of the chunk.
        file: for the message.
    """
    images = chunk.reshape(-1, times, *chunk.shape[1:])
    differs = (images != images[:, :1]).reshape(len(images), -1).any(1)  # [some images]
    if differs.any():
        row = first + int(differs.argmax()) * times
        raise ItmError(
            f"{file} begins with one row per caption, {times} equal rows per image, but rows {row} to "
            f"{row + times - 1} (counted from 0) are not the same image: get it and its captions from one edition"
        )
