"""The curves of a dose response: formula, gradient, bounds and start values of each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["HILL", "LANGMUIR", "Curve"]


class Curve(ABC):
    """A curve whose parameters are fitted in an inner form (EC50 as its logarithm) and told in an outer one."""

    names: tuple[str, ...]
    """Parameters in order."""
    half_name: str
    """The parameter that is the dose of half the effect."""
    no_effect = "the response does not change with the dose by more than its scatter, or reaches no plateau"
    """What is said where the span of the curve is not above its error."""

    @abstractmethod
    def function(self, dose: Floats, *inner: float) -> Floats:
        """Return the response at each dose."""

    @abstractmethod
    def gradient(self, dose: Floats, inner: Floats) -> Floats:
        """Return the derivative by each inner parameter at each dose, shape (doses, parameters)."""

    @abstractmethod
    def bounds(self, steepest: float) -> tuple[Floats, Floats]:
        """Return the lower and the upper bounds of the inner parameters."""

    @abstractmethod
    def start(self, dose: Floats, response: Floats) -> Floats:
        """Return the inner parameters at which the search begins."""

    @abstractmethod
    def factors(self, unit: float, height: float) -> Floats:
        """Return by what inner parameters are multiplied, fitted in doses of `unit` and responses of `height`."""

    def offsets(self, unit: float) -> Floats:
        """Return what is added to them."""
        return np.zeros(len(self.names))

    @abstractmethod
    def half_dose(self, inner: Floats, covariance: Floats) -> tuple[float, float]:
        """Return the dose of half the effect with its standard error."""

    @abstractmethod
    def span(self, inner: Floats, covariance: Floats) -> tuple[float, float]:
        """Return the response of an endless dose less that of none, with its standard error."""

    def too_steep(self, inner: Floats, steepest: float) -> bool:
        """Return whether the slope ran into its bound."""
        return False

    def inner(self, outer: Floats) -> Floats:
        """Return parameters as they are fitted."""
        return outer

    def outer(self, inner: Floats) -> Floats:
        """Return parameters as they are told."""
        return inner

    def outer_errors(self, inner: Floats, errors: Floats) -> Floats:
        """Return the standard errors of the outer parameters, by the delta method."""
        return errors


class _Langmuir(Curve):
    names = ("imax", "kd", "b")
    half_name = "Kd"
    no_effect = (
        "the response does not rise with the dose by more than its scatter, or reaches no plateau "
        "(one that falls is fitted by hill)"
    )

    def function(self, dose: Floats, *inner: float) -> Floats:
        imax, kd, b = inner
        with np.errstate(invalid="ignore"):  # 0 / 0 at no dose with Kd = 0, the end of its range
            share = np.where(dose > 0, dose / (kd + dose), 0.0)
        response: Floats = imax * share + b
        return response

    def gradient(self, dose: Floats, inner: Floats) -> Floats:
        imax, kd, _ = inner
        return np.stack([dose / (kd + dose), -imax * dose / (kd + dose) ** 2, np.ones_like(dose)], axis=1)

    def bounds(self, steepest: float) -> tuple[Floats, Floats]:
        return np.array([0.0, 0.0, -np.inf]), np.full(3, np.inf)

    def start(self, dose: Floats, response: Floats) -> Floats:
        return np.array([response.max(), np.median(dose[dose > 0]), response.min()])

    def factors(self, unit: float, height: float) -> Floats:
        return np.array([height, unit, height])

    def half_dose(self, inner: Floats, covariance: Floats) -> tuple[float, float]:
        return float(inner[1]), float(np.sqrt(covariance[1, 1]))

    def span(self, inner: Floats, covariance: Floats) -> tuple[float, float]:
        return float(inner[0]), float(np.sqrt(covariance[0, 0]))


class _Hill(Curve):
    names = ("bottom", "top", "ec50", "slope")
    half_name = "EC50"

    def function(self, dose: Floats, *inner: float) -> Floats:
        bottom, top, log_half, slope = inner
        response: Floats = bottom + (top - bottom) * self._share(dose, log_half, slope)
        return response

    def gradient(self, dose: Floats, inner: Floats) -> Floats:
        bottom, top, log_half, slope = inner
        share = self._share(dose, log_half, slope)
        steep = (top - bottom) * share * (1 - share)
        log_dose = np.log(np.where(dose > 0, dose, 1.0))
        by_slope = np.where(dose > 0, steep * (log_dose - log_half), 0.0)
        return np.stack([1 - share, share, -steep * slope, by_slope], axis=1)

    @staticmethod
    def _share(dose: Floats, log_half: float, slope: float) -> Floats:
        """Return Lʰ / (EC50ʰ + Lʰ) without powers that overflow; 0 at no dose."""
        log_dose = np.log(np.where(dose > 0, dose, 1.0))
        share: Floats = np.where(dose > 0, (1 + np.tanh(slope * (log_dose - log_half) / 2)) / 2, 0.0)
        return share

    def bounds(self, steepest: float) -> tuple[Floats, Floats]:
        return np.array([-np.inf, -np.inf, -np.inf, 0.0]), np.array([np.inf, np.inf, np.inf, steepest])

    def start(self, dose: Floats, response: Floats) -> Floats:
        doses = np.unique(dose)
        means = np.array([response[dose == each].mean() for each in doses])
        half = (means[0] + means[-1]) / 2
        positive = doses[doses > 0]
        nearest = positive[np.argmin(np.abs(means[doses > 0] - half))]
        return np.array([means[0], means[-1], np.log(nearest), 1.0])

    def factors(self, unit: float, height: float) -> Floats:
        return np.array([height, height, 1.0, 1.0])

    def offsets(self, unit: float) -> Floats:
        return np.array([0.0, 0.0, np.log(unit), 0.0])

    def half_dose(self, inner: Floats, covariance: Floats) -> tuple[float, float]:
        half = float(np.exp(inner[2]))
        return half, half * float(np.sqrt(covariance[2, 2]))

    def span(self, inner: Floats, covariance: Floats) -> tuple[float, float]:
        variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
        return float(inner[1] - inner[0]), float(np.sqrt(max(variance, 0.0)))

    def too_steep(self, inner: Floats, steepest: float) -> bool:
        return bool(np.isclose(inner[3], steepest, rtol=1e-3))

    def inner(self, outer: Floats) -> Floats:
        return np.array([outer[0], outer[1], np.log(outer[2]), outer[3]])

    def outer(self, inner: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return np.array([inner[0], inner[1], np.exp(inner[2]), inner[3]], np.float64)

    def outer_errors(self, inner: Floats, errors: Floats) -> Floats:
        factors: Floats = np.array([1.0, 1.0, np.exp(inner[2]), 1.0])
        return errors * factors


LANGMUIR: Curve = _Langmuir()
HILL: Curve = _Hill()
