"""Ids kept through planes or frames: an object has the id of the one that it overlaps most in the plane before."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from cellmetry.core.columns import Column
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.errors import LabelsError, ParameterError
from cellmetry.ops.matching import best_pairs
from cellmetry.ops.overlaps import count_overlaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["MAPPING_COLUMNS", "FollowedPlane", "IdRule", "KeepIds", "follow_ids", "keep_ids"]

_OURS = "Cellmetry"
MAPPING_COLUMNS: tuple[Column, ...] = (
    Column("t", "1", "Frame, from 0.", _OURS),
    Column("z", "1", "Z plane, from 0.", _OURS),
    Column("label_before", "1", "Id of the object as it was segmented.", _OURS),
    Column("label", "1", "Id that the object has now.", _OURS),
    Column(
        "iou",
        "1",
        "Intersection over union with the object of this id in the plane where it was last seen; missing where the "
        "object is new, or the plane is the first and there are no labels from before.",
        _OURS,
    ),
)
"""Columns of the table of ids; ``t`` and ``z`` are there where the labels have such planes."""


class IdRule(NamedTuple):
    """How objects of one plane are paired with those of the planes before.

    Parameters
    ----------
    least_iou
        Least intersection over union of a pair.
    memory
        In how many planes in a row an object may be missing and still be found again.
    most_pairs
        Of all pairings the one with the most pairs, and only then with the largest summed IoU.
    reuse
        A new object gets the id after the largest of the preceding plane, not after the largest ever given.
    """

    least_iou: float
    memory: int = 0
    most_pairs: bool = False
    reuse: bool = False


class FollowedPlane(NamedTuple):
    """A plane with ids that follow those before, and for each object its old id, its new one and the pair's IoU."""

    labels: NDArray[np.uint32]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    iou: NDArray[np.float64]


def follow_ids(
    planes: Iterable[NDArray[Any]], rule: IdRule, *, seed: NDArray[Any] | None = None
) -> Iterator[FollowedPlane]:
    """Yield each plane with the ids of the objects that it continues; other objects get new ids.

    Objects are paired one to one with those of the preceding plane (Hungarian method), what is left over with the
    plane before that, as far back as the memory goes. Only ``memory + 2`` planes are held at a time.

    Parameters
    ----------
    planes
        Labels of equal shape, in order: planes, or volumes.
    seed
        Labels that come before the first plane; without them the first plane keeps its ids.
    """
    earlier: deque[NDArray[np.uint32]] = deque([] if seed is None else [seed.astype(np.uint32)], rule.memory + 1)
    highest = 0 if seed is None else int(seed.max(initial=0))
    for plane in planes:
        before, index = np.unique(np.append(plane.reshape(-1), 0), return_inverse=True)
        objects = index[:-1].reshape(plane.shape).astype(np.uint32)
        if earlier:
            after, iou = _continued(earlier, objects, rule)
            last = int(earlier[0].max(initial=0)) if rule.reuse else highest
            new = np.flatnonzero(after == 0)[1:]
            after[new] = np.arange(last + 1, last + 1 + new.size)
        else:
            after, iou = before.astype(np.uint32), np.full(before.size, np.nan)
        highest = max(highest, int(after.max()))
        if rule.memory:
            for old in earlier:
                old[np.isin(old, after)] = 0
        earlier.appendleft(after[objects])
        yield FollowedPlane(earlier[0].copy(), before[1:].astype(np.int64), after[1:].astype(np.int64), iou[1:])


def _continued(
    earlier: Iterable[NDArray[np.uint32]], objects: NDArray[np.uint32], rule: IdRule
) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Return for each object, numbered from 0 for background, the id that it continues, or 0, and the pair's IoU."""
    names = np.zeros(int(objects.max(initial=0)) + 1, np.uint32)
    ious = np.full(names.size, np.nan)
    for plane in earlier:
        overlaps = count_overlaps(plane, np.where(names[objects] == 0, objects, 0))
        near = np.flatnonzero(overlaps.iou >= rule.least_iou)
        rows, columns, iou = overlaps.rows[near], overlaps.columns[near], overlaps.iou[near]
        pairs = best_pairs(rows, columns, iou, per_pair=float(rule.most_pairs))
        found = overlaps.second_ids[columns[pairs]]
        names[found], ious[found] = overlaps.first_ids[rows[pairs]], iou[pairs]
    return names, ious


