"""What a card says of a training: its data and their licences, sizes, scores, and how far its counts can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cellmetry.counting.calibration import FEWEST_FITTED, calibrate, fewest_images
from cellmetry.counting.count import count_known
from cellmetry.io.opening import open_image
from cellmetry.learn.dataset import read_truth
from cellmetry.learn.recipe import recipe_as_changes
from cellmetry.models.card import Score, TrainingData

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellmetry.learn.dataset import DataSet, Item
    from cellmetry.learn.trainer import Trainer
    from cellmetry.models.store import Model

__all__ = ["calibrate_counts", "describe_training", "mean_scores"]

_COVERAGE = 0.9
_MEASURES = {
    "ap50": "AP at IoU 0.5",
    "ap75": "AP at IoU 0.75",
    "f1": "F1 at IoU 0.5",
    "dice": "Dice of the foreground map",
    "found_off": "mean absolute error of the count",
    "density_off": "mean absolute error of the density's sum",
}


def calibrate_counts(
    model: Model, *, fitted_on: Sequence[tuple[str, Item]], images: Sequence[tuple[str, Item]]
) -> dict[str, Any] | None:
    """Return what joins the model's counts and gives them 90 % intervals, as JSON values, for its card.

    None where the model has no density, or too few images with a known count were held out.

    Parameters
    ----------
    fitted_on
        Items that did not teach, with the names of their data sets, on which the joint count is fitted; they may have
        chosen the model.
    images
        Items that neither taught nor chose, on which the intervals are calibrated.
    """
    fitting, ranking = (_counted(pairs) for pairs in (fitted_on, images))
    enough = len(fitting) >= FEWEST_FITTED and len(ranking) >= fewest_images(_COVERAGE)
    if "density" not in model.card.heads or not model.card.segments or not enough:
        return None
    data = ", ".join(dict.fromkeys(name for name, _ in images)) + " (test)"
    counts = calibrate(_count(model, ranking), fitted_on=_count(model, fitting), coverage=_COVERAGE, data=data)
    return counts.model_dump(mode="json")


def _counted(pairs: Sequence[tuple[str, Item]]) -> list[Item]:
    """Return the items whose whole image was labelled."""
    return [item for _, item in pairs if item.kind == "labels" and item.annotated is None]


def _count(model: Model, items: Sequence[Item]) -> pd.DataFrame:
    """Return the counts of items as `calibrate` wants them, but not how unfamiliar they are.

    So a card gives no interval for any image that its model calls unfamiliar.
    """
    tables = []
    for item in items:
        labels = read_truth(item)
        known = [(open_image(item.image), len(np.unique(labels[labels > 0])))]
        tables.append(count_known(known, model=str(model.path), channel=item.channel))
    return pd.concat(tables, ignore_index=True).drop(columns="unfamiliarity", errors="ignore")


def describe_training(
    trainer: Trainer,
    sets: Sequence[DataSet],
    taught: Mapping[str, int],
    *,
    start: Model | None,
) -> dict[str, Any]:
    """Return the fields of a card that a training decides, as JSON values; name and licence are its maker's to say.

    Scores and the calibration of counts come later, by the model itself (`mean_scores`, `calibrate_counts`).

    Parameters
    ----------
    taught
        How many images of each data set were learnt from.
    start
        The model that it went on from.
    """
    recipe, shape = trainer.recipe, trainer.network.shape
    optimisation = recipe.optimisation.model_copy(update={"steps": trainer.steps})
    learnt = [
        *(start.card.training_data if start else ()),
        *(_learnt(one, taught[one.card.name]) for one in sets if taught.get(one.card.name)),
    ]
    spans = [start.card.pixel_size_um if start else None, *(one.card.pixel_size_um for one in sets)]
    sizes = [size for span in spans if span for size in span]
    return {
        "summary": _summary(trainer, start),
        "non_commercial": any(data.non_commercial for data in learnt),
        "training_data": [data.model_dump(mode="json") for data in dict.fromkeys(learnt)],
        "pixel_size_um": [min(sizes), max(sizes)] if sizes else None,
        "diameters_px": recipe.diameters_px,
        "percentiles": list(recipe.percentiles),
        "heads": list(recipe.heads),
        "stride": shape.stride,
        "margin_px": shape.margin_px,
        "decoding": recipe.decoding.model_dump(mode="json"),
        "recipe": recipe_as_changes(recipe.model_copy(update={"optimisation": optimisation})),
    }


def _summary(trainer: Trainer, start: Model | None) -> str:
    recipe = trainer.recipe
    origin = f", from {start.card.name} {start.card.version}" if start else ""
    return f"{recipe.summary} Trained {trainer.steps} steps by the recipe {recipe.name}{origin}.".strip()


def _learnt(data_set: DataSet, images: int) -> TrainingData:
    card = data_set.card
    return TrainingData(
        name=card.name,
        licence=card.licence,
        non_commercial=card.non_commercial,
        source=card.source,
        images=images,
    )


def mean_scores(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return mean scores per data set and part, as JSON values for a card.

    Parameters
    ----------
    tables
        As `cellmetry.learn.validation.score_model` returns them, by part: ``validation``, ``test``.
    """
    scores = (
        Score(data=f"{data}, {part}", measure=_MEASURES[name], value=float(rows[name].mean()), images=len(rows))
        for part, table in tables.items()
        for data, rows in table.groupby("data")
        for name in _MEASURES
        if name in rows and rows[name].notna().any()
    )
    return [score.model_dump(mode="json") for score in scores]
