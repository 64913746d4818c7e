"""Where the files of an image go in the folder of a run."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellmetry.pipeline.work import Job

__all__ = ["map_folder", "place_of"]


def place_of(job: Job, folder: str, tail: str) -> PurePosixPath:
    """Return where a file of an image goes, relative to the run's folder: ``folder/STEM_tail``, or ``folder/tail``."""
    stem = job.ref.stem
    return PurePosixPath(folder) / (stem.with_name(f"{stem.name}_{tail}") if job.layout.stems else tail)


def map_folder(job: Job, name: str) -> str:
    """Return the folder of a map: a ratio has its own, with its picture, where a quantification is written."""
    return name if job.layout.quantification and name == "ratio" else job.layout.maps
