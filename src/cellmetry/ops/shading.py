"""Shading from many fields: the flat-field, and the dark-field if asked for, without a reference image.

The model is that of BaSiC (Peng et al. 2017, Nat Commun 8:14836): field i is seen as aᵢ·flat + dark + what lies in it.
The flat-field is smooth - few and long cosines (DCT) make it -, and what lies in a field is sparse against the others.
Both are found by an augmented Lagrangian (Lin et al. 2010, arXiv:1009.5055) whose weights are renewed (Candès et al.
2008, J Fourier Anal Appl 14:877) until the flat-field no longer changes. It differs from the paper in two ways: pixels
are not sorted over the fields, and the dark-field is, at each place, the intercept of the fields over brightness aᵢ.
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

_START, _GROWTH, _STEPS, _EXACT = 12.5, 1.5, 500, 1e-5
"""Of the augmented Lagrangian: first stiffness times the largest singular value, its growth a step, most steps, and the
share of the fields that may be left unexplained."""
_COST = 0.5 / 400
"""Of the paper's authors: cost of a cosine of the flat-field as a share of the sum of those of the mean field."""
_SOFTENING = 0.1
"""Of the paper: added to what a layer leaves unexplained, in shares of its brightness, before its weight is taken."""
_BACKGROUND_PERCENT = 20
_FEWEST_HALVED = 4


class ShadingOptions(Parameters):
    """How shading is estimated."""

    working_px: int = Field(default=128, ge=16, le=1024)
    """Side of the square to which fields are made smaller for the estimate."""
    smoothness: float = Field(default=0.5, gt=0, le=100)
    """How much each cosine of the flat-field costs, in the paper's own measure: higher is smoother."""
    half_waves: int = Field(default=24, ge=1, le=1024)
    """Finest structure of flat-field and dark-field: at most so many half waves across the field."""
    dark_field: bool = False
    """Whether the dark-field is estimated too; else it is taken as 0 and what it adds counts as light."""
    dark_smoothness: float = Field(default=0.5, gt=0, le=100)
    """The same of the dark-field."""
    least_spread: float = Field(default=0.05, ge=0, lt=1)
    """Least coefficient of variation of the fields' background (their 20th percentile) for a dark-field: where it is
    always the same, the dark-field cannot be told from light."""
    largest_error: float = Field(default=0.02, gt=0, lt=1)
    """Root mean square error of the flat-field, told from its two halves, above which there is a warning."""
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
    error
        Root mean square error of `flat` that chance makes, as a share: half the difference of the estimates from the
        first and the second half of the fields. NaN with fewer than 4 fields.
    warnings
        Plain sentences about what is doubtful.
    """

    flat: NDArray[np.float32]
    dark: NDArray[np.float32]
    n_fields: int
    error: float
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
    if options.dark_field:
        _refuse_equal(small, options.least_spread)
    parts, change = _renew(small / np.float32(level), options)
    error = _error_by_halves(small, options)
    doubts = _doubts(len(stack), change, error, options)
    found = Shading(_single(parts.flat), _single(parts.dark * level), len(stack), error, doubts)
    return found.enlarged(shape)


def _refuse_equal(fields: NDArray[np.float32], least: float) -> None:
    """Refuse to tell a dark-field from fields of one brightness."""
    background = np.percentile(fields, _BACKGROUND_PERCENT, axis=(1, 2))
    spread = float(background.std() / max(background.mean(), 1e-12))
    if spread < least:
        raise InputError(
            f"The background of the fields varies by {spread:.1%} only (at least {least:.1%} is needed), so the "
            f"dark-field cannot be told from light; take a picture without light, or leave the dark-field out."
        )


def _error_by_halves(fields: NDArray[np.float32], options: ShadingOptions) -> float:
    """Return the root mean square error of the flat-field that chance makes, told from two halves of the fields."""
    if len(fields) < _FEWEST_HALVED:
        return float("nan")
    middle = len(fields) // 2
    first, second = (_renew(part / part.mean(), options)[0].flat for part in (fields[:middle], fields[middle:]))
    return float(np.sqrt(((first - second) ** 2).mean()) / 2)


def _single(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return values.astype(np.float32)


def shrink_field(field: NDArray[Any], side: int) -> NDArray[np.float32]:
    """Return one field (Y, X) made smaller to at most `side` × `side` pixels, each the mean of those it covers.

    Raises
    ------
    InputError
        If a pixel is NaN or infinite.
    """
    if not np.isfinite(field).all():
        raise InputError("A field has pixels that are NaN or infinite; shading is estimated from images as taken.")
    rows = _shrink_rows(field.astype(np.float64), side)
    return _single(_shrink_rows(rows.T, side).T)


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
    """Fields taken apart: brightness (N,), flat and dark (Y, X), and what lies in them (N, Y, X)."""

    brightness: NDArray[np.float64]
    flat: NDArray[np.float64]
    dark: NDArray[np.float64]
    rest: NDArray[np.float32]


def _renew(fields: NDArray[np.float32], options: ShadingOptions) -> tuple[_Parts, float]:
    """Return fields of mean 1 taken apart, and by how much the flat-field changed in the last round."""
    weights = np.ones_like(fields)
    before = np.ones(fields.shape[1:])
    for _ in range(options.rounds):
        parts = _take_apart(fields, weights, options)
        change = float(np.abs(parts.flat - before).mean())
        if change <= options.tolerance:
            break
        before = parts.flat
        relative = np.abs(parts.rest) / np.maximum(_single(parts.brightness), 1e-9)[:, None, None]
        weights = np.asarray(1 / (relative + np.float32(_SOFTENING)), dtype=np.float32)
        weights /= weights.mean()
    return parts, change


def _take_apart(fields: NDArray[np.float32], weights: NDArray[np.float32], options: ShadingOptions) -> _Parts:
    """Return brightness ⊗ flat + dark + rest of the fields, rest being sparse by its weights."""
    cosines, finest = _dct(fields.mean(axis=0, dtype=np.float64)), options.half_waves
    cost = options.smoothness * _COST * float(np.abs(cosines).sum())
    stiff, unexplained = _START / _largest_singular(fields), _EXACT * float(np.linalg.norm(fields))
    brightness, dark = np.ones(len(fields)), np.zeros(fields.shape[1:])
    rest, pull = np.zeros_like(fields), np.zeros_like(fields)
    base = _base(brightness, _inverse(cosines), dark)
    for _ in range(_STEPS):
        left = fields - base + pull / np.float32(stiff)
        cosines = _fewer(cosines + _dct((left - rest).mean(axis=0, dtype=np.float64)), cost / stiff, finest)
        flat = _inverse(cosines)
        left += base - (base := _base(brightness, flat, dark))
        rest = _shrink(left, weights / np.float32(stiff))
        plain = fields - rest
        brightness = np.maximum((plain - _single(dark)).mean(axis=(1, 2), dtype=np.float64), 0)
        brightness /= brightness.mean()
        if options.dark_field:
            dark = _fewer(_dct(_dark_of(plain, brightness, flat)), options.dark_smoothness * cost / stiff, finest)
            dark = _bounded(_inverse(dark), float(fields.min()))
        missing = plain - base
        pull += np.float32(stiff) * missing
        stiff *= _GROWTH
        if np.linalg.norm(missing) < unexplained:
            break
        base = _base(brightness, flat, dark)
    level = float(flat.mean())
    return _Parts(brightness * level, flat / level, dark, rest)


def _base(brightness: NDArray[np.float64], flat: NDArray[np.float64], dark: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return brightness ⊗ flat + dark."""
    return _single(brightness)[:, None, None] * _single(flat) + _single(dark)


