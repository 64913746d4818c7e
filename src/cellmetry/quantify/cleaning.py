"""Cleaning of masks, each cell's part by itself, in blocks that hold cells whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.ops.mask_cleaning import drop_small_parts, open_with_cross
from cellmetry.quantify.positions import PlaneCells, new_mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from cellmetry.core.image import Box
    from cellmetry.core.labels import Labels

__all__ = ["clean_mask", "clean_part"]


def clean_mask(mask: Labels, min_object_px: int, *, opening: bool = False) -> Labels:
    """Return the mask without its small parts; see `clean_part`."""
    if min_object_px <= 1 and not opening:
        return mask

    def work(lead: tuple[int, ...]) -> Iterator[tuple[Box, NDArray[np.uint32]]]:
        for block in PlaneCells(mask, lead, (1.0, 1.0)).blocks():
            yield block.box, clean_part(block.read(mask, lead), min_object_px, opening=opening)

    return new_mask(mask, work)


def clean_part(part: NDArray[np.uint32], min_object_px: int, *, opening: bool = False) -> NDArray[np.uint32]:
    """Return a mask's part without connected parts of fewer than `min_object_px` pixels (4 neighbours), and opened.

    Parameters
    ----------
    opening
        Whether to open each cell's mask with a cross of 3 × 3 pixels afterwards, which takes off spurs.
    """
    if min_object_px > 1:
        part = drop_small_parts(part, min_object_px)
    return open_with_cross(part) if opening else part
