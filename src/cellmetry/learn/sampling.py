"""Which crops are learnt from, and in which order: every crop follows from the seed and its number alone."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.engines.sizes import scale_within
from cellmetry.errors import InputError
from cellmetry.learn.augment import Augmentation, change_light, cut, draw_placement
from cellmetry.learn.fields import DENSITY_UNIT, PLANES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cellmetry.learn.fields import TrainingField
    from cellmetry.models.card import Head

__all__ = ["Batch", "Sampler", "Sampling"]

_SIZES_PER_OCTAVE = 2
_TRIES = 20
_OF_IMAGES = 2**32
"""No batch has this number."""


class Sampling(Parameters):
    """How often each data set and each size of cell is shown."""

    crop_px: int = Field(default=224, ge=32, le=2048)
    """Side of the crops."""
    batch: int = Field(default=8, ge=1, le=1024)
    """Crops of one step."""
    data_weights: dict[str, float] = Field(default_factory=dict)
    """How much of the crops each data set gives, relative to the others; those not named count by the square root
    of their number of images."""
    balance: float = Field(default=0.5, ge=0, le=1)
    """0: the images of a data set are drawn evenly; 1: all its kinds of microscopy and sizes of cells equally often."""
    at_working_scale: bool = True
    """Whether images whose cells are smaller or larger than `diameters_px` of the recipe are first magnified as the
    engine does with them."""
    cells_first: float = Field(default=0.8, ge=0, le=1)
    """Part of the crops whose middle is on a cell or in what was annotated; the others lie anywhere."""
    workers: int = Field(default=1, ge=0, le=64)
    """Threads that prepare crops ahead; the crops do not depend on it."""


class Batch(NamedTuple):
    """Crops with their truth: float32 arrays of shape (n, side, side), flow (n, 2, side, side).

    Parameters
    ----------
    targets
        By head: shape (n, channels of the head, side, side).
    importance
        Weight of each pixel, 0 where nothing is known.
    known
        By head: 1 for crops whose truth can teach it, else 0; shape (n,).
    """

    image: NDArray[np.float32]
    targets: dict[Head, NDArray[np.float32]]
    importance: NDArray[np.float32]
    known: dict[Head, NDArray[np.float32]]


class Sampler:
    """Draws batches of crops from fields; batch number k is the same however often and in whatever order it is asked.

    Parameters
    ----------
    heads
        Which targets the batches hold.
    diameters_px
        Smallest and largest diameter at which the engine works images; None where it leaves them as they are.
    """

    def __init__(
        self,
        fields: Sequence[TrainingField],
        heads: Sequence[Head],
        *,
        sampling: Sampling,
        augmentation: Augmentation,
        diameters_px: tuple[float, float] | None = None,
        seed: int,
    ) -> None:
        if not fields:
            raise InputError("There is no image to learn from.")
        self._fields, self._heads = list(fields), tuple(heads)
        self._sampling, self._augmentation, self._seed = sampling, augmentation, seed
        self._scales = _scales(self._fields, diameters_px if sampling.at_working_scale else None)
        self._chances = _chances(self._fields, sampling)

    def images(self, most: int) -> list[int]:
        """Return the indices of at most `most` different fields, drawn as likely as their crops are."""
        likely = np.flatnonzero(self._chances)
        if len(likely) <= most:
            return [int(index) for index in likely]
        rng = np.random.default_rng([self._seed, _OF_IMAGES])
        return sorted(int(index) for index in rng.choice(len(self._fields), most, replace=False, p=self._chances))

    def batches(self, first: int, last: int) -> Iterator[Batch]:
        """Yield the batches numbered `first` to before `last`, prepared ahead by the workers."""
        workers = self._sampling.workers
        if not workers:
            yield from (self.batch(number) for number in range(first, last))
            return
        with ThreadPoolExecutor(workers) as pool:
            ahead = [pool.submit(self.batch, number) for number in range(first, min(first + workers + 1, last))]
            for number in range(first, last):
                batch = ahead.pop(0).result()
                if number + workers + 1 < last:
                    ahead.append(pool.submit(self.batch, number + workers + 1))
                yield batch

    def batch(self, number: int) -> Batch:
        """Return the batch of this number."""
        rng = np.random.default_rng([self._seed, number])
        chosen = rng.choice(len(self._fields), size=self._sampling.batch, p=self._chances)
        fields = [self._fields[index] for index in chosen]
        planes = np.stack([self._crop(self._fields[index], self._scales[index], rng) for index in chosen])
        return Batch(
            image=planes[:, :1],
            targets={head: _target(planes, head) for head in self._heads},
            importance=planes[:, PLANES.index("importance")],
            known={head: np.array([head in field.heads for field in fields], np.float32) for head in self._heads},
        )

    def _crop(self, field: TrainingField, scale: float, rng: np.random.Generator) -> NDArray[np.float32]:
        planes = field.planes()
        side = self._sampling.crop_px
        centre = _centre(planes, rng, cells_first=rng.random() < self._sampling.cells_first)
        placement = draw_placement(self._augmentation, rng, centre, side, field.sizes.diameter_px, scale=scale)
        crop = cut(planes, placement, side)
        crop[0] = change_light(crop[0], self._augmentation, rng)
        return crop


def _target(planes: NDArray[np.float32], head: Head) -> NDArray[np.float32]:
    if head == "flow":
        return planes[:, [PLANES.index("flow_y"), PLANES.index("flow_x")]]
    target = planes[:, [PLANES.index(head)]]
    return target / np.float32(DENSITY_UNIT) if head == "density" else target


def _centre(planes: NDArray[np.float16], rng: np.random.Generator, *, cells_first: bool) -> tuple[float, float]:
    """Return a random place, on a cell or a point if wanted and found in a few tries."""
    height, width = planes.shape[1:]
    y, x = 0, 0
    for _ in range(_TRIES if cells_first else 1):
        y, x = int(rng.integers(height)), int(rng.integers(width))
        wanted = planes[PLANES.index("foreground"), y, x] > 0 or planes[PLANES.index("density"), y, x] > 0
        if wanted and planes[PLANES.index("importance"), y, x] > 0:
            break
    return y, x


def _scales(fields: list[TrainingField], diameters_px: tuple[float, float] | None) -> list[float]:
    """Return the magnification of each field before it is varied; 1 where the size of its cells is unknown."""
    known = [field.sizes.diameter_px for field in fields]
    return [scale_within(diameters_px, each) if diameters_px and np.isfinite(each) else 1.0 for each in known]


def _chances(fields: list[TrainingField], sampling: Sampling) -> NDArray[np.float64]:
    """Return how likely each field is drawn: data sets by weight, rarer kinds and sizes more often."""
    chances = np.zeros(len(fields))
    names = [field.data for field in fields]
    unknown = sorted(set(sampling.data_weights) - set(names))
    if unknown:
        there = ", ".join(sorted(set(names)))
        raise InputError(f"No data set is called {unknown[0]!r}, for which a weight was given; there are {there}.")
    for data in dict.fromkeys(names):
        members = [index for index, name in enumerate(names) if name == data]
        weight = sampling.data_weights.get(data, float(np.sqrt(len(members))))
        chances[members] = weight * _even_kinds([fields[index] for index in members], sampling.balance)
    if not chances.sum() > 0:
        raise InputError("All data sets have the weight 0; give at least one of them more.")
    return np.asarray(chances / chances.sum())


def _even_kinds(fields: list[TrainingField], balance: float) -> NDArray[np.float64]:
    """Return how likely each field of one data set is drawn: less, the more others are of its kind and size."""
    kinds = [(field.modality, _size_class(field.sizes.diameter_px)) for field in fields]
    counts = Counter(kinds)
    chances = np.array([counts[kind] ** -balance for kind in kinds])
    return np.asarray(chances / chances.sum())


def _size_class(diameter_px: float) -> int:
    return round(np.log2(diameter_px) * _SIZES_PER_OCTAVE) if diameter_px >= 1 else -1
