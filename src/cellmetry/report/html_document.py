"""A report as one HTML file that holds everything it shows and fetches nothing."""

from __future__ import annotations

import base64
import io
import json
from html import escape
from importlib import import_module
from itertools import groupby
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from PIL import Image as Picture

from cellmetry.report.document import Bullets, FigureBlock, Heading, InteractiveBlock, TableBlock, Text
from cellmetry.report.figures import figure_bytes
from cellmetry.report.numerals import is_numeric, shown_column
from cellmetry.report.page import make_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from cellmetry.report.document import Block, Document

__all__ = ["write_html"]

_LARGEST_SVG = 1_000_000
_PNG_DPI = 300
_WIDE_INCHES = 4.8
_WIDE_ASPECT = 2.2


def write_html(document: Document) -> str:
    """Return the page.

    Notes
    -----
    Figures are SVG with letters as outlines, so that they look the same where their font is missing; one whose SVG
    would pass 1 MB (a cloud of very many points) is a PNG of 300 dpi. Plotly's script is in the page only where there
    is an `InteractiveBlock`. All text is escaped, and the page forbids every script but its own.
    """
    body = (
        f'<header class="title"><h1>{escape(document.title)}</h1><p>{escape(document.subtitle)}</p></header>\n'
        + _contents(document.blocks)
        + _blocks(document.blocks)
    )
    if not any(isinstance(block, InteractiveBlock) for block in document.blocks):
        return make_page(document.title, body, document.footer, styles=("document.css",))
    return make_page(
        document.title, body, document.footer, styles=("document.css",), script="document.js", libraries=(_plotly(),)
    )


def _plotly() -> str:
    """Return plotly.js; its Python package is slow to import and loaded here."""
    code: str = import_module("plotly.offline").get_plotlyjs()
    return code.replace("\r\n", "\n").replace("</script", "<\\/script")


def _contents(blocks: Sequence[Block]) -> str:
    heads = [
        (place, block.text) for place, block in enumerate(blocks) if isinstance(block, Heading) and block.level == 2
    ]
    items = "".join(f'<li><a href="#s{place}">{escape(text)}</a></li>' for place, text in heads)
    return f'<nav aria-label="Contents"><ol class="contents">{items}</ol></nav>\n' if len(heads) > 1 else ""


def _blocks(blocks: Sequence[Block]) -> str:
    """Return the blocks; figures that follow each other stand side by side, as many as the screen has room for."""
    parts = []
    for of_figures, run in groupby(enumerate(blocks), lambda numbered: isinstance(numbered[1], FigureBlock)):
        text = "".join(_block(block, place) for place, block in run)
        parts.append(f'<div class="plates">{text}</div>\n' if of_figures else text)
    return "".join(parts)


def _block(block: Block, place: int) -> str:  # noqa: PLR0911  one return a kind of block
    match block:
        case Heading():
            level = min(max(block.level, 2), 6)
            return f'<h{level} id="s{place}">{escape(block.text)}</h{level}>\n'
        case Text(kind="verbatim"):
            return f'<pre tabindex="0">{escape(block.text)}</pre>\n'
        case Text():
            return f'<p class="{escape(block.kind)}">{escape(block.text)}</p>\n'
        case Bullets():
            return f'<ul class="points">{"".join(f"<li>{escape(item)}</li>" for item in block.items)}</ul>\n'
        case TableBlock():
            return _table(block)
        case InteractiveBlock():
            return _interactive(block, place)
        case FigureBlock():
            return _figure(block)


def _table(block: TableBlock) -> str:
    columns = [block.table.iloc[:, place] for place in range(block.table.shape[1])]
    kinds = [' class="number"' if is_numeric(column) else "" for column in columns]
    named = zip(block.table.columns, kinds, strict=True)
    head = "".join(f'<th scope="col"{kind}>{escape(str(name))}</th>' for name, kind in named)
    rows = zip(*(shown_column(column) for column in columns), strict=True)
    lines = "".join(
        "<tr>" + "".join(f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>\n"
        for row in rows
    )
    caption = f"<figcaption>{escape(block.caption)}</figcaption>" if block.caption else ""
    return (
        f'<figure class="table">{caption}<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{lines}</tbody></table></div></figure>\n"
    )


def _figure(block: FigureBlock) -> str:
    figure = block.figure
    if isinstance(figure, bytes):
        with Picture.open(io.BytesIO(figure)) as picture:
            wide = picture.width > _WIDE_ASPECT * picture.height
        address = _address(figure, "image/png")
    else:
        wide = float(figure.get_figwidth()) > _WIDE_INCHES
        address = _drawn(figure)
    return (
        f'<figure class="plate{" wide" if wide else ""}"><img src="{address}" alt="{escape(block.name)}">'
        f"<figcaption>{escape(block.legend)}</figcaption></figure>\n"
    )


def _drawn(figure: Figure) -> str:
    out = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "cellmetry"}):
        figure.savefig(out, format="svg", facecolor="white", metadata={"Date": None})
    if out.tell() <= _LARGEST_SVG:
        return _address(out.getvalue(), "image/svg+xml")
    return _address(figure_bytes(figure, "png", dpi=_PNG_DPI), "image/png")


def _address(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _interactive(block: InteractiveBlock, place: int) -> str:
    """Return the plot's place, a list of its points for the keyboard, room for a cell's picture, and its data."""
    pictures = {key: _address(png, "image/png") for key, png in block.pictures.items()}
    return (
        f'<figure class="interactive" data-values="d{place}"><div class="beside"><div class="plot" role="img" '
        f'aria-label="{escape(block.name)}"></div><div class="cell"><label>Cells in this plot'
        f'<select size="8"></select></label><div class="shown" aria-live="polite"><p>{_invitation(block)}</p></div>'
        f'</div></div><p class="unseen">This plot works on the screen only.</p>'
        f"<noscript><p>This plot needs scripts; the figures show the same.</p></noscript>"
        f"<figcaption>{escape(block.legend)}</figcaption></figure>\n"
        f'<script type="application/json" id="d{place}">{_json({"plot": block.plot, "pictures": pictures})}</script>\n'
    )


def _invitation(block: InteractiveBlock) -> str:
    what = "its picture" if block.pictures else "its values"
    return f"Click a point, or choose a cell in the list, for {what}."


def _json(values: dict[str, Any]) -> str:
    """Return JSON that no text within can end before its end."""
    text = json.dumps(values, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
