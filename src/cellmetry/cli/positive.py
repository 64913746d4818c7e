"""`cellmetry positive`: the share of cells above a threshold, with the threshold drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cellmetry.cli.options import Json
from cellmetry.cli.table_options import Assign, Confidence, Join, PlateMaps, Table, pair_of, source_of
from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import ParameterError
from cellmetry.pipeline.readouts import positive_to
from cellmetry.stats.gates import Gate
from cellmetry.stats.positive import ControlRule

__all__ = ["positive"]


def positive(
    table: Table,
    value: Annotated[str, typer.Option(help="Column of the measurement.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results; made if missing.")],
    threshold: Annotated[float | None, typer.Option(help="Cells above this value are positive.")] = None,
    control: Annotated[
        str | None, typer.Option(help="COLUMN=VALUE of the negative control, whose cells give the threshold.")
    ] = None,
    percentile: Annotated[
        float | None, typer.Option(help="Percentile of the control's cells; 99 if neither this nor --sds is given.")
    ] = None,
    sds: Annotated[
        float | None, typer.Option(help="In place of a percentile: mean of the control + this many SDs.")
    ] = None,
    mixture: Annotated[bool, typer.Option("--mixture", help="Threshold between two populations of all cells.")] = False,
    by: Annotated[list[str] | None, typer.Option(help="Column whose values are counted apart: well. Repeatable.")] = (
        None
    ),
    plate_map: PlateMaps = None,
    join: Join = None,
    assigned: Assign = None,
    confidence: Confidence = 0.95,
    as_json: Json = False,
) -> None:
    """Count positive cells: above a value, above the negative control's cells, or of the higher of two populations.

    Example: [bold]cellmetry positive cells.csv --value mean_GFP --control drug=none --by well --out positive/[/bold]
    """
    chosen = None if control is None else pair_of(control, "--control")
    gate = _gate(value, threshold, chosen, _rule(percentile, sds), mixture=mixture)
    source = source_of(table, plate_map, join, assigned)
    found = positive_to(out, source, gate, by=tuple(by or ()), confidence=confidence)
    if as_json:
        rows = json.loads(found.table.to_json(orient="records"))
        said = {"value": found.threshold.value, "source": found.threshold.source}
        typer.echo(json.dumps({"out": str(out), "threshold": said, "groups": rows}, indent=1))
        return
    total, hits = int(found.table["n"].sum()), int(found.table["n_positive"].sum())
    typer.echo(f"Threshold {found.threshold.value:.6g} ({found.threshold.source}).")
    typer.echo(f"{hits} of {total} cells are positive, in {len(found.table)} groups.\nResults: {out}")


def _gate(
    value: str, threshold: float | None, control: tuple[str, str] | None, rule: ControlRule | None, *, mixture: bool
) -> Gate:
    if sum([threshold is not None, control is not None, mixture]) != 1:
        raise ParameterError("Say what positive means in one way: --threshold, --control COLUMN=VALUE or --mixture.")
    if rule is not None and control is None:
        raise ParameterError("A percentile, or standard deviations above the mean, need a control: --control.")
    given = {"value": value, "threshold": threshold, "control": control, "rule": rule, "mixture": mixture}
    return parse_parameters(Gate, given, where="positive")


def _rule(percentile: float | None, sds: float | None) -> ControlRule | None:
    if percentile is not None and sds is not None:
        raise ParameterError("Give --percentile or --sds, not both.")
    if sds is not None:
        return parse_parameters(ControlRule, {"rule": "mean_sd", "k": sds}, where="--sds")
    if percentile is not None:
        return parse_parameters(ControlRule, {"percentile": percentile}, where="--percentile")
    return None
