"""What single importers keep beyond the contract: ids, overlaps, crowds, classes, groups, licences."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.core.image import image_from_array
from cellmetry.errors import InputError, LabelsError, MissingInput, ParameterError, UnsupportedFormat
from cellmetry.export.rle import KAGGLE_DSB, encode_rle
from cellmetry.io.images import write_image
from cellmetry.io.pictures import write_png
from cellmetry.io.tables import read_table
from cellmetry.learn.dataset import DataSet, DataSetCard, Item, check_name, read_annotated, read_image, read_truth
from cellmetry.learn.importers import IMPORTERS
from cellmetry.learn.importers.naming import file_safe, unique_names
from cellmetry.learn.importers.writing import read_report, report_sentences


def grey(path: Path, shape: tuple[int, int] = (20, 30)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(np.zeros(shape, np.uint8), path)
    return path


def run(importer: str, source: Path, **options: Any) -> DataSet:
    card = options.pop("card", DataSetCard(name="mine"))
    return IMPORTERS.load(importer)(**options)(source, source.parent / "out", card)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return tmp_path / "source"


def test_ids_never_wrap(source: Path) -> None:
    labels = np.arange(300 * 300, dtype=np.uint32).reshape(300, 300)
    grey(source / "images" / "a.png", (300, 300))
    (source / "labels").mkdir()
    tifffile.imwrite(source / "labels" / "a.tif", labels)
    (item,) = run("pairs", source).items
    assert np.array_equal(read_truth(item), labels)


def test_more_than_255_instances_stay_apart(source: Path) -> None:
    grey(source / "one" / "images" / "a.png", (20, 20))
    (source / "one" / "masks").mkdir()
    for number in range(300):
        mask = np.zeros((20, 20), np.uint8)
        mask.ravel()[number] = 255
        write_png(mask, source / "one" / "masks" / f"{number}.png")
    (item,) = run("instance-pngs", source).items
    assert np.array_equal(read_truth(item).ravel()[:300], np.arange(1, 301))
    assert item.name == "one"


def test_overlaps_and_hidden_objects_are_reported(source: Path) -> None:
    grey(source / "train" / "a.png")
    big, small = np.zeros((20, 30), bool), np.zeros((20, 30), bool)
    big[2:12, 2:12], small[4:6, 4:6] = True, True
    codes = [encode_rle(mask, KAGGLE_DSB) for mask in (small, big, small)]
    (source / "t.csv").write_text("ImageId,EncodedPixels\n" + "".join(f"a,{code}\n" for code in codes))
    (item,) = run("rle-csv", source, table="t.csv").items
    assert np.bincount(read_truth(item).ravel()).tolist() == [500, 0, 96, 4]
    report = read_report(source.parent / "out").iloc[0]
    assert (report["objects"], report["overlapped_px"], report["hidden"]) == (2, 4, 1)
    assert len(report_sentences(source.parent / "out")) == 2
    assert "1 objects are wholly hidden" in report_sentences(source.parent / "out")[1]


def test_the_rule_for_overlaps_is_an_option(source: Path) -> None:
    grey(source / "a.png")
    big, small = np.zeros((20, 30), bool), np.zeros((20, 30), bool)
    big[2:12, 2:12], small[4:6, 4:6] = True, True
    codes = [encode_rle(mask, KAGGLE_DSB) for mask in (small, big)]
    (source / "t.csv").write_text("ImageId,EncodedPixels\n" + "".join(f"a,{code}\n" for code in codes))
    (item,) = run("rle-csv", source, table="t.csv", overlap="later").items
    assert np.unique(read_truth(item)).tolist() == [0, 2]


def coco(source: Path, annotations: list[dict[str, Any]], **image: Any) -> None:
    grey(source / "a.png")
    stated = {"id": 1, "file_name": "a.png", "height": 20, "width": 30, **image}
    named = [{"id": 1, "name": "live"}, {"id": 2, "name": "dead"}]
    (source / "c.json").write_text(json.dumps({"images": [stated], "annotations": annotations, "categories": named}))


def square(x: int, y: int, side: int, **more: Any) -> dict[str, Any]:
    ring = [x, y, x + side, y, x + side, y + side, x, y + side]
    return {"id": x, "image_id": 1, "category_id": 1, "segmentation": [ring], **more}


def test_crowds_are_not_annotated_except_where_a_cell_is(source: Path) -> None:
    coco(source, [square(2, 2, 4), square(4, 4, 10, iscrowd=1)])
    (item,) = run("coco", source).items
    annotated = read_annotated(item)
    assert annotated is not None
    assert np.count_nonzero(~annotated) == 100 - 4
    assert np.count_nonzero(read_truth(item)) == 16
    assert read_report(source.parent / "out")["not_annotated_px"].tolist() == [96]


def test_crowds_can_be_objects(source: Path) -> None:
    coco(source, [square(2, 2, 4), square(10, 4, 5, iscrowd=1)])
    (item,) = run("coco", source, crowd="object").items
    assert item.annotated is None
    assert read_truth(item).max() == 2


def test_classes_of_objects_are_kept(source: Path) -> None:
    coco(source, [square(2, 2, 4), square(10, 4, 5, category_id=2)])
    run("coco", source)
    table = read_table(source.parent / "out" / "classes.csv")
    assert table.to_dict("list") == {"name": ["a", "a"], "label": [1, 2], "class": ["live", "dead"]}


def test_a_stated_size_that_is_not_the_images_is_refused(source: Path) -> None:
    coco(source, [square(2, 2, 4)], height=21)
    with pytest.raises(LabelsError, match=r"21 × 30 .*a\.png is 20 × 30"):
        run("coco", source)


def test_two_images_of_one_name_are_told_apart_by_their_folders(source: Path) -> None:
    for folder in ("x", "y"):
        grey(source / folder / "a.png")
    coco(source, [square(2, 2, 4)], file_name="y/a.png")
    (source / "a.png").unlink()
    (item,) = run("coco", source).items
    assert item.image == source / "y" / "a.png"
    coco(source, [square(2, 2, 4)])
    (source / "a.png").unlink()
    with pytest.raises(InputError, match="could be"):
        IMPORTERS.load("coco")()(source, source.parent / "other", DataSetCard(name="mine"))


def test_annotations_of_an_absent_image_are_refused(source: Path) -> None:
    coco(source, [square(2, 2, 4)], file_name="b.png")
    with pytest.raises(MissingInput, match=r"b\.png"):
        run("coco", source)


def test_livecell_and_sartorius_know_wells_types_and_licences(source: Path) -> None:
    name = "A172_Phase_A7_1_00d00h00m_1.tif"
    coco(source, [square(2, 2, 4)], file_name=name)
    (source / "a.png").rename(source / name)
    (source / "c.json").rename(source / "livecell_coco_val.json")
    data_set = run("livecell", source)
    assert (data_set.items[0].group, data_set.items[0].modality) == ("A172_A7", "A172")
    assert data_set.card.non_commercial
    assert data_set.card.licence == "CC-BY-NC-4.0"


def test_sartorius_groups_fields_of_a_well(source: Path) -> None:
    rows = ["id,annotation,width,height,cell_type,sample_id"]
    for image, well in (("aa", "E10-4"), ("bb", "E10-1"), ("cc", "F1-1")):
        grey(source / "train" / f"{image}.png")
        rows.append(f"{image},1 3,30,20,shsy5y,shsy5y[diff]_{well}_Vessel-714_Ph_3")
    (source / "train.csv").write_text("\n".join(rows))
    items = run("sartorius", source).items
    assert [item.group for item in items] == [f"shsy5y[diff]_{well}_Vessel-714" for well in ("E10", "E10", "F1")]
    assert read_truth(items[0])[0].tolist() == [1, 1, 1] + [0] * 27
    assert read_table(source.parent / "out" / "classes.csv")["class"].tolist() == ["shsy5y"] * 3


def test_what_the_user_says_of_the_licence_wins(source: Path) -> None:
    grey(source / "x" / "images" / "a.png")
    grey(source / "x" / "masks" / "a.png")
    card = run("bbbc038", source, card=DataSetCard(name="mine", licence="MIT")).card
    assert (card.licence, card.source, card.non_commercial) == ("MIT", "https://bbbc.broadinstitute.org/BBBC038", False)


def test_vague_areas_of_nuinsseg_are_not_annotated(source: Path) -> None:
    organ = source / "human brain"
    grey(organ / "tissue images" / "h_01.png")
    labels, vague = np.zeros((20, 30), np.uint8), np.zeros((20, 30), np.uint8)
    labels[2:6, 2:6], vague[:, :4] = 9, 255
    for name, plane in (("label masks modify/h_01.tif", labels), ("vague areas/mask binary_vague/h_01.tif", vague)):
        (organ / name).parent.mkdir(parents=True)
        tifffile.imwrite(organ / name, plane)
    (organ / "vague areas/mask binary_vague/h_01.tif").unlink()
    write_png(vague, organ / "vague areas/mask binary_vague/h_01.png")
    (item,) = run("nuinsseg", source).items
    annotated = read_annotated(item)
    assert annotated is not None
    assert np.count_nonzero(~annotated) == 80 - 8
    assert item.group == "human brain"


def boxes(source: Path) -> None:
    grey(source / "images" / "a.png")
    found = [{"bounding_box": {"minimum": {"r": y, "c": 2}, "maximum": {"r": y + 4, "c": 8}}, "category": kind}
             for y, kind in ((1, "red blood cell"), (10, "leukocyte"))]  # fmt: skip
    image = {"pathname": "/images/a.png", "shape": {"r": 20, "c": 30, "channels": 3}}
    (source / "training.json").write_text(json.dumps([{"image": image, "objects": found}]))


def test_boxes_keep_their_class_and_sides(source: Path) -> None:
    boxes(source)
    (item,) = run("bbbc041", source).items
    table = read_table(item.truth)
    assert item.kind == "points"
    assert table["class"].tolist() == ["red blood cell", "leukocyte"]
    assert table[["y0", "x0", "y1", "x1"]].to_numpy().tolist() == [[1, 2, 5, 8], [10, 2, 14, 8]]
    assert read_truth(item).tolist() == [[3, 5], [12, 5]]


def test_classes_of_boxes_can_be_left_out(source: Path) -> None:
    boxes(source)
    (item,) = run("boxes", source, leave_out=("leukocyte",)).items
    assert read_truth(item).tolist() == [[3, 5]]


def test_groups_are_parts_of_the_pattern(source: Path) -> None:
    for name in ("B02_1", "B02_2", "C03_1"):
        grey(source / f"{name}.png")
        grey(source / "seg" / f"{name}_mask.png")
    items = run("pairs", source, image_pattern="{well}_{field}.png", truth_pattern="seg/{well}_{field}_mask.png",
                group_by="well").items  # fmt: skip
    assert [(item.name, item.group) for item in items] == [("B02_1", "B02"), ("B02_2", "B02"), ("C03_1", "C03")]


def test_two_files_for_one_image_are_refused(source: Path) -> None:
    for name in ("x/B02_1.png", "y/B02_1.png", "B02_1_mask.png"):
        grey(source / name)
    with pytest.raises(InputError, match="one image by the pattern"):
        run("pairs", source, image_pattern="{_}/{name}.png", truth_pattern="{name}_mask.png")


def test_unpaired_files_are_refused_or_left_out(source: Path) -> None:
    for name in ("a", "b"):
        grey(source / "images" / f"{name}.png")
    grey(source / "labels" / "a.png")
    with pytest.raises(MissingInput, match=r"1 images have no truth, for example images.b\.png"):
        run("pairs", source)
    assert [item.name for item in run("pairs", source, skip_unpaired=True).items] == ["a"]


def seen(path: Path, columns: int, shape: tuple[int, int] = (20, 30)) -> None:
    """Write a picture that says that only the first columns were annotated."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plane = np.zeros(shape, np.uint8)
    plane[:, :columns] = 255
    write_png(plane, path)


