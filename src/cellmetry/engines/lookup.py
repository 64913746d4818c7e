"""Engine `labels`: finished label images, from any program, matched to images by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.engines.base import EngineSpec, LookupEngine, refuse_gpu
from cellmetry.errors import AxesError, MissingInput, ParameterError
from cellmetry.io.labels import read_labels
from cellmetry.ops.label_checks import check_same_size

if TYPE_CHECKING:
    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels

__all__ = ["LabelsEngine", "LabelsOptions"]


class LabelsOptions(Parameters):
    """Options of the engine `labels`."""

    file: Path | None = Field(None, description="One label image for every image; folder and pattern are not used.")
    folder: Path | None = Field(None, description="Folder of the label images; without it, they lie beside the images.")
    pattern: str = Field(
        "{stem}_labels.tif",
        description="Name of an image's label file; {stem} stands for the image's own name without its suffix. "
        "A pattern that holds * takes the one file that fits.",
    )


class LabelsEngine(LookupEngine):
    """Takes existing label images, ids unchanged, so that anyone's segmentation can be measured."""

    name = "labels"
    summary = "existing label images, matched by name; ids are kept"
    options_type = LabelsOptions

    def __init__(self, options: Parameters, spec: EngineSpec) -> None:
        super().__init__(options, spec)
        self.choices = cast("LabelsOptions", options)
        if self.choices.file is None and "{stem}" not in self.choices.pattern:
            raise ParameterError(f"The pattern {self.choices.pattern!r} of the engine labels must hold {{stem}}.")
        if spec.model is not None:
            raise ParameterError(f"The engine labels has no models; leave out --model {spec.model}.")
        refuse_gpu(self.name, spec)

    def lookup(self, image: Image) -> Labels:
        """Return the labels of `image`.

        Raises
        ------
        MissingInput
            If there is no label file, or more than one.
        LabelsError
            If its size is not that of the image.
        """
        found = self.source(image)
        axes = image.axes.replace("C", "")
        labels = _read(found, axes)
        check_same_size(labels, image)
        return labels

    def source(self, image: Image) -> Path:
        """Return the label file of `image`.

        Raises
        ------
        MissingInput
            If there is none, or more than one.
        """
        if self.choices.file is not None:
            return _present(self.choices.file)
        folder = self.choices.folder or (Path(image.path).parent if image.path else None)
        if folder is None:
            raise ParameterError(f"{image.name} has no file; the engine labels needs the option folder.")
        name = self.choices.pattern.replace("{stem}", image.name)
        hits = sorted(folder.glob(name)) if "*" in name else [folder / name]
        hits = [hit for hit in hits if hit.exists()]
        if len(hits) != 1:
            what = "no file" if not hits else f"{len(hits)} files"
            raise MissingInput(f"There is {what} {name} in {folder} with the labels of {image.name}; expected one.")
        return hits[0]


def _present(file: Path) -> Path:
    if not file.exists():
        raise MissingInput(f"{file} does not exist; give the path of a label image.")
    return file


def _read(file: Path, axes: str) -> Labels:
    """Return the labels in a file whose axes are those of the image, or Y and X alone."""
    if len(axes) == 2:
        return read_labels(file)
    try:
        return read_labels(file, axes=axes)
    except AxesError as error:
        flat = read_labels(file)
        if flat.axes != "YX":
            raise AxesError(str(error)) from error
        return flat
