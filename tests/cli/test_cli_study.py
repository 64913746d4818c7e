"""`cellmetry study new` and `cellmetry study design` as a user types them."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.errors import MissingInput, ParameterError
from cellmetry.io.tables import read_table
from cellmetry.report.style import FigureStyle
from cellmetry.study.file import load_study

RUNNER = CliRunner()


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Write files named as in the study of EdU: rows A to C, columns 1 to 6, phase and EdU, masks beside some."""
    folder = tmp_path / "edu"
    folder.mkdir()
    for row, column, channel in product("ABC", range(1, 7), (0, 1)):
        tifffile.imwrite(folder / f"{row}{column:02d}_x0_y0_w{channel}.tif", np.zeros((4, 4), "uint16"))
    tifffile.imwrite(folder / "A01_x0_y0_w0_mask.tif", np.zeros((4, 4), "uint16"))
    return folder


def change(file: Path, **lines: str) -> None:
    """Add lines after the headers of sections of a study's file."""
    text = file.read_text(encoding="utf-8")
    for header, line in lines.items():
        section = f"\n[{header.replace('_', '.')}]\n"
        assert section in text
        text = text.replace(section, f"{section}{line}\n")
    file.write_text(text, encoding="utf-8")


def choose_channel(file: Path, name: str) -> None:
    """Say which of several channels the recipe segments."""
    text = file.read_text(encoding="utf-8")
    assert "\nset = []\n" in text
    file.write_text(text.replace("\nset = []\n", f'\nset = ["segment.channel={name}"]\n'), encoding="utf-8")


def test_from_a_folder_to_a_checked_design(images: Path) -> None:
    out = images.parent
    done = RUNNER.invoke(app, ["study", "new", str(images), "--out", str(out)])
    assert done.exit_code == 0, done.output
    for words in ("36 files make 18 images", "Pattern: {well}_{field}_w{channel}.tif", "not known:", "with 18 rows"):
        assert words in done.output
    folder = out / "edu.cellmetry"
    assert sorted(file.name for file in folder.iterdir()) == ["design.csv", "study.toml"]
    said = load_study(folder).said
    assert FigureStyle(**said.style) == FigureStyle()
    assert len(list(images.iterdir())) == 37

    empty = RUNNER.invoke(app, ["study", "design", str(folder)])
    assert (empty.exit_code, "No image has a condition" in empty.output) == (2, True)

    change(
        folder / "study.toml",
        design='control = "Untreated"',
        design_columns='condition = "column"\nreplicate = "row"',
        design_names='"01" = "Untreated"',
    )
    silent = RUNNER.invoke(app, ["study", "design", str(folder)])
    assert silent.exit_code == 2
    assert "the images have 2 channels (0, 1) and the recipe any does not say which" in silent.output
    choose_channel(folder / "study.toml", "1")
    done = RUNNER.invoke(app, ["study", "design", str(folder / "study.toml")])
    assert done.exit_code == 0, done.output
    assert "replicate A" in done.output
    assert "A, B, C are wells of one plate" in done.output
    table = read_table(folder / "design_images.csv")
    assert table["condition"].tolist() == ["Untreated", "2", "3", "4", "5", "6"] * 3
    assert table["replicate"].tolist() == [row for row in "ABC" for _ in range(6)]

    told = json.loads(RUNNER.invoke(app, ["study", "design", str(folder), "--json"]).output)
    assert (told["study"], told["n_images"], told["n_excluded"], len(told["groups"])) == ("edu", 18, 0, 18)
    assert told["groups"][0] == {
        "condition": "Untreated",
        "replicate": "A",
        "n_wells": 1,
        "n_images": 1,
        "n_excluded": 0,
    }
    assert {finding["kind"] for finding in told["findings"]} == {"pseudoreplication", "edge", "files"}


def test_a_study_is_never_written_over(images: Path) -> None:
    out = images.parent
    arguments = ["study", "new", str(images), "--name", "mine", "--out", str(out)]
    assert RUNNER.invoke(app, arguments).exit_code == 0
    before = (out / "mine.cellmetry" / "study.toml").read_bytes()
    assert isinstance(RUNNER.invoke(app, arguments).exception, ParameterError)
    assert (out / "mine.cellmetry" / "study.toml").read_bytes() == before
    assert isinstance(RUNNER.invoke(app, ["study", "new", str(out / "nowhere")]).exception, MissingInput)
    assert isinstance(RUNNER.invoke(app, ["study", "design", str(images)]).exception, MissingInput)


