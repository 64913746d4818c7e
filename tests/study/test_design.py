"""What is known of images: names, headers, sheets, rules, exclusions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from cellmetry.errors import MissingInput, ParameterError, UnknownName
from cellmetry.io.tables import read_table
from cellmetry.study.design.design import DESIGN_COLUMNS
from cellmetry.study.design.metadata import design_of, design_table, summarise_design, write_design
from cellmetry.study.file import DesignSection, Exclusion, ImagesSection, Rule, Sheet, Study, StudyFile
from cellmetry.study.images import study_images
from cellmetry.study.making import new_study
from cellmetry.study.sheets import empty_sheet, with_wells


def plate(rows: str = "AB", columns: int = 3) -> pd.DataFrame:
    wells = [f"{row}{column}" for row in rows for column in range(1, columns + 1)]
    return pd.DataFrame({"image": [f"{well}_x" for well in wells], "well": wells}).astype(object)


def sheet(folder: Path, text: str, name: str = "design.csv") -> DesignSection:
    (folder / name).write_text(text, encoding="utf-8")
    return DesignSection(sheets=(Sheet(file=name),))


def test_wells_rows_and_columns_are_made_of_each_other() -> None:
    made = with_wells(plate("A", 2))
    assert made[["well", "row", "column"]].to_numpy().tolist() == [["A01", "A", "1"], ["A02", "A", "2"]]
    parts = pd.DataFrame({"row": ["A", "02", "b"], "column": ["01", "12", None]}, dtype=object)
    assert with_wells(parts)["well"].fillna("none").tolist() == ["A01", "B12", "none"]
    odd = with_wells(pd.DataFrame({"well": ["dish 1", "A - 1"]}, dtype=object))
    assert odd["well"].tolist() == ["dish 1", "A01"]
    assert odd["row"].fillna("none").tolist() == ["none", "A"]


def test_a_sheet_of_wells_in_other_words(tmp_path: Path) -> None:
    said = sheet(tmp_path, "Well;Condition;dose;REPLICATE;notes\nA01;ctrl;0;1;\na2;x;1.5;01;\nA - 3;1.10;;1;odd\n")
    made = design_table(plate("A"), said, tmp_path)
    assert made["well"].tolist() == ["A01", "A02", "A03"]
    assert made["condition"].tolist() == ["ctrl", "x", "1.10"]
    assert made["replicate"].tolist() == ["1", "01", "1"]
    np.testing.assert_array_equal(made["dose"], [0, 1.5, np.nan])
    assert list(made.columns) == [
        *("image", "well", "row", "column", "condition", "dose", "replicate", "excluded", "reason"),
        "notes",
    ]
    assert not made["excluded"].any()
    described = {column.name: column for column in made.attrs["columns"]}
    assert list(described) == list(made.columns)
    assert described["dose"] == next(column for column in DESIGN_COLUMNS if column.name == "dose")


def test_columns_of_other_names_and_sheets_after_one_another(tmp_path: Path) -> None:
    (tmp_path / "map.csv").write_text("Position,drug\nA1,x\nA2,1.10\nA3,x\n")
    (tmp_path / "drugs.csv").write_text("drug,um\nx,1\n1.10,2\n")
    said = DesignSection(
        columns={"condition": "drug", "dose": "um"},
        sheets=(Sheet(file="map.csv", join={"Position": "well"}), Sheet(file="drugs.csv")),
        names={"x": "Drug X"},
    )
    made = design_table(plate("A"), said, tmp_path)
    assert made["condition"].tolist() == ["Drug X", "1.10", "Drug X"]
    assert made["dose"].tolist() == [1, 2, 1]
    assert made["drug"].tolist() == ["x", "1.10", "x"]


def test_a_sheet_of_replicates_is_joined_by_what_the_study_calls_one(tmp_path: Path) -> None:
    said = sheet(tmp_path, "replicate,batch\nA,monday\nB,tuesday\n").model_copy(
        update={"columns": {"replicate": "row"}}
    )
    assert design_table(plate("AB", 1), said, tmp_path)["batch"].tolist() == ["monday", "tuesday"]


def test_rules_before_and_after_sheets(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("drug,level\nx,1\ny,2\n")
    said = DesignSection(
        sheets=(Sheet(file="a.csv"),),
        assign=(
            Rule(column="drug", label="x", where="well", values=("a01", "A2")),
            Rule(column="drug", label="y", where="column", values=("03",)),
            Rule(column="condition", label="low", where="level", values=("1",)),
        ),
    )
    made = design_table(plate("A"), said, tmp_path)
    assert made["drug"].tolist() == ["x", "x", "y"]
    assert made["condition"].fillna("none").tolist() == ["low", "low", "none"]


def test_names_of_columns_with_and_without_zeros(tmp_path: Path) -> None:
    said = DesignSection(columns={"condition": "column"}, names={"01": "Untreated", "2": "EGF"})
    assert design_table(plate("A"), said, tmp_path)["condition"].tolist() == ["Untreated", "EGF", "3"]


def test_images_left_out_by_sheet_and_rule(tmp_path: Path) -> None:
    said = sheet(tmp_path, "well,excluded,reason\nA1,yes,dust\nA2,,\nA3,no,\n")
    said = said.model_copy(update={"exclude": (Exclusion(where="well", values=("A1", "A02"), reason="edge"),)})
    made = design_table(plate("A"), said, tmp_path)
    assert made["excluded"].tolist() == [True, True, False]
    assert made["reason"].tolist() == ["dust", "edge", ""]


WRONG = {
    "well not in sheet": ("well,condition\nA1,x\nA2,y\n", {}, ParameterError, r"design.csv: the sheet does not have"),
    "one well for another": (
        "well,condition\nA1,x\nB99,y\nA3,x\n",
        {},
        ParameterError,
        r"does not have well A02, of which there are images; it has well B99, of which there are none",
    ),
    "replicate twice": (
        "well,condition,Replicate\nA1,x,1\nA2,y,1\nA3,x,2\n",
        {"columns": {"replicate": "row"}},
        ParameterError,
        r"replicate is given twice: by design.columns \(replicate = 'row'\) in study.toml, and by the column Replicate",
    ),
    "condition twice": (
        "well,condition\nA1,x\nA2,y\nA3,x\n",
        {"assign": (Rule(column="condition", label="a", where="row", values=("A",)),)},
        ParameterError,
        r"condition is given twice: by design.assign in study.toml, and by the column condition of .*design.csv",
    ),
    "well twice": ("well,condition\nA1,x\na01,y\nA2,x\nA3,x\n", {}, ParameterError, "A01 twice"),
    "nothing in common": ("x,condition\n1,x\n", {}, ParameterError, "no column in common with the images"),
    "a word for excluded": ("well,excluded\nA1,maybe\nA2,\nA3,\n", {}, ParameterError, "says 'maybe'"),
    "rule": (
        "well,condition\nA1,x\nA2,y\nA3,\n",
        {"exclude": (Exclusion(where="well", values=("B7",)),)},
        ParameterError,
        "No image has well = B7",
    ),
    "column": ("well,drug\nA1,x\nA2,y\nA3,\n", {"columns": {"condition": "drg"}}, UnknownName, "Did you mean 'drug'"),
    "where": (
        "well,drug\nA1,x\nA2,y\nA3,\n",
        {"assign": (Rule(column="condition", label="a", where="drg", values=("x",)),)},
        UnknownName,
        "Did you mean 'drug'",
    ),
}


@pytest.mark.parametrize(("text", "more", "kind", "words"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_said(tmp_path: Path, text: str, more: dict, kind: type, words: str) -> None:
    said = sheet(tmp_path, text).model_copy(update=more)
    with pytest.raises(kind, match=words):
        design_table(plate("A"), said, tmp_path)


def test_rows_of_a_sheet_without_an_image_are_said(folder: Path) -> None:
    study = new_study(folder, folder.parent).study
    wells = "".join(f"{row}{column},ctrl,1,,\n" for row in "ABC" for column in (1, 2))
    head = "well,condition,replicate,excluded,reason\n"
    file = study.folder / "design.csv"
    file.write_text(f"{head}{wells}H01,ctrl,1,,\nB7,EGF,1,,\nB8,,,,\nB9,EGF,1,yes,lost\n", encoding="utf-8")
    idle = [finding for finding in design_of(study).findings if "of which there is no image" in finding.text]
    assert [(finding.severity, finding.kind) for finding in idle] == [("warning", "missing")]
    assert "The sheet design.csv has H01, B07, of which" in idle[0].text
    file.write_text(f"{head}{wells}", encoding="utf-8")
    assert not [finding for finding in design_of(study).findings if "of which there is no" in finding.text]


def test_an_empty_sheet_changes_nothing(tmp_path: Path) -> None:
    images = with_wells(plate())
    empty = empty_sheet(images)
    assert list(empty.columns) == ["well", "condition", "dose", "replicate", "batch", "excluded", "reason"]
    empty.to_csv(tmp_path / "design.csv", index=False)
    made = design_table(plate(), DesignSection(sheets=(Sheet(file="design.csv"),)), tmp_path)
    assert list(made.columns) == ["image", "well", "row", "column", "excluded", "reason"]


def test_the_summary_counts_wells_images_and_what_is_left_out() -> None:
    images = pd.DataFrame(
        {
            "image": list("abcdef"),
            "well": ["A01", "A01", "A02", "A03", "A03", "A04"],
            "condition": ["x", "x", "x", "y", "y", None],
            "replicate": ["1", "1", "1", "1", "1", "1"],
            "excluded": [False, False, False, True, False, False],
        }
    )
    made = summarise_design(images)
    assert made.to_numpy().tolist() == [["x", "1", 2, 3, 0], ["y", "1", 1, 1, 1], ["", "1", 1, 1, 0]]
    bare = summarise_design(images.drop(columns=["well", "replicate"]))
    assert bare["n_wells"].isna().all()
    assert bare["n_images"].tolist() == [3, 1, 1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write images as a plate reader names them, 3 rows × 2 columns × 2 channels; return their folder."""
    for row in "ABC":
        for column in (1, 2):
            for channel in (0, 1):
                name = f"{row}{column:02d}_x0_y0_w{channel}.tif"
                (tmp_path / "im").mkdir(exist_ok=True)
                tifffile.imwrite(
                    tmp_path / "im" / name,
                    np.zeros((4, 4), "uint16"),
                    resolution=(2e4, 2e4),
                    resolutionunit="CENTIMETER",
                )
    return tmp_path / "im"


