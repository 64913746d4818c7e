"""Two models side by side: the scores that their cards state, and those on the same images."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from cellmetry.core.progress import SILENT
from cellmetry.engines.segment import Segment
from cellmetry.learn.evaluate import evaluate
from cellmetry.pipeline.evaluating import EngineRun, segment_items

if TYPE_CHECKING:
    from cellmetry.core.progress import Progress
    from cellmetry.learn.dataset import DataSet
    from cellmetry.learn.evaluate import Evaluation
    from cellmetry.models.card import ModelCard
    from cellmetry.models.store import Model

__all__ = ["ComparedScore", "compare_cards", "compare_on"]

_MEASURES = {
    "ap_50": "AP at IoU 0.5",
    "ap_75": "AP at IoU 0.75",
    "f1_50": "F1 at IoU 0.5",
    "pixel_dice": "Dice of the foreground",
}


class ComparedScore(NamedTuple):
    """One score of two models; None where it is not known.

    Parameters
    ----------
    data
        The images: data set and part, or the words of the cards.
    measure
        What was computed.
    """

    data: str
    measure: str
    first: float | None
    second: float | None


def compare_cards(first: ModelCard, second: ModelCard) -> list[ComparedScore]:
    """Return all scores that either card states, those of the same images and measure together."""
    stated = [{(score.data, score.measure): score.value for score in card.scores} for card in (first, second)]
    return [ComparedScore(*key, stated[0].get(key), stated[1].get(key)) for key in stated[0] | stated[1]]


def compare_on(
    data_set: DataSet, models: tuple[Model, Model], *, progress: Progress = SILENT
) -> tuple[list[ComparedScore], list[str]]:
    """Return the scores of two models on all items of a data set, and sentences about them.

    Raises
    ------
    ModelError
        If a model cannot label cells.
    """
    first, second = (_evaluated(data_set, model, progress) for model in models)
    data = f"{data_set.card.name}, {len(data_set.items)} images tried now"
    rows = [
        ComparedScore(data, words, _known(first.score(name)), _known(second.score(name)))
        for name, words in _MEASURES.items()
        if name in first.tables["summary"]
    ]
    rows.append(ComparedScore(data, "mean absolute error of the count", _count_error(first), _count_error(second)))
    kept = [row for row in rows if row.first is not None or row.second is not None]
    return kept, [*_wins(first, second, models), *_seen(data_set, models)]


def _evaluated(data_set: DataSet, model: Model, progress: Progress) -> Evaluation:
    engine = EngineRun(Segment(engine="cellmetry", model=str(model.path)))
    with TemporaryDirectory(prefix="cellmetry-") as folder:
        segment_items(data_set, engine, Path(folder), progress)
        return evaluate(data_set, folder, name=model.card.name, progress=progress)


def _count_error(evaluation: Evaluation) -> float | None:
    counts = evaluation.tables["counts"]
    row = counts[(counts["modality"] == "all") & (counts["per"] == "image")]
    return _known(float(row["mae"].iloc[0])) if len(row) else None


def _known(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def _wins(first: Evaluation, second: Evaluation, models: tuple[Model, Model]) -> list[str]:
    """Return on how many images each is better, by the score of objects."""
    scores = [evaluation.tables["images"] for evaluation in (first, second)]
    gains = scores[1]["ap_50"].to_numpy(float) - scores[0]["ap_50"].to_numpy(float)
    if np.isnan(gains).all():
        return []
    better, worse, equal = (int(found.sum()) for found in (gains > 0, gains < 0, gains == 0))
    names = [f"{model.card.name} {model.card.version}" for model in models]
    return [f"By AP at IoU 0.5, {names[1]} is better on {better} images, {names[0]} on {worse}; {equal} are equal."]


def _seen(data_set: DataSet, models: tuple[Model, Model]) -> list[str]:
    """Return a warning for each model that may have learnt from these images."""
    return [
        f"{model.card.name} {model.card.version} has learnt from images of {data_set.card.name}: what it scores here "
        f"says how good it is only if these images were held out."
        for model in models
        if any(data.name == data_set.card.name for data in model.card.training_data)
    ]
