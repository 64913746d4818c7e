"""From data sets to a model: split, prepare, train, compare with what was before, export, describe."""

from __future__ import annotations

import math
import shutil
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import torch

from cellmetry.core.parameters import parse_parameters
from cellmetry.core.progress import SILENT
from cellmetry.errors import CellmetryError, InputError, OutputError, ParameterError
from cellmetry.io.atomic import atomic_write
from cellmetry.io.tables import write_table
from cellmetry.learn.cards import calibrate_counts, describe_training, mean_scores
from cellmetry.learn.course import CACHE, CHECKPOINT, SPLIT, clear_course
from cellmetry.learn.curves import draw_curves, draw_sheet, write_log
from cellmetry.learn.dataset import read_data_set
from cellmetry.learn.familiarity import learn_familiarity
from cellmetry.learn.fields import prepare_fields
from cellmetry.learn.joining import fit_joining, sample_joining
from cellmetry.learn.network import CellNetwork, with_blocks
from cellmetry.learn.recipe import TrainingRecipe, read_training_recipe
from cellmetry.learn.splits import Split, read_split, split_items, write_split
from cellmetry.learn.trainer import Material, Trainer, quality
from cellmetry.learn.validation import choose_from_each, predict, read_examples, score_means, score_model
from cellmetry.learn.weights import difference, load_network, onnx_bytes, with_familiarity
from cellmetry.models.licences import forbids_commerce
from cellmetry.models.store import find_model
from cellmetry.models.versions import save_version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cellmetry.core.progress import Progress
    from cellmetry.learn.dataset import DataSet, Item
    from cellmetry.learn.fields import TrainingField
    from cellmetry.learn.validation import Example
    from cellmetry.models.card import Head
    from cellmetry.models.store import Model

__all__ = ["TrainOptions", "TrainResult", "train_model"]

_FEW_IMAGES = 30
_FEW_FRACTIONS, _FRACTIONS = (0.75, 0.25, 0.0), (0.8, 0.1, 0.1)
_CALIBRATION_STEPS = 12
_SHOWN = 8
_ON_SHEET = 6
_DEPTH = "network.blocks"
_REMEMBERED = 300
_RESERVED_SECONDS = 20.0
_DRAWING_SHARE = 20.0


@dataclass(frozen=True)
class TrainOptions:
    """What to train on, and how.

    Parameters
    ----------
    data
        Folders of data sets.
    out
        Folder of the model; the last part of its path becomes the model's name.
    start
        Model to start from, by name or path; None to start from nothing.
    recipe
        Training recipe by name or path; by default ``fine-tune`` with `start`, else ``standard``.
    minutes, epochs
        How long; by default as the recipe says.
    heads
        What to learn; by default as the recipe or the model that it starts from.
    split
        File that says which items are for training, validation and test; made anew if None.
    resume
        Go on with the training that lies in `out`.
    keep
        Keep the new model even if it is not better than `start`.
    licence
        Of the new weights.
    changes
        Changes of the recipe, as in ``optimisation.learning_rate=0.001``.
    """

    data: tuple[Path, ...]
    out: Path
    start: str | None = None
    recipe: str | None = None
    minutes: float | None = None
    epochs: float | None = None
    heads: tuple[str, ...] | None = None
    split: Path | None = None
    resume: bool = False
    keep: bool = False
    licence: str = "unknown"
    changes: tuple[str, ...] = ()


class TrainResult(NamedTuple):
    """What came of a training.

    Parameters
    ----------
    model
        The new model; None if it was not better than what it started from and so was not kept.
    part
        Which images were held out: ``test``, or where there are none ``validation``.
    before, after
        Scores of these images, one row an image; `before` is None without a model to start from.
    steps, seconds
        Length of the training.
    """

    model: Model | None
    part: str
    before: pd.DataFrame | None
    after: pd.DataFrame
    steps: int
    seconds: float


class _Parts(NamedTuple):
    """Items by what they are used for, each with the name of its data set."""

    train: list[tuple[str, Item]]
    validation: list[tuple[str, Item]]
    test: list[tuple[str, Item]]

    @property
    def held_out(self) -> str:
        """The part on which the model is judged: that which neither teaches nor chooses, if there is one."""
        return "test" if self.test else "validation"


