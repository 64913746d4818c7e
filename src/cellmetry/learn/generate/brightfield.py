"""Brightfield and relief: nearly transparent cells by defocus or oblique light, with a stained channel of the same.

Defocus turns the curvature of a thickness into light (transport of intensity; Teague 1983), oblique light its slope.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude, gaussian_laplace

from cellmetry.learn.generate.camera import expose_bright, expose_dark
from cellmetry.learn.generate.cells import EVEN_STAIN, stained_cells
from cellmetry.learn.generate.textures import log_uniform, slope, smooth_noise, specks
from cellmetry.learn.generate.thickness import grow_cells, optical_thickness
from cellmetry.learn.generate.truth import depth_px

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.learn.generate.camera import Drawn
    from cellmetry.learn.generate.thickness import LivingCells

__all__ = ["brightfield_field"]

_SHAPES = ("spread", "spindle", "confluent", "round", "round")


def brightfield_field(field: Drawn) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
    """Return counts, true labels, and counts of the stained channel of the same cells."""
    rng, style = field.rng, field.style
    drawn = str(rng.choice(_SHAPES))
    field.style = field.cell_shape or drawn
    cells = grow_cells(field)
    thickness = _domed(cells, optical_thickness(cells, field), field)
    seen = _relief(thickness, field) if style == "relief" else _defocus(thickness, field)
    seen = seen / (float(np.std(seen)) + 1e-6)
    strength = field.contrast * log_uniform(rng, 0.03, 0.13)
    seen = 2.5 * np.tanh(seen / 2.5) + rng.uniform(0.05, 0.4) * _dish(field)
    light = np.maximum(1 + strength * seen, 0) * slope(rng, field.shape, rng.uniform(0, 0.35))
    light = gaussian_filter(light.astype(np.float32), rng.uniform(0.4, 0.9))
    return (
        expose_bright(light, field),
        cells.owner,
        expose_dark(stained_cells(cells, field, EVEN_STAIN), field),
    )


def _domed(cells: LivingCells, thickness: NDArray[np.float32], field: Drawn) -> NDArray[np.float32]:
    """Return the thickness with rounded cells made half-spheres."""
    rounded = np.concatenate([[False], cells.rounded])[cells.owner]
    part = np.clip(depth_px(cells.owner) / (0.5 * field.diameter), 0, 1)
    dome = field.rng.uniform(1.0, 3.0) * np.sqrt(np.maximum(part * (2 - part), 0)) + 0.3 * thickness
    return np.where(rounded, dome, thickness).astype(np.float32)


def _defocus(thickness: NDArray[np.float32], field: Drawn) -> NDArray[np.float32]:
    """Return dark and bright edges and rings, and a little absorption."""
    rng = field.rng
    near = float(np.clip(field.diameter * rng.uniform(0.015, 0.06), 0.8, 6))
    far = near * rng.uniform(1.6, 3.0)
    sign = rng.choice([-1.0, 1.0])
    edge = sign * near**2 * gaussian_laplace(thickness, near)
    ring = sign * rng.uniform(0.2, 1.2) * far**2 * gaussian_laplace(thickness, far)
    rim = rng.uniform(0, 1.0) * near * gaussian_gradient_magnitude(thickness, near)
    return np.asarray(edge + ring - rim - rng.uniform(0, 0.2) * gaussian_filter(thickness, near), dtype=np.float32)


def _relief(thickness: NDArray[np.float32], field: Drawn) -> NDArray[np.float32]:
    """Return the slope along one direction: cells lit from a side (differential interference contrast)."""
    angle = field.rng.uniform(0, 2 * np.pi)
    fine = float(np.clip(field.diameter * field.rng.uniform(0.01, 0.04), 0.7, 3))
    soft = gaussian_filter(thickness, fine)
    slopes = np.gradient(soft)
    return np.asarray(np.sin(angle) * slopes[0] + np.cos(angle) * slopes[1], dtype=np.float32)


def _dish(field: Drawn) -> NDArray[np.float32]:
    """Return grain, blotches and dirt of the dish and the optics."""
    rng = field.rng
    n = field.shape[0] * field.shape[1] / 1e4
    dirt = specks(rng, np.ones(field.shape, np.float32), rng.uniform(0, 6) * n, rng.uniform(0.8, 4))
    blotches = smooth_noise(rng, field.shape, rng.uniform(20, 100))
    return np.asarray(smooth_noise(rng, field.shape, rng.uniform(1.5, 5)) + blotches - 4 * dirt, dtype=np.float32)
