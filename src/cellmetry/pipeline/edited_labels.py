"""Label files of an earlier run that somebody has changed by hand: told, and never written over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cellmetry.core.labels import labels_hash
from cellmetry.io.labels import read_labels

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["edited_labels", "keep_edited_labels"]

_KEPT = "{stem}_changed_by_hand{suffix}"


def edited_labels(out: Path, state: Path) -> dict[str, Path]:
    """Return the label files of one image that differ from what a run wrote, by the name of their labels.

    Only files written later than the run's own record of the image are read.

    Parameters
    ----------
    out
        Folder of the run.
    state
        Its record of the image; none of the files is edited if it is not there.
    """
    if not state.is_file():
        return {}
    saved, written = json.loads(state.read_text(encoding="utf-8")), state.stat().st_mtime_ns
    files = {name: out / saved["outputs"].get(f"labels {name}", "") for name in saved["labels_sha256"]}
    later = {name: file for name, file in files.items() if file.is_file() and file.stat().st_mtime_ns > written}
    return {
        name: file for name, file in later.items() if labels_hash(read_labels(file)) != saved["labels_sha256"][name]
    }


def keep_edited_labels(out: Path, state: Path) -> list[str]:
    """Return a sentence for each edited label file of an image after renaming it, so that it is not written over."""
    said = []
    for name, file in edited_labels(out, state).items():
        kept = file.with_name(_KEPT.format(stem=file.stem, suffix=file.suffix))
        file.replace(kept)
        said.append(f"The labels {name} had been changed by hand; they were kept as {kept.name} and made anew.")
    return said
