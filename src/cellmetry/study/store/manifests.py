"""Manifests: what is in each checkpoint of labels, by SHA-256, and whose labels they are.

``labels/ID/N.json`` lies beside ``labels/ID/N.ome.zarr``. With it damage is found, a missing tile is told from
background, and the labels can be brought back if the database is lost.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cellmetry.errors import DamagedFile
from cellmetry.io.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cellmetry.study.store.database import Database

__all__ = ["Manifest", "file_hash", "hashes_below", "manifest_path", "read_manifest", "stored_files", "write_manifest"]

_FORM = 1


@dataclass(frozen=True)
class Manifest:
    """What is known of a checkpoint.

    Parameters
    ----------
    labels
        Id, name, image, axes, shape, pixel size and origin, as in the database.
    image, files
        The image and its originals, as in the database.
    version
        Of the labels.
    written
        When, for people to read.
    study
        Id of the study.
    tiles
        SHA-256 of each file, by its path seen from the checkpoint, with `/`.
    """

    labels: dict[str, Any]
    image: dict[str, Any]
    files: list[dict[str, Any]]
    version: int
    written: str
    study: str
    tiles: dict[str, str]
    form: int = _FORM


def manifest_path(checkpoint: Path) -> Path:
    """Return the path of the manifest of a checkpoint."""
    return checkpoint.with_name(f"{checkpoint.name.split('.')[0]}.json")


def write_manifest(
    database: Database, checkpoint: Path, labels: Mapping[str, Any], written: str, tiles: Mapping[str, str]
) -> None:
    """Write the manifest of a checkpoint with what the database says of its image.

    Parameters
    ----------
    labels
        The row of the labels, as it will be with this checkpoint.
    """
    image = database.row("SELECT * FROM images WHERE id = ?", (labels["image_id"],))
    ids = [] if image is None else _ids_in(json.loads(image["source"]))
    files = [row for each in ids if (row := database.row("SELECT * FROM files WHERE id = ?", (each,))) is not None]
    study = database.row("SELECT value FROM about WHERE key = 'id'")
    manifest = Manifest(
        dict(labels),
        {} if image is None else dict(image),
        [dict(row) for row in files],
        int(labels["checkpoint_version"]),
        written,
        "" if study is None else study["value"],
        dict(sorted(tiles.items())),
    )
    with atomic_write(manifest_path(checkpoint)) as temporary:
        temporary.write_text(json.dumps(asdict(manifest), indent=0), encoding="utf-8")


def read_manifest(checkpoint: Path) -> Manifest:
    """Return the manifest of a checkpoint.

    Raises
    ------
    DamagedFile
        If it is missing or not whole.
    """
    path = manifest_path(checkpoint)
    try:
        return Manifest(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DamagedFile(
            f"{path} is missing or damaged ({error}); `cellmetry study repair` writes it anew."
        ) from error


def stored_files(checkpoint: Path) -> frozenset[str] | None:
    """Return the files that a checkpoint must have; None where no manifest says it."""
    try:
        return _files(checkpoint)
    except DamagedFile:
        return None


@lru_cache(maxsize=256)
def _files(checkpoint: Path) -> frozenset[str]:
    """Return the files in a manifest: a checkpoint never changes."""
    return frozenset(read_manifest(checkpoint).tiles)


def hashes_below(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in a folder, by its path seen from there, with `/`."""
    return {
        path.relative_to(folder).as_posix(): file_hash(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a small file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _ids_in(said: Any) -> list[str]:
    """Return the ids of files that a description of an image's source names, in order."""
    if isinstance(said, str):
        return [said] if said.startswith("file_") else []
    inner = said.values() if isinstance(said, dict) else said if isinstance(said, list) else ()
    return list(dict.fromkeys(name for each in inner for name in _ids_in(each)))
