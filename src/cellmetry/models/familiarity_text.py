"""`Familiarity` as text, for the metadata of an ONNX file: it travels with the weights and is covered by their hash."""

from __future__ import annotations

import base64
import binascii
import json

import numpy as np

from cellmetry.errors import ModelError
from cellmetry.ops.familiarity import Familiarity

__all__ = ["FAMILIARITY_KEY", "FEATURES", "familiarity_from_text", "familiarity_to_text"]

FEATURES = "features"
"""Name of the network's output that familiarity is judged by: shape (1, features, Y / stride, X / stride)."""
FAMILIARITY_KEY = "cellmetry.familiarity"
"""Name of the entry among the file's metadata."""

_FORMAT = 1
_ARRAYS = ("centre", "axes", "points")


def familiarity_to_text(familiarity: Familiarity) -> str:
    """Return JSON: arrays as little-endian float32 in base 64."""
    values: dict[str, object] = {"format": _FORMAT, "usual": familiarity.usual}
    for name in _ARRAYS:
        array = np.asarray(getattr(familiarity, name), "<f4")
        values[name] = {"shape": array.shape, "data": base64.b64encode(array.tobytes()).decode("ascii")}
    return json.dumps(values)


def familiarity_from_text(text: str) -> Familiarity:
    """Return what `familiarity_to_text` wrote.

    Raises
    ------
    ModelError
        If it is of another form, or its parts do not fit together.
    """
    try:
        values = json.loads(text)
        if values["format"] != _FORMAT:
            raise ModelError(f"it knows its training images in format {values['format']!r}; upgrade Cellmetry")
        centre, axes, points = (_array(values[name]) for name in _ARRAYS)
        found = Familiarity(centre, axes, points, float(values["usual"]))
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise ModelError(f"what it says of its training images is damaged: {error!r}") from error
    fits = axes.ndim == points.ndim == 2 and axes.shape == (points.shape[1], *centre.shape) and len(points)
    if not fits or not found.usual > 0 or not all(np.isfinite(array).all() for array in (centre, axes, points)):
        raise ModelError("what it says of its training images does not fit together")
    return found


def _array(entry: dict[str, object]) -> np.ndarray:
    data = base64.b64decode(str(entry["data"]), validate=True)
    return np.frombuffer(data, "<f4").reshape(entry["shape"]).astype(np.float32)  # type: ignore[call-overload,no-any-return]
