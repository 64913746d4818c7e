"""Profiles from the centre of cells outwards, and their peaks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cellmetry as cm
from cellmetry.core.sample import Sample
from cellmetry.errors import AxesError, LabelsError, ParameterError, PixelSizeNeeded, UnknownName
from cellmetry.quantify.peaks import Peaks
from cellmetry.quantify.positions import PlaneCells
from cellmetry.quantify.profiles import Profile, ProfileOptions, profile_cells

SMALL = {"start": 0, "end": 120, "window": 10, "stride": 5}


def disc_sample(light, *, pixel_size_um: float | None = 0.5) -> Sample:
    """Return one disc of radius 30 px; `light` gives the target from the distance to its centre."""
    y, x = np.mgrid[:100, :100]
    radius = np.hypot(y - 50, x - 50)
    target = light(radius)
    image = cm.image_from_array(
        np.stack([target, np.full_like(target, 10.0)]),
        "CYX",
        channel_names=["target", "reference"],
        pixel_size_um=pixel_size_um,
    )
    return Sample(image, {"cells": cm.labels_from_array((radius <= 30).astype(np.uint32))})


def test_a_slope_comes_out_as_one():
    sample = disc_sample(lambda radius: radius)
    table = Profile(unit="px", start=-25, end=10, window=1, stride=1)(sample).tables["radial_profile_cells"]
    np.testing.assert_allclose(table["mean_target"], 30.5 + table["center_px"], atol=1.0)
    assert (table["label"] == 1).all()
    assert list(table["start_px"][:2]) == [-25, -24]


def test_per_cent_micrometres_and_pixels_are_one_axis():
    sample = disc_sample(lambda radius: radius**2)
    px = profile_cells(sample.image, sample.labels["cells"], ProfileOptions(unit="px", start=-20, end=8, window=2))
    labels = Profile(unit="um", start=-10, end=4, window=1, stride=0.5)(sample).tables["radial_profile_cells"]
    np.testing.assert_allclose(labels["mean_target"], px.cells["mean_target"])
    depth = PlaneCells(sample.labels["cells"], (), (1.0, 1.0)).depths.length[0]
    per_cent = profile_cells(
        sample.image,
        sample.labels["cells"],
        ProfileOptions(start=0, end=100, window=100 / depth, stride=100 / depth),
    ).cells
    steps = profile_cells(
        sample.image, sample.labels["cells"], ProfileOptions(unit="px", start=-depth, end=0, window=1, stride=1)
    ).cells
    np.testing.assert_allclose(per_cent["mean_target"].iloc[1:-1], steps["mean_target"].iloc[1:28], rtol=0.06)


def test_windows_against_numpy():
    rng = np.random.default_rng(3)
    sample = disc_sample(lambda radius: rng.normal(50, 5, radius.shape))
    sample = Profile(ratio=["target", "reference"], **SMALL)(sample)
    table = sample.tables["radial_profile_cells"]
    plane = PlaneCells(sample.labels["cells"], (), (1.0, 1.0))
    part = next(plane.parts(20.0))
    at = 100 * (1 + part.positions.distance / plane.depths.length[0])
    for row in table.itertuples():
        inside = (at >= row.start_pct) & (at < row.end_pct)
        values = sample.image.plane(c=0)[inside]
        assert row.count_px == inside.sum()
        assert row.mean_target == pytest.approx(values.mean())
        assert row.std_target == pytest.approx(values.std(ddof=1))
        assert row.sem_target == pytest.approx(values.std(ddof=1) / np.sqrt(values.size))
        assert row.ratio_target_to_reference == pytest.approx(values.mean() / 10)


@pytest.mark.parametrize("um", [0.1, 0.2, 0.207, 0.65])
def test_windows_in_micrometres_hold_the_same_pixels(um):
    sample = disc_sample(lambda radius: radius, pixel_size_um=um)
    px = ProfileOptions(unit="px", start=-20, end=6, window=1, stride=0.5)
    same = ProfileOptions(unit="um", start=-20 * um, end=6 * um, window=um, stride=um / 2)
    labels = cm.labels_from_array(sample.labels["cells"].read(), pixel_size=sample.image.pixel_size)
    one, other = (profile_cells(sample.image, labels, options).cells["count_px"] for options in (px, same))
    np.testing.assert_array_equal(one, other)


def test_cells_that_are_cut_have_no_profile_in_per_cent():
    sample = disc_sample(lambda radius: radius)
    from dataclasses import replace

    image = cm.image_from_array(sample.image.read()[:, 40:], "CYX", channel_names=["target", "reference"])
    cut = replace(sample, image=image, labels={"cells": cm.labels_from_array(sample.labels["cells"].read()[40:])})
    made = Profile(**SMALL)(cut)
    assert (made.tables["radial_profile_cells"]["count_px"] == 0).all()
    assert "1 of 1 cells meet the image's border" in made.warnings[0]
    px = Profile(unit="px", start=-10, end=0, window=2)(cut)
    assert (px.tables["radial_profile_cells"]["count_px"] > 0).all()
    assert not px.warnings


def test_cells_that_were_filtered_out_have_no_profile(two_discs):
    kept = two_discs.with_table("cells", pd.DataFrame({"label": [8]}))
    made = Profile(only_in="cells", **SMALL)(kept).tables
    whole = Profile(**SMALL)(two_discs).tables["radial_profile_cells"]
    assert set(made["radial_profile_cells"]["label"]) == {8}
    wanted = whole[whole["label"] == 8].reset_index(drop=True)
    pd.testing.assert_frame_equal(made["radial_profile_cells"], wanted)
    assert (made["radial_profile_pooled"]["count_cells"] <= 1).all()


def test_labels_of_another_size_are_refused(two_discs):
    with pytest.raises(LabelsError):
        profile_cells(two_discs.image, cm.labels_from_array(np.ones((200, 200), np.uint32)), ProfileOptions(**SMALL))
    stack = cm.image_from_array(np.zeros((2, 3, 9, 9), np.uint8), "CZYX")
    with pytest.raises(AxesError, match="Z planes"):
        profile_cells(stack, cm.labels_from_array(np.ones((9, 9), np.uint32)), ProfileOptions(**SMALL))


def test_pooled_profiles_say_pixels_and_cells(two_discs):
    sample = Profile(ratio=["target", "reference"], **SMALL)(two_discs)
    cells, pooled = sample.tables["radial_profile_cells"], sample.tables["radial_profile_pooled"]
    for row in pooled.itertuples():
        rows = cells[cells["start_pct"] == row.start_pct]
        assert row.count_px == rows["count_px"].sum()
        assert row.count_cells == 2
        assert row.mean_target == pytest.approx(np.average(rows["mean_target"], weights=rows["count_px"]))
        assert row.mean_of_cells_target == pytest.approx(rows["mean_target"].mean())
        assert row.sem_over_cells_target == pytest.approx(rows["mean_target"].std(ddof=1) / np.sqrt(2))
        assert row.sem_over_cells_ratio_target_to_reference >= 0
        assert row.mean_of_cells_ratio_target_to_reference == pytest.approx(rows["ratio_target_to_reference"].mean())


def test_smoothing_leaves_a_line_and_calms_noise():
    line = Profile(unit="px", start=-25, end=0, window=1, smooth_window=5)(disc_sample(lambda radius: radius))
    tables = line.tables
    np.testing.assert_allclose(
        tables["radial_profile_smoothed"]["mean_target"], tables["radial_profile_cells"]["mean_target"], atol=0.5
    )
    rng = np.random.default_rng(0)
    noisy = Profile(**SMALL)(disc_sample(lambda radius: rng.normal(50, 20, radius.shape))).tables
    raw, calm = (noisy[f"radial_profile_{kind}"]["mean_target"] for kind in ("cells", "smoothed"))
    assert np.diff(calm).std() < np.diff(raw).std()


@pytest.mark.parametrize("unit", ["percent", "px"])
def test_bands_of_rows_change_nothing(two_discs, unit, monkeypatch):
    options = ProfileOptions(unit=unit, start=0 if unit == "percent" else -8, end=20, window=4, stride=2)
    whole = profile_cells(two_discs.image, two_discs.labels["cells"], options)
    from cellmetry.core.image import Box

    monkeypatch.setattr(
        PlaneCells,
        "bands",
        lambda self: [Box(y, min(y + 13, self.shape[0]), 0, self.shape[1]) for y in range(0, self.shape[0], 13)],
    )
    for one, other in zip(profile_cells(two_discs.image, two_discs.labels["cells"], options), whole, strict=True):
        np.testing.assert_allclose(one.to_numpy(float), other.to_numpy(float), rtol=1e-12)


def test_peaks_are_where_rings_are():
    """A ring at 20 px of 30 in the target, one at 25 in the reference."""

    def rings(radius):
        return 10 + 100 * np.exp(-(((radius - 20) / 2) ** 2))

    sample = disc_sample(rings)
    y, x = np.mgrid[:100, :100]
    reference = 10 + 100 * np.exp(-(((np.hypot(y - 50, x - 50) - 25) / 2) ** 2))
    image = cm.image_from_array(
        np.stack([sample.image.plane(c=0), reference]), "CYX", channel_names=["target", "reference"]
    )
    sample = Profile(unit="px", start=-28, end=3, window=1, stride=0.5)(Sample(image, sample.labels))
    for algorithm in ("first_local_top", "global_max"):
        found = Peaks(first="target", second="reference", lowest=-28, uppermost=3, algorithm=algorithm)(sample)
        peaks = found.tables["peaks"]
        row = peaks.iloc[0]
        assert row["peak_target_px"] == pytest.approx(-10.5, abs=1)
        assert row["peak_reference_px"] == pytest.approx(-5.5, abs=1)
        assert row["difference_px"] == pytest.approx(-5, abs=1)
        assert row["accepted_target"]
        assert row["reason_target"] == ""
        assert row["prominence_target"] > 50


def ring_sample(at: float, *, noise: float = 0.0) -> Sample:
    """Return a disc of radius 30 px with a bright ring, which may lie outside of it, in noise."""
    rng = np.random.default_rng(4)
    return disc_sample(
        lambda radius: 50 + 40 * np.exp(-(((radius - at) / 2) ** 2)) + rng.normal(0, noise, radius.shape)
    )


@pytest.mark.parametrize("unit", ["px", "um"])
def test_a_peak_outside_of_the_cell_is_not_accepted_unless_asked_for(unit):
    um = 0.5 if unit == "um" else 1.0
    sample = ring_sample(35)
    labels = cm.labels_from_array(sample.labels["cells"].read(), pixel_size=sample.image.pixel_size)
    sample = Sample(sample.image, {"cells": labels})
    sample = Profile(unit=unit, start=-20 * um, end=12 * um, window=um, stride=um / 2)(sample)
    whole = {"first": "target", "lowest": -20 * um, "uppermost": 12 * um}
    row = Peaks(**whole)(sample).tables["peaks"].iloc[0]
    assert row[f"peak_target_{unit}"] == pytest.approx(4.5 * um, abs=um)
    assert not row["accepted_target"]
    assert Peaks(**whole, highest="anywhere")(sample).tables["peaks"].iloc[0]["accepted_target"]
    assert Peaks(**whole, highest=6 * um)(sample).tables["peaks"].iloc[0]["accepted_target"]


def test_a_peak_in_per_cent_lies_at_98_at_most():
    sample = Profile(**SMALL | {"window": 4, "stride": 1})(ring_sample(30.5))
    limits = {"first": "target", "lowest": 60, "uppermost": 120}
    row = Peaks(**limits)(sample).tables["peaks"].iloc[0]
    assert row["peak_target_pct"] > 98
    assert not row["accepted_target"]
    assert Peaks(**limits, highest="anywhere")(sample).tables["peaks"].iloc[0]["accepted_target"]


def test_a_peak_that_noise_explains_is_not_accepted():
    lenient = {"least_range": 0, "most_noise": 9, "least_run": 0, "lowest": -28, "uppermost": 0, "first": "target"}
    quiet, loud = (Profile(unit="px", start=-28, end=0, window=2)(ring_sample(20, noise=noise)) for noise in (5, 400))
    assert Peaks(**lenient)(quiet).tables["peaks"]["accepted_target"].tolist() == [True]
    assert Peaks(**lenient)(loud).tables["peaks"]["accepted_target"].tolist() == [False]
    assert Peaks(**lenient, least_prominence=0)(loud).tables["peaks"]["accepted_target"].tolist() == [True]


def test_no_peak_is_missing_and_not_refused(two_discs):
    sample = Profile(unit="px", start=-20, end=0, window=2)(two_discs)
    made = Peaks(first="target", second="reference", lowest=-20, uppermost=0)(sample).tables["peaks"]
    assert made["reason_target"].tolist() == ["no turn in the range"] * 2
    assert made["reason_reference"].tolist() == ["the same everywhere in the range"] * 2
    names = ("peak_target_px", "peak_mean_target", "difference_px", "falling_target", "accepted_target")
    assert made[[*names, "prominence_target"]].isna().all(axis=None)
    assert made["range_target"].notna().all()
    assert made["accepted_target"].dtype == "boolean"


def test_one_channel_has_peaks_of_its_own():
    sample = Profile(unit="px", start=-28, end=3, window=1, stride=0.5)(ring_sample(20))
    alone = Peaks(first="target", lowest=-28, uppermost=3)(sample).tables["peaks"]
    both = Peaks(first="target", second="reference", lowest=-28, uppermost=3)(sample).tables["peaks"]
    assert not [name for name in alone if "reference" in name or "difference" in name]
    pd.testing.assert_frame_equal(alone, both[list(alone)])
    assert [column.name for column in alone.attrs["columns"]] == list(alone)


def test_windows_without_a_pixel_stay_empty_when_smoothed():
    """Windows of a twentieth of a pixel's width, many of them empty."""
    sample = disc_sample(lambda radius: radius)
    tables = Profile(unit="px", start=-30, end=0, window=0.05, stride=0.05, ratio=["target", "reference"])(
        sample
    ).tables
    raw, smooth = tables["radial_profile_cells"], tables["radial_profile_smoothed"]
    empty = raw["count_px"] == 0
    assert empty.any()
    assert smooth.loc[empty, ["mean_target", "mean_reference", "ratio_target_to_reference"]].isna().all(axis=None)
    assert smooth.loc[~empty, "mean_target"].notna().all()


