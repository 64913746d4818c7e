"""A report as PDF: A4 pages with numbers, figures as vectors, tables that never run off the side."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from html import escape
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from PIL import Image as Picture
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    ListFlowable,
    ListItem,
    PageTemplate,
    Paragraph,
    Preformatted,
    Spacer,
    Table,
)

from cellmetry.report.document import Bullets, FigureBlock, Heading, InteractiveBlock, TableBlock, Text
from cellmetry.report.pdf_figure import draw_figure
from cellmetry.report.pdf_table import BOLD, MONO, SANS, table_flowables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from cellmetry.report.document import Block, Document

__all__ = ["write_pdf"]

_MARGIN, _TOP, _BOTTOM = 18 * mm, 18 * mm, 20 * mm
_WIDTH, _HEIGHT = A4[0] - 2 * _MARGIN, A4[1] - _TOP - _BOTTOM
_GAP = 4 * mm
_TALLEST = 0.72 * _HEIGHT
_DPI = 300
_INK, _SOFT, _LINE = (HexColor(colour) for colour in ("#1b2330", "#5c6878", "#dfe4ea"))
_FONTS = {SANS: "DejaVuSans.ttf", BOLD: "DejaVuSans-Bold.ttf", MONO: "DejaVuSansMono.ttf"}
_LINE_LETTERS = 98

_TEXT = ParagraphStyle("text", fontName=SANS, fontSize=9, leading=13, textColor=_INK, spaceAfter=6)
_TITLE = ParagraphStyle("title", _TEXT, fontName=BOLD, fontSize=18, leading=23, spaceAfter=4)
_SUBTITLE = ParagraphStyle("subtitle", _TEXT, textColor=_SOFT, spaceAfter=14)
_HEADS = {
    2: ParagraphStyle(
        "h2", _TEXT, fontName=BOLD, fontSize=13, leading=17, spaceBefore=14, spaceAfter=6, keepWithNext=1
    ),
    3: ParagraphStyle("h3", _TEXT, fontName=BOLD, fontSize=10, leading=14, spaceBefore=8, spaceAfter=4, keepWithNext=1),
}
_CAPTION = ParagraphStyle("caption", _TEXT, fontSize=7.5, leading=10.5, textColor=_SOFT)
_TABLE_CAPTION = ParagraphStyle("table_caption", _CAPTION, spaceBefore=4, spaceAfter=4, keepWithNext=1)
_VERBATIM = ParagraphStyle("verbatim", fontName=MONO, fontSize=7, leading=9, textColor=_INK, spaceAfter=8)
_SET_OFF = {"note": ("#f2f5f8", "#5c6878"), "warning": ("#fff5dc", "#8a5a00"), "error": ("#fdeceb", "#b3261e")}
_BOXES = {
    kind: ParagraphStyle(
        kind,
        _TEXT,
        backColor=HexColor(ground),
        borderColor=HexColor(edge),
        borderWidth=0.6,
        borderPadding=5,
        borderRadius=3,
        leftIndent=6,
        rightIndent=6,
        spaceBefore=12,
        spaceAfter=15,
    )
    for kind, (ground, edge) in _SET_OFF.items()
}


def write_pdf(document: Document) -> bytes:
    """Return the report as PDF: A4, page numbers; the same bytes for the same document with newly made figures.

    Notes
    -----
    (Drawing a figure settles its layout, so that its second drawing may differ by a hair.)

    Figures are vectors (pictures and pixels in them 300 dpi) in their own size, side by side where two have room, and
    scaled down where one has none. Of an `InteractiveBlock` nothing is shown. Letters are DejaVu Sans, which has Latin,
    Greek, Cyrillic and signs, but no Chinese, Japanese or Korean.
    """
    _register_fonts()
    story = [Paragraph(escape(document.title), _TITLE), Paragraph(escape(document.subtitle), _SUBTITLE)]
    for of_figures, run in groupby(_printed(document.blocks), lambda block: isinstance(block, FigureBlock)):
        if of_figures:
            story += _figure_rows([_Plate(block) for block in run if isinstance(block, FigureBlock)])
        else:
            story += [flowable for block in run for flowable in _flowables(block)]
    out = io.BytesIO()
    frame = Frame(_MARGIN, _BOTTOM, _WIDTH, _HEIGHT, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    template = BaseDocTemplate(
        out, pagesize=A4, title=document.title, author="", subject=document.subtitle, creator="Cellmetry", invariant=1
    )
    template.addPageTemplates(PageTemplate(frames=[frame], onPage=_Edge(document.footer)))
    template.build(story)
    return out.getvalue()


@cache
def _register_fonts() -> None:
    """Make the letters that come with matplotlib known to reportlab."""
    for name, file in _FONTS.items():
        registerFont(TTFont(name, Path(mpl.get_data_path()) / "fonts" / "ttf" / file))
    registerFontFamily(SANS, normal=SANS, bold=BOLD, italic=SANS, boldItalic=BOLD)


@dataclass(frozen=True)
class _Edge:
    """The line at the foot of each page: the report's last line, and the page's number."""

    footer: str

    def __call__(self, canvas: Any, template: Any) -> None:
        canvas.saveState()
        canvas.setStrokeColor(_LINE)
        canvas.line(_MARGIN, _BOTTOM - 3 * mm, A4[0] - _MARGIN, _BOTTOM - 3 * mm)
        line = Paragraph(escape(self.footer), _CAPTION)
        _, height = line.wrap(_WIDTH - 20 * mm, _BOTTOM)
        line.drawOn(canvas, _MARGIN, _BOTTOM - 4 * mm - height)
        canvas.setFont(SANS, 7.5)
        canvas.setFillColor(_SOFT)
        canvas.drawRightString(A4[0] - _MARGIN, _BOTTOM - 4 * mm - 8, str(template.page))
        canvas.restoreState()


def _printed(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks without interactive ones, and without heads of which nothing else is left."""
    kept: list[Block] = []
    for block in (*(block for block in blocks if not isinstance(block, InteractiveBlock)), Heading("", 1)):
        while kept and isinstance(block, Heading) and isinstance(kept[-1], Heading) and kept[-1].level >= block.level:
            kept.pop()
        kept.append(block)
    return kept[:-1]