def test_wells_of_the_bbbc013_plate_are_no_replicates(shared: Path, tmp_path: Path) -> None:
    plate = shared / "data" / "bbbc013"
    assert RUNNER.invoke(app, ["study", "new", str(plate), "--out", str(tmp_path)]).exit_code == 0
    folder = tmp_path / "bbbc013.cellmetry"
    rules = "".join(
        f'[[design.assign]]\ncolumn = "condition"\nlabel = "{drug}"\nwhere = "row"\nvalues = {rows}\n'
        for drug, rows in (("wortmannin", ["A", "B", "C", "D"]), ("LY294002", ["E", "F", "G", "H"]))
    )
    change(folder / "study.toml", design_columns='dose = "SBS_Doses"')
    choose_channel(folder / "study.toml", "2")
    with (folder / "study.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[[design.sheets]]\nfile = '{plate / 'platemap.csv'}'\n{rules}")
    done = RUNNER.invoke(app, ["study", "design", str(folder), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert [(group["condition"], group["n_wells"]) for group in told["groups"]] == [
        ("wortmannin", 48),
        ("LY294002", 48),
    ]
    (finding,) = [each for each in told["findings"] if each["kind"] == "pseudoreplication"]
    for words in ("All 96 wells are of one plate", "technical repeats, no replicates", "no p-values"):
        assert words in finding["text"]
    table = read_table(folder / "design_images.csv")
    assert sorted(table["dose"].unique()) == list(range(11))
    assert len(table) == 96


HEAD = "well,condition,replicate,batch\n"


@pytest.fixture
def ready(images: Path) -> Path:
    """Return a study whose design and plan have no error: two conditions on three days, EdU segmented."""
    folder = images.parent / "edu.cellmetry"
    assert RUNNER.invoke(app, ["study", "new", str(images), "--out", str(images.parent)]).exit_code == 0
    wells = ((row, column) for row, column in product("ABC", range(1, 7)))
    rows = "".join(f"{row}{column},{'ctrl' if column % 2 else 'EGF'},day {row},day {row}\n" for row, column in wells)
    (folder / "design.csv").write_text(HEAD + rows, encoding="utf-8")
    choose_channel(folder / "study.toml", "EdU")
    change(folder / "study.toml", design='control = "ctrl"')
    text = (folder / "study.toml").read_text(encoding="utf-8").replace('1 = "1"', '1 = "EdU"')
    (folder / "study.toml").write_text(text + '\n[[compare]]\nvalue = "area_px"\n', encoding="utf-8")
    return folder


def told(study: Path) -> tuple[int, list[dict]]:
    done = RUNNER.invoke(app, ["study", "design", str(study), "--json"])
    return done.exit_code, json.loads(done.output)["findings"]


def test_a_new_study_says_what_several_channels_need(images: Path) -> None:
    assert RUNNER.invoke(app, ["study", "new", str(images), "--out", str(images.parent)]).exit_code == 0
    file = images.parent / "edu.cellmetry" / "study.toml"
    text = file.read_text(encoding="utf-8")
    head = " ".join(text.partition("\n[study]")[0].replace("\n# ", " ").split())
    assert "`cellmetry recipe list` shows the recipes." in head
    assert "The images have 2 channels" in head
    assert 'set = ["segment.channel=1"]' in head
    example = '# [[compare]]\n# value = "mean_1"\n'
    assert example in text
    file.write_text(text.replace(example, example.replace("# ", "")), encoding="utf-8")
    assert [each.value for each in load_study(file).said.compare] == ["mean_1"]


def test_channels_within_files_are_counted_and_one_needs_no_word(tmp_path: Path) -> None:
    for name, shape in (("two", (2, 8, 8)), ("one", (8, 8))):
        (tmp_path / name).mkdir()
        axes = "CYX" if name == "two" else "YX"
        tifffile.imwrite(tmp_path / name / "a.ome.tif", np.zeros(shape, "uint16"), metadata={"axes": axes})
        assert RUNNER.invoke(app, ["study", "new", str(tmp_path / name), "--out", str(tmp_path)]).exit_code == 0
    said = {
        name: (tmp_path / f"{name}.cellmetry" / "study.toml").read_text(encoding="utf-8") for name in ("one", "two")
    }
    assert "The images have 2 channels" in said["two"]
    assert "segment.channel=0" in said["two"]
    assert "channels, so say which" not in said["one"]
    assert "recipe list" in said["one"]


def test_a_sound_plan_is_left_alone(ready: Path) -> None:
    code, findings = told(ready)
    assert code == 0
    assert {finding["kind"] for finding in findings} <= {"edge", "files"}


PLANS = {
    "recipe": ('recipe = "any"', 'recipe = "eduu"', "recipe", "Did you mean 'edu'"),
    "recipe's file": ('recipe = "any"', 'recipe = "own.toml"', "recipe", "There is no recipe"),
    "parameter": ("segment.channel=EdU", "segment.chanel=EdU", "recipe", "Did you mean 'channel'"),
    "value": ("segment.channel=EdU", "segment.tile_px=big", "recipe", "tile_px"),
    "engine": ("segment.channel=EdU", "segment.engine=clasical", "recipe", "Did you mean 'classical'"),
    "channel": ("segment.channel=EdU", "segment.channel=EdV", "channels", "'EdV'"),
    "channels": ("segment.channel=EdU", "measure.channels=['phase']", "channels", "'phase'"),
    "role": ('1 = "EdU"', '7 = "EdU"', "channels", "'7'"),
    "reference": ("# aligned_to =", 'aligned_to = "dapi"', "channels", "'dapi'"),
    "tables": ('tables = ["conditions"', 'tables = ["condition"', "compare", "tables"),
    "control": ('value = "area_px"', 'value = "area_px"\ncontrol = "vehicle"', "compare", "'vehicle'"),
    "order": ("order = []", 'order = ["ctrl", "EFG"]', "compare", "'EFG'"),
    "figure": ("# figures =", 'figures = ["violn"]', "compare", "Did you mean 'violin'"),
    "style": ("[style]\n", "[style]\nwidth = 3\n", "compare", "width"),
}


@pytest.mark.parametrize(("before", "after", "kind", "words"), PLANS.values(), ids=PLANS)
def test_what_would_stop_a_run_is_told_beforehand(ready: Path, before: str, after: str, kind: str, words: str) -> None:
    file = ready / "study.toml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")
    code, findings = told(ready)
    errors = [finding for finding in findings if finding["severity"] == "error" and finding["kind"] == kind]
    assert code == 2
    assert any(words in finding["text"] for finding in errors), findings
    assert not (ready / "run").exists()


def test_an_image_that_cannot_be_opened_hides_no_channel(ready: Path, images: Path) -> None:
    (images / "A01_x0_y0_w0.tif").write_bytes(b"no image")
    code, findings = told(ready)
    assert (code, [finding["kind"] for finding in findings if finding["severity"] == "error"]) == (0, [])


def test_many_replicates_are_counted_in_the_terminal(ready: Path) -> None:
    wells = product("ABC", range(1, 7))
    rows = [
        f"{row}{column},{'ctrl' if column % 2 else 'EGF'},{column + 6 * 'CAB'.index(row)}\n" for row, column in wells
    ]
    (ready / "design.csv").write_text("well,condition,replicate\n" + "".join(rows), encoding="utf-8")
    done = RUNNER.invoke(app, ["study", "design", str(ready)])
    lines = [line.replace("┃", "│").split("│")[1:-1] for line in done.output.splitlines() if line[:1] in ("┃", "│")]
    assert [[cell.strip() for cell in line] for line in lines] == [
        ["condition", "replicates", "wells", "images", "left out"],
        ["ctrl", "9", "9", "9", "0"],
        ["EGF", "9", "9", "9", "0"],
    ]
    three = [row.rpartition(",")[0] + f",{10 - number % 3}\n" for number, row in enumerate(rows)]
    (ready / "design.csv").write_text("well,condition,replicate\n" + "".join(three), encoding="utf-8")
    output = RUNNER.invoke(app, ["study", "design", str(ready)]).output
    assert output.index("replicate 8") < output.index("replicate 9") < output.index("replicate 10")
