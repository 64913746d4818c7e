"""Where the data of TIFF pages lies, gathered from their headers and checked against the file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.errors import DamagedFile
from cellmetry.io.readers.tiff_probe import check_extent, check_page, check_ratio, dtype_of, keyframe_of, missing_share
from cellmetry.io.readers.tiff_store import PlaneTable, RawLevel, SegmentLevel, TiffStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from tifffile import TiffFrame, TiffPage

__all__ = ["PageAt", "Stored", "contiguous_store", "store_pages"]

_JPEG = {6, 7, 34892, 33007}


class PageAt(NamedTuple):
    """A page and the file it is in."""

    path: str
    page: TiffPage | TiffFrame


class Stored(NamedTuple):
    """A store, and what is doubtful about it."""

    store: TiffStore
    warnings: tuple[str, ...]


def store_pages(pages: Sequence[Sequence[PageAt | None]], lead: tuple[int, ...], name: str) -> Stored:
    """Return a store over pages of one kind.

    Parameters
    ----------
    pages
        For each resolution level the pages of all planes in C order of `lead`; None where a plane is absent.
    lead
        Sizes of the axes along which pages follow each other.
    """
    present = [at for at in pages[0] if at is not None]
    keyframe = keyframe_of(present[0].page)
    notes = [*check_page(keyframe, name)]
    paths = tuple(dict.fromkeys(at.path for at in present))
    table = PlaneTable(
        np.array([paths.index(at.path) if at else 0 for at in pages[0]], np.int32),
        np.array([_number(at.page) if at else -1 for at in pages[0]], np.int32),
    )
    levels = []
    for number, of_level in enumerate(pages):
        level, missing = _level(of_level, name)
        levels.append(level)
        notes += missing if number == 0 else ()
    store = TiffStore(paths, table, lead=lead, frame=keyframe.axes, levels=tuple(levels))
    return Stored(store, tuple(notes))


def contiguous_store(at: PageAt, offset: int, lead: tuple[int, ...], name: str) -> Stored:
    """Return a store over planes that follow each other uncompressed from `offset`, as ImageJ writes them."""
    page = keyframe_of(at.page)
    notes = check_page(page, name)
    n_planes = int(np.prod(lead, dtype=np.int64))
    offsets = offset + np.arange(n_planes, dtype=np.int64) * page.nbytes
    size = Path(at.path).stat().st_size
    if offset + n_planes * page.nbytes > size:
        raise DamagedFile(
            f"{name} ends early: its {n_planes} planes need {offset + n_planes * page.nbytes:,} bytes and the file "
            f"has {size:,}; copy it again from the microscope."
        )
    level = RawLevel(offsets, page.shape, dtype_of(page).newbyteorder(page.parent.byteorder))
    table = PlaneTable(np.zeros(n_planes, np.int32), np.arange(n_planes, dtype=np.int32))
    return Stored(TiffStore((at.path,), table, lead=lead, frame=page.axes, levels=(level,)), notes)


def _number(page: TiffPage | TiffFrame) -> int:
    index = page.index
    return int(index if isinstance(index, int) else index[-1])


def _level(pages: Sequence[PageAt | None], name: str) -> tuple[RawLevel | SegmentLevel, tuple[str, ...]]:
    present = [at for at in pages if at is not None]
    keyframe = keyframe_of(present[0].page)
    if all(at.page.is_final for at in present) and _is_plain(keyframe):
        return _raw_level(pages, keyframe, name), ()
    return _segment_level(pages, present[0], name)


def _is_plain(page: TiffPage) -> bool:
    return bool(page.compression == 1 and page.dtype is not None and page.bitspersample == page.dtype.itemsize * 8)


def _raw_level(pages: Sequence[PageAt | None], keyframe: TiffPage, name: str) -> RawLevel:
    offsets = np.array([at.page.dataoffsets[0] if at else 0 for at in pages], np.int64)
    for path in {at.path for at in pages if at}:
        here = np.array([at is not None and at.path == path for at in pages])
        check_extent(offsets[here], np.full(here.sum(), keyframe.nbytes), Path(path).stat().st_size, name)
    return RawLevel(offsets, keyframe.shape, dtype_of(keyframe).newbyteorder(keyframe.parent.byteorder))


def _segment_level(pages: Sequence[PageAt | None], first: PageAt, name: str) -> tuple[SegmentLevel, tuple[str, ...]]:
    page = keyframe_of(first.page)
    shape = (page.shaped[0], *page.shaped[2:])
    tile = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    tile = (min(tile[0], page.imagelength) if not page.is_tiled else tile[0], tile[1])
    n_segments = shape[0] * -(-shape[1] // tile[0]) * -(-shape[2] // tile[1])
    offsets, counts = np.zeros((2, len(pages), n_segments), np.int64)
    for plane, at in enumerate(pages):
        if at is not None:
            offsets[plane] = _fitted(at.page.dataoffsets, n_segments, name)
            counts[plane] = _fitted(at.page.databytecounts, n_segments, name)
    here = np.array([at is not None for at in pages])
    for path in {at.path for at in pages if at}:
        mine = np.array([at is not None and at.path == path for at in pages])
        check_extent(offsets[mine].ravel(), counts[mine].ravel(), Path(path).stat().st_size, name)
    check_ratio(page.nbytes * int(here.sum()), int(counts.sum()), name)
    missing = missing_share(offsets[here], counts[here], name)
    return SegmentLevel(offsets, counts, shape, tile, dtype_of(page), _tag_places(pages, page)), missing


def _tag_places(pages: Sequence[PageAt | None], keyframe: TiffPage) -> NDArray[np.int64]:
    """Return where the tags stand that decode each plane: its own for JPEG, whose tables may differ; else shared."""
    own = int(keyframe.compression) in _JPEG
    first: dict[str, int] = {}
    for at in pages:
        if at is not None:
            first.setdefault(at.path, at.page.offset)
    return np.array([(at.page.offset if own else first[at.path]) if at else 0 for at in pages], np.int64)


def _fitted(values: Sequence[int], n_segments: int, name: str) -> Sequence[int]:
    if len(values) < n_segments:
        raise DamagedFile(f"{name} lists {len(values)} strips or tiles for a page that needs {n_segments}.")
    return values[:n_segments]
