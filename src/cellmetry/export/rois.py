"""ImageJ's outlines: ``.roi`` files and the zips that its ROI manager saves."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

import numpy as np
import roifile
from roifile import ROI_OPTIONS, ROI_SUBTYPE, ROI_TYPE

from cellmetry.errors import DamagedFile, LimitExceeded, MissingInput, UnsupportedFormat
from cellmetry.export.polygons import fill_polygon
from cellmetry.io.failures import library_words, reading
from cellmetry.ops.instances import Instance, instance_from_mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Roi", "read_rois", "roi_instance"]

_MOST_ENTRIES = 1_000_000
_MOST_BYTES = 64_000_000
_MOST_TOTAL = 2_000_000_000
_OUTSIDE = re.compile(r"(^|/)\.\.(/|$)|^/|^[A-Za-z]:|\\")
_LINES = {ROI_TYPE.LINE, ROI_TYPE.FREELINE, ROI_TYPE.POLYLINE, ROI_TYPE.ANGLE}


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
    """

    name: str
    kind: Literal["area", "points", "line"]
    rings: tuple[NDArray[np.float64], ...]
    ellipse: bool = False
    position: int = 0


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
    return [_roi(data, f"{where} of {path.name}" if where else path.name, stem) for where, stem, data in _stored(path)]


def roi_instance(roi: Roi, shape: tuple[int, int]) -> Instance:
    """Return the pixels of an area, those whose centre lies inside, in an image of `shape` (Y, X)."""
    if roi.kind != "area":
        raise UnsupportedFormat(f"the ROI {roi.name} is made of {roi.kind}, not an area.")
    return _ellipse(roi.rings[0], shape) if roi.ellipse else fill_polygon(roi.rings, shape)


def _stored(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield where each ROI stands in its file, its stem and its bytes."""
    if path.is_dir():
        for each in sorted(path.glob("*.roi")):
            yield each.name, each.stem, _bytes(each)
        return
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"Iout":
        yield "", path.stem, _bytes(path)
    elif start[:2] == b"PK":
        yield from _zipped(path)
    else:
        raise UnsupportedFormat(f"{path.name} is neither a .roi file nor a zip of them (it begins with {start!r}).")


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > _MOST_BYTES:
        raise LimitExceeded(f"{path} has {path.stat().st_size:,} bytes, far more than an outline needs.")
    return path.read_bytes()


def _zipped(path: Path) -> Iterator[tuple[str, str, bytes]]:
    try:
        with reading(str(path)), zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _refuse_hostile(entries, path)
            for entry in entries:
                if entry.filename.startswith("__MACOSX/") or not entry.filename.lower().endswith(".roi"):
                    continue
                yield entry.filename, PurePosixPath(entry.filename).stem, archive.read(entry)
    except zipfile.BadZipFile as error:
        raise DamagedFile(f"{path.name} is a damaged zip: {error}.") from error


def _refuse_hostile(entries: list[zipfile.ZipInfo], path: Path) -> None:
    total = sum(entry.file_size for entry in entries)
    if len(entries) > _MOST_ENTRIES or total > _MOST_TOTAL or any(e.file_size > _MOST_BYTES for e in entries):
        raise LimitExceeded(f"{path.name} unpacks to {len(entries):,} files of {total:,} bytes, which are no outlines.")
    for entry in entries:
        if _OUTSIDE.search(entry.filename) or entry.external_attr >> 16 & 0o170000 == 0o120000:
            raise DamagedFile(f"{path.name} holds {entry.filename!r}, which points outside of it; it was not opened.")
        if entry.filename.lower().endswith(".zip"):
            raise DamagedFile(f"{path.name} holds another zip, {entry.filename!r}; unpack it and import it by itself.")


def _roi(data: bytes, where: str, stem: str) -> Roi:
    with reading(where), library_words():
        read = roifile.ImagejRoi.frombytes(data)
        name = read.name or stem
        position = max(read.t_position, read.z_position, read.position, 0)
        if read.roitype in _LINES:
            return Roi(name, "line", _rings(read), position=position)
        if read.roitype == ROI_TYPE.POINT:
            return Roi(name, "points", _rings(read), position=position)
        _refuse_vague(read, where)
        if read.roitype == ROI_TYPE.OVAL:
            return Roi(name, "area", (_corners(read)[[0, 2]],), ellipse=True, position=position)
        boxed = read.roitype == ROI_TYPE.RECT and not read.composite
        return Roi(name, "area", (_corners(read),) if boxed else _rings(read), position=position)


def _refuse_vague(read: roifile.ImagejRoi, where: str) -> None:
    rounded = read.roitype == ROI_TYPE.RECT and read.rounded_rect_arc_size > 0
    if rounded or read.options & ROI_OPTIONS.SPLINE_FIT:
        what = "a rectangle with round corners" if rounded else "a curve through few points"
        raise UnsupportedFormat(f"{where} is {what}; in Fiji make it a polygon by Edit > Selection > Interpolate.")
    if read.subtype in {ROI_SUBTYPE.TEXT, ROI_SUBTYPE.IMAGE, ROI_SUBTYPE.ARROW}:
        raise UnsupportedFormat(f"{where} is a {read.subtype.name.lower()}, not the outline of an object.")
    if read.right < read.left or read.bottom < read.top:
        raise DamagedFile(f"{where} is damaged: its width or height is negative.")


def _rings(read: roifile.ImagejRoi) -> tuple[NDArray[np.float64], ...]:
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
