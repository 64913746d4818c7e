"""Small pictures to try counting on: generated ones whose true count is known, and two from scikit-image's gallery."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.errors import MissingInput, UnknownName
from cellmetry.io.pictures import png_bytes
from cellmetry.ops.synthetic import FieldOptions, make_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EXAMPLES", "Example", "example_picture"]

_SHAPE = (384, 512)
_BRIGHT = 99.9


class Example(NamedTuple):
    """A picture to try.

    Parameters
    ----------
    cells
        True count; None where nobody knows it.
    look
        By which it is generated; None for a picture of scikit-image.
    channel
        Which of the two generated channels: 0 nuclei, 1 cells.
    file
        Of scikit-image.
    """

    title: str
    cells: int | None = None
    look: FieldOptions | None = None
    channel: int = 0
    file: str = ""


EXAMPLES: dict[str, Example] = {
    "nuclei": Example("Nuclei", 42, FieldOptions(diameter_px=34)),
    "many": Example("Many nuclei", 120, FieldOptions(diameter_px=21, touching=0.9, nucleus_ratio=0.6)),
    "sparse": Example("A few nuclei", 9, FieldOptions(diameter_px=40)),
    "dim": Example("Dim and noisy", 46, FieldOptions(diameter_px=32, dna=120, read_noise=18)),
    "uneven": Example("Uneven light", 44, FieldOptions(diameter_px=32, background=600, gradient=0.9)),
    "cells": Example("Touching cells", 45, FieldOptions(diameter_px=32, touching=0.9), channel=1),
    "cell": Example("A single cell", file="cell.png"),
    "tissue": Example("Stained tissue", file="ihc.png"),
}
"""By their names, in the order in which they are shown."""


@lru_cache(maxsize=len(EXAMPLES))
def example_picture(name: str) -> bytes:
    """Return the picture of an example as the bytes of a PNG file.

    Raises
    ------
    UnknownName
        If there is none of this name.
    MissingInput
        If scikit-image is installed without its pictures.
    """
    if name not in EXAMPLES:
        raise UnknownName("example", name, list(EXAMPLES))
    example = EXAMPLES[name]
    if example.look is None:
        return _of_gallery(example.file)
    field = make_cells(_SHAPE, example.cells or 0, example.look, seed=list(EXAMPLES).index(name) + 1)
    return png_bytes(_eight_bit(field.image[example.channel]))


def _of_gallery(file: str) -> bytes:
    source = files("skimage") / "data" / file
    if not source.is_file():
        raise MissingInput(f"scikit-image is installed without its picture {file}; install its wheel anew.")
    return source.read_bytes()


def _eight_bit(counts: NDArray[np.uint16]) -> NDArray[np.uint8]:
    low, high = float(counts.min()), float(np.percentile(counts, _BRIGHT))
    scaled = (counts - low) * (255 / max(high - low, 1))
    return np.asarray(np.clip(scaled, 0, 255), np.uint8)
