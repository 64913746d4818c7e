"""What the estimates of a comparison are, in words: which mean, or which shift, and in which unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellmetry.stats.comparison.options import CompareOptions
    from cellmetry.stats.comparison.result import Comparison

__all__ = ["in_points", "is_shift", "shift_words", "summary_word"]

_NO_TEST = "estimate only"
"""Method of a contrast without a test: its estimate is a difference of means also where ranks are compared."""


def in_points(comparison: Comparison) -> bool:
    """Return whether differences are told in percentage points: those of fractions, unless they are ratios."""
    return comparison.design.kind == "fraction" and comparison.options.scale == "linear"


def is_shift(comparison: Comparison, method: str) -> bool:
    """Return whether the estimate of a contrast by this method is the median of shifts (Hodges & Lehmann 1963)."""
    return comparison.options.method == "rank" and method not in ("", _NO_TEST)


def shift_words(comparison: Comparison) -> str:
    """Return a sentence on what the estimate of a test of ranks is."""
    ratio = comparison.options.scale == "log"
    of = "ratios" if ratio else "differences"
    if comparison.design.paired:
        middle = f"all {'geometric means' if ratio else 'averages'} of two {of} of pairs"
    else:
        middle = f"all {of} between a replicate of one condition and one of the other"
    return f"Estimates are Hodges–Lehmann {'ratios' if ratio else 'shifts'}: the median of {middle}."


def summary_word(options: CompareOptions) -> str:
    """Return what makes one number of a replicate's cells: ``mean``, ``geometric mean`` (log scale) or ``median``."""
    if options.summary == "median":
        return "median"
    return "geometric mean" if options.scale == "log" else "mean"
