"""`open_stored`: an image of a study from its original, as it was when it was added."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from cellmetry.io.links import refuse_links
from cellmetry.io.patterns import FileGroup, Place
from cellmetry.pipeline.inputs import ImageRef
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.stored.registering import NO_LINKS
from cellmetry.study.store.images import said_of
from cellmetry.study.store.originals import original, original_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cellmetry.core.image import Image
    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.store import Store

__all__ = ["StoredRef", "image_ref", "open_stored"]

_SIZES = ("pixel_size_um", "pixel_size_y_um", "pixel_size_z_um")


@dataclass(frozen=True)
class StoredRef(ImageRef):
    """An image of a study as one of a run: files are named by its id, tables by its name, which is a user's text.

    Parameters
    ----------
    shown
        Its name in the study.
    """

    shown: str = ""

    @property
    def name(self) -> str:
        """Name of the image in tables."""
        return self.shown

    def open(self) -> Image:
        """Return the image, headers read, under its name in the study."""
        return replace(super().open(), name=self.shown)


def open_stored(store: Store, image: StoredImage) -> Image:
    """Return an image of a study from its originals, pixels not yet read.

    Pixel size and names of channels are those that users said since (`pixel_size_um`, `pixel_size_y_um`,
    `pixel_size_z_um` and `channel_names` of the image).

    Raises
    ------
    MissingInput, DamagedFile
        If an original is gone, or was changed since it was added.
    UnsupportedFormat, LimitExceeded, AxesError
        If it cannot be read.
    """
    return image_ref(store, image).open()


def image_ref(store: Store, image: StoredImage) -> StoredRef:
    """Return where an image of a study is and how it is read, as runs take it.

    Raises
    ------
    MissingInput, DamagedFile
        If an original is gone, or was changed since it was added.
    InputError
        If it is a link now, or has one, and was added by a server.
    """
    source, said = image.source, said_of(store, image.id)
    paths = {file_id: original_path(store, original(store, file_id)) for file_id in source["files"]}
    files = list(paths.values())
    for path in files if source.get(NO_LINKS) else ():
        refuse_links(path)
    names = said.get("channel_names")
    group = None if "group" not in source else _group(image, source["group"], paths, names)
    return StoredRef(
        path=files[0] if group is None else next(iter(group.files.values())),
        stem=PurePosixPath(image.id),
        reading=_reading(source, said, None if group else names),
        scene=source["scene"],
        group=group,
        others=() if group is not None else tuple(files[1:]),
        shown=image.name,
    )


def _reading(source: Mapping[str, Any], said: Mapping[str, Any], names: list[str] | None) -> Reading:
    """Return how the files are read, with what was said of the image since."""
    changes = {key: said[key] for key in _SIZES if said.get(key) is not None}
    if names:
        changes["roles"] = {str(index): name for index, name in enumerate(names)}
    return Reading.model_validate({**source["reading"], **changes})


def _group(
    image: StoredImage, told: Mapping[str, Any], paths: Mapping[str, Path], names: list[str] | None
) -> FileGroup:
    return FileGroup(
        relative=PurePosixPath(image.id),
        parts=dict(told["parts"]),
        files={Place(t, channel, z): paths[file_id] for t, channel, z, file_id in told["planes"]},
        times=tuple(told["times"]),
        channels=tuple(told["channels"]),
        depths=tuple(told["depths"]),
        channel_names=tuple(names or told["channel_names"]),
    )
