"""The job `train`: corrected labels of a study to a model, judged on images that did not teach it."""

from __future__ import annotations

import json
import math
import shutil
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from cellmetry.engines.segment import Segment
from cellmetry.errors import MissingExtra, MissingInput
from cellmetry.io.atomic import atomic_folder, atomic_write
from cellmetry.learn.course import CHECKPOINT, SPLIT, clear_course
from cellmetry.learn.pairs import take_part
from cellmetry.models.store import DEFAULT_MODEL, find_model
from cellmetry.pipeline.evaluating import PREDICTED, EngineRun, evaluate_to
from cellmetry.pipeline.jobs.beginning import same_labels
from cellmetry.pipeline.jobs.bounded import BoundedJob, ImageIds, Name
from cellmetry.pipeline.jobs.changes import found_by, picture_changes, to_picture
from cellmetry.pipeline.jobs.data_sets import DATA, write_stored_data
from cellmetry.pipeline.jobs.gathering import NewResult, keep_result, kept_before
from cellmetry.pipeline.jobs.labelled import labelled_images
from cellmetry.pipeline.jobs.looking import ModelName, named_model
from cellmetry.pipeline.teaching import standings
from cellmetry.report.evaluation import RECORD
from cellmetry.study.store.models import add_model, model_folder, model_path, models
from cellmetry.study.store.results import add_result, result_path, results_of_job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.learn.dataset import DataSet
    from cellmetry.learn.fit import TrainResult
    from cellmetry.models.store import Model
    from cellmetry.pipeline.jobs.data_sets import StoredData
    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.pipeline.jobs.labelled import LabelledImage
    from cellmetry.study.store.store import Store

__all__ = ["TrainModel"]

_OUTCOME = "outcome.json"
_BEFORE = "before"
_BEGINNING, _JUDGING = "beginning", "judging"
"""What progress tells while nothing is counted: before the learning, and after it."""
Change = Annotated[str, Field(max_length=300, pattern=r"^[a-z_]+(\.[a-z_]+)?=")]


