"""Regions that people draw on images, by name; drawing them is an act that can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.errors import ParameterError
from cellmetry.ops.shapes import Shape
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.images import image, said_of, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cellmetry.study.store.store import Store

__all__ = ["copy_regions", "put_regions", "regions_of", "shapes_of_study"]


def put_regions(store: Store, actor: Actor, image_id: str, shapes: Sequence[Shape]) -> int:
    """Return the act by which an image has these regions and no others.

    Raises
    ------
    ParameterError
        If two have one name.
    """
    names = [shape.name for shape in shapes]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ParameterError(f"Two regions are called {twice!r}; each region of an image needs its own name.")
    shown = image(store, image_id).name
    new = {each.name: each.model_dump(mode="json", exclude={"name", "image"}, exclude_defaults=True) for each in shapes}
    gone = {each.name: None for each in regions_of(store, image_id) if each.name not in new}
    with store.database.write():
        seq = act(store, actor, "regions", f"Draw regions on {shown}", image=image_id, regions=names)
        say(store, seq, _subject(image_id), {**gone, **new})
    return seq


def copy_regions(store: Store, act: int, of: str, to: str) -> None:
    """Have an image the regions that another one has, unless something was ever said of its own."""
    if not said_of(store, _subject(to)):
        say(store, act, _subject(to), said_of(store, _subject(of)))


def regions_of(store: Store, image_id: str) -> list[Shape]:
    """Return the regions of an image, each lying on it by its name."""
    shown = image(store, image_id).name
    said = said_of(store, _subject(image_id))
    return [Shape(name=name, image=shown, **form) for name, form in said.items() if form is not None]


def shapes_of_study(store: Store, image_ids: Iterable[str], names: Sequence[str]) -> dict[str, tuple[Shape, ...]]:
    """Return the regions of images, those of some names, by the images' ids; of all names if there are none.

    Raises
    ------
    ParameterError
        If no image has a region of one of the names.
    """
    found = {each: tuple(regions_of(store, each)) for each in image_ids}
    known = {shape.name for shapes in found.values() for shape in shapes}
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        drawn = ", ".join(sorted(known)) or "none"
        raise ParameterError(f"No region called {unknown!r} is drawn on these images (there are: {drawn}).")
    return {each: tuple(one for one in shapes if not names or one.name in names) for each, shapes in found.items()}


def _subject(image_id: str) -> str:
    return f"regions {image_id}"
