"""What a trained model knows of its training images, by the features that it makes of them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.core.image import image_from_array
from cellmetry.core.progress import SILENT
from cellmetry.engines.base import EngineSpec
from cellmetry.engines.familiarity import survey_features
from cellmetry.engines.network import NetworkEngine, NetworkOptions
from cellmetry.engines.plane import Plane
from cellmetry.learn.dataset import read_image
from cellmetry.models.versions import save_version
from cellmetry.ops.familiarity import FEWEST_IMAGES, fit_familiarity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from cellmetry.core.progress import Progress
    from cellmetry.learn.dataset import Item
    from cellmetry.ops.familiarity import Familiarity

__all__ = ["learn_familiarity", "read_features"]


def learn_familiarity(
    weights: bytes,
    fields: dict[str, Any],
    learnt: Sequence[Item],
    held_out: Sequence[Item] = (),
    *,
    progress: Progress = SILENT,
) -> Familiarity | None:
    """Return what a network knows of its training images; None if it puts out no features, or they are too few.

    Parameters
    ----------
    weights
        The network as an ONNX file.
    fields
        Of its card, as `cellmetry.models.versions.save_version` takes them.
    learnt, held_out
        Images that it has learnt from, and others of the same data sets. A few hundred are enough.
    """
    if len(learnt) < FEWEST_IMAGES:
        return None
    with TemporaryDirectory(prefix="cellmetry-") as folder:
        model = save_version(Path(folder), weights, fields)
        engine = NetworkEngine(NetworkOptions(), EngineSpec(model=str(model.path), device="cpu"))
        if not engine.has_features:
            return None
        progress.start("Learning what is familiar", len(learnt) + len(held_out))
        found = read_features(engine, learnt, progress)
        others = read_features(engine, held_out, progress) if held_out else None
    return fit_familiarity(found, others)


def read_features(engine: NetworkEngine, items: Iterable[Item], progress: Progress = SILENT) -> NDArray[np.float64]:
    """Return the mean features of the items' images, shape (items, features)."""
    found = []
    for item in items:
        plane = Plane(image_from_array(read_image(item), "YX", name=item.name), (0,))
        features = survey_features(engine, plane)
        assert features is not None  # noqa: S101  an image has a pixel
        found.append(features)
        progress.advance()
    return np.stack(found)
