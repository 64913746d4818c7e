"""OME-TIFF: which page of which file is which plane. Files outside the image's own folder are refused."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tifffile import TiffFile

from cellmetry.core.image import Channel
from cellmetry.errors import DamagedFile, InputError
from cellmetry.io.failures import file_name
from cellmetry.io.reader import StoredScene
from cellmetry.io.readers.tiff_levels import PageAt, store_pages
from cellmetry.io.readers.tiff_values import true_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.io.readers.ome_xml import OmeDocument, OmeImage, OmePlanes

__all__ = ["ome_scenes"]


def ome_scenes(tif: TiffFile, path: str, document: OmeDocument) -> list[StoredScene]:
    """Return one scene per image of the document that has planes in this file.

    Where the document contradicts the pages, pixels win and a warning says so. An image spread over several files
    lists them in its metadata as ``files``.

    Raises
    ------
    InputError
        If the document refers to a file outside the folder of `path`.
    """
    with ExitStack() as opened:
        files = _Files(tif, path, document, opened)
        mine = [image for image in document.images if files.own(image)] or list(document.images)
        files.missing.clear()
        scenes = [_scene(image, files, alone=len(document.images) == 1) for image in mine]
    return [scene for scene in scenes if scene is not None]


class _Files:
    """The TIFF files that a document refers to, each opened once and closed by the caller's stack."""

    def __init__(self, tif: TiffFile, path: str, document: OmeDocument, opened: ExitStack) -> None:
        self.path, self.uuid, self.opened = path, document.uuid, opened
        self.tifs: dict[str, TiffFile] = {path: tif}
        self.missing: set[str] = set()
        named = {run.file for image in document.images for run in image.planes if run.file}
        self.renamed = len(named) == 1 and not (Path(path).parent / next(iter(named))).exists()

    def locate(self, run: OmePlanes) -> str | None:
        """Return the path of the file of a run of planes; None if it is not there."""
        if run.file is None or self.renamed or run.file == Path(self.path).name:
            return self.path
        place = Path(self.path).parent / run.file
        allowed = {Path(self.path).parent.resolve(), Path(self.path).resolve().parent}
        if not any(place.resolve().is_relative_to(folder) for folder in allowed):
            raise InputError(
                f"{file_name(self.path)} refers to {run.file!r} outside its own folder; it is refused, because pixels "
                f"of another place would be taken for its own."
            )
        if place.is_file():
            return str(place)
        if run.uuid and run.uuid == self.uuid:
            return self.path
        self.missing.add(run.file)
        return None

    def own(self, image: OmeImage) -> bool:
        """Return whether some planes of an image lie in the file that was opened."""
        return any(self.locate(run) == self.path for run in image.planes) or not image.planes

    def page(self, path: str, number: int) -> PageAt | None:
        """Return a page; None if the file has fewer."""
        if path not in self.tifs:
            self.tifs[path] = self.opened.enter_context(TiffFile(path, is_ome=False))
        pages = self.tifs[path].pages
        return PageAt(path, pages[number]) if number < len(pages) else None


@dataclass
class _Table:
    """Pages of an image along T, C and Z: an object array of `PageAt` or None, and whose absence is a file's."""

    pages: NDArray[np.object_]
    announced: NDArray[np.bool_]


def _scene(image: OmeImage, files: _Files, *, alone: bool) -> StoredScene | None:
    name = file_name(files.path)
    table = _mapped(image, files)
    axes, pages, notes = _reconciled(image, table, files, alone=alone)
    channels, pages, absent = _without_absent(image.channels, axes, pages, name)
    if files.missing:
        notes += (f"{name} refers to files that are not there: {', '.join(sorted(files.missing))}.",)
    flat = list(pages.ravel())
    if not any(at is not None for at in flat):
        return None
    keyframe = next(at for at in flat if at is not None).page
    same = [at if at is None or at.page.hash == keyframe.hash else None for at in flat]
    stored = store_pages([same, *_smaller(same)], tuple(pages.shape), name)
    values = true_values(stored.store, keyframe, name)
    spread = sorted({file_name(at.path) for at in same if at is not None})
    size_note = _size_note(image, keyframe.imagelength, keyframe.imagewidth, name)
    return StoredScene(
        values.store,
        axes + keyframe.axes + ("S" if values.expanded else ""),
        name=image.name,
        channels=channels,
        pixel_size=image.pixel_size,
        bit_depth=image.bit_depth or int(keyframe.bitspersample),
        samples="rgb" if values.expanded or int(keyframe.photometric) in {2, 6} else "channels",
        acquired=image.acquired,
        metadata={**image.metadata, "files": spread} if len(spread) > 1 else image.metadata,
        warnings=(*notes, *absent, *size_note, *stored.warnings, *values.warnings),
    )


