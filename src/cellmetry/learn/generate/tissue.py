"""Stained tissue in grey: dark nuclei on bright, textured ground; smears of large cells; dark cells."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

from cellmetry.learn.generate.camera import expose_bright
from cellmetry.learn.generate.nuclei import chromatin, covered, gentle_warp, nucleus_outlines
from cellmetry.learn.generate.outlines import Outlines, paint, roughen, wavy
from cellmetry.learn.generate.placing import Layout, place
from cellmetry.learn.generate.textures import fibres, slope, smooth_noise, specks
from cellmetry.learn.generate.truth import depth_px, settle, spread_over

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.learn.generate.camera import Drawn

__all__ = ["tissue_field"]

_LEAST_VISIBLE = 0.06
_UNFOCUSED = 0.12


def tissue_field(field: Drawn) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return counts and true labels of the nuclei (in blood: of the cells) of a stained section or smear."""
    rng = field.rng
    outlines = _lay_out(field)
    warp = gentle_warp(field, rng.uniform(0.02, 0.06))
    stain = np.exp(rng.normal(-0.1, rng.uniform(0.1, 0.45), len(outlines)))
    painted = paint(outlines, warp, light=stain, edge=rng.uniform(0.05, 0.2), in_front=True)
    owner = settle(painted.owner, least_px=_LEAST_VISIBLE * field.diameter**2 + 6)
    front = covered(painted, stain, rng.uniform(0.1, 0.5))
    dark = front * _nuclear_texture(owner, field)
    dark = _focused(dark.astype(np.float32), field)
    ground = _smear_ground(field, outlines) if field.style == "smear" else _stroma(field)
    density = field.contrast * rng.uniform(0.6, 1.6) * dark + ground
    light = np.exp(-density) * slope(rng, field.shape, rng.uniform(0, 0.15))
    return expose_bright(light.astype(np.float32), field), owner


def _lay_out(field: Drawn) -> Outlines:
    """Return the nuclei: crowded and overlapping, partly in one direction; few in a smear; round cells in blood."""
    rng = field.rng
    density = {"tissue": rng.uniform(0.08, 0.9), "smear": rng.uniform(0.05, 0.15), "blood": field.density}[field.style]
    centre, radius = place(
        rng,
        field.shape,
        field.diameter,
        Layout(
            density=density,
            spread=rng.uniform(0.08, 0.3),
            gap=rng.uniform(0.75, 1.05),
            clumping=rng.uniform(0, 0.7),
            patchy=rng.uniform(0, 1),
        ),
    )
    longest = rng.uniform(1.3, 4.0) if field.style == "tissue" else rng.uniform(1.1, 1.6)
    outlines = nucleus_outlines(rng, centre, radius, longest=longest)
    lobed = outlines.radius * wavy(rng, len(centre), rng.uniform(0.02, 0.12))
    outlines = replace(outlines, radius=roughen(rng, lobed, rng.uniform(0, 0.02)))
    if rng.random() < 0.6:
        turn = smooth_noise(rng, (32, 32), 12)
        y, x = (np.clip(centre[:, a] / field.shape[a] * 32, 0, 31).astype(int) for a in (0, 1))
        wander = rng.uniform(0.1, 0.8)
        angle = rng.uniform(0, np.pi) + rng.uniform(0.2, 1.2) * turn[y, x] + rng.normal(0, wander, len(centre))
        outlines = replace(outlines, angle=angle)
    return outlines


def _nuclear_texture(owner: NDArray[np.int32], field: Drawn) -> NDArray[np.float32]:
    """Return the factor by which chromatin, a dark rim, clearings and nucleoli change the stain."""
    rng = field.rng
    shown = len(np.unique(owner)) - 1
    inside = (owner > 0).astype(np.float32)
    factor = chromatin(field, coarse=rng.uniform(0.03, 0.1), depth=rng.uniform(0.15, 0.5))
    depth = depth_px(owner)
    n = int(owner.max(initial=0))
    wide = max(0.8, 0.05 * field.diameter)
    open_ones = spread_over(owner, np.clip(rng.normal(rng.uniform(-0.3, 0.5), 0.3, n), 0, 0.75))
    factor = factor * (1 - open_ones * (1 - np.exp(-np.maximum(depth - wide, 0) / wide)))
    size = max(0.6, field.diameter * rng.uniform(0.02, 0.05))
    factor = factor + rng.uniform(0, 0.8) * specks(rng, inside, shown * rng.uniform(0.5, 6), size)
    return np.asarray(np.maximum(factor, 0.12), dtype=np.float32)


