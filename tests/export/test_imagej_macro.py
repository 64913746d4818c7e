"""The text of the macro: quoting, options and refusals; what ImageJ makes of it is in `test_imagej`."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.core.image import PixelSize
from cellmetry.errors import CellmetryError, InputError, ParameterError
from cellmetry.export.imagej_macro import MacroImage, background_options, imagej_macro, macro_string
from cellmetry.export.imagej_tiff import write_imagej_tiff
from cellmetry.ops.rolling_ball import RollingBall

IMAGE = MacroImage("a", "a.tif", "a.zip", (5, 7), 3)


def evaluate(expression: str) -> str:
    """Return the text that an expression of literals and numbers of characters means."""
    units: list[int] = []
    for piece in expression.split(" + "):
        number = re.fullmatch(r"fromCharCode\((\d+)\)", piece)
        literal = re.fullmatch(r'"([^"\\`]*)"', piece)
        assert number or literal, piece
        units += [int(number[1])] if number else map(ord, literal[1])
    return np.array(units, "<u2").tobytes().decode("utf-16-le", "surrogatepass")


@given(st.text(st.characters(exclude_characters="\0+")))
def test_any_name_is_text_only(name: str) -> None:
    made = macro_string(name)
    assert made.isascii()
    assert made.isprintable()
    assert evaluate(made) == name


def test_names_cannot_break_out() -> None:
    image = IMAGE._replace(name='"); exit(); //', image_file='x"\n+ run("Quit");.tif')
    lines = imagej_macro([image]).splitlines()
    assert not any(line.startswith(("+ run", "exit")) for line in lines)
    assert lines == imagej_macro([image]).split("\n")[:-1]


def test_options_are_those_of_the_step() -> None:
    assert background_options(None) == ""
    assert background_options(RollingBall()) == "rolling=50"
    step = RollingBall(radius_px=7.5, light_background=True, sliding_paraboloid=True, smooth=False)
    assert background_options(step) == "rolling=7.5 light sliding disable"
    assert background_options(RollingBall(create_background=True)) == "rolling=50 create"
    assert 'var background = "rolling=50";' in imagej_macro([IMAGE], RollingBall())


def test_a_scale_is_set_where_it_is_known() -> None:
    text = imagej_macro([IMAGE, IMAGE._replace(pixel_size=PixelSize(0.65, 0.5))])
    assert "var pixelWidths = newArray(1, 0.65, 0);" in text
    assert 'var units = newArray("pixel", "um");' in text


def test_one_number_is_no_length_of_an_array() -> None:
    assert "var widths = newArray(7, 0);" in imagej_macro([IMAGE])
    assert 'var imageFiles = newArray("a.tif");' in imagej_macro([IMAGE])


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ([], "at least one"),
        ([IMAGE._replace(n_objects=0)], "no outlines"),
        ([IMAGE._replace(channel=2)], "no channel 2"),
        ([IMAGE._replace(name="a\nb")], "line end"),
        ([IMAGE._replace(image_file="a\0")], "NUL"),
    ],
)
def test_what_cannot_be_measured_is_refused(images: list[MacroImage], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        imagej_macro(images)


def test_the_ball_of_another_program_is_refused() -> None:
    with pytest.raises(ParameterError, match="scikit-image"):
        imagej_macro([IMAGE], RollingBall(variant="native"))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_plane_is_written_as_it_is(dtype: type, tmp_path) -> None:
    plane = np.arange(35).reshape(5, 7).astype(dtype)
    write_imagej_tiff(plane, tmp_path / "a.tif", PixelSize(0.5, 0.25), "a")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.is_imagej
        assert file.pages[0].resolution == (2, 4)
        assert file.imagej_metadata["unit"] == "um"
        np.testing.assert_array_equal(file.asarray(), plane)


@pytest.mark.parametrize("dtype", [np.int16, np.uint32, np.float64, bool])
def test_pixels_that_imagej_would_change_are_refused(dtype: type, tmp_path) -> None:
    with pytest.raises(InputError, match="would change") as caught:
        write_imagej_tiff(np.zeros((3, 3), dtype), tmp_path / "a.tif", PixelSize(), "a")
    assert isinstance(caught.value, CellmetryError)
    assert not (tmp_path / "a.tif").exists()