def train_model(
    options: TrainOptions,
    *,
    progress: Progress = SILENT,
    hear: Callable[[TrainResult], None] | None = None,
    tell: Callable[[dict[str, float]], None] | None = None,
) -> TrainResult:
    """Return a model trained on data sets, written to `options.out` beside the course of its training.

    ``training/`` holds the recipe, the split, ``curves.csv`` and ``curves.png``, ``sheet.png``, ``scores.csv`` and,
    until the end, the checkpoint from which a killed training goes on.

    Parameters
    ----------
    hear
        Is told the result before the checkpoint goes: what it notes of it is not lost if the process is killed.
    tell
        Is told how the learning goes, as `Trainer.run` tells it; first the scores of `start` on the images that check,
        where these are what both are judged on.

    Raises
    ------
    InputError
        If the data cannot be used, or teaches nothing that the heads want.
    OutputError
        If a training lies in the folder already and `resume` was not asked for, or the other way round.
    """
    work = options.out / "training"
    _check_folder(options, work)
    was_there = work.exists()
    try:
        prepared = _prepare(options, work, progress)
    except CellmetryError:
        if not was_there:
            shutil.rmtree(work, ignore_errors=True)
            with suppress(OSError):  # it holds something else
                options.out.rmdir()
        raise
    if tell is not None and prepared.before is not None and prepared.parts.held_out == "validation":
        means = {f"validation {name}": value for name, value in score_means(prepared.before).items()}
        tell({"step": 0, "steps": prepared.trainer.steps, **means})
    prepared.trainer.run(progress=progress, hear=prepared.watch, tell=tell)
    result = _finish(prepared, options)
    if hear is not None:
        hear(result)
    clear_course(work)
    return result


class _Prepared(NamedTuple):
    """A training that can begin, or go on."""

    trainer: Trainer
    watch: _Watch
    sets: list[DataSet]
    parts: _Parts
    start: Model | None
    before: pd.DataFrame | None


def _prepare(options: TrainOptions, work: Path, progress: Progress) -> _Prepared:
    """Return the training; all that can be refused is refused here, before a file of another training is replaced."""
    start = find_model(options.start) if options.start else None
    recipe = _recipe(options, start)
    sets = [read_data_set(path) for path in options.data]
    split = _split(sets, options, work, recipe.seed)
    parts = _parts(sets, split, options)
    chosen = choose_from_each(parts.validation, recipe.validation_images)
    fields, checking = (
        prepare_fields(pairs, work / CACHE, percentiles=recipe.percentiles, emphasis=recipe.emphasis, progress=progress)
        for pairs in (parts.train, chosen)
    )
    _check_taught(fields, recipe, start)
    read = recipe.percentiles, recipe.diameters_px
    checked = read_examples(chosen, *read)
    shown = read_examples(choose_from_each(parts.train, _SHOWN), *read)
    torch.manual_seed(recipe.seed)
    network = _begin(recipe, start)
    before = score_model(start, getattr(parts, parts.held_out)) if start else None
    trainer = Trainer(recipe, network, Material(fields, checking, checked, shown), folder=work)
    _set_length(trainer, options, len(fields))
    write_split(split, work / SPLIT)
    _write_recipe(recipe, work)
    return _Prepared(trainer, _Watch([*checked, *shown][:_ON_SHEET]), sets, parts, start, before)


def _begin(recipe: TrainingRecipe, start: Model | None) -> CellNetwork:
    """Return the network that learns."""
    if start is None:
        return CellNetwork(recipe.network, recipe.heads)
    network = load_network(start)
    return network if network.shape == recipe.network else with_blocks(network, recipe.network.blocks)


def _check_folder(options: TrainOptions, work: Path) -> None:
    begun = (work / CHECKPOINT).is_file()
    if begun and not options.resume:
        raise OutputError(f"A training was begun in {options.out}; go on with it by --resume, or choose another --out.")
    if options.resume and not begun:
        raise OutputError(f"There is no training to go on with in {options.out}; leave out --resume to begin one.")
    if options.minutes is not None and options.epochs is not None:
        raise ParameterError("Give either minutes or epochs, not both.")
    if options.resume and (options.minutes is not None or options.epochs is not None):
        raise ParameterError("A training that goes on is as long as it was begun; leave out minutes and epochs.")


