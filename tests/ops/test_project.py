"""Projections along Z, region by region."""

from __future__ import annotations

import numpy as np

from cellmetry.core.image import Box, image_from_array
from cellmetry.ops.project import project_z

STACK = np.random.default_rng(0).integers(0, 60000, (2, 5, 8, 9)).astype(np.uint16)


def test_maximum_and_mean() -> None:
    image = image_from_array(STACK, "CZYX")
    highest, mean = project_z(image, "max"), project_z(image, "mean")
    assert (highest.axes, highest.dtype, mean.dtype) == ("CYX", np.uint16, np.float32)
    np.testing.assert_array_equal(highest.read(), STACK.max(axis=1))
    np.testing.assert_allclose(mean.read(), STACK.mean(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(highest.plane(c=1, box=Box(2, 5, 3, 9)), STACK.max(axis=1)[1, 2:5, 3:9])


def test_an_image_without_z_is_its_own_projection() -> None:
    image = image_from_array(STACK[0, 0])
    assert project_z(image, "max") is image