def _mapped(image: OmeImage, files: _Files) -> _Table:
    """Return the page of each plane, following the document's runs of pages in its order of dimensions."""
    n_t, n_z, n_c = image.sizes["T"], image.sizes["Z"], max(image.sizes["C"] // image.samples, 1)
    table = _Table(np.full((n_t, n_c, n_z), None, object), np.zeros((n_t, n_c, n_z), bool))
    for run in image.planes:
        path = files.locate(run)
        for number, place in enumerate(islice(_places(image.order, (n_t, n_c, n_z), run.first), run.n_planes)):
            at = None if path is None else files.page(path, run.ifd + number)
            if at is None and run.n_planes is None:
                break
            table.announced[place] = path is not None
            table.pages[place] = at
    return table


def _places(order: str, sizes: tuple[int, int, int], first: tuple[int, int, int]) -> Iterator[tuple[int, int, int]]:
    """Yield plane positions (t, c, z) in a document's order of dimensions, from `first` on."""
    size, start = dict(zip("TCZ", sizes, strict=True)), dict(zip("TCZ", first, strict=True))
    slow, middle, fast = order[4], order[3], order[2]
    begun = False
    for a, b, c in product(range(size[slow]), range(size[middle]), range(size[fast])):
        at = {slow: a, middle: b, fast: c}
        begun = begun or at == start
        if begun:
            yield at["T"], at["C"], at["Z"]


def _reconciled(
    image: OmeImage, table: _Table, files: _Files, *, alone: bool
) -> tuple[str, NDArray[np.object_], tuple[str, ...]]:
    """Return axes and pages that agree with the pages that are there; pixels win over the document."""
    lacking = int(sum(at is None for at in table.pages[table.announced])) + _never_named(image, table)
    n_pages = len(files.tifs[files.path].pages)
    single = alone and len(files.tifs) == 1 and not files.missing
    if not single or (lacking == 0 and n_pages <= table.pages.size):
        return "TCZ", table.pages, ()
    keyframe = files.tifs[files.path].pages.first
    every = [files.page(files.path, number) for number in range(n_pages)]
    like = [at for at in every if at is not None and at.page.hash == keyframe.hash]
    if lacking == 0 and len(like) <= table.pages.size:
        return "TCZ", table.pages, ()
    sizes = " × ".join(f"{n} {axis}" for axis, n in zip("TCZ", table.pages.shape, strict=True))
    note = (f"{file_name(files.path)} has OME-XML for {sizes} planes but {len(like)} pages; the pages are believed.",)
    flat = np.full(len(like), None, object)
    flat[:] = [None] * len(like)
    for index, at in enumerate(like):
        flat[index] = at
    long = [axis for axis, n in zip("TCZ", table.pages.shape, strict=True) if n > 1]
    return (long[0] if len(long) == 1 else "Q"), flat, note


def _never_named(image: OmeImage, table: _Table) -> int:
    """Return how many planes no run of pages mentions, where none of the runs' files is missing."""
    return int((~table.announced).sum()) if not any(run.file for run in image.planes) else 0


def _without_absent(
    channels: tuple[Channel, ...], axes: str, pages: NDArray[np.object_], name: str
) -> tuple[tuple[Channel, ...], NDArray[np.object_], tuple[str, ...]]:
    """Return channels and pages without channels that have no page at all, and warnings about what is absent."""
    there: NDArray[np.bool_] = np.array([at is not None for at in pages.ravel()]).reshape(pages.shape)
    notes: list[str] = []
    if axes == "TCZ" and there.any():
        kept = [bool(there[:, channel].any()) for channel in range(there.shape[1])]
        if not all(kept):
            named = [*channels, *(Channel(f"channel{i}") for i in range(len(channels), len(kept)))]
            gone = ", ".join(c.name for c, has in zip(named, kept, strict=False) if not has)
            notes.append(f"{name} lacks all planes of channel {gone}, which is left out.")
            channels = tuple(c for c, has in zip(named, kept, strict=False) if has)
            pages, there = pages[:, np.array(kept)], there[:, np.array(kept)]
    if not there.all():
        notes.append(f"{name} lacks {int((~there).sum())} of its {there.size} planes; reading one of them fails.")
    return channels, pages, tuple(notes)


def _smaller(pages: list[PageAt | None]) -> list[list[PageAt | None]]:
    """Return the pages of each smaller resolution level (SubIFDs) that all planes have."""
    n_levels = min((len(at.page.subifds or ()) for at in pages if at is not None), default=0)
    return [[None if at is None else _sub_page(at, level) for at in pages] for level in range(n_levels)]


def _sub_page(at: PageAt, level: int) -> PageAt:
    if at.page.pages is None:
        raise DamagedFile(f"{file_name(at.path)} has a page whose smaller levels cannot be found.")
    return PageAt(at.path, at.page.pages[level])


def _size_note(image: OmeImage, height: int, width: int, name: str) -> tuple[str, ...]:
    if (image.sizes["Y"], image.sizes["X"]) == (height, width):
        return ()
    stated = f"{image.sizes['Y']} × {image.sizes['X']}"
    return (f"{name} has OME-XML for {stated} pixels but pages of {height} × {width}; the pages are believed.",)
