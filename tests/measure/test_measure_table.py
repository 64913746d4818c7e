"""`measure`: blocks, stacks, units, missing pixels, empty and awkward labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import cellmetry as cm
from cellmetry.core.image import PixelSize
from cellmetry.core.labels import Labels
from cellmetry.core.sample import Sample
from cellmetry.errors import AxesError, LabelsError, ParameterError, UnknownName
from cellmetry.measure.columns import CHANNEL_COLUMNS, OBJECT_COLUMNS, describe_columns
from cellmetry.measure.names import safe_names
from cellmetry.measure.options import DEFAULT_FEATURES, MeasureOptions
from cellmetry.measure.step import Measure
from cellmetry.measure.table import measure, measure_in_blocks

EVERYTHING = MeasureOptions(features=(*DEFAULT_FEATURES, "texture"))


class OnDisk:
    """Labels that are read part by part and count the rows asked for."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.tallest = 0

    def __getitem__(self, index):
        part = self.array[index]
        self.tallest = max(self.tallest, part.shape[-2])
        return part


@pytest.mark.parametrize("rows", [1, 7, 64, 10_000])
def test_blocks_change_no_bit(field, rows):
    image, labels = field
    whole = measure(image, labels, EVERYTHING)
    pd.testing.assert_frame_equal(whole, measure_in_blocks(image, labels, EVERYTHING, rows=rows), check_exact=True)


