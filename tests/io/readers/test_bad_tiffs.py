"""Bad TIFFs: cases 1 to 27 of the list of bad inputs. Each is refused in words, warned about, or read right."""

from __future__ import annotations

import struct
import time
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from cellmetry.core.image import Box
from cellmetry.errors import AxesError, CellmetryError, DamagedFile, InputError, LimitExceeded, UnsupportedFormat
from cellmetry.io.opening import open_image

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.core.image import Image

RNG = np.random.default_rng(7)
PIXELS = RNG.integers(0, 4096, (64, 80)).astype("uint16")


def warned(image: Image, *words: str) -> bool:
    """Return whether one warning of the image has all these words."""
    return any(all(word in sentence for word in words) for sentence in image.warnings)


def refused(path: Path, kind: type[CellmetryError], *words: str, **options: str) -> str:
    """Return the sentence with which opening or reading is refused; it names the file and all `words`."""
    with pytest.raises(kind) as caught:
        open_image(path, **options).read()
    text = str(caught.value)
    assert path.name in text
    assert caught.value.exit_code == 2
    assert "\n" not in text
    assert all(word in text for word in words), text
    return text


def simple_tiff(path: Path, tags: dict[int, tuple[int, int]], data: bytes = b"", next_ifd: int | None = 0) -> Path:
    """Write a classic little-endian TIFF of one page with tags {code: (type, value)}, pixels after the page.

    `next_ifd` None makes the page its own successor.
    """
    count = len(tags)
    start = 8 + 2 + count * 12 + 4
    body = struct.pack("<2sHIH", b"II", 42, 8, count)
    for code, (kind, value) in sorted(tags.items()):
        body += struct.pack("<HHII", code, kind, 1, start if value == -1 else value)
    body += struct.pack("<I", 8 if next_ifd is None else next_ifd)
    path.write_bytes(body + data)
    return path


def grey_tags(height: int, width: int, n_bytes: int, compression: int = 1) -> dict[int, tuple[int, int]]:
    """Return the tags of an 8-bit grey page of one strip."""
    return {
        256: (4, width),
        257: (4, height),
        258: (3, 8),
        259: (3, compression),
        262: (3, 1),
        273: (4, -1),
        277: (3, 1),
        278: (4, height),
        279: (4, n_bytes),
    }


def test_case_01_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.touch()
    refused(path, InputError, "empty")


def test_case_02_text_named_tif(tmp_path: Path) -> None:
    path = tmp_path / "notes.tif"
    path.write_text("these are notes\n" * 20)
    refused(path, UnsupportedFormat, "not a TIFF", "content")


def test_case_03_wrong_names(tmp_path: Path) -> None:
    grey = (PIXELS // 16).astype("uint8")
    Pillow.fromarray(grey).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.tif")
    image = open_image(tmp_path / "a.tif")
    assert warned(image, "named .tif", "PNG")
    np.testing.assert_array_equal(image.read(), grey)
    tifffile.imwrite(tmp_path / "b.tif", PIXELS)
    (tmp_path / "b.tif").rename(tmp_path / "b.png")
    image = open_image(tmp_path / "b.png")
    assert warned(image, "named .png", "TIFF")
    np.testing.assert_array_equal(image.read(), PIXELS)


def test_case_04_header_without_pages(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 0))
    refused(path, DamagedFile, "page")
    path.write_bytes(b"II*\0")
    refused(path, DamagedFile)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_case_05_truncated_compressed(tmp_path: Path, kept: float) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, compression="zlib", rowsperstrip=8)
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(data[: int(len(data) * kept)])
    refused(tmp_path / "a.tif", DamagedFile, "ends early")


@pytest.mark.parametrize("imagej", [False, True])
def test_case_06_truncated_uncompressed(tmp_path: Path, imagej: bool) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, imagej=imagej)
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(data[:-10])
    refused(tmp_path / "a.tif", DamagedFile, "ends early")


