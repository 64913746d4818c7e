"""Checks of a TIFF's headers before anything is decoded: sizes, counts, limits, missing data."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.errors import DamagedFile, LimitExceeded, UnsupportedFormat
from cellmetry.settings import current_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tifffile import TiffFile, TiffFrame, TiffPage

__all__ = [
    "check_chain",
    "check_extent",
    "check_page",
    "check_pages",
    "check_ratio",
    "dtype_of",
    "keyframe_of",
    "missing_share",
]

_TINY = 16
_RATIO_FROM_BYTES = 64_000_000
_REFUSED_COLOURS = {5: "CMYK", 8: "CIE L*a*b*", 9: "ICC L*a*b*", 10: "ITU L*a*b*", 32844: "LogL", 32845: "LogLuv"}
_YCBCR, _JPEG = 6, {6, 7, 34892, 33007, 33003, 33004, 33005, 34712}
_LOSSY = {6: "JPEG", 7: "JPEG", 34892: "JPEG", 33007: "JPEG"}
_MAYBE_LOSSY = {
    **dict.fromkeys((33003, 33004, 33005, 34712), "JPEG 2000"),
    **dict.fromkeys((22610, 34934), "JPEG XR"),
    **dict.fromkeys((50002, 52546), "JPEG XL"),
    50001: "WebP",
}


def keyframe_of(page: TiffPage | TiffFrame) -> TiffPage:
    """Return the page whose tags hold for `page`.

    Raises
    ------
    DamagedFile
        If there is none.
    """
    if page.keyframe is None:
        raise DamagedFile(f"Page {page.index} of a TIFF has no tags of its own and none to share.")
    return page.keyframe


def dtype_of(page: TiffPage) -> np.dtype[Any]:
    """Return the type of the values of a page.

    Raises
    ------
    UnsupportedFormat
        If NumPy has none for it.
    """
    if page.dtype is None:
        bits = page.bitspersample
        raise UnsupportedFormat(f"A TIFF stores {bits}-bit values of sample format {page.sampleformat}, not supported.")
    return page.dtype


def check_pages(tif: TiffFile, name: str) -> None:
    """Refuse a file without pages, with too many, or with pages of no size.

    Raises
    ------
    DamagedFile, LimitExceeded
        If so.
    """
    limits = current_settings()
    if len(tif.pages) == 0:
        raise DamagedFile(f"{name} is a TIFF header without a single page.")
    first = tif.pages.first
    tiny = first.imagelength < _TINY and first.imagewidth < _TINY
    limit = limits.max_tiny_pages if tiny else limits.max_pages
    if len(tif.pages) > limit:
        variable = "CELLMETRY_MAX_TINY_PAGES" if tiny else "CELLMETRY_MAX_PAGES"
        raise LimitExceeded(
            f"{name} has {len(tif.pages):,} pages{' of a few pixels each' if tiny else ''}, above the limit of "
            f"{limit:,} ({variable})."
        )


def check_chain(tif: TiffFile, name: str) -> None:
    """Refuse a file whose last page points to a next one beyond the end of the file.

    Raises
    ------
    DamagedFile
        If so.
    """
    layout, file = tif.tiff, tif.filehandle
    file.seek(tif.pages[-1].offset)
    (n_tags,) = struct.unpack(layout.tagnoformat, file.read(layout.tagnosize))
    file.seek(n_tags * layout.tagsize, 1)
    (following,) = struct.unpack(layout.offsetformat, file.read(layout.offsetsize))
    if following >= file.size:
        raise DamagedFile(
            f"{name} ends early: its next page should begin at byte {following:,} and the file has {file.size:,}; "
            f"copy it again from the microscope."
        )


def check_page(page: TiffPage, name: str) -> tuple[str, ...]:
    """Return warnings about how the pixels of a page are stored.

    Raises
    ------
    DamagedFile
        If it has no pixels.
    UnsupportedFormat
        If its colours or values cannot be taken as intensities.
    LimitExceeded
        If one of its strips or tiles decodes to more than the limit of a plane.
    """
    if page.imagelength == 0 or page.imagewidth == 0:
        raise DamagedFile(f"{name} has a page of {page.imagelength} × {page.imagewidth} pixels.")
    if page.dtype is None:
        bits = page.bitspersample
        raise UnsupportedFormat(f"{name} stores {bits}-bit values of sample format {page.sampleformat}, not supported.")
    photometric = int(page.photometric)
    if photometric in _REFUSED_COLOURS or (photometric == _YCBCR and int(page.compression) not in _JPEG):
        kind = _REFUSED_COLOURS.get(photometric, "uncompressed YCbCr")
        raise UnsupportedFormat(f"{name} stores {kind} colours, which are not intensities; save it as RGB first.")
    if page.imagedepth > 1 or page.tiledepth > 1:
        raise UnsupportedFormat(f"{name} stores volumes in single pages (SGI ImageDepth), which is not supported.")
    _check_segment_size(page, name)
    lossy = _LOSSY.get(int(page.compression))
    if lossy:
        return (f"{name} is {lossy}-compressed (lossy); intensities are approximate.",)
    maybe = _MAYBE_LOSSY.get(int(page.compression))
    return (f"{name} is {maybe}-compressed, which may be lossy; intensities may be approximate.",) if maybe else ()


def _check_segment_size(page: TiffPage, name: str) -> None:
    height, width = page.chunks[-3:-1] if page.axes.endswith("S") else page.chunks[-2:]
    samples = page.samplesperpixel if page.planarconfig == 1 else 1
    decoded, limit = height * width * samples * dtype_of(page).itemsize, current_settings().max_plane_bytes
    if page.compression != 1 and decoded > limit:
        raise LimitExceeded(
            f"{name} is compressed in pieces of {decoded / 1e9:.1f} GB, above the limit of {limit / 1e9:.1f} GB "
            f"(CELLMETRY_MAX_PLANE_BYTES)."
        )


def check_ratio(decoded: int, stored: int, name: str) -> None:
    """Refuse data that grows beyond all measure when decoded.

    Raises
    ------
    LimitExceeded
        If the decoded size is above 64 MB and above the limit per stored byte.
    """
    limit = current_settings().max_compression_ratio
    if decoded > _RATIO_FROM_BYTES and decoded > limit * max(stored, 1):
        raise LimitExceeded(
            f"{name} claims {decoded / 1e9:.1f} GB of pixels in {stored / 1e6:.2f} MB of data, above the limit of "
            f"{limit} to 1 (CELLMETRY_MAX_COMPRESSION_RATIO)."
        )


def check_extent(offsets: NDArray[np.int64], counts: NDArray[np.int64], size: int, name: str) -> None:
    """Refuse strips or tiles that reach beyond the end of the file.

    Raises
    ------
    DamagedFile
        If any does.
    """
    short = np.flatnonzero((offsets + counts > size) | (offsets < 0) | (counts < 0))
    if short.size:
        raise DamagedFile(
            f"{name} ends early: {short.size} of {offsets.size} strips or tiles lie beyond its {size:,} bytes; "
            f"copy it again from the microscope."
        )


def missing_share(offsets: NDArray[np.int64], counts: NDArray[np.int64], name: str) -> tuple[str, ...]:
    """Return a warning with the share of strips or tiles that the file does not store.

    Raises
    ------
    DamagedFile
        If more than half are missing.
    """
    share = float(np.mean((offsets == 0) | (counts == 0)))
    if share > 0.5:
        raise DamagedFile(f"{name} lacks {share:.0%} of its strips or tiles (offset or length 0), more than half.")
    return (f"{name} lacks {share:.1%} of its strips or tiles; those pixels read as 0.",) if share else ()
