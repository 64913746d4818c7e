"""One image through a recipe: the unit of a batch, done in whatever process."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import traceback
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.core.labels import count_objects, labels_hash
from cellmetry.core.progress import SILENT
from cellmetry.core.sample import Sample
from cellmetry.engines.base import LookupEngine
from cellmetry.engines.maps_step import Maps
from cellmetry.engines.segment import Segment
from cellmetry.errors import Cancelled, CellmetryError, OutputError
from cellmetry.io.atomic import atomic_write
from cellmetry.io.hashing import content_hash
from cellmetry.io.images import write_image
from cellmetry.io.labels import write_labels
from cellmetry.io.pictures import write_png, write_thumbnail
from cellmetry.io.pixel_checks import check_pixels
from cellmetry.io.tables import write_table
from cellmetry.measure.columns import describe_columns
from cellmetry.report.counts import draw_counts
from cellmetry.report.index import thumbnail_path
from cellmetry.report.overlay import draw_overlay

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.pipeline.inputs import ImageRef
    from cellmetry.pipeline.recipe import Recipe
    from cellmetry.report.overlay import OverlayOptions

__all__ = ["Job", "LabelForm", "Layout", "Outcome", "do_job", "finished_outcome", "images_done_before", "part_path"]

_IMAGE_COLUMN = Column("image", "", "Name of the image, as in images.csv.", "Cellmetry")

COUNTS = "counts"
"""Table for which a preview is drawn."""

STATE = ".cellmetry"
"""Folder in a run's folder that holds what a re-run needs to do only what is missing."""


LabelForm = Literal["tif", "npy", "ome.zarr"]


@dataclass(frozen=True)
class Layout:
    """Where in a run's folder results go.

    Parameters
    ----------
    labels
        Sub-folder of the label images; empty for the run's folder itself.
    maps
        Sub-folder of the maps of networks; empty for the run's folder itself.
    overlays, tables
        Whether pictures and tables are written.
    form
        How labels are written. Labels that are too large for memory are OME-Zarr always.
    """

    labels: str = "labels"
    overlays: bool = True
    tables: bool = True
    form: LabelForm = "tif"
    maps: str = "maps"


@dataclass(frozen=True)
class Job:
    """One image, what to do with it, and where results go."""

    ref: ImageRef
    recipe: Recipe
    out: Path
    layout: Layout = Layout()


@dataclass(frozen=True)
class Outcome:
    """What became of one image; one row of ``images.csv``.

    Parameters
    ----------
    status
        ``done`` or ``failed``.
    reason
        Why it failed, in one sentence.
    n_objects, labels_sha256
        Of each label image, by its name.
    sha256, files
        Hash of the image's content, and of each of its files by path.
    outputs
        What was written, relative to the run's folder: labels, overlays and parts of tables by name.
    key
        What must be the same for this outcome to hold in a later run.
    """

    image: str
    path: str
    scene: int | None = None
    parts: dict[str, str] = field(default_factory=dict)
    status: str = "done"
    reason: str = ""
    n_objects: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    axes: str = ""
    shape: tuple[int, ...] = ()
    pixel_size_um: tuple[float | None, ...] = (None, None, None)
    sha256: str = ""
    files: dict[str, str] = field(default_factory=dict)
    labels_sha256: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    traceback: str = ""
    key: str = ""


def part_path(out: Path, stem: PurePosixPath, table: str) -> Path:
    """Return where the rows of one image's table lie until the whole table is written."""
    return out / STATE / stem.parent / f"{stem.name}.{table}.parquet"


def finished_outcome(job: Job) -> Outcome | None:
    """Return what an earlier run made of this image, if recipe, image and outputs are still the same."""
    state = _state_path(job)
    if not state.is_file():
        return None
    saved = json.loads(state.read_text(encoding="utf-8"))
    try:
        unchanged = saved["key"] == _key(job)
    except CellmetryError:
        return None
    if not unchanged:
        return None
    if not all((job.out / output).exists() for output in saved["outputs"].values()):
        return None
    for name in ("warnings", "shape", "pixel_size_um"):
        saved[name] = tuple(saved[name])
    return Outcome(**saved)


def do_job(job: Job, progress: Progress = SILENT) -> Outcome:
    """Return what became of one image; a failure is an outcome, not an exception.

    Raises
    ------
    Cancelled
        If the user stopped the work.
    OutputError
        If results cannot be written: then no other image will do better.
    """
    start = time.perf_counter()
    ref = job.ref
    try:
        outcome = _process(job, progress)
    except (Cancelled, OutputError):
        raise
    except CellmetryError as error:
        outcome = Outcome(ref.name, ref.text, ref.scene, ref.parts, "failed", str(error))
    except Exception as error:  # noqa: BLE001  the one place where a batch survives what nobody foresaw
        reason = f"{ref.name} failed with an unforeseen {type(error).__name__}: {error}"
        outcome = Outcome(ref.name, ref.text, ref.scene, ref.parts, "failed", reason, traceback=traceback.format_exc())
    outcome = replace(outcome, seconds=round(time.perf_counter() - start, 3))
    if outcome.status == "failed":
        return outcome
    with atomic_write(_state_path(job)) as temporary:
        temporary.write_text(json.dumps(asdict(outcome), indent=1), encoding="utf-8")
    return outcome


