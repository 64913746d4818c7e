"""Intensity of one channel in each object: sums, moments and order statistics.

Pixels that are not finite (NaN, ±Inf) are left out of every number here and counted. All sums run in 64-bit floats
over an object's pixels in raster order, so that they are exact for whole numbers below 2**53 and repeatable for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from cellmetry.measure.ranks import order_statistics
from cellmetry.ops.quotient import quotient

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.measure.blocks import Block
    from cellmetry.measure.fields import Field
    from cellmetry.measure.options import MeasureOptions

__all__ = ["distribution", "intensity", "mass", "percentile_name"]


@njit(cache=True, nogil=True)
def _first_moments(image: Any, runs: Any) -> Any:
    """Return per object: finite pixels, sum, minimum, maximum."""
    start, z, y, x0, x1 = runs
    count = start.size - 1
    out = np.empty((count, 4), np.float64)
    for k in range(count):
        n = 0
        total = 0.0
        low, high = np.inf, -np.inf
        for i in range(start[k], start[k + 1]):
            row = image[z[i], y[i]]
            for x in range(x0[i], x1[i]):
                value = np.float64(row[x])
                if np.isfinite(value):
                    n += 1
                    total += value
                    low = min(low, value)
                    high = max(high, value)
        out[k, 0], out[k, 1], out[k, 2], out[k, 3] = n, total, low, high
    return out


@njit(cache=True, nogil=True)
def _first_moments_whole(image: Any, runs: Any) -> Any:
    """Return the same for unsigned integers of up to 16 bits, in exact integer sums."""
    start, z, y, x0, x1 = runs
    count = start.size - 1
    out = np.empty((count, 4), np.float64)
    for k in range(count):
        n = 0
        total = np.int64(0)
        low = high = image.dtype.type(image[z[start[k]], y[start[k]], x0[start[k]]])
        for i in range(start[k], start[k + 1]):
            row = image[z[i], y[i], x0[i] : x1[i]]
            n += row.size
            for x in range(row.size):
                total += row[x]
                low = min(low, row[x])
                high = max(high, row[x])
        out[k, 0], out[k, 1], out[k, 2], out[k, 3] = n, total, low, high
    return out


@njit(cache=True, nogil=True)
def _second_moments_whole(image: Any, mean: Any, runs: Any) -> Any:
    """Return per object the sum of squared deviations of unsigned integers, by exact sums about a whole number."""
    start, z, y, x0, x1 = runs
    out = np.empty(start.size - 1, np.float64)
    for k in range(out.size):
        middle = np.int64(np.round(mean[k]))
        total = np.int64(0)
        n = 0
        for i in range(start[k], start[k + 1]):
            row = image[z[i], y[i], x0[i] : x1[i]]
            n += row.size
            for x in range(row.size):
                value = np.int64(row[x]) - middle
                total += value * value
        out[k] = total - n * (mean[k] - middle) ** 2
    return out


@njit(cache=True, nogil=True)
def _central_moments(image: Any, mean: Any, runs: Any) -> Any:
    """Return per object the sums of the 2nd, 3rd and 4th powers of the deviation from its mean."""
    start, z, y, x0, x1 = runs
    count = start.size - 1
    out = np.empty((count, 3), np.float64)
    for k in range(count):
        second = third = fourth = 0.0
        for i in range(start[k], start[k + 1]):
            row = image[z[i], y[i]]
            for x in range(x0[i], x1[i]):
                value = row[x] - mean[k]
                if np.isfinite(value):
                    square = value * value
                    second += square
                    third += square * value
                    fourth += square * square
        out[k, 0], out[k, 1], out[k, 2] = second, third, fourth
    return out


@njit(cache=True, nogil=True)
def _weighted_sums(image: Any, corners: Any, runs: Any) -> Any:
    """Return per object the sums of value, value·z, value·y and value·x, relative to its corner."""
    start, z, y, x0, x1 = runs
    count = start.size - 1
    out = np.zeros((count, 4), np.float64)
    for k in range(count):
        for i in range(start[k], start[k + 1]):
            total = across = 0.0
            for x in range(x0[i], x1[i]):
                value = np.float64(image[z[i], y[i], x])
                if np.isfinite(value):
                    total += value
                    across += value * (x - corners[k, 2])
            out[k, 0] += total
            out[k, 1] += total * (z[i] - corners[k, 0])
            out[k, 2] += total * (y[i] - corners[k, 1])
            out[k, 3] += across
    return out


def first_moments(block: Block, pixels: NDArray[Any]) -> NDArray[np.float64]:
    """Return finite pixels, sum, minimum and maximum of each object, one row each."""
    kernel = _first_moments_whole if pixels.dtype.kind == "u" else _first_moments
    out: NDArray[np.float64] = kernel(pixels, block.runs)
    out[out[:, 0] == 0, 1:] = np.nan
    return out


def second_moments(block: Block, pixels: NDArray[Any], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of squared deviations from `mean` of each object."""
    if pixels.dtype.kind == "u":
        sums: NDArray[np.float64] = _second_moments_whole(pixels, mean, block.runs)
        return np.maximum(sums, 0.0)
    return central_moments(block, pixels, mean)[:, 0]


