"""What every correction keeps to: a part of a plane equals the same part of the whole, whatever the type."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cellmetry as cm
from cellmetry.core.image import Box
from cellmetry.ops.bleed_through import Unmixing, unmixing_weights
from cellmetry.ops.correct import PlaneReader
from cellmetry.ops.denoise import GaussianFilter, MedianFilter, NonLocalMeans
from cellmetry.ops.normalise import Normalisation
from cellmetry.ops.shapes import Shape
from cellmetry.ops.subtract import DarkSubtraction, ValueSubtraction
from cellmetry.ops.subtract_region import DrawnRegion, LabelRegion, RegionSubtraction

SHAPE = (290, 310)
REGION = np.zeros(SHAPE, np.uint32)
REGION[40:80, 100:] = 2
CORRECTIONS = {
    "dark": DarkSubtraction(5.0),
    "dark clipped": DarkSubtraction(50.0, "clip"),
    "value": ValueSubtraction({0: 3.5, 1: 200.0}),
    "drawn": RegionSubtraction(DrawnRegion((Shape(name="a", polygon=((0, 0), (40, 2), (9, 70))),))),
    "labels": RegionSubtraction(LabelRegion(cm.labels_from_array(REGION)), "median"),
    "z": Normalisation("z"),
    "robust": Normalisation("robust"),
    "minmax": Normalisation("minmax"),
    "percentile": Normalisation("percentile", (2.0, 97.0)),
    "median": MedianFilter(5),
    "gaussian": GaussianFilter(2.3),
    "nlm": NonLocalMeans(3, 4, 0.8),
    "unmixing": Unmixing(unmixing_weights(np.array([[0, 0.1], [0.2, 0]]), exact=True)),
}


def image_of(kind: str) -> cm.Image:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    light = 40 + y / 4 + 100 * (np.hypot(y % 50 - 25, x % 50 - 25) < 14)
    pixels = np.random.default_rng(1).poisson(np.stack([light, 0.3 * light[::-1]]))
    return cm.image_from_array(np.clip(pixels, 0, 255 if kind == "uint8" else None).astype(kind), "CYX")


IMAGES = {kind: image_of(kind) for kind in ("uint8", "uint16", "float32", "float64")}
WHOLE: dict[tuple[str, str, int], np.ndarray] = {}


def whole(name: str, kind: str, channel: int) -> np.ndarray:
    if (name, kind, channel) not in WHOLE:
        plane = PlaneReader(IMAGES[kind], 0, channel, 0)
        WHOLE[name, kind, channel] = CORRECTIONS[name].prepare(plane)(IMAGES[kind].plane_box)
    return WHOLE[name, kind, channel]


sides = st.integers(0, 280), st.integers(1, 40), st.integers(0, 300), st.integers(1, 40)


@pytest.mark.parametrize("name", CORRECTIONS)
@settings(max_examples=15)
@given(st.tuples(*sides), st.sampled_from(sorted(IMAGES)), st.sampled_from([0, 1]))
def test_a_part_equals_the_part_of_the_whole(name, place, kind, channel):
    y, height, x, width = place
    box = Box(y, min(y + height, SHAPE[0]), x, min(x + width, SHAPE[1]))
    part = CORRECTIONS[name].prepare(PlaneReader(IMAGES[kind], 0, channel, 0))(box)
    assert part.dtype == np.float32
    assert part.shape == box.shape
    np.testing.assert_array_equal(part, whole(name, kind, channel)[box.slices])


@pytest.mark.parametrize("name", CORRECTIONS)
def test_the_stored_type_makes_no_difference(name):
    for kind in ("float32", "float64"):
        np.testing.assert_array_equal(whole(name, kind, 0), whole(name, "uint16", 0))
