"""Colocalisation: against numpy, scipy and scikit-image cell by cell, Costes by brute force, invariances."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import median_abs_deviation, pearsonr, spearmanr
from skimage.filters import threshold_otsu
from skimage.measure import intersection_coeff, manders_coloc_coeff, manders_overlap_coeff, pearson_corr_coeff

import cellmetry as cm
from cellmetry.core.labels import Labels
from cellmetry.core.sample import Sample
from cellmetry.errors import ParameterError, UnknownName
from cellmetry.measure.colocalisation import COLOCALISATION_COLUMNS, ColocalisationOptions, Colocalise, colocalisation
from cellmetry.measure.columns import describe_columns
from cellmetry.measure.fields import fields_of
from cellmetry.measure.pair_thresholds import costes_thresholds, otsu_threshold
from cellmetry.measure.pair_values import sampled_bands
from cellmetry.pipeline.recipe import parse_recipe, recipe_text

seeds = st.integers(0, 2**32 - 1)


def mixed(labels: np.ndarray, seed: int = 3, share: float = 0.5) -> np.ndarray:
    """Return two channels that vary together in part, uint16."""
    rng = np.random.default_rng(seed)
    both = rng.gamma(1.0, 300.0, (2, *labels.shape))
    both[1] = share * both[0] + (1 - share) * both[1]
    return both.astype(np.uint16)


def compare(pixels, labels, axes="CYX", label_axes="YX", **options):
    image = cm.image_from_array(pixels, axes, channel_names=["a", "b"])
    return colocalisation(
        image, cm.labels_from_array(labels, label_axes), ColocalisationOptions(**{"saturation": "none", **options})
    )


@pytest.fixture(scope="module")
def field(blobs) -> tuple[np.ndarray, np.ndarray]:
    labels = blobs(4)
    return mixed(labels), labels


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.int32])
def test_every_cell_is_what_plain_libraries_say(field, dtype):
    pixels, labels = field
    pixels = (pixels % 251).astype(dtype)
    table = compare(pixels, labels, threshold="value", first_threshold=100, second_threshold=80)
    assert len(table) > 30
    for row in table.itertuples():
        a, b = pixels[:, labels == row.label].astype(np.float64)
        assert row.used_px == a.size
        if np.ptp(a) == 0 or np.ptp(b) == 0:
            assert np.isnan([row.pearson, row.spearman, row.li_icq]).all()
            continue
        if a.size < 3:
            assert abs(row.pearson) == 1
            continue
        assert row.pearson == pytest.approx(pearsonr(a, b)[0], abs=1e-12)
        assert row.pearson == pytest.approx(pearson_corr_coeff(a, b)[0], abs=1e-12)
        assert row.spearman == pytest.approx(spearmanr(a, b)[0], abs=1e-12)
        assert row.manders_overlap == pytest.approx(manders_overlap_coeff(a.astype(float), b.astype(float)), rel=1e-12)
        assert row.manders_k1 == pytest.approx((a * 1.0 @ b) / (a * 1.0 @ a), rel=1e-12)
        assert row.manders_k2 == pytest.approx((a * 1.0 @ b) / (b * 1.0 @ b), rel=1e-12)
        assert row.li_icq == pytest.approx(np.mean((a - a.mean()) * (b - b.mean()) > 0) - 0.5, abs=1e-12)
        for one, two, t1, t2, m, share in (
            (a, b, 100, 80, row.manders_m1, row.intersection_1),
            (b, a, 80, 100, row.manders_m2, row.intersection_2),
        ):
            if (one > t1).any():
                assert m == pytest.approx(manders_coloc_coeff(one.astype(float), two > t2, one > t1), rel=1e-12)
                assert share == pytest.approx(intersection_coeff(one > t1, two > t2), rel=1e-12)
            else:
                assert np.isnan(m)
                assert np.isnan(share)


@given(seeds, st.integers(2, 300), st.sampled_from([3, 40, 60000]))
def test_otsu_of_whole_numbers_is_that_of_scikit_image(seed, size, top):
    values = np.random.default_rng(seed).integers(0, top, size).astype(np.uint16)
    if values.min() == values.max():
        assert np.isnan(otsu_threshold(values))
        return

    def apart(cut: float) -> float:
        low, high = values[values <= cut], values[values > cut]
        return low.size * high.size * (low.mean() - high.mean()) ** 2

    ours, theirs = otsu_threshold(values), threshold_otsu(values)
    assert ours == theirs or apart(ours) == pytest.approx(apart(theirs), rel=1e-9)


def costes_by_trying(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Return Costes' thresholds by trying the level of every pixel, from the highest down."""
    (xx, xy), (_, yy) = np.cov(a, b)
    slope = (yy - xx + np.hypot(yy - xx, 2 * xy)) / (2 * xy)
    level = np.minimum(a - a.mean(), (b - b.mean()) / slope)
    for cut in np.unique(level)[::-1]:
        below = level <= cut
        if below.sum() < 2 or np.cov(a[below], b[below])[0, 1] <= 1e-9:
            break
    return a.mean() + cut, b.mean() + slope * cut


