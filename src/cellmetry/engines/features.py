"""`FeatureSum`: features of a plane, gathered tile by tile; the same whatever the tiles are, in little memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Box

__all__ = ["FeatureSum", "unfamiliar_sentence"]


class FeatureSum:
    """Sum of a network's features over a plane: each square of `stride` pixels counts once, seen with full context.

    Parameters
    ----------
    shape
        Height and width of the plane in working pixels.
    stride
        Side of the square that one place of the features stands for.
    margin
        How far features may see; places nearer to the edge of what was read do not count, unless the plane ends there.
    """

    def __init__(self, shape: tuple[int, int], stride: int, margin: int) -> None:
        self._shape, self._stride, self._margin = shape, stride, margin
        self._seen = np.zeros([-(-side // stride) for side in shape], bool)
        self._sum: NDArray[np.float64] | float = 0.0

    def add(self, features: NDArray[np.float32], box: Box) -> None:
        """Add what is new in the features, shape (features, y, x), of the part `box` of the plane."""
        rows = self._valid(box.y0, box.y1, self._shape[0])
        columns = self._valid(box.x0, box.x1, self._shape[1])
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        new = ~self._seen[rows, columns]
        y, x = rows.start - box.y0 // self._stride, columns.start - box.x0 // self._stride
        part = features[:, y : y + new.shape[0], x : x + new.shape[1]]
        self._sum = self._sum + part.sum(axis=(1, 2), dtype=np.float64, where=new)
        self._seen[rows, columns] = True

    def mean(self) -> NDArray[np.float64] | None:
        """Return the mean of what was added, shape (features,); None if nothing was."""
        count = int(self._seen.sum())
        return np.asarray(self._sum) / count if count else None

    def _valid(self, start: int, stop: int, size: int) -> slice:
        """Return the places between these pixels whose features no edge of the tile can influence."""
        stride = self._stride
        first = 0 if start == 0 else -(-(start + self._margin) // stride)
        last = -(-size // stride) if stop == size else (stop - self._margin) // stride
        return slice(first, last)


def unfamiliar_sentence(image: str, model: str, score: float) -> str:
    """Return the warning that an image is unlike what a model has learnt from."""
    return (
        f"{image} looks unlike the images that the model {model} has learnt from (unfamiliarity {score:.2f}, usual is "
        f"up to 1); look at the overlay before you trust its numbers."
    )
