"""What stored TIFF values stand for: white as zero, palettes that are colours, palettes that only show."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.io.readers.tiff_probe import dtype_of
from cellmetry.io.readers.tiff_store import PaletteStore, TiffStore

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tifffile import TiffPage

    from cellmetry.io.reader import ArrayStore

__all__ = ["Values", "true_values"]

_WHITE_IS_ZERO, _PALETTE = 0, 3


class Values(NamedTuple):
    """A store of meaningful values, whether it gained an axis of colours, and warnings."""

    store: ArrayStore
    expanded: bool = False
    warnings: tuple[str, ...] = ()


def true_values(store: TiffStore, page: TiffPage, name: str) -> Values:
    """Return a store whose values are intensities or colours.

    ImageJ's palettes and inverting tables are for show: its own measurements use the stored values, so these stay.
    So do 1-bit values: nearly all programs that write masks say "white is 0" and mean 1 for the object.
    """
    photometric = int(page.photometric)
    if photometric == _WHITE_IS_ZERO:
        return _inverted(store, page, name)
    if photometric != _PALETTE or page.is_imagej or page.colormap is None or is_ramp(page.colormap):
        return Values(store)
    colours = np.ascontiguousarray((page.colormap >> 8).astype(np.uint8).T)
    return Values(PaletteStore(store, colours), True, (f"{name} is a palette picture; its colours were looked up.",))


def _inverted(store: TiffStore, page: TiffPage, name: str) -> Values:
    if page.is_imagej or dtype_of(page).kind != "u":
        return Values(store, warnings=(f"{name} is shown inverted (white is 0); its values are kept as stored.",))
    white = (1 << page.bitspersample) - 1
    turned = TiffStore(
        store.paths, store.table, lead=store.lead, frame=store.frame, levels=store.levels, inverted=white
    )
    note = f"{name} stores white as 0; its values were inverted, so that bright is high."
    return Values(turned, warnings=(note,))


def is_ramp(colormap: NDArray[np.uint16]) -> bool:
    """Return whether a palette only tints a scale: each of red, green, blue (shape (3, n)) rises evenly or is 0.

    Then the stored values are the intensities.
    """
    steps = np.linspace(0.0, 1.0, colormap.shape[1])
    peaks = colormap[:, -1].astype(float)
    tolerance = 65535 / 64
    return bool(peaks.max() > 0 and np.abs(colormap - peaks[:, None] * steps).max() <= tolerance)
