"""Checkpoints: labels of one version as OME-Zarr, made now and then of the one before and the tiles changed since.

A new checkpoint is a new folder. Files of unchanged tiles are links to those of the one before. Only when all of it is
on the disk does one transaction point the labels to it and forget the tiles that are in it, so there is no moment at
which the labels are not whole. Version 0 stays for ever; other old checkpoints go when they are not needed.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cellmetry.io.atomic import atomic_folder, clean_leftovers
from cellmetry.study.store.manifests import file_hash, hashes_below, manifest_path, read_manifest, write_manifest

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence

    from cellmetry.study.store.database import Database

__all__ = [
    "LABELS",
    "chunk_file",
    "clean_checkpoints",
    "due_labels",
    "free_checkpoint",
    "link_or_copy",
    "make_checkpoint",
    "make_due_checkpoints",
    "now_text",
    "point_to",
    "write_from",
    "write_missing_manifest",
    "write_missing_manifests",
]

LABELS = "labels"
"""Folder of the labels in the study's folder."""
MOST_BYTES, MOST_EDITS = 64 << 20, 1000
"""Changed tiles and edits since the last checkpoint after which a new one is due."""
_ONE = threading.Lock()
_CHECKPOINT = re.compile(r"\d+(-[0-9a-f]{4})?\.(ome\.zarr|json)")


def due_labels(database: Database, *, all_changed: bool = False) -> list[str]:
    """Return the ids of the labels for which a checkpoint is due, or that were changed since theirs."""
    rows = database.rows(
        "SELECT id, version - checkpoint_version AS edits, (SELECT ifnull(sum(length(frame)), 0) FROM tiles "
        "WHERE labels_id = labels.id) AS bytes FROM labels WHERE version > checkpoint_version"
    )
    return [row["id"] for row in rows if all_changed or row["bytes"] >= MOST_BYTES or row["edits"] >= MOST_EDITS]


def make_due_checkpoints(database: Database, folder: Path, *, all_changed: bool = False) -> list[str]:
    """Return the ids of the labels that have a new checkpoint."""
    return [each for each in due_labels(database, all_changed=all_changed) if make_checkpoint(database, folder, each)]


def make_checkpoint(database: Database, folder: Path, labels_id: str) -> bool:
    """Return whether the present labels were made a checkpoint; not if they are one.

    Edits may go on: those made meanwhile stay in the database.

    Raises
    ------
    OutputError
        If the disk is full or failing; the labels are what they were.
    """
    with _ONE:
        rows = database.rows(
            "SELECT labels.version AS now, tiles.* FROM labels LEFT JOIN tiles ON labels_id = id WHERE id = ?",
            (labels_id,),
        )
        row = database.row("SELECT * FROM labels WHERE id = ?", (labels_id,))
        if row is None or not rows or rows[0]["now"] == row["checkpoint_version"]:
            return False
        version, axes = int(rows[0]["now"]), row["axes"]
        frames = {chunk_file(axes, each): bytes(each["frame"]) for each in rows if each["frame"] is not None}
        old, place = row["checkpoint"], free_checkpoint(folder, labels_id, version)
        said = {**dict(row), "version": version, "checkpoint": place, "checkpoint_version": version}
        _write(database, folder, said, old, frames)
        with database.write() as connection:
            point_to(connection, labels_id, place, version)
        _forget(folder, labels_id, {old, place, row["first_checkpoint"]})
    return True


def point_to(connection: sqlite3.Connection, labels_id: str, place: str, version: int) -> None:
    """Make a checkpoint that of the labels; tiles that are in it are forgotten."""
    connection.execute(
        "UPDATE labels SET checkpoint = ?, checkpoint_version = ? WHERE id = ?", (place, version, labels_id)
    )
    connection.execute("DELETE FROM tiles WHERE labels_id = ? AND version <= ?", (labels_id, version))


