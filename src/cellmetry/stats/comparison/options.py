"""What is compared and how: the one list of a comparison's parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cellmetry.core.step import Parameters

__all__ = ["WORTH_POINTS", "WORTH_SHARE", "CompareOptions", "Normalise"]

WORTH_SHARE = 0.2
"""Of the control's (or the smallest) mean: the difference of amounts that is worth finding if none is named."""
WORTH_POINTS = 0.1
"""The same of fractions, as a difference of fractions: 10 percentage points."""


class Normalise(Parameters):
    """Values divided by, or less, those of a control in the same batch (plate, day); off unless asked for."""

    control: str
    """Condition whose cells are the standard."""
    within: str
    """Column that names the batch in which the control stands: plate, batch, replicate, …"""
    how: Literal["ratio", "difference", "robust_z"] = "ratio"
    """Divided by the control's mean (its median where replicates are summarised so), less it, or less its median and
    divided by 1.4826 · its MAD."""


class CompareOptions(Parameters):
    """Which column is compared between which conditions, what a replicate is, and by which test."""

    value: str
    """Column of a cell's value; of a fraction, a column of true and false, or of the number of positive cells."""
    by: str = "condition"
    """Column of conditions."""
    replicate: str = "replicate"
    """Column of independent biological repeats (another day, animal, culture); never cells, fields or wells of one."""
    control: str | None = None
    """Condition with which each other one is compared; if left out, each with each."""
    rows: str = "cells"
    """What a row of the table is, in the words of results: cells, nuclei, fields."""
    total: str | None = None
    """Column of the number of all cells, where the value is a number of positive cells: a fraction is compared."""
    order: tuple[str, ...] = ()
    """Conditions in the order in which they are shown; those not named follow in natural order. If left out, the
    control stands first."""
    summary: Literal["mean", "median"] = "mean"
    """How the cells of a replicate become one number."""
    nested: tuple[str, ...] = ()
    """Columns of levels within a replicate, outermost first (well, image): each level's units weigh the same. If left
    out, each cell of a replicate does."""
    pairing: Literal["auto", "paired", "unpaired"] = "auto"
    """Whether the same replicate in two conditions (the same day) is a pair; auto: where replicates are shared."""
    method: Literal["auto", "t", "welch", "rank", "mixed", "gee"] = "auto"
    """Test on replicate means (Student's or Welch's t and their linear models), on their ranks, a linear mixed model of
    cells, or generalised estimating equations for fractions. auto: t on replicate means, which is Welch's for two
    conditions with unequal numbers of replicates of their own."""
    adjust: Literal["auto", "dunnett", "tukey", "holm", "bonferroni", "fdr_bh", "none"] = "auto"
    """Correction for several contrasts; auto: Dunnett with a control, Tukey without, Holm where neither fits."""
    scale: Literal["linear", "log"] = "linear"
    """log: ratios of geometric means are estimated in place of differences of means."""
    plate: str | None = None
    """Column of plates, a further random effect of mixed models."""
    normalise: Normalise | None = None
    """Normalisation to a control, off if left out."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Coverage of the intervals."""
    power: float = Field(default=0.8, gt=0.05, lt=1)
    """Power that the advice on the number of replicates is for."""
    detect: float | None = Field(default=None, gt=0)
    """Smallest difference worth finding, in the unit of the value, that the advice is for. If left out, a fifth of the
    control's (or the smallest) mean; of fractions 10 percentage points (0.1)."""

    def worth(self, *, fraction: bool) -> str:
        """Return in words which difference the advice is for, if none is named; empty if one is."""
        if self.detect is not None:
            return ""
        if fraction:
            return f"{100 * WORTH_POINTS:g} percentage points"
        return f"{WORTH_SHARE:.0%} of the mean of {'the lowest condition' if self.control is None else self.control}"
