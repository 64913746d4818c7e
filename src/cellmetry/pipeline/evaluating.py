"""`evaluate_to`: predictions, or an engine, against a truth, into a folder with a page, tables and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cellmetry.core.progress import SILENT
from cellmetry.engines.segment import segment_with
from cellmetry.errors import Cancelled, InputError, MissingInput, ParameterError
from cellmetry.io.atomic import atomic_folder
from cellmetry.io.labels import write_labels
from cellmetry.learn.evaluate import Evaluation, evaluate
from cellmetry.learn.image_scores import ScoreOptions
from cellmetry.learn.pairs import PredictedLabels, is_pictured
from cellmetry.pipeline.reading import Reading
from cellmetry.report.evaluation import RECORD, write_evaluation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.engines.segment import Segment
    from cellmetry.learn.dataset import DataSet, Item

__all__ = ["PREDICTED", "EngineRun", "evaluate_to", "prediction_names", "segment_items"]

PREDICTED = "predicted"
"""Folder of a report in which the labels of its engine lie."""


class EngineRun(NamedTuple):
    """An engine whose labels are evaluated, and how it is given images."""

    step: Segment
    reading: Reading = Reading()

    @property
    def name(self) -> str:
        """The engine, and its model where it has one."""
        model = "" if self.step.model is None else f" {Path(self.step.model).stem}"
        return f"{self.step.engine}{model}"


def evaluate_to(
    out: str | Path,
    data_set: DataSet,
    predicted: Sequence[str | Path] = (),
    *,
    engine: EngineRun | None = None,
    options: ScoreOptions | None = None,
    progress: Progress = SILENT,
) -> list[Evaluation]:
    """Return an evaluation for each folder of `predicted`, and one of `engine`, after writing their common report.

    The folder `out` appears when everything is done; one that holds an earlier evaluation is replaced. Labels that the
    engine made are in its sub-folder ``predicted``.

    Raises
    ------
    ParameterError
        If there is nothing to evaluate, or an input lies in `out`.
    InputError
        If an input is missing, or does not fit its truth.
    OutputError
        If `out` is a folder with other contents, or cannot be written.
    """
    out = Path(out)
    if not predicted and engine is None:
        raise ParameterError(
            "There is nothing to evaluate; give predicted labels (--predicted) or an engine (--engine)."
        )
    _refuse_inside(out, [*predicted, *(path for item in data_set.items for path in (item.image, item.truth))])
    for path in predicted:
        PredictedLabels(path, data_set.items)  # refuses what is missing before an engine works for hours
    try:
        with atomic_folder(out, marker=RECORD) as folder:
            found = _evaluate_all(folder, data_set, predicted, engine, options or ScoreOptions(), progress)
            write_evaluation(found, folder)
    except KeyboardInterrupt as stop:
        raise Cancelled("Stopped: nothing was written.") from stop
    return found


def _evaluate_all(
    folder: Path,
    data_set: DataSet,
    predicted: Sequence[str | Path],
    engine: EngineRun | None,
    options: ScoreOptions,
    progress: Progress,
) -> list[Evaluation]:
    """Return the evaluations of the folders, and of the engine, whose labels are written below `folder`."""
    folders = dict(zip(prediction_names(predicted), map(Path, predicted), strict=True))
    if engine is not None:
        folders[_free(engine.name, folders)] = folder / PREDICTED
        segment_items(data_set, engine, folder / PREDICTED, progress)
    return [evaluate(data_set, path, name=name, options=options, progress=progress) for name, path in folders.items()]


def segment_items(data_set: DataSet, engine: EngineRun, folder: Path, progress: Progress = SILENT) -> None:
    """Write the labels of every item into `folder`, as NAME_labels.tif; one image is held at a time.

    Raises
    ------
    MissingInput
        If an item has no image.
    """
    blind = [item for item in data_set.items if not is_pictured(item)]
    if blind:
        raise MissingInput(
            f"The engine {engine.step.engine} needs images: only the truth of {blind[0].name} was given; name the "
            f"images too, or give a data set as the truth."
        )
    engine.step.load_engine()
    progress.start("segmenting", len(data_set.items))
    for item in data_set.items:
        write_labels(_segmented(item, engine), folder / f"{item.name}_labels.tif")
        progress.advance()


def _segmented(item: Item, engine: EngineRun) -> Labels:
    image = engine.reading.open(item.image)
    step = engine.step
    if item.channel is not None and step.channel is None:
        step = step.model_copy(update={"channel": item.channel})
    if image.sizes["T"] > 1 or (image.sizes["Z"] > 1 and step.stack not in ("max", "mean")):
        raise InputError(
            f"{item.image} is a stack or a series; an evaluation compares planes. Save its planes as files of their "
            f"own, or project it with --set segment.stack=max."
        )
    return segment_with(step, image).labels


def prediction_names(paths: Sequence[str | Path]) -> list[str]:
    """Return a short name for each folder: its own, with those above it as far as needed to tell them apart."""
    parts = [[part for part in Path(path).resolve().parts if part != "labels"] or ["labels"] for path in paths]
    for depth in range(1, max((len(each) for each in parts), default=1) + 1):
        names = ["/".join(each[-depth:]) for each in parts]
        if len(set(names)) == len(names):
            return names
    raise ParameterError(f"{paths[0]} or another folder was given twice with --predicted; give each once.")


def _free(name: str, taken: dict[str, Path]) -> str:
    return f"{name} (engine)" if name in taken else name


def _refuse_inside(out: Path, inputs: Sequence[str | Path]) -> None:
    """Refuse to replace a folder that holds an input."""
    real = out.resolve()
    inside = next((path for path in inputs if Path(path).resolve().is_relative_to(real)), None)
    if inside is not None:
        raise ParameterError(f"{inside} lies in {out}, which the report would replace; choose another --out.")
