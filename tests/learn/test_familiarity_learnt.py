"""A trained network's file says what it has learnt from, and the engine hears it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra 'train'")

from cellmetry.core.image import image_from_array  # noqa: E402
from cellmetry.engines.segment import Segment, segment_with  # noqa: E402
from cellmetry.learn.dataset import read_data_set  # noqa: E402
from cellmetry.learn.familiarity import learn_familiarity  # noqa: E402
from cellmetry.learn.network import CellNetwork, NetworkShape  # noqa: E402
from cellmetry.learn.weights import difference, load_network, onnx_bytes, with_familiarity  # noqa: E402
from cellmetry.models.versions import save_version  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHAPE = NetworkShape(widths=(8, 16, 16))
FIELDS = {
    "name": "small",
    "licence": "CC0-1.0",
    "training_data": [],
    "heads": ["foreground", "flow"],
    "stride": SHAPE.stride,
    "margin_px": SHAPE.margin_px,
}


def test_noise_is_unfamiliar_to_a_network_that_saw_discs(discs: Callable[..., Path], tmp_path: Path) -> None:
    items = read_data_set(discs(count=8)).items
    torch.manual_seed(0)
    network = CellNetwork(SHAPE, ("foreground", "flow")).eval()
    weights = onnx_bytes(network)
    known = learn_familiarity(weights, FIELDS, items[:6], items[6:])
    assert known is not None
    assert known.points.shape == (6, 5)
    model = save_version(tmp_path / "small", with_familiarity(weights, known), FIELDS)
    assert difference(network, model) < 1e-5
    assert load_network(model).shape == SHAPE
    step = Segment(engine="cellmetry", model=str(model.path))
    noise = np.random.default_rng(0).exponential(1.0, (72, 72)).astype(np.float32)
    score = segment_with(step, image_from_array(noise, "YX")).unfamiliarity
    assert score is not None
    assert score > 1.5


def test_three_images_are_too_few_to_know(discs: Callable[..., Path]) -> None:
    items = read_data_set(discs(count=3)).items
    weights = onnx_bytes(CellNetwork(SHAPE, ("foreground", "flow")).eval())
    assert learn_familiarity(weights, FIELDS, items) is None
