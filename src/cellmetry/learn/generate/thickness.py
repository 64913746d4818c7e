"""How thick and dense living cells are at each pixel: what phase contrast, defocus and relief turn to light."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.learn.generate.nuclei import gentle_warp
from cellmetry.learn.generate.outlines import Outlines, Warp, paint, roughen, sprout, wavy
from cellmetry.learn.generate.placing import Layout, place
from cellmetry.learn.generate.textures import log_uniform, smooth_noise, specks
from cellmetry.learn.generate.truth import depth_px, settle, spread_over

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.learn.generate.camera import Drawn

__all__ = ["LivingCells", "grow_at", "grow_cells", "optical_thickness"]

_LEAST_VISIBLE = 0.03


class LivingCells(NamedTuple):
    """Cells as they lie in a dish.

    Parameters
    ----------
    owner
        int32 (Y, X): 1 + row of the cell, 0 = none; settled.
    outlines
        All cells.
    warp
        The displacement with which they were painted.
    rounded
        (n,) whether a cell is rounded up: in mitosis, or loose.
    """

    owner: NDArray[np.int32]
    outlines: Outlines
    warp: Warp
    rounded: NDArray[np.bool_]


def grow_cells(field: Drawn) -> LivingCells:
    """Return the cells of a field: spread, spindle-shaped, confluent or round, some of them rounded up."""
    rng = field.rng
    confluent = field.style == "confluent"
    centre, radius = place(
        rng,
        field.shape,
        field.diameter,
        Layout(
            density=1.0 if confluent else field.density * rng.uniform(0.4, 1.0),
            spread=rng.uniform(0.1, 0.35),
            gap=rng.uniform(0.6, 0.8) if confluent else rng.uniform(0.75, 1.0),
            clumping=rng.uniform(0.2, 0.9) if field.style == "round" else rng.uniform(0, 0.5),
            patchy=0.0 if confluent else rng.uniform(0, 1),
        ),
    )
    return grow_at(field, centre, radius)


def grow_at(field: Drawn, centre: NDArray[np.float64], radius: NDArray[np.float64]) -> LivingCells:
    """Return the cells of a field that lie at these centres (n, 2) and have these radii (n,), both in pixels."""
    rng, confluent = field.rng, field.style == "confluent"
    often = 1.0 if field.style == "round" else rng.choice([0.0, 0.04, 0.12])
    rounded = rng.random(len(centre)) < often
    outlines = _round_up(rng, _spread_out(field, centre, radius), radius, rounded)
    if confluent:
        outlines = outlines.scaled(np.where(rounded, 1.0, rng.uniform(1.15, 1.6)))
    warp = gentle_warp(field, 0.01 if field.style == "round" else rng.uniform(0.03, 0.09))
    owner = paint(outlines, warp).owner
    return LivingCells(settle(owner, least_px=_LEAST_VISIBLE * field.diameter**2 + 6), outlines, warp, rounded)


def _spread_out(field: Drawn, centre: NDArray[np.float64], radius: NDArray[np.float64]) -> Outlines:
    """Return outlines of cells that hold on to the ground, with their protrusions and ragged edges."""
    rng, n = field.rng, len(centre)
    spindle = field.style == "spindle"
    longest = rng.uniform(2.0, 5.5) if spindle else rng.uniform(1.2, 2.8)
    ratio = np.sqrt(1 + (longest - 1) * rng.beta(1.6, 1.6, n))
    shape = wavy(rng, n, rng.uniform(0.06, 0.2, n))
    if rng.random() < 0.85:
        body, reach, wide = rng.uniform(0.45, 1.0), rng.uniform(0.4, 2.0), rng.uniform(0.08, 0.26)
        shape = sprout(rng, np.float32(body) * shape, rng.uniform(1.0, 5.0), length=reach, width=wide)
    tips = sprout(rng, np.zeros_like(shape), rng.uniform(0, 3), length=0.25, width=0.06)
    shape = roughen(rng, shape + tips, rng.choice([0.0, 0.02, 0.05]))
    common = rng.uniform(0, np.pi)
    flow = smooth_noise(rng, (32, 32), 14)
    place_y, place_x = (np.clip(centre[:, a] / field.shape[a] * 32, 0, 31).astype(int) for a in (0, 1))
    angle = common + flow[place_y, place_x] * rng.uniform(0.2, 1.5) + rng.normal(0, rng.uniform(0.15, 1.0), n)
    axes = np.stack([radius * ratio, radius / ratio], axis=1)
    return Outlines(centre, axes, angle, shape, rng.normal(0, 0.25, n))


def _round_up(
    rng: np.random.Generator, outlines: Outlines, radius: NDArray[np.float64], rounded: NDArray[np.bool_]
) -> Outlines:
    """Return the outlines with those of rounded cells made small and nearly circular."""
    part = np.where(rounded.all(), 0.95, rng.uniform(0.45, 0.8))
    circle = np.outer(radius * part, [1.0, 1.0]) * rng.uniform(0.92, 1.08, (len(radius), 2))
    return replace(
        outlines,
        axes=np.where(rounded[:, None], circle, outlines.axes),
        radius=np.where(rounded[:, None], wavy(rng, len(radius), 0.03), outlines.radius),
        bend=np.where(rounded, 0.0, outlines.bend),
    )


def optical_thickness(cells: LivingCells, field: Drawn) -> NDArray[np.float32]:
    """Return the optical thickness of the field, about 1 in the middle of a spread cell, 0 on empty ground.

    Flat at the edge, thicker towards the nucleus, grained, with dense granules, light vacuoles and nucleoli.
    """
    rng, n = field.rng, len(cells.outlines)
    depth = depth_px(cells.owner)
    rise = spread_over(cells.owner, field.diameter * rng.uniform(0.03, 0.12, n), outside=1.0)
    flat = spread_over(cells.owner, rng.lognormal(0, 0.35, n))
    height = flat * (1 - np.exp(-depth / rise)) + rng.uniform(0.2, 0.9) * flat * depth / (0.35 * field.diameter)
    height += _ruffles(cells, depth, field)
    grain = 1 + rng.uniform(0.03, 0.2) * smooth_noise(
        rng, field.shape, max(2.0, rng.uniform(0.04, 0.15) * field.diameter)
    )
    return np.asarray(height * grain + _organelles(cells, depth, field), dtype=np.float32)


def _ruffles(cells: LivingCells, depth: NDArray[np.float32], field: Drawn) -> NDArray[np.float32]:
    """Return the thicker rim that a cell has in places along its edge."""
    rng = field.rng
    wide = np.clip(field.diameter * rng.uniform(0.012, 0.03), 0.7, 2.0)
    place = np.clip(0.5 + smooth_noise(rng, field.shape, 0.3 * field.diameter), 0, 2)
    rim = np.exp(-0.5 * ((depth - wide) / wide) ** 2) * (cells.owner > 0)
    strength = spread_over(cells.owner, rng.lognormal(-0.2, 0.5, len(cells.outlines)))
    return np.asarray(rng.uniform(0.1, 0.8) * rim * place * strength, dtype=np.float32)


def _organelles(cells: LivingCells, depth: NDArray[np.float32], field: Drawn) -> NDArray[np.float32]:
    """Return what granules, vacuoles, nuclei and their nucleoli add to the thickness."""
    rng, n = field.rng, len(cells.outlines)
    detail = min(1.0, (field.diameter / 50) ** 2)
    shown = len(np.unique(cells.owner)) - 1
    nuclei = replace(cells.outlines.select(~cells.rounded), radius=wavy(rng, int((~cells.rounded).sum()), 0.04))
    widest = np.minimum(nuclei.axes, 1.7 * nuclei.axes[:, 1:])
    nuclei = replace(nuclei, axes=widest * rng.uniform(0.3, 0.45), bend=np.zeros(len(nuclei)))
    core = paint(nuclei, cells.warp, edge=0.4)
    core_light = np.minimum(core.light, 1) * (cells.owner > 0)
    around = np.clip(depth / (0.3 * field.diameter), 0, 1) ** 1.5 * (1 - 0.8 * (core_light > 0))
    busy = spread_over(cells.owner, rng.lognormal(-0.5, 0.9, n)) * around
    size = max(0.55, field.diameter * rng.uniform(0.008, 0.018))
    granules = specks(rng, busy, shown * log_uniform(rng, 2, 30) * detail, size)
    busiest = busy * (busy > np.quantile(busy, 0.9))
    vacuoles = specks(rng, busiest, shown * rng.uniform(0, 3) * detail, 1.4 * size)
    nucleoli = specks(rng, (core_light > 0.6).astype(np.float32), shown * rng.uniform(0.5, 4), 1.6 * size)
    return np.asarray(
        rng.uniform(0.2, 0.9) * np.minimum(granules, 2) - rng.uniform(0.5, 2.5) * np.minimum(vacuoles, 2)
        + rng.uniform(0.3, 1.0) * nucleoli + rng.uniform(-0.25, 0.35) * core_light, dtype=np.float32,
    )  # fmt: skip
