"""What the columns of DualCellQuant's tables mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.core.columns import Column

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["described"]

_SOURCE = "DualCellQuant"
_KINDS = {"sum": "Sum", "mean": "Mean", "std": "Standard deviation (divided by n)"}
_WHERE = {"on_mask": "the selected pixels (both masks, region)", "whole": "the whole cell"}
_IN_WINDOW = {
    "mean": "Mean in the window",
    "std": "Standard deviation (divided by n - 1) in the window",
    "sem": "Standard error of the mean in the window, pixels taken as independent",
}
_PLAIN = (
    ("label", "1", "Id of the cell in the label image."),
    ("t", "1", "Frame, from 0."),
    ("z", "1", "Z plane, from 0."),
    ("area_cell_px", "px", "Number of pixels of the cell."),
    ("area_cell_um2", "um2", "area_cell_px times the area of a pixel (1 µm² where that is unknown)."),
    ("area_and_px", "px", "Number of selected pixels: in both masks and, if there is one, in the radial region; of a "
     "region beyond 100 % all pixels outside cells."),
    ("area_and_um2", "um2", "area_and_px times the area of a pixel (1 µm² where that is unknown)."),
    ("area_mask_px", "px", "Number of selected pixels: in the mask and, if there is one, in the radial region; of a "
     "region beyond 100 % all pixels outside cells."),
    ("area_mask_um2", "um2", "area_mask_px times the area of a pixel (1 µm² where that is unknown)."),
    ("sum_ratio_T_over_R", "1", "Sum of (target + epsilon) / (reference + epsilon) over the selected pixels."),
    ("mean_ratio_T_over_R", "1", "Mean of (target + epsilon) / (reference + epsilon) over the selected pixels, or "
     "those in the window."),
    ("std_ratio_T_over_R", "1", "Standard deviation of that ratio: divided by n for cells, by n - 1 in a window."),
    ("sem_ratio_T_over_R", "1", "Standard error of the mean ratio in the window, pixels taken as independent."),
    ("count_ratio_px", "px", "Pixels in the window whose ratio is finite."),
    ("ratio_of_means_on_mask", "1", "(mean_target_on_mask + epsilon) / (mean_reference_on_mask + epsilon)."),
    ("band_start_pct", "%", "Start of the window; 0 is the deepest pixel of the cell, 100 its boundary."),
    ("band_end_pct", "%", "End of the window; a pixel exactly there belongs to it."),
    ("center_pct", "%", "Middle of the window."),
    ("count_px", "px", "Pixels in the window, whatever the masks."),
    ("max_target_center_pct", "%", "Centre of the window where the target peaks."),
    ("max_reference_center_pct", "%", "Centre of the window where the reference peaks."),
    ("difference_pct", "%", "max_target_center_pct less max_reference_center_pct."),
    ("max_target_intensity", "intensity", "Mean of the target in the window of its peak, not smoothed."),
    ("max_reference_intensity", "intensity", "Mean of the reference in the window of its peak, not smoothed."),
    ("ratio_intensity", "1", "(max_target_intensity + 1e-12) / (max_reference_intensity + 1e-12)."),
    ("ref_range_rel", "1", "Reference: largest less smallest mean in the range, over the largest."),
    ("ref_noise_rel", "1", "Reference: median absolute deviation of the steps between windows, over largest less "
     "smallest mean."),
    ("ref_neg_run_after_peak", "1", "Reference: windows from its peak on over which it falls without a break."),
    ("accept_ref", "1", "Whether range, noise, fall and place of the reference's peak are within their limits."),
)  # fmt: skip


def _columns() -> dict[str, Column]:
    """Return the description of every column there can be."""
    found = [Column(name, unit, words, _SOURCE) for name, unit, words in _PLAIN]
    for kind, words in _KINDS.items():
        for place, region in _WHERE.items():
            found.append(Column(f"{kind}_{place}", "intensity", f"{words} of the target over {region}.", _SOURCE))
            for name in ("target", "reference"):
                definition = f"{words} of the {name} over {region}."
                found.append(Column(f"{kind}_{name}_{place}", "intensity", definition, _SOURCE))
    for kind, words in _IN_WINDOW.items():
        for name in ("target", "reference"):
            found.append(Column(f"{kind}_{name}", "intensity", f"{words}: {name}.", _SOURCE))
    for unit, long in (("px", "area_cell_px"), ("um", "area_cell_um2")):
        for place in ("max_target", "max_reference", "difference"):
            percent = "difference_pct" if place == "difference" else f"{place}_center_pct"
            definition = f"{percent} / 100 × √({long} / π), the radius of the disc of the cell's area."
            found.append(Column(f"{place}_{unit}", unit, definition, _SOURCE))
    return {column.name: column for column in found}


_COLUMNS = _columns()


def described(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its columns described in ``attrs["columns"]``."""
    out = table.copy(deep=False)
    out.attrs["columns"] = tuple(_COLUMNS[str(name)] for name in table)
    return out