def central_moments(block: Block, pixels: NDArray[Any], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums of the 2nd, 3rd and 4th powers of the deviation from `mean`, one row an object."""
    out: NDArray[np.float64] = _central_moments(pixels, mean, block.runs)
    return out


def weighted_sums(block: Block, pixels: NDArray[Any]) -> NDArray[np.float64]:
    """Return the sums of value, value·z, value·y and value·x about each object's first corner, one row each."""
    out: NDArray[np.float64] = _weighted_sums(pixels, block.corners, block.runs)
    return out


def intensity(block: Block, pixels: NDArray[Any], _options: MeasureOptions) -> dict[str, NDArray[Any]]:
    """Return mean, sum, standard deviation, extremes and integrated density of each object."""
    n, total, low, high = first_moments(block, pixels).T
    mean = quotient(total, n)
    variance = quotient(second_moments(block, pixels, mean), n)
    out = {"mean": mean, "sum": total, "std": np.sqrt(variance), "min": low, "max": high}
    out.update(_integrated_density(total, block.field))
    missing = block.areas - n.astype(np.int64)
    return {**out, "nan_px": missing}


def _integrated_density(total: NDArray[np.float64], field: Field) -> dict[str, NDArray[np.float64]]:
    """Return the sum times the area or volume of a pixel, where that is known."""
    area, depth = field.pixel_size.area_um2, field.pixel_size.z
    if area is None or (field.volume and depth is None):
        return {}
    if field.volume and depth is not None:
        return {"integrated_density_um3": total * (area * depth)}
    return {"integrated_density_um2": total * area}


def distribution(block: Block, pixels: NDArray[Any], options: MeasureOptions) -> dict[str, NDArray[Any]]:
    """Return median, percentiles, skewness, kurtosis and the sample's standard deviation of each object."""
    shares = np.array([50.0, *options.percentiles]) / 100
    ranks = order_statistics(block, pixels, shares)
    out = {"median": ranks[:, 0]}
    for column, percentile in enumerate(options.percentiles, start=1):
        out[percentile_name(percentile)] = ranks[:, column]
    n, total, low, high = first_moments(block, pixels).T
    second, third, fourth = central_moments(block, pixels, quotient(total, n)).T
    flat = low == high
    out["skewness"] = _standardised(third, second, n, 3, flat)
    out["kurtosis"] = _standardised(fourth, second, n, 4, flat) - 3
    out["sample_std"] = np.sqrt(quotient(second, n - 1))
    return out


def mass(block: Block, pixels: NDArray[Any], _options: MeasureOptions) -> dict[str, NDArray[Any]]:
    """Return the intensity-weighted centroid of each object."""
    sums = weighted_sums(block, pixels)
    out: dict[str, NDArray[Any]] = {}
    axes = "zyx" if block.field.volume else "yx"
    for axis in axes:
        column = "zyx".index(axis)
        out[f"weighted_{axis}_px"] = block.objects.low[:, column] + quotient(
            sums[:, column + 1], sums[:, 0], negative=True
        )
    for axis in axes:
        step = getattr(block.field.pixel_size, axis)
        if step is not None:
            out[f"weighted_{axis}_um"] = out[f"weighted_{axis}_px"] * step
    return out


def percentile_name(percentile: float) -> str:
    """Return the column of a percentile: ``p95``, ``p2_5``."""
    return "p" + f"{percentile:g}".replace(".", "_")


def _standardised(
    moment: NDArray[np.float64],
    second: NDArray[np.float64],
    n: NDArray[np.float64],
    power: int,
    flat: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return a standardised central moment; NaN where all values are equal."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value = (moment / n) / (second / n) ** (power / 2)
    return np.where(flat, np.nan, value)