class TrainModel(BoundedJob):
    """Train a model on images whose labels were corrected, and say how good it is on images held out."""

    name: ClassVar[str] = "train"

    images: ImageIds = None
    """Ids of the images; all whose labels were edited, imported, called right or looked through if left out."""
    labels: Name = "cells"
    """Name of the corrected labels."""
    channel: str | None = Field(default=None, max_length=200, coerce_numbers_to_str=True)
    """Channel to look at, by name or index; needed when there are several."""
    start: ModelName | None = None
    """Model to start from: id or name of one of the study, or the name of an installed one; the study's active model,
    or else the one that comes with Cellmetry, if left out."""
    from_nothing: bool = False
    """Whether the model starts from nothing, which takes hundreds of images."""
    recipe: Literal["fine-tune", "standard", "base"] | None = None
    """Training recipe; fine-tune with a model to start from, else standard."""
    changes: Annotated[tuple[Change, ...], Field(max_length=100)] = ()
    """Changes of the training recipe: ``optimisation.steps=500``."""
    minutes: float | None = Field(default=None, ge=0.1, le=20_000)
    """Train about so many minutes."""
    epochs: float | None = Field(default=None, ge=0.01, le=100_000)
    """Show so many crops per image."""
    keep: bool = False
    """Whether the model is kept even if it is not better than the one it started from."""
    licence: str = Field(default="unknown", min_length=1, max_length=200)
    """Licence of the new model."""
    name_of_model: Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")] = "mine"
    """Name of the new model."""

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if self.minutes is not None and self.epochs is not None:
            raise ValueError("give minutes or epochs, not both")
        if self.from_nothing and self.start is not None:
            raise ValueError("give a model to start from or from_nothing, not both")
        return self

    @property
    def takes_s(self) -> float:
        """The time that training is given."""
        return 60 * (self.minutes or 0.0)

    def check(self, store: Store) -> None:
        """Refuse a model that is not there, and training where PyTorch is not."""
        if find_spec("torch") is None:
            raise MissingExtra("train", "Training")
        if self.start is not None:
            named_model(store, self.start)

    def run(self, work: JobWork) -> dict[str, Any]:
        """Return the id of the model (None if it was no better and not kept), of its reports, and the scores."""
        before = kept_before(work, "report")
        if before is not None:
            return _ended(work, before.id, before.added_by, before.details)
        found = same_labels(work, self.labels, lambda: self._corrected(work.store))
        data = write_stored_data(work, found, self.channel)
        out = work.folder / "training" / self.name_of_model
        outcome = self._train(work, data, out)
        trained = find_model(out / f"{self.name_of_model}.json") if outcome["kept"] else None
        report = self._report(work, data, trained, outcome["held_out"])
        pictures = [] if report is None else self._pictures(work, data, outcome["held_out"], report)
        told = {"pictures": pictures, "images": data.images, "failed": data.failed}
        return self._keep(work, trained, {**outcome, **told}, report)

    def _corrected(self, store: Store) -> dict[str, LabelledImage]:
        """Return the images that teach and judge."""
        found = labelled_images(store, self.images, self.labels)
        if self.images is not None:
            return found
        stand = standings(store, [each.labels for each in found.values()])
        corrected = {image_id: each for image_id, each in found.items() if stand[each.labels.id].teaches}
        if not corrected:
            raise MissingInput(
                f"No image has corrected labels named {self.labels!r}: edit some, look through all of an image, say of "
                f"images that they are corrected, or name the images to train on."
            )
        return corrected

    def _train(self, work: JobWork, data: StoredData, out: Path) -> dict[str, Any]:
        """Train, or go on with it; return what came of it."""
        noted, course = work.folder / _OUTCOME, out / "training"
        if noted.is_file():
            clear_course(course)
            found: dict[str, Any] = json.loads(noted.read_text(encoding="utf-8"))
            return found
        work.progress.start(_BEGINNING, 0)
        try:
            fit = import_module("cellmetry.learn.fit")
        except ModuleNotFoundError as error:
            raise MissingExtra("train", "Training") from error
        resume = (course / CHECKPOINT).is_file()
        begun = _begun(work, None if self.from_nothing else named_model(work.store, self.start) or DEFAULT_MODEL)
        if begun is not None and not course.is_dir():
            _hold_out_again(work, Path(begun), course)
        options = fit.TrainOptions(
            data=(data.data_set.folder,),
            out=out,
            start=begun,
            recipe=self.recipe,
            minutes=None if resume else self.minutes,
            epochs=None if resume else self.epochs,
            resume=resume,
            keep=self.keep,
            licence=self.licence,
            changes=self.changes,
        )
        made = fit.train_model(
            options,
            progress=work.progress,
            hear=lambda result: _note(noted, result),
            tell=lambda row: _tell(work, row),
        )
        return _outcome(made)

    def _report(self, work: JobWork, data: StoredData, trained: Model | None, part: str) -> Path | None:
        """Return the folder of a report on the images held out; None without a model, or if that labels nothing."""
        if trained is None or not trained.card.segments:
            return None
        out = work.folder / "report"
        if not (out / RECORD).is_file():
            engine = EngineRun(Segment(engine="cellmetry", model=str(trained.path)))
            evaluate_to(out, self._held_out(work, data, part), engine=engine, progress=work.progress)
        return out

    def _held_out(self, work: JobWork, data: StoredData, part: str) -> DataSet:
        """Return the items that did not teach."""
        return take_part(data.data_set, self._course(work) / SPLIT, part)

    def _course(self, work: JobWork) -> Path:
        """Return the folder that tells of the training."""
        return work.folder / "training" / self.name_of_model / "training"

    def _pictures(self, work: JobWork, data: StoredData, part: str, report: Path) -> list[dict[str, Any]]:
        """Return what is said of the pictures of what changed, which lie in the folder that tells of the training."""
        items = to_picture(self._held_out(work, data, part))
        start = _begun(work, None)
        findings = {"after": report / PREDICTED}
        if start is not None and find_model(start).card.segments:
            before = found_by(start, items, work.folder / _BEFORE, progress=work.progress)
            findings = {"before": before, **findings}
        return picture_changes(items, findings, self._course(work) / "changes")

    def _keep(
        self, work: JobWork, trained: Model | None, outcome: dict[str, Any], report: Path | None
    ) -> dict[str, Any]:
        """Keep the model and its reports in one act."""
        course = self._course(work)
        model_id = None if trained is None else f"mdl_{work.job_id.rpartition('_')[2]}"
        if trained is not None and model_id is not None:
            trained = _copied(trained, model_folder(work.store, model_id))

        def also(seq: int) -> None:
            if trained is not None and model_id is not None:
                add_model(work.store, seq, model_id, trained, job_id=work.job_id)
            if report is not None:
                name = f"{self.name_of_model}, held-out images"
                add_result(work.store, seq, "report", name, report, job_id=work.job_id, details={"model": model_id})

        details = {**outcome, "model": model_id, "options": self.model_dump(mode="json", exclude={"images"})}
        new = NewResult("report", f"{self.name_of_model}, training", course, details)
        summary = f"Train the model {self.name_of_model} on {len(outcome['images'])} images"
        kept = keep_result(work, self.name, summary, new, also=also)
        return _ended(work, kept["result"], kept["act"], details)


