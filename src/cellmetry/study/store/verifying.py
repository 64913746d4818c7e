"""What is wrong with a study on the disk: its database, labels, log, originals results, by their checksums."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.errors import DamagedFile
from cellmetry.io.hashing import content_hash
from cellmetry.io.tile_store import decode_tile
from cellmetry.study.store.checkpoints import LABELS
from cellmetry.study.store.edit_log import patch_of
from cellmetry.study.store.labels import TILE, Tile, read_tile, stored_labels
from cellmetry.study.store.manifests import read_manifest
from cellmetry.study.store.originals import original_path, original_status, originals
from cellmetry.study.store.pyramids import lost_tiles
from cellmetry.study.store.rebuilding import checkpoint_faults
from cellmetry.study.store.restoring import Base, base_tile, replayed, tile_shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["Finding", "verify"]

_UINT32 = np.dtype("<u4")
_MOST_NAMED = 5


class Finding(NamedTuple):
    """Something that is not as it was written.

    Parameters
    ----------
    severity
        ``error``: work of the study is damaged; ``warning``: something it needs is not there; ``note``: to be known.
    subject
        Id or name of what it is about.
    text
        A sentence that says what to do too.
    """

    severity: Literal["error", "warning", "note"]
    subject: str
    text: str


def verify(store: Store, *, thorough: bool = False) -> list[Finding]:
    """Return what is wrong with a study; nothing is changed.

    Parameters
    ----------
    thorough
        Also replay the log of edits from version 0 and compare it with the labels as they are now, and read originals
        whose time of writing and size are what they were.
    """
    found = [
        Finding("error", store.database.path.name, f"The database is damaged: {text}.")
        for text in store.database.check()
    ]
    if found:
        return found
    for labels in stored_labels(store):
        found += _checkpoints(store, labels)
        found += _tiles(store, labels)
        found += _patches(store, labels)
        if thorough:
            found += _log(store, labels)
    return [*found, *_unknown(store), *_originals(store, thorough=thorough), *_results(store), *_pyramids(store)]


def _checkpoints(store: Store, labels: LabelSet) -> Iterator[Finding]:
    for place in dict.fromkeys((labels.first_checkpoint, labels.checkpoint)):
        try:
            faults = checkpoint_faults(store.folder / place, read_manifest(store.folder / place))
        except DamagedFile as error:
            yield Finding("error", labels.id, str(error))
            continue
        if faults:
            text = f"{len(faults)} files of {place} are damaged or missing ({_named(faults)}); `cellmetry study repair`"
            yield Finding("error", labels.id, f"{text} makes what can be whole.")


def _tiles(store: Store, labels: LabelSet) -> Iterator[Finding]:
    for row in store.database.rows("SELECT level, t, z, y, x, frame FROM tiles WHERE labels_id = ?", (labels.id,)):
        tile = Tile(*tuple(row)[:5])
        try:
            decode_tile(bytes(row["frame"]), tile_shape(labels, tile), _UINT32, f"Tile {tuple(tile)} of {labels.id}")
        except DamagedFile as error:
            yield Finding("error", labels.id, str(error))


def _patches(store: Store, labels: LabelSet) -> Iterator[Finding]:
    rows = store.database.rows(
        "SELECT act FROM edits WHERE labels_id = ? AND version IS NOT NULL ORDER BY version", (labels.id,)
    )
    if len(rows) != labels.version:
        text = f"The log has {len(rows)} edits of the labels {labels.id}, which are at version {labels.version}."
        yield Finding("error", labels.id, text)
    for row in rows:
        for patch in store.database.rows("SELECT * FROM patches WHERE act = ?", (row["act"],)):
            try:
                patch_of(patch)
            except DamagedFile as error:
                yield Finding(
                    "error", labels.id, f"{error} It cannot be undone, and versions before it cannot be read."
                )


def _log(store: Store, labels: LabelSet) -> Iterator[Finding]:
    """Compare tiles that edits touched with version 0 and all edits since."""
    wrong = []
    for tile in touched_tiles(store, labels):
        try:
            first = base_tile(store, labels, Base(labels.first_checkpoint, 0), tile)
            if not np.array_equal(
                replayed(store, labels, tile, first, (0, labels.version)), read_tile(store, labels, tile)
            ):
                wrong.append(str(tuple(tile)))
        except DamagedFile:
            continue  # told already, by its checksum
    if wrong:
        text = f"The log of edits of {labels.id} gives other pixels than the labels have, in the tiles {_named(wrong)}."
        yield Finding("error", labels.id, text)


def touched_tiles(store: Store, labels: LabelSet) -> list[Tile]:
    """Return the tiles of all levels in which edits changed pixels."""
    found = set()
    rows = store.database.rows(
        "SELECT t, z, y0, y1, x0, x1 FROM edits JOIN patches ON patches.act = edits.act WHERE labels_id = ?",
        (labels.id,),
    )
    for row in rows:
        t, z, *edges = tuple(row)
        for level in range(labels.levels):
            box = Box(*(-(-edge // (1 << level)) for edge in edges))
            if min(box.shape) > 0:
                parts = (range(a // TILE, -(-b // TILE)) for a, b in ((box.y0, box.y1), (box.x0, box.x1)))
                found |= {Tile(level, t, z, y, x) for y, x in product(*parts)}
    return sorted(found)


def _unknown(store: Store) -> Iterator[Finding]:
    known = {row["id"] for row in store.database.rows("SELECT id FROM labels")}
    for folder in sorted((store.folder / LABELS).glob("*")):
        if folder.name not in known and any(folder.glob("*.json")):
            yield Finding("note", folder.name, f"{LABELS}/{folder.name} is not known to the study; it is left alone.")


def _originals(store: Store, *, thorough: bool) -> Iterator[Finding]:
    for file in originals(store):
        status = original_status(store, file)
        if status == "there" and thorough:
            status = "there" if content_hash(original_path(store, file)) == file.sha256 else "changed"
        if status == "missing":
            text = f"{file.name} is not there any more; `cellmetry study relink` finds it in another folder."
            yield Finding("warning", file.id, text)
        elif status == "changed":
            text = f"{file.name} was changed since it was added; put the original back, or add it again."
            yield Finding("warning", file.id, text)


def _results(store: Store) -> Iterator[Finding]:
    for row in store.database.rows("SELECT id, name, place, sha256 FROM results"):
        path = store.folder / row["place"]
        if not path.exists():
            yield Finding("error", row["id"], f"{row['place']} ({row['name']}) is missing; run its job again.")
        elif content_hash(path) != row["sha256"]:
            yield Finding("error", row["id"], f"{row['place']} ({row['name']}) was changed; run its job again.")


def _pyramids(store: Store) -> Iterator[Finding]:
    for lost in lost_tiles(store):
        yield Finding("warning", lost.image, f"{lost.text} `cellmetry study repair` has the image read again.")


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
