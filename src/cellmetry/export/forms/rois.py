"""Labels ↔ the zip of ImageJ's ROI manager."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from cellmetry.errors import InputError, OutputError
from cellmetry.export.formats import LabelFormat
from cellmetry.export.gathering import Drawn, gather
from cellmetry.export.roi_archive import MOST_ENTRIES
from cellmetry.export.roi_writing import RoiFacts, pack_roi, write_roi_zip
from cellmetry.export.rois import area_rings, read_rois
from cellmetry.io.atomic import atomic_write
from cellmetry.ops.instances import Overlap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cellmetry.export.content import Content, Plane
    from cellmetry.export.frame import Frame, Lead
    from cellmetry.export.gathering import Gathered
    from cellmetry.export.rois import Roi

__all__ = ["Rois"]

_MOST_CLASSES = 255
_PLACED = re.compile(r"(\d{4,})-\d{4,}-\d{4,}")


class Rois(LabelFormat):
    """ImageJ's ROI zip: one outline an object and plane, named by its id."""

    title: ClassVar[str] = "ROI zip of ImageJ and Fiji"
    suffixes: ClassVar[tuple[str, ...]] = (".zip", ".roi")

    positions: Literal["auto", "stack", "hyperstack"] = "auto"
    """How planes are said: by their number in a stack, or by Z and T of a hyperstack (needed where the image has
    several channels); ``auto`` takes the hyperstack for labels with both Z and T."""
    overlap: Overlap = "smaller"
    """On import: which of two overlapping outlines gets the pixels: the smaller, the later or the earlier."""

    def write(self, content: Content, path: Path) -> tuple[str, ...]:
        """Write a ROI zip; classes become groups and colours, numbers become properties."""
        if len(content.classes) > _MOST_CLASSES:
            raise OutputError(f"ImageJ has {_MOST_CLASSES} groups, but there are {len(content.classes)} classes.")
        with atomic_write(path) as temporary:
            count = write_roi_zip(self._packed(content), temporary)
            if count > MOST_ENTRIES:
                raise OutputError(
                    f"{path} was not written: {count:,} outlines are more than the {MOST_ENTRIES:,} that one ROI zip "
                    f"may have here. Cut the image into pieces, or export to GeoJSON."
                )
        return ()

    def read(self, path: Path, frame: Frame) -> Gathered:
        """Return the labels of the areas in a ROI zip, a folder of ROIs, or a single one; points and lines are not."""
        drawn, left = [], []
        for roi in read_rois(path):
            if roi.kind != "area":
                left.append(roi)
                continue
            drawn.append(_drawn(roi, frame))
        if left and not drawn:
            raise InputError(f"{path} holds only {left[0].kind}, no areas; outlines of objects are areas.")
        notes = [f"{len(left)} ROIs are points or lines, not areas, and were left out."] if left else []
        return gather(drawn, frame, self.overlap, notes)

    def _packed(self, content: Content) -> Iterator[tuple[str, bytes]]:
        groups = {name: (k, colour) for k, (name, colour) in enumerate(content.classes.items(), start=1)}
        for plane in content.planes():
            place = content.frame.place(plane.lead)
            at = self._position(plane, content.frame)
            ending = "".join(f"-{axis}{number + 1}" for axis, number in place.items())
            for identity, parts in plane.outlines().polygons():
                fact = plane.fact(identity)
                group, colour = groups.get(fact.label_class, (0, ""))
                said = {"class": fact.label_class} if fact.label_class else {}
                facts = RoiFacts(str(identity), **at, group=group, colour=colour, properties={**said, **fact.values})
                yield f"{identity}{ending}", pack_roi(parts, facts)

    def _position(self, plane: Plane, frame: Frame) -> dict[str, int]:
        if not plane.lead:
            return {}
        hyperstack = len(plane.lead) > 1 if self.positions == "auto" else self.positions == "hyperstack"
        if hyperstack:
            place = frame.place(plane.lead)
            return {"z": place.get("z", 0) + 1, "t": place.get("t", 0) + 1}
        return {"position": int(np.ravel_multi_index(plane.lead, frame.shape[:-2])) + 1}


def _drawn(roi: Roi, frame: Frame) -> Drawn:
    values: dict[str, object] = {"group": roi.group} if roi.group else {}
    values |= {"colour": roi.colour} if roi.colour else {}
    values |= {name: _number(text) for name, text in roi.properties.items() if name != "class"}
    said = roi.properties.get("class", "")
    return Drawn(roi.name, _lead(roi, frame), area_rings(roi), label_class=said, values=values)


def _number(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text


def _lead(roi: Roi, frame: Frame) -> Lead:
    """Return the plane of a ROI: by hyperstack position, position in the stack, or a name of the ROI manager's."""
    if roi.z or roi.t:
        return frame.lead(roi.name, t=roi.t - 1 if roi.t else None, z=roi.z - 1 if roi.z else None)
    named = _PLACED.fullmatch(roi.name)
    position = roi.position or (int(named[1]) if named and frame.axes != "YX" else 0)
    if not position:
        return frame.lead(roi.name)
    plane, sizes = (position - 1) // frame.channels, frame.shape[:-2]
    if plane >= int(np.prod(sizes, dtype=np.int64)):
        raise InputError(
            f"The ROI {roi.name} lies on plane {position} of a stack, which the image does not have; give the stack it "
            f"was drawn on with --like."
        )
    return tuple(int(place) for place in np.unravel_index(plane, sizes)) if sizes else ()
