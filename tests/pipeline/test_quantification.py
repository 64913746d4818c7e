"""From options of a quantification to the steps of a recipe, and stacks from end to end."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tifffile

import cellmetry as cm
from cellmetry.core.image import image_from_array
from cellmetry.errors import ParameterError
from cellmetry.pipeline import quantification_pictures
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.quantification import QuantificationPlan, parse_background, parse_windows
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.recipe import parse_recipe
from cellmetry.pipeline.roles import find_by_channel
from cellmetry.pipeline.work import Layout
from cellmetry.report.profiles import draw_population_profile

BOTH = ("target", "reference")


def steps_of(**plan: object) -> list[str]:
    entries = QuantificationPlan.model_validate({"reference": {}, **plan}).entries()
    return [step.name for step in parse_recipe({"steps": entries}).steps]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("none", []),
        ("rolling-ball:50", [{"step": "rolling_ball", "radius_px": 50, "variant": "imagej"}]),
        ("rolling-ball:8.5:native", [{"step": "rolling_ball", "radius_px": 8.5, "variant": "native"}]),
        ("dark:5", [{"step": "subtract_dark", "percentile": 5}]),
        ("manual:10,9", [{"step": "subtract_value", "values": [10, 9]}]),
        ("manual:-2", [{"step": "subtract_value", "values": [-2, -2]}]),
        ("local:2:8", [{"step": "subtract_local", "gap_px": 2, "width_px": 8}]),
        ("local:0.5:2um", [{"step": "subtract_local", "gap_um": 0.5, "width_um": 2}]),
    ],
)
def test_a_background_is_read_from_text(text, wanted):
    assert parse_background(text, BOTH) == [{**entry, "channels": list(BOTH)} for entry in wanted]


@pytest.mark.parametrize("text", ["", "rolling-ball", "dark:", "manual:1,2,3", "local:3", "rolling-ball:5:fiji"])
def test_another_background_is_refused(text):
    with pytest.raises(ParameterError):
        parse_background(text, BOTH)


def test_windows_are_read_from_text():
    assert parse_windows("5:1") == (5, 1, "percent")
    assert parse_windows("0.5:0.1um") == (0.5, 0.1, "um")
    with pytest.raises(ParameterError, match="WINDOW:STEP"):
        parse_windows("5")


def test_steps_come_in_the_order_that_the_guide_states():
    wanted = ["subtract_dark", "normalise", "keep_image", "radial", "mask", "mask", "combine_masks", "combine_masks"]
    wanted += ["quantify", "passport", "filter_cells", "profile", "peaks"]
    role = {"background": "dark:5", "mask": "per_cell_otsu"}
    made = steps_of(
        target=role, reference=role, normalise="minmax", save_corrected=32, radial="80:100", profile="5:1",
        peaks="global_max", keep=("cell_area_px > 3",),
    )  # fmt: skip
    assert made == wanted


def test_peaks_need_no_reference():
    *_, peaks = QuantificationPlan.model_validate({"profile": "5:1", "peaks": "global_max"}).entries()
    assert peaks["first"] == "target"
    assert "second" not in peaks


def test_each_channel_has_its_own_background():
    entries = QuantificationPlan.model_validate(
        {"target": {"background": "dark:5"}, "reference": {"background": "rolling-ball:9"}}
    ).entries()
    assert [(entry["step"], entry["channels"]) for entry in entries[:2]] == [
        ("subtract_dark", ["target"]),
        ("rolling_ball", ["reference"]),
    ]


@pytest.mark.parametrize(
    ("radial", "on", "regions"),
    [
        ("80:100", ("and",), [{}, {}]),
        ("80:120", ("and",), [{"beyond": "radial_mask"}] * 2),
        ("0:2px", ("and",), [{"beyond": "radial_mask"}] * 2),
        ("80:120", ("target", "and"), [{"region": "radial_mask"}, {"beyond": "radial_mask"}]),
        ("80:120", ("reference",), [{}, {"region": "radial_mask"}]),
    ],
)
def test_switches_of_the_radial_part(radial, on, regions):
    plan = QuantificationPlan.model_validate({"reference": {}, "radial": radial, "radial_on": on})
    entries = plan.entries()
    masks = [entry for entry in entries if entry["step"] == "mask"]
    assert [{key: each[key] for key in ("region", "beyond") if key in each} for each in masks] == regions
    combined = [entry["second"] for entry in entries if entry["step"] == "combine_masks"]
    assert combined == ["reference_mask", *(["radial_mask"] if "and" in on else [])]


def test_all_modes_of_masks_become_a_step():
    modes = QuantificationPlan.model_fields["target"].annotation.model_fields["mask"].annotation.__args__
    for mode in modes:
        role = {"mask": mode} | ({"value": 3.0} if mode == "value" else {})
        assert "mask" in steps_of(target=role)


@pytest.fixture
def stack(tmp_path):
    """Three planes of two channels in files, with labels that drift."""
    y, x = np.mgrid[:60, :80]
    labels = np.zeros((3, 60, 80), np.uint16)
    for z in range(3):
        labels[z][np.hypot(y - 30, x - 20 - z) <= 12] = 1 + z
        labels[z][np.hypot(y - 30, x - 55) <= 14] = 7 - z
        for channel in (1, 2):
            light = np.where(labels[z] > 0, 50 * channel + 10 * z, 5).astype(np.uint8)
            cm.write_image(image_from_array(light, pixel_size_um=0.5), tmp_path / "in" / f"a_c{channel}z{z}.tif")
    tifffile.imwrite(tmp_path / "a_labels.tif", labels, imagej=True, metadata={"axes": "ZYX"})
    seed = np.zeros((60, 80), np.uint16)
    seed[30, 55], seed[24:36, 45:65] = 40, 40
    tifffile.imwrite(tmp_path / "seed.tif", seed)
    return tmp_path


def test_a_stack_is_measured_plane_by_plane_with_ids_that_stay(stack):
    plan = QuantificationPlan.model_validate(
        {"reference": {}, "profile": "20:10", "passport": False, "radial": "50:100"}
    )
    entries = [
        {"step": "segment", "engine": "labels", "options": {"file": str(stack / "a_labels.tif")}},
        {"step": "segment", "engine": "labels", "labels": "seed", "options": {"file": str(stack / "seed.tif")}},
        {"step": "keep_ids", "axis": "Z", "least_iou": 0.2, "seed": "seed"},
        *plan.entries(),
    ]
    reading = Reading(pattern="{name}_c{channel}z{z}.tif")
    found = find_by_channel([stack / "in"], {"target": "1", "reference": "2"}, reading)
    result = run(parse_recipe({"steps": entries}), found, stack / "out", layout=Layout(quantification=True))
    assert not result.failed
    table = pd.read_csv(stack / "out/tables/cells.csv")
    assert sorted(table.groupby("label")["z"].apply(tuple)) == [(0, 1, 2), (0, 1, 2)]
    assert 40 in set(table["label"])
    np.testing.assert_allclose(table["cell_mean_target"], 50 + 10 * table["z"])
    wanted = (50 + 10 * table["z"]) / (100 + 10 * table["z"])
    np.testing.assert_allclose(table["and_mask_ratio_of_means_target_to_reference"], wanted)
    plots = {path.name for path in (stack / "out/plots").iterdir()}
    assert {f"a_profile_pooled_z{z}.png" for z in range(3)} <= plots
    assert tifffile.imread(stack / "out/masks/a_radial_mask.tif").shape == (3, 60, 80)


@pytest.mark.parametrize(
    ("more", "unit", "pixels"),
    [
        ({}, "grey values", "pixels as in the file"),
        ({"target": {"background": "dark:5"}}, "grey values", "pixels corrected"),
        ({"normalise": "z"}, "normalised", "pixels corrected"),
    ],
)
def test_plots_say_which_image_plane_and_values_they_show(stack, monkeypatch, more, unit, pixels):
    shown = []

    def draw(profiles, options, **others):
        shown.append(options)
        return draw_population_profile(profiles, options, **others)

    monkeypatch.setattr(quantification_pictures, "draw_population_profile", draw)
    plan = QuantificationPlan.model_validate({"profile": "20:10", "passport": False, **more})
    look_up = {"step": "segment", "engine": "labels", "options": {"file": str(stack / "a_labels.tif")}}
    found = find_by_channel([stack / "in"], {"target": "1"}, Reading(pattern="{name}_c{channel}z{z}.tif"))
    recipe = parse_recipe({"steps": [look_up, *plan.entries()]})
    assert not run(recipe, found, stack / "out", layout=Layout(quantification=True)).failed
    assert [options.title for options in shown] == [f"a, Z {z} of 3" for z in (1, 2, 3)]
    assert {options.value_unit for options in shown} == {unit}
    assert all(options.subtitle.startswith(pixels) for options in shown)
