"""Where generated cells lie and what they are like: drawn from numpy generators seeded by the place on the field."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.ops.synthetic_shapes import HARMONICS, Bodies, outline_radius

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FieldOptions", "Places", "choose_places", "draw_bodies", "held_places"]

_PLACES_PER_BLOCK = 16
_GRID_COLUMNS = 1 << 15
_OUTLINE = 3 + 2 * HARMONICS
_DRAWS = 4 + 2 * _OUTLINE
_CELL, _NUCLEUS = slice(2, 2 + _OUTLINE), slice(2 + _OUTLINE, 2 + 2 * _OUTLINE)
_TILT = np.deg2rad(15)
_PAIR_OVERLAP = 0.92
_PLACES = 1
_ROW_SHIFT = (5**0.5 - 1) / 2


class FieldOptions(Parameters):
    """How a generated field looks."""

    diameter_px: float = Field(default=32.0, ge=6, le=400)
    """Mean diameter of a cell, in pixels."""
    size_spread: float = Field(default=0.15, ge=0, le=0.5)
    """Largest deviation of a cell's diameter from the mean, as a part of it."""
    irregularity: float = Field(default=0.25, ge=0, le=0.4)
    """Largest deviation of an outline from a circle, as a part of the radius."""
    nucleus_ratio: float = Field(default=0.5, gt=0.1, le=0.6)
    """Diameter of the nucleus as a part of the cell's."""
    touching: float = Field(default=0.3, ge=0, le=1)
    """Part of the cells that touch a neighbour."""
    occupancy: float = Field(default=0.8, ge=0, le=1)
    """Part of the places on the grid that hold a cell (`tile_field`; `make_cells` is told the count)."""
    dna: float = Field(default=1200.0, ge=0)
    """Mean peak brightness of nuclei in the first channel, in counts."""
    signal: float = Field(default=700.0, ge=0)
    """Mean peak brightness of cells in the second channel, in counts."""
    brightness_spread: float = Field(default=0.25, ge=0, le=1)
    """Standard deviation of the logarithm of a cell's brightness."""
    background: float = Field(default=150.0, ge=0)
    """Mean background, in counts (the bright level if `dark_on_bright`)."""
    gradient: float = Field(default=0.3, ge=0, lt=1)
    """Largest deviation of the background from its mean, as a part of it."""
    blur_px: float = Field(default=1.3, ge=0, le=20)
    """Standard deviation of the microscope's blur, in pixels."""
    read_noise: float = Field(default=4.0, ge=0)
    """Standard deviation of the camera's noise, in counts."""
    gain: float = Field(default=1.0, ge=0)
    """Counts per photo-electron; the shot noise's variance is this times the light. 0 = no shot noise."""
    detector_max: int = Field(default=4095, ge=1, le=65535)
    """Count at which the detector saturates."""
    dark_on_bright: bool = False
    """Whether cells take light away from a bright background (transmitted light) instead of shining."""

    @property
    def largest_radius_px(self) -> float:
        """Radius that no outline passes."""
        return self.diameter_px / 2 * (1 + self.size_spread) * (1 + self.irregularity)

    @property
    def pitch_px(self) -> float:
        """Distance between the grid places of which each holds one cell or none."""
        return 2.4 * self.largest_radius_px


class Places(NamedTuple):
    """Grid places (row, column) that hold a cell, and whether it touches the one on the partner place."""

    places: NDArray[np.int64]
    paired: NDArray[np.bool_]


