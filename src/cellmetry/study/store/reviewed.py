"""Fields of labels that a person has looked through; saying so is an act that can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.images import image, say
from cellmetry.study.store.labels import label_sets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["PlaneBox", "ReviewedField", "reviewed_fields", "say_reviewed"]

_OF = "reviewed "


class PlaneBox(NamedTuple):
    """A box of a plane."""

    t: int
    z: int
    box: Box


class ReviewedField(NamedTuple):
    """A box of a plane that somebody has looked through.

    Parameters
    ----------
    labels
        Name of the labels.
    labels_id
        The labels that were seen; others of this name are other labels.
    """

    image_id: str
    labels: str
    labels_id: str
    t: int
    z: int
    box: Box
    who: str
    at: str


def say_reviewed(store: Store, actor: Actor, labels: LabelSet, field: PlaneBox, *, done: bool = True) -> int:
    """Return the act that notes a field of labels as reviewed, or no longer.

    Raises
    ------
    ParameterError
        If the labels do not have this plane, or the box is empty or reaches beyond it.
    """
    labels.check_plane(field.t, field.z)
    box, (height, width) = field.box, labels.plane_shape
    if not (0 <= box.y0 < box.y1 <= height and 0 <= box.x0 < box.x1 <= width):
        raise ParameterError(
            f"The box {tuple(box)} is empty or reaches beyond the plane of {height} × {width} pixels; its end is "
            f"outside of it."
        )
    name = image(store, labels.image_id).name
    with store.database.write():
        verb = "review" if done else "unreview"
        what = f"{'Review' if done else 'Review again'} a field of {name}"
        seq = act(store, actor, verb, what, image=labels.image_id, labels=labels.name, box=list(box))
        say(store, seq, f"{_OF}{labels.id}", {_key(field): True if done else None})
    return seq


def reviewed_fields(store: Store, image_id: str | None = None) -> list[ReviewedField]:
    """Return the fields of the labels that an image has now, or all images, that were looked through."""
    sets = {each.id: each for each in label_sets(store, image_id)}
    named = {(each.image_id, each.name): each for each in sets.values()}
    rows = store.database.rows(
        "SELECT said.act, subject, key, value, who, at FROM said JOIN acts ON acts.seq = said.act "
        "WHERE subject >= ? AND subject < ? AND said.act IN (SELECT seq FROM holding) ORDER BY said.act",
        (_OF, f"{_OF}~"),
    )
    found: dict[tuple[str, PlaneBox], ReviewedField] = {}
    for row in rows:
        of, (*place, name) = row["subject"].removeprefix(_OF), f"{row['key']}/".split("/", 6)
        labels = _labels_of_name(named, of, name[:-1], row["act"]) if name else sets.get(of)
        field = None if labels is None else _within(labels, *map(int, place))
        if labels is None or field is None:
            continue
        found.pop((labels.id, field), None)
        if row["value"] != "null":
            known = ReviewedField(labels.image_id, labels.name, labels.id, *field, row["who"], row["at"])
            found[labels.id, field] = known
    return list(found.values())


def _labels_of_name(
    named: Mapping[tuple[str, str], LabelSet], image_id: str, name: str, said_by: int
) -> LabelSet | None:
    """Return the labels of which a word was said, where it names them by image and name, as studies had it at first."""
    labels = named.get((image_id, name))
    return labels if labels is not None and labels.added_by < said_by else None


def _within(labels: LabelSet, t: int, z: int, *edges: int) -> PlaneBox | None:
    """Return the part of a box that lies in the plane of labels, None if there is none."""
    y0, y1, x0, x1 = edges
    height, width = labels.plane_shape
    box = Box(max(0, y0), min(height, y1), max(0, x0), min(width, x1))
    inside = t < labels.size("T") and z < labels.size("Z") and box.y0 < box.y1 and box.x0 < box.x1
    return PlaneBox(t, z, box) if inside else None


def _key(field: PlaneBox) -> str:
    return "/".join(str(int(number)) for number in (field.t, field.z, *field.box))
