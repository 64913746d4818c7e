"""`run_study`: one command from the images of a study to its report; what is done already is not done again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from cellmetry.core.progress import SILENT
from cellmetry.errors import InputError
from cellmetry.io.hashing import content_hash
from cellmetry.io.tables import table_file
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.comparison.run import Source, compare_to
from cellmetry.pipeline.inputs import find_images
from cellmetry.pipeline.pairing import check_pairing
from cellmetry.pipeline.recipe import load_recipe
from cellmetry.pipeline.study.plan import check_plan
from cellmetry.pipeline.study.settings import reading_of, settings_of
from cellmetry.pipeline.study.surroundings import RUN, surroundings_of
from cellmetry.pipeline.study.tables import described_columns, study_tables
from cellmetry.study.design.design import Finding, StudyDesign
from cellmetry.study.design.metadata import design_of, write_design
from cellmetry.study.design.replication import PSEUDO, as_one_replicate

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.core.progress import Progress
    from cellmetry.pipeline.batch import RunResult
    from cellmetry.pipeline.comparison.run import ComparisonResult
    from cellmetry.pipeline.comparison.settings import CompareSettings
    from cellmetry.pipeline.inputs import Found
    from cellmetry.study.file import Study

__all__ = ["RESULTS", "SECOND", "StudyResult", "reading_of", "run_study", "settings_of"]

SECOND, RESULTS = "second", "results"
"""Folders of a study: labels and tables by another segmentation, and what was found."""
_STOPS = ("compare",)
"""Kinds of errors of the plan that stop a run before it begins; a recipe tells its own, a channel is an image's."""


class StudyResult(NamedTuple):
    """What a study gave.

    Parameters
    ----------
    design
        What is known of the images, with all findings.
    run
        Of its recipe over the images.
    comparison
        None if nothing is asked to be compared.
    results
        Folder of what was found.
    """

    design: StudyDesign
    run: RunResult
    comparison: ComparisonResult | None
    results: Path


def run_study(study: Study, *, workers: int = 1, progress: Progress = SILENT) -> StudyResult:
    """Return what a study gave after writing ``run/`` and ``results/`` into its folder.

    Raises
    ------
    InputError
        If the design has an error; says the first. Nothing is run then.
    ParameterError
        If an entry of the study does not fit its images or tables; what was run stays.
    """
    settings = settings_of(study)
    design = design_of(study)
    write_design(study, design)
    planned = [finding for finding in check_plan(study, design) if finding.kind in _STOPS]
    errors = [finding.text for finding in (*design.findings, *planned) if finding.severity == "error"]
    if errors:
        more = f" ({len(errors) - 1} more; see `cellmetry study design`)" if len(errors) > 1 else ""
        where = "" if errors[0].startswith(str(study.path)) else f"{study.path}: "
        raise InputError(f"{where}{errors[0]}{more}")
    recipe = load_recipe(study.recipe, study.said.set)
    found = find_images([study.images_folder], reading_of(study), study.folder / RUN)
    design = replace(design, findings=(*design.findings, *_pairing(study, found)))
    done = run(recipe, found, study.folder / RUN, workers=workers, progress=progress)
    second = _run_second(study, found, workers, progress)
    design = replace(design, findings=(*design.findings, *_failures(done)))
    results = study.folder / RESULTS
    if settings is None:
        return StudyResult(design, done, None, results)
    return StudyResult(design, done, _compare(study, settings, design, second), results)


def _pairing(study: Study, found: Found) -> tuple[Finding, ...]:
    """Return what the shifts between channels mean that the study wants checked."""
    said = study.said.images
    if said.aligned_to is None or not said.roles:
        return ()
    measured = [name for name in said.roles.values() if name != said.aligned_to]
    return check_pairing(found.images, said.aligned_to, measured).findings


def _run_second(study: Study, found: Found, workers: int, progress: Progress) -> Path | None:
    """Return the folder of the run by another segmentation, None if the study asks for none."""
    if study.said.second is None:
        return None
    recipe = load_recipe(study.second_recipe, (*study.said.set, *study.said.second.set))
    run(recipe, found, study.folder / SECOND, workers=workers, progress=progress)
    return study.folder / SECOND


def _failures(done: RunResult) -> tuple[Finding, ...]:
    """Return what went wrong in a run: labels that were changed by hand and are not measured, images that failed."""
    told = tuple(Finding("warning", "run", problem) for problem in done.problems)
    if not done.failed:
        return told
    first = done.failed[0]
    text = f"{len(done.failed)} of {len(done.outcomes)} images could not be worked and are in no result: {first.reason}"
    return (*told, Finding("warning", "failed", text))


def _compare(study: Study, settings: CompareSettings, design: StudyDesign, second: Path | None) -> ComparisonResult:
    folder = study.folder / RUN
    design = with_replicates(design)
    wanted = [settings.table, *(each.table for each in settings.comparisons), *(gate.table for gate in settings.gates)]
    tables = study_tables(folder, design.images, wanted, settings.table)
    other = None if second is None else study_tables(second, design.images, wanted, settings.table)
    source = Source(tables, described_columns(folder, tables, design), _record(study), second=other)
    return compare_to(study.folder / RESULTS, source, settings, surroundings_of(study, settings, design, tables))


def with_replicates(design: StudyDesign) -> StudyDesign:
    """Return the design in which what is no replicate does not count as one.

    Where the check found that replicates are wells of one plate, or where there are none, all images are of one
    replicate, so that differences are estimated and nothing is tested; what was declared is ``declared_replicate``.
    """
    images = design.images
    doubtful = any(finding.kind == PSEUDO for finding in design.findings)
    if "replicate" in images.columns and not doubtful:
        return design
    return replace(design, images=as_one_replicate(images))


def _record(study: Study) -> dict[str, object]:
    sheets = (study.folder / sheet.file for sheet in study.said.design.sheets)
    files = [study.path, *sheets, study.folder / RUN / "run.json"]  # the last has the hashes of all images
    return {
        "study": study.name,
        "inputs": [{"path": str(file), "sha256": content_hash(table_file(file))} for file in files],
    }
