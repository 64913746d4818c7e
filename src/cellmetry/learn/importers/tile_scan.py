"""Multi-channel tile scans: one TIFF of many fields, one channel of which is the truth of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from cellmetry.core.image import image_from_array
from cellmetry.core.labels import labels_from_array
from cellmetry.errors import MissingInput, ParameterError
from cellmetry.io.discover import IMAGE_SUFFIXES, stem_of
from cellmetry.io.opening import open_image
from cellmetry.learn.importers.base import Entry, Importer
from cellmetry.learn.importers.pairing import all_files
from cellmetry.learn.importers.writing import Truth

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cellmetry.core.image import Image

__all__ = ["TileScan"]


class TileScan(Importer):
    """TIFFs with the axes (N, C, Y, X): fields, and channels of which one is the image and one its truth.

    Each field is written as an image of its own, with all channels but the truth; the values are kept.
    """

    title: ClassVar[str] = "tile scans with a channel of labels"

    channel: str | None = "0"
    """The channel to look at, by name or number from 0."""
    truth_channel: str = "1"
    """The channel that holds the truth, by name or number from 0."""
    truth_is: Literal["labels", "foreground"] = "labels"
    """What that channel holds: an id for each object, or values that are not 0 where cells are."""
    axes: str | None = None
    """What the axes of the file mean, where it does not say: fields are along ``T`` or ``Z``, as in ``TCYX``."""
    one_group: bool = False
    """Whether all fields of a file are one group, which a split never parts (tiles that lie side by side)."""

    def entries(self, source: Path) -> Sequence[Entry]:
        """Return the fields of each file in order."""
        files = [source] if source.is_file() else all_files(source)
        paths = [path for path in files if path.suffix.lower() in IMAGE_SUFFIXES]
        if not paths:
            raise MissingInput(f"{source} holds no image; give a TIFF or a folder of them.")
        return [entry for path in paths for entry in self._fields(path, source)]

    def image_of(self, entry: Entry) -> Image | None:
        """Return one field without its channel of truth."""
        image, t, z = self._opened(entry)
        kept = [c for c in range(len(image.channels)) if c != image.channel_index(self.truth_channel)]
        pixels = np.stack([image.plane(t=t, c=c, z=z) for c in kept])
        size = image.pixel_size.x
        names = [image.channel_names[c] for c in kept]
        return image_from_array(pixels, "CYX", pixel_size_um=size, channel_names=names, name=entry.path)

    def item_channel(self, entry: Entry) -> str | None:
        """Return the name that the channel keeps; None if it is the only one left."""
        image, _, _ = self._opened(entry)
        return image.channel_names[image.channel_index(str(self.channel))] if len(image.channels) > 2 else None

    def read(self, entry: Entry, shape: tuple[int, int]) -> Truth:
        """Return the channel of truth of one field."""
        image, t, z = self._opened(entry)
        plane = image.plane(t=t, c=image.channel_index(self.truth_channel), z=z)
        if self.truth_is == "foreground":
            return Truth(plane > 0, "foreground")
        where = f"channel {self.truth_channel} of {entry.image}, field {entry.truth[0]}"
        return Truth(labels_from_array(plane, name=where).read())

    def _fields(self, path: Path, source: Path) -> list[Entry]:
        image = open_image(path, axes=self.axes, rgb="channels")
        first, second = image.channel_index(str(self.channel)), image.channel_index(self.truth_channel)
        if first == second:
            raise ParameterError(f"channel and truth_channel are both {self.channel!r}; name two channels.")
        stem = stem_of(path.name)
        base = stem if source.is_file() else path.relative_to(source).with_name(stem).as_posix()
        places = [(t, z) for t in range(image.sizes["T"]) for z in range(image.sizes["Z"])]
        digits = len(str(len(places) - 1))
        return [
            Entry(f"{base}_{number:0{digits}d}", path, (number, t, z), base if self.one_group else "")
            for number, (t, z) in enumerate(places)
        ]

    def _opened(self, entry: Entry) -> tuple[Image, int, int]:
        _, t, z = entry.truth
        return open_image(entry.image, axes=self.axes, rgb="channels"), t, z