def keep_ids(
    labels: Labels, rule: IdRule, *, axis: Literal["Z", "T"], seed: Labels | None = None
) -> tuple[Labels, pd.DataFrame]:
    """Return labels whose ids run along an axis, and the table of old and new ids (`MAPPING_COLUMNS`).

    Along Z each plane, along T each plane or, where ids run through Z already, each volume follows the one before.
    After Z, ``linked_z`` is False: planes are still measured one by one, with rows of equal label for one object.

    Raises
    ------
    ParameterError
        If the labels have no such axis, or do not say whether ids run through Z where that matters.
    LabelsError
        If the seed has another size than one plane.
    """
    inner = _inner_axes(labels, axis)
    first = None if seed is None else _checked_seed(seed, labels, inner)
    outer = labels.axes[: -len(inner)]
    out = np.zeros(labels.shape, np.uint32)
    tables = []
    for start in np.ndindex(*(1 if name == axis else labels.shape[at] for at, name in enumerate(outer))):
        steps = range(labels.shape[outer.index(axis)])
        places = [tuple(step if name == axis else start[at] for at, name in enumerate(outer)) for step in steps]
        planes = (np.asarray(labels.array[place]) for place in places)
        for place, plane in zip(places, follow_ids(planes, rule, seed=first), strict=True):
            out[place] = plane.labels
            tables.append(_mapping(plane, dict(zip(outer.lower(), place, strict=True))))
    table = pd.concat(tables, ignore_index=True)
    table.attrs["columns"] = tuple(column for column in MAPPING_COLUMNS if column.name in table)
    linked = False if axis == "Z" else labels.linked_z
    return replace(labels, array=out, linked_z=linked, ids_along=axis), table


def _inner_axes(labels: Labels, axis: Literal["Z", "T"]) -> str:
    """Return the axes of what follows one another: planes or volumes."""
    if axis not in labels.axes:
        raise ParameterError(f"Ids cannot be kept along {axis}: the labels have only the axes {labels.axes}.")
    if axis == "Z" or "Z" not in labels.axes or labels.linked_z is False:
        return "YX"
    if labels.linked_z is None:
        raise ParameterError(
            "Ids cannot be kept along T: the labels do not say whether an id means the same object in every Z plane; "
            "segment with stack=planes or stack=volume, which say so, or with stack=max."
        )
    return "ZYX"


def _checked_seed(seed: Labels, labels: Labels, inner: str) -> NDArray[np.uint32]:
    expected = labels.shape[-len(inner) :]
    if seed.axes != inner or seed.shape != expected:
        raise LabelsError(
            f"The labels whose ids are taken over must have the axes {inner} and the size {expected} of what follows "
            f"them, not {seed.axes} {seed.shape}."
        )
    return seed.read()


def _mapping(plane: FollowedPlane, place: dict[str, int]) -> pd.DataFrame:
    return pd.DataFrame({**place, "label_before": plane.before, "label": plane.after, "iou": plane.iou})


class KeepIds(Step):
    """Give the objects of a stack or movie ids that stay the same from plane to plane or frame to frame."""

    name: ClassVar[str] = "keep_ids"

    labels: str = "cells"
    """Name of the labels; they are replaced."""
    axis: Literal["Z", "T"] = "Z"
    """Along which axis ids run."""
    least_iou: float = Field(default=0.2, gt=0, le=1)
    """Least intersection over union with the object in the plane before."""
    memory: int = Field(default=0, ge=0, le=100)
    """In how many planes in a row an object may be missing and still get its id again."""
    seed: str | None = None
    """Name of labels of one plane, made before, whose ids the first plane takes; without them it keeps its own. They
    are no result: after this step they are gone."""
    rules: Literal["cellmetry", "dualcellquant"] = "cellmetry"
    """How objects are paired: by the largest summed IoU, ids never given twice (cellmetry); or as many pairs as
    possible, a new object getting the id after the largest of the plane before (dualcellquant)."""
    table: str = "id_mapping"
    """Name of the table of old and new ids."""

    @model_validator(mode="after")
    def _rules_fit(self) -> Self:
        if self.rules == "dualcellquant" and self.memory:
            raise ValueError("rules=dualcellquant looks at the preceding plane only; leave out memory")
        return self

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the labels renamed, the table added and the seed dropped."""
        old = self.rules == "dualcellquant"
        rule = IdRule(self.least_iou, self.memory, most_pairs=old, reuse=old)
        seed = None if self.seed is None else sample.need_labels(self.seed)
        made, table = keep_ids(sample.need_labels(self.labels), rule, axis=self.axis, seed=seed)
        used = sample if self.seed is None else sample.drop_labels(self.seed)
        return used.with_labels(self.labels, made).with_table(self.table, table)
