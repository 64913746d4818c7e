"""`LabelFormat`: labels in another program's format, both ways; `FORMATS` lists them."""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from cellmetry.core.registry import Registry
from cellmetry.core.step import Parameters
from cellmetry.errors import MissingInput, UnsupportedFormat

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.export.content import Content
    from cellmetry.export.frame import Frame
    from cellmetry.export.gathering import Gathered

__all__ = ["FORMATS", "LabelFormat", "load_json", "recognise_format"]

_HERE = "cellmetry.export.forms"

FORMATS = Registry(
    "format",
    {
        "rois": f"{_HERE}.rois:Rois",
        "geojson": f"{_HERE}.geojson:GeoJson",
        "coco": f"{_HERE}.coco:Coco",
        "seg-npy": f"{_HERE}.seg_npy:SegNpy",
        "csv": f"{_HERE}.object_csv:ObjectCsv",
        "labels": f"{_HERE}.label_files:LabelFiles",
    },
    "cellmetry.formats",
)
"""Name → format of labels in other programs."""

_JSON_LIMIT = 2_000_000_000


class LabelFormat(Parameters):
    """One format. Fields are its options; `write` and `read` do the work.

    A format that cannot be read back says so in words.
    """

    title: ClassVar[str] = ""
    """What it is, in a few words."""
    suffixes: ClassVar[tuple[str, ...]] = ()
    """Endings of its files, the usual one first."""

    @abstractmethod
    def write(self, content: Content, path: Path) -> tuple[str, ...]:
        """Write labels into the file `path`; return what a user should know."""

    @abstractmethod
    def read(self, path: Path, frame: Frame) -> Gathered:
        """Return the labels that a file holds, in an image like `frame`.

        Raises
        ------
        InputError
            If the file is missing, foreign, damaged or hostile, or does not fit the image.
        """


def recognise_format(path: Path) -> str:
    """Return the name of the format of a file, by its content.

    Raises
    ------
    MissingInput, UnsupportedFormat
        If there is no such file, or it is none of the known formats.
    """
    if not path.exists():
        raise MissingInput(f"{path} does not exist; give the file to import.")
    if path.is_dir():
        return "rois" if any(path.glob("*.roi")) else "labels"
    with path.open("rb") as file:
        start = file.read(64)
    if start[:4] == b"Iout" or start[:2] == b"PK":
        return "rois"
    if start[:6] == b"\x93NUMPY":
        return "seg-npy" if path.name.lower().endswith("_seg.npy") else "labels"
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in (b"{", b"["):
        return _json_format(path)
    return "csv" if path.suffix.lower() in {".csv", ".tsv", ".txt"} else "labels"


def load_json(path: Path) -> object:
    """Return the content of a JSON file.

    Raises
    ------
    MissingInput, UnsupportedFormat
        If it is missing, no valid JSON, or larger than 2 GB.
    """
    if not path.is_file():
        raise MissingInput(f"{path} does not exist; give a JSON file.")
    if path.stat().st_size > _JSON_LIMIT:
        raise UnsupportedFormat(f"{path} has {path.stat().st_size:,} bytes; JSON is read up to {_JSON_LIMIT:,}.")
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UnsupportedFormat(f"{path} is no valid JSON: {error}.") from error


def _json_format(path: Path) -> str:
    """Return which JSON it is, by words that each format must have; nothing is parsed."""
    data = path.read_bytes()
    return "coco" if b'"annotations"' in data and b'"images"' in data and b'"geometry"' not in data else "geojson"