@given(seeds, st.integers(20, 120), st.floats(0.2, 0.8))
def test_costes_is_the_highest_threshold_without_correlation_below(seed, size, share):
    rng = np.random.default_rng(seed)
    a = rng.gamma(1.0, 100.0, size)
    b = share * a + (1 - share) * rng.gamma(1.0, 100.0, size)
    if np.corrcoef(a, b)[0, 1] <= 0.01:
        return
    assert costes_thresholds(a, b) == pytest.approx(costes_by_trying(a, b), rel=1e-9, abs=1e-9)


def test_costes_tells_the_common_signal_from_noise():
    rng = np.random.default_rng(0)
    signal = np.where(rng.random(20000) < 0.2, rng.uniform(200, 800, 20000), 0)
    a, b = (100 + signal * scale + rng.normal(0, 10, 20000) for scale in (1.0, 0.5))
    first, second = costes_thresholds(a, b)
    assert 100 < first < 300
    assert 100 < second < 200
    below = (a <= first) | (b <= second)
    assert abs(np.corrcoef(a[below], b[below])[0, 1]) < 0.05


def test_costes_fails_openly_where_channels_exclude_each_other():
    a = np.arange(50.0)
    assert np.isnan(costes_thresholds(a, a[::-1])).all()
    assert np.isnan(costes_thresholds(a[:2], a[:2])).all()
    labels = np.ones((1, 50), np.uint32)
    row = compare(np.stack([a, a[::-1]])[:, None], labels, threshold="costes").iloc[0]
    assert row["pearson"] == pytest.approx(-1)
    assert row["li_icq"] == -0.5
    assert np.isnan([row["threshold_first"], row["manders_m1"], row["manders_m2"], row["intersection_1"]]).all()


def test_what_is_undefined_is_missing_and_not_0():
    labels = np.array([[1, 1, 1, 2, 2, 2, 3]], np.uint32)
    pixels = np.array([[[5, 5, 5, 0, 0, 0, 9]], [[1, 2, 3, 0, 0, 0, 4]]], np.uint16)
    table = compare(pixels, labels, threshold="value", first_threshold=4, second_threshold=8).set_index("label")
    assert table[["pearson", "spearman", "li_icq"]].isna().all(axis=None)
    assert table["manders_overlap"].isna().tolist() == [False, True, False]
    assert table["manders_m1"].tolist() == [0, pytest.approx(np.nan, nan_ok=True), 0]
    assert table["manders_m2"].isna().all()
    assert np.isnan(compare(pixels, labels).set_index("label").loc[1, "threshold_first"])


def test_saturated_pixels_of_the_original_and_missing_ones_are_left_out():
    labels = np.ones((4, 50), np.uint32)
    raw = mixed(labels) % 4000
    raw[0, 0, :5] = 4095
    raw[1, 1, :7] = 4095
    values = raw.astype(np.float32) - 100
    values[0, 2, :3] = np.nan
    original = cm.image_from_array(raw, "CYX", channel_names=["a", "b"])
    sample = Sample(original, {"cells": cm.labels_from_array(labels)})
    sample = sample.with_image(cm.image_from_array(values, "CYX", channel_names=["a", "b"]))
    row = Colocalise()(sample).tables["colocalisation"].iloc[0]
    assert row[["used_px", "saturated_px", "nan_px"]].tolist() == [200 - 15, 12, 3]
    fine = (raw < 4095).all(axis=0) & np.isfinite(values).all(axis=0)
    assert row["pearson"] == pytest.approx(pearsonr(*values[:, fine].astype(float))[0], abs=1e-9)
    everything = Colocalise(saturation="none")(sample).tables["colocalisation"].iloc[0]
    assert everything[["used_px", "saturated_px"]].tolist() == [197, 0]


@pytest.mark.parametrize("threshold", ["otsu", "costes"])
def test_one_threshold_for_all_cells_of_an_image(field, threshold):
    pixels, labels = field
    table = compare(pixels, labels, threshold=threshold, per="image")
    inside = pixels[:, labels > 0]
    if threshold == "otsu":
        expected = [threshold_otsu(channel) for channel in inside]
    else:
        expected = costes_by_trying(*inside.astype(float))
    assert table["threshold_first"].unique() == pytest.approx([expected[0]], rel=1e-9)
    assert table["threshold_second"].unique() == pytest.approx([expected[1]], rel=1e-9)


def test_threshold_above_the_background():
    labels = np.zeros((40, 40), np.uint32)
    labels[10:30, 10:30] = 1
    rng = np.random.default_rng(1)
    pixels = rng.normal(100, 10, (2, 40, 40))
    pixels[:, 10:30, 10:30] += 500
    mask = np.where(rng.random((40, 40)) < 0.5, labels, 0).astype(np.uint32)
    image = cm.image_from_array(pixels, "CYX")
    sample = Sample(image, {"cells": cm.labels_from_array(labels)}, masks={"m": cm.labels_from_array(mask)})
    row = Colocalise(region="m", threshold="background")(sample).tables["colocalisation"].iloc[0]
    outside = pixels[0, labels == 0]
    deviation = median_abs_deviation(outside, scale="normal")
    assert row["threshold_first"] == pytest.approx(np.median(outside) + 3 * deviation)
    assert row["manders_m1"] == 1
    assert row["used_px"] == np.count_nonzero(mask)
    with pytest.raises(ParameterError, match="No step before made labels"):
        Colocalise(region="m", threshold="background", outside="nuclei")(sample)


