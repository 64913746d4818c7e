"""A network small enough to write down, which really segments bright round cells on a dark ground.

Convolutions do what training would teach: the foreground is a steep sigmoid of the slightly smoothed image, the
flow is the direction in which the strongly smoothed image rises, and the density is the foreground over the area of
a cell.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cellmetry.models.card import ModelCard

if TYPE_CHECKING:
    from pathlib import Path

STRIDE = 8
RADIUS = 12


def gaussian(sigma: float, radius: int) -> np.ndarray:
    line = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return (line / line.sum()).astype(np.float32)


def tiny_graph(*, channels: Any = 1, sides: tuple[Any, Any] = ("Y", "X"), diameter: float = 20) -> onnx.ModelProto:
    """Return the network; the arguments make it into one that does not fit its card."""
    weights: dict[str, np.ndarray] = {}
    nodes: list[onnx.NodeProto] = []

    def add(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(name: str, values: Any) -> str:
        weights[name] = np.asarray(values, np.float32)
        return name

    def convolve(source: str, kernel: np.ndarray, output: str) -> str:
        pads = [side // 2 for side in kernel.shape[2:]] * 2
        return add("Conv", [source, constant(f"{output}_kernel", kernel)], output, pads=pads)

    def smooth(source: str, sigma: float, radius: int, output: str) -> str:
        line = gaussian(sigma, radius)
        down = convolve(source, line[None, None, :, None], f"{output}_down")
        return convolve(down, line[None, None, None, :], output)

    light = smooth("image", 1.0, 3, "light")
    above = add("Sub", [light, constant("half", 0.5)], "above")
    add("Sigmoid", [add("Mul", [above, constant("steep", 20)], "logit")], "foreground")
    heavy = smooth("image", diameter / 5, RADIUS, "heavy")
    slopes = np.zeros((2, 1, 3, 3), np.float32)
    slopes[0, 0, :, 1] = slopes[1, 0, 1, :] = [-1, 0, 1]
    slope = convolve(heavy, slopes, "slope")
    square = add("Mul", [slope, slope], "square")
    length = add("Sqrt", [convolve(square, np.ones((1, 2, 1, 1), np.float32), "sum")], "length")
    add("Div", [slope, add("Add", [length, constant("little", 1e-6)], "norm")], "flow")
    area = np.pi * diameter**2 / 4
    add("Mul", ["foreground", constant("per_cell", 1 / area)], "density")

    def value(name: str, count: Any) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, count, *sides])

    graph = helper.make_graph(
        nodes,
        "tiny",
        [value("image", channels)],
        [value("foreground", 1), value("flow", 2), value("density", 1)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def write_model(folder: Path, name: str = "tiny", *, weights: bytes | None = None, **changes: Any) -> Path:
    """Write weights and a card for them; return the path of the weights."""
    weights = tiny_graph().SerializeToString() if weights is None else weights
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    path.write_bytes(weights)
    card = {
        "name": name,
        "version": "1",
        "licence": "BSD-3-Clause",
        "training_data": (),
        "percentiles": (1.0, 99.8),
        "heads": ("foreground", "flow", "density"),
        "stride": STRIDE,
        "margin_px": 48,
        "file": path.name,
        "sha256": hashlib.sha256(weights).hexdigest(),
        "size_bytes": len(weights),
        **changes,
    }
    path.with_suffix(".json").write_text(ModelCard(**card).model_dump_json(indent=1), "utf-8")
    return path