def test_a_new_study_and_its_design(folder: Path) -> None:
    made = new_study(folder, folder.parent, "edu")
    assert made.study.folder == folder.parent / "edu.cellmetry"
    assert made.study.said.images.folder == "../im"
    assert made.study.said.images.roles == {"0": "0", "1": "1"}
    sheet = made.study.folder / "design.csv"
    filled = read_table(sheet).assign(condition=["a", "b"] * 3, replicate=[1, 1, 2, 2, 3, 3], batch=list("xxyyzz"))
    filled.to_csv(sheet, index=False)
    design = design_of(made.study)
    assert design.images["image"].tolist() == [f"{row}0{column}_x0_y0" for row in "ABC" for column in (1, 2)]
    assert design.images["field"].unique().tolist() == ["x0_y0"]
    assert {finding.kind for finding in design.findings} <= {"control", "edge"}
    back = read_table(write_design(made.study, design))
    assert back["replicate"].tolist() == [1, 1, 2, 2, 3, 3]
    assert [column.name for column in back.attrs["columns"]] == list(design.images.columns)
    with pytest.raises(ParameterError, match="never written over"):
        new_study(folder, folder.parent, "edu")
    with pytest.raises(ParameterError, match="without slashes"):
        new_study(folder, folder.parent, "a/b")


