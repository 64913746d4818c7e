"""The network: shapes, reach, folding, ONNX and back."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra 'train'")

from cellmetry.engines.sessions import open_session  # noqa: E402
from cellmetry.errors import ParameterError  # noqa: E402
from cellmetry.learn.network import CellNetwork, NetworkShape, finish, fold_norms, with_blocks  # noqa: E402
from cellmetry.learn.weights import difference, load_network, onnx_bytes  # noqa: E402
from cellmetry.models.store import find_model  # noqa: E402
from cellmetry.models.versions import save_version  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.models.store import Model

HEADS = ("foreground", "flow", "density", "boundary")


def trained_a_little(shape: NetworkShape, *, channels: int = 1) -> CellNetwork:
    """Return a network whose normalisation has seen something."""
    torch.manual_seed(0)
    network = CellNetwork(shape, HEADS, channels=channels)
    for _ in range(3):
        network(torch.randn(4, channels, 4 * shape.stride, 4 * shape.stride) * 2 + 1)
    return network.eval()


def save(network: CellNetwork, folder: Path) -> Model:
    shape = network.shape
    weights = onnx_bytes(network)
    fields = {
        "name": "small",
        "licence": "BSD-3-Clause",
        "training_data": [],
        "heads": list(network.heads),
        "stride": shape.stride,
        "margin_px": shape.margin_px,
        "channels": [f"channel {index}" for index in range(network.channels)],
    }
    return save_version(folder, weights, fields)


@pytest.mark.parametrize("skips", ["concatenate", "add"])
@pytest.mark.parametrize(
    ("widths", "stem", "blocks"),
    [((4, 6), 1, ()), ((4, 6, 8), 2, (1, 2, 3)), ((4, 4, 4, 4), 2, ()), ((4, 6), 4, (2,))],
)
def test_outputs_have_the_size_of_the_image(
    widths: tuple[int, ...], stem: int, blocks: tuple[int, ...], skips: str
) -> None:
    shape = NetworkShape(widths=widths, stem=stem, blocks=blocks, skips=skips)
    network = CellNetwork(shape, HEADS)
    with torch.inference_mode():
        maps = finish(network(torch.zeros(2, 1, 2 * shape.stride, 3 * shape.stride)))
    assert {head: tuple(values.shape) for head, values in maps.items()} == {
        head: (2, 2 if head == "flow" else 1, 2 * shape.stride, 3 * shape.stride) for head in HEADS
    }
    assert 0 <= float(maps["foreground"].min()) <= float(maps["foreground"].max()) <= 1
    assert float(maps["density"].min()) >= 0


@pytest.mark.parametrize("skips", ["concatenate", "add"])
@pytest.mark.parametrize(
    ("widths", "stem", "blocks"),
    [((2, 2), 1, ()), ((2, 2, 2), 2, ()), ((2, 2, 2), 2, (1, 2, 2)), ((2, 2, 2, 2), 2, ()), ((2, 2), 4, (3,))],
)
def test_no_output_looks_further_than_the_margin(
    widths: tuple[int, ...], stem: int, blocks: tuple[int, ...], skips: str
) -> None:
    shape = NetworkShape(widths=widths, stem=stem, blocks=blocks, skips=skips)
    network = CellNetwork(shape, ("foreground",)).eval()
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, 0.02)
    side = -(-(2 * shape.margin_px + 4 * shape.stride) // shape.stride) * shape.stride
    image = torch.zeros(1, 1, side, side, requires_grad=True)
    reach = 0
    for row in range(side // 2, side // 2 + shape.stride):
        (slope,) = torch.autograd.grad(network(image)["foreground"][0, 0, row, side // 2], image)
        rows = slope[0, 0].abs().sum(1).nonzero().ravel()
        reach = max(reach, row - int(rows[0]), int(rows[-1]) - row)
    assert 0.8 * shape.margin_px <= reach <= shape.margin_px


@pytest.mark.parametrize("skips", ["concatenate", "add"])
def test_folding_changes_nothing_that_the_network_computes(skips: str) -> None:
    network = trained_a_little(NetworkShape(widths=(4, 8, 8), blocks=(1, 2), skips=skips))
    image = torch.randn(1, 1, 32, 48)
    folded = fold_norms(network)
    assert not any("BatchNorm" in type(module).__name__ for module in folded.modules())
    with torch.inference_mode():
        for head, values in network(image).items():
            assert torch.allclose(values, folded(image)[head], atol=1e-5)


def test_a_network_that_is_made_deeper_computes_the_same_and_all_of_it_learns() -> None:
    network = fold_norms(trained_a_little(NetworkShape(widths=(4, 8, 8), skips="add")))
    deeper = with_blocks(network, (1, 2, 3))
    image = torch.randn(1, 1, 32, 48)
    with torch.inference_mode():
        for head, values in network(image).items():
            assert torch.equal(values, deeper(image)[head])
    assert [len(more) for more in deeper.down_more] == [0, 1, 2]
    assert [len(more) for more in deeper.up_more] == [1, 0]
    sum(values.square().sum() for values in deeper(image).values()).backward()
    new = [pair for level in (*deeper.down_more, *deeper.up_more) for pair in level]
    assert all(float(pair.second[0].weight.grad.abs().sum()) > 0 for pair in new)


@pytest.mark.parametrize("blocks", [(1, 2, 2), (0,)])
def test_blocks_are_one_or_more_for_levels_that_are_there(blocks: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="for 3 levels|greater than or equal to 1"):
        NetworkShape(widths=(4, 8), blocks=blocks)


@pytest.mark.parametrize(("activation", "before", "after"), [("relu", (1, 3), (1, 2)), ("silu", (), (1, 2))])
def test_a_network_is_not_made_shallower_nor_deeper_where_that_changes_it(
    activation: str, before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    network = CellNetwork(NetworkShape(widths=(4, 8), activation=activation, blocks=before), HEADS, norms=False)
    with pytest.raises(ParameterError, match=r"network.blocks \[1, 2\] cannot be reached"):
        with_blocks(network, after)


@pytest.mark.parametrize(
    ("activation", "skips"), [("relu", "concatenate"), ("silu", "add"), ("leaky_relu", "concatenate"), ("relu", "add")]
)
def test_onnx_computes_the_same_and_can_be_trained_further(tmp_path: Path, activation: str, skips: str) -> None:
    network = trained_a_little(NetworkShape(widths=(4, 8, 8), activation=activation, skips=skips), channels=2)
    model = save(network, tmp_path)
    assert difference(network, model) < 1e-5
    again = load_network(model)
    assert difference(again, model) < 1e-5
    assert again.shape == network.shape
    assert again.heads == network.heads


def test_a_saved_model_is_proven_and_any_size_of_tile_runs(tmp_path: Path) -> None:
    model = save(trained_a_little(NetworkShape(widths=(4, 8))), tmp_path)
    assert hashlib.sha256((tmp_path / "small.onnx").read_bytes()).hexdigest() == model.card.sha256
    session = open_session(find_model(tmp_path / "small.onnx"), "cpu")
    maps = session.run(np.zeros((1, 36, 60), np.float32))
    assert maps["flow"].shape == (2, 36, 60)
