"""Splitting by summits: hand-made landscapes, and results that depend on nothing but the region itself."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.ops.split import split_by_summits

LINE = np.array([[0, 1, 5, 3, 4, 1, 0, 2, 9, 2]], np.float32)


def test_a_pass_deeper_than_the_depth_parts() -> None:
    labels = split_by_summits(LINE, LINE > 0, depth=0.5)
    assert labels.tolist() == [[0, 1, 1, 1, 2, 2, 0, 3, 3, 3]]


def test_a_shallow_pass_joins() -> None:
    labels = split_by_summits(LINE, LINE > 0, depth=1.5)
    assert labels.tolist() == [[0, 1, 1, 1, 1, 1, 0, 2, 2, 2]]


def test_infinite_depth_is_connected_components() -> None:
    labels = split_by_summits(LINE, LINE > 0, depth=np.inf)
    assert labels.max() == 2


def test_no_foreground_no_objects() -> None:
    assert split_by_summits(LINE, np.zeros(LINE.shape, bool), depth=1).max() == 0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), dy=st.integers(0, 7), dx=st.integers(0, 9), depth=st.sampled_from([0.0, 1.0, 3.0]))
def test_the_place_in_the_array_changes_nothing(seed: int, dy: int, dx: int, depth: float) -> None:
    """Whole-number heights make many ties; they must break the same way wherever the region lies."""
    generator = np.random.default_rng(seed)
    height = generator.integers(0, 6, (12, 14)).astype(np.float32)
    foreground = generator.random((12, 14)) < 0.8
    alone = split_by_summits(height, foreground, depth=depth)
    frame = np.zeros((24, 31), np.float32)
    where = np.zeros((24, 31), bool)
    frame[dy : dy + 12, dx : dx + 14], where[dy : dy + 12, dx : dx + 14] = height, foreground
    moved = split_by_summits(frame, where, depth=depth)[dy : dy + 12, dx : dx + 14]
    pairs = set(zip(alone.ravel().tolist(), moved.ravel().tolist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
