"""Images of a study with their labels as edited now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.errors import EditConflict, MissingInput, ParameterError
from cellmetry.io.scratch import new_label_array
from cellmetry.study.store.images import images
from cellmetry.study.store.label_pixels import whole_labels
from cellmetry.study.store.labels import label_set, label_sets
from cellmetry.study.store.said import EXCLUDED, is_excluded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.core.labels import Labels
    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["LabelledImage", "SteadyLabels", "chosen_images", "labelled_images", "steady_labels"]

_TRIES = 20
_ROWS = 1024


class LabelledImage(NamedTuple):
    """An image and one of its label images."""

    image: StoredImage
    labels: LabelSet


class SteadyLabels(NamedTuple):
    """Labels of one version, whatever is edited meanwhile."""

    labels: Labels
    version: int


def chosen_images(store: Store, ids: Sequence[str] | None) -> list[StoredImage]:
    """Return images by their ids, in the order of the study; all that can be read and are not excluded if left out.

    Raises
    ------
    ParameterError
        If an id is of no image of the study, or of one that was removed.
    MissingInput
        If there is none.
    """
    known = {each.id: each for each in images(store)}
    if ids is None:
        ready = [each for each in known.values() if each.state == "ready"]
        found = [each for each in ready if not is_excluded(store, each.id)]
        if not ready:
            raise MissingInput("The study has no image that could be read; add images first.")
        if not found:
            raise MissingInput(
                f"All {len(ready)} images that could be read are {EXCLUDED}; take that back, or name images."
            )
        return found
    unknown = next((each for each in ids if each not in known), None)
    if unknown is not None:
        raise ParameterError(f"The study has no image {unknown}; it may have been removed.")
    return [known[each] for each in known if each in set(ids)]


def labelled_images(store: Store, ids: Sequence[str] | None, name: str) -> dict[str, LabelledImage]:
    """Return images that have labels of a name, by their ids; of all images those that have some if left out.

    Raises
    ------
    ParameterError
        If an image that was named has no such labels.
    MissingInput
        If none has.
    """
    sets = {each.image_id: each for each in label_sets(store) if each.name == name}
    chosen = chosen_images(store, ids)
    bare = next((each for each in chosen if each.id not in sets), None)
    if ids is not None and bare is not None:
        raise ParameterError(f"{bare.name} has no labels named {name!r}; segment it, or import labels, first.")
    found = {each.id: LabelledImage(each, sets[each.id]) for each in chosen if each.id in sets}
    if not found:
        out = sum(is_excluded(store, each.id) for each in images(store) if each.id in sets)
        but = f" that is not {EXCLUDED}" if out else ""
        raise MissingInput(
            f"No image of the study{but} has labels named {name!r}; segment images, or import labels, first."
        )
    return found


def steady_labels(store: Store, labels_id: str) -> SteadyLabels:
    """Return a copy of labels as they are now: of one version, though somebody may be editing them.

    Raises
    ------
    EditConflict
        If they were edited each time while they were copied.
    """
    for _ in range(_TRIES):
        before = label_set(store, labels_id)
        live = whole_labels(store, before)
        array = new_label_array(live.shape, live.axes)
        for lead in np.ndindex(*live.shape[:-2]):
            for row in range(0, live.shape[-2], _ROWS):
                place = (*lead, slice(row, min(row + _ROWS, live.shape[-2])), slice(None))
                array[place] = live.array[place]
        after = label_set(store, labels_id)
        if before.version == after.version:
            return SteadyLabels(replace(live, array=array), before.version)
    raise EditConflict(
        f"The labels {labels_id} were edited all the while they were read; do it again when editing rests.",
        version=after.version,
        act=after.added_by,
    )
