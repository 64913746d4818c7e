"""Before a study runs: do the channels of a field lie on each other? Labels of one are measured in another."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from cellmetry.core.columns import Column
from cellmetry.core.step import Parameters
from cellmetry.ops.align import middle_box
from cellmetry.ops.shift import Shift, measure_shift
from cellmetry.pipeline.checking import choose_evenly
from cellmetry.study.design.design import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cellmetry.core.image import Image
    from cellmetry.pipeline.inputs import ImageRef

__all__ = ["PAIRING_COLUMNS", "Pairing", "PairingOptions", "check_pairing"]

PAIRING_COLUMNS = (
    Column("channel", "", "Channel that is measured.", "Cellmetry"),
    Column("reference", "", "Channel on which the labels are.", "Cellmetry"),
    Column("through", "", "Third channel against which both were compared; empty if directly.", "Cellmetry"),
    Column("image", "", "Field.", "Cellmetry"),
    Column("y_px", "px", "Rows that the channel must move down to lie on the reference.", "Cellmetry"),
    Column("x_px", "px", "Columns that it must move to the right.", "Cellmetry"),
    Column(
        "sharpness",
        "1",
        "Height of the correlation's peak above its mean, in standard deviations; the lower of two where a third "
        "channel stands between.",
        "Cellmetry; Kuglin and Hines 1975",
    ),
    Column("believed", "", "Whether the peak is clear, or other fields show the same shift.", "Cellmetry"),
)


class PairingOptions(Parameters):
    """How the shift between channels is looked for, and from when on it is told."""

    fields: int = Field(default=6, ge=1, le=100)
    """Fields that are looked at, evenly spread over the study."""
    tolerance_px: float = Field(default=2.0, ge=0)
    """A longer shift is a warning; of a single field one that is longer by `agreement_px` than this."""
    clear_sharpness: float = Field(default=14.0, ge=0)
    """Sharpness from which a field is believed by itself."""
    agreement_px: float = Field(default=1.5, gt=0)
    """Fields whose shifts lie within this distance agree; less clear ones are believed if others agree with them."""
    believed_share: float = Field(default=0.5, gt=0, le=1)
    """Part of the fields that must be believed for the shift to be told."""
    largest_px: int = Field(default=40, ge=1, le=1000)
    """Largest shift in each direction that is looked for."""
    window_px: int = Field(default=2048, ge=64, le=8192)
    """Side of the square in the middle of a field that is compared."""


class Pairing(NamedTuple):
    """Shifts of the fields that were looked at (`PAIRING_COLUMNS`), and what they mean: one finding a channel."""

    shifts: pd.DataFrame
    findings: tuple[Finding, ...]


def check_pairing(
    refs: Sequence[ImageRef], reference: str, measured: Iterable[str], options: PairingOptions | None = None
) -> Pairing:
    """Return by how much measured channels lie off the channel of the labels, on a few fields.

    A shift is believed where the peak of the correlation of edges is clear or several fields show the same. Channels
    with too little in common (phase contrast and EdU) are compared through a third one (a stain of all nuclei).

    Raises
    ------
    UnknownName
        If an image has no such channel.
    InputError
        If an image cannot be read.
    """
    options = options or PairingOptions()
    images = [ref.open() for ref in choose_evenly(refs, options.fields)]
    tables, findings = [], []
    for channel in measured:
        table = _best_way(images, reference, channel, options)
        tables.append(table)
        findings.append(_finding(table, reference, channel, options))
    names = [column.name for column in PAIRING_COLUMNS]
    shifts = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=names)
    shifts.attrs["columns"] = PAIRING_COLUMNS
    return Pairing(shifts, tuple(findings))


def _best_way(images: Sequence[Image], reference: str, channel: str, options: PairingOptions) -> pd.DataFrame:
    """Return the shifts of a channel, directly or through the third channel by which more fields are believed."""
    direct = _shifts(images, (reference, channel), options)
    if direct["believed"].all():
        return direct
    ends = {images[0].channel_index(name) for name in (reference, channel)}
    between = [name for c, name in enumerate(images[0].channel_names) if c not in ends]
    ways = [direct, *(_shifts(images, (reference, name, channel), options) for name in between)]
    return max(ways, key=lambda table: int(table["believed"].sum()))


def _shifts(images: Sequence[Image], way: tuple[str, ...], options: PairingOptions) -> pd.DataFrame:
    """Return a row for each field: the sum of the shifts from channel to channel."""
    links = list(pairwise(way))
    parts = [[_shift(image, *link, options) for link in links] for image in images]
    table = pd.DataFrame(
        {
            "channel": way[-1],
            "reference": way[0],
            "through": " ".join(way[1:-1]),
            "image": [image.name for image in images],
            "y_px": [sum(part.y for part in each) for each in parts],
            "x_px": [sum(part.x for part in each) for each in parts],
            "sharpness": [min(part.sharpness for part in each) for each in parts],
        }
    )
    table["believed"] = _believed(table, options)
    return table


def _shift(image: Image, reference: str, channel: str, options: PairingOptions) -> Shift:
    box = middle_box(image, options.window_px)
    t, z = image.sizes["T"] // 2, image.sizes["Z"] // 2
    fixed, moving = (image.plane(t=t, c=image.channel_index(name), z=z, box=box) for name in (reference, channel))
    return measure_shift(fixed, moving, largest_px=options.largest_px)


def _believed(table: pd.DataFrame, options: PairingOptions) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which fields are clear, or are in the largest group of at least two that agree."""
    clear = table["sharpness"].to_numpy() >= options.clear_sharpness
    y, x = table["y_px"].to_numpy(float), table["x_px"].to_numpy(float)
    agree = np.hypot(y[:, None] - y, x[:, None] - x) <= options.agreement_px
    if not len(table) or agree.sum(axis=1).max() < 2:
        return clear
    return np.asarray(clear | agree[agree.sum(axis=1).argmax()])


