"""The step dualcellquant on generated images, against its rules written out cell by cell."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage import morphology
from skimage.filters import threshold_otsu
from skimage.restoration import rolling_ball

from cellmetry.core.image import PixelSize, image_from_array
from cellmetry.core.labels import labels_from_array
from cellmetry.core.sample import Sample
from cellmetry.errors import AxesError, LabelsError, ParameterError, UnknownName
from cellmetry.quantify.dualcellquant.radial import Depths, percent_windows
from cellmetry.quantify.dualcellquant.step import DualCellQuant

SHAPE = (70, 90)
GREY = 0.9999


def field(seed: int = 0, dtype: type = np.uint8) -> tuple[np.ndarray, np.ndarray]:
    """Return two channels with saturated and with empty pixels, and cells that touch one another and the border."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    labels = np.zeros(SHAPE, np.uint32)
    for label, (cy, cx, radius) in {2: (15, 18, 14), 9: (22, 44, 15), 5: (52, 70, 16), 7: (68, 20, 15)}.items():
        labels[((y - cy) ** 2 + (x - cx) ** 2 < radius**2) & (labels == 0)] = label
    light = ndimage.gaussian_filter(rng.random((2, *SHAPE)), (0, 2, 2)) * 900 - 330 + 60 * (labels > 0)
    light[:, 10:14, 10:16] = 400
    top = np.iinfo(dtype).max
    return np.clip(light * (top / 255), 0, top).astype(dtype), labels


def sample_of(channels: np.ndarray, labels: np.ndarray, *, um: float | None = 0.5) -> Sample:
    image = image_from_array(channels, "CYX", channel_names=["target", "reference"], pixel_size_um=um, name="pair")
    return Sample(image, {"cells": labels_from_array(labels)})


def made(seed: int = 0, **parameters) -> Sample:
    return DualCellQuant(**parameters)(sample_of(*field(seed)))


def cleaned(mask: np.ndarray, least: int) -> np.ndarray:
    parts, _ = ndimage.label(mask)
    large = mask & (np.bincount(parts.ravel()) >= least)[parts]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # scikit-image 0.26 renames it
        return morphology.binary_opening(large, morphology.disk(1))


def slow_mask(plane: np.ndarray, regions: np.ndarray, mode: str, percentile: float, least: int) -> np.ndarray:
    values = GREY * plane.astype(np.float64) / np.iinfo(plane.dtype).max
    valid = values < 254 / 255

    def reaching(of: np.ndarray) -> np.ndarray:
        limit = threshold_otsu(of.astype(np.float32)) if mode.endswith("otsu") else np.percentile(of, percentile)
        return (values >= limit - 1e-9) & valid

    out = np.zeros_like(regions)
    whole = None if mode == "none" else cleaned(reaching(values[valid]), least)
    for label in np.unique(regions[regions > 0]):
        cell = regions == label
        if mode == "none":
            mask = cell & valid
        elif mode.startswith("global"):
            mask = cleaned(whole & cell, least)
        else:
            mask = cleaned(reaching(values[cell & valid]) & cell, least)
        out[mask] = label
    return out


def slow_radial(labels: np.ndarray, inner: float, outer: float, least: int) -> np.ndarray:
    out = np.zeros_like(labels)
    distance, index = ndimage.distance_transform_edt(labels == 0, return_indices=True)
    nearest = labels[tuple(index)]
    low, high = sorted((inner / 100, outer / 100))
    for label in np.unique(labels[labels > 0]):
        depth = ndimage.distance_transform_edt(labels == label)
        t = 1 - depth / depth.max()
        out[cleaned((labels == label) & (t >= low) & (t <= min(high, 1)), least)] = label
        if outer > 100:
            reach = np.float32((outer / 100 - 1) * depth.max())
            out[(labels == 0) & (nearest == label) & (distance <= reach)] = label
    return out


