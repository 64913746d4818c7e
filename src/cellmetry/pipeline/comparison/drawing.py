"""Figures of compared values, and the plot for the screen."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cellmetry.errors import ParameterError
from cellmetry.export.condition_tables import file_stems
from cellmetry.report.document import FigureBlock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from cellmetry.pipeline.comparison.prepare import Compared, Tables
    from cellmetry.pipeline.comparison.settings import CompareSettings
    from cellmetry.report.document import InteractiveBlock
    from cellmetry.report.style import FigureStyle
    from cellmetry.study.questions import TableGate

    Pictures = Callable[[pd.DataFrame, str], Mapping[str, bytes]]
    """From rows with ``image``, ``label`` and centres, and the name of their table, to PNGs by ``image|label``."""

__all__ = ["draw_figures", "draw_gates", "interactive_plots", "write_figures"]

_USUAL = ("superplot", "estimation")
_ONE_COLUMN, _TWO_COLUMNS_MM, _HEIGHT_MM = 7, 174.0, 90.0
"""Conditions that a figure of one column of a journal has room for; width of two columns, and its height."""


def draw_figures(folder: Path, compared: Sequence[Compared], settings: CompareSettings) -> list[FigureBlock]:
    """Return the figures of all values with their legends, after writing their files.

    Raises
    ------
    ParameterError
        If a figure that was asked for can be drawn of no value; says what it needs.
    """
    folder.mkdir()
    write = import_module("cellmetry.report.comparison.figures.files").figure_files
    blocks, drawn = [], set()
    for stem, each in zip(file_stems([each.asked.value for each in compared]), compared, strict=True):
        data, style = _data(each), fitting_style(settings.style, len(each.comparison.design.conditions))
        for name, kind in _kinds(data, settings).items():
            figure = kind.draw(data, style)
            write(figure, folder, f"{stem}_{name}", style)
            blocks.append(FigureBlock(f"{stem}_{name}", figure, kind.legend(data, style)))
            drawn.add(name)
    missing = [name for name in settings.figures or () if name not in drawn]
    if missing:
        catalogue = import_module("cellmetry.report.comparison.figures.catalogue")
        needed = ", ".join(catalogue.figure_kind(missing[0]).needs)
        how = {"scatter": "; name a second measure with --against", "time": "; name the column of times with --time"}
        raise ParameterError(
            f"The figure {missing[0]} can be drawn of none of the values; it needs {needed}{how.get(missing[0], '')}."
        )
    return blocks


def draw_gates(folder: Path, ready: Tables, settings: CompareSettings) -> list[FigureBlock]:
    """Return histograms with the thresholds of gates that have one for each day or plate, after writing their files."""
    blocks = []
    for gate in settings.gates:
        if gate.within is None:
            continue
        told = ready.thresholds[(ready.thresholds["value"] == gate.value) & (ready.thresholds["table"] == gate.table)]
        figure = _draw_thresholds(ready.tables[gate.table], gate, told, settings)
        sources = dict.fromkeys(f"{row['within']}: {row['source']}" for row in told.to_dict("records"))
        value = settings.style.labels.get(gate.value, gate.value)
        legend = (
            f"{value} with the threshold of each {gate.within}, above which {gate.table} are positive (full colour). "
        )
        blocks.append(FigureBlock(f"{gate.column}_thresholds", figure, f"{legend}{'; '.join(sources)}."))
    write_figures(folder, blocks, settings.style)
    return blocks


def _draw_thresholds(table: pd.DataFrame, gate: TableGate, told: pd.DataFrame, settings: CompareSettings) -> Any:
    thresholds = import_module("cellmetry.report.comparison.figures.thresholds")
    parts = [
        thresholds.ThresholdPart(
            str(row["within"]),
            table.loc[table[gate.within].astype(str) == row["within"], gate.value].to_numpy(
                float, na_value=float("nan")
            ),
            float(row["threshold"]),
        )
        for row in told.to_dict("records")
    ]
    return thresholds.draw_thresholds(parts, gate.value, settings.style)


def fitting_style(style: FigureStyle, conditions: int) -> FigureStyle:
    """Return the style, as wide as two columns for many conditions where no width was asked for."""
    if "width_mm" in style.model_fields_set or conditions <= _ONE_COLUMN:
        return style
    return style.model_copy(update={"width_mm": _TWO_COLUMNS_MM, "height_mm": style.height_mm or _HEIGHT_MM})


def write_figures(folder: Path, blocks: Sequence[FigureBlock], style: FigureStyle) -> None:
    """Write the files of figures that are drawn."""
    write = import_module("cellmetry.report.comparison.figures.files").figure_files
    for block in blocks:
        write(block.figure, folder, file_stems([block.name])[0], style)


def interactive_plots(
    compared: Sequence[Compared], settings: CompareSettings, pictures: Pictures | None = None
) -> list[InteractiveBlock]:
    """Return a plot for the screen of each value that has cells; clicking a cell shows its picture.

    Parameters
    ----------
    pictures
        Makes pictures of cells; None where there are no images.
    """
    make = import_module("cellmetry.report.comparison.interactive_superplot").superplot_json
    plots = []
    for each in compared:
        if each.cells.empty or each.comparison.design.kind == "fraction":
            continue
        found = None if pictures is None else pictures(_some(each.cells, settings), each.asked.table)
        plots.append(make(each.cells, each.comparison, settings.style, pictures=found, most=settings.shown))
    return plots


def _some(cells: pd.DataFrame, settings: CompareSettings) -> pd.DataFrame:
    """Return as many cells as are pictured, about the same number of each replicate of each condition."""
    groups = cells.groupby(["condition", "replicate"], observed=True, sort=False)
    each = max(1, settings.pictured // max(groups.ngroups, 1))
    shuffled = cells.sample(frac=1, random_state=settings.style.seed)
    chosen = shuffled.groupby(["condition", "replicate"], observed=True, sort=False).head(each)
    return chosen.sort_index()


def _data(each: Compared) -> Any:
    data = import_module("cellmetry.report.comparison.figures.data").ComparisonData
    return data(
        each.comparison,
        each.cells,
        threshold=each.threshold,
        measure=each.measure,
        second_measure=each.second_measure,
    )


def _kinds(data: Any, settings: CompareSettings) -> dict[str, Any]:
    """Return the figures that are drawn of a value: those asked for as far as it has what they need, or the usual."""
    catalogue = import_module("cellmetry.report.comparison.figures.catalogue")
    for name in settings.figures or ():
        catalogue.figure_kind(name)
    usual = (*_USUAL, "histogram") if data.threshold is not None else _USUAL
    wanted = settings.figures if settings.figures is not None else usual
    return {name: kind for name, kind in catalogue.drawable(data).items() if name in wanted}
