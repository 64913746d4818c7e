"""Choosing channels of an image and giving them roles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellmetry.core.image import AXES, Channel
from cellmetry.errors import AxesError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cellmetry.core.image import Box, Image, PixelSource

__all__ = ["ChannelOf", "grey_channel", "merge_channels", "rename_channels", "select_channels", "split_channels"]

_GREY = (0.2989 / 0.9999, 0.5870 / 0.9999, 0.1140 / 0.9999)
"""Shares of red, green and blue in brightness (ITU-R BT.601); of sum 1, so that a grey picture keeps its values."""


@dataclass(frozen=True)
class _Chosen:
    """Some channels of another source, in a given order; nothing is copied."""

    source: PixelSource
    chosen: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.source.dtype

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        t, _, z, y, x = self.source.shape
        return t, len(self.chosen), z, y, x

    @property
    def level_shapes(self) -> tuple[tuple[int, int], ...]:
        return self.source.level_shapes

    def read(self, t: int, c: int, z: int, box: Box, level: int = 0) -> NDArray[Any]:
        return self.source.read(t, self.chosen[c], z, box, level)


def rename_channels(image: Image, roles: Mapping[str | int, str]) -> Image:
    """Return `image` with channels renamed: ``{0: "DNA", "channel1": "actin"}``; others keep their names.

    Raises
    ------
    UnknownName
        If a channel does not exist.
    ParameterError
        If two channels would have the same name.
    """
    named = {image.channel_index(channel): role for channel, role in roles.items()}
    channels = tuple(
        channel._replace(name=named.get(index, channel.name)) for index, channel in enumerate(image.channels)
    )
    names = [channel.name for channel in channels]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ParameterError(f"Two channels of {image.name} would be named {twice!r}; give each its own name.")
    return replace(image, channels=channels)


def select_channels(image: Image, channels: Sequence[str | int]) -> Image:
    """Return `image` with only the given channels, in that order; a colour picture becomes separate channels.

    Raises
    ------
    UnknownName
        If a channel does not exist.
    ParameterError
        If none or one twice is given.
    """
    chosen = tuple(image.channel_index(channel) for channel in channels)
    if not chosen or len(set(chosen)) != len(chosen):
        raise ParameterError(f"Give one or more different channels of {image.name}, not {list(channels)}.")
    return replace(
        image,
        source=_Chosen(image.source, chosen),
        channels=tuple(image.channels[index] for index in chosen),
        colour=False,
    )


def split_channels(image: Image) -> tuple[Image, ...]:
    """Return one image for each channel, named after both: ``scan_DNA``."""
    return tuple(
        replace(select_channels(image, [index]), name=f"{image.name}_{channel.name}")
        for index, channel in enumerate(image.channels)
    )


class ChannelOf(NamedTuple):
    """A channel of an image, by its place there, under a new name."""

    name: str
    image: Image
    place: int


@dataclass(frozen=True)
class _Merged:
    """Channels of several sources of one size."""

    parts: tuple[tuple[PixelSource, int], ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.result_type(*(source.dtype for source, _ in self.parts))

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        t, _, z, y, x = self.parts[0][0].shape
        return t, len(self.parts), z, y, x

    @property
    def level_shapes(self) -> tuple[tuple[int, int], ...]:
        levels = {source.level_shapes for source, _ in self.parts}
        return levels.pop() if len(levels) == 1 else (self.shape[3:],)

    def read(self, t: int, c: int, z: int, box: Box, level: int = 0) -> NDArray[Any]:
        source, index = self.parts[c]
        return source.read(t, index, z, box, level).astype(self.dtype, copy=False)


def merge_channels(channels: Sequence[ChannelOf], name: str) -> Image:
    """Return one image of several channels, from one or several images of one size; nothing is copied.

    Pixel size, bit depth and all else come from the first image; a different pixel size of another is a warning.

    Raises
    ------
    AxesError
        If the images differ in T, Z, height or width.
    """
    first = channels[0].image
    for channel in channels[1:]:
        sizes, other = ({axis: image.sizes[axis] for axis in "TZYX"} for image in (first, channel.image))
        if sizes != other:
            raise AxesError(
                f"The {channel.name} {channel.image.path or channel.image.name} has the sizes {_words(other)}, the "
                f"{channels[0].name} {first.path or first.name} {_words(sizes)}; they must show one field at one size."
            )
    images = [channel.image for channel in channels]
    apart = len({image.pixel_size for image in images if image.pixel_size.known}) > 1
    note = (f"The files of {name} state different pixel sizes; that of the {channels[0].name} is used.",) * apart
    pixel_size = next((image.pixel_size for image in images if image.pixel_size.known), first.pixel_size)
    present = {axis for image in images for axis in image.axes} | ({"C"} if len(channels) > 1 else set())
    source = _Merged(tuple((channel.image.source, channel.place) for channel in channels))
    return replace(
        first,
        source=source,
        axes="".join(axis for axis in AXES if axis in present and (axis != "C" or len(channels) > 1)),
        channels=tuple(_named(each) for each in channels),
        pixel_size=pixel_size,
        bit_depth=max(image.bit_depth for image in images),
        colour=False,
        name=name,
        warnings=tuple(dict.fromkeys([*(text for image in images for text in image.warnings), *note])),
    )


def _named(channel: ChannelOf) -> Channel:
    """Return the channel under its new name, with the bits of its own detector."""
    own = channel.image.channels[channel.place]
    return own._replace(name=channel.name, bit_depth=channel.image.stated_bits(channel.place))


def _words(sizes: Mapping[str, int]) -> str:
    return " × ".join(f"{axis} {size}" for axis, size in sizes.items() if size > 1 or axis in "YX")


@dataclass(frozen=True)
class _Grey:
    """The brightness of a colour picture, float32."""

    source: PixelSource

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        t, _, z, y, x = self.source.shape
        return t, 1, z, y, x

    @property
    def level_shapes(self) -> tuple[tuple[int, int], ...]:
        return self.source.level_shapes

    def read(self, t: int, c: int, z: int, box: Box, level: int = 0) -> NDArray[Any]:
        total = sum(share * self.source.read(t, k, z, box, level).astype(np.float64) for k, share in enumerate(_GREY))
        return np.asarray(total, np.float32)


def grey_channel(image: Image) -> Image:
    """Return the brightness of a colour picture as an image of one channel, in the picture's own units."""
    return replace(
        image,
        source=_Grey(image.source),
        axes=image.axes.replace("C", ""),
        channels=(Channel("gray"),),
        colour=False,
    )
