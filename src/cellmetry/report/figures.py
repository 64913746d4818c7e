"""Figures by matplotlib that follow a page from light to dark, and stand on white in a paper."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PAGE", "PAPER", "Theme", "figure_bytes", "figure_png", "figure_svg", "new_figure", "plain_axes"]


@dataclass(frozen=True)
class Theme:
    """Colours of a figure: text, lesser text, grid lines, and of each series in turn."""

    ink: str
    soft: str
    line: str
    series: tuple[str, ...]


PAPER = Theme("#1b2330", "#5c6878", "#dfe4ea", ("#0b66c3", "#c2570c", "#12805c", "#9b3fae", "#a07800", "#5c6878"))
"""Dark on white."""
PAGE = Theme("#010101", "#010102", "#010103", tuple(f"#01020{place}" for place in range(1, 7)))
"""Stands for the colours of the page's style: `figure_svg` puts the names of its variables in their place."""
_NAMES = {PAGE.ink: "ink", PAGE.soft: "soft", PAGE.line: "line"} | {
    colour: f"series-{place}" for place, colour in enumerate(PAGE.series, start=1)
}


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches, laid out so that nothing is cut off."""
    return Figure(figsize=(width, height), layout="constrained")


def plain_axes(axes: Axes, theme: Theme) -> None:
    """Give axes a light grid, no box, and the colours of the theme; titles to the left."""
    axes.grid(visible=True, color=theme.line, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(theme.line)
    axes.tick_params(colors=theme.soft, labelsize=9, length=0)
    axes.xaxis.label.set(color=theme.soft, size=10)
    axes.yaxis.label.set(color=theme.soft, size=10)


def figure_svg(figure: Figure, description: str) -> str:
    """Return a figure drawn with `PAGE` as SVG inside a page; its text is text in the page's own letters."""
    text = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "cellmetry", "font.family": "sans-serif"}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    for colour, name in _NAMES.items():
        svg = svg.replace(colour, f"var(--{name})")
    return svg.replace("<svg ", f'<svg role="img" aria-label="{description}" ', 1)


def figure_png(figure: Figure, *, dpi: int = 200) -> bytes:
    """Return a figure drawn with `PAPER` as PNG on white."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    return out.getvalue()


def figure_bytes(figure: Figure, form: Literal["png", "svg", "pdf"], *, dpi: int = 200) -> bytes:
    """Return a figure drawn with `PAPER` as a file that stands alone, on white; the same bytes for the same figure.

    Text in SVG and PDF stays text that can be edited.
    """
    out = io.BytesIO()
    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[form]
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "cellmetry", "pdf.fonttype": 42}):
        figure.savefig(out, format=form, dpi=dpi, facecolor="white", metadata=metadata)
    return out.getvalue()
