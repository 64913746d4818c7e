"""Growing, shrinking, splitting and filling windows: what must hold for any labels."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cellmetry.ops.editing.filling import flooded, holes_of
from cellmetry.ops.editing.growing import grown, shrunk
from cellmetry.ops.editing.ids import mapped_ids, parts_of_mask, renumber_parts, without_ids
from cellmetry.ops.editing.splitting import parts_by_line, parts_by_seeds, parts_by_summits

TOUCHING = np.ones((3, 3))
seeds = st.integers(0, 2**31)


def blobs(seed, shape=(48, 56)):
    """Random connected objects."""
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), 2.5)
    labels, _ = ndimage.label(smooth > 0.03, TOUCHING)
    return labels.astype(np.uint32)


@given(seed=seeds, distance=st.floats(1, 12))
@settings(max_examples=40)
def test_growing_takes_only_near_background_and_stays_connected(seed, distance):
    before = blobs(seed)
    ids = np.unique(before[before > 0])[::2]
    after = grown(before, ids, distance)
    assert np.array_equal(after[before > 0], before[before > 0])
    for label in np.unique(before[before > 0]):
        gained = (after == label) & (before != label)
        assert label in ids or not gained.any()
        assert (ndimage.distance_transform_edt(before != label)[gained] <= distance).all()
        assert ndimage.label(after == label, TOUCHING)[1] == 1


@given(seed=seeds, distance=st.floats(1, 5))
@settings(max_examples=40)
def test_shrinking_is_the_distance_to_the_outside(seed, distance):
    mask = blobs(seed) > 0
    inner = shrunk(mask, distance, beyond=(False, False, False, False))
    away = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    assert np.array_equal(inner, away > distance)
    wide = np.pad(mask, 20, mode="edge")
    open_everywhere = shrunk(mask, distance, beyond=(True, True, True, True))
    assert np.array_equal(open_everywhere, (ndimage.distance_transform_edt(wide) > distance)[20:-20, 20:-20])
    assert shrunk(np.ones((5, 5), bool), 3, beyond=(True, True, True, True)).all()


@given(seed=seeds)
@settings(max_examples=40)
def test_a_line_across_parts_its_two_sides(seed):
    rng = np.random.default_rng(seed)
    mask = parts_of_mask(blobs(seed) > 0)[0] == 1
    y0, y1 = rng.uniform(0, mask.shape[0], 2)
    line = [(y0, -1.0), (y1, mask.shape[1] + 1.0)]
    parts = parts_by_line(mask, line, smallest=1)
    assert np.array_equal(parts > 0, mask)
    rows, columns = np.ogrid[: mask.shape[0], : mask.shape[1]]
    height = y0 + (columns + 0.5 + 1.0) / (mask.shape[1] + 2.0) * (y1 - y0)
    above, below = mask & (rows + 0.5 < height - 1.5), mask & (rows + 0.5 > height + 1.5)
    if parts.max() > 1:
        assert not set(np.unique(parts[above])) & set(np.unique(parts[below]))
    else:
        assert not (above.any() and below.any()) or not mask.any()


def test_a_line_beside_and_one_that_ends_inside_cut_nothing():
    mask = np.zeros((30, 30), bool)
    mask[5:25, 5:25] = True
    assert parts_by_line(mask, [(2, 0), (2, 30)], smallest=1).max() == 1
    assert parts_by_line(mask, [(15, 0), (15, 20)], smallest=1).max() == 1
    assert parts_by_line(mask, [(6.2, 0), (6.2, 30)], smallest=30).max() == 1  # a rim of one row of 20 pixels
    assert parts_by_line(mask, [(6.2, 0), (6.2, 30)], smallest=1).max() in (1, 2)


def test_a_diagonal_line_leaves_no_bridge_over_corners():
    mask = np.ones((40, 40), bool)
    for start in np.linspace(0, 2, 17):
        parts = parts_by_line(mask, [(-1 + start, -1), (41, 41 - start)], smallest=1)
        assert parts.max() == 2


@given(seed=seeds)
@settings(max_examples=20)
def test_seeds_part_an_object_each_piece_with_its_seed(seed):
    rng = np.random.default_rng(seed)
    parts, sizes = parts_of_mask(blobs(seed) > 0)
    mask = parts == sizes.argmax()
    pixels = np.argwhere(mask)
    chosen = pixels[rng.choice(len(pixels), 3, replace=False)].T
    found = parts_by_seeds(mask, chosen)
    assert np.array_equal(found > 0, mask)
    assert found[chosen[0], chosen[1]].tolist() == [1, 2, 3]
    assert ((parts_by_summits(mask, depth=0.5) > 0) == mask).all()


def test_the_largest_part_keeps_the_id():
    window = np.zeros((10, 10), np.uint32)
    window[0:2, 0:2] = window[4:9, 4:9] = window[0, 9] = 7
    window[9, 0] = 3
    parts, sizes = parts_of_mask(window == 7)
    assert sorted(sizes.tolist()) == [0, 1, 4, 25]
    new = iter(range(20, 30))
    after = renumber_parts(window, 7, parts, lambda: next(new))
    assert (after[4:9, 4:9] == 7).all()
    assert {int(after[0, 0]), int(after[0, 9])} == {20, 21}
    assert after[9, 0] == 3


def test_holes_and_floods():
    mask = np.zeros((12, 12), bool)
    mask[2:10, 2:10] = True
    mask[4:6, 4:6] = False
    mask[6, 6] = False  # touches the hole at a corner
    assert holes_of(mask).sum() == 5
    region = flooded(~mask, 4, 4)
    assert region.sum() == 4
    assert flooded(~mask, 0, 0).sum() == 12 * 12 - 64


def test_other_ids():
    window = np.array([[1, 2], [3, 2**32 - 1]], np.uint32)
    assert without_ids(window, [1, 2**32 - 1]).tolist() == [[0, 2], [3, 0]]
    assert mapped_ids(window, [1, 3], 9).tolist() == [[9, 2], [9, 2**32 - 1]]
    assert mapped_ids(window, [1], 9).dtype == np.uint32
