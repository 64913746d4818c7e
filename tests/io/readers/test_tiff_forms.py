"""TIFF in its many forms: pyramids, series, LSM-like layouts, ImageJ orders, and how little is decoded."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellmetry.core.image import Box, Channel, PixelSize
from cellmetry.io.opening import list_scenes, open_image
from cellmetry.io.readers import tiff_store

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(2)


def noise(*shape: int) -> np.ndarray:
    return RNG.integers(0, 4096, shape).astype("uint16")


def pyramid(path: Path, levels: list[np.ndarray], *, ome: bool, **options: object) -> None:
    """Write resolution levels as SubIFDs."""
    with tifffile.TiffWriter(path, ome=ome) as writer:
        meta = {"axes": "CYX" if levels[0].ndim == 3 else "YX"} if ome else None
        writer.write(levels[0], subifds=len(levels) - 1, tile=(32, 32), metadata=meta, **options)
        for level in levels[1:]:
            writer.write(level, subfiletype=1, tile=(32, 32), metadata=None, **options)


@pytest.mark.parametrize("ome", [False, True])
@pytest.mark.parametrize("channels", [0, 2])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_pyramid_levels(tmp_path: Path, ome: bool, channels: int, compression: str | None) -> None:
    if channels and not ome:
        pytest.skip("channels of a plain pyramid have no name for their axis")
    full = noise(channels, 130, 100) if channels else noise(130, 100)
    levels = [full, full[..., ::2, ::2], full[..., ::4, ::4]]
    path = tmp_path / "a.ome.tif"
    pyramid(path, levels, ome=ome, compression=compression, photometric="minisblack")
    image = open_image(path)
    assert image.source.level_shapes == ((130, 100), (65, 50), (33, 25))
    for number, level in enumerate(levels):
        height, width = level.shape[-2:]
        for channel in range(max(channels, 1)):
            got = image.source.read(0, channel, 0, Box(5, height, 3, width), level=number)
            np.testing.assert_array_equal(got, (level[channel] if channels else level)[5:, 3:])


def test_several_series_are_scenes(tmp_path: Path) -> None:
    path = tmp_path / "many.ome.tif"
    parts = [noise(2, 30, 40), noise(50, 60), noise(3, 20, 20)]
    with tifffile.TiffWriter(path, ome=True) as writer:
        for part, axes, name in zip(parts, ("CYX", "YX", "ZYX"), ("A", "B", "C"), strict=True):
            writer.write(part, metadata={"axes": axes, "Name": name}, photometric="minisblack")
    scenes = list_scenes(path)
    assert [scene.name for scene in scenes] == ["many_s0", "many_s1", "many_s2"]
    assert [scene.axes for scene in scenes] == ["CYX", "YX", "ZYX"]
    assert [scene.metadata["scene_name"] for scene in scenes] == ["A", "B", "C"]
    for scene, part in zip(scenes, parts, strict=True):
        np.testing.assert_array_equal(scene.read(), part)
    first = open_image(path)
    assert "holds 3 scenes" in first.warnings[-1]
    assert first.scene == 0
    assert open_image(path, scene=1).warnings == ()
    assert open_image(f"{path}#2").shape == (3, 20, 20)


def test_plain_pages_of_different_size_are_scenes(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(noise(30, 40), metadata=None)
        writer.write(noise(10, 12), metadata=None)
    assert [scene.shape for scene in list_scenes(tmp_path / "a.tif")] == [(30, 40), (10, 12)]


@pytest.mark.parametrize("order", ["XYCZT", "XYZCT", "XYTZC", "XYCTZ", "XYZTC", "XYTCZ"])
def test_ome_dimension_orders(tmp_path: Path, order: str) -> None:
    sizes = {"T": 2, "C": 3, "Z": 4}
    planes = noise(2, 3, 4, 6, 7)
    lead = order[:1:-1]
    stored = planes.transpose(*["TCZ".index(axis) for axis in lead], 3, 4).reshape(-1, 6, 7)
    counts = " ".join(f'Size{axis}="{n}"' for axis, n in sizes.items())
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="P:0" '
        f'DimensionOrder="{order}" Type="uint16" SizeX="7" SizeY="6" {counts}><TiffData/></Pixels></Image></OME>'
    )
    tifffile.imwrite(tmp_path / "a.ome.tif", stored, description=xml, metadata=None, photometric="minisblack")
    image = open_image(tmp_path / "a.ome.tif")
    assert (image.axes, image.warnings) == ("TCZYX", ())
    np.testing.assert_array_equal(image.read(), planes)


def test_ome_times_exposure_and_objective(tmp_path: Path) -> None:
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Instrument ID="I:0"><Objective ID="O:0" '
        'Model="Plan 20x" NominalMagnification="20" LensNA="0.75"/></Instrument><Image ID="Image:0"><AcquisitionDate>'
        '2024-05-06T07:08:09</AcquisitionDate><ObjectiveSettings ID="O:0"/><Pixels ID="P:0" DimensionOrder="XYCZT" '
        'Type="uint16" SizeX="7" SizeY="6" SizeC="1" SizeZ="1" SizeT="1" SignificantBits="14"><Channel ID="C:0" '
        'Name="DNA" Color="-16776961"><DetectorSettings ID="D:0" Gain="2"/></Channel><TiffData/>'
        '<Plane TheC="0" TheZ="0" TheT="0" ExposureTime="250" ExposureTimeUnit="ms"/></Pixels></Image></OME>'
    )
    tifffile.imwrite(tmp_path / "a.ome.tif", noise(6, 7), description=xml, metadata=None)
    image = open_image(tmp_path / "a.ome.tif")
    assert image.acquired is not None
    assert image.acquired.isoformat() == "2024-05-06T07:08:09"
    assert image.channels[0] == Channel("DNA", "#ff0000")
    assert image.bit_depth == 14
    assert image.metadata == {
        "objective": "Plan 20x",
        "magnification": 20.0,
        "numerical_aperture": 0.75,
        "exposure_ms": [250.0],
        "gain": [2.0],
    }


def test_imagej_stack_behind_one_page(tmp_path: Path) -> None:
    """ImageJ writes stacks above 4 GB as one page whose planes simply follow each other."""
    stack = noise(5, 2, 30, 40).astype(">u2")
    text = "ImageJ=1.53t\nimages=10\nchannels=2\nslices=5\nhyperstack=true\nunit=micron\nspacing=2.0\n"
    tifffile.imwrite(
        tmp_path / "a.tif",
        stack[0, 0],
        description=text,
        metadata=None,
        byteorder=">",
        resolution=(2.0, 2.0),
        software=False,
    )
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(data[: -stack[0, 0].nbytes] + stack.tobytes())
    image = open_image(tmp_path / "a.tif")
    assert (image.axes, image.pixel_size) == ("CZYX", PixelSize(0.5, 0.5, 2.0))
    np.testing.assert_array_equal(image.read(), stack.transpose(1, 0, 2, 3))


def test_named_axes_of_plain_stacks(tmp_path: Path) -> None:
    stack = noise(2, 3, 30, 40)
    tifffile.imwrite(tmp_path / "a.tif", stack, metadata={"axes": "TZYX"}, photometric="minisblack")
    assert open_image(tmp_path / "a.tif").axes == "TZYX"
    np.testing.assert_array_equal(open_image(tmp_path / "a.tif", axes="CZYX").read(), stack)


def test_rgb_stack(tmp_path: Path) -> None:
    stack = RNG.integers(0, 256, (4, 30, 40, 3)).astype("uint8")
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="rgb", metadata={"axes": "ZYXS"})
    image = open_image(tmp_path / "a.tif")
    assert (image.axes, image.colour) == ("CZYX", True)
    np.testing.assert_array_equal(image.read(), stack.transpose(3, 0, 1, 2))
    tifffile.imwrite(tmp_path / "b.tif", stack, photometric="rgb", metadata=None)
    assert open_image(tmp_path / "b.tif", axes="TYX").axes == "TCYX"


def test_extra_samples_are_channels(tmp_path: Path) -> None:
    pixels = noise(30, 40, 5)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", planarconfig="contig", metadata=None)
    image = open_image(tmp_path / "a.tif")
    assert (image.axes, image.shape, image.colour) == ("CYX", (5, 30, 40), False)
    np.testing.assert_array_equal(image.read(), pixels.transpose(2, 0, 1))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that fills with the indices of the segments that are decoded."""
    seen: list[int] = []
    paste = tiff_store.TiffStore._paste

    def counting(self: tiff_store.TiffStore, out: np.ndarray, part: tiff_store._Part, *rest: object, **kw: object):
        seen.append(part.segment)
        return paste(self, out, part, *rest, **kw)

    monkeypatch.setattr(tiff_store.TiffStore, "_paste", counting)
    return seen


