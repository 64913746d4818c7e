"""Everything about one image at once: the parts agree, ignored regions are ignored, rules for empty images hold."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.errors import LabelsError
from cellmetry.learn.image_scores import (
    IOUS,
    ScoreOptions,
    foreground_scores,
    image_scores,
    keep_annotated,
    point_scores,
)
from cellmetry.ops.matching import match_labels

small_labels = hnp.arrays(np.uint32, (6, 7), elements=st.integers(0, 4))


def field() -> tuple[np.ndarray, np.ndarray]:
    """Truth: 1 found, 2 split into 20 and 21, 3 and 4 merged in 30, 5 missed; 60 is extra."""
    truth, predicted = np.zeros((40, 60), int), np.zeros((40, 60), int)
    truth[2:12, 2:12] = predicted[2:12, 2:12] = 1
    truth[2:12, 20:40], predicted[2:12, 20:29], predicted[2:12, 30:40] = 2, 20, 21
    truth[20:30, 2:12], truth[20:30, 12:22], predicted[20:30, 2:22] = 3, 4, 30
    truth[20:30, 30:40] = 5
    predicted[32:38, 50:58] = 60
    return truth, predicted


def test_every_kind_of_error_is_named():
    found = image_scores(*field())
    assert (found.n_split, found.n_merged) == (1, 1)
    first = found.at(0.5)
    assert (first.tp, first.fp, first.fn) == (3, 2, 2)  # 1; half of 2; one of 3 and 4
    assert dict(zip(found.true_errors.ids.tolist(), found.true_errors.kinds, strict=True)) == {
        2: "split",
        3: "merged",
        4: "merged",
        5: "missed",
    }
    assert dict(zip(found.predicted_errors.ids.tolist(), found.predicted_errors.kinds, strict=True)) == {
        20: "split",
        21: "split",
        30: "merged",
        60: "extra",
    }
    where = found.true_errors.ids.tolist().index(5)
    assert found.true_errors.areas[where] == 100
    assert found.true_errors.points[where].tolist() == [24.5, 34.5]
    assert (found.counts.true.sum(), found.counts.predicted.sum()) == (5, 5)


def test_parts_agree_with_their_functions():
    truth, predicted = field()
    found = image_scores(truth, predicted)
    assert [matching.iou for matching in found.matchings] == list(IOUS)
    assert found.at(0.75)[:10] == match_labels(truth, predicted, iou=0.75)[:10]
    assert found.mean_ap == pytest.approx(np.mean([match_labels(truth, predicted, iou=iou).ap for iou in IOUS]))


@pytest.mark.parametrize("side", ["truth", "predicted"])
def test_empty_images(side):
    nothing = np.zeros((20, 20), int)
    both = image_scores(nothing, nothing)
    assert (both.mean_ap, both.jaccard.value, both.pixels.dice, both.boundary.f1) == (1, 1, 1, 1)
    one = nothing.copy()
    one[3:9, 3:9] = 1
    found = image_scores(one, nothing) if side == "truth" else image_scores(nothing, one)
    assert (found.mean_ap, found.jaccard.value, found.pixels.f2, found.boundary.f1) == (0, 0, 0, 0)


@given(small_labels, small_labels)
def test_stricter_thresholds_never_score_higher(truth, predicted):
    aps = [matching.ap for matching in image_scores(truth, predicted).matchings]
    assert aps == sorted(aps, reverse=True)
    assert all(0 <= ap <= 1 for ap in aps)


@given(small_labels, small_labels, st.permutations(range(1, 5)))
def test_names_of_ids_do_not_matter(truth, predicted, order):
    renamed = np.concatenate([[0], np.array(order) * 1000])[predicted]
    there, other = image_scores(truth, predicted), image_scores(truth, renamed)
    assert [matching[:7] for matching in there.matchings] == [matching[:7] for matching in other.matchings]
    assert there.pixels == other.pixels
    assert there.boundary == other.boundary
    assert (there.n_split, there.n_merged) == (other.n_split, other.n_merged)
    assert np.array_equal(there.counts.predicted, other.counts.predicted)


@given(small_labels, small_labels)
def test_swapping_the_images_swaps_the_errors(truth, predicted):
    there, back = image_scores(truth, predicted), image_scores(predicted, truth)
    assert [(m.tp, m.fp, m.fn) for m in there.matchings] == [(m.tp, m.fn, m.fp) for m in back.matchings]
    assert (there.n_split, there.n_merged) == (back.n_merged, back.n_split)
    assert there.boundary.f1 == back.boundary.f1


def test_objects_mostly_outside_the_annotated_region_are_ignored():
    truth, predicted = np.zeros((20, 40), int), np.zeros((20, 40), int)
    annotated = np.zeros((20, 40), bool)
    annotated[:, :20] = True
    truth[2:8, 2:8] = predicted[2:8, 2:8] = 1
    predicted[2:8, 30:36] = 2  # outside
    predicted[10:14, 18:28] = 3  # two of ten columns inside
    truth[15:19, 12:20], predicted[15:19, 12:24] = 4, 4  # goes on outside, where nobody drew
    found = image_scores(truth, predicted, annotated=annotated)
    assert (found.at(0.95).tp, found.at(0.95).fp, found.at(0.95).fn) == (2, 0, 0)
    assert found.pixels.fp == found.pixels.fn == 0
    assert found.jaccard.value == 1
    assert found.counts.predicted.sum() == 2
    assert found.boundary.recall == pytest.approx(1)


def test_half_inside_is_kept():
    labels = np.array([[0, 1, 1, 2, 2, 2, 2]])
    annotated = np.array([[True, True, False, True, True, False, False]])
    assert keep_annotated(labels, annotated).tolist() == labels.tolist()
    annotated[0, 3] = False
    assert keep_annotated(labels, annotated).tolist() == [[0, 1, 1, 0, 0, 0, 0]]


def test_counts_per_patch():
    truth, predicted = field()
    found = image_scores(truth, predicted, options=ScoreOptions(patch_px=20))
    assert found.counts.true.tolist() == [[1, 1, 0], [2, 1, 0]]
    assert found.counts.predicted.tolist() == [[1, 2, 0], [1, 0, 1]]


def test_points_and_foreground_tell_what_they_can():
    truth, predicted = field()
    pixels = foreground_scores(truth > 0, predicted)
    assert pixels.pixels == image_scores(truth, predicted).pixels
    assert (pixels.matchings, pixels.counts) == ((), None)
    annotated = np.zeros(truth.shape, bool)
    annotated[:, :20] = True
    counted = point_scores(np.array([[5.0, 5.0], [5.0, 30.0]]), predicted, annotated)
    assert (counted.counts.true.sum(), counted.counts.predicted.sum()) == (1, 2)
    assert counted.pixels is None


def test_refusals():
    truth, predicted = field()
    with pytest.raises(LabelsError, match=r"\(40, 60\), the prediction \(40, 59\)"):
        image_scores(truth, predicted[:, :-1])
    with pytest.raises(LabelsError, match="annotated region"):
        image_scores(truth, predicted, annotated=np.ones((2, 2), bool))


def test_agrees_with_stardist():
    """Only where StarDist is installed."""
    matching = pytest.importorskip("stardist.matching", exc_type=ImportError).matching
    rng = np.random.default_rng(3)
    for _ in range(20):
        truth = np.kron(rng.integers(0, 6, (5, 6)), np.ones((4, 4), int))
        predicted = np.roll(truth, rng.integers(0, 3), axis=1) * (rng.random(truth.shape) > 0.1)
        for found in image_scores(truth, predicted).matchings:
            theirs = matching(truth, predicted, thresh=found.iou)
            assert (found.tp, found.fp, found.fn) == (theirs.tp, theirs.fp, theirs.fn)
            assert found.ap == pytest.approx(theirs.accuracy)
            assert found.panoptic_quality == pytest.approx(theirs.panoptic_quality)
