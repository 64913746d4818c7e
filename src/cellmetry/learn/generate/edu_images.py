"""One field of a generated EdU study: phase contrast, EdU and TO-PRO-3 of the same cells, with the truth."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from cellmetry.learn.generate.camera import Drawn
from cellmetry.learn.generate.edu_effects import EduCells, draw_cells
from cellmetry.learn.generate.look import FieldLook
from cellmetry.learn.generate.nuclei import chromatin
from cellmetry.learn.generate.outlines import paint, wavy
from cellmetry.learn.generate.phase import phase_light
from cellmetry.learn.generate.placing import PACKED, Layout, place
from cellmetry.learn.generate.textures import slope, specks
from cellmetry.learn.generate.thickness import LivingCells, grow_at
from cellmetry.learn.generate.truth import settle, spread_over

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.learn.generate.edu_effects import EduWell
    from cellmetry.learn.generate.edu_options import EduOptions

__all__ = ["EduField", "draw_edu_field", "pixels_of"]

_HIDDEN_DENSITY = 0.04
_NUCLEUS = 0.4
"""Semi-axis of a nucleus as a part of that of its cell."""
_LEAST_NUCLEUS = 0.012
"""Least visible area of a nucleus as a part of the square of the cell's diameter."""
_GAP, _SPREAD = 0.85, 0.16


class EduField(NamedTuple):
    """A field with its truth.

    Parameters
    ----------
    phase, edu, topro
        uint16 (Y, X): counts of the camera.
    cells, nuclei
        int32 (Y, X): visible pixels of each cell, and of its nucleus under the same id 1 … n.
    truth
        Entry ``id - 1`` is that of the cell.
    """

    phase: NDArray[np.uint16]
    edu: NDArray[np.uint16]
    topro: NDArray[np.uint16]
    cells: NDArray[np.int32]
    nuclei: NDArray[np.int32]
    truth: EduCells


class _OneLook(np.random.Generator):
    """Random numbers whose single draws repeat in every field, so that all show one cell line and one microscope.

    What is drawn for many cells or pixels at once is the field's own.
    """

    def __init__(self, look: int, field: np.random.Generator) -> None:
        super().__init__(field.bit_generator)
        self._look = np.random.default_rng([look, 1])

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        """Return numbers of a uniform distribution."""
        return self._source(size, low, high).uniform(low, high, size)

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        """Return numbers from 0 to 1."""
        return self._source(size).random(size, dtype, out)

    def choice(self, a: Any, size: Any = None, *rest: Any, **more: Any) -> Any:
        """Return one or more of some things."""
        return self._source(size).choice(a, size, *rest, **more)

    def dirichlet(self, alpha: Any, size: Any = None) -> Any:
        """Return shares that sum to 1."""
        return self._source(size).dirichlet(alpha, size)

    def _source(self, size: Any, *arguments: Any) -> np.random.Generator:
        single = size is None and not any(np.ndim(argument) for argument in arguments)
        return self._look if single else np.random.Generator(self.bit_generator)


def draw_edu_field(options: EduOptions, well: EduWell, rng: np.random.Generator) -> EduField:
    """Return a field of a well; every nucleus lies inside its cell."""
    field = _start(options, rng)
    cells, nuclei, states = _grow(options, well, field, rng)
    density = np.where(states.seen, 1.0, _HIDDEN_DENSITY)
    phase = phase_light(cells, field, density)
    edu, topro = _edu_light(cells, nuclei, states, field), _topro_light(cells, nuclei, field)
    kept = pixels_of(cells.owner, len(states.edu)) > 0
    table = np.concatenate([[0], np.cumsum(kept) * kept]).astype(np.int32)
    return EduField(
        _expose(9000 * phase, 200, rng),
        _expose(edu, 100, rng),
        _expose(topro, 100, rng),
        table[cells.owner],
        table[nuclei],
        EduCells(states.edu[kept], states.positive[kept], states.seen[kept]),
    )


def _start(options: EduOptions, rng: np.random.Generator) -> Drawn:
    """Return the choices that all fields of the study share, with random numbers that keep them."""
    look = FieldLook(
        kind="phase",
        shape=options.shape,
        diameter_px=(options.diameter_px, options.diameter_px),
        noise=(1.0, 1.0),
        blur=(1.0, 1.0),
        contrast=(1.0, 1.0),
    )
    return Drawn(look, "spread", _OneLook(options.look, rng))


