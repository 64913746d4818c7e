"""Threshold masks in DualCellQuant's five modes, of all cells at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from cellmetry.ops.cell_thresholds import cell_thresholds, pixels_reaching, plane_threshold
from cellmetry.ops.mask_cleaning import drop_and_open

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.ops.cell_thresholds import ThresholdMethod

__all__ = ["MaskMode", "MaskRule", "threshold_mask"]

MaskMode = Literal["none", "global_percentile", "global_otsu", "per_cell_percentile", "per_cell_otsu"]


class MaskRule(NamedTuple):
    """How the mask of a channel is made: mode, percentile (0–100) and smallest part in pixels (0: no cleaning)."""

    mode: MaskMode
    percentile: float
    least_px: float


def threshold_mask(
    values: NDArray[np.float32], unsaturated: NDArray[np.bool_], regions: NDArray[np.uint32], rule: MaskRule
) -> NDArray[np.uint32]:
    """Return the mask of one channel: the id of the region at each pixel that passes.

    Thresholds are of the pixels that are not saturated, of the whole plane or of the region alone; a pixel at the
    threshold passes. In the global modes the mask is cleaned twice, on the whole plane and then in each region.

    Parameters
    ----------
    values
        Fractions of the largest possible value; without background correction.
    regions
        Cells, or radial regions; 0 where there is none.
    """
    if rule.mode == "none":
        return np.where(unsaturated, regions, np.uint32(0))
    method: ThresholdMethod = "otsu" if rule.mode.endswith("otsu") else "percentile"
    if rule.mode.startswith("per_cell"):
        limits = cell_thresholds(values, regions, unsaturated, method, rule.percentile)
        return drop_and_open(pixels_reaching(values, regions, unsaturated, limits), rule.least_px)
    reaching = (values >= plane_threshold(values[unsaturated], method, rule.percentile)) & unsaturated
    bright = drop_and_open(reaching, rule.least_px)
    return drop_and_open(np.where(bright, regions, np.uint32(0)), rule.least_px)
