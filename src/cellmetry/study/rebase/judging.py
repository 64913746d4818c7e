"""What becomes of each object that a human changed, when a new model gives its own labels.

*Base* is what the old model gave, *mine* what a human made of it, *theirs* what the new model gives; an object of
theirs that is the same as one of mine has its id. The rules:

1. Only objects that the human changed are looked at. Their *strokes* are the pixels that the human put in or took out.
2. The new model **agrees** where its object is in the same place (IoU above 0.5) and has at least `AGREE` of the
   strokes, and at least half of each one, as the human set them, of pixels put in and taken out, at the edge of cells
   and between cells alike; for an object drawn on background, what the model's has beyond the drawing counts
   against it. A deleted object is agreed upon when no new object lies where it was. The
   model's object is taken, and stays marked as said by a human for a later model.
3. Else the human's is **kept**. Where the new model covers half of it, the model's outline is taken and the strokes are
   drawn on that, so a cell corrected on one side does not undo a better outline on the other. Where it does not, or the
   human drew the object on background, or less than half of what the human left would remain, the human's object is put
   in whole. A deleted object that the new model finds again (IoU 0.5), or a bit of it, is taken out again.
4. Only what the human cannot have judged is a **question**: a deleted object where the new model sees something of
   another shape, and a corrected object in which it sees two cells or more that the old model did not see.
   Until it is answered, the human's version stands.
5. An object of which an edit would be lost all the same (see `overlooked`) is kept whole, as the human left it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import ndimage

from cellmetry.study.rebase.scene import around, iou

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Box
    from cellmetry.study.rebase.scene import Scene

__all__ = ["AGREE", "ChangeKind", "Finding", "Outcome", "Verdict", "judge_deleted", "judge_present"]

AGREE = 0.75
"""Share of the pixels set by the human that the new model must have alike to agree."""
SAME = 0.5
"""IoU at which two objects are the same."""
BIT = 0.25
"""Share of an object below which something is no object of its own."""
STROKE = 10
"""Pixels below which a stroke may be a ragged edge."""

Outcome = Literal["kept", "agreed", "question"]
ChangeKind = Literal["added", "deleted", "reshaped", "merged", "split"]


@dataclass(frozen=True)
class Finding:
    """What became of one object that a human changed.

    Parameters
    ----------
    id
        Of the human's object; of the old model's if it was deleted.
    box
        Where it is, with the new model's objects in question.
    theirs
        The new model's objects there.
    """

    id: int
    kind: ChangeKind
    outcome: Outcome
    box: Box
    theirs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """A finding and what follows: pixels in its box that are the human's object, and that no new object may have."""

    finding: Finding
    human: NDArray[np.bool_] | None = None
    cleared: NDArray[np.bool_] | None = None


def judge_deleted(scene: Scene, label: int, *, whole: bool = False) -> Verdict | None:
    """Return what becomes of an object that the human took out; None if others took its place, which are judged."""
    if whole:
        own = scene.base.boxes[label]
        erased = (scene.base.pixels[own.slices] == label) & (scene.mine.pixels[own.slices] == 0)
        return Verdict(Finding(label, "deleted", "kept", own), None, erased)
    area, own = scene.base.areas[label], scene.base.boxes[label]
    taken = sum(scene.base_mine.get(label, {}).values())
    found = scene.base_theirs.get(label, {})
    inside = [u for u, shared in found.items() if shared >= SAME * scene.theirs.areas[u]]
    if taken > SAME * area:
        if not inside:
            return None
        box = around((own, *(scene.theirs.boxes[u] for u in inside)))
        erased = (scene.base.pixels[box.slices] == label) & (scene.mine.pixels[box.slices] == 0)
        cleared = erased & np.isin(scene.theirs.pixels[box.slices], inside)
        return Verdict(Finding(label, "deleted", "kept", box, tuple(inside)), None, cleared)
    back = [u for u, shared in found.items() if u in inside or shared >= SAME * area]
    back = [u for u in back if not _is_mine(scene, u)]
    if not back:
        return Verdict(Finding(label, "deleted", "agreed", own))
    box = around((own, *(scene.theirs.boxes[u] for u in back)))
    known = all(iou(found[u], area, scene.theirs.areas[u]) >= SAME or scene.theirs.areas[u] < BIT * area for u in back)
    cleared = np.isin(scene.theirs.pixels[box.slices], back)
    return Verdict(Finding(label, "deleted", "kept" if known else "question", box, tuple(back)), None, cleared)


