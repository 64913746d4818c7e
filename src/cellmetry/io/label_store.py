"""Label images as OME-Zarr 0.5: written chunk by chunk, read lazily, so that size does not matter.

A store is a zarr group whose arrays ``0``, ``1``, … are the resolution levels. Ids are never averaged: each level
takes every second pixel of the one before. A chunk that holds only background is not stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
import zarr.errors
from zarr.codecs import ZstdCodec

from cellmetry.core.image import UNKNOWN_PIXEL_SIZE, PixelSize
from cellmetry.core.labels import Labels, labels_from_array
from cellmetry.errors import DamagedFile, InputError, LabelsError, MissingInput, OutputError, UnsupportedFormat
from cellmetry.io.atomic import atomic_folder
from cellmetry.io.failures import reading
from cellmetry.io.ngff import VERSION, multiscales

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["build_label_pyramid", "create_label_store", "open_label_store", "write_label_store"]

_LAZY_TYPES = ("uint8", "uint16", "uint32")


def create_label_store(
    path: str | Path, shape: Sequence[int], axes: str, pixel_size: PixelSize = UNKNOWN_PIXEL_SIZE, *, chunk: int = 1024
) -> zarr.Array[Any]:
    """Return the writable full-resolution array (uint32, all background) of a new OME-Zarr label image.

    Parameters
    ----------
    path
        A folder that does not exist yet or is empty. Write inside `atomic_folder`: then it is all or nothing, and
        a failing disk is told in words that name the final folder.
    axes
        A subset of ``TZYX`` in this order, one letter per entry of `shape`.
    chunk
        Side of a chunk in Y and X. Two writers never disturb each other if they write different chunks.
    """
    path = Path(path)
    if path.exists() and any(path.iterdir()):
        raise OutputError(f"{path} could not be made: it exists and is not empty; choose another name.")
    Labels(np.broadcast_to(np.uint32(0), tuple(shape)), axes, pixel_size)  # refuses axes that do not fit
    group = zarr.open_group(path, mode="a", zarr_format=3)
    level = _create_level(group, "0", shape, axes, chunk)
    group.attrs["ome"] = _metadata(axes, pixel_size, 1)
    return level


def build_label_pyramid(path: str | Path, *, smallest: int = 1024) -> int:
    """Return how many levels the store at `path` has after adding coarser ones until a plane fits in `smallest`.

    Each takes every second row and column of the one before, block by block, so memory stays constant and every id
    at a coarse level is an id of the full one. Z and T are kept.
    """
    group = zarr.open_group(Path(path), mode="r+", zarr_format=3)
    labels = _labels_of(group, Path(path))
    level, count = group["0"], 1
    while max(level.shape[-2:]) > smallest:  # type: ignore[union-attr]
        level = _add_level(group, level, str(count), labels.axes)
        count += 1
    group.attrs["ome"] = _metadata(labels.axes, labels.pixel_size, count)
    return count


def open_label_store(path: str | Path) -> Labels:
    """Return the label image of an OME-Zarr folder; pixels are read when asked for.

    `path` is a label image, or an image with exactly one label image under ``labels/``. Signed and 64-bit ids are
    read at once to be checked.

    Raises
    ------
    MissingInput, UnsupportedFormat, DamagedFile, LabelsError
        If there is no such folder, no OME-Zarr in it, its description is broken, or it holds no labels.
    """
    path = Path(path)
    if not path.exists():
        raise MissingInput(f"{path} does not exist.")
    try:
        return _labels_of(_label_group(zarr.open_group(path, mode="r"), path), path)
    except (zarr.errors.GroupNotFoundError, zarr.errors.ContainsArrayError) as error:
        raise UnsupportedFormat(f"{path} is not an OME-Zarr image: it holds no zarr group.") from error
    except InputError:
        raise
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DamagedFile(f"{path} has a damaged OME-Zarr description ({error}); write the labels again.") from error


def write_label_store(labels: Labels, path: str | Path, *, chunk: int = 1024, smallest: int = 1024) -> None:
    """Write `labels` as an OME-Zarr label image with its pyramid; lazy labels in constant memory.

    Parameters
    ----------
    chunk
        Side of a chunk in Y and X.
    smallest
        Largest side that the coarsest level may have.
    """
    with atomic_folder(path) as temporary:
        level = create_label_store(temporary, labels.shape, labels.axes, labels.pixel_size, chunk=chunk)
        for index in _blocks(labels.shape, level.chunks[-1]):
            level[index] = np.asarray(labels.array[index], dtype=np.uint32)
        build_label_pyramid(temporary, smallest=smallest)


@dataclass(frozen=True)
class _StoredLabels:
    """Ids on disk; a chunk whose checksum or length is wrong is told as a damaged file."""

    stored: zarr.Array[Any]
    path: Path

    @property
    def shape(self) -> tuple[int, ...]:
        return self.stored.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.stored.dtype.name)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        with reading(str(self.path)):
            return np.asarray(self.stored[index])


def _create_level(group: zarr.Group, name: str, shape: Sequence[int], axes: str, chunk: int) -> zarr.Array[Any]:
    sides = [min(chunk, size) for size in shape[-2:]]
    return group.create_array(
        name,
        shape=tuple(shape),
        chunks=(*(1 for _ in shape[:-2]), *sides),
        dtype="uint32",
        fill_value=0,
        compressors=[ZstdCodec(level=3, checksum=True)],
        dimension_names=[axis.lower() for axis in axes],
    )


def _add_level(group: zarr.Group, finer: Any, name: str, axes: str) -> zarr.Array[Any]:
    shape = (*finer.shape[:-2], *((size + 1) // 2 for size in finer.shape[-2:]))
    coarser = _create_level(group, name, shape, axes, max(finer.chunks[-2:]))
    for index in _blocks(shape, max(coarser.chunks[-2:])):
        rows, columns = index[-2:]
        block = finer[(*index[:-2], _doubled(rows), _doubled(columns))]
        coarser[index] = block[..., ::2, ::2]
    return coarser


def _doubled(part: slice) -> slice:
    return slice(2 * part.start, 2 * part.stop)


def _blocks(shape: Sequence[int], side: int) -> Iterator[tuple[Any, ...]]:
    height, width = shape[-2:]
    for lead in np.ndindex(*shape[:-2]):
        for y in range(0, height, side):
            for x in range(0, width, side):
                yield (*lead, slice(y, min(y + side, height)), slice(x, min(x + side, width)))


def _metadata(axes: str, pixel_size: PixelSize, levels: int) -> dict[str, Any]:
    return {
        "version": VERSION,
        "multiscales": multiscales(axes, pixel_size, levels, averaged=False),
        "image-label": {"version": VERSION},
    }


def _label_group(group: zarr.Group, path: Path) -> zarr.Group:
    if "image-label" in _ome(group) or "labels" not in group:
        return group
    inner = group["labels"]
    names = list(_ome(inner).get("labels", []))
    if len(names) != 1:
        raise LabelsError(f"{path} holds {len(names)} label images ({', '.join(names)}); give the path of one of them.")
    found = group[f"labels/{names[0]}"]
    if not isinstance(found, zarr.Group):
        raise DamagedFile(f"{path} names a label image {names[0]!r} that is not a zarr group.")
    return found


def _ome(group: Any) -> dict[str, Any]:
    attributes = group.attrs.asdict()
    return dict(attributes.get("ome", attributes))


def _labels_of(group: zarr.Group, path: Path) -> Labels:
    described = _ome(group).get("multiscales")
    if not described:
        raise UnsupportedFormat(f"{path} is not an OME-Zarr image: it does not describe its resolution levels.")
    axes = [axis["name"] if isinstance(axis, dict) else axis for axis in described[0]["axes"]]
    dataset = described[0]["datasets"][0]
    array = group[dataset["path"]]
    if not isinstance(array, zarr.Array):
        raise DamagedFile(f"{path} names a level {dataset['path']!r} that is not a zarr array.")
    return _checked(array, "".join(axes).upper(), _pixel_size(described[0], axes), path)


def _checked(array: zarr.Array[Any], axes: str, pixel_size: PixelSize, path: Path) -> Labels:
    stored = _StoredLabels(array, path)
    if "C" not in axes and array.dtype.name in _LAZY_TYPES:
        return Labels(stored, axes, pixel_size)
    if "C" in axes and array.shape[axes.index("C")] != 1:
        raise LabelsError(f"{path} has {array.shape[axes.index('C')]} channels; a label image has one.")
    ids = stored[...].reshape([size for axis, size in zip(axes, array.shape, strict=True) if axis != "C"])
    return labels_from_array(ids, axes.replace("C", ""), pixel_size=pixel_size, name=str(path))


_TO_UM = {"micrometer": 1.0, "nanometer": 1e-3, "millimeter": 1e3, "meter": 1e6, "angstrom": 1e-4, "centimeter": 1e4}


def _pixel_size(described: dict[str, Any], axes: Sequence[str]) -> PixelSize:
    units = {axis["name"]: axis.get("unit") for axis in described["axes"] if isinstance(axis, dict)}
    steps = described["datasets"][0].get("coordinateTransformations", [])
    scale = next((step["scale"] for step in steps if step["type"] == "scale"), [1.0] * len(axes))
    um = {axis: float(value) * _TO_UM.get(units.get(axis) or "", 0.0) for axis, value in zip(axes, scale, strict=True)}
    return PixelSize(um.get("x") or None, um.get("y") or None, um.get("z") or None)
