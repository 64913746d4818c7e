"""Agreement with ImageJ's printed measurements, all columns, to the digits printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from skimage.io import imread

import cellmetry as cm
from cellmetry.errors import AxesError
from cellmetry.measure.imagej import measure_imagej
from cellmetry.measure.table import measure

if TYPE_CHECKING:
    from pathlib import Path

CELLS = "data/dualcolour/0.0_Z003_cell_masks.tif"
NUCLEI = "data/bbbc039/labels/A21_s1_w1D.png"
CASES = {
    "bbbc039_A21_s1_w1D_r50": ("golden/imagej/bbbc039_A21_s1_w1D_r50_bgsub.tif", NUCLEI),
    "dual_C001_r50": ("golden/imagej/dual_C001_r50_bgsub.tif", CELLS),
    "dual_C001_r8": ("golden/imagej/dual_C001_r8_bgsub.tif", CELLS),
    "dual_C001_raw": ("data/dualcolour/0.5_C001Z003.png", CELLS),
    "dual_C002_r50": ("golden/imagej/dual_C002_r50_bgsub.tif", CELLS),
}
NAMES = {
    "Area": "area_px",
    "Mean": "mean_channel0",
    "StdDev": "sample_std_channel0",
    "Min": "min_channel0",
    "Max": "max_channel0",
    "RawIntDen": "sum_channel0",
    "Skew": "skewness_channel0",
    "Kurt": "kurtosis_channel0",
    "Perim.": "perimeter_imagej_px",
    "Circ.": "circularity_imagej",
    "Feret": "feret_max_px",
    "MinFeret": "feret_min_px",
    "FeretAngle": "feret_angle_deg",
    "Solidity": "solidity_imagej",
}


def read_case(shared: Path, case: str) -> tuple[cm.Image, cm.Labels, pd.DataFrame]:
    pixels, labels = (imread(shared / path) for path in CASES[case])
    golden = pd.read_csv(shared / f"golden/imagej/{case}_measure.csv", index_col=0).set_index("label_id")
    return cm.image_from_array(pixels), cm.labels_from_array(labels), golden


@pytest.mark.parametrize("case", CASES)
def test_every_column_is_what_imagej_printed(shared, case):
    image, labels, golden = read_case(shared, case)
    table = measure_imagej(image, labels).set_index("label").loc[golden.index]
    assert list(table.columns) == list(golden.columns)
    for name in golden:
        np.testing.assert_allclose(table[name], golden[name], rtol=0, atol=0.000501, err_msg=name)


def test_the_usual_table_holds_the_same_numbers(shared):
    image, labels, golden = read_case(shared, "bbbc039_A21_s1_w1D_r50")
    table = measure(image, labels).set_index("label").loc[golden.index]
    for theirs, ours in NAMES.items():
        np.testing.assert_allclose(table[ours], golden[theirs], rtol=0, atol=0.000501, err_msg=ours)
    np.testing.assert_allclose(table["centroid_x_px"] + 0.5, golden["X"], atol=0.000501)
    np.testing.assert_allclose(table["weighted_y_px_channel0"] + 0.5, golden["YM"], atol=0.000501)


def test_a_single_pixel_and_an_empty_field():
    labels = np.zeros((5, 5), np.uint32)
    empty = measure_imagej(cm.image_from_array(labels), cm.labels_from_array(labels))
    assert empty.shape == (0, 34)
    labels[2, 3] = 9
    row = measure_imagej(cm.image_from_array(labels), cm.labels_from_array(labels)).iloc[0]
    assert row["Perim."] == pytest.approx(4 - 2 * (2 - np.sqrt(2)))
    assert (row["Area"], row["X"], row["Y"], row["Circ."], row["MinFeret"]) == (1, 3.5, 2.5, 1, 1)
    assert row["Feret"] == pytest.approx(np.sqrt(2))
    assert (row["StdDev"], row["Median"], row["Mode"]) == (0, 9, 9)


def test_median_of_an_even_number():
    labels = np.ones((1, 4), np.uint32)
    values = np.array([[1, 2, 5, 9]])
    whole = measure_imagej(cm.image_from_array(values.astype(np.uint8)), cm.labels_from_array(labels))
    real = measure_imagej(cm.image_from_array(values.astype(np.float32)), cm.labels_from_array(labels))
    assert (whole["Median"][0], real["Median"][0]) == (5, 3.5)


def test_more_than_one_plane_is_refused():
    stack = np.zeros((2, 4, 4), np.uint8)
    with pytest.raises(AxesError, match="one plane"):
        measure_imagej(cm.image_from_array(stack, "ZYX"), cm.labels_from_array(stack, "ZYX"))
