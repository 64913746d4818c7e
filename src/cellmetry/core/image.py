"""`Image`: pixels with named axes, channel names and pixel size; lazy, never mutated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from cellmetry.errors import AxesError, InputError, ParameterError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

__all__ = [
    "AXES",
    "UNKNOWN_PIXEL_SIZE",
    "ArraySource",
    "Box",
    "Channel",
    "DerivedSource",
    "Image",
    "PartSource",
    "PixelSize",
    "PixelSource",
    "image_from_array",
]

AXES = "TCZYX"
"""All axes an image can have, in the order in which they always stand."""


class Box(NamedTuple):
    """A rectangle of pixels, half open: rows ``y0 <= y < y1`` and columns ``x0 <= x < x1``."""

    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.y1 - self.y0, self.x1 - self.x0

    @property
    def slices(self) -> tuple[slice, slice]:
        """The index of this rectangle in an array whose last axes are Y and X."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def within(self, outer: Box) -> Box:
        """Return this rectangle in the coordinates of one that contains it."""
        return Box(self.y0 - outer.y0, self.y1 - outer.y0, self.x0 - outer.x0, self.x1 - outer.x0)


class PixelSize(NamedTuple):
    """Pixel size in µm along each axis; None where the file does not say."""

    x: float | None = None
    y: float | None = None
    z: float | None = None

    @property
    def known(self) -> bool:
        """Whether lengths in the plane can be given in µm."""
        return self.x is not None and self.y is not None

    @property
    def area_um2(self) -> float | None:
        """Area of one pixel in µm²; None if unknown."""
        return None if self.x is None or self.y is None else self.x * self.y

    @property
    def mean_um(self) -> float | None:
        """Side in µm of the square pixel of equal area; None if unknown."""
        area = self.area_um2
        return None if area is None else float(np.sqrt(area))


UNKNOWN_PIXEL_SIZE = PixelSize()
"""What an image has whose file does not state its pixel size."""


class Channel(NamedTuple):
    """Name of a channel, the colour (``#rrggbb``) that its file gives it, and the bits of its detector, where stated.

    Bits stand here where the channels of an image come from several files or somebody said them; see
    `Image.stated_bits`.
    """

    name: str
    colour: str | None = None
    bit_depth: int | None = None


@runtime_checkable
class PixelSource(Protocol):
    """Where pixels come from. Readers implement this; nothing is decoded before `read`."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored values."""
        ...

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """Sizes along T, C, Z, Y and X; 1 where the image has no such axis."""
        ...

    @property
    def level_shapes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of each resolution level; the first is full resolution."""
        ...

    def read(self, t: int, c: int, z: int, box: Box, level: int = 0) -> NDArray[Any]:
        """Return the pixels of `box` of one plane, shape ``box.shape``, dtype `dtype`."""
        ...


class ArraySource:
    """Pixels that already lie in memory, as an array with the five axes T, C, Z, Y, X."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self.array.dtype

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """Sizes along T, C, Z, Y and X."""
        t, c, z, y, x = self.array.shape
        return t, c, z, y, x

    @property
    def level_shapes(self) -> tuple[tuple[int, int], ...]:
        """One level: full resolution."""
        return (self.shape[3:],)

    def read(self, t: int, c: int, z: int, box: Box, level: int = 0) -> NDArray[Any]:
        """Return the pixels of `box` of one plane."""
        if level != 0:
            raise ParameterError(f"An image in memory has no resolution level {level}.")
        return self.array[(t, c, z, *box.slices)]


class PartSource(ArraySource):
    """A part of a larger image in memory, with all of that at low resolution: contrast is that of the whole.

    Parameters
    ----------
    array
        Pixels of the part, with the five axes T, C, Z, Y, X.
    survey
        The whole image's planes at low resolution, of the same T, C and Z.
    """

    def __init__(self, array: NDArray[Any], survey: NDArray[Any]) -> None:
        super().__init__(array)
        self.survey = survey


