"""A superplot for the screen: cells by replicate, means of replicates, mean and interval of each condition."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.report.document import InteractiveBlock
from cellmetry.report.methods_statistics import legend
from cellmetry.report.numerals import shown_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from cellmetry.report.style import FigureStyle
    from cellmetry.stats.comparison.result import Comparison

__all__ = ["superplot_json"]

_SPREAD = 0.36
_BINS = 40
_TICK_LETTERS, _MOST_UPRIGHT = 13, 5
_INK = "var(--ink)"
_BLACK = "#000000"


@dataclass(frozen=True)
class _Plot:
    """What all traces of a plot share: where conditions stand, and the colour of each replicate."""

    comparison: Comparison
    style: FigureStyle
    places: dict[str, int]
    colours: dict[str, str]

    def label(self, name: str) -> str:
        """Return a name as the figure shows it."""
        return _safe(self.style.labels.get(name, name))

    def tick(self, name: str) -> str:
        """Return it in short lines, which stand side by side on a small screen as well."""
        return "<br>".join(_safe(line) for line in wrap(self.style.labels.get(name, name), _TICK_LETTERS))


def superplot_json(
    cells: pd.DataFrame,
    comparison: Comparison,
    style: FigureStyle,
    *,
    pictures: Mapping[str, bytes] | None = None,
    most: int = 2000,
) -> InteractiveBlock:
    """Return the plot as plotly's JSON values.

    Parameters
    ----------
    cells
        One row a cell: ``condition``, ``replicate``, ``value``, and ``image`` and ``label`` where they are known. Cells
        without a finite value are not shown. Of a fraction no cells are drawn.
    pictures
        PNG of cells by ``image|label``; those of the cells shown go into the block.
    most
        Cells that are shown at most: as large a random part of each replicate, cells with a picture first.
    """
    pictures = pictures or {}
    replicates = list(dict.fromkeys(comparison.replicates["replicate"].astype(str)))
    colours = {
        name: _INK if colour == _BLACK else colour
        for name, colour in zip(replicates, _cycle(style.palette, len(replicates)), strict=True)
    }
    places = {name: place for place, name in enumerate(comparison.design.conditions)}
    plot = _Plot(comparison, style, places, colours)
    known = cells[np.isfinite(cells["value"].to_numpy(np.float64, na_value=np.nan))]
    if comparison.design.kind == "fraction":
        known = known.iloc[:0]
    shown = _chosen(known, pictures, most, style.seed)
    pictured = _have_picture(shown, pictures)
    traces = [*_cell_traces(plot, shown, pictured), *_replicate_traces(plot), _interval_trace(plot)]
    return InteractiveBlock(
        name=f"Superplot of {style.labels.get(comparison.options.value, comparison.options.value)}",
        plot={"data": traces, "layout": _layout(plot, shown)},
        legend=_legend(plot, (len(shown), len(known), int(pictured.sum()))),
        pictures={key: pictures[key] for key in _keys(shown[pictured])} if pictured.any() else {},
    )


def _cycle(palette: tuple[str, ...], count: int) -> list[str]:
    return [palette[place % len(palette)] for place in range(count)]


def _named(cells: pd.DataFrame) -> bool:
    return {"image", "label"} <= set(cells.columns)


def _keys(cells: pd.DataFrame) -> pd.Series[str]:
    return cells["image"].astype(str) + "|" + cells["label"].astype(str)


def _chosen(cells: pd.DataFrame, pictures: Mapping[str, bytes], most: int, seed: int) -> pd.DataFrame:
    """Return at most so many cells: of each replicate of each condition the same share, at random, pictured ones first.

    Each cell is placed within its replicate, 0 to 1, and the cells with the lowest places are taken.
    """
    if len(cells) <= most:
        return cells
    pictured = _have_picture(cells, pictures)
    order = np.lexsort((np.random.default_rng(seed).random(len(cells)), ~pictured))
    groups = cells.iloc[order].groupby(["condition", "replicate"], sort=False, observed=True)
    place = np.empty(len(cells))
    place[order] = (groups.cumcount() + 0.5) / groups["value"].transform("size")
    return cells.iloc[np.sort(np.argsort(place, kind="stable")[:most])]


def _have_picture(cells: pd.DataFrame, pictures: Mapping[str, bytes]) -> NDArray[np.bool_]:
    found = np.zeros(len(cells), bool)
    if not pictures or not _named(cells):
        return found
    images = {key.rpartition("|")[0] for key in pictures}
    possible = np.flatnonzero(cells["image"].astype(str).isin(images))
    found[possible] = _keys(cells.iloc[possible]).isin(pictures)
    return found


def _cell_traces(plot: _Plot, cells: pd.DataFrame, pictured: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Return a cloud of points for each replicate, as wide at each height as the condition has cells there.

    Cells that have a picture are outlined and lie on top.
    """
    x = cells["condition"].astype(str).map(plot.places).to_numpy(np.float64) + _jitter(cells, plot.style.seed)
    own = cells["replicate"].astype(str).to_numpy()
    traces = []
    for with_picture in (False, True):
        for name, colour in plot.colours.items():
            rows = np.flatnonzero((own == name) & (pictured == with_picture))
            if rows.size:
                cloud = {"x": _rounded(x[rows]), "marker": _marker(colour, outlined=with_picture)}
                traces.append({**cloud, **_cloud(plot, name), **_words(plot, cells.iloc[rows])})
    return traces


