"""Ids, axes and pixel size of label images survive every format; what is not a label image is refused."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image as Picture

from cellmetry.core.image import UNKNOWN_PIXEL_SIZE, PixelSize
from cellmetry.core.labels import Labels, labels_from_array, labels_hash
from cellmetry.errors import (
    AxesError,
    DamagedFile,
    LabelsError,
    MissingInput,
    OutputError,
    ParameterError,
    UnsupportedFormat,
)
from cellmetry.io import label_tiff
from cellmetry.io.label_store import build_label_pyramid, create_label_store, open_label_store
from cellmetry.io.labels import read_labels, write_labels

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SIZE = PixelSize(0.207, 0.207, 0.5)
FORMATS = [".tif", ".npy", ".zarr"]


def _many(count: int) -> NDArray[np.uint32]:
    """Return an image with `count` objects of one pixel, every second pixel, in shuffled order."""
    side = 2 * int(np.ceil(np.sqrt(count)))
    array = np.zeros((side, side), np.uint32)
    ids = np.random.default_rng(0).permutation(count) + 1
    array[::2, ::2].flat[:0] = 0
    flat = np.zeros((side // 2) ** 2, np.uint32)
    flat[:count] = ids
    array[::2, ::2] = flat.reshape(side // 2, side // 2)
    return array


@pytest.mark.parametrize("suffix", FORMATS)
def test_case_54_seventy_thousand(tmp_path: Path, suffix: str) -> None:
    labels = labels_from_array(_many(70_000), pixel_size=SIZE)
    path = tmp_path / f"x_labels{suffix}"
    write_labels(labels, path)
    back = read_labels(path)
    assert len(back.ids()) == 70_000
    assert labels_hash(back) == labels_hash(labels)


@pytest.mark.parametrize(("largest", "dtype"), [(65_535, "uint16"), (65_536, "uint32")])
def test_tiff_takes_32_bits_only_past_65535(tmp_path: Path, largest: int, dtype: str) -> None:
    array = np.array([[0, largest]], np.uint32)
    write_labels(labels_from_array(array), tmp_path / "x.tif")
    with tifffile.TiffFile(tmp_path / "x.tif") as file:
        assert file.series[0].dtype == dtype
        assert file.pages[0].compression == tifffile.COMPRESSION.ADOBE_DEFLATE
    np.testing.assert_array_equal(read_labels(tmp_path / "x.tif").read(), array)


@pytest.mark.parametrize("largest", [9, 70_000])
@pytest.mark.parametrize("axes", ["YX", "ZYX", "TYX", "TZYX"])
@pytest.mark.parametrize("suffix", [".tif", ".zarr"])
def test_axes_and_pixel_size_are_kept(tmp_path: Path, suffix: str, axes: str, largest: int) -> None:
    shape = {"T": 2, "Z": 3, "Y": 40, "X": 50}
    array = np.arange(np.prod([shape[axis] for axis in axes])).reshape([shape[axis] for axis in axes]) % 7
    array[..., 0, 0] = largest
    labels = labels_from_array(array, axes, pixel_size=SIZE if "Z" in axes else PixelSize(0.1, 0.3))
    write_labels(labels, tmp_path / f"x{suffix}")
    back = read_labels(tmp_path / f"x{suffix}")
    assert back.axes == axes
    assert labels_hash(back) == labels_hash(labels)
    assert back.pixel_size[:2] == pytest.approx(labels.pixel_size[:2], rel=1e-7)
    assert back.pixel_size.z == labels.pixel_size.z


@pytest.mark.parametrize("suffix", FORMATS)
def test_unknown_pixel_size_stays_unknown(tmp_path: Path, suffix: str) -> None:
    write_labels(labels_from_array(_many(5)), tmp_path / f"x{suffix}")
    assert read_labels(tmp_path / f"x{suffix}").pixel_size == UNKNOWN_PIXEL_SIZE


@pytest.mark.parametrize("suffix", FORMATS)
@given(array=arrays(np.uint32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 2**32 - 1)))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_plane_survives(tmp_path: Path, suffix: str, array: NDArray[np.uint32]) -> None:
    write_labels(labels_from_array(array), tmp_path / f"x{suffix}")
    np.testing.assert_array_equal(read_labels(tmp_path / f"x{suffix}").read(), array)


@pytest.mark.parametrize("suffix", FORMATS)
def test_case_57_empty_label_image_survives(tmp_path: Path, suffix: str) -> None:
    write_labels(labels_from_array(np.zeros((30, 20), np.uint32)), tmp_path / f"x{suffix}")
    back = read_labels(tmp_path / f"x{suffix}")
    assert back.shape == (30, 20)
    assert len(back.ids()) == 0


@pytest.mark.parametrize("suffix", [".npy", ".tif"])
def test_case_52_float_labels(tmp_path: Path, suffix: str) -> None:
    whole, broken = np.array([[0.0, 3.0]], np.float32), np.array([[0.0, 3.5]], np.float32)
    _save(whole, tmp_path / f"whole{suffix}")
    _save(broken, tmp_path / f"broken{suffix}")
    assert list(read_labels(tmp_path / f"whole{suffix}").ids()) == [3]
    with pytest.raises(LabelsError, match=r"broken.*fractional"):
        read_labels(tmp_path / f"broken{suffix}")


@pytest.mark.parametrize("suffix", [".npy", ".tif"])
@pytest.mark.parametrize("dtype", ["int16", "int32", "float32"])
def test_case_53_negative_labels(tmp_path: Path, suffix: str, dtype: str) -> None:
    _save(np.array([[0, -3]], dtype), tmp_path / f"x{suffix}")
    with pytest.raises(LabelsError, match=r"negative values \(down to -3"):
        read_labels(tmp_path / f"x{suffix}")


def _save(array: NDArray[np.generic], path: Path) -> None:
    if path.suffix == ".npy":
        np.save(path, array)
    else:
        tifffile.imwrite(path, array)


def test_stack_without_axes_is_asked_about(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((5, 6, 7), np.uint16))
    with pytest.raises(AxesError, match=r"--axes: ZYX"):
        read_labels(tmp_path / "x.npy")
    assert read_labels(tmp_path / "x.npy", axes="TYX").axes == "TYX"


def test_npy_with_objects_or_a_lying_header_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "pickled.npy", np.array([{}], object), allow_pickle=True)
    write_labels(labels_from_array(_many(5)), tmp_path / "x.npy")
    (tmp_path / "short.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-8])
    for name in ("pickled", "short"):
        with pytest.raises((DamagedFile, UnsupportedFormat), match=name):
            read_labels(tmp_path / f"{name}.npy")


def test_unknown_suffix_and_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"\.tif, \.tiff, \.npy, \.zarr"):
        write_labels(labels_from_array(_many(5)), tmp_path / "x.jpg")
    with pytest.raises(MissingInput, match=r"none\.tif"):
        read_labels(tmp_path / "none.tif")
    assert not list(tmp_path.iterdir())


def test_large_planes_are_tiled_with_the_same_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_tiff, "_PLANE_AT_ONCE", 1000)
    array = np.random.default_rng(0).integers(0, 70_000, (2, 1500, 1100), dtype=np.uint32)
    write_labels(labels_from_array(array, "ZYX"), tmp_path / "x.tif")
    with tifffile.TiffFile(tmp_path / "x.tif") as file:
        assert file.pages[0].is_tiled
    np.testing.assert_array_equal(read_labels(tmp_path / "x.tif").read(), array)


def test_store_is_written_in_parts_and_read_lazily(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 2**32, (2, 300, 200), dtype=np.uint32)
    level = create_label_store(tmp_path / "x.zarr", array.shape, "TYX", SIZE, chunk=64)
    level[:, :128] = array[:, :128]
    level[:, 128:] = array[:, 128:]
    assert build_label_pyramid(tmp_path / "x.zarr", smallest=50) == 4
    labels = open_label_store(tmp_path / "x.zarr")
    assert not isinstance(labels.array, np.ndarray)
    np.testing.assert_array_equal(labels.array[1, 100:140, 60:70], array[1, 100:140, 60:70])
    group = zarr.open_group(tmp_path / "x.zarr", mode="r")
    for number in range(4):
        step = 2**number
        np.testing.assert_array_equal(group[str(number)][...], array[:, ::step, ::step])


@pytest.mark.parametrize("damage", ["flip", "cut"])
def test_case_f14_damaged_chunk_is_told(tmp_path: Path, damage: str) -> None:
    write_labels(labels_from_array(np.random.default_rng(0).integers(0, 999, (90, 90))), tmp_path / "x.zarr")
    chunk = tmp_path / "x.zarr" / "0" / "c" / "0" / "0"
    raw = bytearray(chunk.read_bytes())
    raw[len(raw) // 2] ^= 1
    chunk.write_bytes(raw if damage == "flip" else raw[: len(raw) // 2])
    with pytest.raises(DamagedFile, match=r"x\.zarr"):
        read_labels(tmp_path / "x.zarr").read()


def test_store_can_be_sent_to_another_process(tmp_path: Path) -> None:
    write_labels(labels_from_array(_many(9)), tmp_path / "x.zarr")
    labels = pickle.loads(pickle.dumps(read_labels(tmp_path / "x.zarr")))
    assert len(labels.ids()) == 9


def test_store_describes_itself_as_ome_zarr_05(tmp_path: Path) -> None:
    write_labels(labels_from_array(np.ones((3, 2100, 5), np.uint32), "ZYX", pixel_size=SIZE), tmp_path / "x.ome.zarr")
    described = json.loads((tmp_path / "x.ome.zarr" / "zarr.json").read_text())
    ome = described["attributes"]["ome"]
    assert described["zarr_format"] == 3
    assert ome["version"] == "0.5"
    assert ome["image-label"] == {"version": "0.5"}
    array = json.loads((tmp_path / "x.ome.zarr" / "1" / "zarr.json").read_text())
    assert array["dimension_names"] == ["z", "y", "x"]
    (scales,) = ome["multiscales"]
    assert [axis["name"] for axis in scales["axes"]] == ["z", "y", "x"]
    assert {axis["unit"] for axis in scales["axes"]} == {"micrometer"}
    assert [entry["coordinateTransformations"][0]["scale"] for entry in scales["datasets"]] == [
        [0.5, 0.207, 0.207],
        [0.5, 0.414, 0.414],
        [0.5, 0.828, 0.828],
    ]


def test_labels_inside_an_image_store_are_found(tmp_path: Path) -> None:
    image = zarr.open_group(tmp_path / "i.zarr", mode="w")
    inner = image.create_group("labels")
    inner.attrs["ome"] = {"version": "0.5", "labels": ["cells"]}
    write_labels(labels_from_array(_many(9)), tmp_path / "i.zarr" / "labels" / "cells.zarr")
    (tmp_path / "i.zarr" / "labels" / "cells.zarr").rename(tmp_path / "i.zarr" / "labels" / "cells")
    assert len(read_labels(tmp_path / "i.zarr").ids()) == 9
    inner.attrs["ome"] = {"version": "0.5", "labels": ["cells", "nuclei"]}
    with pytest.raises(LabelsError, match="cells, nuclei"):
        read_labels(tmp_path / "i.zarr")


def test_version_04_and_signed_ids_are_read(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "old.zarr", mode="w", zarr_format=2)
    group.create_array("0", data=np.array([[0, 5]], np.int64))
    group.attrs["multiscales"] = [{"version": "0.4", "axes": ["y", "x"], "datasets": [{"path": "0"}]}]
    assert list(read_labels(tmp_path / "old.zarr").ids()) == [5]


def test_folders_that_are_no_label_store_are_refused(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(UnsupportedFormat, match="plain"):
        read_labels(tmp_path / "plain")
    zarr.open_group(tmp_path / "bare.zarr", mode="w")
    with pytest.raises(UnsupportedFormat, match="bare"):
        read_labels(tmp_path / "bare.zarr")
    broken = zarr.open_group(tmp_path / "broken.zarr", mode="w")
    broken.attrs["ome"] = {"multiscales": [{"axes": ["y", "x"], "datasets": [{"path": "0"}]}]}
    with pytest.raises(DamagedFile, match="broken"):
        read_labels(tmp_path / "broken.zarr")
    with pytest.raises(OutputError, match="not empty"):
        create_label_store(tmp_path / "bare.zarr", (5, 5), "YX")
    with pytest.raises(LabelsError, match="do not fit the axes"):
        create_label_store(tmp_path / "new.zarr", (5, 5), "ZYX")
    assert not (tmp_path / "new.zarr").exists()


def test_lazy_labels_are_written_as_every_format(tmp_path: Path) -> None:
    array = _many(3000)
    write_labels(labels_from_array(array, pixel_size=SIZE), tmp_path / "x.zarr")
    lazy = read_labels(tmp_path / "x.zarr")
    assert isinstance(lazy, Labels)
    for suffix in FORMATS:
        write_labels(lazy, tmp_path / f"copy{suffix}")
        np.testing.assert_array_equal(read_labels(tmp_path / f"copy{suffix}").read(), array)


@pytest.mark.parametrize("photometric", ["palette", "miniswhite"])
def test_ids_are_the_stored_numbers_whatever_they_are_shown_as(tmp_path: Path, photometric: str) -> None:
    array = np.array([[0, 3, 200]], np.uint8)
    table = np.random.default_rng(0).integers(0, 65536, (3, 256), dtype=np.uint16)
    tifffile.imwrite(
        tmp_path / "x.tif", array, photometric=photometric, colormap=table if photometric == "palette" else None
    )
    np.testing.assert_array_equal(read_labels(tmp_path / "x.tif").read(), array)


def test_palette_png_holds_ids(tmp_path: Path) -> None:
    array = np.array([[0, 3, 2]], np.uint8)
    picture = Picture.fromarray(array).convert("P")
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 9, 9, 9])
    picture.save(tmp_path / "x.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "x.png").read(), array)


def test_colour_pictures_and_several_channels_are_refused(tmp_path: Path) -> None:
    Picture.fromarray(np.zeros((5, 6, 3), np.uint8)).save(tmp_path / "x.png")
    tifffile.imwrite(tmp_path / "c.tif", np.zeros((2, 5, 6), np.uint16), imagej=True, metadata={"axes": "CYX"})
    for name in ("x.png", "c.tif"):
        with pytest.raises(LabelsError, match=name):
            read_labels(tmp_path / name)


def test_truncated_labels_are_refused(tmp_path: Path) -> None:
    write_labels(labels_from_array(_many(70_000)), tmp_path / "x.tif")
    whole = (tmp_path / "x.tif").read_bytes()
    (tmp_path / "x.tif").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DamagedFile, match=r"x\.tif"):
        read_labels(tmp_path / "x.tif")


def test_real_label_images(shared: Path) -> None:
    path = next((shared / "data" / "bbbc039" / "labels").iterdir())
    assert len(read_labels(path).ids()) > 10
    formats = shared / "data" / "formats" / "neubias"
    assert list(read_labels(formats / "xy_8bit_labels__five_objects.tif").ids()) == [1, 2, 3, 4, 5]
    assert list(read_labels(shared / "data" / "dualcolour" / "0.0_Z003_cell_masks.tif").ids()) == [1, 2, 3, 4, 5, 6]


def test_stored_channel_axis_must_be_one(tmp_path: Path) -> None:
    for count in (1, 2):
        group = zarr.open_group(tmp_path / f"{count}.zarr", mode="w")
        group.create_array("0", data=np.full((count, 4, 5), 3, np.uint16))
        axes = [{"name": name, "type": kind} for name, kind in (("c", "channel"), ("y", "space"), ("x", "space"))]
        group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [{"path": "0"}]}]}
    assert read_labels(tmp_path / "1.zarr").shape == (4, 5)
    with pytest.raises(LabelsError, match="2 channels"):
        read_labels(tmp_path / "2.zarr")
