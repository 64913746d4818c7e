"""Ids kept through planes and frames: whom an object follows, which ids are new, and what is said about it."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from skimage.draw import disk

import cellmetry as cm
from cellmetry.core.labels import Labels, labels_from_array
from cellmetry.core.progress import SILENT
from cellmetry.core.sample import Sample
from cellmetry.errors import LabelsError, ParameterError
from cellmetry.measure.columns import describe_columns
from cellmetry.measure.table import measure
from cellmetry.ops.keep_ids import IdRule, KeepIds, follow_ids, keep_ids
from cellmetry.pipeline.recipe import parse_recipe

stacks = hnp.arrays(np.uint16, (4, 6, 7), elements=st.integers(0, 3))


def rows(*planes: tuple[int, ...]) -> Labels:
    return labels_from_array(np.array(planes, np.uint32)[:, None], "ZYX")


def kept(labels: Labels, *, axis="Z", seed=None, **rule) -> list:
    made, _ = keep_ids(labels, IdRule(rule.pop("least_iou", 0.2), **rule), axis=axis, seed=seed)
    return made.read()[:, 0].tolist()


def test_the_first_plane_keeps_its_ids_and_the_others_follow():
    assert kept(rows((7, 7, 0, 3, 3), (1, 1, 0, 2, 2), (5, 0, 0, 5, 5))) == [[7, 7, 0, 3, 3]] * 2 + [[3, 0, 0, 3, 3]]


def test_a_new_object_gets_an_id_that_none_had_before():
    planes = rows((1, 1, 0, 2, 2), (1, 1, 0, 0, 0), (1, 1, 0, 2, 2))
    assert kept(planes)[2] == [1, 1, 0, 3, 3]
    assert kept(planes, reuse=True)[2] == [1, 1, 0, 2, 2]
    assert kept(planes, memory=1)[2] == [1, 1, 0, 2, 2]


def test_memory_is_counted_in_planes():
    planes = rows((4, 4), (0, 0), (0, 0), (0, 0), (9, 9))
    for memory, last in ((0, 5), (2, 5), (3, 4), (9, 4)):
        assert kept(planes, memory=memory)[-1] == [last, last]


def test_the_first_plane_takes_the_ids_of_the_seed():
    seed = labels_from_array(np.array([[6, 6, 0, 8, 8, 0, 9]], np.uint32))
    planes = rows((1, 1, 0, 2, 2, 0, 0), (2, 2, 0, 1, 1, 3, 3))
    assert kept(planes, seed=seed) == [[6, 6, 0, 8, 8, 0, 0], [6, 6, 0, 8, 8, 10, 10]]
    with pytest.raises(LabelsError, match="axes YX and the size"):
        kept(planes, seed=labels_from_array(np.zeros((1, 6), np.uint32)))


def test_one_strong_pair_against_two_weak_ones():
    first, second = (*[1] * 8, *[2] * 2, *[0] * 6), (*[3] * 2, *[4] * 8, *[0] * 6)
    # 1 and 4 share 6 of 10, 1 and 3 share 2 of 8, 2 and 4 share 2 of 8
    assert kept(rows(first, second))[1] == [3, 3, *[1] * 8, *[0] * 6]
    assert kept(rows(first, second), most_pairs=True)[1] == [1, 1, *[2] * 8, *[0] * 6]


def as_the_old_program(stack: np.ndarray, least_iou: float) -> np.ndarray:
    """Return what DualCellQuant makes of a stack: padded Hungarian, 10 below the threshold, else 1 - IoU."""
    out = [stack[0]]
    for plane in stack[1:]:
        previous = out[-1]
        ids = [np.unique(part[part > 0]) for part in (previous, plane)]
        size = max(len(part) for part in ids)
        cost = np.full((size, size), 10.0)
        for i, a in enumerate(ids[0]):
            for j, b in enumerate(ids[1]):
                iou = ((previous == a) & (plane == b)).sum() / ((previous == a) | (plane == b)).sum()
                cost[i, j] = 1 - iou if iou >= least_iou else 10
        names = {ids[1][j]: ids[0][i] for i, j in zip(*linear_sum_assignment(cost), strict=True) if cost[i, j] < 10}
        following = int(previous.max()) + 1
        for b in ids[1]:
            if b not in names:
                names[b], following = following, following + 1
        out.append(np.vectorize(lambda value, names=names: names.get(value, 0), otypes=[np.uint32])(plane))
    return np.stack(out)


@given(hnp.arrays(np.uint16, (4, 5, 6), elements=st.integers(0, 2)), st.sampled_from([0.05, 0.3]))
def test_the_old_rules_are_those_of_the_old_program(stack, least_iou):
    ours = np.stack([plane.labels for plane in follow_ids(stack, IdRule(least_iou, most_pairs=True, reuse=True))])
    theirs = as_the_old_program(stack, least_iou)
    for z in range(1, 4):
        if not np.array_equal(ours[z], theirs[z]):  # only where two pairings are equally good
            assert summed_iou(ours[z - 1], ours[z]) == pytest.approx(summed_iou(theirs[z - 1], theirs[z]))
            break


def summed_iou(one: np.ndarray, other: np.ndarray) -> float:
    shared = np.intersect1d(one[one > 0], other[other > 0])
    return sum(((one == k) & (other == k)).sum() / ((one == k) | (other == k)).sum() for k in shared)


@given(stacks, st.integers(0, 3), st.floats(0.05, 1))
def test_outlines_stay_and_ids_are_one_to_one(stack, memory, least_iou):
    made, table = keep_ids(labels_from_array(stack, "ZYX"), IdRule(least_iou, memory), axis="Z")
    for z, (before, after) in enumerate(zip(stack, made.read(), strict=True)):
        pairs = {(a, b) for a, b in zip(before.ravel().tolist(), after.ravel().tolist(), strict=True) if a or b}
        part = table[table["z"] == z]
        assert pairs == set(zip(part["label_before"], part["label"], strict=True))
        assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
    assert not (table["iou"] < least_iou).any()
    new = table[table["iou"].isna()]
    assert not new["label"].duplicated().any()


def test_moving_discs_keep_their_ids_where_the_segmentation_renumbers_them():
    rng = np.random.default_rng(0)
    centres = np.array([[20, 20], [20, 60], [60, 20], [60, 60]])
    truth, given_ids = np.zeros((6, 80, 80), np.uint32), np.zeros((6, 80, 80), np.uint32)
    for t in range(6):
        order = rng.permutation(4) + 1
        for k, (y, x) in enumerate(centres + 3 * t * np.array([[1, 0], [0, -1], [-1, 0], [0, 1]])):
            rr, cc = disk((y, x), 9, shape=(80, 80))
            truth[t, rr, cc], given_ids[t, rr, cc] = k + 1, order[k]
    seed = labels_from_array(truth[0])
    made, table = keep_ids(labels_from_array(given_ids, "TYX"), IdRule(0.2), axis="T", seed=seed)
    np.testing.assert_array_equal(made.read(), truth)
    assert table["t"].tolist() == np.repeat(np.arange(6), 4).tolist()
    assert table["iou"][:4].tolist() == [1.0] * 4


def test_frames_of_a_stack_and_volumes_in_time():
    labels = np.zeros((2, 2, 1, 4), np.uint32)
    labels[0, :, 0] = [[5, 5, 0, 0], [7, 7, 0, 0]]
    labels[1, :, 0] = [[1, 1, 0, 2], [2, 2, 0, 1]]
    along_z, table = keep_ids(labels_from_array(labels, "TZYX"), IdRule(0.2), axis="Z")
    assert along_z.read()[:, :, 0].tolist() == [[[5, 5, 0, 0]] * 2, [[1, 1, 0, 2]] * 2]
    assert along_z.linked_z is False
    assert list(table.columns) == ["t", "z", "label_before", "label", "iou"]
    planes, _ = keep_ids(Labels(labels, "TZYX", linked_z=False), IdRule(0.2), axis="T")
    assert planes.read()[1, :, 0].tolist() == [[5, 5, 0, 6], [7, 7, 0, 8]]
    volumes, table = keep_ids(Labels(labels, "TZYX", linked_z=True), IdRule(0.2), axis="T")
    assert volumes.linked_z
    assert list(table.columns) == ["t", "label_before", "label", "iou"]
    # 1 in space shares 2 of 5 pixels with 5, and 2 shares 2 of 5 with 7
    assert volumes.read()[1, :, 0].tolist() == [[5, 5, 0, 7], [7, 7, 0, 5]]
    with pytest.raises(ParameterError, match="do not say"):
        keep_ids(labels_from_array(labels, "TZYX"), IdRule(0.2), axis="T")
    with pytest.raises(ParameterError, match="along T: the labels have only the axes ZYX"):
        keep_ids(labels_from_array(labels[0], "ZYX"), IdRule(0.2), axis="T")


def test_planes_with_kept_ids_are_measured_one_by_one():
    labels = rows((3, 3, 0, 4), (1, 1, 0, 0))
    image = cm.image_from_array(np.arange(8.0).reshape(2, 1, 4), "ZYX")
    sample = KeepIds()(Sample(image, {"cells": labels}))
    table = measure(image, sample.labels["cells"])
    assert table[["label", "z", "area_px"]].to_numpy().tolist() == [[3, 0, 2], [4, 0, 1], [3, 1, 2]]
    described = [column.name for column in describe_columns(sample.tables["id_mapping"])]
    assert described == list(sample.tables["id_mapping"].columns)


def test_a_recipe_takes_the_ids_of_a_label_file(tmp_path):
    known = labels_from_array(np.array([[6, 6, 0, 8, 8]] * 3, np.uint32))
    cm.write_labels(known, tmp_path / "known.tif")
    image = cm.image_from_array(np.zeros((2, 3, 5), np.uint8), "ZYX")
    stack = labels_from_array(np.array([[[1, 1, 0, 2, 2]] * 3, [[2, 2, 0, 1, 1]] * 3], np.uint32), "ZYX")
    entries = [
        {"step": "segment", "engine": "labels", "labels": "known", "options": {"file": str(tmp_path / "known.tif")}},
        {"step": "keep_ids", "seed": "known"},
    ]
    made = parse_recipe({"steps": entries}).apply(Sample(image, {"cells": stack}), SILENT)
    np.testing.assert_array_equal(made.labels["cells"].read(), np.stack([known.read()] * 2))
    assert set(made.labels) == {"cells"}, "labels that only gave their ids are no result"


def test_the_old_rules_have_no_memory():
    with pytest.raises(ParameterError, match="preceding plane only"):
        parse_recipe({"steps": [{"step": "keep_ids", "rules": "dualcellquant", "memory": 1}]})
    planes = rows((1, 1, 0, 2, 2), (1, 1, 0, 0, 0), (1, 1, 0, 2, 2))
    sample = Sample(cm.image_from_array(np.zeros((3, 1, 5), np.uint8), "ZYX"), {"cells": planes})
    again = KeepIds(rules="dualcellquant")(sample).labels["cells"]
    assert again.read()[2, 0].tolist() == [1, 1, 0, 2, 2]


@pytest.mark.parametrize("rule", [IdRule(0.05), IdRule(0.05, most_pairs=True, reuse=True)])
def test_a_real_stack_takes_the_ids_of_the_published_labels(shared, rule):
    folder = shared / "data" / "dualcolour"
    stack = np.stack([cm.open_image(folder / f"0.5_C002Z00{z}.png").read() for z in range(1, 5)])
    seed = cm.read_labels(folder / "0.0_Z003_cell_masks.tif")
    image = cm.image_from_array(stack.reshape(4, *seed.shape), "ZYX", pixel_size_um=0.207)
    cells = cm.segment(image, engine="classical", diameter_px=170)
    made, table = keep_ids(cells, rule, axis="Z", seed=seed)
    for label in seed.ids():
        assert sorted(table["z"][table["label"] == label]) == [0, 1, 2, 3]
    measured = measure(image, made)
    assert measured[["label", "z"]].sort_values(["z", "label"]).to_numpy().tolist() == (
        table[["label", "z"]].sort_values(["z", "label"]).to_numpy().tolist()
    )
    assert np.array_equal(made.read() > 0, cells.read() > 0)
