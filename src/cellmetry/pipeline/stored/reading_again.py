"""`read_again`: images that failed, or were read wrongly, are read once more as somebody says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cellmetry.errors import ParameterError
from cellmetry.pipeline.reading import Reading
from cellmetry.study.store.acts import act
from cellmetry.study.store.images import add_image, image, remove_images, said_of, say
from cellmetry.study.store.jobs import add_job
from cellmetry.study.store.regions import copy_regions
from cellmetry.study.store.right import CORRECTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.store import Store

__all__ = ["ReadAgain", "read_again", "take_regions"]

_SIZES = ("pixel_size_um", "pixel_size_y_um", "pixel_size_z_um")


class ReadAgain(NamedTuple):
    """Images in the place of those of before, and the act that put them there."""

    images: tuple[str, ...]
    act: int


def read_again(store: Store, actor: Actor, ids: Sequence[str], changes: Mapping[str, Any]) -> ReadAgain:
    """Return the images that a job reads anew, of the same files and names, with what was said of them.

    Those that can be read and would be read as they are stay, with their labels; of them only sizes are said.

    They have the places of those of before in the study. Those are hidden with their labels, which may lie on other
    axes; undoing the act brings them back. Regions go to the new ones once they are read, see `take_regions`.

    Parameters
    ----------
    changes
        Fields of `Reading` that are to be others; `axes` of None are as the files say.

    Raises
    ------
    ParameterError
        If an image is being read for the first time, or was removed, or none would be read in another way.
    """
    found = [image(store, each) for each in dict.fromkeys(ids)]
    new = next((each for each in found if each.state == "new"), None)
    if new is not None:
        raise ParameterError(f"{new.name} was not read yet; wait until it is.")
    sizes = {name: value for name, value in changes.items() if name in _SIZES}
    others = {name: value for name, value in changes.items() if name not in _SIZES}
    wrong = [each for each in found if each.state != "ready" or _changed(each, others) != _changed(each, {})]
    if not wrong:
        raise ParameterError(
            "Nothing would be read in another way than it is: say other axes or colours. Pixel sizes alone are said of "
            "images, which keeps their labels."
        )
    what = wrong[0].name if len(wrong) == 1 else f"{len(wrong)} images"
    with store.database.write():
        seq = act(store, actor, "read again", f"Read {what} again", images=[each.id for each in wrong], **changes)
        remove_images(store, seq, [each.id for each in wrong])
        added = tuple(_added(store, seq, each, others, sizes) for each in wrong)
        for each in found if sizes else ():
            if each not in wrong:
                say(store, seq, each.id, sizes)
        add_job(store, actor, "read", {"images": added})
    return ReadAgain(added, seq)


def _changed(old: StoredImage, others: Mapping[str, Any]) -> Reading:
    return Reading.model_validate({**old.source["reading"], **others})


def _added(store: Store, seq: int, old: StoredImage, others: Mapping[str, Any], sizes: Mapping[str, Any]) -> str:
    reading = _changed(old, others)
    again = {"of": old.id, "seq": old.seq}
    source = {**old.source, "reading": reading.model_dump(mode="json", exclude_defaults=True), "again": again}
    new = add_image(store, seq, old.name, source, old.sha256)
    said = {**said_of(store, old.id), **sizes}
    said.pop(CORRECTED, None)  # its labels stay behind
    if others:  # there may be other channels now
        said.pop("channel_names", None)
    if said:
        say(store, seq, new, said)
    return new


def take_regions(store: Store, image_id: str) -> None:
    """Give an image that was read again the regions of the one of before, if planes are as large as they were."""
    new = image(store, image_id)
    old = new
    while "again" in old.source and (old is new or old.state != "ready"):  # what could not be read has no regions
        old = image(store, old.source["again"]["of"])
    if old is not new and _plane_shape(old) == _plane_shape(new) is not None:
        copy_regions(store, new.added_by, old.id, new.id)


def _plane_shape(read: StoredImage) -> tuple[int, int] | None:
    """Return height and width of an image, None if it could not be read."""
    if read.state != "ready":
        return None
    sizes = dict(zip(read.header["axes"], read.header["shape"], strict=True))
    return sizes["Y"], sizes["X"]
