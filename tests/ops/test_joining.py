"""Pieces of one cell are put together, and what is no cell is left out, by what the maps say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.errors import ParameterError
from cellmetry.ops.density import density_from_labels
from cellmetry.ops.flows import FlowDecoding, decode_flows, flow_targets
from cellmetry.ops.joining import ContactWeights, Joining, PieceWeights, join_measured, join_pieces, keep_chances
from cellmetry.ops.pieces import CONTACT_FEATURES, PIECE_FEATURES, Pieces, add_piece, measure_pieces, piece_features
from cellmetry.ops.tiles import CLOSED, Sides

ALL_KEPT = Joining(keep_from=0.0)


def discs(*circles: tuple[int, int, int], shape: tuple[int, int] = (60, 90)) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    labels = np.zeros(shape, np.int32)
    for number, (cy, cx, radius) in enumerate(circles):
        labels[((y - cy) ** 2 + (x - cx) ** 2 <= radius**2) & (labels == 0)] = number + 1
    return labels


def maps_of(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what a perfect network would put out."""
    return (labels > 0).astype(np.float32), flow_targets(labels), density_from_labels(labels).astype(np.float32)


def ids(labels: np.ndarray) -> list[int]:
    return [int(name) for name in np.unique(labels[labels > 0])]


def halves(labels: np.ndarray, column: int) -> np.ndarray:
    """Return labels cut in two along a column."""
    right = np.arange(labels.shape[1])[None] >= column
    return np.where(labels > 0, 2 * labels - 1 + right, 0).astype(np.int32)


def test_a_cell_cut_in_two_is_put_together_again() -> None:
    truth = discs((30, 40, 14))
    np.testing.assert_array_equal(join_pieces(halves(truth, 44), *maps_of(truth)), truth)


def test_cells_that_touch_stay_apart() -> None:
    truth = discs((30, 25, 14), (30, 52, 14))
    assert ((truth[:, :-1] == 1) & (truth[:, 1:] == 2)).any()
    np.testing.assert_array_equal(join_pieces(truth, *maps_of(truth)), truth)


def test_a_cut_cell_beside_another_joins_its_own_half() -> None:
    truth = discs((30, 25, 14), (30, 52, 14))
    pieces = np.where((truth == 2) & (np.arange(90)[None] > 50), 3, truth).astype(np.int32)
    np.testing.assert_array_equal(join_pieces(pieces, *maps_of(truth)), truth)


