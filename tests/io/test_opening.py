"""`open_image` and `list_scenes`: addresses, names, options, and the words of their errors."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

import fsspec
import numpy as np
import pytest
import tifffile

from cellmetry.core.image import Image
from cellmetry.errors import CellmetryError, MissingInput, ParameterError, UnsupportedFormat
from cellmetry.io.opening import ImageAddress, list_scenes, open_image, split_address
from cellmetry.io.reader import READERS
from cellmetry.io.signatures import SIGNATURES, SUFFIXES

if TYPE_CHECKING:
    from pathlib import Path

PIXELS = np.arange(600, dtype="uint16").reshape(20, 30)


def test_address(tmp_path: Path) -> None:
    assert split_address("a.czi#3") == ImageAddress("a.czi", 3)
    assert split_address("a.czi") == ImageAddress("a.czi")
    assert split_address("a#b.czi") == ImageAddress("a#b.czi")
    real = tmp_path / "odd.tif#1"
    real.touch()
    assert split_address(real) == ImageAddress(str(real))


@pytest.mark.parametrize(
    ("file", "name"),
    [("a.tif", "a"), ("a.ome.tif", "a"), ("a.b.tif", "a.b"), ("ä ö 细胞.tif", "ä ö 细胞"), (".ome.tif", ".ome")],
)
def test_name_is_the_stem(tmp_path: Path, file: str, name: str) -> None:
    tifffile.imwrite(tmp_path / file, PIXELS, metadata=None)
    image = open_image(tmp_path / file)
    assert image.name == name
    assert image.path == str(tmp_path / file)
    assert image.scene == 0


def test_scene_that_is_not_there(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS)
    with pytest.raises(ParameterError, match=r"a\.tif has no scene 4; it has only scene 0"):
        open_image(tmp_path / "a.tif", scene=4)
    with pytest.raises(ParameterError, match="no scene 2"):
        list_scenes(f"{tmp_path / 'a.tif'}#2")


def test_rgb_option_is_checked(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS)
    with pytest.raises(ParameterError, match="colour"):
        open_image(tmp_path / "a.tif", rgb="grey")  # type: ignore[arg-type]


def test_missing_and_unknown(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="no file"):
        open_image(tmp_path / "a.tif")
    with pytest.raises(MissingInput):
        open_image("memory://nothing/here.zarr")
    (tmp_path / "a.xyz").write_bytes(b"something else entirely")
    with pytest.raises(UnsupportedFormat, match="known formats: TIFF, PNG"):
        open_image(tmp_path / "a.xyz")


def test_vendor_formats_are_local_only(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS)
    with fsspec.open("memory://pictures/a.tif", "wb") as file:
        file.write((tmp_path / "a.tif").read_bytes())
    with pytest.raises(UnsupportedFormat, match="only OME-Zarr is read from a URL"):
        open_image("memory://pictures/a.tif")


def test_file_that_disappears(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS)
    image = open_image(tmp_path / "a.tif")
    (tmp_path / "a.tif").unlink()
    with pytest.raises(CellmetryError, match=r"a\.tif"):
        image.plane()


def test_file_that_shrinks_is_refused_not_read_as_zero(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS)
    image = open_image(path)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(CellmetryError, match=r"a\.tif"):
        image.plane()


def test_worker_processes_read_too(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, compression="zlib", tile=(16, 16))
    image = open_image(tmp_path / "a.tif")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        np.testing.assert_array_equal(pool.submit(Image.read, image).result(), PIXELS)


def test_every_reader_has_signature_and_suffixes() -> None:
    assert set(SIGNATURES) == set(SUFFIXES) == set(READERS.builtin) - {"bioio"}


def test_opening_imports_only_what_the_format_needs(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS)
    code = (
        "import sys; from cellmetry.io.opening import open_image; open_image(sys.argv[1]).plane();"
        "bad = {'nd2', 'liffile', 'zarr', 'dask', 'PIL', 'pandas', 'torch'} & set(sys.modules); assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.tif")], check=True)
