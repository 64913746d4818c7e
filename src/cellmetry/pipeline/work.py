"""One image through a recipe: the unit of a batch, done in whatever process."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import traceback
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

from cellmetry.core.labels import count_objects, count_outlines, labels_hash
from cellmetry.core.progress import SILENT
from cellmetry.core.sample import Sample
from cellmetry.engines.base import LookupEngine
from cellmetry.engines.maps_step import Maps
from cellmetry.engines.segment import Segment
from cellmetry.errors import Cancelled, CellmetryError, OutputError
from cellmetry.io.atomic import atomic_write
from cellmetry.io.hashing import content_hash
from cellmetry.io.pixel_checks import check_pixels
from cellmetry.ops.saturation import find_detectors
from cellmetry.pipeline.acquisition import settings_of
from cellmetry.pipeline.detectors import detectors_of
from cellmetry.pipeline.edited_labels import edited_labels, keep_edited_labels
from cellmetry.pipeline.inputs import file_hash
from cellmetry.pipeline.memory import memory_sentence
from cellmetry.pipeline.outputs import STATE, write_outputs
from cellmetry.report.index import thumbnail_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import Any

    from cellmetry.core.progress import Progress
    from cellmetry.pipeline.inputs import ImageRef
    from cellmetry.pipeline.recipe import Recipe

__all__ = [
    "Job",
    "LabelForm",
    "Layout",
    "Outcome",
    "do_job",
    "finished_outcome",
    "folders_before",
    "images_done_before",
    "outcome_from",
    "remove_empty_folders",
]


LabelForm = Literal["tif", "npy", "ome.zarr"]


@dataclass(frozen=True)
class Layout:
    """Where in a run's folder results go.

    Parameters
    ----------
    labels
        Sub-folder of the label images; empty for the run's folder itself.
    maps
        Sub-folder of maps (of networks, of ratios); empty for the run's folder itself.
    masks
        Sub-folder of masks, likewise.
    overlays, tables
        Whether pictures and tables are written.
    stems
        Whether names of files begin with that of the image; not where a folder holds the results of one image.
    arrays
        Whether labels, masks and maps are written as NumPy files as well.
    quantification
        Whether pictures and plots are those of masks, ratios and profiles.
    bare
        Whether tables of a single image are without its name, as another program writes them.
    form
        How labels are written. Labels that are too large for memory are OME-Zarr always.
    """

    labels: str = "labels"
    overlays: bool = True
    tables: bool = True
    form: LabelForm = "tif"
    maps: str = "maps"
    masks: str = "masks"
    stems: bool = True
    arrays: bool = False
    quantification: bool = False
    bare: bool = False


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
    n_outlines
        Of each label image whose objects keep their ids through planes or frames: an object has one in each.
    scores
        Numbers about the whole image, by name: ``unfamiliarity``.
    settings
        How it was taken, as its file says: exposure, gain, ….
    detectors
        The largest value of the detector of each channel on which a step depends, and where it comes from.
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
    n_outlines: dict[str, int] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    axes: str = ""
    channels: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    pixel_size_um: tuple[float | None, ...] = (None, None, None)
    settings: dict[str, str] = field(default_factory=dict)
    detectors: dict[str, dict[str, float | str]] = field(default_factory=dict)
    sha256: str = ""
    files: dict[str, str] = field(default_factory=dict)
    labels_sha256: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    traceback: str = ""
    key: str = ""


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
    return outcome_from(saved)


def outcome_from(saved: Mapping[str, Any]) -> Outcome:
    """Return an outcome from what `asdict` made of it, after it was JSON."""
    lists = {name: tuple(saved.get(name, ())) for name in ("warnings", "channels", "shape", "pixel_size_um")}
    return Outcome(**{**saved, **lists})


def changed_by_hand(job: Job) -> list[str]:
    """Return a sentence for each label file of a finished image that was changed since it was written."""
    return [
        f"The labels {name} of {job.ref.name} were changed by hand since this run wrote them ({file.name}); its tables "
        f"are those of before. To measure them, run a recipe with the engine labels, as existing-labels does."
        for name, file in edited_labels(job.out, _state_path(job)).items()
    ]


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
    except MemoryError as error:
        outcome = Outcome(ref.name, ref.text, ref.scene, ref.parts, "failed", memory_sentence(ref.name, error))
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
    known, detectors = find_detectors(image, job.recipe.detectors_used(image))
    sample = job.recipe.apply(Sample(known), progress)
    before, kept = _outputs_before(job), keep_edited_labels(job.out, _state_path(job))
    _state_path(job).unlink(missing_ok=True)
    outputs = write_outputs(job, sample)
    _remove(job.out, _with_thumbnails(before) - _with_thumbnails(set(outputs.values())))
    counts = {name: count_objects(labels) for name, labels in sample.labels.items()}
    nothing = [f"No objects were found for {name}." for name, count in counts.items() if count == 0]
    doubts = (*image.warnings, *invalid, *sample.warnings, *nothing, *kept)
    return Outcome(
        image=job.ref.name,
        path=job.ref.text,
        scene=job.ref.scene,
        parts=job.ref.parts,
        n_objects=counts,
        n_outlines={name: count_outlines(labels) for name, labels in sample.labels.items() if labels.ids_along},
        scores=sample.scores,
        warnings=tuple(dict.fromkeys(doubts)),
        axes=image.axes,
        channels=tuple(image.channel_names),
        shape=image.shape,
        pixel_size_um=tuple(image.pixel_size),
        settings=settings_of(image.metadata),
        detectors=detectors_of(detectors, job.ref.reading),
        sha256=job.ref.sha256(),
        files=job.ref.file_hashes(),
        labels_sha256={name: labels_hash(labels) for name, labels in sample.labels.items()},
        outputs=outputs,
        key=_key(job),
    )


def _outputs_before(job: Job) -> set[str]:
    """Return what an earlier run wrote for this image, relative to the run's folder."""
    state = _state_path(job)
    return set(json.loads(state.read_text(encoding="utf-8"))["outputs"].values()) if state.is_file() else set()


