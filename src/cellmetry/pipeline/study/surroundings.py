"""What the report of a study shows besides the comparison: plates, examples, flags, curves, pictures of cells."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from cellmetry.pipeline.comparison.run import Surroundings
from cellmetry.pipeline.comparison.run_facts import facts_of_run
from cellmetry.pipeline.comparison.sources import run_pictures
from cellmetry.pipeline.example_pictures import example_pictures
from cellmetry.pipeline.finished_run import open_run
from cellmetry.pipeline.readouts import fit_doses, write_dose_response
from cellmetry.pipeline.study.plates import draw_plates, layout_of
from cellmetry.report.document import FigureBlock
from cellmetry.report.examples import ExampleOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cellmetry.pipeline.comparison.prepare import Compared, Tables
    from cellmetry.pipeline.comparison.settings import CompareSettings
    from cellmetry.report.comparison.document import Example
    from cellmetry.study.design.design import StudyDesign
    from cellmetry.study.file import Study

__all__ = ["flags_table", "surroundings_of"]

RUN = "run"
"""Folder of a study with labels and tables."""
_FLAG = "flag_"


def surroundings_of(
    study: Study, settings: CompareSettings, design: StudyDesign, tables: dict[str, pd.DataFrame]
) -> Surroundings:
    """Return what surrounds the comparison of a study that was run."""
    folder, images = study.folder / RUN, design.images
    return Surroundings(
        title=study.name,
        subtitle=study.said.study.description,
        run=facts_of_run(folder),
        findings=design.findings,
        plates=partial(draw_plates, study, images, style=settings.style),
        examples=partial(_examples, folder, images, settings, study.said.filters.labels),
        layout=layout_of(study, images, settings.style),
        flags=flags_table(tables[settings.table], settings),
        pictures=run_pictures(folder, study.said.filters.labels),
        further=partial(_dose_response, study, settings),
    )


def flags_table(table: pd.DataFrame, settings: CompareSettings) -> pd.DataFrame:
    """Return one row for each condition: images, objects, and the share of the objects with each quality flag."""
    by = next((each.by for each in settings.comparisons if each.table == settings.table), settings.comparisons[0].by)
    groups = table.groupby(by, observed=True, sort=False)
    flags = [str(name) for name in table.columns if str(name).startswith(_FLAG)]
    shares = table[flags].astype("Float64").groupby(table[by], observed=True, sort=False).mean()
    counts = pd.DataFrame({"images": groups["image"].nunique(), settings.table: groups.size()})
    return counts.join(shares).reset_index()


def _examples(
    folder: Path, images: pd.DataFrame, settings: CompareSettings, labels: str | None, compared: Sequence[Compared]
) -> tuple[Example, ...]:
    """Return a picture of each condition: the field in its middle by the first value that fields have."""
    shown = next((each for each in compared if "image" in each.cells.columns and len(each.cells)), None)
    if shown is None:
        return ()
    values = shown.cells.groupby("image", observed=True)["value"].mean()
    fields = images[~images["excluded"] & images["condition"].notna()]
    table = fields[["image", "condition"]].assign(value=fields["image"].map(values).astype(float))
    order = {name: place for place, name in enumerate(shown.comparison.design.conditions)}
    table = table.sort_values("condition", key=lambda column: column.map(order), kind="stable")
    labels = labels or open_run(folder).labels_of(shown.asked.table)
    name = shown.measure or shown.asked.value
    options = ExampleOptions(labels=labels, value_name=settings.style.labels.get(name, name))
    return example_pictures(folder, table, options)


def _dose_response(study: Study, settings: CompareSettings, out: Path, ready: Tables) -> list[FigureBlock]:
    """Return figures of dose and response after writing their folders."""
    blocks = []
    for number, analysis in enumerate(study.said.dose_response, start=1):
        result = fit_doses(ready.tables[settings.table], analysis)
        name = f"dose_response_{number}_{analysis.value}"
        (out / name).mkdir()
        figure = write_dose_response(out / name, result)
        blocks.append(FigureBlock(name, figure, f"{analysis.value} over {analysis.dose}. {result.caution}"))
    return blocks
