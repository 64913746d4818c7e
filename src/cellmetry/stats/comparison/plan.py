"""Which contrasts are made, whether their replicates are pairs, and which of them can be tested."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from cellmetry.errors import ParameterError
from cellmetry.stats.comparison.inference import Pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.stats.comparison.options import CompareOptions
    from cellmetry.stats.comparison.replicates import Units

    Floats = NDArray[np.float64]

__all__ = ["FEW_SHARED", "Plan", "make_plan", "tested_conditions"]

FEW_SHARED = "these conditions share fewer than two replicates, so that there are no pairs to test"

_FREEDOM = 2
"""Partly shared replicates are blocks if they leave this many residual degrees of freedom: as three pairs do."""
_SHARED = 2
"""Fewest replicates that each condition shares with others, where only some are shared."""
_NAMED = 4
"""Most replicates of which a note says that a condition lacks them."""


@dataclass(frozen=True)
class Plan:
    """The contrasts.

    Parameters
    ----------
    pairs
        Condition and reference of each contrast.
    paired
        Whether replicates are blocks.
    reasons
        Why a contrast cannot be tested, empty where it can.
    notes
        What was decided, in sentences.
    """

    pairs: tuple[Pair, ...]
    paired: bool
    reasons: tuple[str, ...]
    notes: tuple[str, ...]


def make_plan(units: Units, options: CompareOptions) -> Plan:
    """Return contrasts with the control or of each pair of conditions, and how their replicates belong together.

    A condition with one replicate is not tested, even where another's spread could be lent to it: whether the spread
    is the same cannot be seen.

    Raises
    ------
    ParameterError
        If pairs are asked for and the conditions do not share replicates.
    """
    k = len(units.conditions)
    if options.control is None:
        pairs = tuple(Pair(later, first) for first, later in combinations(range(k), 2))
    else:
        control = units.conditions.index(options.control)
        pairs = tuple(Pair(each, control) for each in range(k) if each != control)
    tested = np.flatnonzero(np.array(units.counts()) >= 2)
    tested = tested if len(tested) >= 2 else np.arange(k)
    there = np.isfinite(units.wide())
    paired, notes = _pairing(there[:, tested], options)
    if paired and not there[:, tested][there[:, tested].any(1)].all():
        notes += _lacking(units, there, tested, gee=options.method == "gee")
    notes = notes if min(units.counts()[each] for each in tested) >= 2 else ()
    reasons = tuple(_reason(pair, units, there, paired=paired, options=options) for pair in pairs)
    return Plan(pairs, paired, reasons, notes)


def tested_conditions(plan: Plan) -> list[int]:
    """Return the codes of the conditions of which some contrast can be tested."""
    return sorted({each for pair, why in zip(plan.pairs, plan.reasons, strict=True) if not why for each in pair})


def _pairing(there: NDArray[np.bool_], options: CompareOptions) -> tuple[bool, tuple[str, ...]]:
    """Return whether replicates are blocks, from which condition has which, shape (replicates, conditions)."""
    shared = there.sum(1) >= 2
    if options.pairing == "unpaired":
        note = "Replicates of one name in two conditions are taken as independent, as asked."
        return False, (note,) if shared.any() else ()
    whole = bool(there[there.any(1)].all())
    auto = options.pairing == "auto"
    enough = whole or (
        _freedom(there[shared]) >= (_FREEDOM if auto else 1)
        and (not auto or int(there[shared].sum(0).min()) >= _SHARED)
    )
    if options.pairing == "paired" and not (shared.any() and enough):
        raise ParameterError(
            "Pairs were asked for, but the conditions do not share enough replicates; name each replicate (day, "
            "culture) the same in all conditions, or choose unpaired."
        )
    if not shared.any():
        return False, ()
    if not enough:
        return False, (
            f"Conditions share {int(shared.sum())} of {len(there)} replicates, too few for pairs: all are taken as "
            f"independent, which they are not if the shared ones are alike; p-values and intervals are rough then.",
        )
    return True, _paired_notes(there, shared, whole=whole, asked=not auto)


def _paired_notes(there: NDArray[np.bool_], shared: NDArray[np.bool_], *, whole: bool, asked: bool) -> tuple[str, ...]:
    note = "A replicate of one name in two conditions is taken as a pair (the same day, animal or culture)"
    if not whole:
        alone = int((there.any(1) & ~shared).sum())
        left = f"; {alone} that only one condition has add nothing to the test" if alone else ""
        return (f"{note}. Conditions share only some of the replicates{left}.",)
    if asked:
        return (f"{note}, as asked.",)
    return (f"{note}; if numbers only count them within each condition, choose unpaired.",)


def _lacking(units: Units, there: NDArray[np.bool_], tested: NDArray[np.intp], *, gee: bool) -> tuple[str, ...]:
    """Return which conditions lack replicates that others share, and what that does to the estimates.

    Estimating equations compare all cells, whatever their replicate.
    """
    shared = there[:, tested].sum(1) >= 2
    lacks = [
        f"{units.conditions[each]} lacks {_names(units, np.flatnonzero(shared & ~there[:, each]))}"
        for each in tested
        if (shared & ~there[:, each]).any()
    ]
    said = (f"{'; '.join(lacks)}.",) if lacks else ()
    if gee:
        return said
    return (
        *said,
        "Differences are those within shared replicates, as the model estimates them, and not those of the means "
        "shown, since conditions do not have the same replicates.",
    )


def _names(units: Units, places: NDArray[np.intp]) -> str:
    names = [units.replicates[place] for place in places]
    if len(names) > _NAMED:
        return f"{len(names)} of the shared replicates"
    return f"replicate{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _freedom(there: NDArray[np.bool_]) -> int:
    """Return residual degrees of freedom of conditions + blocks; 0 if some contrast cannot be estimated."""
    replicate, condition = np.nonzero(there)
    n_blocks, k = there.shape
    design = np.hstack([np.eye(k)[condition], np.eye(n_blocks)[replicate]])
    rank = int(np.linalg.matrix_rank(design)) if len(design) else 0
    return len(design) - rank if rank == k + n_blocks - 1 else 0


def _reason(pair: Pair, units: Units, there: NDArray[np.bool_], *, paired: bool, options: CompareOptions) -> str:
    counts = units.counts()
    single = [units.conditions[each] for each in pair if counts[each] < 2]
    if single:
        return (
            f"one replicate of {' and of '.join(single)}: without a second one nothing is known of how much "
            f"replicates differ"
        )
    if paired and options.method in ("welch", "rank") and there[:, list(pair)].all(1).sum() < 2:
        return FEW_SHARED
    return ""