def _recipe(options: TrainOptions, start: Model | None) -> TrainingRecipe:
    """Return the recipe; what a model to start from has fixed already is taken from it."""
    recipe = read_training_recipe(options.recipe or ("fine-tune" if start else "standard"), options.changes)
    changes: dict[str, Any] = {}
    if start:
        changes = _fixed_by(start, recipe, options.changes)
    if options.heads:
        if start and set(options.heads) != set(start.card.heads):
            raise ParameterError(
                f"The model {start.card.name} has the heads {', '.join(start.card.heads)}; training goes on with all "
                f"of them. Leave out --heads, or start from the beginning without --from."
            )
        changes["heads"] = options.heads
    return parse_parameters(TrainingRecipe, recipe.model_dump() | changes, where="training recipe")


def _fixed_by(start: Model, recipe: TrainingRecipe, changes: Sequence[str]) -> dict[str, Any]:
    """Return the parameters of a recipe that a model to start from decides; its depth and how it is read may change."""
    addresses = {change.split("=")[0].strip() for change in changes}
    asked = {address.split(".")[0] for address in addresses - {_DEPTH}}
    refused = sorted(asked & {"network", "percentiles", "heads"})
    if refused:
        raise ParameterError(
            f"The model {start.card.name} decides {refused[0]} of the training recipe; leave out that change, or start "
            f"from the beginning without --from."
        )
    card = start.card
    read = {"decoding": card.decoding.model_dump(), "diameters_px": card.diameters_px}
    kept = {name: value for name, value in read.items() if name not in asked}
    depth = {"blocks": recipe.network.blocks} if _DEPTH in addresses else {}
    return {
        "network": load_network(start).shape.model_dump() | depth,
        "heads": card.heads,
        "percentiles": card.percentiles,
    } | kept


def _split(sets: Sequence[DataSet], options: TrainOptions, work: Path, seed: int) -> Split:
    """Return the given split, that of the training that goes on, or a new one that leaves old items where they were."""
    path = work / SPLIT
    before = read_split(path) if path.is_file() else None
    if options.split:
        split = read_split(options.split)
        if options.resume and split != before:
            raise ParameterError(
                f"{options.split} is not the split with which the training in {options.out} was begun; "
                f"leave out --split."
            )
        return split
    if options.resume and before:
        return before
    fractions = _FEW_FRACTIONS if sum(len(one.items) for one in sets) < _FEW_IMAGES else _FRACTIONS
    return split_items(sets, fractions=fractions, seed=seed, before=before)


def _parts(sets: Sequence[DataSet], split: Split, options: TrainOptions) -> _Parts:
    """Return what is for training, validation and test."""
    parts = _Parts([], [], [])
    for one in sets:
        for item in one.items:
            getattr(parts, split.of(one.card.name, item.name)).append((one.card.name, item))
    if not parts.train or not parts.validation:
        raise InputError(
            f"There are {len(parts.train)} images to train on and {len(parts.validation)} to check with in "
            f"{', '.join(path.name for path in options.data)}; at least one of each is needed, from different fields: "
            f"images of the same or touching places are never parted. Add images of other fields."
        )
    return parts


def _check_taught(fields: Sequence[TrainingField], recipe: TrainingRecipe, start: Model | None) -> None:
    taught: set[Head] = set().union(*(field.heads for field in fields))
    missing = ", ".join(head for head in recipe.heads if head not in taught)
    if missing and start:
        raise InputError(
            f"The data cannot teach {missing}, and training goes on with all heads of the model {start.card.name}: "
            f"give a truth with instance labels, or start from the beginning without --from, by --heads "
            f"{','.join(sorted(taught))}."
        )
    if missing:
        raise InputError(
            f"The data cannot teach {missing}: that needs another kind of truth. It can teach "
            f"{', '.join(sorted(taught))}; choose with --heads."
        )


def _set_length(trainer: Trainer, options: TrainOptions, images: int) -> None:
    """Fix the number of steps, or take up the training where it stands."""
    if options.resume:
        trainer.resume()
    elif options.epochs is not None:
        trainer.steps = max(1, round(options.epochs * images / trainer.recipe.sampling.batch))
    elif options.minutes is not None:
        seconds = trainer.measure_speed(_CALIBRATION_STEPS)
        trainer.steps = max(1, int(max(options.minutes * 60 - _RESERVED_SECONDS, 1.0) / seconds))


def _write_recipe(recipe: TrainingRecipe, work: Path) -> None:
    with atomic_write(work / "recipe.json") as part:
        part.write_text(recipe.model_dump_json(indent=2) + "\n", encoding="utf-8")


