"""Labels ↔ COCO JSON; every plane of a stack is an image of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from cellmetry.errors import InputError
from cellmetry.export.coco import coco_instance, read_coco
from cellmetry.export.formats import LabelFormat
from cellmetry.export.gathering import Drawn, gather
from cellmetry.export.rle import pack_counts
from cellmetry.io.atomic import atomic_write
from cellmetry.ops.instances import Overlap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cellmetry.export.coco import CocoFile, CocoImage
    from cellmetry.export.content import Content, Plane
    from cellmetry.export.frame import Frame, Lead
    from cellmetry.export.gathering import Gathered
    from cellmetry.export.tracing import Outlines

__all__ = ["Coco"]


class Coco(LabelFormat):
    """COCO JSON of instance segmentation."""

    title: ClassVar[str] = "COCO JSON"
    suffixes: ClassVar[tuple[str, ...]] = (".json",)

    form: Literal["rle", "polygons"] = "rle"
    """How objects are written: run-length codes, or polygons. COCO's polygons know no holes, so that objects with holes
    are run-length codes in any case."""
    image: str = ""
    """Name of the image in the file. On export the name of the labels with ``.tif`` if left out; on import only needed
    where a file holds several images and none is called like the one given."""
    overlap: Overlap = "smaller"
    """On import: which of two overlapping objects gets the pixels: the smaller, the later or the earlier."""

    def write(self, content: Content, path: Path) -> tuple[str, ...]:
        """Write images, categories (the classes, or ``cell``) and annotations."""
        categories = {name: k for k, name in enumerate(content.classes or {"cell": ""}, start=1)}
        if content.classes and any(not fact.label_class for fact in content.facts.values()):
            categories |= {"cell": len(categories) + 1} if "cell" not in categories else {}
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        with_holes = 0
        for number, plane in enumerate(content.planes(), start=1):
            place = content.frame.place(plane.lead)
            size = {"height": plane.array.shape[0], "width": plane.array.shape[1]}
            images.append({"id": number, "file_name": self._name(content.name, place), **size, **place})
            outlines = plane.outlines()
            written = self._segmentations(plane, outlines)
            with_holes += sum(isinstance(each, dict) for each in written) if self.form == "polygons" else 0
            for each, box, area, identity in zip(written, *_sizes(plane, outlines), outlines.ids.tolist(), strict=True):
                category = categories.get(plane.fact(identity).label_class) or categories.setdefault(
                    "cell", len(categories) + 1
                )
                annotations.append(
                    {"id": len(annotations) + 1, "label_id": identity, "image_id": number, "category_id": category,
                     "iscrowd": 0, "area": area, "bbox": box, "segmentation": each}
                )  # fmt: skip
        named = [{"id": k, "name": name} for name, k in categories.items()]
        with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8") as file:
            json.dump({"images": images, "categories": named, "annotations": annotations}, file, ensure_ascii=False)
        if not with_holes:
            return ()
        return (f"{with_holes} objects have holes, which COCO's polygons cannot say; they are run-length codes.",)

    def read(self, path: Path, frame: Frame) -> Gathered:
        """Return the labels of an image, or of all planes of a stack."""
        coco = read_coco(path)
        drawn, crowds = [], 0
        for image, lead in self._chosen(coco, frame, path):
            if (image.height, image.width) != frame.plane:
                raise InputError(
                    f"{path}: {image.file_name} has {image.height} × {image.width} pixels, the image given has "
                    f"{frame.plane[0]} × {frame.plane[1]}; give the one that was annotated."
                )
            for each in coco.objects.get(image.id, ()):
                crowds += each.crowd
                pixels = coco_instance(each, frame.plane)
                name = str(each.id if each.label_id is None else each.label_id)
                drawn.append(Drawn(name, lead, pixels=pixels, label_class=each.category))
        if len({each.label_class for each in drawn}) == 1:
            drawn = [replace(each, label_class="") for each in drawn]
        notes = [f"{crowds} annotations are crowds, areas of many objects; each became one object."] if crowds else []
        return gather(drawn, frame, self.overlap, notes)

    def _name(self, name: str, place: dict[str, int]) -> str:
        given = self.image or f"{name}.tif"
        if not place:
            return given
        stem, dot, ending = given.rpartition(".")
        planes = "".join(f"_{axis}{number}" for axis, number in place.items())
        return f"{stem}{planes}{dot}{ending}" if dot else f"{given}{planes}"

    def _segmentations(self, plane: Plane, outlines: Outlines) -> list[Any]:
        if self.form == "rle":
            return [code for _, code in _codes(plane.array)]
        alone = [len(part) == 1 for _, parts in outlines.polygons() for part in parts]
        whole = np.logical_and.reduceat(alone, outlines.parts_of[:-1]).tolist() if alone else []
        codes = iter(_codes(np.where(np.isin(plane.array, outlines.ids[np.logical_not(whole)]), plane.array, 0)))
        return [
            [part[0].ravel().tolist() for part in parts] if plain else next(codes)[1]
            for (_, parts), plain in zip(outlines.polygons(), whole, strict=True)
        ]

    def _chosen(self, coco: CocoFile, frame: Frame, path: Path) -> Iterator[tuple[CocoImage, Lead]]:
        """Yield the images that are meant, each with its plane."""
        if frame.axes != "YX":
            for image in coco.images:
                yield image, frame.lead(image.file_name, t=image.t, z=image.z)
            return
        wanted = self.image or frame.name
        found = [image for image in coco.images if image.file_name == wanted or _stem(image.file_name) == _stem(wanted)]
        if len(coco.images) == 1 and not self.image:
            found = list(coco.images)
        if len(found) != 1:
            names = ", ".join(image.file_name for image in coco.images[:5]) + (", …" if len(coco.images) > 5 else "")
            raise InputError(
                f"{path} holds {len(coco.images)} images ({names}), {len(found)} of them called {wanted!r}; name one "
                f"with --set image=NAME."
            )
        yield found[0], ()


def _stem(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]


def _codes(array: NDArray[np.uint32]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each id with its run-length code along columns, ids in order, in one pass over the pixels."""
    flat = array.T.ravel()
    if not flat.size:
        return
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths, ids = np.diff(starts, append=flat.size), flat[starts]
    order = np.argsort(ids, kind="stable")
    order = order[np.searchsorted(ids[order], 1) :]
    starts, lengths, ids = starts[order], lengths[order], ids[order]
    bounds = [*np.flatnonzero(np.diff(ids.astype(np.int64), prepend=-1)).tolist(), ids.size]
    for first, last in pairwise(bounds):
        ends = starts[first:last] + lengths[first:last]
        gaps = starts[first:last] - np.concatenate([[0], ends[:-1]])
        counts = np.column_stack([gaps, lengths[first:last]]).ravel().tolist()
        rest = flat.size - int(ends[-1])
        code = pack_counts([*counts, rest] if rest else counts)
        yield int(ids[first]), {"size": list(array.shape), "counts": code}


def _sizes(plane: Plane, outlines: Outlines) -> tuple[Sequence[list[int]], Sequence[int]]:
    """Return the boxes ``x y width height`` of objects, and their areas."""
    if not outlines.ids.size:
        return [], []
    first = outlines.points_of[outlines.rings_of[outlines.parts_of[:-1]]]
    low = np.minimum.reduceat(outlines.points, first)
    high = np.maximum.reduceat(outlines.points, first)
    ids, areas = np.unique(plane.array, return_counts=True)
    return np.column_stack([low, high - low]).tolist(), areas[ids > 0].tolist()
