"""COCO JSON: polygons, run-length codes and crowds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellmetry.errors import DamagedFile, MissingInput
from cellmetry.export.coco import CocoObject, coco_instance, coco_segmentation, read_coco
from cellmetry.export.rle import encode_coco_counts


def write(path: Path, annotations: Any, **more: Any) -> Path:
    image = {"id": 7, "file_name": "a.png", "height": 6, "width": 8}
    path.write_text(json.dumps({"images": [image], "annotations": annotations, **more}))
    return path


def annotation(segmentation: Any, **more: Any) -> dict[str, Any]:
    return {"id": 1, "image_id": 7, "category_id": 3, "segmentation": segmentation, **more}


def test_images_objects_categories_and_crowds_are_read(tmp_path: Path) -> None:
    square = [[1, 1, 4, 1, 4, 4, 1, 4]]
    path = write(tmp_path / "c.json", [annotation(square), annotation(square, iscrowd=1)],
                 categories=[{"id": 3, "name": "cell"}])  # fmt: skip
    found = read_coco(path)
    assert (found.images[0].file_name, found.images[0].height, found.images[0].width) == ("a.png", 6, 8)
    assert [(each.category, each.crowd) for each in found.objects[7]] == [("cell", False), ("cell", True)]
    assert coco_instance(found.objects[7][0], (6, 8)).area == 9


def test_annotations_may_be_a_mapping(tmp_path: Path) -> None:
    path = write(tmp_path / "c.json", {"11": annotation([[1, 1, 4, 1, 4, 4]])})
    assert len(read_coco(path).objects[7]) == 1


def test_several_polygons_are_one_object_without_holes() -> None:
    two = CocoObject(1, [[0, 0, 4, 0, 4, 4, 0, 4], [2, 2, 6, 2, 6, 6, 2, 6]])
    assert coco_instance(two, (6, 8)).area == 16 + 16 - 4


def test_codes_packed_and_plain() -> None:
    mask = np.random.default_rng(3).random((6, 8)) > 0.5
    for segmentation in (coco_segmentation(mask), {"size": [6, 8], "counts": encode_coco_counts(mask)}):
        found = coco_instance(CocoObject(1, segmentation), (6, 8))
        assert np.array_equal(found.mask, mask[found.y :, found.x :][: found.mask.shape[0], : found.mask.shape[1]])
        assert found.area == mask.sum()


@pytest.mark.parametrize(
    "segmentation",
    [None, "text", [], [[1, 2]], [[1, 2, 3]], [["a", "b", "c", "d", "e", "f"]], {"size": [6, 8]}, [[1, 2, 3, 4]],
     {"size": [8, 6], "counts": [48]}, {"size": [6, 8], "counts": [47]}, {"size": [6, 8], "counts": "~"}],
)  # fmt: skip
def test_wrong_objects_are_refused_by_name(segmentation: Any) -> None:
    with pytest.raises(DamagedFile, match="object 41"):
        coco_instance(CocoObject(41, segmentation), (6, 8))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"images": []}', '{"images": [{}], "annotations": []}',
                                  '{"images": [], "annotations": [{"image_id": 1, "segmentation": []}]}',
                                  '{"images": [], "annotations": 5}'])  # fmt: skip
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(DamagedFile, match=r"c\.json"):
        read_coco(tmp_path / "c.json")
    with pytest.raises(MissingInput):
        read_coco(tmp_path / "absent.json")
