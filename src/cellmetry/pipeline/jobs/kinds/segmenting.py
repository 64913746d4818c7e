"""The job `segment`: a recipe over images of a study; labels, tables and the record of the run."""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, model_validator

from cellmetry.core.labels import labels_hash
from cellmetry.errors import DamagedFile, InputError, MissingInput, ParameterError
from cellmetry.io.labels import read_labels
from cellmetry.io.tables import write_table
from cellmetry.pipeline.batch import RunResult, compare_images, image_columns, images_table, write_results
from cellmetry.pipeline.jobs.acts import act_of_job
from cellmetry.pipeline.jobs.bounded import RUN_TABLE
from cellmetry.pipeline.jobs.corrected import Edits, NewLabels, prepare_labels
from cellmetry.pipeline.jobs.gathering import kept_before
from cellmetry.pipeline.jobs.how_read import READ, how_read
from cellmetry.pipeline.jobs.kind import JobKind
from cellmetry.pipeline.jobs.kinds.reading import ImageId
from cellmetry.pipeline.jobs.plan import RunPlan, kept_plan
from cellmetry.pipeline.jobs.units import each_unit
from cellmetry.pipeline.outputs import STATE
from cellmetry.pipeline.record import run_record
from cellmetry.pipeline.stored.opening import image_ref
from cellmetry.pipeline.stored.recipes import recipe_of_text, wanted_recipe
from cellmetry.pipeline.work import Job, Layout, Outcome, do_job, finished_outcome, outcome_from
from cellmetry.study.store.images import image, images
from cellmetry.study.store.jobs import job
from cellmetry.study.store.originals import original
from cellmetry.study.store.results import add_result, results_of_job
from cellmetry.study.store.said import EXCLUDED, is_excluded
from cellmetry.study.store.units import units_of
from cellmetry.study.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.pipeline.jobs.units import Commit
    from cellmetry.pipeline.recipe import Recipe
    from cellmetry.study.store.store import Store
    from cellmetry.study.store.units import Unit

__all__ = ["SegmentImages"]

_LAYOUT = Layout(overlays=False)


