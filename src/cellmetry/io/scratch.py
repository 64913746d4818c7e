"""Arrays for new labels and maps: in memory while they are small, in a temporary zarr folder beyond a limit."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

from cellmetry.io.label_store import create_label_store
from cellmetry.settings import current_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["new_label_array", "new_map_array"]

_CHUNK = 1024


def new_label_array(shape: Sequence[int], axes: str) -> Any:
    """Return a uint32 array of zeros that can be read and written in parts.

    Above ``max_labels_in_memory`` pixels of the settings it lies in the system's folder for temporary files,
    and is deleted with the array that is returned.
    """
    if prod(shape) <= current_settings().max_labels_in_memory:
        return np.zeros(tuple(shape), np.uint32)
    folder = Path(tempfile.mkdtemp(prefix="cellmetry-"))
    array = create_label_store(folder / "labels.ome.zarr", shape, axes)
    weakref.finalize(array, shutil.rmtree, folder, ignore_errors=True)
    return array


def new_map_array(shape: Sequence[int]) -> Any:
    """Return a float32 array of zeros, likewise; the last two axes are Y and X."""
    if prod(shape) <= current_settings().max_labels_in_memory:
        return np.zeros(tuple(shape), np.float32)
    folder = Path(tempfile.mkdtemp(prefix="cellmetry-"))
    chunks = (*(1 for _ in shape[:-2]), *(min(_CHUNK, size) for size in shape[-2:]))
    array = zarr.create_array(
        store=folder / "map.zarr", shape=tuple(shape), chunks=chunks, dtype="float32", fill_value=0
    )
    weakref.finalize(array, shutil.rmtree, folder, ignore_errors=True)
    return array
