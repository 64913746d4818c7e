"""The review picture of labels from another channel: both channels, what was accepted, rejected and left open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellmetry.report.annotations import draw_caption
from cellmetry.report.colours import colour_bytes, parse_colour
from cellmetry.report.composite import contrast_limits, stretch
from cellmetry.report.outlines import draw_outlines, map_objects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.learn.transfer import Judged

__all__ = ["ACCEPTED", "REJECTED", "draw_transfer"]

ACCEPTED, REJECTED = "#00c8ff", "#ff8000"
"""Colours of outlines: sky blue and orange stay apart for colour-blind readers."""

_TINT = 0.3
_GAP = 6
_SMALLEST = 480


def draw_transfer(
    channels: dict[str, NDArray[np.float32]], found: NDArray[np.int32], judged: Judged
) -> NDArray[np.uint8]:
    """Return the channels side by side, uint8 (Y, X, 3), with the outlines of all objects that were found.

    Accepted ones are sky blue, rejected ones orange; what is not annotated is tinted orange.

    Parameters
    ----------
    channels
        Name → float32 (Y, X), at least one.
    found
        int32 (Y, X): all objects, before any was rejected.
    """
    times = max(1, -(-_SMALLEST // max(found.shape)))
    panels = []
    for name, plane in channels.items():
        panel = _panel(plane, found, judged, times)
        panels += [draw_caption(panel, name), np.full((panel.shape[0], _GAP, 3), 255, np.uint8)]
    return np.concatenate(panels[:-1], axis=1)


def _panel(plane: NDArray[np.float32], found: NDArray[np.int32], judged: Judged, times: int) -> NDArray[np.uint8]:
    grey = stretch(plane, contrast_limits(plane, 0.5, 99.8))
    rgb = np.repeat(grey[..., None], 3, axis=2)
    open_places = ~judged.annotated
    rgb[open_places] += _TINT * (parse_colour(REJECTED) - rgb[open_places])
    picture = np.rint(rgb * 255).astype(np.uint8)
    enlarged = picture.repeat(times, axis=0).repeat(times, axis=1)
    objects = map_objects(found.repeat(times, axis=0).repeat(times, axis=1).astype(np.uint32))
    accepted = np.isin(objects.ids, judged.table.loc[judged.table["accepted"], "label"].to_numpy())
    both = np.stack([colour_bytes(REJECTED), colour_bytes(ACCEPTED)])
    return draw_outlines(enlarged, objects, both[accepted.astype(np.int64)], width=1.5)