def _outcome(made: TrainResult) -> dict[str, Any]:
    """Return what came of a training, as JSON values."""
    return {
        "kept": made.model is not None,
        "held_out": made.part,
        "steps": made.steps,
        "seconds": round(made.seconds, 1),
        "before": None if made.before is None else json.loads(made.before.to_json(orient="records")),
        "after": json.loads(made.after.to_json(orient="records")),
    }


def _tell(work: JobWork, row: Mapping[str, float]) -> None:
    """Say how the learning goes, and after its last step that the model is judged."""
    work.say("learning", _row(row))
    if row["step"] == row["steps"]:
        work.progress.start(_JUDGING, 0)


def _row(row: Mapping[str, float]) -> str:
    """Return how the learning goes as JSON, without what is no number yet."""
    return json.dumps({name: round(value, 6) for name, value in row.items() if math.isfinite(value)})


def _note(path: Path, made: TrainResult) -> None:
    with atomic_write(path) as part:
        part.write_text(json.dumps(_outcome(made), indent=1), encoding="utf-8")


def _ended(work: JobWork, training: str, act: int, details: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a job whose results are kept says, after removing its copies of images and labels."""
    for copies in (DATA, _BEFORE):
        shutil.rmtree(work.folder / copies, ignore_errors=True)
    said = {key: details[key] for key in ("kept", "held_out", "before", "after", "failed")}
    return {"model": details["model"], "training": training, "act": act, **said}


def _begun(work: JobWork, start: str | None) -> str | None:
    """Return the model from which the training began, also when another one is active by now."""
    noted = work.folder / "start.json"
    if noted.is_file():
        said: str | None = json.loads(noted.read_text(encoding="utf-8"))["start"]
        return said
    with atomic_write(noted) as part:
        part.write_text(json.dumps({"start": start}), encoding="utf-8")
    return start


def _hold_out_again(work: JobWork, begun: Path, course: Path) -> None:
    """Note which images the training of a model of the study held out: they do not teach the next one either."""
    by = next((each.job_id for each in models(work.store) if model_path(work.store, each) == begun), None)
    places = [] if by is None else [result_path(work.store, each) for each in results_of_job(work.store, by)]
    split = next((place / SPLIT for place in places if (place / SPLIT).is_file()), None)
    if split is not None:
        with atomic_write(course / SPLIT) as part:
            shutil.copyfile(split, part)


def _copied(trained: Model, folder: Path) -> Model:
    """Return a copy of a model, weights and card, in the study's folder of models."""
    with atomic_folder(folder, marker=f"{trained.path.stem}.json") as part:
        shutil.copyfile(trained.path, part / trained.path.name)
        shutil.copyfile(trained.path.with_suffix(".json"), part / f"{trained.path.stem}.json")
    return find_model(folder / f"{trained.path.stem}.json")
