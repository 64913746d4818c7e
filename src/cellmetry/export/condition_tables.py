"""One CSV for each condition, named so that every file system takes it."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.export.conditions import condition_names, split_conditions
from cellmetry.io.tables import write_table
from cellmetry.stats.units import need_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["ConditionTable", "file_stems", "write_condition_tables"]

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\ud800-\udfff]')
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)
_DESCRIPTIONS = "columns"
_LONGEST_BYTES = 200
"""A name may have 255 bytes; the rest is for the suffix, and for what others (archives, clouds) add."""


class ConditionTable(NamedTuple):
    """Where the rows of a condition were written, and how many there are."""

    condition: str
    path: Path
    n_cells: int


def file_stems(names: Iterable[str]) -> list[str]:
    """Return for each of `names` a name without suffix that a file may have, all different where case does not count.

    Letters of any script are kept (composed, NFC); characters that Windows forbids become ``_``, its own names
    (``CON``, ``LPT1``) and ``columns`` get ``_`` behind them, and long names are cut to 200 bytes.
    """
    out: list[str] = []
    taken: set[str] = set()
    for name in names:
        plain = _plain(name)
        unique, number = plain, 2
        while _same(unique) in taken:
            tail = f"_{number}"
            unique, number = _cut(plain, _LONGEST_BYTES - len(tail)) + tail, number + 1
        taken.add(_same(unique))
        out.append(unique)
    return out


def write_condition_tables(
    folder: str | Path, table: pd.DataFrame, by: str, *, columns: Sequence[Column] = (), order: Sequence[str] = ()
) -> list[ConditionTable]:
    """Return the CSV written for each condition of `table`; one condition is worked at a time.

    Rows without a condition are in ``no condition.csv``. What the columns mean is in ``columns.csv``, once for all.

    Raises
    ------
    UnknownName
        If the table has no column `by`.
    """
    need_columns(table, [by])
    folder, written = Path(folder), []
    stems = file_stems(condition_names(table[by], order))
    for (condition, rows), stem in zip(split_conditions(table, by, order), stems, strict=True):
        path = folder / f"{stem}.csv"
        write_table(rows, path)
        written.append(ConditionTable(condition, path, len(rows)))
    if columns:
        write_table(pd.DataFrame(columns, columns=list(Column._fields)), folder / f"{_DESCRIPTIONS}.csv")
    return written


def _plain(name: str) -> str:
    kept = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", name)).strip(" .")
    kept = _cut(kept, _LONGEST_BYTES).rstrip(" .") or "_"
    said = _same(kept)
    taken = _RESERVED.fullmatch(kept) or said == _DESCRIPTIONS or said.endswith(f"_{_DESCRIPTIONS}")
    return f"{kept}_" if taken else kept


def _same(name: str) -> str:
    """Return what is equal for names that some file system takes for one."""
    return unicodedata.normalize("NFC", name).casefold()


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore")
