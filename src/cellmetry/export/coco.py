"""COCO JSON: images, and objects as polygons or run-length codes; crowds are told apart."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.errors import DamagedFile, MissingInput
from cellmetry.export.polygons import fill_polygon
from cellmetry.export.rle import decode_coco_counts, encode_coco_counts, pack_counts
from cellmetry.ops.instances import Instance, instance_from_mask, paint_instances

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["CocoFile", "CocoImage", "CocoObject", "coco_instance", "coco_segmentation", "read_coco"]


@dataclass(frozen=True)
class CocoImage:
    """An image that a COCO file names; its size is that of the annotation, in pixels.

    `t` and `z`, from 0, are where it lies in a stack, in files that Cellmetry wrote.
    """

    id: int | str
    file_name: str
    height: int
    width: int
    t: int | None = None
    z: int | None = None


@dataclass(frozen=True)
class CocoObject:
    """One annotation.

    Parameters
    ----------
    id
        As in the file.
    segmentation
        Polygons, each a list ``x y x y …``, or a run-length code with ``size`` and ``counts``.
    category
        Name of its category.
    crowd
        Whether it covers many objects that were not told apart.
    label_id
        Id in the labels, in files that Cellmetry wrote.
    """

    id: int | str
    segmentation: Any
    category: str = ""
    crowd: bool = False
    label_id: int | None = None


@dataclass(frozen=True)
class CocoFile:
    """The images of a COCO file in its order, and the objects of each by the image's id."""

    images: tuple[CocoImage, ...]
    objects: Mapping[int | str, tuple[CocoObject, ...]]


def read_coco(path: str | Path) -> CocoFile:
    """Return what a COCO JSON file says.

    Raises
    ------
    MissingInput, DamagedFile
        If the file is missing or no such JSON, or an object lies on an image that the file does not name.
    """
    path = Path(path)
    content = _load(path)
    try:
        categories = {each["id"]: str(each["name"]) for each in content.get("categories", [])}
        images = tuple(_image(each) for each in content["images"])
        objects: dict[int | str, list[CocoObject]] = defaultdict(list)
        for each in _listed(content["annotations"]):
            objects[each["image_id"]].append(_object(each, categories))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedFile(
            f"{path} is no COCO file of objects: {error!r} where an image or object is stated."
        ) from error
    lost = objects.keys() - {image.id for image in images}
    if lost:
        raise DamagedFile(f"{path} has objects on the image {min(map(str, lost))}, which it does not name.")
    return CocoFile(images, {key: tuple(found) for key, found in objects.items()})


def coco_instance(found: CocoObject, shape: tuple[int, int]) -> Instance:
    """Return the pixels of an object in an image of `shape` (Y, X); several polygons are parts of one object.

    Raises
    ------
    DamagedFile
        If its polygons or its code are wrong, or the code is for another size.
    """
    try:
        return _instance(found.segmentation, shape)
    except DamagedFile as error:
        raise DamagedFile(f"object {found.id}: {error}") from error
    except (TypeError, ValueError, KeyError) as error:
        raise DamagedFile(f"object {found.id}: its segmentation is neither polygons nor a run-length code.") from error


def coco_segmentation(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the run-length code of a mask (Y, X) as COCO states it: ``size`` and packed ``counts``."""
    return {"size": list(mask.shape), "counts": pack_counts(encode_coco_counts(mask))}


def _load(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise MissingInput(f"{path} does not exist; give the JSON file of the annotations.")
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DamagedFile(f"{path} is no valid JSON: {error}.") from error
    if not isinstance(content, dict) or not {"images", "annotations"} <= content.keys():
        raise DamagedFile(f"{path} is no COCO file: it lacks images or annotations.")
    return content


def _listed(annotations: Any) -> list[dict[str, Any]]:
    """Return annotations that are a list, or, as in parts of LIVECell, a mapping of ids to them."""
    return list(annotations.values()) if isinstance(annotations, dict) else annotations


def _image(each: dict[str, Any]) -> CocoImage:
    place = [None if each.get(axis) is None else int(each[axis]) for axis in ("t", "z")]
    return CocoImage(each["id"], str(each["file_name"]), int(each["height"]), int(each["width"]), *place)


def _object(each: dict[str, Any], categories: Mapping[Any, str]) -> CocoObject:
    category = categories.get(each.get("category_id"), "")
    crowd = each.get("iscrowd", 0) == 1
    label_id = None if each.get("label_id") is None else int(each["label_id"])
    return CocoObject(each.get("id", "without id"), each["segmentation"], category, crowd, label_id)


def _instance(segmentation: Any, shape: tuple[int, int]) -> Instance:
    if isinstance(segmentation, dict):
        size = tuple(segmentation["size"])
        if size != shape:
            raise DamagedFile(f"its code is for {size[0]} × {size[1]} pixels, the image has {shape[0]} × {shape[1]}.")
        return decode_coco_counts(segmentation["counts"], shape)
    polygons = [np.asarray(each, np.float64).reshape(-1, 2) for each in segmentation]
    parts = [fill_polygon([each], shape) for each in polygons if len(each) > 2]
    if not parts:
        raise DamagedFile("it has no polygon of three points or more.")
    return parts[0] if len(parts) == 1 else _union(parts)


def _union(parts: list[Instance]) -> Instance:
    parts = [part for part in parts if part.area]
    if not parts:
        return Instance(0, 0, np.zeros((0, 0), bool))
    y, x = min(part.y for part in parts), min(part.x for part in parts)
    bottom = max(part.y + part.mask.shape[0] for part in parts)
    right = max(part.x + part.mask.shape[1] for part in parts)
    moved = [Instance(part.y - y, part.x - x, part.mask) for part in parts]
    return instance_from_mask(paint_instances(moved, (bottom - y, right - x)).labels > 0, y, x)