def test_labels_on_disk_are_read_in_bands(blobs):
    rows = np.arange(120, dtype=np.uint32)[:, None]
    array = np.where((blobs(3) > 0) & (rows % 20 != 0), blobs(3) + rows // 20 * 10_000, 0).astype(np.uint32)
    lazy = OnDisk(array)
    image = cm.image_from_array(array)
    table = measure_in_blocks(image, Labels(lazy), EVERYTHING, rows=20)
    pd.testing.assert_frame_equal(table, measure(image, cm.labels_from_array(array), EVERYTHING), check_exact=True)
    assert lazy.tallest <= 42


def test_sparse_ids_give_the_same_rows(field):
    image, labels = field
    dense = np.unique(labels.read(), return_inverse=True)[1].reshape(labels.shape).astype(np.uint32)
    sparse = np.where(dense > 0, np.uint32(2**32 - 1) - 1_000_003 * dense.astype(np.uint64), 0).astype(np.uint32)
    few = measure(image, cm.labels_from_array(dense), EVERYTHING)
    many = measure(image, cm.labels_from_array(sparse), EVERYTHING)
    assert many["label"].max() > 2**31
    backwards = few.drop(columns="label")[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(many.drop(columns="label"), backwards, check_exact=True)


def test_no_object_gives_the_same_columns_and_no_row(field):
    image, labels = field
    empty = measure(image, cm.labels_from_array(np.zeros(labels.shape, np.uint8)), EVERYTHING)
    full = measure(image, labels, EVERYTHING)
    assert len(empty) == 0
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
    assert list(empty.columns) == list(full.columns)


def test_case_55_one_pixel_object_has_its_documented_values():
    labels = np.zeros((3, 3), np.uint8)
    labels[0, 2] = 1
    row = measure(cm.image_from_array(labels * np.uint8(50)), cm.labels_from_array(labels), EVERYTHING).iloc[0]
    expected = {
        "area_px": 1,
        "centroid_y_px": 0,
        "centroid_x_px": 2,
        "major_axis_px": 0,
        "eccentricity": 0,
        "perimeter_px": np.pi / 2 * (1 + np.sqrt(0.5)),
        "perimeter_skimage_px": 0,
        "perimeter_imagej_px": 4 - 2 * (2 - np.sqrt(2)),
        "circularity_imagej": 1,
        "solidity": 1,
        "solidity_imagej": 1,
        "euler_number": 1,
        "feret_max_px": np.sqrt(2),
        "feret_min_px": 1,
        "mean_channel0": 50,
        "std_channel0": 0,
        "median_channel0": 50,
        "touching_count": 0,
    }
    assert row[list(expected)].to_dict() == pytest.approx(expected)
    missing = ["aspect_ratio", "circularity_skimage", "skewness_channel0", "kurtosis_channel0"]
    missing += ["sample_std_channel0", "nearest_distance_px", "texture_contrast_channel0"]
    assert row[missing].isna().all()


def test_missing_pixels_are_left_out_and_counted():
    labels = np.array([[1, 1, 1, 2, 2, 3]])
    pixels = np.array([[[1.0, np.nan, 3.0, np.inf, -np.inf, 5.0]], [[1.0, 2, 3, 4, 5, 6]]])
    image = cm.image_from_array(pixels, "CYX", channel_names=["a", "b"])
    table = measure(image, cm.labels_from_array(labels), EVERYTHING).set_index("label")
    assert table["nan_px_a"].tolist() == [1, 2, 0]
    assert "nan_px_b" not in table
    assert table.loc[1, ["mean_a", "sum_a", "min_a", "max_a", "median_a", "std_a"]].tolist() == [2, 4, 1, 3, 2, 1]
    assert table.loc[1, "weighted_x_px_a"] == 1.5
    assert table.loc[2, ["mean_a", "sum_a", "min_a", "median_a", "weighted_x_px_a"]].isna().all()
    assert table.loc[2, "area_px"] == 2


def test_the_step_warns_of_missing_pixels():
    labels = cm.labels_from_array(np.array([[1, 1, 0]]))
    made = Measure()(Sample(cm.image_from_array(np.array([[1.0, np.nan, np.nan]])), {"cells": labels}))
    assert len(made.warnings) == 1
    assert made.warnings[0].startswith("1 pixels of channel channel0")


def test_lengths_in_um_follow_pixels_that_are_not_square(blobs):
    labels = cm.labels_from_array(blobs(4))
    image = cm.image_from_array(labels.read())
    stretched = replace(image, pixel_size=PixelSize(x=0.5, y=1.5))
    table, plain = measure(stretched, labels), measure(image, labels)
    threefold = cm.labels_from_array(labels.read().repeat(3, axis=0))
    fine = measure(replace(cm.image_from_array(threefold.read()), pixel_size=PixelSize(0.5, 0.5)), threefold)
    for name in ("area_um2", "feret_max_um", "feret_min_um", "perimeter_imagej_um"):
        tolerance = 0.25 if name.startswith("perimeter") else 1e-9
        np.testing.assert_allclose(table[name], fine[name], rtol=tolerance, err_msg=name)
    np.testing.assert_allclose(table["centroid_y_um"], 1.5 * plain["centroid_y_px"])
    np.testing.assert_array_equal(table["major_axis_px"], plain["major_axis_px"])
    big = table["area_px"] > 40
    np.testing.assert_allclose(table["perimeter_um"][big], fine["perimeter_um"][big], rtol=0.12)
    assert table["perimeter_skimage_um"].isna().all()


def test_perimeter_of_a_disc_is_right_in_pixels_that_are_not_square():
    y, x = np.mgrid[-60:61, -180:181]
    disc = ((y * 3.0) ** 2 + x**2 <= 150**2).astype(np.uint32)
    image = replace(cm.image_from_array(disc), pixel_size=PixelSize(x=0.1, y=0.3))
    row = measure(image, cm.labels_from_array(disc)).iloc[0]
    assert row["perimeter_um"] == pytest.approx(2 * np.pi * 15, rel=0.02)
    assert row["circularity"] == pytest.approx(1, abs=0.04)
    assert row["eccentricity"] < 0.1
    assert row["feret_max_um"] == pytest.approx(30, rel=0.02)


def test_units_stand_only_where_the_pixel_size_is_known(field):
    image, labels = field
    known = measure(image, labels)
    unknown = measure(replace(image, pixel_size=PixelSize()), labels)
    assert set(known.columns) - set(unknown.columns) == {name for name in known if "_um" in name}
    np.testing.assert_allclose(known["area_um2"], known["area_px"] * 0.25)
    from_labels = measure(replace(image, pixel_size=PixelSize()), replace(labels, pixel_size=PixelSize(0.5, 0.5)))
    pd.testing.assert_frame_equal(known, from_labels)


def test_frames_are_measured_one_by_one(field):
    image, labels = field
    movie = np.stack([labels.read(), np.zeros(labels.shape, np.uint32), labels.read()])
    pixels = np.stack([image.read()] * 3)
    table = measure(cm.image_from_array(pixels, "TCYX"), cm.labels_from_array(movie, "TYX"))
    one = measure(cm.image_from_array(image.read(), "CYX"), labels)
    assert list(table.columns[:2]) == ["label", "t"]
    assert table["t"].unique().tolist() == [0, 2]
    last = table[table["t"] == 2].drop(columns="t").reset_index(drop=True)
    pd.testing.assert_frame_equal(last, one, check_exact=True)


def test_volumes_and_planes():
    labels = np.zeros((3, 6, 7), np.uint32)
    labels[0:2, 1:4, 2:6] = 5
    labels[2, 5, 6] = 9
    pixels = np.arange(labels.size, dtype=np.uint16).reshape(labels.shape)
    image = replace(cm.image_from_array(pixels, "ZYX"), pixel_size=PixelSize(x=0.5, y=0.5, z=2.0))
    linked = replace(cm.labels_from_array(labels, "ZYX"), linked_z=True)
    table = measure(image, linked).set_index("label")
    assert table["volume_px"].tolist() == [24, 1]
    assert table["volume_um3"].tolist() == [12.0, 0.5]
    assert table.loc[5, ["centroid_z_px", "centroid_y_px", "centroid_x_px"]].tolist() == [0.5, 2, 3.5]
    assert table.loc[5, "centroid_z_um"] == 1.0
    assert table.loc[5, ["bbox_z0_px", "bbox_z1_px", "bbox_y0_px", "bbox_x1_px"]].tolist() == [0, 2, 1, 6]
    assert table.loc[5, "mean_channel0"] == pixels[labels == 5].mean()
    assert table.loc[5, "integrated_density_um3_channel0"] == pixels[labels == 5].sum() * 0.5
    assert "perimeter_px" not in table
    described = [column.name for column in describe_columns(table.reset_index())]
    assert described == ["label", *table.columns]
    with pytest.raises(ParameterError, match="volume=true"):
        measure(image, cm.labels_from_array(labels, "ZYX"))
    planes = measure(image, cm.labels_from_array(labels, "ZYX"), MeasureOptions(volume=False))
    unlinked = replace(cm.labels_from_array(labels, "ZYX"), linked_z=False)
    pd.testing.assert_frame_equal(measure(image, unlinked), planes)
    assert planes[["label", "z", "area_px"]].to_numpy().tolist() == [[5, 0, 12], [5, 1, 12], [9, 2, 1]]


@pytest.mark.parametrize("rows", [1, 9])
def test_blocks_change_no_bit_of_volumes(blobs, rows):
    labels = np.stack([blobs(1), blobs(1), blobs(2)])
    pixels = np.random.default_rng(3).normal(size=labels.shape).astype(np.float32)
    image, objects = cm.image_from_array(pixels, "ZYX", pixel_size_um=0.3), cm.labels_from_array(labels, "ZYX")
    whole = measure(image, objects, MeasureOptions(volume=True))
    made = measure_in_blocks(image, objects, MeasureOptions(volume=True), rows=rows)
    pd.testing.assert_frame_equal(made, whole, check_exact=True)
    label = int(whole["label"].iloc[7])
    assert whole["mean_channel0"].iloc[7] == pytest.approx(pixels[labels == label].mean(), rel=1e-5)


def test_flat_labels_on_a_stack_need_a_choice():
    labels = cm.labels_from_array(np.array([[1, 1], [0, 2]]))
    pixels = np.array([[[1, 2], [3, 4]], [[5, 0], [0, 9]]], np.uint8)
    image = cm.image_from_array(pixels, "ZYX")
    with pytest.raises(AxesError, match="project='max'"):
        measure(image, labels)
    assert measure(image, labels, MeasureOptions(project="max"))["sum_channel0"].tolist() == [7, 9]
    assert measure(image, labels, MeasureOptions(project="mean"))["mean_channel0"].tolist() == [2, 6.5]
    assert measure(image, labels, MeasureOptions(plane=1))["sum_channel0"].tolist() == [5, 9]
    with pytest.raises(ParameterError, match="no plane 2"):
        measure(image, labels, MeasureOptions(plane=2))
    with pytest.raises(ParameterError, match="not both"):
        measure(image, labels, MeasureOptions(plane=1, project="max"))


def test_other_sizes_are_refused(field):
    image, labels = field
    with pytest.raises(LabelsError, match="size 119 along Y"):
        measure(image, cm.labels_from_array(labels.read()[:-1]))
    movie = cm.image_from_array(np.zeros((2, *labels.shape)), "TYX")
    with pytest.raises(AxesError, match="no T axis"):
        measure(movie, labels)
    with pytest.raises(LabelsError, match="along T"):
        measure(image, cm.labels_from_array(np.stack([labels.read()] * 2), "TYX"))


def test_channels_can_be_chosen(field):
    image, labels = field
    options = MeasureOptions(features=("intensity",), channels=("gfp 488",))
    assert [name for name in measure(image, labels, options) if "mean" in name] == ["mean_GFP_488"]
    with pytest.raises(UnknownName, match="channel"):
        measure(image, labels, MeasureOptions(channels=("CFP",)))


def test_neighbours():
    labels = np.zeros((6, 10), np.uint32)
    labels[1:3, 1:3], labels[1:3, 3:5], labels[3:5, 5:7] = 1, 2, 3
    labels[5, 9] = 4
    options = MeasureOptions(features=("neighbours",))
    table = measure(cm.image_from_array(labels, pixel_size_um=2), cm.labels_from_array(labels), options)
    assert table["touching_count"].tolist() == [1, 2, 1, 0]
    assert table["touching_fraction"].tolist() == [0.25, 0.25, 0, 0]
    assert table["nearest_distance_px"].tolist() == pytest.approx([2, 2, np.hypot(2, 2), np.hypot(1.5, 3.5)])
    assert table["nearest_distance_um"][0] == 4


def test_holes_and_parts_are_counted():
    labels = np.ones((7, 7), np.uint32)
    labels[3, 3] = 0
    labels[1, 5] = 0
    row = measure(cm.image_from_array(labels), cm.labels_from_array(labels)).iloc[0]
    assert row["euler_number"] == -1
    single_pixel = 4 - 2 * (2 - np.sqrt(2))
    assert row["perimeter_imagej_px"] == pytest.approx(28 - 4 * (2 - np.sqrt(2)) + 2 * single_pixel)


def test_every_column_is_described_once(field):
    image, labels = field
    table = measure(image, labels, EVERYTHING)
    described = describe_columns(table)
    assert [column.name for column in described] == list(table.columns)
    assert all(column.unit and column.definition.endswith(".") and column.source for column in described)
    names = [column.name for column in (*OBJECT_COLUMNS, *CHANNEL_COLUMNS)]
    assert len(names) == len(set(names))
    by_name = {column.name: column for column in described}
    assert by_name["area_um2"].unit == "um2"
    assert by_name["feret_max_um"].unit == "um"
    assert by_name["p95_GFP_488"].definition.startswith("95th percentile")
    assert "sample_std_DAPI" in by_name
    assert "less one" in by_name["sample_std_DAPI"].definition


def test_channel_names_become_safe_and_different():
    given = ["DAPI", "GFP 488/520", "=cmd()", "--", "DAPI", "µm α", "é"]
    assert safe_names(given) == ["DAPI", "GFP_488_520", "cmd", "channel3", "DAPI_2", "μm_α", "é"]


def test_channel_names_that_make_the_same_column_are_refused():
    image = cm.image_from_array(np.zeros((2, 3, 3)), "CYX", channel_names=["a", "5_a"])
    labels = cm.labels_from_array(np.eye(3, dtype=np.uint8))
    with pytest.raises(ParameterError, match="rename the channel '5_a'"):
        measure(image, labels, MeasureOptions(percentiles=(2, 2.5)))


def test_texture_range_must_rise():
    with pytest.raises(ValueError, match="must rise"):
        MeasureOptions(texture_range=(5, 5))


def test_step_adds_the_table(field):
    image, labels = field
    step = Measure(labels="nuclei", table="nuclei", features=("size",))
    made = step(Sample(image, {"nuclei": labels})).tables["nuclei"]
    pd.testing.assert_frame_equal(made, measure(image, labels, MeasureOptions(features=("size",))))
    assert Measure.model_validate_json(step.model_dump_json()) == step
    with pytest.raises(ParameterError, match="cells"):
        Measure()(Sample(image))


def test_the_package_can_be_called(field):
    image, labels = field
    options = MeasureOptions(features=("size",))
    pd.testing.assert_frame_equal(cm.measure(image, labels, options), measure(image, labels, options))


def test_progress_counts_to_its_total(field):
    image, labels = field

    class Heard:
        total = done = 0

        def start(self, task: str, total: int) -> None:
            self.total = total

        def advance(self, units: int = 1) -> None:
            self.done += units

    heard = Heard()
    measure_in_blocks(image, labels, MeasureOptions(), rows=50, progress=heard)
    assert heard.done == heard.total == 6
    heard = Heard()
    measure_in_blocks(image, cm.labels_from_array(np.zeros(labels.shape)), MeasureOptions(), rows=50, progress=heard)
    assert heard.done == heard.total == 6
