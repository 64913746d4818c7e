"""Draw the pictures of the page on figures: `python -m tests.report.comparison.draw_guide_pictures FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from cellmetry.report.comparison.figures.catalogue import FIGURES
from cellmetry.report.comparison.figures.files import figure_files
from cellmetry.report.comparison.figures.plates import draw_plate
from cellmetry.report.style import FigureStyle

from .comparison_examples import Study, example, example_plates

LABELS = {
    "mean_EdU": "EdU (a.u.)",
    "1": "day 1",
    "2": "day 2",
    "3": "day 3",
    "4": "day 4",
    "value": "cells in the well",
}
STYLE = FigureStyle(formats=("png",), dpi=160, labels=LABELS)


def draw_all(folder: Path) -> list[Path]:
    """Return the pictures after drawing them of generated data."""
    data = example(Study(3, 4, cells=250, seed=3))
    pictures = {f"comparison_{kind}": FIGURES[kind].draw(data, STYLE) for kind in ("superplot", "estimation")}
    pictures["comparison_plate"] = draw_plate(example_plates(), "value", STYLE)
    return [path for name, figure in pictures.items() for path in figure_files(figure, folder, name, STYLE)]


if __name__ == "__main__":
    draw_all(Path(sys.argv[1]))
