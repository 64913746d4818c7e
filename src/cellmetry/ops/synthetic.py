"""Generated microscope fields whose truth is known: for tests, benchmarks, the demonstration and training.

A field is made as a camera would see it: cells with smooth irregular outlines and a nucleus each, some touching; light
blurred by the microscope; an uneven background; shot and read noise; a detector that saturates. Every choice is drawn
from numpy generators seeded by the place on the field, so a field is the same however it is cut into tiles.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import Field
from scipy.ndimage import gaussian_filter

from cellmetry.core.image import Box, Image, PixelSize, image_from_array
from cellmetry.core.labels import Labels, labels_from_array
from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError
from cellmetry.ops.synthetic_cells import FieldOptions, choose_places, draw_bodies, held_places
from cellmetry.ops.synthetic_shapes import Bodies, paint_bodies

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CHANNELS",
    "CellTruth",
    "Condition",
    "FieldOptions",
    "PlateField",
    "PlateOptions",
    "SyntheticField",
    "field_image",
    "field_labels",
    "make_cells",
    "make_plate",
    "tile_field",
]

CHANNELS = ("DNA", "signal")
"""Channels of a generated field, in order."""

_NOISE_BLOCK = 256
_BLUR_REACH = 4.0
_BACKGROUND_PERIOD_PX = 2500.0
_NOISE = 2


_DEFAULT = FieldOptions()


class CellTruth(NamedTuple):
    """What is true of each cell: one entry per id of the label image, in order of `ids`.

    Means are of the expected light (blurred, with background, without noise) over the cell's true pixels, in counts;
    cells cut by the rectangle's border count with the part that is inside.
    """

    ids: NDArray[np.uint32]
    area_px: NDArray[np.int64]
    mean_dna: NDArray[np.float64]
    mean_signal: NDArray[np.float64]


@dataclass(frozen=True)
class SyntheticField:
    """A generated field with its truth.

    Parameters
    ----------
    image
        uint16 (C, Y, X), channels as in `CHANNELS`.
    labels, nuclei
        uint32 (Y, X): true cells, and their nuclei under the same ids.
    truth
        Per cell.
    """

    image: NDArray[np.uint16]
    labels: NDArray[np.uint32]
    nuclei: NDArray[np.uint32]
    truth: CellTruth


class Condition(Parameters):
    """What a treatment does to the cells of its wells."""

    name: str
    """How it is called."""
    signal_factor: float = Field(default=1.0, ge=0)
    """By which the brightness of the signal channel changes."""
    count_factor: float = Field(default=1.0, ge=0)
    """By which the number of cells changes."""


class PlateOptions(Parameters):
    """A plate whose columns are conditions and whose rows repeat them."""

    conditions: tuple[Condition, ...] = (
        Condition(name="control"),
        Condition(name="low dose", signal_factor=1.5),
        Condition(name="high dose", signal_factor=2.2, count_factor=0.7),
    )
    """One column of wells each, from column 1."""
    repeats: int = Field(default=2, ge=1, le=16)
    """Rows of the plate, from row A."""
    fields: int = Field(default=2, ge=1)
    """Fields in each well."""
    shape: tuple[int, int] = (512, 512)
    """Height and width of a field, in pixels."""
    cells: int = Field(default=60, ge=0)
    """Cells in a field of a condition that does not change the count."""
    look: FieldOptions = FieldOptions()
    """Cells and camera."""


class PlateField(NamedTuple):
    """One field of a generated plate: its well (``A01``), number in the well (from 1), condition, pixels and truth."""

    well: str
    number: int
    condition: str
    field: SyntheticField


def make_cells(shape: tuple[int, int], n: int, options: FieldOptions = _DEFAULT, *, seed: int = 0) -> SyntheticField:
    """Return a field of `shape` (Y, X) with exactly `n` whole cells, ids 1 to `n`.

    Raises
    ------
    ParameterError
        If so many cells of this size do not fit.
    """
    rows, columns = int(shape[0] // options.pitch_px), max(0, int(shape[1] // options.pitch_px) - 1)
    if n > rows * columns:
        raise ParameterError(
            f"{n} cells of {options.diameter_px:g} px do not fit into {shape[0]} × {shape[1]} pixels; at most "
            f"{rows * columns} do."
        )
    bodies = draw_bodies(choose_places((rows, columns), n, options.touching, seed), options, seed)
    bodies = replace(bodies, ids=np.arange(1, n + 1))
    return _render(bodies, Box(0, shape[0], 0, shape[1]), options, seed)


def tile_field(box: Box, seed: int = 0, options: FieldOptions = _DEFAULT) -> SyntheticField:
    """Return the part `box` of a boundless field: the same pixels and ids whichever rectangle asks for them.

    `box` starts at 0 or above. Ids are unique over the whole field, not consecutive.
    """
    if box.y0 < 0 or box.x0 < 0:
        raise ParameterError(f"A generated field starts at pixel 0, so it has no part {tuple(box)}.")
    pitch, reach = options.pitch_px, options.largest_radius_px + _BLUR_REACH * options.blur_px + 2
    rows = range(max(0, int((box.y0 - reach) // pitch)), int((box.y1 + reach) // pitch) + 1)
    columns = range(max(0, int((box.x0 - reach) // pitch) - 1), int((box.x1 + reach) // pitch) + 1)
    bodies = draw_bodies(held_places(rows, columns, options, seed), options, seed)
    return _render(bodies, box, options, seed)


def make_plate(options: PlateOptions | None = None, *, seed: int = 0) -> tuple[PlateField, ...]:
    """Return the fields of a plate, well by well: one condition a column, one repeat of all of them a row."""
    options = options or PlateOptions()
    fields = []
    for row, (column, condition) in product(range(options.repeats), enumerate(options.conditions, start=1)):
        for number in range(1, options.fields + 1):
            look = options.look.model_copy(update={"signal": options.look.signal * condition.signal_factor})
            field = make_cells(
                options.shape,
                round(options.cells * condition.count_factor),
                look,
                seed=int(np.random.SeedSequence([seed, row, column, number]).generate_state(1)[0]),
            )
            fields.append(PlateField(f"{chr(ord('A') + row)}{column:02d}", number, condition.name, field))
    return tuple(fields)


def field_image(field: SyntheticField, *, pixel_size_um: float | None = None, name: str = "synthetic") -> Image:
    """Return the field's pixels as an `Image` with named channels."""
    return image_from_array(field.image, "CYX", channel_names=CHANNELS, pixel_size_um=pixel_size_um, name=name)


