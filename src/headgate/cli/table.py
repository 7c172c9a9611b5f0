"""Plain tables: aligned on a terminal, easy to cut in a pipe."""

from collections.abc import Iterable, Sequence


def print_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns two spaces apart, as wide as their widest cell. None prints as `-`."""
    cells = [[*heads], *([("-" if cell in (None, "") else str(cell)) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
