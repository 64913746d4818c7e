"""Where the files of an image go in the folder of a run."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from cellmetry.pipeline.work import Job

__all__ = ["check_name", "map_folder", "place_of"]

_FORBIDDEN = frozenset('/\\\0:*?"<>|')


def place_of(job: Job, folder: str, tail: str) -> PurePosixPath:
    """Return where a file of an image goes, relative to the run's folder: ``folder/STEM_tail``, or ``folder/tail``."""
    stem = job.ref.stem
    check_name(tail)
    return PurePosixPath(folder) / (stem.with_name(f"{stem.name}_{tail}") if job.layout.stems else tail)


def map_folder(job: Job, name: str) -> str:
    """Return the folder of a map: a ratio has its own, with its picture, where a quantification is written."""
    return name if job.layout.quantification and name == "ratio" else job.layout.maps


def check_name(name: str) -> None:
    """Refuse a name of labels, masks, maps or tables that cannot be part of a file's name, or leads elsewhere.

    Raises
    ------
    ParameterError
        If it is such a name.
    """
    if not name.strip(". ") or _FORBIDDEN & set(name) or not name.isprintable():
        raise ParameterError(f"{name!r} cannot be the name of labels, masks or tables: files are named by it.")
