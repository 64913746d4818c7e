"""Pictures of what a training changed, of images that did not teach: what the old and the new model find there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cellmetry.engines.segment import Segment
from cellmetry.io.atomic import atomic_folder
from cellmetry.io.pictures import write_png
from cellmetry.learn.dataset import read_annotated, read_image, read_truth
from cellmetry.learn.pairs import PredictedLabels
from cellmetry.pipeline.evaluating import EngineRun, segment_items
from cellmetry.report.change_pictures import draw_change

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cellmetry.core.progress import Progress
    from cellmetry.learn.dataset import DataSet, Item

__all__ = ["found_by", "picture_changes", "to_picture"]

_MOST = 8
_RECORD = "changes.json"


def to_picture(held_out: DataSet) -> DataSet:
    """Return the items of which pictures are drawn: the first few, since a person looks at each."""
    return replace(held_out, items=held_out.items[:_MOST])


def found_by(model: str, items: DataSet, folder: Path, *, progress: Progress) -> Path:
    """Return the folder of labels that a model, given by name or path, finds in items; made unless it is there."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with atomic_folder(folder) as part:
            segment_items(items, EngineRun(Segment(engine="cellmetry", model=model)), part, progress)
    return folder


def picture_changes(items: DataSet, findings: Mapping[str, Path], out: Path) -> list[dict[str, Any]]:
    """Return what is said of the picture of each item, after writing them into the folder `out`, unless they are there.

    That is the name of the item, how many of its cells are right, extra and missed in each finding, and the file of
    each panel, seen from the folder above `out`.

    Parameters
    ----------
    findings
        Folders of labels by what they are called.
    """
    if not (out / _RECORD).is_file():
        labels = {name: PredictedLabels(folder, items.items) for name, folder in findings.items()}
        with atomic_folder(out, marker=_RECORD) as folder:
            said = [_written(item, labels, folder, f"{number}") for number, item in enumerate(items.items, 1)]
            (folder / _RECORD).write_text(json.dumps(said, indent=1), encoding="utf-8")
    found: list[dict[str, Any]] = json.loads((out / _RECORD).read_text(encoding="utf-8"))
    return [{**each, "files": {name: f"{out.name}/{file}" for name, file in each["files"].items()}} for each in found]


def _written(item: Item, labels: Mapping[str, PredictedLabels], folder: Path, stem: str) -> dict[str, Any]:
    found = {name: each(item) for name, each in labels.items()}
    picture = draw_change(read_image(item), read_truth(item), found, read_annotated(item))
    files = {name: f"{stem}_{name}.png" for name in picture.panels}
    for name, file in files.items():
        write_png(picture.panels[name], folder / file)
    return {"item": item.name, "counts": picture.counts, "files": files}
