"""What a job works on, noted when it begins: it goes on with the same images, labels and regions, whatever is changed.

Images and labels that are removed or replaced are only hidden, so they can still be worked on; the log says so.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cellmetry.io.atomic import atomic_write
from cellmetry.ops.shapes import Shape
from cellmetry.pipeline.jobs.labelled import LabelledImage, chosen_images
from cellmetry.study.store.images import image, images
from cellmetry.study.store.labels import label_set, label_sets
from cellmetry.study.store.regions import shapes_of_study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.study.store.images import StoredImage

__all__ = ["same_images", "same_labels", "same_regions"]

_FILE = "begun.json"
_SHOWN = 5


def same_images(work: JobWork, ids: Sequence[str] | None) -> dict[str, StoredImage]:
    """Return by their ids the images with which a job began; of one that begins now those of `chosen_images`."""
    noted = _noted(work)
    if "images" not in noted:
        found = {each.id: each for each in chosen_images(work.store, ids)}
        _note(work, {**noted, "images": list(found)})
        return found
    before = {image_id: image(work.store, image_id) for image_id in noted["images"]}
    alive = {each.id for each in images(work.store)}
    _warn(work, "", [each.name for each in before.values() if each.id not in alive])
    return before


def same_labels(
    work: JobWork, name: str, choose: Callable[[], Mapping[str, LabelledImage]]
) -> dict[str, LabelledImage]:
    """Return by the ids of images the labels of a name with which a job began; those that `choose` returns if now."""
    noted = _noted(work)
    known: dict[str, dict[str, str]] = noted.get("labels", {})
    if name not in known:
        found = dict(choose())
        now = {image_id: each.labels.id for image_id, each in found.items()}
        _note(work, {**noted, "labels": {**known, name: now}})
        return found
    before = {
        image_id: LabelledImage(image(work.store, image_id), label_set(work.store, labels_id))
        for image_id, labels_id in known[name].items()
    }
    alive = {each.id for each in images(work.store)}
    seen = {each.id for each in label_sets(work.store)}
    hidden = [each.image.name for each in before.values() if each.image.id not in alive or each.labels.id not in seen]
    _warn(work, f"labels {name} of the ", hidden)
    return before


def same_regions(work: JobWork, image_ids: Iterable[str], names: Sequence[str] | None) -> dict[str, tuple[Shape, ...]]:
    """Return by the ids of images the drawn regions with which a job began; those of `shapes_of_study` if now.

    Parameters
    ----------
    names
        Of the regions; none are wanted with None.
    """
    if names is None:
        return {}
    noted = _noted(work)
    if "regions" not in noted:
        found = shapes_of_study(work.store, image_ids, names)
        told = {image_id: [shape.model_dump(mode="json") for shape in drawn] for image_id, drawn in found.items()}
        _note(work, {**noted, "regions": told})
        return found
    return {image_id: tuple(Shape(**each) for each in drawn) for image_id, drawn in noted["regions"].items()}


def _noted(work: JobWork) -> dict[str, Any]:
    path = work.folder / _FILE
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def _note(work: JobWork, noted: Mapping[str, Any]) -> None:
    with atomic_write(work.folder / _FILE) as part:
        part.write_text(json.dumps(noted), encoding="utf-8")


def _warn(work: JobWork, what: str, names: Sequence[str]) -> None:
    """Say which of a job's images or labels are no longer to be seen in the study."""
    if names:
        shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        work.say(
            "warning",
            f"The {what}images {shown} were removed or replaced since the job began. Its result is of those with which "
            f"it began; submit it anew for the present ones.",
        )