def cell_and_debris(column: int) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return labels of a cell, 1, and of something faint about a column, 2, and their maps."""
    labels = discs((30, 25, 14), (30, column, 8))
    foreground, flow, density = maps_of(labels)
    faint = labels == 2
    foreground[faint], density[faint], flow[:, faint] = 0.55, 0.0, 0.1 * flow[:, faint]
    return labels, (foreground, flow, density)


def test_what_is_hardly_foreground_and_holds_no_cell_is_dropped() -> None:
    labels, maps = cell_and_debris(70)
    assert ids(join_pieces(labels, *maps)) == [1]
    assert ids(join_pieces(labels, *maps, ALL_KEPT)) == [1, 2]


def test_what_touches_an_open_side_is_kept_so_that_no_tile_loses_a_cell_that_it_sees_in_part() -> None:
    labels, maps = cell_and_debris(85)
    assert ids(join_pieces(labels, *maps)) == [1]
    for side in Sides._fields:
        kept = join_pieces(labels, *maps, open_sides=CLOSED._replace(**{side: True}))
        assert ids(kept) == ([1, 2] if side == "right" else [1])


def test_the_limits_join_all_or_nothing() -> None:
    truth = discs((30, 25, 14), (30, 52, 14))
    maps = maps_of(truth)
    assert ids(join_pieces(truth, *maps, Joining(join_from=0.0))) == [1]
    pieces = halves(truth, 20)
    np.testing.assert_array_equal(join_pieces(pieces, *maps, Joining(join_from=1.0, keep_from=0.0)), pieces)


def test_decoding_joins_where_there_is_a_density() -> None:
    truth = discs((30, 40, 20))
    foreground, flow, density = maps_of(truth)
    rng = np.random.default_rng(0)
    flow = (0.3 * flow + np.kron(rng.normal(0, 0.5, (2, 12, 18)), np.ones((1, 5, 5)))).astype(np.float32)
    loose = FlowDecoding(joining=None, min_area_px=1)
    apart = decode_flows(foreground, flow, loose, density=density)
    np.testing.assert_array_equal(decode_flows(foreground, flow, loose), apart)
    together = FlowDecoding(joining=ALL_KEPT, min_area_px=1)
    joined = decode_flows(foreground, flow, together, density=density)
    assert len(ids(apart)) > len(ids(joined))
    expected = join_pieces(apart, foreground, flow, density, ALL_KEPT)
    assert len(np.unique(np.stack([joined, expected])[:, truth > 0], axis=1).T) == len(ids(joined))


@pytest.mark.parametrize("wrong", [(3, 4), (4, 3)])
def test_shapes_must_agree(wrong: tuple[int, int]) -> None:
    with pytest.raises(ParameterError, match="do not fit"):
        join_pieces(np.zeros((3, 3), np.int32), np.zeros(wrong), np.zeros((2, 3, 3)), np.zeros((3, 3)))


def test_there_is_a_weight_for_every_feature() -> None:
    assert tuple(ContactWeights.model_fields) == ("always", *CONTACT_FEATURES)
    assert tuple(PieceWeights.model_fields) == ("always", *PIECE_FEATURES)


def random_maps(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.kron(rng.integers(0, 12, (7, 7)), np.ones((3, 3))).astype(np.int32)
    shape = labels.shape
    foreground = rng.uniform(0.5, 1, shape).astype(np.float32)
    return labels, foreground, rng.normal(0, 0.7, (2, *shape)).astype(np.float32), foreground / 20


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_nothing_is_split_and_sums_of_what_is_joined_are_those_of_the_whole(seed: int) -> None:
    labels, *maps = random_maps(seed)
    options = Joining(join_from=0.3, keep_from=0.0)
    joined = join_pieces(labels, *maps, options)
    np.testing.assert_array_equal(joined > 0, labels > 0)
    for name in ids(labels):
        assert len(np.unique(joined[labels == name])) == 1
    for name in ids(joined):
        assert name == labels[joined == name].min()
    pieces = measure_pieces(labels, *maps)
    join_measured(pieces, options)
    anew = measure_pieces(joined, *maps)
    for name in ids(joined):
        ours, theirs = (piece_features(each.whole[name], each.real[name]) for each in (pieces, anew))
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
        assert keep_chances(pieces, options)[name] == pytest.approx(keep_chances(anew, options)[name])


@given(seed=st.integers(0, 10_000), down=st.integers(0, 40), right=st.integers(0, 40))
@settings(max_examples=30, deadline=None)
def test_where_pieces_lie_changes_nothing(seed: int, down: int, right: int) -> None:
    labels, *maps = random_maps(seed)

    def moved(plane: np.ndarray) -> np.ndarray:
        return np.pad(plane, [(0, 0)] * (plane.ndim - 2) + [(down, 3), (right, 5)])

    here, there = measure_pieces(labels, *maps), measure_pieces(*map(moved, (labels, *maps)))
    np.testing.assert_array_equal(here.real, there.real)
    np.testing.assert_array_equal(here.whole[:, :6], there.whole[:, :6])
    np.testing.assert_array_equal(here.contacts, there.contacts)
    np.testing.assert_array_equal(
        moved(join_pieces(labels, *maps, ALL_KEPT)), join_pieces(*map(moved, (labels, *maps)), ALL_KEPT)
    )


def test_a_disc_whose_flow_points_to_its_middle_has_the_features_that_the_definition_says() -> None:
    labels = discs((30, 40, 20))
    pieces = measure_pieces(labels, *maps_of(labels))
    features = dict(zip(PIECE_FEATURES, piece_features(pieces.whole[1], pieces.real[1]), strict=True))
    assert features["held"] == pytest.approx(1 - np.exp(-5 / np.pi), abs=0.01)  # the Gaussian reaches beyond
    assert features["excess"] == pytest.approx(0, abs=0.01)
    assert features["foreground"] == 1
    assert features["speed"] == pytest.approx(1, abs=0.01)
    assert features["fill"] == pytest.approx(0, abs=0.01)
    assert features["convergence"] == pytest.approx(1, abs=0.03)


def test_adding_a_piece_shifts_its_positions() -> None:
    labels = discs((20, 30, 9), (35, 60, 12))
    maps = maps_of(labels)
    both: Pieces = measure_pieces((labels > 0).astype(np.int32), *maps)
    parts = measure_pieces(labels, *maps)
    add_piece(parts.whole[1], parts.real[1], parts.whole[2], parts.real[2])
    np.testing.assert_array_equal(parts.whole[1], both.whole[1])
    np.testing.assert_allclose(parts.real[1], both.real[1], atol=1e-3)
