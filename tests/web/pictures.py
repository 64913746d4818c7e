"""Images with known cells, as bytes of TIFF files."""

from __future__ import annotations

import io

import numpy as np
import tifffile


def squares(side: int = 128, *, cells: int = 3, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Return bright squares in rows and columns on a dark ground, (channel, y, x) or (y, x)."""
    rng = np.random.default_rng(seed)
    plane = rng.normal(100, 5, (side, side))
    step = side // cells
    for row in range(cells):
        for column in range(cells):
            y, x = row * step + step // 4, column * step + step // 4
            plane[y : y + step // 2, x : x + step // 2] += 1000
    planes = np.stack([plane / (k + 1) for k in range(channels)]).astype(np.uint16)
    return planes if channels > 1 else planes[0]


def tiff(pixels: np.ndarray, *, um: float | None = None, axes: str | None = "CYX") -> bytes:
    """Return a TIFF file, of a pixel size in µm if one is given; stacks say their axes, or None."""
    out = io.BytesIO()
    if pixels.ndim == 3 and axes:
        metadata = {"axes": axes, "unit": "um"} if um else {"axes": axes}
        tifffile.imwrite(out, pixels, imagej=True, metadata=metadata, resolution=(1 / um, 1 / um) if um else None)
    else:
        resolution = (1e4 / um, 1e4 / um) if um else None
        tifffile.imwrite(out, pixels, photometric="minisblack", resolution=resolution, resolutionunit="CENTIMETER")
    return out.getvalue()
