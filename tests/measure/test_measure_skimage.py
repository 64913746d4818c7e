"""Agreement with scikit-image to 1e-6 wherever the definitions coincide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage as ndi
from skimage.feature import graycomatrix, graycoprops
from skimage.measure import regionprops, regionprops_table

import cellmetry as cm
from cellmetry.measure.options import MeasureOptions
from cellmetry.measure.table import measure

PAIRS = {
    "area_px": "area",
    "centroid_y_px": "centroid-0",
    "centroid_x_px": "centroid-1",
    "bbox_y0_px": "bbox-0",
    "bbox_x0_px": "bbox-1",
    "bbox_y1_px": "bbox-2",
    "bbox_x1_px": "bbox-3",
    "equivalent_diameter_px": "equivalent_diameter_area",
    "major_axis_px": "axis_major_length",
    "minor_axis_px": "axis_minor_length",
    "perimeter_px": "perimeter_crofton",
    "perimeter_skimage_px": "perimeter",
    "euler_number": "euler_number",
    "extent": "extent",
    "mean_channel0": "intensity_mean-0",
    "std_channel0": "intensity_std-0",
    "min_channel0": "intensity_min-0",
    "max_channel0": "intensity_max-0",
    "weighted_y_px_channel0": "centroid_weighted-0-0",
    "weighted_x_px_channel0": "centroid_weighted-1-0",
}
PROPERTIES = sorted({name.split("-")[0] for name in PAIRS.values()} | {"orientation", "eccentricity"})
SHAPE_AND_MASS = MeasureOptions(features=("size", "position", "shape", "feret", "intensity", "mass"))

small_labels = arrays(np.uint32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3))


def compare(labels: np.ndarray, pixels: np.ndarray, places: float = 1e-6) -> None:
    table = measure(cm.image_from_array(pixels), cm.labels_from_array(labels), SHAPE_AND_MASS)
    theirs = regionprops_table(labels, pixels[..., None], properties=PROPERTIES)
    for ours, name in PAIRS.items():
        np.testing.assert_allclose(table[ours], theirs[name], rtol=places, atol=1e-5, err_msg=ours)
    turn = np.radians(table["orientation_deg"]) - theirs["orientation"]
    directed = theirs["axis_major_length"] - theirs["axis_minor_length"] > 1e-5
    np.testing.assert_allclose(np.sin(turn)[directed], 0, atol=1e-6)
    np.testing.assert_allclose(table["eccentricity"], theirs["eccentricity"], atol=2e-4)


@pytest.mark.parametrize("smooth", [0.5, 1.0, 2.0, 4.0])
def test_blobs_agree(blobs, smooth):
    labels = blobs(int(smooth * 10), smooth=smooth)
    compare(labels, np.random.default_rng(3).integers(1, 65535, labels.shape).astype(np.uint16))


@settings(deadline=None, max_examples=60)
@given(small_labels)
def test_any_labels_agree(labels):
    if labels.any():
        compare(labels, np.arange(1, labels.size + 1, dtype=np.float32).reshape(labels.shape))


def test_hulls_agree(blobs):
    labels = blobs(5, smooth=3.0)
    table = measure(cm.image_from_array(labels), cm.labels_from_array(labels), SHAPE_AND_MASS)
    for row, region in zip(table.itertuples(), regionprops(labels), strict=True):
        assert row.label == region.label
        assert row.convex_area_px == region.area_convex
        assert row.solidity == pytest.approx(region.solidity, rel=1e-12)
        assert row.feret_max_skimage_px == pytest.approx(region.feret_diameter_max, rel=1e-9)


@settings(deadline=None, max_examples=30)
@given(arrays(np.float64, (9, 9), elements=st.floats(-1e3, 1e3)), st.integers(0, 2**32 - 1))
def test_distribution_agrees_with_numpy(values, seed):
    labels = np.random.default_rng(seed).integers(0, 4, (9, 9)).astype(np.uint32)
    options = MeasureOptions(features=("distribution",), percentiles=(0, 2.5, 50, 99, 100))
    table = measure(cm.image_from_array(values), cm.labels_from_array(labels), options).set_index("label")
    for label in table.index:
        inside = values[labels == label]
        expected = np.percentile(inside, [0, 2.5, 50, 99, 100])
        columns = [f"{name}_channel0" for name in ("p0", "p2_5", "p50", "p99", "p100")]
        np.testing.assert_allclose(table.loc[label, columns], expected, rtol=1e-9, atol=1e-9)
        assert table.loc[label, "median_channel0"] == pytest.approx(np.median(inside), abs=1e-9)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64, np.int32, np.float16])
def test_all_types_give_the_same_numbers(dtype):
    rng = np.random.default_rng(6)
    labels = rng.integers(0, 5, (40, 40)).astype(np.uint32)
    values = rng.integers(0, 250, (40, 40))
    table = measure(cm.image_from_array(values.astype(dtype)), cm.labels_from_array(labels))
    plain = measure(cm.image_from_array(values.astype(np.float64)), cm.labels_from_array(labels))
    np.testing.assert_allclose(table, plain, rtol=1e-12)
    for label in (1, 2, 3, 4):
        inside = values[labels == label]
        row = table.loc[table["label"] == label].iloc[0]
        assert row["sum_channel0"] == inside.sum()
        assert row["sample_std_channel0"] == pytest.approx(inside.std(ddof=1))
        deviation = (inside - inside.mean()) / inside.std()
        assert row["skewness_channel0"] == pytest.approx((deviation**3).mean())
        assert row["kurtosis_channel0"] == pytest.approx((deviation**4).mean() - 3)


def test_edge_gradient_is_the_mean_of_sobel_on_the_boundary(blobs):
    labels = blobs(7)
    pixels = np.random.default_rng(8).integers(0, 255, labels.shape).astype(np.float64)
    table = measure(cm.image_from_array(pixels), cm.labels_from_array(labels), MeasureOptions(features=("edge",)))
    steep = np.hypot(ndi.sobel(pixels, 0, mode="nearest"), ndi.sobel(pixels, 1, mode="nearest")) / 8
    for label, value in zip(table["label"], table["edge_gradient_channel0"], strict=True):
        mask = labels == label
        boundary = mask & ~ndi.binary_erosion(mask)
        assert value == pytest.approx(steep[boundary].mean(), rel=1e-9)


def test_texture_agrees_with_graycoprops_on_a_rectangle():
    rng = np.random.default_rng(9)
    levels = rng.integers(0, 16, (30, 40)).astype(np.uint8)
    labels = np.zeros((50, 60), np.uint32)
    labels[10:40, 15:55] = 7
    pixels = rng.integers(0, 16, (50, 60)).astype(np.uint8)
    pixels[10:40, 15:55] = levels
    options = MeasureOptions(features=("texture",), texture_levels=16, texture_range=(0, 16), texture_distance=2)
    row = measure(cm.image_from_array(pixels), cm.labels_from_array(labels), options).iloc[0]
    # graycomatrix rounds a diagonal step of 2 to (1, 1): a step of (2, 2) is its distance 2·√2
    straight = graycomatrix(levels, [2], [0, np.pi / 2], 16, symmetric=True, normed=True)
    slanted = graycomatrix(levels, [2 * np.sqrt(2)], [np.pi / 4, 3 * np.pi / 4], 16, symmetric=True, normed=True)
    for name in ("contrast", "dissimilarity", "homogeneity", "ASM", "correlation", "entropy"):
        values = np.concatenate([graycoprops(matrix, name).ravel() for matrix in (straight, slanted)])
        scale = np.log(2) if name == "entropy" else 1
        assert row[f"texture_{name.lower()}_channel0"] == pytest.approx(values.mean() / scale, rel=1e-6), name