class DerivedSource(ABC):
    """Pixels that are worked out from others when they are read; they have one resolution level."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int, int, int]:
        """Sizes along T, C, Z, Y and X."""

    @abstractmethod
    def derive(self, t: int, c: int, z: int, box: Box) -> NDArray[Any]:
        """Return the pixels of `box` of one plane."""

    @property
    def level_shapes(self) -> tuple[tuple[int, int], ...]:
        """One level: full resolution."""
        return (self.shape[3:],)

    def read(self, t: int, c: int, z: int, box: Box, level: int = 0) -> NDArray[Any]:
        """Return the pixels of `box` of one plane."""
        if level != 0:
            raise ParameterError(f"Pixels that are worked out when read have no resolution level {level}.")
        return self.derive(t, c, z, box)


@dataclass(frozen=True)
class Image:
    """Pixels with their meaning. Reading planes and regions is lazy; nothing here ever changes.

    Parameters
    ----------
    source
        Where pixels come from.
    axes
        The axes that the image has, a subset of ``TCZYX`` in that order, always with Y and X.
    channels
        One entry per channel, also where there is only one.
    pixel_size
        In µm.
    bit_depth
        Significant bits of the detector (12 for 12-bit data in 16-bit files) where the file says, else
        those of the dtype.
    colour
        Whether the three channels are one colour picture (stained tissue, say) rather than three signals.
    acquired
        When it was taken, where the file says.
    name
        How outputs are named: the file's stem, with ``_s3`` for its scene 3.
    path, scene
        The file, and the scene in it; None for an image made in memory.
    warnings
        Plain sentences about what is doubtful in the file.
    metadata
        What else the file says (objective, exposure, …) as plain values.
    """

    source: PixelSource
    axes: str
    channels: tuple[Channel, ...]
    pixel_size: PixelSize = UNKNOWN_PIXEL_SIZE
    bit_depth: int = 16
    colour: bool = False
    acquired: datetime | None = None
    name: str = "image"
    path: str | None = None
    scene: int | None = None
    warnings: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sizes = dict(zip(AXES, self.source.shape, strict=True))
        in_order = [axis for axis in AXES if axis in self.axes]
        if list(self.axes) != in_order or "Y" not in self.axes or "X" not in self.axes:
            raise AxesError(f"Axes {self.axes!r} must be a subset of TCZYX in this order, with Y and X.")
        extra = [axis for axis, size in sizes.items() if size != 1 and axis not in self.axes]
        if extra:
            raise AxesError(f"Axes {self.axes!r} leave out {extra}, along which the pixels extend.")
        if len(self.channels) != sizes["C"]:
            raise AxesError(f"{len(self.channels)} channel names for {sizes['C']} channels.")

    @property
    def sizes(self) -> dict[str, int]:
        """Size along each of the five axes, 1 where the image has no such axis."""
        return dict(zip(AXES, self.source.shape, strict=True))

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each of `axes`."""
        return tuple(self.sizes[axis] for axis in self.axes)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored values."""
        return self.source.dtype

    @property
    def plane_box(self) -> Box:
        """The whole plane as a rectangle."""
        return Box(0, self.sizes["Y"], 0, self.sizes["X"])

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels in order."""
        return tuple(channel.name for channel in self.channels)

    def stated_bits(self, channel: int) -> int | None:
        """Return the bits of a channel's detector as far as they are known: stated, or those of 8-bit values.

        16-bit values say nothing by themselves, since cameras of 12 bits are stored so.
        """
        stored = 8 * self.dtype.itemsize
        own = self.channels[channel].bit_depth
        if own is not None:
            return own
        return self.bit_depth if self.dtype.kind in "iu" and (self.bit_depth < stored or stored == 8) else None

    def with_detector_bits(self, bits: int, channel: int | None = None) -> Image:
        """Return the same image with the bits of the detector stated for one channel, or for all."""
        chosen = range(len(self.channels)) if channel is None else (channel,)
        own = [each._replace(bit_depth=bits) if c in chosen else each for c, each in enumerate(self.channels)]
        return replace(self, channels=tuple(own))

    def channel_index(self, channel: str | int) -> int:
        """Return the index of a channel given by name (case ignored) or index.

        Raises
        ------
        UnknownName
            If there is no such channel.
        """
        text = str(channel)
        names = self.channel_names
        if text in names:
            return names.index(text)
        folded = [name.lower() for name in names]
        if text.lower() in folded:
            return folded.index(text.lower())
        if text.isdecimal() and int(text) < len(names):
            return int(text)
        raise UnknownName(f"channel in {self.name}", text, [f"{i} ({name})" for i, name in enumerate(names)])

    def plane(self, *, t: int = 0, c: int = 0, z: int = 0, box: Box | None = None) -> NDArray[Any]:
        """Return one plane, or the part of it in `box`, shape (Y, X), in the stored dtype."""
        return self.source.read(t, c, z, self.plane_box if box is None else box)

    def read(self) -> NDArray[Any]:
        """Return all pixels, with one array axis per letter of `axes`."""
        sizes = self.sizes
        out = np.empty(self.source.shape, self.dtype)
        for t in range(sizes["T"]):
            for c in range(sizes["C"]):
                for z in range(sizes["Z"]):
                    out[t, c, z] = self.plane(t=t, c=c, z=z)
        return out.reshape(self.shape)

    def with_pixel_size(self, um: float) -> Image:
        """Return the same image with a stated pixel size in the plane, in µm."""
        _check_pixel_size(um)
        return replace(self, pixel_size=PixelSize(um, um, self.pixel_size.z))


