"""`correction_queue`: what is most worth correcting, by the effect on a result that is expected; and when to stop."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError
from cellmetry.io.tables import read_header, read_table
from cellmetry.pipeline.jobs.kinds.reviewing import REVIEW
from cellmetry.pipeline.looked_through import (
    FIELD_PX,
    FieldPlace,
    count_fields,
    field_box,
    looked_through,
    rows_and_columns,
)
from cellmetry.study.store.images import images
from cellmetry.study.store.labels import label_sets
from cellmetry.study.store.results import result_path, results
from cellmetry.study.store.reviewed import reviewed_fields
from cellmetry.study.store.said import is_excluded, pixel_sides_um

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence
    from typing import Any

    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.results import StoredResult
    from cellmetry.study.store.reviewed import ReviewedField
    from cellmetry.study.store.store import Store

__all__ = ["CorrectionItem", "CorrectionQueue", "FieldItem", "OpenField", "correction_queue"]

_Z = 1.645
"""Of a 90 % interval."""
_OUTLYING = 3.5
_REASONS = {
    "missed": "A cell may be missed here: the network sees one where nothing is labelled.",
    "joined": "This may be several cells: the network sees {cells:.1f} in it.",
    "part or none": "This may be part of another cell, or none: the network sees {cells:.1f} cells in it.",
    "outline": "The outline may be another: it does not fit what the network sees.",
    "size": "Its area is unlike that of the others ({area}, usual is {usual}).",
}


class CorrectionItem(NamedTuple):
    """A cell, or a place where one may be missed.

    Parameters
    ----------
    label
        0 where a cell may be missed.
    effect
        By which part of itself the result is expected to change.
    """

    image: str
    labels: str
    t: int
    z: int
    box: Box
    label: int
    kind: str
    reason: str
    effect: float


class OpenField(NamedTuple):
    """A field that nobody has looked through."""

    image: str
    labels: str
    t: int
    z: int
    box: Box


class FieldItem(NamedTuple):
    """A field with the summed effect of its items."""

    image: str
    labels: str
    t: int
    z: int
    box: Box
    items: int
    effect: float


@dataclass(frozen=True)
class CorrectionQueue:
    """What to correct next, and whether it is still worth it.

    Parameters
    ----------
    evidence
        ``network`` after a job `review`; ``sizes`` without, and where all labels are newer than it; ``none`` where no
        image has such labels yet.
    stale
        Whether labels are newer than the last job `review`: of those, sizes alone are known.
    value, low, high
        The result as it is expected, with a 90 % interval of what is still doubtful.
    moves
        Half of the interval as a part of the result.
    stop
        Whether the network or a person has judged all labels, and the interval moves by no more than the share that
        was asked for.
    fields_reviewed, fields_total
        How many of all fields were looked through.
    fields_open
        The first ones that were not.
    """

    evidence: str
    stale: bool
    items: tuple[CorrectionItem, ...]
    fields: tuple[FieldItem, ...]
    left: int
    value: float
    low: float
    high: float
    moves: float
    stop: bool
    fields_reviewed: int
    fields_total: int
    fields_open: tuple[OpenField, ...]


_NOTHING = CorrectionQueue("none", False, (), (), 0, 0.0, 0.0, 0.0, 0.0, False, 0, 0, ())


class _Known(NamedTuple):
    """Objects and doubts of all labels of a name, what was reviewed left out."""

    objects: pd.DataFrame
    doubts: pd.DataFrame
    evidence: str
    stale: bool


def correction_queue(
    store: Store, name: str, *, result: str = "count", limit: int = 50, share: float = 0.02
) -> CorrectionQueue:
    """Return the cells and fields of labels that are most worth correcting, of images that are part of results.

    Parameters
    ----------
    name
        Name of the labels.
    result
        ``count``, ``area_px``, or a column of the newest table that has one row an object of these very labels.
    share
        Part of the result by which its interval may still move when correcting may stop.

    Raises
    ------
    ParameterError
        If no table has the column.
    """
    named = [each for each in label_sets(store) if each.name == name]
    sets = {each.image_id: each for each in named if not is_excluded(store, each.image_id)}
    if not sets:
        return _NOTHING
    fields = [each for each in reviewed_fields(store) if each.labels == name]
    known = _known(store, name, sets, fields)
    values = _values(store, sets, known.objects, result)
    doubts = _with_effects(known, values)
    ranked = doubts.sort_values(["effect", "wrong"], ascending=False, kind="stable")
    value, low, high = _interval(known, doubts, values)
    moves = (high - low) / 2 / max(abs(value), 1e-12)
    reviewed = {image_id: looked_through(each, fields) for image_id, each in sets.items()}
    sides = {each.id: pixel_sides_um(store, each) for each in images(store) if each.id in sets}
    items = tuple(_item(row, sets, sides) for row in ranked.head(limit).to_dict("records"))
    doubtful = _fields(ranked, sets, limit)
    progress = (sum(map(len, reviewed.values())), sum(map(count_fields, sets.values())))
    judged = (known.evidence == "network" and not known.stale) or progress[0] == progress[1]
    result_now = (value, low, high, moves, judged and moves <= share)
    unseen = tuple(islice(_open(sets, reviewed), limit))
    return CorrectionQueue(known.evidence, known.stale, items, doubtful, len(ranked), *result_now, *progress, unseen)


def _known(store: Store, name: str, sets: Mapping[str, LabelSet], reviewed: Sequence[ReviewedField]) -> _Known:
    objects = _objects(store, sets)
    by_size = _by_size(objects, reviewed)
    newest = next((each for each in results(store, "table")[::-1] if each.name == f"{REVIEW} {name}"), None)
    if newest is None:
        return _Known(objects, by_size, "sizes", stale=False)
    doubts = read_table(result_path(store, newest))
    told = newest.details["images"]
    now = {image: told.get(image, {}).get("labels") == each.id for image, each in sets.items()}
    if not any(now.values()):
        return _Known(objects, by_size, "sizes", stale=True)
    doubts = doubts[doubts["image_id"].map(now).fillna(False).astype(bool)]
    doubts = _unreviewed(_still_there(doubts, objects), reviewed)
    unjudged = by_size[~by_size["image_id"].map(now).astype(bool)]
    both = doubts if unjudged.empty else pd.concat([doubts, unjudged], ignore_index=True)
    return _Known(objects, both, "network", stale=not all(now.values()))


def _objects(store: Store, sets: Mapping[str, LabelSet]) -> pd.DataFrame:
    """Return all objects: image, plane, id, box and area."""
    parts = []
    for image_id, each in sets.items():
        rows = store.database.rows(
            "SELECT t AS frame, z AS plane, id AS label, y0, y1, x0, x1, area_px FROM objects WHERE labels_id = ?",
            (each.id,),
        )
        part = pd.DataFrame([dict(row) for row in rows], columns=[*_PLACE, *_BOX, "area_px"])
        parts.append(part.assign(image_id=image_id))
    return pd.concat(parts, ignore_index=True)


_PLACE, _BOX = ["frame", "plane", "label"], ["y0", "y1", "x0", "x1"]


def _still_there(doubts: pd.DataFrame, objects: pd.DataFrame) -> pd.DataFrame:
    """Return the doubts that no edit has settled: objects as they were, and missed cells still without a label."""
    keys = ["image_id", *_PLACE, *_BOX, "area_px"]
    there = doubts[doubts["label"] > 0].merge(objects[keys], on=keys, how="inner")
    missed = doubts[doubts["label"] == 0].copy()
    y, x = (missed["y0"] + missed["y1"]) / 2, (missed["x0"] + missed["x1"]) / 2
    settled = np.zeros(len(missed), bool)
    by_plane = dict(list(objects.groupby(["image_id", "frame", "plane"])))
    for number, (at, cy, cx) in enumerate(
        zip(missed[["image_id", "frame", "plane"]].itertuples(index=False, name=None), y, x, strict=True)
    ):
        near = by_plane.get(at)
        if near is not None:
            size = max(missed.iloc[number]["area_px"] / 4, 1)
            held = (near["y0"] <= cy) & (near["y1"] > cy) & (near["x0"] <= cx) & (near["x1"] > cx)
            settled[number] = bool((held & (near["area_px"] >= size)).any()) and _fresh(near[held], missed.iloc[number])
    return pd.concat([there, missed[~settled]], ignore_index=True)


def _fresh(near: pd.DataFrame, missed: pd.Series[Any]) -> bool:
    """Return whether an object covers about the box of a missed cell: somebody drew it since."""
    height = np.minimum(near["y1"], missed["y1"]) - np.maximum(near["y0"], missed["y0"])
    width = np.minimum(near["x1"], missed["x1"]) - np.maximum(near["x0"], missed["x0"])
    both = height.clip(lower=0) * width.clip(lower=0)
    own = (near["y1"] - near["y0"]) * (near["x1"] - near["x0"])
    box = (missed["y1"] - missed["y0"]) * (missed["x1"] - missed["x0"])
    return bool((both > (own + box - both) / 3).any())


def _by_size(objects: pd.DataFrame, reviewed: Sequence[ReviewedField]) -> pd.DataFrame:
    """Return the objects whose area is unlike that of the others, where no network was asked."""
    if objects.empty:
        return objects.assign(kind="", change=0.0, wrong=0.0, usual=0.0)
    logs = np.log(objects["area_px"].to_numpy(np.float64))
    middle = float(np.median(logs))
    spread = max(1.4826 * float(np.median(np.abs(logs - middle))), 0.1)
    score = (logs - middle) / spread
    usual = float(np.exp(middle))
    change = np.where(score > 0, np.clip(np.exp(logs - middle) - 1, 0, 4), -0.5) * (np.abs(score) > _OUTLYING)
    wrong = np.clip(np.abs(score) / 10, 0, 1)
    found = objects.assign(kind="size", change=change * 0.5, wrong=wrong, usual=usual)
    return _unreviewed(found[np.abs(score) > _OUTLYING], reviewed)


def _unreviewed(doubts: pd.DataFrame, reviewed: Sequence[ReviewedField]) -> pd.DataFrame:
    keep = np.ones(len(doubts), bool)
    y = ((doubts["y0"] + doubts["y1"]) / 2).to_numpy()
    x = ((doubts["x0"] + doubts["x1"]) / 2).to_numpy()
    by_plane = doubts.groupby(["image_id", "frame", "plane"]).indices
    for field in reviewed:
        rows = by_plane.get((field.image_id, field.t, field.z))
        if rows is not None:
            box = field.box
            keep[rows] &= ~((y[rows] >= box.y0) & (y[rows] < box.y1) & (x[rows] >= box.x0) & (x[rows] < box.x1))
    return doubts[keep].reset_index(drop=True)


def _values(store: Store, sets: Mapping[str, LabelSet], objects: pd.DataFrame, result: str) -> pd.DataFrame | None:
    """Return the value of each object, None where the result is the count."""
    if result == "count":
        return None
    keys = ["image_id", "label"]
    if result == "area_px":
        return objects[[*keys, "area_px"]].rename(columns={"area_px": "value"})
    for each in results(store, "table")[::-1]:
        ids = _images_of(each, sets)
        path = result_path(store, each)
        if not ids or each.name.startswith(REVIEW) or not {"image", "label", result} <= set(read_header(path)):
            continue
        table = read_table(path, columns=["image", "label", result])
        if pd.api.types.is_numeric_dtype(table[result]):
            named = table.assign(image_id=table["image"].map(ids), value=table[result].astype(float))
            return named[[*keys, "value"]].dropna()
    raise ParameterError(
        f"No table of these labels has a column {result!r} with one number a cell; measure first, or ask for count."
    )


def _images_of(table: StoredResult, sets: Mapping[str, LabelSet]) -> dict[str, str]:
    """Return by their names in a table with a row for each cell the images of whose labels it tells."""
    told: Mapping[str, Mapping[str, Any]] = {} if "of" in table.details else table.details.get("images", {})
    return {
        str(said["name"]): image_id
        for image_id, said in told.items()
        if image_id in sets and said.get("labels") == sets[image_id].id
    }


def _with_effects(known: _Known, values: pd.DataFrame | None) -> pd.DataFrame:
    """Return the doubts with the part of the result by which correcting each is expected to change it."""
    doubts, n = known.doubts, max(len(known.objects), 1)
    if values is None:
        return doubts.assign(effect=doubts["change"].abs() / n + doubts["wrong"] * 0.001 / n)
    mean = float(values["value"].mean()) if len(values) else 1.0
    joined = doubts.merge(values.drop_duplicates(["image_id", "label"]), on=["image_id", "label"], how="left")
    off = ((joined["value"] - mean).abs() / max(abs(mean), 1e-12)).fillna(0.5)
    doubtful = np.maximum(joined["wrong"], joined["change"].abs().clip(upper=1))
    return joined.assign(effect=doubtful * off / n)


def _interval(known: _Known, doubts: pd.DataFrame, values: pd.DataFrame | None) -> tuple[float, float, float]:
    """Return the result that is expected, with the interval of what is doubtful; each doubt counts by itself."""
    if values is None:
        n, change = len(known.objects), doubts["change"].to_numpy(np.float64)
        expected = n + float(change.sum())
        part = np.abs(change) % 1
        half = _Z * float(np.sqrt((part * (1 - part) + 0.05 * np.minimum(np.abs(change), 1)).sum()))
        return expected, max(0.0, expected - half), expected + half
    mean = 0.0 if values.empty else float(values["value"].mean())
    half = _Z * abs(mean) * float(np.sqrt((doubts["effect"] ** 2).sum()))
    return mean, mean - half, mean + half


def _item(
    row: Mapping[Hashable, Any], sets: Mapping[str, LabelSet], sides: Mapping[str, tuple[float, float] | None]
) -> CorrectionItem:
    kind = str(row["kind"])
    cells = max(0.0, float(row["change"]) + (1 if row["label"] else 0))
    image = str(row["image_id"])
    sizes = {"area": float(row["area_px"]), "usual": float(row.get("usual", 0) or 0)}
    told = {key: _area(value, sides.get(image)) for key, value in sizes.items()}
    reason = _REASONS[kind].format(cells=cells, **told)
    box = Box(*(int(row[side]) for side in _BOX))
    place = (int(row["frame"]), int(row["plane"]), box, int(row["label"]))
    return CorrectionItem(image, sets[image].id, *place, kind, reason, float(row["effect"]))


def _area(area_px: float, sides_um: tuple[float, float] | None) -> str:
    """Return an area in words: in µm² where the size of a pixel is known."""
    if sides_um is None:
        return f"{area_px:,.0f} px"
    area = area_px * sides_um[0] * sides_um[1]
    return f"{area:,.0f} µm²" if area >= 10 else f"{area:.2g} µm²"


def _fields(ranked: pd.DataFrame, sets: Mapping[str, LabelSet], limit: int) -> tuple[FieldItem, ...]:
    if ranked.empty:
        return ()
    y = ((ranked["y0"] + ranked["y1"]) // 2 // FIELD_PX).astype(int)
    x = ((ranked["x0"] + ranked["x1"]) // 2 // FIELD_PX).astype(int)
    keys = [ranked["image_id"], ranked["frame"], ranked["plane"], y.rename("row"), x.rename("column")]
    sums = ranked.groupby(keys)["effect"].agg(["size", "sum"]).sort_values("sum", ascending=False).head(limit)
    found = []
    for (image, t, z, row, column), (size, effect) in zip(sums.index, sums.to_numpy(), strict=True):
        box = field_box(sets[image], row, column)
        found.append(FieldItem(image, sets[image].id, int(t), int(z), box, int(size), float(effect)))
    return tuple(found)


def _open(sets: Mapping[str, LabelSet], reviewed: Mapping[str, set[FieldPlace]]) -> Iterator[OpenField]:
    """Yield the fields that nobody has looked through, image by image."""
    for image_id, each in sets.items():
        rows, columns = rows_and_columns(each)
        for t, z, row, column in product(range(each.size("T")), range(each.size("Z")), range(rows), range(columns)):
            if (t, z, row, column) not in reviewed[image_id]:
                yield OpenField(image_id, each.id, t, z, field_box(each, row, column))