def annotated_px(item: Item) -> int | None:
    region = read_annotated(item)
    return None if region is None else int(region.sum())


def test_folders_say_what_was_annotated(source: Path) -> None:
    for name in ("a", "b", "c"):
        grey(source / "images" / f"{name}.png")
        grey(source / "labels" / f"{name}.png")
    seen(source / "annotated" / "a.png", 10)
    seen(source / "annotated" / "b.png", 30)
    assert [annotated_px(item) for item in run("pairs", source).items] == [200, None, None]
    assert read_report(source.parent / "out")["not_annotated_px"].tolist() == [400, 0, 0]
    seen(source / "annotated" / "d.png", 10)
    with pytest.raises(MissingInput, match=r"1 pictures of what was annotated belong to no image.*d\.png"):
        run("pairs", source)


def test_patterns_say_what_was_annotated(source: Path) -> None:
    for name in ("a", "b"):
        grey(source / f"{name}.png")
        grey(source / f"{name}_mask.png")
    seen(source / "a_seen.png", 10)
    patterns = {
        "image_pattern": "{name}.png",
        "truth_pattern": "{name}_mask.png",
        "annotated_pattern": "{name}_seen.png",
    }
    items = run("pairs", source, **patterns).items
    assert [(item.name, annotated_px(item)) for item in items] == [("a", 200), ("b", None)]


