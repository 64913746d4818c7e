"""TIFF in all its forms, by tifffile's reading of headers and codecs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from tifffile import TiffFile

from cellmetry.errors import DamagedFile
from cellmetry.io.failures import file_name
from cellmetry.io.reader import StoredScene
from cellmetry.io.readers.ome_tiff import ome_scenes
from cellmetry.io.readers.ome_xml import claims_ome, parse_ome
from cellmetry.io.readers.tiff_levels import PageAt, Stored, contiguous_store, store_pages
from cellmetry.io.readers.tiff_metadata import describe_series
from cellmetry.io.readers.tiff_probe import check_chain, check_pages
from cellmetry.io.readers.tiff_values import true_values
from cellmetry.io.signatures import SIGNATURES

if TYPE_CHECKING:
    from tifffile import TiffPageSeries

    from cellmetry.io.readers.ome_xml import OmeDocument
    from cellmetry.io.signatures import Probe

__all__ = ["TiffReader"]


class TiffReader:
    """OME-TIFF, ImageJ, LSM, STK, BigTIFF, tiled and pyramidal slides, and plain TIFF."""

    title: ClassVar[str] = "TIFF"

    @staticmethod
    def sniff(probe: Probe) -> bool:
        """Return whether the file begins as TIFF or BigTIFF do."""
        return SIGNATURES["tiff"](probe)

    @staticmethod
    def scenes(path: str) -> list[StoredScene]:
        """Return one scene per OME image, or per series of like pages."""
        name = file_name(path)
        with TiffFile(path, is_ome=False) as tif:
            check_pages(tif, name)
            check_chain(tif, name)
            notes: tuple[str, ...] = ()
            description = tif.pages.first.description
            if claims_ome(description):
                document, notes = _document(path, *parse_ome(description, name))
                found = ome_scenes(tif, path, document) if document else None
                if found:
                    return [replace(scene, warnings=(*notes, *scene.warnings)) for scene in found]
            return _plain_scenes(tif, path, notes)


def _document(
    path: str, document: OmeDocument | None, notes: tuple[str, ...]
) -> tuple[OmeDocument | None, tuple[str, ...]]:
    """Return the document, from the companion file beside the TIFF where the TIFF says that it lies there."""
    if document is None or document.companion is None:
        return document, notes
    place = Path(path).parent / Path(document.companion).name
    if not place.is_file() or place.name != document.companion:
        return None, (*notes, f"{file_name(path)} has its metadata in {document.companion!r}, which is not beside it.")
    return parse_ome(place.read_text(encoding="utf-8"), place.name)


def _plain_scenes(tif: TiffFile, path: str, notes: tuple[str, ...]) -> list[StoredScene]:
    """Return one scene per series of like pages, thumbnails left out."""
    name = file_name(path)
    if not tif.series:
        raise DamagedFile(f"{name} has no page with pixels in it.")
    series = [one for number, one in enumerate(tif.series) if number == 0 or not one.keyframe.is_reduced]
    scenes = []
    for one in series:
        if 0 in one.shape or one.size == 0:
            raise DamagedFile(f"{name} has a page of {' × '.join(map(str, one.shape))} pixels.")
        stored = _store(one, path, name)
        description = describe_series(tif, one)
        values = true_values(stored.store, one.keyframe, name)
        axes = one.axes + ("S" if values.expanded else "")
        scenes.append(
            StoredScene(
                values.store,
                axes,
                name=one.name if len(series) > 1 else "",
                channels=description.channels,
                pixel_size=description.pixel_size,
                bit_depth=description.bit_depth,
                samples="rgb" if values.expanded or int(one.keyframe.photometric) in {2, 6} else "channels",
                metadata=description.metadata,
                warnings=(*notes, *stored.warnings, *values.warnings),
            )
        )
    return scenes


def _store(series: TiffPageSeries, path: str, name: str) -> Stored:
    page = series.keyframe
    n_lead = series.ndim - page.ndim
    if n_lead < 0 or tuple(series.shape[n_lead:]) != page.shape:
        raise DamagedFile(f"{name} announces {series.shape} pixels, but its pages are {page.shape}.")
    lead = tuple(int(size) for size in series.shape[:n_lead])
    if series.dataoffset is not None and page.is_final and len(lead) > 0:
        return contiguous_store(PageAt(path, page), series.dataoffset, lead, name)
    levels = [_pages(level, path) for level in series.levels]
    if len(levels[0]) != int(np.prod(lead, dtype=np.int64)):
        raise DamagedFile(f"{name} has {len(levels[0])} pages where {series.shape} pixels are announced.")
    complete = [level for level in levels if len(level) == len(levels[0])]
    return store_pages(complete, lead, name)


def _pages(series: TiffPageSeries, path: str) -> list[PageAt | None]:
    return [None if page is None else PageAt(path, page) for page in series.pages]
