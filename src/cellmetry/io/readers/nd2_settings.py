"""Exposure, binning, detector and lasers from the description that NIS-Elements writes as text."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["nd2_settings"]

_PLANE = re.compile(r"Plane #\d+:")
_EXPOSURE = re.compile(r"\{?Exposure\}?:\s*([\d.]+)\s*(µs|us|ms|s|min)\b")
_BINNING = re.compile(r"\{?Binning\}?:\s*(\d+x\d+)")
_LASER = re.compile(r"\{Laser Wavelength\}:\s*([\d.]+)\s*\{Laser Power\}:\s*([\d.]+)\s*\{PMT HV\}:\s*([\d.]+)")
_PER_MS = {"µs": 1e-3, "us": 1e-3, "ms": 1.0, "s": 1e3, "min": 6e4}


def nd2_settings(description: str) -> dict[str, Any]:
    """Return what the text says: ``exposure_ms`` and ``binning`` of each channel, ``gain`` and ``light_percent``.

    For a confocal, `gain` is the high voltage of each detector in use, in the order in which the text lists them, and
    ``light_percent`` the power by laser line.
    """
    head, *planes = _PLANE.split(description)
    planes = planes or [head]
    exposures = [_EXPOSURE.search(text) for text in planes]
    binnings = [_BINNING.search(text) for text in planes]
    lasers = _LASER.findall(planes[0])
    found: dict[str, Any] = {
        "exposure_ms": [None if hit is None else float(hit[1]) * _PER_MS[hit[2]] for hit in exposures],
        "binning": [None if hit is None else hit[1] for hit in binnings],
        "gain": [float(voltage) for _, _, voltage in lasers],
        "light_percent": {f"{float(line):g} nm": float(power) for line, power, _ in lasers},
    }
    stated = {"exposure_ms": any(exposures), "binning": any(binnings), "gain": lasers, "light_percent": lasers}
    return {key: value for key, value in found.items() if stated[key]}
