"""The network that Cellmetry trains: a small U-Net whose first layer trades resolution for channels.

Pixels are rearranged, two by two, into channels (space to depth), so that the full resolution, the most expensive
level of a U-Net, costs a quarter; the last layer rearranges back. Levels are residual pairs of 3 × 3 convolutions
(He et al. 2016, doi:10.1109/CVPR.2016.90) joined by concatenated skips (Ronneberger et al. 2015,
doi:10.1007/978-3-319-24574-4_28).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cellmetry.models.card import Head

__all__ = ["CHANNELS_OF_HEAD", "CellNetwork", "NetworkShape", "finish", "fold_norms", "with_blocks"]

CHANNELS_OF_HEAD: dict[Head, int] = {"foreground": 1, "flow": 2, "density": 1, "boundary": 1}
"""How many planes each head puts out."""

_FEW = -6.0
"""Start of the density's last bias: softplus(-6) is one cell in 400 pixels."""

Activation = Literal["relu", "silu", "leaky_relu"]
_ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "silu": functional.silu,
    "leaky_relu": functional.leaky_relu,
}


class NetworkShape(Parameters):
    """Size and form of the network."""

    widths: tuple[int, ...] = Field(default=(32, 64, 128, 128), min_length=2, max_length=7)
    """Channels of each level, from fine to coarse; each level halves the resolution of the one before."""
    blocks: tuple[Annotated[int, Field(ge=1, le=16)], ...] = ()
    """Residual pairs of convolutions of each level, on the way down and on the way up; 1 for levels not named."""
    stem: Literal[1, 2, 4] = 2
    """Side of the squares of pixels that become channels before the first level."""
    activation: Activation = "relu"
    """What stands between convolutions."""
    skips: Literal["concatenate", "add"] = "concatenate"
    """How a level takes in what the coarser one found: beside its own channels (as U-Net, Ronneberger et al. 2015), or
    added to them after a 1 × 1 convolution (as Cellpose, Stringer et al. 2021), which saves a third of the work."""

    @model_validator(mode="after")
    def _blocks_have_levels(self) -> Self:
        if len(self.blocks) > len(self.widths):
            raise ValueError(f"Blocks are given for {len(self.blocks)} levels, widths for {len(self.widths)} only.")
        return self

    def blocks_of(self, level: int) -> int:
        """Return how many residual pairs stand at a level, on each way."""
        return self.blocks[level] if level < len(self.blocks) else 1

    @property
    def stride(self) -> int:
        """Sides of the input are multiples of this."""
        return int(self.stem * 2 ** (len(self.widths) - 1))

    @property
    def margin_px(self) -> int:
        """How far an output looks to each side, in pixels: the receptive field's reach."""
        scales = [int(self.stem * 2**level) for level in range(len(self.widths))]
        reach = [2 * self.blocks_of(level) * scale for level, scale in enumerate(scales)]
        convolutions = sum(reach) + sum(reach[:-1])
        resampling = sum(scales[1:]) // 2
        return convolutions + resampling + 3 * self.stem


class _Block(nn.Module):
    """Two 3 × 3 convolutions and a way around them."""

    def __init__(self, inputs: int, outputs: int, activation: Activation, *, norms: bool) -> None:
        super().__init__()
        self.first = _convolution(inputs, outputs, norms=norms)
        self.second = _convolution(outputs, outputs, norms=norms)
        self.around = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        activate = _ACTIVATIONS[self.activation]
        inner: Tensor = self.second(activate(self.first(x)))
        return activate(inner + self.around(x))


def _more(width: int, blocks: int, activation: Activation, *, norms: bool) -> nn.Sequential:
    """Return the residual pairs that follow the first of a level."""
    return nn.Sequential(*(_Block(width, width, activation, norms=norms) for _ in range(blocks - 1)))


def _convolution(inputs: int, outputs: int, *, norms: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, 3, padding=1, bias=not norms)]
    if norms:
        layers.append(nn.BatchNorm2d(outputs, momentum=0.03))
    return nn.Sequential(*layers)


