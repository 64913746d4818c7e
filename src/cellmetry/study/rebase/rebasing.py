"""`rebase`: a better model's labels take the place of older ones, and what humans corrected there is put in again."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.study.editing.operation import Change
from cellmetry.study.rebase.identities import renumbered
from cellmetry.study.rebase.merging import merge_windows
from cellmetry.study.rebase.overlooked import overlooked, strokes_in
from cellmetry.study.rebase.questions import Question, add_question
from cellmetry.study.rebase.windows import Said, edited_windows, read_base, said_of_labels
from cellmetry.study.store.acts import act
from cellmetry.study.store.edits import apply_changes
from cellmetry.study.store.label_pixels import read_window
from cellmetry.study.store.labels import discard_labels, enter_labels, label_set, write_labels
from cellmetry.study.store.overtaken import TRIES, Overtaken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from cellmetry.core.labels import Labels
    from cellmetry.study.rebase.identities import Renumbered
    from cellmetry.study.rebase.judging import Finding
    from cellmetry.study.rebase.merging import Merged
    from cellmetry.study.rebase.overlooked import Stroke
    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.edits import EditResult
    from cellmetry.study.store.labels import LabelSet, WrittenLabels
    from cellmetry.study.store.store import Store

__all__ = [
    "EditOutcome",
    "PlacedFinding",
    "PreparedRebase",
    "RebaseResult",
    "enter_rebase",
    "has_edits",
    "prepare_rebase",
    "rebase",
]

EditOutcome = Literal["kept", "agreed", "question", "overwritten"]
_RANK: dict[EditOutcome, int] = {"overwritten": 0, "agreed": 1, "kept": 2, "question": 3}


@dataclass(frozen=True)
class PlacedFinding:
    """What became of one object that a human changed, and on which frame and plane; its box is of the plane."""

    t: int
    z: int
    finding: Finding


@dataclass(frozen=True)
class RebaseResult:
    """New labels with what humans made of the old ones.

    Parameters
    ----------
    labels_id, act
        The new labels, and the act that added them: undoing it brings the old ones back.
    edit
        The edit of the new labels by which the humans' objects came in.
    findings
        Of each object that a human changed.
    edits
        Act of each edit of the old labels that held: what became of it. ``overwritten`` are those of which a later
        edit left nothing.
    questions
        Ids of the questions to answer.
    """

    labels_id: str
    act: int
    edit: EditResult
    findings: tuple[PlacedFinding, ...]
    edits: dict[int, EditOutcome]
    questions: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """Return how many edits were kept, agreed upon, asked about and overwritten."""
        found = Counter(self.edits.values())
        return {name: found[name] for name in ("kept", "agreed", "question", "overwritten")}

    def as_json(self) -> dict[str, Any]:
        """Return what to tell of it as JSON values."""
        kinds = Counter((each.finding.kind, each.finding.outcome) for each in self.findings)
        return {
            "labels": self.labels_id,
            "act": self.act,
            "edit": self.edit.act,
            "edits": self.counts(),
            "objects": [{"kind": kind, "outcome": end, "count": n} for (kind, end), n in sorted(kinds.items())],
            "questions": list(self.questions),
        }


def has_edits(store: Store, labels: LabelSet) -> bool:
    """Return whether labels hold anything that a human set."""
    return bool(labels.origin.get("said")) or bool(_held_edits(store, labels))


def rebase(
    store: Store,
    actor: Actor,
    old_labels_id: str,
    new_labels: Labels,
    *,
    origin: Mapping[str, Any] = {},
    seq: int | None = None,
) -> RebaseResult:
    """Return new labels of an image, under the name of the old ones, with what humans corrected in the old ones.

    The new labels' version 0 is what the new model gave, apart from ids: an object that is the same as an old one has
    its id, and no id that was ever used means another object. The humans' objects are version 1, one edit. See
    `judging` for what becomes of each.

    Parameters
    ----------
    origin
        What made the new labels: recipe, engine, model, job.
    seq
        The act that adds them, of a job for example; a new one if left out.

    Raises
    ------
    ParameterError
        If the new labels are of another shape.
    """

    def entered(prepared: PreparedRebase) -> RebaseResult:
        old = prepared.plan.old
        summary = f"New {old.name} with what was corrected in the old ones"
        by = act(store, actor, "rebase", summary, image=old.image_id, old=old.id) if seq is None else seq
        return enter_rebase(store, actor, prepared, by, origin=origin)

    store.must_be_writable()
    for _ in range(TRIES):
        prepared = prepare_rebase(store, old_labels_id, new_labels)
        with suppress(Overtaken), store.database.write():
            return entered(prepared)
    with store.database.write():  # somebody edits all the while: let them wait
        return entered(prepare_rebase(store, old_labels_id, new_labels))


class PreparedRebase(NamedTuple):
    """A rebase that is worked out, with its labels on the disk; `enter_rebase` does it."""

    plan: _Plan
    written: WrittenLabels


def prepare_rebase(store: Store, old_labels_id: str, new_labels: Labels) -> PreparedRebase:
    """Return what a rebase will do, all that takes long of it; call it outside a transaction.

    Raises
    ------
    ParameterError
        If the new labels are of another shape.
    """
    plan = _planned(store, old_labels_id, new_labels)
    return PreparedRebase(plan, write_labels(store, plan.new.labels))


def enter_rebase(
    store: Store, actor: Actor, prepared: PreparedRebase, seq: int, *, origin: Mapping[str, Any] = {}
) -> RebaseResult:
    """Return what came of a rebase after putting it into the study; call it within a transaction.

    Raises
    ------
    Overtaken
        If the old labels were edited since it was prepared; what was prepared is removed.
    """
    plan, written = prepared
    with store.database.write() as connection:
        old = label_set(store, plan.old.id)
        if old.version != plan.old.version:
            discard_labels(store, written)
            raise Overtaken
        told = {**origin, "rebased": old.id, "said": [each.as_json() for each in plan.said]}
        enter_labels(store, seq, old.image_id, written, name=old.name, origin=told)
        connection.execute("UPDATE labels SET next_id = max(next_id, ?) WHERE id = ?", (plan.next_id, written.id))
        edit = apply_changes(
            store,
            actor,
            written.id,
            plan.changes,
            "rebase",
            f"corrections of the older {old.name} put into the new ones",
            old=old.id,
            outcomes={str(key): value for key, value in plan.edits.items()},
        )
        asked = tuple(add_question(store, seq, written.id, each) for each in plan.questions)
    return RebaseResult(written.id, seq, edit, tuple(plan.findings), plan.edits, asked)


@dataclass
class _Plan:
    """What a rebase will do, worked out before anything is written."""

    old: LabelSet
    new: Renumbered
    next_id: int
    changes: list[Change] = field(default_factory=list)
    findings: list[PlacedFinding] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    edits: dict[int, EditOutcome] = field(default_factory=dict)

    def new_id(self) -> int:
        self.next_id += 1
        return self.next_id - 1


def _planned(store: Store, old_labels_id: str, new_labels: Labels) -> _Plan:
    old = label_set(store, old_labels_id)
    new = renumbered(store, old, new_labels)
    plan = _Plan(old, new, new.next_id)
    said = said_of_labels(old)
    ends: dict[tuple[int, int], dict[int, set[EditOutcome]]] = {}
    for t, z, box in edited_windows(store, old, said, new.extents):
        base = read_base(store, old, t, z, box, said=said)
        mine = read_window(store, old, t, z, box)
        place = tuple({"T": t, "Z": z}[axis] for axis in old.axes[:-2])
        theirs = np.asarray(new.labels.array[(*place, *box.slices)])
        strokes = list(strokes_in(store, old, t, z, box))
        merged = _merged(base, mine, theirs, strokes, plan.new_id)
        plan.changes.append(Change(t, z, box, merged.after))
        for finding in merged.findings:
            _note(plan, finding, (t, z, box), (base, mine, theirs, merged.after))
        _end(ends.setdefault((t, z), {}), merged)
    for seq, ids, places in _held_edits(store, old):
        found = {end for at in places for label in ids for end in ends.get(at, {}).get(label, ())}
        plan.edits[seq] = max(found, key=lambda end: _RANK[end], default="overwritten")
    return plan


def _merged(
    base: NDArray[np.uint32],
    mine: NDArray[np.uint32],
    theirs: NDArray[np.uint32],
    strokes: list[Stroke],
    new_id: Callable[[], int],
) -> Merged:
    """Return a window merged so that no edit is lost: objects of edits that would be stay as the human left them."""
    whole: set[int] = set()
    while True:
        merged = merge_windows(base, mine, theirs, new_id, whole=whole)
        more = overlooked(strokes, mine, merged.after) - whole
        if not more:
            return merged
        whole |= more


def _note(
    plan: _Plan,
    finding: Finding,
    at: tuple[int, int, Box],
    windows: tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]],
) -> None:
    """Keep a finding in the plane's coordinates, its question if it is one, what was said if the model agrees."""
    t, z, window = at
    base, mine, theirs, after = windows
    inner = finding.box
    whole = Box(inner.y0 + window.y0, inner.y1 + window.y0, inner.x0 + window.x0, inner.x1 + window.x0)
    plan.findings.append(PlacedFinding(t, z, replace(finding, box=whole)))
    here = inner.slices
    if finding.outcome == "agreed":
        own = (base[here] == finding.id) | (mine[here] == finding.id)
        before = np.where(own, base[here], mine[here])
        if not np.array_equal(before, mine[here]):
            plan.said.append(Said(t, z, whole, before, mine[here].copy()))
    if finding.outcome == "question":
        offered = np.where(np.isin(theirs[here], finding.theirs), theirs[here], 0)
        plan.questions.append(Question(t, z, whole, finding.id, finding.kind, after[here].copy(), offered))


def _end(ends: dict[int, set[EditOutcome]], merged: Merged) -> None:
    """Note how the objects of a window ended, also those in whose place the human put others."""
    for finding in merged.findings:
        ends.setdefault(finding.id, set()).add(finding.outcome)
    for label, takers in merged.replaced.items():
        ends.setdefault(label, set()).update(end for each in takers for end in ends.get(each, {"kept"}))


def _held_edits(store: Store, labels: LabelSet) -> list[tuple[int, list[int], set[tuple[int, int]]]]:
    """Return the edits that hold: act, ids that changed, planes."""
    rows = store.database.rows(
        "SELECT DISTINCT edits.act, edits.ids, t, z FROM edits JOIN acts ON acts.seq = edits.act "
        "JOIN patches ON patches.act = edits.act WHERE labels_id = ? AND version IS NOT NULL "
        "AND undone_by IS NULL AND undoes IS NULL ORDER BY edits.act",
        (labels.id,),
    )
    found: dict[int, tuple[int, list[int], set[tuple[int, int]]]] = {}
    for row in rows:
        _, _, places = found.setdefault(row["act"], (row["act"], json.loads(row["ids"]), set()))
        places.add((row["t"], row["z"]))
    return list(found.values())
