"""Dose response: Langmuir and Hill curves fitted to doses and responses, with errors, intervals and plain refusals.

* ``langmuir``: y = Imax · L / (Kd + L) + B, with Imax, Kd ≥ 0 (Langmuir 1918).
* ``hill``: y = bottom + (top - bottom) · Lʰ / (EC50ʰ + Lʰ), with the slope h > 0 (Hill 1910). `bottom` is the
  response without dose and `top` that of an endless one, so a falling response has top < bottom. EC50 is fitted as its
  logarithm.

L is the dose. Where the data cannot fix the curve, every parameter is NaN and `DoseFit.reason` says why.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from pydantic import Field
from scipy.optimize import OptimizeWarning, curve_fit
from scipy.special import stdtrit

from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError
from cellmetry.stats.dose_models import HILL, LANGMUIR, Curve

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["DoseFit", "FitOptions", "Goodness", "fit_dose_response"]

CURVES: dict[str, Curve] = {"langmuir": LANGMUIR, "hill": HILL}


class FitOptions(Parameters):
    """How a curve is fitted, and when the data are said not to fix it."""

    model: Literal["langmuir", "hill"] = "hill"
    """Curve: langmuir (three parameters) or hill (four)."""
    weighted: bool = False
    """Weight each point by 1 / SD² (needs standard deviations)."""
    sd_floor: float | None = Field(default=None, gt=0)
    """Standard deviation, in the unit of the response, that stands for one of 0 or below; if left out, it is made of
    the others by `sd_floor_share`."""
    sd_floor_share: float = Field(default=1.0, gt=0)
    """What stands for a standard deviation of 0 or below, as a share of the median of those above 0; 1 weighs such a
    point like an ordinary one."""
    confidence: float = Field(default=0.95, gt=0, lt=1)
    """Coverage of the intervals."""
    resamples: int = Field(default=0, ge=0)
    """Bootstrap samples of the residuals for the intervals; 0 for intervals by Student's t with n - p degrees."""
    seed: int = Field(default=0, ge=0)
    """Start of the random numbers of the bootstrap."""
    largest_relative_error: float = Field(default=1.0, gt=0)
    """Standard error over value of Kd or EC50 above which the data are said not to fix it."""
    steepest: float = Field(default=20.0, gt=1)
    """Largest Hill slope; a fit that reaches it is said not to be fixed."""
    evaluations: int = Field(default=20_000, ge=100)
    """Most evaluations of the curve in one fit."""


class Goodness(NamedTuple):
    """How well a curve fits: R², R² with the weights of the fit, χ², χ² / (n - p), standardised residuals.

    `r2_weighted` is `r2` where the fit has no weights. `rms_standardised` and `max_standardised` are the root mean
    square and the largest size of residual / SD; they and χ² are NaN unless every point has a standard deviation.
    """

    r2: float = np.nan
    r2_weighted: float = np.nan
    chi2: float = np.nan
    chi2_reduced: float = np.nan
    rms_standardised: float = np.nan
    max_standardised: float = np.nan


@dataclass(frozen=True)
class DoseFit:
    """A fitted curve.

    Parameters
    ----------
    model, names
        The curve, and its parameters in order.
    values, errors, low, high
        Of each parameter: estimate, standard error, ends of the interval; NaN where the data do not fix the curve.
    covariance
        Of the parameters as they were fitted (EC50 as its natural logarithm), shape (p, p).
    n_points, confidence
        Points that were used; coverage of the intervals.
    n_without_sd
        Points with a response that a weighted fit left out, since their standard deviation is not known.
    goodness
        How well the curve fits.
    reason
        Why there is no curve; empty if there is one.
    """

    model: str
    names: tuple[str, ...]
    values: Floats
    errors: Floats
    low: Floats
    high: Floats
    covariance: Floats
    n_points: int
    confidence: float
    n_without_sd: int = 0
    goodness: Goodness = field(default_factory=Goodness)
    reason: str = ""

    @property
    def fitted(self) -> bool:
        """Whether there is a curve."""
        return not self.reason

    def predict(self, dose: ArrayLike) -> Floats:
        """Return the response of the curve at each dose."""
        curve = CURVES[self.model]
        return curve.function(np.asarray(dose, np.float64), *curve.inner(self.values))

    def band(self, dose: ArrayLike) -> tuple[Floats, Floats]:
        """Return the ends of the interval of the curve (not of single points) at each dose, by the delta method."""
        curve, doses = CURVES[self.model], np.asarray(dose, np.float64)
        slopes = curve.gradient(doses, curve.inner(self.values))
        variance = np.einsum("ip,pq,iq->i", slopes, self.covariance, slopes)
        half = _student(self.confidence, self.n_points - len(self.names)) * np.sqrt(np.maximum(variance, 0))
        middle = self.predict(doses)
        return middle - half, middle + half

    def row(self) -> dict[str, float | int | str]:
        """Return parameters, errors, intervals and goodness as one row of a table."""
        counts = {"n_points": self.n_points, "n_without_sd": self.n_without_sd}
        out: dict[str, float | int | str] = {"model": self.model, **counts}
        for place, name in enumerate(self.names):
            out[name] = float(self.values[place])
            out[f"{name}_se"] = float(self.errors[place])
            out[f"{name}_low"], out[f"{name}_high"] = float(self.low[place]), float(self.high[place])
        return {**out, **self.goodness._asdict(), "confidence": self.confidence, "reason": self.reason}


