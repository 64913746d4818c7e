"""Folders of results opened again: the record of a run, its labels, and the comparisons beside it."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellmetry.errors import DamagedFile, MissingInput, ParameterError
from cellmetry.io.labels import read_labels

if TYPE_CHECKING:
    from cellmetry.core.labels import Labels

__all__ = ["ResultFolder", "open_results"]

_RUN, _COMPARISON = "run.json", "comparison.json"


@dataclass(frozen=True)
class ResultFolder:
    """A folder of results: the record of a run, if it holds one, and of comparisons by their place in it."""

    folder: Path
    run_folder: Path
    run: dict[str, Any] = field(default_factory=dict)
    comparisons: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def images(self) -> dict[str, dict[str, Any]]:
        """What became of each image, by its name."""
        return {image["image"]: image for image in self.run.get("images", ())}

    @property
    def recipe(self) -> dict[str, Any]:
        """The recipe as its file holds it."""
        path = self.run_folder / "recipe.toml"
        if not self.run or not path.is_file():
            return {}
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DamagedFile(f"{path} is not a recipe ({error}); restore it, or run again.") from error

    def labels(self, image: str, name: str) -> Labels | None:
        """Return a label image of an image; None where its file is gone."""
        output = self.images[image]["outputs"].get(f"labels {name}")
        path = None if output is None else self.run_folder / output
        return None if path is None or not path.exists() else read_labels(path)


def open_results(folder: str | Path) -> ResultFolder:
    """Return what lies in a folder: a run in it or directly below, and all comparisons below.

    Raises
    ------
    MissingInput
        If the folder is missing or holds neither.
    ParameterError
        If it holds several runs.
    DamagedFile
        If a record is broken.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingInput(f"{folder} does not exist; give the folder of a run, a comparison or a study.")
    runs = [path for path in (folder / _RUN, *sorted(folder.glob(f"*/{_RUN}"))) if path.is_file()]
    found = {path.parent.relative_to(folder).as_posix(): _read_json(path) for path in sorted(folder.rglob(_COMPARISON))}
    if not runs and not found:
        raise MissingInput(
            f"{folder} holds neither {_RUN} nor {_COMPARISON}; give the folder of a run or a comparison."
        )
    if len(runs) > 1 and runs[0].parent != folder:
        raise ParameterError(f"{folder} holds {len(runs)} runs ({runs[0].parent.name}, …); give the folder of one.")
    return (
        ResultFolder(folder, runs[0].parent, _read_json(runs[0]), found)
        if runs
        else ResultFolder(folder, folder, {}, found)
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DamagedFile(
            f"{path} is not the record that Cellmetry writes ({error}); make the results again."
        ) from error
    if not isinstance(read, dict):
        raise DamagedFile(f"{path} is no record of Cellmetry's; make the results again.")
    return read
