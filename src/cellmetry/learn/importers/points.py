"""Points only: tables of x and y, or pictures with a dot on each cell; for counting."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import cc3d
import numpy as np

from cellmetry.errors import DamagedFile
from cellmetry.io.discover import IMAGE_SUFFIXES
from cellmetry.io.tables import read_table
from cellmetry.learn.importers.label_pictures import read_channels
from cellmetry.learn.importers.pairing import PairedImporter
from cellmetry.learn.importers.writing import Truth

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from cellmetry.learn.importers.base import Entry

__all__ = ["Points"]


class Points(PairedImporter):
    """Images, each with a table of points or a picture of dots, by folders or by patterns."""

    title: ClassVar[str] = "points"
    truth_folders: ClassVar[tuple[str, ...]] = ("points", "dots", "labels")
    truth_endings: ClassVar[tuple[str, ...]] = ("_points", "_dots", "dots")
    truth_suffixes: ClassVar[frozenset[str]] = IMAGE_SUFFIXES | {".csv", ".txt"}

    x_column: str = "x"
    """Column with the distance from the left side, in pixels from the centre of the first one; case does not count."""
    y_column: str = "y"
    """Column with the distance from the upper side."""
    class_column: str = ""
    """Column with the class; kept."""
    corner: bool = False
    """Whether coordinates count from the outer corner of the first pixel, as ImageJ's do, not from its centre."""
    dots: Literal["coloured", "bright"] = "coloured"
    """What marks a cell in a picture of dots: pixels that differ from black in any channel by half of its range, or
    pixels as bright as the brightest."""

    def read(self, entry: Entry, shape: tuple[int, int]) -> Truth:
        """Return the points."""
        path: Path = entry.truth
        if path.suffix.lower() in IMAGE_SUFFIXES:
            return Truth(self._dots(read_channels(path, shape, entry.image)), "points")
        table = read_table(path, text=[self.class_column])
        columns = {str(name).lower(): str(name) for name in table.columns}
        points = np.column_stack([_numbers(table, columns, name, path) for name in (self.y_column, self.x_column)])
        points = points - 0.5 if self.corner else points
        outside = (points < -0.5).any(axis=1) | (points > np.array(shape) - 0.5).any(axis=1)
        if outside.any():
            raise DamagedFile(f"{path}: {int(outside.sum())} points lie outside of their image {entry.image} "
                              f"({shape[0]} × {shape[1]} pixels); x counts along columns, in pixels.")  # fmt: skip
        return Truth(points, "points", classes=self._classes(table, columns, path))

    def _classes(self, table: pd.DataFrame, columns: dict[str, str], path: Path) -> dict[int, str]:
        if not self.class_column:
            return {}
        if self.class_column.lower() not in columns:
            raise DamagedFile(f"{path} has no column {self.class_column!r}; it has {', '.join(table.columns)}.")
        return dict(enumerate(table[columns[self.class_column.lower()]].astype(str), start=1))

    def _dots(self, picture: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return the centre of each group of marked pixels, corners counting as contact."""
        values = picture.astype(np.float64)
        if self.dots == "bright":
            marked = values.min(axis=0) >= values.max() if values.size and values.max() > 0 else values[0] > 0
        else:
            marked = (values > values.max(initial=0) / 2).any(axis=0)
        if not marked.any():
            return np.zeros((0, 2))
        parts = cc3d.connected_components(np.ascontiguousarray(marked), connectivity=8, out_dtype=np.uint32)
        found: NDArray[np.float64] = cc3d.statistics(parts)["centroids"][1:].astype(np.float64)
        return found


def _numbers(table: pd.DataFrame, columns: dict[str, str], name: str, path: Path) -> NDArray[np.float64]:
    if name.lower() not in columns:
        raise DamagedFile(f"{path} has no column {name!r}; it has {', '.join(map(str, table.columns))}.")
    try:
        numbers: NDArray[np.float64] = table[columns[name.lower()]].to_numpy(dtype=np.float64)
    except ValueError as error:
        raise DamagedFile(f"{path}: column {name!r} must be numbers in every line.") from error
    if not np.isfinite(numbers).all():
        raise DamagedFile(f"{path}: a number is missing in column {name!r}.")
    return numbers