class SegmentImages(JobKind):
    """Apply a recipe to images: labels become label images of the study, tables and the record of the run results."""

    name: ClassVar[str] = "segment"

    recipe: str | None = Field(default=None, min_length=1, max_length=200)
    """Name of a shipped recipe, or id or name of one that the study keeps; any, if neither this nor a text is given."""
    recipe_text: str | None = Field(default=None, max_length=200_000)
    """The recipe itself as TOML, in the place of a name."""
    set: tuple[Annotated[str, Field(max_length=2000)], ...] = Field(default=(), max_length=200)
    """Parameters to change, as in segment.diameter_um=12."""
    images: tuple[ImageId, ...] | None = Field(default=None, min_length=1, max_length=100_000)
    """Ids of the images; all that can be read and are not excluded if left out."""
    labels_name: str | None = Field(default=None, min_length=1, max_length=200)
    """Name for the labels of the cells (or the first that the recipe makes); as in the recipe if left out."""

    edits: Edits = "rebase"
    """What becomes of labels of this name that people corrected, if an image has some: put the corrections onto the new
    labels (rebase), leave such images' labels as they are (keep_old), or hide them with all corrections (replace)."""

    @model_validator(mode="after")
    def _one_recipe(self) -> SegmentImages:
        if self.recipe is not None and self.recipe_text is not None:
            raise ValueError("give recipe or recipe_text, not both")
        return self

    def run(self, work: JobWork) -> dict[str, Any]:
        """Return the ids of labels by image and name, of tables by name, and why images failed."""
        store = work.store
        before = _kept_before(work)
        if before is not None:
            return before
        plan = kept_plan(work.folder, store.folder, lambda: (self.recipe_for(store), self._images(store)))
        out = work.folder / "run"

        def segmented(image_id: str, progress: Progress) -> Commit:
            return self._segment(
                work, plan, Job(image_ref(work.store, image(work.store, image_id)), plan.recipe, out, _LAYOUT), progress
            )

        names = {image_id: image(work.store, image_id).name for image_id in plan.images}
        units = each_unit(work, "images", names, segmented)
        failed = {unit.name: unit.reason for unit in units if unit.state == "failed"}
        if len(failed) == len(units):
            first = units[0].reason
            raise InputError(first if len(units) == 1 else f"None of the {len(units)} images could be worked. {first}")
        made = _keep_results(work, plan, out, units, names)
        return {**made, **_told(units), "failed": failed}

    def recipe_for(self, store: Store) -> Recipe:
        """Return the recipe with its parameters changed, and models of the study where it names them."""
        if self.recipe_text is not None:
            return recipe_of_text(store, self.recipe_text, self.set)
        return wanted_recipe(store, self.recipe or "any", self.set)

    def _images(self, store: Store) -> tuple[str, ...]:
        known = {each.id: each for each in images(store)}
        if self.images is None:
            readable = [each.id for each in known.values() if each.state != "failed"]
            if not readable:
                raise MissingInput("The study has no image that can be read; add images first.")
            found = tuple(image_id for image_id in readable if not is_excluded(store, image_id))
            if not found:
                raise MissingInput(f"All {len(readable)} images are {EXCLUDED}; take that back, or name images.")
            return found
        unknown = next((each for each in self.images if each not in known), None)
        if unknown is not None:
            raise ParameterError(f"The study has no image {unknown}; it may have been removed.")
        return tuple(dict.fromkeys(self.images))

    def _segment(self, work: JobWork, plan: RunPlan, one: Job, progress: Progress) -> Commit:
        """Work one image, and return what keeps its labels."""
        read = how_read(work.store, image(work.store, one.ref.stem.name))
        outcome = finished_outcome(one) or do_job(one, progress)
        if outcome.status == "failed":
            if outcome.traceback:
                work.say("traceback", outcome.traceback)
            raise InputError(outcome.reason)
        for warning in outcome.warnings:
            work.say("warning", f"{outcome.image}: {warning}")
        image_id = one.ref.stem.name
        found = {name: _read_back(one, outcome, name) for name in outcome.labels_sha256}
        chief = "cells" if "cells" in found else next(iter(found), "")
        names = {name: (self.labels_name or name) if name == chief else name for name in found}

        origin = {"job": work.job_id, **_origin(plan), "image_sha256": outcome.sha256}
        prepared = {}
        for name, labels in found.items():
            told = {**origin, "labels": name, "made_sha256": outcome.labels_sha256[name]}
            new = NewLabels(image_id, names[name], labels, told)
            prepared[names[name]] = prepare_labels(work, new, edits=self.edits)

        def kept() -> dict[str, Any]:
            seq = act_of_job(work, self.name, _summary(len(plan.images), plan))
            made = {name: keep(seq) for name, keep in prepared.items()}
            rebased = {name: each.rebased for name, each in made.items() if each.rebased}
            ids = {name: each.id for name, each in made.items()}
            return {"labels": ids, "rebased": rebased, READ: read, "outcome": asdict(outcome)}

        return kept


def _summary(images: int, plan: RunPlan) -> str:
    return f"Segment {counted(images, 'image')} by the recipe {plan.recipe.name}"


def _read_back(one: Job, outcome: Outcome, name: str) -> Labels:
    """Return the labels that were written of an image, which must be those that were made."""
    place = one.out / outcome.outputs[f"labels {name}"]
    labels = read_labels(place)
    if labels_hash(labels) != outcome.labels_sha256[name]:
        raise DamagedFile(f"The labels {name} of {outcome.image} were damaged after they were written; do it again.")
    return labels


def _origin(plan: RunPlan) -> dict[str, Any]:
    """Return what made labels: recipe, engines with their models, version."""
    return {
        "recipe": {"name": plan.recipe.name, "sha256": plan.recipe.hash},
        "engines": list(plan.engines),
        "cellmetry": version("cellmetry"),
    }


