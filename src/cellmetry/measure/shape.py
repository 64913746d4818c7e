"""Shape of plane objects: ellipse axes, perimeters, circularity, solidity, Euler number, Feret diameters.

Lengths are given in pixels and, where the pixel size is known, in µm; with pixels that are not square each µm value is
made from scaled coordinates, never by scaling a value in pixels. Ratios (eccentricity, aspect ratio,
circularity) are those of the scaled object, for square pixels the same as without scale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.measure.ellipse import Spread, axes_of, spread_of
from cellmetry.measure.hull import Hulls, hulls_of
from cellmetry.measure.outline import Outline, crofton, outline_of, skimage_perimeter
from cellmetry.measure.tracing import perimeter_counts
from cellmetry.ops.quotient import quotient

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.measure.blocks import Block

__all__ = ["feret", "feret_angle", "imagej_perimeter", "shape"]


def imagej_perimeter(block: Block, size_y: float = 1.0, size_x: float = 1.0) -> NDArray[np.float64]:
    """Return the length of all traced outlines, each cut corner counted as a diagonal instead of two sides."""
    down, across, cut, _ = perimeter_counts(block.padded, block.objects.ids, block.runs).T
    saved = size_y + size_x - np.hypot(size_y, size_x)
    total: NDArray[np.float64] = down * size_y + across * size_x - cut * saved
    return total


def _scale(sides: tuple[float, float] | None) -> tuple[float, float]:
    """Return the pixel size for ratios: that in µm where pixels are not square, else 1."""
    return (1.0, 1.0) if sides is None or sides[0] == sides[1] else sides


def _circularity(area: NDArray[Any], perimeter: NDArray[np.float64]) -> NDArray[np.float64]:
    return quotient(4 * np.pi * area, perimeter**2)


def _paired(name: str, px: NDArray[Any], um: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
    return {f"{name}_px": px} if um is None else {f"{name}_px": px, f"{name}_um": um}


def shape(block: Block) -> dict[str, NDArray[Any]]:
    """Return the ellipse, perimeters, circularities, solidities and Euler number of each object."""
    outline, hulls = outline_of(block), hulls_of(block)
    box = np.prod(block.objects.high[:, 1:] - block.objects.low[:, 1:], axis=1)
    return {
        **_ellipse(spread_of(block), block.field.sides_um),
        **_perimeters(block, outline),
        "convex_area_px": hulls.convex_px.astype(np.int64),
        "solidity": block.areas / hulls.convex_px,
        "solidity_imagej": block.areas / hulls.area,
        "extent": block.areas / box,
        "euler_number": outline.euler4 // 4,
    }


def _ellipse(spread: Spread, sides: tuple[float, float] | None) -> dict[str, NDArray[Any]]:
    plain, ratio = axes_of(spread), axes_of(spread.scaled(*_scale(sides)))
    um = axes_of(spread.scaled(*sides)) if sides else None
    share = np.divide(ratio.minor, ratio.major, out=np.ones_like(ratio.major), where=ratio.major > 0)
    inverse = quotient(ratio.major, ratio.minor)
    return {
        **_paired("major_axis", plain.major, um and um.major),
        **_paired("minor_axis", plain.minor, um and um.minor),
        "orientation_deg": np.degrees(ratio.orientation),
        "eccentricity": np.sqrt(1 - share**2),
        "aspect_ratio": inverse,
    }


def _perimeters(block: Block, outline: Outline) -> dict[str, NDArray[Any]]:
    sides = block.field.sides_um
    scale = _scale(sides)
    area = block.areas * (scale[0] * scale[1])
    skimage = skimage_perimeter(outline)
    centres_um = skimage * (sides[0] if sides[0] == sides[1] else np.nan) if sides else None
    traced = imagej_perimeter(block, *scale)
    return {
        **_paired("perimeter", crofton(outline), crofton(outline, *sides) if sides else None),
        **_paired("perimeter_skimage", skimage, centres_um),
        **_paired("perimeter_imagej", imagej_perimeter(block), imagej_perimeter(block, *sides) if sides else None),
        "circularity": _circularity(area, crofton(outline, *scale)),
        "circularity_skimage": _circularity(block.areas, skimage),
        "circularity_imagej": np.minimum(_circularity(area, traced), 1.0),
    }


def feret(block: Block) -> dict[str, NDArray[Any]]:
    """Return the Feret diameters of each object."""
    sides = block.field.sides_um
    plain = hulls_of(block)
    um = hulls_of(block, *sides) if sides else None
    return {
        **_paired("feret_max", plain.longest, um and um.longest),
        **_paired("feret_min", plain.shortest, um and um.shortest),
        "feret_angle_deg": feret_angle(um or plain, *_scale(sides)),
        **_paired("feret_max_skimage", plain.sides_longest, um and um.sides_longest),
    }


def feret_angle(hulls: Hulls, size_y: float, size_x: float) -> NDArray[np.float64]:
    """Return the direction of the longest diameter, 0 to 180 degrees, from the X axis towards the top."""
    rise = (hulls.begin_y - hulls.end_y) * size_y
    angle: NDArray[np.float64] = np.degrees(np.arctan2(rise, (hulls.end_x - hulls.begin_x) * size_x)) % 180
    return angle
