"""Outlines as ImageJ's ROI files: bytes of one, and zips as its ROI manager saves them.

The form is that of ImageJ's ``ij.io.RoiEncoder``. An object without holes is a *traced* ROI, what ImageJ's own wand
makes: corners of pixels in whole numbers, so that ImageJ measures exactly the pixels of the label. One with holes or
parts, or with more than 65,535 corners, is a composite.

Whole-number coordinates have 16 bits; ImageJ takes them for signed below −5,000. Past 32,767 corners are therefore
written as 32-bit floats too (ImageJ's sub-pixel form), exact up to 16,777,216 pixels; larger images are refused.
"""

from __future__ import annotations

import struct
import zipfile
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.errors import OutputError
from cellmetry.export.filling import LARGEST_COORDINATE
from cellmetry.export.roi_properties import format_properties

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["RoiFacts", "pack_roi", "write_roi_zip"]

_VERSION, _RECT, _TRACED, _SUB_PIXEL = 228, 1, 8, 128
_LARGEST_SHORT, _MOST_POINTS = 32_767, 65_535
_HEADER = struct.Struct(">4shBxHHHHH16xhi4s4shhBBhii")
_HEADER_2 = struct.Struct(">4xiiiii4shBBifiii12x")
_DATE = (1980, 1, 1, 0, 0, 0)


class RoiFacts(NamedTuple):
    """What is said of an outline besides its shape.

    Parameters
    ----------
    name
        As shown in the ROI manager.
    position
        Plane of a stack, from 1; 0 for none.
    z, t
        Plane and frame of a hyperstack, from 1; 0 for none.
    group
        Group of the ROI manager, 1 to 255; 0 for none.
    colour
        Of the outline, ``#rrggbb``; empty for ImageJ's own.
    properties
        Values by name, kept as ImageJ's ROI properties.
    """

    name: str
    position: int = 0
    z: int = 0
    t: int = 0
    group: int = 0
    colour: str = ""
    properties: Mapping[str, object] = {}


def pack_roi(parts: Sequence[Sequence[NDArray[np.int32]]], facts: RoiFacts) -> bytes:
    """Return the bytes of a ``.roi`` file of an object whose parts are rings (n, 2) of corners as x, y, outer first.

    Raises
    ------
    OutputError
        If a coordinate is too large for the format.
    """
    rings = [ring for part in parts for ring in part]
    points = rings[0] if len(rings) == 1 else np.concatenate(rings)
    low, high = points.min(axis=0), points.max(axis=0)
    if high.max() > LARGEST_COORDINATE:
        raise OutputError(
            f"Object {facts.name} lies at pixel {high.max():,}; ImageJ's ROI files know whole pixels up to "
            f"{LARGEST_COORDINATE:,}. Cut the image into pieces, or export to GeoJSON."
        )
    composite = len(rings) > 1 or len(points) > _MOST_POINTS
    far = high.max() > _LARGEST_SHORT
    body = _path(rings) if composite else _corners(points, low, far=bool(far))
    header = _HEADER.pack(
        b"Iout", _VERSION, _RECT if composite else _TRACED,
        *(int(side) & 0xFFFF for side in (low[1], low[0], high[1], high[0])), 0 if composite else len(points),
        0, len(body) // 4 if composite else 0, _argb(facts.colour), bytes(4), 0,
        _SUB_PIXEL if far and not composite else 0, 0, 0, 0, facts.position, _HEADER.size + len(body),
    )  # fmt: skip
    return header + body + _second(facts, _HEADER.size + len(body))


def write_roi_zip(rois: Iterable[tuple[str, bytes]], path: Path) -> int:
    """Return how many ROI files, each with the stem of its entry, were zipped; the same ROIs give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for stem, data in rois:
            archive.writestr(zipfile.ZipInfo(f"{stem}.roi", _DATE), data, zipfile.ZIP_DEFLATED, 1)
        return len(archive.filelist)


def _corners(points: NDArray[np.int32], low: NDArray[np.int32], *, far: bool) -> bytes:
    """Return x then y from the corner of the box, 16 bits each; then, if they lie far out, as 32-bit floats from 0."""
    near = ((points - low) & 0xFFFF).T.astype(">u2").tobytes()
    return near + points.T.astype(">f4").tobytes() if far else near


def _path(rings: Sequence[NDArray[np.int32]]) -> bytes:
    """Return ImageJ's path of several rings: move (0), lines (1) and close (4), in 32-bit floats."""
    lengths = np.array([len(ring) for ring in rings])
    steps = np.empty((int(lengths.sum()), 3), ">f4")
    steps[:, 0], steps[:, 1:] = 1, np.concatenate(rings)
    firsts = np.cumsum(lengths) - lengths
    steps[firsts, 0] = 0
    data = steps.tobytes()
    ends = [*(12 * firsts[1:]).tolist(), len(data)]
    return b"".join(data[first:end] + _CLOSE for first, end in zip((12 * firsts).tolist(), ends, strict=True))


_CLOSE = struct.pack(">f", 4)


def _argb(colour: str) -> bytes:
    return bytes.fromhex(f"ff{colour.removeprefix('#')}") if colour else bytes(4)


def _second(facts: RoiFacts, start: int) -> bytes:
    """Return the second header, which begins at byte `start`, with the name and the properties after it."""
    name, properties = facts.name.encode("utf-16-be"), format_properties(facts.properties).encode("utf-16-be")
    place = start + _HEADER_2.size
    header = _HEADER_2.pack(
        0, facts.z, facts.t, place, len(name) // 2, bytes(4), 0, facts.group, 0, 0, 0.0,
        place + len(name) if properties else 0, len(properties) // 2, 0,
    )  # fmt: skip
    return header + name + properties