def _process(job: Job, progress: Progress) -> Outcome:
    image = job.ref.open()
    invalid = check_pixels(image)
    sample = job.recipe.apply(Sample(image), progress)
    before = _outputs_before(job)
    _state_path(job).unlink(missing_ok=True)
    outputs = _write_labels(job, sample) | _write_maps(job, sample) | _write_tables(job, sample)
    outputs |= _write_overlays(job, sample) | _write_preview(job, sample)
    _remove(job.out, before - set(outputs.values()))
    counts = {name: count_objects(labels) for name, labels in sample.labels.items()}
    nothing = [f"No objects were found for {name}." for name, count in counts.items() if count == 0]
    doubts = (*image.warnings, *invalid, *sample.warnings, *nothing)
    return Outcome(
        image=job.ref.name,
        path=job.ref.text,
        scene=job.ref.scene,
        parts=job.ref.parts,
        n_objects=counts,
        warnings=tuple(dict.fromkeys(doubts)),
        axes=image.axes,
        shape=image.shape,
        pixel_size_um=tuple(image.pixel_size),
        sha256=job.ref.sha256(),
        files=job.ref.file_hashes(),
        labels_sha256={name: labels_hash(labels) for name, labels in sample.labels.items()},
        outputs=outputs,
        key=_key(job),
    )


def _write_labels(job: Job, sample: Sample) -> dict[str, str]:
    written = {}
    for name, labels in sample.labels.items():
        tail = "labels" if name == "cells" else f"{name}_labels"
        suffix = f".{job.layout.form}" if isinstance(labels.array, np.ndarray) else ".ome.zarr"
        relative = PurePosixPath(job.layout.labels) / job.ref.stem.with_name(f"{job.ref.stem.name}_{tail}{suffix}")
        write_labels(labels, job.out / relative)
        written[f"labels {name}"] = str(relative)
    return written


def _write_maps(job: Job, sample: Sample) -> dict[str, str]:
    written = {}
    for name, image in sample.maps.items():
        relative = PurePosixPath(job.layout.maps) / job.ref.stem.with_name(f"{job.ref.stem.name}_{name}.tif")
        write_image(image, job.out / relative)
        written[f"map {name}"] = str(relative)
    return written


def _write_tables(job: Job, sample: Sample) -> dict[str, str]:
    if not job.layout.tables:
        return {}
    written = {}
    for name, table in sample.tables.items():
        path = part_path(job.out, job.ref.stem, name)
        names = pd.DataFrame({"image": job.ref.name, **job.ref.parts}, index=table.index)
        named = pd.concat([names, table], axis=1)
        described = [
            _IMAGE_COLUMN,
            *(Column(part, "", "Read from the file name.", "pattern") for part in job.ref.parts),
        ]
        write_table(named, path, (*described, *table.attrs.get("columns", describe_columns(table))))
        written[f"table {name}"] = path.relative_to(job.out).as_posix()
    return written


def _write_overlays(job: Job, sample: Sample) -> dict[str, str]:
    if not job.layout.overlays:
        return {}
    written = {}
    for name, labels in sample.labels.items():
        tail = "overlay" if name == "cells" else f"{name}_overlay"
        relative = PurePosixPath("overlays") / job.ref.stem.with_name(f"{job.ref.stem.name}_{tail}.png")
        picture = _overlay(sample.image, labels, job.recipe.overlay)
        write_png(picture, job.out / relative)
        write_thumbnail(picture, job.out / thumbnail_path(relative))
        written[f"overlay {name}"] = str(relative)
    return written


def _write_preview(job: Job, sample: Sample) -> dict[str, str]:
    """Write the picture that explains counts, where there are any."""
    if not job.layout.overlays or COUNTS not in sample.tables:
        return {}
    relative = PurePosixPath("previews") / job.ref.stem.with_name(f"{job.ref.stem.name}_counts.png")
    write_png(draw_counts(sample, job.recipe.overlay), job.out / relative)
    return {"preview counts": str(relative)}


def _overlay(image: Image, labels: Labels, options: OverlayOptions) -> NDArray[np.uint8]:
    """Return the picture of the middle plane."""
    middle = {axis: image.sizes[axis] // 2 if axis in labels.axes else 0 for axis in "TZ"}
    return draw_overlay(image, labels, options, t=middle["T"], z=middle["Z"])


def _outputs_before(job: Job) -> set[str]:
    """Return what an earlier run wrote for this image, relative to the run's folder."""
    state = _state_path(job)
    return set(json.loads(state.read_text(encoding="utf-8"))["outputs"].values()) if state.is_file() else set()


def _remove(out: Path, outputs: set[str]) -> None:
    """Remove outputs of an earlier run that this one did not write, so that nothing stale stays."""
    for output in outputs:
        stale = out / output
        if stale.is_dir():
            shutil.rmtree(stale)
        else:
            stale.unlink(missing_ok=True)


def images_done_before(out: Path) -> set[str]:
    """Return the names of the images whose results lie in the folder of a run."""
    states = (out / STATE).rglob("*.json")
    return {json.loads(state.read_text(encoding="utf-8"))["image"] for state in states}


def _state_path(job: Job) -> Path:
    return job.out / STATE / job.ref.stem.parent / f"{job.ref.stem.name}.json"


def _key(job: Job) -> str:
    """Return what must be the same for an earlier result to hold: recipe, engines, reading, files, version."""
    parts = [
        job.recipe.hash,
        job.recipe.overlay.model_dump_json(),
        job.ref.reading.model_dump_json(),
        job.ref.sha256(),
        version("cellmetry"),
        repr(job.layout),
        *(_engine_key(step, job.ref) for step in job.recipe.steps if isinstance(step, Segment | Maps)),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _engine_key(step: Segment | Maps, ref: ImageRef) -> str:
    """Return the engine's description, model and all; with the hash of the label file where it looks one up."""
    engine = step.load_engine()
    described = json.dumps(engine.describe(), sort_keys=True)
    return described + content_hash(engine.source(ref.open())) if isinstance(engine, LookupEngine) else described
