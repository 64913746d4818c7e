"""The job `quantify` and its preview: the numbers and masks that `cellmetry quantify` gives for the same settings."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.core.image import image_from_array
from cellmetry.core.labels import Labels
from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import InputError, ParameterError, UnknownName
from cellmetry.io.images import write_image
from cellmetry.io.labels import write_labels
from cellmetry.io.tables import read_table
from cellmetry.pipeline.jobs.outdated import outdated_table
from cellmetry.pipeline.jobs.registry import parse_job
from cellmetry.pipeline.quick.masking import MaskRequest, preview_masks
from cellmetry.pipeline.stored.registering import register_images
from cellmetry.study.editing.objects import Delete, Relabel
from cellmetry.study.store.acts import act, undo_act
from cellmetry.study.store.edits import apply_edit
from cellmetry.study.store.images import images, say
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.results import result, result_path, results

sys.path.insert(0, str(Path(__file__).parent))
from job_studies import ANNA, do_all, new_store
from labelled_studies import do

PLAN = {
    "target": {"mask": "per_cell_percentile", "percentile": 60, "min_object": 5, "background": "dark:5"},
    "reference": {"mask": "global_otsu", "saturation": "native:4000", "background": "rolling-ball:20:native"},
    "radial": "60:120",
    "radial_on": ["and"],
    "profile": "10:5",
    "peaks": "global_max",
    "peak_range": [50, 110],
    "ratio": "mean_of_ratios",
}
OPTIONS = (
    *("--mask-target", "per_cell_percentile", "--percentile-target", 60, "--min-object-target", 5),
    *("--background-target", "dark:5", "--mask-reference", "global_otsu", "--saturation-reference", "native:4000"),
    *("--background-reference", "rolling-ball:20:native", "--radial", "60:120", "--radial-on", "and"),
    *("--profile", "10:5", "--peaks", "global_max", "--peak-range", "50:110", "--ratio", "mean_of_ratios"),
    *("--set", "peaks.highest=anywhere"),
)
COMPAT = {
    "target": {"mask": "global_percentile", "percentile": 50, "saturation": "254", "background": "dark:5"},
    "reference": {"saturation": "254", "background": "dark:5"},
    "radial": "90:100",
    "profile": "5:1",
    "peaks": "first_local_top",
}
COMPAT_OPTIONS = (
    *("--compat", "dualcellquant", "--mask-target", "global_percentile", "--percentile-target", 50),
    *("--saturation", 254, "--background", "dark:5", "--radial", "90:100", "--profile", "5:1"),
    *("--peaks", "first_local_top"),
)


def two_channels(side=120):
    """Four discs with a bright rim in the first channel, bright inside in the second, and their labels."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:side, :side]
    labels, depth = np.zeros((side, side), np.uint32), np.full((side, side), 99.0)
    for number, (cy, cx) in enumerate([(30, 30), (30, 88), (86, 32), (88, 86)], start=1):
        away = np.hypot(y - cy, x - cx)
        labels[away <= 20] = number
        depth = np.minimum(depth, away)
    target = 100 + 900 * np.exp(-(((depth - 17) / 2) ** 2)) + rng.normal(0, 10, depth.shape)
    reference = 80 + 700 * (depth < 12) + rng.normal(0, 10, depth.shape)
    return np.stack([target, reference]).clip(0, 65535).astype(np.uint16), labels


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quantifying")
    (folder / "images").mkdir()
    pixels, ids = two_channels()
    for name in ("a", "b"):
        shown = image_from_array(pixels, pixel_size_um=0.2, axes="CYX", channel_names=["FRB", "FKBP"])
        write_image(shown, folder / "images" / f"{name}.ome.tif")
    write_labels(Labels(ids), folder / "labels.tif")
    store = new_store(folder)
    register_images(store, ANNA, [folder / "images"])
    do_all(store)
    for image in images(store):
        with store.database.write():
            add_labels(store, act(store, ANNA, "segment", "Segment"), image.id, Labels(ids))
    yield store, folder
    store.close()


def by_command(folder, out, options):
    files = [folder / "images" / "a.ome.tif", "--target", "FRB", "--reference", "FKBP"]
    more = ["--labels", folder / "labels.tif", "--out", out, "--no-pictures", *options]
    done = CliRunner().invoke(app, ["quantify", *map(str, [*files, *more])])
    assert done.exit_code == 0, done.output
    return {file.stem: read_table(file) for file in (out / "tables").glob("*.parquet")}


