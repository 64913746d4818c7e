"""Where objects are, for operations: which planes, which boxes, in pieces that do not overlap."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Literal

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cellmetry.study.editing.operation import EditOperation, LabelView

__all__ = ["Planes", "groups", "need_box", "need_object", "need_objects", "pieces", "planes_of"]

Planes = Literal["here", "z", "all"]
"""The plane of the edit, all planes of its frame, or all planes of all frames."""
_SIDE = 512


def planes_of(view: LabelView, operation: EditOperation, planes: Planes) -> list[tuple[int, int]]:
    """Return the planes (t, z) that an operation is to change."""
    if planes == "here":
        return [(operation.t, operation.z)]
    frames = range(view.size("T")) if planes == "all" else (operation.t,)
    return list(product(frames, range(view.size("Z"))))


def need_box(view: LabelView, label: int, t: int, z: int) -> Box:
    """Return the box of an object in a plane.

    Raises
    ------
    ParameterError
        If it is not there.
    """
    box = view.box_of(label, t, z)
    if box is None:
        raise ParameterError(f"There is no object {label} in the plane t={t}, z={z}.")
    return box


def need_object(view: LabelView, label: int) -> int:
    """Return the id of an object that is in some plane.

    Raises
    ------
    ParameterError
        If it is in none.
    """
    if not view.has(label):
        raise ParameterError(f"There is no object {label}.")
    return label


def need_objects(
    view: LabelView, ids: Iterable[int], planes: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], list[Box]]:
    """Return the boxes of objects by plane.

    Raises
    ------
    ParameterError
        If one of them is in none of the planes.
    """
    found: dict[tuple[int, int], list[Box]] = {}
    for label in dict.fromkeys(ids):
        boxes = [(plane, box) for plane in planes if (box := view.box_of(label, *plane)) is not None]
        if not boxes:
            where = f"the plane t={planes[0][0]}, z={planes[0][1]}" if len(planes) == 1 else "these planes"
            raise ParameterError(f"There is no object {label} in {where}.")
        for plane, box in boxes:
            found.setdefault(plane, []).append(box)
    return found


def pieces(boxes: Iterable[Box]) -> list[Box]:
    """Return boxes that do not overlap, none larger than a tile, and hold all of `boxes`."""
    squares: dict[tuple[int, int], Box] = {}
    for box in boxes:
        rows, columns = range(box.y0 // _SIDE, -(-box.y1 // _SIDE)), range(box.x0 // _SIDE, -(-box.x1 // _SIDE))
        for y, x in product(rows, columns):
            part = Box(
                max(box.y0, y * _SIDE),
                min(box.y1, (y + 1) * _SIDE),
                max(box.x0, x * _SIDE),
                min(box.x1, (x + 1) * _SIDE),
            )
            squares[y, x] = _around(squares[y, x], part) if (y, x) in squares else part
    return list(squares.values())


def groups(boxes: Iterable[Box]) -> list[Box]:
    """Return boxes that do not overlap and hold all of `boxes`, each of these whole in one of them."""
    left, done = list(boxes), list[Box]()
    while left:
        box = left.pop()
        meeting = [each for each in done if _meet(each, box)]
        if not meeting:
            done.append(box)
            continue
        done = [each for each in done if each not in meeting]
        for each in meeting:
            box = _around(box, each)
        left.append(box)
    return done


def _meet(a: Box, b: Box) -> bool:
    return a.y0 < b.y1 and b.y0 < a.y1 and a.x0 < b.x1 and b.x0 < a.x1


def _around(a: Box, b: Box) -> Box:
    return Box(min(a.y0, b.y0), max(a.y1, b.y1), min(a.x0, b.x0), max(a.x1, b.x1))