class CellNetwork(nn.Module):
    """Grey images (N, channels, Y, X) to raw maps by head; Y and X are multiples of the shape's stride.

    Parameters
    ----------
    norms
        Whether convolutions are followed by batch normalisation, as in training from scratch; without, the network
        is as it is exported and fine-tuned (see `fold_norms`).
    """

    def __init__(self, shape: NetworkShape, heads: tuple[Head, ...], *, channels: int = 1, norms: bool = True) -> None:
        super().__init__()
        self.shape, self.heads, self.channels = shape, heads, channels
        widths = shape.widths
        self.stem = nn.Conv2d(channels * shape.stem**2, widths[0], 3, padding=1)
        inputs = (widths[0], *widths[:-1])
        counts = [shape.blocks_of(level) for level in range(len(widths))]
        self.down = nn.ModuleList(
            _Block(i, o, shape.activation, norms=norms) for i, o in zip(inputs, widths, strict=True)
        )
        self.down_more = nn.ModuleList(
            _more(o, n, shape.activation, norms=norms) for o, n in zip(widths, counts, strict=True)
        )
        pairs = list(zip(widths[-2::-1], widths[:0:-1], strict=True))
        added = shape.skips == "add"
        self.up = nn.ModuleList(
            _Block(fine if added else fine + coarse, fine, shape.activation, norms=norms) for fine, coarse in pairs
        )
        self.up_more = nn.ModuleList(
            _more(o, n, shape.activation, norms=norms) for o, n in zip(widths[-2::-1], counts[-2::-1], strict=True)
        )
        self.narrow = nn.ModuleList(nn.Conv2d(coarse, fine, 1) if added else nn.Identity() for fine, coarse in pairs)
        self.out = nn.Conv2d(widths[0], shape.stem**2 * sum(CHANNELS_OF_HEAD[head] for head in heads), 3, padding=1)
        self._start_density()

    def _start_density(self) -> None:
        if "density" not in self.heads or self.out.bias is None:
            return
        first = sum(CHANNELS_OF_HEAD[head] for head in self.heads[: self.heads.index("density")])
        square = self.shape.stem**2
        with torch.no_grad():
            self.out.bias[first * square : (first + 1) * square] = _FEW

    def forward(self, image: Tensor) -> dict[Head, Tensor]:
        """Return raw maps, shape (N, channels of the head, Y, X); `finish` makes them what the heads mean."""
        return self.decode(self.encode(image))

    def encode(self, image: Tensor) -> list[Tensor]:
        """Return the features of each level, from fine to coarse; the last has the sides of the image / stride."""
        x = self.stem(functional.pixel_unshuffle(image, self.shape.stem))
        levels = []
        for level, block in enumerate(self.down):
            x = self.down_more[level](block(functional.max_pool2d(x, 2) if level else x))
            levels.append(x)
        return levels

    def decode(self, levels: list[Tensor]) -> dict[Head, Tensor]:
        """Return the raw maps that the features of all levels give."""
        x = levels[-1]
        for narrow, block, more, skip in zip(self.narrow, self.up, self.up_more, levels[-2::-1], strict=True):
            coarse = functional.interpolate(narrow(x), scale_factor=2.0, mode="nearest")
            x = more(block(skip + coarse if self.shape.skips == "add" else torch.cat([skip, coarse], 1)))
        maps = functional.pixel_shuffle(self.out(x), self.shape.stem)
        parts = torch.split(maps, [CHANNELS_OF_HEAD[head] for head in self.heads], dim=1)
        return dict(zip(self.heads, parts, strict=True))


def finish(raw: dict[Head, Tensor]) -> dict[Head, Tensor]:
    """Return probabilities, flows and densities made from a network's raw maps."""
    return {head: _finish(head, values.float()) for head, values in raw.items()}


def _finish(head: Head, values: Tensor) -> Tensor:
    if head == "flow":
        return values
    return functional.softplus(values) if head == "density" else torch.sigmoid(values)


def with_blocks(network: CellNetwork, blocks: tuple[int, ...]) -> CellNetwork:
    """Return a deeper network without batch normalisation that computes the same, ready to learn further.

    A pair of convolutions of which the second is 0 passes on what it is given (Chen et al. 2016, arXiv:1511.05641).

    Raises
    ------
    ParameterError
        If `blocks` has fewer pairs at some level, or the activation changes what passes through an empty pair.
    """
    shape = network.shape.model_copy(update={"blocks": blocks})
    fewer = any(shape.blocks_of(level) < network.shape.blocks_of(level) for level in range(len(shape.widths)))
    if fewer or shape.activation != "relu":
        raise ParameterError(
            f"network.blocks {list(blocks)} cannot be reached from the model's {list(network.shape.blocks)}; a network "
            f"with relu can be made deeper, not shallower."
        )
    deeper = CellNetwork(shape, network.heads, channels=network.channels, norms=False)
    for block in (pair for level in (*deeper.down_more, *deeper.up_more) for pair in level):
        nn.init.zeros_(block.second[0].weight)
        nn.init.zeros_(block.second[0].bias)
    deeper.load_state_dict(network.state_dict(), strict=False)
    return deeper


def fold_norms(network: CellNetwork) -> CellNetwork:
    """Return a network without batch normalisation that computes the same as `network` does in evaluation."""
    folded = CellNetwork(network.shape, network.heads, channels=network.channels, norms=False)
    weights = dict(network.state_dict())
    for name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            _fold(weights, name.rsplit(".", 1)[0], module.eps)
    folded.load_state_dict(weights)
    return folded.eval()


def _fold(weights: dict[str, Tensor], layer: str, eps: float) -> None:
    """Fold the normalisation ``layer.1`` into the convolution ``layer.0``."""
    norm = {key: weights.pop(f"{layer}.1.{key}") for key in ("weight", "bias", "running_mean", "running_var")}
    weights.pop(f"{layer}.1.num_batches_tracked")
    gain = norm["weight"] / torch.sqrt(norm["running_var"] + eps)
    weights[f"{layer}.0.weight"] = weights[f"{layer}.0.weight"] * gain[:, None, None, None]
    weights[f"{layer}.0.bias"] = norm["bias"] - norm["running_mean"] * gain
