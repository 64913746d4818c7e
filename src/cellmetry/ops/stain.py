"""Colour deconvolution: how much of a stain lies in each pixel of a colour picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["STAINS", "stain_density"]

STAINS: dict[str, int | None] = {"haematoxylin": 0, "eosin": 1, "dab": 2, "any": None}
"""Index of each stain in `_STAIN_COLOURS`; None for all together."""

_STAIN_COLOURS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
"""Optical density of haematoxylin, eosin and DAB in red, green and blue (Ruifrok & Johnston 2001)."""


def stain_density(picture: NDArray[np.float32], stain: int | None) -> NDArray[np.float32]:
    """Return the density of one stain, or of all, shape (Y, X).

    Parameters
    ----------
    picture
        Red, green and blue, shape (3, Y, X), in the picture's own scale (white = 255 for 8-bit, 65,535
        for 16-bit, 1 for values up to 1).
    stain
        Row of the stain colours of Ruifrok & Johnston (Anal. Quant. Cytol. Histol. 23, 2001), or None for
        the sum of all optical densities.
    """
    white = _white(float(picture.max(initial=0)))
    density = -np.log10(np.maximum(picture, white / 256) / white)
    if stain is None:
        return np.asarray(density.sum(axis=0), dtype=np.float32)
    unmix = np.linalg.inv(_STAIN_COLOURS / np.linalg.norm(_STAIN_COLOURS, axis=1, keepdims=True))
    return np.asarray(np.tensordot(unmix[:, stain], density, axes=1), dtype=np.float32)


def _white(highest: float) -> float:
    return next((float(white) for white in (1, 255, 65535) if highest <= white), highest)
