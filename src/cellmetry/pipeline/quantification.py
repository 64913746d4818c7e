"""From what a user asks of a target and a reference channel to the recipe that measures it."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError
from cellmetry.ops.radial import RadialRange, parse_radial
from cellmetry.ops.saturation import parse_saturation

__all__ = ["QuantificationPlan", "RolePlan", "WindowSizes", "parse_background", "parse_windows"]

Entry = dict[str, Any]

MaskMode = Literal[
    "none",
    "global_percentile",
    "global_otsu",
    "global_triangle",
    "global_li",
    "global_mean_sd",
    "per_cell_percentile",
    "per_cell_otsu",
    "per_cell_triangle",
    "per_cell_li",
    "per_cell_mean_sd",
    "value",
]
RatioRule = Literal["ratio_of_means", "mean_of_ratios", "epsilon_smoothed"]
Restricted = Literal["target", "reference", "and"]

_USED_BY = {
    "percentile": ("percentile",),
    "sd": ("mean_sd",),
    "value": ("value",),
    "min_object": ("percentile", "otsu", "triangle", "li", "mean_sd", "value"),
}
"""Which mask modes use which number."""
_PEAK_RANGE = (60.0, 100.0)
_WINDOWS = re.compile(r"(?P<window>\d+(?:\.\d+)?):(?P<step>\d+(?:\.\d+)?)(?P<unit>px|um|µm|%)?")
_BALL = re.compile(r"rolling-ball:(?P<radius>\d+(?:\.\d+)?)(:(?P<variant>imagej|native|unit))?")
_DARK = re.compile(r"dark:(?P<percentile>\d+(?:\.\d+)?)")
_LOCAL = re.compile(r"local:(?P<gap>\d+(?:\.\d+)?):(?P<width>\d+(?:\.\d+)?)(?P<unit>px|um|µm)?")
_MANUAL = re.compile(r"manual:(?P<values>-?\d+(?:\.\d+)?(?:,-?\d+(?:\.\d+)?)?)")


class WindowSizes(NamedTuple):
    """Width of the windows of a profile and distance from one to the next."""

    window: float
    stride: float
    unit: Literal["percent", "px", "um"]


def parse_windows(text: str) -> WindowSizes:
    """Return the windows that a text means: ``5:1`` (per cent), ``0.5:0.1um``, ``2:1px``.

    Raises
    ------
    ParameterError
        If it has another form.
    """
    found = _WINDOWS.fullmatch(text.strip())
    if found is None:
        raise ParameterError(
            f"Windows of a profile are WINDOW:STEP, in per cent (5:1), µm (0.5:0.1um) or pixels (2:1px), not {text!r}."
        )
    units: dict[str | None, Literal["percent", "px", "um"]] = {"px": "px", "um": "um", "µm": "um"}
    return WindowSizes(float(found["window"]), float(found["step"]), units.get(found["unit"], "percent"))


def parse_background(text: str, channels: tuple[str, ...]) -> list[Entry]:
    """Return the step that a text such as ``rolling-ball:50`` or ``dark:5`` means, for these channels.

    Raises
    ------
    ParameterError
        If it has another form.
    """
    text = text.strip()
    common: Entry = {"channels": list(channels)}
    if text == "none":
        return []
    if found := _BALL.fullmatch(text):
        variant = found["variant"] or "imagej"
        return [{"step": "rolling_ball", "radius_px": float(found["radius"]), "variant": variant, **common}]
    if found := _DARK.fullmatch(text):
        return [{"step": "subtract_dark", "percentile": float(found["percentile"]), **common}]
    if found := _LOCAL.fullmatch(text):
        unit = "px" if found["unit"] in (None, "px") else "um"
        sizes = {f"gap_{unit}": float(found["gap"]), f"width_{unit}": float(found["width"])}
        return [{"step": "subtract_local", **sizes, **common}]
    if found := _MANUAL.fullmatch(text):
        values = [float(value) for value in found["values"].split(",")]
        if len(values) > 1 and len(values) != len(channels):
            raise ParameterError(f"{text} gives {len(values)} values for {len(channels)} channels; give one for each.")
        each = values if len(values) == len(channels) else values * len(channels)
        return [{"step": "subtract_value", "values": each, **common}]
    raise ParameterError(
        f"A background is none, rolling-ball:RADIUS (or rolling-ball:RADIUS:native), dark:PERCENTILE, "
        f"manual:TARGET,REFERENCE or local:GAP:WIDTH, not {text!r}."
    )


class RolePlan(Parameters):
    """How the pixels of one channel are corrected and sorted out."""

    mask: MaskMode = Field("none", description="How the mask of the channel is made.")
    percentile: float = Field(75.0, ge=0, le=100, description="Percentile that is the threshold of percentile modes.")
    sd: float = Field(2.0, description="Standard deviations above the mean that are the threshold of mean_sd modes.")
    value: float | None = Field(None, description="Threshold of the mode value, in the units of the pixels.")
    saturation: str = Field("100%", description="From where on a pixel of the original is saturated.")
    min_object: int = Field(50, ge=0, description="Connected parts of fewer pixels are dropped from the mask.")
    background: str = Field("none", description="Background that is taken off before masks and measurements.")

    @model_validator(mode="after")
    def _value_given(self) -> RolePlan:
        if self.mask == "value" and self.value is None:
            raise ValueError("the mask value needs its threshold, as in --value 300")
        return self

    @field_validator("saturation")
    @classmethod
    def _known_saturation(cls, text: str) -> str:
        parse_saturation(text)
        return text

    def rule(self) -> Entry:
        """Return the parameters of the step `mask`."""
        scope, _, method = self.mask.replace("per_cell_", "cell:").replace("global_", "image:").rpartition(":")
        out: Entry = {"method": method, "saturation": self.saturation}
        if scope:
            out["scope"] = scope
        out |= {"percentile": self.percentile} if method == "percentile" else {}
        out |= {"sd": self.sd} if method == "mean_sd" else {}
        out |= {"value": self.value} if method == "value" else {}
        return out | ({"min_object_px": self.min_object} if method != "none" else {})


class QuantificationPlan(Parameters):
    """What is measured of a target channel, and of a reference channel where there is one."""

    target: RolePlan = Field(default_factory=RolePlan, description="The target channel.")
    reference: RolePlan | None = Field(None, description="The reference channel; none for a single one.")
    normalise: Literal["none", "z", "robust", "minmax", "percentile"] = Field(
        "none", description="Normalisation after the background."
    )
    save_corrected: Literal[8, 16, 32] | None = Field(
        None, description="Bits of the corrected image that is kept; none is if left out."
    )
    radial: str | None = Field(None, description="Radial range, as in 90:100 or -0.5:0.5um.")
    radial_on: tuple[Restricted, ...] = Field(("and",), description="Which masks the radial range restricts.")
    radial_clip: bool = Field(False, description="Whether the radial range ends at the boundary of the cell.")
    radial_min_object: int = Field(0, ge=0, description="Least pixels of a connected part of the radial range.")
    profile: str | None = Field(None, description="Windows of the radial profile, as in 5:1.")
    profile_range: tuple[float, float] | None = Field(None, description="Where the profile begins and ends.")
    smooth: tuple[int, int] = Field((5, 2), description="Savitzky–Golay: windows taken together, and order.")
    peaks: Literal["first_local_top", "global_max"] | None = Field(None, description="How peaks are found.")
    peak_range: tuple[float, float] | None = Field(
        None, description="Where peaks are looked for; if left out 60 to 100 per cent, or inside the cell in px or µm."
    )
    ratio: RatioRule = Field("ratio_of_means", description="How the ratio target over reference is made.")
    epsilon: float = Field(1e-6, gt=0, description="What epsilon_smoothed adds to both channels.")
    passport: bool = Field(True, description="Whether each cell gets its measurement passport.")
    keep: tuple[str, ...] = Field((), description="Conditions on columns that a cell must meet to stay in the table.")

    @model_validator(mode="after")
    def _fits(self) -> QuantificationPlan:
        if self.peaks is not None and self.profile is None:
            raise ValueError("peaks are those of a profile; give its windows too (--profile 5:1)")
        if self.radial is not None:
            parse_radial(self.radial)
        needed = {"radial_on": "radial", "radial_clip": "radial", "profile_range": "profile", "smooth": "profile"}
        for name, other in {**needed, "peak_range": "peaks"}.items():
            if name in self.model_fields_set and getattr(self, other) is None:
                raise ValueError(f"--{name.replace('_', '-')} does nothing without --{other}")
        if "reference" in self.radial_on and self.reference is None:
            raise ValueError("the radial range cannot restrict the mask of a reference that is not given")
        return self

    def unused(self) -> list[str]:
        """Return a sentence for each number that was given for a threshold which no mask uses."""
        plans = [self.target, *([self.reference] if self.reference else [])]
        said = []
        for name, modes in _USED_BY.items():
            given = any(name in plan.model_fields_set for plan in plans)
            if given and not any(mode in plan.mask for plan in plans for mode in modes):
                masks = " and ".join(dict.fromkeys(plan.mask for plan in plans))
                said.append(f"--{name.replace('_', '-')} has no effect: the masks ({masks}) do not use it.")
        if "epsilon" in self.model_fields_set and self.ratio != "epsilon_smoothed":
            said.append(f"--ratio-epsilon has no effect: the rule {self.ratio} does not use it.")
        if self.reference is not None and self.normalise != "none":
            said.append(f"Ratios of channels after --normalise {self.normalise} depend on it and mean little.")
        return said

    @property
    def roles(self) -> tuple[str, ...]:
        """The channels that are measured."""
        return ("target",) if self.reference is None else ("target", "reference")

    def entries(self) -> list[Entry]:
        """Return the steps after segmentation, as a recipe has them."""
        return [*self._corrections(), *self._masks(), *self._measurements(), *self._profiles()]

    def _plan_of(self, role: str) -> RolePlan:
        plan: RolePlan = getattr(self, role)
        return plan

    def _corrections(self) -> list[Entry]:
        texts = {role: self._plan_of(role).background for role in self.roles}
        if len(set(texts.values())) == 1:
            entries = parse_background(texts["target"], self.roles)
        else:
            entries = [entry for role, text in texts.items() for entry in parse_background(text, (role,))]
        if self.normalise != "none":
            entries.append({"step": "normalise", "method": self.normalise, "channels": list(self.roles)})
        if self.save_corrected is not None:
            entries.append({"step": "keep_image", "bits": self.save_corrected, "channels": list(self.roles)})
        return entries

    def _range(self) -> RadialRange | None:
        return None if self.radial is None else parse_radial(self.radial)

    def _masks(self) -> list[Entry]:
        """Return the steps that make the radial mask, a mask a channel, and their common part."""
        wanted, entries = self._range(), []
        beyond = False
        if wanted is not None:
            beyond = not self.radial_clip and wanted.outer > (100 if wanted.unit == "percent" else 0)
            entries.append({"step": "radial", **wanted._asdict(), "clip": self.radial_clip})
            entries[-1] |= {"min_object_px": self.radial_min_object} if self.radial_min_object else {}
        for role in self.roles:
            entries.append({"step": "mask", "channel": role, "made": f"{role}_mask", **self._plan_of(role).rule()})
            if wanted is not None and role in self.radial_on:
                entries[-1] |= {"region": "radial_mask"}
            elif beyond and "and" in self.radial_on:
                entries[-1] |= {"beyond": "radial_mask"}
        second = "reference_mask" if self.reference is not None else "target_mask"
        entries.append({"step": "combine_masks", "first": "target_mask", "second": second, "made": "and_mask"})
        if wanted is not None and "and" in self.radial_on:
            entries.append({"step": "combine_masks", "first": "and_mask", "second": "radial_mask", "made": "and_mask"})
        return entries

    def _measurements(self) -> list[Entry]:
        masks = [*(f"{role}_mask" for role in self.roles), *(["and_mask"] if self.reference or self.radial else [])]
        masks += ["radial_mask"] if self.radial else []
        entry: Entry = {"step": "quantify", "masks": masks, "channels": list(self.roles), "volume": False}
        if self.reference is not None:
            entry |= {"ratios": [["target", "reference"]], "rule": self.ratio, "ratio_map": "ratio"}
            entry |= {"ratio_mask": "and_mask"}
            entry |= {"epsilon": self.epsilon} if self.ratio == "epsilon_smoothed" else {}
        entries = [entry]
        if self.passport:
            judged: Entry = {"step": "passport", "channels": list(self.roles), "volume": False}
            limits = {role: self._plan_of(role).saturation for role in self.roles}
            same = len(set(limits.values())) == 1
            entries.append(judged | ({"saturation": limits["target"]} if same else {"saturations": limits}))
        if self.keep:
            entries.append({"step": "filter_cells", "keep": list(self.keep)})
        return entries

    def _profiles(self) -> list[Entry]:
        if self.profile is None:
            return []
        sizes = parse_windows(self.profile)
        start, end = self.profile_range or ((0.0, 150.0) if sizes.unit == "percent" else (-10.0, 5.0))
        entry: Entry = {"step": "profile", **sizes._asdict(), "start": start, "end": end, "channels": list(self.roles)}
        entry |= {"smooth_window": self.smooth[0], "smooth_order": self.smooth[1]}
        entry |= {"ratio": list(self.roles)} if self.reference is not None else {}
        entry |= {"only_in": "cells"} if self.keep else {}
        if self.peaks is None:
            return [entry]
        lowest, uppermost = self.peak_range or (_PEAK_RANGE if sizes.unit == "percent" else (start, min(end, 0.0)))
        peaks: Entry = {"step": "peaks", **dict(zip(("first", "second"), self.roles, strict=False))}
        peaks |= {"algorithm": self.peaks, "window": self.smooth[0], "order": self.smooth[1]}
        return [entry, peaks | {"lowest": lowest, "uppermost": uppermost}]
