"""A table in a file as the source of a comparison; what the run that made it says, where one did."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cellmetry.io.tables import read_columns
from cellmetry.pipeline.cell_pictures import cell_pictures
from cellmetry.pipeline.comparison.prepare import CELLS
from cellmetry.pipeline.comparison.run import Source, Surroundings
from cellmetry.pipeline.comparison.run_facts import facts_of_run, run_of_table
from cellmetry.pipeline.readouts import TableSource

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.pipeline.comparison.settings import CompareSettings

__all__ = ["around_table", "source_from_table"]

_ALL_COLUMNS = {"conditions", "anndata"}


def source_from_table(
    source: TableSource, settings: CompareSettings, second: Path | None = None, corrected: Path | None = None
) -> Source:
    """Return the table with what is known of its wells; of a large one only the columns that are needed.

    Parameters
    ----------
    second, corrected
        Further tables, joined to the same plate maps.
    """
    needed = None if _ALL_COLUMNS & set(settings.tables) else settings.columns() - {g.column for g in settings.gates}
    others = {}
    for name, path in (("second", second), ("corrected", corrected)):
        beside = None if path is None else TableSource(path, source.plate_maps, source.join, source.assignments)
        others[name] = None if beside is None else {CELLS: beside.read(needed)}
    return Source({CELLS: source.read(needed)}, read_columns(source.path), source.record(), **others)


def around_table(path: Path) -> Surroundings:
    """Return what the run that made a table tells of it, and where its cells are seen; nothing if no run did."""
    folder = run_of_table(path)
    if folder is None:
        return Surroundings(title=f"Comparison of {path.name}")
    return Surroundings(
        title=f"Comparison of {path.name}", run=facts_of_run(folder), pictures=partial(cell_pictures, folder)
    )