def _marker(colour: str, *, outlined: bool) -> dict[str, Any]:
    if outlined:
        return {"color": colour, "size": 7, "opacity": 0.9, "line": {"width": 1.2, "color": _INK}}
    return {"color": colour, "size": 5, "opacity": 0.55, "line": {"width": 0}}


def _cloud(plot: _Plot, replicate: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": plot.label(replicate),
        "legendgroup": replicate,
        "showlegend": False,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _words(plot: _Plot, cells: pd.DataFrame) -> dict[str, Any]:
    """Return values, hover text, and keys of cells with their line in the list of cells."""
    values = cells["value"].to_numpy(np.float64)
    whose = zip(cells["condition"].astype(str), cells["replicate"].astype(str), strict=True)
    of = [(plot.style.labels.get(condition, condition), replicate) for condition, replicate in whose]
    shown = [shown_number(value, 4) for value in values.tolist()]
    what = plot.label(plot.comparison.options.value)
    text = [
        f"{what}: {value}<br>{_safe(condition)}, replicate {_safe(replicate)}"
        for value, (condition, replicate) in zip(shown, of, strict=True)
    ]
    if not _named(cells):
        return {"y": values.tolist(), "text": text}
    who = list(zip(cells["image"].astype(str), cells["label"].astype(str), strict=True))
    lines = [f"{value}, {', '.join(own)}, label {label}" for value, own, (_, label) in zip(shown, of, who, strict=True)]
    return {
        "y": values.tolist(),
        "text": [
            f"{words}<br>{_safe(image)}<br>label {label}" for words, (image, label) in zip(text, who, strict=True)
        ],
        "customdata": [list(pair) for pair in zip(_keys(cells), lines, strict=True)],
    }


def _safe(text: str) -> str:
    """Return text for plotly, which takes its text for HTML."""
    return escape(text, quote=False)


def _jitter(cells: pd.DataFrame, seed: int) -> NDArray[np.float64]:
    """Return shifts to the sides, at most `_SPREAD`, in proportion to the number of cells of like value."""
    shifts = np.zeros(len(cells))
    uniform = np.random.default_rng(seed).uniform(-_SPREAD, _SPREAD, len(cells))
    for rows in cells.reset_index(drop=True).groupby("condition", observed=True).indices.values():
        values = cells["value"].to_numpy(np.float64)[rows]
        counts, edges = np.histogram(values, _BINS)
        smooth = np.convolve(counts, np.ones(5) / 5, "same")
        density = np.interp(values, (edges[1:] + edges[:-1]) / 2, smooth)
        shifts[rows] = uniform[rows] * density / max(density.max(), 1e-12)
    return shifts


def _rounded(values: NDArray[np.float64]) -> list[float]:
    rounded: list[float] = np.round(values, 4).tolist()
    return rounded


def _replicate_traces(plot: _Plot) -> list[dict[str, Any]]:
    """Return the values of each replicate as large points, joined by a line where replicates are pairs."""
    table = plot.comparison.replicates
    traces = []
    for name, colour in plot.colours.items():
        rows = table[(table["replicate"].astype(str) == name) & table["value"].notna()]
        mode = "lines+markers" if _joined(plot.comparison) else "markers"
        text = [
            f"{plot.label(condition)}, replicate {plot.label(name)}<br>{plot.comparison.options.summary}: "
            f"{shown_number(value, 4)}<br>{cells:,} cells"
            for condition, value, cells in zip(rows["condition"], rows["value"], rows["n_cells"], strict=True)
        ]
        traces.append(
            {
                "type": "scatter",
                "mode": mode,
                "name": f"replicate {plot.label(name)}",
                "legendgroup": name,
                "x": [plot.places[str(condition)] for condition in rows["condition"]],
                "y": [float(value) for value in rows["value"]],
                "text": text,
                "hovertemplate": "%{text}<extra></extra>",
                "line": {"color": colour, "width": 1.2},
                "marker": {"color": colour, "size": 13, "line": {"color": "var(--panel)", "width": 2}},
            }
        )
    return traces


def _interval_trace(plot: _Plot) -> dict[str, Any]:
    """Return mean and interval of each condition, a little to the right of its points; no interval where none is."""
    groups = plot.comparison.groups
    mean = groups["mean"].to_numpy(np.float64)
    up = groups["ci_high"].to_numpy(np.float64, na_value=np.nan) - mean
    down = mean - groups["ci_low"].to_numpy(np.float64, na_value=np.nan)
    confidence = f"{plot.comparison.options.confidence:.0%}"
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"mean ± {confidence} CI" if np.isfinite(up).any() else "mean",
        "x": [plot.places[str(condition)] + _SPREAD + 0.06 for condition in groups["condition"]],
        "y": mean.tolist(),
        "marker": {"symbol": "line-ew", "size": 18, "color": _INK, "line": {"color": _INK, "width": 2.5}},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": np.where(np.isfinite(up), up, 0.0).tolist(),
            "arrayminus": np.where(np.isfinite(down), down, 0.0).tolist(),
            "color": _INK,
            "thickness": 1.6,
            "width": 5,
        },
        "hovertemplate": "mean %{y:.4g}<extra></extra>",
    }


