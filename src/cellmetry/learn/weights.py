"""Weights to and from the one file that everybody runs: ONNX, checked against the network that was trained."""

from __future__ import annotations

import io
import json
import warnings
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import nn

from cellmetry.engines.sessions import open_session
from cellmetry.errors import MissingExtra, ModelError
from cellmetry.learn.network import CellNetwork, NetworkShape, finish, fold_norms
from cellmetry.models.familiarity_text import FAMILIARITY_KEY, FEATURES, familiarity_to_text

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from cellmetry.models.card import Head
    from cellmetry.models.store import Model
    from cellmetry.ops.familiarity import Familiarity

__all__ = ["difference", "load_network", "onnx_bytes", "with_familiarity"]

_OPSET = 18
_TRIED_SIDES = (3, 5)
_TOLERANCE = 1e-4
_SHAPE_KEY = "cellmetry.network"


class _Finished(nn.Module):
    """A network with what `finish` does, its outputs in order, and the features of its coarsest level."""

    def __init__(self, network: CellNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        levels = self.network.encode(image)
        return *finish(self.network.decode(levels)).values(), levels[-1]


def onnx_bytes(network: CellNetwork) -> bytes:
    """Return the network as an ONNX file, normalisation folded into its convolutions."""
    folded = fold_norms(network) if _has_norms(network) else network
    return _export(folded.cpu().eval())


def difference(network: CellNetwork, model: Model) -> float:
    """Return how far a model's file, run as everybody runs it, is from the network on random tiles.

    The result is the largest difference of any output, divided by 1 + the largest value of that output.

    Raises
    ------
    ModelError
        If it is more than rounding.
    """
    session = open_session(model, "cpu")
    rng = np.random.default_rng(0)
    network = network.cpu().eval()
    worst = 0.0
    for side in _TRIED_SIDES:
        shape = (network.channels, side * network.shape.stride, (side + 1) * network.shape.stride)
        pixels = rng.standard_normal(shape, np.float32)
        with torch.inference_mode():
            expected = finish(network(torch.from_numpy(pixels)[None]))
        found = session.run(pixels)
        worst = max([worst, *(_farthest(expected[head][0].numpy(), found[head]) for head in expected)])
    if not worst <= _TOLERANCE:
        raise ModelError(f"The exported model {model.path.name} differs from the trained one by {worst:.2g}.")
    return worst


def _farthest(expected: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    return float(np.abs(expected - found).max() / (1 + np.abs(expected).max()))


def _has_norms(network: CellNetwork) -> bool:
    return any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def _export(network: CellNetwork) -> bytes:
    onnx = _onnx()
    stride = network.shape.stride
    tile = torch.zeros(1, network.channels, 4 * stride, 5 * stride)
    heads = list(network.heads)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*TracerWarning|Converting a tensor")
        torch.onnx.export(
            _Finished(network),
            (tile,),
            cast("Any", buffer),
            dynamo=False,
            opset_version=_OPSET,
            do_constant_folding=False,
            input_names=["image"],
            output_names=[*heads, FEATURES],
            dynamic_axes={name: {2: "Y", 3: "X"} for name in ["image", *heads]} | {FEATURES: {2: "rows", 3: "columns"}},
        )
    graph = onnx.load_model_from_string(buffer.getvalue())
    form = {"shape": network.shape.model_dump(mode="json"), "heads": heads, "channels": network.channels}
    onnx.helper.set_model_props(graph, {_SHAPE_KEY: json.dumps(form)})
    written: bytes = graph.SerializeToString()
    return written


def with_familiarity(weights: bytes, familiarity: Familiarity) -> bytes:
    """Return the ONNX file with what the network knows of its training images."""
    onnx = _onnx()
    graph = onnx.load_model_from_string(weights)
    kept = {entry.key: entry.value for entry in graph.metadata_props}
    onnx.helper.set_model_props(graph, kept | {FAMILIARITY_KEY: familiarity_to_text(familiarity)})
    written: bytes = graph.SerializeToString()
    return written


def load_network(model: Model) -> CellNetwork:
    """Return the network of a model that Cellmetry trained, ready to learn on.

    Raises
    ------
    ModelError
        If the weights are of another make.
    """
    onnx = _onnx()
    graph = onnx.load_model_from_string(model.read_weights())
    forms = [entry.value for entry in graph.metadata_props if entry.key == _SHAPE_KEY]
    if not forms:
        raise ModelError(
            f"The model {model.path} was not trained by Cellmetry and cannot be trained further; start from another "
            f"with --from, or from the beginning."
        )
    form: dict[str, Any] = json.loads(forms[0])
    heads: tuple[Head, ...] = tuple(form["heads"])
    shape = NetworkShape.model_validate(form["shape"])
    network = CellNetwork(shape, heads, channels=form["channels"], norms=False)
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.graph.initializer}
    same = ((node.input[0], node.output[0]) for node in graph.graph.node if node.op_type == "Identity")
    stored |= {name: stored[kept] for kept, name in same if kept in stored}  # the exporter writes equal tensors once
    weights = {name: torch.from_numpy(stored[f"network.{name}"].copy()) for name in network.state_dict()}
    network.load_state_dict(weights)
    return network


def _onnx() -> Any:
    try:
        import onnx  # noqa: PLC0415 - only training needs it
    except ImportError as error:
        raise MissingExtra("train", "Training") from error
    return onnx
