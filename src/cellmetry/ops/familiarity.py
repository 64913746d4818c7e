"""How unlike the images of a training an image is: distance among features of a network to the nearest of theirs.

Features are decorrelated and brought to equal spread on the training images, so that a distance counts in units of how
much those differ among themselves; the k nearest then tell (Sun et al. 2022, "Out-of-distribution detection with deep
nearest neighbors"). Scores are in units of what is usual for images that are like the training's but were held out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FEWEST_IMAGES", "Familiarity", "fit_familiarity", "unfamiliarity"]

FEWEST_IMAGES = 4
"""With fewer images to learn from, nothing can be said."""

_NEIGHBOURS = 3
_AXES = 16
_LEAST_SPREAD = 0.3
_LEAST_VARIANCE = 0.05
_USUAL_PERCENT = 97.5
_ENOUGH = 20
_FEW_SLACK = 1.25


class Familiarity(NamedTuple):
    """What a model has seen, as far as telling the unfamiliar needs it.

    Parameters
    ----------
    centre
        Mean features of the training images, shape (features,).
    axes
        From centred features to decorrelated ones of equal spread, shape (axes, features).
    points
        The training images there, shape (images, axes).
    usual
        Distance to the nearest of them that images like them do not pass, but for a few in a hundred.
    """

    centre: NDArray[np.float32]
    axes: NDArray[np.float32]
    points: NDArray[np.float32]
    usual: float


def fit_familiarity(learnt: NDArray[np.float64], held_out: NDArray[np.float64] | None = None) -> Familiarity:
    """Return what telling the unfamiliar needs.

    Parameters
    ----------
    learnt
        Features of the images that a model has learnt from, shape (images, features).
    held_out
        Of other images like them, shape (images, features). With fewer than 20, the images learnt from are measured
        too, each against the others.

    Raises
    ------
    ParameterError
        If there are fewer than four images.
    """
    if len(learnt) < FEWEST_IMAGES:
        raise ParameterError(f"{len(learnt)} images are too few to say what is familiar; {FEWEST_IMAGES} are needed.")
    centre = learnt.mean(axis=0)
    spread = learnt.std(axis=0)
    typical = max(float(np.sqrt((spread**2).mean())), float(np.finfo(np.float32).eps))
    scale = np.sqrt(spread**2 + (_LEAST_SPREAD * typical) ** 2)
    _, sizes, directions = np.linalg.svd((learnt - centre) / scale, full_matrices=False)
    variances = sizes**2 / len(learnt)
    kept = min(_AXES, len(learnt) - 1, learnt.shape[1])
    norm = np.sqrt(variances[:kept] + _LEAST_VARIANCE * max(variances[0], float(np.finfo(np.float32).eps)))
    axes = (directions[:kept] / norm[:, None] / scale).astype(np.float32)
    points = ((learnt - centre) @ axes.T).astype(np.float32)
    fitted = Familiarity(centre.astype(np.float32), axes, points, 1.0)
    return fitted._replace(usual=_usual(fitted, held_out))


def _usual(fitted: Familiarity, held_out: NDArray[np.float64] | None) -> float:
    distances = [] if held_out is None else [unfamiliarity(fitted, vector) for vector in held_out]
    if len(distances) < _ENOUGH:
        each = np.linalg.norm(fitted.points[:, None] - fitted.points[None], axis=-1)
        distances += [_nearest(np.delete(row, index)) for index, row in enumerate(each)]
    usual = max(distances) * _FEW_SLACK
    if len(distances) >= _ENOUGH:
        usual = float(np.percentile(distances, _USUAL_PERCENT))
    return max(usual, float(np.finfo(np.float32).eps))


def unfamiliarity(familiarity: Familiarity, features: NDArray[np.float64]) -> float:
    """Return how unlike the training images an image with these features, shape (features,), is: usual is up to 1."""
    place = familiarity.axes @ (features - familiarity.centre)
    return _nearest(np.linalg.norm(familiarity.points - place, axis=1)) / familiarity.usual


def _nearest(distances: NDArray[np.floating]) -> float:
    """Return the mean of the smallest distances."""
    return float(np.sort(distances)[:_NEIGHBOURS].mean(dtype=np.float64))