def _with_thumbnails(outputs: set[str]) -> set[str]:
    """Return outputs with where the thumbnails of the pictures among them lie, if they have one."""
    pictures = [PurePosixPath(output) for output in outputs if output.endswith(".png")]
    return outputs | {str(thumbnail_path(picture)) for picture in pictures}


def _remove(out: Path, outputs: set[str]) -> None:
    """Remove outputs of an earlier run that this one did not write, so that nothing stale stays."""
    for output in outputs:
        stale = out / output
        if stale.is_dir():
            shutil.rmtree(stale)
        else:
            stale.unlink(missing_ok=True)


def folders_before(out: Path) -> set[Path]:
    """Return the folders in which an earlier run wrote its results, below the folder of the run."""
    states = (json.loads(state.read_text(encoding="utf-8")) for state in (out / STATE).rglob("*.json"))
    return {(out / output).parent for state in states for output in state["outputs"].values()} | {out / "tables"}


def remove_empty_folders(out: Path, folders: Iterable[Path]) -> None:
    """Remove those of `folders` that are empty, and what is empty above them, up to the folder `out`."""
    for folder in folders:
        for each in (folder, *folder.parents):
            if not each.is_relative_to(out) or each == out or (each.is_dir() and any(each.iterdir())):
                break
            if each.is_dir():
                each.rmdir()


def images_done_before(out: Path) -> set[str]:
    """Return the names of the images whose results lie in the folder of a run."""
    states = (out / STATE).rglob("*.json")
    return {json.loads(state.read_text(encoding="utf-8"))["image"] for state in states}


def _state_path(job: Job) -> Path:
    return job.out / STATE / job.ref.stem.parent / f"{job.ref.stem.name}.json"


def _key(job: Job) -> str:
    """Return what must be the same for an earlier result to hold: recipe and its files, engines, reading, version."""
    parts = [
        job.recipe.hash,
        job.recipe.overlay.model_dump_json(),
        job.ref.reading.model_dump_json(),
        job.ref.role_text,
        job.ref.sha256(),
        version("cellmetry"),
        repr(job.layout),
        *(file_hash(file) for file in job.recipe.files_read()),
        *(_engine_key(step, job.ref) for step in job.recipe.steps if isinstance(step, Segment | Maps)),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _engine_key(step: Segment | Maps, ref: ImageRef) -> str:
    """Return the engine's description, model and all; with the hash of the label file where it looks one up."""
    engine = step.load_engine()
    described = json.dumps(engine.describe(), sort_keys=True)
    return described + content_hash(engine.source(ref.open())) if isinstance(engine, LookupEngine) else described
