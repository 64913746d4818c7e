"""All kinds of jobs, by the words that call them; listing them imports none."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.pipeline.jobs.kind import JobKind

__all__ = ["JOB_KINDS", "job_kind", "parse_job"]

_HERE = "cellmetry.pipeline.jobs.kinds"
JOB_KINDS: dict[str, str] = {
    "read": f"{_HERE}.reading:Read",
    "segment": f"{_HERE}.segmenting:SegmentImages",
    "measure": f"{_HERE}.measuring:MeasureLabels",
    "quantify": f"{_HERE}.quantifying:QuantifyChannels",
    "count": f"{_HERE}.counting:CountImages",
    "compare": f"{_HERE}.comparing:CompareConditions",
    "train": f"{_HERE}.training:TrainModel",
    "evaluate": f"{_HERE}.evaluating:EvaluateModel",
    "export": f"{_HERE}.exporting:ExportResults",
    "import": f"{_HERE}.importing:ImportLabels",
    "rebase": f"{_HERE}.rebasing:RebaseEdits",
    "relabel": f"{_HERE}.relabelling:RelabelCells",
    "review": f"{_HERE}.reviewing:ReviewLabels",
}
"""Name of a kind: module and class."""


def job_kind(name: str) -> type[JobKind]:
    """Return a kind of job.

    Raises
    ------
    UnknownName
        If there is none of this name.
    """
    if name not in JOB_KINDS:
        raise UnknownName("kind of job", name, JOB_KINDS)
    module, _, kind = JOB_KINDS[name].partition(":")
    found: type[JobKind] = getattr(import_module(module), kind)
    return found


def parse_job(name: str, parameters: Mapping[str, Any]) -> JobKind:
    """Return what a request asks for.

    Raises
    ------
    ParameterError
        If a parameter is wrong; says which, and the nearest right word.
    """
    return parse_parameters(job_kind(name), parameters, where=f"job {name}")
