"""SHA-256 of files and of folders that are one image."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["content_hash"]


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, or of the names and bytes of all files in a folder, in order."""
    digest = hashlib.sha256()
    if path.is_file():
        _add(path, digest)
        return digest.hexdigest()
    for file in sorted(path.rglob("*")):
        if file.is_file():
            digest.update(file.relative_to(path).as_posix().encode())
            _add(file, digest)
    return digest.hexdigest()


def _add(path: Path, digest: hashlib._Hash) -> None:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
