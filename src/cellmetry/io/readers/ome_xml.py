"""OME-XML, parsed without entities or references: what it says of images, channels and planes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from cellmetry.core.image import UNKNOWN_PIXEL_SIZE, Channel, PixelSize
from cellmetry.io.units import micrometres
from cellmetry.io.wells import Well

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["OmeDocument", "OmeImage", "OmePlanes", "claims_ome", "parse_ome"]

_PER_MS = {"ns": 1e-6, "µs": 1e-3, "ms": 1.0, "s": 1e3, "min": 6e4}
_ORDERS = {"XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC"}


class OmePlanes(NamedTuple):
    """A run of pages (``TiffData``): from page `ifd` on, starting at plane (t, c, z).

    Without `n_planes` it is all pages that follow.
    """

    ifd: int
    n_planes: int | None
    first: tuple[int, int, int]
    file: str | None
    uuid: str | None


@dataclass(frozen=True)
class OmeImage:
    """One ``Image`` of an OME-XML document. Sizes are of T, channels × samples, Z, Y and X."""

    name: str
    sizes: dict[str, int]
    order: str
    planes: tuple[OmePlanes, ...]
    channels: tuple[Channel, ...]
    samples: int = 1
    pixel_size: PixelSize = UNKNOWN_PIXEL_SIZE
    bit_depth: int | None = None
    acquired: datetime | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


class OmeDocument(NamedTuple):
    """All images of a document, and the identity of the file that holds it."""

    images: tuple[OmeImage, ...]
    uuid: str | None
    companion: str | None = None
    """Name of the file that holds the metadata instead (``BinaryOnly``)."""


def claims_ome(description: str) -> bool:
    """Return whether a TIFF's description is meant to be OME-XML."""
    text = description.lstrip()
    return text.startswith("<") and ("<OME" in text or "openmicroscopy.org" in text or text.rstrip().endswith("OME>"))


def parse_ome(text: str, name: str) -> tuple[OmeDocument | None, tuple[str, ...]]:
    """Return the document; or None and a warning if it is malformed or unsafe (entities, external references)."""
    try:
        root = fromstring(text, forbid_dtd=True)
    except DefusedXmlException:
        return None, (f"{name} has OME-XML with a document type or entities, which is unsafe; it is ignored.",)
    except ParseError as error:
        return None, (f"{name} has malformed OME-XML ({error}); it is ignored.",)
    try:
        images = _images(root)
    except (ValueError, KeyError) as error:
        return None, (f"{name} has OME-XML with a wrong or missing value ({error}); it is ignored.",)
    elsewhere = _one(root, "BinaryOnly")
    companion = elsewhere.get("MetadataFile") if elsewhere is not None else None
    return (OmeDocument(images, root.get("UUID"), companion), ()) if images or companion else (None, ())


def _images(root: Element) -> tuple[OmeImage, ...]:
    """Return the images of a document, each with its place on a plate where the document has one."""
    places = _places_on_plates(root)
    found = [element for element in _all(root, "Image") if _one(element, "Pixels") is not None]
    return tuple(_image(element, root, places.get(element.get("ID", ""), {})) for element in found)


def _all(element: Element, tag: str) -> list[Element]:
    """Return the children of this tag, whatever version of the schema they are in."""
    return [child for child in element if child.tag.rpartition("}")[2] == tag]


def _one(element: Element | None, tag: str) -> Element | None:
    return next(iter(_all(element, tag)), None) if element is not None else None


def _image(element: Element, root: Element, place: dict[str, str]) -> OmeImage:
    pixels = _one(element, "Pixels")
    assert pixels is not None  # noqa: S101
    sizes = {axis: int(pixels.attrib[f"Size{axis}"]) for axis in "TCZYX"}
    if min(sizes.values()) < 1:
        raise ValueError(f"sizes {sizes}")
    order = pixels.get("DimensionOrder", "XYCZT")
    if order not in _ORDERS:
        raise ValueError(f"DimensionOrder {order}")
    parts = _all(pixels, "Channel")
    samples = int(parts[0].get("SamplesPerPixel", 1)) if parts else 1
    bits = pixels.get("SignificantBits")
    return OmeImage(
        name=element.get("Name", ""),
        sizes=sizes,
        order=order,
        planes=tuple(_planes(data, samples) for data in _all(pixels, "TiffData")),
        channels=tuple(_channel(part, index) for index, part in enumerate(parts)),
        samples=samples,
        pixel_size=_pixel_size(pixels),
        bit_depth=int(bits) if bits else None,
        acquired=_acquired(element),
        metadata={**_metadata(element, pixels, root), **place},
    )


