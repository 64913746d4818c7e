"""A figure at the size of print with letters of the size of print, and the words on it."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.colors import is_color_like
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags
from matplotlib.lines import Line2D
from matplotlib.text import Text

from cellmetry.errors import ParameterError
from cellmetry.report.figures import PAPER, new_figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from cellmetry.report.style import FigureStyle

__all__ = [
    "SMALL",
    "add_key",
    "drawing",
    "label_of",
    "say_below",
    "small_text",
    "style_axes",
    "text_width_mm",
    "wrapped",
]

MM_PER_INCH, POINTS_PER_INCH = 25.4, 72.0
SMALL = 0.85
"""Size of lesser text: keys, notes, p-values."""
LINE_MM_PER_PT = 1.25 * MM_PER_INCH / POINTS_PER_INCH
"""Height of a line of text in mm for each point of its size."""
_ASPECT = 0.8
_MEASURED_PT, _SUBPIXELS = 100.0, 64.0
_MARGIN_MM = 17.0
_MARK_LENGTH, _LINE_LENGTH, _KEY_GAPS = 1.2, 2.2, 1.6
_BREAKS = " -_/,+"


@contextmanager
def drawing(style: FigureStyle) -> Iterator[Figure]:
    """Yield an empty figure at the size of print; within, all that is drawn has the style's letters and thin lines.

    Raises
    ------
    ParameterError
        If the font is not installed or lacks a sign that stands in the figure, if a colour is none, or if words leave
        no room.
    """
    font = _font_file(style)
    for colour in style.palette:
        if not is_color_like(colour):
            raise ParameterError(f"palette: {colour!r} is no colour; write it as '#0072B2' or by its name.")
    width, height = figure_size_mm(style)
    with mpl.rc_context(_settings(style)):
        figure = new_figure(width / MM_PER_INCH, height / MM_PER_INCH)
        yield figure
        _refuse_missing_signs(figure, font, style.font)
        _refuse_no_room(figure, style)


def figure_size_mm(style: FigureStyle) -> tuple[float, float]:
    """Return width and height in mm."""
    return style.width_mm, style.height_mm or _ASPECT * style.width_mm


def axes_width_mm(style: FigureStyle) -> float:
    """Return about how wide a single pair of axes is, less the words at its side, in mm."""
    return max(style.width_mm - _MARGIN_MM, 0.5 * style.width_mm)


def _font_file(style: FigureStyle) -> str:
    try:
        return str(findfont(FontProperties(family=style.font), fallback_to_default=False))
    except ValueError as error:
        raise ParameterError(
            f"The font {style.font!r} is not installed; install it, or choose another with font ('DejaVu Sans' is "
            f"always there)."
        ) from error


def _settings(style: FigureStyle) -> dict[Any, Any]:
    size = style.font_size_pt
    inks = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    return {
        "font.family": [style.font],
        "font.size": size,
        "axes.labelsize": size,
        "axes.titlesize": size,
        "figure.labelsize": SMALL * size,
        "legend.fontsize": SMALL * size,
        "xtick.labelsize": size,
        "ytick.labelsize": size,
        "axes.linewidth": 0.6,
        "axes.titlepad": 3.0,
        "axes.labelpad": 2.5,
        "lines.linewidth": 1.0,
        "text.parse_math": False,
        "legend.frameon": False,
        "legend.handletextpad": 0.4,
        "legend.columnspacing": 1.0,
        "legend.labelspacing": 0.3,
        "legend.borderaxespad": 0.2,
        **dict.fromkeys(inks, PAPER.ink),
    }


def style_axes(axes: Axes, style: FigureStyle) -> None:
    """Give axes thin lines to the left and below, short ticks, and letters of the style, also those made later."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(
        which="both", width=0.6, length=2.5, pad=2, labelsize=style.font_size_pt, labelfontfamily=style.font
    )
    both: tuple[Axis, Axis] = (axes.xaxis, axes.yaxis)
    for axis in both:
        axis.get_offset_text().set(size=style.font_size_pt, family=style.font)


def label_of(name: str, style: FigureStyle) -> str:
    """Return what stands in figures for the name of a column or a condition."""
    return style.labels.get(name, name)


def small_text(style: FigureStyle) -> float:
    """Return the size of lesser text in points."""
    return SMALL * style.font_size_pt


def text_width_mm(text: str, size_pt: float, font: str) -> float:
    """Return how wide the widest line of a text is in print."""
    widest = max((_width(line, font) for line in text.split("\n")), default=0.0)
    return widest * size_pt * MM_PER_INCH / POINTS_PER_INCH


