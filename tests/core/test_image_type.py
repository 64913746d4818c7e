"""`Image`, `Box`, `PixelSize`: axes and pixel size travel with the pixels and are checked at birth."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.core.image import AXES, ArraySource, Box, Channel, Image, PixelSize, PixelSource, image_from_array
from cellmetry.errors import AxesError, ParameterError, UnknownName


@st.composite
def shaped_axes(draw: st.DrawFn) -> tuple[str, tuple[int, ...]]:
    """Axes in any order, always with Y and X, and a size for each."""
    extra = draw(st.sets(st.sampled_from("TCZ")))
    axes = "".join(draw(st.permutations(sorted(extra | {"Y", "X"}))))
    return axes, tuple(draw(st.integers(1, 4)) for _ in axes)


@given(shaped_axes())
def test_an_array_with_axes_in_any_order_is_read_back_in_the_fixed_order(
    given_axes: tuple[str, tuple[int, ...]],
) -> None:
    axes, shape = given_axes
    array = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    image = image_from_array(array, axes)
    ordered = "".join(sorted(axes, key=AXES.index))
    assert image.axes == ordered
    np.testing.assert_array_equal(image.read(), np.transpose(array, [axes.index(axis) for axis in ordered]))
    assert image.shape == tuple(shape[axes.index(axis)] for axis in ordered)
    assert image.sizes == {axis: shape[axes.index(axis)] if axis in axes else 1 for axis in AXES}


def test_planes_and_parts_of_planes() -> None:
    array = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5).astype(np.uint16)
    image = image_from_array(array, "CZYX", channel_names=["DNA", "Actin"])
    np.testing.assert_array_equal(image.plane(c=1, z=2), array[1, 2])
    np.testing.assert_array_equal(image.plane(c=1, z=2, box=Box(1, 3, 0, 2)), array[1, 2, 1:3, :2])
    assert image.dtype == np.uint16
    assert image.bit_depth == 16
    assert image.plane_box == Box(0, 4, 0, 5)


@pytest.mark.parametrize("axes", ["YXX", "YX", "QYX", "", "TCZYX"])
def test_axes_that_do_not_fit_the_array_are_refused(axes: str) -> None:
    with pytest.raises(AxesError, match="do not fit an array of shape"):
        image_from_array(np.zeros((2, 3, 4)), axes)


def test_more_than_two_dimensions_need_their_axes_named() -> None:
    assert image_from_array(np.zeros((3, 4))).axes == "YX"
    with pytest.raises(AxesError, match="needs its axes named"):
        image_from_array(np.zeros((2, 3, 4)))


@pytest.mark.parametrize(("axes", "message"), [("CY", "with Y and X"), ("XY", "in this order"), ("YX", "leave out")])
def test_an_image_refuses_axes_that_are_not_its_pixels(axes: str, message: str) -> None:
    source = ArraySource(np.zeros((1, 2, 1, 4, 5)))
    with pytest.raises(AxesError, match=message):
        Image(source, axes, (Channel("a"), Channel("b")))


def test_an_image_refuses_a_wrong_number_of_channel_names() -> None:
    with pytest.raises(AxesError, match="1 channel names for 2 channels"):
        image_from_array(np.zeros((2, 3, 4)), "CYX", channel_names=["one"])


def test_channels_by_name_case_or_index() -> None:
    image = image_from_array(np.zeros((3, 2, 2)), "CYX", channel_names=["DNA", "dna", "1"])
    assert image.channel_index("dna") == 1
    assert image.channel_index("DNA") == 0
    assert image.channel_index("Dna") == 0
    assert image.channel_index(2) == 2
    assert image.channel_index("1") == 2, "a name wins over an index"
    with pytest.raises(UnknownName, match="There is no channel in image 'GFP'"):
        image.channel_index("GFP")
    with pytest.raises(UnknownName):
        image.channel_index(3)


def test_pixel_size() -> None:
    assert PixelSize(0.5, 0.25).area_um2 == 0.125
    assert PixelSize(0.4, 0.9).mean_um == pytest.approx(0.6)
    assert not PixelSize(0.5).known
    assert PixelSize().area_um2 is None
    image = image_from_array(np.zeros((2, 3, 4)), "ZYX", pixel_size_um=0.5)
    assert image.pixel_size == (0.5, 0.5, 0.5)
    assert image.with_pixel_size(2).pixel_size == (2, 2, 0.5)
    assert image.pixel_size == (0.5, 0.5, 0.5), "the first image has not changed"


def test_an_image_is_frozen() -> None:
    image = image_from_array(np.zeros((3, 4)))
    with pytest.raises(FrozenInstanceError):
        image.name = "other"  # type: ignore[misc]
    assert replace(image, name="other").name == "other"


def test_memory_has_one_level() -> None:
    source = ArraySource(np.zeros((1, 1, 1, 4, 5)))
    assert isinstance(source, PixelSource)
    assert source.level_shapes == ((4, 5),)
    with pytest.raises(ParameterError, match="no resolution level 1"):
        source.read(0, 0, 0, Box(0, 1, 0, 1), 1)


@given(st.tuples(*[st.integers(0, 50)] * 4), st.tuples(*[st.integers(1, 50)] * 2))
def test_box_within_another(corner: tuple[int, int, int, int], size: tuple[int, int]) -> None:
    outer = Box(corner[0], corner[0] + 200, corner[1], corner[1] + 200)
    inner = Box(
        outer.y0 + corner[2], outer.y0 + corner[2] + size[0], outer.x0 + corner[3], outer.x0 + corner[3] + size[1]
    )
    field = np.arange(300 * 300).reshape(300, 300)
    np.testing.assert_array_equal(field[outer.slices][inner.within(outer).slices], field[inner.slices])
    assert inner.shape == size
