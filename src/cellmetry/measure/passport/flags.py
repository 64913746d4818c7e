"""Flags: which values of an object's passport pass their thresholds, and what is usual in its image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cellmetry.ops.spread import SD_OF_MAD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.measure.passport.options import PassportOptions

    Values = NDArray[np.float64]
    Flag = pd.Series[bool]

__all__ = ["FLAGS", "add_flags", "robust_z"]

FLAGS = ("saturation", "focus", "edge", "background", "debris", "contrast", "confidence")
"""All flags, in the order of their columns; each has the column ``flag_…``."""


def robust_z(values: Values, *, least_spread: float, least_count: int) -> Values:
    """Return by how many standard deviations each value differs from the median of all.

    The standard deviation is 1.4826 times the median absolute deviation, at least `least_spread`. All are missing where
    fewer than `least_count` values are finite. Iglewicz & Hoaglin, How to detect and handle outliers (1993).
    """
    finite = values[np.isfinite(values)]
    if len(finite) < least_count:
        return np.full(values.shape, np.nan)
    middle = np.median(finite)
    spread = max(SD_OF_MAD * float(np.median(np.abs(finite - middle))), least_spread)
    with np.errstate(divide="ignore", invalid="ignore"):
        z: Values = np.where(values == middle, 0.0, (values - middle) / spread)
    return z


def add_flags(values: pd.DataFrame, names: Sequence[str], options: PassportOptions) -> pd.DataFrame:
    """Return the values of all objects of an image with what compares them to each other, and with flags.

    Parameters
    ----------
    values
        From `block_values`; columns whose names begin with ``_`` are left out of the result.
    names
        Of the channels, as in columns.
    """
    out = values.copy()
    _compare_shapes(out, options)
    for name in names:
        _compare_channel(out, name, options)
    flags = {
        "saturation": _any([out[f"saturated_fraction_{name}"] > options.saturated_fraction for name in names]),
        "focus": _any([_out_of_focus(out, name, options) for name in names]),
        "edge": (out["border_px"] > options.edge_px).astype("boolean"),
        "background": _any([_beyond(out[f"local_background_z_{name}"], options.background_z) for name in names]),
        "debris": _debris(out, options),
        "contrast": _all([_below(out[f"contrast_to_noise_{name}"], options.least_contrast) for name in names]),
    }
    if "confidence" in out:
        flags["confidence"] = _unsure(out, options)
    for name, flag in flags.items():
        out[f"flag_{name}"] = flag
    raised = pd.concat(list(flags.values()), axis=1).fillna(False)
    out["flag_any"] = raised.any(axis=1).astype("boolean")
    return out[[column for column in out if not str(column).startswith("_")]]


def _numbers(column: pd.Series) -> Values:
    return column.to_numpy(np.float64)


def _log2(values: Values) -> Values:
    with np.errstate(divide="ignore"):
        logs: Values = np.log2(values)
    return logs


def _compare_shapes(out: pd.DataFrame, options: PassportOptions) -> None:
    """Add how far size and solidity are from the usual, of objects that the border does not cut."""
    whole = _numbers(out["border_px"]) <= options.edge_px
    sides = [("size_z", _log2(_numbers(out["_size"])), options.size_spread)]
    if "_solidity" in out:
        sides.append(("solidity_z", _numbers(out["_solidity"]), options.solidity_spread))
    for column, values, spread in sides:
        judged = np.where(whole, values, np.nan)
        out[column] = robust_z(judged, least_spread=spread, least_count=options.least_cells)


def _compare_channel(out: pd.DataFrame, name: str, options: PassportOptions) -> None:
    """Add how far blur and background are from the usual, and take out the blur of what cannot be seen."""
    seen = _numbers(out[f"contrast_to_noise_{name}"]) >= options.least_contrast
    blur = np.where(seen, _numbers(out[f"blur_px_{name}"]), np.nan)
    signal = max(_usual(_numbers(out[f"_signal_{name}"])), _usual(_numbers(out[f"_noise_{name}"])))
    width = max(_usual(blur), options.focus_scale_px)
    blurs = robust_z(blur, least_spread=options.focus_spread * width, least_count=options.least_cells)
    backgrounds = robust_z(
        _numbers(out[f"local_background_{name}"]),
        least_spread=options.background_spread * signal,
        least_count=options.least_cells,
    )
    out[f"blur_px_{name}"] = blur
    for after, column, z in (("blur_px", "blur_z", blurs), ("local_background", "local_background_z", backgrounds)):
        out.insert(list(out.columns).index(f"{after}_{name}") + 1, f"{column}_{name}", z)


def _usual(values: Values) -> float:
    """Return the median of the finite values; 0 if there are none."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else 0.0


def _judged(passed: NDArray[np.bool_], values: Values) -> Flag:
    """Return a flag that is missing where the value is."""
    return pd.Series(pd.array(passed, dtype="boolean")).mask(np.isnan(values))


def _below(column: pd.Series, limit: float) -> Flag:
    values = _numbers(column)
    return _judged(values < limit, values)


def _above(column: pd.Series, limit: float) -> Flag:
    values = _numbers(column)
    return _judged(values > limit, values)


def _beyond(column: pd.Series, limit: float) -> Flag:
    values = _numbers(column)
    return _judged(np.abs(values) > limit, values)


def _out_of_focus(out: pd.DataFrame, name: str, options: PassportOptions) -> Flag:
    flag = _above(out[f"blur_z_{name}"], options.focus_z)
    if options.most_blur_px is None:
        return flag
    return _any([flag, _above(out[f"blur_px_{name}"], options.most_blur_px)])


def _debris(out: pd.DataFrame, options: PassportOptions) -> Flag:
    flags = [_beyond(out["size_z"], options.debris_z)]
    if "solidity_z" in out:
        flags.append(_below(out["solidity_z"], -options.debris_z))
    return _any(flags)


def _unsure(out: pd.DataFrame, options: PassportOptions) -> Flag:
    step = _below(out["outline_step"], options.least_outline_step)
    return _any([_below(out["confidence"], options.least_confidence), step])


def _any(flags: Sequence[Flag]) -> Flag:
    """Return whether any flag that was judged is raised; missing where none was judged."""
    table = pd.concat(flags, axis=1).astype("boolean")
    return table.fillna(False).any(axis=1).astype("boolean").mask(table.isna().all(axis=1))


def _all(flags: Sequence[Flag]) -> Flag:
    """Return whether all flags that were judged are raised; missing where none was judged."""
    table = pd.concat(flags, axis=1).astype("boolean")
    return table.fillna(True).all(axis=1).astype("boolean").mask(table.isna().all(axis=1))