class _Points(NamedTuple):
    """Points that can be used, with standard deviations where all have one, and how many were left out without one."""

    dose: Floats
    response: Floats
    sd: Floats | None
    without_sd: int = 0


def fit_dose_response(
    dose: ArrayLike, response: ArrayLike, options: FitOptions | None = None, *, sd: ArrayLike | None = None
) -> DoseFit:
    """Return the curve fitted by least squares to points; the standard errors come from the scatter about it.

    Points whose response is not finite are left out, and so are those of a weighted fit whose standard deviation is not
    finite; one of 0 or below is replaced as `FitOptions` says. The result does not depend on the units of dose and
    response (`FitOptions.sd_floor`, if given, has that of the response).

    Parameters
    ----------
    dose, response, sd
        One value for each point; `sd` is the standard deviation of each response. It is used for `Goodness`, and as
        weights if the options say so.

    Raises
    ------
    ParameterError
        If lengths differ, a dose is negative or missing, or weights are asked for without standard deviations.
    """
    options = options or FitOptions()
    points = _points(dose, response, sd, options)
    curve = CURVES[options.model]
    reason = _cannot_fit(points, curve)
    if reason:
        return _unfitted(options.model, points, options, reason)
    try:
        found, covariance = _solve(points, curve, options)
    except RuntimeError:
        return _unfitted(options.model, points, options, f"no curve was found in {options.evaluations} evaluations")
    reason = _not_fixed(points, curve, found, covariance, options)
    if reason:
        return _unfitted(options.model, points, options, reason)
    return _described(points, options, found, covariance)


def _points(dose: ArrayLike, response: ArrayLike, sd: ArrayLike | None, options: FitOptions) -> _Points:
    doses, responses = np.asarray(dose, np.float64), np.asarray(response, np.float64)
    deviations = None if sd is None else np.asarray(sd, np.float64)
    if doses.shape != responses.shape or doses.ndim != 1 or (sd is not None and np.shape(sd) != doses.shape):
        raise ParameterError("Doses, responses and standard deviations must be as many, one for each point.")
    wrong = doses[~np.isfinite(doses) | (doses < 0)]
    if wrong.size:
        raise ParameterError(f"A dose is {wrong[0]:g}; doses are amounts from 0 (no logarithms).")
    if options.weighted and deviations is None:
        raise ParameterError("A weighted fit needs the standard deviation of each point.")
    used = np.isfinite(responses)
    if deviations is None:
        return _Points(doses[used], responses[used], None)
    deviations = _above_0(deviations, used, options)
    known = np.isfinite(deviations)
    if not options.weighted:
        return _Points(doses[used], responses[used], deviations[used] if known[used].all() else None)
    weighed = used & known
    return _Points(doses[weighed], responses[weighed], deviations[weighed], int((used & ~known).sum()))


def _above_0(deviations: Floats, used: NDArray[np.bool_], options: FitOptions) -> Floats:
    """Return the standard deviations with what stands for those of 0 or below; NaN where that is not known."""
    above = deviations[used & (deviations > 0) & np.isfinite(deviations)]
    floor = options.sd_floor
    if floor is None:
        floor = options.sd_floor_share * float(np.median(above)) if above.size else np.nan
    return np.where(deviations > 0, deviations, np.where(np.isnan(deviations), np.nan, floor))


def _cannot_fit(points: _Points, curve: Curve) -> str:
    """Return why no fit is tried; empty if one is."""
    wanted, doses = len(curve.names), len(np.unique(points.dose))
    if len(points.dose) <= wanted or doses < wanted:
        left_out = f" ({points.without_sd} more have no standard deviation above 0)" if points.without_sd else ""
        return (
            f"{len(points.dose)} points at {doses} doses{left_out} do not fix {wanted} parameters with an error; "
            f"at least {wanted + 1} points at {wanted} doses are needed"
        )
    if np.ptp(points.response) == 0:
        return "the response is the same in all points"
    return ""


