"""Axes, channels, pixel size and places on a plate of OME-Zarr attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellmetry.core.image import UNKNOWN_PIXEL_SIZE, Channel, PixelSize
from cellmetry.io.discover import stem_of
from cellmetry.io.units import micrometres
from cellmetry.io.wells import parse_well

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["multiscale_axes", "omero_channels", "pixel_size", "place_on_plate"]


def multiscale_axes(multiscale: Mapping[str, Any]) -> str:
    """Return one letter per axis: its name in capitals, Q where it is no single letter."""
    names = [axis["name"] if isinstance(axis, dict) else str(axis) for axis in multiscale.get("axes", [])]
    return "".join(name.upper() if len(name) == 1 else "Q" for name in names)


def omero_channels(ome: Mapping[str, Any]) -> tuple[Channel, ...]:
    """Return names and colours of the channels."""
    found = (ome.get("omero") or {}).get("channels") or []
    return tuple(
        Channel(str(channel.get("label") or f"channel{index}"), _colour(channel.get("color")))
        for index, channel in enumerate(found)
    )


def _colour(value: Any) -> str | None:
    text = str(value or "").lstrip("#").lower()
    return f"#{text}" if len(text) == 6 and all(digit in "0123456789abcdef" for digit in text) else None


def pixel_size(multiscale: Mapping[str, Any], axes: str) -> PixelSize:
    """Return the pixel size in µm of the first level, where axes have units of length."""
    stated = multiscale.get("axes", [])
    if not stated or not isinstance(stated[0], dict):
        return UNKNOWN_PIXEL_SIZE
    factors = [1.0] * len(axes)
    first = multiscale["datasets"][0]
    for part in (*first.get("coordinateTransformations", ()), *multiscale.get("coordinateTransformations", ())):
        if part.get("type") == "scale" and len(part["scale"]) == len(factors):
            factors = [factor * float(scale) for factor, scale in zip(factors, part["scale"], strict=True)]
    sides = {
        letter: micrometres(factor, axis.get("unit"))
        for letter, factor, axis in zip(axes, factors, stated, strict=True)
    }
    return PixelSize(sides.get("X"), sides.get("Y"), sides.get("Z"))


def place_on_plate(plate: Mapping[str, Any], place: str, name: str) -> dict[str, str]:
    """Return plate, well (``B03``) and field of the image at ``B/3/0`` in its plate; nothing of one at ``""``."""
    if not place:
        return {}
    well, _, field = place.rpartition("/")
    found = parse_well(well)
    return {
        "plate": str(plate.get("name") or stem_of(name)),
        "well": well if found is None else found.name,
        "field": field,
    }
