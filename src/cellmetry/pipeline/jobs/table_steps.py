"""By which steps the jobs `quantify` and `count` made a table, for the methods of a report."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from cellmetry.pipeline.quantifying import CELLS, Quantifying
from cellmetry.pipeline.recipe import recipe_text
from cellmetry.report.references import listed
from cellmetry.study.store.jobs import job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.study.store.results import StoredResult
    from cellmetry.study.store.store import Store

__all__ = ["JobSteps", "changes_labels", "steps_of_job"]

_NO_LABELS = frozenset(
    {
        *(
            "colocalise",
            "combine_masks",
            "count",
            "dualcellquant",
            "mask",
            "measure",
            "measure_imagej",
            "measure_nested",
        ),
        *("passport", "peaks", "profile", "quantify", "radial", "spots", "subtract_local", "translocation"),
    }
)
"""Steps that make tables and masks of labels, and leave these as they are."""
_MODEL = "model.json"


class JobSteps(NamedTuple):
    """Steps as a recipe has them, and sentences about what these do not say."""

    steps: tuple[dict[str, Any], ...] = ()
    sentences: tuple[str, ...] = ()


def changes_labels(step: Mapping[str, Any]) -> bool:
    """Return whether labels may be others for a step of the recipe that found them."""
    return step["step"] not in _NO_LABELS and (step["step"] != "filter_cells" or bool(step.get("labels")))


def steps_of_job(store: Store, table: StoredResult) -> JobSteps:
    """Return by which steps the job that made a table measured; none of another job than `quantify` and `count`."""
    kind = "" if table.job_id is None else job(store, table.job_id).kind
    options = table.details.get("options", {})
    if kind == "quantify":
        return _quantified(options)
    return _counted(store, table, options) if kind == "count" else JobSteps()


def _quantified(options: Mapping[str, Any]) -> JobSteps:
    asked = Quantifying(**{name: options[name] for name in Quantifying.model_fields if name in options})
    steps = tomllib.loads(recipe_text(asked.recipe()))["steps"]
    roles = listed(f"{role} is the channel {channel}" for role, channel in asked.roles.items())
    called = options.get("labels", CELLS)
    cells = "" if called == CELLS else f" Its {CELLS} are the labels {called}."
    return JobSteps(tuple(steps), (f"In the quantification, {roles}.{cells}",))


def _counted(store: Store, table: StoredResult, options: Mapping[str, Any]) -> JobSteps:
    step = {"step": "count", "labels": options["labels"] or CELLS, "outside": options["outside"]}
    drawn = [*(each["name"] for each in options["shapes"]), *(options["regions"] or ())]
    where = f"Cells were counted in the regions {listed(drawn)}." if drawn else ""
    if not drawn and options["regions"] is not None:
        where = "Cells were counted in the regions drawn on the images."
    return JobSteps((step,), tuple(each for each in (where, _model(store, table, options)) if each))


def _model(store: Store, table: StoredResult, options: Mapping[str, Any]) -> str:
    """Return the sentence about what looked at the images; empty where labels alone were counted."""
    noted = store.folder / "jobs" / str(table.job_id) / _MODEL
    if not noted.is_file():
        return ""
    known = json.loads(noted.read_text(encoding="utf-8"))
    sha256 = f" (SHA-256 {known['sha256']})" if "sha256" in known else ""
    what = "Cells were found and counted" if options["labels"] is None else "Their density was estimated"
    return f"{what} by {known['name']}{sha256}."