def _check_pixels(array: NDArray[Any], pixel_size_um: float | None, name: str) -> None:
    if array.dtype.kind not in "buif":
        raise InputError(f"{name} has values of type {array.dtype}; pixels are real numbers.")
    _check_pixel_size(pixel_size_um)


def _check_pixel_size(um: float | None) -> None:
    if um is not None and not 0 < um < np.inf:
        raise ParameterError(f"A pixel size is a length in µm above 0, not {um}.")


def image_from_array(
    array: NDArray[Any],
    axes: str | None = None,
    *,
    channel_names: Sequence[str] | None = None,
    pixel_size_um: float | None = None,
    name: str = "image",
    colour: bool = False,
) -> Image:
    """Return an `Image` over an array in memory.

    Parameters
    ----------
    array
        Pixels; any real dtype.
    axes
        One letter of T, C, Z, Y, X per array axis, in any order. May be left out for a 2-D array only.
    pixel_size_um
        Side of a pixel in µm; also taken for Z.

    Raises
    ------
    AxesError
        If the axes are missing for more than two dimensions or do not fit the array.
    InputError
        If values are complex, text or objects.
    ParameterError
        If the pixel size is not a length.
    """
    if axes is None:
        if array.ndim != 2:
            raise AxesError(
                f"An array of shape {array.shape} needs its axes named, for example axes='CYX' or axes='ZYX'."
            )
        axes = "YX"
    _check_pixels(array, pixel_size_um, name)
    if len(axes) != array.ndim or len(set(axes)) != len(axes) or set(axes) - set(AXES):
        raise AxesError(f"Axes {axes!r} do not fit an array of shape {array.shape}; use letters of TCZYX.")
    ordered = "".join(axis for axis in AXES if axis in axes)
    moved = np.transpose(array, [axes.index(axis) for axis in ordered])
    full = moved[tuple(slice(None) if axis in axes else None for axis in AXES)]
    n_channels = full.shape[1]
    names = channel_names or [f"channel{index}" for index in range(n_channels)]
    return Image(
        source=ArraySource(full),
        axes=ordered,
        channels=tuple(Channel(channel) for channel in names),
        pixel_size=PixelSize(pixel_size_um, pixel_size_um, pixel_size_um if "Z" in axes else None),
        bit_depth=array.dtype.itemsize * 8,
        colour=colour,
        name=name,
    )