def test_points_are_annotated_where_a_picture_says_so(source: Path) -> None:
    grey(source / "images" / "a.png")
    (source / "points").mkdir()
    (source / "points" / "a.csv").write_text("x,y\n4,3\n")
    seen(source / "annotated" / "a.png", 10)
    (item,) = run("points", source).items
    assert annotated_px(item) == 200


def test_a_picture_of_what_was_annotated_is_never_resized(source: Path) -> None:
    grey(source / "images" / "a.png")
    grey(source / "labels" / "a.png")
    seen(source / "annotated" / "a.png", 10, (20, 31))
    with pytest.raises(LabelsError, match=r"annotated.a\.png is 20 × 31 pixels, but its image .* is 20 × 30"):
        run("pairs", source)


def test_patterns_that_cannot_pair_are_refused(source: Path) -> None:
    grey(source / "a_img.png")
    with pytest.raises(ParameterError, match="together"):
        run("pairs", source, image_pattern="{name}_img.png")
    with pytest.raises(ParameterError, match="different named parts"):
        run("pairs", source, image_pattern="{name}_img.png", truth_pattern="{stem}_masks.png")
    with pytest.raises(ParameterError, match="group_by"):
        run("pairs", source, image_pattern="{name}_img.png", truth_pattern="{name}_m.png", group_by="well")
    with pytest.raises(ParameterError, match="annotated_pattern is given together"):
        run("pairs", source, annotated_pattern="{name}_seen.png")
    with pytest.raises(ParameterError, match="annotated_pattern is given together"):
        run("roi-zips", source, annotated_pattern="{name}_seen.png")