def test_a_study_elsewhere_has_the_whole_path_and_images_are_not_found_in_it(folder: Path, tmp_path: Path) -> None:
    away = new_study(folder, tmp_path / "deep" / "er")
    assert away.study.said.images.folder == folder.resolve().as_posix()
    inside = new_study(folder, folder)
    assert inside.study.said.images.folder == ".."
    tifffile.imwrite(inside.study.folder / "A09_x0_y0_w0.tif", np.zeros((4, 4), "uint16"))
    assert len(study_images(inside.study).table) == 6


def test_headers_say_pixel_size_and_what_cannot_be_opened(folder: Path) -> None:
    (folder / "B01_x0_y0_w0.tif").write_bytes(b"no image")
    images = ImagesSection(folder=str(folder), pattern="{well}_{field}_w{channel}.tif")
    found = study_images(Study(folder / "study.toml", StudyFile(images=images)))
    assert found.headers["readable"].tolist() == [True, True, False, True, True, True]
    assert found.headers["pixel_size_um"].iloc[0] == pytest.approx(0.5)
    bare = study_images(Study(folder / "study.toml", StudyFile(images=images.model_copy(update={"headers": False}))))
    assert bare.headers.empty


def test_patterns_that_make_no_design(folder: Path) -> None:
    for pattern, kind, words in (
        ("{image}_w{channel}.tif", ParameterError, "names a part 'image'"),
        ("{well}.png", MissingInput, "None of the 12 files fits"),
    ):
        images = ImagesSection(folder=str(folder), pattern=pattern)
        with pytest.raises(kind, match=words):
            study_images(Study(folder / "study.toml", StudyFile(images=images)))
    with pytest.raises(MissingInput, match=r"correct images\.folder"):
        study_images(Study(folder / "study.toml", StudyFile(images=ImagesSection(folder="nowhere"))))


def test_plates_of_ome_files_need_no_pattern(tmp_path: Path) -> None:
    plate = (
        '<Plate ID="Plate:0" Name="P1"><Well ID="Well:0" Row="2" Column="3"><WellSample ID="WellSample:0" Index="0">'
        '<ImageRef ID="Image:0"/></WellSample></Well></Plate>'
    )
    (tmp_path / "im").mkdir()
    tifffile.imwrite(tmp_path / "im" / "a.ome.tif", np.zeros((4, 4), "uint16"), metadata={"axes": "YX"})
    text = tifffile.tiffcomment(tmp_path / "im" / "a.ome.tif")
    tifffile.tiffcomment(tmp_path / "im" / "a.ome.tif", text.replace("<Image ", f"{plate}<Image ", 1))
    made = new_study(tmp_path / "im", tmp_path)
    assert made.study.said.images.pattern is None
    row = design_of(made.study).images.iloc[0]
    assert (row["image"], row["plate"], row["well"], row["field"], row["column"]) == ("a", "P1", "C04", "1", 4)
    assert "P1,C04" in (made.study.folder / "design.csv").read_text()
