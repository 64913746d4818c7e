"""`ReaderContract`: what every image reader must do, as tests to inherit."""

# ruff: noqa: S101 - the methods are tests

from __future__ import annotations

import gc
import os
import pickle
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cellmetry.core.image import UNKNOWN_PIXEL_SIZE, Box, Image, PixelSize
from cellmetry.errors import CellmetryError, ParameterError
from cellmetry.io.opening import list_scenes, open_image
from cellmetry.io.reader import READERS, Reader
from cellmetry.io.signatures import probe

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ReaderContract", "ReaderExample"]

_DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True)
class ReaderExample:
    """A file that the contract writes, and what must be read from it.

    Parameters
    ----------
    path
        The file or folder.
    pixels
        All pixels of its first scene, one array axis per letter of `axes`.
    axes, channel_names, pixel_size
        As the image must have them; names are not compared if None.
    """

    path: Path
    pixels: NDArray[Any]
    axes: str
    channel_names: tuple[str, ...] | None = None
    pixel_size: PixelSize = UNKNOWN_PIXEL_SIZE


class ReaderContract(ABC):
    """Inherit in a test class ``TestX``, set `reader`, and implement `write`.

    Where the format needs it, set `axes_option` to what a user would have to say.
    """

    reader: str
    axes_option: str | None = None
    exact = True
    """Whether pixels come back as written; False for lossy formats, where the mean must agree within 2 %."""

    @abstractmethod
    def write(self, folder: Path) -> ReaderExample:
        """Return an example with at least 32 × 48 pixels, written into `folder`."""

    def _open(self, example: ReaderExample) -> Image:
        return open_image(example.path, axes=self.axes_option)

    def test_reader_is_of_the_protocol(self) -> None:
        """The registered class has what the protocol asks for."""
        assert isinstance(READERS.load(self.reader), Reader)

    def test_content_decides(self, tmp_path: Path) -> None:
        """The reader knows its content, and no other built-in reader takes it."""
        found = probe(str(self.write(tmp_path).path))
        assert READERS.load(self.reader).sniff(found)
        others = set(READERS.builtin) - {self.reader, "bioio"}
        assert not [name for name in others if READERS.load(name).sniff(found)]

    def test_describes_what_was_written(self, tmp_path: Path) -> None:
        """Axes, shape, type, channels and pixel size are right."""
        example = self.write(tmp_path)
        image = self._open(example)
        assert image.axes == example.axes
        assert image.shape == example.pixels.shape
        assert image.dtype == example.pixels.dtype.newbyteorder("=")
        np.testing.assert_allclose(
            [np.nan if side is None else side for side in image.pixel_size],
            [np.nan if side is None else side for side in example.pixel_size],
            rtol=1e-5,
        )
        if example.channel_names is not None:
            assert image.channel_names == example.channel_names

    def test_reads_what_was_written(self, tmp_path: Path) -> None:
        """All pixels come back."""
        example = self.write(tmp_path)
        self._compare(self._open(example).read(), example.pixels)

    def _compare(self, got: NDArray[Any], wanted: NDArray[Any]) -> None:
        if self.exact:
            np.testing.assert_array_equal(got, wanted)
        else:
            assert abs(float(got.mean()) - float(wanted.mean())) <= 0.02 * max(float(wanted.mean()), 1.0)

    def test_region_is_part_of_the_plane(self, tmp_path: Path) -> None:
        """A region read alone equals the same part of the whole plane."""
        image = self._open(self.write(tmp_path))
        t, c, z = (image.sizes[axis] - 1 for axis in "TCZ")
        whole = image.plane(t=t, c=c, z=z)
        for box in (Box(3, 29, 5, 40), Box(0, 1, 0, 1), Box(31, 32, 0, image.sizes["X"]), Box(4, 4, 2, 9)):
            np.testing.assert_array_equal(image.plane(t=t, c=c, z=z, box=box), whole[box.slices])

    def test_outside_is_refused(self, tmp_path: Path) -> None:
        """A region or plane outside the image is an error, not zeros."""
        image = self._open(self.write(tmp_path))
        with pytest.raises(ParameterError):
            image.plane(box=Box(0, image.sizes["Y"] + 1, 0, 5))
        with pytest.raises(ParameterError):
            image.plane(t=image.sizes["T"])
        with pytest.raises(ParameterError):
            image.source.read(0, 0, 0, Box(0, 1, 0, 1), level=len(image.source.level_shapes))

    def test_survives_pickling(self, tmp_path: Path) -> None:
        """A worker process gets the same pixels from a small message."""
        example = self.write(tmp_path)
        image = self._open(example)
        image.plane()
        message = pickle.dumps(image)
        assert len(message) < 20_000
        np.testing.assert_array_equal(pickle.loads(message).read(), image.read())  # noqa: S301 - our own bytes

    def test_leaves_no_file_open(self, tmp_path: Path) -> None:
        """Neither an open image nor reading from it holds a file."""
        example = self.write(tmp_path)
        self._open(example).read()
        gc.collect()
        before = _open_files(tmp_path)
        image = self._open(example)
        image.plane()
        gc.collect()
        assert _open_files(tmp_path) == before == []

    def test_first_scene_by_address(self, tmp_path: Path) -> None:
        """`list_scenes` and ``file#0`` agree with `open_image`."""
        example = self.write(tmp_path)
        scenes = list_scenes(example.path, axes=self.axes_option)
        named = open_image(f"{example.path}#0", axes=self.axes_option)
        assert named.shape == scenes[0].shape == example.pixels.shape
        assert named.scene == 0

    def test_cut_file_is_refused_in_words(self, tmp_path: Path) -> None:
        """A file cut to its first third is refused by an error of ours that names it, at opening or reading."""
        example = self.write(tmp_path)
        if example.path.is_dir():
            return
        cut = tmp_path / f"cut{example.path.suffix}"
        data = example.path.read_bytes()
        cut.write_bytes(data[: len(data) // 3])
        with pytest.raises(CellmetryError, match=re.escape(cut.name)) as caught:
            open_image(cut, axes=self.axes_option).read()
        assert caught.value.exit_code == 2


def _open_files(folder: Path) -> list[str]:
    """Return the files under `folder` that this process holds open, where the system tells."""
    if not _DESCRIPTORS.is_dir():
        return []
    held = []
    for entry in _DESCRIPTORS.iterdir():
        try:
            held.append(os.readlink(entry))
        except FileNotFoundError:
            continue
    return [name for name in held if name.startswith(str(folder))]
