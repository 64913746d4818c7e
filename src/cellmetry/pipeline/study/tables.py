"""Tables of a run with the study's design in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.io.tables import read_columns, read_table
from cellmetry.pipeline.comparison.settings import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cellmetry.core.columns import Column
    from cellmetry.study.design.design import StudyDesign

__all__ = ["described_columns", "study_tables"]

_REPEATED = ("image", "axes", "shape", "path", "status", "reason", "sha256", "seconds", "warnings")
"""Columns of the images that say nothing that a table of fields is asked for."""


def study_tables(run: Path, design: pd.DataFrame, names: Iterable[str], filtered: str) -> dict[str, pd.DataFrame]:
    """Return tables of a run, and the table of its ``fields``, each row with what the design knows of its image.

    Parameters
    ----------
    run
        Folder of a finished run.
    design
        One row an image, with ``replicate`` and ``excluded``.
    names
        Tables that are wanted; ``fields`` is there in any case.
    filtered
        The table from which a filter takes images that are left out, so that they are counted; in the others their rows
        are not there.

    Raises
    ------
    UnknownName
        If the run has no such table.
    """
    made = sorted({path.stem for path in (run / "tables").glob("*.parquet")})
    tables = {}
    for name in dict.fromkeys(names):
        if name == FIELDS:
            continue
        if name not in made:
            raise UnknownName("table of the run", name, [*made, FIELDS])
        table = _with_design(read_table(run / "tables" / f"{name}.parquet"), design)
        tables[name] = table if name == filtered else table[~table["excluded"]]
    return {**tables, FIELDS: _fields(run, design)}


def described_columns(run: Path, tables: Mapping[str, pd.DataFrame], design: StudyDesign) -> tuple[Column, ...]:
    """Return what the columns of the tables mean, those of the design included."""
    known = {column.name: column for column in design.images.attrs.get("columns", ())}
    for name in tables:
        path = run / "tables" / (f"{name}.parquet" if name != FIELDS else "images.csv")
        known = {column.name: column for column in read_columns(path)} | known
    return tuple(known.values())


def _fields(run: Path, design: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each image that was worked and is not left out, with its counts."""
    images = read_table(run / "tables" / "images.csv", text=("image",))
    done = images[images["status"] == "done"]
    kept = [name for name in done.columns if name not in _REPEATED]
    fields = _with_design(done[["image", *kept]].reset_index(drop=True), design)
    return fields[~fields["excluded"]].reset_index(drop=True)


def _with_design(table: pd.DataFrame, design: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the columns of the design; where both have one, the design's stands."""
    if "image" not in table.columns:
        raise ParameterError("A table without a column image cannot be joined to the design; compare another one.")
    places = pd.Index(design["image"]).get_indexer(pd.Index(table["image"].astype(str)))
    if (places < 0).any():
        name = table.loc[places < 0, "image"].iloc[0]
        raise ParameterError(f"The design knows no image {name!r}, which the run has; check pattern and folder.")
    added = design.drop(columns="image")
    own = table.drop(columns=[name for name in added.columns if name in table.columns])
    own.attrs = {}
    joined = added.take(places).set_axis(own.index)
    joined.attrs = {}
    return pd.concat([own, joined], axis=1)