@pytest.mark.parametrize("mode", ["none", "global_percentile", "global_otsu", "per_cell_percentile", "per_cell_otsu"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_masks_are_those_of_the_rules_cell_by_cell(mode, dtype):
    channels, labels = field(1, dtype)
    rule = {"percentile_target": 40, "min_object_target_px": 9}
    masks = DualCellQuant(mask_target=mode, **rule)(sample_of(channels, labels)).masks
    expected = slow_mask(channels[0], labels, mode, 40, 9)
    assert np.count_nonzero(expected) > 100
    np.testing.assert_array_equal(masks["target_mask"].read(), expected)


@pytest.mark.parametrize(("inner", "outer"), [(0, 100), (60, 90), (90, 60), (30, 140), (120, 160), (100, 100)])
def test_radial_regions_are_those_of_the_rules_cell_by_cell(inner, outer):
    _, labels = field()
    region = made(radial_inner=inner, radial_outer=outer, min_object_radial_px=20).masks["radial_mask"].read()
    np.testing.assert_array_equal(region, slow_radial(labels, inner, outer, 20))


@settings(max_examples=80)
@given(arrays(np.uint32, st.tuples(st.integers(2, 14), st.integers(2, 14)), elements=st.sampled_from([0, 0, 1, 2, 7])))
def test_depths_are_scipys_of_each_cell_alone(labels):
    depths = Depths(labels)
    for label in depths.ids:
        if (labels == label).all():
            continue
        alone = ndimage.distance_transform_edt(labels == label)
        assert depths.deepest_of(np.array([label]))[0] == alone.max()
        cell = labels == label
        np.testing.assert_array_equal(depths.inside[cell], 1 - alone[cell] / alone.max())


def test_the_table_is_that_of_the_rules_cell_by_cell():
    channels, labels = field(2)
    rule = {"mask_target": "per_cell_percentile", "percentile_target": 30, "min_object_target_px": 5}
    sample = DualCellQuant(**rule, radial_inner=50, radial_outer=130, min_object_radial_px=0)(
        sample_of(channels, labels)
    )
    table = sample.tables["cells"].set_index("label")
    masks = [slow_mask(channels[0], labels, "per_cell_percentile", 30, 5), slow_mask(channels[1], labels, "none", 0, 0)]
    region = slow_radial(labels, 50, 130, 0)
    target, reference = GREY * channels.astype(float)
    for label in table.index:
        cell = labels == label
        on = ((masks[0] > 0) & (masks[1] > 0) & cell & (region == label)) | ((region == label) & ~cell)
        ratio = (target[on] + 1e-6) / (reference[on] + 1e-6)
        row = table.loc[label]
        expected = {
            "area_cell_px": cell.sum(),
            "area_cell_um2": cell.sum() * 0.25,
            "area_and_px": on.sum(),
            "sum_target_on_mask": target[on].sum(),
            "std_reference_on_mask": reference[on].std(),
            "sum_ratio_T_over_R": ratio.sum(),
            "std_ratio_T_over_R": ratio.std(),
            "ratio_of_means_on_mask": (target[on].mean() + 1e-6) / (reference[on].mean() + 1e-6),
            "mean_target_whole": target[cell].mean(),
            "std_reference_whole": reference[cell].std(),
        }
        assert row[list(expected)].to_numpy() == pytest.approx(list(expected.values()), rel=1e-5)
        np.testing.assert_array_equal(sample.masks["and_mask"].read() == label, on)
    picture = sample.maps["ratio"].read()
    np.testing.assert_array_equal(np.isfinite(picture), sample.masks["and_mask"].read() > 0)
    assert picture.dtype == np.float32
    assert picture[on] == pytest.approx(ratio, rel=1e-5)


def test_profiles_are_those_of_the_rules_cell_by_cell():
    channels, labels = field(3)
    tables = made(3, profile_window=20, profile_step=10, profile_end=140, background="manual").tables
    target, reference = GREY * np.clip(channels - 1.0, 0, None)
    distance, index = ndimage.distance_transform_edt(labels == 0, return_indices=True)
    rows, everything = [], []
    for label in (2, 5, 7, 9):
        depth = ndimage.distance_transform_edt(labels == label)
        outside = (labels == 0) & (labels[tuple(index)] == label)
        t_in = np.where(labels == label, 1 - depth / depth.max(), np.nan)
        t_out = np.float32(1) + distance.astype(np.float32) / np.float32(depth.max())
        t_out[~outside] = np.nan
        for start in range(0, 121, 10):
            low, high = start / 100, (start + 20) / 100
            held = (t_in >= low) & (t_in <= high) | (t_out >= np.float32(low)) & (t_out <= np.float32(high))
            ratio = (target[held] + 1e-6) / (reference[held] + 1e-6)
            rows.append([label, start + 10, held.sum(), target[held].mean(), ratio.std(ddof=1)])
            everything.append((start + 10, target[held]))
    names = ["label", "center_pct", "count_px", "mean_target", "std_ratio_T_over_R"]
    np.testing.assert_allclose(tables["radial_profile_cells"][names], rows, rtol=1e-5)
    for _, row in tables["radial_profile_pooled"].iterrows():
        values = np.concatenate([part for centre, part in everything if centre == row["center_pct"]])
        assert row[["count_px", "mean_target", "std_target", "sem_target"]].to_numpy() == pytest.approx(
            [values.size, values.mean(), values.std(ddof=1), values.std(ddof=1) / values.size**0.5], rel=1e-5
        )


def test_smoothing_leaves_spreads_alone_and_is_left_out_when_off():
    tables = made(profile_window=10, profile_step=5).tables
    raw, smooth = tables["radial_profile_cells"], tables["radial_profile_sg"]
    assert list(raw) == list(smooth)
    changed = {name for name in raw if not np.array_equal(raw[name], smooth[name], equal_nan=True)}
    assert changed == {"mean_target", "mean_reference", "mean_ratio_T_over_R"}
    assert "radial_profile_sg" not in made(profile_window=10, smoothing_window=0).tables


@pytest.mark.parametrize("algorithm", ["first_local_top", "global_max"])
def test_peaks_lie_where_the_light_is(algorithm):
    y, x = np.mgrid[:90, :90]
    radius = np.hypot(y - 45, x - 45)
    labels = (radius <= 30).astype(np.uint32) * 3
    deepest = ndimage.distance_transform_edt(labels > 0).max()
    position = 1 - ndimage.distance_transform_edt(labels > 0) / deepest
    position[labels == 0] = 1 + ndimage.distance_transform_edt(labels == 0)[labels == 0] / deepest
    channels = [200 * np.exp(-(((position - top) / 0.12) ** 2)) + 20 for top in (1.05, 0.8)]
    step = DualCellQuant(profile_window=5, profile_step=1, peaks=algorithm)
    table = step(sample_of(np.stack(channels).astype(np.uint8), labels)).tables["peaks"]
    assert table["max_target_center_pct"][0] == pytest.approx(105, abs=2.5)
    assert table["max_reference_center_pct"][0] == pytest.approx(80, abs=2.5)
    area = np.count_nonzero(labels)
    assert table["difference_px"][0] == pytest.approx(table["difference_pct"][0] / 100 * (area / np.pi) ** 0.5)
    assert table["difference_um"][0] == pytest.approx(0.5 * table["difference_px"][0])
    assert table["max_reference_intensity"][0] == pytest.approx(216, abs=8)
    assert table["accept_ref"][0]


@pytest.mark.parametrize(
    ("background", "level"),
    [
        ("rolling", lambda plane: rolling_ball(plane.astype(np.float32), radius=7)),
        ("dark", lambda plane: plane[plane <= np.percentile(plane, 20)].mean()),
        ("manual", lambda _: 12.5),
    ],
)
def test_background_is_taken_off_before_the_weights(background, level):
    channels, labels = field(4)
    rule = {"rolling_radius_px": 7, "dark_percentile": 20, "manual_target": 12.5}
    table = made(4, background=background, **rule).tables["cells"].set_index("label")
    expected = GREY * np.clip(channels[0] - level(channels[0]), 0, None)
    for label in table.index:
        assert table.loc[label, "mean_target_whole"] == pytest.approx(expected[labels == label].mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("normalise", "rule"),
    [
        ("z", lambda v: (v - v.mean()) / v.std()),
        ("robust", lambda v: (v - np.median(v)) / (1.4826 * np.median(np.abs(v - np.median(v))))),
        ("minmax", lambda v: (v - v.min()) / np.ptp(v)),
        ("percentile", lambda v: np.clip((v - np.percentile(v, 1)) / np.subtract(*np.percentile(v, (99, 1))), 0, 1)),
    ],
)
def test_normalisation_is_by_its_formula(normalise, rule):
    channels, labels = field(5)
    table = made(5, normalise=normalise).tables["cells"].set_index("label")
    expected = GREY * rule(channels[0].astype(float))
    for label in table.index:
        assert table.loc[label, "mean_target_whole"] == pytest.approx(expected[labels == label].mean(), rel=1e-4)


@pytest.mark.parametrize("normalise", ["minmax", "percentile", "z", "robust"])
def test_a_flat_channel_becomes_zero(normalise):
    flat = np.full((2, 20, 20), 7, np.uint8)
    labels = np.zeros((20, 20), np.uint32)
    labels[5:15, 5:15] = 1
    table = DualCellQuant(normalise=normalise)(sample_of(flat, labels)).tables["cells"]
    assert table["mean_target_whole"][0] == 0


def saturation_field() -> Sample:
    channels = np.full((2, 4, 6), 10, np.uint8)
    channels[0, 1, 1:5] = 253, 254, 255, 10
    return sample_of(channels, np.ones((4, 6), np.uint32))


@pytest.mark.parametrize(("pick", "limit", "lost"), [("gray", 254, 1), ("colour", 254, 2), ("gray", 250, 3)])
def test_a_pixel_at_the_limit_is_kept_in_gray_only(pick, limit, lost):
    step = DualCellQuant(channel_target=pick, saturation_target=limit)
    assert step(saturation_field()).tables["cells"]["area_and_px"][0] == 24 - lost


def test_the_limit_of_16_bit_is_scaled_to_their_range():
    channels = np.full((2, 4, 6), 10, np.uint16)
    channels[0, 1, :4] = 65000, 65278, 65285, 65535
    table = DualCellQuant()(sample_of(channels, np.ones((4, 6), np.uint32))).tables["cells"]
    # 254 of 255 is 65278; in gray that is reached from 65284.5 on
    assert table["area_and_px"][0] == 22
    assert table["mean_reference_whole"][0] == pytest.approx(9.999)


def test_fractions_and_numbers_above_one_are_scaled_as_there():
    plane = np.linspace(0, 0.5, 24, dtype=np.float32).reshape(4, 6)
    labels = np.ones((4, 6), np.uint32)
    rule = {"mask_target": "global_percentile", "percentile_target": 50, "min_object_target_px": 0}
    for factor in (1, 1000):
        masks = DualCellQuant(**rule)(sample_of(np.stack([plane, plane]) * factor, labels)).masks
        assert np.count_nonzero(masks["target_mask"].read()) == 12


def test_without_a_reference_the_table_is_that_of_a_single_image():
    sample = made(reference="", profile_window=10)
    table = sample.tables["cells"]
    assert list(table) == [
        "label", "area_cell_px", "area_cell_um2", "area_mask_px", "area_mask_um2",
        "sum_on_mask", "mean_on_mask", "std_on_mask", "sum_whole", "mean_whole", "std_whole",
    ]  # fmt: skip
    both = made().tables["cells"]
    np.testing.assert_allclose(table["mean_whole"], both["mean_target_whole"])
    assert set(sample.masks) == {"target_mask", "and_mask"}
    assert not sample.maps
    assert "mean_reference" not in sample.tables["radial_profile_cells"]
    assert np.array_equal(sample.masks["and_mask"].read(), sample.masks["target_mask"].read())
    assert (table["area_mask_px"] < table["area_cell_px"]).any()


def test_the_region_can_replace_cells_for_masks_and_be_left_out_for_measuring():
    _, labels = field()
    region = slow_radial(labels, 40, 120, 50)
    rule = {"radial_inner": 40, "radial_outer": 120, "saturation_target": 255, "saturation_reference": 255}
    masks = made(**rule, radial_on_target=True, radial_on_and=False).masks
    np.testing.assert_array_equal(masks["target_mask"].read(), region)
    np.testing.assert_array_equal(masks["reference_mask"].read() > 0, labels > 0)
    np.testing.assert_array_equal(masks["and_mask"].read(), np.where(region > 0, labels, 0))


def test_the_ring_beyond_the_cell_passes_by_masks_and_saturation():
    channels, labels = field()
    channels[0][labels == 0] = 255
    sample = DualCellQuant(radial_inner=0, radial_outer=140)(sample_of(channels, labels))
    chosen = sample.masks["and_mask"].read()
    region = sample.masks["radial_mask"].read()
    np.testing.assert_array_equal(chosen[labels == 0], region[labels == 0])
    assert (region[labels == 0] > 0).sum() > 100


def stacked(axes: str) -> Sample:
    pairs = [field(seed) for seed in range(3)]
    channels = np.stack([pair[0] for pair in pairs])
    labels = np.stack([pair[1] for pair in pairs])
    labels[1][labels[1] == 2] = 0
    image = image_from_array(channels, f"{axes}CYX", channel_names=["target", "reference"], pixel_size_um=0.5)
    return Sample(image, {"cells": labels_from_array(labels, f"{axes}YX")})


@pytest.mark.parametrize("axis", ["Z", "T"])
def test_stacks_and_series_are_quantified_plane_by_plane(axis):
    rule = {"mask_target": "per_cell_otsu", "radial_outer": 120, "profile_window": 10, "peaks": "global_max"}
    whole = DualCellQuant(**rule)(stacked(axis))
    assert list(whole.tables["cells"])[:2] == ["label", axis.lower()]
    assert list(whole.tables["radial_profile_pooled"])[:2] == [axis.lower(), "band_start_pct"]
    assert whole.masks["and_mask"].axes == f"{axis}YX"
    assert whole.maps["ratio"].axes == f"{axis}YX"
    for number in (0, 2):
        alone = made(number, **rule)
        for name, table in alone.tables.items():
            part = whole.tables[name].query(f"{axis.lower()} == {number}").drop(columns=axis.lower())
            pd.testing.assert_frame_equal(part.reset_index(drop=True), table, check_like=False)
        np.testing.assert_array_equal(whole.masks["and_mask"].read()[number], alone.masks["and_mask"].read())
        np.testing.assert_array_equal(whole.maps["ratio"].read()[number], alone.maps["ratio"].read())
    assert sorted(whole.tables["cells"].query(f"{axis.lower()} == 1")["label"]) == [5, 7, 9]


def test_masks_rest_on_the_pixels_as_read_and_measuring_on_the_corrected_ones():
    channels, labels = field()
    raw = sample_of(channels, labels)
    brighter = raw.with_image(sample_of(channels.astype(np.float32) * 3, labels).image)
    step = DualCellQuant(mask_target="global_otsu", min_object_target_px=5)
    before, after = step(raw), step(brighter)
    np.testing.assert_array_equal(before.masks["target_mask"].read(), after.masks["target_mask"].read())
    np.testing.assert_allclose(
        3 * before.tables["cells"]["mean_target_whole"], after.tables["cells"]["mean_target_whole"], rtol=1e-6
    )


def test_pixel_sides_are_those_given_then_those_of_the_image_then_one():
    channels, labels = field()
    for um, sides, area in [(0.5, {}, 0.25), (None, {}, 1.0), (0.5, {"pixel_width_um": 2, "pixel_height_um": 3}, 6.0)]:
        table = DualCellQuant(**sides)(sample_of(channels, labels, um=um)).tables["cells"]
        np.testing.assert_allclose(table["area_cell_um2"], table["area_cell_px"] * area)


@pytest.mark.parametrize("normalise", ["none", "z"])
def test_renumbering_cells_changes_nothing_but_ids(normalise):
    channels, labels = field()
    rule = {"mask_target": "per_cell_otsu", "radial_outer": 130, "normalise": normalise, "profile_window": 10}
    first = DualCellQuant(**rule)(sample_of(channels, labels)).tables
    again = DualCellQuant(**rule)(sample_of(channels, np.where(labels > 0, labels + 1000, 0))).tables
    for name, table in first.items():
        shifted = table.assign(label=table["label"] + 1000) if "label" in table else table
        pd.testing.assert_frame_equal(shifted, again[name])


def test_no_cells_give_tables_without_rows():
    channels, labels = field()
    rule = {"mask_target": "global_otsu", "radial_outer": 120, "profile_window": 10, "peaks": "first_local_top"}
    sample = DualCellQuant(**rule)(sample_of(channels, np.zeros_like(labels)))
    full = made(**rule)
    for name, table in full.tables.items():
        empty = sample.tables[name]
        assert list(empty) == list(table)
        assert empty.attrs["columns"] == table.attrs["columns"]
        assert len(empty) == (0 if "label" in table else len(table))


def test_a_cell_with_one_pixel_has_no_spread_of_its_ratio():
    labels = np.zeros((9, 9), np.uint32)
    labels[4, 4] = 6
    table = DualCellQuant()(sample_of(np.full((2, 9, 9), 5, np.uint8), labels)).tables["cells"]
    assert table["std_target_on_mask"][0] == 0
    assert np.isnan(table["std_ratio_T_over_R"][0])
    assert table["mean_ratio_T_over_R"][0] == pytest.approx(1)


def test_a_cell_that_fills_the_plane_is_in_no_region_and_that_is_said():
    sample = DualCellQuant(radial_outer=120, profile_window=10)(saturation_field())
    assert "Cell 1 fills its whole plane" in sample.warnings[0]
    assert not sample.masks["radial_mask"].read().any()
    assert sample.tables["cells"]["area_and_px"][0] == 0
    assert (sample.tables["radial_profile_cells"]["count_px"] == 0).all()


def test_windows_are_added_up_step_by_step_and_put_in_order():
    windows = percent_windows(150, 0, 10, 5)
    assert len(windows.starts) == 29
    assert (windows.starts[0], windows.ends[-1]) == (0, 150)
    total, starts = 0.0, []
    while total <= 1 - 0.3 + 1e-6:
        starts.append(total)
        total += 0.1
    assert percent_windows(0, 1, 0.3, 0.1).starts.tolist() == starts


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"target": "GFP"}, UnknownName, "GFP"),
        ({"labels": "nuclei"}, ParameterError, "nuclei"),
        ({"peaks": "global_max"}, ParameterError, "profile_window"),
        ({"peaks": "global_max", "profile_window": 5, "reference": ""}, ParameterError, "two channels"),
        ({"peaks": "global_max", "profile_window": 5, "profile_end": 40}, ParameterError, "widen peak_low"),
        ({"profile_window": 200}, ParameterError, "No window of 200 %"),
        ({"mask_target": "global_otsu", "saturation_target": 1e-9}, ParameterError, "Every pixel of the target"),
    ],
)
def test_what_cannot_be_is_said_plainly(parameters, error, words):
    channels, labels = field()
    with pytest.raises(error, match=words):
        DualCellQuant(**parameters)(sample_of(np.maximum(channels, 1), labels))


def test_labels_must_be_of_the_images_size_and_planes():
    channels, labels = field()
    with pytest.raises(LabelsError, match="not of the size"):
        DualCellQuant()(sample_of(channels, labels[:-1]))
    stack = stacked("Z")
    with pytest.raises(AxesError, match="3 Z planes"):
        DualCellQuant()(Sample(stack.image, {"cells": labels_from_array(labels)}))


def test_channels_may_be_given_by_number():
    channels, labels = field()
    first = DualCellQuant(target=1, reference=0)(sample_of(channels, labels)).tables["cells"]
    second = DualCellQuant()(sample_of(channels[::-1], labels)).tables["cells"]
    pd.testing.assert_frame_equal(first, second)


def test_pixel_sides_of_the_image_may_differ():
    channels, labels = field()
    sample = sample_of(channels, labels)
    image = replace(sample.image, pixel_size=PixelSize(2.0, 0.5))
    table = DualCellQuant()(Sample(image, sample.labels)).tables["cells"]
    np.testing.assert_allclose(table["area_cell_um2"], table["area_cell_px"])
