"""Pictures of a finished run: example fields at equal contrast, single cells; and the run opened again."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image as Picture

from cellmetry.core.labels import labels_from_array
from cellmetry.errors import DamagedFile, InputError, MissingInput, ParameterError, PixelSizeNeeded, UnknownName
from cellmetry.io.labels import write_labels
from cellmetry.io.tables import read_table
from cellmetry.pipeline import cell_pictures as module
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.cell_pictures import cell_pictures
from cellmetry.pipeline.example_pictures import choose_examples, example_pictures
from cellmetry.pipeline.finished_run import open_run
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.recipe import parse_recipe
from cellmetry.report.cell_tiles import CellPictureOptions
from cellmetry.report.examples import ExampleOptions

WELLS = {"A01": 1.0, "A02": 2.0, "A03": 4.0}
"""Brightness of the square cell of each well."""
YELLOW = np.array([240, 228, 66])


def labels() -> np.ndarray:
    plane = np.zeros((100, 120), np.uint16)
    plane[10:30, 20:40] = 1
    plane[60:90, 0:15] = 2
    return plane


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run over three wells of two channels, whose labels are given."""
    root = tmp_path_factory.mktemp("plate")
    (root / "images" / "day").mkdir(parents=True)
    (root / "labels").mkdir(parents=True)
    for well, light in WELLS.items():
        base = np.full((100, 120), 100, np.uint16)
        tifffile.imwrite(root / "images" / "day" / f"{well}_w1.tif", base + np.uint16(1000 * light) * (labels() == 1))
        tifffile.imwrite(root / "images" / "day" / f"{well}_w2.tif", base + np.uint16(50) * (labels() == 2))
        write_labels(labels_from_array(labels()), root / "labels" / f"{well}_labels.tif")
    steps = [
        {"step": "segment", "engine": "labels", "options": {"folder": str(root / "labels")}},
        {"step": "measure", "features": ["size", "position", "intensity"]},
    ]
    reading = Reading(pattern="{well}_w{channel}.tif", roles={"1": "EdU", "2": "DNA"})
    run(parse_recipe({"steps": steps}), [root / "images"], root / "run", reading=reading)
    return root / "run"


def picture(png: bytes) -> np.ndarray:
    return np.asarray(Picture.open(BytesIO(png)).convert("RGB"))


def test_a_finished_run_opens_its_images_and_labels_again(folder: Path) -> None:
    again = open_run(folder)
    image = again.open_image("day/A02")
    assert image.channel_names == ("EdU", "DNA")
    assert image.plane(c=0).max() == 2100
    assert np.array_equal(again.open_labels("day/A02").read(), labels())
    with pytest.raises(UnknownName, match="A09"):
        again.open_image("day/A09")
    with pytest.raises(UnknownName, match="nuclei"):
        again.open_labels("day/A02", "nuclei")


