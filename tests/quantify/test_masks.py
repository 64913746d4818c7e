"""Masks by thresholds: against plain numpy, cell by cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.filters import threshold_li, threshold_otsu, threshold_triangle

import cellmetry as cm
from cellmetry.core.sample import Sample
from cellmetry.errors import AxesError, LabelsError, LimitExceeded, ParameterError, UnknownName
from cellmetry.ops.channels import ChannelOf, merge_channels
from cellmetry.ops.correct import corrected
from cellmetry.quantify import masks as masks_module
from cellmetry.quantify.masks import CombineMasks, Mask, combine_masks
from cellmetry.quantify.positions import PlaneCells

labels_and_values = st.tuples(
    arrays(np.uint32, (12, 14), elements=st.sampled_from([0, 0, 1, 1, 2, 9])),
    arrays(np.uint8, (12, 14), elements=st.integers(0, 255)),
)


def sample_of(labels: np.ndarray, values: np.ndarray, **image: object) -> Sample:
    return Sample(cm.image_from_array(values, **image), {"cells": cm.labels_from_array(labels)})


def mask_of(sample: Sample, **parameters: object) -> np.ndarray:
    return Mask(channel="0", **parameters)(sample).masks["mask"].read()


METHODS = {
    "percentile": lambda values: np.percentile(values, 75),
    "otsu": threshold_otsu,
    "li": threshold_li,
    "triangle": threshold_triangle,
    "mean_sd": lambda values: values.mean() + 2 * values.std(),
}


@given(labels_and_values, st.sampled_from(["percentile", "mean_sd"]))
def test_each_cell_has_its_own_threshold(both, method):
    labels, values = both
    wanted = np.zeros_like(labels)
    for number in np.unique(labels[labels > 0]):
        pool = (labels == number) & (values < 255)
        if pool.any():
            wanted[pool & (values >= np.float32(METHODS[method](values[pool].astype(np.float32))))] = number
    np.testing.assert_array_equal(mask_of(sample_of(labels, values), method=method), wanted)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scope", ["cell", "cells", "image"])
def test_every_method_works_on_every_scope(two_discs, method, scope):
    made = Mask(channel="target", method=method, scope=scope)(two_discs).masks["mask"].read()
    labels = two_discs.labels["cells"].read()
    values = two_discs.image.plane(c=0).astype(np.float32)
    for number in (3, 8):
        pool = {"cell": labels == number, "cells": labels > 0, "image": np.ones(labels.shape, bool)}[scope]
        wanted = (labels == number) & (values >= METHODS[method](values[pool]))
        np.testing.assert_array_equal(made == number, wanted)


def test_a_percentile_keeps_the_brightest_share(two_discs):
    made = Mask(channel="target", method="percentile", percentile=75)(two_discs).masks["mask"].read()
    labels = two_discs.labels["cells"].read()
    for number in (3, 8):
        assert np.count_nonzero(made == number) / np.count_nonzero(labels == number) == pytest.approx(0.25, abs=0.02)


def test_below_the_threshold_is_what_is_left(two_discs):
    above = Mask(channel="target", method="otsu")(two_discs).masks["mask"].read()
    below = Mask(channel="target", method="otsu", keep="below")(two_discs).masks["mask"].read()
    np.testing.assert_array_equal(above + below, two_discs.labels["cells"].read())


def test_a_fixed_value(two_discs):
    made = Mask(channel="target", method="value", value=200)(two_discs).masks["mask"].read()
    np.testing.assert_array_equal(made > 0, two_discs.image.plane(c=0) >= 200)
    with pytest.raises(ValueError, match="fixed threshold needs"):
        Mask(channel="target", method="value")
    with pytest.raises(ValueError, match="fixed threshold needs"):
        Mask(channel="target", method="otsu", value=4)


@pytest.mark.parametrize(
    ("saturation", "dtype", "top", "kept"),
    [
        ("100%", np.uint8, 255, [253, 254]),
        ("254", np.uint8, 255, [253]),
        ("native:254", np.uint8, 255, [253]),
        ("100%", np.uint16, 4095, [253, 254, 4094]),
        ("50%", np.uint16, 4095, [253, 254]),
        ("127.5", np.uint16, 4095, [253, 254]),
        ("native:254", np.uint16, 4095, [253]),
        ("100%", np.float32, 1.0, [0.5]),
    ],
)
def test_saturation_is_of_the_detector(saturation, dtype, top, kept):
    values = np.array([[253, 254, 4094, top]] if dtype == np.uint16 else [[253, 254, 255, 255]], np.float64)
    values = np.array([[0.5, 1.0, 1.0, 1.0]]) if dtype == np.float32 else values
    sample = sample_of(np.ones((1, 4), np.uint32), values.astype(dtype))
    made = mask_of(sample, saturation=saturation)
    np.testing.assert_allclose(values[made > 0], kept)


def test_saturation_is_judged_on_the_original():
    class Halved:
        def prepare(self, plane):
            return lambda box: plane.values(box) / 2

    values = np.array([[100, 200, 255, 255]], np.uint8)
    sample = sample_of(np.ones((1, 4), np.uint32), values)
    sample = sample.with_image(corrected(sample.image, Halved()))
    assert mask_of(sample).tolist() == [[1, 1, 0, 0]]
    assert mask_of(sample, method="value", value=90).tolist() == [[0, 1, 0, 0]]
    assert mask_of(sample, method="value", value=90, pixels="original").tolist() == [[1, 1, 0, 0]]


def test_the_bits_of_the_detector_can_be_said():
    sample = sample_of(np.ones((1, 3), np.uint32), np.array([[10, 1000, 1023]], np.uint16))
    assert mask_of(sample).tolist() == [[1, 1, 0]]
    assert mask_of(replace(sample, image=sample.image.with_detector_bits(12))).tolist() == [[1, 1, 1]]
    assert mask_of(replace(sample, image=sample.image.with_detector_bits(16))).tolist() == [[1, 1, 1]]


def test_each_channel_keeps_the_bits_of_its_own_detector():
    deep = replace(cm.image_from_array(np.array([[4095, 7]], np.uint16)), bit_depth=12)
    flat = cm.image_from_array(np.array([[254, 255]], np.uint8))
    deeper = replace(cm.image_from_array(np.array([[4095, 16383]], np.uint16)), bit_depth=14)
    image = merge_channels([ChannelOf("a", deep, 0), ChannelOf("b", flat, 0), ChannelOf("c", deeper, 0)], "all")
    sample = Sample(image, {"cells": cm.labels_from_array(np.ones((1, 2), np.uint32))})
    kept = {name: Mask(channel=name)(sample).masks["mask"].read().tolist() for name in "abc"}
    assert kept == {"a": [[0, 1]], "b": [[1, 0]], "c": [[1, 0]]}


@pytest.mark.parametrize("dtype", [np.int8, np.int16])
def test_signed_values_saturate_at_the_end_of_their_type(dtype):
    top = np.iinfo(dtype).max
    assert mask_of(sample_of(np.ones((1, 2), np.uint32), np.array([[top - 1, top]], dtype))).tolist() == [[1, 0]]


def test_an_empty_mask_is_said():
    sample = sample_of(np.ones((2, 2), np.uint32), np.full((2, 2), 255, np.uint8))
    for rule in ({}, {"method": "otsu", "scope": "image"}):
        assert "The mask mask is empty" in Mask(channel="0", **rule)(sample).warnings[0]


def test_pixels_without_a_finite_value_never_count():
    values = np.array([[1.0, np.nan, 3.0, np.inf]], np.float32)
    sample = sample_of(np.ones((1, 4), np.uint32), values)
    assert mask_of(sample, saturation="native:10").tolist() == [[1, 0, 1, 0]]


def test_small_parts_go_and_spurs_are_opened():
    labels = np.zeros((20, 40), np.uint32)
    labels[2:12, 2:12], labels[5, 12:20], labels[15:17, 30:33] = 1, 1, 2
    sample = sample_of(labels, np.full(labels.shape, 9, np.uint8))
    assert set(np.unique(mask_of(sample, min_object_px=10))) == {0, 1}
    opened = mask_of(sample, opening=True)
    assert not opened[5, 13:20].any()
    assert opened[5, 5] == 1


def test_a_ring_takes_the_thresholds_of_its_cell(two_discs):
    ring = np.where(two_discs.labels["cells"].read() > 0, 0, 3).astype(np.uint32)
    sample = two_discs.with_masks({"ring": cm.labels_from_array(ring)})
    inside = Mask(channel="target", method="percentile")(sample).masks["mask"].read()
    made = Mask(channel="target", method="percentile", percentile=0, beyond="ring")(sample).masks["mask"].read()
    labels = two_discs.labels["cells"].read()
    np.testing.assert_array_equal(made, labels)  # the ring is darker than any pixel of its cell
    below = Mask(channel="target", method="percentile", keep="below", beyond="ring")(sample).masks["mask"].read()
    np.testing.assert_array_equal(below[labels == 0], ring[labels == 0])
    np.testing.assert_array_equal(below[labels > 0] + inside[labels > 0], labels[labels > 0])


def test_an_empty_image_and_one_without_cells(two_discs):
    empty = sample_of(np.zeros((5, 6), np.uint32), np.zeros((5, 6), np.uint16))
    for scope in ("cell", "cells", "image"):
        assert not mask_of(empty, method="otsu", scope=scope).any()


def test_masks_of_a_stack_are_made_plane_by_plane():
    labels = np.ones((2, 4, 4), np.uint32)
    values = np.stack([np.arange(16).reshape(4, 4), 100 + np.arange(16).reshape(4, 4)]).astype(np.uint8)
    sample = Sample(cm.image_from_array(values, "ZYX"), {"cells": cm.labels_from_array(labels, "ZYX")})
    for scope in ("cell", "image"):
        made = mask_of(sample, method="percentile", percentile=50, scope=scope)
        assert made[0].tolist() == made[1].tolist()
        assert made[0].sum() == 8
    flat = Sample(cm.image_from_array(values, "ZYX"), {"cells": cm.labels_from_array(labels[0])})
    with pytest.raises(AxesError, match="has 2 Z planes but its labels"):
        mask_of(flat)


@pytest.mark.parametrize("method", ["none", "percentile"])
def test_bands_of_rows_change_nothing(method, monkeypatch):
    rng = np.random.default_rng(0)
    labels = np.zeros((300, 60), np.uint32)
    for number, y in enumerate(range(0, 280, 20), 1):
        labels[y : y + 18, 5 + number : 40 + number] = number
        labels[y : y + 40, number] = number
    sample = sample_of(labels, rng.integers(0, 255, labels.shape).astype(np.uint8))
    whole = mask_of(sample, method=method, min_object_px=3)
    from cellmetry.core.image import Box

    monkeypatch.setattr(
        PlaneCells,
        "bands",
        lambda self: [Box(y, min(y + 37, self.shape[0]), 0, self.shape[1]) for y in range(0, self.shape[0], 37)],
    )
    np.testing.assert_array_equal(mask_of(sample, method=method, min_object_px=3), whole)


def test_a_threshold_of_a_plane_too_large_to_sort_is_refused(two_discs, monkeypatch):
    monkeypatch.setattr(masks_module, "_MOST_POOLED", 100)
    with pytest.raises(LimitExceeded, match="needs all of them at once"):
        Mask(channel="target", method="otsu", scope="image")(two_discs)


@given(*[arrays(np.uint32, (5, 6), elements=st.sampled_from([0, 0, 1, 2]))] * 2)
def test_masks_are_combined_by_cell(first, second):
    one, other = cm.labels_from_array(first), cm.labels_from_array(second)
    both = combine_masks(one, other, "and").read()
    np.testing.assert_array_equal(both, np.where(first == second, first, 0))
    np.testing.assert_array_equal(combine_masks(one, other, "or").read(), np.where(first > 0, first, second))
    np.testing.assert_array_equal(combine_masks(one, other, "minus").read() + both, first)


def test_masks_of_different_sizes_are_refused(two_discs):
    sample = two_discs.with_masks({"small": cm.labels_from_array(np.ones((3, 3), np.uint32))})
    with pytest.raises(LabelsError, match="only if they are of one size"):
        CombineMasks(first="cells", second="small")(sample)


def test_an_unknown_name_is_refused(two_discs):
    with pytest.raises(ParameterError, match="mask or labels named 'nuclei'"):
        Mask(channel="target", region="nuclei")(two_discs)
    with pytest.raises(UnknownName):
        Mask(channel="green")(two_discs)
    with pytest.raises(ValueError, match="saturation limit"):
        Mask(channel="target", saturation="much")
