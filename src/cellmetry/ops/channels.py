"""Choosing channels of an image and giving them roles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cellmetry.core.image import Box, Image, PixelSource

__all__ = ["rename_channels", "select_channels", "split_channels"]


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
