"""Image and truth are changed together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.learn.augment import Augmentation, Placement, change_light, cut, draw_placement
from cellmetry.learn.fields import DENSITY_UNIT, PLANES
from cellmetry.ops.density import density_from_labels
from cellmetry.ops.flows import flow_targets

STILL = Augmentation(turn=False, scale=(1.0, 1.0), stretch=0.0, elastic=0.0)


def disc_planes(
    shape: tuple[int, int] = (120, 140), centre: tuple[float, float] = (60, 70), radius: float = 20
) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    labels = ((y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2).astype(np.int32)
    flow = flow_targets(labels)
    planes = {
        "image": (y + 2 * x) / 400,
        "density": density_from_labels(labels) * DENSITY_UNIT,
        "foreground": labels,
        "flow_y": flow[0],
        "flow_x": flow[1],
        "boundary": np.zeros(shape),
        "importance": np.ones(shape),
    }
    return np.stack([planes[name] for name in PLANES]).astype(np.float16)


def plane(crop: np.ndarray, name: str) -> np.ndarray:
    return crop[PLANES.index(name)]


def still(centre: tuple[float, float]) -> Placement:
    return Placement(np.array(centre, float), np.eye(2), np.zeros((2, 2, 2)))


def test_an_unchanged_crop_is_the_part_of_the_image_that_it_covers() -> None:
    planes = disc_planes()
    crop = cut(planes, still((59.5, 69.5)), 40)
    np.testing.assert_allclose(crop, planes[:, 40:80, 50:90].astype(np.float32), atol=1e-3)


def test_a_crop_as_large_as_the_image_and_beyond_goes_on_as_a_mirror_that_does_not_count() -> None:
    planes = disc_planes((40, 40), (20, 20), 8)
    crop = cut(planes, still((19.5, 19.5)), 60)
    np.testing.assert_allclose(crop[0], np.pad(planes[0].astype(np.float32), 10, mode="reflect"), atol=2e-3)
    assert plane(crop, "importance")[10:50, 10:50].all()
    outside = plane(crop, "importance").copy()
    outside[10:50, 10:50] = 0
    assert not outside.any()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30)
def test_flows_still_point_to_the_centre_and_densities_still_count_however_the_image_is_turned(seed: int) -> None:
    rng = np.random.default_rng(seed)
    options = Augmentation(scale=(0.7, 1.5), stretch=0.2, elastic=0.0)
    placement = draw_placement(options, rng, (60.0, 70.0), 128, 40.0)
    crop = cut(disc_planes(), placement, 128)
    assert plane(crop, "density").sum() / DENSITY_UNIT == pytest.approx(1, abs=0.03)
    inside = np.nonzero(plane(crop, "foreground"))
    towards = np.array([63.5, 63.5])[:, None] - np.array(inside)
    distance = np.hypot(*towards)
    flow = np.stack([plane(crop, "flow_y")[inside], plane(crop, "flow_x")[inside]])
    far = distance > 6
    cosine = (flow * towards).sum(axis=0)[far] / distance[far]
    assert np.median(cosine) > 0.97
    np.testing.assert_allclose(np.hypot(*flow)[far], 1, atol=0.01)


def test_magnification_changes_areas_as_it_says() -> None:
    rng = np.random.default_rng(3)
    options = Augmentation(turn=False, scale=(1.5, 1.5), stretch=0.0, elastic=0.0)
    crop = cut(disc_planes(), draw_placement(options, rng, (60.0, 70.0), 128, 40.0), 128)
    assert plane(crop, "foreground").sum() == pytest.approx(np.pi * 30**2, rel=0.03)


@pytest.mark.parametrize(("diameter", "low", "high"), [(100.0, 0.6, 1.4), (5.0, 1.2, 1.7), (400.0, 0.35, 0.6)])
def test_cells_stay_within_the_sizes_that_are_wanted(diameter: float, low: float, high: float) -> None:
    rng = np.random.default_rng(0)
    options = Augmentation(turn=False, stretch=0.0)
    scales = [1 / draw_placement(options, rng, (0, 0), 64, diameter).matrix[0, 0] for _ in range(200)]
    assert low - 1e-9 <= min(scales)
    assert max(scales) <= high + 1e-9


def test_light_is_changed_within_bounds_and_inversion_turns_bright_to_dark() -> None:
    image = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    plain = Augmentation(gain=(1, 1), offset=0, gamma=(1, 1), shading=0, blur_chance=0, noise_chance=0, invert_chance=0)
    np.testing.assert_allclose(change_light(image, plain, np.random.default_rng(0)), image, atol=1e-6)
    inverted = plain.model_copy(update={"invert_chance": 1.0})
    np.testing.assert_allclose(change_light(image, inverted, np.random.default_rng(0)), 1 - image, atol=1e-6)
    changed = change_light(image, Augmentation(), np.random.default_rng(1))
    assert changed.shape == image.shape
    assert changed.dtype == np.float32
    assert not np.allclose(changed, image)


def test_the_same_seed_gives_the_same_crop() -> None:
    planes = disc_planes()
    crops = [
        cut(planes, draw_placement(Augmentation(), np.random.default_rng(5), (50, 60), 64, 40.0), 64) for _ in range(2)
    ]
    np.testing.assert_array_equal(*crops)