def test_case_06_truncated_stack_of_one_page(tmp_path: Path) -> None:
    stack = np.stack([PIXELS] * 5)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "ZYX"}, contiguous=True)
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(data[: len(data) // 2])
    refused(tmp_path / "a.tif", DamagedFile, "ends early")


@pytest.mark.parametrize("compression", ["zlib", "lzw", "packbits", "zstd"])
def test_case_07_corrupt_strip(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.stack([PIXELS, PIXELS]), compression=compression, rowsperstrip=16, metadata=None)
    with tifffile.TiffFile(path) as tif:
        page = tif.pages[1]
        offset, count = page.dataoffsets[2], page.databytecounts[2]
    data = bytearray(path.read_bytes())
    data[offset : offset + count] = b"\xff" * count if compression != "packbits" else b"\x80" * count
    path.write_bytes(data)
    image = open_image(path, axes="ZYX")
    np.testing.assert_array_equal(image.plane(z=0), PIXELS)
    np.testing.assert_array_equal(image.plane(z=1, box=Box(0, 32, 0, 80)), PIXELS[:32])
    refused(path, DamagedFile, "strip 2", "page 1", axes="ZYX")


def tiles_missing(path: Path, n_missing: int) -> None:
    """Write a picture of 16 tiles, of which `n_missing` have offset and length 0."""
    tifffile.imwrite(path, np.full((64, 64), 9, "uint8"), tile=(16, 16), compression="zlib", metadata=None)
    with tifffile.TiffFile(path) as tif:
        tags = [tif.pages.first.tags[code] for code in (324, 325)]
        places = [(tag.valueoffset, int(tag.dtype)) for tag in tags]
    data = bytearray(path.read_bytes())
    for offset, dtype in places:
        size = {3: 2, 4: 4, 16: 8}[dtype]
        data[offset : offset + size * n_missing] = bytes(size * n_missing)
    path.write_bytes(data)


def test_case_08_some_tiles_missing(tmp_path: Path) -> None:
    tiles_missing(tmp_path / "a.tif", 4)
    image = open_image(tmp_path / "a.tif")
    assert warned(image, "25.0%")
    pixels = image.read()
    assert not pixels[:16].any()
    assert (pixels[16:] == 9).all()


def test_case_08_most_tiles_missing(tmp_path: Path) -> None:
    tiles_missing(tmp_path / "a.tif", 9)
    refused(tmp_path / "a.tif", DamagedFile, "56%")


def test_case_09_loop_of_pages(tmp_path: Path) -> None:
    path = simple_tiff(tmp_path / "a.tif", grey_tags(4, 5, 20), bytes(range(20)), next_ifd=None)
    image = open_image(path)
    assert image.shape == (4, 5)
    assert warned(image, "circular")
    np.testing.assert_array_equal(image.read().ravel(), np.arange(20))


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_case_10_no_width_or_height(tmp_path: Path, shape: tuple[int, int]) -> None:
    refused(simple_tiff(tmp_path / "a.tif", grey_tags(*shape, 20), bytes(20)), DamagedFile)


@pytest.mark.parametrize("compression", [1, 8])
def test_case_11_huge_header_in_a_small_file(tmp_path: Path, compression: int) -> None:
    path = simple_tiff(tmp_path / "a.tif", grey_tags(400_000, 400_000, 500_000, compression), bytes(512_000))
    tracemalloc.start()
    refused(path, InputError)
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_case_12_bomb(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    bomb = np.zeros((10_000, 10_000), "uint8")
    tifffile.imwrite(path, bomb, compression="zstd", rowsperstrip=10_000, metadata=None)
    refused(path, LimitExceeded, "limit of 1000 to 1", "CELLMETRY_MAX_COMPRESSION_RATIO")


def test_case_12_limit_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS)
    assert open_image(tmp_path / "a.tif").read().shape == PIXELS.shape
    monkeypatch.setenv("CELLMETRY_MAX_PLANE_BYTES", "4000")
    refused(tmp_path / "a.tif", LimitExceeded, "CELLMETRY_MAX_PLANE_BYTES")
    assert open_image(tmp_path / "a.tif").plane(box=Box(0, 20, 0, 20)).shape == (20, 20)


def test_case_12_segment_above_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, compression="zlib", rowsperstrip=64)
    monkeypatch.setenv("CELLMETRY_MAX_PLANE_BYTES", "4000")
    refused(tmp_path / "a.tif", LimitExceeded, "pieces")


def many_pages(path: Path, n_pages: int) -> None:
    """Write a TIFF of `n_pages` pages of 1 × 1 pixel."""
    tags = grey_tags(1, 1, 1)
    size = 2 + len(tags) * 12 + 4
    parts = [struct.pack("<2sHI", b"II", 42, 8)]
    for number in range(n_pages):
        body = struct.pack("<H", len(tags))
        for code, (kind, value) in sorted(tags.items()):
            body += struct.pack("<HHII", code, kind, 1, 8 + n_pages * size if value == -1 else value)
        following = 8 + (number + 1) * size if number + 1 < n_pages else 0
        parts.append(body + struct.pack("<I", following))
    path.write_bytes(b"".join(parts) + b"\x01")


def test_case_14_very_many_pages(tmp_path: Path) -> None:
    many_pages(tmp_path / "a.tif", 100_000)
    start = time.perf_counter()
    refused(tmp_path / "a.tif", LimitExceeded, "100,000 pages", "CELLMETRY_MAX_TINY_PAGES")
    assert time.perf_counter() - start < 10


def ome_tiff(path: Path, xml: str, pixels: np.ndarray) -> Path:
    """Write pages with a description of our own."""
    tifffile.imwrite(path, pixels, description=xml.encode(), metadata=None, photometric="minisblack")
    return path


def ome_xml(sizes: str, planes: str = "<TiffData/>", channels: str = "") -> str:
    return (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:own">'
        f'<Image ID="Image:0" Name="x"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" {sizes} '
        f'PhysicalSizeX="0.5" PhysicalSizeY="0.5">{channels}{planes}</Pixels></Image></OME>'
    )


SIZES = 'SizeX="80" SizeY="64" SizeC="1" SizeZ="1" SizeT="1"'


def test_case_15_external_entity(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("TOPSECRET")
    xml = ome_xml(SIZES).replace("?>", f'?><!DOCTYPE OME [<!ENTITY e SYSTEM "{secret.as_uri()}">]>', 1)
    image = open_image(ome_tiff(tmp_path / "a.ome.tif", xml.replace('Name="x"', 'Name="&e;"'), PIXELS))
    assert warned(image, "unsafe", "ignored")
    assert "TOPSECRET" not in repr(image) + repr(image.metadata)
    assert not image.pixel_size.known
    np.testing.assert_array_equal(image.read(), PIXELS)


def test_case_16_billion_laughs(tmp_path: Path) -> None:
    levels = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))
    xml = ome_xml(SIZES).replace("?>", f'?><!DOCTYPE OME [<!ENTITY l0 "ha">{levels}]>', 1)
    path = ome_tiff(tmp_path / "a.ome.tif", xml.replace('Name="x"', 'Name="&l11;"'), PIXELS)
    start = time.perf_counter()
    image = open_image(path)
    assert time.perf_counter() - start < 1
    assert warned(image, "unsafe")


