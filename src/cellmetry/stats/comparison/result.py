"""What a comparison found, as tables that are described column by column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cellmetry.core.columns import Column

if TYPE_CHECKING:
    import pandas as pd

    from cellmetry.stats.comparison.options import CompareOptions

__all__ = ["CONTRAST_COLUMNS", "GROUP_COLUMNS", "POWER_COLUMNS", "REPLICATE_COLUMNS", "Comparison", "Design"]

_OURS = "Cellmetry"

GROUP_COLUMNS = (
    Column("condition", "", "Condition.", _OURS),
    Column("n_cells", "1", "Cells with a value.", _OURS),
    Column("n_missing", "1", "Cells without a finite value, left out.", _OURS),
    Column("n_fields", "1", "Images with such cells; missing where the table names no images.", _OURS),
    Column("n_replicates", "1", "Independent replicates.", _OURS),
    Column("mean", "as value", "Mean of the replicates; of a fraction, mean of their fractions.", _OURS),
    Column("sd", "as value", "Standard deviation among replicates (n - 1); missing with one.", _OURS),
    Column("se", "as value", "sd / √(number of replicates).", _OURS),
    Column(
        "ci_low",
        "as value",
        "Lower end of the mean's interval: Student's t of the replicates; fractions' cut at 0 and 1.",
        "Student",
    ),
    Column("ci_high", "as value", "Upper end of that interval.", "Student"),
    Column("median", "as value", "Median of the replicates.", _OURS),
    Column("mad", "as value", "Median distance of the replicates from their median, unscaled.", _OURS),
    Column("mean_of_cells", "as value", "Mean of all cells; of a fraction, positive over all.", _OURS),
    Column("sd_of_cells", "as value", "Standard deviation among cells (n - 1).", _OURS),
    Column("median_of_cells", "as value", "Median of all cells.", _OURS),
    Column("mad_of_cells", "as value", "Median distance of the cells from their median, unscaled.", _OURS),
    Column("confidence", "1", "Coverage of the interval.", _OURS),
)

REPLICATE_COLUMNS = (
    Column("condition", "", "Condition.", _OURS),
    Column("replicate", "", "Replicate.", _OURS),
    Column("n_cells", "1", "Cells with a value.", _OURS),
    Column("n_fields", "1", "Images with such cells; missing where the table names no images.", _OURS),
    Column("n_positive", "1", "Positive cells; missing unless a fraction is compared.", _OURS),
    Column("value", "as value", "What enters the test: summary of the replicate's cells, or fraction.", _OURS),
    Column("sd_of_cells", "as value", "Standard deviation among the replicate's cells (n - 1).", _OURS),
)

CONTRAST_COLUMNS = (
    Column("value", "", "Column that is compared.", _OURS),
    Column("condition", "", "Condition that is compared …", _OURS),
    Column("reference", "", "… with this one.", _OURS),
    Column(
        "estimate", "as value", "Mean of the condition less that of the reference; on log scale their ratio.", _OURS
    ),
    Column(
        "ci_low",
        "as value",
        "Lower end of the estimate's interval, by the same model as the p-value; of fractions cut at -1 and 1.",
        _OURS,
    ),
    Column("ci_high", "as value", "Upper end of that interval.", _OURS),
    Column("simultaneous_low", "as value", "Lower end of the interval that holds for all contrasts at once.", _OURS),
    Column("simultaneous_high", "as value", "Upper end of that interval.", _OURS),
    Column("p_value", "1", "Two-sided p-value at the level of replicates, for this contrast alone.", _OURS),
    Column("p_adjusted", "1", "The same, corrected for the number of contrasts.", _OURS),
    Column("method", "", "Test in words.", _OURS),
    Column("adjustment", "", "Correction for several contrasts in words.", _OURS),
    Column(
        "n_replicates",
        "1",
        "Pairs of replicates, or where unpaired or without a pair those of both conditions together.",
        _OURS,
    ),
    Column("n_cells", "1", "Cells of both conditions.", _OURS),
    Column("hedges_g", "1", "Difference in standard deviations of replicates, corrected for few.", "Hedges 1981"),
    Column(
        "hedges_g_low",
        "1",
        "Lower end of the interval of the true effect (non-central t); missing beyond 1,000 standard errors.",
        "Hedges & Olkin 1985",
    ),
    Column("hedges_g_high", "1", "Upper end of that interval.", "Hedges & Olkin 1985"),
    Column(
        "cliffs_delta", "1", "Share of pairs of replicates in which the condition is higher less lower.", "Cliff 1993"
    ),
    Column("cliffs_delta_low", "1", "Lower end of its interval.", "Cliff 1996"),
    Column("cliffs_delta_high", "1", "Upper end of its interval.", "Cliff 1996"),
    Column("cliffs_delta_of_cells", "1", "The same over pairs of cells: how far the distributions part.", "Cliff 1993"),
    Column(
        "naive_p_value", "1", "What a test that takes each cell as a replicate says. Not to be reported.", "Welch 1947"
    ),
    Column("naive_method", "", "That test in words.", _OURS),
    Column(
        "technical_low", "as value", "With one replicate: lower end of the interval among its wells or fields.", _OURS
    ),
    Column("technical_high", "as value", "Upper end of that interval; it says nothing of another replicate.", _OURS),
    Column("technical_unit", "", "What it is made from: wells or fields.", _OURS),
    Column(
        "segmentation_low", "as value", "Lower end of the interval with the segmentation's uncertainty in it.", _OURS
    ),
    Column("segmentation_high", "as value", "Upper end of that interval.", _OURS),
    Column("reason", "", "Why there is no p-value; empty if there is one.", _OURS),
)

POWER_COLUMNS = (
    Column("condition", "", "Condition that is compared …", _OURS),
    Column("reference", "", "… with this one.", _OURS),
    Column("sd", "as value", "Standard deviation of replicates (of pair differences where paired).", _OURS),
    Column("effect", "as value", "Difference that is to be found.", _OURS),
    Column(
        "n_replicates",
        "1",
        "Replicates in each condition (pairs) that find it with the power asked for, in a t-test of this contrast "
        "alone, without correction for several; missing for tests of ranks.",
        "statsmodels",
    ),
    Column("power_now", "1", "Power of that test with the replicates that there are.", "statsmodels"),
    Column(
        "detectable_now",
        "as value",
        "Smallest difference that it then finds with the power asked for.",
        "statsmodels",
    ),
)


@dataclass(frozen=True)
class Design:
    """What the table's replicates allow.

    Parameters
    ----------
    conditions
        In the order in which they are shown.
    paired
        Whether replicates are pairs (blocks).
    replicates
        Number of replicates of each condition, in the same order.
    kind
        ``amount`` or ``fraction``.
    """

    conditions: tuple[str, ...]
    paired: bool
    replicates: tuple[int, ...]
    kind: Literal["amount", "fraction"]

    @property
    def estimation_only(self) -> bool:
        """Whether no contrast can be tested, since no condition has a second replicate."""
        return max(self.replicates, default=0) < 2


@dataclass(frozen=True)
class Comparison:
    """One value compared between conditions.

    Parameters
    ----------
    options
        What was asked.
    design
        What the replicates allow.
    groups, replicates, contrasts, power
        Tables with the columns of `GROUP_COLUMNS`, `REPLICATE_COLUMNS`, `CONTRAST_COLUMNS` and `POWER_COLUMNS`; each
        has its descriptions in ``attrs["columns"]``.
    omnibus
        Test of all conditions at once in words with its p-value; empty with two conditions or one replicate.
    notes
        Assumptions and warnings in sentences, the gravest first.
    """

    options: CompareOptions
    design: Design
    groups: pd.DataFrame
    replicates: pd.DataFrame
    contrasts: pd.DataFrame
    power: pd.DataFrame
    omnibus: str = ""
    notes: tuple[str, ...] = ()
