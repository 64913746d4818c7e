"""Which crops are shown: data sets by weight, rare kinds more often, middles on cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cellmetry.errors import InputError
from cellmetry.learn.augment import STILL
from cellmetry.learn.fields import DENSITY_UNIT, PLANES, FieldSizes, TrainingField
from cellmetry.learn.sampling import Batch, Sampler, Sampling

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.fixture
def make(tmp_path: Path):
    """Return a maker of fields; the brightness of each, its number, tells in a crop from which field it is."""

    def made(number: int, data: str, modality: str = "", *, heads: Sequence[str] = ("foreground",)) -> TrainingField:
        planes = np.zeros((len(PLANES), 96, 96), np.float16)
        planes[PLANES.index("image")] = number
        planes[PLANES.index("foreground"), 40:52, 40:52] = 1
        planes[PLANES.index("density"), 40:52, 40:52] = DENSITY_UNIT / 144
        planes[PLANES.index("importance")] = 1
        path = tmp_path / f"{number}.npy"
        np.save(path, planes)
        return TrainingField(data, str(number), modality, frozenset(heads), FieldSizes(96, 96, 1, 12.0), path)

    return made


def batch_of(fields: Sequence[TrainingField], heads: Sequence[str] = ("foreground",), **choices: object) -> Batch:
    sampling = Sampling(**{"crop_px": 32, "batch": 600, "workers": 0} | choices)
    return Sampler(fields, heads, sampling=sampling, augmentation=STILL, seed=1).batch(0)


def shares(batch: Batch, count: int) -> np.ndarray:
    """Return which part of the crops each field gave."""
    return np.bincount(batch.image[:, 0, 16, 16].round().astype(int), minlength=count) / len(batch.image)


def test_data_sets_are_shown_by_their_weights(make) -> None:
    fields = [make(0, "a"), make(1, "b"), make(2, "b"), make(3, "b"), make(4, "b")]
    found = shares(batch_of(fields, data_weights={"a": 3.0, "b": 1.0}), 5)
    np.testing.assert_allclose(found, [0.75, *[0.25 / 4] * 4], atol=0.06)
    plain = shares(batch_of(fields), 5)
    np.testing.assert_allclose(plain, [1 / 3, *[2 / 3 / 4] * 4], atol=0.06)  # by the square root of the numbers


def test_small_cells_are_magnified_as_the_engine_does_before_they_are_varied(make) -> None:
    fields = [make(0, "a")]  # of cells 12 px wide
    for limits, asked, side in (((24.0, 90.0), True, 24), ((24.0, 90.0), False, 12), ((8.0, 90.0), True, 12)):
        sampling = Sampling(crop_px=32, batch=100, workers=0, at_working_scale=asked)
        sampler = Sampler(fields, ("foreground",), sampling=sampling, augmentation=STILL, diameters_px=limits, seed=1)
        most = sampler.batch(0).targets["foreground"].sum((1, 2, 3)).max()
        assert most == pytest.approx(side**2, rel=0.1)


def test_images_are_drawn_as_likely_as_their_crops_and_each_once(make) -> None:
    fields = [make(number, "a" if number < 40 else "b") for number in range(80)]
    sampling = Sampling(data_weights={"a": 3.0, "b": 1.0})
    sampler = Sampler(fields, ("foreground",), sampling=sampling, augmentation=STILL, seed=1)
    drawn = sampler.images(20)
    assert len(set(drawn)) == 20
    assert sum(number < 40 for number in drawn) > 10
    assert sampler.images(20) == drawn
    only = Sampler(fields, ("foreground",), sampling=Sampling(data_weights={"b": 0.0}), augmentation=STILL, seed=1)
    assert only.images(100) == list(range(40))


def test_rare_kinds_are_shown_as_often_as_usual_ones_if_wanted(make) -> None:
    fields = [make(0, "a", "phase"), *(make(number, "a", "fluorescence") for number in range(1, 5))]
    np.testing.assert_allclose(shares(batch_of(fields, balance=1.0), 5), [0.5, *[0.125] * 4], atol=0.06)
    np.testing.assert_allclose(shares(batch_of(fields, balance=0.0), 5), [0.2] * 5, atol=0.06)


def test_middles_lie_on_cells_as_often_as_asked(make) -> None:
    for asked, low, high in ((0.0, 0.0, 0.05), (1.0, 0.2, 0.5)):  # the cell covers 1.6 % of the field; 20 tries
        batch = batch_of([make(0, "a")], cells_first=asked)
        assert low <= (batch.targets["foreground"][:, 0, 16, 16] > 0).mean() <= high


def test_a_batch_says_what_each_truth_can_teach(make) -> None:
    fields = [make(0, "a", heads=("density",)), make(1, "a")]
    batch = batch_of(fields, ("foreground", "density"), batch=40)
    first = batch.image[:, 0, 16, 16] == 0
    assert np.array_equal(batch.known["density"] > 0, first)
    assert np.array_equal(batch.known["foreground"] > 0, ~first)
    whole = batch.targets["foreground"].sum((1, 2, 3)) == 144
    np.testing.assert_allclose(batch.targets["density"].sum((1, 2, 3))[whole], 1, atol=0.01)


def test_weights_that_fit_no_data_set_are_refused(make) -> None:
    with pytest.raises(InputError, match="No data set is called 'c'.* there are a, b"):
        batch_of([make(0, "b"), make(1, "a")], data_weights={"c": 1.0})
    with pytest.raises(InputError, match="weight 0"):
        batch_of([make(0, "a")], data_weights={"a": 0.0})
    with pytest.raises(InputError, match="no image"):
        batch_of([])
