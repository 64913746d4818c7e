"""The images and labels of a finished run, opened again from its folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from cellmetry.errors import DamagedFile, InputError, MissingInput, UnknownName
from cellmetry.io.discover import InputFile
from cellmetry.io.grouped import open_group
from cellmetry.io.labels import read_labels
from cellmetry.io.patterns import group_files
from cellmetry.pipeline.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels

__all__ = ["FinishedRun", "open_run"]


@dataclass(frozen=True)
class FinishedRun:
    """A run's folder with what its record says.

    Parameters
    ----------
    folder
        Of the run.
    images
        What ``run.json`` says of each image that was worked, by its name.
    reading
        How the images were opened.
    """

    folder: Path
    images: Mapping[str, Mapping[str, Any]]
    reading: Reading

    def open_image(self, name: str) -> Image:
        """Return an image as the run read it, pixels not yet read.

        Raises
        ------
        UnknownName, MissingInput, InputError
            If the run has no such image, or its files are gone or of another size by now.
        """
        entry = self._entry(name)
        path, scene = entry["path"].removesuffix(f"#{entry['scene']}"), entry["scene"]
        gone = [file for file in {path, *entry["files"]} if not Path(file).exists()]
        if gone:
            raise MissingInput(
                f"{min(gone)}, a file of {name} in {self.folder}, is not there any more; put it back, or call from the "
                f"folder in which the run was started."
            )
        image = self.reading.open(path, scene) if self.reading.pattern is None else self._open_group(name, entry)
        if list(image.shape) != list(entry["shape"]):
            raise InputError(
                f"{name} has the shape {image.shape} now and had {tuple(entry['shape'])} in the run; run it again."
            )
        return image

    def open_labels(self, name: str, labels: str = "cells") -> Labels:
        """Return the labels that the run made of an image.

        Raises
        ------
        UnknownName, MissingInput
            If the run has no such image or labels, or their file is gone.
        """
        outputs = self._entry(name)["outputs"]
        known = {key.removeprefix("labels "): path for key, path in outputs.items() if key.startswith("labels ")}
        if labels not in known:
            raise UnknownName(f"labels of {name}", labels, known)
        return read_labels(self.folder / known[labels])

    def labels_of(self, table: str) -> str | None:
        """Return the labels whose objects are the rows of a table: those of its name, else the only ones there are."""
        names = {
            key.removeprefix("labels ")
            for entry in self.images.values()
            for key in entry["outputs"]
            if key.startswith("labels ")
        }
        if table in names:
            return table
        return names.pop() if len(names) == 1 else None

    def _entry(self, name: str) -> Mapping[str, Any]:
        if name not in self.images:
            raise UnknownName(f"image worked in {self.folder}", name, self.images)
        return self.images[name]

    def _open_group(self, name: str, entry: Mapping[str, Any]) -> Image:
        pattern = self.reading.pattern or ""
        depth = 1 + pattern.count("/")
        files = [InputFile(Path(file), PurePosixPath(*Path(file).parts[-depth:])) for file in entry["files"]]
        groups = group_files(files, pattern, roles=self.reading.roles).groups
        if len(groups) != 1:
            raise DamagedFile(f"{self.folder / 'run.json'}: the files of {name} do not make one image by {pattern!r}.")
        return open_group(groups[0], open_plane=self.reading.open)


def open_run(folder: str | Path) -> FinishedRun:
    """Return the run whose results lie in `folder`.

    Raises
    ------
    MissingInput
        If the folder has no record of a run.
    DamagedFile
        If the record does not say how images were opened.
    """
    folder = Path(folder)
    path = folder / "run.json"
    if not path.is_file():
        raise MissingInput(f"{folder} holds no run.json; give the folder of a finished run.")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DamagedFile(f"{path} is not JSON: {error}; run the recipe again.") from error
    if record.get("reading") is None:
        raise DamagedFile(
            f"{path} does not say how its images were opened; run the recipe on them again with `cellmetry run`."
        )
    done = {each["image"]: each for each in record["images"] if each["status"] == "done"}
    return FinishedRun(folder, done, Reading.model_validate(record["reading"]))