def test_case_17_malformed_xml(tmp_path: Path) -> None:
    xml = ome_xml(SIZES).replace("</Pixels>", "")
    image = open_image(ome_tiff(tmp_path / "a.ome.tif", xml, PIXELS))
    assert warned(image, "malformed", "ignored")
    assert image.axes == "YX"
    refused(ome_tiff(tmp_path / "b.ome.tif", xml, np.stack([PIXELS] * 3)), AxesError, "--axes", "ZYX")


@pytest.mark.parametrize(("stated", "pages"), [(5, 3), (2, 3)])
def test_case_18_sizes_contradict_pages(tmp_path: Path, stated: int, pages: int) -> None:
    stack = np.stack([PIXELS + n for n in range(pages)])
    xml = ome_xml(SIZES.replace('SizeZ="1"', f'SizeZ="{stated}"'))
    image = open_image(ome_tiff(tmp_path / "a.ome.tif", xml, stack))
    assert warned(image, f"{stated} Z", f"{pages} pages", "believed")
    assert (image.axes, image.shape) == ("ZYX", stack.shape)
    np.testing.assert_array_equal(image.read(), stack)
    assert image.pixel_size.x == 0.5


def test_case_18_plane_size_contradicts(tmp_path: Path) -> None:
    image = open_image(ome_tiff(tmp_path / "a.ome.tif", ome_xml(SIZES.replace("80", "800")), PIXELS))
    assert warned(image, "64 × 800", "64 × 80")
    assert image.shape == PIXELS.shape


