"""A table as lines of text: rows under their columns, in no more columns of the terminal than there are. Pure."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from tracksync.report.exchange_text import printable

_NARROWEST: Final = 12  # characters of a cell that is wrapped
_GAP: Final = "  "


def table_lines(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    link: Callable[[str, str], str] = lambda column, text: text,
) -> list[str]:
    """Rows under their columns; the widest columns are wrapped, and where that is too narrow each cell has a line.

    `link` makes a cell under a column into a link of the terminal, which is as wide.
    """
    if not rows:
        return []
    table = [[printable(cell) for cell in row] for row in (columns, *rows)]
    natural = [max(map(len, column)) for column in zip(*table, strict=True)]
    widths = _fitted(natural, width)
    words = [max(len(word) for cell in column for word in cell.split() or [""]) for column in zip(*table, strict=True)]
    if any(
        fitted < min(most, max(word, _NARROWEST)) for fitted, most, word in zip(widths, natural, words, strict=True)
    ):
        return [line for row in table[1:] for line in _listed(table[0], row, width)]
    return [*_row(table[0], widths), *(line for row in table[1:] for line in _row(row, widths, columns, link))]


def _listed(columns: Sequence[str], row: Sequence[str], width: int) -> Iterator[str]:
    """One line for each cell; those after the first are indented, so that each row can be seen."""
    for place, (name, cell) in enumerate(zip(columns, row, strict=True)):
        indent = _GAP * (2 if place else 1)
        yield from textwrap.wrap(
            f"{name}: {cell}", width, initial_indent=indent, subsequent_indent=indent + _GAP, break_on_hyphens=False
        )


def _row(
    row: Sequence[str],
    widths: Sequence[int],
    columns: Sequence[str] = (),
    link: Callable[[str, str], str] = lambda column, text: text,
) -> list[str]:
    cells = [
        textwrap.wrap(cell, width, break_on_hyphens=False) or [""] for cell, width in zip(row, widths, strict=True)
    ]
    lines = []
    for parts in itertools.zip_longest(*cells, fillvalue=""):
        shown = map(link, columns or row, parts)
        padded = (f"{text}{' ' * (width - len(part))}" for text, part, width in zip(shown, parts, widths, strict=True))
        lines.append((_GAP + _GAP.join(padded)).rstrip())
    return lines


def _fitted(widths: Sequence[int], most: int) -> list[int]:
    """The widths of columns, of which the widest are narrowed until a row has at most `most` characters."""
    fitted = list(widths)
    while sum(fitted) + len(_GAP) * len(fitted) > most and max(fitted) > 1:
        fitted[fitted.index(max(fitted))] -= 1
    return fitted
