"""Centroids and counts in patches."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import center_of_mass

from cellmetry.errors import LabelsError, ParameterError
from cellmetry.ops.patches import count_in_patches, label_centroids


@given(hnp.arrays(np.uint32, (6, 7), elements=st.sampled_from([0, 3, 70000, 9])))
def test_centroids_are_those_of_scipy(labels):
    ids, points = label_centroids(labels)
    assert ids.tolist() == [identity for identity in np.unique(labels) if identity]
    if ids.size:
        np.testing.assert_allclose(points, center_of_mass(labels > 0, labels, ids))


def test_an_object_counts_once_where_its_centroid_lies():
    labels = np.zeros((300, 520), int)
    labels[10:20, 250:270] = 4  # centroid 259.5: the second patch
    labels[290:300, 0:10] = 7
    counts = count_in_patches(label_centroids(labels)[1], labels.shape)
    assert counts.tolist() == [[0, 1, 0], [1, 0, 0]]


@given(st.lists(st.tuples(st.floats(-0.5, 99.4), st.floats(-0.5, 149.4)), max_size=20), st.integers(1, 200))
def test_no_point_is_lost_or_doubled(points, side):
    found = count_in_patches(np.array(points).reshape(-1, 2), (100, 150), side_px=side)
    assert found.sum() == len(points)
    assert found.shape == (-(-100 // side), -(-150 // side))


def test_refusals():
    with pytest.raises(LabelsError, match="one plane"):
        label_centroids(np.zeros((2, 3, 4), int))
    with pytest.raises(ParameterError, match="patch"):
        count_in_patches(np.zeros((0, 2)), (4, 4), side_px=0)