def test_only_touched_tiles_are_decoded(tmp_path: Path, decoded: list[int]) -> None:
    pixels = noise(300, 400)
    tifffile.imwrite(tmp_path / "a.tif", pixels, tile=(64, 64), compression="zlib", metadata=None)
    image = open_image(tmp_path / "a.tif")
    assert decoded == []
    np.testing.assert_array_equal(image.plane(box=Box(64, 128, 64, 192)), pixels[64:128, 64:192])
    assert sorted(decoded) == [8, 9]


def test_only_touched_strips_are_decoded(tmp_path: Path, decoded: list[int]) -> None:
    pixels = noise(300, 40)
    tifffile.imwrite(tmp_path / "a.tif", pixels, rowsperstrip=10, compression="lzw", metadata=None)
    np.testing.assert_array_equal(open_image(tmp_path / "a.tif").plane(box=Box(95, 111, 0, 9)), pixels[95:111, :9])
    assert sorted(decoded) == [9, 10, 11]


def test_colour_tiles_are_decoded_once_for_all_channels(tmp_path: Path, decoded: list[int]) -> None:
    rgb = RNG.integers(0, 256, (128, 128, 3)).astype("uint8")
    tifffile.imwrite(tmp_path / "a.tif", rgb, photometric="rgb", tile=(64, 64), compression="zlib")
    image = open_image(tmp_path / "a.tif")
    for channel in range(3):
        np.testing.assert_array_equal(image.plane(c=channel), rgb[..., channel])
    assert sorted(decoded) == [0, 1, 2, 3]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    tile=st.sampled_from([None, (16, 16), (32, 16)]),
    rows=st.integers(1, 70),
    compression=st.sampled_from([None, "zlib"]),
    dtype=st.sampled_from(["uint8", "uint16", "int16", "float32"]),
    data=st.data(),
)
def test_any_region_of_any_layout(tmp_path: Path, height, width, tile, rows, compression, dtype, data) -> None:
    pixels = RNG.integers(0, 200, (height, width)).astype(dtype)
    layout = {"tile": tile} if tile else {"rowsperstrip": rows}
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, compression=compression, metadata=None, **layout)
    y0, x0 = data.draw(st.integers(0, height)), data.draw(st.integers(0, width))
    box = Box(y0, data.draw(st.integers(y0, height)), x0, data.draw(st.integers(x0, width)))
    image = pickle.loads(pickle.dumps(open_image(path)))
    np.testing.assert_array_equal(image.plane(box=box), pixels[box.slices])