@pytest.mark.parametrize(("truth_is", "objects"), [("colours", 2), ("colour_parts", 3)])
def test_colours_are_objects(source: Path, truth_is: str, objects: int) -> None:
    grey(source / "images" / "a.png")
    colours = np.zeros((20, 30, 3), np.uint8)
    colours[2:6, 2:6] = colours[2:6, 20:24] = (9, 200, 3)
    colours[2:6, 6:10] = (9, 200, 4)
    (source / "labels").mkdir()
    write_png(colours, source / "labels" / "a.png")
    (item,) = run("pairs", source, truth_is=truth_is).items
    assert read_truth(item).max() == objects


class Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"echo run > '{self.marker}'",)


def test_a_hostile_seg_is_not_run_and_nothing_stays(source: Path) -> None:
    grey(source / "a.png")
    content = {"masks": np.ones((20, 30), np.uint16), "filename": Payload(source.parent / "marker")}
    np.save(source / "a_seg.npy", np.array(content, dtype=object), allow_pickle=True)
    with pytest.raises(UnsupportedFormat, match="not run"):
        run("cellpose", source)
    assert [path.name for path in source.parent.iterdir()] == ["source"]


def test_the_corrected_seg_is_preferred_to_the_picture_of_masks(source: Path) -> None:
    grey(source / "a.png")
    np.save(source / "a_seg.npy", np.array({"masks": np.full((20, 30), 7)}, dtype=object), allow_pickle=True)
    write_png(np.full((20, 30), 9, np.uint8), source / "a_cp_masks.png")
    (item,) = run("cellpose", source).items
    assert np.unique(read_truth(item)).tolist() == [7]


