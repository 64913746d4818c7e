"""Bad pictures, Zarr and NumPy files: cases 13 and 28 to 32 of the list of bad inputs."""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zarr
from PIL import Image as Pillow

from cellmetry.core.image import Box
from cellmetry.errors import CellmetryError, DamagedFile, InputError, LimitExceeded, MissingInput, UnsupportedFormat
from cellmetry.io.opening import open_image

if TYPE_CHECKING:
    from pathlib import Path

PIXELS = np.random.default_rng(3).integers(1, 4096, (64, 80)).astype("uint16")


def refused(path: Path, kind: type[CellmetryError], *words: str) -> None:
    with pytest.raises(kind) as caught:
        open_image(path).read()
    assert path.name in str(caught.value)
    assert caught.value.exit_code == 2
    assert all(word in str(caught.value) for word in words), str(caught.value)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("side", [10_000, 30_000])
def test_case_13_png_bomb(tmp_path: Path, side: int) -> None:
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000), 9)
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    )
    refused(path, LimitExceeded)


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp", "webp"])
def test_cut_picture(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    Pillow.fromarray((PIXELS // 16).astype("uint8")).save(path)
    path.write_bytes(path.read_bytes()[:-300])
    refused(path, InputError)


def test_garbage_in_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    refused(path, DamagedFile)


def zarr_image(path: Path, *, version: str = "0.5", **options: object) -> zarr.Array:
    """Write a one-level OME-Zarr image of 16 × 16 chunks and return its array."""
    group = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    array = group.create_array("0", shape=PIXELS.shape, chunks=(16, 16), dtype="uint16", fill_value=0, **options)
    array[...] = PIXELS
    multiscale = {
        "axes": [{"name": axis, "type": "space"} for axis in "yx"],
        "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 1]}]}],
        "version": version,
    }
    ome = {"multiscales": [multiscale]}
    group.attrs.update(ome if version == "0.4" else {"ome": {**ome, "version": version}})
    return array


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_case_28_missing_chunks(tmp_path: Path, version: str) -> None:
    path = tmp_path / "a.ome.zarr"
    zarr_image(path, version=version)
    place = path / "0" / ("0.1" if version == "0.4" else "c/0/1")
    place.unlink()
    image = open_image(path)
    assert any("19 of 20 chunks" in sentence for sentence in image.warnings)
    expected = PIXELS.copy()
    expected[:16, 16:32] = 0
    np.testing.assert_array_equal(image.read(), expected)


def test_case_28_missing_shard(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.zarr"
    zarr_image(path, shards=(32, 32))
    (path / "0" / "c" / "1" / "1").unlink()
    image = open_image(path)
    assert any("5 of 6 shards" in sentence for sentence in image.warnings)
    assert not image.plane(box=Box(32, 64, 32, 64)).any()


def test_case_29_truncated_chunk(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.zarr"
    zarr_image(path)
    chunk = path / "0" / "c" / "1" / "2"
    chunk.write_bytes(chunk.read_bytes()[:20])
    image = open_image(path)
    np.testing.assert_array_equal(image.plane(box=Box(0, 16, 0, 80)), PIXELS[:16])
    refused(path, DamagedFile, "chunk 1/2")


def test_case_29_truncated_shard(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.zarr"
    zarr_image(path, shards=(32, 32))
    shard = path / "0" / "c" / "0" / "1"
    shard.write_bytes(shard.read_bytes()[:-30])
    np.testing.assert_array_equal(open_image(path).plane(box=Box(0, 32, 0, 32)), PIXELS[:32, :32])
    refused(path, DamagedFile, "chunk 0/2")


def test_case_29_without_compression(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.zarr"
    zarr_image(path, compressors=None)
    chunk = path / "0" / "c" / "3" / "0"
    chunk.write_bytes(chunk.read_bytes()[:100])
    refused(path, DamagedFile, "chunk 3/0")


@pytest.mark.parametrize(("version", "file"), [("0.4", ".zattrs"), ("0.4", ".zgroup"), ("0.5", "zarr.json")])
def test_case_30_invalid_json(tmp_path: Path, version: str, file: str) -> None:
    path = tmp_path / "a.ome.zarr"
    zarr_image(path, version=version)
    (path / file).write_text('{"multiscales": [')
    refused(path, InputError)


@pytest.mark.parametrize("stated", ["0.1", "0.9", "2"])
def test_case_30_wrong_version(tmp_path: Path, stated: str) -> None:
    path = tmp_path / "a.ome.zarr"
    zarr_image(path)
    attributes = json.loads((path / "zarr.json").read_text())
    attributes["attributes"]["ome"]["version"] = stated
    (path / "zarr.json").write_text(json.dumps(attributes))
    refused(path, UnsupportedFormat, stated, "0.4 and 0.5")


@pytest.mark.parametrize("place", ["../other", "/etc", "C:\\x"])
def test_zarr_reference_outside_itself(tmp_path: Path, place: str) -> None:
    path = tmp_path / "a.ome.zarr"
    zarr_image(path)
    zarr_image(tmp_path / "other")
    attributes = json.loads((path / "zarr.json").read_text())
    attributes["attributes"]["ome"]["multiscales"][0]["datasets"][0]["path"] = place
    (path / "zarr.json").write_text(json.dumps(attributes))
    refused(path, InputError, "outside")


def test_zarr_without_image(tmp_path: Path) -> None:
    zarr.open_group(tmp_path / "a.zarr", mode="w")
    refused(tmp_path / "a.zarr", UnsupportedFormat)
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder", UnsupportedFormat, "folder")


class Marker:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return self.path.touch, ()


def test_case_31_pickled_array(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    np.save(tmp_path / "a.npy", np.array([[Marker(marker)]], dtype=object), allow_pickle=True)
    refused(tmp_path / "a.npy", UnsupportedFormat, "never loaded")
    assert not marker.exists()


def test_case_32_huge_shape(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    header = repr({"descr": "<u2", "fortran_order": False, "shape": (1_000_000, 1_000_000)}).encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(100))
    refused(path, DamagedFile, "ends early")


def test_npy_header_that_is_no_python(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, PIXELS)
    path.write_bytes(path.read_bytes().replace(b"'shape'", b"'shape#").replace(b"}", b"("))
    refused(path, DamagedFile)


def test_missing_file(tmp_path: Path) -> None:
    refused(tmp_path / "none.tif", MissingInput)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.czi", b"ZISRAWFILE"),
        ("a.nd2", b"\xda\xce\xbe\n"),
        ("a.lif", b"\x70\0\0\0\xff\0\0\0\x2a"),
        ("a.oib", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        ("a.npy", b"\x93NUMPY"),
        ("a.webp", b"RIFF\0\0\0\0WEBP"),
    ],
)
@pytest.mark.parametrize("rest", [b"", bytes(600), b"\xff" * 600])
def test_every_format_refuses_garbage_in_words(tmp_path: Path, name: str, head: bytes, rest: bytes) -> None:
    (tmp_path / name).write_bytes(head + rest)
    refused(tmp_path / name, InputError)
