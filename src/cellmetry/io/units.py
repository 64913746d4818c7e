"""Lengths as files write them, in µm; sizes that cannot be are refused."""

from __future__ import annotations

import math

from cellmetry.core.image import PixelSize

__all__ = ["checked_pixel_size", "micrometres"]

_PER_UNIT = {
    "pm": 1e-6,
    "å": 1e-4,
    "a": 1e-4,
    "angstrom": 1e-4,
    "nm": 1e-3,
    "nanometer": 1e-3,
    "nanometre": 1e-3,
    "µm": 1.0,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "micrometre": 1.0,
    "mm": 1e3,
    "millimeter": 1e3,
    "millimetre": 1e3,
    "cm": 1e4,
    "centimeter": 1e4,
    "centimetre": 1e4,
    "m": 1e6,
    "meter": 1e6,
    "metre": 1e6,
    "inch": 25_400.0,
    "in": 25_400.0,
}
_SMALLEST, _LARGEST = 1e-5, 1e4


def micrometres(value: float | str | None, unit: str | None) -> float | None:
    """Return a length in µm; None if there is none or its unit is no length (``pixel``, ``reference frame``)."""
    if value is None:
        return None
    name = (unit or "").strip().lower().replace("\\u00b5", "µ").replace("μ", "µ")
    factor = _PER_UNIT.get(name)
    return None if factor is None else float(value) * factor


def checked_pixel_size(size: PixelSize, name: str) -> tuple[PixelSize, tuple[str, ...]]:
    """Return the pixel size with impossible values replaced by None, and a warning for each of them."""
    kept: dict[str, float | None] = {}
    notes: list[str] = []
    for axis, value in zip("xyz", size, strict=True):
        possible = value is None or (math.isfinite(value) and _SMALLEST <= value <= _LARGEST)
        kept[axis] = value if possible else None
        if not possible:
            notes.append(f"{name} states a pixel size of {value:g} µm along {axis}, which cannot be; it is ignored.")
    if (kept["x"] is None) != (kept["y"] is None):
        notes.append(f"{name} states its pixel size along one side only; results are in pixels.")
        kept["x"] = kept["y"] = None
    return PixelSize(kept["x"], kept["y"], kept["z"]), tuple(notes)
