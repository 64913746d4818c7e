"""Maps of whole images: the same whatever the tiles, the density's sum kept at every scale, large ones on disk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.core.image import Box, image_from_array
from cellmetry.core.labels import labels_hash
from cellmetry.engines.base import EngineSpec, load_engine
from cellmetry.engines.maps import MapStore, map_plane
from cellmetry.engines.segment import Segment, planes_of, segment_with
from cellmetry.errors import ModelError, ParameterError
from cellmetry.ops.density import spread_density
from cellmetry.ops.resample import resampled_size

from .test_network import discs
from .tiny_model import write_model

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.core.image import Image

HEADS = ("foreground", "flow", "density")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models"))


def maps_of(path: Path, image: Image, *, tile: int = 1024, **choices: float) -> dict[str, np.ndarray]:
    engine = load_engine("cellmetry", spec=EngineSpec(model=str(path)))
    step = Segment(engine="cellmetry", model=str(path), **choices)
    store = MapStore(image, HEADS)
    for plane in planes_of(step, engine, image):
        map_plane(engine, plane, store, tile=tile)
    return {head: made.read() for head, made in store.images().items()}


def field(size: int = 300, pitch: float = 30) -> Image:
    pixels, _ = discs(pitch, 10, size=size)
    return image_from_array((pixels * 1000 + 500).astype(np.uint16), pixel_size_um=0.5, name="field")


@pytest.mark.parametrize("diameter_px", [None, 20, 33, 13])
def test_tiles_change_nothing(tmp_path: Path, diameter_px: float | None) -> None:
    path = write_model(tmp_path, diameter_px=20.0)
    choices = {} if diameter_px is None else {"diameter_px": diameter_px}
    whole = maps_of(path, field(500), **choices)
    for tile in (64, 100):
        tiled = maps_of(path, field(500), tile=tile, **choices)
        for head in HEADS:
            assert tiled[head].shape == ((2, 500, 500) if head == "flow" else (500, 500))
            assert tiled[head].dtype == np.float32
            np.testing.assert_allclose(tiled[head], whole[head], atol=2e-5 * np.abs(whole[head]).max())


@pytest.mark.parametrize("factor", [0.37, 0.5, 0.81, 1.0, 1.7, 2.0, 3.3])
def test_the_sum_of_the_density_does_not_depend_on_scale(tmp_path: Path, factor: float) -> None:
    """The sum in the image's pixels is the sum of what the network put out in its own."""
    path = write_model(tmp_path, diameter_px=20.0)
    image = field(301)
    made = maps_of(path, image, tile=128, diameter_px=20 / factor)
    engine = load_engine("cellmetry", spec=EngineSpec(model=str(path)))
    [plane] = planes_of(Segment(engine="cellmetry", model=str(path), diameter_px=20 / factor), engine, image)
    low, high = plane.percentiles(*engine.needs.normalise)[0]
    pixels = plane.read(image.plane_box._replace(y1=plane.shape[0], x1=plane.shape[1]))
    own = engine.predict_maps(((pixels - low) / (high - low)).astype(np.float32))["density"]
    assert made["density"].sum(dtype=float) == pytest.approx(own.sum(dtype=float), rel=1e-5)
    assert made["density"].min() >= 0


def test_labels_are_those_of_segment_and_maps_come_with_them(tiny: Path) -> None:
    image = field(500)
    plain = segment_with(Segment(engine="cellmetry", model=str(tiny), tile_px=128), image)
    both = segment_with(Segment(engine="cellmetry", model=str(tiny), tile_px=128, maps=HEADS), image)
    assert labels_hash(both.labels) == labels_hash(plain.labels)
    assert not plain.maps
    alone = maps_of(tiny, image)
    for head in HEADS:
        np.testing.assert_allclose(both.maps[head].read(), alone[head], atol=2e-5 * np.abs(alone[head]).max())
    density = both.maps["density"]
    assert (density.axes, density.name, density.pixel_size) == ("YX", "field", image.pixel_size)
    assert both.maps["flow"].axes == "CYX"


def test_stacks_have_a_map_for_each_plane(tiny: Path) -> None:
    single = field(160).read()
    stack = image_from_array(np.stack([single, single[::-1], single * 0 + 500]), "TYX")
    made = maps_of(tiny, stack)
    assert made["density"].shape == (3, 160, 160)
    np.testing.assert_allclose(made["density"][0], made["density"][1][::-1], atol=1e-6)
    assert made["density"][2].sum() < 0.1 * made["density"][0].sum()


def test_large_maps_lie_on_disk(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = maps_of(tiny, field())
    monkeypatch.setenv("CELLMETRY_MAX_LABELS_IN_MEMORY", "1000")
    store = MapStore(field(), ("density",))
    assert not isinstance(store.arrays["density"], np.ndarray)
    on_disk = maps_of(tiny, field(), tile=100)
    np.testing.assert_allclose(on_disk["density"], here["density"], atol=1e-7)


def test_what_cannot_be_mapped_is_refused(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="engine classical makes no maps"):
        segment_with(Segment(engine="classical", maps=("density",)), field())
    few = write_model(tmp_path, heads=("foreground", "flow"))
    with pytest.raises(ModelError, match="makes no map 'density'; it makes foreground, flow"):
        segment_with(Segment(engine="cellmetry", model=str(few), maps=("density",)), field())
    with pytest.raises(ParameterError, match="takes 1 of an image's channels"):
        map_as_three_channels(tiny)


def map_as_three_channels(path: Path) -> None:
    engine = load_engine("cellmetry", spec=EngineSpec(model=str(path)))
    image = image_from_array(np.zeros((3, 64, 64), np.uint8), "CYX", colour=True)
    [plane] = planes_of(Segment(engine="cellmetry", model=str(path)), engine, image)
    map_plane(engine, replace(plane, grey=False), MapStore(image, ("density",)))


@settings(max_examples=25)
@given(factor=st.floats(0.2, 5), seed=st.integers(0, 99), split=st.integers(1, 40))
def test_any_split_shares_out_all_of_the_density(factor: float, seed: int, split: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (41, 53)
    source = rng.random(tuple(resampled_size(side, factor) for side in shape)).astype(np.float32)
    shapes = (shape, source.shape)
    whole = spread_density(source, (0, 0), Box(0, 41, 0, 53), shapes, factor)
    parts = [spread_density(source, (0, 0), Box(*rows, 0, 53), shapes, factor) for rows in ((0, split), (split, 41))]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-5)
    assert whole.sum(dtype=float) == pytest.approx(source.sum(dtype=float), rel=1e-5)
