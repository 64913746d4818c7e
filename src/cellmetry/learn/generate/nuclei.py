"""Fluorescent nuclei: smooth bright shapes on a dark ground, with chromatin, mitoses, clumps and out-of-focus light."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from cellmetry.learn.generate.camera import expose_dark
from cellmetry.learn.generate.outlines import Outlines, Painted, Warp, paint, wavy
from cellmetry.learn.generate.placing import Layout, place
from cellmetry.learn.generate.textures import log_uniform, slope, smooth_noise, specks
from cellmetry.learn.generate.truth import settle, spread_over

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.learn.generate.camera import Drawn

__all__ = ["chromatin", "covered", "draw_nuclei", "gentle_warp", "nuclei_field", "nucleus_outlines"]

_LEAST_VISIBLE = 0.02


class _Crowd(NamedTuple):
    """Nuclei with the light of each."""

    outlines: Outlines
    light: NDArray[np.float64]
    smooth: NDArray[np.bool_]


def nuclei_field(field: Drawn) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return counts and true labels of a field of fluorescent nuclei."""
    crowd = draw_nuclei(field)
    warp = gentle_warp(field, 0.04)
    painted = paint(crowd.outlines, warp, light=crowd.light, edge=field.rng.uniform(0.08, 0.5))
    owner = settle(painted.owner, least_px=_LEAST_VISIBLE * field.diameter**2 + 4)
    added = covered(painted, crowd.light, field.rng.uniform(0, 0.5))
    light = added * _texture(owner, crowd.smooth, field)
    light = _optics(light, owner, field)
    return expose_dark(light, field), owner


def covered(painted: Painted, brightness: NDArray[np.float64], through: float) -> NDArray[np.float32]:
    """Return the light of the owners of pixels, and the part `through` of what covered cells add to it."""
    own = np.where(painted.owner > 0, spread_over(painted.owner, brightness), painted.light)
    return np.asarray(np.minimum(painted.light, own) + through * np.maximum(painted.light - own, 0), dtype=np.float32)


def gentle_warp(field: Drawn, amount: float) -> Warp:
    """Return displacements of about `amount` diameters, which make outlines irregular."""
    grain = field.diameter * field.rng.uniform(0.5, 1.2)
    size = np.float32(amount * field.diameter)
    return Warp(size * smooth_noise(field.rng, field.shape, grain), size * smooth_noise(field.rng, field.shape, grain))


def nucleus_outlines(
    rng: np.random.Generator, centre: NDArray[np.float64], radius_px: NDArray[np.float64], *, longest: float
) -> Outlines:
    """Return elliptic, slightly irregular outlines; `longest` is the largest ratio of length to width."""
    n = len(centre)
    ratio = np.sqrt(1 + (longest - 1) * rng.beta(1.2, 2.2, n))
    lobed = np.where(rng.random(n) < 0.12, 0.1, 0.03) * rng.uniform(0.5, 1.5)
    return Outlines(
        centre,
        np.stack([radius_px * ratio, radius_px / ratio], axis=1),
        rng.uniform(0, np.pi, n),
        wavy(rng, n, lobed),
        rng.normal(0, 0.12, n),
    )


def draw_nuclei(field: Drawn) -> _Crowd:
    """Return the nuclei of a field: most at rest, some in mitosis, some shrunken and bright, some faint."""
    rng = field.rng
    crowded = field.style == "crowded"
    centre, radius = place(
        rng,
        field.shape,
        field.diameter,
        Layout(
            density=field.density * (1.0 if crowded else rng.uniform(0.25, 0.9)),
            spread=rng.uniform(0.06, 0.28),
            gap=rng.uniform(0.72, 0.92) if crowded else rng.uniform(0.86, 1.05),
            clumping=rng.uniform(0.3, 0.9) if crowded else rng.uniform(0.0, 0.5),
            patchy=rng.uniform(0, 1),
        ),
    )
    outlines = nucleus_outlines(rng, centre, radius, longest=rng.uniform(1.2, 2.4))
    light = np.exp(rng.normal(0, rng.uniform(0.08, 0.6), len(centre)))
    outlines, light, smooth = _divide(rng, outlines, light)
    return _Crowd(outlines, light, smooth)


