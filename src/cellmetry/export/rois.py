"""ImageJ's outlines: ``.roi`` files and the zips that its ROI manager saves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import roifile
from roifile import ROI_COLOR_NONE, ROI_OPTIONS, ROI_SUBTYPE, ROI_TYPE

from cellmetry.errors import DamagedFile, MissingInput, UnsupportedFormat
from cellmetry.export.polygons import fill_polygon, trace_polygons
from cellmetry.export.roi_archive import stored_rois
from cellmetry.export.roi_paths import path_rings
from cellmetry.export.roi_properties import parse_properties
from cellmetry.io.failures import library_words, reading
from cellmetry.ops.instances import Instance, instance_from_mask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Roi", "area_rings", "read_rois", "roi_instance"]

_LINES = {ROI_TYPE.LINE, ROI_TYPE.FREELINE, ROI_TYPE.POLYLINE, ROI_TYPE.ANGLE}
_FLAT = {ROI_TYPE.RECT, ROI_TYPE.OVAL}
_LARGEST_OVAL = 1 << 15
_SHIFT = np.array([1e-8, 0])
"""By this many pixels ImageJ's ``PolygonFiller`` moves edges, so that a pixel whose centre lies exactly on an edge
belongs to what is on the left of it."""


@dataclass(frozen=True)
class Roi:
    """One outline of ImageJ.

    Parameters
    ----------
    name
        As in the ROI manager.
    kind
        ``area``, ``points`` or ``line``; only the first covers pixels.
    rings
        Outlines (n, 2) as x, y with (0, 0) the outer corner of the first pixel; a ring within a ring is a hole. Of an
        ellipse one ring of its two corners.
    ellipse
        Whether the area is the ellipse in the rectangle of those corners.
    position
        Plane of the stack, from 1; 0 for none.
    z, t
        Plane and frame of the hyperstack, from 1; 0 for none.
    group
        Group of the ROI manager; 0 for none.
    colour
        Of the outline, ``#rrggbb``; empty for none.
    properties
        Texts by name, as ImageJ keeps them with a ROI.
    """

    name: str
    kind: Literal["area", "points", "line"]
    rings: tuple[NDArray[np.float64], ...]
    ellipse: bool = False
    position: int = 0
    z: int = 0
    t: int = 0
    group: int = 0
    colour: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


def read_rois(path: str | Path) -> list[Roi]:
    """Return the outlines in a ``.roi`` file, a zip of them, or a folder of ``.roi`` files, in the order stored.

    Nothing is unpacked to the disk.

    Raises
    ------
    MissingInput, DamagedFile, UnsupportedFormat, LimitExceeded
        If the file is missing, broken, hostile, or holds a shape that has no plain outline; names the entry.
    """
    path = Path(path)
    if not path.exists():
        raise MissingInput(f"{path} does not exist; give a .roi file, or a zip that ImageJ's ROI manager saved.")
    rois = []
    with library_words() as said:
        for each in stored_rois(path):
            where = f"{each.where} of {path.name}" if each.where else path.name
            rois.append(_roi(each.data, where, each.stem))
            if said:
                raise DamagedFile(f"{where} is damaged: {said[0]}.")
    return rois


def area_rings(roi: Roi) -> tuple[NDArray[np.float64], ...]:
    """Return rings that take the pixels which ImageJ takes; of an ellipse along the sides of its pixels."""
    if not roi.ellipse:
        return tuple(ring + _SHIFT for ring in roi.rings)
    low, high = roi.rings[0]
    first = np.floor(low)
    size = np.ceil(high) - first
    if size.max() > _LARGEST_OVAL:
        raise UnsupportedFormat(f"the oval {roi.name} is {size.max():.0f} pixels wide or high, too large to be a cell.")
    moved = _ellipse(roi.rings[0] - first, (int(size[1]), int(size[0])))
    return tuple(ring + first for ring in trace_polygons(moved))


def roi_instance(roi: Roi, shape: tuple[int, int]) -> Instance:
    """Return the pixels of an area, those whose centre lies inside, in an image of `shape` (Y, X)."""
    if roi.kind != "area":
        raise UnsupportedFormat(f"the ROI {roi.name} is made of {roi.kind}, not an area.")
    return _ellipse(roi.rings[0], shape) if roi.ellipse else fill_polygon(area_rings(roi), shape)


def _roi(data: bytes, where: str, stem: str) -> Roi:
    with reading(where):
        read = roifile.ImagejRoi.frombytes(data)
        kind, rings, ellipse = _shape(read, where)
        return Roi(
            read.name or stem,
            kind,
            rings,
            ellipse,
            position=max(read.position, 0),
            z=max(read.z_position, 0),
            t=max(read.t_position, 0),
            group=read.group,
            colour=(read.hexcolor(read.stroke_color) or "") if read.stroke_color != ROI_COLOR_NONE else "",
            properties=parse_properties(read.props),
        )


def _shape(
    read: roifile.ImagejRoi, where: str
) -> tuple[Literal["area", "points", "line"], tuple[NDArray[np.float64], ...], bool]:
    if read.roitype in _LINES:
        return "line", _rings(read), False
    if read.roitype == ROI_TYPE.POINT:
        return "points", _rings(read), False
    _refuse_vague(read, where)
    if read.roitype == ROI_TYPE.OVAL:
        return "area", (_corners(read)[[0, 2]],), True
    boxed = read.roitype == ROI_TYPE.RECT and not read.composite
    return "area", (_corners(read),) if boxed else _rings(read), False


def _refuse_vague(read: roifile.ImagejRoi, where: str) -> None:
    rounded = read.roitype == ROI_TYPE.RECT and read.rounded_rect_arc_size > 0
    if rounded or read.options & ROI_OPTIONS.SPLINE_FIT:
        what = "a rectangle with round corners" if rounded else "a curve through few points"
        raise UnsupportedFormat(f"{where} is {what}; in Fiji make it a polygon by Edit > Selection > Interpolate.")
    if read.subtype in {ROI_SUBTYPE.TEXT, ROI_SUBTYPE.IMAGE, ROI_SUBTYPE.ARROW}:
        raise UnsupportedFormat(f"{where} is a {read.subtype.name.lower()}, not the outline of an object.")
    boxed = not read.composite and (read.roitype in _FLAT or not read.subpixelresolution)
    negative = read.right < read.left or read.bottom < read.top or min(read.widthd, read.heightd) < 0
    if read.shape_roi_size < 0 or (boxed and negative):
        raise DamagedFile(f"{where} is damaged: its width, height or length is negative.")


def _rings(read: roifile.ImagejRoi) -> tuple[NDArray[np.float64], ...]:
    if read.multi_coordinates is not None:
        return path_rings(read.multi_coordinates)
    return tuple(np.asarray(ring, np.float64) for ring in read.coordinates(multi=True))


def _corners(read: roifile.ImagejRoi) -> NDArray[np.float64]:
    """Return the corners of the rectangle around a ROI, clockwise from the upper left."""
    if read.subpixelrect:
        x0, y0, x1, y1 = read.xd, read.yd, read.xd + read.widthd, read.yd + read.heightd
    else:
        x0, y0, x1, y1 = read.left, read.top, read.right, read.bottom
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float64)


def _ellipse(corners: NDArray[np.float64], shape: tuple[int, int]) -> Instance:
    (x0, y0), (x1, y1) = corners
    first_y, first_x = max(0, int(np.floor(y0))), max(0, int(np.floor(x0)))
    rows = np.arange(first_y, min(shape[0], int(np.ceil(y1)))) + 0.5
    columns = np.arange(first_x, min(shape[1], int(np.ceil(x1)))) + 0.5
    if not rows.size or not columns.size:
        return Instance(0, 0, np.zeros((0, 0), bool))
    down = (rows - (y0 + y1) / 2) / ((y1 - y0) / 2)
    across = (columns - (x0 + x1) / 2) / ((x1 - x0) / 2)
    return instance_from_mask(down[:, None] ** 2 + across**2 <= 1, first_y, first_x)
