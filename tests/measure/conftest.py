"""Generated fields with objects of every awkward form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import ndimage as ndi

import cellmetry as cm

if TYPE_CHECKING:
    from collections.abc import Callable

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels


def make_blobs(seed: int, shape: tuple[int, int] = (120, 150), smooth: float = 2.0) -> np.ndarray:
    """Return labels of touching, holed, ragged, one-pixel and border objects; some ids are in several parts."""
    rng = np.random.default_rng(seed)
    noise = ndi.gaussian_filter(rng.random(shape), smooth)
    labels, count = ndi.label(noise > np.quantile(noise, 0.5))
    cells = rng.integers(1, 40, (shape[0] // 10 + 1, shape[1] // 10 + 1)).repeat(10, 0).repeat(10, 1)
    split = labels * 40 + cells[: shape[0], : shape[1]] * (labels > 0)
    split[rng.integers(0, shape[0], 5), rng.integers(0, shape[1], 5)] = count * 50 + np.arange(1, 6)
    return split.astype(np.uint32)


@pytest.fixture(scope="session")
def blobs() -> Callable[..., np.ndarray]:
    return make_blobs


@pytest.fixture(scope="module")
def field() -> tuple[Image, Labels]:
    labels = make_blobs(1)
    pixels = np.random.default_rng(2).integers(0, 4000, (2, *labels.shape)).astype(np.uint16)
    image = cm.image_from_array(pixels, "CYX", channel_names=["DAPI", "GFP 488"], pixel_size_um=0.5)
    return image, cm.labels_from_array(labels)
