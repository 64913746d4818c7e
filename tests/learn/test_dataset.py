"""Data sets: written and read again, refused where something is missing, read as pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture

from cellmetry.errors import DamagedFile, InputError, LabelsError, MissingInput, ParameterError, UnknownName
from cellmetry.learn.dataset import (
    DataSet,
    DataSetCard,
    Item,
    check_name,
    read_annotated,
    read_data_set,
    read_image,
    read_truth,
    write_data_set,
)
from cellmetry.learn.fields import read_item


def fill(folder: Path, stems: list[str], *, shape: tuple[int, int] = (8, 10)) -> Path:
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    for number, stem in enumerate(stems):
        tifffile.imwrite(folder / "images" / f"{stem}.tif", np.full(shape, 4000 + number, np.uint16))
        tifffile.imwrite(folder / "labels" / f"{stem}.tif", np.eye(*shape, dtype=np.uint16) * 3)
    return folder


def test_a_plain_folder_is_a_data_set_without_licence(tmp_path: Path) -> None:
    found = read_data_set(fill(tmp_path / "mine", ["f10", "f2"]))
    assert found.card.name == "mine"
    assert found.card.licence == "unknown"
    assert [item.name for item in found.items] == ["f2", "f10"]
    image, truth = read_image(found.items[0]), read_truth(found.items[0])
    assert image.dtype == np.float32
    assert image[0, 0] == 4001
    assert truth.dtype == np.int32
    assert truth.max() == 3


def test_a_plain_folder_says_what_was_annotated(tmp_path: Path) -> None:
    folder = fill(tmp_path / "mine", ["a", "b", "c"])
    (folder / "annotated").mkdir()
    for name, side in (("a.png", 5), ("b.png", 0)):
        seen = np.zeros((8, 10), np.uint8)
        seen[:, :side] = 255
        Picture.fromarray(seen).save(folder / "annotated" / name)
    items = read_data_set(folder).items
    regions = [read_annotated(item) for item in items]
    assert [None if region is None else int(region.sum()) for region in regions] == [40, 0, None]
    assert [item.truth.name for item in items] == ["a.tif", "b.tif", "c.tif"]
    Picture.fromarray(np.ones((8, 9), np.uint8)).save(folder / "annotated" / "c.png")
    with pytest.raises(LabelsError, match=r"c\.png is 9 × 8 pixels .*the annotated region must have the size"):
        read_item(read_data_set(folder).items[2])
    Picture.fromarray(np.ones((8, 10), np.uint8)).save(folder / "annotated" / "d.png")
    with pytest.raises(MissingInput, match=r"1 files have no partner.*d\.png"):
        read_data_set(folder)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    plain = read_data_set(fill(tmp_path / "plain", ["007", "1.10"]))
    items = tuple(Item(item.name, item.image, item.truth, group="01", modality="=DIC") for item in plain.items)
    card = DataSetCard(name="set", licence="CC-BY-NC-4.0", non_commercial=True, pixel_size_um=(0.2, 0.5))
    made = DataSet(card, tmp_path / "plain", items)
    write_data_set(made)
    assert read_data_set(tmp_path / "plain") == made
    assert "images/007.tif" in (tmp_path / "plain" / "items.csv").read_text()
    elsewhere = DataSet(card, tmp_path / "other", items)
    write_data_set(elsewhere)
    assert read_data_set(tmp_path / "other").items == items


def test_a_licence_with_nc_forbids_commerce_by_itself(tmp_path: Path) -> None:
    assert DataSetCard(name="set", licence="cc-by-nc-sa-4.0").non_commercial
    assert not DataSetCard(name="set", licence="CC-BY-4.0").non_commercial
    assert DataSetCard(name="set", licence="CC-BY-4.0", non_commercial=True).non_commercial
    plain = read_data_set(fill(tmp_path / "plain", ["a"]))
    write_data_set(plain)
    card = tmp_path / "plain" / "dataset.toml"
    card.write_text('name = "set"\nlicence = "CC-BY-NC-4.0"\n', "utf-8")
    assert read_data_set(tmp_path / "plain").card.non_commercial
    card.write_text('name = "set"\nlicence = "CC-BY-NC-4.0"\nnon_commercial = false\n', "utf-8")
    with pytest.raises(
        ParameterError, match=r"non_commercial: must be true, or left out, because the licence CC-BY-NC"
    ):
        read_data_set(tmp_path / "plain")


def test_a_partner_or_file_that_is_missing_is_named(tmp_path: Path) -> None:
    folder = fill(tmp_path / "mine", ["a", "b"])
    (folder / "labels" / "b.tif").unlink()
    with pytest.raises(MissingInput, match=r"1 files have no partner.*b\.tif"):
        read_data_set(folder)
    with pytest.raises(MissingInput, match="is no data set"):
        read_data_set(tmp_path)
    write_data_set(
        DataSet(DataSetCard(name="x"), tmp_path / "x", (Item("a", tmp_path / "no.tif", tmp_path / "no.tif"),))
    )
    with pytest.raises(MissingInput, match=r"names 2 files that do not exist, for example .*no\.tif"):
        read_data_set(tmp_path / "x")


def test_items_csv_is_checked(tmp_path: Path) -> None:
    folder = fill(tmp_path / "mine", ["a"])
    (folder / "dataset.toml").write_text('name = "mine"\nlicense = "MIT"\n')
    (folder / "items.csv").write_text("image,truth\nimages/a.tif,labels/a.tif\n")
    with pytest.raises(UnknownName, match="Did you mean 'licence'"):
        read_data_set(folder)
    (folder / "dataset.toml").write_text('name = "mine"\n')
    assert read_data_set(folder).items[0].name == "a"
    (folder / "items.csv").write_text("image,truth,modalty\nimages/a.tif,labels/a.tif,x\n")
    with pytest.raises(UnknownName, match="Did you mean 'modality'"):
        read_data_set(folder)
    (folder / "items.csv").write_text("image,truth\nimages/a.tif,\n")
    with pytest.raises(DamagedFile, match="line 2: truth is empty"):
        read_data_set(folder)
    (folder / "dataset.toml").unlink()
    with pytest.raises(MissingInput, match=r"dataset\.toml is missing"):
        read_data_set(folder)


def test_names_are_unique_whatever_the_case(tmp_path: Path) -> None:
    items = tuple(Item(name, tmp_path, tmp_path) for name in ("Cell", "cell"))
    with pytest.raises(InputError, match="more than once"):
        DataSet(DataSetCard(name="x"), tmp_path, items)
    with pytest.raises(UnknownName, match="kind of truth"):
        Item("a", tmp_path, tmp_path, kind="masks")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "a/b", "a\\b", "con", "NUL.tif", ".", "x ", "a:b", "a\0"])
def test_names_that_no_file_can_have_are_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="cannot be a file name"):
        check_name(name)


@given(st.text(st.sampled_from("abcAZ09 _-.()äµ"), min_size=1, max_size=20))
def test_a_name_that_is_accepted_stays_in_its_folder(name: str) -> None:
    try:
        check_name(name)
    except ParameterError:
        return
    assert Path("folder", name).parent == Path("folder")


def test_colour_becomes_grey_and_channels_are_named(tmp_path: Path) -> None:
    rgb = np.zeros((4, 5, 3), np.uint8)
    rgb[..., 1] = 100
    Picture.fromarray(rgb).save(tmp_path / "colour.png")
    assert read_image(Item("a", tmp_path / "colour.png", tmp_path))[0, 0] == pytest.approx(71.54)
    tifffile.imwrite(
        tmp_path / "two.tif",
        np.stack([np.full((4, 5), k, np.uint16) for k in (7, 9)]),
        photometric="minisblack",
        metadata={"axes": "CYX"},
    )
    with pytest.raises(InputError, match="several channels"):
        read_image(Item("a", tmp_path / "two.tif", tmp_path))
    assert read_image(Item("a", tmp_path / "two.tif", tmp_path, channel="1")).max() == 9
    tifffile.imwrite(
        tmp_path / "stack.tif", np.zeros((3, 4, 5), np.uint16), photometric="minisblack", metadata={"axes": "ZYX"}
    )
    with pytest.raises(InputError, match="3 Z planes"):
        read_image(Item("a", tmp_path / "stack.tif", tmp_path))


def test_points_foreground_and_annotated_region(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("x,y,class\n1.5,2,red\n3,0,red\n")
    points = read_truth(Item("a", tmp_path, tmp_path / "points.csv", kind="points"))
    assert points.tolist() == [[2.0, 1.5], [0.0, 3.0]]
    (tmp_path / "bad.csv").write_text("x,y\n1,\n")
    with pytest.raises(DamagedFile, match="missing in some line"):
        read_truth(Item("a", tmp_path, tmp_path / "bad.csv", kind="points"))
    (tmp_path / "none.csv").write_text("a,y\n1,2\n")
    with pytest.raises(DamagedFile, match="no column 'x'"):
        read_truth(Item("a", tmp_path, tmp_path / "none.csv", kind="points"))
    Picture.fromarray(np.array([[0, 255], [7, 0]], np.uint8)).save(tmp_path / "mask.png")
    item = Item("a", tmp_path, tmp_path / "mask.png", kind="foreground", annotated=tmp_path / "mask.png")
    assert read_truth(item).tolist() == [[False, True], [True, False]]
    region = read_annotated(item)
    assert region is not None
    assert region.sum() == 2
    tifffile.imwrite(tmp_path / "big.tif", np.full((2, 2), 2**31, np.uint32))
    with pytest.raises(LabelsError, match="renumber"):
        read_truth(Item("a", tmp_path, tmp_path / "big.tif"))
