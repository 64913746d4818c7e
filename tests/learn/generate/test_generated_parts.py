"""The parts of generated fields: textures, places, outlines, truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from cellmetry.learn.generate.outlines import ANGLES, Outlines, Warp, paint, roughen, sprout, wavy
from cellmetry.learn.generate.placing import Layout, place
from cellmetry.learn.generate.textures import fibres, log_uniform, slope, smooth_noise, specks
from cellmetry.learn.generate.truth import consecutive, depth_px, settle, spread_over

STILL = Warp(np.zeros((80, 80), np.float32), np.zeros((80, 80), np.float32))


def circle(y: float, x: float, radius: float) -> Outlines:
    return Outlines(
        np.array([[y, x]]), np.array([[radius, radius]]), np.zeros(1), np.ones((1, ANGLES), np.float32), np.zeros(1)
    )


def both(first: Outlines, second: Outlines) -> Outlines:
    pairs = zip(vars(first).values(), vars(second).values(), strict=True)
    return Outlines(*(np.concatenate(pair) for pair in pairs))


@pytest.mark.parametrize("grain", [1.0, 3.0, 9.0, 40.0])
def test_noise_has_unit_deviation_and_the_grain_asked_for(grain: float) -> None:
    noise = np.stack([smooth_noise(np.random.default_rng(seed), (256, 256), grain) for seed in range(4)])
    assert noise.shape == (4, 256, 256)
    assert noise.dtype == np.float32
    assert 0.6 < noise.std() < 1.3
    step = max(1, round(grain / 4))
    near = np.corrcoef(noise[:, :, :-step].ravel(), noise[:, :, step:].ravel())[0, 1]
    far = np.corrcoef(noise[:, :, : -4 * round(grain)].ravel(), noise[:, :, 4 * round(grain) :].ravel())[0, 1]
    assert abs(far) < 0.35
    assert near > far + 0.05 or grain < 2


def test_fibres_change_faster_across_than_along() -> None:
    weave = fibres(np.random.default_rng(0), (200, 200), 3, stretch=10)
    assert abs(float(weave.mean())) < 1e-3
    assert weave.std() == pytest.approx(1, abs=1e-3)


def test_specks_lie_where_they_are_allowed_and_are_as_many_as_asked() -> None:
    where = np.zeros((200, 200), np.float32)
    where[:100] = 1
    spots = specks(np.random.default_rng(0), where, 40, 1.0)
    assert spots[110:].max() == pytest.approx(0, abs=1e-6)
    assert spots.sum() == pytest.approx(40 * (1 + 2 * np.pi) * np.exp(0.08), rel=0.4)
    assert not specks(np.random.default_rng(0), np.zeros((9, 9), np.float32), 40, 1.0).any()


def test_illumination_is_positive_and_uneven() -> None:
    light = slope(np.random.default_rng(1), (90, 120), 0.4)
    assert light.min() > 0
    assert 0.02 < np.ptp(light) < 2
    assert 2 <= log_uniform(np.random.default_rng(0), 2, 50) <= 50


def test_places_keep_their_distance_and_hold_as_many_as_asked() -> None:
    rng = np.random.default_rng(0)
    centre, radius = place(rng, (300, 300), 20, Layout(density=0.4, spread=0.2, gap=0.9))
    apart = squareform(pdist(centre)) + 1e9 * np.eye(len(centre))
    assert (apart >= 0.9 * (radius[:, None] + radius[None]) - 1e-9).all()
    asked = 0.62 * 0.4 * 320 * 320 / (np.pi * 9**2)
    assert 0.75 * asked < len(centre) <= asked + 1


def test_a_circle_is_painted_as_a_circle_with_half_its_light_at_the_edge() -> None:
    painted = paint(circle(40, 40, 20), STILL, light=np.array([3.0]), edge=0.2)
    assert painted.owner.sum() == pytest.approx(np.pi * 20**2, rel=0.01)
    assert painted.light[40, 40] == pytest.approx(3.0)
    assert painted.light[40, 60] == pytest.approx(1.5, rel=1e-4)
    assert painted.light[40, 63] == 0
    assert painted.depth[40, 50] == pytest.approx(0.5, abs=1e-5)


def test_of_two_overlapping_cells_the_deeper_or_the_later_owns_a_pixel() -> None:
    pair = both(circle(40, 30, 16), circle(40, 50, 16))
    deeper, later = paint(pair, STILL), paint(pair, STILL, in_front=True)
    assert (deeper.owner == 1).sum() == pytest.approx((deeper.owner == 2).sum(), abs=40)
    assert (later.owner == 2).sum() == (paint(circle(40, 50, 16), STILL).owner > 0).sum()
    assert later.light[40, 40] == pytest.approx(2.0)


def test_outlines_turn_from_x_towards_y() -> None:
    flat = Outlines(np.array([[40.0, 40.0]]), np.array([[30.0, 8.0]]), np.array([np.pi / 2]), *_plain())
    owner = paint(flat, STILL).owner
    assert np.ptp(np.nonzero(owner)[0]) == 59 - 1
    assert np.ptp(np.nonzero(owner)[1]) == 15 - 1


def _plain() -> tuple[np.ndarray, np.ndarray]:
    return np.ones((1, ANGLES), np.float32), np.zeros(1)


def test_outlines_stay_positive_and_protrusions_only_add() -> None:
    rng = np.random.default_rng(0)
    smooth = wavy(rng, 200, 0.3)
    assert smooth.min() >= 0.35
    grown = sprout(rng, smooth, 4, length=1, width=0.15)
    assert (grown >= smooth).all() or grown.max() == 4.0
    assert roughen(rng, smooth, 0.2).min() >= 0.3
    assert np.array_equal(roughen(rng, smooth, 0.0), smooth)


def test_settled_owners_are_whole_and_large_enough() -> None:
    owner = np.zeros((30, 30), np.int32)
    owner[2:12, 2:12] = 4
    owner[5, 5] = 0
    owner[20:22, 20:22] = 4
    owner[25, 25] = 7
    settled = settle(owner, least_px=5)
    assert set(np.unique(settled)) == {0, 4}
    assert (settled == 4).sum() == 100
    assert consecutive(settled).max() == 1


def test_numbers_of_cells_are_spread_over_their_pixels() -> None:
    owner = np.array([[0, 1, 1, 2], [0, 1, 1, 2]], np.int32)
    assert spread_over(owner, np.array([5.0, 7.0]), outside=-1)[0].tolist() == [-1, 5, 5, 7]
    assert (depth_px(np.ones((5, 9), np.int32)) == 9).all()
