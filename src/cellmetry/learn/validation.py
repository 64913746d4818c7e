"""How well a network does on whole images, as its labels and counts will be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from cellmetry.core.sample import Sample
from cellmetry.engines.maps_step import Maps
from cellmetry.engines.segment import Segment
from cellmetry.engines.sizes import scale_within
from cellmetry.io.opening import open_image
from cellmetry.learn.fields import HEADS_OF_TRUTH, median_diameter, read_item, stretch
from cellmetry.learn.image_scores import keep_annotated
from cellmetry.learn.network import finish
from cellmetry.ops.flows import decode_flows
from cellmetry.ops.matching import match_thresholds
from cellmetry.ops.resample import resample_nearest, resample_plane
from cellmetry.ops.scores import score_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.learn.dataset import Item
    from cellmetry.learn.network import CellNetwork
    from cellmetry.models.card import Head
    from cellmetry.models.store import Model
    from cellmetry.ops.flows import FlowDecoding

__all__ = [
    "Example",
    "choose_from_each",
    "labels_of",
    "predict",
    "read_examples",
    "score_examples",
    "score_means",
    "score_model",
]

IOUS = (0.5, 0.75)


class Example(NamedTuple):
    """An image and its truth, held in memory to be scored again and again.

    Parameters
    ----------
    image
        Stretched as at inference, float32 (Y, X).
    truth
        As `cellmetry.learn.dataset.read_truth` gives it.
    annotated
        Where the truth is known; None for everywhere.
    """

    data: str
    item: Item
    image: NDArray[np.float32]
    truth: NDArray[Any]
    annotated: NDArray[np.bool_] | None


def choose_from_each(pairs: Sequence[tuple[str, Item]], most: int) -> list[tuple[str, Item]]:
    """Return at most `most` of the items, of each data set every n-th, as many of each as there are."""
    if len(pairs) <= most:
        return list(pairs)
    by_data: dict[str, list[tuple[str, Item]]] = {}
    for pair in pairs:
        by_data.setdefault(pair[0], []).append(pair)
    quota = most
    chosen: list[tuple[str, Item]] = []
    for left, members in zip(range(len(by_data), 0, -1), sorted(by_data.values(), key=len), strict=True):
        take = min(len(members), max(1, quota // left))
        chosen += [members[int(index)] for index in np.linspace(0, len(members) - 1, take).round()]
        quota -= take
    return chosen


def read_examples(
    pairs: Sequence[tuple[str, Item]],
    percentiles: tuple[float, float],
    diameters_px: tuple[float, float] | None = None,
) -> list[Example]:
    """Return the items' images and truth.

    Parameters
    ----------
    diameters_px
        Images with labels of smaller or larger cells are rescaled, with their truth, as the engine would rescale them.

    Raises
    ------
    InputError
        If a file cannot be read, or truth and image do not fit each other; names the file.
    """
    examples = (_read_example(data, item, percentiles) for data, item in pairs)
    return [_rescaled(example, diameters_px) if diameters_px else example for example in examples]


def _read_example(data: str, item: Item, percentiles: tuple[float, float]) -> Example:
    image, truth, annotated = read_item(item)
    return Example(data, item, stretch(image, percentiles), truth, annotated)


def _rescaled(example: Example, diameters_px: tuple[float, float]) -> Example:
    """Return an example at the scale at which the engine would work it; only labels tell how large cells are."""
    diameter = median_diameter(example.truth) if example.item.kind == "labels" else None
    scale = scale_within(diameters_px, diameter) if diameter else 1.0
    if scale == 1.0:
        return example
    annotated = None if example.annotated is None else resample_nearest(example.annotated, scale)
    image, truth = resample_plane(example.image, scale), resample_nearest(example.truth, scale)
    return example._replace(image=image, truth=truth, annotated=annotated)


@torch.inference_mode()
def predict(network: CellNetwork, image: NDArray[np.float32]) -> dict[Head, NDArray[np.float32]]:
    """Return the finished maps of a stretched image (Y, X), by head, shape (channels of the head, Y, X)."""
    stride = network.shape.stride
    height, width = image.shape
    filled = np.pad(image, [(0, -height % stride), (0, -width % stride)], mode="reflect")
    weights = next(network.parameters())
    pixels = torch.from_numpy(filled)[None, None].to(weights.device)
    maps = finish(network(pixels.contiguous(memory_format=torch.channels_last)))
    return {head: values[0, :, :height, :width].cpu().numpy() for head, values in maps.items()}


def labels_of(maps: dict[Head, NDArray[np.float32]], decoding: FlowDecoding) -> NDArray[np.int32]:
    """Return the labels that the engine would read off finished maps, shape (Y, X)."""
    density = maps["density"][0] if "density" in maps else None
    return decode_flows(maps["foreground"][0], maps["flow"], decoding, density=density)


def score_examples(network: CellNetwork, examples: Sequence[Example], decoding: FlowDecoding) -> pd.DataFrame:
    """Return one row an example: AP at IoU 0.5 and 0.75, IoU and Dice of foreground, counts and their errors; or NaN.

    Examples are worked at the scale that they were read at; `score_model` is what a user of the model gets.
    """
    network.eval()
    rows = []
    for example in examples:
        maps = predict(network, example.image)
        segments = {"foreground", "flow"} <= set(maps) and example.item.kind == "labels"
        rows.append(_score(maps, labels_of(maps, decoding) if segments else None, example, decoding))
    return pd.DataFrame(rows)


def score_model(model: Model, pairs: Sequence[tuple[str, Item]]) -> pd.DataFrame:
    """Return the scores of a model by its engine, which chooses the scale; columns as `score_examples` has them.

    Parameters
    ----------
    pairs
        Items, each with the name of its data set.
    """
    card = model.card
    mapped: tuple[Head, ...] = tuple(head for head in card.heads if head in ("foreground", "density"))
    rows = []
    for data, item in pairs:
        example = _read_example(data, item, card.percentiles)
        segments = card.segments and item.kind == "labels"
        look: dict[str, Any] = {"model": str(model.path), "channel": item.channel}
        step = Segment(**look, maps=mapped) if segments else Maps(**look, heads=mapped)
        sample = step(Sample(open_image(item.image)))
        maps = {head: sample.maps[head].plane()[None] for head in mapped}
        labels = sample.labels["cells"].read().squeeze() if segments else None
        rows.append(_score(maps, labels, example, card.decoding))
    return pd.DataFrame(rows)


def _score(
    maps: dict[Head, NDArray[np.float32]], labels: NDArray[Any] | None, example: Example, decoding: FlowDecoding
) -> dict[str, Any]:
    row: dict[str, Any] = {"data": example.data, "name": example.item.name, "modality": example.item.modality}
    known = HEADS_OF_TRUTH[example.item.kind]
    if "foreground" in maps and "foreground" in known:
        found = maps["foreground"][0] >= decoding.foreground_threshold
        pixels = score_pixels(example.truth > 0, found, example.annotated)
        row |= {"iou": pixels.iou, "dice": pixels.dice}
    if labels is not None:
        row |= _matches(example.truth, labels, example.annotated)
    if "density" in maps and "density" in known and example.annotated is None:
        true = len(example.truth) if example.item.kind == "points" else len(np.unique(example.truth[example.truth > 0]))
        density = float(maps["density"].sum(dtype=np.float64))
        row |= {"true_count": true, "density_count": density, "density_off": abs(density - true)}
    return row


def _matches(truth: NDArray[Any], labels: NDArray[Any], annotated: NDArray[np.bool_] | None) -> dict[str, float]:
    """Return scores of labels; where only a part was annotated by the rule of `image_scores`."""
    if annotated is not None:
        truth, labels = (keep_annotated(each, annotated) * annotated for each in (truth, labels))
    half, strict = match_thresholds(truth, labels, IOUS)
    objects, found = half.tp + half.fn, half.tp + half.fp
    counts = {"objects": objects, "found": found, "found_off": abs(found - objects)}
    return {"ap50": half.ap, "ap75": strict.ap, "f1": half.f1, **counts}


def score_means(scores: pd.DataFrame) -> dict[str, float]:
    """Return means over the images of each data set, averaged over data sets; ``ap50 NAME`` for each of several."""
    numbers = [name for name in ("ap50", "ap75", "f1", "iou", "dice") if name in scores]
    per_data = scores.groupby("data")[numbers].mean()
    means = {name: float(per_data[name].mean()) for name in numbers}
    if len(per_data) > 1:
        means |= {f"ap50 {data}": float(value) for data, value in per_data.get("ap50", pd.Series(dtype=float)).items()}
    errors = {"density_count_mae": "density_off", "found_mae": "found_off"}
    return means | {mean: float(scores[off].mean()) for mean, off in errors.items() if off in scores}
