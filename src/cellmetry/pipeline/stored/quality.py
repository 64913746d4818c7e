"""Whether images can be used, as far as a look at a few of their tiles tells: sharp, not saturated, not empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.io.tile_store import tile_store
from cellmetry.ops.image_quality import judge_pixels
from cellmetry.pipeline.quick.fields import read_box

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cellmetry.study.store.images import StoredImage

__all__ = ["ImageQuality", "quality_numbers", "quality_of_images"]

_SIDE = 768
_EMPTY, _SATURATED, _BLURRED, _FEWEST = 5.0, 0.005, 0.25, 4


class ImageQuality(NamedTuple):
    """What a look at an image tells.

    Parameters
    ----------
    state
        ``good``, or ``doubtful``.
    faults
        What it is: ``empty``, ``saturated``, ``blurred``.
    reasons
        Why it is doubtful, a sentence each.
    sharpness
        As a part of the median of the study's images; None where nothing can be said.
    saturated
        Part of the pixels.
    middle
        Rows and columns of the middle of the plane, which is all that was looked at; None if that is the whole plane.
    """

    state: str
    faults: tuple[str, ...]
    reasons: tuple[str, ...]
    sharpness: float | None
    saturated: float
    empty: bool
    middle: tuple[int, int] | None = None


def quality_numbers(header: Mapping[str, Any], pyramid: Path) -> list[dict[str, float]]:
    """Return sharpness, saturated part and contrast of each channel, from the middle of the middle plane."""
    tiles = tile_store(pyramid)
    sizes = dict(zip(tiles.axes, tiles.levels[0].shape, strict=True))
    t, z = sizes.get("T", 1) // 2, sizes.get("Z", 1) // 2
    height, width = (min(sizes[axis], _SIDE) for axis in "YX")
    y0, x0 = (sizes["Y"] - height) // 2, (sizes["X"] - width) // 2
    box = Box(y0, y0 + height, x0, x0 + width)
    found = []
    for number, channel in enumerate(header["channels"]):
        bits = channel.get("detector_bits")
        largest = None if bits is None else float(2**bits - 1)
        found.append(judge_pixels(read_box(tiles, 0, (t, number, z), box), largest)._asdict())
    return found


def quality_of_images(images: Sequence[StoredImage]) -> dict[str, ImageQuality]:
    """Return what is known of images by their ids; sharpness is compared with others of as many channels."""
    told = {each.id: each.header["quality"] for each in images if each.header.get("quality")}
    usual = _usual(list(told.values()))
    colour = {each.id: bool(each.header.get("colour")) for each in images}
    parts = {each.id: _middle(each.header) for each in images if each.id in told}
    return {
        image: _judged(numbers, usual.get(len(numbers)), colour=colour[image], middle=parts[image])
        for image, numbers in told.items()
    }


def _middle(header: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return what of a plane is looked at; None for all of it."""
    sizes = dict(zip(header["axes"], header["shape"], strict=True))
    middle = min(sizes["Y"], _SIDE), min(sizes["X"], _SIDE)
    return None if middle == (sizes["Y"], sizes["X"]) else middle


def _usual(all_numbers: Sequence[Sequence[Mapping[str, float]]]) -> dict[int, list[float]]:
    """Return the median sharpness of each channel, by the number of channels; images without content do not count."""
    found = {}
    for count in {len(numbers) for numbers in all_numbers}:
        alike = [numbers for numbers in all_numbers if len(numbers) == count]
        medians = []
        for channel in range(count):
            full = [each[channel]["sharpness"] for each in alike if each[channel]["contrast"] >= _EMPTY]
            medians.append(float(np.median(full)) if len(full) >= _FEWEST else 0.0)
        found[count] = medians
    return found


def _judged(
    numbers: Sequence[Mapping[str, float]],
    usual: Sequence[float] | None,
    *,
    colour: bool,
    middle: tuple[int, int] | None,
) -> ImageQuality:
    empty = all(each["contrast"] < _EMPTY for each in numbers)
    saturated = 0.0 if colour else max(each["saturated"] for each in numbers)
    ratios = [
        each["sharpness"] / median
        for each, median in zip(numbers, usual or [], strict=False)
        if median > 0 and each["contrast"] >= _EMPTY
    ]
    sharpness = round(min(ratios), 3) if ratios else None
    found = {}
    others = "the other images" if middle is None else "those of the other images"
    where = ("The image", "") if middle is None else ("The middle of the image", " in the middle of the image")
    if empty:
        found["empty"] = f"{where[0]} shows nothing but noise."
    if saturated > _SATURATED:
        found["saturated"] = f"{saturated:.1%} of the pixels{where[1]} are saturated; their brightness is not known."
    if sharpness is not None and sharpness < _BLURRED:
        found["blurred"] = f"{where[0]} is much less sharp than {others}; it may be out of focus."
    told = (tuple(found), tuple(found.values()))
    return ImageQuality("doubtful" if found else "good", *told, sharpness, round(saturated, 5), empty, middle)
