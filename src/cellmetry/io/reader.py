"""`Reader`: what every image format implements, and `READERS`, where they are found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

from cellmetry.core.image import UNKNOWN_PIXEL_SIZE, Channel, PixelSize
from cellmetry.core.registry import Registry

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from cellmetry.io.signatures import Probe

__all__ = ["READERS", "ArrayStore", "Index", "Reader", "StoredScene"]

Index = tuple[int | slice, ...]
"""One integer or slice for each axis of an `ArrayStore`."""


@runtime_checkable
class ArrayStore(Protocol):
    """Pixels of one scene as the file lays them out. Must survive pickling and hold no open file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each axis of the file, full resolution."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values that `read` returns."""
        ...

    @property
    def level_sizes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of each resolution level, the first being full resolution."""
        ...

    def read(self, index: Index, level: int = 0) -> NDArray[Any]:
        """Return ``pixels[index]`` as a numpy array; slices stand at Y, X and, in colour files, the samples."""
        ...


@dataclass(frozen=True)
class StoredScene:
    """What a reader says of one scene from its headers alone.

    Parameters
    ----------
    store
        Where pixels come from.
    axes
        One letter per axis of `store`: T, C, Z, Y, X; S for colour samples; anything else, such as ``Q``,
        where the file does not say what the axis means.
    name
        The scene's own name in the file.
    channels
        One per index of C, where the file names them.
    pixel_size
        In µm.
    bit_depth
        Significant bits where the file says.
    samples
        Whether S is a colour (red, green, blue, perhaps alpha) or separate signals.
    acquired, metadata, warnings
        As in `cellmetry.core.image.Image`.
    """

    store: ArrayStore
    axes: str
    name: str = ""
    channels: tuple[Channel, ...] = ()
    pixel_size: PixelSize = UNKNOWN_PIXEL_SIZE
    bit_depth: int | None = None
    samples: Literal["rgb", "channels"] = "rgb"
    acquired: datetime | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@runtime_checkable
class Reader(Protocol):
    """One image format. A class with these members, registered under ``cellmetry.readers``, is a plug-in."""

    title: ClassVar[str]
    """The format in words, for messages and documentation."""

    @staticmethod
    def sniff(probe: Probe) -> bool:
        """Return whether the content, not the name, is of this format."""
        ...

    @staticmethod
    def scenes(path: str) -> list[StoredScene]:
        """Return all scenes of the file, reading headers only."""
        ...


READERS = Registry(
    kind="reader",
    builtin={
        "tiff": "cellmetry.io.readers.tiff:TiffReader",
        "raster": "cellmetry.io.readers.raster:RasterReader",
        "npy": "cellmetry.io.readers.npy:NpyReader",
        "omezarr": "cellmetry.io.readers.omezarr:OmeZarrReader",
        "nd2": "cellmetry.io.readers.nd2:Nd2Reader",
        "czi": "cellmetry.io.readers.czi:CziReader",
        "lif": "cellmetry.io.readers.lif:LifReader",
        "oif": "cellmetry.io.readers.oif:OifReader",
        "bioio": "cellmetry.io.readers.bioio:BioioReader",
    },
    group="cellmetry.readers",
)
"""All readers by name; those of other packages come from the entry-point group ``cellmetry.readers``."""
