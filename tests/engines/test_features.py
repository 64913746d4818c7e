"""Features gathered over tiles, what a model file says of its training images, and the warnings that follow."""

from __future__ import annotations

import json
import logging

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.core.image import Box, image_from_array
from cellmetry.engines.base import EngineSpec
from cellmetry.engines.familiarity import survey_features, survey_unfamiliarity
from cellmetry.engines.features import FeatureSum
from cellmetry.engines.network import NetworkEngine, NetworkOptions
from cellmetry.engines.plane import Plane
from cellmetry.engines.segment import Segment, segment_with
from cellmetry.errors import ModelError
from cellmetry.io.images import write_image
from cellmetry.models.familiarity_text import FAMILIARITY_KEY, familiarity_from_text, familiarity_to_text
from cellmetry.ops.familiarity import Familiarity, fit_familiarity
from cellmetry.ops.tiles import plan_tiles
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.recipe import parse_recipe

from .tiny_model import STRIDE, tiny_graph, write_model


def featured_graph(familiarity: Familiarity | None = None, *, features: bool = True) -> bytes:
    """The tiny network with features: mean and roughness of the smoothed image in squares of the stride."""
    model = tiny_graph()
    graph = model.graph
    if features:
        graph.initializer.append(numpy_helper.from_array(np.array([0], np.int64), "axis"))
        pool = {"kernel_shape": [STRIDE, STRIDE], "strides": [STRIDE, STRIDE]}
        graph.node.extend(
            [
                helper.make_node("Sub", ["image", "light"], ["detail"]),
                helper.make_node("Abs", ["detail"], ["rough"]),
                helper.make_node("Concat", ["light", "rough"], ["both"], axis=1),
                helper.make_node("AveragePool", ["both"], ["features"], **pool),
            ]
        )
        shape = [1, 2, "rows", "columns"]
        graph.output.append(helper.make_tensor_value_info("features", TensorProto.FLOAT, shape))
    if familiarity is not None:
        helper.set_model_props(model, {FAMILIARITY_KEY: familiarity_to_text(familiarity)})
    onnx.checker.check_model(model)
    return model.SerializeToString()


