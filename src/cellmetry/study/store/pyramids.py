"""Tiles of images for the screen: whose are lost, and having them made again from the originals."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cellmetry.errors import DamagedFile
from cellmetry.io.tile_store import TileStore
from cellmetry.study.store.images import image
from cellmetry.study.store.jobs import add_job, jobs
from cellmetry.study.store.originals import original, original_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.store import Store

__all__ = ["LostTiles", "lost_tiles", "make_tiles_again"]


class LostTiles(NamedTuple):
    """An image that was read, and a sentence that says which of its tiles are not there."""

    image: str
    text: str


def lost_tiles(store: Store) -> Iterator[LostTiles]:
    """Yield the images of which tiles are lost. Every tile has a file, also one that is all 0; only names are read."""
    rows = store.database.rows("SELECT id, name, pyramid FROM images WHERE state = 'ready' AND pyramid IS NOT NULL")
    for row in rows:
        folder = store.folder / row["pyramid"]
        try:
            lost = len(TileStore(folder).missing())
        except DamagedFile:
            yield LostTiles(row["id"], f"Tiles of {row['name']} for the screen are missing or not described.")
        else:
            if lost:
                yield LostTiles(row["id"], f"Tiles of {row['name']} for the screen are missing: {lost}.")


def make_tiles_again(store: Store, actor: Actor) -> list[str]:
    """Return, in sentences, whose tiles the job that was queued makes again, and whose cannot be: no original is there.

    Images that a job is to read already are left out.
    """
    waiting = {
        each
        for state in ("queued", "running")
        for found in jobs(store, state)
        if found.kind == "read"
        for each in found.parameters["images"]
    }
    told, again = [], []
    for lost in lost_tiles(store):
        if lost.image in waiting:
            continue
        files = [original(store, each) for each in image(store, lost.image).source.get("files", ())]
        gone = next((file.name for file in files if original_status(store, file) != "there"), None)
        if gone is None:
            again.append(lost.image)
            told.append(f"{lost.text} A job that reads the image again is queued.")
        else:
            told.append(f"{lost.text} They can be made again when the original {gone} is there as it was.")
    if again:
        add_job(store, actor, "read", {"images": again})
    return told
