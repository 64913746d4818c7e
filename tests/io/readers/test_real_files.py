"""Real files of every vendor against the libraries' own readings and the reference TIFFs beside them."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import czifile
import liffile
import nd2
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from cellmetry.core.image import Box
from cellmetry.io.opening import list_scenes, open_image

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cellmetry.core.image import Image


def same_as_tifffile(path: Path) -> Image:
    """Return the image after comparing it with tifffile's first series."""
    image = open_image(path)
    with tifffile.TiffFile(path) as tif:
        series = tif.series[0]
        wanted, axes = series.asarray(), series.axes
    if axes.endswith("S"):
        wanted, axes = np.moveaxis(wanted, -1, -3), "C" + axes[:-1]
    assert image.shape == wanted.shape, path.name
    assert image.dtype == wanted.dtype
    assert image.axes == axes.replace("SYX", "CYX")
    np.testing.assert_array_equal(image.read(), wanted)
    return image


def test_all_tiffs_of_formats(shared: Path) -> None:
    paths = sorted((shared / "data" / "formats").rglob("*.tif*"))
    assert len(paths) > 70
    for path in paths:
        same_as_tifffile(path)


@pytest.mark.parametrize(
    ("name", "axes", "shape", "size"),
    [
        ("neubias/xyz_16bit__spots.tif", "ZYX", (17, 88, 89), (1 / 10.623103, 1 / 10.623103, 0.4)),
        ("neubias/xyz_8bit__mitotic_plate_badZcalibrated.tif", "ZYX", (6, 263, 263), (1 / 11.737581,) * 2 + (None,)),
        ("neubias/xyc_8bit__nuclei_nup.tif", "CYX", (2, 512, 512), (1 / 3.793965,) * 2 + (None,)),
        ("neubias/xyc_8bit__cyto_nuclei.tif", "CYX", (2, 254, 182), (None, None, None)),
        ("neubias/xyt_8bit__em_fly_eye.tif", "TYX", (2, 322, 400), (None, None, None)),
        ("neubias/xy_16bit_labels__nuclei.tif", "YX", (427, 423), (1 / 2.857142,) * 2 + (None,)),
        ("neubias/xy_rgb__cells.tif", "CYX", (3, 257, 280), (None, None, None)),
        ("multichannel_tif/8b_2c_actin-nuclei.tif", "CYX", (2, 450, 450), (None, None, None)),
        ("ome_tiff/test_image.ome.tif", "CYX", (3, 513, 639), (1.0, 1.0, 1.0)),
        ("lif/xz_c0_t0.tif", "YX", (128, 128), (None, None, None)),
    ],
)
def test_axes_and_pixel_size(shared: Path, name: str, axes: str, shape: tuple[int, ...], size: tuple) -> None:
    image = open_image(shared / "data" / "formats" / name)
    assert (image.axes, image.shape, image.warnings) == (axes, shape, ())
    for got, wanted in zip(image.pixel_size, size, strict=True):
        assert got == (None if wanted is None else pytest.approx(wanted, rel=1e-5))


def test_channel_names_and_colours(shared: Path) -> None:
    formats = shared / "data" / "formats"
    stack = open_image(formats / "multichannel_tif" / "8b_rgb_stack_FluorescentCells.tif")
    assert stack.channel_names == ("Red", "Green", "Blue")
    assert not stack.colour
    composite = open_image(formats / "neubias" / "xyc_8bit__nuclei_nup.tif")
    assert [channel.colour for channel in composite.channels] == ["#00ff00", "#ff00ff"]
    assert open_image(formats / "neubias" / "xy_rgb__cells.tif").colour


def test_nd2(shared: Path) -> None:
    path = shared / "data" / "formats" / "nd2" / "cluster.nd2"
    image = open_image(path)
    with nd2.ND2File(path) as file:
        wanted, voxel, names = file.asarray(), file.voxel_size(), [c.channel.name for c in file.metadata.channels]
    assert image.axes == "TCZYX"
    np.testing.assert_array_equal(image.read(), wanted.transpose(0, 2, 1, 3, 4))
    assert tuple(image.pixel_size) == (voxel.x, voxel.y, voxel.z)
    assert list(image.channel_names) == names
    assert image.bit_depth == 12
    assert image.acquired is not None
    assert image.acquired.isoformat().startswith("2014-06-18T13:55:23")
    assert image.metadata["magnification"] == 60
    np.testing.assert_array_equal(image.plane(t=2, c=1, z=9, box=Box(3, 20, 5, 30)), wanted[2, 9, 1, 3:20, 5:30])


@pytest.mark.parametrize(
    ("name", "axes", "size", "channels", "bits"),
    [
        ("CD_s_1_t_3_c_2_z_5.czi", "TCZYX", (0.090576674, 0.090576674, 0.32), ("LED555", "LED470"), 14),
        ("tiles_z.czi", "CZYX", (0.83026582, 0.83026582, 4.0), ("Ch1", "T PMT"), 8),
    ],
)
def test_czi(shared: Path, name: str, axes: str, size: tuple, channels: tuple[str, ...], bits: int) -> None:
    path = shared / "data" / "formats" / "czi" / name
    image = open_image(path)
    with czifile.CziFile(path) as file:
        wanted = file.asarray().squeeze()
    assert (image.axes, image.channel_names, image.bit_depth) == (axes, channels, bits)
    assert tuple(image.pixel_size) == pytest.approx(size)
    np.testing.assert_array_equal(image.read(), wanted)
    assert image.acquired is not None


