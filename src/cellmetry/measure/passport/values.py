"""What the passport measures of the objects of a block, before anything is compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from cellmetry.measure.hull import hulls_of
from cellmetry.measure.intensity import first_moments
from cellmetry.measure.passport.blur import blur_px, reach_of_scale
from cellmetry.measure.passport.surroundings import joined_block, ring_block, wide_block
from cellmetry.measure.ranks import order_statistics
from cellmetry.ops.quotient import quotient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cellmetry.measure.blocks import Block
    from cellmetry.measure.fields import Field
    from cellmetry.measure.passport.options import PassportOptions

__all__ = ["Judged", "block_values"]

_QUARTILES = np.array([0.25, 0.5, 0.75])
_SPREAD_OF_NORMAL = 1.3489795003921634  # between the quartiles
_ROUNDING = 1 / 12  # variance of whole numbers round the true value


@dataclass(frozen=True)
class Judged:
    """One plane or volume and all that is judged of it.

    Parameters
    ----------
    pixels, original
        The field with the pixels that are judged, and with those of the detector; the same object where they agree.
    confidence
        The field with the map of probabilities, if there is one.
    limits
        Index of each channel to judge, by its name in columns, with the stored value from which it is saturated.
    """

    pixels: Field
    original: Field
    confidence: Field | None
    limits: Mapping[str, tuple[int, float]]


@dataclass(frozen=True)
class _Parts:
    """A block, and its objects with their surroundings."""

    wide: Block
    options: PassportOptions

    @cached_property
    def background(self) -> Block:
        return ring_block(self.wide, self.options.ring_gap_px, self.options.ring_width_px)

    @cached_property
    def with_outline(self) -> Block:
        return joined_block(self.wide, ring_block(self.wide, 0, self.options.focus_margin_px))

    @cached_property
    def beyond_outline(self) -> Block:
        return ring_block(self.wide, 0, self.options.outline_px)


@njit(cache=True, nogil=True)
def _count_at_border(runs: Any, y0: int, height: int, width: int) -> Any:
    start, _, y, x0, x1 = runs
    out = np.zeros(start.size - 1, np.int64)
    for k in range(out.size):
        for i in range(start[k], start[k + 1]):
            whole_row = y[i] + y0 == 0 or y[i] + y0 == height - 1
            ends = int(x0[i] == 0) + int(x1[i] == width)
            out[k] += x1[i] - x0[i] if whole_row else min(ends, x1[i] - x0[i])
    return out


@njit(cache=True, nogil=True)
def _count_from(image: Any, runs: Any, limit: float) -> Any:
    start, z, y, x0, x1 = runs
    out = np.zeros(start.size - 1, np.int64)
    for k in range(out.size):
        for i in range(start[k], start[k + 1]):
            for x in range(x0[i], x1[i]):
                out[k] += np.float64(image[z[i], y[i], x]) >= limit
    return out


def block_values(block: Block, judged: Judged, options: PassportOptions) -> dict[str, NDArray[Any]]:
    """Return the measured columns of the objects of a block; those that only comparisons need begin with ``_``."""
    height, width = block.field.image.sizes["Y"], block.field.image.sizes["X"]
    out: dict[str, NDArray[Any]] = {"label": block.objects.ids.astype(np.int64)}
    out["border_px"] = _count_at_border(block.runs, block.box.y0, height, width)
    out["_size"] = block.areas
    if not block.field.volume:
        out["_solidity"] = block.areas / hulls_of(block).convex_px
    parts = _Parts(wide_block(block, _reach(options)), options)
    for name, (channel, limit) in judged.limits.items():
        for column, values in _channel_values(parts, judged, channel, limit).items():
            out[f"{column}_{name}"] = values
    return {**out, **_confidence(parts, judged.confidence)}


def _reach(options: PassportOptions) -> int:
    """Return how far from an object in px what decides its values lies; `wide_block` doubles it."""
    rings = max(options.ring_gap_px + options.ring_width_px, options.focus_margin_px, options.outline_px)
    return max(rings, options.focus_margin_px + reach_of_scale(options.focus_scale_px))


def _channel_values(parts: _Parts, judged: Judged, channel: int, limit: float) -> dict[str, NDArray[Any]]:
    wide = parts.wide
    pixels = wide.read_channel(channel)
    shared = judged.original is judged.pixels
    stored = pixels if shared else replace(wide, field=judged.original).read_channel(channel)
    n, total, _, _ = first_moments(wide, pixels).T
    mean = quotient(total, n)
    background, noise = _background(parts, pixels)
    signal = np.abs(mean - background)
    return {
        "saturated_fraction": _count_from(stored, wide.runs, limit) / wide.areas,
        "blur_px": blur_px(parts.with_outline, pixels, parts.options.focus_scale_px),
        "local_background": background,
        "contrast_to_noise": _over(signal, noise),
        "_signal": signal,
        "_noise": noise,
    }


def _background(parts: _Parts, pixels: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return median and noise of the ring round each object; missing where the ring is too small."""
    rings = parts.background
    low, middle, high = order_statistics(rings, pixels, _QUARTILES).T
    rounding = _ROUNDING if rings.field.image.dtype.kind in "bui" else 0.0
    noise = np.sqrt(((high - low) / _SPREAD_OF_NORMAL) ** 2 + rounding)
    small = rings.areas < parts.options.least_ring_px
    return np.where(small, np.nan, middle), np.where(small, np.nan, noise)


def _over(signal: NDArray[np.float64], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the quotient; without noise, infinite for any signal and 0 for none."""
    out = np.where(signal > 0, np.inf, np.where(np.isnan(signal), np.nan, 0.0))
    np.divide(signal, noise, out=out, where=~(noise == 0))
    return out


def _confidence(parts: _Parts, field: Field | None) -> dict[str, NDArray[np.float64]]:
    """Return the mean probability in each object, and how far it falls to the background at its outline."""
    if field is None:
        return {}
    wide = replace(parts.wide, field=field)
    pixels = wide.read_channel(0)
    means = []
    for block in (wide, parts.beyond_outline):
        n, total, _, _ = first_moments(block, pixels).T
        means.append(quotient(total, n))
    return {"confidence": means[0], "outline_step": means[0] - means[1]}
