"""Maps of a whole plane in blocks, for viewers: how many cells a network sees where, and where labels disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cellmetry.core.image import Box
from cellmetry.counting.differences import block_differences
from cellmetry.counting.objects import plane_objects
from cellmetry.counting.regions import CountedPlane
from cellmetry.io.atomic import atomic_write

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels

__all__ = ["MapKind", "map_path", "write_block_maps"]

MapKind = Literal["density", "disagreement"]
_MOST_BLOCKS = 512
_DENSITY_PX, _DISAGREEMENT_PX = 8, 64
_STRIP = 2048


def map_path(job_folder: Path, image_id: str, kind: str, t: int, z: int) -> Path:
    """Return where a job keeps a map."""
    return job_folder / "maps" / f"{image_id}-{kind}-{t}-{z}.npy"


def write_block_maps(
    job_folder: Path, image_id: str, density: Image, labels: Labels, place: tuple[int, int]
) -> list[dict[str, Any]]:
    """Return what is to be known of the maps of a plane (t, z) after writing them.

    Parameters
    ----------
    density
        Cells per pixel of the image.
    """
    t, z = place
    height, width = density.sizes["Y"], density.sizes["X"]
    counted = CountedPlane((height, width), plane_objects(labels, t, z), density, t, z)
    least = -(-max(height, width) // _MOST_BLOCKS)
    fine, coarse = max(_DENSITY_PX, least), max(_DISAGREEMENT_PX, least)
    made: list[tuple[MapKind, int, NDArray[np.float32]]] = [
        ("density", fine, _sums(density, place, fine)),
        ("disagreement", coarse, block_differences(counted, coarse)),
    ]
    return [
        _kept(map_path(job_folder, image_id, kind, t, z), kind, place, block, values) for kind, block, values in made
    ]


def _sums(density: Image, place: tuple[int, int], block: int) -> NDArray[np.float32]:
    """Return how many cells the density has in each block."""
    height, width = density.sizes["Y"], density.sizes["X"]
    rows_at_once = max(1, _STRIP // block) * block
    parts = []
    for y in range(0, height, rows_at_once):
        box = Box(y, min(height, y + rows_at_once), 0, width)
        values = np.maximum(density.plane(t=place[0], z=place[1], box=box), 0).astype(np.float64)
        rows, columns = np.arange(0, len(values), block), np.arange(0, width, block)
        parts.append(np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1))
    return np.concatenate(parts).astype(np.float32)


def _kept(path: Path, kind: str, place: tuple[int, int], block: int, values: NDArray[np.float32]) -> dict[str, Any]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.save(file, values)
    high = float(np.percentile(np.abs(values), 99.5))
    low = 0.0 if kind == "density" else -max(high, 1.0)
    told = {"kind": kind, "t": place[0], "z": place[1], "block": block, "shape": list(values.shape)}
    return {**told, "low": low, "high": high if kind == "density" else max(high, 1.0)}
