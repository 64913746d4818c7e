"""Flows: targets point home, decoding finds the cells again, and where a cell lies changes nothing."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cellmetry.errors import LabelsError, ParameterError
from cellmetry.ops.flows import FlowDecoding, decode_flows, flow_errors, flow_targets
from cellmetry.ops.matching import match_labels

ALL = FlowDecoding(min_area_px=1)


def decode(labels, options=None):
    return decode_flows((labels > 0).astype(np.float32), flow_targets(labels), options)


def random_cells(seed: int, count: int, size: int = 96) -> np.ndarray:
    """Return touching cells of random shape: a Voronoi diagram with wavy borders, some cells left out."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, size, (count, 2))
    wave = ndimage.gaussian_filter(rng.normal(0, 1, (2, size, size)), (0, 4, 4))
    grid = np.mgrid[:size, :size] + 3 * wave / wave.std()
    squares = ((grid[None] - points[:, :, None, None]) ** 2).sum(axis=1)
    labels = squares.argmin(axis=0) + 1
    labels[np.isin(labels, rng.choice(count, count // 3, replace=False) + 1)] = 0
    return labels.astype(np.int32)


def test_targets_of_a_disc_point_to_its_centre():
    y, x = np.mgrid[:41, :41] - 20
    disc = (y**2 + x**2 <= 15**2).astype(np.int32)
    flow = flow_targets(disc)
    distance = np.hypot(y, x)
    inner = (disc > 0) & (distance > 0)
    cosine = -(flow[0] * y + flow[1] * x)[inner] / distance[inner]
    assert cosine.min() > 0.95
    assert flow[:, 20, 20].tolist() == [0, 0]
    assert not flow[:, disc == 0].any()
    assert flow.dtype == np.float32
    assert np.hypot(*flow)[inner] == pytest.approx(1)


def test_targets_keep_a_direction_along_a_long_thin_cell():
    line = np.zeros((5, 401), np.int32)
    line[2, :] = 9
    flow = flow_targets(line)
    assert (flow[1, 2, :200] == 1).all()
    assert (flow[1, 2, 201:] == -1).all()


def test_targets_do_not_depend_on_ids():
    cells = random_cells(1, 12)
    names = np.array([0, 4_000_000_000, *range(7, 40)], np.uint32)
    assert np.array_equal(flow_targets(cells), flow_targets(names[cells]))


def test_targets_of_a_far_part_are_zero():
    labels = np.zeros((30, 30), np.int32)
    labels[2:12, 2:12] = labels[20:24, 20:24] = 3
    flow = flow_targets(labels)
    assert not flow[:, 18:, 18:].any()
    assert flow[:, 2:12, 2:12].any()


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (1, 17), (17, 1)])
def test_thin_and_empty_images(shape):
    assert decode(np.zeros(shape, np.int32)).max(initial=0) == 0
    full = decode(np.ones(shape, np.int32), ALL)
    assert full.shape == shape
    assert (full == 1).all()


@given(st.integers(0, 10_000), st.integers(4, 25))
@settings(max_examples=25, deadline=None)
def test_round_trip_of_touching_cells(seed, count):
    """Cells that are whole in one piece and thick enough to have an inside come back as they were."""
    cells = random_cells(seed, count)
    opened = ndimage.grey_opening(cells, size=(5, 5))
    pieces = np.zeros_like(cells)
    for index in np.unique(opened[opened > 0]):
        part, n = ndimage.label((opened == index) & (cells == index))
        if n and np.bincount(part.ravel())[1:].max() >= 60:
            pieces[part == 1 + np.bincount(part.ravel())[1:].argmax()] = index
    found = match_labels(pieces, decode(pieces), iou=0.5)
    assert found.fn == 0
    assert found.mean_matched_iou > 0.95 or found.tp == 0


def test_round_trip_of_non_convex_neighbours():
    labels = np.zeros((60, 80), np.int32)
    labels[5:50, 5:15] = labels[40:50, 5:45] = 1  # an L
    labels[5:39, 16:26] = labels[5:15, 16:60] = 2  # another, turned, one pixel away
    labels[16:39, 27:60] = 3
    labels[10:55, 60:70] = 4  # touches 2 and 3
    found = match_labels(labels, decode(labels), iou=0.95)
    assert (found.tp, found.fp, found.fn) == (4, 0, 0)


def scene(cells: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a foreground and a flow as a network would give them: blurred and noisy."""
    rng = np.random.default_rng(seed)
    flow = ndimage.gaussian_filter(flow_targets(cells), (0, 1.5, 1.5)) + rng.normal(0, 0.2, (2, *cells.shape))
    foreground = ndimage.gaussian_filter((cells > 0).astype(float), 1) + rng.normal(0, 0.05, cells.shape)
    return foreground.astype(np.float32), flow.astype(np.float32)


@given(st.integers(0, 1000), st.integers(0, 3000), st.integers(0, 3000))
@settings(max_examples=20, deadline=None)
def test_moving_everything_moves_the_labels(seed, down, right):
    foreground, flow = scene(random_cells(seed, 12, 64), seed)
    canvas = np.zeros((64 + down % 300, 64 + right % 300), np.float32)
    moved, moved_flow = canvas.copy(), np.stack([canvas, canvas])
    moved[-64:, -64:], moved_flow[:, -64:, -64:] = foreground, flow
    assert np.array_equal(decode_flows(foreground, flow), decode_flows(moved, moved_flow)[-64:, -64:])


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_a_cell_does_not_depend_on_what_lies_elsewhere(seed):
    """Whatever else is there, pixels that do not touch a clump leave its labels as they are."""
    rng = np.random.default_rng(seed)
    foreground, flow = np.zeros((64, 160), np.float32), np.zeros((2, 64, 160), np.float32)
    here = random_cells(seed, 10, 64)
    foreground[:, :64], flow[:, :, :64] = scene(here, seed)
    foreground[:, 60:70] = 0
    alone = decode_flows(foreground, flow)
    foreground[:, 70:], flow[:, :, 70:] = rng.random((64, 90)), rng.normal(0, 1, (2, 64, 90))
    crowded = decode_flows(foreground, flow)
    assert _same_partition(alone[:, :65], crowded[:, :65])


@given(st.integers(0, 1000), st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=20, deadline=None)
def test_a_crop_with_margin_gives_the_same_cell(seed, top, left):
    """The promise tiles rest on: a crop that begins anywhere and holds a cell with context gives that cell."""
    cells = np.zeros((200, 200), np.int32)
    cells[52:148, 52:148] = random_cells(seed, 14)
    foreground, flow = scene(cells, seed)
    whole, part = decode_flows(foreground, flow), decode_flows(foreground[top:, left:], flow[:, top:, left:])
    centre = (slice(95, 105), slice(95, 105))
    for index in np.unique(whole[centre]):
        if index:
            inside = whole == index
            found = np.unique(part[inside[top:, left:]])
            assert found.size == 1
            assert np.array_equal(part == found[0], inside[top:, left:])


def _same_partition(first: np.ndarray, second: np.ndarray) -> bool:
    found = match_labels(first, second, iou=1.0)
    return found.fp == found.fn == 0


@given(
    hnp.arrays(np.float32, (9, 11), elements=st.floats(0, 1, width=32)),
    hnp.arrays(np.float32, (2, 9, 11), elements=st.sampled_from([0, 1, -1, 0.3, 1e-20, 1e30, np.nan, np.inf])),
)
@settings(max_examples=60, deadline=None)
def test_any_flow_labels_exactly_the_foreground(foreground, flow):
    labels = decode_flows(foreground, flow, ALL)
    assert np.array_equal(labels > 0, foreground >= 0.5)
    assert np.array_equal(np.unique(labels[labels > 0]), np.arange(labels.max()) + 1)


def test_probability_that_is_not_a_number_is_background():
    foreground = np.full((4, 4), np.nan, np.float32)
    assert decode_flows(foreground, np.zeros((2, 4, 4), np.float32), ALL).max() == 0


def test_minimal_area():
    labels = np.zeros((20, 20), np.int32)
    labels[1:5, 1:5], labels[10:12, 10:12] = 1, 2
    assert decode(labels, FlowDecoding(min_area_px=4)).max() == 2
    only = decode(labels, FlowDecoding(min_area_px=5))
    assert only.max() == 1
    assert np.array_equal(only > 0, labels == 1)


def test_flow_error_drops_what_no_cell_looks_like():
    labels = np.zeros((40, 90), np.int32)
    labels[5:30, 5:30], labels[5:30, 50:75] = 1, 2
    flow = flow_targets(labels)
    assert flow_errors(labels, flow)[1:] == pytest.approx(0, abs=0.02)
    assert flow_errors(labels, -flow)[1:] == pytest.approx(4, abs=0.05)
    flow[:, 5:30, 50:75] = np.array([1, 0])[:, None, None]  # a stream, which piles up at one side
    foreground = (labels > 0).astype(np.float32)
    assert decode_flows(foreground, flow, FlowDecoding(max_flow_error=0.4))[:, 40:].max() == 0
    assert decode_flows(foreground, flow, FlowDecoding(max_flow_error=0.4))[:, :40].max() > 0
    assert decode_flows(foreground, flow)[:, 40:].max() > 0


def test_inputs_are_left_as_they_were():
    foreground, flow = scene(random_cells(3, 10), 3)
    before = foreground.copy(), flow.copy()
    decode_flows(foreground, flow, FlowDecoding(max_flow_error=0.4))
    assert np.array_equal(foreground, before[0])
    assert np.array_equal(flow, before[1])


def test_refusals():
    with pytest.raises(LabelsError, match="one plane"):
        flow_targets(np.zeros((2, 3, 3), np.int32))
    with pytest.raises(LabelsError, match="float64"):
        flow_targets(np.zeros((3, 3)))
    with pytest.raises(ParameterError, match=r"\(2, 3, 3\) does not fit"):
        decode_flows(np.zeros((4, 3), np.float32), np.zeros((2, 3, 3), np.float32))