def test_a_tile_scan_keeps_channels_values_and_large_ids(source: Path) -> None:
    stack = np.random.default_rng(0).integers(0, 60_000, (3, 4, 20, 30)).astype(np.uint16)
    tifffile.imwrite(source / "scan.tif", stack, imagej=True, metadata={"axes": "TCYX"})
    data_set = run("tile-scan", source, channel="2", truth_channel="1", one_group=True)
    for number, item in enumerate(data_set.items):
        assert np.array_equal(read_truth(item), stack[number, 1])
        assert np.array_equal(read_image(item), stack[number, 2])
        assert item.group == "scan"
    assert [item.name for item in data_set.items] == ["scan_0", "scan_1", "scan_2"]


def test_points_from_imagej_count_from_the_corner(source: Path) -> None:
    grey(source / "images" / "a.png")
    (source / "points").mkdir()
    (source / "points" / "a.csv").write_text("X,Y\n4.5,3.5\n")
    (item,) = run("points", source, corner=True).items
    assert read_truth(item).tolist() == [[3, 4]]


def test_points_outside_of_their_image_are_refused(source: Path) -> None:
    grey(source / "images" / "a.png")
    (source / "points").mkdir()
    (source / "points" / "a.csv").write_text("x,y\n4,25\n")
    with pytest.raises(InputError, match="1 points lie outside"):
        run("points", source)


def test_open_outlines_are_told(source: Path) -> None:
    grey(source / "images" / "a.png")
    line = np.zeros((20, 30), np.uint8)
    line[5, 5:15] = line[15, 5:15] = line[5:16, 5] = 255
    (source / "outlines").mkdir()
    write_png(line, source / "outlines" / "a.png")
    run("outlines", source)
    assert report_sentences(source.parent / "out") == ("a: 1 lines are not closed and gave no object.",)


def test_the_card_states_pixel_sizes_that_all_images_state(source: Path) -> None:
    for name, size in (("a", 0.5), ("b", 0.25)):
        (source / "images").mkdir(exist_ok=True)
        write_image(
            image_from_array(np.zeros((20, 30), np.uint8), "YX", pixel_size_um=size), source / f"images/{name}.tif"
        )
        grey(source / "labels" / f"{name}.png")
    assert run("pairs", source).card.pixel_size_um == (0.25, 0.5)


def test_the_guide_lists_every_importer_and_option() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "guide" / "datasets-formats.md").read_text(encoding="utf-8")
    for name in IMPORTERS.builtin:
        assert f"| `{name}` |" in guide
        missing = [option for option in IMPORTERS.load(name).model_fields if f"`{option}`" not in guide]
        assert not missing, name


def test_stacks_are_refused(source: Path) -> None:
    (source / "images").mkdir()
    tifffile.imwrite(source / "images" / "a.tif", np.zeros((3, 20, 30), np.uint8), imagej=True,
                     metadata={"axes": "ZYX"})  # fmt: skip
    grey(source / "labels" / "a.png")
    with pytest.raises(InputError, match="3 Z planes"):
        run("pairs", source)


def test_the_source_itself_is_never_the_target(source: Path) -> None:
    grey(source / "images" / "a.png")
    grey(source / "labels" / "a.png")
    with pytest.raises(OSError, match="contents"):
        IMPORTERS.load("pairs")()(source, source, DataSetCard(name="mine"))


@given(st.lists(st.text(min_size=1, max_size=12), max_size=12))
def test_names_are_unique_files_whatever_the_paths(paths: list[str]) -> None:
    names = unique_names(paths)
    assert len({name.casefold() for name in names}) == len(names) == len(paths)
    for name in names:
        check_name(name)


def test_names_are_as_short_as_they_can_be() -> None:
    assert unique_names(["x/a", "y/a", "y/b", "A"]) == ["x_a", "y_a", "b", "A"]
    assert unique_names(["a", "A", "a-2"]) == ["a", "A-3", "a-2"]
    assert len(file_safe("é" * 300).encode()) <= 120
    assert file_safe("é" * 300) != file_safe("é" * 301)
    assert file_safe("CON") == "CON_"
