"""Files that a client sent: kept below ``uploads/ID/`` under their own name, found again by their id alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cellmetry.errors import UnknownName
from cellmetry.study.store.names import new_name

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.study.store.store import Store

__all__ = ["UPLOADS", "new_upload", "upload_path"]

UPLOADS = "uploads"
_ID = re.compile(r"upl_[0-9a-f]{16}")
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
    raise UnknownName("uploaded file", upload_id, ())
