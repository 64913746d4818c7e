"""Makes an `Image` of what a reader says about a scene: axes, colour, channels, pixel size, warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from cellmetry.core.image import AXES, Channel, Image
from cellmetry.errors import DamagedFile, LimitExceeded, UnsupportedFormat
from cellmetry.io.axes import resolve_axes
from cellmetry.io.failures import file_name
from cellmetry.io.planes import StoredPlanes
from cellmetry.io.units import checked_pixel_size
from cellmetry.settings import current_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.io.reader import StoredScene

__all__ = ["Rgb", "assemble"]

Rgb = Literal["colour", "channels"]
"""What red, green and blue samples become: one colour picture, or three independent channels."""

_RGB = (Channel("red", "#ff0000"), Channel("green", "#00ff00"), Channel("blue", "#0000ff"))


def assemble(scene: StoredScene, path: str, *, axes: str | None = None, rgb: Rgb = "colour") -> Image:
    """Return a lazy `Image` over one scene of a file.

    Raises
    ------
    AxesError
        If the axes are ambiguous, or given ones do not fit.
    UnsupportedFormat
        If values are of a type that is no intensity (complex, text, objects).
    DamagedFile
        If the image has no pixels.
    """
    name = file_name(path)
    _check_store(scene, name)
    letters = resolve_axes(scene.axes, scene.store.shape, axes, name)
    sizes = dict(zip(letters, scene.store.shape, strict=True))
    n_samples, notes = _samples(scene, sizes.get("S", 1), name)
    source = StoredPlanes(scene.store, letters, n_samples, name)
    size, size_notes = checked_pixel_size(scene.pixel_size, name)
    is_rgb = n_samples == 3 and scene.samples == "rgb"
    present = {axis for axis in letters if axis in AXES} | ({"C"} if n_samples > 1 else set())
    return Image(
        source=source,
        axes="".join(axis for axis in AXES if axis in present),
        channels=_channels(scene.channels, source.shape[1], rgb=is_rgb),
        pixel_size=size,
        bit_depth=scene.bit_depth or _bits(scene),
        colour=is_rgb and rgb == "colour" and sizes.get("C", 1) == 1,
        acquired=scene.acquired,
        path=path,
        warnings=(*scene.warnings, *notes, *size_notes, *_precision(scene, name)),
        metadata=scene.metadata,
    )


def _check_store(scene: StoredScene, name: str) -> None:
    shape, dtype = scene.store.shape, scene.store.dtype
    if 0 in shape or len(shape) < 2:
        raise DamagedFile(f"{name} holds no pixels: its shape is {' × '.join(map(str, shape)) or 'empty'}.")
    if dtype.kind not in "buif":
        kind = "complex numbers" if dtype.kind == "c" else f"values of type {dtype}"
        raise UnsupportedFormat(f"{name} holds {kind}, not intensities; save it as integers or floats first.")
    limit = current_settings().max_file_levels
    if len(scene.store.level_sizes) > limit:
        raise LimitExceeded(
            f"{name} has {len(scene.store.level_sizes)} resolution levels, above the limit of {limit} "
            f"(CELLMETRY_MAX_FILE_LEVELS)."
        )


def _samples(scene: StoredScene, n_stored: int, name: str) -> tuple[int, tuple[str, ...]]:
    """Return how many samples become channels, and a warning where alpha is left out."""
    if scene.samples == "channels" or n_stored not in {2, 4}:
        return n_stored, ()
    return n_stored - 1, (f"{name} has an alpha (transparency) channel, which is left out.",)


def _channels(named: Sequence[Channel], n_channels: int, *, rgb: bool) -> tuple[Channel, ...]:
    """Return one channel per index: the file's names made unique, and numbered where it has none."""
    if rgb:
        if n_channels == 3:
            return _RGB
        bases = [channel.name for channel in named] or [f"channel{index}" for index in range(n_channels // 3)]
        return _unique([Channel(f"{base} {part.name}", part.colour) for base in bases for part in _RGB][:n_channels])
    if len(named) != n_channels:
        named = [*named[:n_channels], *(Channel(f"channel{index}") for index in range(len(named), n_channels))]
    return _unique([c._replace(name=c.name.strip() or f"channel{index}") for index, c in enumerate(named)])


def _unique(channels: list[Channel]) -> tuple[Channel, ...]:
    """Return the channels with ``(2)``, ``(3)``, … behind names that stand more than once."""
    seen: set[str] = set()
    out: list[Channel] = []
    for channel in channels:
        name, count = channel.name, 2
        while name.lower() in seen:
            name, count = f"{channel.name} ({count})", count + 1
        seen.add(name.lower())
        out.append(channel._replace(name=name))
    return tuple(out)


def _bits(scene: StoredScene) -> int:
    return 1 if scene.store.dtype.kind == "b" else scene.store.dtype.itemsize * 8


def _precision(scene: StoredScene, name: str) -> tuple[str, ...]:
    dtype = scene.store.dtype
    if dtype.kind in "ui" and dtype.itemsize == 8:
        return (f"{name} holds 64-bit integers; values beyond 2^53 are measured with rounding.",)
    return ()