def tables_of(store, job_id):
    """The tables of a job by the names that the command gives them."""
    found = [each for each in results(store, "table") if each.job_id == job_id]
    return {each.name.partition(" ")[2] or "cells": read_table(result_path(store, each)) for each in found}


@pytest.mark.parametrize(
    ("rules", "plan", "changes", "options"),
    [("cellmetry", PLAN, ["peaks.highest=anywhere"], OPTIONS), ("dualcellquant", COMPAT, [], COMPAT_OPTIONS)],
)
def test_numbers_are_those_of_the_command(study, tmp_path, rules, plan, changes, options):
    store, folder = study
    alone = by_command(folder, tmp_path / "out", options)
    wanted = {"target": "FRB", "reference": "1", "plan": plan, "rules": rules, "set": changes}
    made, job_id = do(store, "quantify", **wanted)
    mine = tables_of(store, job_id)
    assert (made["rows"], made["failed"]) == (8, {})
    names = {name for name in alone if name not in {"images", "filtered"}}
    assert set(mine) == names
    assert names >= {"cells", "radial_profile_cells", "radial_profile_pooled", "peaks"}
    for name in names:
        rows = mine[name][mine[name]["image"].str.startswith("a")].reset_index(drop=True)
        shared = [column for column in alone[name] if column in rows and column not in {"image", "path"}]
        assert len(shared) > 3
        pd.testing.assert_frame_equal(rows[shared], alone[name][shared], check_dtype=False)


def test_masks_and_pictures_are_kept_and_undone_with_the_tables(study):
    store, _ = study
    made, job_id = do(
        store, "quantify", target="0", reference="1", plan={"radial": "90:100"}, table="rings", pictures=True
    )
    [folder] = [each for each in results(store, "export") if each.job_id == job_id]
    assert folder.name == "rings masks"
    files = {
        file.relative_to(place).as_posix() for place in [result_path(store, folder)] for file in place.rglob("*.*")
    }
    assert {"recipe.toml", "masks/a_radial_mask.tif", "masks/b_and_labels.npy", "ratio/a_ratio.tif"} <= files
    assert "overlays/a_radial_mask.png" in files
    undo_act(store, ANNA, made["act"])
    assert not [each for each in results(store) if each.job_id == job_id]


def test_cells_are_those_that_are_left_after_edits(study):
    store, _ = study
    made, _ = do(store, "quantify", target="0", table="alone")
    kept = result(store, made["table"])
    first = next(iter(kept.details["images"].values()))
    apply_edit(store, ANNA, first["labels"], Delete(ids=(2,)))
    again, job_id = do(store, "quantify", target="0", table="alone")
    assert (made["rows"], again["rows"]) == (8, 7)
    assert not any("reference" in name for name in tables_of(store, job_id)["cells"])


def test_profiles_belong_to_the_table_of_their_name_and_to_labels_of_a_version(study):
    store, _ = study
    plan = {"profile": "50:50", "passport": False}

    def of_table():
        return {each.name: each.id for each in results(store) if each.details.get("of") == "mine"}

    made, _ = do(store, "quantify", target="0", table="mine", plan=plan)
    before = of_table()
    profiles = {f"mine radial_profile_{each}" for each in ("cells", "pooled", "smoothed")}
    assert set(before) == {*profiles, "mine masks"}
    tables = [result(store, before[name]) for name in profiles]
    assert [outdated_table(store, each) for each in tables] == [[]] * 3
    first = next(iter(result(store, made["table"]).details["images"].values()))
    apply_edit(store, ANNA, first["labels"], Delete(ids=(4,)))
    assert all("before labels of 1 of its images were changed" in outdated_table(store, each)[0] for each in tables)

    again, _ = do(store, "quantify", target="0", table="mine", plan={"passport": False})
    assert set(of_table()) == {"mine masks"}
    undo_act(store, ANNA, again["act"])
    assert of_table() == before
    measured, _ = do(store, "measure", table="mine", passport=None)
    assert not of_table()
    undo_act(store, ANNA, measured["act"])
    assert of_table() == before


