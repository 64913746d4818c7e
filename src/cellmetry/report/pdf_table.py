"""Tables in a PDF: columns as wide as they need, smaller letters or several parts where the page is too narrow."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable, Paragraph, Spacer, Table

from cellmetry.report.numerals import is_numeric, shown_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["BOLD", "MONO", "SANS", "table_flowables"]

SANS, BOLD, MONO = "CellmetrySans", "CellmetrySans-Bold", "CellmetryMono"
_SIZES = (8.0, 7.0, 6.0)
_SPLIT_SIZE = 7.0
_PADDING = 4.0
_WIDEST = 0.4
_SHORT_HEAD = 12
_INK, _SOFT, _LINE = (HexColor(colour) for colour in ("#1b2330", "#5c6878", "#c9d0d8"))


@dataclass(frozen=True)
class _Column:
    """A column as text: its head, cells, and whether it is set to the right."""

    head: str
    cells: list[str]
    numeric: bool

    def width(self, size: float) -> float:
        """Return the width in points with which no cell breaks; a long head may, between words."""
        cells = max((stringWidth(text, SANS, size) for text in dict.fromkeys(self.cells)), default=0.0)
        heads = [self.head] if len(self.head) <= _SHORT_HEAD else self.head.split()
        words = max((stringWidth(word, BOLD, size) for word in heads), default=0.0)
        return float(max(cells, words)) + 2 * _PADDING + 1

    def paragraphs(self, size: float) -> list[Paragraph]:
        align = TA_RIGHT if self.numeric else TA_LEFT
        style = ParagraphStyle(
            "cell", fontName=SANS, fontSize=size, leading=1.3 * size, textColor=_INK, alignment=align
        )
        head = ParagraphStyle("head", style, fontName=BOLD, textColor=_SOFT)
        return [Paragraph(escape(self.head), head), *(Paragraph(escape(text), style) for text in self.cells)]


def table_flowables(table: pd.DataFrame, room: float) -> list[Flowable]:
    """Return a table that is no wider than `room` points.

    Letters get smaller down to 6 points; a table that is still too wide is parted by columns, its first one repeated.
    """
    columns = [
        _Column(str(name), shown_column(table.iloc[:, place]), is_numeric(table.iloc[:, place]))
        for place, name in enumerate(table.columns)
    ]
    for size in _SIZES:
        needed = [column.width(size) for column in columns]
        if sum(min(need, _WIDEST * room) for need in needed) <= room:
            return [_table(columns, _fitted(needed, room), size)]
    widths = [min(column.width(_SPLIT_SIZE), _WIDEST * room) for column in columns]
    parts = [
        _table([columns[i] for i in part], [widths[i] for i in part], _SPLIT_SIZE) for part in _parts(widths, room)
    ]
    return [flowable for part in parts for flowable in (part, Spacer(1, 6))][:-1]


def _fitted(needed: Sequence[float], room: float) -> list[float]:
    """Return widths that fit: what is free goes to the columns that need more than the widest usual, in turn."""
    widths = [min(need, _WIDEST * room) for need in needed]
    for place, need in enumerate(needed):
        widths[place] += min(need - widths[place], room - sum(widths))
    return widths


def _parts(widths: Sequence[float], room: float) -> list[list[int]]:
    """Return the columns of each part; the first column leads each."""
    parts = [[0]]
    for place in range(1, len(widths)):
        if sum(widths[other] for other in parts[-1]) + widths[place] > room:
            parts.append([0])
        parts[-1].append(place)
    return parts


def _table(columns: Sequence[_Column], widths: Sequence[float], size: float) -> Table:
    rows = list(zip(*(column.paragraphs(size) for column in columns), strict=True))
    style = [
        ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
        ("VALIGN", (0, 1), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, _SOFT),
        ("LINEBELOW", (0, 1), (-1, -1), 0.3, _LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), _PADDING),
        ("RIGHTPADDING", (0, 0), (-1, -1), _PADDING),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
    return Table(rows, colWidths=list(widths), repeatRows=1, splitInRow=1, style=style, hAlign="LEFT")
