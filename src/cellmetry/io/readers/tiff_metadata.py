"""Channel names, pixel size, bit depth and more from ImageJ, LSM, STK, MetaMorph, slide and plain TIFF tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from cellmetry.core.image import UNKNOWN_PIXEL_SIZE, Channel, PixelSize
from cellmetry.io.readers.tiff_probe import dtype_of
from cellmetry.io.units import micrometres

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tifffile import TiffFile, TiffPage, TiffPageSeries

__all__ = ["Description", "describe_series"]

_RESOLUTION_UNIT = {2: "inch", 3: "cm", 4: "mm", 5: "um"}
_PRINT_UM = 20.0
"""Plain TIFF resolutions coarser than this are printing resolutions (72 dpi is 353 µm), not pixel sizes."""
_MPP = re.compile(r"\bMPP\s*=\s*([0-9.]+)")
_KEPT_TAGS = {"DateTime": "date_in_header", "Make": "maker", "Model": "instrument", "Software": "software"}


class Description(NamedTuple):
    """What the tags say of a series."""

    channels: tuple[Channel, ...] = ()
    pixel_size: PixelSize = UNKNOWN_PIXEL_SIZE
    bit_depth: int | None = None
    metadata: dict[str, Any] = {}  # noqa: RUF012


def describe_series(tif: TiffFile, series: TiffPageSeries) -> Description:
    """Return what the vendor's or the plain tags of a series say."""
    page = series.keyframe
    plain = Description((), _plain_size(page), _bit_depth(page), _tags(tif.pages.first))
    if series.kind == "imagej":
        meta = tif.imagej_metadata or {}
        return plain._replace(channels=_imagej_channels(meta, series), pixel_size=_imagej_size(meta, page))
    if series.kind == "lsm":
        meta = tif.lsm_metadata or {}
        return plain._replace(channels=_lsm_channels(meta), pixel_size=_lsm_size(meta))
    if series.kind == "stk":
        return plain._replace(pixel_size=_stk_size(tif.stk_metadata or {}))
    if series.kind == "svs" or tif.is_svs:
        return plain._replace(pixel_size=_mpp(page.description) if series is tif.series[0] else UNKNOWN_PIXEL_SIZE)
    if tif.is_metaseries:
        return plain._replace(pixel_size=_metaseries_size(tif.metaseries_metadata or {}))
    return plain


def _tags(page: TiffPage) -> dict[str, Any]:
    found = {ours: page.tags.valueof(theirs) for theirs, ours in _KEPT_TAGS.items()}
    return {key: str(value).strip() for key, value in found.items() if value}


def _bit_depth(page: TiffPage) -> int | None:
    """Return the significant bits: of the samples, or of the largest value that the header announces."""
    bits = int(page.bitspersample)
    largest = page.tags.valueof("MaxSampleValue")
    largest = largest[0] if isinstance(largest, tuple) else largest
    if dtype_of(page).kind == "u" and isinstance(largest, int) and 0 < largest < (1 << bits):
        return max(largest.bit_length(), 1)
    return bits


def _per_unit(page: TiffPage, tag: str) -> float | None:
    """Return pixels per unit of a resolution tag; None if absent or nonsense."""
    value = page.tags.valueof(tag)
    if not isinstance(value, tuple) or len(value) != 2 or 0 in value:
        return None
    return float(value[0]) / float(value[1])


def _plain_size(page: TiffPage) -> PixelSize:
    """Return the pixel size that resolution tags give, where they are fine enough to be of a microscope."""
    unit = _RESOLUTION_UNIT.get(int(page.tags.valueof("ResolutionUnit") or 2))
    sides = []
    for tag in ("XResolution", "YResolution"):
        per_unit = _per_unit(page, tag)
        side = None if per_unit is None else micrometres(1.0 / per_unit, unit)
        sides.append(side if side is not None and side <= _PRINT_UM else None)
    return PixelSize(sides[0], sides[1]) if None not in sides else UNKNOWN_PIXEL_SIZE


def _imagej_size(meta: Mapping[str, Any], page: TiffPage) -> PixelSize:
    unit = str(meta.get("unit", ""))
    sides = []
    for tag, axis in (("XResolution", "x"), ("YResolution", "y")):
        per_unit = _per_unit(page, tag)
        sides.append(None if per_unit is None else micrometres(1.0 / per_unit, str(meta.get(f"{axis}unit", unit))))
    spacing = meta.get("spacing")
    depth = abs(float(spacing)) if isinstance(spacing, int | float) and spacing else None
    return PixelSize(sides[0], sides[1], micrometres(depth, str(meta.get("zunit", unit))))


def _imagej_channels(meta: Mapping[str, Any], series: TiffPageSeries) -> tuple[Channel, ...]:
    """Return channels named by the slice labels where only channels follow each other, coloured by their tables."""
    n_channels = int(series.sizes.get("channel", 1))
    labels = meta.get("Labels") or []
    tables = meta.get("LUTs") or []
    only_channels = series.axes.replace("S", "") in {"CYX", "YX"} and len(labels) == n_channels
    names = [str(label).split("\n")[0] for label in labels] if only_channels and n_channels > 1 else []
    colours = ["#{:02x}{:02x}{:02x}".format(*(int(part[-1]) for part in table)) for table in tables]
    return tuple(
        Channel(
            names[index] if index < len(names) else f"channel{index}",
            colours[index] if index < len(colours) else None,
        )
        for index in range(n_channels)
    )


def _lsm_size(meta: Mapping[str, Any]) -> PixelSize:
    return PixelSize(*(micrometres(meta.get(f"VoxelSize{axis}") or None, "m") for axis in "XYZ"))


def _lsm_channels(meta: Mapping[str, Any]) -> tuple[Channel, ...]:
    palette = meta.get("ChannelColors") or {}
    names, colours = palette.get("ColorNames") or [], palette.get("Colors") or []
    return tuple(
        Channel(str(name), "#{:02x}{:02x}{:02x}".format(*colours[index][:3]) if index < len(colours) else None)
        for index, name in enumerate(names)
    )


def _stk_size(meta: Mapping[str, Any]) -> PixelSize:
    unit = str(meta.get("CalibrationUnits", ""))
    return PixelSize(*(micrometres(meta.get(f"{axis}Calibration") or None, unit) for axis in "XY"))


def _metaseries_size(meta: Mapping[str, Any]) -> PixelSize:
    plane = meta.get("PlaneInfo") or {}
    if not plane.get("spatial-calibration-state"):
        return UNKNOWN_PIXEL_SIZE
    unit = str(plane.get("spatial-calibration-units", ""))
    return PixelSize(*(micrometres(plane.get(f"spatial-calibration-{axis}"), unit) for axis in "xy"))


def _mpp(description: str) -> PixelSize:
    match = _MPP.search(description)
    return UNKNOWN_PIXEL_SIZE if match is None else PixelSize(float(match[1]), float(match[1]))
