"""`DataSet`: images with their truth, where they come from, and how they are read.

A data set is a folder with two files: ``dataset.toml``, the card, and ``items.csv``, one line an item. Images and
truth may lie anywhere; nothing is copied. A plain folder with ``images/`` and ``labels/`` (same stems) is one too,
without a stated licence; it may have ``annotated/`` with pictures of what was annotated in some or all images.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np
import pandas as pd
import tomli_w
from pydantic import Field

from cellmetry.core.parameters import parse_parameters
from cellmetry.core.step import Parameters
from cellmetry.engines.plane import Plane
from cellmetry.errors import (
    DamagedFile,
    InputError,
    LabelsError,
    MissingInput,
    OutputError,
    ParameterError,
    UnknownName,
)
from cellmetry.io.atomic import atomic_write
from cellmetry.io.discover import IMAGE_SUFFIXES, natural_key, stem_of
from cellmetry.io.labels import read_labels
from cellmetry.io.opening import open_image, split_address
from cellmetry.io.tables import read_table, write_table
from cellmetry.models.licences import NonCommercial, stated_by_licence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.core.image import Image

__all__ = [
    "DataSet",
    "DataSetCard",
    "Item",
    "TruthKind",
    "check_name",
    "pixel_size_span",
    "read_annotated",
    "read_data_set",
    "read_image",
    "read_truth",
    "refuse_contents",
    "write_data_set",
]

CARD_FILE = "dataset.toml"
ITEMS_FILE = "items.csv"

TruthKind = Literal["labels", "points", "foreground"]
"""What the truth of an item is: a label image, a table of points (x, y), or a picture, non-zero where cells are."""

_REFUSED = re.compile(r'[<>:"/\\|?*\x00-\x1f]|^[. ]|[. ]$|^$')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_SHOWN = 3


class DataSetCard(Parameters):
    """What a data set is, who made it, and what its licence allows."""

    name: str = Field(min_length=1, max_length=200)
    """Word by which the data set is known; part of file names."""
    licence: str = Field(default="unknown", min_length=1, max_length=200)
    """SPDX identifier, or the words of its makers."""
    non_commercial: NonCommercial = Field(default_factory=stated_by_licence)
    """Whether commercial use of the data and of models that learn from it is forbidden; left out, as `licence` says."""
    source: str = Field(default="", max_length=1000)
    """Public home of the data."""
    citation: str = Field(default="", max_length=2000)
    """What to cite."""
    summary: str = Field(default="", max_length=2000)
    """What the images show."""
    pixel_size_um: tuple[float, float] | None = None
    """Smallest and largest pixel size of the images in µm; None if unknown."""


@dataclass(frozen=True)
class Item:
    """One image of a data set with its truth.

    Parameters
    ----------
    name
        Unique in its data set, and usable as a file name.
    image
        The image; ``file.czi#3`` for one scene of a file.
    truth
        Label image, foreground picture, or table of points, as `kind` says.
    annotated
        Picture whose non-zero pixels were annotated; all others are ignored in training and evaluation. None for all.
    channel
        Channel of a multi-channel image to look at, by name or index; None for the grey value of a grey or colour one.
    group
        Items of one group (a well, a slide, a field) are never parted by a split; empty for a group of its own.
    modality
        Kind of microscopy in the words of the data set; splits keep the proportions of each.
    """

    name: str
    image: Path
    truth: Path
    kind: TruthKind = "labels"
    annotated: Path | None = None
    channel: str | None = None
    group: str = ""
    modality: str = ""

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.kind not in get_args(TruthKind):
            raise UnknownName("kind of truth", self.kind, get_args(TruthKind))


@dataclass(frozen=True)
class DataSet:
    """A card and its items, and the folder in which they are written down."""

    card: DataSetCard
    folder: Path
    items: tuple[Item, ...]

    def __post_init__(self) -> None:
        counts = Counter(item.name.casefold() for item in self.items)
        twice = sorted(name for name, count in counts.items() if count > 1)
        if twice:
            raise InputError(
                f"The data set {self.card.name} has {len(twice)} names more than once (case does not count), "
                f"for example {twice[0]!r}; every item needs a name of its own."
            )


def check_name(name: str) -> None:
    """Refuse a name that some file system would not take.

    Raises
    ------
    ParameterError
        If it holds a separator or another reserved sign, or begins or ends with a dot or a space.
    """
    if _REFUSED.search(name) or _RESERVED.fullmatch(name):
        raise ParameterError(f"{name!r} cannot be the name of an item, because it cannot be a file name; rename it.")


def read_image(item: Item) -> NDArray[np.float32]:
    """Return the grey plane of an item, shape (Y, X), in the file's own values; 16 bits are kept.

    Raises
    ------
    InputError
        If the image is a stack or a series, or has several channels and the item names none.
    """
    image = open_image(item.image)
    if image.sizes["T"] * image.sizes["Z"] > 1:
        raise InputError(
            f"{item.image} has {image.sizes['T']} times and {image.sizes['Z']} Z planes; an item of a data set is one "
            f"plane. Save the planes as files of their own."
        )
    plane = Plane(image, _channels(item, image), grey=item.channel is None and image.colour)
    grey: NDArray[np.float32] = plane.read(image.plane_box)[0]
    return grey


def read_truth(item: Item) -> NDArray[Any]:
    """Return the truth of an item: labels int32 (Y, X), foreground bool (Y, X), or points float64 (n, 2) as y, x.

    Raises
    ------
    InputError
        If the file is missing, broken, or not what the item says.
    """
    if item.kind == "points":
        return _read_points(item.truth)
    plane = _read_plane(item.truth)
    return plane > 0 if item.kind == "foreground" else plane


def read_annotated(item: Item) -> NDArray[np.bool_] | None:
    """Return where an item was annotated, shape (Y, X); None if everywhere."""
    return None if item.annotated is None else _read_plane(item.annotated) > 0


def read_data_set(path: str | Path) -> DataSet:
    """Return the data set in a folder: with ``dataset.toml`` and ``items.csv``, or with ``images/`` and ``labels/``.

    The latter may have ``annotated/`` too, with pictures for some or all images.

    Raises
    ------
    InputError
        If the folder is neither, or a file that it names is missing; pixels are not read.
    """
    folder = Path(path).absolute()
    if (folder / ITEMS_FILE).is_file():
        data_set = DataSet(_read_card(folder / CARD_FILE), folder, _read_items(folder))
    elif (folder / "images").is_dir() and (folder / "labels").is_dir():
        data_set = DataSet(DataSetCard(name=folder.name), folder, _paired(folder))
    else:
        raise MissingInput(
            f"{path} is no data set: it has neither {ITEMS_FILE} with {CARD_FILE}, nor the folders images and labels. "
            f"`cellmetry dataset import` makes one."
        )
    _check_files(data_set)
    return data_set


def write_data_set(data_set: DataSet) -> None:
    """Write the card and the items into the folder of `data_set`; paths inside it are written relative to it."""
    card = data_set.card.model_dump(exclude_none=True)
    with atomic_write(data_set.folder / CARD_FILE) as temporary:
        temporary.write_text(tomli_w.dumps(card), "utf-8")
    rows = [[_written(getattr(item, name), data_set.folder) for name in _COLUMNS] for item in data_set.items]
    write_table(pd.DataFrame(rows, columns=list(_COLUMNS), dtype="str"), data_set.folder / ITEMS_FILE)


def pixel_size_span(sizes_um: Sequence[float | None]) -> tuple[float, float] | None:
    """Return the smallest and largest pixel size of all images, in µm; None if one is unknown, or there is no image."""
    known = [size for size in sizes_um if size is not None]
    return (min(known), max(known)) if known and len(known) == len(sizes_um) else None


def refuse_contents(folder: Path) -> None:
    """Refuse to make a data set where something lies already.

    Raises
    ------
    OutputError
        If `folder` is a file, or holds anything.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise OutputError(f"{folder} could not be written: it has contents already; name a new folder with --out.")


