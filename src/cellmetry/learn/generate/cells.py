"""Fluorescent whole cells: stained cytoplasm, membranes or fibres; sheets, spread and round cells."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from cellmetry.learn.generate.camera import expose_dark
from cellmetry.learn.generate.nuclei import chromatin, gentle_warp
from cellmetry.learn.generate.outlines import Outlines, paint, roughen, sprout, wavy
from cellmetry.learn.generate.placing import Layout, place
from cellmetry.learn.generate.textures import fibres, log_uniform, slope, smooth_noise, specks
from cellmetry.learn.generate.thickness import LivingCells, grow_cells
from cellmetry.learn.generate.truth import depth_px, settle, spread_over

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.learn.generate.camera import Drawn

__all__ = ["ANY_STAIN", "EVEN_STAIN", "Stain", "cells_field", "stained_cells"]

_LEAST_VISIBLE = 0.03


def cells_field(field: Drawn) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return counts and true labels of a field of stained whole cells."""
    cells = _lay_out(field)
    return expose_dark(stained_cells(cells, field), field), cells.owner


def _lay_out(field: Drawn) -> LivingCells:
    """Return the cells of a field: a closed sheet, cells spread far, or round ones."""
    rng = field.rng
    if field.style == "spread":
        return grow_cells(field)
    sheet = field.style == "sheet"
    centre, radius = place(
        rng,
        field.shape,
        field.diameter,
        Layout(
            density=1.0 if sheet else field.density,
            spread=rng.uniform(0.05, 0.3),
            gap=rng.uniform(0.62, 0.85) if sheet else rng.uniform(0.85, 1.0),
            clumping=0.0 if sheet else rng.uniform(0, 0.8),
            patchy=rng.choice([0.0, 0.8]) if sheet else rng.uniform(0, 1),
        ),
    )
    n = len(centre)
    ratio = np.sqrt(1 + rng.uniform(0.1, 1.2 if sheet else 0.5) * rng.beta(1.5, 1.5, n))
    shape = wavy(rng, n, rng.uniform(0.02, 0.12))
    if not sheet and rng.random() < 0.3:
        shape = sprout(rng, shape, rng.uniform(0, 3), length=0.5, width=0.15)
    axes = np.stack([radius * ratio, radius / ratio], axis=1) * (rng.uniform(1.2, 1.8) if sheet else 1.0)
    angle = rng.uniform(0, np.pi) + rng.normal(0, rng.uniform(0.3, 2.0), n)
    outlines = Outlines(centre, axes, angle, roughen(rng, shape, 0.01), np.zeros(n))
    warp = gentle_warp(field, rng.uniform(0.01, 0.07))
    owner = settle(paint(outlines, warp).owner, least_px=_LEAST_VISIBLE * field.diameter**2 + 6)
    return LivingCells(owner, outlines, warp, np.zeros(n, bool))


class Stain(NamedTuple):
    """How a stain spreads over cells.

    Parameters
    ----------
    cytoplasm
        Least part of it that is in the cytoplasm rather than at the membrane.
    uneven
        How uneven it may be inside a cell and between cells; 1 is what all kinds of stains show.
    """

    cytoplasm: float
    uneven: float


ANY_STAIN = Stain(0.0, 1.0)
EVEN_STAIN = Stain(0.7, 0.4)
"""A dye that fills living cells."""


def stained_cells(cells: LivingCells, field: Drawn, stain: Stain = ANY_STAIN) -> NDArray[np.float32]:
    """Return the light of cells stained in their cytoplasm, at their membranes, or both."""
    rng, n = field.rng, len(cells.outlines)
    depth = depth_px(cells.owner)
    least = np.array([stain.cytoplasm, 0.3 if field.style == "sheet" else 0.0])
    share = rng.dirichlet([1.0, 0.7]) * (1 - least.sum()) + least
    own = np.exp(rng.normal(0, stain.uneven * rng.uniform(0.1, 0.55), n))
    light = share[0] * _cytoplasm(cells, depth, field, stain) + share[1] * _membrane(cells, depth, field)
    light = light * spread_over(cells.owner, own) * _nuclear_factor(cells, field) ** stain.uneven
    if rng.random() < 0.3 * stain.uneven:
        light = light * _gaps(cells, depth, field)
    ground = log_uniform(rng, 0.005, 0.2) * slope(rng, field.shape, rng.uniform(0, 0.6))
    sharp = field.blurred(light.astype(np.float32), 0.01, 0.5)
    stray = gaussian_filter(light, rng.uniform(0.1, 0.6) * field.diameter, truncate=2.5)
    seen = sharp + rng.uniform(0, 0.35) * stray + ground
    return np.asarray(seen * slope(rng, field.shape, rng.uniform(0, 0.35)), dtype=np.float32)


