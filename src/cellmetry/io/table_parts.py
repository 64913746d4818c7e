"""Parts of a long Parquet table: some columns of some of the groups of rows in which it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.errors import DamagedFile, MissingInput
from cellmetry.io.tables import open_parquet, plain_types, read_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["TableParts", "open_parts"]


@dataclass(frozen=True)
class TableParts:
    """A Parquet file whose rows can be read group by group.

    Parameters
    ----------
    state
        When the file was written last, in ns, and its bytes.
    columns
        Each column with what it means; only its name where nothing was said.
    groups
        Rows of each group, in order.
    """

    path: Path
    state: tuple[int, int]
    columns: tuple[Column, ...]
    groups: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(self.groups)

    def read(self, group: int, names: Sequence[str]) -> pd.DataFrame:
        """Return some columns of one group of rows.

        Raises
        ------
        DamagedFile
            If that part of the file is broken.
        """
        if not names:
            return pd.DataFrame(index=range(self.groups[group]))
        with open_parquet(self.path) as file:
            table: pd.DataFrame = file[group].to_pandas(columns=list(names))
        return plain_types(table[list(names)])


def open_parts(path: Path) -> TableParts:
    """Return a Parquet file with what its end says of columns and groups of rows; no row is read.

    Raises
    ------
    MissingInput, DamagedFile
        If it is not there, or no whole Parquet file.
    """
    if not path.is_file():
        raise MissingInput(f"{path} does not exist; make the table again.")
    with path.open("rb") as opened:
        if opened.read(4) != b"PAR1":
            raise DamagedFile(f"{path} is no Parquet file; make the table again.")
    with open_parquet(path) as file:
        names = tuple(map(str, file.columns))
        groups = tuple(int(group.num_rows) for group in file.row_groups)
    said, known = path.stat(), {column.name: column for column in read_columns(path)}
    columns = tuple(known.get(name, Column(name, "", "", "")) for name in names)
    return TableParts(path, (said.st_mtime_ns, said.st_size), columns, groups)
