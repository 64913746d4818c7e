"""Olympus OIF and OIB files, written here after their published layout."""

from __future__ import annotations

import gc
import io
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

from cellmetry.core.image import PixelSize
from cellmetry.errors import CellmetryError, DamagedFile
from cellmetry.io.compound import MAGIC
from cellmetry.io.opening import open_image
from cellmetry.testing.reader import ReaderContract, ReaderExample

if TYPE_CHECKING:
    from pathlib import Path

PIXELS = np.random.default_rng(1).integers(0, 4096, (2, 3, 40, 50)).astype("uint16")
AXES = [("X", 50, 0, 25.0, "um"), ("Y", 40, 0, 20.0, "um"), ("C", 2, 1, 2, ""), ("Z", 3, 0, 4000.0, "nm")]


def settings() -> bytes:
    """Return the main settings file: axes, channels, bits."""
    lines = ["[ProfileSaveInfo]", 'Name="OIF"', 'Version="2.0.0.0"', "[Axis Parameter Common]", 'AxisOrder="XYCZ"']
    for number, (code, size, start, end, unit) in enumerate(AXES):
        lines += [f"[Axis {number} Parameters Common]", f'AxisCode="{code}"', f"MaxSize={size}"]
        lines += [f"StartPosition={start}", f"EndPosition={end}", f'UnitName="{unit}"', f'PixUnit="{unit}"']
    for number, dye in ((1, "DAPI"), (2, "Alexa Fluor 488")):
        lines += [f"[Channel {number} Parameters]", f'DyeName="{dye}"', f'CH Name="CH{number}"']
    lines += ["[Reference Image Parameter]", "ValidBitCounts=12"]
    return b"\xff\xfe" + "\r\n".join(lines).encode("utf-16-le")


def planes() -> dict[str, bytes]:
    """Return the planes as TIFF files by name."""
    out = {}
    for c, z in np.ndindex(2, 3):
        stream = io.BytesIO()
        tifffile.imwrite(stream, PIXELS[c, z], metadata=None)
        out[f"s_C{c + 1:03}Z{z + 1:03}.tif"] = stream.getvalue()
    return out


def write_oif(path: Path) -> None:
    path.write_bytes(settings())
    folder = path.with_name(path.name + ".files")
    folder.mkdir()
    for name, data in planes().items():
        (folder / name).write_bytes(data)


def write_oib(path: Path) -> None:
    """Write a compound file with a settings stream and the planes in one storage."""
    streams = {"Stream00000": settings()}
    info = ["[OibSaveInfo]", "Name=OIB", "Version=2.0.0.0", "MainFileName=Stream00000", "Stream00000=main.oif"]
    for number, (name, data) in enumerate(planes().items(), 1):
        streams[f"Stream{number:05}"] = data
        info.append(f"Stream{number:05}=Storage00001/{name}")
    path.write_bytes(compound(b"\xff\xfe" + "\r\n".join(info).encode("utf-16-le"), streams))


def compound(info: bytes, streams: dict[str, bytes]) -> bytes:
    """Return a version 3 compound file whose streams all lie in ordinary sectors of 512 bytes."""
    end, free, none = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFF
    names = ["Root Entry", "OibInfo.txt", *streams, "Storage00001"]
    contents = [b"", info, *streams.values(), b""]
    n_directory = -(-len(names) * 128 // 512)
    n_sectors = [-(-len(data) // 512) for data in contents]
    n_fat = -(-(sum(n_sectors) + n_directory + 4) // 128)
    fat, body, starts = [0xFFFFFFFD] * n_fat, b"", []
    for data, count in zip(contents, n_sectors, strict=True):
        starts.append(len(fat) if count else end)
        fat += [len(fat) + i + 1 for i in range(count - 1)] + [end] * bool(count)
        body += data.ljust(count * 512, b"\0")
    directory_start = len(fat)
    fat += [len(fat) + i + 1 for i in range(n_directory - 1)] + [end]
    entries = b""
    last = len(names) - 1
    for number, name in enumerate(names):
        text = (name + "\0").encode("utf-16-le")
        kind = {0: 5, last: 1}.get(number, 2)
        right = {0: none, 1: last, last: none, last - 1: none}.get(number, number + 1)
        child = {0: 1, last: 2}.get(number, none)
        entries += struct.pack("<64sHBBIII16sIQQIQ", text, len(text), kind, 1, none, right, child, bytes(16), 0, 0, 0,
                               starts[number], len(contents[number]))  # fmt: skip
    body += entries.ljust(n_directory * 512, b"\0")
    fat += [free] * (n_fat * 128 - len(fat))
    header = struct.pack("<8s16sHHHHHHIIIIIIIIII", MAGIC, bytes(16), 0x3E, 3, 0xFFFE, 9, 6,
                         0, 0, 0, n_fat, directory_start, 0, 0, end, 0, end, 0)  # fmt: skip
    header += struct.pack("<109I", *range(n_fat), *[free] * (109 - n_fat))
    return header + struct.pack(f"<{len(fat)}I", *fat) + body


EXPECTED = ("CZYX", ("DAPI", "Alexa Fluor 488"), PixelSize(0.5, 0.5, 2.0))


class TestOif(ReaderContract):
    reader = "oif"

    def write(self, folder: Path) -> ReaderExample:
        path = folder / "a.oif"
        if not path.exists():
            write_oif(path)
        return ReaderExample(path, PIXELS, *EXPECTED)

    def test_missing_plane(self, tmp_path: Path) -> None:
        path = self.write(tmp_path).path
        (tmp_path / "a.oif.files" / "s_C002Z003.tif").unlink()
        image = open_image(path)
        assert any("lacks 1 of its 6 planes" in sentence for sentence in image.warnings)
        np.testing.assert_array_equal(image.plane(c=1, z=1), PIXELS[1, 1])
        with pytest.raises(DamagedFile, match=r"a\.oif lacks the plane"):
            image.plane(c=1, z=2)


class TestOib(ReaderContract):
    reader = "oif"

    def write(self, folder: Path) -> ReaderExample:
        write_oib(folder / "a.oib")
        return ReaderExample(folder / "a.oib", PIXELS, *EXPECTED)

    def test_bits(self, tmp_path: Path) -> None:
        assert open_image(self.write(tmp_path).path).bit_depth == 12

    def test_circle_of_sectors_does_not_hang(self, tmp_path: Path) -> None:
        path = self.write(tmp_path).path
        data = bytearray(path.read_bytes())
        struct.pack_into("<I", data, 512 + 4 * 6, 6)
        path.write_bytes(data)
        with pytest.raises(DamagedFile, match="circle"):
            open_image(path)

    def test_damaged_containers_leave_no_file_open(self, tmp_path: Path) -> None:
        data = self.write(tmp_path).path.read_bytes()
        said = []
        for place in range(512, len(data), 211):
            spoilt = bytearray(data)
            spoilt[place : place + 9] = b"\x07" * 9
            (tmp_path / "b.oib").write_bytes(spoilt)
            try:
                open_image(tmp_path / "b.oib").read()
            except CellmetryError as error:
                said.append(str(error))
        gc.collect()
        assert said
        assert all("b.oib" in sentence for sentence in said)