def _divide(
    rng: np.random.Generator, outlines: Outlines, light: NDArray[np.float64]
) -> tuple[Outlines, NDArray[np.float64], NDArray[np.bool_]]:
    """Return the nuclei with some condensed: metaphase plates, pairs in anaphase, dead ones; and which they are."""
    n = len(outlines)
    draw, often = rng.random(n), rng.choice([0.0, 0.01, 0.04])
    plate, pair, dead = draw < often, (draw >= often) & (draw < 1.5 * often), (draw > 1 - often)
    smooth = plate | pair | dead
    axes = outlines.axes.copy()
    axes[plate] *= [0.85, 0.5]
    axes[dead] *= rng.uniform(0.4, 0.7)
    axes[pair] *= [0.75, 0.45]
    light = light * np.where(smooth, rng.uniform(1.3, 2.6, n), 1.0)
    across = np.stack([np.cos(outlines.angle), -np.sin(outlines.angle)], axis=1)
    away = across * (axes[:, 1] * rng.uniform(1.15, 2.2, n))[:, None] * pair[:, None]
    radius = np.where(smooth[:, None], wavy(rng, n, 0.13), outlines.radius)
    outlines = replace(outlines, radius=radius, axes=axes)
    first = replace(outlines, centre=outlines.centre + away)
    second = replace(outlines, centre=outlines.centre - away).select(pair)
    both = Outlines(*(np.concatenate(each) for each in zip(_columns(first), _columns(second), strict=True)))
    return both, np.concatenate([light, light[pair]]), np.concatenate([smooth, smooth[pair]])


def _columns(outlines: Outlines) -> tuple[NDArray[np.floating], ...]:
    return outlines.centre, outlines.axes, outlines.angle, outlines.radius, outlines.bend


def chromatin(field: Drawn, *, coarse: float, depth: float) -> NDArray[np.float32]:
    """Return a factor about 1: how unevenly DNA fills a nucleus; details are `coarse` diameters wide."""
    fine = smooth_noise(field.rng, field.shape, max(1.5, coarse * field.diameter))
    broad = smooth_noise(field.rng, field.shape, max(2.5, 3 * coarse * field.diameter))
    return np.maximum(1 + np.float32(depth) * (0.65 * fine + 0.5 * broad), np.float32(0.15))


def _texture(owner: NDArray[np.int32], smooth: NDArray[np.bool_], field: Drawn) -> NDArray[np.float32]:
    """Return the factor by which chromatin, spots and nucleoli change the light of the nuclei."""
    rng = field.rng
    factor = chromatin(field, coarse=rng.uniform(0.05, 0.2), depth=rng.uniform(0.02, 0.3))
    inside = (owner > 0).astype(np.float32)
    n = len(np.unique(owner)) - 1
    size = max(0.6, field.diameter * rng.uniform(0.03, 0.06))
    if field.style == "spotted":
        factor += rng.uniform(0.5, 1.6) * specks(rng, inside, n * rng.uniform(3, 9), size)
    if rng.random() < 0.5:
        hollow = specks(rng, inside, n * rng.uniform(0.5, 3), size * rng.uniform(1.0, 1.8))
        factor -= rng.uniform(0.15, 0.6) * np.minimum(hollow, 1)
    dense = spread_over(owner, smooth.astype(np.float64), outside=1.0) > 0
    return np.where(dense, np.float32(1), np.maximum(factor, np.float32(0.1)))


def _optics(light: NDArray[np.float32], owner: NDArray[np.int32], field: Drawn) -> NDArray[np.float32]:
    """Return light through a microscope: focus that differs from place to place, stray light, uneven background."""
    rng = field.rng
    sharp = field.blurred(light, 0.015, 0.5)
    depth = np.clip(smooth_noise(rng, field.shape, 2.5 * field.diameter) - rng.uniform(0.2, 2.2), 0, 1)
    soft = gaussian_filter(light, 0.4 + rng.uniform(0.04, 0.1) * field.diameter)
    seen = sharp + depth * (soft - sharp)
    stray = gaussian_filter(light, rng.uniform(0.3, 1.0) * field.diameter, truncate=2.5)
    seen = seen + rng.uniform(0, 0.18) * stray
    if rng.random() < 0.25:
        seen += _ghosts(field)
    ground = log_uniform(rng, 0.005, 0.25) * slope(rng, field.shape, rng.uniform(0, 0.8))
    return np.asarray((seen * field.contrast + ground) * slope(rng, field.shape, rng.uniform(0, 0.35)), np.float32)


def _ghosts(field: Drawn) -> NDArray[np.float32]:
    """Return the weak light of things far out of focus and of debris, which nobody would outline."""
    rng = field.rng
    everywhere = np.ones(field.shape, np.float32)
    n = field.shape[0] * field.shape[1] / field.diameter**2
    far = specks(rng, everywhere, 0.05 * n, field.diameter * rng.uniform(0.5, 0.9))
    dirt = specks(rng, everywhere, 0.04 * n, max(0.7, field.diameter * 0.03))
    return np.float32(rng.uniform(0.02, 0.15)) * far + np.float32(rng.uniform(0.1, 0.5)) * dirt
