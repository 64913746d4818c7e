"""What a camera makes of light: shot and read noise, an offset, saturation, 8 or 16 bits that are never all used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

from cellmetry.learn.generate.textures import log_uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.learn.generate.look import FieldLook

__all__ = ["Drawn", "draw_look", "expose_bright", "expose_dark"]

_PHOTONS = 900.0
_SMOOTHED = 0.35
_EIGHT_BIT = 0.45


class Drawn:
    """A field's own choices, drawn from the ranges of a look; what all kinds share."""

    __slots__ = ("blur", "cell_shape", "contrast", "density", "diameter", "inverted", "noise", "rng", "shape", "style")

    def __init__(self, look: FieldLook, style: str, rng: np.random.Generator) -> None:
        self.rng, self.style, self.shape, self.cell_shape = rng, style, look.shape, look.cell_shape
        self.diameter = log_uniform(rng, *look.diameters)
        self.density = float(rng.uniform(*look.density))
        self.noise = log_uniform(rng, max(look.noise[0], 0.01), max(look.noise[1], 0.01))
        self.blur = log_uniform(rng, max(look.blur[0], 0.01), max(look.blur[1], 0.01))
        self.contrast = float(rng.uniform(*look.contrast))
        self.inverted = bool(rng.random() < look.inverted)

    def blurred(self, image: NDArray[np.float32], part: float, least_px: float = 0.4) -> NDArray[np.float32]:
        """Return `image` blurred as the field is; `part` of a diameter at blur 1, `least_px` at least."""
        sigma = max(least_px, part * self.blur * self.diameter)
        return np.asarray(gaussian_filter(image, sigma, truncate=3.0), dtype=np.float32)


def draw_look(look: FieldLook, style: str, rng: np.random.Generator) -> Drawn:
    """Return one field's choices."""
    return Drawn(look, style, rng)


def expose_dark(light: NDArray[np.float32], field: Drawn) -> NDArray[np.float32]:
    """Return the counts of a dark-field camera image of `light`, of any unit."""
    rng = field.rng
    light = light / np.float32(max(float(np.quantile(light, rng.uniform(0.985, 0.999))), 0.02))
    photons = _PHOTONS * log_uniform(rng, 0.25, 4.0) / field.noise**2
    seen = _noisy(light, photons, 0.004 + 0.006 * field.noise, rng)
    if rng.random() < _EIGHT_BIT:
        full = log_uniform(rng, 50, 270)
        return _digitise(seen, scale=full, offset=rng.uniform(0, 12), top=255)
    full = log_uniform(rng, 300, 20000)
    return _digitise(seen, scale=full, offset=rng.uniform(50, 400), top=65535)


def expose_bright(light: NDArray[np.float32], field: Drawn) -> NDArray[np.float32]:
    """Return the counts of a transmitted-light image of `light`, in which an empty field is about 1 bright."""
    rng = field.rng
    photons = 8 * _PHOTONS * log_uniform(rng, 0.5, 4.0) / field.noise**2
    seen = _noisy(light, photons, 0.002 * field.noise, rng)
    if rng.random() < 0.7:
        return _digitise(seen, scale=rng.uniform(90, 175), offset=0.0, top=255)
    return _digitise(seen, scale=log_uniform(rng, 800, 30000), offset=rng.uniform(0, 200), top=65535)


def _noisy(
    light: NDArray[np.float32], photons: float, read_noise: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return light with shot noise (normal approximation) and read noise; sometimes resampled, so that it is smooth."""
    spread = np.sqrt(np.maximum(light, 0) / np.float32(photons) + np.float32(read_noise**2))
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    if rng.random() < _SMOOTHED:
        noise = np.asarray(gaussian_filter(noise, rng.uniform(0.4, 0.8)), dtype=np.float32)
    return np.asarray(light + spread * noise, dtype=np.float32)


def _digitise(seen: NDArray[np.float32], *, scale: float, offset: float, top: int) -> NDArray[np.float32]:
    return np.asarray(np.rint(np.clip(seen * np.float32(scale) + np.float32(offset), 0, top)), dtype=np.float32)
