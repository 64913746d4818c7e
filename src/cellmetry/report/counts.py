"""The picture that explains a count: the image, what was found in it, the density, and where the two disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellmetry.report.annotations import draw_caption
from cellmetry.report.colours import parse_colour
from cellmetry.report.drawing_options import OverlayOptions
from cellmetry.report.overlay import draw_overlay, draw_picture
from cellmetry.report.sampling import choose_scaling, sample_plane

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.sample import Sample

__all__ = ["draw_counts"]

_DENSITY = ("#000004", "#51127c", "#b73779", "#fc8961", "#fcfdbf")
"""Dark to bright; each step about as much lighter as the one before, also without colour."""
_DIFFERENCE = ("#9fd4ff", "#2f7fd0", "#1c1c22", "#d9731a", "#ffd9a0")
"""Density counts fewer (blue), the same (dark), more (orange)."""
_LIMIT = 2.0
_LONGEST, _SMALLEST = 1024, 700
_GAP = 12
_BRIGHTEST = 99.9


def draw_counts(sample: Sample, options: OverlayOptions | None = None) -> NDArray[np.uint8]:
    """Return four panels of the middle plane, or as many as there are counters for, uint8 of shape (Y, X, 3).

    They show the image, the outlines of the instances, the density, and the disagreement of the two in blocks, from
    -2 to +2 standard units.
    """
    looks = (options or OverlayOptions()).model_copy(
        update={"longest_side": _LONGEST, "enlarge_to": _SMALLEST, "ids": False, "scale_bar": True, "place": False}
    )
    image = sample.image
    t, z = (image.sizes[axis] // 2 for axis in "TZ")
    row = _row(sample.tables["counts"], t, z)
    panels = [draw_caption(draw_picture(image, looks, t=t, z=z), _said_of_all(row))]
    plain = looks.model_copy(update={"scale_bar": False})
    if "cells" in sample.labels:
        outlined = draw_overlay(image, sample.labels["cells"], plain, t=t, z=z)
        panels.append(draw_caption(outlined, f"{row['n_instances']} instances"))
    if "density" in sample.maps:
        shown = _density(image, sample.maps["density"], t, z)
        panels.append(draw_caption(shown, f"density, sum {row['n_density']:.1f}"))
    if "disagreement" in sample.maps:
        shown = _difference(image, sample.maps["disagreement"], t, z)
        panels.append(draw_caption(shown, "density less instances, -2 (blue) to +2 (orange) units"))
    return _arranged(panels)


def _row(table: pd.DataFrame, t: int, z: int) -> pd.Series:
    """Return the counts of one whole plane."""
    found = table["region"] == ""
    for name, at in (("t", t), ("z", z)):
        if name in table:
            found &= table[name] == at
    return table[found].iloc[0]


def _said_of_all(row: pd.Series) -> str:
    if row.isna()["n_low"]:
        return f"{row['n']} cells, no interval"
    return f"{row['n']} cells, {row['coverage']:.0%} interval {row['n_low']} to {row['n_high']}"


def _density(image: Image, density: Image, t: int, z: int) -> NDArray[np.uint8]:
    scaling = choose_scaling(image, largest=_LONGEST, smallest=_SMALLEST)
    values = sample_plane(density, scaling.reduce, t=t, c=0, z=z)
    top = float(np.percentile(values, _BRIGHTEST)) or float(values.max())
    shown = _coloured(values / top if top > 0 else values, _DENSITY)
    return shown.repeat(scaling.enlarge, axis=0).repeat(scaling.enlarge, axis=1)


def _difference(image: Image, blocks: Image, t: int, z: int) -> NDArray[np.uint8]:
    scaling = choose_scaling(image, largest=_LONGEST, smallest=_SMALLEST)
    values = blocks.plane(t=t, z=z)
    sides = [-(-image.sizes[axis] // scaling.reduce) * scaling.enlarge for axis in "YX"]
    side = int(blocks.metadata["block_px"])
    rows, columns = (
        np.minimum((np.arange(length) / scaling.factor).astype(int) // side, count - 1)
        for length, count in zip(sides, values.shape, strict=True)
    )
    return _with_scale(_coloured((values / _LIMIT + 1) / 2, _DIFFERENCE)[rows][:, columns])


def _with_scale(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture with its colours from -2 to +2 as a strip, framed in white, in the lower left corner."""
    height, width = (max(4, round(share * picture.shape[0])) for share in (0.025, 0.4))
    strip = np.full((height + 2, width + 2, 3), 255, np.uint8)
    strip[1:-1, 1:-1] = _coloured(np.linspace(0, 1, width), _DIFFERENCE)
    framed = picture.copy()
    y, x = picture.shape[0] - 2 * height, height
    framed[y : y + height + 2, x : x + width + 2] = strip[: picture.shape[0] - y, : picture.shape[1] - x]
    return framed


def _coloured(shares: NDArray[np.floating], colours: Sequence[str]) -> NDArray[np.uint8]:
    """Return values from 0 to 1 as colours, mixed between the given ones."""
    table = np.array([parse_colour(colour) for colour in colours])
    place = np.clip(shares, 0, 1)
    stops = np.linspace(0, 1, len(colours))
    mixed = np.stack([np.interp(place, stops, channel) for channel in table.T], axis=-1)
    rgb: NDArray[np.uint8] = np.rint(mixed * 255).astype(np.uint8)
    return rgb


def _arranged(panels: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return panels of one size side by side, four of them in two rows, on white."""
    height, width = panels[0].shape[:2]
    columns = 2 if len(panels) > 3 else len(panels)
    rows = -(-len(panels) // columns)
    sheet = np.full((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3), 255, np.uint8)
    for place, panel in enumerate(panels):
        y, x = (place // columns) * (height + _GAP), (place % columns) * (width + _GAP)
        sheet[y : y + height, x : x + width] = panel
    return sheet
