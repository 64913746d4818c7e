"""Zeiss CZI: scenes, mosaics put together by the position of their tiles, regions read tile by tile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cellmetry.errors import DamagedFile
from cellmetry.io.failures import file_name, reading
from cellmetry.io.reader import StoredScene
from cellmetry.io.readers.czi_file import Block, read_block, read_czi
from cellmetry.io.readers.czi_metadata import describe_czi, parse_czi
from cellmetry.io.signatures import SIGNATURES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

    from cellmetry.io.reader import Index
    from cellmetry.io.signatures import Probe

__all__ = ["CziReader"]

_LEAD = "TCZ"
_SCENE_AXES = "SVHIRB"


class CziReader:
    """CZI files of ZEN."""

    title: ClassVar[str] = "a Zeiss CZI file"

    @staticmethod
    def sniff(probe: Probe) -> bool:
        """Return whether the file begins with a ZISRAW header."""
        return SIGNATURES["czi"](probe)

    @staticmethod
    def scenes(path: str) -> list[StoredScene]:
        """Return one scene per CZI scene, and per view, phase, illumination and rotation where there are several."""
        name = file_name(path)
        file = read_czi(path)
        full = [block for block in file.blocks if block.full]
        if not full:
            raise DamagedFile(f"{name} has no block of pixels of full resolution.")
        groups: dict[tuple[int, ...], list[Block]] = {}
        for block in full:
            groups.setdefault(tuple(block.start.get(axis, 0) for axis in _SCENE_AXES), []).append(block)
        root, notes = parse_czi(file.xml, name)
        scenes = [_scene(path, key, groups[key], root) for key in sorted(groups)]
        return [replace(scene, warnings=(*notes, *scene.warnings)) for scene in scenes]


def _scene(path: str, key: tuple[int, ...], blocks: list[Block], root: Element | None) -> StoredScene:
    name = file_name(path)
    store = _CziStore(path, blocks)
    description = describe_czi(root, sorted({block.start.get("C", 0) for block in blocks}))
    notes = [*store.coverage(name)]
    if any(block.lossy for block in blocks):
        notes.append(f"{name} is JPEG-compressed (lossy); intensities are approximate.")
    text = ", ".join(f"{axis}{value}" for axis, value in zip(_SCENE_AXES, key, strict=True) if value)
    return StoredScene(
        store,
        "TCZYX" + ("S" if store.samples > 1 else ""),
        name=text or "S0",
        channels=description.channels,
        pixel_size=description.pixel_size,
        bit_depth=description.bit_depth,
        acquired=description.acquired,
        metadata=description.metadata,
        warnings=tuple(notes),
    )


class _CziStore:
    """An `ArrayStore` over blocks placed in one plane each; later tiles of a mosaic lie over earlier ones."""

    def __init__(self, path: str, blocks: Sequence[Block]) -> None:
        self.path = path
        self.dtype: np.dtype[Any] = blocks[0].dtype
        self.samples = blocks[0].samples
        if any(block.dtype != self.dtype or block.samples != self.samples for block in blocks):
            raise DamagedFile(f"{file_name(path)} mixes channels of different pixel types, which cannot be one image.")
        self.values = {axis: sorted({block.start.get(axis, 0) for block in blocks}) for axis in _LEAD}
        self.y0, self.x0 = min(b.start["Y"] for b in blocks), min(b.start["X"] for b in blocks)
        height = max(block.start["Y"] + block.height for block in blocks) - self.y0
        width = max(block.start["X"] + block.width for block in blocks) - self.x0
        lead = tuple(len(self.values[axis]) for axis in _LEAD)
        self.shape: tuple[int, ...] = (*lead, height, width, *((self.samples,) if self.samples > 1 else ()))
        self.level_sizes = ((height, width),)
        self.planes: dict[tuple[int, ...], list[Block]] = {}
        for block in sorted(blocks, key=lambda block: block.start.get("M", 0)):
            place = tuple(self.values[axis].index(block.start.get(axis, 0)) for axis in _LEAD)
            self.planes.setdefault(place, []).append(block)

    def coverage(self, name: str) -> tuple[str, ...]:
        """Return warnings about planes without blocks and pixels that no tile of the first plane covers."""
        notes = []
        n_planes = int(np.prod(self.shape[:3]))
        if len(self.planes) < n_planes:
            notes.append(f"{name} lacks {n_planes - len(self.planes)} of its {n_planes} planes; reading them fails.")
        share = _uncovered(next(iter(self.planes.values())))
        if share > 0:
            notes.append(f"{name} is a mosaic whose tiles leave {share:.1%} of the rectangle empty; it reads as 0.")
        return tuple(notes)

    def read(self, index: Index, level: int = 0) -> NDArray[Any]:
        """Return a region of one plane, decoding only the tiles that it touches."""
        place, (rows, columns) = index[:3], index[3:5]
        name = file_name(self.path)
        if place not in self.planes:
            raise DamagedFile(f"{name} lacks the plane at t, c, z = {place}.")
        if not isinstance(rows, slice) or not isinstance(columns, slice):
            raise TypeError("rows and columns are read as slices")
        out = np.zeros((rows.stop - rows.start, columns.stop - columns.start, self.samples), self.dtype)
        with reading(self.path), open(self.path, "rb") as file:
            for block in self.planes[place]:  # type: ignore[index]
                y, x = block.start["Y"] - self.y0, block.start["X"] - self.x0
                y0, y1 = max(y, rows.start), min(y + block.height, rows.stop)
                x0, x1 = max(x, columns.start), min(x + block.width, columns.stop)
                if y0 < y1 and x0 < x1:
                    with reading(self.path, f"the tile at byte {block.position:,}"):
                        pixels = read_block(file, block, name)
                    part = pixels[y0 - y : y1 - y, x0 - x : x1 - x]
                    out[y0 - rows.start : y1 - rows.start, x0 - columns.start : x1 - columns.start] = part
        picked: NDArray[Any] = out[..., index[5]] if self.samples > 1 else out[..., 0]
        return picked


def _uncovered(blocks: Sequence[Block]) -> float:
    """Return the share of the bounding rectangle that no block covers, by a grid of all their edges."""
    ys = sorted({y for b in blocks for y in (b.start["Y"], b.start["Y"] + b.height)})
    xs = sorted({x for b in blocks for x in (b.start["X"], b.start["X"] + b.width)})
    covered = np.zeros((len(ys) - 1, len(xs) - 1), bool)
    for b in blocks:
        y, x = b.start["Y"], b.start["X"]
        covered[ys.index(y) : ys.index(y + b.height), xs.index(x) : xs.index(x + b.width)] = True
    areas = np.outer(np.diff(ys), np.diff(xs))
    return float(1.0 - areas[covered].sum() / areas.sum())
