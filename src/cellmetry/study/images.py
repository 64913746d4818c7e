"""The images of a study: one row each with what file names, folders and headers say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from cellmetry.errors import CellmetryError, MissingInput, ParameterError
from cellmetry.io.discover import find_inputs
from cellmetry.io.opening import list_scenes, open_image
from cellmetry.io.patterns import group_files, parse_pattern
from cellmetry.io.scenes import find_scenes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cellmetry.core.image import Image
    from cellmetry.io.discover import InputFile
    from cellmetry.study.file import ImagesSection, Study

__all__ = ["StudyImages", "study_images"]

_PLACE = ("plate", "well", "field")
"""What headers say of an image's place."""
_OWN = ("image", "excluded", "reason")
"""Columns of a design that no part of a file name can be called."""


class StudyImages(NamedTuple):
    """What files say of the images of a study.

    Parameters
    ----------
    table
        A row an image in natural order: ``image``, its name as in the tables of a run, then the parts of its file
        names, and plate, well and field of its header where the names do not tell them; all text.
    headers
        In the same order ``image``, ``pixel_size_um``, ``exposure_ms`` (text, one value a channel), ``n_channels`` of
        the file that was opened (of a colour picture 1) and ``readable``; ``content``, equal for copies of one image,
        where files were hashed; empty where headers were not asked for.
    unmatched
        A sentence about the files whose names do not fit the pattern; empty if all do.
    shortages
        A sentence for each image that lacks planes.
    idle
        A sentence for each sheet that says something of wells or images that are not there.
    """

    table: pd.DataFrame
    headers: pd.DataFrame
    unmatched: str = ""
    shortages: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()


class _One(NamedTuple):
    name: str
    parts: dict[str, str]
    header: Image | None


def study_images(study: Study) -> StudyImages:
    """Return the images of a study; pixels are not read.

    Raises
    ------
    MissingInput
        If the folder is not there, holds no image, or no file name fits the pattern.
    """
    said = study.said.images
    if not study.images_folder.is_dir():
        raise MissingInput(f"{study.path}: there is no folder of images {study.images_folder}; correct images.folder.")
    files = find_inputs([study.images_folder])
    if said.pattern is None:
        scenes = find_scenes(files, lambda path: list_scenes(path, axes=said.axes, rgb=said.rgb))
        return _gathered((_One(each.stem.as_posix(), {}, each.image) for each in scenes), headers=True)
    return _by_pattern(files, said, said.pattern)


def _by_pattern(files: list[InputFile], said: ImagesSection, pattern: str) -> StudyImages:
    wrong = sorted(set(parse_pattern(pattern).names) & set(_OWN))
    if wrong:
        raise ParameterError(f"The pattern {pattern!r} names a part {wrong[0]!r}, which a design needs; rename it.")
    grouping = group_files(files, pattern)
    if not grouping.groups:
        raise MissingInput(
            f"None of the {len(files)} files fits the pattern {pattern!r}; the first is {files[0].relative}."
        )
    images = (
        _One(
            group.relative.as_posix(),
            dict(group.parts),
            _header(next(iter(group.files.values())), said) if said.headers else None,
        )
        for group in grouping.groups
    )
    shortages = tuple(group.shortage for group in grouping.groups if group.missing)
    return _gathered(images, headers=said.headers)._replace(
        unmatched=grouping.problems[0] if grouping.unmatched else "", shortages=shortages
    )


def _header(path: Path, said: ImagesSection) -> Image | None:
    try:
        return open_image(path, axes=said.axes, rgb=said.rgb)
    except (CellmetryError, OSError):
        return None  # stands in the headers as not readable, which the check of the design reports


def _gathered(images: Iterable[_One], *, headers: bool) -> StudyImages:
    rows, stated = [], []
    for each in images:
        said = {} if each.header is None else each.header.metadata
        place = {word: str(said[word]) for word in _PLACE if word in said}
        rows.append({"image": each.name, **place, **each.parts})
        stated.append({"image": each.name, **_stated(each.header)})
    table = pd.DataFrame(rows).astype(object)
    return StudyImages(table.where(table.notna(), None), pd.DataFrame(stated if headers else []))


def _stated(header: Image | None) -> dict[str, Any]:
    if header is None:
        return {"pixel_size_um": None, "exposure_ms": None, "n_channels": None, "readable": False}
    exposures = header.metadata.get("exposure_ms")
    said = None if exposures is None else ", ".join("?" if each is None else f"{each:g}" for each in exposures)
    number = 1 if header.colour else len(header.channels)
    return {
        "pixel_size_um": header.pixel_size.mean_um,
        "exposure_ms": said,
        "n_channels": number,
        "readable": True,
    }
