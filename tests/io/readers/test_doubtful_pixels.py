"""Doubtful pixels and shapes: cases 33 to 50 of the list of bad inputs, as far as reading goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from cellmetry.core.image import PixelSize, image_from_array
from cellmetry.errors import AxesError, DamagedFile, UnsupportedFormat
from cellmetry.io.opening import open_image
from cellmetry.io.pixel_checks import BadPixels, check_pixels, count_bad_pixels

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.core.image import Image

RNG = np.random.default_rng(11)


def saved(path: Path, pixels: np.ndarray, **options: object) -> Image:
    tifffile.imwrite(path, pixels, **options)
    return open_image(path)


def warned(image: Image, *words: str) -> bool:
    return any(all(word in sentence for word in words) for sentence in image.warnings)


def test_case_33_twelve_bits_in_sixteen(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 4096, (20, 30)).astype("uint16")
    image = saved(tmp_path / "a.tif", pixels, extratags=[(281, "H", 1, 4095, True)])
    assert (image.bit_depth, image.dtype) == (12, np.uint16)
    np.testing.assert_array_equal(image.read(), pixels)
    ome = saved(tmp_path / "a.ome.tif", pixels, metadata={"axes": "YX", "SignificantBits": 12})
    assert ome.bit_depth == 12


def test_case_34_35_nan_and_infinity(tmp_path: Path) -> None:
    pixels = RNG.random((2, 20, 30)).astype("float32")
    pixels[0, :2, 0] = np.nan
    pixels[0, 5, 5], pixels[1, 6, 6] = np.inf, -np.inf
    image = saved(tmp_path / "a.ome.tif", pixels, metadata={"axes": "CYX", "Channel": {"Name": ["dna", "actin"]}})
    notes = check_pixels(image)
    assert len(notes) == 3
    assert "2 of 600 pixels of channel dna are NaN" in notes[0]
    assert "1 of 600 pixels of channel dna are infinite" in notes[1]
    assert "1 of 600 pixels of channel actin are infinite" in notes[2]
    np.testing.assert_array_equal(image.read(), pixels)


def test_case_34_integers_cost_nothing() -> None:
    assert check_pixels(image_from_array(np.zeros((4, 4), "uint8"))) == ()
    assert count_bad_pixels(np.zeros((4, 4), "uint8")) == BadPixels(0, 0, 16)


def test_case_36_all_nan(tmp_path: Path) -> None:
    image = saved(tmp_path / "a.tif", np.full((9, 9), np.nan, "float32"))
    with pytest.raises(DamagedFile, match="all are NaN"):
        check_pixels(image)


@pytest.mark.parametrize("value", [0, 700])
def test_case_37_38_constant_and_zero(tmp_path: Path, value: int) -> None:
    image = saved(tmp_path / "a.tif", np.full((20, 30), value, "uint16"), compression="zlib")
    assert image.warnings == ()
    assert (image.read() == value).all()


@pytest.mark.parametrize("shape", [(1, 30), (30, 1), (1, 1)])
@pytest.mark.parametrize("ending", ["tif", "npy", "png"])
def test_case_39_40_thin_images(tmp_path: Path, shape: tuple[int, int], ending: str) -> None:
    pixels = RNG.integers(0, 256, shape).astype("uint8")
    path = tmp_path / f"a.{ending}"
    if ending == "tif":
        tifffile.imwrite(path, pixels)
    elif ending == "npy":
        np.save(path, pixels)
    else:
        Pillow.fromarray(pixels).save(path)
    image = open_image(path)
    assert (image.axes, image.shape) == ("YX", shape)
    np.testing.assert_array_equal(image.read(), pixels)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 65535), (-5, 5)])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_case_41_floats_are_kept(tmp_path: Path, low: float, high: float, dtype: str) -> None:
    pixels = RNG.uniform(low, high, (20, 30)).astype(dtype)
    image = saved(tmp_path / "a.tif", pixels)
    assert image.dtype == dtype
    np.testing.assert_array_equal(image.read(), pixels)


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_case_42_64_bit_integers(tmp_path: Path, dtype: str) -> None:
    pixels = np.array([[2**53 + 1, 3]], dtype)
    np.save(tmp_path / "a.npy", pixels)
    image = open_image(tmp_path / "a.npy")
    assert warned(image, "64-bit", "2^53")
    np.testing.assert_array_equal(image.read(), pixels)


def test_case_43_complex(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormat, match="complex"):
        saved(tmp_path / "a.tif", np.zeros((9, 9), "complex64"))
    np.save(tmp_path / "a.npy", np.zeros((9, 9), "complex128"))
    with pytest.raises(UnsupportedFormat, match=r"a\.npy holds complex"):
        open_image(tmp_path / "a.npy")


@pytest.mark.parametrize("ending", ["tif", "png"])
def test_case_44_rgb_is_an_option(tmp_path: Path, ending: str) -> None:
    rgb = RNG.integers(0, 256, (20, 30, 3)).astype("uint8")
    path = tmp_path / f"a.{ending}"
    tifffile.imwrite(path, rgb, photometric="rgb") if ending == "tif" else Pillow.fromarray(rgb).save(path)
    colour, channels = open_image(path), open_image(path, rgb="channels")
    assert (colour.colour, channels.colour) == (True, False)
    assert colour.axes == channels.axes == "CYX"
    assert colour.channel_names == channels.channel_names == ("red", "green", "blue")
    np.testing.assert_array_equal(colour.read(), rgb.transpose(2, 0, 1))
    np.testing.assert_array_equal(channels.read(), rgb.transpose(2, 0, 1))


@pytest.mark.parametrize("ending", ["tif", "png", "webp"])
def test_case_45_alpha_is_dropped(tmp_path: Path, ending: str) -> None:
    rgba = RNG.integers(1, 256, (20, 30, 4)).astype("uint8")
    path = tmp_path / f"a.{ending}"
    if ending == "tif":
        tifffile.imwrite(path, rgba, photometric="rgb", extrasamples=["unassalpha"])
    else:
        Pillow.fromarray(rgba).save(path, lossless=True)
    image = open_image(path)
    assert warned(image, "alpha", "left out")
    assert image.shape == (3, 20, 30)
    np.testing.assert_array_equal(image.read(), rgba[..., :3].transpose(2, 0, 1))


def palette() -> np.ndarray:
    return RNG.integers(0, 256, (256, 3)).astype("uint8")


def test_case_46_palette_picture(tmp_path: Path) -> None:
    colours, indices = palette(), RNG.integers(0, 256, (20, 30)).astype("uint8")
    picture = Pillow.fromarray(indices, "L")
    picture = picture.convert("P")
    picture.putpalette(colours.ravel().tolist())
    indices = np.asarray(picture)
    picture.save(tmp_path / "a.png")
    image = open_image(tmp_path / "a.png")
    assert warned(image, "palette")
    assert image.colour
    np.testing.assert_array_equal(image.read(), colours[indices].transpose(2, 0, 1))


def test_case_46_palette_tiff(tmp_path: Path) -> None:
    colours, indices = palette(), RNG.integers(0, 256, (20, 30)).astype("uint8")
    table = colours.T.astype("uint16") * 257
    image = saved(tmp_path / "a.tif", indices, photometric="palette", colormap=table, metadata=None)
    assert warned(image, "palette")
    assert image.colour
    np.testing.assert_array_equal(image.read(), colours[indices].transpose(2, 0, 1))


def test_case_46_a_tint_is_no_palette(tmp_path: Path) -> None:
    indices = RNG.integers(0, 256, (20, 30)).astype("uint8")
    green = np.zeros((3, 256), "uint16")
    green[1] = np.arange(256) * 257
    image = saved(tmp_path / "a.tif", indices, photometric="palette", colormap=green, metadata=None)
    assert image.warnings == ()
    assert image.axes == "YX"
    np.testing.assert_array_equal(image.read(), indices)


def test_case_46_imagej_tables_only_show(tmp_path: Path) -> None:
    indices = RNG.integers(0, 256, (20, 30)).astype("uint8")
    table = palette().T.astype("uint16") * 257
    image = saved(tmp_path / "a.tif", indices, imagej=True, photometric="palette", colormap=table)
    np.testing.assert_array_equal(image.read(), indices)


def test_case_47_cmyk(tmp_path: Path) -> None:
    ink = RNG.integers(0, 256, (20, 30, 4)).astype("uint8")
    with pytest.raises(UnsupportedFormat, match=r"a\.tif stores CMYK"):
        saved(tmp_path / "a.tif", ink, photometric="separated")
    Pillow.fromarray(ink, "CMYK").save(tmp_path / "a.jpg")
    with pytest.raises(UnsupportedFormat, match=r"a\.jpg stores CMYK"):
        open_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("ending", ["tif", "npy"])
def test_case_49_ambiguous_axes_are_asked_for(tmp_path: Path, ending: str) -> None:
    stack = RNG.integers(0, 999, (3, 51, 52)).astype("uint16")
    path = tmp_path / f"a.{ending}"
    tifffile.imwrite(path, stack, metadata=None, photometric="minisblack") if ending == "tif" else np.save(path, stack)
    with pytest.raises(AxesError, match=r"--axes: ZYX \(depth\), TYX \(time\), CYX \(channels\)"):
        open_image(path)
    for axes in ("ZYX", "TYX", "CYX", "zyx"):
        image = open_image(path, axes=axes)
        assert (image.axes, image.shape) == (axes.upper(), stack.shape)
        np.testing.assert_array_equal(image.read(), stack)
    for axes in ("YX", "CZYX", "ZZX", "ABC", ""):
        with pytest.raises(AxesError, match="do not fit"):
            open_image(path, axes=axes)


def test_case_49_tiff_planes_cannot_be_turned(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 51, 52), "uint8"), metadata=None, photometric="minisblack")
    with pytest.raises(AxesError, match="only the axes before"):
        open_image(tmp_path / "a.tif", axes="YXZ")


def test_case_49_arrays_can_be_turned(tmp_path: Path) -> None:
    array = RNG.integers(0, 999, (51, 52, 3)).astype("uint16")
    np.save(tmp_path / "a.npy", array)
    image = open_image(tmp_path / "a.npy", axes="YXC")
    assert (image.axes, image.colour) == ("CYX", False)
    np.testing.assert_array_equal(image.read(), array.transpose(2, 0, 1))
    assert open_image(tmp_path / "a.npy", axes="YXS").colour
    np.testing.assert_array_equal(open_image(tmp_path / "a.npy", axes="XYC").read(), array.transpose(2, 1, 0))


@pytest.mark.parametrize("size", [0, -0.5, 1e9])
def test_case_50_absurd_pixel_size(tmp_path: Path, size: float) -> None:
    meta = {"axes": "YX", "PhysicalSizeX": size, "PhysicalSizeY": size}
    image = saved(tmp_path / "a.ome.tif", np.zeros((9, 9), "uint8"), metadata=meta)
    assert image.pixel_size == PixelSize()
    assert warned(image, "cannot be", "along x")


def test_case_50_print_resolution_is_no_pixel_size(tmp_path: Path) -> None:
    image = saved(tmp_path / "a.tif", np.zeros((9, 9), "uint8"), resolution=(72, 72), resolutionunit=2)
    assert image.pixel_size == PixelSize()
    fine = saved(tmp_path / "b.tif", np.zeros((9, 9), "uint8"), resolution=(20_000, 20_000), resolutionunit=3)
    assert fine.pixel_size == PixelSize(0.5, 0.5)
