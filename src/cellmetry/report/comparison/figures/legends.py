"""The text below a figure: what it shows, numbers of cells and replicates, what bars are, tests, what is not drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellmetry.report.comparison.figures.by_condition import box_of, drawn_note
from cellmetry.report.comparison.figures.canvas import label_of
from cellmetry.report.comparison.figures.categories import shown_p_values
from cellmetry.report.comparison.figures.distributions import share_above
from cellmetry.report.comparison.figures.looks import joins_replicates, shares_replicates
from cellmetry.report.comparison.figures.time_curve import curves_shown, replicates_over_time, summary_over_time
from cellmetry.report.comparison.figures.two_measures import pairs_of_measures
from cellmetry.report.comparison.figures.value_axis import (
    both_shown,
    cells_shown,
    count,
    means_shown,
    number,
    outside_note,
    value_label,
)
from cellmetry.report.estimates import in_points, is_shift, shift_words, summary_word
from cellmetry.stats.p_values import p_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cellmetry.report.comparison.figures.data import ComparisonData, Contrast
    from cellmetry.report.style import FigureStyle

__all__ = [
    "box_legend",
    "ecdf_legend",
    "estimation_legend",
    "histogram_legend",
    "jitter_legend",
    "scatter_legend",
    "superplot_legend",
    "time_legend",
    "violin_legend",
]

_MOST_NAMED, _MOST_CONTRASTS = 8, 3
"""Conditions, and contrasts, that a legend names one by one at most."""


def superplot_legend(data: ComparisonData, style: FigureStyle) -> str:
    """Return the legend of the superplot."""
    dots = "" if not data.has("cells") else f"Dots: single {_rows(data)}, coloured by replicate{_again(data)}. "
    what = f"{_name(data, style)} by condition (superplot, Lord et al. 2020). {dots}{_symbols(data)}"
    shown = _p_values_said(data, style)
    return _text([what, _bars(data), _sizes(data, style), _tests(data, style), shown, *_left_out(data, style)])


def jitter_legend(data: ComparisonData, style: FigureStyle) -> str:
    """Return the legend of the cells side by side."""
    what = (
        f"{_name(data, style)} by condition. Dots: single cells, coloured by replicate{_again(data)}. {_symbols(data)}"
    )
    return _text([what, _sizes(data, style), *_left_out(data, style)])


def violin_legend(data: ComparisonData, style: FigureStyle) -> str:
    """Return the legend of the violins."""
    what = (
        f"{_name(data, style)} by condition. Outlines: kernel density of all cells of a condition, each scaled to the "
        f"same width and cut where cells end; grey bars: from the first to the third quartile; short lines: medians. "
        f"{_symbols(data)}"
    )
    return _text([what, _sizes(data, style), *_outside_and_missing(data, style)])


def box_legend(data: ComparisonData, style: FigureStyle) -> str:
    """Return the legend of the boxes."""
    beyond = sum(box.beyond.size for place in range(len(data.conditions)) if (box := box_of(data.of(place))))
    drawn = f", of which at most {count(style.most_points)} at random are drawn" if beyond > style.most_points else ""
    what = (
        f"{_name(data, style)} by condition. Boxes: quartiles and median of all cells of a condition; whiskers to the "
        f"last cell within 1.5 times the distance of the quartiles; dots: {count(beyond)} cells beyond{drawn}. "
        f"{_symbols(data)}"
    )
    return _text([what, _sizes(data, style), *_outside_and_missing(data, style)])


def ecdf_legend(data: ComparisonData, style: FigureStyle) -> str:
    """Return the legend of the cumulated shares."""
    gate = "" if data.threshold is None else f" Dashed: {_gate(data)}."
    what = (
        f"Share of cells at or below each {value_label(data, style)}. Thick lines: all cells of a condition; "
        f"thin lines: its replicates.{gate}"
    )
    return _text([what, _sizes(data, style), *_cells_outside(data, style)])


def histogram_legend(data: ComparisonData, style: FigureStyle) -> str:
    """Return the legend of the histograms."""
    what = f"{value_label(data, style)} of the cells of each condition; heights are shares of the condition's cells."
    if data.threshold is not None:
        shares = [f"{name} {share_above(data, at)}" for at, name in enumerate(_conditions(data, style))]
        what += f" Dashed line and full colour: {_gate(data)}. Share of all cells above: {', '.join(shares)}."
    return _text([what, _sizes(data, style), *_cells_outside(data, style)])


def scatter_legend(data: ComparisonData, style: FigureStyle) -> str:
    """Return the legend of two measures."""
    complete = np.isfinite(pairs_of_measures(data)[:, 1])
    hexagons = int(complete.sum()) > style.hexagons_above
    how = "Colours: number of cells in a hexagon; every cell is counted."
    points = f"Dots: single cells, coloured by replicate{_again(data)}."
    second = label_of(data.second_measure, style)
    what = f"{second} against {value_label(data, style)}. {how if hexagons else points}"
    missing = int((~complete).sum())
    without = f"{count(missing)} cells have no {second} and are not shown." if missing else ""
    return _text([what, _sizes(data, style), without, *_cells_outside(data, style)])


def estimation_legend(data: ComparisonData, style: FigureStyle) -> str:
    """Return the legend of the estimation plot."""
    found = data.contrasts
    kind = "ratios of the conditions" if data.log else "differences of the conditions"
    if any(is_shift(data.comparison, each.method) for each in found):
        kind = f"median {'ratios' if data.log else 'shifts'} between the conditions"
    level = _level(data)
    alone = " of each contrast alone, as p without correction" if any(each.corrected for each in found) else ""
    bars = [f"thick bars: {level} confidence intervals{alone}"] if any(each.has_interval for each in found) else []
    if any(np.isfinite(each.simultaneous_low) for each in found):
        bars.append(f"thin bars: {level} intervals that hold for all contrasts at once")
    units = sorted({each.technical_unit for each in found if each.has_technical})
    if units:
        bars.append(
            f"dotted, open circles: interval among the {' or '.join(units)} of one replicate, which says nothing of "
            f"another"
        )
    elif not all(each.has_interval for each in found):
        bars.append("open circles: estimates without an interval")
    what = f"{_name(data, style)} by condition. Above: {_symbols(data)} {_bars(data)} Below: {kind}, {'; '.join(bars)}."
    left = outside_note(style, means_shown(data))
    return _text([what, _sizes(data, style), _tests(data, style), *_sentences(left), *_missing(data)])


def time_legend(data: ComparisonData, style: FigureStyle) -> str:
    """Return the legend of the time curve."""
    curves = replicates_over_time(data)
    replicates = summary_over_time(curves, data)["n"]
    most = (
        f"{replicates.min()}" if replicates.min() == replicates.max() else f"{replicates.min()} to {replicates.max()}"
    )
    band = (
        f"; bands: {_level(data)} confidence interval (Student's t of the replicates)" if replicates.max() > 1 else ""
    )
    centre = "geometric mean" if data.log else "mean"
    of_cells = "share of positive cells" if data.fraction else f"{data.comparison.options.summary} of the cells"
    what = (
        f"{_name(data, style)} over {label_of('time', style)}. Thick lines: {centre} of the replicates{band}; "
        f"thin lines: replicates ({of_cells} at each time); n = {most} replicates at a time."
    )
    return _text([what, _sizes(data, style), *_sentences(outside_note(style, curves_shown(curves))), *_missing(data)])


def _text(parts: Iterable[str]) -> str:
    return " ".join(part for part in parts if part)


def _sentences(notes: Iterable[str]) -> list[str]:
    return [f"{note[0].upper()}{note[1:]}." for note in notes]


def _name(data: ComparisonData, style: FigureStyle) -> str:
    name = label_of(data.comparison.options.value, style)
    return f"Fraction of cells ({name})" if data.fraction else name


def _conditions(data: ComparisonData, style: FigureStyle) -> list[str]:
    return [label_of(name, style) for name in data.conditions]


def _level(data: ComparisonData) -> str:
    return f"{100 * data.comparison.options.confidence:g} %"


def _gate(data: ComparisonData) -> str:
    return f"threshold {number(float(f'{data.threshold:.4g}'))}, above which cells are positive"


def _again(data: ComparisonData) -> str:
    return "" if shares_replicates(data) else " (colours begin anew in each condition: no replicate is in two)"


def _symbols(data: ComparisonData) -> str:
    nested = data.comparison.options.nested
    how = f"{summary_word(data.comparison.options)} of the {_rows(data)} of each"
    if data.fraction:
        how = f"fraction of the {_rows(data)} of each"
    elif nested:
        how = f"{how}, each {' and each '.join(nested)} weighing the same"
    pairs = "; thin lines join the same replicate" if joins_replicates(data) else ""
    return f"Large symbols: replicates ({how}){pairs}."


def _bars(data: ComparisonData) -> str:
    known = [group.has_interval for group in data.groups]
    mean = "geometric mean" if data.log else "mean"
    if any(known):
        some = "" if all(known) else " where there is more than one"
        return f"Black: {mean} and {_level(data)} confidence interval of the replicates (Student's t){some}."
    return f"Black: {mean} of the replicates; with one replicate there is no interval."


def _sizes(data: ComparisonData, style: FigureStyle) -> str:
    """Return how many replicates and cells each condition has."""
    words = []
    if len(data.groups) > _MOST_NAMED:
        numbers = [_span([getattr(group, name) for group in data.groups]) for name in ("n_replicates", "n_cells")]
        return f"n of each of {len(data.groups)} conditions: {numbers[0]} replicates, {numbers[1]} {_rows(data)}."
    for name, group in zip(_conditions(data, style), data.groups, strict=True):
        plural = "replicate" if group.n_replicates == 1 else "replicates"
        words.append(f"{name} {group.n_replicates} {plural} ({count(group.n_cells)} {_rows(data)})")
    return f"n: {', '.join(words)}."


def _tests(data: ComparisonData, style: FigureStyle) -> str:
    """Return the estimates and p-values of all contrasts, and by which test and correction."""
    if not data.contrasts:
        return ""
    names = _conditions(data, style)
    words = []
    for each in data.contrasts:
        interval = ""
        if each.has_interval:
            interval = f" ({_level(data)} CI {_digits(each.ci_low, data)} to {_digits(each.ci_high, data)})"
        pair = f"{names[each.at]} {'/' if data.log else '−'} {names[each.reference_at]}"
        words.append(f"{pair} = {_amount(each.estimate, data)}{interval}, {_p_said(each)}")
    if len(data.contrasts) > _MOST_CONTRASTS:
        both = ", also corrected for their number," if any(each.corrected for each in data.contrasts) else ""
        words = [
            f"Estimates, intervals and p-values{both} of the {len(data.contrasts)} contrasts are in the table of "
            f"contrasts"
        ]
    how = "; ".join(dict.fromkeys(each.method for each in data.contrasts if each.tested))
    corrected = "; ".join(dict.fromkeys(each.adjustment for each in data.contrasts if each.tested and each.adjustment))
    test = f" Test of replicates: {how}{f'; correction: {corrected}' if corrected else ''}." if how else ""
    shifts = [is_shift(data.comparison, each.method) for each in data.contrasts]
    estimates = f" {shift_words(data.comparison)}" if any(shifts) else ""
    return f"{'; '.join(words)}.{test}{estimates}"


def _p_said(contrast: Contrast) -> str:
    """Return the p-value that belongs to the interval, with the corrected one; or why there is none."""
    if not contrast.tested:
        return f"no p-value: {contrast.reason}".rstrip(": .")
    if not contrast.corrected:
        return p_text(contrast.p_adjusted)
    return f"{p_text(contrast.p_value)}, corrected {p_text(contrast.p_adjusted)}"


def _rows(data: ComparisonData) -> str:
    return data.comparison.options.rows


def _span(numbers: list[int]) -> str:
    least, most = min(numbers), max(numbers)
    return count(least) if least == most else f"{count(least)} to {count(most)}"


def _amount(value: float, data: ComparisonData) -> str:
    """Return an estimate with three digits; a difference of fractions in percentage points."""
    return f"{_digits(value, data)}{' percentage points' if in_points(data.comparison) else ''}"


def _digits(value: float, data: ComparisonData) -> str:
    return number(float(f"{100 * value if in_points(data.comparison) else value:.3g}"))


def _p_values_said(data: ComparisonData, style: FigureStyle) -> str:
    tested = sum(each.tested for each in data.contrasts)
    if not tested:
        return ""
    corrected = any(each.corrected for each in data.contrasts)
    if not shown_p_values(data):
        return f"The figure has no room for the {'corrected ' if corrected else ''}p-values of {tested} contrasts."
    if data.common_reference is not None and len(data.conditions) > 2:
        reference = label_of(data.conditions[data.common_reference], style)
        return f"{'Corrected p' if corrected else 'p'}-values in the figure: against {reference}."
    return "p-values in the figure are corrected." if corrected else ""


def _left_out(data: ComparisonData, style: FigureStyle) -> list[str]:
    drawn = []
    if data.has("cells") and drawn_note(data, style):
        drawn = [
            f"{drawn_note(data, style)[0]}, a random part with about the same share of each replicate; "
            f"axes, clouds' widths, means and tests rest on all"
        ]
    return [*_sentences(drawn), *_outside_and_missing(data, style)]


def _outside_and_missing(data: ComparisonData, style: FigureStyle) -> list[str]:
    return [*_sentences(outside_note(style, both_shown(data))), *_missing(data)]


def _cells_outside(data: ComparisonData, style: FigureStyle) -> list[str]:
    return [*_sentences(outside_note(style, cells_shown(data))), *_missing(data)]


def _missing(data: ComparisonData) -> list[str]:
    missing = sum(group.n_missing for group in data.groups)
    return [f"{count(missing)} cells without a finite value are left out."] if missing else []
