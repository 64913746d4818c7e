"""Every importer keeps the contract, on tiny folders in the form in which such data are distributed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import roifile
import tifffile

from cellmetry.errors import DamagedFile
from cellmetry.export.coco import coco_segmentation
from cellmetry.export.polygons import trace_polygons
from cellmetry.export.rle import KAGGLE_DSB, SARTORIUS, encode_rle
from cellmetry.io.pictures import write_png
from cellmetry.learn.importers import IMPORTERS
from cellmetry.ops.instances import instances_of
from cellmetry.testing.importer import ImporterContract

SHAPE = (40, 50)
RANDOM = np.random.default_rng(5)


def cells(count: int = 4) -> np.ndarray:
    """Return labels of `count` discs, some of which touch, and the last at the edge."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    centres = [(12, 12), (12, 27), (30, 14), (36, 40)][:count]
    labels = np.zeros(SHAPE, np.int32)
    for number, (cy, cx) in enumerate(centres, start=1):
        labels[np.hypot(y - cy, x - cx) < 7.6] = number
    return labels


def picture(path: Path, labels: np.ndarray) -> None:
    """Write an 8-bit PNG or a 16-bit TIFF of what the labels show."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = (labels > 0) * 100 + RANDOM.integers(0, 50, labels.shape)
    if path.suffix == ".png":
        write_png(values.astype(np.uint8), path)
    else:
        tifffile.imwrite(path, (values * 100).astype(np.uint16))


def save_labels(path: Path, labels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        write_png(labels.astype(np.uint8), path)
    else:
        tifffile.imwrite(path, labels.astype(np.uint16))


def two() -> dict[str, np.ndarray]:
    return {"a": cells(), "b": cells(2)}


class TestPairs(ImporterContract):
    importer = "pairs"
    breakable = "labels/*"

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        for name, labels in two().items():
            picture(folder / "images" / f"{name}.tif", labels)
            save_labels(folder / "labels" / f"{name}_masks.tif", labels)
        return two()


class TestPairsByPattern(TestPairs):
    options: ClassVar[Mapping[str, Any]] = {"image_pattern": "{name}_img.png", "truth_pattern": "{name}_masks.png"}
    breakable = "*_masks.png"

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        for name, labels in two().items():
            picture(folder / f"{name}_img.png", labels)
            save_labels(folder / f"{name}_masks.png", labels)
        return two()


class TestForeground(TestPairs):
    options: ClassVar[Mapping[str, Any]] = {"truth_is": "foreground"}

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        super().write(folder)
        return {name: labels > 0 for name, labels in two().items()}


class TestUsiigaci(ImporterContract):
    importer = "usiigaci"
    breakable = "**/instances_ids.png"

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        for place, labels in (("train/set1", cells()), ("val/set1", cells(2))):
            picture(folder / "Mask R-CNN" / place / "raw.tif", labels)
            save_labels(folder / "Mask R-CNN" / place / "instances_ids.png", labels)
        return {"train_set1": cells(), "val_set1": cells(2)}


class TestInstancePngs(ImporterContract):
    importer = "instance-pngs"
    breakable = "**/masks/*.png"

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        for name, labels in two().items():
            place = folder / "stage1_train" / name
            picture(place / "images" / f"{name}.png", labels)
            for number in range(1, labels.max() + 1):
                save_labels(place / "masks" / f"{name}_{number}.png", (labels == number) * 255)
        return two()


class TestBbbc038(TestInstancePngs):
    importer = "bbbc038"


class TestBbbc039(ImporterContract):
    importer = "bbbc039"
    breakable = "masks/*.png"

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        known = {"IXMtest_A02_s1_w1051DAA7C": cells(), "IXMtest_B11_s7_w1F": cells(2)}
        for name, labels in known.items():
            picture(folder / "images" / f"{name}.tif", labels)
            colours = np.array([[0, 0, 0], [3, 0, 9], [1, 5, 0], [1, 5, 0], [3, 7, 7]], np.uint8)  # colours come again
            (folder / "masks").mkdir(exist_ok=True)
            write_png(colours[labels], folder / "masks" / f"{name}.png")
        return known


class TestOutlines(ImporterContract):
    importer = "outlines"
    options: ClassVar[Mapping[str, Any]] = {
        "image_pattern": "BBBC007_v1_images/{set}/{name}.tif",
        "truth_pattern": "BBBC007_v1_outlines/{set}/{name}.tif",
        "group_by": "set",
        "line_pixels": "object",
    }
    breakable = "BBBC007_v1_outlines/**/*.tif"
    dark = False

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        known = {}
        for name, count in (("A9 p5d", 1), ("f9620", 3)):
            labels = cells(count)
            picture(folder / "BBBC007_v1_images" / "A9" / f"{name}.tif", labels)
            line = np.zeros(SHAPE, bool)
            for _, each in instances_of(labels):
                part = np.pad(each.mask, 1)
                inner = part & np.roll(part, 1, 0) & np.roll(part, -1, 0) & np.roll(part, 1, 1) & np.roll(part, -1, 1)
                ring = (part & ~inner)[1:-1, 1:-1]
                line[each.y : each.y + ring.shape[0], each.x : each.x + ring.shape[1]] |= ring
            save_labels(folder / "BBBC007_v1_outlines" / "A9" / f"{name}.tif", (line ^ self.dark) * 255)
            known[f"A9_{name}"] = labels
        return known


class TestDarkOutlines(TestOutlines):
    dark = True


class TestRleCsv(ImporterContract):
    importer = "rle-csv"
    breakable = "*.csv"
    form = KAGGLE_DSB
    table = "stage1_train_labels.csv"
    images = "stage1_train"
    columns = ("ImageId", "EncodedPixels")
    checks_size = False  # The table of the Data Science Bowl does not say the size.

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        known = {**two(), "0123": np.zeros(SHAPE, np.int32)}
        rows = [",".join(self.columns) + self.more(None)]
        for name, labels in known.items():
            picture(folder / self.images / f"{name}.png", labels)
            codes = [encode_rle(labels == number, self.form) for number in range(1, labels.max() + 1)] or [""]
            rows += [f"{name},{code}" + self.more(name) for code in codes]
        (folder / self.table).write_text("\n".join(rows) + "\n")
        return known

    def more(self, name: str | None) -> str:
        return ""

    def test_a_damaged_file_leaves_nothing(self, tmp_path: Path) -> None:
        self.sample(tmp_path)
        table = tmp_path / "source" / self.table
        table.write_text(table.read_text().replace("\na,", "\na,1990 20 ", 1))
        with pytest.raises(DamagedFile, match=f"{self.table}, image a"):
            self.run(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["source"]


class TestSartorius(TestRleCsv):
    importer = "sartorius"
    form = SARTORIUS
    table = "train.csv"
    images = "train"
    columns = ("id", "annotation")
    checks_size = True

    def more(self, name: str | None) -> str:
        kind = "astro" if name == "a" else "cort"
        if name is None:
            return ",width,height,cell_type,plate_time,sample_date,sample_id,elapsed_timedelta"
        return f",50,40,{kind},11h30m00s,2019-06-16,{kind}[diff]_E10-4_Vessel-714_Ph_3,0 days 11:30:00"


def polygons(labels: np.ndarray, number: int) -> list[list[float]]:
    (each,) = [part for identity, part in instances_of(labels) if identity == number]
    return [ring.ravel().tolist() for ring in trace_polygons(each)]


class TestCoco(ImporterContract):
    importer = "coco"
    breakable = "**/*.json"

    def names(self) -> dict[str, tuple[str, np.ndarray]]:
        return {"a": ("a.png", cells()), "b": ("b.png", cells(2))}

    def place(self, folder: Path, file_name: str) -> Path:
        return folder / "images" / file_name

    def json_path(self, folder: Path) -> Path:
        return folder / "annotations.json"

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        images, annotations = [], []
        for image_id, (file_name, labels) in enumerate(self.names().values(), start=5):
            picture(self.place(folder, file_name), labels)
            images.append({"id": image_id, "file_name": file_name, "height": SHAPE[0], "width": SHAPE[1]})
            for number in range(1, labels.max() + 1):
                code: Any = polygons(labels, number) if number % 2 else coco_segmentation(labels == number)
                annotations.append({"id": len(annotations), "image_id": image_id, "category_id": 1,
                                    "segmentation": code, "iscrowd": 0})  # fmt: skip
        path = self.json_path(folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"images": images, "annotations": annotations,
                                    "categories": [{"id": 1, "name": "cell"}]}))  # fmt: skip
        return {name: labels for name, (_, labels) in self.names().items()}


class TestLiveCell(TestCoco):
    importer = "livecell"

    def names(self) -> dict[str, tuple[str, np.ndarray]]:
        stems = {"A172_Phase_A7_1_00d00h00m_1": cells(), "BV2_Phase_B4_2_01d00h00m_3": cells(2)}
        return {stem: (f"{stem}.tif", labels) for stem, labels in stems.items()}

    def place(self, folder: Path, file_name: str) -> Path:
        return folder / "images" / "livecell_train_val_images" / file_name.split("_", maxsplit=1)[0] / file_name

    def json_path(self, folder: Path) -> Path:
        return folder / "annotations" / "LIVECell" / "livecell_coco_train.json"


class TestCellposePairs(ImporterContract):
    importer = "cellpose"
    breakable = "**/*_masks.*"

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        picture(folder / "train" / "000_img.png", cells())
        save_labels(folder / "train" / "000_masks.png", cells())
        picture(folder / "mine" / "b.tif", cells(2))
        save_labels(folder / "mine" / "b_cp_masks.tif", cells(2))
        return {"000": cells(), "b": cells(2)}


class TestCellposeSeg(ImporterContract):
    importer = "cellpose"
    breakable = "*_seg.npy"

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        for name, labels in two().items():
            picture(folder / f"{name}.tif", labels)
            content = {"masks": labels.astype(np.uint16), "filename": f"C:\\data\\{name}.tif", "flows": [None]}
            np.save(folder / f"{name}_seg.npy", np.array(content, dtype=object), allow_pickle=True)
        return two()


class TestRoiZips(ImporterContract):
    importer = "roi-zips"
    breakable = "*.zip"
    checks_size = False  # A zip of outlines does not say the size of its image.

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        for name, form in (("a", "{}.zip"), ("b", "RoiSet_{}.zip")):
            labels = two()[name]
            picture(folder / f"{name}.tif", labels)
            with zipfile.ZipFile(folder / form.format(name), "w") as archive:
                for number, each in instances_of(labels):
                    (ring,) = trace_polygons(each)
                    archive.writestr(f"{number}.roi", roifile.ImagejRoi.frompoints(ring.astype(np.float32)).tobytes())
        return two()


class TestNuInsSeg(ImporterContract):
    importer = "nuinsseg"
    breakable = "*/label masks modify/*.tif"

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        known = {"human_bladder_01": cells(), "mouse_femur_01": cells(2)}
        for name, labels in known.items():
            organ = folder / name[:-3].replace("_", " ")
            picture(organ / "tissue images" / f"{name}.png", labels)
            save_labels(organ / "label masks modify" / f"{name}.tif", labels)
            vague = np.zeros(SHAPE, np.uint8)
            vague[:, :20] = 255
            save_labels(organ / "vague areas" / "mask binary" / f"{name}.png", vague)
        return known


class TestNuInsSegRois(TestNuInsSeg):
    options: ClassVar[Mapping[str, Any]] = {"truth_is": "rois"}
    breakable = "*/Imagj_zips/*.zip"
    checks_size = True  # by the picture of vague areas

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        known = super().write(folder)
        for name, labels in known.items():
            place = folder / name[:-3].replace("_", " ") / "Imagj_zips"
            place.mkdir()
            with zipfile.ZipFile(place / f"{name}.zip", "w") as archive:
                for number, each in instances_of(labels):
                    (ring,) = trace_polygons(each)
                    archive.writestr(f"{number}.roi", roifile.ImagejRoi.frompoints(ring.astype(np.float32)).tobytes())
        return known


class TestBoxes(ImporterContract):
    importer = "boxes"
    breakable = "**/*.json"

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        known, content = {}, []
        for name, labels in two().items():
            picture(folder / "malaria" / "images" / f"{name}.png", labels)
            boxes, centres = [], []
            for number, each in instances_of(labels):
                low = {"r": each.y, "c": each.x}
                high = {"r": each.y + each.mask.shape[0], "c": each.x + each.mask.shape[1]}
                category = "leukocyte" if number == 2 else "red blood cell"
                boxes.append({"bounding_box": {"minimum": low, "maximum": high}, "category": category})
                centres.append([(low["r"] + high["r"]) / 2, (low["c"] + high["c"]) / 2])
            shape = {"r": SHAPE[0], "c": SHAPE[1], "channels": 3}
            content.append({"image": {"checksum": "0", "pathname": f"/images/{name}.png", "shape": shape},
                            "objects": boxes})  # fmt: skip
            known[name] = np.array(centres)
        (folder / "malaria" / "training.json").write_text(json.dumps(content))
        return known


class TestBbbc041(TestBoxes):
    importer = "bbbc041"


class TestPoints(ImporterContract):
    importer = "points"
    options: ClassVar[Mapping[str, Any]] = {"class_column": "Type"}
    breakable = "points/*.csv"
    checks_size = False

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        known = {"a": np.array([[3.5, 4.0], [20.0, 49.0]]), "b": np.zeros((0, 2))}
        for name, points in known.items():
            picture(folder / "images" / f"{name}.png", cells())
            (folder / "points").mkdir(exist_ok=True)
            rows = [f"{x},{y},live" for y, x in points]
            (folder / "points" / f"{name}.csv").write_text("\n".join(["X,Y,Type", *rows]) + "\n")
        return known

    def test_a_damaged_file_leaves_nothing(self, tmp_path: Path) -> None:
        self.sample(tmp_path)
        (tmp_path / "source" / "points" / "a.csv").write_text("X,Y,Type\n1,2")
        with pytest.raises(ValueError, match=r"a\.csv line 2"):
            self.run(tmp_path)
        assert not (tmp_path / "out").exists()


class TestDots(ImporterContract):
    importer = "points"
    options: ClassVar[Mapping[str, Any]] = {"image_pattern": "{name}cell.png", "truth_pattern": "{name}dots.png"}
    breakable = "*dots.png"

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        known = {"001": np.array([[5.0, 6.0], [30.0, 41.5]]), "002": np.zeros((0, 2))}
        for name, points in known.items():
            picture(folder / f"{name}cell.png", cells())
            dots = np.zeros((*SHAPE, 3), np.uint8)
            for y, x in points:
                dots[int(y), [int(np.floor(x)), int(np.ceil(x))], 0] = 255
            write_png(dots, folder / f"{name}dots.png")
        return known


class TestTileScan(ImporterContract):
    importer = "tile-scan"
    options: ClassVar[Mapping[str, Any]] = {"axes": "TCYX", "channel": "1", "truth_channel": "0"}
    breakable = "*.tif"
    checks_size = False
    refers = False

    def write(self, folder: Path) -> dict[str, np.ndarray]:
        fields = [cells(), cells(2)]
        stack = np.stack([np.stack([labels, labels * 7 + 3, labels > 0]).astype(np.uint16) for labels in fields])
        tifffile.imwrite(folder / "Composite.tif", stack, photometric="minisblack")
        return {"Composite_0": fields[0], "Composite_1": fields[1]}


def test_every_importer_has_a_contract() -> None:
    contracts = [each for each in globals().values() if isinstance(each, type) and issubclass(each, ImporterContract)]
    assert {each.importer for each in contracts if each is not ImporterContract} == set(IMPORTERS.builtin)