def field_labels(field: SyntheticField, *, pixel_size_um: float | None = None) -> Labels:
    """Return the true cells as `Labels`."""
    return labels_from_array(field.labels, pixel_size=PixelSize(pixel_size_um, pixel_size_um))


def _render(bodies: Bodies, box: Box, options: FieldOptions, seed: int) -> SyntheticField:
    """Return the field that a camera makes of the cells."""
    halo = int(np.ceil(_BLUR_REACH * options.blur_px)) + 1
    outer = Box(box.y0 - halo, box.y1 + halo, box.x0 - halo, box.x1 + halo)
    inner = (slice(None), *box.within(outer).slices)
    index, light = paint_bodies(bodies, outer)
    for channel in light:
        gaussian_filter(channel, options.blur_px, output=channel, mode="constant", truncate=_BLUR_REACH)
    index, expected = np.ascontiguousarray(index[inner]), _illuminate(light[inner], box, options)
    ids = np.concatenate([[0], bodies.ids]).astype(np.uint32)
    return SyntheticField(
        image=_detect(expected, box, options, seed),
        labels=ids[index[0]],
        nuclei=ids[index[1]],
        truth=_true_values(ids, index[0], expected),
    )


def _illuminate(light: NDArray[np.float32], box: Box, options: FieldOptions) -> NDArray[np.float32]:
    """Return the light with background, which changes slowly over the whole field; never below 0."""
    slope = (_wave(box.y0, box.y1, 0.3)[:, None] + _wave(box.x0, box.x1, 1.1)) / 2
    background = (options.background * (1 + options.gradient * slope)).astype(np.float32)
    seen: NDArray[np.float32] = background - light if options.dark_on_bright else background + light
    np.maximum(seen, 0, out=seen)
    return seen


def _wave(start: int, stop: int, phase: float) -> NDArray[np.float64]:
    """Return a sine of the position in the whole field."""
    wave: NDArray[np.float64] = np.sin(np.arange(start, stop) * (2 * np.pi / _BACKGROUND_PERIOD_PX) + phase)
    return wave


def _detect(expected: NDArray[np.float32], box: Box, options: FieldOptions, seed: int) -> NDArray[np.uint16]:
    """Return counts: shot noise (its normal approximation) and read noise added, saturated, rounded."""
    deviation = np.sqrt(options.gain * expected + np.float32(options.read_noise**2), dtype=np.float32)
    deviation *= _noise(box, len(expected), seed)
    deviation += expected
    counts: NDArray[np.uint16] = np.rint(deviation, out=deviation).clip(0, options.detector_max).astype(np.uint16)
    return counts


def _noise(box: Box, n_channels: int, seed: int) -> NDArray[np.float32]:
    """Return standard normal noise (C, Y, X), drawn by blocks of the whole field."""
    side = _NOISE_BLOCK
    rows, columns = (range(start // side, -(-stop // side)) for start, stop in (box[:2], box[2:]))
    outer = Box(rows.start * side, rows.stop * side, columns.start * side, columns.stop * side)
    noise = np.empty((n_channels, *outer.shape), np.float32)
    for row, column in product(rows, columns):
        block = Box(row * side, (row + 1) * side, column * side, (column + 1) * side).within(outer)
        rng = np.random.default_rng([seed, _NOISE, row, column])
        noise[:, *block.slices] = rng.standard_normal((n_channels, side, side), dtype=np.float32)
    return noise[:, *box.within(outer).slices]


def _true_values(ids: NDArray[np.uint32], index: NDArray[np.uint32], expected: NDArray[np.float32]) -> CellTruth:
    """Return the truth of the cells that have pixels here."""
    flat = index.ravel()
    area = np.bincount(flat, minlength=len(ids))
    here = np.flatnonzero(area[1:]) + 1
    here = here[np.argsort(ids[here])]
    means = [np.bincount(flat, weights=channel.ravel(), minlength=len(ids))[here] / area[here] for channel in expected]
    return CellTruth(ids[here], area[here], *means)
