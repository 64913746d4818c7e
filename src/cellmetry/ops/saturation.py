"""Saturation: the detector's largest value, and which pixels reach a stated limit of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cellmetry.core.image import Image

__all__ = ["Detector", "SaturationLimit", "detector_maximum", "find_detectors", "parse_saturation"]

_BITS = (8, 10, 11, 12, 13, 14, 16, 20, 24, 32)
_BAND_PIXELS = 1 << 24
_FORM = re.compile(r"(?P<native>native:)?(?P<value>\d+(\.\d+)?)(?P<percent>\s*%)?")


class SaturationLimit(NamedTuple):
    """From which value on a pixel counts as saturated.

    Parameters
    ----------
    value
        The limit; the value itself is beyond it.
    unit
        ``255``: on a scale where 255 is the detector's maximum; ``native``: as stored; ``percent`` of the maximum.
    """

    value: float
    unit: str

    def native(self, maximum: float) -> float:
        """Return the limit in stored values, for a detector that reaches `maximum`; at most that."""
        scale = {"255": maximum / 255, "native": 1.0, "percent": maximum / 100}[self.unit]
        return min(self.value * scale, maximum)


class Detector(NamedTuple):
    """The largest value that a channel's detector can give, and who says so.

    Parameters
    ----------
    maximum
        In stored values.
    source
        ``file`` (its bits are stated, or its values have 8), ``given`` (by the user) or ``guessed`` from the pixels.
    """

    maximum: float
    source: Literal["file", "given", "guessed"]


def parse_saturation(text: str) -> SaturationLimit:
    """Return the limit that a text means: ``254`` (of 255), ``native:4000`` (stored value) or ``99%`` (of the maximum).

    Raises
    ------
    ParameterError
        If it has another form.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None or (found["native"] and found["percent"]):
        raise ParameterError(
            f"A saturation limit is a number on the scale 0–255 (254), a stored value (native:4000) or per cent of the "
            f"detector's maximum (99%), not {text!r}."
        )
    unit = "native" if found["native"] else "percent" if found["percent"] else "255"
    value = float(found["value"])
    if value <= 0 or (unit == "255" and value > 255) or (unit == "percent" and value > 100):
        raise ParameterError(f"The saturation limit {text!r} is not within the detector's range.")
    return SaturationLimit(value, unit)


def detector_maximum(image: Image, channel: str | int) -> float:
    """Return the largest value that the detector can give in a channel of an image as read.

    It is 2ᵇ − 1, with the bits b that are stated (by the file, or for the channel; see `Image.stated_bits`); where none
    are, the fewest usual bits (8, 10, 11, …, 16) that hold the channel's largest pixel, since 12-bit cameras write
    16-bit files, and at most what the type of the values holds. For fractional values it is 1 where no pixel is above
    it, else likewise.
    """
    c = image.channel_index(channel)
    if image.dtype.kind == "b":
        return 1.0
    bits = image.stated_bits(c)
    largest = 0.0
    if bits is None:
        largest = _largest(image, c)
        bits = _fewest_bits(image, largest)
    if bits is None:
        return largest
    signed = image.dtype.kind == "i" and bits == 8 * image.dtype.itemsize
    return float(2 ** (bits - signed) - 1)


def _fewest_bits(image: Image, largest: float) -> int | None:
    """Return the fewest usual bits that hold the value; None where more than 32 are needed."""
    if image.dtype.kind == "f" and largest <= 1:
        return 1
    return next((bits for bits in _BITS if 2**bits - 1 >= largest), None)


def find_detectors(image: Image, channels: Iterable[int]) -> tuple[Image, dict[str, Detector]]:
    """Return the image with the bits of these channels' detectors stated, and for each by name what its detector gives.

    Bits that nobody stated are guessed as by `detector_maximum`, from one look at the channel's pixels; no step has to
    look again.
    """
    found = {}
    for c in sorted(set(channels)):
        stated = image.dtype.kind == "b" or image.stated_bits(c) is not None
        bits = None if stated else _fewest_bits(image, _largest(image, c))
        image = image if bits is None else image.with_detector_bits(bits, c)
        found[image.channel_names[c]] = Detector(detector_maximum(image, c), "file" if stated else "guessed")
    return image, found


def _largest(image: Image, c: int) -> float:
    """Return the largest finite pixel of a channel, read in bands; 0 if there is none."""
    height, width = image.sizes["Y"], image.sizes["X"]
    rows = max(1, _BAND_PIXELS // max(1, width))
    largest = 0.0
    for t in range(image.sizes["T"]):
        for z in range(image.sizes["Z"]):
            for y0 in range(0, height, rows):
                part = image.plane(t=t, c=c, z=z, box=Box(y0, min(y0 + rows, height), 0, width))
                largest = max(largest, float(part.max(initial=0, where=np.isfinite(part))))
    return largest
