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
