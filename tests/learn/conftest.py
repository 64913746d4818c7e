"""A data set of bright discs, small enough to learn in a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def draw_discs(seed: int, side: int = 72) -> tuple[np.ndarray, np.ndarray]:
    """Return a noisy 16-bit image and its labels: discs that do not overlap."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    labels = np.zeros((side, side), np.uint16)
    for _ in range(40):
        cy, cx, radius = rng.uniform(5, side - 5), rng.uniform(5, side - 5), rng.uniform(5, 8)
        disc = (y - cy) ** 2 + (x - cx) ** 2 <= radius**2
        if not labels[(y - cy) ** 2 + (x - cx) ** 2 <= (radius + 1.5) ** 2].any():
            labels[disc] = labels.max() + 1
    image = 200 + 3000 * (labels > 0) + rng.normal(0, 150, labels.shape)
    return image.clip(0, 65535).astype(np.uint16), labels


@pytest.fixture(scope="session")
def discs_in() -> Callable[..., Path]:
    """Return a maker of data sets: a folder with images/ and labels/."""

    def make(folder: Path, *, count: int = 6, first: int = 0) -> Path:
        for kind in ("images", "labels"):
            (folder / kind).mkdir(parents=True)
        for number in range(first, first + count):
            image, labels = draw_discs(number)
            tifffile.imwrite(folder / "images" / f"field{number:02}.tif", image)
            tifffile.imwrite(folder / "labels" / f"field{number:02}.tif", labels)
        return folder

    return make


@pytest.fixture
def discs(tmp_path: Path, discs_in: Callable[..., Path]) -> Callable[..., Path]:
    """Return a maker of data sets in the test's own folder."""
    return lambda count=6: discs_in(tmp_path / "discs", count=count)
