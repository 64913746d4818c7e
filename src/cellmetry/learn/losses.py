"""What training makes small: one loss per head, added up with weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from cellmetry.core.step import Parameters

if TYPE_CHECKING:
    from cellmetry.models.card import Head

__all__ = ["LossWeights", "losses"]

_POOLS = (4, 8, 16)
_POOL_WEIGHTS = (0.20, 0.35, 0.45)
_LEAST_MASS = 1e-6
_SMOOTH = 1.0


class LossWeights(Parameters):
    """How much each part of the loss counts."""

    foreground: float = Field(default=1.0, ge=0)
    """Cross entropy of the foreground's probability."""
    dice: float = Field(default=0.0, ge=0)
    """1 - Dice of the foreground, softly counted, per image."""
    flow: float = Field(default=1.5, ge=0)
    """Mean squared difference of the flow, inside cells."""
    boundary: float = Field(default=1.0, ge=0)
    """Cross entropy of the boundary's probability."""
    density_pixel: float = Field(default=0.05, ge=0)
    """Mean absolute difference of log(1 + 10,000 · density), per pixel."""
    density_shape: float = Field(default=0.05, ge=0)
    """Difference of where the density lies, at 4, 8 and 16 pixels, whatever its sum."""
    density_count: float = Field(default=0.02, ge=0)
    """Smooth absolute difference of the number of cells in a crop."""


def losses(
    raw: dict[Head, Tensor], targets: dict[Head, Tensor], importance: Tensor, known: dict[Head, Tensor]
) -> dict[str, Tensor]:
    """Return the unweighted parts of the loss by the names of `LossWeights`.

    Parameters
    ----------
    raw
        Raw maps of the network, shape (N, channels of the head, Y, X).
    targets
        Truth, of the same shapes.
    importance
        Weight of each pixel, shape (N, Y, X); 0 is ignored.
    known
        By head: 1 for images whose truth can teach it, else 0; shape (N,).
    """
    parts: dict[str, Tensor] = {}
    for head, values in raw.items():
        weight = importance * known[head][:, None, None]
        if head == "flow":
            parts["flow"] = _flow(values.float(), targets["flow"], weight)
        elif head == "density":
            seen = (weight > 0).float()[:, None]
            parts |= _density(functional.softplus(values.float()) * seen, targets["density"] * seen, known["density"])
        else:
            parts[head] = _cross_entropy(values[:, 0].float(), targets[head][:, 0], weight)
    if "foreground" in raw:
        weight = importance * known["foreground"][:, None, None]
        parts["dice"] = _dice(raw["foreground"][:, 0].float(), targets["foreground"][:, 0], weight)
    return parts


def _cross_entropy(values: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    each = functional.binary_cross_entropy_with_logits(values, target, reduction="none")
    return (each * weight).sum() / weight.sum().clamp_min(1.0)


def _dice(values: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    probability = torch.sigmoid(values)
    both = (probability * target * weight).sum((1, 2))
    total = ((probability + target) * weight).sum((1, 2))
    taught = (weight.sum((1, 2)) > 0).float()
    return ((1 - (2 * both + _SMOOTH) / (total + _SMOOTH)) * taught).sum() / taught.sum().clamp_min(1.0)


def _flow(values: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    inside = weight * (target.square().sum(1) > 0)
    return ((values - target).square().sum(1) * inside).sum() / inside.sum().clamp_min(1.0)


def _density(values: Tensor, target: Tensor, known: Tensor) -> dict[str, Tensor]:
    """Return the three parts of the density's loss, averaged over the images with a known density."""
    images = known.sum().clamp_min(1.0)
    pixel = (torch.log1p(1e4 * values) - torch.log1p(1e4 * target)).abs().mean((1, 2, 3))
    counts = functional.smooth_l1_loss(values.sum((1, 2, 3)), target.sum((1, 2, 3)), reduction="none")
    return {
        "density_pixel": (pixel * known).sum() / images,
        "density_shape": _shape(values, target, known),
        "density_count": (counts * known).sum() / images,
    }


def _shape(values: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Return how far two maps of equal sum would differ, averaged over pooled scales and images with any cell."""
    total = values.new_zeros(())
    filled = known * (target.sum((1, 2, 3)) > _LEAST_MASS)
    for side, share in zip(_POOLS, _POOL_WEIGHTS, strict=True):
        p, q = (functional.avg_pool2d(maps, side).flatten(1) for maps in (values, target))
        p, q = (maps / maps.sum(1, keepdim=True).clamp_min(_LEAST_MASS) for maps in (p, q))
        total = total + share * ((p - q).abs().sum(1) * filled).sum() / filled.sum().clamp_min(1.0)
    return total
