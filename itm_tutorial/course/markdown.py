"""Pieces of Markdown that several generated documents use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import mean, stdev


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table.

    Args:
        head: the headers.
        rows: the cells of each row, as many as headers.

    Returns:
        One line per row; a "|" in a cell is escaped.
    """
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells)


def mean_and_deviation(values: Sequence[float], decimals: int = 1) -> str:
    """Mean and standard deviation, such as "452.0 ± 9.6"; one value alone has no deviation."""
    parts = [mean(values), stdev(values)] if len(values) > 1 else [mean(values)]
    return " ± ".join(f"{part:.{decimals}f}" for part in parts)
