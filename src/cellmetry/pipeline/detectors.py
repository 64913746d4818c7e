"""The largest values of detectors, by which saturation is judged, on the record of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.measure.names import safe_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellmetry.ops.saturation import Detector
    from cellmetry.pipeline.reading import Reading

__all__ = ["compare_detectors", "describe_detector", "detectors_of", "detectors_table"]

_MAXIMUM, _SOURCE = "detector_max_", "detector_max_source_"
_GUESSED = "guessed"
_SHOWN = 3

Found = dict[str, dict[str, float | str]]
"""By channel: the ``maximum``, and its ``source``: file, given or guessed."""


def detectors_of(found: Mapping[str, Detector], reading: Reading) -> Found:
    """Return what was found of an image's detectors as JSON values."""
    said = reading.detector_bits is not None
    return {
        name: {"maximum": each.maximum, "source": "given" if said and each.source == "file" else each.source}
        for name, each in found.items()
    }


def detectors_table(detectors: Sequence[Found]) -> pd.DataFrame:
    """Return the columns of ``images.csv`` that say by which largest values saturation was judged; none if by none."""
    channels = list(dict.fromkeys(channel for each in detectors for channel in each))
    columns: dict[str, Any] = {}
    for channel, name in zip(channels, safe_names(channels), strict=True):
        found: list[dict[str, Any]] = [{**each.get(channel, {})} for each in detectors]
        columns[_MAXIMUM + name] = pd.array([each.get("maximum") for each in found], "Float64")
        columns[_SOURCE + name] = pd.array([each.get("source", "") for each in found], "str")
    return pd.DataFrame(columns, index=range(len(detectors)))


def describe_detector(name: str) -> Column | None:
    """Return the description of a column that `detectors_table` made; None of any other."""
    if name.startswith(_SOURCE):
        words = (
            "Where it comes from: file (which states its bits, or has values of 8), given (--detector-bits) or guessed "
            "from the brightest pixel of the image."
        )
        return Column(name, "", words, "Cellmetry")
    if name.startswith(_MAXIMUM):
        words = "Largest value that the detector can give, by which saturation was judged."
        return Column(name, "intensity", words, "Cellmetry")
    return None


def compare_detectors(detectors: Mapping[str, Found]) -> list[str]:
    """Return a sentence for each channel whose largest value was guessed and is not the same in all images.

    Parameters
    ----------
    detectors
        By image, what `detectors_of` returned.
    """
    sentences = []
    for channel in dict.fromkeys(channel for found in detectors.values() for channel in found):
        of_channel = {image: found[channel] for image, found in detectors.items() if channel in found}
        guessed = any(each["source"] == _GUESSED for each in of_channel.values())
        groups: dict[float, list[str]] = {}
        for image, each in of_channel.items():
            groups.setdefault(float(each["maximum"]), []).append(image)
        if guessed and len(groups) > 1:
            sentences.append(_sentence(channel, groups))
    return sentences


def _sentence(channel: str, groups: Mapping[float, Sequence[str]]) -> str:
    parts = [f"{maximum:g} in {_named(images)}" for maximum, images in sorted(groups.items())]
    return (
        f"Saturation was not judged alike: the largest value of the detector of {channel} was guessed from the "
        f"brightest pixel of each image: {'; '.join(parts)}. If it is one camera, say its bits (--detector-bits 12)."
    )


def _named(images: Sequence[str]) -> str:
    more = len(images) - _SHOWN
    return ", ".join(images[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
