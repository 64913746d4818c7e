"""`cellmetry compare`: conditions compared at the level of replicates, with figures and a report."""

from __future__ import annotations

import json
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cellmetry.cli.options import Json, given
from cellmetry.cli.table_options import Assign, Confidence, Join, PlateMaps, Table, pair_of, source_of
from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import ParameterError
from cellmetry.pipeline.comparison.settings import CompareSettings
from cellmetry.report.style import FigureStyle
from cellmetry.stats.comparison.options import Normalise
from cellmetry.study.questions import TableComparison, TableGate

if TYPE_CHECKING:
    from cellmetry.pipeline.comparison.run import ComparisonResult

__all__ = ["compare", "say_comparison"]

_DESIGN, _TEST, _SHOWN = "What is what", "How it is tested", "What is drawn and written"


class MethodChoice(StrEnum):
    """The test."""

    auto = "auto"
    t = "t"
    welch = "welch"
    rank = "rank"
    mixed = "mixed"
    gee = "gee"


class PairingChoice(StrEnum):
    """Whether the same replicate in two conditions is a pair."""

    auto = "auto"
    paired = "paired"
    unpaired = "unpaired"


class AdjustChoice(StrEnum):
    """Correction for several contrasts."""

    auto = "auto"
    dunnett = "dunnett"
    tukey = "tukey"
    holm = "holm"
    bonferroni = "bonferroni"
    fdr_bh = "fdr_bh"
    none = "none"


class ScaleChoice(StrEnum):
    """Differences of means, or ratios of geometric means."""

    linear = "linear"
    log = "log"


class SummaryChoice(StrEnum):
    """How the cells of a replicate become one number."""

    mean = "mean"
    median = "median"


def _in(panel: str, text: str, *names: str) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=panel)


