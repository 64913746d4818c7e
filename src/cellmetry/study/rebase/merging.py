"""New labels with what a human made of the old ones put in: no overlaps, no slivers, no id used twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage

from cellmetry.study.rebase.judging import BIT, Finding, judge_deleted, judge_present
from cellmetry.study.rebase.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from numpy.typing import NDArray

    from cellmetry.study.rebase.judging import Verdict

__all__ = ["Merged", "merge_windows"]


class Merged(NamedTuple):
    """New labels of a window, what became of each object that the human changed, and by which ids it is found."""

    after: NDArray[np.uint32]
    findings: tuple[Finding, ...]
    replaced: dict[int, tuple[int, ...]]
    """Objects of the old model in whose place the human put others: which."""


def merge_windows(
    base: NDArray[np.uint32],
    mine: NDArray[np.uint32],
    theirs: NDArray[np.uint32],
    new_id: Callable[[], int],
    *,
    whole: Collection[int] = (),
) -> Merged:
    """Return the new labels of a window with the human's objects, by the rules in `judging`.

    A new object that human pixels cut keeps the pieces with a quarter of it, each an object; the rest goes.

    Parameters
    ----------
    base, mine, theirs
        uint32 (Y, X): labels of the old model, the same as a human edited them, labels of the new model. Objects that
        the human changed, and new ones that touch those, lie in the window whole.
    new_id
        Gives an id that was never used.
    whole
        Objects to keep as the human left them, whatever the new model says.
    """
    scene = Scene(base, mine, theirs)
    ids = np.union1d(base[scene.changed], mine[scene.changed])
    verdicts, replaced = [], {}
    for label in ids[ids > 0].tolist():
        if label in scene.mine.areas:
            verdicts.append(judge_present(scene, label, whole=label in whole))
            continue
        takers = scene.base_mine.get(label, {})
        verdict = judge_deleted(scene, label, whole=label in whole)
        if sum(takers.values()) * 2 > scene.base.areas[label]:
            replaced[label] = tuple(takers)
        if verdict is not None:
            verdicts.append(verdict)
    after = _composed(scene, verdicts, new_id)
    findings = tuple(each.finding for each in verdicts if each.finding.id not in replaced)
    return Merged(after, findings, replaced)


def _composed(scene: Scene, verdicts: Iterable[Verdict], new_id: Callable[[], int]) -> NDArray[np.uint32]:
    human, cleared = np.zeros(scene.shape, np.uint32), np.zeros(scene.shape, bool)
    for verdict in verdicts:
        box = verdict.finding.box.slices
        if verdict.human is not None:
            human[box][verdict.human] = verdict.finding.id
        if verdict.cleared is not None:
            cleared[box] |= verdict.cleared
    theirs, taken = scene.theirs.pixels, cleared | (human > 0)
    ids = set(np.unique(human).tolist()) - {0}
    touched = (set(np.unique(theirs[taken]).tolist()) | (ids & set(scene.theirs.areas))) - {0}
    after = theirs.copy()
    for label in sorted(touched):
        box = scene.theirs.boxes[label].slices
        whole = theirs[box] == label
        after[box][whole] = 0
        own = label
        for piece in _pieces(whole & ~taken[box], BIT * scene.theirs.areas[label]):
            if own in ids:
                own = new_id()
            after[box][piece] = own
            ids.add(own)
    after[human > 0] = human[human > 0]
    return after


def _pieces(mask: NDArray[np.bool_], least: float) -> list[NDArray[np.bool_]]:
    """Return the connected pieces with at least so many pixels, the largest first."""
    pieces, _ = ndimage.label(mask, np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return [pieces == k for k in np.argsort(-sizes, kind="stable") if sizes[k] >= max(least, 1)]
