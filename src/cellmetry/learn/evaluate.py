"""`evaluate`: predicted labels against the truth of a data set, as tables with described columns.

>>> from cellmetry.learn.evaluate import evaluate
>>> found = evaluate("truth/", "predicted/")  # doctest: +SKIP
>>> found.tables["summary"]  # doctest: +SKIP
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from cellmetry.core.progress import SILENT
from cellmetry.learn.dataset import DataSet, read_annotated, read_truth
from cellmetry.learn.image_scores import (
    IOUS,
    ImageScores,
    ScoreOptions,
    foreground_scores,
    image_scores,
    point_scores,
)
from cellmetry.learn.pairs import PredictedLabels, Predictor, check_same_shape, read_truth_set
from cellmetry.learn.score_averages import average_counts, average_scores, average_thresholds, modality_groups
from cellmetry.learn.score_columns import columns_of
from cellmetry.learn.score_tables import ScoreRows

if TYPE_CHECKING:
    from cellmetry.core.progress import Progress
    from cellmetry.learn.dataset import Item

__all__ = ["IOUS", "Evaluation", "ImageScores", "ScoreOptions", "evaluate", "image_scores", "score_item"]

_SHOWN = 3


@dataclass(frozen=True)
class Evaluation:
    """How well one prediction agrees with the truth of a data set.

    Parameters
    ----------
    name
        Of the prediction.
    data_set
        Items with their truth.
    predictor
        Gives the predicted labels of an item again, for pictures.
    options
        What was chosen about the scores.
    tables
        ``summary`` (all images and each modality: mean over images, and pooled over objects), ``thresholds`` (the
        same at each IoU), ``counts`` (errors of counts per image and per patch), ``images``, ``matches`` (each image
        at each IoU), ``patches`` and ``errors`` (objects that were not found as they should). Columns are described
        in ``attrs["columns"]``.
    notes
        Sentences about what was left out.
    """

    name: str
    data_set: DataSet
    predictor: Predictor
    options: ScoreOptions
    tables: dict[str, pd.DataFrame]
    notes: tuple[str, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Return the scores of all images and of each modality as JSON values; None for what cannot be told."""
        groups = modality_groups(self.tables["images"])
        return {
            "prediction": self.name,
            "data_set": self.data_set.card.name,
            "tolerance_px": self.options.tolerance_px,
            "patch_px": self.options.patch_px,
            "ious": list(IOUS),
            "notes": list(self.notes),
            "overall": self._group("all"),
            "modalities": {group: self._group(group) for group in groups[1:]},
        }

    def score(self, name: str, average: str = "images") -> float:
        """Return one score of all images, such as ``ap_50``: the mean over images, or pooled over objects."""
        summary = self.tables["summary"]
        row = summary[(summary["modality"] == "all") & (summary["average"] == average)]
        return float(row[name].iloc[0])

    def _group(self, group: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for table, key, words in (
            ("summary", "average", {"images": "mean_over_images", "objects": "pooled_over_objects"}),
            ("counts", "per", {"image": "counts_per_image", "patch": "counts_per_patch"}),
        ):
            rows = self.tables[table]
            for row in rows[rows["modality"] == group].to_dict("records"):
                kept = {str(name): _plain(value) for name, value in row.items() if name not in ("modality", key)}
                found[words[row[key]]] = kept
        return found


def evaluate(
    truth: str | Path | DataSet,
    predicted: str | Path | Predictor,
    *,
    name: str | None = None,
    options: ScoreOptions | None = None,
    progress: Progress = SILENT,
) -> Evaluation:
    """Return how well predicted labels agree with the truth, image by image; only one image is held at a time.

    Parameters
    ----------
    truth
        A data set, its folder, or a folder of label images.
    predicted
        A folder of label images of the same stems, or a function that returns the labels of an item.
    name
        What the prediction is called; its folder if left out.

    Raises
    ------
    MissingInput
        If a folder is empty, or a true image has no prediction: found before anything is scored.
    LabelsError
        If a prediction is of another size than its truth.
    """
    data_set = truth if isinstance(truth, DataSet) else read_truth_set(truth)
    predictor = PredictedLabels(predicted, data_set.items) if isinstance(predicted, str | Path) else predicted
    options = options or ScoreOptions()
    rows = ScoreRows()
    progress.start("images", len(data_set.items))
    for item in data_set.items:
        rows.add(item, score_item(item, predictor(item), options))
        progress.advance()
    return Evaluation(
        name=name or (Path(predicted).resolve().name if isinstance(predicted, str | Path) else "prediction"),
        data_set=data_set,
        predictor=predictor,
        options=options,
        tables=_tables(rows),
        notes=_notes(data_set, predictor),
    )


def score_item(item: Item, predicted: Any, options: ScoreOptions | None = None) -> ImageScores:
    """Return the scores of predicted labels, shape (Y, X), against the truth of an item, whatever its kind.

    Raises
    ------
    LabelsError
        If the sizes differ.
    """
    truth, annotated = read_truth(item), read_annotated(item)
    if item.kind == "points":
        return point_scores(truth, predicted, annotated, options)
    check_same_shape(item, truth.shape, predicted.shape)
    if item.kind == "foreground":
        return foreground_scores(truth, predicted, annotated)
    return image_scores(truth, predicted, annotated=annotated, options=options)


def _tables(rows: ScoreRows) -> dict[str, pd.DataFrame]:
    tables = rows.tables()
    thresholds = average_thresholds(tables["matches"], modality_groups(tables["images"]))
    averaged = {
        "summary": average_scores(tables["images"], thresholds),
        "thresholds": thresholds,
        "counts": average_counts(tables["images"], tables["patches"]),
    }
    for table in (found := averaged | tables).values():
        table.attrs["columns"] = tuple(columns_of([str(name) for name in table.columns]))
    return found


def _notes(data_set: DataSet, predictor: Predictor) -> tuple[str, ...]:
    notes = []
    unused = cast("tuple[str, ...]", getattr(predictor, "unused", ()))
    if unused:
        more = f" and {len(unused) - _SHOWN} more" if len(unused) > _SHOWN else ""
        notes.append(f"Left out, because no evaluated image has the name: {', '.join(unused[:_SHOWN])}{more}.")
    partly = sum(item.annotated is not None for item in data_set.items)
    if partly:
        notes.append(
            f"Annotated in parts only: {partly} of {len(data_set.items)} images. Objects with more than half of their "
            f"pixels elsewhere are ignored, and of the others only the pixels in annotated parts are compared."
        )
    return tuple(notes)


def _plain(value: Any) -> Any:
    """Return a number as JSON knows it; None where it is missing."""
    if pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value
