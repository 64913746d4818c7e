"""`new_study`: a study's folder for images, with a proposed pattern and a sheet to fill in."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from cellmetry.errors import MissingInput, ParameterError
from cellmetry.io.atomic import atomic_folder
from cellmetry.io.discover import find_inputs
from cellmetry.io.tables import write_table
from cellmetry.study.file import (
    STUDY_FILE,
    WORDS,
    About,
    DesignSection,
    ImagesSection,
    Sheet,
    Study,
    StudyFile,
)
from cellmetry.study.images import study_images
from cellmetry.study.naming.parts import shown_values
from cellmetry.study.naming.proposing import propose_pattern
from cellmetry.study.sheets import empty_sheet, with_wells
from cellmetry.study.store.names import STUDY_SUFFIX
from cellmetry.study.template import study_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.core.step import Parameters
    from cellmetry.study.images import StudyImages
    from cellmetry.study.naming.proposing import Proposal

__all__ = ["SHEET_FILE", "NewStudy", "new_study"]

SHEET_FILE = "design.csv"
"""The sheet that a user fills in."""


class NewStudy(NamedTuple):
    """A study that was made, what was proposed, and how many rows its sheet has."""

    study: Study
    proposal: Proposal
    n_rows: int


def new_study(
    images: str | Path,
    out: str | Path,
    name: str | None = None,
    *,
    style: Mapping[str, Any] | None = None,
    kinds: Mapping[str, type[Parameters]] | None = None,
) -> NewStudy:
    """Return the study that was made in the folder ``out/NAME.cellmetry/``; images stay where they are.

    Parameters
    ----------
    name
        That of the folder of images if left out.
    style
        How figures look at first.
    kinds
        As in `study_text`.

    Raises
    ------
    ParameterError
        If there is a study of this name.
    MissingInput
        If the folder of images is not there, or has none.
    """
    images = Path(images)
    if not images.is_dir():
        raise MissingInput(f"There is no folder {images}; give the folder of the images.")
    folder = _folder(images, Path(out), name)
    proposal = propose_pattern(find_inputs([images]))
    said = StudyFile(
        study=About(name=folder.name.removesuffix(STUDY_SUFFIX)),
        images=ImagesSection(
            folder=_seen_from(folder, images),
            pattern=proposal.pattern,
            roles={channel: channel for channel in proposal.channels},
        ),
        design=DesignSection(sheets=(Sheet(file=SHEET_FILE),)),
        style=dict(style or {}),
    )
    study = Study(folder / STUDY_FILE, said)
    found = study_images(study)
    sheet = empty_sheet(with_wells(found.table))
    text = study_text(said, hints=_hints(proposal) | _run_hints(_n_channels(proposal, found), proposal), kinds=kinds)
    with atomic_folder(folder, marker=STUDY_FILE) as made:
        (made / STUDY_FILE).write_text(text, encoding="utf-8")
        write_table(sheet, made / SHEET_FILE)
    return NewStudy(study, proposal, len(sheet))


def _folder(images: Path, out: Path, name: str | None) -> Path:
    """Return the folder of a new study."""
    name = (name or images.resolve().name).removesuffix(STUDY_SUFFIX)
    if not name or PurePath(name).name != name:
        raise ParameterError(f"A study cannot be called {name!r}; give a name without slashes with --name.")
    folder = out / f"{name}{STUDY_SUFFIX}"
    if folder.exists():
        raise ParameterError(f"There is a study {folder} already, which is never written over; choose another --name.")
    return folder


def _seen_from(folder: Path, images: Path) -> str:
    """Return the folder of images as seen from a study beside or above it, so that both can move; else its path."""
    real = images.resolve()
    beside = real.is_relative_to(folder.resolve().parent)
    return Path(os.path.relpath(real, folder.resolve())).as_posix() if beside else real.as_posix()


def _n_channels(proposal: Proposal, found: StudyImages) -> int:
    """Return how many channels the images have at most, by their names and by their headers."""
    stated = found.headers["n_channels"].dropna() if "n_channels" in found.headers.columns else ()
    return max(1, len(proposal.channels), *map(int, stated))


def _run_hints(channels: int, proposal: Proposal) -> dict[str, list[str]]:
    """Return comments that help to choose a recipe that fits, and what is compared."""
    name = proposal.channels[-1] if proposal.channels else "0"
    recipe = ["`cellmetry recipe list` shows the recipes."]
    if channels > 1:
        recipe.append(
            f"The images have {channels} channels, so say which one the recipe any segments, by its name in "
            f'images.roles or its number from 0: set = ["segment.channel={name}"]. Or choose a recipe that names its '
            f"channels, such as edu (phase, EdU and TO-PRO-3), and name those of the images so in images.roles."
        )
    value = f"mean_{proposal.channels[-1]}" if proposal.channels else "area_px"
    compare = ["Two lines are enough; write them here without the #:", "[[compare]]", f'value = "{value}"']
    if proposal.channels:
        compare.append("The mean of a channel is called by the name that images.roles gives it: mean_EdU.")
    compare.append("All entries that there are, with what holds where nothing is said:")
    return {"": recipe, "compare": compare}


def _hints(proposal: Proposal) -> dict[str, list[str]]:
    """Return what the proposal says as comments of the sections that it concerns."""
    images = [f"Seen: {line}" for line in proposal.said] + [f"Not known: {line}" for line in proposal.doubts]
    images += [f"Or: pattern = '{pattern}' ({words})" for pattern, words in proposal.alternatives]
    design = [
        f"Nothing of the design is guessed. Fill in {SHEET_FILE} (a spreadsheet opens it), or write rules "
        f"(design.assign), or take parts of the file names (design.columns)."
    ]
    parts = [f"{name} ({shown_values(values)})" for name, values in proposal.parts.items() if name not in WORDS]
    parts = [part for part in parts if not part.startswith(("channel ", "z ", "t "))]
    if parts:
        first = parts[0].partition(" ")[0]
        design.append(f'Parts of the names: {", ".join(parts)}. As in condition = "{first}" if that is what it says.')
    return {"images": images, "design": design}