def _focused(dark: NDArray[np.float32], field: Drawn) -> NDArray[np.float32]:
    """Return the absorption as an objective shows it, sharper in some places of the section than in others."""
    rng = field.rng
    sharp, soft = field.blurred(dark, 0.012, 0.6), field.blurred(dark, rng.uniform(0.03, 0.07), 1.0)
    depth = np.clip(0.5 + 0.6 * smooth_noise(rng, field.shape, 2 * field.diameter) - rng.uniform(-0.3, 1.0), 0, 1)
    return np.asarray(sharp + depth * (soft - sharp), dtype=np.float32)


def _stroma(field: Drawn) -> NDArray[np.float32]:
    """Return the absorption between nuclei: fibres, cytoplasm, clear spaces, and nuclei far out of focus."""
    rng = field.rng
    if field.style == "blood" and rng.random() < 0.6:
        return np.asarray(0.02 * smooth_noise(rng, field.shape, 3) + rng.uniform(0.02, 0.1), dtype=np.float32)
    weave = fibres(rng, field.shape, rng.uniform(2, 0.3 * field.diameter + 3), stretch=rng.uniform(2, 10))
    cloud = smooth_noise(rng, field.shape, field.diameter * rng.uniform(0.8, 3))
    fine = smooth_noise(rng, field.shape, rng.uniform(1.5, 4))
    level = rng.uniform(0.05, 0.45)
    texture = level * (1 + rng.uniform(0.1, 0.4) * weave + rng.uniform(0.1, 0.6) * cloud + 0.15 * fine)
    clear = np.clip(1.5 - 3 * (smooth_noise(rng, field.shape, field.diameter * 2) - rng.uniform(0, 1.5)), 0.1, 1)
    return np.asarray(np.maximum(texture, 0) * clear + _unfocused(field), dtype=np.float32)


def _unfocused(field: Drawn) -> NDArray[np.float32]:
    """Return the absorption of nuclei so far out of focus that nobody would outline them."""
    rng = field.rng
    if rng.random() < 0.4:
        return np.zeros(field.shape, np.float32)
    centre, radius = place(rng, field.shape, field.diameter, Layout(_UNFOCUSED * rng.uniform(0, 1), 0.2))
    far = paint(nucleus_outlines(rng, centre, radius, longest=2.0), gentle_warp(field, 0.03), edge=0.3).light
    soft = gaussian_filter(far, field.diameter * rng.uniform(0.12, 0.25))
    return np.asarray(rng.uniform(0.1, 0.5) * soft, dtype=np.float32)


def _smear_ground(field: Drawn, nuclei: Outlines) -> NDArray[np.float32]:
    """Return the thin, folded, overlapping cytoplasm of large cells around the nuclei."""
    rng, n = field.rng, len(nuclei)
    sizes = nuclei.axes.mean(axis=1) * rng.uniform(2.5, 5.0, n)
    axes = np.stack([sizes, sizes * rng.uniform(0.6, 1.0, n)], axis=1)
    shape = roughen(rng, wavy(rng, n, 0.18), 0.02)
    sheets = Outlines(nuclei.centre, axes, nuclei.angle, shape, rng.normal(0, 0.15, n))
    painted = paint(sheets, gentle_warp(field, 0.15), light=rng.uniform(0.05, 0.35, n), edge=0.02)
    creases = fibres(rng, field.shape, max(1.5, rng.uniform(0.08, 0.25) * field.diameter), stretch=rng.uniform(2, 5))
    folds = np.exp(
        rng.uniform(0.03, 0.2) * creases + rng.uniform(0, 0.25) * smooth_noise(rng, field.shape, field.diameter)
    )
    rods = specks(rng, (painted.owner > 0).astype(np.float32), rng.uniform(0, 10) * n, max(0.7, 0.03 * field.diameter))
    grain = 1 + rng.uniform(0.05, 0.25) * smooth_noise(rng, field.shape, 3)
    return np.asarray(painted.light * folds * grain + 0.2 * rods, dtype=np.float32)
