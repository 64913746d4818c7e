"""New labels of an image that may have older ones with corrections by people: none of those is dropped unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from cellmetry.study.rebase.rebasing import has_edits, rebase
from cellmetry.study.store.labels import add_labels, labels_of_image

if TYPE_CHECKING:
    from cellmetry.core.labels import Labels
    from cellmetry.pipeline.jobs.kind import JobWork

__all__ = ["Edits", "KeptLabels", "NewLabels", "keep_labels"]

Edits = Literal["rebase", "keep_old", "replace"]
"""What becomes of older labels with corrections."""


class NewLabels(NamedTuple):
    """Labels that a job made of an image, the name for them, and what made them."""

    image_id: str
    name: str
    labels: Labels
    origin: dict[str, Any]


class KeptLabels(NamedTuple):
    """Id of the labels that the image has now, and what became of corrections, empty if there were none."""

    id: str
    rebased: dict[str, Any]


def keep_labels(work: JobWork, seq: int, new: NewLabels, *, edits: Edits = "rebase") -> KeptLabels:
    """Return the labels that an image has after new ones were made.

    Parameters
    ----------
    seq
        The job's act.
    edits
        What to do if the image has labels of this name that people corrected.

    Raises
    ------
    ParameterError
        If corrections cannot be put onto the new labels, which are of another shape.
    """
    old = labels_of_image(work.store, new.image_id, new.name)
    if old is None or edits == "replace" or not has_edits(work.store, old):
        labels_id = add_labels(work.store, seq, new.image_id, new.labels, name=new.name, origin=new.origin)
        return KeptLabels(labels_id, {})
    if edits == "keep_old":
        work.say("warning", f"The {new.name} were left as they are, since they were corrected by hand.")
        return KeptLabels(old.id, {})
    result = rebase(work.store, work.actor, old.id, new.labels, origin=new.origin, seq=seq)
    return KeptLabels(result.labels_id, result.as_json())