def _told(units: Iterable[Unit]) -> dict[str, Any]:
    """Return the ids of labels by image and name, and what became of corrections if there were some."""
    done = [unit for unit in units if unit.state == "done"]
    rebased = {unit.name: unit.result["rebased"] for unit in done if unit.result.get("rebased")}
    return {"labels": {unit.name: unit.result["labels"] for unit in done}, **({"rebased": rebased} if rebased else {})}


def _kept_before(work: JobWork) -> dict[str, Any] | None:
    """Return what a job says whose results were kept before it was interrupted; None if they were not."""
    run = kept_before(work, "run")
    if run is None:
        return None
    _clear(work.folder / "run")
    found = results_of_job(work.store, work.job_id)
    tables = {each.name: each.id for each in found if each.kind == "table"}
    told = _told(units_of(work.store, work.job_id).values())
    return {"act": run.added_by, "tables": tables, "run": run.id, **told, "failed": run.details["failed"]}


def _clear(out: Path) -> None:
    """Remove what the study has by now: it has the labels, the tables have their parts."""
    for left in (out / _LAYOUT.labels, out / STATE):
        shutil.rmtree(left, ignore_errors=True)


def _keep_results(work: JobWork, plan: RunPlan, out: Path, units: list[Unit], names: dict[str, str]) -> dict[str, Any]:
    """Return the ids of the tables and of the record of a run, after writing them and adding them to the study."""
    outcomes = tuple(_outcome(work.store, unit, names[unit.name]) for unit in units)
    problems = tuple(compare_images(outcomes))
    for problem in problems:
        work.say("warning", problem)
    started = job(work.store, work.job_id).started or ""
    times = {"started": started, "ended": datetime.now(UTC).isoformat()}
    record = run_record(plan.recipe, outcomes, times, 1)
    record |= {"engines": list(plan.engines), "reading": None, "problems": list(problems), "job": work.job_id}
    write_results(RunResult(out, outcomes, 0, problems), plan.recipe, _LAYOUT, record)
    table = images_table(outcomes)
    write_table(table, out / "tables" / "images.parquet", image_columns(table))
    labels = {unit.name: unit.result.get("labels", {}) for unit in units}
    failed = {unit.name: unit.reason for unit in units if unit.state == "failed"}
    made = {"images": {unit.name: {"name": names[unit.name], "labels": labels[unit.name]} for unit in units}}
    # Of what a table tells, the study may have kept other labels: with corrections, or those of before.
    told = {
        "images": {unit.name: {"name": names[unit.name], "labels": None, READ: unit.result.get(READ)} for unit in units}
    }
    common = {**_origin(plan), "failed": failed}
    with work.store.database.write():
        seq = act_of_job(work, "segment", _summary(len(units), plan))
        tables = {
            name: add_result(work.store, seq, "table", name, path, job_id=work.job_id, details={**common, **told})
            for path in sorted((out / "tables").glob("*.parquet"))
            for name in [f"{RUN_TABLE}{path.stem}"]
        }
        run = add_result(
            *(work.store, seq, "run", plan.recipe.name, out / "run.json"),
            job_id=work.job_id,
            details={**common, **made},
        )
    _clear(out)
    return {"act": seq, "tables": tables, "run": run}


def _outcome(store: Store, unit: Unit, name: str) -> Outcome:
    """Return what became of an image, its files by the names that users gave them."""
    stored = image(store, unit.name)
    files = [original(store, file_id) for file_id in stored.source["files"]]
    if unit.state == "failed":
        return Outcome(name, files[0].name, stored.source["scene"], status="failed", reason=unit.reason)
    outcome = outcome_from(unit.result["outcome"])
    outputs = {key: place for key, place in outcome.outputs.items() if not key.startswith("labels ")}
    return replace(outcome, path=files[0].name, files={each.name: each.sha256 for each in files}, outputs=outputs)
