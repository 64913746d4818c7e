"""What is compared in an evaluation: items with their truth, and the predicted labels of each."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cellmetry.errors import InputError, LabelsError, MissingInput, ParameterError, UnknownName
from cellmetry.io.discover import IMAGE_SUFFIXES, find_inputs, natural_key, stem_of
from cellmetry.learn.dataset import ITEMS_FILE, DataSet, DataSetCard, Item, read_data_set, read_truth
from cellmetry.learn.splits import PARTS, read_split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["PredictedLabels", "Predictor", "check_same_shape", "is_pictured", "read_truth_set", "take_part"]

_ENDINGS = re.compile(r"_(labels|cp_masks|masks|mask)$")
_PICTURES = re.compile(r".+_(overlay|thumbnail)\.png", re.IGNORECASE)
_NAMED = 3


class Predictor(Protocol):
    """Gives the predicted labels of an item, whole numbers of shape (Y, X), 0 for background."""

    def __call__(self, item: Item, /) -> NDArray[np.integer]:
        """Return the labels."""
        ...


def read_truth_set(truth: str | Path, images: Iterable[str | Path] = ()) -> DataSet:
    """Return the items that `truth` means: a data set, a folder of label images, or one label image.

    Parameters
    ----------
    images
        Images of the same stems, shown in pictures; with them, only their truths count. Those of a data set are
        known, so none may be given then. An item without an image has its truth for one (`is_pictured`).

    Raises
    ------
    MissingInput
        If there is no label image, or an image has no truth.
    """
    path, given = Path(truth), list(images)
    if (path / ITEMS_FILE).is_file() or ((path / "images").is_dir() and (path / "labels").is_dir()):
        if given:
            raise InputError(f"{truth} is a data set, which names its images itself; leave out {given[0]}.")
        return read_data_set(path)
    truths = label_files(path)
    items = _with_images(truths, given, path) if given else [Item(name, file, file) for name, file in truths.items()]
    card = DataSetCard(name="/".join(path.resolve().parts[-2:]))
    return DataSet(card, path if path.is_dir() else path.parent, tuple(items))


def take_part(data_set: DataSet, split: str | Path, part: str) -> DataSet:
    """Return the items of a data set that a split puts into `part`: train, validation or test.

    Raises
    ------
    ParameterError
        If the split puts none of them there.
    """
    if part not in PARTS:
        raise UnknownName("part of a split called", part, PARTS)
    known = read_split(split)
    items = tuple(item for item in data_set.items if known.of(data_set.card.name, item.name) == part)
    if not items:
        raise ParameterError(
            f"{split} puts none of the {len(data_set.items)} items of {data_set.card.name} into the part {part!r}."
        )
    return replace(data_set, items=items)


def is_pictured(item: Item) -> bool:
    """Return whether the image of an item is known, and not only its truth."""
    return item.image != item.truth


def label_files(path: Path) -> dict[str, Path]:
    """Return name → label image below a folder, in natural order; of a folder of a run, those in ``labels``.

    The name is the path below the folder without suffix and without the ending ``_labels``, ``_masks``, ``_cp_masks``
    or ``_mask``, with ``_`` for each separator.

    Raises
    ------
    MissingInput
        If there is none.
    InputError
        If two files have the same name.
    """
    if not path.exists():
        raise MissingInput(f"{path} does not exist; give a folder of label images.")
    if not path.is_dir() or path.suffix.lower() == ".zarr":
        return {_name_of(Path(path.name)): path}
    base = path / "labels" if (path / "labels").is_dir() else path
    found: dict[str, Path] = {}
    for file in sorted(_walk(base), key=lambda file: natural_key(str(file))):
        name = _name_of(file.relative_to(base))
        if name in found:
            raise InputError(f"{found[name]} and {file} both hold labels of {name!r}; remove or rename one of them.")
        found[name] = file
    if not found:
        raise MissingInput(
            f"{path} holds no label image; one a picture is expected, of the same stem (a.tif, a.png or a_labels.tif "
            f"for the image a)."
        )
    return found


def _walk(folder: Path) -> list[Path]:
    found: list[Path] = []
    for path in folder.iterdir():
        if path.name.startswith(".") or _PICTURES.fullmatch(path.name):
            continue
        if path.suffix.lower() in IMAGE_SUFFIXES:
            found.append(path)
        elif path.is_dir():
            found += _walk(path)
    return found


def _name_of(relative: Path) -> str:
    stem = _ENDINGS.sub("", stem_of(relative.name)) or stem_of(relative.name)
    return "_".join((*relative.parent.parts, stem))


def _with_images(truths: Mapping[str, Path], images: list[str | Path], path: Path) -> list[Item]:
    """Return an item for each image, in their order."""
    items = []
    for file in find_inputs(images):
        name = "_".join(file.stem.parts)
        partner = name if name in truths else file.stem.name
        if partner not in truths:
            raise MissingInput(
                f"{file.path} has no truth: {path} holds no label image of the stem {file.stem.name!r} (it has "
                f"{', '.join(list(truths)[:_NAMED])}{', …' if len(truths) > _NAMED else ''})."
            )
        address = file.path if file.scene is None else file.path.with_name(f"{file.path.name}#{file.scene}")
        items.append(Item(partner, address, truths[partner]))
    return items


class PredictedLabels:
    """Label images in a folder (or one file) as predictions, matched to items by name.

    Parameters
    ----------
    path
        The folder, or a file where there is a single item.
    items
        What is evaluated.

    Attributes
    ----------
    unused
        Names of label images that belong to no item.

    Raises
    ------
    MissingInput
        If the folder holds no label image, or none for some item.
    """

    def __init__(self, path: str | Path, items: Iterable[Item]) -> None:
        self.path, items = Path(path), list(items)
        files = label_files(self.path)
        if self.path.is_file() and len(items) == 1:
            files = {items[0].name: self.path}
        missing = [item for item in items if item.name not in files]
        if missing:
            raise MissingInput(
                f"{len(missing)} of {len(items)} true images have no prediction in {path}, for example "
                f"{missing[0].truth} ({missing[0].name}.tif or {missing[0].name}_labels.tif was looked for); "
                f"predict them too, or leave them out of the truth."
            )
        self.files = files
        self.unused = tuple(sorted(files.keys() - {item.name for item in items}, key=natural_key))

    def __call__(self, item: Item, /) -> NDArray[np.integer]:
        """Return the predicted labels of `item`."""
        labels: NDArray[np.integer] = read_truth(replace(item, truth=self.files[item.name], kind="labels"))
        return labels


def check_same_shape(item: Item, truth: tuple[int, ...], predicted: tuple[int, ...]) -> None:
    """Refuse a prediction of another size than its truth.

    Raises
    ------
    LabelsError
        If the shapes differ; names the item.
    """
    if truth != predicted:
        sizes = [" × ".join(map(str, shape)) for shape in (predicted, truth)]
        raise LabelsError(
            f"{item.name}: the prediction is of {sizes[0]} pixels, the truth {item.truth} of {sizes[1]}; compare "
            f"labels of the same image at the same scale."
        )
