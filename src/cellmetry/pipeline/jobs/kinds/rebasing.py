"""The job `rebase`: what people corrected in old labels, put onto labels of a better model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, model_validator

from cellmetry.errors import InputError, ParameterError
from cellmetry.pipeline.jobs.acts import act_of_job
from cellmetry.pipeline.jobs.bounded import ImageIds, Name
from cellmetry.pipeline.jobs.kind import JobKind
from cellmetry.pipeline.jobs.kinds.segmenting import SegmentImages
from cellmetry.pipeline.jobs.units import each_unit
from cellmetry.study.rebase.rebasing import enter_rebase, has_edits, prepare_rebase
from cellmetry.study.store.images import image
from cellmetry.study.store.labels import discard_labels, label_set, labels_of_image, labels_replaced_by
from cellmetry.study.store.overtaken import Overtaken
from cellmetry.study.store.restoring import labels_at

if TYPE_CHECKING:
    from cellmetry.core.progress import Progress
    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.pipeline.jobs.units import Commit
    from cellmetry.pipeline.recipe import Recipe
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["LabelsId", "RebaseEdits"]

LabelsId = Annotated[str, Field(max_length=64, pattern=r"^lbl_[0-9a-f]{16}$")]
"""Id of labels in a request."""


class RebaseEdits(JobKind):
    """Put what people corrected in labels onto new ones: made already, or made now by a recipe."""

    name: ClassVar[str] = "rebase"

    labels: Name = "cells"
    """Name of the labels that people corrected."""
    onto: tuple[LabelsId, ...] | None = Field(default=None, min_length=1, max_length=100_000)
    """Ids of labels made already, one for each image, hidden ones too; not with a recipe."""
    recipe: str | None = Field(default=None, min_length=1, max_length=200)
    """Name of a shipped recipe, or id or name of one that the study keeps, that makes new labels."""
    recipe_text: str | None = Field(default=None, max_length=200_000)
    """The recipe itself as TOML, in the place of a name."""
    set: tuple[Annotated[str, Field(max_length=2000)], ...] = Field(default=(), max_length=200)
    """Parameters of the recipe to change, as in segment.model=NAME."""
    images: ImageIds = None
    """Ids of the images that the recipe works; all that can be read and are not excluded if left out."""

    @model_validator(mode="after")
    def _one_source(self) -> RebaseEdits:
        if self.onto is not None and (self.recipe or self.recipe_text or self.set or self.images):
            raise ValueError("give labels made already (onto) or a recipe with its images, not both")
        return self

    def recipe_for(self, store: Store) -> Recipe | None:
        """Return the recipe that makes new labels; None if they are made already."""
        return self._segmenting().recipe_for(store) if self.onto is None else None

    def _segmenting(self) -> SegmentImages:
        wanted = self.model_dump(include={"recipe", "recipe_text", "set", "images"})
        return SegmentImages(**wanted, labels_name=self.labels, edits="rebase")

    def run(self, work: JobWork) -> dict[str, Any]:
        """Return what became of the corrections by image, new labels, and why images failed."""
        if self.onto is None:
            return self._segmenting().run(work)
        pairs = {label_set(work.store, each).image_id: each for each in self.onto}
        if len(pairs) < len(self.onto):
            raise ParameterError("Corrections can be put onto one set of labels of an image only; name one for each.")

        def rebased(image_id: str, _: Progress) -> Commit:
            store, new = work.store, label_set(work.store, pairs[image_id])
            old = _corrected(store, new, self.labels)
            if has_edits(store, new):
                raise ParameterError(
                    f"People corrected the labels {new.id} too: undo that first, or name labels as a model made them."
                )
            prepared = prepare_rebase(store, old.id, labels_at(store, new.id, new.version))

            def kept() -> dict[str, Any]:
                versions = [label_set(store, each.id).version for each in (new, old)]
                if versions != [new.version, old.version] or _corrected(store, new, self.labels).id != old.id:
                    discard_labels(store, prepared.written)
                    raise Overtaken
                seq = act_of_job(work, self.name, f"New {self.labels} with what was corrected in the old ones")
                origin = {key: value for key, value in new.origin.items() if key not in ("said", "rebased")}
                told = {**origin, "labels_id": new.id, "job": work.job_id}
                return enter_rebase(store, work.actor, prepared, seq, origin=told).as_json()

            return kept

        names = {image_id: image(work.store, image_id).name for image_id in pairs}
        units = each_unit(work, "rebase", names, rebased)
        if all(unit.state == "failed" for unit in units):
            raise InputError(units[0].reason)
        return {
            "rebased": {unit.name: {self.labels: unit.result} for unit in units if unit.state == "done"},
            "labels": {unit.name: {self.labels: unit.result["labels"]} for unit in units if unit.state == "done"},
            "failed": {unit.name: unit.reason for unit in units if unit.state == "failed"},
        }


def _corrected(store: Store, new: LabelSet, name: str) -> LabelSet:
    """Return the newest labels of a name that people corrected, and that new ones are or were put in the place of."""
    old = labels_of_image(store, new.image_id, name)
    while old is not None and (old.id == new.id or not has_edits(store, old)):
        old = labels_replaced_by(store, old)
    if old is None:
        raise ParameterError(f"The image has no other labels named {name!r} whose corrections could be kept.")
    return old