_COLUMNS = tuple(field.name for field in fields(Item))
_PATHS = ("image", "truth", "annotated")


def _written(value: object, folder: Path) -> str:
    if not isinstance(value, Path):
        return "" if value is None else str(value)
    absolute = value.absolute()
    inside = absolute.is_relative_to(folder.absolute())
    return absolute.relative_to(folder.absolute()).as_posix() if inside else str(absolute)


def _read_card(path: Path) -> DataSetCard:
    if not path.is_file():
        raise MissingInput(f"{path} is missing; it names the data set and its licence, beside {ITEMS_FILE}.")
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise DamagedFile(f"{path} is not valid TOML: {error}.") from error
    return parse_parameters(DataSetCard, values, where=str(path))


def _read_items(folder: Path) -> tuple[Item, ...]:
    path = folder / ITEMS_FILE
    table = read_table(path, text=_COLUMNS)
    unknown = [str(name) for name in table.columns if name not in _COLUMNS]
    if unknown:
        raise UnknownName(f"column of {path} called", unknown[0], _COLUMNS)
    missing = [name for name in ("image", "truth") if name not in table.columns]
    if missing:
        raise DamagedFile(f"{path} has no column {missing[0]!r}; it needs image and truth, a path a line.")
    return tuple(_item(folder, row, line) for line, row in enumerate(table.to_dict("records"), start=2))