def _partner(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the neighbouring place with which each may form a pair: columns 0-1, 2-3, …."""
    partner: NDArray[np.int64] = places ^ np.array([0, 1])
    return partner


def _first_of_pair(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the left place of the pair that each belongs to."""
    first: NDArray[np.int64] = places & np.array([-1, -2])
    return first


def choose_places(grid: tuple[int, int], n: int, touching: float, seed: int) -> Places:
    """Return `n` places of a grid of rows and columns, as many of them in touching pairs as asked for and possible."""
    rng = np.random.default_rng([seed, _PLACES])
    places = np.array(list(product(*map(range, grid))), dtype=np.int64).reshape(-1, 2)
    pair_of = places[:, 0] * _GRID_COLUMNS + places[:, 1] // 2
    pairs, sizes = np.unique(pair_of, return_counts=True)
    full = rng.permutation(pairs[sizes == 2])[: round(n * touching / 2)]
    in_pair = np.isin(pair_of, full)
    singles = rng.permutation(np.flatnonzero(~in_pair))[: n - int(in_pair.sum())]
    index = np.sort(np.concatenate([np.flatnonzero(in_pair), singles]))
    return Places(places[index], in_pair[index])


def _place_draws(places: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Return `_DRAWS` numbers in [0, 1) for each place, drawn by blocks of places."""
    blocks, inverse = np.unique(places // _PLACES_PER_BLOCK, axis=0, return_inverse=True)
    shape = (_PLACES_PER_BLOCK, _PLACES_PER_BLOCK, _DRAWS)
    draws = np.empty((len(blocks), *shape))
    for block, (row, column) in enumerate(blocks.tolist()):
        draws[block] = np.random.default_rng([seed, _PLACES, row, column]).random(shape)
    inside = places % _PLACES_PER_BLOCK
    return draws[inverse.reshape(-1), inside[:, 0], inside[:, 1]]


def held_places(rows: range, columns: range, options: FieldOptions, seed: int) -> Places:
    """Return the places of a part of the boundless grid that hold a cell."""
    places = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2).astype(np.int64)
    held = _place_draws(places, seed)[:, 0] < options.occupancy
    partner_held = _place_draws(_partner(places), seed)[:, 0] < options.occupancy
    joined = _place_draws(_first_of_pair(places), seed)[:, 1] < options.touching
    return Places(places[held], (partner_held & joined)[held])


def _centres(places: NDArray[np.floating], options: FieldOptions) -> NDArray[np.float64]:
    """Return pixel positions of grid places; each row is shifted against the others, so that no columns show."""
    shift = np.floor(places[:, 0]) * _ROW_SHIFT % 1
    centres: NDArray[np.float64] = (places + np.stack([np.zeros_like(shift), shift], axis=1)) * options.pitch_px
    return centres


def draw_bodies(chosen: Places, options: FieldOptions, seed: int) -> Bodies:
    """Return the cells on the chosen places."""
    draws = _place_draws(chosen.places, seed)
    cells = _draw_outlines(draws[:, _CELL], options)
    slack = options.pitch_px / 2 - options.largest_radius_px - 1
    cells[:, :2] = _centres(chosen.places + 0.5, options) + slack * (2 * draws[:, 2:4] - 1)
    _join_pairs(cells, chosen, options, seed)
    nuclei = _draw_outlines(draws[:, _NUCLEUS], options)
    nuclei[:, 2] = cells[:, 2] * options.nucleus_ratio
    nuclei[:, :2] = cells[:, :2] + 0.1 * cells[:, 2:3] * (2 * nuclei[:, :2] - 1)
    spread = np.exp(options.brightness_spread * _normal(draws[:, -2], draws[:, -1]))
    ids = 1 + chosen.places[:, 0] * _GRID_COLUMNS + chosen.places[:, 1]
    return Bodies(ids, cells, nuclei, spread * np.array([options.dna, options.signal]))


def _normal(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return two columns of independent normal numbers from uniform ones (Box and Muller 1958), cut at ±2.5."""
    radius, angle = np.sqrt(-2 * np.log1p(-u)), 2 * np.pi * v
    normal: NDArray[np.float64] = (radius * np.stack([np.cos(angle), np.sin(angle)])).T.clip(-2.5, 2.5)
    return normal


def _draw_outlines(draws: NDArray[np.float64], options: FieldOptions) -> NDArray[np.float64]:
    """Return outlines of cells from uniform numbers; the first two columns are passed on."""
    outlines = draws.copy()
    outlines[:, 2] = options.diameter_px / 2 * (1 + options.size_spread * (2 * draws[:, 2] - 1))
    shares = np.array([0.6, 0.25, 0.15]) * options.irregularity
    outlines[:, 3 : 3 + HARMONICS] = shares * draws[:, 3 : 3 + HARMONICS]
    outlines[:, 3 + HARMONICS :] = 2 * np.pi * draws[:, 3 + HARMONICS :]
    return outlines


def _join_pairs(cells: NDArray[np.float64], chosen: Places, options: FieldOptions, seed: int) -> None:
    """Move the two cells of each pair until their outlines overlap a little; changes `cells`."""
    places = chosen.places[chosen.paired]
    own = cells[chosen.paired]
    partner = _draw_outlines(_place_draws(_partner(places), seed)[:, _CELL], options)
    is_right = places[:, 1] % 2 == 1
    tilt = _TILT * (2 * _place_draws(_first_of_pair(places), seed)[:, 4] - 1)
    towards = np.where(is_right, tilt + np.pi, tilt)
    distance = _PAIR_OVERLAP * (outline_radius(own, towards) + outline_radius(partner, towards + np.pi))
    middle = _centres(_first_of_pair(places) + np.array([0.5, 1.0]), options)
    cells[chosen.paired, :2] = middle - distance[:, None] / 2 * np.stack([np.sin(towards), np.cos(towards)], axis=1)
