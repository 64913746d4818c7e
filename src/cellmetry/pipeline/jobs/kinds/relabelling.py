"""The job `relabel`: cells of an image get the ids that they have in earlier labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from cellmetry.core.columns import Column
from cellmetry.core.labels import Labels
from cellmetry.errors import EditConflict, LabelsError, ParameterError
from cellmetry.export.frame import frame_of_image
from cellmetry.io.hashing import content_hash
from cellmetry.io.tables import write_table
from cellmetry.ops.keep_ids import MAPPING_COLUMNS, IdRule, follow_ids
from cellmetry.pipeline.exchanging import import_labels
from cellmetry.pipeline.jobs.bounded import BoundedJob, Name
from cellmetry.pipeline.jobs.kinds.importing import UploadId
from cellmetry.pipeline.jobs.kinds.reading import ImageId
from cellmetry.pipeline.jobs.kinds.rebasing import LabelsId
from cellmetry.pipeline.jobs.labelled import labelled_images, steady_labels
from cellmetry.pipeline.stored.opening import open_stored
from cellmetry.study.rebase.carrying import RELABELLED, carry_said
from cellmetry.study.rebase.held import count_held_edits
from cellmetry.study.store.acts import act
from cellmetry.study.store.images import image as image_of
from cellmetry.study.store.images import say
from cellmetry.study.store.labels import (
    discard_labels,
    enter_labels,
    label_set,
    label_sets,
    labels_replaced_by,
    write_labels,
)
from cellmetry.study.store.restoring import labels_at
from cellmetry.study.store.results import add_result
from cellmetry.study.store.right import CORRECTED, right_labels
from cellmetry.study.store.uploads import upload_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.ops.keep_ids import FollowedPlane
    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.pipeline.jobs.labelled import LabelledImage
    from cellmetry.study.store.labels import LabelSet

__all__ = ["RelabelCells"]

_COLUMNS = (
    Column("image", "", "Name of the image.", "Cellmetry"),
    *(column for column in MAPPING_COLUMNS if column.name in ("label_before", "label", "iou")),
)
_LONGEST = 200


class _Previous(NamedTuple):
    """Labels whose ids are taken over: what they are in words, and what the study notes of them."""

    ids: NDArray[np.uint32]
    words: str
    origin: dict[str, Any]


class RelabelCells(BoundedJob):
    """Give the cells of an image the ids of those cells of earlier labels that they overlap most."""

    name: ClassVar[str] = "relabel"

    image: ImageId
    """Id of the image whose cells get other ids."""
    labels: Name = "cells"
    """Name of its labels; new ones take their place, and undoing the act brings them back."""
    previous: LabelsId | None = None
    """Id of the labels whose ids are taken over, of any image of the same size, hidden ones too; with neither these
    nor a file, the labels of which the present ones took the place."""
    version: int | None = Field(default=None, ge=0)
    """Version of those labels, 0 as they were made; the newest if left out."""
    upload: UploadId | None = None
    """Id of a label image that was sent, in the place of labels of the study."""
    least_iou: float = Field(default=0.2, ge=0, le=1)
    """Least intersection over union of a cell with the one whose id it gets."""
    rules: Literal["cellmetry", "dualcellquant"] = "cellmetry"
    """How cells are paired: by the largest summed IoU (cellmetry), or as many as possible (dualcellquant)."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.previous is not None and self.upload is not None:
            raise ValueError("give labels of the study (previous) or a file (upload), not both")
        if self.upload is not None and self.version is not None:
            raise ValueError("a file has no versions; leave out version")
        return self

    def run(self, work: JobWork) -> dict[str, Any]:
        """Return the ids of the new labels and of the table of ids, and how many cells kept an id."""
        before = next((each for each in label_sets(work.store, self.image) if _made_by(each) == work.job_id), None)
        if before is not None:
            return {"labels": before.id, "act": before.added_by, **before.origin[RELABELLED]["found"]}
        work.progress.start("relabel", 2)
        found = labelled_images(work.store, [self.image], self.labels)[self.image]
        _refuse_stack(found)
        previous = self._previous(work, found)
        _refuse_other_size(found, previous)
        work.progress.advance()
        done = self._relabelled(work, found, previous)
        work.progress.advance()
        return done

    def _previous(self, work: JobWork, found: LabelledImage) -> _Previous:
        if self.upload is not None:
            path = upload_path(work.store, self.upload)
            frame = frame_of_image(open_stored(work.store, found.image), found.image.name)
            ids = import_labels(path, frame).labels.read()
            return _Previous(ids, path.name, {"file": path.name, "sha256": content_hash(path)})
        source = labels_replaced_by(work.store, found.labels)
        if self.previous is not None:
            source = label_set(work.store, self.previous)
        if source is None:
            raise ParameterError(
                f"The {self.labels} of {found.image.name} took the place of no others; say whose ids they are to get: "
                f"labels of the study or a file."
            )
        version = source.version if self.version is None else self.version
        words = f"{source.name} of {image_of(work.store, source.image_id).name}"
        ids = labels_at(work.store, source.id, version).read()
        return _Previous(ids, words, {"labels": source.id, "version": version})

    def _relabelled(self, work: JobWork, found: LabelledImage, previous: _Previous) -> dict[str, Any]:
        """Enter the new labels and the table of ids in one act."""
        store, steady = work.store, steady_labels(work.store, found.labels.id)
        now = steady.labels.read()
        old = self.rules == "dualcellquant"
        rule = IdRule(self.least_iou, most_pairs=old, reuse=old)
        (new,) = follow_ids([now], rule, seed=previous.ids)
        said = carry_said(store, found.labels, now, new.labels)
        table = _table(new, found.image.name)
        path = work.folder / "id_mapping.parquet"
        write_table(table, path, _COLUMNS)
        told, written = _told(new, previous), write_labels(store, _with_ids(steady.labels, new.labels))
        with store.database.write() as connection:
            if not _is_shown(label_set(store, found.labels.id), steady.version):
                discard_labels(store, written)
                raise _edited(found)
            summary = f"Relabel {told['cells']} {self.labels} of {found.image.name} by {previous.words}"
            seq = act(store, work.actor, self.name, summary, job=work.job_id)
            name, details = f"id_mapping of {found.image.name}"[:_LONGEST], self._details(found, written.id, told)
            told["table"] = add_result(store, seq, "table", name, path, job_id=work.job_id, details=details)
            made: dict[str, Any] = {"job": work.job_id, "of": found.labels.id, "by": previous.origin, "found": told}
            made["edits"] = count_held_edits(store, found.labels, steady.version)
            is_right = found.labels.id in right_labels(store, found.image.id)
            origin = {**_origin(found.labels), **({"said": said.as_json} if said.as_json else {}), RELABELLED: made}
            enter_labels(store, seq, found.image.id, written, name=self.labels, origin=origin)
            connection.execute("UPDATE labels SET next_id = max(next_id, ?) WHERE id = ?", (said.next_id, written.id))
            if is_right:
                say(store, seq, written.id, {CORRECTED: True})
        return {"labels": written.id, "act": seq, **told}

    def _details(self, found: LabelledImage, labels_id: str, told: dict[str, Any]) -> dict[str, Any]:
        """Return what is to be known of the table of ids."""
        return {
            "rows": told["cells"],
            "labels": self.labels,
            "images": {found.image.id: {"name": found.image.name, "labels": labels_id, "version": 0}},
            "options": self.model_dump(mode="json", exclude_unset=True),
        }