def _grow(
    options: EduOptions, well: EduWell, field: Drawn, rng: np.random.Generator
) -> tuple[LivingCells, NDArray[np.int32], EduCells]:
    """Return cells, their nuclei under the same ids, and what is true of them; a cell all inside has a nucleus."""
    centre, radius = _places(options, int(rng.poisson(well.cells)), rng)
    cells = grow_at(field, centre, radius)
    states = draw_cells(options, well, len(centre), rng)
    cells = cells._replace(rounded=cells.rounded & states.seen)
    nuclei = _nuclei(cells, options, rng)
    edge = np.unique(np.concatenate([cells.owner[[0, -1]].ravel(), cells.owner[:, [0, -1]].ravel()]))
    there = pixels_of(nuclei, len(centre)) > 0
    there[edge[edge > 0] - 1] = True
    owner = np.where(np.concatenate([[False], there])[cells.owner], cells.owner, 0).astype(np.int32)
    return cells._replace(owner=owner), nuclei, states


def pixels_of(labels: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """Return the number of pixels of each of `count` ids, from id 1."""
    return np.bincount(labels.ravel(), minlength=count + 1)[1:]


def _places(
    options: EduOptions, count: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centres and radii of cells of which `count` have their centre in the field, as far as there is room."""
    diameter = options.diameter_px
    area = (options.shape[0] + diameter) * (options.shape[1] + diameter)
    density = 1.5 * count * area / np.prod(options.shape) * np.pi * (_GAP * diameter / 2) ** 2 / (PACKED * area)
    layout = Layout(density=max(density, 1e-9), spread=_SPREAD, gap=_GAP, clumping=0.15, patchy=0.3)
    centre, radius = place(rng, options.shape, diameter, layout)
    inside = np.all((centre >= 0) & (centre < np.array(options.shape)), axis=1)
    chosen = np.flatnonzero(inside)[:count]
    last = chosen[-1] + 1 if len(chosen) else 0
    rows = np.sort(np.concatenate([chosen, np.flatnonzero(np.logical_not(inside[:last]))]))
    return centre[rows], radius[rows]


def _nuclei(cells: LivingCells, options: EduOptions, rng: np.random.Generator) -> NDArray[np.int32]:
    n = len(cells.outlines)
    widest = np.minimum(cells.outlines.axes, 1.5 * cells.outlines.axes[:, 1:])
    outlines = replace(
        cells.outlines,
        axes=widest * _NUCLEUS * rng.uniform(0.9, 1.12, (n, 1)),
        centre=cells.outlines.centre + rng.normal(0, 0.05, (n, 2)) * cells.outlines.axes[:, 1:],
        radius=wavy(rng, n, 0.04),
        bend=np.zeros(n),
    )
    painted = paint(outlines, cells.warp).owner
    within = np.where(painted == cells.owner, painted, 0).astype(np.int32)
    return settle(within, least_px=_LEAST_NUCLEUS * options.diameter_px**2)


def _topro_light(cells: LivingCells, nuclei: NDArray[np.int32], field: Drawn) -> NDArray[np.float32]:
    """Return the photons of a stain of all nuclei, with a weak haze of the cells' RNA."""
    rng, n = field.rng, len(cells.outlines)
    own = 1600 * np.exp(rng.normal(0, 0.18, n))
    light = spread_over(nuclei, own) * chromatin(field, coarse=0.06, depth=0.18)
    return _with_ground(light + 60 * (cells.owner > 0), field, 250)


def _edu_light(cells: LivingCells, nuclei: NDArray[np.int32], states: EduCells, field: Drawn) -> NDArray[np.float32]:
    """Return the photons of EdU: its mean over each nucleus is the cell's; foci of replication, unbound dye."""
    rng = field.rng
    shown = int((states.positive).sum())
    inside = spread_over(nuclei, states.positive.astype(np.float64))
    foci = 0.7 * specks(rng, inside, 12.0 * shown, 1.3)
    grain = chromatin(field, coarse=0.05, depth=0.15) + foci
    n = len(states.edu)
    sums = np.bincount(nuclei.ravel(), weights=grain.ravel(), minlength=n + 1)[1:]
    factor = states.edu * pixels_of(nuclei, n) / np.maximum(sums, 1e-6)
    light = spread_over(nuclei, factor) * grain
    return _with_ground(light.astype(np.float32) + 10 * (cells.owner > 0), field, 350)


def _with_ground(light: NDArray[np.float32], field: Drawn, ground: float) -> NDArray[np.float32]:
    """Return light through the objective, on a background that is uneven over hundreds of pixels."""
    seen = gaussian_filter(light.astype(np.float32), 0.8) + 0.02 * gaussian_filter(light, 6.0)
    return np.asarray(seen + ground * slope(field.rng, field.shape, 0.5), dtype=np.float32)


def _expose(photons: NDArray[np.float32], offset: float, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Return counts of a camera with one count a photon: shot noise, read noise, an offset, 16 bits."""
    counts = rng.poisson(np.maximum(photons, 0)) + rng.normal(offset, 2.0, photons.shape)
    return np.asarray(np.clip(np.rint(counts), 0, np.iinfo(np.uint16).max), dtype=np.uint16)
