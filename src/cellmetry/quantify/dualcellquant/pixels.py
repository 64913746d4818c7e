"""Pixels as DualCellQuant sees them: grey values, saturation, background and normalisation of one plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from skimage.restoration import rolling_ball

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Background",
    "Normalisation",
    "Pick",
    "Preprocessing",
    "fractions_of",
    "native_maximum",
    "preprocess",
    "saturation_fraction",
]

Background = Literal["none", "rolling", "dark", "manual"]
Normalisation = Literal["none", "z", "robust", "minmax", "percentile"]
Pick = Literal["gray", "colour"]

_GREY = (0.2989, 0.5870, 0.1140)
_TINY = 1e-12
_SCALE = 255.0


class Preprocessing(NamedTuple):
    """What is done to stored values before they are measured.

    Parameters
    ----------
    background
        ``rolling``: a ball of `radius_px` rolled under the stored values, as scikit-image does; ``dark``: the mean of
        the pixels up to the `dark_percentile`; ``manual``: `manual`. What falls below 0 becomes 0.
    normalise
        ``z``: (v − mean) / SD; ``robust``: (v − median) / (1.4826 MAD); ``minmax``: 0 to 1; ``percentile``: 0 at the
        1st and 1 at the 99th percentile, cut off there.
    pick
        ``gray``: values are then weighted with 0.9999; ``colour``: they are not.
    """

    background: Background
    radius_px: int
    dark_percentile: float
    manual: float
    normalise: Normalisation
    pick: Pick


def native_maximum(plane: NDArray[Any]) -> float:
    """Return what the program takes as the largest possible value: that of the dtype, or of fractions the largest."""
    if plane.dtype.kind == "b":
        return 1.0
    if plane.dtype.kind in "iu":
        return float(np.iinfo(plane.dtype).max)
    return max(1.0, float(np.nanmax(plane, initial=1.0)))


def fractions_of(plane: NDArray[Any], pick: Pick) -> NDArray[np.float32]:
    """Return the plane as fractions of its `native_maximum`, cut to 0–1 and then weighted."""
    fractions = np.clip(plane.astype(np.float32) / np.float32(native_maximum(plane)), 0.0, 1.0)
    return _weighted(fractions, pick)


def saturation_fraction(limit: float, maximum: float) -> float:
    """Return the saturation limit, given on a scale to 255, as a fraction of `maximum`; at most 1."""
    native = limit if maximum <= _SCALE else limit * (maximum / _SCALE)
    return min(native, maximum) / maximum


def preprocess(plane: NDArray[Any], rule: Preprocessing) -> NDArray[np.float32]:
    """Return the stored values of a plane, float32, less their background, normalised and weighted, in this order."""
    values = _less_background(plane.astype(np.float32), rule)
    return _weighted(_normalised(values, rule.normalise).astype(np.float32, copy=False), rule.pick)


def _weighted(values: NDArray[np.float32], pick: Pick) -> NDArray[np.float32]:
    """Return the grey value of a picture whose three colours all are `values`: 0.9999 of them."""
    if pick == "colour":
        return values
    red, green, blue = _GREY
    return np.asarray(red * values + green * values + blue * values, np.float32)


def _less_background(values: NDArray[np.float32], rule: Preprocessing) -> NDArray[np.float32]:
    if rule.background == "none":
        return values
    level: Any = rule.manual
    if rule.background == "rolling":
        level = rolling_ball(values, radius=rule.radius_px)
    if rule.background == "dark":
        level = float(values[values <= np.nanpercentile(values, rule.dark_percentile)].mean())
    return np.asarray(np.clip(values - level, 0.0, None), np.float32)


def _normalised(values: NDArray[np.float32], method: Normalisation) -> NDArray[np.float32]:
    if method == "none":
        return values
    if method == "z":
        return (values - float(np.nanmean(values))) / (float(np.nanstd(values)) + _TINY)
    if method == "robust":
        middle = float(np.nanmedian(values))
        return (values - middle) / (1.4826 * float(np.nanmedian(np.abs(values - middle))) + _TINY)
    low, high = (float(end) for end in np.nanpercentile(values, (0, 100) if method == "minmax" else (1, 99)))
    if high <= low:
        return np.zeros_like(values)
    return np.asarray(np.clip((values - low) / (high - low), 0.0, 1.0), np.float32)
