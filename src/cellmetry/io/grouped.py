"""One image over several files, each with some of its channels, planes or time points."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from cellmetry.core.image import AXES, Channel
from cellmetry.errors import AxesError, MissingInput
from cellmetry.io.opening import open_image

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from cellmetry.core.image import Box, Image, PixelSource
    from cellmetry.io.patterns import FileGroup, Place

__all__ = ["open_group"]


class _Key(NamedTuple):
    """Indices among the values in file names; 0 along an axis that file names do not tell."""

    t: int
    c: int
    z: int


class _GroupSource:
    """Pixels that lie in several files; an axis is either told by the file names or lies within each file."""

    def __init__(self, sources: Mapping[_Key, PixelSource], by_name: str) -> None:
        self.sources = sources
        self.by_name = by_name
        first = next(iter(sources.values()))
        counts = [1 + max(key[place] for key in sources) for place in range(3)]
        t, c, z = (counts[place] if axis in by_name else first.shape[place] for place, axis in enumerate("TCZ"))
        self.shape = (t, c, z, *first.shape[3:])
        self.dtype: np.dtype[Any] = first.dtype
        levels = {source.level_shapes for source in sources.values()}
        self.level_shapes = levels.pop() if len(levels) == 1 else (first.shape[3:],)

    def read(self, t: int, c: int, z: int, box: Box, level: int = 0) -> NDArray[Any]:
        """Return the pixels of `box` of one plane."""
        wanted = _Key(t, c, z)
        named = [axis in self.by_name for axis in "TCZ"]
        outer = _Key(*(index if told else 0 for index, told in zip(wanted, named, strict=True)))
        inner = _Key(*(0 if told else index for index, told in zip(wanted, named, strict=True)))
        return self.sources[outer].read(inner.t, inner.c, inner.z, box, level)


def open_group(group: FileGroup, *, open_plane: Callable[[Path], Image] = open_image) -> Image:
    """Return the image that the files of `group` make up; only headers are read.

    Axes that the pattern names come from the file names; others may lie within each file (a Z stack for each
    channel, say).

    Raises
    ------
    MissingInput
        If a plane has no file.
    AxesError
        If files differ in size or type, or extend along an axis that their names tell as well.
    """
    if group.missing:
        raise MissingInput(group.shortage)
    told = (("T", group.times), ("C", group.channels), ("Z", group.depths))
    by_name = "".join(axis for axis, values in told if values != ("",))
    images = {_key(group, place): open_plane(path) for place, path in group.files.items()}
    first = images[_Key(0, 0, 0)]
    for image in images.values():
        _check(image, first, by_name)
    return replace(
        first,
        source=_GroupSource({key: image.source for key, image in images.items()}, by_name),
        axes="".join(axis for axis in AXES if axis in first.axes or axis in by_name),
        channels=_channels(group, images) or first.channels,
        bit_depth=max(image.bit_depth for image in images.values()),
        colour=first.colour and "C" not in by_name,
        name=group.relative.name,
        scene=None,
        warnings=_warnings(images.values()),
        metadata={**first.metadata, **group.parts, "files": [str(path) for path in group.files.values()]},
    )


def _channels(group: FileGroup, images: Mapping[_Key, Image]) -> tuple[Channel, ...]:
    """Return the channels that file names tell, each with the bits that its first file states."""
    firsts = {key.c: image for key, image in sorted(images.items(), reverse=True)}
    return tuple(Channel(name, None, firsts[c].stated_bits(0)) for c, name in enumerate(group.channel_names))


def _key(group: FileGroup, place: Place) -> _Key:
    return _Key(group.times.index(place.t), group.channels.index(place.channel), group.depths.index(place.z))


def _warnings(images: Collection[Image]) -> tuple[str, ...]:
    notes = dict.fromkeys(note for image in images for note in image.warnings)
    if len({image.pixel_size for image in images}) > 1:
        return (*notes, "The files of this image state different pixel sizes; that of the first is used.")
    return tuple(notes)


def _check(image: Image, first: Image, by_name: str) -> None:
    if image.source.shape != first.source.shape or image.dtype != first.dtype:
        raise AxesError(
            f"{image.path} ({image.source.shape}, {image.dtype}) and {first.path} ({first.source.shape}, "
            f"{first.dtype}) cannot be planes of one image: their sizes or types differ."
        )
    for axis in by_name:
        if image.sizes[axis] > 1:
            raise AxesError(
                f"{image.path} extends along {axis} ({image.sizes[axis]}), which the pattern takes from the file "
                f"name; leave that part out of the pattern, or read the files one by one."
            )
