"""Images survive writing: values, axes, names, pixel size; large ones with levels in constant memory."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellmetry.core.image import Box, Channel, Image, PixelSize, image_from_array
from cellmetry.errors import OutputError, ParameterError
from cellmetry.io import image_store, images
from cellmetry.io.images import write_image
from cellmetry.io.opening import open_image
from cellmetry.io.pyramids import halved, level_count

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SHAPE = {"T": 2, "C": 3, "Z": 4, "Y": 30, "X": 50}


def _image(axes: str, dtype: str = "uint16") -> Image:
    shape = [SHAPE[axis] for axis in axes]
    array = (np.random.default_rng(0).random(shape) * 200).astype(dtype)
    image = image_from_array(array, axes, name="field")
    channels = tuple(
        Channel(name, colour)
        for name, colour in zip(("DNA", "ER µ", "RNA"), ("#0000ff", "#00ff00", "#ff8000"), strict=True)
    )
    kept = channels[: len(image.channels)]
    return replace(image, channels=kept, pixel_size=PixelSize(0.207, 0.31, 0.5 if "Z" in axes else None))


@pytest.mark.parametrize("suffix", [".ome.tif", ".ome.zarr"])
@pytest.mark.parametrize("axes", ["YX", "CYX", "ZYX", "TYX", "CZYX", "TCZYX"])
def test_image_survives(tmp_path: Path, suffix: str, axes: str) -> None:
    image = _image(axes)
    write_image(image, tmp_path / f"field{suffix}")
    back = open_image(tmp_path / f"field{suffix}")
    assert back.axes == axes
    np.testing.assert_array_equal(back.read(), image.read())
    assert back.dtype == image.dtype
    assert back.pixel_size == pytest.approx(image.pixel_size)
    assert back.channel_names == image.channel_names
    if "C" in axes:
        assert [str(channel.colour).lower() for channel in back.channels] == [c.colour for c in image.channels]
    assert back.name == "field"


@pytest.mark.parametrize("suffix", [".ome.tif", ".ome.zarr"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "float32"])
def test_values_keep_their_type(tmp_path: Path, suffix: str, dtype: str) -> None:
    write_image(_image("YX", dtype), tmp_path / f"x{suffix}")
    back = open_image(tmp_path / f"x{suffix}")
    assert back.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(back.read(), _image("YX", dtype).read())


def test_colour_picture_stays_one(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 30, 50), dtype=np.uint8)
    write_image(image_from_array(pixels, "CYX", colour=True), tmp_path / "x.ome.tif")
    back = open_image(tmp_path / "x.ome.tif")
    assert back.colour
    np.testing.assert_array_equal(back.read(), pixels)


class _Counted:
    """Pixels made on demand that notes the largest part asked for."""

    dtype = np.dtype(np.uint16)

    def __init__(self, shape: tuple[int, int, int, int, int]) -> None:
        self.shape = shape
        self.level_shapes = (shape[3:],)
        self.largest = 0

    def read(self, t: int, c: int, z: int, box: Box, level: int = 0) -> NDArray[Any]:
        self.largest = max(self.largest, box.shape[0] * box.shape[1])
        y, x = np.mgrid[box.y0 : box.y1, box.x0 : box.x1]
        return ((y * 7 + x * 3 + c * 1000) % 4096).astype(np.uint16)


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_TILE", 64)
    monkeypatch.setattr(images, "_LARGE_SIDE", 100)
    monkeypatch.setattr(images, "_SMALLEST", 100)
    monkeypatch.setattr(image_store, "CHUNK", 64)
    monkeypatch.setattr(image_store, "_SMALLEST", 100)


@pytest.mark.usefixtures("small_tiles")
@pytest.mark.parametrize("suffix", [".ome.tif", ".ome.zarr"])
def test_large_image_has_averaged_levels_and_is_read_in_bands(tmp_path: Path, suffix: str) -> None:
    source = _Counted((1, 2, 1, 333, 275))
    image = Image(source, "CYX", (Channel("a"), Channel("b")), PixelSize(0.2, 0.2))
    write_image(image, tmp_path / f"x{suffix}")
    assert source.largest <= 64 * 275
    levels = _levels(tmp_path / f"x{suffix}")
    assert [level.shape for level in levels] == [(2, 333, 275), (2, 167, 138), (2, 84, 69)]
    np.testing.assert_array_equal(levels[0], image.read())
    for finer, coarser in pairwise(levels):
        for channel in range(2):
            np.testing.assert_array_equal(coarser[channel], halved(finer[channel]))
    assert {path.name for path in tmp_path.iterdir()} == {f"x{suffix}"}
    back = open_image(tmp_path / f"x{suffix}")
    assert back.source.level_shapes == ((333, 275), (167, 138), (84, 69))


def _levels(path: Path) -> list[NDArray[Any]]:
    if path.is_dir():
        group = zarr.open_group(path, mode="r")
        return [np.asarray(group[str(number)][...]) for number in range(3)]
    with tifffile.TiffFile(path) as file:
        assert file.pages[0].is_tiled
        return [level.asarray() for level in file.series[0].levels]


@pytest.mark.usefixtures("small_tiles")
def test_large_colour_picture_is_tiled_with_levels(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 150, 201), dtype=np.uint8)
    write_image(image_from_array(pixels, "CYX", colour=True), tmp_path / "x.tif")
    with tifffile.TiffFile(tmp_path / "x.tif") as file:
        first, second, third = (level.asarray() for level in file.series[0].levels)
    np.testing.assert_array_equal(first, np.moveaxis(pixels, 0, -1))
    np.testing.assert_array_equal(second[..., 1], halved(pixels[1]))
    assert third.shape == (38, 51, 3)


def test_zarr_describes_itself_as_ome_zarr_05(tmp_path: Path) -> None:
    write_image(image_from_array(np.zeros((2100, 4), np.uint16), pixel_size_um=0.5), tmp_path / "x.zarr")
    ome = json.loads((tmp_path / "x.zarr" / "zarr.json").read_text())["attributes"]["ome"]
    assert ome["version"] == "0.5"
    moves = [entry["coordinateTransformations"] for entry in ome["multiscales"][0]["datasets"]]
    assert moves == [
        [{"type": "scale", "scale": [0.5, 0.5]}],
        [{"type": "scale", "scale": [1.0, 1.0]}, {"type": "translation", "translation": [0.25, 0.25]}],
        [{"type": "scale", "scale": [2.0, 2.0]}, {"type": "translation", "translation": [0.75, 0.75]}],
    ]
    assert ome["omero"]["channels"][0]["window"] == {"min": 0, "max": 65535, "start": 0, "end": 0}


@given(arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_halving_averages_blocks(plane: NDArray[np.uint16]) -> None:
    small = halved(plane)
    assert small.shape == ((plane.shape[0] + 1) // 2, (plane.shape[1] + 1) // 2)
    for y in range(small.shape[0]):
        for x in range(small.shape[1]):
            block = plane[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].astype(float)
            assert small[y, x] == np.floor(block.mean() + 0.5)


def test_halving_keeps_the_type_and_not_a_number() -> None:
    plane = np.array([[1, 2, np.nan], [3, 5, 0]], np.float32)
    np.testing.assert_array_equal(halved(plane), np.array([[2.75, np.nan]], np.float32))
    assert level_count((1, 1), 1024) == 1
    assert level_count((1025, 3), 1024) == 2


def test_other_suffixes_and_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"\.ome\.tif or \.ome\.zarr"):
        write_image(_image("YX"), tmp_path / "x.png")
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="file"):
        write_image(_image("YX"), tmp_path / "file" / "x.tif")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