def _item(folder: Path, row: dict[Any, Any], line: int) -> Item:
    values: dict[str, Any] = {str(key): value for key, value in row.items() if value}
    for name in ("image", "truth"):
        if name not in values:
            raise DamagedFile(f"{folder / ITEMS_FILE} line {line}: {name} is empty; it is a path.")
    values |= {name: folder / values[name] for name in _PATHS if name in values}
    values.setdefault("name", stem_of(Path(split_address(values["image"]).path).name))
    return Item(**values)


def _paired(folder: Path) -> tuple[Item, ...]:
    images, labels = (_by_stem(folder / name) for name in ("images", "labels"))
    labels = {stem if stem in images else stem.removesuffix("_labels"): path for stem, path in labels.items()}
    annotated = _by_stem(folder / "annotated") if (folder / "annotated").is_dir() else {}
    alone = [str(images[stem]) for stem in images.keys() - labels.keys()]
    alone += [str(found[stem]) for found in (labels, annotated) for stem in found.keys() - images.keys()]
    if alone:
        raise MissingInput(
            f"{folder}: {len(alone)} files have no partner of the same stem in images and labels: "
            f"{', '.join(sorted(alone)[:_SHOWN])}{', …' if len(alone) > _SHOWN else ''}."
        )
    stems = sorted(images, key=natural_key)
    return tuple(Item(stem, images[stem], labels[stem], annotated=annotated.get(stem)) for stem in stems)


def _by_stem(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix.lower() not in IMAGE_SUFFIXES:
            continue
        stem = stem_of(path.name)
        if stem in found:
            raise InputError(f"{found[stem]} and {path} have the same stem; rename one of them.")
        found[stem] = path
    return found


def _check_files(data_set: DataSet) -> None:
    if not data_set.items:
        raise MissingInput(f"The data set {data_set.folder} has no items.")
    paths = [path for item in data_set.items for path in (item.image, item.truth, item.annotated) if path is not None]
    missing = [path for path in paths if not Path(split_address(path).path).exists()]
    if missing:
        raise MissingInput(
            f"The data set {data_set.folder} names {len(missing)} files that do not exist, for example {missing[0]}; "
            f"put them back, or correct {ITEMS_FILE}."
        )


def _channels(item: Item, image: Image) -> tuple[int, ...]:
    if item.channel is not None:
        return (image.channel_index(item.channel),)
    if image.colour or len(image.channels) == 1:
        return tuple(range(len(image.channels)))
    names = ", ".join(f"{index} ({name})" for index, name in enumerate(image.channel_names))
    raise InputError(f"{item.image} has several channels: {names}; name one in the column channel of {ITEMS_FILE}.")


def _read_plane(path: Path) -> NDArray[np.int32]:
    labels = read_labels(path)
    if any(size > 1 for size in labels.shape[:-2]):
        raise LabelsError(f"{path} has the shape {labels.shape}; the truth of an item is one plane.")
    plane = labels.read().reshape(labels.shape[-2:])
    if plane.size and plane.max() > np.iinfo(np.int32).max:
        raise LabelsError(f"{path} has ids up to {plane.max()}; renumber them below {np.iinfo(np.int32).max}.")
    return plane.astype(np.int32)


def _read_points(path: Path) -> NDArray[np.float64]:
    table = read_table(path)
    missing = [name for name in ("x", "y") if name not in table.columns]
    if missing:
        raise DamagedFile(f"{path} has no column {missing[0]!r}; points are a table with x and y in pixels.")
    return _numbers(table[["y", "x"]], path)


def _numbers(table: pd.DataFrame, path: Path) -> NDArray[np.float64]:
    try:
        points = table.to_numpy(dtype=np.float64)
    except ValueError as error:
        raise DamagedFile(f"{path}: x and y must be numbers in every line.") from error
    if not np.isfinite(points).all():
        raise DamagedFile(f"{path}: x or y is missing in some line.")
    return cast("NDArray[np.float64]", points)
