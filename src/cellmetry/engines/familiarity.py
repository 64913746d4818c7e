"""How unlike a model's training images an image is, from a few of its parts, before anything is segmented."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellmetry.engines.features import FeatureSum
from cellmetry.engines.tiling import read_stretched, stretch_limits
from cellmetry.ops.familiarity import unfamiliarity
from cellmetry.ops.tiles import plan_tiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.engines.network import NetworkEngine
    from cellmetry.engines.plane import Plane

__all__ = ["survey_features", "survey_unfamiliarity"]

_SURVEY_SIDE = 512
_SURVEY_TILES = 4


def survey_features(engine: NetworkEngine, plane: Plane) -> NDArray[np.float64] | None:
    """Return the mean features of a few parts of a plane, evenly spread, shape (features,); of all if it is small."""
    margin, limits = engine.needs.margin_px, stretch_limits(engine, plane)
    tiles = list(plan_tiles(plane.shape, _SURVEY_SIDE, margin, engine.needs.align))
    found = FeatureSum(plane.shape, engine.card.stride, margin)
    chosen = np.unique(np.linspace(0, len(tiles) - 1, min(len(tiles), _SURVEY_TILES)).round().astype(int))
    for index in chosen:
        read = tiles[index].read
        found.add(engine.predict_features(read_stretched(plane, read, limits)), read)
    return found.mean()


def survey_unfamiliarity(engine: NetworkEngine, plane: Plane) -> float | None:
    """Return how unlike the model's training images a plane is, from a few of its parts; None if the model cannot say.

    Raises
    ------
    ParameterError
        If the model takes another number of channels.
    """
    engine.check_channels(plane)
    if engine.familiarity is None:
        return None
    features = survey_features(engine, plane)
    return None if features is None else unfamiliarity(engine.familiarity, features)
