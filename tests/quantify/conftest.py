"""Generated cells that tests of quantification share."""

from __future__ import annotations

import numpy as np
import pytest

import cellmetry as cm
from cellmetry.core.sample import Sample


@pytest.fixture
def two_discs() -> Sample:
    """Two discs of radius 20 px that touch, bright rims in `target`, even light in `reference`; 0.5 µm pixels."""
    y, x = np.mgrid[:90, :130]
    labels = np.zeros((90, 130), np.uint32)
    labels[np.hypot(y - 45, x - 40) <= 20] = 3
    labels[(np.hypot(y - 45, x - 80) <= 20) & (labels == 0)] = 8
    radius = np.minimum(np.hypot(y - 45, x - 40), np.hypot(y - 45, x - 80))
    target = np.where(labels > 0, 100 + 10 * radius, 50).astype(np.uint16)
    reference = np.where(labels > 0, 200, 20).astype(np.uint16)
    image = cm.image_from_array(
        np.stack([target, reference]), "CYX", channel_names=["target", "reference"], pixel_size_um=0.5, name="discs"
    )
    return Sample(image, {"cells": cm.labels_from_array(labels, pixel_size=image.pixel_size)})
