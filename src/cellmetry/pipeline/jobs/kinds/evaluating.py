"""The job `evaluate`: a model, or labels, against labels that people have corrected."""

from __future__ import annotations

import json
import shutil
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from cellmetry.core.parameters import parse_parameters
from cellmetry.engines.segment import Segment
from cellmetry.io.label_store import open_label_store
from cellmetry.learn.image_scores import ScoreOptions
from cellmetry.pipeline.evaluating import EngineRun, evaluate_to
from cellmetry.pipeline.jobs.beginning import same_labels
from cellmetry.pipeline.jobs.bounded import BoundedJob, ImageIds, Name
from cellmetry.pipeline.jobs.data_sets import DATA, write_stored_data
from cellmetry.pipeline.jobs.files import file_stems
from cellmetry.pipeline.jobs.gathering import NewResult, keep_result, kept_before
from cellmetry.pipeline.jobs.labelled import labelled_images, steady_labels
from cellmetry.pipeline.jobs.looking import Look, same_look
from cellmetry.report.evaluation import RECORD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cellmetry.core.labels import Labels
    from cellmetry.pipeline.jobs.data_sets import Others, StoredData
    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.pipeline.jobs.labelled import LabelledImage
    from cellmetry.study.store.store import Store

__all__ = ["EvaluateModel"]

_PREDICTED, _UNEDITED = "predicted", "before_editing"


class EvaluateModel(BoundedJob):
    """Compare a model's labels, or labels that are there, with corrected ones: objects, outlines, counts."""

    name: ClassVar[str] = "evaluate"

    images: ImageIds = None
    """Ids of the images; all that have the labels if left out."""
    truth: Name = "cells"
    """Name of the corrected labels."""
    look: Look | None = None
    """Engine and model that are evaluated."""
    labels: Annotated[tuple[Name, ...], Field(max_length=10)] = ()
    """Names of other labels of the same images that are evaluated."""
    unedited: bool = False
    """Whether the corrected labels are evaluated as they were before anybody edited them."""
    channel: str | None = Field(default=None, max_length=200, coerce_numbers_to_str=True)
    """Channel to look at and to show, by name or index; needed when there are several."""
    tolerance_px: float = Field(default=2.0, ge=0, le=1000)
    """How far boundaries may lie apart and still count as the same, in pixels."""
    patch_px: int = Field(default=256, ge=1, le=100_000)
    """Side of the squares in which objects are counted, in pixels."""
    name_of_result: Name = "evaluation"
    """Name of the report; an older one of this name is hidden."""

    @model_validator(mode="after")
    def _has_something(self) -> Self:
        if self.look is None and not self.labels and not self.unedited:
            raise ValueError("there is nothing to evaluate; say look for a model, labels, or unedited")
        return self

    def check(self, store: Store) -> None:
        """Refuse an engine or a model that is not there."""
        if self.look is not None:
            self.look.chosen(store)

    def run(self, work: JobWork) -> dict[str, Any]:
        """Return the id of the report, the scores, and why images are not in it."""
        before = kept_before(work, "report")
        if before is not None:
            _clear(work)
            return {"report": before.id, "act": before.added_by, **_told(before.details)}
        found = same_labels(work, self.truth, lambda: labelled_images(work.store, self.images, self.truth))
        others = self._others(work, found)
        data = write_stored_data(work, found, self.channel, others=others)
        out = work.folder / "report"
        if not (out / RECORD).is_file():
            self._evaluate(work, data, out, [work.folder / where for where in others])
        scores = json.loads((out / RECORD).read_text(encoding="utf-8"))["evaluations"]
        details = {
            "images": data.images,
            "failed": data.failed,
            "scores": scores,
            "options": self.model_dump(mode="json"),
        }
        summary = f"Evaluate {', '.join(each['prediction'] for each in scores)} on {len(data.images)} images"
        kept = keep_result(work, self.name, summary, NewResult("report", self.name_of_result, out, details))
        _clear(work)
        return {"report": kept["result"], "act": kept["act"], **_told(details)}

    def _others(self, work: JobWork, found: dict[str, LabelledImage]) -> dict[str, Others]:
        """Return what gives the labels that are evaluated, by the folders into which they are written."""
        others: dict[str, Others] = {}
        for name, stem in zip(self.labels, file_stems(self.labels), strict=True):
            sets = same_labels(work, name, partial(labelled_images, work.store, list(found), name))

            def other(each: LabelledImage, sets: dict[str, LabelledImage] = sets) -> Labels:
                return steady_labels(work.store, sets[each.image.id].labels.id).labels

            others[f"{_PREDICTED}/{stem}"] = other
        if self.unedited:
            others[f"{_PREDICTED}/{_UNEDITED}"] = lambda each: open_label_store(
                work.store.folder / each.labels.first_checkpoint
            )
        return others

    def _evaluate(self, work: JobWork, data: StoredData, out: Path, folders: list[Path]) -> None:
        engine = None
        if self.look is not None:
            look = {key: value for key, value in same_look(work, self.look).items() if key != "channel"}
            engine = EngineRun(parse_parameters(Segment, look, where="look"))
        options = ScoreOptions(tolerance_px=self.tolerance_px, patch_px=self.patch_px)
        evaluate_to(out, data.data_set, folders, engine=engine, options=options, progress=work.progress)


def _told(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a report's details the job says too."""
    return {"scores": details["scores"], "failed": details["failed"]}


def _clear(work: JobWork) -> None:
    """Remove the copies of images and labels that were compared; the report has its pictures."""
    for name in (DATA, _PREDICTED):
        shutil.rmtree(work.folder / name, ignore_errors=True)
