"""The study that goes with the generated EdU images: everything named, ready to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.io.atomic import atomic_folder
from cellmetry.learn.generate.edu import CONDITIONS, IMAGES, PATTERN, PLATE_MAP, ROLES
from cellmetry.report.style import FigureStyle
from cellmetry.study.file import (
    STUDY_FILE,
    About,
    DesignSection,
    Filters,
    ImagesSection,
    Sheet,
    StudyFile,
    load_study,
)
from cellmetry.study.questions import TableComparison, TableGate
from cellmetry.study.store.names import STUDY_SUFFIX
from cellmetry.study.template import study_text

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.study.file import Study

__all__ = ["example_study"]

_NAME = f"edu{STUDY_SUFFIX}"
_GATE = TableGate(value="mean_EdU", mixture=True, within="replicate", positive="EdU_positive", table="nuclei")
_LABELS = {"mean_EdU": "EdU of nuclei (a.u.)", "EdU_positive": "EdU⁺ nuclei", "n_nuclei": "nuclei a field"}


def example_study(folder: Path) -> Study:
    """Return the study ``edu.cellmetry`` after writing it beside the generated images in a folder."""
    names = [condition.name for condition in CONDITIONS]
    said = StudyFile(
        recipe="edu",
        study=About(
            name="EdU, six conditions on three days",
            description="Generated images: which conditions change the share of cells that make DNA, and their number?",
        ),
        images=ImagesSection(folder=f"../{IMAGES}", pattern=PATTERN, roles=ROLES, detector_bits=16, aligned_to="phase"),
        design=DesignSection(sheets=(Sheet(file=f"../{PLATE_MAP}"),), order=tuple(names), control=names[0]),
        filters=Filters(table="nuclei"),
        positive=(
            TableGate(value="mean_EdU", mixture=True, within="replicate", positive="EdU_positive", table="nuclei"),
        ),
        compare=(
            TableComparison(value="EdU_positive", table="nuclei"),
            TableComparison(value="mean_EdU", table="nuclei"),
            TableComparison(value="n_nuclei", table="fields"),
        ),
        style=FigureStyle(
            labels={"mean_EdU": "EdU of nuclei (a.u.)", "EdU_positive": "EdU⁺ nuclei", "n_nuclei": "nuclei a field"}
        ).model_dump(exclude_none=True),
    )
    with atomic_folder(folder / _NAME, marker=STUDY_FILE) as made:
        text = study_text(said, kinds={"style": FigureStyle})
        (made / STUDY_FILE).write_text(text, encoding="utf-8")
    return load_study(folder / _NAME)
