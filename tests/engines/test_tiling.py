"""No cell is cut or doubled at a seam: any tile size gives the same labels, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import ndimage

import cellmetry as cm
from cellmetry.core.image import Box
from cellmetry.core.step import Parameters
from cellmetry.engines.base import EngineNeeds, EngineSpec, TileEngine
from cellmetry.engines.plane import Plane
from cellmetry.engines.tiling import label_plane
from cellmetry.ops.cleanup import Cleanup
from cellmetry.ops.synthetic import make_cells

FIELD = make_cells((700, 900), 150, seed=1)


class Components(TileEngine):
    """Connected pixels above one half: what a seam would cut shows at once."""

    name = "components"
    summary = "connected components"
    margin, diameter = 16, None

    def __init__(self) -> None:
        super().__init__(Parameters(), EngineSpec())

    @property
    def needs(self) -> EngineNeeds:
        return EngineNeeds(margin_px=self.margin, diameter_px=self.diameter)

    def predict(self, tile: np.ndarray, box: Box, prepared: Any) -> np.ndarray:
        labels, _ = ndimage.label(tile[0] > 0.5, np.ones((3, 3)))
        return labels.astype(np.int32)


def label(pixels: np.ndarray, tile: int, engine: TileEngine | None = None, **cleanup: Any) -> np.ndarray:
    out = np.zeros(pixels.shape, np.uint32)
    plane = Plane(cm.image_from_array(pixels), (0,))
    label_plane(engine or Components(), plane, Cleanup(**cleanup), out, tile=tile)
    return out


@pytest.mark.parametrize("tile", [64, 100, 256, 511])
def test_classical_labels_do_not_depend_on_the_tile(tile: int) -> None:
    image = cm.image_from_array(FIELD.image[1])
    whole = cm.segment(image, engine="classical", tile_px=4096)
    tiled = cm.segment(image, engine="classical", tile_px=tile)
    assert cm.labels_hash(tiled) == cm.labels_hash(whole)
    assert whole.read().max() > 100


@pytest.mark.parametrize("diameter_px", [9, 21, 60])
def test_rescaled_work_does_not_depend_on_the_tile(diameter_px: float) -> None:
    class Rescaled(Components):
        diameter = 15.0

    pixels = (FIELD.labels > 0).astype(np.float32)
    results = []
    for tile in (64, 333, 4096):
        out = np.zeros(pixels.shape, np.uint32)
        plane = Plane(cm.image_from_array(pixels), (0,), scale=15.0 / diameter_px)
        label_plane(Rescaled(), plane, Cleanup(), out, tile=tile)
        results.append(out)
    assert results[0].max() > 50
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), tile=st.integers(8, 64), smooth=st.floats(1, 6))
def test_random_shapes_of_any_size_come_out_whole(seed: int, tile: int, smooth: float) -> None:
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).random((150, 170)), smooth)
    pixels = (noise > np.percentile(noise, 70)).astype(np.float32)
    expected, count = ndimage.label(pixels, np.ones((3, 3)))
    tiled = label(pixels, tile, fill_holes=False)
    if tiled.max() == count:
        np.testing.assert_array_equal(tiled, expected)
    else:  # only objects larger than a tile may ever read can be cut, and then it is said
        out = np.zeros(pixels.shape, np.uint32)
        result = label_plane(Components(), Plane(cm.image_from_array(pixels), (0,)), Cleanup(), out, tile=tile)
        assert result.cut > 0


def test_ids_follow_the_raster_order_of_first_pixels() -> None:
    labels = label((FIELD.labels > 0).astype(np.float32), 128)
    ids, first = np.unique(labels, return_index=True)
    assert (np.diff(first[ids > 0]) > 0).all()
    assert ids.tolist() == list(range(len(ids)))


def test_an_object_longer_than_tile_and_margin_is_whole() -> None:
    pixels = np.zeros((300, 300), np.float32)
    pixels[140:150, 5:295] = 1
    labels = label(pixels, 32)
    assert np.unique(labels).tolist() == [0, 1]
    assert (labels > 0).sum() == 2900


def test_clean_up_limits_count_whole_objects() -> None:
    pixels = np.zeros((200, 200), np.float32)
    pixels[60:70, 55:75], pixels[100:103, 100:103], pixels[0:10, 150:160] = 1, 1, 1
    assert np.unique(label(pixels, 64, min_area_px=100)).size == 3
    assert np.unique(label(pixels, 64, min_area_px=100, max_area_px=150)).size == 2
    assert np.unique(label(pixels, 64, keep_border=False)).size == 3


@pytest.mark.parametrize(
    "cleanup",
    [
        {"min_area_px": 2000},
        {"max_area_px": 2000},
        {"keep_border": False, "border_percent": 10, "inside_fraction": 0.6},
        {"smooth_px": 1},
    ],
)
def test_clean_up_judges_long_objects_as_a_whole(cleanup: dict) -> None:
    pixels = np.zeros((300, 900), np.float32)
    pixels[100:104, 10:810] = 1
    pixels[200:204, 30:330] = 1
    pixels[250:253, 700:890] = 1
    np.testing.assert_array_equal(label(pixels, 48, **cleanup), label(pixels, 4096, **cleanup))


def test_faint_objects_are_judged_as_a_whole() -> None:
    """One end of the strip is bright: a tile that sees only the rest must not drop it."""
    pixels = np.full((200, 700), 100, np.float32)
    pixels[50:60, 20:60] = pixels[120:130, 20:600] = 2100
    pixels[120:130, 100:600] = 220
    options = {"split": 0, "faint": 0.3, "edge": 0.0}
    image = cm.image_from_array(pixels)
    hashes = {
        cm.labels_hash(cm.segment(image, engine="classical", diameter_px=10, options=options, tile_px=tile))
        for tile in (64, 128, 4096)
    }
    assert len(hashes) == 1


def test_nothing_is_written_outside_labels_of_this_image() -> None:
    labels = label(np.zeros((100, 100), np.float32), 32)
    assert labels.max() == 0
