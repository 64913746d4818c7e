"""The answers for the files of a request as one file to send back."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from cellmetry.io.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.pipeline.oneshot.task import ImageAnswer

__all__ = ["MANIFEST", "Sent", "all_failed", "count_file", "predict_file", "status_of"]

MANIFEST = "results.json"
"""File of a ZIP that has one row for each image: what became of it."""
_MEDIA = {".tif": "image/tiff", ".png": "image/png", ".zip": "application/zip", ".json": "application/json"}
_DATE = (1980, 1, 1, 0, 0, 0)


class Sent(NamedTuple):
    """A file to send back.

    Parameters
    ----------
    name
        As it is to be called where it is saved.
    """

    path: Path
    name: str
    media_type: str


def all_failed(answers: Sequence[ImageAnswer]) -> bool:
    """Return whether nothing could be done."""
    return all(answer.status == "failed" for answer in answers)


def status_of(answers: Sequence[ImageAnswer]) -> int:
    """Return the HTTP status: 200 if all images are done, 207 if some; if none, that of the first."""
    if all_failed(answers):
        return answers[0].http_status
    return 207 if any(answer.status == "failed" for answer in answers) else 200


def predict_file(answers: Sequence[ImageAnswer], folder: Path, *, as_json: bool, several: bool) -> Sent:
    """Return what a request to predict sends back: the file of its one image, all as JSON, or a ZIP of files.

    Parameters
    ----------
    folder
        Where a file of several may be made.
    as_json
        Whether tables were asked for.
    several
        Whether it is to be in the form for several images also where there is one.
    """
    if not several and len(answers) == 1:
        path = Path(answers[0].output)
        return Sent(path, path.name, _MEDIA[path.suffix])
    if as_json:
        return _as_json([_told(answer) for answer in answers], folder)
    return Sent(_zipped(answers, folder / "results.zip"), "results.zip", "application/zip")


def count_file(answers: Sequence[ImageAnswer], folder: Path) -> Sent:
    """Return the counts of all images as JSON."""
    return _as_json([json.dumps(answer.row(), allow_nan=False) for answer in answers], folder)


def _told(answer: ImageAnswer) -> str:
    """Return an image's tables, or why it failed, as JSON."""
    if answer.output:
        return Path(answer.output).read_text(encoding="utf-8")
    return json.dumps({**answer.row(), "tables": {}}, allow_nan=False)


def _as_json(rows: Sequence[str], folder: Path) -> Sent:
    path = folder / MANIFEST
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write('{"images": [')
        file.write(", ".join(rows))
        file.write("]}")
    return Sent(path, MANIFEST, "application/json")


def _zipped(answers: Sequence[ImageAnswer], path: Path) -> Path:
    """Write the files of all images, and the rows that say what became of each, into a ZIP."""
    rows, taken = [], {MANIFEST}
    with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for answer in answers:
            name = _free_name(Path(answer.output).name, taken) if answer.output else ""
            if name:
                archive.write(answer.output, name)
            rows.append({**answer.row(), "output": name})
        entry = zipfile.ZipInfo(MANIFEST, _DATE)
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, json.dumps({"images": rows}, indent=1, allow_nan=False))
    return path


def _free_name(name: str, taken: set[str]) -> str:
    """Return a name for an entry that no other has, also where capitals do not count."""
    stem, suffix, number = PurePosixPath(name).stem, PurePosixPath(name).suffix, 1
    free = name
    while free.lower() in taken:
        number += 1
        free = f"{stem} ({number}){suffix}"
    taken.add(free.lower())
    return free