def compare(
    table: Table,
    value: Annotated[list[str], _in(_DESIGN, "Column that is compared. Repeatable.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results; made if missing.")],
    by: Annotated[str, _in(_DESIGN, "Column of conditions.")] = "condition",
    replicate: Annotated[
        str, _in(_DESIGN, "Column of independent biological repeats: never cells, fields or wells of one.")
    ] = "replicate",
    control: Annotated[
        str | None, _in(_DESIGN, "Condition that each other one is compared with; each with each if left out.")
    ] = None,
    order: Annotated[str | None, _in(_DESIGN, "Conditions as they are shown: none,low,high.")] = None,
    total: Annotated[
        str | None, _in(_DESIGN, "Column of the number of all cells, where the value is one of positive cells.")
    ] = None,
    above: Annotated[
        float | None, _in(_DESIGN, "Cells above this value are positive; their fraction is compared too.")
    ] = None,
    negative: Annotated[
        str | None,
        _in(_DESIGN, "COLUMN=VALUE of cells whose 99th percentile is that threshold.", "--negative-control"),
    ] = None,
    nested: Annotated[
        list[str] | None, _in(_DESIGN, "Level within a replicate whose units weigh the same: well. Outermost first.")
    ] = None,
    plate_map: PlateMaps = None,
    join: Join = None,
    assigned: Assign = None,
    keep: Annotated[
        list[str] | None,
        _in(_DESIGN, "Condition that cells must meet: 'area_um2 > 50'. Repeatable; what they remove is counted."),
    ] = None,
    method: Annotated[MethodChoice, _in(_TEST, "Test; auto: t on replicate means.")] = MethodChoice.auto,
    pairing: Annotated[
        PairingChoice, _in(_TEST, "Whether one replicate in two conditions is a pair; auto: where they are shared.")
    ] = PairingChoice.auto,
    adjust: Annotated[
        AdjustChoice, _in(_TEST, "Correction for several contrasts; auto: Dunnett with a control, else Tukey.")
    ] = AdjustChoice.auto,
    scale: Annotated[ScaleChoice, _in(_TEST, "log: ratios in place of differences.")] = ScaleChoice.linear,
    summary: Annotated[
        SummaryChoice, _in(_TEST, "How the cells of a replicate become one number.")
    ] = SummaryChoice.mean,
    plate: Annotated[str | None, _in(_TEST, "Column of plates: a further random effect of mixed models.")] = None,
    normalise_to: Annotated[
        str | None, _in(_TEST, "Condition by whose mean in the same batch values are divided; needs --within.")
    ] = None,
    within: Annotated[str | None, _in(_TEST, "Column of batches for --normalise-to: plate, replicate.")] = None,
    normalise_how: Annotated[
        str | None, _in(_TEST, "ratio (if left out), difference or robust_z.", "--normalise-how")
    ] = None,
    second: Annotated[
        Path | None, _in(_TEST, "Table of the same images segmented another way: its difference widens intervals.")
    ] = None,
    corrected: Annotated[
        Path | None, _in(_TEST, "Table of some of the images after correction by hand: shifts and widens.")
    ] = None,
    detect: Annotated[
        float | None,
        _in(
            _TEST,
            "Smallest difference worth finding, for advice on replicates; a fifth of the mean, of fractions 0.1.",
        ),
    ] = None,
    confidence: Confidence = 0.95,
    figure: Annotated[
        list[str] | None,
        _in(_SHOWN, "superplot, violin, box, jitter, ecdf, histogram, scatter, estimation, time. Repeatable."),
    ] = None,
    against: Annotated[str | None, _in(_SHOWN, "Second measure, for --figure scatter.")] = None,
    time: Annotated[str | None, _in(_SHOWN, "Column of the time, for --figure time.")] = None,
    style: Annotated[
        list[str] | None, _in(_SHOWN, "Look of figures: width_mm=174, font_size_pt=9, limits=[0, 200]. Repeatable.")
    ] = None,
    labels: Annotated[
        list[str] | None,
        _in(_SHOWN, "Text in figures in place of a name: 'mean_EdU=EdU (a.u.)'. Repeatable.", "--label"),
    ] = None,
    tables: Annotated[
        list[str] | None,
        _in(_SHOWN, "Tables for others: conditions, workbook, prism, anndata, r. Repeatable.", "--table"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare conditions by independent replicates: estimates with intervals, a test that holds, figures, a report.

    Example: [bold]cellmetry compare cells.csv --value mean_EdU --by drug --replicate day --control none --out R/[/bold]
    """
    gates = _gates(value, above, negative)
    shared = {
        "by": by,
        "replicate": replicate,
        "control": control,
        "total": total,
        "order": _listed(order),
        "summary": summary.value,
        "nested": tuple(nested or ()),
        "pairing": pairing.value,
        "method": method.value,
        "adjust": adjust.value,
        "scale": scale.value,
        "plate": plate,
        "normalise": _normalise(normalise_to, within, normalise_how),
        "confidence": confidence,
        "detect": detect,
    }
    asked = [*value, *(gate.column for gate in gates)]
    settings = parse_parameters(
        CompareSettings,
        {
            "comparisons": tuple(_comparison(each, shared, fraction=each not in value) for each in asked),
            "gates": gates,
            "keep": tuple(keep or ()),
            "against": against,
            "time": time,
            "style": _style(style, labels),
            **given(figures=figure and tuple(figure), tables=tables and tuple(tables)),
        },
        where="compare",
    )
    given_table = source_of(table, plate_map, join, assigned)
    given_table.refuse_inside(out)
    # statsmodels, slow to import, is loaded here only
    sources, work = (import_module(f"cellmetry.pipeline.comparison.{name}") for name in ("sources", "run"))
    source = sources.source_from_table(given_table, settings, second, corrected)
    result: ComparisonResult = work.compare_to(out, source, settings, sources.around_table(table))
    if as_json:
        typer.echo((out / "comparison.json").read_text(encoding="utf-8"))
        return
    say_comparison(result, out)


def _comparison(value: str, shared: dict[str, Any], *, fraction: bool) -> TableComparison:
    own = {**shared, "scale": "linear", "normalise": None} if fraction else shared
    return parse_parameters(TableComparison, {**own, "value": value}, where="compare")


def _gates(values: list[str], above: float | None, negative: str | None) -> tuple[TableGate, ...]:
    if above is None and negative is None:
        return ()
    if above is not None and negative is not None:
        raise ParameterError("Give --above or --negative-control, not both.")
    control = None if negative is None else pair_of(negative, "--negative-control")
    return tuple(
        parse_parameters(TableGate, {"value": value, "threshold": above, "control": control}, where="compare")
        for value in values
    )


def _normalise(control: str | None, within: str | None, how: str | None) -> Normalise | None:
    if control is None and within is None and how is None:
        return None
    if control is None or within is None:
        raise ParameterError("Normalising needs both --normalise-to CONDITION and --within COLUMN.")
    return parse_parameters(Normalise, {"control": control, "within": within, **given(how=how)}, where="normalise")


def _style(texts: list[str] | None, labels: list[str] | None) -> FigureStyle:
    pairs = dict(pair_of(text, "--style") for text in texts or ())
    shown = dict(pair_of(text, "--label") for text in labels or ())
    values: dict[str, Any] = {name: _value(text) for name, text in pairs.items()}
    return parse_parameters(FigureStyle, {**values, **given(labels=shown or None)}, where="--style")


def _value(text: str) -> Any:
    """Return a list or a number where the text is one in JSON, else the text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def say_comparison(result: ComparisonResult, out: Path) -> None:
    """Print a sentence for each contrast, the notes to it, and where the results lie."""
    words = import_module("cellmetry.report.comparison.words").contrast_sentences
    for each in result.compared:
        for sentence in words(each.comparison, {}):
            typer.echo(sentence)
        for note in each.comparison.notes:
            typer.echo(f"  Note: {note}")
    for note in result.notes:
        typer.echo(note)
    typer.echo(f"Results: {out}. Report: {out / 'report.html'}")
