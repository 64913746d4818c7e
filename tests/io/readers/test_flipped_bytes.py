"""Files of every format with flipped bytes or cut ends: read, or refused by an error of ours; never anything else."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from cellmetry.errors import CellmetryError
from cellmetry.io.opening import open_image

if TYPE_CHECKING:
    from pathlib import Path

N_VARIANTS = 40
RGB = np.random.default_rng(0).integers(0, 256, (64, 80, 3)).astype("uint8")
STACK = np.random.default_rng(0).integers(0, 4096, (3, 64, 80)).astype("uint16")
GREY = {"photometric": "minisblack"}
TIFFS = {
    "tiled": {"tile": (16, 16), "compression": "zlib", "metadata": {"axes": "ZYX"}, **GREY},
    "ome": {"ome": True, "metadata": {"axes": "CYX"}, **GREY},
    "imagej": {"imagej": True, "metadata": {"axes": "ZYX"}},
}


def written(folder: Path, kind: str) -> Path:
    """Return a sound file of a kind."""
    path = folder / kind
    if kind in TIFFS:
        tifffile.imwrite(path, STACK, **TIFFS[kind])
    elif kind == "jpeg.tif":
        tifffile.imwrite(path, RGB, photometric="rgb", compression="jpeg")
    elif kind == "a.npy":
        np.save(path, STACK[0])
    else:
        Pillow.fromarray(RGB).save(path)
    return path


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """Return the data with a few bytes changed, most near the beginning, and sometimes cut."""
    out = bytearray(data)
    for _ in range(chance.choice([1, 2, 5, 20])):
        place = chance.randrange(min(len(out), 3000)) if chance.random() < 0.6 else chance.randrange(len(out))
        out[place] = chance.choice([0, 255, chance.randrange(256), out[place] ^ (1 << chance.randrange(8))])
    return bytes(out[: chance.randrange(len(out))] if chance.random() < 0.2 else out)


def try_variants(path: Path, n_variants: int) -> int:
    """Return how many spoilt variants of a file were refused; the others were read."""
    chance, data, said = random.Random(1), path.read_bytes(), []
    spoilt_path = path.with_name(f"spoilt_{path.name}")
    for _ in range(n_variants):
        spoilt_path.write_bytes(spoilt(data, chance))
        try:
            image = open_image(spoilt_path)
            image.plane()
        except CellmetryError as error:
            said.append(str(error))
    assert all(spoilt_path.name in sentence and "\n" not in sentence for sentence in said)
    return len(said)


@pytest.mark.parametrize("kind", [*TIFFS, "jpeg.tif", "a.npy", "a.png", "a.jpg", "a.bmp", "a.webp"])
def test_spoilt_files(tmp_path: Path, kind: str) -> None:
    assert try_variants(written(tmp_path, kind), N_VARIANTS) > 0


@pytest.mark.parametrize(
    "name", ["nd2/cluster.nd2", "czi/tiles_z.czi", "lif/testdata_2channel_xz.lif", "neubias/xyz_16bit__spots.tif"]
)
def test_spoilt_real_files(shared: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name.rpartition("/")[2]
    path.write_bytes((shared / "data" / "formats" / name).read_bytes())
    try_variants(path, N_VARIANTS)
