"""New labels of an image that may have older ones with corrections by people: none of those is dropped unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from cellmetry.study.rebase.rebasing import enter_rebase, has_edits, prepare_rebase
from cellmetry.study.store.labels import discard_labels, enter_labels, labels_of_image, write_labels
from cellmetry.study.store.overtaken import Overtaken

if TYPE_CHECKING:
    from collections.abc import Callable

    from cellmetry.core.labels import Labels
    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.study.store.labels import LabelSet, WrittenLabels
    from cellmetry.study.store.store import Store

__all__ = ["Edits", "KeptLabels", "NewLabels", "prepare_labels"]

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


def prepare_labels(work: JobWork, new: NewLabels, *, edits: Edits = "rebase") -> Callable[[int], KeptLabels]:
    """Return what keeps new labels of an image by the job's act, after all that takes long is done.

    Call that within a transaction. It raises `Overtaken` if the image's labels of this name were edited or replaced
    meanwhile: then prepare them again.

    Parameters
    ----------
    edits
        What to do if the image has labels of this name that people corrected.

    Raises
    ------
    ParameterError
        If corrections cannot be put onto the new labels, which are of another shape.
    """
    store = work.store
    old = labels_of_image(store, new.image_id, new.name)
    if old is not None and edits != "replace" and has_edits(store, old):
        if edits == "keep_old":
            work.say("warning", f"The {new.name} were left as they are, since they were corrected by hand.")
            return lambda _: KeptLabels(old.id, {})
        prepared = prepare_rebase(store, old.id, new.labels)

        def rebased(seq: int) -> KeptLabels:
            _must_be_the_same(store, new, old, prepared.written)
            result = enter_rebase(store, work.actor, prepared, seq, origin=new.origin)
            return KeptLabels(result.labels_id, result.as_json())

        return rebased
    written = write_labels(store, new.labels)

    def added(seq: int) -> KeptLabels:
        if edits != "replace":
            _must_be_the_same(store, new, old, written)
        enter_labels(store, seq, new.image_id, written, name=new.name, origin=new.origin)
        return KeptLabels(written.id, {})

    return added


def _must_be_the_same(store: Store, new: NewLabels, old: LabelSet | None, written: WrittenLabels) -> None:
    """Refuse to go on if the labels that new ones will replace are not those that were looked at.

    Raises
    ------
    Overtaken
        If they are not; what was written is removed.
    """
    now = labels_of_image(store, new.image_id, new.name)
    if (now and (now.id, now.version)) != (old and (old.id, old.version)):
        discard_labels(store, written)
        raise Overtaken
