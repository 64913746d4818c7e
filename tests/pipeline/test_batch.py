"""Runs: outputs, one bad image among good ones, resuming, any number of workers, scenes, patterns, mirrors."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import tifffile

import cellmetry as cm
from cellmetry.core.progress import SILENT, Progress, SilentProgress
from cellmetry.core.sample import Sample
from cellmetry.core.step import Step
from cellmetry.errors import (
    Cancelled,
    InputError,
    MissingInput,
    OutputError,
    ParameterError,
    PixelSizeNeeded,
    UnknownName,
)
from cellmetry.io.tables import read_columns
from cellmetry.models.store import find_model
from cellmetry.ops.synthetic import make_cells
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.recipe import Recipe, load_recipe, parse_recipe
from cellmetry.pipeline.work import Layout

RECIPE = load_recipe("nuclei", ['measure.features=["size", "intensity"]'])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with three good images, one of them in a sub-folder, and a broken one."""
    images = tmp_path / "images"
    (images / "day 2").mkdir(parents=True)
    for seed, name in enumerate(("a.tif", "b.tif", "day 2/a.tif")):
        tifffile.imwrite(images / name, make_cells((200, 240), 8, seed=seed).image[1])
    (images / "c.tif").write_text("no image at all")
    return images


def test_a_run_writes_what_it_promises(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(RECIPE, [folder], out)
    assert [each.status for each in result.outcomes] == ["done", "done", "failed", "done"]
    for name in ("a", "b", "day 2/a"):
        labels = cm.read_labels(out / "labels" / f"{name}_labels.tif")
        assert (out / "overlays" / f"{name}_overlay.png").stat().st_size > 1000
        cells = cm.read_table(out / "tables" / "cells.csv")
        assert (cells["image"] == name).sum() == labels.ids().size > 0
    images = cm.read_table(out / "tables" / "images.csv")
    bad = images[images["image"] == "c"].iloc[0]
    assert bad["status"] == "failed"
    assert "c.tif" in bad["reason"]
    pd.testing.assert_frame_equal(
        cm.read_table(out / "tables" / "cells.parquet"), cm.read_table(out / "tables" / "cells.csv"), check_dtype=False
    )
    described = {column.name for column in read_columns(out / "tables" / "cells.parquet")}
    assert described == set(cells.columns)
    assert load_recipe(out / "recipe.toml").hash == RECIPE.hash
    assert "a_overlay.png" in (out / "index.html").read_text(encoding="utf-8")


def test_the_record_tells_how(folder: Path, tmp_path: Path) -> None:
    result = run(RECIPE, [folder / "a.tif"], tmp_path / "out")
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert record["recipe"]["sha256"] == RECIPE.hash
    assert record["engines"][0]["engine"] == "cellmetry"
    assert record["engines"][0]["model"]["sha256"] == find_model("base").card.sha256
    assert {"cellmetry", "python", "numpy", "scikit-image"} <= set(record["versions"])
    [image] = record["images"]
    labels = cm.read_labels(tmp_path / "out" / "labels" / "a_labels.tif")
    assert image["labels_sha256"]["cells"] == cm.labels_hash(labels) == result.outcomes[0].labels_sha256["cells"]
    assert len(image["sha256"]) == 64
    assert record["started"] < record["ended"]


def test_python_and_the_run_give_the_same_labels(folder: Path, tmp_path: Path) -> None:
    result = run(RECIPE, [folder / "a.tif"], tmp_path / "out")
    step = RECIPE.steps[0]
    labels = cm.segment(cm.open_image(folder / "a.tif"), **step.model_dump(exclude_none=True))
    assert cm.labels_hash(labels) == result.outcomes[0].labels_sha256["cells"]


def test_workers_change_nothing(folder: Path, tmp_path: Path) -> None:
    one = run(RECIPE, [folder], tmp_path / "one", workers=1)
    two = run(RECIPE, [folder], tmp_path / "two", workers=2)
    assert [each.labels_sha256 for each in one.outcomes] == [each.labels_sha256 for each in two.outcomes]
    assert (tmp_path / "one/tables/cells.csv").read_bytes() == (tmp_path / "two/tables/cells.csv").read_bytes()


def test_a_second_run_does_only_what_is_missing_or_changed(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(RECIPE, [folder], out)
    first = (out / "tables" / "cells.csv").read_bytes()
    (out / "labels" / "b_labels.tif").unlink()
    again = run(RECIPE, [folder], out)
    assert again.reused == 2
    assert (out / "labels" / "b_labels.tif").exists()
    assert (out / "tables" / "cells.csv").read_bytes() == first
    tifffile.imwrite(folder / "a.tif", make_cells((200, 240), 6, seed=9).image[1])
    assert run(RECIPE, [folder], out).reused == 2
    assert run(load_recipe("nuclei", ["segment.diameter_px=30"]), [folder], out).reused == 0


def test_outputs_are_never_inputs(folder: Path) -> None:
    """Results beside the images, in the folder that is searched."""
    (folder / "c.tif").unlink()
    first = run(RECIPE, [folder], folder / "results")
    again = run(RECIPE, [folder], folder / "results")
    assert len(first.outcomes) == len(again.outcomes) == again.reused == 3


def test_originals_are_not_touched(folder: Path, tmp_path: Path) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.tif")}
    run(RECIPE, [folder], tmp_path / "out")
    assert {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()
    } == before


def test_nothing_is_written_when_nothing_can_be_done(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError, match="c.tif"):
        run(RECIPE, [folder / "c.tif"], out)
    with pytest.raises(MissingInput):
        run(RECIPE, [folder / "none*.tif"], out)
    with pytest.raises(UnknownName):
        run(load_recipe("nuclei", ["segment.engine=cellpos"]), [folder], out)
    assert not out.exists()


def test_a_um_parameter_without_pixel_size_says_what_to_give(folder: Path, tmp_path: Path) -> None:
    recipe = load_recipe("nuclei", ["segment.diameter_um=10"])
    with pytest.raises(InputError, match="--pixel-size"):
        run(recipe, [folder / "a.tif"], tmp_path / "out")
    reading = Reading(pixel_size_um=0.5)
    run(recipe, [folder / "a.tif"], tmp_path / "out", reading=reading)
    table = cm.read_table(tmp_path / "out" / "tables" / "cells.csv")
    np.testing.assert_allclose(table["area_um2"], table["area_px"] * 0.25)
    assert issubclass(PixelSizeNeeded, InputError)


def test_case_57_images_without_objects_have_no_rows(tmp_path: Path) -> None:
    np.save(tmp_path / "empty.npy", np.zeros((50, 60), np.uint16))
    result = run(load_recipe("nuclei"), [tmp_path / "empty.npy"], tmp_path / "out")
    assert result.outcomes[0].n_objects == {"cells": 0}
    table = cm.read_table(tmp_path / "out" / "tables" / "cells.csv")
    assert len(table) == 0
    assert "area_px" in table.columns


def test_files_become_images_by_a_pattern(tmp_path: Path) -> None:
    field = make_cells((200, 240), 8, seed=2)
    for well in ("A01", "B02"):
        for channel in (1, 2):
            tifffile.imwrite(tmp_path / f"{well}_w{channel}.tif", field.image[channel - 1])
    reading = Reading(pattern="{well}_w{channel}.tif", roles={"1": "DNA", "2": "GFP"})
    recipe = load_recipe("nuclei", ["segment.channel=GFP"])
    run(recipe, [tmp_path], tmp_path / "out", reading=reading)
    table = cm.read_table(tmp_path / "out" / "tables" / "cells.csv")
    assert set(table["well"]) == {"A01", "B02"}
    assert {"mean_DNA", "mean_GFP"} <= set(table.columns)


def test_a_step_nobody_foresaw_failing_is_a_row(folder: Path, tmp_path: Path) -> None:
    class Faulty(Step):
        name: ClassVar[str] = "faulty"

        def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
            if sample.image.name == "b":
                raise ZeroDivisionError("by zero")
            return sample

    recipe = Recipe("faulty", (*RECIPE.steps, Faulty()))
    result = run(recipe, [folder / "a.tif", folder / "b.tif"], tmp_path / "out")
    assert [each.status for each in result.outcomes] == ["done", "failed"]
    assert "unforeseen ZeroDivisionError" in result.failed[0].reason
    assert "in __call__" in result.failed[0].traceback


def test_an_image_that_kills_its_worker_is_a_row_and_the_others_are_done(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = str(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", here)
    monkeypatch.syspath_prepend(here)
    import killing_step

    recipe = Recipe("kills", (*RECIPE.steps, killing_step.KillsItsProcess()))
    result = run(recipe, [folder / "a.tif", folder / "b.tif", folder / "day 2"], tmp_path / "out", workers=2)
    assert len(result.outcomes) == 3
    assert [each.image for each in result.failed] == ["b"]
    assert "ended its worker process" in result.failed[0].reason


def test_scenes_are_images_of_their_own(tmp_path: Path) -> None:
    fields = [make_cells((200, 240), 8, seed=seed).image[1] for seed in range(2)]
    with tifffile.TiffWriter(tmp_path / "two.ome.tif", ome=True) as file:
        for field in fields:
            file.write(field, metadata={"axes": "YX"})
    result = run(RECIPE, [tmp_path / "two.ome.tif"], tmp_path / "out")
    assert [each.image for each in result.outcomes] == ["two_s0", "two_s1"]
    assert (tmp_path / "out" / "labels" / "two_s1_labels.tif").exists()


class Stopping(SilentProgress):
    """Stops after the first image."""

    def advance(self, units: int = 1) -> None:
        raise Cancelled("stopped")


def test_a_stopped_run_goes_on_where_it_was(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        run(RECIPE, [folder], tmp_path / "out", progress=Stopping())
    again = run(RECIPE, [folder], tmp_path / "out")
    assert again.reused == 1
    whole = run(RECIPE, [folder], tmp_path / "whole")
    assert (tmp_path / "out/tables/cells.csv").read_bytes() == (tmp_path / "whole/tables/cells.csv").read_bytes()
    assert len(whole.failed) == 1


def test_labels_can_be_written_in_other_forms(folder: Path, tmp_path: Path) -> None:
    hashes = set()
    for form in ("tif", "npy", "ome.zarr"):
        run(RECIPE, [folder / "a.tif"], tmp_path / form, layout=Layout(form=form))
        hashes.add(cm.labels_hash(cm.read_labels(tmp_path / form / "labels" / f"a_labels.{form}")))
    assert len(hashes) == 1


def test_a_multi_file_ome_tiff_is_one_image(tmp_path: Path) -> None:
    field = make_cells((200, 240), 8, seed=2).image
    names = ["c0.ome.tif", "c1.ome.tif"]
    uuids = [f"urn:uuid:0000000{index}-0000-0000-0000-000000000000" for index in range(2)]
    blocks = "".join(
        f'<TiffData FirstC="{index}" FirstT="0" FirstZ="0" IFD="0" PlaneCount="1">'
        f'<UUID FileName="{name}">{uuid}</UUID></TiffData>'
        for index, (name, uuid) in enumerate(zip(names, uuids, strict=True))
    )
    for index, (name, uuid) in enumerate(zip(names, uuids, strict=True)):
        xml = (
            f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{uuid}"><Image ID="Image:0">'
            '<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="240" SizeY="200" SizeC="2" SizeZ="1" '
            f'SizeT="1"><Channel ID="Channel:0:0" Name="DNA"/><Channel ID="Channel:0:1" Name="GFP"/>{blocks}</Pixels>'
            "</Image></OME>"
        )
        tifffile.imwrite(tmp_path / name, field[index], description=xml, metadata=None)
    recipe = load_recipe("nuclei", ["segment.channel=GFP"])
    result = run(recipe, [tmp_path], tmp_path / "out")
    assert len(result.outcomes) == 1
    tifffile.imwrite(tmp_path / names[1], field[1] + 1, description=xml, metadata=None)
    assert run(recipe, [tmp_path], tmp_path / "out").reused == 0


def test_pictures_look_as_the_recipe_says(folder: Path, tmp_path: Path) -> None:
    plain = run(RECIPE, [folder / "a.tif"], tmp_path / "a")
    looks = load_recipe("nuclei", ["overlay.ids=false", "overlay.limits=[[0, 500]]", 'measure.features=["size"]'])
    other = run(looks, [folder / "a.tif"], tmp_path / "b")
    pictures = [(result.out / "overlays" / "a_overlay.png").read_bytes() for result in (plain, other)]
    assert pictures[0] != pictures[1]
    with pytest.raises(ParameterError, match="longest_side"):
        load_recipe("nuclei", ["overlay.longest=1"])


def test_changed_labels_from_elsewhere_are_measured_again(folder: Path, tmp_path: Path) -> None:
    labels = np.zeros((200, 240), np.uint32)
    labels[20:40, 20:40] = 7
    cm.write_labels(cm.labels_from_array(labels), folder / "a_labels.tif")
    recipe = load_recipe("existing-labels", ['measure.features=["size"]'])
    run(recipe, [folder / "a.tif"], tmp_path / "out")
    assert run(recipe, [folder / "a.tif"], tmp_path / "out").reused == 1
    labels[20:40, 20:60] = 7
    cm.write_labels(cm.labels_from_array(labels), folder / "a_labels.tif")
    assert run(recipe, [folder / "a.tif"], tmp_path / "out").reused == 0
    table = cm.read_table(tmp_path / "out" / "tables" / "cells.csv")
    assert table[["label", "area_px"]].to_numpy().tolist() == [[7, 800]]


def test_a_run_stopped_while_writing_is_not_taken_for_done(folder: Path, tmp_path: Path) -> None:
    """Labels of another recipe were written before the stop; the first recipe must not call them its own."""
    out = tmp_path / "out"
    first = run(RECIPE, [folder / "a.tif"], out)
    (out / "overlays" / "a_overlay.png").unlink()
    (out / "overlays" / "a_overlay.png").mkdir()
    (out / "overlays" / "a_overlay.png" / "in the way").touch()
    with pytest.raises(OutputError):
        run(load_recipe("nuclei", ["segment.cleanup.min_area_px=100000"]), [folder / "a.tif"], out)
    shutil.rmtree(out / "overlays" / "a_overlay.png")
    again = run(RECIPE, [folder / "a.tif"], out)
    assert again.reused == 0
    labels = cm.read_labels(out / "labels" / "a_labels.tif")
    assert cm.labels_hash(labels) == first.outcomes[0].labels_sha256["cells"]


def test_nothing_stale_stays_in_the_folder(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(RECIPE, [folder / "a.tif"], out)
    other = Recipe("other", (load_recipe("nuclei", ["segment.labels=nuclei"]).steps[0],))
    run(other, [folder / "a.tif"], out, layout=Layout(form="npy"))
    assert sorted(path.name for path in (out / "labels").iterdir()) == ["a_nuclei_labels.npy"]
    assert sorted(path.name for path in (out / "tables").iterdir()) == ["images.csv", "images_columns.csv"]
    assert {path.name for path in (out / "overlays").iterdir()} >= {"a_nuclei_overlay.png"}
    assert not (out / "overlays" / "a_overlay.png").exists()


def test_a_folder_with_results_of_other_images_is_refused(folder: Path, tmp_path: Path) -> None:
    run(RECIPE, [folder / "a.tif", folder / "b.tif"], tmp_path / "out")
    with pytest.raises(ParameterError, match=r"1 images that are not among these \(b"):
        run(RECIPE, [folder / "a.tif"], tmp_path / "out")
    assert len(cm.read_table(tmp_path / "out" / "tables" / "images.csv")) == 2


def test_a_layout_with_more_outputs_is_made_up(folder: Path, tmp_path: Path) -> None:
    bare = Layout(overlays=False, tables=False)
    run(RECIPE, [folder / "a.tif"], tmp_path / "out", layout=bare)
    assert run(RECIPE, [folder / "a.tif"], tmp_path / "out").reused == 0
    assert (tmp_path / "out" / "overlays" / "a_overlay.png").exists()


def test_projections_are_drawn_and_measured(tmp_path: Path) -> None:
    """The objects lie in the last plane; the picture must show them, and the table their brightness."""
    stack = np.full((5, 200, 240), 100, np.uint16)
    stack[4] = make_cells((200, 240), 8, seed=1).image[1]
    image = cm.image_from_array(stack, "ZYX")
    cm.write_image(image, tmp_path / "stack.ome.tif")
    recipe = load_recipe("nuclei", ["segment.stack=max", "overlay.outlines=false", "overlay.ids=false"])
    run(recipe, [tmp_path / "stack.ome.tif"], tmp_path / "out")
    picture = cm.open_image(tmp_path / "out" / "overlays" / "stack_overlay.png").read()[0]
    labels = cm.read_labels(tmp_path / "out" / "labels" / "stack_labels.tif").read()
    times = picture.shape[0] // labels.shape[0]
    inside = np.kron(labels > 0, np.ones((times, times), bool))
    assert picture[inside].mean() > 3 * picture[~inside].mean()
    table = cm.read_table(tmp_path / "out" / "tables" / "cells.csv")
    assert (table["mean_channel0"] > 150).all()


def test_a_pattern_that_fits_nothing_or_takes_a_column_is_refused(folder: Path, tmp_path: Path) -> None:
    for pattern, words in (("nope{channel}.tif", "None of the 4 files fits"), ("{label}_{x}.tif", "rename it")):
        with pytest.raises(InputError, match=words):
            run(RECIPE, [folder], tmp_path / "out", reading=Reading(pattern=pattern))
    assert not (tmp_path / "out").exists()


def test_files_of_a_group_are_each_on_record(tmp_path: Path) -> None:
    field = make_cells((200, 240), 8, seed=2)
    for channel in (1, 2):
        tifffile.imwrite(tmp_path / f"A01_w{channel}.tif", field.image[channel - 1])
    recipe = load_recipe("nuclei", ["segment.channel=2"])
    run(recipe, [tmp_path], tmp_path / "out", reading=Reading(pattern="{well}_w{channel}.tif"))
    [image] = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["images"]
    assert len(image["files"]) == 2
    for file, sha256 in image["files"].items():
        assert hashlib.sha256(Path(file).read_bytes()).hexdigest() == sha256


def test_an_image_without_objects_needs_a_look(tmp_path: Path) -> None:
    np.save(tmp_path / "empty.npy", np.zeros((50, 60), np.uint16))
    result = run(RECIPE, [tmp_path / "empty.npy"], tmp_path / "out")
    assert result.outcomes[0].warnings == ("No objects were found for cells.",)


def test_a_cell_that_keeps_its_id_through_planes_is_one(tmp_path: Path) -> None:
    stack = np.zeros((3, 60, 60), np.uint16)
    cells = np.zeros((3, 60, 60), np.uint32)
    cells[:, 5:15, 5:15] = [[[4]], [[1]], [[2]]]
    cells[0, 30:40, 30:40] = 1
    cm.write_image(cm.image_from_array(stack, "ZYX"), tmp_path / "a.ome.tif")
    cm.write_labels(cm.labels_from_array(cells, "ZYX"), tmp_path / "a_labels.tif")
    cm.write_labels(cm.labels_from_array(cells[0]), tmp_path / "known.tif")
    entries = [
        {"step": "segment", "engine": "labels"},
        {"step": "segment", "engine": "labels", "labels": "known", "options": {"file": str(tmp_path / "known.tif")}},
        {"step": "keep_ids", "seed": "known"},
        {"step": "measure", "features": ["size"], "volume": False},
    ]
    result = run(parse_recipe({"steps": entries}), [tmp_path / "a.ome.tif"], tmp_path / "out")
    assert result.outcomes[0].reason == ""
    assert result.outcomes[0].n_objects == {"cells": 2}
    assert result.outcomes[0].n_outlines == {"cells": 4}
    images = cm.read_table(tmp_path / "out" / "tables" / "images.csv")
    assert images[["n_cells", "n_cells_outlines"]].to_numpy().tolist() == [[2, 4]]
    described = {column.name: column for column in read_columns(tmp_path / "out" / "tables" / "images.csv")}
    assert "one in each plane" in described["n_cells_outlines"].definition
    assert len(cm.read_table(tmp_path / "out" / "tables" / "cells.csv")) == 4
    assert {path.name for path in (tmp_path / "out" / "labels").iterdir()} == {"a_labels.tif"}


def test_no_thumbnail_and_no_empty_folder_stays(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (folder / "c.tif").unlink()
    run(RECIPE, [folder], out)
    (out / "of the user").mkdir()
    run(RECIPE, [folder], out, layout=Layout(overlays=False, tables=False, labels="masks"))
    assert {path.name for path in out.iterdir()} == {".cellmetry", "masks", "of the user", "recipe.toml", "run.json"}
    kept = [path.relative_to(out / "masks").as_posix() for path in (out / "masks").rglob("*.tif")]
    assert sorted(kept) == ["a_labels.tif", "b_labels.tif", "day 2/a_labels.tif"]


def test_tables_name_planes_and_frames_as_the_files_do(tmp_path: Path) -> None:
    cells = np.zeros((20, 20), np.uint32)
    cells[2:9, 2:9] = 3
    cm.write_labels(cm.labels_from_array(np.stack([np.stack([cells] * 2)] * 2), "TZYX"), tmp_path / "cells.tif")
    planes = tmp_path / "planes"
    planes.mkdir()
    for t, z in (("07", "002"), ("07", "010"), ("9", "002"), ("9", "010")):
        tifffile.imwrite(planes / f"0.5_T{t}Z{z}.tif", cells.astype(np.uint16))
    entries = [
        {"step": "segment", "engine": "labels", "options": {"file": str(tmp_path / "cells.tif")}},
        {"step": "measure", "features": ["size"], "volume": False},
    ]
    reading = Reading(pattern="{dose}_T{t}Z{z}.tif")
    result = run(parse_recipe({"steps": entries}), [planes], tmp_path / "out", reading=reading)
    assert result.outcomes[0].reason == ""
    table = cm.read_table(tmp_path / "out" / "tables" / "cells.parquet")
    assert table[["t", "frame", "z", "plane"]].to_numpy().tolist() == [
        [0, "07", 0, "002"],
        [0, "07", 1, "010"],
        [1, "9", 0, "002"],
        [1, "9", 1, "010"],
    ]
    described = {column.name: column for column in read_columns(tmp_path / "out" / "tables" / "cells.csv")}
    assert set(described) == set(table.columns)
    assert described["plane"].source == "pattern"
    with pytest.raises(ParameterError, match="a part 'plane', which is a column"):
        run(RECIPE, [planes], tmp_path / "no", reading=Reading(pattern="{plane}_T{t}Z{z}.tif"))