def _places_on_plates(root: Element) -> dict[str, dict[str, str]]:
    """Return plate, well (``B03``) and field (from 1 within its well) of each image by its ID."""
    places: dict[str, dict[str, str]] = {}
    for plate in _all(root, "Plate"):
        name = plate.get("Name") or plate.get("ID") or "plate"
        for well in _all(plate, "Well"):
            for number, sample in enumerate(_all(well, "WellSample"), 1):
                image = _one(sample, "ImageRef")
                if image is not None:
                    said = {"plate": name, "well": _well_name(well), "field": str(number)}
                    places[image.get("ID", "")] = {key: value for key, value in said.items() if value}
    return places


def _well_name(well: Element) -> str:
    """Return the well in words; empty where row or column is no number from 0."""
    row, column = well.get("Row", ""), well.get("Column", "")
    return Well(int(row), int(column)).name if row.isdecimal() and column.isdecimal() else ""


def _planes(data: Element, samples: int) -> OmePlanes:
    named = _one(data, "UUID")
    ifd, count = data.get("IFD"), data.get("PlaneCount")
    n_planes = int(count) if count is not None else (1 if ifd is not None else None)
    channel = int(data.get("FirstC", 0)) // samples
    return OmePlanes(
        int(ifd or 0),
        n_planes,
        (int(data.get("FirstT", 0)), channel, int(data.get("FirstZ", 0))),
        named.get("FileName") if named is not None else None,
        (named.text or "").strip() if named is not None else None,
    )


def _channel(part: Element, index: int) -> Channel:
    name = part.get("Name") or part.get("Fluor") or f"channel{index}"
    return Channel(name, ome_colour(part.get("Color")))


def ome_colour(value: str | None) -> str | None:
    """Return ``#rrggbb`` of OME's signed 32-bit RGBA; None if absent."""
    if value is None or not value.lstrip("-").isdigit():
        return None
    return f"#{(int(value) >> 8) & 0xFFFFFF:06x}"


def _pixel_size(pixels: Element) -> PixelSize:
    sides = []
    for axis in "XYZ":
        value = pixels.get(f"PhysicalSize{axis}")
        sides.append(micrometres(value, pixels.get(f"PhysicalSize{axis}Unit", "µm")) if value else None)
    return PixelSize(*sides)


def _acquired(element: Element) -> datetime | None:
    stated = _one(element, "AcquisitionDate")
    if stated is None or not stated.text:
        return None
    try:
        return datetime.fromisoformat(stated.text.strip())
    except ValueError:
        return None


def _metadata(element: Element, pixels: Element, root: Element) -> dict[str, Any]:
    """Return optics and settings of the channels where the document has them."""
    found: dict[str, Any] = {}
    settings = _one(element, "ObjectiveSettings")
    wanted = settings.get("ID") if settings is not None else None
    for instrument in _all(root, "Instrument"):
        for objective in _all(instrument, "Objective"):
            if wanted in {None, objective.get("ID")} and "objective" not in found:
                found["objective"] = objective.get("Model") or objective.get("ID")
                found["magnification"] = _number(objective.get("NominalMagnification"))
                found["numerical_aperture"] = _number(objective.get("LensNA"))
    found.update(_settings(pixels))
    return {key: value for key, value in found.items() if value is not None}


def _settings(pixels: Element) -> dict[str, list[Any]]:
    """Return what the document says of each channel's exposure, detector and light; None where it is silent on one."""
    channels = _all(pixels, "Channel")
    exposures = {int(plane.get("TheC", 0)): _milliseconds(plane) for plane in reversed(_all(pixels, "Plane"))}
    detectors = [_one(part, "DetectorSettings") for part in channels]
    lights = [_one(part, "LightSourceSettings") for part in channels]
    passing = [None if light is None else _number(light.get("Attenuation")) for light in lights]
    found: dict[str, list[Any]] = {
        "exposure_ms": [exposures.get(index) for index in range(len(channels))],
        "gain": [None if each is None else _number(each.get("Gain")) for each in detectors],
        "binning": [None if each is None else each.get("Binning") for each in detectors],
        "light_percent": [None if share is None else round(100 * (1 - share), 6) for share in passing],
    }
    return {key: values for key, values in found.items() if any(value is not None for value in values)}


def _milliseconds(plane: Element) -> float | None:
    """Return the exposure of a plane; None if it has none, or in a unit that is no time."""
    factor = _PER_MS.get(plane.get("ExposureTimeUnit", "s"))
    value = _number(plane.get("ExposureTime"))
    return None if value is None or factor is None else round(value * factor, 6)


def _number(text: str | None) -> float | None:
    return float(text) if text else None
