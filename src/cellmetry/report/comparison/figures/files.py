"""Figures as files, each written as a whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cellmetry.io.atomic import atomic_write
from cellmetry.report.figures import figure_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cellmetry.report.style import FigureStyle

__all__ = ["figure_files"]


def figure_files(figure: Figure, folder: str | Path, name: str, style: FigureStyle) -> list[Path]:
    """Return the files ``NAME.png``, ``NAME.svg``, … after writing those that the style names.

    The same figure gives the same bytes.

    Raises
    ------
    OutputError
        If a file cannot be written; an older one of its name is then unchanged.
    """
    paths = []
    for form in style.formats:
        content = figure_bytes(figure, form, dpi=style.dpi)
        with atomic_write(Path(folder, f"{name}.{form}")) as path:
            path.write_bytes(content)
        paths.append(Path(folder, f"{name}.{form}"))
    return paths
