"""What a user has put or changed in a folder of results stays when the results are made anew."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["keep_own_files", "written_files"]

_CHANGED = "{stem} (changed by hand){suffix}"


def written_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in a folder and those below it, by its path from the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _hash(path) for path in files}


def keep_own_files(before: Path, after: Path, record: str) -> list[str]:
    """Return sentences on files that were carried from an earlier folder of results into its successor.

    A file that the earlier record (a JSON file with ``files``) does not list is the user's own; one whose content
    differs from what was written was changed by hand, and stands beside the new one under another name.
    """
    if not (before / record).is_file():
        return []
    listed = json.loads((before / record).read_text(encoding="utf-8")).get("files", {})
    kept = []
    for path in sorted(each for each in before.rglob("*") if each.is_file()):
        name = path.relative_to(before).as_posix()
        if name == record or listed.get(name) == _hash(path):
            continue
        target = after / name
        if name in listed or target.exists():
            target = target.with_name(_CHANGED.format(stem=target.stem, suffix=target.suffix))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
        kept.append(f"{name} was not written by Cellmetry, or changed since; it was kept as {target.name}.")
    return kept


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