def _solve(points: _Points, curve: Curve, options: FitOptions) -> tuple[Floats, Floats]:
    """Return the parameters as fitted and their covariance, worked out in units in which both axes are about 1."""
    unit = float(np.median(points.dose[points.dose > 0]))
    height = float(np.abs(points.response).max())
    dose, response = points.dose / unit, points.response / height
    low, high = curve.bounds(options.steepest)
    start = np.clip(curve.start(dose, response), low, high)
    sigma = points.sd / height if options.weighted and points.sd is not None else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)  # The covariance is infinite then, which `_not_fixed` tells.
        scaled, covariance = curve_fit(
            curve.function, dose, response, p0=start, bounds=(low, high), sigma=sigma, maxfev=options.evaluations
        )
    factors = curve.factors(unit, height)
    found: Floats = scaled * factors + curve.offsets(unit)
    return found, covariance * np.outer(factors, factors)


def _not_fixed(points: _Points, curve: Curve, found: Floats, covariance: Floats, options: FitOptions) -> str:
    """Return why the data do not fix the curve that was found; empty if they do."""
    degrees = len(points.dose) - len(found)
    half_dose, error = curve.half_dose(found, covariance)
    span, span_error = curve.span(found, covariance)
    name = curve.half_name
    if not np.isfinite(covariance).all() or abs(span) <= _student(options.confidence, degrees) * span_error:
        return curve.no_effect
    if half_dose > points.dose.max():
        return f"{name} would lie above the highest dose ({points.dose.max():g}): there is no plateau"
    if error > options.largest_relative_error * half_dose:
        return f"the standard error of {name} is {error / half_dose:.2g} times its value: the doses do not fix it"
    if curve.too_steep(found, options.steepest):
        return f"the response rises between two doses, more steeply than a slope of {options.steepest:g}"
    return ""


def _described(points: _Points, options: FitOptions, found: Floats, covariance: Floats) -> DoseFit:
    curve = CURVES[options.model]
    half = _student(options.confidence, len(points.dose) - len(found)) * np.sqrt(np.diag(covariance))
    low, high = found - half, found + half
    if options.resamples:
        low, high = _bootstrap(points, options, found)
    return DoseFit(
        model=options.model,
        names=curve.names,
        values=curve.outer(found),
        errors=curve.outer_errors(found, np.sqrt(np.diag(covariance))),
        low=curve.outer(low),
        high=curve.outer(high),
        covariance=covariance,
        n_points=len(points.dose),
        confidence=options.confidence,
        n_without_sd=points.without_sd,
        goodness=_goodness(points, curve.function(points.dose, *found), len(found), weighted=options.weighted),
    )


def _bootstrap(points: _Points, options: FitOptions, found: Floats) -> tuple[Floats, Floats]:
    """Return the ends of the percentile intervals by resampled residuals (Efron & Tibshirani 1993, chapter 9).

    Residuals are made as wide as the scatter, by √(n / (n - p)), and standardised by the SDs where they are weights.
    """
    curve, random = CURVES[options.model], np.random.default_rng(options.seed)
    count = len(points.dose)
    fitted = curve.function(points.dose, *found)
    scale = points.sd if options.weighted and points.sd is not None else np.ones(count)
    residuals = (points.response - fitted) / scale
    residuals = (residuals - residuals.mean()) * np.sqrt(count / (count - len(found)))
    samples = np.full((options.resamples, len(found)), np.nan)
    for place in range(options.resamples):
        again = fitted + random.choice(residuals, count) * scale
        try:
            samples[place] = _solve(points._replace(response=again), curve, options)[0]
        except RuntimeError:
            continue  # A sample without a curve stays NaN, and makes both ends NaN: no interval is made up.
    tail = (1 - options.confidence) / 2
    low, high = np.quantile(samples, (tail, 1 - tail), axis=0)
    return low, high


def _goodness(points: _Points, fitted: Floats, parameters: int, *, weighted: bool) -> Goodness:
    residuals = points.response - fitted
    r2 = _determination(points.response, residuals, np.ones_like(residuals))
    if points.sd is None:
        return Goodness(r2, r2)
    standardised = residuals / points.sd
    chi2 = float(np.sum(standardised**2))
    return Goodness(
        r2,
        _determination(points.response, residuals, points.sd**-2) if weighted else r2,
        chi2,
        chi2 / (len(residuals) - parameters),
        float(np.sqrt(np.mean(standardised**2))),
        float(np.abs(standardised).max()),
    )


def _determination(response: Floats, residuals: Floats, weights: Floats) -> float:
    mean = np.average(response, weights=weights)
    return float(1 - np.sum(weights * residuals**2) / np.sum(weights * (response - mean) ** 2))


def _student(confidence: float, degrees: int) -> float:
    return float(stdtrit(degrees, (1 + confidence) / 2))


def _unfitted(model: str, points: _Points, options: FitOptions, reason: str) -> DoseFit:
    names = CURVES[model].names
    nothing = np.full(len(names), np.nan)
    return DoseFit(
        model=model,
        names=names,
        values=nothing,
        errors=nothing,
        low=nothing,
        high=nothing,
        covariance=np.full((len(names), len(names)), np.nan),
        n_points=len(points.dose),
        confidence=options.confidence,
        n_without_sd=points.without_sd,
        reason=reason,
    )
