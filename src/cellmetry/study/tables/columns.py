"""`read_columns_of`: columns of stored tables, the last ones kept, so that a page at any place comes at once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

    from cellmetry.io.table_parts import TableParts

__all__ = ["read_columns_of"]

_MOST_BYTES = 256 << 20
_NUMBER_BYTES, _TEXT_BYTES = 8, 64
"""About what a number, and a text, takes in memory."""

_Key = tuple[object, ...]


class _Columns:
    """Columns of groups of rows, by table; those that were not asked for longest go first."""

    def __init__(self, most_bytes: int) -> None:
        self._most, self._bytes = most_bytes, 0
        self._kept: OrderedDict[_Key, pd.Series] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, keys: Iterable[_Key]) -> Iterator[pd.Series | None]:
        """Yield what is kept for each key, None where nothing is."""
        with self._lock:
            for key in keys:
                if key in self._kept:
                    self._kept.move_to_end(key)
                yield self._kept.get(key)

    def put(self, key: _Key, column: pd.Series) -> None:
        """Keep a column."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = column
                self._bytes += _bytes_of(column)
            while self._bytes > self._most:
                self._bytes -= _bytes_of(self._kept.popitem(last=False)[1])


_COLUMNS = _Columns(_MOST_BYTES)


def read_columns_of(table: TableParts, group: int, names: Iterable[str]) -> dict[str, pd.Series]:
    """Return some columns of one group of rows, by their names; nobody may change them.

    Raises
    ------
    DamagedFile
        If that part of the file is broken.
    """
    keys = {name: (table.path, table.state, group, name) for name in names}
    found = dict(zip(keys, list(_COLUMNS.get(keys.values())), strict=True))
    missing = [name for name, column in found.items() if column is None]
    if missing:
        read = table.read(group, missing)
        fits = table.rows * len(keys) * _NUMBER_BYTES <= _MOST_BYTES  # else they would only push out one another
        for name in missing:
            found[name] = column = read[name].copy() if fits else read[name]  # a copy lets go of its neighbours
            if fits:
                _COLUMNS.put(keys[name], column)
    return {name: column for name, column in found.items() if column is not None}


def _bytes_of(column: pd.Series) -> int:
    return len(column) * _TEXT_BYTES if column.dtype.kind == "O" else int(column.memory_usage(index=False))
