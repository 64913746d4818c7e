"""CZI files written here block by block: scenes, overlapping mosaics, colour, compression, damage."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import imagecodecs
import numpy as np
import pytest

from cellmetry.core.image import Box, Channel, PixelSize
from cellmetry.errors import DamagedFile, UnsupportedFormat
from cellmetry.io.opening import list_scenes, open_image
from cellmetry.testing.reader import ReaderContract, ReaderExample

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(4)
XML = """<?xml version="1.0"?><ImageDocument><Metadata><Information><Image>
<AcquisitionDateAndTime>2024-01-02T03:04:05.1234567Z</AcquisitionDateAndTime><Dimensions><Channels>
<Channel Id="Channel:0" Name="DAPI"><ComponentBitCount>14</ComponentBitCount></Channel>
<Channel Id="Channel:1" Name="GFP"/></Channels></Dimensions></Image></Information><Scaling><Items>
<Distance Id="X"><Value>2.5E-07</Value></Distance><Distance Id="Y"><Value>2.5E-07</Value></Distance></Items></Scaling>
<DisplaySetting><Channels><Channel Id="Channel:0"><Color>#FF0000FF</Color></Channel></Channels></DisplaySetting>
</Metadata></ImageDocument>"""


class Tile(NamedTuple):
    """A block of pixels, where it stands, and how it is packed."""

    pixels: np.ndarray
    start: dict[str, int]
    pixel_type: int = 1
    compression: int = 0
    size: tuple[int, int] | None = None


def packed(tile: Tile) -> bytes:
    data = tile.pixels.tobytes()
    if tile.compression == 5:
        return imagecodecs.zstd_encode(data)
    if tile.compression == 6:
        halves = np.frombuffer(data, "u1").reshape(-1, 2).T.tobytes()
        return b"\x03\x01\x01" + imagecodecs.zstd_encode(halves)
    if tile.compression == 4:
        return imagecodecs.jpegxr_encode(tile.pixels)
    if tile.compression == 2:
        return imagecodecs.lzw_encode(data)
    return data


def entry(tile: Tile, position: int) -> bytes:
    height, width = tile.pixels.shape[:2]
    full = tile.size or (height, width)
    places = {"X": (full[1], width), "Y": (full[0], height)}
    body = struct.pack(
        "<2siqiiBB4si", b"DV", tile.pixel_type, position, 0, tile.compression, 0, 0, b"", len(tile.start)
    )
    for axis, first in tile.start.items():
        size, stored = places.get(axis, (1, 1))
        body += struct.pack("<4siifi", axis.encode(), first, size, 0.0, stored)
    return body


def segment(kind: bytes, data: bytes) -> bytes:
    return struct.pack("<16sqq", kind, len(data), len(data)) + data


def write_czi(path: Path, tiles: list[Tile], xml: str = XML) -> Path:
    body, entries = b"", b""
    for tile in tiles:
        position = 32 + 512 + len(body)
        data = packed(tile)
        head = struct.pack("<iiq", 3, 0, len(data)) + entry(tile, position)
        body += segment(b"ZISRAWSUBBLOCK", head.ljust(256, b"\0") + b"<a>" + data)
        entries += entry(tile, position)
    directory_at = 32 + 512 + len(body)
    directory = segment(b"ZISRAWDIRECTORY", struct.pack("<i124x", len(tiles)) + entries)
    metadata = segment(b"ZISRAWMETADATA", struct.pack("<ii248x", len(xml.encode()), 0) + xml.encode())
    places = (directory_at, directory_at + len(directory))
    header = struct.pack("<iiii16s16siqqiq", 1, 0, 0, 0, b"", b"", 0, *places, 0, 0).ljust(512, b"\0")
    path.write_bytes(segment(b"ZISRAWFILE", header) + body + directory + metadata)
    return path


def noise(*shape: int, dtype: str = "uint16") -> np.ndarray:
    return RNG.integers(0, 200, shape).astype(dtype)


class TestCzi(ReaderContract):
    reader = "czi"

    def write(self, folder: Path) -> ReaderExample:
        pixels = noise(2, 40, 50)
        tiles = [Tile(pixels[c], {"X": 0, "Y": 0, "C": c}, compression=c * 5) for c in range(2)]
        path = write_czi(folder / "a.czi", tiles)
        return ReaderExample(path, pixels, "CYX", ("DAPI", "GFP"), PixelSize(0.25, 0.25))


def test_description(tmp_path: Path) -> None:
    image = open_image(write_czi(tmp_path / "a.czi", [Tile(noise(8, 9), {"X": 0, "Y": 0, "C": 0})]))
    assert image.channels == (Channel("DAPI", "#0000ff"),)
    assert image.bit_depth == 14
    assert image.acquired is not None
    assert image.acquired.isoformat() == "2024-01-02T03:04:05.123456+00:00"


@pytest.mark.parametrize("compression", [0, 2, 4, 5, 6])
def test_compressions(tmp_path: Path, compression: int) -> None:
    pixels = noise(16, 24)
    path = write_czi(tmp_path / "a.czi", [Tile(pixels, {"X": 0, "Y": 0}, compression=compression)])
    np.testing.assert_array_equal(open_image(path).read(), pixels)


def test_unknown_compression_is_named(tmp_path: Path) -> None:
    path = write_czi(tmp_path / "a.czi", [Tile(noise(16, 24), {"X": 0, "Y": 0}, compression=104)])
    with pytest.raises(UnsupportedFormat, match="method 104"):
        open_image(path).read()


def test_overlapping_tiles_by_position(tmp_path: Path) -> None:
    """Tiles start at negative places, overlap, leave a gap; the later one lies on top, whatever their order."""
    first, second = noise(20, 20), noise(20, 20)
    tiles = [
        Tile(second, {"X": 10, "Y": -5, "M": 1}),
        Tile(first, {"X": -5, "Y": -10, "M": 0}),
        Tile(noise(5, 8), {"X": -5, "Y": -10, "M": 0}, size=(10, 16)),
    ]
    image = open_image(write_czi(tmp_path / "a.czi", tiles))
    expected = np.zeros((25, 35), "uint16")
    expected[:20, :20] = first
    expected[5:, 15:] = second
    np.testing.assert_array_equal(image.read(), expected)
    np.testing.assert_array_equal(image.plane(box=Box(3, 22, 12, 30)), expected[3:22, 12:30])
    gap = 1 - (2 * 400 - 15 * 5) / (25 * 35)
    assert any(f"{gap:.1%}" in sentence for sentence in image.warnings)


def test_scenes(tmp_path: Path) -> None:
    parts = [noise(10, 12), noise(14, 9)]
    tiles = [Tile(part, {"X": 500 * s, "Y": 30 * s, "S": s}) for s, part in enumerate(parts)]
    path = write_czi(tmp_path / "b.czi", tiles)
    scenes = list_scenes(path)
    assert [scene.name for scene in scenes] == ["b_s0", "b_s1"]
    for scene, part in zip(scenes, parts, strict=True):
        np.testing.assert_array_equal(scene.read(), part)


def test_colour(tmp_path: Path) -> None:
    rgb = noise(10, 12, 3, dtype="uint8")
    image = open_image(write_czi(tmp_path / "a.czi", [Tile(rgb[..., ::-1].copy(), {"X": 0, "Y": 0}, pixel_type=3)]))
    assert image.colour
    np.testing.assert_array_equal(image.read(), rgb.transpose(2, 0, 1))


def test_damaged_block_is_named(tmp_path: Path) -> None:
    path = write_czi(tmp_path / "a.czi", [Tile(noise(16, 24), {"X": 0, "Y": 0}, compression=5)])
    data = bytearray(path.read_bytes())
    at = data.index(b"<a>") + 3
    data[at : at + 40] = b"\xff" * 40
    path.write_bytes(data)
    with pytest.raises(DamagedFile, match=r"tile at byte 544 of a\.czi"):
        open_image(path).read()


def test_unsafe_xml_is_ignored_with_a_warning(tmp_path: Path) -> None:
    unsafe = XML.replace("?>", '?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hosts">]>', 1)
    image = open_image(write_czi(tmp_path / "a.czi", [Tile(noise(9, 9), {"X": 0, "Y": 0})], unsafe))
    assert any("cannot be read" in sentence for sentence in image.warnings)
    assert not image.pixel_size.known