def test_case_18_unclear_axes_are_asked_for(tmp_path: Path) -> None:
    refused(ome_tiff(tmp_path / "a.ome.tif", ome_xml(SIZES), np.stack([PIXELS] * 3)), AxesError, "--axes")


def two_files(folder: Path, second: str) -> Path:
    """Write an OME-TIFF of two channels whose second lies in the file `second`."""
    planes = (
        '<TiffData FirstC="0" IFD="0" PlaneCount="1"><UUID FileName="a.ome.tif">urn:uuid:own</UUID></TiffData>'
        f'<TiffData FirstC="1" IFD="0" PlaneCount="1"><UUID FileName="{second}">urn:uuid:other</UUID></TiffData>'
    )
    channels = '<Channel ID="C:0" Name="DNA"/><Channel ID="C:1" Name="actin"/>'
    folder.mkdir(exist_ok=True)
    xml = ome_xml(SIZES.replace('SizeC="1"', 'SizeC="2"'), planes, channels)
    return ome_tiff(folder / "a.ome.tif", xml, PIXELS)


def test_multi_file_ome_tiff_is_read_together(tmp_path: Path) -> None:
    path = two_files(tmp_path / "own", "b.ome.tif")
    tifffile.imwrite(tmp_path / "own" / "b.ome.tif", PIXELS + 1, metadata=None)
    image = open_image(path)
    assert (image.axes, image.channel_names, image.warnings) == ("CYX", ("DNA", "actin"), ())
    np.testing.assert_array_equal(image.read(), [PIXELS, PIXELS + 1])


@pytest.mark.parametrize("way", ["../other/secret.ome.tif", "absolute", "link"])
def test_case_19_companion_outside_the_folder(tmp_path: Path, way: str) -> None:
    secret = tmp_path / "other" / "secret.ome.tif"
    secret.parent.mkdir()
    tifffile.imwrite(secret, np.full((64, 80), 4242, "uint16"), metadata=None)
    named = {"absolute": str(secret), "link": "link.ome.tif"}.get(way, way)
    path = two_files(tmp_path / "own", named)
    if way == "link":
        (tmp_path / "own" / "link.ome.tif").symlink_to(secret)
    refused(path, InputError, "outside its own folder")


def test_case_20_missing_companion(tmp_path: Path) -> None:
    image = open_image(two_files(tmp_path / "own", "b.ome.tif"))
    assert warned(image, "b.ome.tif", "not there")
    assert warned(image, "lacks", "actin")
    assert image.channel_names == ("DNA",)
    np.testing.assert_array_equal(image.read(), PIXELS)


def test_case_20_renamed_file_is_still_itself(tmp_path: Path) -> None:
    path = ome_tiff(
        tmp_path / "new_name.ome.tif",
        ome_xml(SIZES, '<TiffData IFD="0"><UUID FileName="old_name.ome.tif">urn:uuid:own</UUID></TiffData>'),
        PIXELS,
    )
    np.testing.assert_array_equal(open_image(path).read(), PIXELS)


@pytest.mark.parametrize("options", [{"bigtiff": True}, {"byteorder": ">"}, {"bigtiff": True, "byteorder": ">"}])
@pytest.mark.parametrize("extra", [{}, {"tile": (16, 32), "compression": "zlib"}])
def test_case_21_22_bigtiff_and_big_endian(tmp_path: Path, options: dict, extra: dict) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, **options, **extra)
    image = open_image(tmp_path / "a.tif")
    assert image.dtype == np.uint16
    assert image.dtype.isnative
    assert not image.warnings
    np.testing.assert_array_equal(image.read(), PIXELS)