def _cytoplasm(cells: LivingCells, depth: NDArray[np.float32], field: Drawn, stain: Stain) -> NDArray[np.float32]:
    """Return even, grained, fibrous or spotted light that is stronger where the cell is thicker."""
    rng = field.rng
    inside = cells.owner > 0
    thick = (depth / (0.4 * field.diameter)).clip(0, 1) ** rng.uniform(0.0, 1.0)
    light = inside * (rng.uniform(0.1, 0.9) + thick)
    light = light * chromatin(field, coarse=rng.uniform(0.03, 0.15), depth=stain.uneven * rng.uniform(0.05, 0.5))
    if rng.random() < 0.25 and stain.uneven == 1:
        light = light * np.exp(rng.uniform(0.1, 0.4) * fibres(rng, field.shape, max(1.2, 0.03 * field.diameter)))
    if rng.random() < 0.3:
        count = (len(np.unique(cells.owner)) - 1) * log_uniform(rng, 3, 40)
        spots = specks(rng, (inside * thick).astype(np.float32), count, max(0.6, 0.015 * field.diameter))
        light = light + rng.uniform(0.3, 2.0) * spots * inside
    return np.asarray(light, dtype=np.float32)


def _membrane(cells: LivingCells, depth: NDArray[np.float32], field: Drawn) -> NDArray[np.float32]:
    """Return light along the edges of cells, uneven, twice as bright where two cells meet."""
    rng = field.rng
    wide = max(0.7, field.diameter * rng.uniform(0.01, 0.05))
    line = np.exp(-np.maximum(depth - 1, 0) / wide) * (cells.owner > 0)
    uneven = np.clip(1 + rng.uniform(0.1, 0.6) * smooth_noise(rng, field.shape, 0.3 * field.diameter), 0.1, None)
    return np.asarray(rng.uniform(1.0, 3.0) * line * uneven, dtype=np.float32)


def _nuclear_factor(cells: LivingCells, field: Drawn) -> NDArray[np.float32]:
    """Return the factor by which the nucleus is darker or brighter than the cytoplasm."""
    rng = field.rng
    n = len(cells.outlines)
    part = rng.uniform(0.3, 0.5)
    axes = np.minimum(cells.outlines.axes, 1.5 * cells.outlines.axes[:, 1:]) * part
    off = rng.normal(0, 0.1, (n, 2)) * cells.outlines.axes[:, 1:]
    nuclei = replace(
        cells.outlines, axes=axes, centre=cells.outlines.centre + off, radius=wavy(rng, n, 0.03), bend=np.zeros(n)
    )
    core = np.minimum(paint(nuclei, cells.warp, edge=0.25).light, 1)
    change = rng.choice([-0.75, -0.4, -0.2, 0.0, 0.5, 1.5]) * rng.uniform(0.6, 1.2)
    return np.asarray(np.maximum(1 + change * core, 0.08), dtype=np.float32)


def _gaps(cells: LivingCells, depth: NDArray[np.float32], field: Drawn) -> NDArray[np.float32]:
    """Return a factor that makes the edges of cells dark, as where they do not quite touch."""
    wide = max(0.6, field.diameter * field.rng.uniform(0.01, 0.04))
    dark: NDArray[np.float32] = (1 - field.rng.uniform(0.5, 0.95) * np.exp(-((depth / wide) ** 2))).astype(np.float32)
    return dark