def _refuse_stack(found: LabelledImage) -> None:
    if found.labels.axes != "YX":
        raise ParameterError(
            f"{found.image.name} has several planes; ids run through the planes and frames of one image by the step "
            f"keep_ids of a recipe."
        )


def _refuse_other_size(found: LabelledImage, previous: _Previous) -> None:
    if previous.ids.shape != found.labels.shape:
        raise LabelsError(
            f"Ids are taken over from labels of the same size: {found.image.name} has {_size(found.labels.shape)}, "
            f"{previous.words} {_size(previous.ids.shape)}."
        )


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def _edited(found: LabelledImage) -> EditConflict:
    return EditConflict(
        f"{found.image.name} was edited while its cells got other ids; do it again.",
        version=found.labels.version,
        act=found.labels.added_by,
    )


def _origin(labels: LabelSet) -> dict[str, Any]:
    """Return what made labels, without what was said of their ids."""
    return {key: value for key, value in labels.origin.items() if key not in ("said", "rebased")}


def _made_by(labels: LabelSet) -> str | None:
    made: str | None = labels.origin.get(RELABELLED, {}).get("job")
    return made


def _is_shown(labels: LabelSet, version: int) -> bool:
    """Return whether labels are still the ones that are seen, as they were at a version."""
    return labels.removed_by is None and labels.version == version


def _with_ids(labels: Labels, ids: NDArray[np.uint32]) -> Labels:
    return Labels(ids, labels.axes, labels.pixel_size, linked_z=labels.linked_z, ids_along=labels.ids_along)


def _table(new: FollowedPlane, image: str) -> pd.DataFrame:
    columns = {"label_before": new.before, "label": new.after, "iou": new.iou}
    return pd.DataFrame({"image": pd.array([image] * new.before.size, "str"), **columns})


def _told(new: FollowedPlane, previous: _Previous) -> dict[str, Any]:
    """Return how many cells there are, and how many of them kept an id."""
    kept = int(np.isfinite(new.iou).sum())
    lost = np.setdiff1d(np.unique(previous.ids[previous.ids > 0]), new.after[np.isfinite(new.iou)]).size
    return {"cells": int(new.before.size), "kept": kept, "new": int(new.before.size) - kept, "lost": int(lost)}