@pytest.mark.parametrize("extra", [{}, {"tile": (16, 32)}, {"compression": "zlib", "rowsperstrip": 7}])
def test_case_23_planar_rgb(tmp_path: Path, extra: dict) -> None:
    rgb = RNG.integers(0, 256, (64, 80, 3)).astype("uint8")
    tifffile.imwrite(tmp_path / "a.tif", rgb, photometric="rgb", **extra)
    tifffile.imwrite(tmp_path / "b.tif", rgb.transpose(2, 0, 1), photometric="rgb", planarconfig="separate", **extra)
    contiguous, separate = open_image(tmp_path / "a.tif"), open_image(tmp_path / "b.tif")
    assert contiguous.colour
    assert separate.colour
    np.testing.assert_array_equal(contiguous.read(), rgb.transpose(2, 0, 1))
    np.testing.assert_array_equal(separate.read(), contiguous.read())


def test_case_24_jpeg_compressed(tmp_path: Path) -> None:
    rgb = np.broadcast_to(np.add.outer(np.arange(64), np.arange(80))[..., None], (64, 80, 3)).astype("uint8")
    tifffile.imwrite(tmp_path / "a.tif", rgb, photometric="rgb", compression="jpeg", tile=(32, 32))
    image = open_image(tmp_path / "a.tif")
    assert warned(image, "lossy", "approximate")
    assert np.abs(image.read().astype(int) - rgb.transpose(2, 0, 1)).mean() < 3


@pytest.mark.parametrize("how", ["lzw", "zstd", "jpeg2000", "zlib", "packbits", "lzma"])
def test_case_25_codecs(tmp_path: Path, how: str) -> None:
    predictor = {"predictor": True} if how in {"lzw", "zstd", "zlib"} else {}
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, compression=how, **predictor)
    np.testing.assert_array_equal(open_image(tmp_path / "a.tif").read(), PIXELS)


def test_case_25_float_predictor(tmp_path: Path) -> None:
    pixels = PIXELS.astype("float32") / 7
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression="zlib", predictor=3)
    np.testing.assert_array_equal(open_image(tmp_path / "a.tif").read(), pixels)


def test_case_25_unknown_codec_is_named(tmp_path: Path) -> None:
    path = simple_tiff(tmp_path / "a.tif", grey_tags(4, 5, 20, compression=65000), bytes(20))
    refused(path, InputError, "65000")


def test_case_26_white_is_zero(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, photometric="miniswhite", metadata=None)
    image = open_image(tmp_path / "a.tif")
    assert warned(image, "inverted")
    np.testing.assert_array_equal(image.read(), 65535 - PIXELS)


@pytest.mark.parametrize("extra", [{}, {"compression": "zlib"}])
def test_case_27_one_bit(tmp_path: Path, extra: dict) -> None:
    mask = PIXELS > 2048
    tifffile.imwrite(tmp_path / "a.tif", mask, rowsperstrip=10, metadata=None, **extra)
    image = open_image(tmp_path / "a.tif")
    assert warned(image, "white is 0", "kept as stored")
    assert (image.dtype, image.bit_depth) == (np.uint8, 1)
    np.testing.assert_array_equal(image.read(), mask)
    np.testing.assert_array_equal(image.plane(box=Box(5, 23, 3, 70)), mask[5:23, 3:70])


def test_case_27_twelve_bit_packed(tmp_path: Path) -> None:
    packed = np.zeros((64, 40, 3), "uint8")
    even, odd = PIXELS[:, ::2], PIXELS[:, 1::2]
    packed[..., 0], packed[..., 1], packed[..., 2] = even >> 4, ((even & 15) << 4) | (odd >> 8), odd & 255
    tags = {**grey_tags(64, 80, packed.size), 258: (3, 12)}
    image = open_image(simple_tiff(tmp_path / "b.tif", tags, packed.tobytes()))
    assert (image.dtype, image.bit_depth) == (np.uint16, 12)
    np.testing.assert_array_equal(image.read(), PIXELS)
