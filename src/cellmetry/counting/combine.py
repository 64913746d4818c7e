"""Two counts of one image made into one, with an interval.

Objects are counted by instances (N, labelled objects) and by density (D, the sum of a map). Where cells overlap, one
counter misses what the other finds, so each direction of disagreement has its own weight. The joint count lies
between the two, on the scale of square roots, on which counts of all sizes scatter alike (Bartlett, *J. R. Stat. Soc.
Suppl.* 1936), and never falls when either counter rises:

    √C = √N + toward_more · max(√D - √N, 0) - toward_fewer · max(√N - √D, 0)

Its interval is every whole number within ``factor · spread`` of C, and the nearest whole number to C:

    spread = (1 + C)^growth · (1 + pull · disagreement),   disagreement = |N - D| / √(1 + (N + D) / 2)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from cellmetry.models.count_calibration import CountCalibration

__all__ = ["Counts", "Interval", "disagreement", "interval", "joint_count", "nearest_whole", "scores", "spread"]

_EVEN = (0.5, 0.5)
"""Weights where no calibration says better: half way between the two."""

_ROUNDING = 1e-9
"""Share of the count by which intervals are widened, so that rounding never leaves out a number at their very end."""


class Counts(NamedTuple):
    """The two counts of some images, one entry each; where there is one counter only, both are its counts."""

    instances: NDArray[np.float64]
    density: NDArray[np.float64]


class Interval(NamedTuple):
    """Lowest and highest count, whole numbers, one entry an image."""

    low: NDArray[np.int64]
    high: NDArray[np.int64]


def disagreement(counts: Counts) -> NDArray[np.float64]:
    """Return by how much the two counters differ, in units of the scatter that counts of this size have."""
    mean = (counts.instances + np.maximum(counts.density, 0)) / 2
    return np.abs(counts.instances - counts.density) / np.sqrt(1 + mean)


def joint_count(counts: Counts, calibration: CountCalibration | None = None) -> NDArray[np.float64]:
    """Return the joint count C, between the two; not rounded."""
    more, fewer = _EVEN if calibration is None else (calibration.toward_more, calibration.toward_fewer)
    return joined(counts, more, fewer)


def joined(counts: Counts, more: ArrayLike, fewer: ArrayLike) -> NDArray[np.float64]:
    """Return the joint count for given weights, which are broadcast against the images."""
    root = np.sqrt(counts.instances)
    gap = np.sqrt(np.maximum(counts.density, 0)) - root
    return np.asarray((root + np.where(gap > 0, more, fewer) * gap) ** 2, dtype=np.float64)


def nearest_whole(count: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the nearest whole number, halves upwards."""
    return np.floor(count + 0.5).astype(np.int64)


def spread(counts: Counts, calibration: CountCalibration) -> NDArray[np.float64]:
    """Return the unit of the error that is expected of each image."""
    size = (1 + joint_count(counts, calibration)) ** calibration.growth
    return np.asarray(size * (1 + calibration.pull * disagreement(counts)), dtype=np.float64)


def scores(counts: Counts, truth: NDArray[np.float64], calibration: CountCalibration) -> NDArray[np.float64]:
    """Return the smallest factor at which the interval of each image holds the true count."""
    count = joint_count(counts, calibration)
    error = np.abs(truth - count) / spread(counts, calibration)
    return np.where(truth == nearest_whole(count), 0.0, error)


def interval(counts: Counts, calibration: CountCalibration) -> Interval:
    """Return the interval of each image."""
    count = joint_count(counts, calibration)
    half = calibration.factor * spread(counts, calibration) + _ROUNDING * (1 + count)
    whole = nearest_whole(count)
    low = np.ceil(np.maximum(count - half, 0)).astype(np.int64)
    high = np.floor(count + half).astype(np.int64)
    return Interval(np.minimum(low, whole), np.maximum(high, whole))
