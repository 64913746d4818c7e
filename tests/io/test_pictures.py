"""Pictures are written as they are, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Picture

from cellmetry.errors import ParameterError
from cellmetry.io.pictures import write_png, write_thumbnail

if TYPE_CHECKING:
    from pathlib import Path


def test_png_holds_exactly_the_pixels(tmp_path: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    write_png(rgb, tmp_path / "a" / "x.png")
    with Picture.open(tmp_path / "a" / "x.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), rgb)


def test_thumbnail_fits_and_keeps_its_proportions(tmp_path: Path) -> None:
    write_thumbnail(np.full((1000, 500, 3), 77, np.uint8), tmp_path / "x.png", side=100)
    write_thumbnail(np.full((10, 5, 3), 77, np.uint8), tmp_path / "small.png", side=100)
    with Picture.open(tmp_path / "x.png") as picture, Picture.open(tmp_path / "small.png") as small:
        assert (picture.size, small.size) == ((50, 100), (5, 10))
        assert set(np.asarray(picture).flat) == {77}


@pytest.mark.parametrize("array", [np.zeros((3, 3, 3), np.uint16), np.zeros((3, 3, 4), np.uint8), np.zeros((3, 3))])
def test_other_arrays_are_refused(tmp_path: Path, array: np.ndarray) -> None:
    with pytest.raises(ParameterError, match="A picture is uint8"):
        write_png(array, tmp_path / "x.png")
    assert not list(tmp_path.iterdir())
