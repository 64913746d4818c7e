"""Channel registration: channels that the optics or the stage moved are laid on a reference channel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from cellmetry.core.columns import Column
from cellmetry.core.image import Box, DerivedSource
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Parameters, Step
from cellmetry.errors import InputError, ParameterError
from cellmetry.ops.correct import corrected
from cellmetry.ops.moving import highest_in, move_in
from cellmetry.ops.shift import Shift, measure_shift

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.ops.correct import PlaneReader, ReadPart
    from cellmetry.ops.moving import Order

__all__ = ["SHIFT_COLUMNS", "AlignChannels", "ChannelShift", "Moved", "middle_box", "shifts_table"]

Place = tuple[int, int, int]
"""Frame, channel and Z plane."""

SHIFT_COLUMNS = (
    Column("channel", "", "Channel that was moved.", "Cellmetry"),
    Column("t", "1", "Frame, from 0.", "Cellmetry"),
    Column("z", "1", "Z plane, from 0.", "Cellmetry"),
    Column("y_px", "px", "By how much the channel lies off the reference: rows that it must move down.", "Cellmetry"),
    Column("x_px", "px", "Columns that it must move to the right.", "Cellmetry"),
    Column(
        "sharpness",
        "1",
        "Height of the correlation's peak above its mean, in standard deviations; missing for given shifts.",
        "Cellmetry; Kuglin and Hines 1975",
    ),
    Column("moved", "1", "Whether the plane was moved by that; not if its shift could not be trusted.", "Cellmetry"),
)


class ChannelShift(Parameters):
    """By how many pixels a channel must be moved to lie on the reference."""

    channel: str
    """Name or index of the channel."""
    y_px: float = Field(ge=-10_000, le=10_000)
    """Rows down; negative is up."""
    x_px: float = Field(ge=-10_000, le=10_000)
    """Columns to the right; negative is left."""


@dataclass(frozen=True)
class Moved:
    """The correction of planes: each is moved by its own shift; what comes in from outside is NaN.

    Parameters
    ----------
    by
        Rows down and columns right of each plane; planes left out stay where they are.
    order
        0: whole pixels, values unchanged; 1: linear; 3: cubic.
    """

    by: Mapping[Place, tuple[float, float]]
    order: Order

    def prepare(self, plane: PlaneReader) -> ReadPart:
        """Return the function that reads moved parts of `plane`."""
        shift = self.by.get((plane.t, plane.c, plane.z), (0.0, 0.0))

        def part(box: Box) -> NDArray[np.float32]:
            return move_in(plane.values, plane.shape, box, shift, self.order)

        return part


@dataclass(frozen=True)
class _Highest(DerivedSource):
    """The original of a moved image: at each place the highest of the pixels that its value was made of."""

    image: Image
    by: Mapping[Place, tuple[float, float]]
    order: Order

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.image.dtype

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        return self.image.source.shape

    def derive(self, t: int, c: int, z: int, box: Box) -> NDArray[Any]:
        if (t, c, z) not in self.by:
            return self.image.plane(t=t, c=c, z=z, box=box)
        shape = self.shape[3:]
        return highest_in(
            lambda part: self.image.plane(t=t, c=c, z=z, box=part), shape, box, self.by[t, c, z], self.order
        )


class AlignChannels(Step):
    """Move channels onto a reference channel: by a shift measured in each plane, or by given ones."""

    name: ClassVar[str] = "align_channels"

    reference: str
    """Name or index of the channel that stays."""
    method: Literal["measure", "given"] = "measure"
    """measure: the shift of each plane by phase correlation of its edges; given: by `shifts`."""
    channels: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Channels to move, with method measure; all but the reference if left out."""
    shifts: tuple[ChannelShift, ...] = ()
    """Channels to move and by how much, with method given; `cellmetry shifts` measures them on beads."""
    order: Literal[0, 1, 3] = 1
    """Interpolation between pixels: 0 moves by whole pixels and changes no value, 1 is linear, 3 cubic."""
    least_sharpness: float = Field(default=9.0, ge=0)
    """Least height of the correlation's peak, in standard deviations, for a measured shift to be trusted."""
    doubtful: Literal["leave", "refuse"] = "leave"
    """What happens to a plane whose shift cannot be trusted: it stays where it is, with a warning; or an error."""
    largest_px: int = Field(default=40, ge=1, le=1000)
    """Largest shift in each direction that is looked for, in pixels."""
    window_px: int = Field(default=2048, ge=32, le=8192)
    """Side of the square in the middle of the plane on which shifts are measured, in pixels."""
    table: str = "shifts"
    """Name of the table of shifts that is made."""

    @model_validator(mode="after")
    def _check(self) -> AlignChannels:
        fields = type(self).model_fields
        others = {
            "given": ("channels", "least_sharpness", "doubtful", "largest_px", "window_px"),
            "measure": ("shifts",),
        }[self.method]
        set_for_nothing = [name for name in others if getattr(self, name) != fields[name].default]
        if set_for_nothing:
            raise ValueError(f"{set_for_nothing[0]} has no meaning with method {self.method!r}")
        if self.method == "given" and not self.shifts:
            raise ValueError("method 'given' needs shifts, a list of {channel, y_px, x_px}")
        return self

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with its channels moved, and a table of by how much."""
        image = sample.image
        rows = self._given(image) if self.method == "given" else self._measured(image, progress)
        table = shifts_table(image, rows, self.least_sharpness)
        doubtful = table[~table["moved"]]
        if len(doubtful) and self.doubtful == "refuse":
            raise InputError(f"{image.name}: {_sentence(doubtful, self.reference, self.least_sharpness)}")
        sample = sample.with_table(self.table, table)
        if len(doubtful):
            sample = sample.with_warnings(_sentence(doubtful, self.reference, self.least_sharpness))
        by = {place: (shift.y, shift.x) for (place, shift), good in zip(rows, table["moved"], strict=True) if good}
        channels = sorted({c for (_, c, _), _ in rows})
        moved = replace(sample.unprocessed, source=_Highest(sample.unprocessed, by, self.order))
        return sample.with_image(corrected(image, Moved(by, self.order), channels), moved)

    def _given(self, image: Image) -> list[tuple[Place, Shift]]:
        """Return the given shift of every plane of each channel."""
        named = {image.channel_index(each.channel): each for each in self.shifts}
        if len(named) < len(self.shifts) or image.channel_index(self.reference) in named:
            raise ParameterError("align_channels: shifts names a channel twice, or the reference, which stays.")
        return [
            (place, Shift(named[place[1]].y_px, named[place[1]].x_px, float("nan"))) for place in _places(image, named)
        ]

    def _measured(self, image: Image, progress: Progress) -> list[tuple[Place, Shift]]:
        """Return the measured shift of every plane of each channel that is to move."""
        reference = image.channel_index(self.reference)
        others = [c for c in range(len(image.channels)) if c != reference]
        chosen = others if self.channels is None else [image.channel_index(name) for name in self.channels]
        if reference in chosen:
            raise ParameterError(f"align_channels: {self.reference} is the reference, so it is not moved itself.")
        places, box = _places(image, chosen), middle_box(image, self.window_px)
        progress.start("shifts", len(places))
        rows = []
        for t, c, z in places:
            fixed, moving = (image.plane(t=t, c=channel, z=z, box=box) for channel in (reference, c))
            rows.append(((t, c, z), measure_shift(_finite(fixed), _finite(moving), largest_px=self.largest_px)))
            progress.advance()
        return rows


def middle_box(image: Image, side: int) -> Box:
    """Return the square of `side` pixels in the middle of the image's planes, or as much of it as there is."""
    spans = []
    for size in (image.sizes["Y"], image.sizes["X"]):
        start = max(0, (size - side) // 2)
        spans += [start, min(size, start + side)]
    return Box(*spans)


def shifts_table(image: Image, rows: Iterable[tuple[Place, Shift]], least_sharpness: float) -> pd.DataFrame:
    """Return the shifts as a table, described in ``attrs["columns"]``; given ones have no sharpness and all hold."""
    names = [column.name for column in SHIFT_COLUMNS]
    table = pd.DataFrame(
        [
            (image.channel_names[c], t, z, shift.y, shift.x, shift.sharpness, not shift.sharpness < least_sharpness)
            for (t, c, z), shift in rows
        ],
        columns=names,
    ).astype({"t": np.int64, "z": np.int64, "y_px": float, "x_px": float, "sharpness": float, "moved": bool})
    table.attrs["columns"] = SHIFT_COLUMNS
    return table


def _places(image: Image, channels: Iterable[int]) -> list[Place]:
    return [(t, c, z) for c in sorted(channels) for t in range(image.sizes["T"]) for z in range(image.sizes["Z"])]


def _finite(plane: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return the plane with pixels that are no numbers at the mean of the others: no sharp edge of theirs."""
    values = plane.astype(np.float32)
    good = np.isfinite(values)
    if not good.all():
        values[~good] = values[good].mean() if good.any() else 0
    return values


def _sentence(doubtful: pd.DataFrame, reference: str, least: float) -> str:
    first = doubtful.iloc[0]
    more = "" if len(doubtful) == 1 else f" (and {len(doubtful) - 1} more planes)"
    return (
        f"The shift of channel {first['channel']} against {reference} in frame {first['t']}, Z plane {first['z']}"
        f"{more} cannot be trusted (sharpness {first['sharpness']:.1f}, least {least:g}): the channels show too "
        f'little in common there. Measure it on beads (`cellmetry shifts`) and give it with method = "given".'
    )
