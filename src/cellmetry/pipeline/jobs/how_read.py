"""How images were read, as tables remember it: size of their pixels, names of their channels, regions drawn on them."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from cellmetry.study.store.images import said_of
from cellmetry.study.store.regions import regions_of
from cellmetry.study.store.said import pixel_sides_um

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cellmetry.ops.shapes import Shape
    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.results import StoredResult
    from cellmetry.study.store.store import Store

__all__ = ["READ", "how_read", "read_otherwise"]

READ = "read"
"""What the details of a table call how an image was read."""
_SAID = {
    "pixel_size_um": "got another pixel size",
    "channel_names": "got other channel names",
    "regions": "got other regions",
}


def how_read(
    store: Store, image: StoredImage, drawn: Iterable[Shape] | None = None, *, channels: bool = True
) -> dict[str, Any]:
    """Return how an image is read now, as JSON values; empty before its header is known.

    Parameters
    ----------
    drawn
        Regions in which it is looked at; nothing is noted of regions without.
    channels
        Whether its channels are looked at, and their names noted.
    """
    if not image.header:
        return {}
    said, (y, x) = said_of(store, image.id), pixel_sides_um(store, image) or (None, None)
    z = said.get("pixel_size_z_um") or (image.header.get("pixel_size_um") or {}).get("z")
    names = said.get("channel_names") or [channel["name"] for channel in image.header.get("channels") or ()]
    return {
        "pixel_size_um": {"y": y, "x": x, "z": z},
        **({"channel_names": [str(name) for name in names]} if channels else {}),
        **({} if drawn is None else {"regions": _hash(drawn)}),
    }


def read_otherwise(store: Store, table: StoredResult, here: Mapping[str, StoredImage]) -> dict[str, list[str]]:
    """Return names of the images of a table that are read otherwise now, by what they got; of those `here`, by id."""
    found: dict[str, list[str]] = {what: [] for what in _SAID.values()}
    for image_id, told in table.details.get("images", {}).items():
        then: Mapping[str, Any] = told.get(READ) or {}
        if image_id not in here or not then:
            continue
        now = how_read(store, here[image_id], _drawn(store, table, image_id) if "regions" in then else None)
        for key, what in _SAID.items():
            if key in then and then[key] != now.get(key):
                found[what].append(str(told["name"]))
    return found


def _drawn(store: Store, table: StoredResult, image_id: str) -> list[Shape]:
    """Return the regions of an image that a table asked for, as they are drawn now."""
    names = table.details.get("options", {}).get("regions") or ()
    return [shape for shape in regions_of(store, image_id) if not names or shape.name in names]


def _hash(drawn: Iterable[Shape]) -> str:
    told = sorted(json.dumps(shape.model_dump(mode="json", exclude={"image"}), sort_keys=True) for shape in drawn)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()
