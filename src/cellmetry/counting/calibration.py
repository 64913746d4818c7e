"""Intervals on counts that hold what they promise: locally weighted split conformal prediction.

Some images that the model was not trained on, with known counts, are in two parts, drawn at random or given. On the
first the weights of the joint count and the shape of its expected error are fitted; on the second, which did not choose
the model either, the errors in units of that shape are sorted, and the one at rank ⌈(n + 1) · coverage⌉ is the factor
of all later intervals (Papadopoulos et al. 2002; Lei et al., *J. Am. Stat. Assoc.* 2018, section 5.2).

**When this holds.** A new image's true count lies in its interval with at least the stated probability if that image
and the calibration images are exchangeable: drawn alike, so that nobody could tell by their looks or their place in the
list which one is new. No assumption is made about how counts or errors are distributed, or how good the model is. It is
a statement about images on average, not about each kind of image, and it is void for another microscope, stain or cell.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.core.parameters import parse_parameters
from cellmetry.counting.combine import Counts, disagreement, joined, scores
from cellmetry.errors import InputError, ParameterError
from cellmetry.models.count_calibration import CountCalibration, CountedBy

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from cellmetry.models.count_calibration import Counters

__all__ = ["FEWEST_FITTED", "calibrate", "fewest_images", "part_images"]

_WEIGHTS = np.linspace(0, 1, 11)
_GROWTHS = (0.5, 0.25, 0.75, 0.0, 1.0)
_PULLS = (0.5, 0.25, 1.0, 0.0, 2.0, 4.0)
FEWEST_FITTED = 8
"""Fewest images on which the joint count can be fitted."""
_SMALLEST = 1e-9


class _Images(NamedTuple):
    """Calibration images: their counts and true counts."""

    counts: Counts
    truth: NDArray[np.float64]

    def part(self, which: NDArray[np.int64]) -> _Images:
        return _Images(Counts(self.counts.instances[which], self.counts.density[which]), self.truth[which])


def fewest_images(coverage: float) -> int:
    """Return how many images an interval of this coverage needs at least to have an end."""
    return ceil(coverage / (1 - coverage) - _SMALLEST)


def part_images(images: int, *, coverage: float = 0.9, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which images fit the shape, and which give the factor: about half each, drawn by `seed`.

    With m images for the factor, intervals hold ⌈(m + 1) · coverage⌉ of m + 1 times; m near the half is taken so that
    this is least above `coverage`, and intervals are no wider than they must be.
    """
    half = -(-images // 2)
    step = ceil(1 / (1 - coverage) - _SMALLEST)
    sizes = np.arange(max(1, half - step // 2), max(1, min(images - FEWEST_FITTED, half + step // 2)) + 1)
    sizes = sizes if sizes.size else np.array([half])
    above = np.ceil((sizes + 1) * coverage - _SMALLEST) / (sizes + 1) - coverage
    short = sizes < fewest_images(coverage)
    size = int(sizes[np.lexsort((np.abs(sizes - half), np.round(above, 6), short))[0]])
    order = np.random.default_rng(seed).permutation(images)
    return order[size:], order[:size]


def calibrate(
    images: pd.DataFrame,
    *,
    fitted_on: pd.DataFrame | None = None,
    coverage: float = 0.9,
    seed: int = 0,
    data: str = "",
) -> CountCalibration:
    """Return what makes joint counts and intervals of two counters, fitted on images of known count.

    Parameters
    ----------
    images
        One row for each image that neither trained nor chose the model: ``truth``, and ``instances``, ``density`` or
        both. With the columns that `count_known` adds, the calibration says which model it is of, and holds for images
        as unfamiliar as these.
    fitted_on
        Other images on which weights and shape are fitted; they may have chosen the model, but not trained it. Then
        all of `images` serve the intervals. Without them, about half of `images`, drawn by `seed`, serve each
        (`part_images`).
    coverage
        Share of later images whose true count shall lie in the interval.
    data
        What the images are, for the record.

    Raises
    ------
    InputError
        If a column is missing, a count is negative or not finite, the images were counted by several models, or there
        are too few.
    """
    if not 0 < coverage < 1:
        raise ParameterError(f"The coverage is a share between 0 and 1, as 0.9, not {coverage:g}.")
    tables = [images] if fitted_on is None else [images, fitted_on]
    counter = _counter(tables)
    counters, every = _read(images)
    if fitted_on is None:
        fitting, ranking = (every.part(which) for which in part_images(len(every.truth), coverage=coverage, seed=seed))
    else:
        other, fitting = _read(fitted_on)
        ranking = every
        if other != counters:
            raise InputError(f"One table has the counts of {counters}, the other of {other}; give the same in both.")
    _refuse_few(fitting, ranking, coverage)
    fitted = _fit(fitting, counters, coverage, data)
    found = np.sort(scores(ranking.counts, ranking.truth, fitted))
    rank = ceil((len(found) + 1) * coverage - _SMALLEST)
    both = Counts(*(np.concatenate(pair) for pair in zip(fitting.counts, ranking.counts, strict=True)))
    return fitted.model_copy(
        update={
            "factor": float(found[rank - 1]),
            "images": len(found),
            "largest_count": float(np.maximum(*both).max()),
            "largest_disagreement": float(disagreement(both).max()),
            "largest_unfamiliarity": _largest_unfamiliarity(tables),
            "counted_by": counter,
        }
    )


def _counter(tables: Sequence[pd.DataFrame]) -> CountedBy | None:
    """Return what counted all images; None if no table says it."""
    found: list[CountedBy | None] = []
    for table in tables:
        rows = table.reindex(columns=["engine", "model", "sha256"]).drop_duplicates()
        found += [_named({str(key): str(value) for key, value in row.dropna().items()}) for _, row in rows.iterrows()]
    listed = sorted({"one that is not named" if each is None else str(each) for each in found})
    if len(listed) > 1:
        raise InputError(f"The images were counted by {' and by '.join(listed)}; calibrate each by itself.")
    return next(iter(found), None)


def _named(names: dict[str, str]) -> CountedBy | None:
    return parse_parameters(CountedBy, names, where="table of counts") if "engine" in names else None


def _largest_unfamiliarity(tables: Sequence[pd.DataFrame]) -> float:
    """Return the largest unfamiliarity that a table has, 1 at least."""
    known = [table["unfamiliarity"].dropna() for table in tables if "unfamiliarity" in table]
    return max([1.0, *(float(score) for scores in known for score in scores)])


def _read(table: pd.DataFrame) -> tuple[Counters, _Images]:
    """Return which counters a table has, and its images; the only counter stands for both."""
    present = [name for name in ("instances", "density") if name in table]
    if "truth" not in table or not present:
        found = ", ".join(map(str, table.columns))
        raise InputError(f"Calibration needs the columns truth and instances or density, but the table has {found}.")
    columns = [table[name].to_numpy(dtype=np.float64) for name in ("truth", *present)]
    for name, values in zip(("truth", *present), columns, strict=True):
        if not (np.isfinite(values) & (values >= 0)).all():
            raise InputError(f"The column {name} of the calibration images must hold counts of 0 or more in each row.")
    counters: Counters = "both" if len(present) == 2 else present[0]  # type: ignore[assignment]
    return counters, _Images(Counts(columns[1], columns[-1]), columns[0])


def _refuse_few(fitting: _Images, ranking: _Images, coverage: float) -> None:
    needed, given = fewest_images(coverage), len(ranking.truth)
    if given < needed:
        raise InputError(
            f"An interval of {coverage:.0%} needs {needed} images for its width, but there are {given}; give "
            f"more images with known counts, or a lower coverage."
        )
    if len(fitting.truth) < FEWEST_FITTED:
        raise InputError(
            f"Fitting the joint count needs {FEWEST_FITTED} images besides those of the interval, but there are "
            f"{len(fitting.truth)}; give more images with known counts."
        )


def _fit(images: _Images, counters: Counters, coverage: float, data: str) -> CountCalibration:
    """Return weights of least mean absolute error, and the shape of that error that is most likely."""
    more, fewer = _best_weights(images) if counters == "both" else (0.5, 0.5)
    count = joined(images.counts, more, fewer)
    growth, pull = _best_shape(np.abs(images.truth - count), count, disagreement(images.counts))
    return CountCalibration(
        counters=counters,
        coverage=coverage,
        toward_more=more,
        toward_fewer=fewer,
        growth=growth,
        pull=pull,
        factor=0.0,
        largest_count=0.0,
        largest_disagreement=0.0,
        images=1,
        images_fitted=len(images.truth),
        data=data,
    )


def _best_weights(images: _Images) -> tuple[float, float]:
    """Return the weight for either direction of disagreement; the one nearest to a half of equal ones.

    An image matters to the weight of its own direction only, so that the two are found one after the other.
    """
    count = joined(images.counts, _WEIGHTS[:, None], _WEIGHTS[:, None])
    error = np.abs(images.truth - count)
    denser = images.counts.density > images.counts.instances
    return _least(error[:, denser]), _least(error[:, ~denser])


def _least(error: NDArray[np.float64]) -> float:
    """Return the weight whose row of errors has the smallest sum."""
    total = np.round(error.sum(axis=1), 9)
    middle_first = np.argsort(np.abs(_WEIGHTS - 0.5), kind="stable")
    return float(_WEIGHTS[middle_first[np.argmin(total[middle_first])]])


def _best_shape(
    error: NDArray[np.float64], count: NDArray[np.float64], differ: NDArray[np.float64]
) -> tuple[float, float]:
    """Return growth and pull under which errors, taken as Laplace-distributed with that spread, are most likely."""
    best, lowest = (_GROWTHS[0], _PULLS[0]), np.inf
    for growth in _GROWTHS:
        for pull in _PULLS:
            unit = (1 + count) ** growth * (1 + pull * differ)
            cost = len(error) * np.log(np.mean(error / unit) + _SMALLEST) + np.log(unit).sum()
            if cost < lowest - _SMALLEST:
                best, lowest = (growth, pull), cost
    return best
