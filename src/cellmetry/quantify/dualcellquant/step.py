"""The step `dualcellquant`: one pair of channels, or one channel, quantified by the rules of that program."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.errors import ParameterError
from cellmetry.measure.peaks import PeakOptions
from cellmetry.quantify.dualcellquant.masks import MaskMode, MaskRule
from cellmetry.quantify.dualcellquant.pixels import Background, Normalisation, Pick, Preprocessing
from cellmetry.quantify.dualcellquant.planes import (
    ChannelRule,
    PeakRule,
    PlaneRules,
    Radial,
    Smoothing,
    quantify_plane,
)
from cellmetry.quantify.dualcellquant.radial import Band, percent_windows
from cellmetry.quantify.dualcellquant.stacks import check_planes, gather, planes_of, ratio_image

if TYPE_CHECKING:
    from cellmetry.core.image import Image
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.measure.profiles import Windows

__all__ = ["DualCellQuant"]

_SMALLEST_WINDOW = 3
_HIGHEST = 98.0
"""Per cent beyond which the program accepts no peak."""


class DualCellQuant(Step):
    """Quantify a target channel against a reference by the exact rules of the program DualCellQuant."""

    name: ClassVar[str] = "dualcellquant"

    labels: str = "cells"
    """Name of the labels of cells."""
    target: str = Field(default="target", coerce_numbers_to_str=True)
    """Target channel, by name or index."""
    reference: str = Field(default="reference", coerce_numbers_to_str=True)
    """Reference channel, by name or index; empty: none, the table is then that of a single image."""
    channel_target: Pick = "gray"
    """gray: stored values times 0.9999, as the program's gray (0.2989 + 0.5870 + 0.1140) of a picture without colours;
    colour: as stored, as its R, G or B."""
    channel_reference: Pick = "gray"
    """The same for the reference."""
    mask_target: MaskMode = "none"
    """Mask of the target: none (all unsaturated pixels), or a threshold on the whole plane or in each cell."""
    mask_reference: MaskMode = "none"
    """Mask of the reference."""
    percentile_target: float = Field(default=75.0, ge=0, le=100)
    """Percentile for a mask by percentile: 75 keeps the brightest 25 per cent."""
    percentile_reference: float = Field(default=75.0, ge=0, le=100)
    """The same for the reference."""
    saturation_target: float = Field(default=254.0, gt=0, le=255)
    """Pixels of the target from here on are saturated and in no mask; on a scale to 255, the largest value of the
    stored type."""
    saturation_reference: float = Field(default=254.0, gt=0, le=255)
    """The same for the reference."""
    min_object_target_px: int = Field(default=50, ge=0)
    """Parts of a threshold mask below this many pixels go, then it is opened by a plus of five pixels; 0: neither."""
    min_object_reference_px: int = Field(default=50, ge=0)
    """The same for the reference."""
    background: Background = "none"
    """Background taken off before measuring: none, rolling ball, mean of the darkest pixels, or a given value."""
    rolling_radius_px: int = Field(default=50, ge=1)
    """Radius of the rolling ball in pixels, and in stored values."""
    dark_percentile: float = Field(default=5.0, ge=0, le=50)
    """The darkest pixels are those up to this percentile of the plane."""
    manual_target: float = 1.0
    """Background of the target with background = manual, in stored values."""
    manual_reference: float = 1.0
    """Background of the reference with background = manual, in stored values."""
    normalise: Normalisation = "none"
    """Normalisation after the background: none, z-score, robust z-score, 0-1, or between the 1st and 99th
    percentile."""
    radial_inner: float | None = Field(default=None, ge=0)
    """Inner end of the radial region in per cent of the cell's depth (0 centre, 100 boundary); no region if neither end
    is given, 0 if only the outer one is."""
    radial_outer: float | None = Field(default=None, ge=0)
    """Outer end of the radial region; above 100 it reaches into the background. 100 if only the inner one is given."""
    min_object_radial_px: int = Field(default=50, ge=0)
    """Parts of the region in a cell below this many pixels go, then it is opened; 0: neither."""
    radial_on_target: bool = False
    """Whether the target's mask is made in the radial region in place of the cell."""
    radial_on_reference: bool = False
    """Whether the reference's mask is made in the radial region in place of the cell."""
    radial_on_and: bool = True
    """Whether measuring is restricted to the radial region; of one beyond 100 per cent, all background pixels count."""
    ratio_epsilon: float = Field(default=1e-6, ge=1e-12)
    """Added to target and reference before they are divided."""
    profile_window: float | None = Field(default=None, gt=0)
    """Width of a window of the radial profile in per cent; no profile if not given."""
    profile_step: float = Field(default=5.0, gt=0)
    """From one window to the next, in per cent."""
    profile_start: float = 0.0
    """Start of the first window in per cent."""
    profile_end: float = 150.0
    """Latest end of a window in per cent."""
    smoothing_window: int = Field(default=5, ge=0)
    """Windows that Savitzky-Golay smoothing of the profile takes together; below 3: none."""
    smoothing_order: int = Field(default=2, ge=0)
    """Order of its polynomial."""
    peaks: Literal["first_local_top", "global_max"] | None = None
    """How peaks of the profile are found; not looked for if not given."""
    peak_low: float = 60.0
    """Lowest centre of a window that can be a peak, in per cent."""
    peak_high: float = 120.0
    """Highest centre of a window that can be a peak, in per cent."""
    peak_slope: float = Field(default=0.001, ge=0)
    """Twice this share of the profile's mean slope counts as a slope: for first_local_top, and for the fall after a
    peak."""
    pixel_width_um: float | None = Field(default=None, gt=0)
    """Width of a pixel in µm; that of the image if not given, else 1."""
    pixel_height_um: float | None = Field(default=None, gt=0)
    """Height of a pixel in µm; that of the image if not given, else 1."""

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with tables, masks and the ratio added."""
        labels, image, rules = sample.need_labels(self.labels), sample.image, self._rules()
        check_planes(labels, image)
        channels = [image.channel_index(name) for name in (self.target, self.reference) if name]
        places = planes_of(image)
        progress.start("dualcellquant", len(places))
        made = []
        for place in places:
            stored = [sample.unprocessed.plane(t=place.t, c=c, z=place.z) for c in channels]
            measured = [image.plane(t=place.t, c=c, z=place.z) for c in channels]
            plane = np.asarray(labels.array[place.in_labels(labels.axes)], np.uint32)
            made.append(quantify_plane(plane, stored, measured, self._pixel_um2(image), rules))
            progress.advance()
        found = gather(made, places, labels)
        sample = replace(sample, tables={**sample.tables, **found.tables}).with_masks(found.masks)
        if found.ratio is not None:
            sample = sample.with_maps({"ratio": ratio_image(found.ratio, labels.axes, image)})
        return sample.with_warnings(*found.warnings)

    def _pixel_um2(self, image: Image) -> float:
        width = self.pixel_width_um or image.pixel_size.x or 1.0
        return width * (self.pixel_height_um or image.pixel_size.y or 1.0)

    def _rules(self) -> PlaneRules:
        """Return the parameters in the form in which a plane is worked on.

        Raises
        ------
        ParameterError
            If peaks are asked for without a reference, a profile or a window in their range, or no window fits.
        """
        roles = ["target", "reference"] if self.reference else ["target"]
        windows = self._windows()
        smoothing = Smoothing(self.smoothing_window, self.smoothing_order)
        smooths = self.smoothing_window >= _SMALLEST_WINDOW
        return PlaneRules(
            channels=tuple(self._channel(role) for role in roles),
            radial=self._radial(),
            windows=windows,
            smoothing=smoothing if smooths else None,
            peaks=self._peaks(windows),
            epsilon=self.ratio_epsilon,
        )

    def _channel(self, role: str) -> ChannelRule:
        first = role == "target"
        mask = MaskRule(
            self.mask_target if first else self.mask_reference,
            self.percentile_target if first else self.percentile_reference,
            self.min_object_target_px if first else self.min_object_reference_px,
        )
        preprocessing = Preprocessing(
            background=self.background,
            radius_px=self.rolling_radius_px,
            dark_percentile=self.dark_percentile,
            manual=self.manual_target if first else self.manual_reference,
            normalise=self.normalise,
            pick=self.channel_target if first else self.channel_reference,
        )
        return ChannelRule(role, mask, self.saturation_target if first else self.saturation_reference, preprocessing)

    def _radial(self) -> Radial | None:
        if self.radial_inner is None and self.radial_outer is None:
            return None
        inner = 0.0 if self.radial_inner is None else self.radial_inner
        outer = 100.0 if self.radial_outer is None else self.radial_outer
        band = Band(inner, outer, self.min_object_radial_px)
        return Radial(band, (self.radial_on_target, self.radial_on_reference), self.radial_on_and)

    def _windows(self) -> Windows | None:
        if self.profile_window is None:
            return None
        return percent_windows(self.profile_start, self.profile_end, self.profile_window, self.profile_step)

    def _peaks(self, windows: Windows | None) -> PeakRule | None:
        if self.peaks is None:
            return None
        if windows is None or not self.reference:
            raise ParameterError(
                "Peaks are those of a radial profile of two channels; give profile_window and reference."
            )
        if not ((windows.centres >= self.peak_low) & (windows.centres <= self.peak_high)).any():
            raise ParameterError(
                f"No window of the profile has its centre between {self.peak_low:g} % and {self.peak_high:g} %, where "
                f"peaks are looked for; widen peak_low and peak_high or the profile."
            )
        options = PeakOptions(
            algorithm=self.peaks,
            rules="dualcellquant",
            window=self.smoothing_window,
            order=self.smoothing_order,
            slope=self.peak_slope,
            least_prominence=0,
            highest=_HIGHEST,
        )
        return PeakRule(self.peak_low, self.peak_high, options)
