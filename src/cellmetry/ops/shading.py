"""Shading from many fields: the flat-field, and the dark-field if asked for, without a reference image.

The model is that of BaSiC (Peng et al. 2017, Nat Commun 8:14836): field i is seen as aᵢ·flat + dark + what is in it.
Pixels are sorted over the fields at each place, so that each layer is a picture of one rank (all lowest values, …),
in which the cells of single fields no longer stand. What all layers share is smooth - few cosines (DCT) make it -, the
rest is sparse. It is found by an augmented Lagrangian (Lin et al. 2010, arXiv:1009.5055) with weights renewed (Candès
et al. 2008, J Fourier Anal Appl 14:877) until the flat-field no longer changes. Where the paper bounds the dark-field by
rules, here it is the intercept, at each place, of the layers over their brightness aᵢ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field
from scipy import fft

from cellmetry.core.step import Parameters
from cellmetry.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Shading", "ShadingOptions", "estimate_shading", "shrink_field"]

_START, _GROWTH, _STEPS, _EXACT = 12.5, 1.5, 500, 1e-6
"""Of the augmented Lagrangian: first stiffness times the largest singular value, its growth a step, most steps, and the
share of the layers that may be left unexplained."""
_FLAT_COST, _DARK_COST = 0.5 / 400, 0.2 / 400
"""Of the paper: cost of a cosine of the flat-field and of the dark-field, times the sum of those of the mean layer."""
_SOFTENING = 0.1
"""Of the paper: added to what a layer leaves unexplained, in shares of its brightness, before its weight is taken."""
_NEARLY_EVEN = 0.01


class ShadingOptions(Parameters):
    """How shading is estimated."""

    working_px: int = Field(default=128, ge=16, le=1024)
    """Side of the square to which fields are made smaller for the estimate."""
    smoothness: float = Field(default=1.0, gt=0, le=100)
    """How much each cosine of the flat-field costs, in the paper's own measure: higher is smoother."""
    dark_field: bool = False
    """Whether the dark-field is estimated too; else it is taken as 0 and what it adds counts as light."""
    dark_smoothness: float = Field(default=1.0, gt=0, le=100)
    """The same of the dark-field."""
    enough_fields: int = Field(default=20, ge=2)
    """Fewer fields than this bring a warning."""
    rounds: int = Field(default=20, ge=1, le=1000)
    """Most times that weights are renewed."""
    tolerance: float = Field(default=1e-3, gt=0, lt=1)
    """Mean change of the flat-field from one round to the next at which it is found."""


@dataclass(frozen=True)
class Shading:
    """An estimated illumination.

    Parameters
    ----------
    flat
        Brightness of each place, float32 (Y, X), of mean 1.
    dark
        What is counted without light, float32 (Y, X), in the unit of the pixels; zeros where it was not estimated.
    n_fields
        From how many fields.
    warnings
        Plain sentences about what is doubtful.
    """

    flat: NDArray[np.float32]
    dark: NDArray[np.float32]
    n_fields: int
    warnings: tuple[str, ...] = ()

    def enlarged(self, shape: tuple[int, int]) -> Shading:
        """Return the shading of fields of `shape` pixels: the same cosines on a finer grid."""
        flat, dark = _enlarge(self.flat, shape), _enlarge(self.dark, shape)
        return replace(self, flat=(flat / flat.mean()).astype(np.float32), dark=dark.astype(np.float32))


def estimate_shading(stack: NDArray[Any], options: ShadingOptions | None = None) -> Shading:
    """Return the shading that all fields of a stack (N, Y, X) share, at the stack's size.

    Raises
    ------
    InputError
        If there are fewer than 2 fields, or no light in them.
    """
    options = options or ShadingOptions()
    if stack.ndim != 3 or len(stack) < 2:
        raise InputError(f"Shading needs two fields at least, as an array (N, Y, X), not one of shape {stack.shape}.")
    shape = (stack.shape[1], stack.shape[2])
    small = np.stack([shrink_field(field, options.working_px) for field in stack])
    level = float(small.mean())
    if not level > 0:
        raise InputError("The fields have no light in them (their mean is not above 0), so they show no shading.")
    layers = np.sort(small, axis=0) / level
    parts, change = _renew(layers, options)
    doubts = _doubts(len(stack), parts, change, options)
    found = Shading(parts.flat.astype(np.float32), (parts.dark * level).astype(np.float32), len(stack), doubts)
    return found.enlarged(shape)


def shrink_field(field: NDArray[Any], side: int) -> NDArray[np.float64]:
    """Return one field (Y, X) made smaller to at most `side` × `side` pixels, each the mean of those it covers.

    Raises
    ------
    InputError
        If a pixel is NaN or infinite.
    """
    if not np.isfinite(field).all():
        raise InputError("A field has pixels that are NaN or infinite; shading is estimated from images as taken.")
    shrunk: NDArray[np.float64] = field.astype(np.float64)
    for axis in (0, 1):
        shrunk = np.moveaxis(_shrink_rows(np.moveaxis(shrunk, axis, 0), side), 0, axis)
    return shrunk


