"""Phase contrast: grey cells with dark insides and bright halos on grey ground, rounded ones as bright rings.

The objective's ring passes the difference between the thickness at a place and its wider surround, which makes the halo
(Zernike 1942); here the surround is a Gaussian mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

from cellmetry.learn.generate.camera import expose_bright
from cellmetry.learn.generate.outlines import paint
from cellmetry.learn.generate.textures import log_uniform, slope, smooth_noise, specks
from cellmetry.learn.generate.thickness import grow_cells, optical_thickness
from cellmetry.learn.generate.truth import spread_over

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.learn.generate.camera import Drawn
    from cellmetry.learn.generate.thickness import LivingCells

__all__ = ["phase_field", "phase_light"]

_NEGATIVE = 0.15


def phase_field(field: Drawn) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return counts and true labels of a phase-contrast field."""
    cells = grow_cells(field)
    return expose_bright(phase_light(cells, field), field), cells.owner


def phase_light(cells: LivingCells, field: Drawn, density: NDArray[np.float64] | None = None) -> NDArray[np.float32]:
    """Return the light of a phase-contrast field, about 1 on empty ground.

    Parameters
    ----------
    density
        (n,) optical density of each cell as a part of what is usual; 1 if not given. What is near 0 is not seen.
    """
    rng = field.rng
    thickness = optical_thickness(cells, field)
    thickness *= ~_rounded_pixels(cells)
    if density is not None:
        thickness *= spread_over(cells.owner, density)
    sign = -1.0 if rng.random() < _NEGATIVE else 1.0
    seen = sign * _ring_contrast(thickness, field) + _rounded_light(cells, field)
    seen += rng.uniform(0.02, 0.12) * _ground(field)
    seen = field.blurred(seen.astype(np.float32), 0.006, 0.7)
    strength = field.contrast * rng.uniform(0.12, 0.4)
    light = np.maximum(1 + strength * _soft_limit(seen), 0) * slope(rng, field.shape, rng.uniform(0, 0.15))
    return np.asarray(light, dtype=np.float32)


def _ring_contrast(thickness: NDArray[np.float32], field: Drawn) -> NDArray[np.float32]:
    """Return the light of a thickness: dark where it is thicker than its surround, bright where thinner."""
    rng = field.rng
    wide = gaussian_filter(thickness, np.clip(rng.uniform(0.08, 0.2) * field.diameter, 2, 14))
    near = gaussian_filter(thickness, np.clip(rng.uniform(0.025, 0.06) * field.diameter, 0.9, 4))
    halo = (thickness > 0).astype(np.float32) * gaussian_filter(thickness, 0.4 * field.diameter)
    halo = gaussian_filter(halo, np.clip(rng.uniform(0.02, 0.05) * field.diameter, 1.0, 4)) * (thickness <= 0)
    passed = 0.7 * thickness - rng.uniform(0.4, 0.68) * wide + rng.uniform(0.6, 1.6) * (thickness - near)
    return np.asarray(rng.uniform(0.5, 3.5) * halo - passed, dtype=np.float32)


def _soft_limit(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return contrast that levels off, later in the bright than in the dark."""
    return np.where(seen > 0, 4 * np.tanh(seen / 4), 2.2 * np.tanh(seen / 2.2)).astype(np.float32)


def _rounded_pixels(cells: LivingCells) -> NDArray[np.bool_]:
    table = np.concatenate([[False], cells.rounded])
    return np.asarray(table[cells.owner])


def _rounded_light(cells: LivingCells, field: Drawn) -> NDArray[np.float32]:
    """Return the light of rounded cells: a bright ring inside the edge, a dark or bright middle, a thin halo."""
    rng = field.rng
    if not cells.rounded.any():
        return np.zeros(field.shape, np.float32)
    round_ones = cells.outlines.select(cells.rounded)
    inner = paint(round_ones, cells.warp)
    inside = _rounded_pixels(cells)
    middle, width = rng.uniform(0.65, 0.95), log_uniform(rng, 0.05, 0.2)
    ring = np.exp(-0.5 * ((inner.depth - middle) / width) ** 2)
    core = np.clip(1 - inner.depth / (middle - 0.3 * width), 0, 1) * rng.uniform(-5, 2)
    body = rng.uniform(2, 7) * ring + core * (1 + 0.4 * smooth_noise(rng, field.shape, max(2, 0.08 * field.diameter)))
    light = np.where(inside, body, 0).astype(np.float32)
    surround = gaussian_filter(inside.astype(np.float32), max(1.0, 0.06 * field.diameter))
    rim = rng.uniform(-2, 3) * surround * ~inside
    return np.asarray(gaussian_filter(light, 0.6) + rim, dtype=np.float32)


def _ground(field: Drawn) -> NDArray[np.float32]:
    """Return the unevenness of an empty dish: grain, dirt with a bright surround, slow clouds."""
    rng = field.rng
    n = field.shape[0] * field.shape[1] / 1e4
    size = float(np.clip(field.diameter * rng.uniform(0.01, 0.03), 0.7, 3))
    patches = np.exp(1.5 * smooth_noise(rng, field.shape, 10 * size)).astype(np.float32)
    dirt = specks(rng, patches, log_uniform(rng, 0.5, 40) * n, size)
    dirt -= gaussian_filter(dirt, 2 * size)
    grain = smooth_noise(rng, field.shape, rng.uniform(2, 6))
    clouds = smooth_noise(rng, field.shape, rng.uniform(30, 120))
    return np.asarray(0.7 * grain + rng.uniform(0, 1.5) * clouds - rng.uniform(2, 8) * dirt, dtype=np.float32)
