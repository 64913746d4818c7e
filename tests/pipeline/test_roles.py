"""Images put together from channels in roles."""

from __future__ import annotations

import numpy as np
import pytest

import cellmetry as cm
from cellmetry.core.image import image_from_array
from cellmetry.errors import AxesError, MissingInput, ParameterError, UnknownName
from cellmetry.ops.channels import ChannelOf, grey_channel, merge_channels
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.roles import find_by_channel, find_by_file, split_channel

READ = Reading()


@pytest.fixture
def files(tmp_path):
    """Two grey files, one of three channels, one colour picture."""
    rng = np.random.default_rng(1)
    for name in ("t", "r"):
        image = image_from_array(rng.integers(0, 99, (8, 9)).astype(np.uint8), pixel_size_um=0.5)
        cm.write_image(image, tmp_path / f"{name}.tif")
    stack = image_from_array(
        rng.integers(0, 4000, (3, 8, 9)).astype(np.uint16), "CYX", channel_names=["DNA", "GFP", "RFP"]
    )
    cm.write_image(stack, tmp_path / "stack.tif")
    cm.write_image(
        image_from_array(rng.integers(0, 99, (3, 8, 9)).astype(np.uint8), "CYX", colour=True), tmp_path / "rgb.tif"
    )
    return tmp_path


def opened(found):
    return found.images[0].open()


def test_two_files_make_one_image_with_roles_as_channels(files):
    found = find_by_file({"target": f"{files}/t.tif", "reference": f"{files}/r.tif"}, READ)
    image = opened(found)
    assert (image.channel_names, image.axes, image.name) == (("target", "reference"), "CYX", "t")
    assert image.pixel_size.x == 0.5
    for index, name in enumerate("tr"):
        np.testing.assert_array_equal(image.plane(c=index), cm.open_image(files / f"{name}.tif").read())
    assert len(found.images[0].file_hashes()) == 2


def test_channels_of_one_file_and_of_several(files):
    image = opened(find_by_file({"target": f"{files}/stack.tif:GFP", "reference": f"{files}/t.tif"}, READ))
    np.testing.assert_array_equal(image.plane(c=0), cm.open_image(files / "stack.tif").plane(c=1))
    np.testing.assert_array_equal(image.plane(c=1), cm.open_image(files / "t.tif").read())
    assert image.dtype == np.uint16
    by_index = opened(find_by_file({"target": f"{files}/stack.tif:2"}, READ))
    np.testing.assert_array_equal(by_index.read(), cm.open_image(files / "stack.tif").plane(c=2))


def test_grey_of_a_colour_picture_keeps_the_values_of_a_grey_one(files):
    colour = cm.open_image(files / "rgb.tif")
    image = opened(find_by_file({"target": f"{files}/rgb.tif:gray", "reference": f"{files}/rgb.tif:1"}, READ))
    parts = [colour.plane(c=index).astype(float) for index in range(3)]
    np.testing.assert_allclose(
        image.plane(c=0), (0.2989 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2]) / 0.9999, rtol=1e-6
    )
    np.testing.assert_array_equal(image.plane(c=1), parts[1])
    even = image_from_array(np.full((3, 4, 4), 255, np.uint8), "CYX", colour=True)
    assert (grey_channel(even).read() == 255).all()


@pytest.mark.parametrize(("text", "place"), [("R", 0), ("g", 1), ("blue", 2), ("2", 2)])
def test_colours_of_a_picture_have_letters(files, text, place):
    image = opened(find_by_file({"target": f"{files}/rgb.tif:{text}"}, READ))
    np.testing.assert_array_equal(image.read(), cm.open_image(files / "rgb.tif").plane(c=place))


def test_a_colour_that_is_none_is_refused_with_those_there_are(files):
    with pytest.raises(UnknownName, match="gray, green, red"):
        opened(find_by_file({"target": f"{files}/rgb.tif:violet"}, READ))


def test_a_batch_names_channels(files, tmp_path):
    folder = tmp_path / "plate"
    folder.mkdir()
    for well in ("A1", "A2"):
        for channel in (1, 2):
            cm.write_image(image_from_array(np.full((5, 6), channel, np.uint8)), folder / f"{well}_w{channel}.tif")
    reading = Reading(pattern="{well}_w{channel}.tif")
    found = find_by_channel([folder], {"target": "2", "reference": "1"}, reading)
    assert [ref.name for ref in found.images] == ["A1", "A2"]
    assert found.images[1].parts == {"well": "A2"}
    image = found.images[1].open()
    assert (image.plane(c=0) == 2).all()
    assert (image.plane(c=1) == 1).all()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("a.tif", ("a.tif", None)), ("a.tif:GFP", ("a.tif", "GFP")), ("a.czi#3:1", ("a.czi#3", "1"))],
)
def test_a_channel_stands_after_a_colon(text, wanted):
    assert split_channel(text) == wanted
    assert split_channel(r"C:\x.tif") == (r"C:\x.tif", None)


def test_what_cannot_be_is_refused(files):
    with pytest.raises(MissingInput):
        find_by_file({"target": f"{files}/none.tif"}, READ)
    with pytest.raises(ParameterError, match="has 3 channels; say which one is the target"):
        opened(find_by_file({"target": f"{files}/stack.tif"}, READ))
    with pytest.raises(UnknownName):
        opened(find_by_file({"target": f"{files}/stack.tif:CFP"}, READ))
    with pytest.raises(ParameterError, match="holds 4 images"):
        find_by_file({"target": str(files)}, READ)
    cm.write_image(image_from_array(np.zeros((8, 10), np.uint8)), files / "wide.tif")
    with pytest.raises(AxesError, match="must show one field at one size"):
        opened(find_by_file({"target": f"{files}/t.tif", "reference": f"{files}/wide.tif"}, READ))


def test_different_pixel_sizes_are_a_warning():
    one, other = (image_from_array(np.zeros((3, 3), np.uint8), pixel_size_um=um) for um in (0.5, 0.6))
    merged = merge_channels([ChannelOf("target", one, 0), ChannelOf("reference", other, 0)], "pair")
    assert "different pixel sizes; that of the target is used" in merged.warnings[-1]
    assert merged.pixel_size.x == 0.5