@given(seeds, st.integers(0, 3), st.integers(0, 5))
def test_names_padding_and_turning_change_nothing(seed, turns, pad):
    rng = np.random.default_rng(seed)
    labels = rng.integers(1, 4, (3, 4)).repeat(5, 0).repeat(5, 1).astype(np.uint32)
    pixels = mixed(labels, seed)
    names = rng.permutation(90)[:4].astype(np.uint32) + 1
    names[0] = 0
    options = {"threshold": "otsu"}
    plain = compare(pixels, labels, **options).set_index("label")
    room = ((pad, 1), (2, pad))
    other = compare(
        np.rot90(np.pad(pixels, ((0, 0), *room), constant_values=7), turns, axes=(1, 2)),
        np.rot90(np.pad(names[labels], room), turns),
        **options,
    ).set_index("label")
    renamed = plain.rename(index=lambda label: int(names[label])).sort_index()
    np.testing.assert_allclose(other.to_numpy(), renamed.to_numpy(), rtol=1e-9, atol=1e-9)
    assert other.index.tolist() == renamed.index.tolist()


@given(seeds, st.floats(0.01, 100), st.floats(-1000, 1000))
def test_gain_and_offset_change_no_correlation(seed, gain, offset):
    labels = np.ones((6, 9), np.uint32)
    pixels = mixed(labels, seed).astype(np.float64)
    changed = pixels.copy()
    changed[1] = changed[1] * gain + offset
    columns = ["pearson", "spearman", "li_icq"]
    first, second = (compare(one, labels)[columns].to_numpy() for one in (pixels, changed))
    np.testing.assert_allclose(first[0, :2], second[0, :2], atol=1e-6)
    assert first[0, 2] == pytest.approx(second[0, 2], abs=0.05)


def test_planes_volumes_and_frames():
    labels = np.ones((2, 6, 6), np.uint32)
    labels[:, :, 3:] = 2
    pixels = np.stack([mixed(plane, seed) for seed, plane in enumerate(labels)], axis=1)
    image = cm.image_from_array(pixels, "CZYX")
    for linked, rows in ((True, 2), (False, 4)):
        table = colocalisation(image, Labels(labels, "ZYX", linked_z=linked), ColocalisationOptions(saturation="none"))
        assert len(table) == rows
        assert ("z" in table) is not linked
        inside = pixels[:, labels == 1] if linked else pixels[:, 0, :, :3]
        assert table["pearson"][0] == pytest.approx(pearsonr(*inside.reshape(2, -1).astype(float))[0], abs=1e-12)
    movie = compare(pixels, labels, "CTYX", "TYX")
    assert movie["t"].tolist() == [0, 0, 1, 1]


def test_the_table_describes_itself_and_no_object_is_no_row():
    labels = np.zeros((5, 5), np.uint32)
    table = compare(np.zeros((2, 5, 5), np.uint16), labels, per="image", spearman=False)
    assert len(table) == 0
    described = describe_columns(table)
    assert [column.name for column in described] == list(table.columns)
    assert "spearman" not in table
    assert {column.name for column in COLOCALISATION_COLUMNS} == {*table.columns, "spearman"} - {"label"}
    assert "First channel (a) a, second (b) b. Threshold: otsu per image." in described[-1].definition


def test_options_that_do_not_go_together():
    step = {"step": "colocalise", "saturation": "none"}
    text = recipe_text(parse_recipe({"steps": [step]}))
    assert parse_recipe(tomllib.loads(text)).steps[0].saturation == "none"
    for wrong in ({"threshold": "value"}, {"first_threshold": 3.0}, {"threshold": "value", "second_threshold": 1.0}):
        with pytest.raises(ParameterError, match="threshold=value"):
            parse_recipe({"steps": [{"step": "colocalise", **wrong}]})
    image = cm.image_from_array(np.zeros((2, 4, 4), np.uint16), "CYX")
    with pytest.raises(ParameterError, match="saturation limit"):
        Colocalise(saturation="much")(Sample(image, {"cells": cm.labels_from_array(np.zeros((4, 4), np.uint32))}))
    image = cm.image_from_array(np.zeros((4, 4), np.uint16))
    with pytest.raises(UnknownName, match="channel"):
        Colocalise()(Sample(image, {"cells": cm.labels_from_array(np.zeros((4, 4), np.uint32))}))


def test_a_huge_plane_is_sampled_on_one_grid(field):
    pixels, labels = field
    image = cm.image_from_array(pixels, "CYX")
    plane = fields_of(image, cm.labels_from_array(labels), ColocalisationOptions())[0]
    ((box, thin),) = sampled_bands(plane, most=labels.size // 4)
    assert thin.step == 2
    assert box == image.plane_box
