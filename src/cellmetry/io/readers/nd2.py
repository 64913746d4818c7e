"""Nikon ND2, by the nd2 library; every position is a scene."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import nd2
import numpy as np

from cellmetry.core.image import Channel, PixelSize
from cellmetry.io.failures import reading
from cellmetry.io.reader import StoredScene
from cellmetry.io.readers.frame_cache import LastFrame
from cellmetry.io.readers.nd2_settings import nd2_settings
from cellmetry.io.signatures import SIGNATURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.io.reader import Index
    from cellmetry.io.signatures import Probe

__all__ = ["Nd2Reader"]

_LOOPS = "TPZ"
_JULIAN_UNIX_EPOCH = 2440587.5


class Nd2Reader:
    """ND2 files of NIS-Elements."""

    title: ClassVar[str] = "a Nikon ND2 file"

    @staticmethod
    def sniff(probe: Probe) -> bool:
        """Return whether the file begins as ND2 files do, new or old."""
        return SIGNATURES["nd2"](probe)

    @staticmethod
    def scenes(path: str) -> list[StoredScene]:
        """Return one scene per stage position."""
        with nd2.ND2File(path) as file:
            return [_scene(path, file, position) for position in range(file.sizes.get("P", 1))]


def _scene(path: str, file: nd2.ND2File, position: int) -> StoredScene:
    sizes = dict(file.sizes)
    loops = [axis for axis in sizes if axis not in {"P", "C", "Y", "X", "S"}]
    letters = "".join(axis if axis in _LOOPS else "Q" for axis in loops)
    frame_axes = "".join(axis for axis in "CYXS" if axis in sizes)
    shape = tuple(sizes[axis] for axis in [*loops, *frame_axes])
    frames = _frame_numbers(file, loops, tuple(sizes[axis] for axis in loops), position)
    store = _Nd2Store(path, frames, shape, file.dtype, frame_axes)
    voxel = file.voxel_size()
    return StoredScene(
        store,
        letters + frame_axes,
        name=_position_name(file, position),
        channels=_channels(file),
        pixel_size=PixelSize(voxel.x, voxel.y, voxel.z if "Z" in sizes else None) if _calibrated(file) else PixelSize(),
        bit_depth=file.attributes.bitsPerComponentSignificant,
        acquired=_acquired(file),
        metadata=_metadata(file),
    )


def _frame_numbers(file: nd2.ND2File, loops: list[str], sizes: tuple[int, ...], position: int) -> NDArray[np.int64]:
    """Return the number of the frame at each place of the loops, for one position; −1 where it is absent."""
    numbers = np.full(sizes or (1,), -1, np.int64)
    for number, at in enumerate(file.loop_indices or ({},)):
        if at.get("P", 0) == position:
            numbers[tuple(at.get(axis, 0) for axis in loops) or (0,)] = number
    return numbers


class _Nd2Store:
    """An `ArrayStore` that opens the file for each frame."""

    def __init__(
        self, path: str, frames: NDArray[np.int64], shape: tuple[int, ...], dtype: np.dtype[Any], frame_axes: str
    ) -> None:
        self.path, self.frames, self.shape, self.dtype, self.frame_axes = path, frames, shape, dtype, frame_axes
        self.level_sizes = ((shape[-2], shape[-1]) if frame_axes[-1] == "X" else (shape[-3], shape[-2]),)
        self.last = LastFrame()

    def read(self, index: Index, level: int = 0) -> NDArray[Any]:
        """Return a region of one frame."""
        n_lead = len(index) - len(self.frame_axes)
        number = int(self.frames[index[:n_lead] or (0,)])
        with reading(self.path, f"frame {number}"):
            frame = self.last.get(number, lambda: self._frame(number))
        return frame[index[n_lead:]]

    def _frame(self, number: int) -> NDArray[Any]:
        if number < 0:
            raise IndexError("the file lacks this frame")
        with nd2.ND2File(self.path) as file:
            return np.array(file.read_frame(number)).reshape(self.shape[-len(self.frame_axes) :])


def _calibrated(file: nd2.ND2File) -> bool:
    channels = getattr(file.metadata, "channels", None)
    return bool(channels and channels[0].volume.axesCalibrated[0])


def _channels(file: nd2.ND2File) -> tuple[Channel, ...]:
    found = getattr(file.metadata, "channels", None) or []
    return tuple(Channel(part.channel.name, _colour(part.channel.color)) for part in found)


def _colour(colour: Any) -> str:
    return f"#{colour.r:02x}{colour.g:02x}{colour.b:02x}"


def _position_name(file: nd2.ND2File, position: int) -> str:
    loops = [loop for loop in file.experiment if loop.type == "XYPosLoop"]
    points = loops[0].parameters.points if loops else []
    return str(getattr(points[position], "name", None) or f"position {position}") if position < len(points) else ""


def _acquired(file: nd2.ND2File) -> datetime | None:
    """Return when the first frame was taken, in UTC."""
    channels = getattr(file.frame_metadata(0), "channels", None)
    if not channels:
        return None
    days = channels[0].time.absoluteJulianDayNumber - _JULIAN_UNIX_EPOCH
    return datetime.fromtimestamp(0, UTC) + timedelta(days=days) if days > 0 else None


def _metadata(file: nd2.ND2File) -> dict[str, Any]:
    channels = getattr(file.metadata, "channels", None)
    if not channels:
        return {}
    scope = channels[0].microscope
    found = {
        "objective": scope.objectiveName,
        "magnification": scope.objectiveMagnification,
        "numerical_aperture": scope.objectiveNumericalAperture,
        "emission_nm": [part.channel.emissionLambdaNm for part in channels],
    }
    found.update(nd2_settings(str((file.text_info or {}).get("description", ""))))
    return {key: value for key, value in found.items() if value not in (None, [])}