def clean_checkpoints(database: Database, folder: Path) -> list[str]:
    """Return what was removed of checkpoints that no labels need: of older versions, and of programs that were killed.

    Labels with a manifest that the database does not know stay: they may be all that is left of them. A worker of a
    program that was killed may just be about to enter labels: it sees in its transaction that they have gone.
    """
    removed = []
    for inner in sorted((folder / LABELS).glob("*")):
        if not inner.is_dir():
            continue
        clean_leftovers(inner, older_than_s=0.0)
        with database.write():
            row = database.row("SELECT first_checkpoint, checkpoint FROM labels WHERE id = ?", (inner.name,))
            if row is None and not any(inner.glob("*.json")):
                shutil.rmtree(inner, ignore_errors=True)
                removed.append(f"{LABELS}/{inner.name}")
        if row is not None:
            removed += _forget(folder, inner.name, {row["first_checkpoint"], row["checkpoint"]})
    return removed


def write_missing_manifests(database: Database, folder: Path) -> list[str]:
    """Return the ids of labels whose checkpoints had no manifest and have one now: their program was killed before."""
    ids = [row["id"] for row in database.rows("SELECT id FROM labels")]
    return [each for each in ids if write_missing_manifest(database, folder, each)]


def write_missing_manifest(database: Database, folder: Path, labels_id: str) -> bool:
    """Return whether a checkpoint of labels had no manifest and has one now."""
    row, written = database.row("SELECT * FROM labels WHERE id = ?", (labels_id,)), False
    if row is None:
        return False
    for place, version in ((row["first_checkpoint"], 0), (row["checkpoint"], row["checkpoint_version"])):
        checkpoint = folder / place
        if checkpoint.is_dir() and not manifest_path(checkpoint).is_file():
            said = {**dict(row), "version": version, "checkpoint": place, "checkpoint_version": version}
            write_manifest(database, checkpoint, said, now_text(), hashes_below(checkpoint))
            written = True
    return written


def chunk_file(axes: str, tile: Mapping[str, Any] | sqlite3.Row) -> str:
    """Return the file of a tile, seen from its checkpoint."""
    lead = [str(tile[axis.lower()]) for axis in axes[:-2]]
    return "/".join((str(tile["level"]), "c", *lead, str(tile["y"]), str(tile["x"])))


def free_checkpoint(folder: Path, labels_id: str, version: int) -> str:
    """Return the place, seen from the study's folder, of a new checkpoint; a place is never used twice."""
    name = str(version)
    while (folder / LABELS / labels_id / f"{name}.ome.zarr").exists():
        name = f"{version}-{uuid4().hex[:4]}"
    return PurePosixPath(LABELS, labels_id, f"{name}.ome.zarr").as_posix()


def link_or_copy(source: str, target: str) -> None:
    """Make a file the same as another, without its bytes twice where the disk can do that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def now_text() -> str:
    """Return the time for people to read."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_from(
    base: Path, place: Path, frames: Mapping[str, bytes], *, link: Callable[[str, str], None] = link_or_copy
) -> None:
    """Write a checkpoint that is another with some tiles changed."""
    with atomic_folder(place) as temporary:
        left_out = partial(_replaced, base, frames)
        shutil.copytree(base, temporary, copy_function=link, dirs_exist_ok=True, ignore=left_out)
        for name, frame in frames.items():
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(frame)


def _write(database: Database, folder: Path, said: Mapping[str, Any], old: str, frames: Mapping[str, bytes]) -> None:
    base, place = folder / old, folder / said["checkpoint"]
    known = read_manifest(base).tiles if manifest_path(base).is_file() else hashes_below(base)
    write_from(base, place, frames)
    tiles = {**known, **{name: file_hash(place / name) for name in frames}}
    write_manifest(database, place, said, now_text(), tiles)


def _replaced(base: Path, frames: Mapping[str, bytes], where: str, names: Sequence[str]) -> set[str]:
    """Return the names in one folder of a checkpoint that are not taken over."""
    inner = Path(where).relative_to(base).as_posix()
    return {name for name in names if f"{inner}/{name}" in frames}


def _forget(folder: Path, labels_id: str, needed: set[str]) -> list[str]:
    """Remove the checkpoints of labels that are not needed, the manifest last."""
    removed = []
    keep = {PurePosixPath(place).name.split(".")[0] for place in needed}
    inner = folder / LABELS / labels_id
    for path in sorted(inner.glob("*"), reverse=True):  # N.ome.zarr before N.json
        if _CHECKPOINT.fullmatch(path.name) and path.name.split(".")[0] not in keep:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            removed.append(f"{LABELS}/{labels_id}/{path.name}")
    return removed
