"""What each step of a recipe does, as a sentence of a methods paragraph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from cellmetry.report.references import listed

__all__ = ["StepPhrase", "phrase_step"]


class StepPhrase(NamedTuple):
    """A sentence about a step, and the keys of what it cites (`references.REFERENCES`)."""

    text: str
    cited: tuple[str, ...]


class _Said(Mapping[str, Any]):
    """A step's parameters; remembers which of them the sentence has used."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values_, self.used = values, {"step"}

    def __getitem__(self, key: str) -> Any:
        self.used.add(key)
        return self.values_[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)

    def length(self, name: str, words: str) -> str:
        """Return `words` with a length that is given in pixels or in µm, in braces; empty if neither is."""
        for unit, shown in (("px", "px"), ("um", "µm")):
            value = self.get(f"{name}_{unit}")
            if value is not None:
                return words.format(f"{value:g} {shown}")
        return ""

    def channels(self, key: str = "channels") -> str:
        """Return the channels as words."""
        named = self.get(key)
        if named is None:
            return "all channels"
        return f"channel{'s' if len(named) > 1 else ''} {_listed(named)}"


def phrase_step(step: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> StepPhrase:
    """Return what a step does with its parameters.

    Parameters
    ----------
    step
        The step as a recipe has it: ``step`` is its name, the rest are its parameters.
    defaults
        Its parameters by default. Those that differ and that the sentence does not name follow it in brackets; without
        defaults, none do. A step that is not of Cellmetry is told by its name with all its parameters.
    """
    said = _Said(step)
    name = str(step["step"])
    if name not in _PHRASES:
        return StepPhrase(f"The step {name} was applied{_further(step, {'step'}, {})}.", ())
    make, cited = _PHRASES[name]
    text = make(said)
    further = "" if defaults is None else _further(step, said.used, defaults)
    return StepPhrase(f"{text}{further}.", cited(step) if callable(cited) else cited)


def _further(step: Mapping[str, Any], used: set[str], defaults: Mapping[str, Any]) -> str:
    rest = dict(_differing({key: value for key, value in step.items() if key not in used}, defaults))
    return f" ({', '.join(f'{key} = {_value(value)}' for key, value in rest.items())})" if rest else ""


def _differing(values: Mapping[str, Any], defaults: Mapping[str, Any], of: str = "") -> Iterator[tuple[str, Any]]:
    """Yield parameters that are not as by default, those of tables within as ``table.parameter``."""
    for key, value in values.items():
        default = defaults.get(key)
        if isinstance(value, Mapping):
            yield from _differing(value, default if isinstance(default, Mapping) else {}, f"{of}{key}.")
        elif value is not None and _plain(value) != _plain(default):
            yield f"{of}{key}", value


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _listed(names: Any) -> str:
    return str(names) if isinstance(names, str | int) else listed(map(str, names))


def _align(p: _Said) -> str:
    how = "a shift measured in each plane by phase correlation" if p.get("method") != "given" else "given shifts"
    return f"Channels were moved onto the channel {p['reference']} by {how}"


def _bleed(p: _Said) -> str:
    shares = [f"{each['share']:g} of {each['from']} in {each['into']}" for each in p["coefficients"]]
    return f"Light of other channels' dyes was taken off by known shares ({', '.join(shares)})"


def _colocalise(p: _Said) -> str:
    return (
        f"Colocalisation of the channels {p.get('first', 0)} and {p.get('second', 1)} was measured in each object of "
        f"{p.get('region', 'cells')} (thresholds: {p.get('threshold', 'otsu')})"
    )


def _combine(p: _Said) -> str:
    joined = {"and": "of both {} and {}", "or": "of {} or {}"}.get(p.get("operation", "and"), "of {} without {}")
    return f"The mask {p.get('made', 'mask')} was made from the pixels {joined.format(p['first'], p['second'])}"


def _denoise(p: _Said) -> str:
    ways = {
        "gaussian": f"a Gaussian (standard deviation {p.get('sigma_px') or 1:g} px)",
        "nlm": "non-local means",
        "median": f"the median in squares of {p.get('size_px') or 3} px",
    }
    return f"Noise was reduced in {p.channels()} by {ways[p.get('method', 'median')]}"


def _filter(p: _Said) -> str:
    words = "; ".join(p.get("keep", ()))
    return f"Rows of the table {p.get('table', 'cells')} were kept that meet: {words}"


def _flat(p: _Said) -> str:
    dark = " after the dark-field had been subtracted" if p.get("dark") else ""
    return f"Illumination was evened out in {p.channels()} by division by a flat-field image{dark}"


def _keep_ids(p: _Said) -> str:
    return (
        f"Objects kept their ids along {p.get('axis', 'Z')} by their overlap (least intersection over union "
        f"{p.get('least_iou', 0.2):g})"
    )


def _maps(p: _Said) -> str:
    model = f" by the model {p['model']}" if p.get("model") else ""
    return f"Maps of cells were made{model}, without objects"


def _mask(p: _Said) -> str:
    amount = {"percentile": "percentile", "mean_sd": "sd", "value": "value"}.get(p.get("method", "none"))
    by = (
        "not saturated" if p.get("method", "none") == "none" else f"{p.get('keep', 'above')} a threshold ({p['method']}"
    )
    if amount:
        by += f" {p.get(amount):g}" if p.get(amount) is not None else ""
    by += "" if by == "not saturated" else f", of each {p.get('scope', 'cell')})"
    return (
        f"The mask {p.get('made', 'mask')} was made from the pixels of {p.get('region', 'cells')} that are {by} in the "
        f"channel {p['channel']}"
    )


def _measure(p: _Said) -> str:
    groups = f" (groups of measures: {_listed(p['features'])})" if p.get("features") else ""
    p.get("table")
    return f"Objects of {p.get('labels', 'cells')} were measured in {p.channels()}{groups}"


def _imagej(p: _Said) -> str:
    p.get("table")
    what = _listed(p["columns"]) if p.get("columns") else "Area and intensities"
    return f"{what}, as ImageJ defines them, were measured of {p.get('labels', 'cells')}{_in(p)}"


def _in(p: _Said) -> str:
    return f" in the channel {p['channel']}" if p.get("channel") is not None else ""


def _nested(p: _Said) -> str:
    groups = f" (groups of measures: {_listed(p['features'])})" if p.get("features") else ""
    parts = _listed([p.get("nuclei", "nuclei"), *p.get("regions", ())])
    return f"{str(p.get('cells', 'cells')).capitalize()} were measured with their {parts} in {p.channels()}{groups}"


def _normalise(p: _Said) -> str:
    return f"Each plane of {p.channels()} was normalised by itself (method {p['method']})"


def _passport(p: _Said) -> str:
    return (
        f"Doubtful {p.get('labels', 'cells')} were flagged for saturation, focus, image border, background, shape, "
        f"contrast and confidence, judged in {p.channels()}"
    )


def _peaks(p: _Said) -> str:
    second = f" and of {p['second']}" if p.get("second") is not None else ""
    return f"Peaks of the radial profiles of {p['first']}{second} were found in each cell"


def _profile(p: _Said) -> str:
    unit = {"percent": "%", "um": "µm"}.get(p.get("unit", "percent"), p.get("unit"))
    return (
        f"Radial profiles of {p.channels()} were worked out for each object of {p.get('labels', 'cells')} from "
        f"{p.get('start', 0):g} to {p.get('end', 150):g} {unit} in windows of {p.get('window', 5):g} {unit}"
    )


def _quantify(p: _Said) -> str:
    ratios = [f"{over} over {under}" for over, under in p.get("ratios", ())]
    words = f", with the ratio {_listed(ratios)}" if ratios else ""
    verb = "was" if len(p.get("channels") or "all") == 1 else "were"
    return f"{p.channels().capitalize()} {verb} quantified in each object of {p.get('labels', 'cells')}{words}"


def _radial(p: _Said) -> str:
    unit = {"percent": "%", "um": "µm"}.get(p.get("unit", "percent"), p.get("unit"))
    return (
        f"The mask {p.get('made', 'radial_mask')} was made from the pixels from {p.get('inner', 0):g} to "
        f"{p.get('outer', 100):g} {unit} between centre and boundary of {p.get('labels', 'cells')}"
    )


def _relate(p: _Said) -> str:
    return (
        f"Each of the {p.get('inner', 'nuclei')} was given to that of the {p.get('outer', 'cells')} that holds most of "
        f"it (a share of at least {p.get('least_overlap', 0.5):g})"
    )


def _ring(p: _Said) -> str:
    gap = p.length("gap", ", {} left out") if (p.get("gap_px") or p.get("gap_um")) else ""
    width = p.length("width", " {} wide")
    return f"A ring{width}{gap} was put round each object of {p.get('labels', 'nuclei')}"


def _rolling_ball(p: _Said) -> str:
    whose = {"imagej": "ImageJ's rolling ball", "native": "a rolling ball (scikit-image)"}
    how = whose.get(p.get("variant", "imagej"), "a rolling ball (scikit-image, on values over the detector's maximum)")
    if p.get("sliding_paraboloid"):
        how = "ImageJ's sliding paraboloid"
    radius = f"radius {p.get('radius_px', 50):g} px"
    if p.get("create_background"):
        return f"{p.channels().capitalize()} were replaced by their background by {how} ({radius})"
    return f"Background was subtracted from {p.channels()} by {how} ({radius})"


def _segment(p: _Said) -> str:
    model = f", model {p['model']}" if p.get("model") else ""
    where = f" in the channel {p['channel']}" if p.get("channel") is not None else ""
    size = p.length("diameter", ", usual diameter {}")
    name = str(p.get("labels", "cells")).capitalize()
    return f"{name} were segmented{where} by the engine {p.get('engine', 'cellmetry')}{model}{size}"


def _spots(p: _Said) -> str:
    kind = {"log": "Laplacian of a Gaussian", "dog": "difference of two Gaussians"}[p.get("method", "log")]
    size = p.length("diameter", ", diameter {}")
    unit = " robust SDs" if p.get("threshold_unit", "sd") == "sd" else ""
    return (
        f"Bright spots of the channel {p.get('channel', 0)} were found in {p.get('labels', 'cells')} ({kind}{size}, "
        f"threshold {p.get('threshold', 6):g}{unit})"
    )


def _subtract_local(p: _Said) -> str:
    width = p.length("width", " {} wide")
    labels = p.get("labels", "cells")
    return f"The {p.get('statistic', 'median')} of a ring{width} was subtracted from each of the {labels}"


def _subtract_region(p: _Said) -> str:
    region = f"the region {p['labels']}" if p.get("labels") else f"{len(p.get('shapes', ()))} drawn region(s)"
    return f"The {p.get('statistic', 'mean')} of {region} was subtracted from {p.channels()}"


def _subtract_value(p: _Said) -> str:
    values = _listed([f"{value:g}" for value in p["values"]])
    return f"Given backgrounds ({values}) were subtracted from {p.channels()}"


def _translocation(p: _Said) -> str:
    off = p.get("background_percentile")
    background = f" after subtraction of the {off:g}th percentile of the plane" if off is not None else ""
    return (
        f"Intensities of {p.channels()} in the {p.get('nuclei', 'nuclei')} were compared with those in their "
        f"{p.get('cytoplasm', 'ring')}{background}"
    )


_Cited = tuple[str, ...] | Callable[[Mapping[str, Any]], tuple[str, ...]]


def _cited_ball(step: Mapping[str, Any]) -> tuple[str, ...]:
    return ("sternberg", "imagej" if step.get("variant", "imagej") == "imagej" else "skimage")


def _cited_colocalise(step: Mapping[str, Any]) -> tuple[str, ...]:
    return {"costes": ("manders", "costes"), "otsu": ("manders", "otsu")}.get(
        step.get("threshold", "otsu"), ("manders",)
    )


def _cited_otsu(step: Mapping[str, Any]) -> tuple[str, ...]:
    return ("otsu",) if step.get("method") == "otsu" else ()


_PHRASES: dict[str, tuple[Callable[[_Said], str], _Cited]] = {
    "align_channels": (_align, ()),
    "bleed_through": (_bleed, ()),
    "colocalise": (_colocalise, _cited_colocalise),
    "combine_masks": (_combine, ()),
    "count": (lambda p: f"Objects of {p.get('labels', 'cells')} were counted in each plane", ()),
    "cytoplasm": (
        lambda p: f"Cytoplasm is {p.get('cells', 'cells')} without {p.get('nuclei', 'nuclei')}",
        (),
    ),
    "denoise": (_denoise, ()),
    "dualcellquant": (
        lambda p: f"The channel {p.get('target', 'target')} was quantified by the rules of DualCellQuant",
        (),
    ),
    "filter_cells": (_filter, ()),
    "flat_field": (_flat, ()),
    "keep_ids": (_keep_ids, ()),
    "keep_image": (lambda p: f"The image at this point was kept as {p.get('made', 'corrected')}", ()),
    "maps": (_maps, ()),
    "mask": (_mask, _cited_otsu),
    "measure": (_measure, ()),
    "measure_imagej": (_imagej, ("imagej",)),
    "measure_nested": (_nested, ()),
    "normalise": (_normalise, ()),
    "passport": (_passport, ()),
    "peaks": (_peaks, ()),
    "profile": (_profile, ()),
    "quantify": (_quantify, ()),
    "radial": (_radial, ()),
    "relate": (_relate, ()),
    "ring": (_ring, ()),
    "rolling_ball": (_rolling_ball, _cited_ball),
    "segment": (_segment, ()),
    "split_parts": (lambda p: f"Parts of {p.get('labels', 'cells')} that do not touch became objects of their own", ()),
    "spots": (_spots, ()),
    "subtract_dark": (
        lambda p: (
            f"The mean of each plane's pixels up to its {p.get('percentile', 5):g}th percentile was subtracted from "
            f"{p.channels()}"
        ),
        (),
    ),
    "subtract_local": (_subtract_local, ()),
    "subtract_region": (_subtract_region, ()),
    "subtract_value": (_subtract_value, ()),
    "translocation": (_translocation, ()),
}
