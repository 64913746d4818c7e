"""The image of a field of which one channel is taught: where it lies, or a plane written anew, and its group."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cellmetry.core.image import image_from_array
from cellmetry.io.images import write_image
from cellmetry.io.patterns import Place

if TYPE_CHECKING:
    from cellmetry.core.image import Image
    from cellmetry.pipeline.inputs import ImageRef

__all__ = ["TargetImage", "TargetPlace"]

_GROUPS = ("group", "slide", "well")
"""Parts of a file-name pattern that say which fields belong together; the first that the pattern has counts."""


class TargetPlace(NamedTuple):
    """A file, and which of its channels is meant; None for the only one."""

    path: Path
    channel: str | None


@dataclass(frozen=True)
class TargetImage:
    """One channel of an image, of one plane, as an item of a data set sees it.

    Parameters
    ----------
    ref
        Where the image comes from.
    image
        The image, as `ref` opens it.
    channel
        The channel, by name or index.
    """

    ref: ImageRef
    image: Image
    channel: str

    @property
    def group(self) -> str:
        """The group, slide or well that the file names give, whatever the case of the part; empty if they give none."""
        parts = {name.casefold(): value for name, value in self.ref.parts.items()}
        return next((parts[name] for name in _GROUPS if name in parts), "")

    def place(self, path: Path) -> TargetPlace:
        """Return where the channel lies, or `path` with the plane written, if files alone do not say how to read it."""
        told = self.ref.reading.axes is not None or self.ref.reading.rgb == "channels"
        return self._written(path) if told else self._found()

    def _written(self, path: Path) -> TargetPlace:
        plane = self.image.plane(c=self.image.channel_index(self.channel))
        write_image(image_from_array(plane, "YX", pixel_size_um=self.image.pixel_size.x, name=path.stem), path)
        return TargetPlace(path, None)

    def _found(self) -> TargetPlace:
        index, group = self.image.channel_index(self.channel), self.ref.group
        if group is None:
            return TargetPlace(Path(self.ref.text).absolute(), str(index))
        by_name = group.channels != ("",)
        file = group.files[Place(group.times[0], group.channels[index] if by_name else "", group.depths[0])]
        return TargetPlace(file.absolute(), None if by_name else str(index))