def test_czi_mosaic_is_one_picture(shared: Path) -> None:
    image = open_image(shared / "data" / "formats" / "czi" / "tiles_z.czi")
    assert image.shape == (2, 2, 512, 510)
    seam = Box(250, 262, 250, 262)
    np.testing.assert_array_equal(image.plane(c=1, z=1, box=seam), image.plane(c=1, z=1)[seam.slices])


def test_lif(shared: Path) -> None:
    folder = shared / "data" / "formats" / "lif"
    path = folder / "testdata_2channel_xz.lif"
    scenes = list_scenes(path)
    with liffile.LifFile(path) as file:
        wanted = [image.asarray() for image in file.images]
    assert [(scene.axes, scene.name) for scene in scenes] == [
        ("TCYX", "testdata_2channel_xz_s0"),
        ("CZYX", "testdata_2channel_xz_s1"),
        ("CYX", "testdata_2channel_xz_s2"),
    ]
    np.testing.assert_array_equal(scenes[0].read(), wanted[0])
    np.testing.assert_array_equal(scenes[1].read(), wanted[1].transpose(1, 0, 2, 3))
    np.testing.assert_array_equal(scenes[2].read(), wanted[2])
    np.testing.assert_array_equal(scenes[0].plane(t=0, c=0), tifffile.imread(folder / "xz_c0_t0.tif"))
    np.testing.assert_array_equal(scenes[0].plane(t=8, c=1), tifffile.imread(folder / "xz_c1_t8.tif"))
    assert scenes[0].pixel_size.x == pytest.approx(1 / 7.128607, rel=1e-6)
    assert scenes[0].pixel_size.y == pytest.approx(1 / 7.128663, rel=1e-6)
    assert scenes[1].pixel_size.z == pytest.approx(0.22906, rel=1e-4)
    assert scenes[0].channel_names == ("Green", "Red")
    assert any("scanned in XZ" in sentence for sentence in scenes[0].warnings)
    assert any("holds 3 scenes" in sentence for sentence in open_image(path).warnings)
    np.testing.assert_array_equal(open_image(f"{path}#2").read(), scenes[2].read())


def few(paths: Iterable[Path], n: int = 12) -> list[Path]:
    """Return about `n` of the paths, evenly spread."""
    found = sorted(paths)
    assert found
    return found[:: max(len(found) // n, 1)]


def test_assays(shared: Path) -> None:
    folder = shared / "data" / "assays"
    for path in few([*folder.rglob("*.tif"), *folder.rglob("*.TIF")], 30):
        image = same_as_tifffile(path)
        assert not image.pixel_size.known
        assert image.shape[-2:] in {(1006, 1000), (512, 512), (264, 542)}


def test_assay_palettes_are_grey_ramps(shared: Path) -> None:
    image = open_image(shared / "data" / "assays" / "ExampleFly" / "01_POS002_D.TIF")
    assert (image.axes, image.warnings) == ("YX", ())


def test_plate_and_time_lapse(shared: Path) -> None:
    data = shared / "data"
    for folder, shape in [("bbbc013/images", (640, 640)), ("timelapse_t98g/images", (640, 640))]:
        for path in few((data / folder).glob("*.tif"), 6):
            assert same_as_tifffile(path).shape == shape
    for path in few((data / "bbbc039" / "images").glob("*.tif"), 6):
        image = same_as_tifffile(path)
        assert (image.shape, image.bit_depth) == ((520, 696), 16)


@pytest.mark.parametrize("folder", ["dualcolour", "usiigaci/images", "usiigaci/labels", "bbbc039/labels"])
def test_pngs(shared: Path, folder: str) -> None:
    for path in few((shared / "data" / folder).glob("*.png"), 6):
        image = open_image(path)
        with Pillow.open(path) as picture:
            wanted = np.asarray(picture)
        assert (image.axes, image.warnings) == ("YX", ())
        np.testing.assert_array_equal(image.read(), wanted)


def test_nuclei_of_all_modalities(shared: Path) -> None:
    folder = shared / "data" / "dsb2018"
    with (folder / "index.csv").open(newline="") as file:
        stems = {row["modality"]: next(iter(row.values())) for row in csv.DictReader(file)}
    assert len(stems) >= 3
    for stem in stems.values():
        path = next((folder / "images").glob(f"{stem}*"))
        image = open_image(path)
        with Pillow.open(path) as picture:
            wanted = np.asarray(picture)
        assert image.colour == (wanted.ndim == 3)
        np.testing.assert_array_equal(image.read(), np.moveaxis(wanted, -1, 0) if wanted.ndim == 3 else wanted)
