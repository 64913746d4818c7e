"""`cellmetry dose-response`: a table of cells to curves of dose and response, and the quality of the screen."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cellmetry.cli.options import Json
from cellmetry.cli.table_options import Assign, Confidence, Join, PlateMaps, Table, pair_of, source_of
from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import ParameterError
from cellmetry.pipeline.readouts import dose_response_to
from cellmetry.stats.dosing import DoseAnalysis

if TYPE_CHECKING:
    import pandas as pd

    from cellmetry.stats.dosing import DoseResult

__all__ = ["dose_response"]


class ModelChoice(StrEnum):
    """The curve that is fitted."""

    hill = "hill"
    langmuir = "langmuir"


class SummaryChoice(StrEnum):
    """How the cells of a unit become one number."""

    median = "median"
    mean = "mean"


def dose_response(
    table: Table,
    value: Annotated[str, typer.Option(help="Column of the response of a cell.")],
    dose: Annotated[str, typer.Option(help="Column of the dose: an amount from 0, not a logarithm.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results; made if missing.")],
    by: Annotated[str | None, typer.Option(help="Column whose values get a curve each: drug, say.")] = None,
    unit: Annotated[
        list[str] | None,
        typer.Option("--unit-of-analysis", help="Column that names a unit. Repeatable. If left out: well, else image."),
    ] = None,
    replicate: Annotated[
        str | None,
        typer.Option(help="Column of independent repeats (day, animal): a curve each, EC50s compared among them."),
    ] = None,
    summary: Annotated[SummaryChoice, typer.Option(help="How the cells of a unit become one number.")] = (
        SummaryChoice.median
    ),
    plate_map: PlateMaps = None,
    join: Join = None,
    assigned: Assign = None,
    model: Annotated[ModelChoice, typer.Option(help="Curve that is fitted.")] = ModelChoice.hill,
    weights: Annotated[
        str | None, typer.Option(help="Column with the standard deviation of a unit: weights are 1 / SD².")
    ] = None,
    sd_floor: Annotated[
        float | None,
        typer.Option(
            help="SD that stands for one of 0 or below, in the unit of the value; median of the others if left out."
        ),
    ] = None,
    positive_control: Annotated[
        str | None, typer.Option(help="COLUMN=VALUE of the positive control; its units are not fitted.")
    ] = None,
    negative_control: Annotated[str | None, typer.Option(help="COLUMN=VALUE of the negative control.")] = None,
    resamples: Annotated[int, typer.Option(help="Bootstrap samples for the curve's intervals; 0: Student's t.")] = 0,
    confidence: Confidence = 0.95,
    as_json: Json = False,
) -> None:
    """Fit a curve of dose and response to each drug; with both controls, tell how good the screen is (Z′).

    Example: [bold]cellmetry dose-response cells.csv --value ratio_GFP --dose dose_nM --by drug --out curves/[/bold]
    """
    if sd_floor is not None and weights is None:
        raise ParameterError("--sd-floor is for weights; name a column of standard deviations with --weights.")
    fit = {} if sd_floor is None else {"sd_floor": sd_floor}
    analysis = parse_parameters(
        DoseAnalysis,
        {
            "value": value,
            "dose": dose,
            "by": by,
            "unit": None if unit is None else tuple(unit),
            "replicate": replicate,
            "summary": summary.value,
            "weights": weights,
            "positive": _control(positive_control, "--positive-control"),
            "negative": _control(negative_control, "--negative-control"),
            "fit": {**fit, "model": model.value, "confidence": confidence, "resamples": resamples},
            "screen": {"confidence": confidence},
        },
        where="dose-response",
    )
    result = dose_response_to(out, source_of(table, plate_map, join, assigned), analysis)
    if as_json:
        typer.echo(json.dumps(_summary(result, out), indent=1))
        return
    _say(result)
    _say_replicates(result)
    typer.echo(f"{result.caution}\nResults: {out}")


def _control(text: str | None, option: str) -> tuple[str, str] | None:
    return None if text is None else pair_of(text, option)


def _say(result: DoseResult) -> None:
    for name, points, curve in result.groups():
        cells = f"{name}: {len(points)} units, {int(points['n_cells'].sum())} cells."
        if curve.n_without_sd:
            cells += f" {curve.n_without_sd} have no {result.analysis.weights} and are left out."
        if not curve.fitted:
            typer.echo(f"{cells} No curve: {curve.reason}.")
            continue
        found = [
            f"{parameter} {curve.values[place]:.4g} ({curve.low[place]:.3g} to {curve.high[place]:.3g})"
            for place, parameter in enumerate(curve.names)
        ]
        typer.echo(f"{cells} {curve.model}, {curve.confidence:.0%} intervals: {', '.join(found)}.")
        typer.echo(f"  R² {curve.goodness.r2:.4f} of {curve.n_points} units.")
    if result.without_dose:
        typer.echo(f"{result.without_dose} units have no {result.analysis.dose} and belong to no curve.")
    outside = int(result.points["group"].isna().sum())
    if outside:
        typer.echo(f"{outside} units have no {result.analysis.by} and belong to no curve.")
    if result.screen is None:
        typer.echo("No Z′: it needs --positive-control and --negative-control.")
        return
    for group, part in result.screen.groupby("group", sort=False):
        typer.echo(f"{group}: {_quality(part)}.")


def _say_replicates(result: DoseResult) -> None:
    if result.replicates is None:
        return
    name = {"ec50": "EC50", "kd": "Kd"}[result.analysis.half_name]
    for row in result.replicates.halves.to_dict(orient="records"):
        found = f"{row['group']}: {name} of {row['n_fitted']} of {row['n_replicates']} replicates"
        interval = f" ({row['ci_low']:.3g} to {row['ci_high']:.3g})" if row["n_fitted"] > 1 else ""
        typer.echo(f"{found}: {row['estimate']:.4g}{interval}." if row["n_fitted"] else f"{found}: none.")
    for row in result.replicates.contrasts.to_dict(orient="records"):
        ratio = f"{row['group']} / {row['reference']}: ratio {row['ratio']:.3g}"
        if row["reason"]:
            typer.echo(f"{ratio}; no p-value: {row['reason']}.")
            continue
        typer.echo(
            f"{ratio} ({row['ci_low']:.3g} to {row['ci_high']:.3g}), p = {row['p_value']:.3g}, corrected "
            f"{row['p_adjusted']:.3g} ({row['method']}, n = {row['n_replicates']})."
        )


def _quality(screen: pd.DataFrame) -> str:
    """Return the measures of one group in words; of one without a value, why."""
    if screen["value"].isna().all() and screen["reason"].nunique() == 1:
        return f"no Z′: {screen['reason'].iloc[0]}"
    found = [
        f"no {row['measure']} ({row['reason']})"
        if row["reason"]
        else f"{row['measure']} {row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
        for row in screen.to_dict(orient="records")
    ]
    positive, negative = (int(screen[f"n_{role}"].iloc[0]) for role in ("positive", "negative"))
    return f"{', '.join(found)}; {positive} positive, {negative} negative control units"


def _summary(result: DoseResult, out: Path) -> dict[str, Any]:
    tables = {"fits": result.fits, "screen": result.screen}
    if result.replicates is not None:
        found = result.replicates
        tables |= {"replicates": found.fits, "halves": found.halves, "contrasts": found.contrasts}
    rows = {
        name: None if table is None else json.loads(table.to_json(orient="records")) for name, table in tables.items()
    }
    return {"out": str(out), **rows, "units": len(result.points), "caution": result.caution}