def _bounded(dark: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """Return a dark-field that is nowhere below 0 and not above the darkest pixel in its mean."""
    return np.maximum(dark - max(0.0, float(dark.mean()) - max(least, 0.0)), 0)


def _fewer(cosines: NDArray[np.float64], cost: float, finest: int) -> NDArray[np.float64]:
    """Return cosines of up to `finest` half waves, all but the mean drawn towards 0 by at most `cost`."""
    mean = cosines[0, 0]
    fewer = np.sign(cosines) * np.maximum(np.abs(cosines) - cost, 0)
    fewer[0, 0] = mean
    fewer[finest + 1 :] = 0
    fewer[:, finest + 1 :] = 0
    return fewer


def _shrink(values: NDArray[np.float32], by: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values drawn towards 0 by at most `by`."""
    return values - np.clip(values, -by, by)


def _dct(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(fft.dctn(values, norm="ortho"))


def _inverse(cosines: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(fft.idctn(cosines, norm="ortho"))


def _largest_singular(fields: NDArray[np.float32]) -> float:
    rows = fields.reshape(len(fields), -1).astype(np.float64)
    return float(np.sqrt(np.linalg.eigvalsh(rows @ rows.T)[-1]))


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
    fields: NDArray[np.float32], brightness: NDArray[np.float64], flat: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the intercept of the fields over their brightness, without its part that rises with the flat-field."""
    spread = brightness - brightness.mean()
    slope = np.tensordot(spread, fields, 1) / max(float((spread**2).sum()), 1e-12)
    intercept = fields.mean(axis=0, dtype=np.float64) - slope * brightness.mean()
    even = flat / flat.mean()
    lean = even - 1
    light = float((intercept * lean).sum()) / max(float((lean**2).sum()), 1e-12)
    return np.asarray(intercept - light * even)


def _doubts(count: int, change: float, error: float, options: ShadingOptions) -> tuple[str, ...]:
    """Return sentences about what makes the estimate doubtful."""
    found = []
    if count < options.enough_fields:
        found.append(
            f"Shading was estimated from {count} fields only: cells that happen to lie in one place are taken for "
            f"light. Use {options.enough_fields} or more, of one microscope, objective and channel."
        )
    if error > options.largest_error:
        found.append(
            f"The flat-fields of the first and the second half of the fields differ, so that its error is about "
            f"{error:.1%}: cells cover too much of the fields, or fields are too few or not of one microscope."
        )
    if change > options.tolerance:
        found.append(
            f"The flat-field still changed by {change:.2%} in the last of {options.rounds} rounds; allow more rounds "
            f"or give more fields."
        )
    return tuple(found)
