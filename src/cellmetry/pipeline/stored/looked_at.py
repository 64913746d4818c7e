"""`segment_step_of`: how labels of a study were found, for what asks the same engine about the same pixels again."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

from cellmetry.engines.segment import Segment

if TYPE_CHECKING:
    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["segment_step_of"]

_SAME = ("channel", "diameter_um", "diameter_px", "stack")


def segment_step_of(store: Store, labels: LabelSet, image: StoredImage, channel: str | None = None) -> Segment:
    """Return a step of the study's network that looks where the job looked that made the labels.

    The first channel is taken where nobody said which, as of labels that were imported.
    """
    known = {name: value for name, value in _asked(store, labels).items() if name in _SAME}
    if channel is not None:
        known["channel"] = channel
    if known.get("stack") == "volume":
        known["stack"] = "planes"
    several = len(image.header.get("channels", ())) > 1 and not image.header.get("colour")
    if several and known.get("channel") is None:
        known["channel"] = "0"
    return Segment(**known)


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
