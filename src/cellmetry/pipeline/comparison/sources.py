"""A table in a file as the source of a comparison; what the run that made it says, where one did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.errors import UnknownName
from cellmetry.io.tables import read_columns, read_header
from cellmetry.pipeline.cell_pictures import CENTRES, PLACES, cell_pictures
from cellmetry.pipeline.comparison.prepare import CELLS
from cellmetry.pipeline.comparison.run import Source, Surroundings
from cellmetry.pipeline.comparison.run_facts import facts_of_run, run_of_table
from cellmetry.pipeline.finished_run import open_run
from cellmetry.pipeline.readouts import TableSource
from cellmetry.report.cell_tiles import CellPictureOptions

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from cellmetry.pipeline.comparison.drawing import Pictures
    from cellmetry.pipeline.comparison.settings import CompareSettings

__all__ = ["around_table", "run_pictures", "source_from_table"]

_ALL_COLUMNS = {"conditions", "anndata"}
"""Tables for others that have all columns."""
_CELL = {"image", "label", "well", *CENTRES, *PLACES}
"""Columns that say which cell a row is, and where it lies."""


def source_from_table(
    source: TableSource, settings: CompareSettings, second: Path | None = None, corrected: Path | None = None
) -> Source:
    """Return the table with what is known of its wells; of a large one only the columns that are needed.

    Parameters
    ----------
    second, corrected
        Further tables, joined to the same plate maps.
    """
    wanted = None if _ALL_COLUMNS & set(settings.tables) else settings.columns() | _CELL
    others = {}
    for name, path in (("second", second), ("corrected", corrected)):
        beside = None if path is None else TableSource(path, source.plate_maps, source.join, source.assignments)
        others[name] = None if beside is None else {CELLS: beside.read(wanted)}
    table = source.read(wanted)
    missing = sorted(settings.columns() - set(table.columns))
    if missing:
        known = dict.fromkeys([*read_header(source.path), *map(str, table.columns)])
        raise UnknownName("column of the table called", missing[0], known)
    return Source({CELLS: table}, read_columns(source.path), source.record(), **others)


def around_table(path: Path) -> Surroundings:
    """Return what the run that made a table tells of it, and where its cells are seen; nothing if no run did."""
    folder, title = run_of_table(path), f"Comparison of {path.name}"
    if folder is None:
        return Surroundings(title=title)
    return Surroundings(title=title, run=facts_of_run(folder), pictures=run_pictures(folder))


def run_pictures(folder: Path, named: str | None = None) -> Pictures:
    """Return what makes pictures of cells of a run; cells without a centre in their table have none.

    Parameters
    ----------
    named
        Labels of the cells; those of their table's name, or the only ones there are, if left out.
    """

    def make(cells: pd.DataFrame, table: str) -> dict[str, bytes]:
        labels = named or open_run(folder).labels_of(table)
        if labels is None or not set(CENTRES) <= set(cells.columns):
            return {}
        once = cells.drop_duplicates(["image", "label"])
        return cell_pictures(folder, once, CellPictureOptions(labels=labels))

    return make
