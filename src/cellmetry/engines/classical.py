"""Engine `classical`: thresholds, distances and summits; good results without any model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import edt
import numpy as np
from pydantic import Field
from scipy import ndimage

from cellmetry.core.image import Box
from cellmetry.core.step import Parameters
from cellmetry.engines.base import EngineNeeds, EngineSpec, TileEngine, refuse_gpu
from cellmetry.engines.plane import GREY_WEIGHTS
from cellmetry.errors import ParameterError
from cellmetry.ops.background import background_in, block_percentile, open_background
from cellmetry.ops.cleanup import drop, fill_small_holes
from cellmetry.ops.split import split_by_summits
from cellmetry.ops.stain import STAINS, stain_density
from cellmetry.ops.threshold import METHODS, global_threshold, object_brightness, own_edges, weighted_median
from cellmetry.ops.tiles import touches_edge

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.engines.plane import Plane

__all__ = ["ClassicalEngine", "ClassicalOptions"]

_BLOCK = 16
_SAMPLE_SIDE = 512
_THRESHOLD_SAMPLES = 16
_DIAMETER_SAMPLES = 9
_GUESSES_PX = (160.0, 80.0, 40.0, 20.0)
_AGREES = 0.9
_SPECK_PX = 12
_DOUBTFUL_PX = 10.0


class ClassicalOptions(Parameters):
    """Options of the engine `classical`."""

    look: Literal["auto", "bright", "dark", "stained"] = Field(
        "auto",
        description="What objects look like: bright on dark, dark on bright, or stained tissue (colour pictures). "
        "auto takes stained for colour pictures, else the side towards which the histogram has its longer tail.",
    )
    stain: Literal["haematoxylin", "eosin", "dab", "any"] = Field(
        "haematoxylin", description="Which stain of a colour picture to segment (colour deconvolution); any: all."
    )
    threshold: Literal["otsu", "li", "triangle"] = Field(
        "triangle", description="How the global threshold is found, on pixels after background subtraction."
    )
    sensitivity: float = Field(
        1.0, gt=0, le=10, description="Divides the global threshold: above 1 finds fainter objects."
    )
    contrast: float = Field(
        7.0,
        ge=0,
        description="Least height of the threshold above the background, in standard deviations of its noise.",
    )
    faint: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Drop objects fainter than this share of the usual brightness of the plane's objects.",
    )
    edge: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Where an object ends: share of its own brightness at which it is cut; 0 for the global threshold.",
    )
    split: float = Field(
        1.0, ge=0, le=10, description="How readily touching objects are parted: 0 never, 1 usual, more is more."
    )
    intensity_weight: float = Field(
        0.5, ge=0, le=1, description="Part that brightness has, beside shape, in finding the objects' centres."
    )


@dataclass(frozen=True)
class _Prepared:
    """What all tiles of a plane share."""

    shape: tuple[int, int]
    sign: int
    coarse: NDArray[np.float32]
    threshold: float
    diameter: float
    least: float = 0.0


class ClassicalEngine(TileEngine):
    """Background-aware threshold, then splitting by shape and brightness. No training, no download.

    The background is an opening of a coarse grid of low percentiles; the global threshold (Otsu 1979, Li &
    Lee 1993 or the triangle of Zack et al. 1977) is found on fixed samples of the plane; objects are parted
    where the landscape of distance to the background and brightness has a pass deep enough; each then ends
    at a share of its own brightness.
    """

    name = "classical"
    summary = "threshold and watershed: bright, dark or stained objects; no model needed"
    takes_colour: ClassVar[bool] = True
    options_type = ClassicalOptions

    def __init__(self, options: Parameters, spec: EngineSpec) -> None:
        super().__init__(options, spec)
        self.choices = cast("ClassicalOptions", options)
        if spec.model is not None:
            raise ParameterError(f"The engine classical has no models; leave out --model {spec.model}.")
        refuse_gpu(self.name, spec)

    @property
    def needs(self) -> EngineNeeds:
        """Tiles at the image's own scale, as stored."""
        return EngineNeeds(channels=1, margin_px=128)

    def prepare(self, plane: Plane) -> _Prepared:
        """Return the background on a coarse grid, the threshold and the objects' diameter."""
        samples = [self._signal(plane.read(box)) for box in _sample_boxes(plane.shape, _DIAMETER_SAMPLES)]
        sign = self._sign(samples, plane)
        coarse = self._coarse(plane, sign)
        diameter = plane.diameter_px or self._estimate_diameter(plane, sign, coarse)
        background = open_background(coarse, _window(diameter, coarse.shape))
        threshold = self._threshold(plane, sign, background, diameter)
        prepared = _Prepared(plane.shape, sign, background, threshold, diameter)
        return replace(prepared, least=self.choices.faint * self._usual_brightness(plane, prepared))

    def doubts(self, plane: Plane, prepared: Any) -> list[str]:
        """Return a warning where objects seem to be hardly larger than noise and nobody said how large they are."""
        if plane.diameter_px is not None or prepared.diameter >= _DOUBTFUL_PX or not np.isfinite(prepared.threshold):
            return []
        return [
            f"The objects in {plane.image.name} seem to be {prepared.diameter:.0f} px wide, which may be noise or "
            f"grain; say how wide they are with diameter_um or diameter_px."
        ]

    def margin_px(self, prepared: Any) -> int:
        """Return two and a half diameters, at least 128 pixels."""
        return max(self.needs.margin_px, int(2.5 * prepared.diameter))

    def predict(self, tile: NDArray[np.float32], box: Box, prepared: Any) -> NDArray[np.int32]:
        """Return labels of one tile."""
        raised = self._raised(tile, box, prepared)
        labels = self._label(raised, prepared.threshold, prepared.diameter)
        if prepared.least == 0:
            return labels
        cut = touches_edge(labels, box, prepared.shape)
        return drop(labels, (object_brightness(labels, raised) >= prepared.least) | cut)

    def _signal(self, tile: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return one value a pixel: the stored one, or a colour picture's stain density or grey value."""
        if tile.shape[0] == 1:
            return np.asarray(tile[0])
        if tile.shape[0] != 3:
            raise ParameterError(f"The engine classical takes one channel or a colour picture, not {tile.shape[0]}.")
        if self.choices.look in ("bright", "dark"):
            return np.asarray(np.tensordot(GREY_WEIGHTS, tile, axes=1), dtype=np.float32)
        return stain_density(tile, STAINS[self.choices.stain])

    def _sign(self, samples: list[NDArray[np.float32]], plane: Plane) -> int:
        """Return 1 for bright objects (and stain densities), -1 for dark ones."""
        look = self.choices.look
        if look == "stained" and len(plane.channels) != 3:
            raise ParameterError("look=stained needs a colour picture (three channels); this image has one channel.")
        if look != "auto" or len(plane.channels) == 3:
            return -1 if look == "dark" else 1
        low, middle, high = np.percentile(np.concatenate([s.ravel() for s in samples]), [1, 50, 99])
        return 1 if high - middle >= middle - low else -1

    def _coarse(self, plane: Plane, sign: int) -> NDArray[np.float32]:
        """Return a low percentile of each square of the plane, on a grid fixed to it."""
        height, width = plane.shape
        out = np.empty((-(-height // _BLOCK), -(-width // _BLOCK)), np.float32)
        side = 128 * _BLOCK
        for y0 in range(0, height, side):
            for x0 in range(0, width, side):
                box = Box(y0, min(y0 + side, height), x0, min(x0 + side, width))
                part = block_percentile(sign * self._signal(plane.read(box)), _BLOCK, 25)
                row, column = y0 // _BLOCK, x0 // _BLOCK
                out[row : row + part.shape[0], column : column + part.shape[1]] = part
        return out

    def _raised(self, tile: NDArray[np.float32], box: Box, prepared: _Prepared) -> NDArray[np.float32]:
        """Return smoothed brightness above the background."""
        signal = prepared.sign * self._signal(tile) - background_in(box, prepared.coarse, _BLOCK)
        sigma = max(0.5, prepared.diameter / 24)
        return np.asarray(ndimage.gaussian_filter(signal, sigma, mode="nearest"), dtype=np.float32)

    def _sampled(self, plane: Plane, prepared: _Prepared, count: int) -> list[NDArray[np.float32]]:
        return [self._raised(plane.read(box), box, prepared) for box in _sample_boxes(plane.shape, count)]

    def _threshold(self, plane: Plane, sign: int, background: NDArray[np.float32], diameter: float) -> float:
        samples = self._sampled(plane, _Prepared(plane.shape, sign, background, 0.0, diameter), _THRESHOLD_SAMPLES)
        values = np.concatenate([sample.ravel() for sample in samples])
        chosen = METHODS[self.choices.threshold]
        whole = np.issubdtype(plane.image.dtype, np.integer) and len(plane.channels) == 1
        found = global_threshold(values, chosen, least_contrast=self.choices.contrast, quantum=float(whole))
        return found / self.choices.sensitivity

    def _usual_brightness(self, plane: Plane, prepared: _Prepared) -> float:
        """Return the brightness that half of the objects' area exceeds, on samples of the plane."""
        levels, sizes = [np.zeros(1)], [np.zeros(1, np.int64)]
        for sample in self._sampled(plane, prepared, _DIAMETER_SAMPLES):
            labels = self._label(sample, prepared.threshold, prepared.diameter)
            levels.append(object_brightness(labels, sample)[1:])
            sizes.append(np.bincount(labels.ravel())[1:])
        return weighted_median(np.concatenate(levels), np.concatenate(sizes))

    def _estimate_diameter(self, plane: Plane, sign: int, coarse: NDArray[np.float32]) -> float:
        """Return the diameter of the plane's objects: the largest that agrees with what it finds, found once more.

        Looking for objects much larger than there are finds smaller ones; looking for much smaller ones finds
        fragments, which agree as well. So guesses go downwards.
        """
        for guess in _GUESSES_PX:
            if guess > min(plane.shape) / 2 and guess != _GUESSES_PX[-1]:
                continue
            found = self._usual_diameter(plane, sign, coarse, guess)
            if found is not None and found >= _AGREES * guess:
                break
        if found is None:
            return _GUESSES_PX[-1]
        return self._usual_diameter(plane, sign, coarse, found) or found

    def _usual_diameter(self, plane: Plane, sign: int, coarse: NDArray[np.float32], guess: float) -> float | None:
        """Return the median diameter, weighted by area, of the objects found by a guess; None if there are none."""
        background = open_background(coarse, _window(guess, coarse.shape))
        threshold = self._threshold(plane, sign, background, guess)
        prepared = _Prepared(plane.shape, sign, background, threshold, guess)
        samples = self._sampled(plane, prepared, _DIAMETER_SAMPLES)
        found = [np.bincount(self._label_once(sample, threshold, guess).ravel())[1:] for sample in samples]
        sizes = np.concatenate(found)
        sizes = sizes[sizes > _SPECK_PX]
        if not sizes.size:
            return None
        return float(np.clip(2 * np.sqrt(weighted_median(sizes, sizes) / np.pi), 6, 400))

    def _label(self, raised: NDArray[np.float32], threshold: float, diameter: float) -> NDArray[np.int32]:
        """Return labels: a first split at the global threshold, then one within the objects' own edges."""
        labels = self._label_once(raised, threshold, diameter)
        if self.choices.edge == 0:
            return labels
        return own_edges(self._split(raised, labels > 0, diameter), raised, self.choices.edge)

    def _label_once(self, raised: NDArray[np.float32], threshold: float, diameter: float) -> NDArray[np.int32]:
        """Return labels split at the global threshold, each cut at its own edge."""
        foreground = fill_small_holes(raised > threshold, np.pi / 4 * diameter**2)
        labels = self._split(raised, foreground, diameter)
        return labels if self.choices.edge == 0 else own_edges(labels, raised, self.choices.edge)

    def _split(self, raised: NDArray[np.float32], foreground: NDArray[np.bool_], diameter: float) -> NDArray[np.int32]:
        landscape = self._landscape(raised, foreground, diameter)
        return split_by_summits(landscape, foreground, depth=self._depth())

    def _depth(self) -> float:
        return np.inf if self.choices.split == 0 else 0.04 / self.choices.split

    def _landscape(
        self, raised: NDArray[np.float32], foreground: NDArray[np.bool_], diameter: float
    ) -> NDArray[np.float32]:
        """Return log of the distance to the background, with log of the brightness by its weight."""
        distance = edt.edt(foreground.astype(np.uint8), black_border=False)
        distance = ndimage.gaussian_filter(distance, diameter / 16, mode="nearest")
        shape = np.log(distance + diameter / 8)
        if self.choices.intensity_weight == 0:
            return np.asarray(shape, dtype=np.float32)
        bright = ndimage.gaussian_filter(raised, diameter / 10, mode="nearest")
        floor = max(float(np.finfo(np.float32).tiny), 1e-6 * float(np.abs(bright).max(initial=0)))
        return np.asarray(shape + self.choices.intensity_weight * np.log(np.maximum(bright, floor)), dtype=np.float32)


def _window(diameter: float, grid: tuple[int, ...]) -> int:
    """Return how many grid cells the opening spans: three diameters, at most the whole grid."""
    return max(1, min(round(3 * diameter / _BLOCK) + 1, *grid))


def _sample_boxes(shape: tuple[int, int], count: int) -> list[Box]:
    """Return the whole plane, or `count` evenly spread squares of it: always the same for a shape."""
    if shape[0] * shape[1] <= count * _SAMPLE_SIDE**2:
        return [Box(0, shape[0], 0, shape[1])]
    per_side = int(np.sqrt(count))
    side = (min(_SAMPLE_SIDE, shape[0]), min(_SAMPLE_SIDE, shape[1]))
    rows = np.linspace(0, shape[0] - side[0], per_side).astype(int)
    columns = np.linspace(0, shape[1] - side[1], per_side).astype(int)
    return [Box(int(y), int(y) + side[0], int(x), int(x) + side[1]) for y in rows for x in columns]
