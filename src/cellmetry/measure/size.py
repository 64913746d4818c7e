"""Size and position: area or volume, equivalent diameter, centroid, bounding box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import PixelSize
    from cellmetry.measure.blocks import Block

__all__ = ["centroids", "position", "size"]


@njit(cache=True, nogil=True)
def _sums(runs: Any, corners: Any) -> Any:
    """Return per object: pixels, and the sums of z, y and x relative to its corner; all exact integers."""
    start, z, y, x0, x1 = runs
    count = start.size - 1
    out = np.zeros((count, 4), np.int64)
    for k in range(count):
        for i in range(start[k], start[k + 1]):
            length = np.int64(x1[i]) - x0[i]
            out[k, 0] += length
            out[k, 1] += length * (z[i] - corners[k, 0])
            out[k, 2] += length * (y[i] - corners[k, 1])
            out[k, 3] += length * (x0[i] + x1[i] - 1 - 2 * corners[k, 2])
    return out


def centroids(block: Block) -> NDArray[np.float64]:
    """Return the centroid (z, y, x) of each object in the field; a pixel's centre has whole coordinates."""
    sums = _sums(block.runs, block.corners)
    offsets = sums[:, 1:] / np.array([1, 1, 2]) / sums[:, :1]
    centres: NDArray[np.float64] = block.objects.low + offsets
    return centres


def size(block: Block) -> dict[str, NDArray[Any]]:
    """Return area (or volume) and equivalent diameter of each object."""
    pixels = block.field.pixel_size
    area = block.areas
    if block.field.volume:
        return _volume(area, pixels)
    out: dict[str, NDArray[Any]] = {"area_px": area}
    if pixels.area_um2 is not None:
        out["area_um2"] = area * pixels.area_um2
    out["equivalent_diameter_px"] = np.sqrt(4 * area / np.pi)
    if pixels.area_um2 is not None:
        out["equivalent_diameter_um"] = np.sqrt(4 * out["area_um2"] / np.pi)
    return out


def _volume(voxels: NDArray[np.int64], pixels: PixelSize) -> dict[str, NDArray[Any]]:
    out: dict[str, NDArray[Any]] = {"volume_px": voxels, "equivalent_diameter_px": np.cbrt(6 * voxels / np.pi)}
    if pixels.area_um2 is not None and pixels.z is not None:
        out["volume_um3"] = voxels * (pixels.area_um2 * pixels.z)
        out["equivalent_diameter_um"] = np.cbrt(6 * out["volume_um3"] / np.pi)
    return out


def position(block: Block) -> dict[str, NDArray[Any]]:
    """Return centroid and bounding box (half open) of each object."""
    out: dict[str, NDArray[Any]] = {}
    centre = centroids(block)
    pixels = block.field.pixel_size
    axes = "zyx" if block.field.volume else "yx"
    for axis in axes:
        out[f"centroid_{axis}_px"] = centre[:, "zyx".index(axis)]
    for axis in axes:
        step = getattr(pixels, axis)
        if step is not None:
            out[f"centroid_{axis}_um"] = centre[:, "zyx".index(axis)] * step
    for axis in axes:
        column = "zyx".index(axis)
        out[f"bbox_{axis}0_px"] = block.objects.low[:, column]
        out[f"bbox_{axis}1_px"] = block.objects.high[:, column]
    return out
