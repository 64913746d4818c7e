"""The plan of a quantification in the words of the program DualCellQuant, for its compatibility mode."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cellmetry.errors import ParameterError
from cellmetry.ops.radial import parse_radial
from cellmetry.ops.saturation import parse_saturation
from cellmetry.pipeline.quantification import parse_background, parse_windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.pipeline.quantification import QuantificationPlan, RolePlan

__all__ = ["dualcellquant_entry"]

_COLOUR = re.compile(r"r|g|b|red|green|blue", re.IGNORECASE)
_MODES = ("none", "global_percentile", "global_otsu", "per_cell_percentile", "per_cell_otsu")
_SATURATION = 254.0
_PEAK_RANGE = (60.0, 120.0)


def dualcellquant_entry(plan: QuantificationPlan, picks: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the step `dualcellquant` that does what the plan says; what is not said is as that program has it.

    Parameters
    ----------
    picks
        Role → channel that was named in its file: R, G or B of a colour picture is taken as it is.

    Raises
    ------
    ParameterError
        If the plan wants something that the program does not know.
    """
    _refuse_unknown(plan)
    entry: dict[str, Any] = {"step": "dualcellquant", "reference": "reference" if plan.reference else ""}
    for role in plan.roles:
        of_role = plan.target if role == "target" or plan.reference is None else plan.reference
        entry |= _role(of_role, role, picks.get(role))
    entry |= _background(plan) | _radial(plan) | _profile(plan)
    entry["normalise"] = plan.normalise
    entry["ratio_epsilon"] = plan.epsilon
    return entry


def _refuse_unknown(plan: QuantificationPlan) -> None:
    given = plan.model_fields_set
    if "ratio" in given and plan.ratio != "epsilon_smoothed":
        raise ParameterError(f"DualCellQuant makes ratios as epsilon_smoothed, not as {plan.ratio}; leave out --ratio.")
    if plan.radial_clip:
        raise ParameterError("DualCellQuant does not clip radial ranges to the cells; leave out --radial-clip.")
    if "passport" in given and plan.passport:
        raise ParameterError("DualCellQuant's tables have no passport; leave out --passport.")
    for role in (plan.target, plan.reference):
        if role is not None and role.mask not in _MODES:
            raise ParameterError(f"DualCellQuant knows the masks {', '.join(_MODES)}, not {role.mask}.")


def _role(of_role: RolePlan, role: str, pick: str | None) -> dict[str, Any]:
    limit = _SATURATION
    if "saturation" in of_role.model_fields_set:
        said = parse_saturation(of_role.saturation)
        if said.unit != "255":
            raise ParameterError(
                f"DualCellQuant has its saturation limit on the scale 0–255, as in --saturation 254, not "
                f"{of_role.saturation!r}."
            )
        limit = said.value
    return {
        f"channel_{role}": "colour" if pick is not None and _COLOUR.fullmatch(pick) else "gray",
        f"mask_{role}": of_role.mask,
        f"percentile_{role}": of_role.percentile,
        f"saturation_{role}": limit,
        f"min_object_{role}_px": of_role.min_object,
    }


def _background(plan: QuantificationPlan) -> dict[str, Any]:
    """Return the method, which is one for both channels, and its parameters."""
    parsed: dict[str, dict[str, Any]] = {}
    for role in plan.roles:
        text = getattr(plan, role).background
        steps = parse_background(text, plan.roles)
        parsed[role] = steps[0] if steps else {"step": "none"}
    kinds = {step["step"] for step in parsed.values()}
    kind = kinds.pop()
    unlike = any({**step, "values": 0} != {**parsed["target"], "values": 0} for step in parsed.values())
    if kinds or unlike or kind == "subtract_local":
        raise ParameterError(
            "DualCellQuant has one background for both channels: none, rolling-ball:RADIUS, dark:PERCENTILE or "
            "manual:TARGET,REFERENCE."
        )
    first = parsed["target"]
    if kind == "rolling_ball":
        return {"background": "rolling", "rolling_radius_px": round(first["radius_px"])}
    if kind == "subtract_dark":
        return {"background": "dark", "dark_percentile": first["percentile"]}
    if kind == "subtract_value":
        values = {f"manual_{role}": parsed[role]["values"][index] for index, role in enumerate(plan.roles)}
        return {"background": "manual", **values}
    return {"background": "none"}


def _radial(plan: QuantificationPlan) -> dict[str, Any]:
    if plan.radial is None:
        return {}
    wanted = parse_radial(plan.radial)
    if wanted.unit != "percent":
        raise ParameterError(
            f"DualCellQuant has radial ranges in per cent, as in --radial 90:100, not {plan.radial!r}."
        )
    switches = {f"radial_on_{name}": name in plan.radial_on for name in ("target", "reference", "and")}
    size = {"min_object_radial_px": plan.target.min_object}
    return {"radial_inner": wanted.inner, "radial_outer": wanted.outer, **size, **switches}


def _profile(plan: QuantificationPlan) -> dict[str, Any]:
    if plan.profile is None:
        return {}
    sizes = parse_windows(plan.profile)
    if sizes.unit != "percent":
        raise ParameterError(f"DualCellQuant has profiles in per cent, as in --profile 5:1, not {plan.profile!r}.")
    start, end = plan.profile_range or (0.0, 150.0)
    entry: dict[str, Any] = {"profile_window": sizes.window, "profile_step": sizes.stride}
    entry |= {"profile_start": start, "profile_end": end}
    entry |= {"smoothing_window": plan.smooth[0], "smoothing_order": plan.smooth[1]}
    if plan.peaks is not None:
        low, high = plan.peak_range or _PEAK_RANGE
        entry |= {"peaks": plan.peaks, "peak_low": low, "peak_high": high}
    return entry
