"""DualCellQuant's work on one plane: masks, region, ratio and tables, of parameters that are already chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellmetry.errors import ParameterError
from cellmetry.measure.profiles import Windows, pool_profiles
from cellmetry.quantify.dualcellquant.masks import threshold_mask
from cellmetry.quantify.dualcellquant.pixels import fractions_of, native_maximum, preprocess, saturation_fraction
from cellmetry.quantify.dualcellquant.radial import Depths, depth_profiles, radial_labels
from cellmetry.quantify.dualcellquant.tables import (
    Pair,
    Selection,
    cell_table,
    peak_table,
    profile_table,
    smoothed_table,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cellmetry.measure.peaks import PeakOptions
    from cellmetry.quantify.dualcellquant.masks import MaskRule
    from cellmetry.quantify.dualcellquant.pixels import Preprocessing
    from cellmetry.quantify.dualcellquant.radial import Band

__all__ = ["ChannelRule", "Made", "PeakRule", "PlaneRules", "Radial", "Smoothing", "quantify_plane"]


class ChannelRule(NamedTuple):
    """What is done with one channel: its role, mask, saturation limit (of 255) and preprocessing."""

    role: str
    mask: MaskRule
    saturation: float
    preprocessing: Preprocessing


class Radial(NamedTuple):
    """The radial region and what is restricted to it: the mask of each channel, and the selection."""

    band: Band
    masks: tuple[bool, ...]
    selection: bool


class Smoothing(NamedTuple):
    """Points and order of the polynomial of Savitzky-Golay smoothing."""

    window: int
    order: int


class PeakRule(NamedTuple):
    """Between which centres in per cent peaks are looked for, and how."""

    low: float
    high: float
    options: PeakOptions


class PlaneRules(NamedTuple):
    """All that is to be done; None where something is not."""

    channels: tuple[ChannelRule, ...]
    radial: Radial | None
    windows: Windows | None
    smoothing: Smoothing | None
    peaks: PeakRule | None
    epsilon: float


@dataclass(frozen=True)
class Made:
    """What was made of one plane: masks and tables by name, the ratio of each pixel, and cells without outside."""

    masks: dict[str, NDArray[np.uint32]]
    tables: dict[str, pd.DataFrame]
    ratio: NDArray[np.float32] | None
    boundless: tuple[int, ...]


def quantify_plane(
    labels: NDArray[np.uint32],
    stored: list[NDArray[Any]],
    measured: list[NDArray[Any]],
    pixel_um2: float,
    rules: PlaneRules,
) -> Made:
    """Return masks, ratio and tables of one plane.

    Parameters
    ----------
    stored
        The channels as read, on which masks and saturation rest.
    measured
        The channels to be preprocessed and measured.
    """
    depths = Depths(labels)
    band = None if rules.radial is None else radial_labels(depths, rules.radial.band)
    masks = {}
    for number, (channel, plane) in enumerate(zip(rules.channels, stored, strict=True)):
        inside = band if rules.radial is not None and rules.radial.masks[number] else None
        masks[f"{channel.role}_mask"] = _mask(plane, labels if inside is None else inside, channel)
    restricted = band if rules.radial is not None and rules.radial.selection else None
    chosen = _selection(labels, list(masks.values()), restricted)
    pair = _pair(measured, rules)
    where = Selection(depths.ids, labels, chosen, pixel_um2)
    tables = {"cells": cell_table(where, pair, rules.epsilon)}
    tables |= _profile_tables(tables["cells"], depths, pair, rules)
    ratio = None if pair.ratio is None else np.where(chosen > 0, pair.ratio, np.nan).astype(np.float32)
    masks |= {"and_mask": chosen} if band is None else {"and_mask": chosen, "radial_mask": band}
    return Made(masks, tables, ratio, _boundless(depths, rules))


def _boundless(depths: Depths, rules: PlaneRules) -> tuple[int, ...]:
    """Return cells without an outside, where that matters."""
    if rules.radial is None and rules.windows is None:
        return ()
    return tuple(depths.ids[np.isinf(depths.deepest)].tolist())


def _mask(plane: NDArray[Any], regions: NDArray[np.uint32], channel: ChannelRule) -> NDArray[np.uint32]:
    fractions = fractions_of(plane, channel.preprocessing.pick)
    unsaturated = fractions < saturation_fraction(channel.saturation, native_maximum(plane))
    if channel.mask.mode.startswith("global") and not unsaturated.any():
        raise ParameterError(
            f"Every pixel of the {channel.role} reaches the saturation limit {channel.saturation:g} (of 255), so there "
            f"is no pixel to find a threshold from; raise the limit."
        )
    return threshold_mask(fractions, unsaturated, regions, channel.mask)


def _selection(
    labels: NDArray[np.uint32], masks: list[NDArray[np.uint32]], band: NDArray[np.uint32] | None
) -> NDArray[np.uint32]:
    """Return the pixels to measure: in all masks; with a region, in it, and all of it that lies outside cells."""
    passed = np.logical_and.reduce([mask > 0 for mask in masks])
    inside = np.where(passed, labels, np.uint32(0))
    if band is None:
        return inside
    return np.where(labels > 0, np.where(band == labels, inside, np.uint32(0)), band)


def _pair(measured: list[NDArray[Any]], rules: PlaneRules) -> Pair:
    planes = tuple(
        preprocess(plane, channel.preprocessing) for plane, channel in zip(measured, rules.channels, strict=True)
    )
    if len(planes) == 1:
        return Pair(planes, None)
    target, reference = (plane.astype(np.float64) + rules.epsilon for plane in planes)
    ratio = np.full(target.shape, np.nan)
    np.divide(target, reference, out=ratio, where=reference != 0)
    return Pair(planes, ratio)


def _profile_tables(cells: pd.DataFrame, depths: Depths, pair: Pair, rules: PlaneRules) -> dict[str, pd.DataFrame]:
    if rules.windows is None:
        return {}
    profiles = depth_profiles(depths, rules.windows, pair.measured)
    table = profile_table(profiles, rules.windows)
    pooled = profile_table(pool_profiles(profiles), rules.windows, pooled=True)
    out = {"radial_profile_cells": table, "radial_profile_pooled": pooled}
    if rules.smoothing is not None:
        out["radial_profile_sg"] = smoothed_table(table, rules.windows, *rules.smoothing)
    if rules.peaks is not None:
        centres = rules.windows.centres
        near = (centres >= rules.peaks.low) & (centres <= rules.peaks.high)
        out["peaks"] = peak_table(cells, profiles.means[:2, :, near], centres[near], rules.peaks.options)
    return out