def judge_present(scene: Scene, label: int, *, whole: bool = False) -> Verdict:
    """Return what becomes of an object that the human made or changed."""
    present = _Present(scene, label)
    return present.as_left() if whole else present.verdict()


class _Present:
    """An object of the human's labels that differs from the old model's."""

    def __init__(self, scene: Scene, label: int) -> None:
        self.scene, self.label = scene, label
        self.area = scene.mine.areas[label]
        self.sources = scene.mine_base.get(label, {})
        self.body = self._body()
        self.swallowed = [b for b, shared in self.sources.items() if shared >= SAME * scene.base.areas[b]]
        theirs = scene.mine_theirs.get(label, {})
        self.found = [u for u, shared in theirs.items() if shared >= SAME * min(scene.theirs.areas[u], self.area)]
        old = scene.base_theirs.get(self.body, {})
        self.inside = {u for u, shared in old.items() if shared >= SAME * scene.theirs.areas[u]} | set(self.found)
        boxes = (scene.theirs.boxes[u] for u in {*theirs, *self.inside})
        olds = (scene.base.boxes[b] for b in self.swallowed)
        self.box = around((scene.mine.boxes[label], scene.base.boxes.get(self.body), *olds, *boxes))
        self.base, self.mine, self.theirs = (
            each.pixels[self.box.slices] for each in (scene.base, scene.mine, scene.theirs)
        )
        self.is_it, self.was_it = self.mine == label, (self.base == self.body) & (self.body > 0)
        self.added, self.removed = self.is_it & ~self.was_it, self.was_it & ~self.is_it
        self.removed |= np.isin(self.base, self.swallowed) & (self.mine == 0)
        self.drawn = float(np.count_nonzero(self.is_it & (self.base == 0))) / self.area

    def verdict(self) -> Verdict:
        kind = self._kind()
        if self._agreed():
            return Verdict(Finding(self.label, kind, "agreed", self.box, (self.label,)))
        pieces = self._new_pieces(kind)
        if pieces:
            human = self.is_it
            finding = Finding(self.label, kind, "question", self.box, tuple(pieces))
        else:
            human = self._replayed()
            finding = Finding(self.label, kind, "kept", self.box, tuple(self.found))
        rim = np.isin(self.theirs, self.found) & (self.scene.nearest[self.box.slices] == self.label)
        erased = self.removed & (self.mine == 0) & np.isin(self.theirs, list(self.inside))
        return Verdict(finding, human, (rim | erased) & ~human)

    def as_left(self) -> Verdict:
        """Return the object as the human left it, with nothing of the new model where the human erased."""
        finding = Finding(self.label, self._kind(), "kept", self.box, tuple(self.found))
        rim = np.isin(self.theirs, self.found) & (self.scene.nearest[self.box.slices] == self.label)
        erased = self.removed & (self.mine == 0)
        return Verdict(finding, self.is_it, (rim | erased) & ~self.is_it)

    def _body(self) -> int:
        """Return which object of the old model this one was: of the same id, or that most of it is in; 0 if none."""
        if self.label in self.scene.base.areas:
            return self.label
        main = max(self.sources, key=lambda b: self.sources[b], default=0)
        return main if main and self.sources[main] >= SAME * self.area else 0

    def _kind(self) -> ChangeKind:
        scene, body = self.scene, self.body
        if len(self.swallowed) > 1:
            return "merged"
        others = scene.base_mine.get(body, {})
        parts = [m for m, shared in others.items() if shared >= SAME * scene.mine.areas[m]]
        if len(parts) > 1:
            return "split"
        return "reshaped" if body or self.drawn < SAME else "added"

    def _agreed(self) -> bool:
        """Return whether the new model has the object as the human set it."""
        shared = self.scene.mine_theirs.get(self.label, {}).get(self.label, 0)
        if not shared or iou(shared, self.area, self.scene.theirs.areas[self.label]) <= SAME:
            return False
        same = self.theirs == self.label
        alike = (self.added & same) | (self.removed & ~same)
        beyond = int(np.count_nonzero(same & ~self.is_it)) if self.drawn >= SAME else 0
        edge = (self.base == 0) | (self.mine == 0)
        strokes = [each & side for each in (self.added, self.removed) for side in (edge, ~edge)]
        return all(_met(each, alike, more) for each, more in zip(strokes, (beyond, 0, 0, 0), strict=True))

    def _new_pieces(self, kind: ChangeKind) -> list[int]:
        """Return the cells, two at least, that the new model sees in this one, if the old model did not see them."""
        scene = self.scene
        shared = scene.mine_theirs.get(self.label, {})
        pieces = [u for u in self.found if shared[u] >= BIT * self.area and shared[u] >= SAME * scene.theirs.areas[u]]
        if len(pieces) < 2 or (kind == "merged" and len(pieces) <= len(self.sources)):
            return []
        return [] if all(self._seen(u) for u in pieces) else pieces

    def _seen(self, other: int) -> bool:
        area = self.scene.theirs.areas[other]
        olds = self.scene.theirs_base.get(other, {})
        return any(iou(shared, area, self.scene.base.areas[b]) >= SAME for b, shared in olds.items())

    def _replayed(self) -> NDArray[np.bool_]:
        """Return the object as the human wants it: the strokes on the new model's outline, or the human's own."""
        outline: NDArray[np.bool_] = np.isin(self.theirs, self.found)
        own: NDArray[np.bool_] = self.is_it
        if self.drawn >= SAME or np.count_nonzero(outline & own) < SAME * self.area:
            return own
        allowed = (self.scene.nearest[self.box.slices] == self.label) & ~(
            self.scene.changed[self.box.slices] & ~self.is_it
        )
        left = self.is_it & np.isin(self.theirs, list(self.inside))
        strokes = self.added & ~np.isin(self.base, self.swallowed)
        made = _whole((outline & allowed) | left | strokes, self.is_it, strokes)
        shared = int(np.count_nonzero(made & self.is_it))
        return made if iou(shared, self.area, int(np.count_nonzero(made))) >= SAME else self.is_it