def _shrink_rows(rows: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return means over equal parts of the first axis; a pixel on a border counts to both sides by its share."""
    size = len(rows)
    if size <= side:
        return rows
    total = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    at = np.linspace(0, size, side + 1)
    low = np.minimum(at.astype(np.int64), size - 1)
    until = total[low] + (at - low)[:, None] * rows[low]
    return np.asarray(np.diff(until, axis=0) * (side / size))


@dataclass(frozen=True)
class _Parts:
    """Layers taken apart: brightness (N,), flat and dark (Y, X), and what is left (N, Y, X)."""

    brightness: NDArray[np.float64]
    flat: NDArray[np.float64]
    dark: NDArray[np.float64]
    rest: NDArray[np.float64]


def _renew(
    layers: NDArray[np.float64], options: ShadingOptions
) -> tuple[_Parts, float]:
    """Return the layers taken apart, and by how much the flat-field changed in the last round."""
    weights = np.ones_like(layers)
    before = np.ones(layers.shape[1:])
    for _ in range(options.rounds):
        parts = _take_apart(layers, weights, options)
        change = float(np.abs(parts.flat - before).mean())
        if change <= options.tolerance:
            break
        before = parts.flat
        relative = np.abs(parts.rest) / np.maximum(parts.brightness, 1e-9)[:, None, None]
        weights = 1 / (relative + _SOFTENING)
        weights /= weights.mean()
    return parts, change


def _take_apart(layers: NDArray[np.float64], weights: NDArray[np.float64], options: ShadingOptions) -> _Parts:
    """Return brightness ⊗ flat + dark + rest of the layers, rest being sparse by its weights."""
    cosines = np.abs(_dct(layers.mean(axis=0))).sum()
    cost, dark_cost = options.smoothness * _FLAT_COST * cosines, options.dark_smoothness * _DARK_COST * cosines
    size = float(np.linalg.norm(layers))
    stiff = _START / _largest_singular(layers)
    brightness, flat = np.ones(len(layers)), layers.mean(axis=0)
    dark, rest, pull = np.zeros_like(flat), np.zeros_like(layers), np.zeros_like(layers)
    for _ in range(_STEPS):
        wanted = layers - rest + pull / stiff
        power = float((brightness**2).sum())
        mean = np.tensordot(brightness, wanted - dark, 1) / power
        flat = _smooth(mean, cost * len(layers) / (stiff * power))
        seen = brightness[:, None, None] * flat + dark
        rest = _shrink(layers - seen + pull / stiff, weights / stiff)
        brightness, flat = _rescaled(layers - rest - dark, flat)
        if options.dark_field:
            dark = _dark_of(layers - rest, brightness, flat, dark_cost / stiff)
        missing = layers - brightness[:, None, None] * flat - dark - rest
        pull += stiff * missing
        stiff *= _GROWTH
        if np.linalg.norm(missing) < _EXACT * size:
            break
    return _Parts(brightness, flat, dark, rest)


def _rescaled(layers: NDArray[np.float64], flat: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the brightness of layers that are multiples of `flat`, and `flat` scaled to mean 1."""
    flat = flat / flat.mean()
    return np.maximum(np.tensordot(layers, flat, 2) / (flat**2).sum(), 0), flat


def _shrink(values: NDArray[np.float64], by: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return values drawn towards 0 by at most `by`."""
    return np.asarray(np.sign(values) * np.maximum(np.abs(values) - by, 0))


def _smooth(values: NDArray[np.float64], cost: float) -> NDArray[np.float64]:
    """Return a picture of fewer and lower cosines."""
    return np.asarray(fft.idctn(_shrink(_dct(values), cost), norm="ortho"))


def _dct(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(fft.dctn(values, norm="ortho"))


def _largest_singular(layers: NDArray[np.float64]) -> float:
    flat = layers.reshape(len(layers), -1)
    return float(np.sqrt(np.linalg.eigvalsh(flat @ flat.T)[-1]))


def _enlarge(values: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return a picture's cosines at the pixels of a larger one."""
    if values.shape == shape:
        return values.astype(np.float64)
    cosines = _dct(values.astype(np.float64))
    rows, columns = (_cosines(small, large) for small, large in zip(values.shape, shape, strict=True))
    return np.asarray(rows @ cosines @ columns.T)


def _cosines(small: int, large: int) -> NDArray[np.float64]:
    """Return the inverse of an orthonormal DCT of `small` values, at `large` places: (large, small)."""
    place = (np.arange(large) + 0.5)[:, None] / large
    waves = np.cos(np.pi * place * np.arange(small)) * np.sqrt(2 / small)
    waves[:, 0] /= np.sqrt(2)
    return np.asarray(waves)


def _dark_of(
    layers: NDArray[np.float64], brightness: NDArray[np.float64], flat: NDArray[np.float64], cost: float
) -> NDArray[np.float64]:
    """Return the intercept of the layers over their brightness, without what is a multiple of the flat-field."""
    middle = brightness.mean()
    spread = brightness - middle
    slope = np.tensordot(spread, layers, 1) / max(float((spread**2).sum()), 1e-12)
    return _without_flat(layers.mean(axis=0) - slope * middle, flat)


def _without_flat(values: NDArray[np.float64], flat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values without their part that rises with the flat-field (which is light), their level kept."""
    lean = flat - flat.mean()
    return values - np.asarray((values * lean).sum() / max(float((lean**2).sum()), 1e-12)) * flat


def _doubts(count: int, parts: _Parts, change: float, options: ShadingOptions) -> tuple[str, ...]:
    """Return sentences about what makes the estimate doubtful."""
    found = []
    if count < options.enough_fields:
        found.append(
            f"Shading was estimated from {count} fields only: cells that happen to lie in one place are taken for light. "
            f"Use {options.enough_fields} or more, of one microscope, objective and channel."
        )
    if change > options.tolerance:
        found.append(
            f"The flat-field still changed by {change:.2%} in the last of {options.rounds} rounds; allow more rounds or "
            f"give more fields."
        )
    return tuple(found)
