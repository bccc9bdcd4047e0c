"""Reads the CSV tables of this folder and checks every line."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from itm_tutorial.errors import ItmError

FOLDER = Path(__file__).parent


def read_table(file: Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Reads a table whose first line names its columns.

    Args:
        file: CSV in UTF-8.
        columns: the names that the first line must have, in this order.

    Returns:
        For each row its line number in the file, from 1, and its cells by column.

    Raises:
        ItmError: the file is missing or not UTF-8, its columns differ, or a row has too many or too few cells.
    """
    rows = []
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = next(reader, [])
            if header != list(columns):
                raise ItmError(f"{file} line 1: the columns are {','.join(header)}; write {','.join(columns)}")
            for cells in reader:
                if len(cells) != len(columns):
                    raise ItmError(
                        f"{file} line {reader.line_num}: {len(cells)} columns instead of {len(columns)}; "
                        "put a cell that contains a comma in double quotes"
                    )
                rows.append((reader.line_num, dict(zip(columns, cells, strict=True))))
    except OSError as error:
        raise ItmError(f"{file} cannot be read ({error.strerror}): install the package again") from error
    except UnicodeDecodeError as error:
        raise ItmError(f"{file} is not UTF-8 at byte {error.start}: save it as UTF-8") from error
    except csv.Error as error:
        raise ItmError(
            f"{file} line {reader.line_num}: {error}; check for a quotation mark that is not closed"
        ) from error
    return rows
