"""COCO as it is written, and which image of a file is read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cellmetry.core.labels import Labels, labels_from_array
from cellmetry.errors import InputError
from cellmetry.export.coco import coco_segmentation
from cellmetry.export.content import make_content
from cellmetry.export.forms.coco import Coco
from cellmetry.export.frame import Frame
from cellmetry.testing.exporter import label_cases


@pytest.mark.parametrize("case", ["holes", "parts", "border", "ring in a ring", "whole image", "empty"])
def test_codes_areas_and_boxes_are_those_of_each_mask(case: str, tmp_path: Path) -> None:
    array = label_cases()[case]
    Coco().write(make_content(labels_from_array(array), "a"), tmp_path / "a.json")
    content = json.loads((tmp_path / "a.json").read_text())
    assert [each["label_id"] for each in content["annotations"]] == np.unique(array[array > 0]).tolist()
    for each in content["annotations"]:
        mask = array == each["label_id"]
        rows, columns = np.nonzero(mask)
        box = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
        assert each["segmentation"] == coco_segmentation(mask)
        assert (each["area"], each["bbox"]) == (mask.sum(), box)


def test_polygons_know_no_holes(tmp_path: Path) -> None:
    array = label_cases()["holes"].copy()
    array[9:11, 1:3], array[9:11, 5:7] = 2, 2
    notes = Coco(form="polygons").write(make_content(labels_from_array(array), "a"), tmp_path / "a.json")
    first, second = json.loads((tmp_path / "a.json").read_text())["annotations"]
    assert isinstance(first["segmentation"], dict)
    assert sorted(map(len, second["segmentation"])) == [8, 8]
    assert notes == ("1 objects have holes, which COCO's polygons cannot say; they are run-length codes.",)


def test_each_plane_is_an_image(tmp_path: Path) -> None:
    array = np.zeros((2, 3, 6, 7), np.uint32)
    array[:, :, 2:4, 2:5] = 4
    Coco().write(make_content(Labels(array, "TZYX"), "field"), tmp_path / "a.json")
    content = json.loads((tmp_path / "a.json").read_text())
    assert [each["file_name"] for each in content["images"]][-1] == "field_t1_z2.tif"
    assert [each["id"] for each in content["annotations"]] == [1, 2, 3, 4, 5, 6]


def two_images(folder: Path) -> Path:
    code = coco_segmentation(label_cases()["one object"] > 0)
    images = [{"id": k, "file_name": f"dir/{name}.png", "height": 12, "width": 15} for k, name in enumerate("ab")]
    annotation = {"id": 33, "image_id": 1, "category_id": 5, "segmentation": code}
    path = folder / "two.json"
    path.write_text(json.dumps({"images": images, "annotations": [annotation], "categories": [{"id": 5, "name": "x"}]}))
    return path


def test_of_several_images_the_one_of_that_name_is_read(tmp_path: Path) -> None:
    path = two_images(tmp_path)
    assert Coco().read(path, Frame((12, 15), name="b.tif")).labels.ids().tolist() == [33]
    assert Coco(image="dir/b.png").read(path, Frame((12, 15))).labels.ids().tolist() == [33]
    assert Coco().read(path, Frame((12, 15), name="a.tif")).labels.ids().tolist() == []
    with pytest.raises(InputError, match=r"--set image=NAME"):
        Coco().read(path, Frame((12, 15), name="c.tif"))
    with pytest.raises(InputError, match="12 × 15"):
        Coco(image="dir/b.png").read(path, Frame((12, 16)))


def test_crowds_are_told(tmp_path: Path) -> None:
    path = two_images(tmp_path)
    content = json.loads(path.read_text())
    content["annotations"][0]["iscrowd"] = 1
    path.write_text(json.dumps(content))
    assert "crowds" in Coco().read(path, Frame((12, 15), name="b.tif")).notes[0]
