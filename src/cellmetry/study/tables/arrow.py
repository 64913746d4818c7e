"""Rows of a table as an Arrow stream, which browsers, Python and R read without parsing text."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

import nanoarrow
import numpy as np
import pandas as pd
from nanoarrow.ipc import StreamWriter

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ARROW_TYPE", "arrow_bytes"]

ARROW_TYPE = "application/vnd.apache.arrow.stream"
"""Media type of what `arrow_bytes` returns."""


class _Part(NamedTuple):
    """A column: its type and its values."""

    kind: Any
    array: Any


def arrow_bytes(frame: pd.DataFrame) -> bytes:
    """Return a table as an Arrow IPC stream of one batch.

    Whole numbers are int64, others float64, columns of yes and no are bool, everything else is text. A missing value
    is null.
    """
    parts = {str(name): _part(values) for name, values in frame.items()}
    kinds = nanoarrow.struct({name: part.kind for name, part in parts.items()})
    children = [part.array for part in parts.values()]
    batch = nanoarrow.c_array_from_buffers(kinds, len(frame), [None], children=children)
    out = BytesIO()
    with StreamWriter.from_writable(out) as writer:
        writer.write_stream(batch)
    return out.getvalue()


def _part(values: pd.Series) -> _Part:
    missing = values.isna().to_numpy(bool)
    types = pd.api.types
    if types.is_bool_dtype(values.dtype):
        bits = _bits(values.to_numpy(bool, na_value=False))
        return _column(nanoarrow.bool_(), bits, missing)
    if types.is_integer_dtype(values.dtype) and values.dtype != np.uint64:
        return _column(nanoarrow.int64(), values.to_numpy(np.int64, na_value=0), missing)
    if types.is_numeric_dtype(values.dtype):
        return _column(nanoarrow.float64(), values.to_numpy(np.float64, na_value=np.nan), missing)
    texts = [None if gone else str(value) for gone, value in zip(missing, values.tolist(), strict=True)]
    return _Part(nanoarrow.string(), nanoarrow.c_array(texts, nanoarrow.string()))


def _column(kind: Any, data: NDArray[Any], missing: NDArray[np.bool_]) -> _Part:
    there = _bits(~missing) if missing.any() else None
    return _Part(kind, nanoarrow.c_array_from_buffers(kind, len(missing), [there, np.ascontiguousarray(data)]))


def _bits(values: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.packbits(values, bitorder="little")
