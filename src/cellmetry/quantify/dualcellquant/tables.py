"""DualCellQuant's tables: cells, profiles and peaks, with its own names of columns in its own order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from cellmetry.measure.peaks import find_peaks, peak_quality
from cellmetry.measure.profiles import Profiles, Windows, accumulate_profiles
from cellmetry.measure.smoothing import smooth_profiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.measure.peaks import PeakOptions

__all__ = ["Pair", "Selection", "cell_table", "peak_table", "profile_table", "smoothed_table"]

_TINY = 1e-12
_NAMES = ("target", "reference")


class Pair(NamedTuple):
    """Preprocessed values of a plane: the target alone, or with the reference and the ratio of both."""

    channels: tuple[NDArray[np.float32], ...]
    ratio: NDArray[np.float64] | None

    @property
    def measured(self) -> list[NDArray[Any]]:
        """The channels and, if there are two, their ratio."""
        return [*self.channels] if self.ratio is None else [*self.channels, self.ratio]


class Selection(NamedTuple):
    """Where cells are measured: whole, and on the pixels that masks and region leave; with the area of a pixel."""

    ids: NDArray[np.uint32]
    labels: NDArray[np.uint32]
    chosen: NDArray[np.uint32]
    pixel_um2: float


def _whole(owner: NDArray[np.uint32], ids: NDArray[np.uint32], channels: Sequence[NDArray[Any]]) -> Profiles:
    """Return the profile with the one window that holds all pixels."""
    everywhere = Windows(np.zeros(1), np.zeros(1))
    return accumulate_profiles(owner, np.zeros(owner.shape, np.float32), everywhere, channels, ids=ids)


def _statistics(profiles: Profiles, channel: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return sum, mean and standard deviation (divided by n) of each owner; NaN without pixels."""
    count, mean = profiles.counts[channel, :, 0], profiles.means[channel, :, 0]
    spread = np.full(mean.shape, np.nan)
    np.divide(profiles.squares[channel, :, 0], count, out=spread, where=count > 0)
    return mean * count, mean, np.sqrt(spread)


def cell_table(where: Selection, pair: Pair, epsilon: float) -> pd.DataFrame:
    """Return the table of cells: with a reference the columns of two channels, else those of a single image."""
    whole, chosen = (_whole(owner, where.ids, pair.measured) for owner in (where.labels, where.chosen))
    two = pair.ratio is not None
    area, area_on = whole.pixels[:, 0], chosen.pixels[:, 0]
    on = "and" if two else "mask"
    out: dict[str, NDArray[Any]] = {
        "label": where.ids.astype(np.int64),
        "area_cell_px": area,
        "area_cell_um2": area * where.pixel_um2,
        f"area_{on}_px": area_on,
        f"area_{on}_um2": area_on * where.pixel_um2,
    }
    names = [f"_{name}" for name in _NAMES] if two else [""]
    for channel, name in enumerate(names):
        out.update(zip(_three(f"{name}_on_mask"), _statistics(chosen, channel), strict=True))
    if two:
        out.update(_ratios(chosen, epsilon))
    for channel, name in enumerate(names):
        out.update(zip(_three(f"{name}_whole"), _statistics(whole, channel), strict=True))
    return pd.DataFrame(out)


def _three(ending: str) -> tuple[str, str, str]:
    return f"sum{ending}", f"mean{ending}", f"std{ending}"


def _ratios(chosen: Profiles, epsilon: float) -> dict[str, NDArray[Any]]:
    """Return the columns of the ratio; its standard deviation needs two pixels."""
    total, mean, spread = _statistics(chosen, 2)
    means = chosen.means[:2, :, 0] + epsilon
    alone = chosen.counts[2, :, 0] < 2
    out = dict(zip(_three("_ratio_T_over_R"), (total, mean, np.where(alone, np.nan, spread)), strict=True))
    return {**out, "ratio_of_means_on_mask": means[0] / means[1]}