def _told(table: pd.DataFrame, options: PairingOptions) -> bool:
    return len(table) > 0 and bool(table["believed"].mean() >= options.believed_share)


def _finding(table: pd.DataFrame, reference: str, channel: str, options: PairingOptions) -> Finding:
    """Return what the shifts of a channel mean in a sentence."""
    believed = table[table["believed"]]
    seen = f"{len(believed)} of {len(table)} fields" + _through(table)
    if not _told(table, options):
        return Finding(
            "note",
            "shift",
            f"Whether {channel} lies on {reference} could not be told: the channels show too little in common (clear "
            f"in {seen}). Look at overlays, or measure the shift on beads (`cellmetry shifts`).",
        )
    y, x = float(believed["y_px"].median()), float(believed["x_px"].median())
    longest = float(np.hypot(believed["y_px"], believed["x_px"]).max())
    if np.hypot(y, x) <= options.tolerance_px and longest <= options.tolerance_px + options.agreement_px:
        return Finding("note", "shift", f"{channel} lies on {reference} within {longest:.1f} px ({seen}).")
    return Finding(
        "warning",
        "shift",
        f"{channel} lies {np.hypot(y, x):.1f} px off {reference} ({_direction(y, x)}; at most {longest:.1f} px; "
        f"{seen}), so labels would measure beside their cells. Put a step align_channels with reference = "
        f'"{reference}" before the first measurement, or say with method = "given" by how much.',
    )


def _through(table: pd.DataFrame) -> str:
    third = str(table["through"].iloc[0]) if len(table) else ""
    return f", through {third}" if third else ""


def _direction(y: float, x: float) -> str:
    return f"to move {abs(y):.1f} px {'down' if y >= 0 else 'up'} and {abs(x):.1f} px {'right' if x >= 0 else 'left'}"
