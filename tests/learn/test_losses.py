"""Losses: each says what its name says, and what is not known or not annotated teaches nothing."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra 'train'")

from torch.nn import functional  # noqa: E402

from cellmetry.learn.losses import LossWeights, losses  # noqa: E402
from cellmetry.learn.network import CHANNELS_OF_HEAD  # noqa: E402

SHAPE = (3, 32, 32)


def drawn(seed: int) -> tuple[dict, dict, torch.Tensor, dict]:
    """Return raw maps, targets, importance and what is known of three crops, drawn at random."""
    make = torch.Generator().manual_seed(seed)
    sizes = {head: (SHAPE[0], channels, *SHAPE[1:]) for head, channels in CHANNELS_OF_HEAD.items()}
    raw = {head: torch.randn(size, generator=make) for head, size in sizes.items()}
    inside = (torch.rand((SHAPE[0], 1, *SHAPE[1:]), generator=make) > 0.6).float()
    flow = functional.normalize(torch.randn(sizes["flow"], generator=make), dim=1) * inside
    density = torch.rand(sizes["density"], generator=make) * 0.01
    targets = {"foreground": inside, "flow": flow, "density": density, "boundary": 1 - inside}
    return raw, targets, torch.ones(SHAPE), {head: torch.ones(SHAPE[0]) for head in sizes}


def test_every_part_of_the_loss_has_a_weight_of_its_name() -> None:
    assert set(losses(*drawn(0))) == set(LossWeights.model_fields)


def test_a_perfect_network_has_no_loss() -> None:
    _, targets, importance, known = drawn(0)
    sure = {head: 200.0 * targets[head] - 100 for head in ("foreground", "boundary")}
    raw = sure | {"flow": targets["flow"], "density": torch.log(torch.expm1(targets["density"]))}
    for name, value in losses(raw, targets, importance, known).items():
        assert float(value) == pytest.approx(0, abs=2e-3), name


def test_density_is_compared_by_pixel_by_place_and_by_sum() -> None:
    raw, targets, importance, known = drawn(1)
    found = losses({"density": raw["density"]}, targets, importance, known)
    values, truth = functional.softplus(raw["density"])[:, 0].numpy(), targets["density"][:, 0].numpy()
    off = np.abs(values.sum((1, 2)) - truth.sum((1, 2)))
    assert float(found["density_count"]) == pytest.approx(np.mean(np.where(off < 1, off**2 / 2, off - 0.5)), rel=1e-4)
    by_pixel = np.abs(np.log1p(1e4 * values) - np.log1p(1e4 * truth)).mean()
    assert float(found["density_pixel"]) == pytest.approx(by_pixel, rel=1e-4)
    shape = 0.0
    for side, share in ((4, 0.20), (8, 0.35), (16, 0.45)):
        pooled = [each.reshape(3, 32 // side, side, 32 // side, side).sum((2, 4)) for each in (values, truth)]
        p, q = (each / each.sum((1, 2), keepdims=True) for each in pooled)
        shape += share * np.abs(p - q).sum((1, 2)).mean()
    assert float(found["density_shape"]) == pytest.approx(shape, rel=1e-4)


def test_what_was_not_annotated_changes_nothing() -> None:
    raw, targets, importance, known = drawn(2)
    importance[:, :, 20:] = 0
    first = losses(raw, targets, importance, known)
    for maps in (raw, targets):
        for values in maps.values():
            values[..., 20:] = torch.rand_like(values[..., 20:])
    for name, value in losses(raw, targets, importance, known).items():
        assert float(value) == pytest.approx(float(first[name]), rel=1e-5), name


def test_a_truth_that_cannot_teach_a_head_leaves_it_alone() -> None:
    raw, targets, importance, known = drawn(3)
    whole = losses(
        *({head: values[:2] for head, values in maps.items()} for maps in (raw, targets)),
        importance[:2],
        {head: values[:2] for head, values in known.items()},
    )
    for values in known.values():
        values[2] = 0
    for name, value in losses(raw, targets, importance, known).items():
        assert float(value) == pytest.approx(float(whole[name]), rel=1e-5), name
