"""`carry_said`: what people corrected in labels, as it is to be known of the same cells under other ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellmetry.measure.runs import extents_of
from cellmetry.study.rebase.windows import Said, edited_windows, read_base, said_of_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["RELABELLED", "CarriedSaid", "carry_said", "edits_before_relabelling"]

RELABELLED = "relabelled"
"""What the origin of labels with other ids says of how they got them."""


class CarriedSaid(NamedTuple):
    """Corrections for the origin of labels with other ids, and the smallest id that none of both ever used."""

    as_json: list[dict[str, Any]]
    next_id: int


def carry_said(store: Store, labels: LabelSet, now: NDArray[np.uint32], renamed: NDArray[np.uint32]) -> CarriedSaid:
    """Return what people made of labels of one plane, in the ids of a copy of them.

    Objects that people took away have no id in the copy; they get ids of their own, so that a later model that finds
    them again meets what was said.

    Parameters
    ----------
    now, renamed
        The labels (Y, X) as they are and as they are called in the copy.
    """
    free = max(labels.next_id, int(renamed.max(initial=0)) + 1)
    before = said_of_labels(labels)
    places = edited_windows(store, labels, before, {(0, 0): extents_of(now[None])})
    windows = {box: read_base(store, labels, 0, 0, box, said=before) for _, _, box in places}
    known, first = np.unique(now, return_index=True)
    others = np.unique(np.concatenate([known[:0], *(base.reshape(-1) for base in windows.values())]))
    gone = np.setdiff1d(others, np.append(known, 0))
    ids = np.concatenate([np.zeros(1, np.uint32), known, gone])
    names = np.concatenate([np.zeros(1), renamed.reshape(-1)[first], np.arange(free, free + gone.size)])
    ids, order = np.unique(ids, return_index=True)
    names = names[order].astype(np.uint32)

    def named(window: NDArray[np.uint32]) -> NDArray[np.uint32]:
        return names[np.searchsorted(ids, window)]

    carried = []
    for box, base in windows.items():
        mine = now[box.slices]
        if not np.array_equal(base, mine):
            carried.append(Said(0, 0, box, named(base), named(mine)).as_json())
    return CarriedSaid(carried, free + int(gone.size))


def edits_before_relabelling(labels: LabelSet) -> int:
    """Return how many edits the labels had, of which these are a copy with other ids."""
    return int(labels.origin.get(RELABELLED, {}).get("edits", 0))