def _layout(plot: _Plot, cells: pd.DataFrame) -> dict[str, Any]:
    options = plot.comparison.options
    values = np.concatenate([frame["value"].to_numpy(np.float64) for frame in (cells, plot.comparison.replicates)])
    logarithmic = options.scale == "log" and bool((values[np.isfinite(values)] > 0).all())
    axis = {"gridcolor": "var(--line)", "linecolor": "var(--line)", "zeroline": False, "automargin": True}
    fraction = (
        "fraction of " if plot.comparison.design.kind == "fraction" and options.value not in plot.style.labels else ""
    )
    title = f"{fraction}{plot.label(options.value)}"
    return {
        "xaxis": {
            **axis,
            "tickvals": list(plot.places.values()),
            "ticktext": [plot.tick(name) for name in plot.places],
            "showgrid": False,
            "tickangle": 0 if len(plot.places) <= _MOST_UPRIGHT else "auto",
            "tickfont": {"size": 12},
            "ticklabeloverflow": "allow",
            "range": [-0.6, len(plot.places) - 0.4],
        },
        "yaxis": {**axis, "title": {"text": title}, "type": "log" if logarithmic else "linear"},
        "font": {"color": _INK, "size": 14},
        "paper_bgcolor": "var(--panel)",
        "plot_bgcolor": "var(--panel)",
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": "var(--ground)",
            "bordercolor": "var(--line)",
            "font": {"color": _INK},
            "align": "left",
        },
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "var(--soft)", "activecolor": _INK},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "margin": {"l": 60, "r": 10, "t": 20, "b": 40},
    }


def _joined(comparison: Comparison) -> bool:
    """Return whether lines join the values of a replicate: not where there is one, whose line would join all."""
    return comparison.design.paired and comparison.replicates["replicate"].nunique() > 1


def _legend(plot: _Plot, numbers: tuple[int, int, int]) -> str:
    """Return what the plot shows; numbers of cells: shown, known, and shown with a picture."""
    shown, known, pictured = numbers
    if plot.comparison.design.kind == "fraction":
        cells = "Large points are the fractions of replicates; cells are not drawn."
    elif shown < known:
        cells = (
            f"Small points are cells, {shown:,} of {known:,}: a random part, as large a share of each replicate, cells "
            f"that have a picture first. Large points are replicates, from all their cells."
        )
    else:
        cells = f"Small points are cells, all {known:,} of them; large points are replicates."
    if pictured:
        cells += f" Outlined points ({pictured:,}) have a picture."
    joined = " Lines join a replicate's values." if _joined(plot.comparison) else ""
    return f"{cells}{joined} {legend(plot.comparison)}"
