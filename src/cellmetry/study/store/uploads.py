"""Files that a client sent: kept below ``uploads/ID/`` under their own name, found again by their id alone."""

from __future__ import annotations

import re
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from cellmetry.errors import CellmetryError, UnknownName
from cellmetry.study.store.names import new_name

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.study.store.store import Store

__all__ = ["KEPT_S", "UPLOADS", "clean_uploads", "discard_upload", "new_upload", "upload_path"]

UPLOADS = "uploads"
KEPT_S = 7 * 24 * 3600.0
"""How long a file is kept that nothing names."""
_ID = re.compile(r"upl_[0-9a-f]{16}")
_NAMING = {
    "acts": ("details",),
    "files": ("place", "whole"),
    "images": ("source",),
    "jobs": ("parameters", "result"),
    "labels": ("details", "origin"),
    "models": ("card",),
    "questions": ("details",),
    "recipes": ("text",),
    "results": ("place", "details"),
    "said": ("value",),
}
"""Columns of the tables in which the id of a file that was sent may be."""
_UNFIT = re.compile(r"[^\w.()+ -]")
_LONGEST = 100


def new_upload(store: Store, name: str) -> tuple[str, Path]:
    """Return the id of a file that a client sends, and where it is to be written.

    Parameters
    ----------
    name
        As the client calls it: only its last part counts, and of that what every disk takes.
    """
    store.must_be_writable()
    upload_id = new_name("upl")
    plain = _UNFIT.sub("_", re.split(r"[\\/]", name)[-1])[-_LONGEST:].strip(" .")
    return upload_id, store.folder / UPLOADS / upload_id / (plain or "file")


def upload_path(store: Store, upload_id: str) -> Path:
    """Return where a file lies that a client sent.

    Raises
    ------
    UnknownName
        If there is none of this id, or it has not arrived as a whole.
    """
    folder = store.folder / UPLOADS / upload_id
    if _ID.fullmatch(upload_id) and folder.is_dir():
        for path in sorted(folder.iterdir()):
            if not path.name.startswith(".") and not path.is_symlink():
                return path
    raise UnknownName("uploaded file", upload_id)


def clean_uploads(store: Store) -> list[str]:
    """Return the ids of files that were removed: sent over a week ago and named by no image, job, recipe or result.

    What an act added stays when that is undone.
    """
    limit = time.time() - KEPT_S
    folders = (store.folder / UPLOADS).glob("upl_*")
    old = {each.name for each in folders if _ID.fullmatch(each.name) and each.stat().st_mtime < limit}
    if not (old and old - _named(store)):
        return []
    with store.database.write():  # no job may name one meanwhile
        unused = sorted(old - _named(store))
        for each in unused:
            shutil.rmtree(store.folder / UPLOADS / each, ignore_errors=True)
    return unused


def discard_upload(store: Store, folder: Path) -> None:
    """Remove files that were sent and came to nothing; not if the study names them: then something came of them.

    Where the study cannot be written now, they stay until `clean_uploads`.
    """
    with suppress(CellmetryError), store.database.write():
        if folder.name not in _named(store):
            shutil.rmtree(folder, ignore_errors=True)


def _named(store: Store) -> set[str]:
    """Return the ids of the files that something names."""
    columns = [(table, column) for table, some in _NAMING.items() for column in some]
    questions = (f"SELECT {column} AS text FROM {table} WHERE {column} LIKE '%upl_%'" for table, column in columns)
    return {found for row in store.database.rows(" UNION ALL ".join(questions)) for found in _ID.findall(row["text"])}
