"""The engine `cellmetry`, with a network whose right answers are known: the contract, refusals, real runs."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from onnx import TensorProto, helper
from scipy import ndimage

from cellmetry.core.image import ArraySource, Box, image_from_array
from cellmetry.core.labels import labels_hash
from cellmetry.engines.base import EngineNeeds, EngineSpec, TileEngine, load_engine
from cellmetry.engines.network import PlaneState
from cellmetry.engines.plane import Plane
from cellmetry.engines.segment import _scale, segment
from cellmetry.engines.sessions import open_session
from cellmetry.errors import ModelError, ParameterError, UnknownName
from cellmetry.models.store import find_model
from cellmetry.ops.joining import Joining
from cellmetry.ops.matching import match_labels
from cellmetry.ops.tiles import plan_tiles
from cellmetry.testing.engine import EngineContract

from .tiny_model import STRIDE, tiny_graph, write_model

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.engines.network import NetworkEngine


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp("models"))


def engine(path: Path, device: str = "auto", **options) -> NetworkEngine:
    return load_engine("cellmetry", options, EngineSpec(model=str(path), device=device))


def discs(pitch: float, radius: float, *, size: int = 512, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return a noisy image of discs on a jittered grid, brightness 1 on 0, and their labels."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    row, column = (y // pitch).astype(int), (x // pitch).astype(int)
    cells = row.max() + 1, column.max() + 1
    jitter = rng.uniform(-1, 1, (2, *cells))
    centre_y = (row + 0.5) * pitch + jitter[0, row, column]
    centre_x = (column + 0.5) * pitch + jitter[1, row, column]
    labels = np.where(np.hypot(y - centre_y, x - centre_x) <= radius, row * cells[1] + column + 1, 0)
    light = ndimage.gaussian_filter((labels > 0).astype(float), 1) + rng.normal(0, 0.03, labels.shape)
    return light.astype(np.float32), labels.astype(np.int32)


def predict(net: NetworkEngine, pixels: np.ndarray) -> np.ndarray:
    return net.predict(pixels[None], Box(0, pixels.shape[0], 0, pixels.shape[1]), PlaneState(pixels.shape, None))


class TestContract(EngineContract):
    @pytest.fixture(autouse=True)
    def _model(self, tiny):
        self.path = tiny

    def make(self) -> TileEngine:
        return engine(self.path)


@pytest.mark.parametrize(("pitch", "radius"), [(40, 10), (28, 11), (23, 11.5), (22, 11.5)])
def test_separate_and_touching_discs_are_found(tiny, pitch, radius):
    pixels, truth = discs(pitch, radius)
    found = match_labels(truth, predict(engine(tiny), pixels))
    assert found.f1 > 0.95
    assert found.mean_matched_iou > 0.9


def test_tiles_give_the_cells_of_the_whole_plane(tiny):
    """Every cell whose centre a tile owns is the cell that the untiled plane has, pixel for pixel."""
    pixels, _ = discs(24, 11.5, size=520)
    net = engine(tiny)
    whole = predict(net, pixels)
    owned = 0
    for size in (128, 200):
        for tile in plan_tiles(pixels.shape, size, net.needs.margin_px, net.needs.align):
            labels = predict(net, np.ascontiguousarray(pixels[tile.read.slices]))
            expected = whole[tile.read.slices]
            core = tile.core.within(tile.read).slices
            for index in np.unique(expected[core]):
                inside = expected == index
                centre = ndimage.center_of_mass(inside)
                if index and all(part.start <= at < part.stop for part, at in zip(core, centre, strict=True)):
                    ids = np.unique(labels[inside])
                    assert ids.size == 1
                    assert np.array_equal(labels == ids[0], inside)
                    owned += 1
    assert owned == 2 * (np.unique(whole).size - 1)


@pytest.mark.parametrize("tile_px", [64, 200, 1024])
def test_segment_rescales_normalises_and_tiles(tmp_path, tile_px):
    """Large dim discs on a bright ground, in 16 bits: scaled down to the working diameter, the network finds them."""
    path = write_model(tmp_path, diameter_px=20.0)
    rng = np.random.default_rng(0)
    _, truth = discs(32, 11)
    truth = truth.repeat(2, axis=0).repeat(2, axis=1)
    pixels = 5000 + 300 * ndimage.gaussian_filter((truth > 0).astype(float), 2) + rng.normal(0, 10, truth.shape)
    image = image_from_array(pixels.astype(np.uint16))
    labels = segment(image, engine="cellmetry", model=str(path), diameter_px=44, tile_px=tile_px)
    found = match_labels(truth, labels.read())
    assert found.f1 == 1
    assert found.mean_matched_iou > 0.93


def test_tile_sizes_give_one_answer(tiny):
    pixels, _ = discs(24, 11.5, size=600)
    image = image_from_array((pixels * 1000 + 500).astype(np.uint16))
    hashes = {
        labels_hash(segment(image, engine="cellmetry", model=str(tiny), tile_px=tile_px))
        for tile_px in (64, 256, 300, 1024)
    }
    assert len(hashes) == 1


def test_sides_that_the_stride_does_not_divide_are_filled(tiny):
    pixels, _ = discs(30, 10, size=240)
    maps = engine(tiny).predict_maps(pixels[None, :237, :203])
    assert {name: output.shape for name, output in maps.items()} == {
        "foreground": (1, 237, 203),
        "flow": (2, 237, 203),
        "density": (1, 237, 203),
    }
    assert maps["density"].sum() == pytest.approx(maps["foreground"].sum() / (np.pi * 100), rel=1e-4)
    whole = engine(tiny).predict_maps(pixels[None])
    assert maps["foreground"][:, :200, :200] == pytest.approx(whole["foreground"][:, :200, :200], abs=1e-6)


def test_options_change_how_maps_are_read(tiny):
    pixels, _ = discs(40, 10)
    small = predict(engine(tiny, foreground_threshold=0.95), pixels)
    large = predict(engine(tiny, foreground_threshold=0.05), pixels)
    assert 0 < (small > 0).sum() < (large > 0).sum()
    assert engine(tiny, sink_radius_px=5).describe()["decoding"]["sink_radius_px"] == 5
    joining = engine(tiny, keep_from=0.9).describe()["decoding"]["joining"]
    assert (joining["join_from"], joining["keep_from"]) == (Joining().join_from, 0.9)
    with pytest.raises(UnknownName, match="foreground_threshold"):
        engine(tiny, foreground_treshold=0.4)


def test_what_is_unlikely_a_cell_is_dropped_and_where_the_image_goes_on_it_is_not(tiny):
    pixels = discs(40, 10)[0][:500]  # cuts a row of discs
    net = engine(tiny, keep_from=1.0)
    whole, part = PlaneState(pixels.shape, None), PlaneState((600, 512), None)
    box = Box(0, 500, 0, 512)
    assert not net.predict(pixels[None], box, whole).any()
    cut = net.predict(pixels[None], box, part)
    assert cut.any()
    assert set(np.unique(cut)) == set(np.unique(cut[-1]))


def test_the_record_names_the_model(tiny):
    description = engine(tiny, device="cpu").describe()
    card = find_model(tiny).card
    assert description["model"]["sha256"] == card.sha256
    assert description["model"]["licence"] == "BSD-3-Clause"
    assert description["device"] == "cpu"


def test_needs_are_those_of_the_card(tmp_path):
    path = write_model(tmp_path, diameter_px=30.0, percentiles=(2.0, 99.0), margin_px=64)
    needs = engine(path).needs
    assert (needs.diameter_px, needs.margin_px, needs.align, needs.normalise) == (30.0, 64, STRIDE, (2.0, 99.0))


def test_one_session_serves_all_engines_of_a_model(tiny):
    first, second = open_session(find_model(tiny), "cpu"), open_session(find_model(tiny), "cpu")
    assert first is second


def test_threads_change_no_bit(tiny, monkeypatch):
    pixels, _ = discs(24, 11.5, size=400)
    outputs = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("CELLMETRY_THREADS", threads)
        net = engine(tiny)
        assert net.describe()["threads"] == int(threads)
        outputs.append(net.predict_maps(pixels[None]))
    for other in outputs[1:]:
        assert all(np.array_equal(outputs[0][head], other[head]) for head in other)


def test_cuda_asked_for_and_not_there(tiny):
    if importlib.util.find_spec("onnxruntime_gpu"):
        pytest.skip("this machine may have CUDA")
    with pytest.raises(ParameterError, match="onnxruntime-gpu"):
        engine(tiny, device="cuda")
    assert engine(tiny, device="auto").describe()["device"] == "cpu"


def test_no_model_named_and_none_packaged(monkeypatch, tmp_path):
    monkeypatch.setattr("cellmetry.models.store.PACKAGED", tmp_path / "nothing")
    monkeypatch.setenv("CELLMETRY_MODELS", str(tmp_path))
    write_model(tmp_path, "mine")
    with pytest.raises(ModelError, match=r"no model 'base'.*Known: mine\..*--model PATH"):
        load_engine("cellmetry")


def test_a_model_that_only_counts_cannot_label(tmp_path):
    net = engine(write_model(tmp_path, heads=("density",)))
    assert list(net.predict_maps(np.zeros((1, 16, 16), np.float32))) == ["density"]
    with pytest.raises(ModelError, match="needs the heads foreground and flow, and it has density only"):
        segment(image_from_array(np.zeros((16, 16))), engine="cellmetry", model=str(tmp_path / "tiny.onnx"))


def test_a_wrong_number_of_channels_is_refused_before_pixels_are_read(tiny):
    class Unreadable(ArraySource):
        def read(self, *args, **kwargs):
            raise AssertionError

    image = image_from_array(np.zeros((2, 16, 16)), "CYX", channel_names=("dna", "actin"))
    plane = Plane(replace(image, source=Unreadable(image.source.array)), (0, 1))
    for begin in (engine(tiny).prepare, engine(tiny).usual_diameter):
        with pytest.raises(ParameterError, match=r"takes 1 of an image's channels \(grey\), but is given 2 of image"):
            begin(plane)


FOREIGN = {
    "two channels": ({"channels": 2}, {}, r"not tensor\(float\) \[1, 1, Y, X\]"),
    "fixed size": ({"sides": (64, 64)}, {}, "for any Y and X"),
    "card asks for two": ({}, {"channels": ("dna", "cytoplasm")}, r"\[1, 2, Y, X\]"),
    "head missing": ({}, {"heads": ("foreground", "flow", "boundary")}, "no output 'boundary'"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_network_that_is_not_what_its_card_says_is_refused(case, tmp_path):
    of_graph, of_card, message = FOREIGN[case]
    graph = tiny_graph()
    for value in graph.graph.input:
        if "channels" in of_graph:
            value.type.tensor_type.shape.dim[1].dim_value = of_graph["channels"]
        for dim, side in zip(value.type.tensor_type.shape.dim[2:], of_graph.get("sides", ()), strict=False):
            dim.dim_value = side
    if "channels" in of_graph:
        del graph.graph.node[:]
        graph.graph.node.extend(
            helper.make_node("ReduceMean", ["image"], [head], axes=[1], keepdims=1)
            for head in ("foreground", "flow", "density")
        )
    path = write_model(tmp_path, weights=graph.SerializeToString(), **of_card)
    with pytest.raises(ModelError, match=message):
        engine(path)


def simple_graph(nodes: list, outputs: tuple[str, ...] = ("foreground", "flow")) -> bytes:
    def value(name):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, None, None, None])

    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, "Y", "X"])
    graph = helper.make_graph(nodes, "simple", [image], [value(name) for name in outputs])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


BROKEN = {
    "flow of one channel": (
        ("Sigmoid", "Identity"),
        r"'flow' is float32 \(1, 1, 32, 40\), not float32 \(1, 2, 32, 40\)",
    ),
    "logits for probabilities": (("Shrunk", "Pair"), "must be a probability"),
    "not finite": (("Log", "Pair"), "not finite"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_trial_run_finds_wrong_outputs(case, tmp_path):
    (of_foreground, of_flow), message = BROKEN[case]
    made = {
        "Sigmoid": helper.make_node("Sigmoid", ["image"], ["foreground"]),
        "Identity": helper.make_node("Identity", ["image"], ["flow"]),
        "Pair": helper.make_node("Concat", ["image", "image"], ["flow"], axis=1),
        "Log": helper.make_node("Log", ["image"], ["foreground"]),
        "Shrunk": helper.make_node("Sub", ["image", "five"], ["foreground"]),
    }
    five = helper.make_node("Constant", [], ["five"], value=helper.make_tensor("", TensorProto.FLOAT, [], [5.0]))
    weights = simple_graph([five, made[of_foreground], made[of_flow]])
    path = write_model(tmp_path, weights=weights, heads=("foreground", "flow"))
    with pytest.raises(ModelError, match=message):
        engine(path)


def test_bytes_that_are_no_network(tmp_path):
    with pytest.raises(ModelError, match="ONNX Runtime cannot load it"):
        engine(write_model(tmp_path, weights=b"\x08\x07 not a network at all"))


def test_weights_that_point_at_other_files_are_refused(tmp_path):
    """ONNX can keep tensors in a file that it names; a model must be whole, so that its hash covers all of it."""
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.ones(7, np.float32).tobytes())
    for location in (str(secret), "secret.bin"):
        graph = tiny_graph()
        tensor = graph.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", "0"), ("length", "28")):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
        with pytest.raises(ModelError, match="in another file, which their hash does not cover"):
            engine(write_model(tmp_path, weights=graph.SerializeToString()))


def test_a_failing_run_names_the_model(tiny):
    with pytest.raises(ModelError, match=r"tiny\.onnx failed on a tile of 16 × 16"):
        engine(tiny).predict_maps(np.zeros((3, 16, 16), np.float32))


@pytest.mark.parametrize(
    ("given", "scale"), [(None, 1.0), (4.0, 2.0), (8.0, 1.0), (30.0, 1.0), (80.0, 1.0), (160.0, 0.5)]
)
def test_images_with_cells_of_unknown_sizes_are_rescaled_just_so_far(given: float | None, scale: float) -> None:
    assert _scale(EngineNeeds(diameters_px=(8.0, 80.0)), given) == scale
