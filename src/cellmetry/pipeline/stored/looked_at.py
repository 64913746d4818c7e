"""How labels of a study were found, for what looks at the same pixels again: channel, size, and planes made one."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

from cellmetry.engines.segment import Segment
from cellmetry.ops.project import project_sample

if TYPE_CHECKING:
    from cellmetry.core.sample import Sample
    from cellmetry.ops.project import Projection
    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["as_labels_saw", "projection_of", "segment_step_of"]

_SAME = ("channel", "diameter_um", "diameter_px")


def segment_step_of(store: Store, labels: LabelSet, image: StoredImage, channel: str | None = None) -> Segment:
    """Return a step of the study's network that looks where the job looked that made the labels.

    The first channel is taken where nobody said which, as of labels that were imported.
    """
    known = {name: value for name, value in _asked(store, labels).items() if name in _SAME}
    if channel is not None:
        known["channel"] = channel
    several = len(image.header.get("channels", ())) > 1 and not image.header.get("colour")
    if several and known.get("channel") is None:
        known["channel"] = "0"
    return Segment(**known, stack=projection_of(store, labels, image) or "planes")


def projection_of(store: Store, labels: LabelSet, image: StoredImage) -> Projection | None:
    """Return how the planes of a Z stack became the one that its labels have; None where labels have each plane.

    It is the maximum where no job of the study says the mean, as of labels that were imported or drawn elsewhere.
    """
    depth = dict(zip(image.header.get("axes", ""), image.header.get("shape", ()), strict=True)).get("Z", 1)
    if depth == 1 or labels.size("Z") > 1:
        return None
    return "mean" if _asked(store, labels).get("stack") == "mean" else "max"


def as_labels_saw(sample: Sample, how: Projection | None) -> Sample:
    """Return a sample of an image as its labels saw it, by what `projection_of` says of them."""
    return sample if how is None else project_sample(sample, how)


def _asked(store: Store, labels: LabelSet) -> dict[str, Any]:
    """Return the step of the job's recipe that made the labels, empty if no job of a recipe did."""
    path = store.folder / "jobs" / str(labels.origin.get("job", "")) / "plan.json"
    if not labels.origin.get("job") or not path.is_file():
        return {}
    noted = json.loads(path.read_text(encoding="utf-8"))
    steps: list[dict[str, Any]] = tomllib.loads(noted["recipe"]).get("steps", [])
    wanted = labels.origin.get("labels", labels.name)
    made = [step for step in steps if step.get("step") == "segment"]
    return next((step for step in made if step.get("labels", "cells") == wanted), made[0] if made else {})
