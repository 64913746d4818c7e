"""What the columns of the passport mean, each described once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.core.columns import Column
from cellmetry.measure.columns import describe_columns

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["passport_columns"]

_OURS = "Cellmetry"
_ROBUST = "Iglewicz & Hoaglin 1993"
_FOCUS = "Cellmetry; Elder & Zucker 1998, Immerkær 1996"

_OBJECT = (
    Column("border_px", "px", "Pixels of the cell in the first or last row or column of the image.", _OURS),
    Column("size_z", "1", "Robust z of log2 of the area (volume) among the image's whole cells.", _ROBUST),
    Column("solidity_z", "1", "Robust z of the solidity among the image's whole cells.", _ROBUST),
    Column("confidence", "1", "Mean probability to be a cell over the cell's pixels.", _OURS),
    Column("outline_step", "1", "confidence less the mean probability of the background at the outline.", _OURS),
    Column("flag_saturation", "", "A channel has more saturated pixels in the cell than allowed.", _OURS),
    Column("flag_focus", "", "In a channel in which the cell is seen it is far more blurred than usual.", _OURS),
    Column("flag_edge", "", "The image's border cuts the cell.", _OURS),
    Column("flag_background", "", "The local background of a channel is far from the usual.", _OURS),
    Column("flag_debris", "", "The size is far from the usual, or the solidity far below it.", _OURS),
    Column("flag_contrast", "", "The cell hardly differs from its local background in any channel.", _OURS),
    Column("flag_confidence", "", "The network was unsure of the cell or of its outline.", _OURS),
    Column("flag_any", "", "At least one flag is raised; flags that could not be judged do not count.", _OURS),
)
_CHANNEL = (
    Column("saturated_fraction", "1", "Share of the cell's pixels that are saturated in the original.", _OURS),
    Column("blur_px", "px", "Gaussian blur of the edges in the cell and at its outline; missing if unseen.", _FOCUS),
    Column("blur_z", "1", "Robust z of the blur among the image's cells.", _ROBUST),
    Column("local_background_z", "1", "Robust z of the local background among the image's cells.", _ROBUST),
    Column("local_background", "intensity", "Median of the ring of background round the cell.", _OURS),
    Column("contrast_to_noise", "1", "|mean - local background| over the noise of that background.", _OURS),
)


def passport_columns(table: pd.DataFrame) -> tuple[Column, ...]:
    """Return the descriptions of the columns of a passport's table."""
    by_name = {column.name: column for column in (*_OBJECT, *describe_columns(table[_keys(table)]))}
    found = (by_name.get(str(name)) or _of_channel(str(name)) for name in table.columns)
    return tuple(column for column in found if column is not None)


def _keys(table: pd.DataFrame) -> list[str]:
    return [name for name in ("label", "t", "z") if name in table]


def _of_channel(name: str) -> Column | None:
    for column in _CHANNEL:
        if name.startswith(f"{column.name}_"):
            channel = name.removeprefix(f"{column.name}_")
            return column._replace(name=name, definition=f"{column.definition} Channel {channel}.")
    return None