def _flowables(block: Block) -> list[Flowable]:
    match block:
        case Heading():
            style = _HEADS[2 if block.level <= 2 else 3]
            return [CondPageBreak(30 * mm), Paragraph(escape(block.text), style)]
        case Text(kind="verbatim"):
            lines = block.text.expandtabs(4)
            return [Preformatted(lines, _VERBATIM, maxLineLength=_LINE_LETTERS, splitChars=" ,;/")]
        case Text():
            return [Paragraph(escape(block.text), _BOXES.get(block.kind, _TEXT))]
        case Bullets():
            items = [ListItem(Paragraph(escape(item), _TEXT), leftIndent=14) for item in block.items]
            return [
                ListFlowable(
                    items, leftIndent=12, bulletType="bullet", start="•", bulletFontName=SANS, bulletFontSize=8
                )
            ]
        case TableBlock():
            caption = [Paragraph(escape(block.caption), _TABLE_CAPTION)] if block.caption else []
            return [*caption, *table_flowables(block.table, _WIDTH), Spacer(1, 8)]
        case InteractiveBlock() | FigureBlock():
            return []


class _Plate(Flowable):  # type: ignore[misc]  # reportlab has no types
    """A figure with its legend below, never parted; drawn in its own size, or smaller where it does not fit."""

    def __init__(self, block: FigureBlock) -> None:
        super().__init__()
        self.block, self.figure = block, block.figure
        self.legend = Paragraph(escape(block.legend), _CAPTION)
        self.natural = _natural_size(block.figure)
        self.side = min(self.natural[0], _WIDTH)
        # A legend that is too long to stand below the figure on one page follows as a paragraph.
        self.parted = self.legend.wrap(self.side, _HEIGHT)[1] > _LONGEST_LEGEND

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        under = 0.0 if self.parted else self.legend.wrap(width, _HEIGHT)[1]
        room = max(min(_TALLEST, _HEIGHT - under - 8), 40 * mm)
        self.scale = min(width / self.natural[0], room / self.natural[1], 1.0)
        self.width, self.height = width, self.natural[1] * self.scale + under + 4
        return self.width, self.height

    def draw(self) -> None:
        if not self.parted:
            self.legend.drawOn(self.canv, 0, 0)
        self.canv.translate(0, self.height - self.natural[1] * self.scale)
        self.canv.scale(self.scale, self.scale)
        if isinstance(self.figure, bytes):
            self.canv.drawImage(ImageReader(io.BytesIO(self.figure)), 0, 0, *self.natural, mask="auto")
        else:
            draw_figure(self.figure, self.canv, dpi=_DPI)


def _natural_size(figure: Figure | bytes) -> tuple[float, float]:
    """Return width and height in points; of a picture, a third of the page wide, or the whole where it is long."""
    if not isinstance(figure, bytes):
        width, height = (72 * float(side) for side in figure.get_size_inches())
        return width, height
    with Picture.open(io.BytesIO(figure)) as picture:
        aspect = picture.height / picture.width
    wide = _WIDTH if aspect < 1 / 2.2 else (_WIDTH - 2 * _GAP) / 3
    return wide, wide * aspect


def _figure_rows(plates: Sequence[_Plate]) -> list[Flowable]:
    """Return the figures in rows that are as full as the page is wide."""
    rows: list[list[_Plate]] = []
    for plate in plates:
        used = sum(other.side + _GAP for other in rows[-1]) if rows else _WIDTH
        used = _WIDTH if plate.parted or (rows and rows[-1][0].parted) else used
        if used + plate.side > _WIDTH + 1:
            rows.append([])
        rows[-1].append(plate)
    return [flowable for row in rows for flowable in (_row(row), *_parted_legends(row), Spacer(1, 10))]


def _parted_legends(plates: Sequence[_Plate]) -> list[Flowable]:
    return [Paragraph(escape(plate.block.legend), _CAPTION) for plate in plates if plate.parted]


def _row(plates: Sequence[_Plate]) -> Flowable:
    widths = [_WIDTH] if len(plates) == 1 else [plate.side + _GAP for plate in plates]
    widths[-1] = min(widths[-1], _WIDTH - sum(widths[:-1]))
    style = [("VALIGN", (0, 0), (-1, -1), "TOP"), *((f"{side}PADDING", (0, 0), (-1, -1), 0) for side in _SIDES)]
    style += [("RIGHTPADDING", (0, 0), (-2, -1), _GAP)]
    return Table([list(plates)], colWidths=widths, style=style, hAlign="LEFT")


_LONGEST_LEGEND = 0.5 * _HEIGHT
_SIDES = ("LEFT", "RIGHT", "TOP", "BOTTOM")
