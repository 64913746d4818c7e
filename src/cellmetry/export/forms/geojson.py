"""Labels ↔ GeoJSON as QuPath writes and reads it (0.4 to 0.6; older files are read too).

Coordinates are pixels, (0, 0) the outer corner of the first. Outer rings have a positive area in these numbers and
holes a negative one, as RFC 7946 wants; the first point stands again at the end of each ring.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from cellmetry.errors import DamagedFile, InputError
from cellmetry.export.formats import LabelFormat, load_json
from cellmetry.export.gathering import Drawn, gather
from cellmetry.export.rois import Roi, area_rings
from cellmetry.io.atomic import atomic_write
from cellmetry.ops.instances import Overlap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cellmetry.export.content import Content
    from cellmetry.export.frame import Frame
    from cellmetry.export.gathering import Gathered

__all__ = ["GeoJson"]

_AREAS = ("Polygon", "MultiPolygon", "GeometryCollection")
_LEGACY = {"PathCellObject": "cell", "PathDetectionObject": "detection", "PathAnnotationObject": "annotation"}
_LEGACY |= {"PathTileObject": "tile", "TMACoreObject": "tmaCore", "PathRootObject": "root"}


class GeoJson(LabelFormat):
    """GeoJSON of QuPath: a feature an object and plane, whose name is its id."""

    title: ClassVar[str] = "GeoJSON of QuPath"
    suffixes: ClassVar[tuple[str, ...]] = (".geojson", ".json")

    object_type: Literal["cell", "detection", "annotation"] = "cell"
    """What objects are in QuPath."""
    locked: bool = False
    """Whether objects are locked in QuPath, so that the mouse does not move them."""
    take: Literal["auto", "cell", "detection", "annotation", "all"] = "auto"
    """On import: which objects become labels; ``auto`` takes cells and detections, annotations where there are none."""
    outline: Literal["cell", "nucleus"] = "cell"
    """On import: whether the label of a cell is all of it, or its nucleus."""
    overlap: Overlap = "smaller"
    """On import: which of two overlapping outlines gets the pixels: the smaller, the later or the earlier."""

    def write(self, content: Content, path: Path) -> tuple[str, ...]:
        """Write a FeatureCollection."""
        with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8") as file:
            file.write('{"type":"FeatureCollection","features":[')
            for number, text in enumerate(self._features(content)):
                file.write(",\n" if number else "\n")
                file.write(text)
            file.write("\n]}\n")
        return ()

    def read(self, path: Path, frame: Frame) -> Gathered:
        """Return the labels of the areas in a file; points and lines are left out."""
        content = load_json(path)
        try:
            features = list(_all_features(content))
            kinds = [_kind(each) for each in features]
            taken, notes = self._choice(kinds)
            drawn, left = [], 0
            for each, kind in zip(features, kinds, strict=True):
                if kind in taken:
                    found = self._drawn(each, frame)
                    left += found is None
                    drawn += [] if found is None else [found]
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
            if isinstance(error, InputError):
                raise
            raise DamagedFile(f"{path} is no GeoJSON of objects: {error!r} where one is stated.") from error
        if left:
            notes.append(f"{left} objects are points, lines or without outline, and were left out.")
        if features and not drawn:
            raise InputError(f"{path} holds no area that could be a label ({', '.join(sorted(set(kinds)))}); see take.")
        return gather(drawn, frame, self.overlap, notes)

    def _choice(self, kinds: Sequence[str]) -> tuple[set[str], list[str]]:
        """Return which types are taken, and what is to be said of the others."""
        counts = Counter(kinds)
        if self.take == "all":
            taken = set(counts)
        elif self.take == "auto":
            cells = {"cell", "detection"} & set(counts)
            taken = cells or set(counts) - {"root", "tmaCore"}
        else:
            taken = {self.take}
        left = {kind: count for kind, count in counts.items() if kind not in taken}
        return taken, [
            f"{count} objects of the type {kind} were left out; take=all takes them." for kind, count in left.items()
        ]

    def _drawn(self, feature: dict[str, Any], frame: Frame) -> Drawn | None:
        geometry = feature.get("nucleusGeometry") if self.outline == "nucleus" else feature["geometry"]
        if geometry is None or geometry["type"] not in _AREAS:
            return None
        properties = feature.get("properties") or {}
        name = str(properties.get("name") or feature.get("id") or "")
        plane = geometry.get("plane") or {}
        lead = frame.lead(name, **_place(plane, frame))
        values = dict(_measurements(properties.get("measurements") or {}))
        colour = properties.get("color")
        if isinstance(colour, list) and len(colour) == 3:
            values["colour"] = "#{:02x}{:02x}{:02x}".format(*colour)
        said = _class_of(properties.get("classification"))
        return Drawn(name, lead, _rings(geometry, name), label_class=said, values=values)

    def _features(self, content: Content) -> Iterator[str]:
        colours = {name: list(bytes.fromhex(colour[1:])) for name, colour in content.classes.items()}
        fixed: dict[str, Any] = {"objectType": self.object_type, **({"isLocked": True} if self.locked else {})}
        for plane in content.planes():
            place = {"c": -1, "z": 0, "t": 0} | content.frame.place(plane.lead)
            on = {"plane": place} if place["z"] or place["t"] else {}
            for identity, parts in plane.outlines().polygons():
                fact = plane.fact(identity)
                properties = fixed | {"name": str(identity)}
                if fact.label_class:
                    properties["classification"] = {"name": fact.label_class, "color": colours[fact.label_class]}
                if fact.values:
                    properties["measurements"] = dict(fact.values)
                geometry = {**_geometry(parts), **on}
                yield json.dumps(
                    {"type": "Feature", "geometry": geometry, "properties": properties},
                    separators=(",", ":"), ensure_ascii=False, allow_nan=False,
                )  # fmt: skip


def _geometry(parts: Sequence[Sequence[NDArray[np.int32]]]) -> dict[str, Any]:
    polygons = [[[*ring.tolist(), ring[0].tolist()] for ring in part] for part in parts]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _all_features(content: Any) -> Iterator[dict[str, Any]]:
    """Yield the features of a collection, a list or a single one, and those within them."""
    if isinstance(content, dict) and content.get("type") == "FeatureCollection":
        content = content["features"]
    for each in content if isinstance(content, list) else [content]:
        if each["type"] != "Feature":
            raise ValueError(each["type"])
        yield each
        properties = each.get("properties") or {}
        yield from _all_features(properties.get("childObjects") or [])


def _kind(feature: dict[str, Any]) -> str:
    properties = feature.get("properties") or {}
    said = properties.get("objectType") or properties.get("object_type") or _LEGACY.get(str(feature.get("id")))
    return str(said or "annotation")


def _place(plane: dict[str, Any], frame: Frame) -> dict[str, int | None]:
    """Return the plane along each axis, from 0: QuPath leaves out the first one."""
    return {axis: int(plane.get(axis, 0)) for axis in ("t", "z") if axis.upper() in frame.axes or plane.get(axis, 0)}


def _class_of(said: Any) -> str:
    """Return a class that QuPath wrote as a name, a list of names, or a text."""
    if not isinstance(said, dict):
        return str(said or "")
    names = said.get("names")
    return ": ".join(map(str, names)) if names else str(said.get("name") or "")


def _measurements(said: Any) -> Iterator[tuple[str, object]]:
    """Yield names and values of measurements, a mapping (0.4 and later) or a list of pairs."""
    if isinstance(said, dict):
        yield from said.items()
        return
    for each in said:
        yield str(each["name"]), each["value"]


def _rings(geometry: dict[str, Any], name: str) -> list[NDArray[np.float64]]:
    if geometry["type"] == "GeometryCollection":
        areas = [each for each in geometry["geometries"] if each["type"] in _AREAS]
        return [ring for each in areas for ring in _rings(each, name)]
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    rings = [np.array([point[:2] for point in ring], np.float64) for polygon in polygons for ring in polygon]
    if geometry.get("isEllipse") and len(rings) == 1:
        corners = np.array([rings[0].min(axis=0), rings[0].max(axis=0)])
        return list(area_rings(Roi(name, "area", (corners,), ellipse=True)))
    return rings