def test_what_changed_since_the_run_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match=r"run\.json"):
        open_run(tmp_path)
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    old = tmp_path / "old"
    old.mkdir()
    (old / "run.json").write_text(json.dumps({**record, "reading": None}), encoding="utf-8")
    with pytest.raises(DamagedFile, match="how its images were opened"):
        open_run(old)
    record["images"][0]["shape"] = [2, 7, 7]
    record["images"][1]["path"] = str(tmp_path / "gone.tif")
    (old / "run.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(InputError, match="run it again"):
        open_run(old).open_image("day/A01")
    with pytest.raises(MissingInput, match="gone"):
        open_run(old).open_image("day/A02")


def test_the_field_in_the_middle_stands_for_its_condition() -> None:
    images = pd.DataFrame(
        {
            "image": ["a", "b", "c", "d", "e", "f"],
            "condition": ["y", "y", "y", "x", "x", "z"],
            "value": [1.0, 9.0, 2.0, np.nan, 5.0, np.nan],
        }
    )
    chosen = choose_examples(images)
    assert chosen[["condition", "image", "of"]].to_numpy().tolist() == [["y", "c", 3], ["x", "e", 1]]
    with pytest.raises(ParameterError, match="finite"):
        choose_examples(images[5:])
    with pytest.raises(ParameterError, match="value"):
        choose_examples(images.drop(columns="value"))


def test_examples_have_one_contrast_and_say_which(folder: Path) -> None:
    images = pd.DataFrame({"image": [f"day/{well}" for well in WELLS], "condition": list("abc"), "value": [1, 2, 3]})
    options = ExampleOptions(high_percentile=100, low_percentile=0, labels=None)
    made = example_pictures(folder, images, options)
    assert [each.condition for each in made] == ["a", "b", "c"]
    light = [picture(each.png)[28, 30].tolist() for each in made]
    assert light == [[round(255 * share)] * 3 for share in (1 / 4, 2 / 4, 1.0)]
    assert all("EdU 100 to 4,100; DNA 100 to 150" in each.caption for each in made)
    assert all(picture(each.png).shape == (100, 2 * 120 + 6, 3) for each in made)
    assert "20 px; the size of a pixel is not known" in made[0].caption
    assert "its only field" in made[0].caption


def test_examples_show_outlines_only_of_labels_that_are_wanted(folder: Path) -> None:
    images = pd.DataFrame({"image": ["day/A01"], "condition": ["a"], "value": [1.0]})
    with_lines, without = (
        picture(example_pictures(folder, images, ExampleOptions(labels=name))[0].png) for name in ("cells", None)
    )
    assert (with_lines[28, 20] == YELLOW).all()
    assert not (without == YELLOW).all(axis=-1).any()
    assert np.array_equal(with_lines[27, 30], without[27, 30])
    (one,) = example_pictures(folder, images, ExampleOptions(channels=("DNA",)))
    assert picture(one.png).shape == (100, 120, 3)
    with pytest.raises(UnknownName):
        example_pictures(folder, images, ExampleOptions(channels=("GFP",)))


def test_each_cell_gets_a_picture_with_its_outline_at_equal_contrast(folder: Path) -> None:
    cells = read_table(folder / "tables" / "cells.csv")
    options = CellPictureOptions(side_px=40, picture_px=40, low_percentile=0, high_percentile=100)
    made = cell_pictures(folder, cells, options)
    assert set(made) == {f"day/{well}|{label}" for well in WELLS for label in (1, 2)}
    for well, light in WELLS.items():
        shown = picture(made[f"day/{well}|1"])
        assert shown.shape == (40, 82, 3)
        assert abs(int(shown[20, 20, 0]) - 255 * light / 4) < 255 / 14
        assert (shown[10, 10] == YELLOW).all()
        assert np.array_equal((shown[:, :40] == YELLOW).all(axis=-1).sum(axis=0)[10:30], [20, *[2] * 18, 20])
    assert max(map(len, made.values())) < 1000


def test_a_cell_at_the_border_is_black_beyond_the_image(folder: Path) -> None:
    cells = read_table(folder / "tables" / "cells.csv")
    made = cell_pictures(folder, cells, CellPictureOptions(side_px=80, picture_px=40))
    assert not picture(made["day/A01|2"])[:, :15].any()
    larger = cell_pictures(folder, cells, CellPictureOptions(side_px=20, picture_px=64))
    assert picture(larger["day/A01|1"]).shape == (64, 130, 3)


def test_each_image_is_opened_once_and_only_windows_are_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, read = [], []
    run_type = type(open_run(folder))
    image_type = type(open_run(folder).open_image("day/A01"))
    open_image, plane = run_type.open_image, image_type.plane

    def counted_open(self, name):
        opened.append(name)
        return open_image(self, name)

    def counted_plane(self, **where):
        read.extend([where["box"]] if "box" in where else [])
        return plane(self, **where)

    monkeypatch.setattr(run_type, "open_image", counted_open)
    monkeypatch.setattr(image_type, "plane", counted_plane)
    cells = read_table(folder / "tables" / "cells.csv").sample(frac=1, random_state=1)
    module.cell_pictures(folder, cells, CellPictureOptions(side_px=20))
    assert sorted(opened) == [f"day/{well}" for well in WELLS]
    assert len(read) == 2 * len(cells)
    assert max(box.shape for box in read) == (20, 20)


def test_cells_that_cannot_be_shown_are_refused(folder: Path) -> None:
    cells = read_table(folder / "tables" / "cells.csv")
    with pytest.raises(ParameterError, match="twice"):
        cell_pictures(folder, pd.concat([cells, cells]))
    with pytest.raises(ParameterError, match="centroid"):
        cell_pictures(folder, cells.drop(columns="centroid_y_px"))
    with pytest.raises(PixelSizeNeeded):
        cell_pictures(folder, cells, CellPictureOptions(side_um=20))
    assert cell_pictures(folder, cells[:0]) == {}