@lru_cache(maxsize=10_000)
def _width(line: str, font: str) -> float:
    """Return the width of a line of text in sizes of its letters; signs that the font lacks count as an x."""
    drawn = get_font(findfont(FontProperties(family=font), fallback_to_default=False))
    drawn.set_size(_MEASURED_PT, POINTS_PER_INCH)
    known = "".join(sign if drawn.get_char_index(ord(sign)) else "x" for sign in line)
    drawn.set_text(known, 0.0, flags=LoadFlags.NO_HINTING)
    return float(drawn.get_width_height()[0]) / _SUBPIXELS / _MEASURED_PT


def wrapped(text: str, most_mm: float, style: FigureStyle, *, size_pt: float | None = None) -> str:
    """Return the text in lines of at most this width, broken at blanks and signs, within a word where it must be."""
    size = size_pt or style.font_size_pt
    lines, line = [], ""
    for piece in _pieces(text, most_mm, style.font, size):
        if line.strip() and text_width_mm((line + piece).rstrip(), size, style.font) > most_mm:
            lines.append(line.strip())
            line = ""
        line += piece
    return "\n".join([*lines, line.strip()])


def longest_word_mm(text: str, style: FigureStyle) -> float:
    """Return the width of the widest part of a text that is not broken."""
    return max((text_width_mm(word.rstrip(), style.font_size_pt, style.font) for word in _words(text)), default=0.0)


def _words(text: str) -> list[str]:
    """Return parts of a text that may stand on lines of their own; each ends in the sign at which it is broken."""
    words = [""]
    for sign in text:
        words[-1] += sign
        if sign in _BREAKS:
            words.append("")
    return [word for word in words if word]


def _pieces(text: str, most_mm: float, font: str, size: float) -> Iterator[str]:
    """Yield the words of a text, those that are too wide in parts."""
    for word in _words(text):
        rest = word
        while len(rest) > 1 and text_width_mm(rest.rstrip(), size, font) > most_mm:
            ends = range(len(rest) - 1, 0, -1)
            end = next((end for end in ends if text_width_mm(rest[:end], size, font) <= most_mm), 1)
            yield rest[:end]
            rest = rest[end:]
        yield rest


def say_below(figure: Figure, notes: Sequence[str], style: FigureStyle) -> None:
    """Write what a reader must know of what is drawn below the figure, one note a line."""
    if not notes:
        return
    size = small_text(style)
    most = 0.96 * style.width_mm
    text = "\n".join(wrapped(note, most, style, size_pt=size) for note in notes)
    name = figure.get_supxlabel()
    if name:
        figure.supxlabel(f"{name}\n{text}", size=style.font_size_pt)
    else:
        figure.supxlabel(text, x=0.02, ha="left", color=PAPER.soft, size=size)


def add_key(figure: Figure, axes: Axes, style: FigureStyle) -> None:
    """Add the key of all that is named in some axes above the figure, in as many columns as fit."""
    handles, labels = axes.get_legend_handles_labels()
    if not handles:
        return
    size = small_text(style)
    lined = any(isinstance(handle, Line2D) and handle.get_linestyle() != "None" for handle in handles)
    length = _LINE_LENGTH if lined else _MARK_LENGTH
    mark = (length + _KEY_GAPS) * size * MM_PER_INCH / POINTS_PER_INCH
    shown = [wrapped(label, 0.9 * style.width_mm - mark, style, size_pt=size) for label in labels]
    widest = max(text_width_mm(label, size, style.font) for label in shown) + mark
    fitting = max(1, min(len(shown), int(0.96 * style.width_mm / widest)))
    columns = -(-len(shown) // -(-len(shown) // fitting))
    figure.legend(handles, shown, loc="outside upper center", ncols=columns, handlelength=length)


def _refuse_no_room(figure: Figure, style: FigureStyle) -> None:
    """Lay the figure out once, to learn whether its words leave room for axes."""
    engine = figure.get_layout_engine()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        if engine is not None:
            engine.execute(figure)
    if any("collapsed" in str(each.message) for each in found):
        width, height = figure_size_mm(style)
        raise ParameterError(
            f"A figure of {width:g} × {height:g} mm has no room beside its words; make width_mm or height_mm larger, "
            f"font_size_pt smaller, or words shorter with labels."
        )


def _refuse_missing_signs(figure: Figure, path: str, name: str) -> None:
    drawn = get_font(path)
    for text in figure.findobj(Text):
        missing = [sign for sign in str(text.get_text()) if sign != "\n" and not drawn.get_char_index(ord(sign))]
        if missing:
            raise ParameterError(
                f"The font {name!r} has no sign {missing[0]!r}, which stands in the figure; choose another font, or "
                f"other words with labels."
            )
