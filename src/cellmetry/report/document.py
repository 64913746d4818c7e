"""A report as an ordered list of blocks, told once and written as HTML and as PDF."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Block", "Bullets", "Document", "FigureBlock", "Heading", "InteractiveBlock", "TableBlock", "Text"]


@dataclass(frozen=True)
class Heading:
    """A heading; level 2 opens a section, 3 a part of it."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """A paragraph; `kind` sets it off: ``plain``, ``note``, ``warning`` or ``error``; ``verbatim`` keeps its lines."""

    text: str
    kind: str = "plain"


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class TableBlock:
    """A table as it stands, numbers shown with few digits, with a caption."""

    table: pd.DataFrame
    caption: str = ""


@dataclass(frozen=True)
class FigureBlock:
    """A figure, drawn or as PNG, with its name in files and its legend."""

    name: str
    figure: Figure | bytes
    legend: str


@dataclass(frozen=True)
class InteractiveBlock:
    """A plotly figure (as JSON values) for the screen; the PDF shows nothing of it but `FigureBlock`s beside it.

    Parameters
    ----------
    name
        In the page.
    plot
        ``{"data": […], "layout": {…}}``. A point that is a cell has ``text`` and ``customdata``: a key of `pictures`,
        and its line in the list of cells. A text ``var(--ink)`` stands for that colour of the page.
    legend
        What it shows.
    pictures
        PNG of the cell of a point, by key: shown when the point is clicked.
    """

    name: str
    plot: dict[str, Any]
    legend: str
    pictures: dict[str, bytes] = field(default_factory=dict)


Block = Heading | Text | Bullets | TableBlock | FigureBlock | InteractiveBlock


@dataclass(frozen=True)
class Document:
    """A report: title, one line below it, blocks, and the line at its end."""

    title: str
    subtitle: str
    blocks: tuple[Block, ...]
    footer: str