def test_cells_keep_their_numbers_from_image_to_image(study):
    store, _ = study
    made, _ = do(store, "quantify", target="0")
    second = list(result(store, made["table"]).details["images"].values())[1]["labels"]
    apply_edit(store, ANNA, second, Relabel(id=3, to=77))
    _, job_id = do(store, "quantify", target="0", follow=0.5)
    table = tables_of(store, job_id)["cells"]
    mine = table[table["label"] == 77]
    assert mine[["followed_label", "followed_iou"]].to_numpy().tolist() == [[3, 1]]
    (_, first), (_, later) = table.groupby("image")["label"]
    assert table["followed_iou"].notna().sum() == len({*first} & {*later.replace(77, 3)}) > 1


def test_a_preview_of_a_small_plane_has_the_masks_of_the_job(study):
    store, _ = study
    image = images(store)[1]
    wanted = {"target": "0", "reference": "1", "plan": PLAN}
    made, job_id = do(store, "quantify", **wanted, images=[image.id])
    labels = result(store, made["table"]).details["images"][image.id]["labels"]
    request = parse_parameters(
        MaskRequest, {**wanted, "image": image.id, "labels": labels, "box": [0, 120, 20, 110]}, where="preview"
    )
    found = preview_masks(store, request)
    [folder] = [each for each in results(store, "export") if each.job_id == job_id]
    assert found.shown.whole
    masks = {each.name: each for each in found.shown.seen if each.kind == "mask"}
    assert set(masks) == {"target_mask", "reference_mask", "and_mask", "radial_mask"}
    [ratio] = [each.ids.view(np.float32) for each in found.shown.seen if each.kind == "map"]
    [file] = result_path(store, folder).glob("ratio/*.tif")
    assert np.array_equal(tifffile.imread(file)[..., 20:110].reshape(ratio.shape), ratio, equal_nan=True)
    for each in masks.values():
        [file] = result_path(store, folder).glob(f"masks/*_{each.name.removesuffix('_mask')}_labels.tif")
        assert np.array_equal(tifffile.imread(file)[:, 20:110], each.ids)
    pooled = tables_of(store, job_id)["radial_profile_pooled"]
    assert found.profile["center_pct"] == pooled["center_pct"].tolist()
    assert np.allclose(np.array(found.profile["mean_target"], float), pooled["mean_target"], equal_nan=True)


def test_wrong_requests_are_refused_before_the_queue(study):
    store, _ = study
    unknown = {"target": "0", "rules": "dualcellquant", "plan": {"target": {"mask": "per_cell_li"}}}
    with pytest.raises(ParameterError, match="knows the masks"):
        parse_job("quantify", unknown).check(store)
    with pytest.raises(ParameterError, match="90:100"):
        parse_job("quantify", {"target": "0", "plan": {"radial": "a lot"}})
    with pytest.raises(UnknownName, match="peak"):
        parse_job("quantify", {"target": "0", "set": ["peak.highest=1"]}).check(store)


def test_one_channel_is_not_target_and_reference(study):
    store, _ = study
    with pytest.raises(ParameterError, match="same channel, frb, whose ratio is 1 everywhere"):
        parse_job("quantify", {"target": "FRB", "reference": "frb"})
    [first, _] = images(store)
    with pytest.raises(InputError, match="name another reference, or none"):
        do(store, "quantify", target="FRB", reference="0", images=[first.id])


def test_pixels_that_are_no_squares_give_areas_by_both_sides(study):
    store, _ = study
    _, second = images(store)
    with store.database.write():
        say(store, act(store, ANNA, "say", "Say"), second.id, {"pixel_size_um": 0.2, "pixel_size_y_um": 0.4})
    plan = {"radial": "-1:0um"}
    _, job = do(store, "quantify", target="FRB", reference="FKBP", plan=plan, images=[second.id], table="oblong")
    cells = tables_of(store, job)["cells"]
    assert np.allclose(cells["cell_area_um2"], cells["cell_area_px"] * 0.2 * 0.4)
    [file] = (store.folder / "jobs" / job).rglob("*radial_labels.tif")
    rim = tifffile.imread(file) == 1
    assert (rim[30, :30].sum(), rim[:30, 30].sum()) == (6, 3)  # 0 to 1 µm in columns of 0.2 and rows of 0.4
