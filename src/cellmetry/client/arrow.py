"""A table from the Arrow stream that a server sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nanoarrow
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ARROW_TYPE", "frame_of_arrow"]

ARROW_TYPE = "application/vnd.apache.arrow.stream"
"""Media type of what `frame_of_arrow` reads."""


def frame_of_arrow(data: bytes) -> pd.DataFrame:
    """Return the table of an Arrow stream: whole numbers, numbers, yes or no, text; missing values stay missing."""
    rows = nanoarrow.ArrayStream.from_readable(data).read_all()
    columns = [rows.child(number) for number in range(rows.n_children)]
    return pd.DataFrame({column.schema.name: _values(column) for column in columns})


def _values(column: Any) -> Any:
    if column.schema.type == nanoarrow.Type.INT64:
        return _with_gaps(np.asarray(column.buffer(1)), column)
    if column.schema.type == nanoarrow.Type.DOUBLE:
        return np.asarray(column.buffer(1)).copy()
    values = column.to_pylist()
    if column.schema.type == nanoarrow.Type.BOOL:
        return pd.array(values, dtype="boolean" if None in values else bool)
    return pd.array(values, dtype=object)


def _with_gaps(values: NDArray[np.int64], column: Any) -> Any:
    bits = np.asarray(column.buffer(0), np.uint8)
    if not bits.size:
        return values.copy()
    there = np.unpackbits(bits, count=len(values), bitorder="little").astype(bool)
    return pd.arrays.IntegerArray(values.copy(), ~there)
