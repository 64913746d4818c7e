"""`generate_field`: one field of any kind, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.learn.generate.brightfield import brightfield_field
from cellmetry.learn.generate.camera import draw_look
from cellmetry.learn.generate.cells import cells_field
from cellmetry.learn.generate.look import KINDS, STYLES, FieldLook
from cellmetry.learn.generate.nuclei import nuclei_field
from cellmetry.learn.generate.phase import phase_field
from cellmetry.learn.generate.tissue import tissue_field
from cellmetry.learn.generate.truth import consecutive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from cellmetry.learn.generate.camera import Drawn
    from cellmetry.learn.generate.look import Kind

__all__ = ["GeneratedField", "generate_field"]

_PAINTERS: dict[Kind, Callable[[Drawn], tuple[NDArray[Any], ...]]] = {
    "nuclei": nuclei_field,
    "cells": cells_field,
    "phase": phase_field,
    "brightfield": brightfield_field,
    "tissue": tissue_field,
}


@dataclass(frozen=True)
class GeneratedField:
    """A generated field with its truth.

    Parameters
    ----------
    image
        float32 (Y, X): whole counts of the camera, at most 255 or at most 65,535.
    labels
        int32 (Y, X): the visible pixels of each cell, ids 1 … n; every cell is one region without holes.
    kind, style
        What it shows.
    diameter_px
        Mean diameter from which the cells' sizes were drawn.
    channels
        Other channels of the same cells, as of brightfield fields ``fluorescence``; float32 (Y, X) each.
    """

    image: NDArray[np.float32]
    labels: NDArray[np.int32]
    kind: str
    style: str
    diameter_px: float
    channels: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


def generate_field(options: FieldLook | None = None, seed: int = 0) -> GeneratedField:
    """Return a field with the look asked for: the same pixels for the same options, seed and versions.

    What `options` leaves open is drawn from the seed.
    """
    options = options or FieldLook()
    rng = np.random.default_rng([seed, KINDS.index(options.kind)])
    style = options.style or str(rng.choice(STYLES[options.kind]))
    drawn = draw_look(options, style, rng)
    image, owner, *others = _PAINTERS[options.kind](drawn)
    if drawn.inverted:
        image = image.max() + image.min() - image
    channels = {"fluorescence": others[0]} if others else {}
    return GeneratedField(image, consecutive(owner), options.kind, style, drawn.diameter, channels)
