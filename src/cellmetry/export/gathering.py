"""Outlines of other programs to labels: who keeps which id, who gets a pixel that two claim, and what was left out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.core.labels import Labels
from cellmetry.errors import InputError, LabelsError
from cellmetry.export.filling import fill_objects, join_runs, paint_runs, runs_of_instances

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cellmetry.export.frame import Frame, Lead
    from cellmetry.ops.instances import Instance, Overlap, Painted

__all__ = ["Drawn", "Gathered", "gather", "label_id"]

_ID = re.compile(r"0*([1-9]\d{0,9})(?:-t\d+)?(?:-z\d+)?")
_LARGEST_ID = int(np.iinfo(np.uint32).max)


@dataclass(frozen=True)
class Drawn:
    """One object as another program has it.

    Parameters
    ----------
    name
        As given there; empty for none.
    lead
        Plane on which it lies.
    rings
        Its outlines (n, 2) as x, y, filled by the even-odd rule; empty if it is given by `pixels`.
    pixels
        Its pixels, in place of rings.
    label_class
        Its class; empty for none.
    values
        What else is said of it, by name.
    """

    name: str
    lead: Lead
    rings: Sequence[NDArray[np.floating]] = ()
    pixels: Instance | None = None
    label_class: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


class Gathered(NamedTuple):
    """Labels made of outlines, a table with a row for each object that has pixels, and what a user should know."""

    labels: Labels
    objects: pd.DataFrame
    notes: tuple[str, ...] = ()


class _Numbered(NamedTuple):
    """Ids of all objects in order, and what happened to their names."""

    ids: NDArray[np.int64]
    notes: tuple[str, ...]


def label_id(name: str) -> int | None:
    """Return the id that a name is: a whole number, also with the plane after it as we write it (``12-t3-z1``)."""
    found = _ID.fullmatch(name.strip())
    return int(found[1]) if found and int(found[1]) <= _LARGEST_ID else None


def gather(drawn: Sequence[Drawn], frame: Frame, overlap: Overlap, notes: Sequence[str] = ()) -> Gathered:
    """Return the labels that objects make in `frame`.

    Names that are label ids give the ids; the same name on several planes is one object. All others, and all but the
    first of a name on one plane, are numbered from the next free id.

    Raises
    ------
    InputError
        If there are objects, but none has a pixel in the image.
    """
    numbered = _numbered(drawn)
    array = np.zeros(frame.shape, np.uint32)
    by_lead: dict[Lead, list[int]] = {}
    for place, each in enumerate(drawn):
        by_lead.setdefault(each.lead, []).append(place)
    said, kept = _Losses(), np.zeros(len(drawn), np.bool_)
    for lead, places in by_lead.items():
        painted = _painted([drawn[place] for place in places], frame.plane, overlap)
        array[lead] = np.concatenate([[0], numbered.ids[places]]).astype(np.uint32)[painted.labels]
        gone = {*painted.hidden, *painted.empty}
        kept[[place for k, place in enumerate(places, start=1) if k not in gone]] = True
        said.add([drawn[place] for place in places], painted, frame.plane)
    if drawn and len(said.empty) == len(drawn):
        raise InputError(
            f"None of the {len(drawn)} outlines has a pixel in an image of {frame.plane[0]} × {frame.plane[1]} pixels "
            f"(Y × X); give the image on which they were drawn."
        )
    labels = Labels(array, frame.axes, frame.pixel_size)
    objects = _objects([(each, int(numbered.ids[k])) for k, each in enumerate(drawn) if kept[k]], frame)
    return Gathered(labels, objects, (*notes, *numbered.notes, *said.sentences(overlap)))


def _numbered(drawn: Sequence[Drawn]) -> _Numbered:
    ids = [label_id(each.name) for each in drawn]
    taken: set[tuple[int, Lead]] = set()
    nameless, again = [], []
    for place, (identity, each) in enumerate(zip(ids, drawn, strict=True)):
        if identity is None:
            nameless.append(place)
        elif (identity, each.lead) in taken:
            again.append(place)
        else:
            taken.add((identity, each.lead))
    largest = max((identity for identity, _ in taken), default=0)
    if largest + len(nameless) + len(again) > _LARGEST_ID:
        raise LabelsError(f"The name {largest} leaves no free id for outlines without one; give it a smaller number.")
    for number, place in enumerate(sorted([*nameless, *again]), start=largest + 1):
        ids[place] = number
    notes = []
    if nameless:
        notes.append(
            f"{len(nameless)} outlines have no label id as their name (the first: {drawn[nameless[0]].name!r}) and "
            f"were numbered from the next free id, {ids[nameless[0]]}."
        )
    if again:
        notes.append(
            f"{len(again)} outlines have the name of an earlier one on the same plane (the first: "
            f"{drawn[again[0]].name!r}) and were given new ids, from {ids[again[0]]}; the earlier ones keep theirs."
        )
    return _Numbered(np.array(ids, np.int64), tuple(notes))


def _painted(drawn: list[Drawn], shape: tuple[int, int], overlap: Overlap) -> Painted:
    filled = [fill_objects([each.rings for each in drawn], shape)]
    for number, each in enumerate(drawn):
        if each.pixels is not None:
            filled.append(runs_of_instances([each.pixels], shape, first=number))
    return paint_runs(join_runs(*filled), len(drawn), shape, overlap=overlap)


class _Losses:
    """What objects lost on their way to labels."""

    def __init__(self) -> None:
        self.overlapped_px = 0
        self.hidden: list[str] = []
        self.empty: list[str] = []
        self.cut: list[str] = []

    def add(self, drawn: list[Drawn], painted: Painted, shape: tuple[int, int]) -> None:
        """Add those of one plane."""
        self.overlapped_px += painted.overlapped_px
        self.hidden += [drawn[k - 1].name for k in painted.hidden]
        self.empty += [drawn[k - 1].name for k in painted.empty]
        gone = {k - 1 for k in painted.empty}
        self.cut += [each.name for k, each in enumerate(drawn) if k not in gone and _reaches_out(each, shape)]

    def sentences(self, overlap: Overlap) -> list[str]:
        """Return what a user should know."""
        winner = {"smaller": "smaller", "later": "later", "earlier": "earlier"}[overlap]
        said = []
        if self.overlapped_px:
            said.append(
                f"{self.overlapped_px} pixels lie in more than one outline; the {winner} outline got them (overlap)."
            )
        for names, what in (
            (self.hidden, "lie wholly under others and are not in the labels"),
            (self.empty, "have no pixel in the image and are not in the labels"),
            (self.cut, "reach beyond the image and were cut at its edge"),
        ):
            if names:
                said.append(f"{len(names)} outlines {what} (the first: {names[0]!r}).")
        return said


def _reaches_out(each: Drawn, shape: tuple[int, int]) -> bool:
    if each.pixels is not None:
        height, width = each.pixels.mask.shape
        return min(each.pixels.y, each.pixels.x) < 0 or each.pixels.y + height > shape[0] or (
            each.pixels.x + width > shape[1]
        )  # fmt: skip
    points = each.rings[0] if len(each.rings) == 1 else np.concatenate(each.rings)
    (right, bottom), nearest = points.max(axis=0), points.min()
    return bool(nearest <= -0.5 or right >= shape[1] + 0.5 or bottom >= shape[0] + 0.5)


def _objects(kept: list[tuple[Drawn, int]], frame: Frame) -> pd.DataFrame:
    """Return a row for each object in the labels: id, plane, name, class, and what else was said."""
    names = list(dict.fromkeys(name for each, _ in kept for name in each.values))
    columns: dict[str, list[object]] = {"label": [identity for _, identity in kept]}
    for place, axis in enumerate(frame.axes[:-2].lower()):
        columns[axis] = [each.lead[place] for each, _ in kept]
    columns["name"] = [each.name for each, _ in kept]
    columns["class"] = [each.label_class for each, _ in kept]
    for name in names:
        columns[_free(name, columns)] = [each.values.get(name) for each, _ in kept]
    table = pd.DataFrame(columns)
    table.attrs["columns"] = tuple(_KNOWN.get(name, _foreign(name)) for name in table.columns)
    return table


def _free(name: str, taken: Mapping[str, object]) -> str:
    while name in taken:
        name = f"{name}_given"
    return name


_KNOWN = {
    column.name: column
    for column in (
        Column("label", "1", "Id of the object in the labels.", "Cellmetry"),
        Column("t", "1", "Frame, from 0.", "Cellmetry"),
        Column("z", "1", "Z plane, from 0.", "Cellmetry"),
        Column("name", "1", "Name that the outline had.", "Cellmetry"),
        Column("class", "1", "Class that the outline had; empty for none.", "Cellmetry"),
        Column("group", "1", "Group in ImageJ's ROI manager.", "ImageJ"),
        Column("colour", "1", "Colour of the outline, #rrggbb.", "Cellmetry"),
    )
}


def _foreign(name: str) -> Column:
    return Column(name, "unknown", f"As the file said under {name!r}.", "the imported file")
