"""The folder of an evaluation: a page, its pictures, tables as CSV, and everything as JSON."""

from __future__ import annotations

import base64
import io
import json
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

import pandas as pd
from PIL import Image as Picture

from cellmetry.io.pictures import write_png
from cellmetry.io.tables import write_table
from cellmetry.learn.score_columns import EMPTY_RULE, columns_of
from cellmetry.report.error_pictures import draw_worst
from cellmetry.report.evaluation_page import Shown, ShownPicture, evaluation_page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from cellmetry.learn.evaluate import Evaluation

__all__ = ["RECORD", "write_evaluation"]

RECORD = "evaluation.json"
"""File that marks a folder as that of an evaluation."""

_FIGURES = {
    "curves": ("draw_curves", "AP and F1 over the overlap that counts as found"),
    "counts": ("draw_counts", "Predicted over true number of objects, a point an image"),
}


def write_evaluation(evaluations: Sequence[Evaluation], folder: Path) -> None:
    """Write ``index.html``, ``evaluation.json``, ``tables/*.csv`` and ``pictures/*.png`` into an empty folder."""
    for name in evaluations[0].tables:
        table = _gathered(evaluations, name)
        write_table(table, folder / "tables" / f"{name}.csv", columns_of([str(column) for column in table.columns]))
    record = {
        "cellmetry": version("cellmetry"),
        "rules": EMPTY_RULE,
        "evaluations": [evaluation.summary() for evaluation in evaluations],
    }
    (folder / RECORD).write_text(json.dumps(record, indent=1, allow_nan=False), "utf-8")
    figures = {name: _figure(evaluations, name, folder) for name in _FIGURES}
    shown = [Shown(evaluation, _pictures(evaluation, place, folder)) for place, evaluation in enumerate(evaluations)]
    (folder / "index.html").write_text(evaluation_page(shown, figures), "utf-8", newline="\n")


def _gathered(evaluations: Sequence[Evaluation], name: str) -> pd.DataFrame:
    """Return one table of all predictions, with the name of the prediction first."""
    tables = [evaluation.tables[name].copy() for evaluation in evaluations]
    for table, evaluation in zip(tables, evaluations, strict=True):
        table.attrs.clear()
        table.insert(0, "prediction", evaluation.name)
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]


def _figure(evaluations: Sequence[Evaluation], name: str, folder: Path) -> str:
    """Return a figure as SVG for the page after writing it as PNG; matplotlib, slow to import, is loaded here."""
    figures, drawing = (import_module(f"cellmetry.report.{module}") for module in ("figures", "score_figures"))
    function, description = _FIGURES[name]
    draw = getattr(drawing, function)
    (folder / "pictures").mkdir(exist_ok=True)
    (folder / "pictures" / f"{name}.png").write_bytes(figures.figure_png(draw(evaluations, figures.PAPER)))
    svg: str = figures.figure_svg(draw(evaluations, figures.PAGE), description)
    return svg


def _pictures(evaluation: Evaluation, place: int, folder: Path) -> list[ShownPicture]:
    """Return the pictures of the worst errors for the page after writing them."""
    found = []
    for number, picture in enumerate(draw_worst(evaluation), start=1):
        write_png(picture.rgb, folder / "pictures" / f"worst_{place + 1}_{number}.png")
        found.append(ShownPicture(picture, _data_uri(picture.rgb)))
    return found


def _data_uri(rgb: NDArray[np.uint8]) -> str:
    out = io.BytesIO()
    Picture.fromarray(rgb).save(out, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