def ome_of_files(sizes: str, runs: list[str]) -> str:
    """Return OME-XML with one image per entry of `runs`."""
    images = "".join(
        f'<Image ID="Image:{n}" Name="p{n}"><Pixels ID="P:{n}" DimensionOrder="XYCZT" Type="uint16" SizeX="7" '
        f'SizeY="6" {sizes}>{run}</Pixels></Image>'
        for n, run in enumerate(runs)
    )
    return f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{images}</OME>'


def run_in(file: str, channel: int = 0) -> str:
    return f'<TiffData IFD="0" FirstC="{channel}"><UUID FileName="{file}">urn:uuid:{file}</UUID></TiffData>'


ONE, TWO = 'SizeC="1" SizeZ="1" SizeT="1"', 'SizeC="2" SizeZ="1" SizeT="1"'


def test_a_file_of_positions_gives_its_own_only(tmp_path: Path) -> None:
    """Each file names the images of all; taking them all from each would count every position several times."""
    xml = ome_of_files(ONE, [run_in("p0.ome.tif"), run_in("p1.ome.tif")])
    for number in range(2):
        tifffile.imwrite(tmp_path / f"p{number}.ome.tif", noise(6, 7) * 0 + number, description=xml, metadata=None)
    for number in range(2):
        scenes = list_scenes(tmp_path / f"p{number}.ome.tif")
        assert [scene.name for scene in scenes] == [f"p{number}"]
        assert (scenes[0].read() == number).all()


def test_an_image_of_several_files_lists_them(tmp_path: Path) -> None:
    xml = ome_of_files(TWO, [run_in("a.ome.tif") + run_in("b.ome.tif", 1)])
    pixels = noise(2, 6, 7)
    for name, plane in zip(("a", "b"), pixels, strict=True):
        tifffile.imwrite(tmp_path / f"{name}.ome.tif", plane, description=xml, metadata=None)
    for name in ("a", "b"):
        image = open_image(tmp_path / f"{name}.ome.tif")
        assert image.metadata["files"] == ["a.ome.tif", "b.ome.tif"]
        np.testing.assert_array_equal(image.read(), pixels)


def test_metadata_in_a_companion_file(tmp_path: Path) -> None:
    pixels = noise(2, 6, 7)
    only = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><BinaryOnly MetadataFile="{}" UUID="u"/></OME>'
    )
    for name, plane in zip(("a", "b"), pixels, strict=True):
        text = only.format("x.companion.ome")
        tifffile.imwrite(tmp_path / f"{name}.ome.tif", plane, description=text, metadata=None)
    image = open_image(tmp_path / "a.ome.tif")
    assert any("not beside it" in sentence for sentence in image.warnings)
    xml = ome_of_files(TWO, [run_in("a.ome.tif") + run_in("b.ome.tif", 1)])
    (tmp_path / "x.companion.ome").write_text(xml, encoding="utf-8")
    np.testing.assert_array_equal(open_image(tmp_path / "a.ome.tif").read(), pixels)
