"""Every format meets the reader contract on a file made here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tifffile
import zarr
from PIL import Image as Pillow

from cellmetry.core.image import PixelSize
from cellmetry.testing.reader import ReaderContract, ReaderExample

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(5)


def noise(*shape: int, dtype: str = "uint16", top: int = 4096) -> np.ndarray:
    return RNG.integers(0, top, shape).astype(dtype)


class TestPlainTiff(ReaderContract):
    reader = "tiff"

    def write(self, folder: Path) -> ReaderExample:
        pixels = noise(40, 50)
        tifffile.imwrite(folder / "a.tif", pixels, metadata=None)
        return ReaderExample(folder / "a.tif", pixels, "YX", ("channel0",))


class TestTiledTiff(ReaderContract):
    reader = "tiff"

    def write(self, folder: Path) -> ReaderExample:
        pixels = noise(70, 90)
        tifffile.imwrite(folder / "a.tif", pixels, tile=(32, 16), compression="zlib", metadata=None)
        return ReaderExample(folder / "a.tif", pixels, "YX")


class TestImagejHyperstack(ReaderContract):
    reader = "tiff"

    def write(self, folder: Path) -> ReaderExample:
        pixels = noise(3, 2, 4, 40, 50)
        meta = {"axes": "TZCYX", "unit": "um", "spacing": 0.5, "Labels": None}
        stored = pixels.transpose(0, 1, 2, 3, 4)
        tifffile.imwrite(
            folder / "a.tif", stored, imagej=True, resolution=(4.0, 4.0), metadata={k: v for k, v in meta.items() if v}
        )
        return ReaderExample(
            folder / "a.tif", pixels.transpose(0, 2, 1, 3, 4), "TCZYX", pixel_size=PixelSize(0.25, 0.25, 0.5)
        )


class TestOmeTiff(ReaderContract):
    reader = "tiff"

    def write(self, folder: Path) -> ReaderExample:
        pixels = noise(2, 3, 40, 50)
        tifffile.imwrite(
            folder / "a.ome.tif",
            pixels,
            metadata={
                "axes": "CZYX",
                "PhysicalSizeX": 200,
                "PhysicalSizeXUnit": "nm",
                "PhysicalSizeY": 0.2,
                "PhysicalSizeYUnit": "µm",
                "PhysicalSizeZ": 0.001,
                "PhysicalSizeZUnit": "mm",
                "Channel": {"Name": ["DAPI", "GFP"]},
            },
        )
        return ReaderExample(folder / "a.ome.tif", pixels, "CZYX", ("DAPI", "GFP"), PixelSize(0.2, 0.2, 1.0))


class TestPng(ReaderContract):
    reader = "raster"

    def write(self, folder: Path) -> ReaderExample:
        pixels = noise(40, 50, 3, dtype="uint8", top=256)
        Pillow.fromarray(pixels).save(folder / "a.png")
        return ReaderExample(folder / "a.png", pixels.transpose(2, 0, 1), "CYX", ("red", "green", "blue"))


class TestBmp(ReaderContract):
    reader = "raster"

    def write(self, folder: Path) -> ReaderExample:
        pixels = noise(40, 52, dtype="uint8", top=256)
        Pillow.fromarray(pixels).save(folder / "a.bmp")
        return ReaderExample(folder / "a.bmp", pixels, "YX")


class TestJpeg(ReaderContract):
    reader = "raster"
    exact = False

    def write(self, folder: Path) -> ReaderExample:
        pixels = np.add.outer(np.arange(64), np.arange(80)).astype("uint8")
        Pillow.fromarray(pixels).save(folder / "a.jpg", quality=95)
        return ReaderExample(folder / "a.jpg", pixels, "YX")


class TestWebp(ReaderContract):
    reader = "raster"

    def write(self, folder: Path) -> ReaderExample:
        pixels = noise(40, 50, 3, dtype="uint8", top=256)
        Pillow.fromarray(pixels).save(folder / "a.webp", lossless=True)
        return ReaderExample(folder / "a.webp", pixels.transpose(2, 0, 1), "CYX")


class TestNpy(ReaderContract):
    reader = "npy"
    axes_option = "ZYX"

    def write(self, folder: Path) -> ReaderExample:
        pixels = noise(3, 40, 50, dtype=">u2")
        np.save(folder / "a.npy", pixels)
        return ReaderExample(folder / "a.npy", pixels, "ZYX")


def write_ome_zarr(path: Path, pixels: np.ndarray, *, version: str, chunks: tuple[int, ...]) -> None:
    zarr_format = 2 if version == "0.4" else 3
    group = zarr.open_group(path, mode="w", zarr_format=zarr_format)
    for level in range(2):
        part = pixels[..., :: 2**level, :: 2**level]
        array = group.create_array(str(level), shape=part.shape, chunks=chunks, dtype=part.dtype)
        array[...] = part
    axes = [
        {"name": "c", "type": "channel"},
        {"name": "z", "type": "space", "unit": "micrometer"},
        {"name": "y", "type": "space", "unit": "nanometer"},
        {"name": "x", "type": "space", "unit": "micrometer"},
    ]
    datasets = [
        {
            "path": str(level),
            "coordinateTransformations": [{"type": "scale", "scale": [1, 2.0, 325 * 2**level, 0.325 * 2**level]}],
        }
        for level in range(2)
    ]
    ome = {
        "multiscales": [{"axes": axes, "datasets": datasets, "name": "n", "version": version}],
        "omero": {"channels": [{"label": "DNA", "color": "0000FF"}, {"label": "actin", "color": "00FF00"}]},
    }
    group.attrs.update(ome if version == "0.4" else {"ome": {**ome, "version": version}})


class TestOmeZarr04(ReaderContract):
    reader = "omezarr"
    version = "0.4"

    def write(self, folder: Path) -> ReaderExample:
        pixels = noise(2, 3, 40, 50) + np.uint16(1)
        write_ome_zarr(folder / "a.ome.zarr", pixels, version=self.version, chunks=(1, 1, 16, 16))
        return ReaderExample(folder / "a.ome.zarr", pixels, "CZYX", ("DNA", "actin"), PixelSize(0.325, 0.325, 2.0))


class TestOmeZarr05(TestOmeZarr04):
    version = "0.5"