@pytest.mark.parametrize(("window", "order"), [(4, 2), (5, 4), (3, 2)])
def test_smoothing_that_does_nothing_is_refused(window, order):
    with pytest.raises(ValueError, match="smoothing"):
        Profile(smooth_window=window, smooth_order=order)
    assert Profile(smooth_window=0, smooth_order=0).smooth_window == 0


def test_every_column_is_described(two_discs):
    sample = Profile(ratio=["target", "reference"], **SMALL)(two_discs)
    sample = Peaks(first="target", second="reference", lowest=10)(sample)
    for name in ("radial_profile_cells", "radial_profile_pooled", "radial_profile_smoothed", "peaks"):
        table = sample.tables[name]
        assert [column.name for column in table.attrs["columns"]] == list(table.columns)


def test_no_cells_give_empty_tables(two_discs):
    from dataclasses import replace

    none = replace(two_discs, labels={"cells": cm.labels_from_array(np.zeros((90, 130), np.uint32))})
    made = Peaks(first="target", second="reference")(Profile(ratio=["target", "reference"], **SMALL)(none))
    assert made.tables["radial_profile_cells"].empty
    assert made.tables["peaks"].empty
    assert (made.tables["radial_profile_pooled"]["count_px"] == 0).all()


def test_what_cannot_be_is_refused(two_discs):
    with pytest.raises(ValueError, match="starts at 0"):
        Profile(start=-5)
    with pytest.raises(ValueError, match="does not fit"):
        Profile(start=0, end=3, window=5)
    with pytest.raises(UnknownName):
        Profile(channels=["green"])(two_discs)
    with pytest.raises(ParameterError, match="needs both channels"):
        Profile(channels=["target"], ratio=["target", "reference"])(two_discs)
    with pytest.raises(PixelSizeNeeded):
        Profile(unit="um", start=-5, end=0)(disc_sample(lambda radius: radius, pixel_size_um=None))
    with pytest.raises(ParameterError, match="No step before made a table named 'radial_profile_cells'"):
        Peaks(first="target", second="reference")(two_discs)
    profiled = Profile(**SMALL)(two_discs)
    with pytest.raises(ParameterError, match="no profile of the channel 'green'"):
        Peaks(first="green", second="reference")(profiled)
    with pytest.raises(ParameterError, match="two different"):
        Peaks(first="target", second="target")(profiled)
    with pytest.raises(ParameterError, match="sem_target is missing"):
        Peaks(first="target", profiles="radial_profile_smoothed")(profiled)
    with pytest.raises(ParameterError, match="No window"):
        Peaks(first="target", second="reference", lowest=500, uppermost=600)(profiled)