def profile_table(profiles: Profiles, windows: Windows, *, pooled: bool = False) -> pd.DataFrame:
    """Return one row a window, of each cell or of all pooled (without the column label)."""
    cells, count = profiles.pixels.shape
    columns: dict[str, NDArray[Any]] = {} if pooled else {"label": np.repeat(profiles.ids.astype(np.int64), count)}
    ends = (windows.starts, windows.ends, windows.centres)
    columns |= {name: np.tile(end, cells) for name, end in zip(_WINDOW_COLUMNS, ends, strict=True)}
    columns["count_px"] = profiles.pixels.ravel()
    named = _NAMES[: len(profiles.means)]
    for kind, values in (("mean", profiles.means), ("std", profiles.std), ("sem", profiles.sem)):
        columns |= {f"{kind}_{name}": row.ravel() for name, row in zip(named, values, strict=False)}
    if len(profiles.means) > 2:
        for kind, values in (("mean", profiles.means), ("std", profiles.std), ("sem", profiles.sem)):
            columns[f"{kind}_ratio_T_over_R"] = values[2].ravel()
        columns["count_ratio_px"] = profiles.counts[2].ravel()
    return pd.DataFrame(columns)


_WINDOW_COLUMNS = ("band_start_pct", "band_end_pct", "center_pct")


def smoothed_table(table: pd.DataFrame, windows: Windows, window: int, order: int) -> pd.DataFrame:
    """Return the profiles of cells with smoothed means; spreads and counts stay as they are."""
    means = [name for name in table if str(name).startswith("mean_")]
    rows = {str(name): table[name].to_numpy().reshape(-1, len(windows.starts)) for name in means}
    return table.assign(**{name: smooth_profiles(row, window, order).ravel() for name, row in rows.items()})


def peak_table(
    cells: pd.DataFrame, means: NDArray[np.float64], centres: NDArray[np.float64], options: PeakOptions
) -> pd.DataFrame:
    """Return where target and reference peak in each cell, in per cent and by the radius of the disc of equal area.

    Parameters
    ----------
    cells
        The table of the same cells.
    means, centres
        Profiles of target and reference, shape (2, cells, windows), and their windows' centres, in the range in which
        peaks are looked for.
    """
    found = [find_peaks(centres, rows, options) for rows in means]
    percents = [_at(np.broadcast_to(centres, means[0].shape), peaks) for peaks in found]
    percents.append(percents[0] - percents[1])
    out: dict[str, NDArray[Any]] = {"label": cells["label"].to_numpy()}
    out |= dict(zip(_PEAK_COLUMNS, percents, strict=True))
    for unit in ("px", "um"):
        radius = np.sqrt(cells[f"area_cell_{unit}{'' if unit == 'px' else '2'}"].to_numpy(np.float64) / np.pi)
        lengths = [percent / 100.0 * radius for percent in percents]
        out |= {f"{name}_{unit}": row for name, row in zip(_LENGTH_COLUMNS, lengths, strict=True)}
    tops = [_at(rows, peaks) for rows, peaks in zip(means, found, strict=True)]
    out |= {f"max_{name}_intensity": top for name, top in zip(_NAMES, tops, strict=True)}
    out["ratio_intensity"] = (tops[0] + _TINY) / (tops[1] + _TINY)
    quality = peak_quality(centres, means[1], found[1], options)
    judged = (quality.range_rel, quality.noise_rel, quality.falling_run, quality.accepted)
    return pd.DataFrame(out | dict(zip(_QUALITY_COLUMNS, judged, strict=True)))


_PEAK_COLUMNS = ("max_target_center_pct", "max_reference_center_pct", "difference_pct")
_LENGTH_COLUMNS = ("max_target", "max_reference", "difference")
_QUALITY_COLUMNS = ("ref_range_rel", "ref_noise_rel", "ref_neg_run_after_peak", "accept_ref")


def _at(rows: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the value of each row at a place of its own; NaN where that is -1."""
    picked = np.take_along_axis(rows, np.maximum(places, 0)[:, None], axis=1)[:, 0]
    return np.where(places >= 0, picked, np.nan)