def _met(strokes: NDArray[np.bool_], alike: NDArray[np.bool_], beyond: int = 0) -> bool:
    """Return whether `AGREE` of the strokes, with pixels beyond them, are alike, and half of each one."""
    each, _ = ndimage.label(strokes)
    sizes, met = np.bincount(each.ravel())[1:], np.bincount(each.ravel(), alike.ravel())[1:]
    missed = (sizes >= STROKE) & (met < sizes / 2)
    return bool(met.sum() >= AGREE * (sizes.sum() + beyond)) and not missed.any()


def _whole(made: NDArray[np.bool_], human: NDArray[np.bool_], strokes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return an object without loose bits; the human's own if a stroke would be loose."""
    pieces, count = ndimage.label(made, np.ones((3, 3)))
    if count <= 1 or count <= ndimage.label(human, np.ones((3, 3)))[1]:
        return made
    sizes = np.bincount(pieces.ravel())[1:]
    main = pieces == 1 + int(sizes.argmax())
    return human if (strokes & made & ~main).any() else main


def _is_mine(scene: Scene, other: int) -> bool:
    """Return whether an object of the new model is one that the human left or made."""
    shared, area = scene.theirs_mine.get(other, {}), scene.theirs.areas[other]
    return any(iou(pixels, area, scene.mine.areas[m]) > SAME for m, pixels in shared.items())
