"""Fields of labels that a person has looked through; saying so is an act that can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cellmetry.core.image import Box
from cellmetry.study.store.acts import Actor, act, find_act
from cellmetry.study.store.images import image, images, said_of, say

if TYPE_CHECKING:
    from cellmetry.study.store.store import Store

__all__ = ["ReviewedField", "all_reviewed_fields", "reviewed_fields", "say_reviewed"]


class ReviewedField(NamedTuple):
    """A box of a plane that somebody has looked through."""

    image_id: str
    labels: str
    t: int
    z: int
    box: Box
    who: str
    at: str


def say_reviewed(store: Store, actor: Actor, field: ReviewedField, *, done: bool = True) -> int:
    """Return the act that notes a field as reviewed, or no longer."""
    name = image(store, field.image_id).name
    with store.database.write():
        verb = "review" if done else "unreview"
        what = f"{'Review' if done else 'Review again'} a field of {name}"
        seq = act(store, actor, verb, what, image=field.image_id, labels=field.labels, box=list(field.box))
        say(store, seq, _subject(field.image_id), {_key(field): {"act": seq} if done else None})
    return seq


def all_reviewed_fields(store: Store) -> list[ReviewedField]:
    """Return the fields of all images of a study that were looked through."""
    return [field for each in images(store) for field in reviewed_fields(store, each.id)]


def reviewed_fields(store: Store, image_id: str) -> list[ReviewedField]:
    """Return the fields of an image that were looked through."""
    found = []
    for key, value in said_of(store, _subject(image_id)).items():
        if value is not None:
            t, z, y0, y1, x0, x1, labels = key.split("/", 6)
            by = find_act(store, value["act"])
            box = Box(int(y0), int(y1), int(x0), int(x1))
            found.append(ReviewedField(image_id, labels, int(t), int(z), box, by.who, by.at))
    return found


def _subject(image_id: str) -> str:
    return f"reviewed {image_id}"


def _key(field: ReviewedField) -> str:
    return "/".join([*map(str, (field.t, field.z, *(int(edge) for edge in field.box))), field.labels])
