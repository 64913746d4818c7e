"""What a method says of each contrast, in one form for all methods."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

from cellmetry.stats.p_values import p_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "NO_SPREAD",
    "Joint",
    "Pair",
    "Tests",
    "contrast_matrix",
    "f_test",
    "hotelling_test",
    "is_constant",
    "t_tests",
]

NO_SPREAD = "the replicates do not differ among themselves, so there is no spread to test against"

_SAME = 1e-10
"""Values are the same that differ by less than this share of their size: what rounding leaves of a division."""


class Pair(NamedTuple):
    """A contrast: codes of the condition and of the reference that it is compared with."""

    condition: int
    reference: int


class Joint(NamedTuple):
    """What corrections for several contrasts of one model need.

    Parameters
    ----------
    covariance
        Of the estimates, shape (contrasts, contrasts).
    df
        Degrees of freedom of the model's one variance.
    n_conditions
        Conditions in the model.
    """

    covariance: Floats
    df: float
    n_conditions: int


@dataclass(frozen=True)
class Tests:
    """What a method found of each contrast, on the scale of the test; NaN where it found nothing.

    Parameters
    ----------
    estimate, p_value
        Shape (contrasts,).
    bounds
        Coverage → lower and upper ends of the intervals.
    method
        In words.
    reasons
        Why there is no p-value; empty where there is one.
    joint
        Of the contrasts of one model with one variance; None where each contrast has its own.
    omnibus
        Test of all conditions at once in words.
    notes
        What the reader must know of this method here.
    """

    estimate: Floats
    p_value: Floats
    bounds: Callable[[float], tuple[Floats, Floats]]
    method: str
    reasons: tuple[str, ...]
    joint: Joint | None = None
    omnibus: str = ""
    notes: tuple[str, ...] = field(default=())


def t_tests(estimate: Floats, se: Floats, df: Floats, size: float, method: str) -> Tests:
    """Return Student's t of estimates with standard errors; NaN and a reason where the error is 0.

    Parameters
    ----------
    size
        Largest absolute value that entered (1 for logarithms at least), beside which a spread counts as 0.
    """
    sound = np.isfinite(se) & (se > _SAME * size) & (df > 0)
    spread = np.where(sound, se, np.nan)
    freedom = np.where(sound, df, 1.0)
    p_value = 2 * stats.t.sf(np.abs(estimate) / spread, freedom)

    def bounds(coverage: float) -> tuple[Floats, Floats]:
        half = stats.t.ppf((1 + coverage) / 2, freedom) * spread
        return estimate - half, estimate + half

    reasons = tuple("" if each else NO_SPREAD for each in sound)
    return Tests(estimate, p_value, bounds, method, reasons)


def contrast_matrix(pairs: Sequence[Pair], width: int) -> Floats:
    """Return rows that take the reference's coefficient from the condition's, shape (contrasts, width)."""
    rows = np.zeros((len(pairs), width))
    for row, pair in enumerate(pairs):
        rows[row, pair.condition], rows[row, pair.reference] = 1.0, -1.0
    return rows


def f_test(means: Floats, covariance: Floats, df: float, size: float, words: str) -> str:
    """Return in words the F test that all means are the same; empty where it cannot be made.

    It cannot with two means, without spread, or with too few replicates for so many means at once.

    Parameters
    ----------
    means, covariance
        Of the conditions, shapes (conditions,) and (conditions, conditions).
    size
        As in `t_tests`.
    """
    square = _wald(means, covariance, size)
    if square is None:
        return ""
    return _f_words(words, square / (len(means) - 1), len(means) - 1, df)


def hotelling_test(means: Floats, covariance: Floats, n: int, size: float, words: str) -> str:
    """Return in words the F test that all means are the same, where `n` blocks alone tell the covariance.

    Hotelling (1931): with q = conditions - 1, W (n - q) / (q (n - 1)) is F of q and n - q degrees of freedom. Empty
    where `f_test` is, and with no more blocks than q.
    """
    q = len(means) - 1
    square = _wald(means, covariance, size) if n > q else None
    if square is None:
        return ""
    return _f_words(words, square * (n - q) / (q * (n - 1)), q, n - q)


def _wald(means: Floats, covariance: Floats, size: float) -> float | None:
    """Return Wald's statistic that all means are the same; None where there is none."""
    k = len(means)
    if k < 3 or not np.diag(covariance).min() > (_SAME * size) ** 2:
        return None
    steps = np.diff(np.eye(k), axis=0)
    spread = steps @ covariance @ steps.T
    if np.linalg.matrix_rank(spread) < k - 1:
        return None
    return float(steps @ means @ np.linalg.solve(spread, steps @ means))


def _f_words(words: str, value: float, q: int, df: float) -> str:
    return f"{words}: F({q}, {df:g}) = {value:.4g}, {p_text(float(stats.f.sf(value, q, df)))}"


def is_constant(values: Floats, size: float) -> bool:
    """Return whether values are all the same but for rounding; `size` as in `t_tests`."""
    return bool(np.ptp(values) <= _SAME * size)
