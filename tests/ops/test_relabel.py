"""Objects in several parts are found, told and split."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from cellmetry.core.image import image_from_array
from cellmetry.core.labels import labels_from_array
from cellmetry.errors import LabelsError
from cellmetry.ops.label_checks import check_same_size, label_problems
from cellmetry.ops.relabel import split_parts

TWO_PARTS = np.array(
    [
        [1, 1, 0, 2, 2],
        [0, 0, 0, 0, 2],
        [7, 0, 1, 0, 0],
        [0, 7, 0, 0, 2],
    ],
    np.uint32,
)


def test_case_56_one_id_in_two_parts_is_told_and_split() -> None:
    labels = labels_from_array(TWO_PARTS)
    (sentence,) = label_problems(labels)
    assert sentence.startswith("2 objects lie in several parts that do not touch (id 1, 2; up to 2 parts)")
    split = split_parts(labels)
    expected = TWO_PARTS.copy()
    expected[2, 2], expected[3, 4] = 8, 9
    np.testing.assert_array_equal(split.read(), expected)
    assert label_problems(split) == ()
    np.testing.assert_array_equal(labels.read(), TWO_PARTS)


def test_parts_that_touch_at_a_corner_are_one() -> None:
    assert label_problems(labels_from_array(np.eye(4, dtype=np.uint32))) == ()
    assert label_problems(labels_from_array(np.eye(4, dtype=np.uint32)[None].repeat(2, 0), "ZYX")) == ()


def test_frames_are_looked_at_one_by_one() -> None:
    movie = np.zeros((2, 3, 5), np.uint32)
    movie[0, 0, 0] = movie[1, 2, 4] = 3
    assert label_problems(labels_from_array(movie, "TYX")) == ()
    assert "1 object lies" in label_problems(labels_from_array(movie, "ZYX"))[0]
    movie[0, 2, 2] = movie[1, 0, 0] = 3
    assert set(split_parts(labels_from_array(movie, "TYX")).ids()) == {3, 4, 5}


def test_case_57_empty_labels_have_no_problem() -> None:
    labels = labels_from_array(np.zeros((5, 6), np.uint32))
    assert label_problems(labels) == ()
    assert not split_parts(labels).read().any()


@given(arrays(np.uint32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3)))
@settings(deadline=None)
def test_splitting_keeps_the_foreground_and_connects_every_id(array: np.ndarray) -> None:
    split = split_parts(labels_from_array(array)).read()
    np.testing.assert_array_equal(split > 0, array > 0)
    for identity in np.unique(split[split > 0]):
        assert ndimage.label(split == identity, np.ones((3, 3)))[1] == 1
        assert len(np.unique(array[split == identity])) == 1
    for identity in np.unique(array[array > 0]):
        assert (split == identity).sum() == max(
            np.bincount(ndimage.label(array == identity, np.ones((3, 3)))[0].flat)[1:]
        )


def test_case_51_labels_of_another_size_are_refused() -> None:
    image = image_from_array(np.zeros((2, 3, 20, 30), np.uint16), "CZYX", name="field")
    with pytest.raises(LabelsError, match=r"\(Y 20 × X 31\) are not of the size of field \(Y 20 × X 30\)"):
        check_same_size(labels_from_array(np.zeros((20, 31), np.uint32)), image)
    with pytest.raises(LabelsError, match=r"Z 4 × Y 20 × X 30"):
        check_same_size(labels_from_array(np.zeros((4, 20, 30), np.uint32), "ZYX"), image)
    check_same_size(labels_from_array(np.zeros((20, 30), np.uint32)), image)
    check_same_size(labels_from_array(np.zeros((3, 20, 30), np.uint32), "ZYX"), image)
    check_same_size(labels_from_array(np.zeros((1, 20, 30), np.uint32), "TYX"), image)
