"""A study brought back from its labels' folders, where its database is lost or was put back to an older state."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.core.image import Box
from cellmetry.core.labels import labels_hash
from cellmetry.errors import DamagedFile
from cellmetry.io.label_store import open_label_store
from cellmetry.io.tile_store import TileStore
from cellmetry.study.editing.operation import Change
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.checkpoints import LABELS
from cellmetry.study.store.edits import apply_changes
from cellmetry.study.store.label_pixels import read_window
from cellmetry.study.store.label_tiles import TILE
from cellmetry.study.store.labels import label_set
from cellmetry.study.store.manifests import file_hash, read_manifest
from cellmetry.study.store.objects import store_objects

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.manifests import Manifest
    from cellmetry.study.store.store import Store

__all__ = ["checkpoint_faults", "rebuild_from_labels"]

_MENDER = Actor("cellmetry", "repair")
_KEPT = "kept.json"
"""Says that a folder of labels whose description is lost is to be left alone."""


def rebuild_from_labels(store: Store) -> list[str]:
    """Return what was brought back from the labels' folders, in sentences.

    Images and labels that the database does not know come from the manifests; of labels that it knows, a checkpoint
    newer than its state becomes an edit. What was never in a checkpoint, and all history, is lost with the database.
    """
    told, manifests = [], {}
    for folder in sorted((store.folder / LABELS).glob("*")):
        if not folder.is_dir():
            continue
        found = _whole_manifests(folder)
        if found:
            manifests[folder.name] = found
        elif store.database.row("SELECT id FROM labels WHERE id = ?", (folder.name,)) is None:
            (folder / _KEPT).write_text("{}", encoding="utf-8")
            told.append(f"{LABELS}/{folder.name} is damaged and was left as it is.")
    known = {row["id"] for row in store.database.rows("SELECT id FROM labels")}
    lost = {name: found for name, found in manifests.items() if name not in known}
    if lost:
        _add_all(store, lost)
        told.append(
            f"{len(lost)} label images were brought back from their folders. Their history, conditions, jobs and "
            f"tables as the study listed them are lost; files of jobs are still in the folder jobs."
        )
    newer = [name for name, found in manifests.items() if _take_newest(store, name, found)]
    if newer:
        told.append(f"The newest saved state of {len(newer)} label images was put in as one edit.")
    return told


def checkpoint_faults(checkpoint: Path, manifest: Manifest) -> list[str]:
    """Return the files of a checkpoint that are missing or not what was written."""
    return [name for name, sha256 in manifest.tiles.items() if not _same(checkpoint / name, sha256)]


def _same(path: Path, sha256: str) -> bool:
    try:
        return file_hash(path) == sha256
    except OSError:
        return False


def _whole_manifests(folder: Path) -> list[tuple[str, Manifest]]:
    """Return the whole checkpoints of labels as places seen from the study's folder, the oldest first."""
    found = []
    for checkpoint in folder.glob("*.ome.zarr"):
        try:
            manifest = read_manifest(checkpoint)
        except DamagedFile:
            continue
        if not checkpoint_faults(checkpoint, manifest):
            found.append((f"{LABELS}/{folder.name}/{checkpoint.name}", manifest))
    return sorted(found, key=lambda each: each[1].version)


def _add_all(store: Store, lost: Mapping[str, list[tuple[str, Manifest]]]) -> None:
    """Add images and labels in the order in which they came."""
    ordered = sorted(lost.values(), key=lambda found: found[0][1].labels["added_by"])
    with store.database.write() as connection:
        connection.execute("UPDATE about SET value = ? WHERE key = 'id' AND ? != ''", (ordered[0][0][1].study,) * 2)
        seq = act(store, _MENDER, "rebuild", f"{len(lost)} label images brought back from their folders")
        for found in sorted(ordered, key=lambda found: found[0][1].image.get("seq", 0)):
            _add_image(connection, store, found[-1][1], seq)
        for found in ordered:
            _add_labels(connection, store, found, seq)


def _add_image(connection: sqlite3.Connection, store: Store, manifest: Manifest, seq: int) -> None:
    for file in manifest.files:
        _insert(connection, "files", {**file, "added_by": seq})
    image = dict(manifest.image)
    row = store.database.row("SELECT ifnull(max(seq), 0) + 1 AS next FROM images")
    source = {key: value for key, value in json.loads(image["source"]).items() if key != "again"}  # places are new ones
    image |= {"seq": 1 if row is None else row["next"], "added_by": seq, "source": json.dumps(source)}
    image["removed_by"] = None if image["removed_by"] is None else seq
    if image["pyramid"] and not (store.folder / image["pyramid"]).is_dir():
        image |= {"pyramid": None, "state": "new"}
    _insert(connection, "images", image)


def _add_labels(connection: sqlite3.Connection, store: Store, found: list[tuple[str, Manifest]], seq: int) -> None:
    place, manifest = found[0]
    said = manifest.labels
    connection.execute(
        "UPDATE labels SET removed_by = ? WHERE image_id = ? AND name = ? AND removed_by IS NULL",
        (seq, said["image_id"], said["name"]),
    )
    origin = {**json.loads(said["origin"]), "brought_back_from_version": manifest.version}
    row = {
        **said,
        **{"version": 0, "checkpoint_version": 0, "first_checkpoint": place, "checkpoint": place, "added_by": seq},
        "sha256": labels_hash(open_label_store(store.folder / place)),
        "origin": json.dumps(origin),
        "removed_by": None if found[-1][1].labels["removed_by"] is None else seq,
    }
    _insert(connection, "labels", row)
    largest = store_objects(connection, said["id"], said["axes"], TileStore(store.folder / place))
    used = max(largest + 1, *(int(each.labels["next_id"]) for _, each in found))
    connection.execute("UPDATE labels SET next_id = ? WHERE id = ?", (used, said["id"]))


def _take_newest(store: Store, labels_id: str, found: list[tuple[str, Manifest]]) -> bool:
    """Return whether the newest checkpoint is newer than the labels, after making it an edit."""
    labels = label_set(store, labels_id)
    place, manifest = found[-1]
    first = found[0][1].version if labels.first_checkpoint == found[0][0] else 0
    if manifest.version <= max(labels.version, first):
        return False
    summary = f"{labels.name} as saved last (version {manifest.version})"
    changes = changes_to(store, labels, TileStore(store.folder / place))
    return apply_changes(store, _MENDER, labels_id, changes, "recover", summary).act is not None


def changes_to(store: Store, labels: LabelSet, tiles: TileStore) -> Iterator[Change]:
    """Yield what must change for labels to be as in a folder of tiles."""
    height, width = labels.plane_shape
    for t, z in product(range(labels.size("T")), range(labels.size("Z"))):
        for y, x in product(range(0, height, TILE), range(0, width, TILE)):
            box = Box(y, min(y + TILE, height), x, min(x + TILE, width))
            lead = {"T": t, "Z": z}
            place = (*(lead[axis] for axis in labels.axes[:-2]), y // TILE, x // TILE)
            wanted = tiles.tile(0, place)[: box.shape[0], : box.shape[1]].astype(np.uint32)
            if not np.array_equal(wanted, read_window(store, labels, t, z, box)):
                yield Change(t, z, box, wanted)


def _insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    """Add a row unless there is one of its id."""
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
