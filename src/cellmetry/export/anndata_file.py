"""A table of cells as an AnnData file (``.h5ad``), which scanpy, squidpy and R read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.errors import MissingExtra, ParameterError
from cellmetry.io.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["METADATA", "write_h5ad"]

METADATA = (
    *("image", "label", "t", "z", "plate", "well", "row", "column", "field", "time", "condition", "dose"),
    *("replicate", "batch", "excluded", "reason", "parent_label"),
)
"""Columns that say which cell it is and where it comes from, though some are numbers; all others are measures."""

_EXACT = 2**53
_TAKEN = {"_index", ".", "..", "dtype"}
"""Keys that HDF5 or anndata take for something else."""
_CENTROIDS = ("centroid_x", "centroid_y", "centroid_z")


@dataclass(frozen=True)
class _Parts:
    """A table taken apart: measures, everything else about a cell, and what the measures were."""

    measures: list[str]
    metadata: list[str]


def write_h5ad(
    path: str | Path,
    cells: pd.DataFrame,
    columns: Sequence[Column] = (),
    *,
    provenance: Mapping[str, Any] | None = None,
    metadata: Sequence[str] = METADATA,
    dtype: Literal["float64", "float32"] = "float64",
) -> None:
    """Write cells as AnnData: one observation a cell, one variable a measure.

    ``X`` holds the measures (numbers); ``obs`` text as categories, true and false, whole numbers beyond 2⁵³, and all
    columns of `metadata`; ``var`` unit, definition and source of each measure, and its type in the table as
    ``table_type``; ``obsm["spatial"]`` the centroids x, y (and z), in the unit that ``uns["cellmetry"]`` names; that is
    JSON text, with `provenance` and the descriptions of the columns of ``obs`` in it too. A cell is named
    ``image:label`` where that is unique, else by its row, from 0.

    Parameters
    ----------
    provenance
        Recipe, hashes, versions, as JSON values.
    metadata
        Columns that are no measures.
    dtype
        Of ``X``; float32 halves the file and rounds to 7 digits.

    Raises
    ------
    MissingExtra
        If anndata is not installed.
    ParameterError
        If the suffix is another, or a column stands twice.
    """
    path = Path(path)
    if path.suffix.lower() != ".h5ad":
        raise ParameterError(f"An AnnData file cannot be written as {path.name!r}; use the suffix .h5ad.")
    if cells.columns.duplicated().any():
        twice = cells.columns[cells.columns.duplicated()][0]
        raise ParameterError(f"The column {twice!r} stands twice in the table; rename one of them.")
    anndata = _anndata()
    parts = _take_apart(cells, metadata)
    spatial, unit = _spatial(cells)
    names = _safe_keys(parts.metadata)
    told = {
        "provenance": dict(provenance or {}),
        "spatial_unit": unit,
        "obs": {names[column.name]: column._asdict() for column in columns if column.name in names},
        "renamed": {safe: name for name, safe in names.items() if safe != name},
    }
    book = anndata.AnnData(
        X=_matrix(cells, parts.measures, dtype),
        obs=_observations(cells, names),
        var=_variables(cells, parts.measures, columns),
        obsm={} if spatial is None else {"spatial": spatial},
        uns={"cellmetry": json.dumps(told, ensure_ascii=False)},
    )
    with atomic_write(path) as temporary:
        book.write_h5ad(temporary)


def _anndata() -> Any:
    try:
        import anndata  # noqa: PLC0415 - slow, and optional
    except ImportError as error:
        raise MissingExtra("anndata", "Writing .h5ad") from error
    return anndata


def _take_apart(cells: pd.DataFrame, metadata: Sequence[str]) -> _Parts:
    measures = [str(name) for name in cells if name not in metadata and _is_measure(cells[name])]
    return _Parts(measures, [str(name) for name in cells if name not in measures])


def _is_measure(column: pd.Series) -> bool:
    """Return whether a column holds numbers that float64 holds exactly."""
    kinds = pd.api.types
    if kinds.is_bool_dtype(column.dtype) or not kinds.is_numeric_dtype(column.dtype):
        return False
    if not kinds.is_integer_dtype(column.dtype):
        return not kinds.is_complex_dtype(column.dtype)
    known = column.dropna()
    return not len(known) or (int(known.min()) >= -_EXACT and int(known.max()) <= _EXACT)


def _matrix(cells: pd.DataFrame, measures: list[str], dtype: str) -> NDArray[Any]:
    """Return the measures, shape (cells, measures); missing ones are NaN."""
    matrix = np.empty((len(cells), len(measures)), dtype)
    for place, name in enumerate(measures):
        matrix[:, place] = cells[name].to_numpy(np.float64, na_value=np.nan)
    return matrix


def _observations(cells: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    held = {safe: _metadata(cells[name]) for name, safe in names.items()}
    return pd.DataFrame(held, index=_cell_names(cells))


def _metadata(column: pd.Series) -> Any:
    """Return a column as an array that AnnData writes: numbers and truth values as they are, all else in categories."""
    kinds = pd.api.types
    if kinds.is_bool_dtype(column.dtype) or kinds.is_numeric_dtype(column.dtype):
        return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array
    known = column.dropna()
    if len(known) and known.map(lambda each: isinstance(each, bool | np.bool_)).all():
        return pd.array([None if pd.isna(each) else bool(each) for each in column], "boolean")
    texts = column.astype(object).where(column.notna(), None).map(str, na_action="ignore")
    categories = pd.Index(sorted(set(texts.dropna())), dtype=object)
    return pd.Categorical(texts, categories=categories)


def _cell_names(cells: pd.DataFrame) -> pd.Index:
    if {"image", "label"} <= set(cells.columns):
        names = cells["image"].astype(str) + ":" + cells["label"].astype(str)
        if names.is_unique:
            return pd.Index(names.tolist(), dtype=object)
    return pd.Index([str(row) for row in range(len(cells))], dtype=object)


def _variables(cells: pd.DataFrame, measures: list[str], columns: Sequence[Column]) -> pd.DataFrame:
    told = {column.name: column for column in columns}
    rows = [told.get(name, Column(name, "", "", "")) for name in measures]
    held = {key: np.array([getattr(row, key) for row in rows], object) for key in ("unit", "definition", "source")}
    held["table_type"] = np.array([str(cells[name].dtype) for name in measures], object)
    return pd.DataFrame(held, index=pd.Index(measures, dtype=object))


def _spatial(cells: pd.DataFrame) -> tuple[NDArray[np.float64] | None, str]:
    """Return centroids x, y (and z), shape (cells, 2 or 3), and their unit; None where the table has none."""
    for unit in ("um", "px"):
        names = [f"{name}_{unit}" for name in _CENTROIDS if f"{name}_{unit}" in cells]
        if len(names) >= 2:
            return _matrix(cells, names, "float64"), unit
    return None, ""


def _safe_keys(names: Sequence[str]) -> dict[str, str]:
    """Return name → key of HDF5 that no reader splits or takes for its own, all different."""
    keys: dict[str, str] = {}
    for name in names:
        plain = name.replace("/", "_").replace("\0", "_") or "_"
        plain = f"{plain}_" if plain in _TAKEN else plain
        while plain in keys.values():
            plain += "_"
        keys[name] = plain
    return keys