def smooth_field(seed: int, shape: tuple[int, int] = (96, 96), noise: float = 0.02) -> np.ndarray:
    """Discs on a ground, with noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = rng.normal(0, noise, shape)
    for cy, cx in rng.uniform(10, np.array(shape) - 10, (shape[0] * shape[1] // 1600, 2)):
        image += np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 60)
    return image.astype(np.float32)


def engine_of(path) -> NetworkEngine:
    return NetworkEngine(NetworkOptions(), EngineSpec(model=str(path), device="cpu"))


def plane_of(pixels: np.ndarray) -> Plane:
    return Plane(image_from_array(pixels, "YX", name="field"), (0,))


@pytest.fixture(scope="module")
def knowing(tmp_path_factory):
    """A model that knows smooth fields."""
    folder = tmp_path_factory.mktemp("models")
    blind = engine_of(write_model(folder, "blind", weights=featured_graph()))
    vectors = np.stack([survey_features(blind, plane_of(smooth_field(seed))) for seed in range(30)])
    return write_model(folder, "knowing", weights=featured_graph(fit_familiarity(vectors[:24], vectors[24:])))


@pytest.mark.parametrize("size", [16, 24, 40, 200])
def test_features_are_those_of_the_whole_plane_whatever_the_tiles(knowing, size):
    engine = engine_of(knowing)
    pixels = smooth_field(1, (150, 131))
    whole = FeatureSum(pixels.shape, STRIDE, 48)
    whole.add(engine.predict_features(pixels[None]), Box(0, 150, 0, 131))
    tiled = FeatureSum(pixels.shape, STRIDE, 48)
    for tile in plan_tiles(pixels.shape, size, 48, STRIDE):
        for read in (tile.read, tile.read):  # a tile that is read again counts once
            tiled.add(engine.predict_features(np.ascontiguousarray(pixels[None][:, *read.slices])), read)
    assert tiled._seen.all()
    np.testing.assert_allclose(tiled.mean(), whole.mean(), rtol=1e-5)


def test_a_tile_without_enough_context_adds_nothing():
    found = FeatureSum((400, 400), 16, 48)
    found.add(np.ones((3, 4, 4), np.float32), Box(160, 224, 160, 224))
    assert found.mean() is None


def test_an_unfamiliar_image_is_warned_of_in_any_tiling(knowing):
    strange = image_from_array(smooth_field(1, (160, 160), noise=0.5), "YX", name="strange")
    found = [
        segment_with(Segment(engine="cellmetry", model=str(knowing), tile_px=tile, maps=maps), strange)
        for tile, maps in ((64, ()), (1024, ()), (64, ("density",)))
    ]
    assert found[0].unfamiliarity == found[1].unfamiliarity == found[2].unfamiliarity > 1
    (sentence,) = (warning for warning in found[0].warnings if "unlike" in warning)
    assert sentence.startswith("strange looks unlike the images that the model knowing has learnt from (unfamiliarity ")
    usual = image_from_array(smooth_field(3), "YX")
    result = segment_with(Segment(engine="cellmetry", model=str(knowing)), usual)
    assert result.unfamiliarity <= 1
    assert not any("unlike" in warning for warning in result.warnings)


def test_a_survey_of_a_few_parts_says_what_the_whole_says(knowing):
    engine = engine_of(knowing)
    pixels = smooth_field(7, (1300, 1200), noise=0.5)
    whole = segment_with(Segment(engine="cellmetry", model=str(knowing)), image_from_array(pixels, "YX"))
    assert survey_unfamiliarity(engine, plane_of(pixels)) == pytest.approx(whole.unfamiliarity, rel=0.1)


def test_models_that_do_not_know_say_nothing(tmp_path):
    pixels = smooth_field(1, noise=0.5)
    for weights in (featured_graph(), featured_graph(features=False)):
        path = write_model(tmp_path, "silent", weights=weights)
        assert survey_unfamiliarity(engine_of(path), plane_of(pixels)) is None
        result = segment_with(Segment(engine="cellmetry", model=str(path)), image_from_array(pixels, "YX"))
        assert result.unfamiliarity is None
        assert not any("unlike" in warning for warning in result.warnings)


def test_what_a_file_says_of_its_training_is_kept_exactly():
    known = fit_familiarity(np.random.default_rng(0).normal(size=(9, 5)))
    again = familiarity_from_text(familiarity_to_text(known))
    assert again.usual == known.usual
    for one, other in zip(known[:3], again[:3], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:-9], "is damaged"),
        (lambda text: text.replace('"usual"', '"unusual"'), "is damaged"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "format 2; upgrade"),
        (lambda text: text.replace('"shape": [2]', '"shape": [1, 2]'), "does not fit together"),
    ],
)
def test_damage_is_refused_with_the_file_named(tmp_path, change, said):
    text = familiarity_to_text(fit_familiarity(np.random.default_rng(0).normal(size=(9, 2))))
    with pytest.raises(ModelError, match=said):
        familiarity_from_text(change(text))
    model = onnx.load_model_from_string(featured_graph())
    helper.set_model_props(model, {FAMILIARITY_KEY: change(text)})
    path = write_model(tmp_path, "damaged", weights=model.SerializeToString())
    with pytest.raises(ModelError, match=rf"damaged\.onnx is not the network .*{said}"):
        engine_of(path)


def test_features_of_another_number_are_refused(tmp_path):
    known = fit_familiarity(np.random.default_rng(0).normal(size=(9, 5)))
    path = write_model(tmp_path, "other", weights=featured_graph(known))
    with pytest.raises(ModelError, match=r"'features' has the shape \(2, 2, 3\), not \(5, 2, 3\)"):
        engine_of(path)
    path = write_model(tmp_path, "without", weights=featured_graph(known, features=False))
    with pytest.raises(ModelError, match="by an output 'features', which it lacks"):
        engine_of(path)


def test_a_long_batch_is_warned_of_before_it_starts_and_every_image_has_its_number(knowing, tmp_path, caplog):
    for number in range(10):
        write_image(image_from_array(smooth_field(number, noise=0.5), "YX"), tmp_path / "in" / f"f{number}.tif")
    recipe = parse_recipe(
        {"name": "r", "steps": [{"step": "segment", "engine": "cellmetry", "model": str(knowing)}]}, (), where="r"
    )
    with caplog.at_level(logging.WARNING, "cellmetry"):
        result = run(recipe, [tmp_path / "in"], tmp_path / "out")
    assert "3 of 3 images that were looked at first are unlike those that the model knowing" in caplog.text
    assert all(outcome.scores["unfamiliarity"] > 1 for outcome in result.outcomes)
    head = (tmp_path / "out" / "tables" / "images.csv").read_text("utf-8").splitlines()[0]
    assert "unfamiliarity" in head.split(",")
    caplog.clear()
    again = run(recipe, [tmp_path / "in"], tmp_path / "out")
    assert again.reused == 10
    assert not caplog.text


def test_checking_images_on_the_command_line(knowing, tmp_path):
    for name, noise in (("usual", 0.02), ("strange", 0.5)):
        write_image(image_from_array(smooth_field(3, noise=noise), "YX"), tmp_path / "in" / f"{name}.tif")
    (tmp_path / "in" / "broken.tif").write_bytes(b"II*\0 and no more")
    arguments = ["model", "check", str(tmp_path / "in"), "--model", str(knowing)]
    done = CliRunner().invoke(app, [*arguments, "--json"])
    found = {row["image"]: row for row in json.loads(done.stdout)}
    assert found["usual"]["unfamiliarity"] <= 1 < found["strange"]["unfamiliarity"]
    assert found["broken"]["unfamiliarity"] is None
    assert "broken.tif" in found["broken"]["problem"]
    assert "3 images looked at: 1 unfamiliar." in CliRunner().invoke(app, arguments).output


def test_checking_with_a_model_that_cannot_tell_is_an_error(tmp_path):
    path = write_model(tmp_path, "silent", weights=featured_graph())
    write_image(image_from_array(smooth_field(1), "YX"), tmp_path / "in" / "f.tif")
    done = CliRunner().invoke(app, ["model", "check", str(tmp_path / "in"), "--model", str(path)])
    assert isinstance(done.exception, ModelError)
    assert "does not say what it has learnt from" in str(done.exception)
