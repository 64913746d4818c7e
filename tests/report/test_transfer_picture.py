"""The review picture of labels from another channel."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.learn.transfer import TransferQuality, judge_objects
from cellmetry.report.transfer import draw_transfer

BLUE, ORANGE = [0, 200, 255], [255, 128, 0]


@pytest.fixture
def field() -> tuple[np.ndarray, np.ndarray]:
    labels = np.zeros((100, 120), np.int32)
    labels[20:50, 20:50], labels[60:90, 70:100], labels[5:8, 100:103] = 3, 400, 7
    light = np.where(labels > 0, 500, 100) + np.random.default_rng(0).normal(0, 5, labels.shape)
    return labels, light.astype(np.float32)


def test_accepted_objects_are_blue_and_rejected_ones_orange_in_every_channel(field) -> None:
    labels, light = field
    judged = judge_objects(labels, light, TransferQuality(faint=None))
    picture = draw_transfer({"stain": light, "bright": -light}, labels, judged)
    assert picture.dtype == np.uint8
    assert picture.shape == (400, 2 * 480 + 6, 3)
    for left in (0, 486):
        panel = picture[:, left : left + 480]
        assert panel[4 * 20, 4 * 35].tolist() == BLUE
        assert panel[4 * 60, 4 * 85].tolist() == BLUE
        assert panel[4 * 6, 4 * 100].tolist() == ORANGE
    assert (picture[:, 480:486] == 255).all()


def test_what_is_not_annotated_is_tinted(field) -> None:
    labels, light = field
    judged = judge_objects(labels, light, TransferQuality(faint=None))
    picture = draw_transfer({"stain": light}, labels, judged)
    beside, ground = picture[4 * 10 - 2, 4 * 101].astype(int), picture[4 * 60, 4 * 20].astype(int)
    assert not judged.annotated[9, 101]
    assert beside[0] - beside[2] > 40
    assert ground[0] == ground[2]


def test_large_fields_are_drawn_at_their_own_size() -> None:
    labels, light = np.zeros((500, 490), np.int32), np.ones((500, 490), np.float32)
    judged = judge_objects(labels, light, TransferQuality())
    assert draw_transfer({"a": light}, labels, judged).shape == (500, 490, 3)
