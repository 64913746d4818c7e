"""Quantities in cells and masks, and their ratios."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import cellmetry as cm
from cellmetry.core.sample import Sample
from cellmetry.errors import ParameterError
from cellmetry.measure.columns import describe_columns
from cellmetry.ops.radial import RadialRange
from cellmetry.quantify.profiles import Profile
from cellmetry.quantify.quantities import Quantify, QuantifyOptions, quantify_cells
from cellmetry.quantify.radial import radial_mask

T_OVER_R = "target_to_reference"


def pair(target: np.ndarray, reference: np.ndarray, **more: object) -> cm.Image:
    return cm.image_from_array(np.stack([target, reference]), "CYX", channel_names=["target", "reference"], **more)


def table_of(sample, **parameters) -> pd.DataFrame:
    return Quantify(**parameters)(sample).tables["cells"]


def test_whole_cells_and_masks_against_numpy(two_discs):
    labels = two_discs.labels["cells"].read()
    mask = np.where(two_discs.image.plane(c=0) > 200, labels, 0).astype(np.uint32)
    sample = two_discs.with_masks({"bright": cm.labels_from_array(mask)})
    table = table_of(sample, masks=["bright"]).set_index("label")
    for number in (3, 8):
        for prefix, region in (("cell", labels == number), ("bright", mask == number)):
            row = table.loc[number]
            assert row[f"{prefix}_area_px"] == region.sum()
            assert row[f"{prefix}_area_um2"] == pytest.approx(region.sum() * 0.25)
            for index, channel in enumerate(("target", "reference")):
                values = two_discs.image.plane(c=index)[region].astype(float)
                for statistic, wanted in {
                    "sum": values.sum(),
                    "mean": values.mean(),
                    "std": values.std(),
                    "median": np.median(values),
                }.items():
                    assert row[f"{prefix}_{statistic}_{channel}"] == pytest.approx(wanted)


def test_a_cell_of_which_a_mask_holds_nothing_has_an_area_of_0_and_no_intensity(two_discs):
    only = np.where(two_discs.labels["cells"].read() == 3, 3, 0).astype(np.uint32)
    sample = two_discs.with_masks({"part": cm.labels_from_array(only)})
    row = table_of(sample, masks=["part"], ratios=[["target", "reference"]]).set_index("label").loc[8]
    assert row["part_area_px"] == 0
    assert row[["part_mean_target", f"part_ratio_of_means_{T_OVER_R}"]].isna().all()


def test_rules_of_ratios_by_hand():
    target, reference = np.array([[4.0, 6.0, 2.0, 8.0]]), np.array([[2.0, 0.0, -1.0, 4.0]])
    image, labels = pair(target, reference), cm.labels_from_array(np.ones((1, 4), np.uint32))

    def row(rule: str, **more: float) -> pd.Series:
        options = QuantifyOptions(ratios=[("target", "reference")], rule=rule, **more)
        return quantify_cells(image, labels, {}, options).iloc[0]

    assert row("ratio_of_means")[f"cell_ratio_of_means_{T_OVER_R}"] == pytest.approx(20 / 5)
    each = row("mean_of_ratios")
    assert each[f"cell_mean_of_ratios_{T_OVER_R}"] == pytest.approx(2.0)
    assert each[f"cell_std_of_ratios_{T_OVER_R}"] == pytest.approx(0.0)
    assert each[f"cell_ratio_px_{T_OVER_R}"] == 2
    smooth = row("epsilon_smoothed", epsilon=0.5)
    wanted = ((target + 0.5) / (reference + 0.5)).mean()
    assert smooth[f"cell_mean_of_smoothed_ratios_{T_OVER_R}"] == pytest.approx(wanted, rel=1e-6)
    assert smooth[f"cell_ratio_of_smoothed_means_{T_OVER_R}"] == pytest.approx(5.5 / 1.75)


@pytest.mark.parametrize("reference", [0.0, -3.0])
def test_a_ratio_to_nothing_is_missing_and_never_infinite(reference):
    image = pair(np.full((3, 3), 5.0), np.full((3, 3), reference))
    labels = cm.labels_from_array(np.ones((3, 3), np.uint32))
    for rule in ("ratio_of_means", "mean_of_ratios"):
        options = QuantifyOptions(ratios=[("target", "reference")], rule=rule)
        assert np.isnan(quantify_cells(image, labels, {}, options)[f"cell_{rule}_{T_OVER_R}"]).all()


def test_a_ratio_of_means_is_of_the_pixels_that_are_finite_in_both(two_discs):
    """As at the edge of a channel that was moved."""
    target = two_discs.image.plane(c=0).astype(np.float32)
    reference = target * 2
    reference[:, :50] = np.nan
    sample = Sample(pair(target, reference), two_discs.labels)
    for rule in ("ratio_of_means", "mean_of_ratios"):
        table = table_of(sample, ratios=[["target", "reference"]], rule=rule)
        np.testing.assert_allclose(table[f"cell_{rule}_{T_OVER_R}"], 0.5)
    profile = Profile(ratio=["target", "reference"], window=10, stride=10)(sample).tables["radial_profile_cells"]
    np.testing.assert_allclose(profile[f"ratio_{T_OVER_R}"].dropna(), 0.5)
    missing = Quantify()(sample).warnings
    assert "pixels of channel reference in objects are NaN or infinite" in missing[0]


def test_a_mask_has_the_ids_of_the_cells(two_discs):
    labels = two_discs.labels["cells"].read()
    for wrong in (np.where(labels > 0, 11 - labels, 0), np.where(labels > 0, 99, 0)):
        sample = two_discs.with_masks({"nuclei": cm.labels_from_array(wrong.astype(np.uint32))})
        with pytest.raises(ParameterError, match="'nuclei' has other ids than the cells"):
            table_of(sample, masks=["nuclei"])
    with pytest.raises(ParameterError, match="cannot be named 'cell'"):
        table_of(two_discs.with_masks({"cell": two_discs.labels["cells"]}), masks=["cell"])


def test_names_of_masks_that_look_like_statistics_are_described_rightly(two_discs):
    sample = two_discs.with_masks({"max_projection_mask": two_discs.labels["cells"]})
    described = {column.name: column for column in table_of(sample, masks=["max_projection_mask"]).attrs["columns"]}
    column = described["max_projection_mask_mean_target"]
    assert column.definition == "Of the max_projection_mask: Mean of the finite pixels. Channel target."


def test_the_ratio_image_is_defined_in_the_mask_where_the_lower_channel_is_above_0(two_discs):
    sample = Quantify(ratios=[["target", "reference"]], ratio_map="ratio")(two_discs)
    ratio = sample.maps["ratio"]
    values, labels = ratio.read(), two_discs.labels["cells"].read()
    assert (ratio.axes, ratio.dtype) == ("YX", np.float32)
    np.testing.assert_array_equal(np.isfinite(values), labels > 0)
    np.testing.assert_allclose(
        values[labels > 0], (two_discs.image.plane(c=0) / two_discs.image.plane(c=1))[labels > 0], rtol=1e-6
    )


def test_every_column_is_described(two_discs):
    for rule in ("ratio_of_means", "mean_of_ratios", "epsilon_smoothed"):
        sample = two_discs.with_masks({"radial_mask": two_discs.labels["cells"]})
        table = table_of(sample, masks=["radial_mask"], ratios=[["target", "reference"]], rule=rule)
        described = {column.name: column for column in describe_columns(table)}
        assert set(described) == set(table.columns)
        assert described["radial_mask_mean_target"].definition.startswith("Of the radial_mask: Mean")
        ratio = next(name for name in described if "to_reference" in name and name.startswith("cell"))
        assert "Channels target over reference." in described[ratio].definition


def test_no_cells_give_an_empty_table_with_the_same_columns(two_discs):
    from dataclasses import replace

    none = replace(two_discs, labels={"cells": cm.labels_from_array(np.zeros((90, 130), np.uint32))})
    chosen = {"ratios": [["target", "reference"]], "rule": "mean_of_ratios"}
    assert list(table_of(none, **chosen).columns) == list(table_of(two_discs, **chosen).columns)
    assert table_of(none, **chosen).empty


values = arrays(np.uint8, (9, 11), elements=st.integers(0, 250))
cells = arrays(np.uint32, (9, 11), elements=st.sampled_from([0, 0, 1, 1, 2, 9]))
OPTIONS = QuantifyOptions(ratios=[("target", "reference")])


def measured(labels: np.ndarray, target: np.ndarray, reference: np.ndarray, **more: object) -> pd.DataFrame:
    made = cm.labels_from_array(labels)
    ring = radial_mask(made, RadialRange(40, 100))
    return quantify_cells(pair(target, reference, **more), made, {"radial_mask": ring}, OPTIONS)


def _without_places(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=[name for name in table if "centroid" in name])


@settings(max_examples=30)
@given(cells, values, values)
def test_renumbering_changes_nothing_but_the_ids(labels, target, reference):
    plain = measured(labels, target, reference)
    other = measured((labels > 0) * (1000 - labels), target, reference)
    other["label"] = 1000 - other["label"]
    pd.testing.assert_frame_equal(other.sort_values("label", ignore_index=True), plain)


@settings(max_examples=30)
@given(cells, values, values)
def test_turning_by_a_right_angle_changes_nothing_but_places(labels, target, reference):
    plain = measured(labels, target, reference)
    turned = measured(*(np.rot90(each).copy() for each in (labels, target, reference)))
    pd.testing.assert_frame_equal(_without_places(turned), _without_places(plain))


@settings(max_examples=30)
@given(cells, values, values)
def test_more_background_around_the_image_changes_nothing_but_places(labels, target, reference):
    framed = [np.pad(each, 3) for each in (labels, target, reference)]  # so that no cell meets the border
    plain = measured(*framed)
    padded = measured(*(np.pad(each, ((2, 7), (4, 1))) for each in framed))
    pd.testing.assert_frame_equal(_without_places(padded), _without_places(plain))


def test_another_pixel_size_scales_areas_alone(two_discs):
    labels = two_discs.labels["cells"]
    small, large = (quantify_cells(two_discs.image.with_pixel_size(um), labels, {}, OPTIONS) for um in (0.5, 1.5))
    np.testing.assert_allclose(large["cell_area_um2"], 9 * small["cell_area_um2"])
    np.testing.assert_array_equal(large["cell_area_px"], small["cell_area_px"])
    np.testing.assert_array_equal(large["cell_mean_target"], small["cell_mean_target"])


def test_stacks_are_measured_plane_by_plane_when_asked():
    labels = cm.labels_from_array(np.ones((2, 4, 4), np.uint32), "ZYX")
    stack = np.stack([np.full((2, 4, 4), 3.0), np.full((2, 4, 4), 2.0)])
    image = cm.image_from_array(stack, "CZYX", channel_names=["target", "reference"])
    table = quantify_cells(
        image, labels, {"part": labels}, QuantifyOptions(ratios=[("target", "reference")], volume=False)
    )
    assert table[["label", "z"]].to_numpy().tolist() == [[1, 0], [1, 1]]
    assert (table[f"part_ratio_of_means_{T_OVER_R}"] == 1.5).all()
