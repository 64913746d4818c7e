"""Channels, pixel size, time and optics from the XML of a CZI file."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from cellmetry.core.image import UNKNOWN_PIXEL_SIZE, Channel, PixelSize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from xml.etree.ElementTree import Element

__all__ = ["CziDescription", "describe_czi", "parse_czi"]

_INFORMATION = "Metadata/Information"
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


class CziDescription(NamedTuple):
    """What the XML says of the channels in use."""

    channels: tuple[Channel, ...] = ()
    pixel_size: PixelSize = UNKNOWN_PIXEL_SIZE
    bit_depth: int | None = None
    acquired: datetime | None = None
    metadata: dict[str, Any] = {}  # noqa: RUF012


def parse_czi(xml: bytes, name: str) -> tuple[Element | None, tuple[str, ...]]:
    """Return the root of the XML; None and a warning where it cannot be read."""
    try:
        root: Element = fromstring(xml, forbid_dtd=True)
    except (ParseError, DefusedXmlException) as error:
        return None, (f"{name} has metadata that cannot be read ({error}); they are ignored.",)
    return root, ()


def describe_czi(root: Element | None, used: Sequence[int]) -> CziDescription:
    """Return what the XML says.

    Parameters
    ----------
    used
        Indices of the channels that have pixels.
    """
    if root is None:
        return CziDescription()
    parts = root.findall(f"{_INFORMATION}/Image/Dimensions/Channels/Channel")
    shown = {part.get("Id"): part for part in root.findall("Metadata/DisplaySetting/Channels/Channel")}
    mine = [parts[index] for index in used if index < len(parts)]
    bits = [int(part.findtext("ComponentBitCount") or 0) for part in mine]
    bits = bits if any(bits) else [int(root.findtext(f"{_INFORMATION}/Image/ComponentBitCount") or 0)]
    return CziDescription(
        tuple(_channel(part, shown.get(part.get("Id"))) for part in mine),
        _pixel_size(root),
        max(bits) or None,
        _acquired(root),
        _metadata(root, mine),
    )


def _channel(part: Element, shown: Element | None) -> Channel:
    name = part.get("Name") or part.findtext("Fluor") or part.get("Id") or ""
    colour = (shown.findtext("Color") if shown is not None else None) or part.findtext("Color")
    return Channel(name, None if colour is None else "#" + colour.lstrip("#")[-6:].lower())


def _pixel_size(root: Element) -> PixelSize:
    """Return distances of neighbouring pixels, which the file gives in metres."""
    found = {part.get("Id"): part.findtext("Value") for part in root.findall("Metadata/Scaling/Items/Distance")}
    metres = {axis: float(text) for axis, text in found.items() if text}
    return PixelSize(*(metres[axis] * 1e6 if metres.get(axis) else None for axis in "XYZ"))


def _acquired(root: Element) -> datetime | None:
    text = root.findtext(f"{_INFORMATION}/Image/AcquisitionDateAndTime")
    text = text or root.findtext(f"{_INFORMATION}/Document/CreationDate")
    if not text:
        return None
    head, dot, rest = text.strip().partition(".")
    digits = "".join(char for char in rest if char.isdigit())[:6]
    zone = rest[len(rest.rstrip("Zz+-:0123456789")) :] if not dot else rest.lstrip("0123456789")
    try:
        return datetime.fromisoformat(head + (f".{digits:0<6}" if dot else "") + zone)
    except ValueError:
        return None


def _metadata(root: Element, channels: Sequence[Element]) -> dict[str, Any]:
    objective = root.find(f"{_INFORMATION}/Instrument/Objectives/Objective")
    found: dict[str, Any] = {}
    if objective is not None:
        found["objective"] = objective.get("Name") or objective.findtext("Manufacturer/Model")
        found["magnification"] = _number(objective.findtext("NominalMagnification"))
        found["numerical_aperture"] = _number(objective.findtext("LensNA"))
    found["exposure_ms"] = _each(channels, "ExposureTime", lambda text: float(text) / 1e6)
    found["gain"] = _each(channels, "DetectorSettings/Gain", float)
    found["digital_gain"] = _each(channels, "DetectorSettings/DigitalGain", float)
    found["binning"] = _each(channels, "DetectorSettings/Binning", lambda text: text.replace(",", "x"))
    light = "LightSourcesSettings/LightSourceSettings/Intensity"
    found["light_percent"] = _each(channels, light, _percent)
    return {key: value for key, value in found.items() if value is not None}


def _each(channels: Sequence[Element], path: str, read: Callable[[str], Any]) -> list[Any] | None:
    """Return a setting of each channel, None where a channel does not state it; None if none does."""
    texts = [part.findtext(path) for part in channels]
    return [read(text.strip()) if text else None for text in texts] if any(texts) else None


def _percent(text: str) -> float | None:
    """Return the number of ``50.00 %``; None for anything else."""
    found = _PERCENT.fullmatch(text.replace(",", "."))
    return float(found[1]) if found else None


def _number(text: str | None) -> float | None:
    return float(text) if text else None