class _Watch:
    """Writes curves and examples while a network learns, but not so often that they would cost more than learning."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = examples
        self._drawn_at, self._took = -math.inf, 0.0

    def __call__(self, trainer: Trainer) -> None:
        """Write the table, and the pictures if they are due."""
        write_log(trainer.log, trainer.folder)
        began = time.monotonic()
        if trainer.step < trainer.steps and began - self._drawn_at < _DRAWING_SHARE * self._took:
            return
        draw_curves(trainer.log, trainer.folder)
        judged = trainer.recipe.model_copy(update={"decoding": trainer.decoding})
        self.draw_examples(trainer.average, judged, trainer.folder)
        self._drawn_at = time.monotonic()
        self._took = self._drawn_at - began

    def draw_examples(self, network: CellNetwork, recipe: TrainingRecipe, folder: Path) -> None:
        """Draw the sheet of what a network finds."""
        draw_sheet(network, self._examples, recipe, folder)


def _finish(prepared: _Prepared, options: TrainOptions) -> TrainResult:
    """Score the network that is kept, and save it unless what it started from is as good."""
    trainer, watch, sets, parts, start, before = prepared
    network = trainer.kept_network()
    trainer.recipe = _with_fitted_joining(trainer, network, parts.train)
    _write_recipe(trainer.recipe, trainer.folder)
    watch.draw_examples(network, trainer.recipe, trainer.folder)
    card = describe_training(trainer, sets, Counter(data for data, _ in parts.train), start=start)
    forbidden = card["non_commercial"] or forbids_commerce(options.licence)
    card |= {"name": options.out.name, "licence": options.licence, "non_commercial": forbidden}
    weights = _with_familiarity(onnx_bytes(network), card, parts)
    model = None
    with TemporaryDirectory() as folder:
        trial = save_version(Path(folder), weights, card)
        difference(network, trial)
        held_out = {"validation": parts.validation, "test": parts.test}
        tables = {part: score_model(trial, pairs) for part, pairs in held_out.items() if pairs}
        _write_scores(before, tables, parts.held_out, trainer.folder)
        after = tables[parts.held_out]
        if before is None or options.keep or not _goodness(after) <= _goodness(before):
            card["scores"] = mean_scores(tables)
            card["counting"] = calibrate_counts(trial, fitted_on=parts.validation, images=parts.test)
            model = save_version(options.out, weights, card)
    return TrainResult(model, parts.held_out, before, after, trainer.steps, trainer.seconds)


def _with_fitted_joining(trainer: Trainer, network: CellNetwork, pairs: Sequence[tuple[str, Item]]) -> TrainingRecipe:
    """Return the recipe with a decoding that joins pieces as they should be on images that taught the network."""
    recipe = trainer.recipe
    joining = recipe.decoding.joining
    if joining is None or not recipe.joining_images or not {"foreground", "flow", "density"} <= set(recipe.heads):
        return recipe
    samples = []
    for pair in (pairs[index] for index in trainer.sampler.images(recipe.joining_images)):
        (example,) = read_examples([pair], recipe.percentiles, recipe.diameters_px)
        if example.item.kind == "labels" and example.annotated is None:
            samples.append(sample_joining(predict(network, example.image), example.truth, recipe.decoding))
    decoding = recipe.decoding.model_copy(update={"joining": fit_joining(samples, joining)})
    return recipe.model_copy(update={"decoding": decoding})


def _with_familiarity(weights: bytes, card: dict[str, Any], parts: _Parts) -> bytes:
    """Return the weights with what tells images that are unlike those of the training."""
    learnt = [item for _, item in choose_from_each(parts.train, _REMEMBERED)]
    held_out = [item for _, item in choose_from_each(parts.validation, _REMEMBERED)]
    familiarity = learn_familiarity(weights, card, learnt, held_out)
    return weights if familiarity is None else with_familiarity(weights, familiarity)


def _goodness(scores: pd.DataFrame) -> float:
    means = score_means(scores)
    return quality({f"validation {name}": value for name, value in means.items()})


def _write_scores(before: pd.DataFrame | None, tables: dict[str, pd.DataFrame], held_out: str, work: Path) -> None:
    whole = [table.assign(part=part, when="after") for part, table in tables.items()]
    if before is not None:
        whole.insert(0, before.assign(part=held_out, when="before"))
    write_table(pd.concat(whole, ignore_index=True), work / "scores.csv")
