"""`run`: a recipe over many images; one bad image is a row with its reason, and a re-run does what is missing."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.core.progress import SILENT
from cellmetry.counting.validity import with_checked_calibrations
from cellmetry.engines.maps_step import Maps
from cellmetry.engines.segment import Segment
from cellmetry.errors import Cancelled, InputError, ParameterError
from cellmetry.io.atomic import atomic_write, clean_leftovers
from cellmetry.io.tables import read_columns, read_table, write_table
from cellmetry.measure.passport.step import Passport
from cellmetry.pipeline.acquisition import (
    FLAG,
    SETTINGS,
    compare_settings,
    refuse_settings_filter,
    settings_table,
    with_settings_flag,
)
from cellmetry.pipeline.checking import check_images, choose_evenly, unfamiliar_batch
from cellmetry.pipeline.detectors import compare_detectors, describe_detector, detectors_table
from cellmetry.pipeline.executors import in_processes, one_by_one
from cellmetry.pipeline.inputs import Found, find_images
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.recipe import recipe_text
from cellmetry.pipeline.record import run_record
from cellmetry.pipeline.work import (
    Job,
    Layout,
    Outcome,
    changed_by_hand,
    finished_outcome,
    folders_before,
    images_done_before,
    remove_empty_folders,
)
from cellmetry.report.index import write_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cellmetry.core.progress import Progress
    from cellmetry.pipeline.inputs import ImageRef
    from cellmetry.pipeline.recipe import Recipe

__all__ = [
    "RunResult",
    "compare_images",
    "image_columns",
    "images_table",
    "load_engines",
    "run",
    "write_results",
]

log = logging.getLogger(__name__)

_LONG_BATCH = 10
_TRIED = 3
_OUTLINES = "_outlines"

IMAGE_COLUMNS = (
    Column("image", "", "Name of the image: its place below the input folder, without suffix.", "Cellmetry"),
    Column(
        "path", "", "File that was read, the first of several; #N after it is the scene. run.json has all.", "Cellmetry"
    ),
    Column("status", "", "done or failed.", "Cellmetry"),
    Column("reason", "", "Why it failed.", "Cellmetry"),
    Column("warnings", "", "What is doubtful in the file or the result.", "Cellmetry"),
    Column(
        "unfamiliarity",
        "1",
        "How unlike the images that the model has learnt from this one is; usual is up to 1.",
        "Cellmetry; Sun et al. 2022",
    ),
    Column("seconds", "s", "Time it took.", "Cellmetry"),
    Column("axes", "", "Axes of the image.", "Cellmetry"),
    Column("shape", "px", "Size along each axis.", "Cellmetry"),
    Column("pixel_size_x_um", "um", "Width of a pixel.", "file, or --pixel-size"),
    Column("pixel_size_y_um", "um", "Height of a pixel.", "file, or --pixel-size"),
    *SETTINGS,
    FLAG,
    Column("sha256", "", "Hash of the file; of several files, hash of their hashes in run.json.", "SHA-256"),
)


@dataclass(frozen=True)
class RunResult:
    """What a run did.

    Parameters
    ----------
    out
        Its folder.
    outcomes
        One for each image, in order.
    reused
        How many images an earlier run had done already.
    problems
        Sentences about files that the file-name pattern left out, and about images that were not taken alike.
    """

    out: Path
    outcomes: tuple[Outcome, ...]
    reused: int
    problems: tuple[str, ...] = ()

    @property
    def failed(self) -> list[Outcome]:
        """The images that failed."""
        return [outcome for outcome in self.outcomes if outcome.status == "failed"]


def run(  # noqa: PLR0913  the six ways in which two runs of one recipe can differ
    recipe: Recipe,
    inputs: Iterable[str | Path] | Found,
    out: str | Path,
    *,
    reading: Reading | None = None,
    layout: Layout | None = None,
    workers: int = 1,
    progress: Progress = SILENT,
) -> RunResult:
    """Apply a recipe to every image of `inputs` and write results into the folder `out`.

    Parameters
    ----------
    inputs
        Files, folders and patterns; or images that were found before, with what reads them.
    workers
        Processes to work in; results do not depend on it.

    Raises
    ------
    MissingInput
        If the inputs hold no image, or a file that a step reads is not there.
    ParameterError
        If the recipe's engine cannot be used, a calibration is that of another model, or `out` holds results of other
        images.
    OutputError
        If results cannot be written.
    Cancelled
        If `progress` stopped it; finished images stay, and a re-run goes on from there.
    """
    started = datetime.now(UTC).isoformat()
    out = Path(out)
    layout = layout or Layout()
    found = inputs if isinstance(inputs, Found) else find_images(inputs, reading or Reading(), out)
    recipe.files_read()
    refuse_settings_filter(recipe.steps)
    load_engines(recipe)
    recipe = replace(recipe, steps=with_checked_calibrations(recipe.steps))
    _refuse_other_images(out, {ref.name for ref in found.images})
    jobs = [Job(ref, recipe, out, layout) for ref in found.images]
    outcomes = {place: done for place, job in enumerate(jobs) if (done := finished_outcome(job)) is not None}
    reused, before = len(outcomes), folders_before(out)
    edited = [sentence for place in outcomes for sentence in changed_by_hand(jobs[place])]
    todo = [place for place in range(len(jobs)) if place not in outcomes]
    for folder in {(out / outcome.outputs[key]).parent for outcome in outcomes.values() for key in outcome.outputs}:
        clean_leftovers(folder)
    progress.start("images", len(todo))
    pending = [jobs[place] for place in todo]
    _warn_of_unfamiliar(recipe, [job.ref for job in pending])
    several = workers > 1 and len(pending) > 1
    try:
        for place, outcome in in_processes(pending, workers) if several else one_by_one(pending, progress):
            outcomes[todo[place]] = outcome
            progress.advance()
    except KeyboardInterrupt as stop:
        finished = sum(outcome.status == "done" for outcome in outcomes.values())
        raise Cancelled(
            f"Stopped: {finished} of {len(jobs)} images are done and kept; the same command goes on from there."
        ) from stop
    _refuse_if_none_done(outcomes)
    in_order = tuple(outcomes[place] for place in range(len(jobs)))
    problems = (*found.problems, *edited, *compare_images(in_order))
    result = RunResult(out, in_order, reused, problems)
    times = {"started": started, "ended": datetime.now(UTC).isoformat()}
    record = run_record(recipe, result.outcomes, times, workers)
    record |= {"reading": _reading_record(found), "problems": list(problems)}
    write_results(result, recipe, layout, record)
    remove_empty_folders(out, before)
    return result


def _reading_record(found: Found) -> dict[str, object] | None:
    """Return how the images were opened as JSON values; none where they were put together from roles besides."""
    bare = bool(found.images) and not found.images[0].role_text
    return found.images[0].reading.model_dump(mode="json") if bare else None


def _refuse_other_images(out: Path, names: set[str]) -> None:
    """Refuse a folder with results of images that are not among these: its tables would no longer fit its pictures."""
    others = sorted(images_done_before(out) - names)
    if others:
        raise ParameterError(
            f"{out} holds results of {len(others)} images that are not among these ({others[0]}, say); give another "
            f"folder with --out, or all images together."
        )


def _refuse_if_none_done(outcomes: dict[int, Outcome]) -> None:
    """Fail, with nothing written, if no image could be worked."""
    failed = [outcome for outcome in outcomes.values() if outcome.status == "failed"]
    if not failed or len(failed) < len(outcomes):
        return
    first = failed[0].reason
    raise InputError(first if len(failed) == 1 else f"None of the {len(failed)} images could be worked. {first}")


def compare_images(outcomes: Sequence[Outcome]) -> list[str]:
    """Return a sentence for each setting, and each guessed detector, in which the images that were worked differ."""
    done = [each for each in outcomes if each.status == "done"]
    settings = compare_settings({each.image: each.settings for each in done})[1]
    return settings + compare_detectors({each.image: each.detectors for each in done})


def load_engines(recipe: Recipe) -> None:
    """Fail before the first image if an engine, a model or an option is wrong."""
    for step in recipe.steps:
        if isinstance(step, Segment | Maps):
            step.load_engine()


def _warn_of_unfamiliar(recipe: Recipe, refs: Sequence[ImageRef]) -> None:
    """Say at once, before a long batch, if a few of its images look unlike what a model has learnt from."""
    for step in recipe.steps:
        if isinstance(step, Segment) and len(refs) >= _LONG_BATCH:
            sentence = unfamiliar_batch(step, check_images(step, choose_evenly(refs, _TRIED)))
            if sentence:
                log.warning(sentence)


def write_results(result: RunResult, recipe: Recipe, layout: Layout, record: dict[str, object]) -> None:
    """Write the tables of all images, the recipe, the record and, with pictures, the index page of a run."""
    out = result.out
    images = images_table(result.outcomes)
    names = _table_names(result.outcomes) if layout.tables else []
    _remove_tables(out, {*_tables_before(out), "images"} - {*names, *(["images"] if layout.tables else [])})
    record = {**record, "tables": names}
    judged = {name for step in recipe.steps if isinstance(step, Passport) for name in step.tables}
    if layout.tables:
        for name in names:
            _gather_table(result, name, flagged=name in judged)
        write_table(images, out / "tables" / "images.csv", image_columns(images))
    _write_text(out / "recipe.toml", recipe_text(recipe))
    _write_text(out / "run.json", json.dumps(record, indent=1))
    if layout.overlays:
        write_index(out, recipe.name, _index_rows(result.outcomes), [recipe.description, *result.problems])
    else:
        (out / "index.html").unlink(missing_ok=True)


def _tables_before(out: Path) -> list[str]:
    """Return the names of the tables that an earlier run wrote into this folder."""
    before = out / "run.json"
    return list(json.loads(before.read_text(encoding="utf-8")).get("tables", [])) if before.is_file() else []


def _remove_tables(out: Path, names: set[str]) -> None:
    """Remove tables of an earlier run that this one does not make."""
    for name in names:
        for file in (f"{name}.csv", f"{name}.parquet", f"{name}_columns.csv"):
            (out / "tables" / file).unlink(missing_ok=True)


def _table_names(outcomes: Sequence[Outcome]) -> list[str]:
    names = [key.removeprefix("table ") for each in outcomes for key in each.outputs if key.startswith("table ")]
    return list(dict.fromkeys(names))


def _gather_table(result: RunResult, name: str, *, flagged: bool) -> None:
    """Write one table of all images, as CSV and Parquet, with the descriptions of its columns.

    With `flagged` it says of each row whether its image was taken unlike the others.
    """
    paths = [result.out / each.outputs[f"table {name}"] for each in result.outcomes if f"table {name}" in each.outputs]
    columns = {column.name: column for path in paths for column in read_columns(path)}
    parts = [read_table(path) for path in paths]
    filled = [part for part in parts if len(part)]
    table = pd.concat(filled, ignore_index=True) if filled else parts[0]
    if flagged and "image" in table:
        table = with_settings_flag(table, {each.image: each.settings for each in result.outcomes})
        columns |= {FLAG.name: FLAG} if FLAG.name in table else {}
    for suffix in (".csv", ".parquet"):
        write_table(table, result.out / "tables" / f"{name}{suffix}", list(columns.values()))


def images_table(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return one row for each image: what it is, what became of it, how many objects it has."""
    parts = list(dict.fromkeys(part for outcome in outcomes for part in outcome.parts))
    scores = list(dict.fromkeys(score for outcome in outcomes for score in outcome.scores))
    taken = settings_table({outcome.image: outcome.settings for outcome in outcomes})
    detectors = detectors_table([outcome.detectors for outcome in outcomes])
    return pd.DataFrame(
        {
            "image": [outcome.image for outcome in outcomes],
            **{part: [outcome.parts.get(part, "") for outcome in outcomes] for part in parts},
            "path": [outcome.path for outcome in outcomes],
            "status": [outcome.status for outcome in outcomes],
            "reason": [outcome.reason for outcome in outcomes],
            **{column: pd.array(values, "Int64") for column, values in _counts(outcomes).items()},
            **{name: pd.array([outcome.scores.get(name) for outcome in outcomes], "Float64") for name in scores},
            "warnings": [" ".join(outcome.warnings) for outcome in outcomes],
            "seconds": [outcome.seconds for outcome in outcomes],
            "axes": [outcome.axes for outcome in outcomes],
            "shape": [" × ".join(map(str, outcome.shape)) for outcome in outcomes],
            "pixel_size_x_um": pd.array([outcome.pixel_size_um[0] for outcome in outcomes], "Float64"),
            "pixel_size_y_um": pd.array([outcome.pixel_size_um[1] for outcome in outcomes], "Float64"),
            **{str(name): table[name].array for table in (taken, detectors) for name in table},
            "sha256": [outcome.sha256 for outcome in outcomes],
        }
    )


