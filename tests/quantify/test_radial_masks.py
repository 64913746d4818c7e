"""Radial masks: bands and rings of cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import cellmetry as cm
from cellmetry.core.image import PixelSize
from cellmetry.errors import PixelSizeNeeded
from cellmetry.ops.radial import RadialRange
from cellmetry.quantify.positions import PlaneCells
from cellmetry.quantify.radial import Radial, radial_mask

few_labels = arrays(
    np.uint32, st.tuples(st.integers(1, 16), st.integers(1, 16)), elements=st.sampled_from([0] * 4 + [1, 1, 1, 2, 7])
)


def disc(radius: float = 20.0, side: int = 80) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    return (np.hypot(y - side // 2, x - side // 2) <= radius).astype(np.uint32)


def pixels(labels: np.ndarray, wanted: RadialRange, **options: bool) -> np.ndarray:
    return radial_mask(cm.labels_from_array(labels), wanted, **options).read()


def test_a_band_in_pixels_is_equally_wide_in_cells_of_every_size():
    labels = np.zeros((120, 200), np.uint32)
    labels[:120, :80] = np.pad(disc(30, 80), ((20, 20), (0, 0)))
    labels[20:100, 120:200] = 2 * disc(12, 80)
    band = pixels(labels, RadialRange(-3, 0, "px"))
    for number, radius in ((1, 30), (2, 12)):
        area = np.count_nonzero(band == number)
        assert area == pytest.approx(np.pi * (radius**2 - (radius - 3) ** 2), rel=0.06)


def test_all_from_centre_to_boundary_is_the_cell():
    labels = disc()
    np.testing.assert_array_equal(pixels(labels, RadialRange(0, 100)), labels)


def test_bands_that_follow_each_other_part_the_cell():
    labels = disc()
    parts = [pixels(labels, RadialRange(low, low + 20)) for low in range(0, 100, 20)]
    np.testing.assert_array_equal(sum((part > 0).astype(int) for part in parts), labels)


def test_a_ring_beyond_the_boundary_is_hollow_and_has_no_gap_to_the_cell():
    labels = disc()
    ring = pixels(labels, RadialRange(100, 130))
    assert not (ring & labels).any()
    np.testing.assert_array_equal(pixels(labels, RadialRange(0, 130)) > 0, (ring > 0) | (labels > 0))
    hollow = pixels(labels, RadialRange(115, 130))
    assert 0 < np.count_nonzero(hollow) < np.count_nonzero(ring)
    assert not pixels(labels, RadialRange(100, 130), clip=True).any()


def test_outside_a_pixel_belongs_to_the_nearest_cell_alone():
    labels = np.zeros((40, 80), np.uint32)
    labels[15:25, 10:30], labels[15:25, 40:60] = 5, 9
    ring = pixels(labels, RadialRange(0, 20, "px"))
    assert set(np.unique(ring[:, :35])) <= {0, 5}
    assert set(np.unique(ring[:, 35:])) <= {0, 9}


def test_a_touching_neighbour_is_a_boundary():
    labels = np.ones((40, 60), np.uint32)
    labels[:, 30:] = 2
    rim = pixels(labels, RadialRange(-2, 0, "px"))
    assert (rim[:, 28:30] == 1).all()
    assert (rim[:, 30:32] == 2).all()
    assert not rim[:, :28].any()


def test_the_border_of_the_image_is_unknown_and_no_boundary():
    labels = np.zeros((40, 40), np.uint32)
    labels[:, 20:] = 1
    rim = pixels(labels, RadialRange(-5, 0, "px"))
    inside = rim[8:-8]
    assert (inside[:, 20:25] == 1).all()
    assert not inside[:, 25:].any()
    assert (rim[0, 20:25] == 1).all()  # within 5 px of a boundary, whatever lies beyond the border
    inner = pixels(labels, RadialRange(-5, -2, "px"))
    assert (inner[8:-8, 22:25] == 1).all()
    assert not inner[0].any()  # a boundary just beyond the border would put them outside of the range
    np.testing.assert_array_equal(pixels(labels, RadialRange(0, 100)), labels)


@given(few_labels, st.sampled_from([RadialRange(0, 50), RadialRange(60, 140), RadialRange(-1, 2, "px")]))
def test_a_mask_turns_with_the_image_and_follows_the_ids(labels, wanted):
    made = pixels(labels, wanted)
    if not len(set(np.unique(labels)) - {0}) > 1:  # two cells at one distance: the lower id has the pixel
        np.testing.assert_array_equal(pixels(np.rot90(labels).copy(), wanted), np.rot90(made))
        np.testing.assert_array_equal(pixels(labels * 10, wanted), made * 10)
    assert not (made[labels > 0] != labels[labels > 0])[made[labels > 0] > 0].any()


@given(
    few_labels,
    st.sampled_from([(-1.5, 0), (-2.5, -0.5), (-0.5, 1.5), (0, 3), (-3, 0.5)]),
    st.sampled_from([0.1, 0.13, 0.2, 0.207, 0.325, 0.65, 1.3]),
)
def test_micrometres_are_pixels_times_their_size(labels, ends, um):
    """Also where ends lie exactly on distances of pixels."""
    scaled = RadialRange(round(ends[0] * um, 6), round(ends[1] * um, 6), "um")
    sized = cm.labels_from_array(labels, pixel_size=PixelSize(um, um))
    np.testing.assert_array_equal(radial_mask(sized, scaled).read(), pixels(labels, RadialRange(*ends, "px")))


def test_of_a_cell_that_is_cut_only_what_is_sure_counts():
    """Half of a disc: whatever its depth is, a band up to the boundary holds at least this."""
    whole, cut = disc(30, 100), disc(30, 100)[45:]
    band = pixels(cut, RadialRange(80, 100))
    assert band.any()
    assert not (band.astype(bool) & ~pixels(whole, RadialRange(80, 100))[45:].astype(bool)).any()
    assert not pixels(cut, RadialRange(20, 60)).any()
    np.testing.assert_array_equal(pixels(cut, RadialRange(0, 100)), cut)


def test_oblong_pixels_keep_inside_and_outside_apart():
    labels = cm.labels_from_array(disc(12, 60), pixel_size=PixelSize(x=0.25, y=1.0))
    inside, ring = (radial_mask(labels, RadialRange(*ends, "um")).read() for ends in ((-99, 0), (0, 2)))
    np.testing.assert_array_equal(inside, labels.read())
    assert ring.any()
    assert not (ring & labels.read()).any()


@pytest.mark.parametrize("wanted", [RadialRange(30, 130), RadialRange(-2, 4, "px")])
def test_bands_of_rows_change_nothing(wanted, monkeypatch):
    labels = np.zeros((300, 60), np.uint32)
    for number, y in enumerate(range(0, 280, 28), 1):
        labels[y : y + 40, 10 + number : 40 + number][labels[y : y + 40, 10 + number : 40 + number] == 0] = number
    whole = pixels(labels, wanted)
    monkeypatch.setattr(PlaneCells, "bands", lambda self: [*_bands(self)])
    np.testing.assert_array_equal(pixels(labels, wanted), whole)


def _bands(plane):
    from cellmetry.core.image import Box

    return (Box(y, min(y + 37, plane.shape[0]), 0, plane.shape[1]) for y in range(0, plane.shape[0], 37))


def test_planes_of_a_stack_are_worked_each_by_itself():
    flat = disc(10, 40)
    stack = np.stack([flat, np.zeros_like(flat), flat * 4])
    made = radial_mask(cm.labels_from_array(stack, "ZYX"), RadialRange(50, 120)).read()
    np.testing.assert_array_equal(made[0], pixels(flat, RadialRange(50, 120)))
    np.testing.assert_array_equal(made[2], 4 * made[0])
    assert not made[1].any()


def test_a_range_in_um_needs_a_pixel_size(two_discs):
    assert Radial(inner=-1, outer=0, unit="um")(two_discs).masks["radial_mask"].read().any()
    labels = cm.labels_from_array(disc())
    with pytest.raises(PixelSizeNeeded):
        radial_mask(labels, RadialRange(-1, 0, "um"))


def test_small_parts_go():
    from cellmetry.core.sample import Sample

    labels = disc(10, 40)
    labels[2:4, 2:4] = 7
    image = cm.image_from_array(np.zeros((40, 40), np.uint8))
    sample = Sample(image, {"cells": cm.labels_from_array(labels)})
    assert (Radial()(sample).masks["radial_mask"].read() == 7).any()
    assert not (Radial(min_object_px=5)(sample).masks["radial_mask"].read() == 7).any()


def test_a_range_that_falls_is_refused():
    with pytest.raises(ValueError, match="from inner to outer"):
        Radial(inner=100, outer=90)
