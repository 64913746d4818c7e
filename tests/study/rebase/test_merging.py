"""What a human made of old labels, put onto new ones: rules, and invariants of random edits."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cellmetry.study.rebase.merging import merge_windows


def disks(*cells, shape=(96, 96)):
    """Disks (id, y, x, radius), later ones on top."""
    out = np.zeros(shape, np.uint32)
    rows, columns = np.indices(shape)
    for label, y, x, radius in cells:
        out[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = label
    return out


def merged(base, mine, theirs):
    return merge_windows(base, mine, theirs, count(1000).__next__)


def ends(found):
    return {each.id: (each.kind, each.outcome) for each in found.findings}


TWO = disks((1, 30, 30, 12), (2, 60, 60, 12))


def test_a_deleted_cell_that_is_found_again_is_taken_out():
    mine = np.where(TWO == 2, 0, TWO)
    found = merged(TWO, mine, disks((1, 30, 30, 12), (50, 61, 61, 12)))
    assert ends(found) == {2: ("deleted", "kept")}
    assert np.array_equal(found.after, mine)


def test_a_deleted_cell_that_is_not_found_again_is_agreed_upon():
    mine = np.where(TWO == 2, 0, TWO)
    theirs = disks((1, 31, 31, 12))
    found = merged(TWO, mine, theirs)
    assert ends(found) == {2: ("deleted", "agreed")}
    assert np.array_equal(found.after, theirs)


def test_two_cells_where_a_human_deleted_one_are_a_question():
    mine = np.where(TWO == 2, 0, TWO)
    found = merged(TWO, mine, disks((1, 30, 30, 12), (50, 54, 60, 6), (51, 67, 60, 6)))
    assert ends(found) == {2: ("deleted", "question")}
    assert found.findings[0].theirs == (50, 51)
    assert np.array_equal(found.after, mine)


def test_a_drawn_cell_stays_where_the_model_sees_nothing_and_yields_where_it_sees_the_same():
    mine = TWO.copy()
    mine[disks((3, 30, 70, 10)) > 0] = 3
    found = merged(TWO, mine, TWO)
    assert ends(found) == {3: ("added", "kept")}
    assert np.array_equal(found.after, mine)
    theirs = TWO.copy()
    theirs[disks((3, 31, 70, 10)) > 0] = 3
    found = merged(TWO, mine, theirs)
    assert ends(found) == {3: ("added", "agreed")}
    assert np.array_equal(found.after, theirs)


def test_a_split_is_done_again_on_the_new_outline():
    base = disks((1, 48, 48, 20))
    mine = base.copy()
    mine[:, 48:][base[:, 48:] > 0] = 2
    theirs = disks((1, 48, 48, 22))
    found = merged(base, mine, theirs)
    assert ends(found) == {1: ("split", "kept"), 2: ("split", "kept")}
    assert np.array_equal(found.after > 0, theirs > 0)
    assert np.array_equal(found.after[base > 0], mine[base > 0])


def test_a_merge_is_done_again_on_the_new_outlines():
    base = disks((1, 48, 36, 12), (2, 48, 60, 12))
    mine = np.where(base == 2, 1, base)
    theirs = disks((1, 48, 36, 13), (70, 48, 60, 11))
    found = merged(base, mine, theirs)
    assert ends(found) == {1: ("merged", "kept")}
    assert set(np.unique(found.after)) == {0, 1}
    assert (found.after[theirs > 0] == 1).all()


def test_a_half_corrected_cell_does_not_beat_a_better_whole_one():
    truth = disks((1, 48, 48, 20))
    base = np.where(np.indices(truth.shape)[1] < 48, truth, 0)
    mine = base.copy()
    mine[40:56, 48:56][truth[40:56, 48:56] > 0] = 1
    found = merged(base, mine, truth)
    assert ends(found) == {1: ("reshaped", "agreed")}
    assert np.array_equal(found.after, truth)


def test_a_stroke_that_the_model_contradicts_is_drawn_on_its_outline():
    base, theirs = disks((1, 48, 48, 18)), disks((1, 48, 50, 20))
    mine = base.copy()
    mine[44:52, 20:32] = 1
    mine[:38] = 0
    found = merged(base, mine, theirs)
    assert ends(found) == {1: ("reshaped", "kept")}
    assert (found.after[44:52, 20:32] == 1).all()
    assert (found.after[:38][base[:38] > 0] == 0).all()
    assert (found.after[40:, 60:] == theirs[40:, 60:]).all()


def test_two_new_cells_in_a_corrected_one_are_a_question():
    base = disks((1, 48, 48, 20))
    mine = base.copy()
    mine[44:52, 68:76] = 1
    theirs = np.where((base > 0) & (np.indices(base.shape)[1] < 48), np.uint32(8), base)
    theirs[theirs == 1] = 9
    found = merged(base, mine, theirs)
    assert ends(found) == {1: ("reshaped", "question")}
    assert np.array_equal(found.after, mine)


def test_no_sliver_is_left_of_a_new_cell_that_a_human_one_replaces():
    mine = TWO.copy()
    mine[disks((3, 30, 70, 10)) > 0] = 3
    theirs = TWO.copy()
    theirs[disks((9, 28, 72, 13)) > 0] = 9
    found = merged(TWO, mine, theirs)
    assert set(np.unique(found.after)) == {0, 1, 2, 3}
    assert np.array_equal(found.after == 3, mine == 3)


def scenes():
    cell = st.tuples(st.integers(5, 58), st.integers(5, 58), st.integers(2, 12))
    side = st.lists(cell, min_size=0, max_size=8)
    return st.tuples(side, side, side)


def numbered(cells, first=1):
    return disks(*((first + k, *cell) for k, cell in enumerate(cells)), shape=(64, 64))


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_random_edits_end_well(scene):
    base, mine = numbered(scene[0]), numbered(scene[1])
    theirs = numbered(scene[2], 100)
    found = merged(base, mine, theirs)
    changed = set(np.unique(base[base != mine])) | set(np.unique(mine[base != mine])) - {0}
    assert changed - {0} == {each.id for each in found.findings} | set(found.replaced)
    for each in found.findings:
        if each.kind == "deleted" or each.outcome == "agreed":
            continue
        now, own = found.after == each.id, mine == each.id
        assert (now & own).sum() >= 0.5 * (now | own).sum()
    for label in set(np.unique(found.after)) - set(np.unique(mine)) - {0}:
        now = found.after == label
        assert np.array_equal(now, theirs == label) or ndimage.label(now, np.ones((3, 3)))[1] == 1


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_the_same_model_again_gives_what_the_human_made(scene):
    base, mine = numbered(scene[0]), numbered(scene[1])
    assert np.array_equal(merged(base, mine, base).after, mine)


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_a_model_that_gives_what_the_human_made_is_agreed_with(scene):
    base, mine = numbered(scene[0]), numbered(scene[1])
    found = merged(base, mine, mine)
    assert {each.outcome for each in found.findings} <= {"agreed"}
    assert np.array_equal(found.after, mine)


def test_edge_cases():
    empty = np.zeros((8, 8), np.uint32)
    assert merged(empty, empty, empty).findings == ()
    with pytest.raises(Exception, match="cannot be compared"):
        merged(empty, disks((1, 3, 3, 2), shape=(8, 8)), np.zeros((4, 4), np.uint32))