def _counts(outcomes: Sequence[Outcome]) -> dict[str, list[int | None]]:
    """Return the numbers of objects and, where objects keep their ids through planes, of outlines, by column."""
    columns: dict[str, list[int | None]] = {}
    for name in dict.fromkeys(name for outcome in outcomes for name in outcome.n_objects):
        columns[f"n_{name}"] = [outcome.n_objects.get(name) for outcome in outcomes]
        if any(name in outcome.n_outlines for outcome in outcomes):
            columns[f"n_{name}{_OUTLINES}"] = [outcome.n_outlines.get(name) for outcome in outcomes]
    return columns


def image_columns(images: pd.DataFrame) -> list[Column]:
    """Return what the columns of the table of images mean."""
    described = {column.name: column for column in IMAGE_COLUMNS}
    return [described.get(name) or describe_detector(name) or _other_column(name) for name in images.columns]


def _other_column(name: str) -> Column:
    counted = name.removeprefix("n_").removesuffix(_OUTLINES)
    if name.startswith("n_") and name.endswith(_OUTLINES):
        words = f"Number of outlines of {counted}: one in each plane or frame in which an object is."
        return Column(name, "1", words, "Cellmetry")
    if name.startswith("n_"):
        words = "an object counts once in all planes or frames through which it keeps its id."
        return Column(name, "1", f"Number of {counted} found; {words}", "Cellmetry")
    return Column(name, "", "Read from the file name.", "pattern")


def _chief_labels(outcome: Outcome) -> str:
    """Return the labels that stand for the image: the cells, or the first that a recipe without cells made."""
    return "cells" if "cells" in outcome.n_objects else next(iter(outcome.n_objects), "")


def _index_rows(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return what the index page shows of each image."""
    chief = [_chief_labels(each) for each in outcomes]
    overlays = [
        each.outputs.get("preview counts", each.outputs.get(f"overlay {name}", ""))
        for each, name in zip(outcomes, chief, strict=True)
    ]
    return pd.DataFrame(
        {
            "image": [each.image for each in outcomes],
            "status": [each.status for each in outcomes],
            "reason": [each.reason for each in outcomes],
            "n_cells": pd.array(
                [each.n_objects.get(name) for each, name in zip(outcomes, chief, strict=True)], "Int64"
            ),
            "seconds": [each.seconds for each in outcomes],
            "warnings": [" ".join(each.warnings) for each in outcomes],
            "overlay": overlays,
        }
    )


def _write_text(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
