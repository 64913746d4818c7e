"""`add_empty_labels`: labels without an object, for somebody who draws them by hand."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.core.labels import Labels
from cellmetry.errors import LimitExceeded, ParameterError
from cellmetry.export.frame import frame_of_image
from cellmetry.pipeline.stored.opening import open_stored
from cellmetry.study.store.acts import act
from cellmetry.study.store.images import image as image_of
from cellmetry.study.store.labels import discard_labels, enter_labels, label_sets, write_labels

if TYPE_CHECKING:
    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.store import Store

__all__ = ["EmptyLabels", "add_empty_labels"]

_MOST_PIXELS = 1 << 28


class EmptyLabels(NamedTuple):
    """Labels that were made, and the act that made them."""

    id: str
    act: int


def add_empty_labels(store: Store, actor: Actor, image_id: str, name: str) -> EmptyLabels:
    """Return labels of an image that have no object yet; undoing the act hides them.

    Raises
    ------
    ParameterError
        If the image was not read yet, or has labels of this name: nobody's cells are hidden by empty ones.
    LimitExceeded
        If the image is too large for a moment's work.
    """
    image = image_of(store, image_id)
    if image.state != "ready":
        raise ParameterError(f"{image.name} was not read yet; ask again when it is.")
    _refuse_second(store, image_id, name)
    frame = frame_of_image(open_stored(store, image), image.name)
    if prod(frame.shape) > _MOST_PIXELS:
        raise LimitExceeded(f"{image.name} is too large to be drawn from nothing; segment it, and correct that.")
    nothing = np.broadcast_to(np.uint32(0), frame.shape)
    written = write_labels(store, Labels(nothing, frame.axes, frame.pixel_size))
    try:
        with store.database.write():
            _refuse_second(store, image_id, name)  # somebody may have been faster
            seq = act(store, actor, "draw", f"Begin to draw {name} of {image.name}", labels=written.id, image=image_id)
            enter_labels(store, seq, image_id, written, name=name, origin={"drawn": True})
    except ParameterError:
        discard_labels(store, written)
        raise
    return EmptyLabels(written.id, seq)


def _refuse_second(store: Store, image_id: str, name: str) -> None:
    if any(each.name == name for each in label_sets(store, image_id)):
        raise ParameterError(f"The image has {name} already; correct those, or give another name.")
