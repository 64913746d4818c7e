"""What can be watched while a network learns: a table and a figure of its course, and a sheet of examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cellmetry.io.atomic import atomic_write
from cellmetry.io.tables import write_table
from cellmetry.learn.validation import labels_of, predict
from cellmetry.ops.boundaries import boundary_targets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from cellmetry.learn.network import CellNetwork
    from cellmetry.learn.recipe import TrainingRecipe
    from cellmetry.learn.validation import Example
    from cellmetry.models.card import Head

__all__ = ["curves_figure", "draw_curves", "draw_sheet", "sheet_figure", "write_log"]

_TRUE, _FOUND = (0.0, 0.85, 0.45), (1.0, 0.45, 0.1)
_SIDE = 360


def write_log(log: Sequence[dict[str, float]], folder: Path) -> None:
    """Write ``curves.csv``: the course of the training so far."""
    write_table(pd.DataFrame(log), folder / "curves.csv")


def draw_curves(log: Sequence[dict[str, float]], folder: Path) -> None:
    """Write ``curves.png``: the course of the training so far."""
    _save(curves_figure(pd.DataFrame(log)), folder / "curves.png")


def draw_sheet(network: CellNetwork, examples: Sequence[Example], recipe: TrainingRecipe, folder: Path) -> None:
    """Write ``sheet.png``: examples as original, truth and prediction."""
    _save(sheet_figure(network, examples, recipe), folder / "sheet.png")


def curves_figure(log: pd.DataFrame) -> Figure:
    """Return the course of the loss, of AP, and of IoU and Dice, for validation and training images."""
    figure = Figure(figsize=(13, 4), layout="constrained")
    loss, precision, overlap = figure.subplots(1, 3)
    _lines(loss, log, {"validation loss": "validation", "loss": "training, of varied images"}, "Loss")
    loss.set_yscale("log")
    names = {"ap50": "AP at IoU 0.5", "ap75": "AP at IoU 0.75"}
    _lines(precision, log, _both(names), "Average precision of cells")
    _lines(overlap, log, _both({"iou": "IoU", "dice": "Dice"}), "Overlap of the foreground")
    return figure


def _both(names: dict[str, str]) -> dict[str, str]:
    return {f"{kind} {key}": f"{label}, {kind}" for key, label in names.items() for kind in ("validation", "train")}


def _lines(axes: Axes, log: pd.DataFrame, columns: dict[str, str], title: str) -> None:
    shown = [column for column in columns if column in log]
    for number, column in enumerate(shown):
        style = "-" if column.startswith("validation ") else "--"
        axes.plot(log["step"], log[column], style, color=f"C{number // 2}", label=columns[column], marker=".")
    axes.set(title=title, xlabel="Step")
    axes.grid(alpha=0.3)
    if shown:
        axes.legend(fontsize=8)
    else:
        axes.text(0.5, 0.5, "not measured: the truth has no labels", ha="center", transform=axes.transAxes)


def sheet_figure(network: CellNetwork, examples: Sequence[Example], recipe: TrainingRecipe) -> Figure:
    """Return examples in rows: the image, its truth, and what the network finds."""
    rows = max(1, len(examples))
    figure = Figure(figsize=(11, 3.7 * rows), layout="constrained")
    for line, example in zip(figure.subplots(rows, 3, squeeze=False), examples, strict=False):
        cut = _middle(example.image.shape)
        maps = predict(network, example.image)
        grey = np.clip(example.image[cut], 0, 1)
        panels = (grey, _truth_panel(example, grey, cut), _found_panel(maps, grey, cut, recipe))
        titles = (f"{example.data}: {example.item.name[:24]}", "Truth", "Predicted")
        for axes, panel, title in zip(line, panels, titles, strict=True):
            axes.imshow(panel, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axes.set_title(title, fontsize=10)
            axes.axis("off")
    return figure


def _truth_panel(example: Example, grey: NDArray[np.float32], cut: tuple[slice, slice]) -> NDArray[np.float32]:
    if example.item.kind != "points":
        return _outlined(grey, example.truth[cut].astype(np.int32), _TRUE)
    panel = np.stack([grey] * 3, axis=-1)
    points = np.round(example.truth - [cut[0].start, cut[1].start]).astype(int)
    inside = ((points >= 1) & (points < np.array(grey.shape) - 1)).all(axis=1)
    for dy, dx in ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0)):
        panel[points[inside, 0] + dy, points[inside, 1] + dx] = _TRUE
    return panel


def _found_panel(
    maps: dict[Head, NDArray[np.float32]], grey: NDArray[np.float32], cut: tuple[slice, slice], recipe: TrainingRecipe
) -> NDArray[np.float32]:
    if "flow" in maps and "foreground" in maps:
        return _outlined(grey, labels_of(maps, recipe.decoding)[cut], _FOUND)
    if "foreground" in maps:
        found = maps["foreground"][0][cut] >= recipe.decoding.foreground_threshold
        return _outlined(grey, found.astype(np.int32), _FOUND)
    only = next(iter(maps.values()))[0][cut]
    return np.asarray(only / max(float(only.max()), 1e-9), np.float32)


def _outlined(
    grey: NDArray[np.float32], labels: NDArray[np.int32], colour: tuple[float, float, float]
) -> NDArray[np.float32]:
    panel = np.stack([grey] * 3, axis=-1)
    panel[boundary_targets(labels)] = colour
    return panel


def _middle(shape: tuple[int, ...]) -> tuple[slice, slice]:
    starts = [max(0, (size - _SIDE) // 2) for size in shape]
    return slice(starts[0], starts[0] + _SIDE), slice(starts[1], starts[1] + _SIDE)


def _save(figure: Figure, path: Path) -> None:
    with atomic_write(path) as part:
        figure.savefig(part, format="png", dpi=110)
