"""OME-Zarr plates, bioformats2raw series, URLs, bare arrays; and LSM files made here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
import zarr

from cellmetry.core.image import Box, PixelSize
from cellmetry.errors import AxesError
from cellmetry.io.opening import list_scenes, open_image

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(9)


def noise(*shape: int) -> np.ndarray:
    return RNG.integers(1, 4096, shape).astype("uint16")


def put_image(group: zarr.Group, pixels: np.ndarray, version: str) -> None:
    """Write a one-level multiscale image of axes c, y, x into a group."""
    group.create_array("0", data=pixels, chunks=(1, 16, 16))
    axes = [{"name": "c", "type": "channel"}, *({"name": a, "type": "space", "unit": "micrometer"} for a in "yx")]
    datasets = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 0.5, 0.5]}]}]
    multiscales = [{"axes": axes, "datasets": datasets, "version": version}]
    put_attributes(group, {"multiscales": multiscales}, version)


def put_attributes(group: zarr.Group, ome: dict, version: str) -> None:
    group.attrs.update(ome if version == "0.4" else {"ome": {"version": version, **ome}})


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_plate(tmp_path: Path, version: str) -> None:
    plate = zarr.open_group(tmp_path / "plate.ome.zarr", mode="w", zarr_format=2 if version == "0.4" else 3)
    wells, pixels = [("A", "1"), ("B", "3")], noise(2, 2, 2, 20, 30)
    put_attributes(plate, {"plate": {"wells": [{"path": "/".join(w)} for w in wells], "version": version}}, version)
    for number, (row, column) in enumerate(wells):
        well = plate.create_group(f"{row}/{column}")
        put_attributes(well, {"well": {"images": [{"path": "0"}, {"path": "1"}]}}, version)
        for field in range(2):
            put_image(well.create_group(str(field)), pixels[number, field], version)
    scenes = list_scenes(tmp_path / "plate.ome.zarr")
    assert [scene.metadata["scene_name"] for scene in scenes] == ["A/1/0", "A/1/1", "B/3/0", "B/3/1"]
    places = [tuple(scene.metadata[word] for word in ("plate", "well", "field")) for scene in scenes]
    assert places == [("plate", "A01", "0"), ("plate", "A01", "1"), ("plate", "B03", "0"), ("plate", "B03", "1")]
    assert scenes[3].name == "plate_s3"
    assert scenes[3].pixel_size == PixelSize(0.5, 0.5)
    np.testing.assert_array_equal(scenes[3].read(), pixels[1, 1])
    np.testing.assert_array_equal(open_image(f"{tmp_path / 'plate.ome.zarr'}#2").read(), pixels[1, 0])


@pytest.mark.parametrize("listed", [True, False])
def test_bioformats2raw_series(tmp_path: Path, listed: bool) -> None:
    root = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    root.attrs["bioformats2raw.layout"] = 3
    pixels = noise(11, 1, 20, 30)
    if listed:
        root.create_group("OME").attrs["series"] = [str(number) for number in range(11)]
    for number in range(11):
        put_image(root.create_group(str(number)), pixels[number], "0.4")
    scenes = list_scenes(tmp_path / "a.zarr")
    assert len(scenes) == 11
    assert scenes[10].axes == "YX"
    assert "well" not in scenes[10].metadata
    np.testing.assert_array_equal(scenes[10].read(), pixels[10, 0])


def test_from_a_url(tmp_path: Path) -> None:
    pixels = noise(2, 20, 30)
    put_image(zarr.open_group(tmp_path / "a.ome.zarr", mode="w"), pixels, "0.5")
    image = open_image((tmp_path / "a.ome.zarr").as_uri())
    assert (image.name, image.axes) == ("a", "CYX")
    np.testing.assert_array_equal(image.read(), pixels)


def test_bare_array(tmp_path: Path) -> None:
    pixels = noise(3, 20, 30)
    zarr.create_array(tmp_path / "a.zarr", data=pixels)
    with pytest.raises(AxesError, match="ZYX"):
        open_image(tmp_path / "a.zarr")
    np.testing.assert_array_equal(open_image(tmp_path / "a.zarr", axes="ZYX").read(), pixels)
    zarr.create_array(tmp_path / "b.zarr", data=pixels, dimension_names=["c", "y", "x"])
    assert open_image(tmp_path / "b.zarr").axes == "CYX"


def test_only_touched_chunks_are_read(tmp_path: Path) -> None:
    pixels = noise(2, 64, 64)
    put_image(zarr.open_group(tmp_path / "a.ome.zarr", mode="w"), pixels, "0.5")
    for chunk in (tmp_path / "a.ome.zarr" / "0" / "c" / "0").glob("*/*"):
        if (chunk.parent.name, chunk.name) != ("1", "2"):
            chunk.write_bytes(b"damaged")
    image = open_image(tmp_path / "a.ome.zarr")
    np.testing.assert_array_equal(image.plane(box=Box(17, 30, 33, 48)), pixels[0, 17:30, 33:48])


def lsm_info(shape: dict[str, int], scan: int) -> bytes:
    """Return a CZ_LSMINFO record of a given shape; voxels of 0.1 × 0.1 × 0.4 µm."""
    kinds = tifffile.TIFF.CZ_LSMINFO
    record = np.zeros((), dtype=kinds)
    record["MagicNumber"], record["StructureSize"] = 67127628, record.dtype.itemsize
    for axis, name in (("X", "X"), ("Y", "Y"), ("Z", "Z"), ("C", "Channels"), ("T", "Time")):
        record[f"Dimension{name}"] = shape.get(axis, 1)
    for axis, size in (("X", 1e-7), ("Y", 1e-7), ("Z", 4e-7)):
        record[f"VoxelSize{axis}"] = size
    record["ScanType"] = scan
    return record.tobytes()


def test_lsm(tmp_path: Path) -> None:
    pixels = noise(4, 3, 20, 30)
    info = lsm_info({"X": 30, "Y": 20, "Z": 4, "C": 3}, 0)
    with tifffile.TiffWriter(tmp_path / "a.lsm", byteorder="<") as writer:
        for z in range(4):
            tags = [(34412, "B", len(info), info, True)] if z == 0 else []
            options = {"photometric": "minisblack", "planarconfig": "separate", "metadata": None}
            writer.write(pixels[z], extratags=tags, compression="lzw", predictor=True, **options)
            writer.write(np.zeros((3, 8, 8), "uint8"), subfiletype=1, **options)
    image = open_image(tmp_path / "a.lsm")
    assert (image.axes, image.shape) == ("CZYX", (3, 4, 20, 30))
    assert tuple(image.pixel_size) == pytest.approx((0.1, 0.1, 0.4))
    np.testing.assert_array_equal(image.read(), pixels.transpose(1, 0, 2, 3))
    assert len(list_scenes(tmp_path / "a.lsm")) == 1
