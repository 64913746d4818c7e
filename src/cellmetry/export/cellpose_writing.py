"""Writing Cellpose's ``_seg.npy``: the entries that its window reads, as NumPy saves them."""

from __future__ import annotations

import pickle
import pickletools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy_format

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["CellposeContent", "outline_pixels", "usual_diameter", "write_cellpose_seg"]

_NEW, _OLD = b"numpy._core.", b"numpy.core."


class CellposeContent(NamedTuple):
    """Masks, uint32 (Y, X) or (Z, Y, X), and the file name of their image."""

    masks: NDArray[np.uint32]
    filename: str


def write_cellpose_seg(content: CellposeContent, path: Path) -> None:
    """Write a ``_seg.npy`` with the entries that ``cellpose.gui.io._load_seg`` of Cellpose 3 and 4 looks for.

    There are no flows, so that the window cannot change thresholds afterwards, and no image: Cellpose reads it from
    `filename`.
    """
    largest = int(content.masks.max(initial=0))
    masks = content.masks.astype(np.uint16 if largest < np.iinfo(np.uint16).max else np.int32)
    count = int(np.count_nonzero(np.unique(masks)))
    entries: dict[str, Any] = {
        "masks": masks,
        "outlines": np.where(outline_pixels(masks), masks, 0).astype(masks.dtype),
        "colors": _colours(count),
        "filename": content.filename,
        "ismanual": np.zeros(count, np.bool_),
        "manual_changes": [],
        "chan_choose": [0, 0],
        "est_diam": usual_diameter(masks),
        "flow_threshold": 0.4,
        "cellprob_threshold": 0.0,
        "model_path": 0,
    }
    if masks.ndim == 3:
        entries["zdraw"] = [-1] * count
    held = np.empty((), object)
    held[()] = entries
    with path.open("wb") as file:
        npy_format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
        file.write(_for_every_numpy(pickle.dumps(held, protocol=3)))


def outline_pixels(masks: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the pixels of objects, plane by plane, beside another value or at the edge of the image.

    Cellpose numbers masks and outlines anew, each by first appearance; as the first pixel of an object always is one of
    its outline here, both get the same numbers.
    """
    around = np.pad(masks, [(0, 0)] * (masks.ndim - 2) + [(1, 1), (1, 1)])
    middle = around[..., 1:-1, 1:-1]
    beside = (around[..., :-2, 1:-1], around[..., 2:, 1:-1], around[..., 1:-1, :-2], around[..., 1:-1, 2:])
    edge = np.zeros(masks.shape, np.bool_)
    for neighbour in beside:
        edge |= neighbour != middle
    return edge & (masks > 0)


def usual_diameter(masks: NDArray[Any]) -> float:
    """Return Cellpose's diameter in pixels: of the disc with the median root of the objects' areas; 30 without objects.

    In a stack the median over the planes with objects.
    """
    planes = masks.reshape(-1, *masks.shape[-2:])
    counts = [np.unique(plane[plane > 0], return_counts=True)[1] for plane in planes]
    roots = [np.median(np.sqrt(each)) for each in counts if each.size]
    return float(np.median(roots) * 2 / np.sqrt(np.pi)) if roots else 30.0


def _colours(count: int) -> NDArray[np.uint8]:
    """Return the colour of each object, the same in every run: random hues."""
    return np.random.default_rng(0).integers(60, 256, (count, 3), np.uint8)


def _for_every_numpy(data: bytes) -> bytes:
    """Return a pickle whose arrays NumPy 1 can read as well: it calls ``numpy._core`` of NumPy 2 ``numpy.core``."""
    pieces, done = [], 0
    for operation, argument, place in pickletools.genops(data):
        if operation.name == "GLOBAL" and str(argument).startswith(_NEW.decode()) and place is not None:
            pieces += [data[done : place + 1], _OLD]
            done = place + 1 + len(_NEW)
    return b"".join([*pieces, data[done:]])
