"""Spots: generated ones of known number, place and brightness are found and measured; noise and edges are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_laplace
from scipy.spatial import cKDTree
from scipy.stats import median_abs_deviation
from skimage.draw import disk

import cellmetry as cm
from cellmetry.core.image import Box, PixelSize
from cellmetry.core.labels import Labels
from cellmetry.core.sample import Sample
from cellmetry.errors import ParameterError, PixelSizeNeeded
from cellmetry.measure import pair_values, spot_planes
from cellmetry.measure.columns import describe_columns
from cellmetry.measure.spot_intensity import SpotShape, spot_intensity
from cellmetry.measure.spots import SpotOptions, Spots, find_spots
from cellmetry.measure.table import measure
from cellmetry.ops.spots import filter_margin, filter_spots, local_maxima, spot_roundness, thin_out
from cellmetry.pipeline.recipe import parse_recipe

SIGMA = 1.5
DIAMETER = 2 * np.sqrt(2) * SIGMA


def discs(side: int = 4, spacing: int = 80, radius: int = 32) -> np.ndarray:
    """Return a grid of round cells."""
    labels = np.zeros((side * spacing, side * spacing), np.uint32)
    for k in range(side * side):
        rr, cc = disk((spacing // 2 + spacing * (k // side), spacing // 2 + spacing * (k % side)), radius)
        labels[rr, cc] = k + 1
    return labels


def put_spots(shape, places, heights, sigma=(SIGMA, SIGMA)) -> np.ndarray:
    """Return Gaussian spots."""
    out = np.zeros(shape)
    for (y, x), height in zip(places, np.broadcast_to(heights, len(places)), strict=True):
        top, left = int(y) - 15, int(x) - 15
        yy, xx = np.mgrid[max(0, top) : top + 31, max(0, left) : left + 31]
        inside = (yy < shape[0]) & (xx < shape[1])
        spot = height * np.exp(-0.5 * (((yy - y) / sigma[0]) ** 2 + ((xx - x) / sigma[1]) ** 2))
        out[yy[inside], xx[inside]] += spot[inside]
    return out


def places_in(labels: np.ndarray, each: int, seed: int = 0, within: float = 24) -> np.ndarray:
    """Return places well inside of cells and away from one another."""
    rng = np.random.default_rng(seed)
    spacing = 80
    out: list[tuple[float, float]] = []
    for k in range(int(labels.max())):
        centre = np.array([40 + spacing * (k // 4), 40 + spacing * (k % 4)])
        mine: list[np.ndarray] = []
        while len(mine) < each:
            place = centre + within * np.sqrt(rng.random()) * np.array(
                [np.sin(a := rng.uniform(0, 2 * np.pi)), np.cos(a)]
            )
            if all(np.hypot(*(place - other)) > 9 for other in mine):
                mine.append(place)
        out += [tuple(place) for place in mine]
    return np.array(out)


def find(pixels, labels, *, pixel_size_um=None, **options):
    options = {"diameter_px": DIAMETER, **options} if "diameter_um" not in options else options
    image = cm.image_from_array(pixels, pixel_size_um=pixel_size_um)
    return find_spots(image, cm.labels_from_array(labels), SpotOptions(**options))


@pytest.mark.parametrize("method", ["log", "dog"])
@pytest.mark.parametrize("sigma", [1.0, 2.5, (1.5, 3.0)])
def test_a_spot_answers_with_its_height_and_a_flat_area_with_nothing(method, sigma):
    sigmas = (sigma, sigma) if isinstance(sigma, float) else sigma
    spot = put_spots((61, 61), [(30, 30)], 50.0, sigmas)
    response = filter_spots(1000 + spot, sigmas, method)
    assert response[30, 30] == pytest.approx(50, rel=0.01)
    assert response.argmax() == 30 * 61 + 30
    assert abs(response[0, 0]) < 1e-6
    assert spot_roundness(spot, (sigmas[0], sigmas[0]))[30, 30] == pytest.approx(
        2 / (1 + (sigmas[0] ** 2 + sigmas[1] ** 2) / (2 * sigmas[0] ** 2)), rel=0.05
    )


def test_the_laplacian_is_that_of_scipy():
    pixels = np.random.default_rng(0).normal(0, 1, (80, 80))
    ours, theirs = filter_spots(pixels, (2.0, 2.0)), -2 * 4 * gaussian_laplace(pixels, 2.0)
    np.testing.assert_allclose(ours, theirs, atol=0.01 * theirs.std())
    np.testing.assert_allclose(filter_spots(np.full((40, 40), 60000.0), (1.5, 2.5)), 0, atol=1e-9)


@pytest.mark.parametrize("method", ["log", "dog"])
def test_spots_of_known_number_place_and_brightness(method):
    labels = discs()
    places = places_in(labels, 6)
    heights = np.random.default_rng(1).uniform(300, 900, len(places))
    clean = 100 + 400 * (labels > 0) + put_spots(labels.shape, places, heights)
    pixels = np.random.default_rng(2).poisson(clean).astype(np.uint16)
    spots, cells = find(pixels, labels, method=method, pixel_size_um=0.1)
    assert len(spots) == len(places)
    assert cells["count"].tolist() == [6] * 16
    distance, index = cKDTree(spots[["y_px", "x_px"]].to_numpy()).query(places)
    assert distance.max() < 0.35
    assert sorted(index) == list(range(len(places)))
    found = spots.iloc[index]
    assert found["label"].tolist() == np.repeat(np.arange(1, 17), 6).tolist()
    np.testing.assert_allclose(found["height"], heights, rtol=0.15)
    np.testing.assert_allclose(found["background"], 500, rtol=0.05)
    # a disc of radius sqrt(2) sigma holds 1 - 1/e of a spot's light
    light = 2 * np.pi * SIGMA**2 * heights * (1 - np.exp(-1))
    np.testing.assert_allclose(found["sum_intensity"], light, rtol=0.25)
    assert np.corrcoef(found["sum_intensity"], light)[0, 1] > 0.98
    np.testing.assert_allclose(found["y_um"], found["y_px"] * 0.1)
    area = np.bincount(labels.ravel())[1:] * 0.01
    np.testing.assert_allclose(cells["density_um2"], 6 / area)
    sums = spots.groupby("label")["sum_intensity"].sum()
    np.testing.assert_allclose(cells["sum_intensity"], sums)
    np.testing.assert_allclose(cells["mean_intensity"], spots.groupby("label")["mean_intensity"].mean())


@pytest.mark.parametrize("method", ["log", "dog"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_noise_alone_has_no_spots(method, seed):
    labels = np.ones((700, 700), np.uint32)
    pixels = np.random.default_rng(seed).normal(1000, 50, labels.shape)
    assert len(find(pixels, labels, method=method).spots) <= 1
    assert len(find(np.full((50, 50), 1000.1), labels[:50, :50]).spots) == 0


def test_edges_of_bright_cells_and_lines_are_no_spots():
    labels = discs()
    level = np.random.default_rng(0).uniform(300, 2000, 17)
    level[0] = 100
    places = places_in(labels, 6)
    clean = level[labels] + put_spots(labels.shape, places, 200.0)
    pixels = np.random.default_rng(1).poisson(clean).astype(float)
    assert len(find(pixels, labels, least_roundness=0.0, least_rise=0.0).spots) > 300
    spots = find(pixels, labels).spots
    assert len(spots) == len(places)
    assert cKDTree(spots[["y_px", "x_px"]].to_numpy()).query(places)[0].max() < 1
    line = np.random.default_rng(2).normal(100, 5, (100, 100))
    line[30:80, 49:52] += 60
    everywhere = np.ones((100, 100), np.uint32)
    assert len(find(line, everywhere, least_roundness=0.0).spots) > 5
    assert len(find(line, everywhere).spots) <= 2


def test_the_noise_is_that_of_the_inside_of_cells_and_of_all_of_small_ones():
    labels = discs()
    pixels = 100 + 2000.0 * (labels > 0) + np.random.default_rng(0).normal(0, 5, labels.shape)
    pixels += put_spots(labels.shape, places_in(labels, 2), 30.0)
    assert len(find(pixels, labels).spots) == 32
    tiny = np.zeros((60, 60), np.uint32)
    tiny[20:25, 20:25] = 1
    light = np.random.default_rng(0).normal(0, 5, tiny.shape) + put_spots(tiny.shape, [(22, 22)], 300.0)
    inside = filter_spots(light, (SIGMA, SIGMA))[20:25, 20:25]
    deviation = median_abs_deviation(inside, axis=None, scale="normal")
    spots = find(light, tiny, threshold=0.5).spots
    assert spots["height_sd"].to_numpy() == pytest.approx([(inside.max() - np.median(inside)) / deviation])


def test_nothing_but_cells_has_spots():
    labels = np.zeros((60, 60), np.uint32)
    labels[:, :30] = 7
    labels[:, 30:40] = 9
    pixels = np.random.default_rng(0).normal(100, 1, (60, 60)) + put_spots((60, 60), [(20, 10), (20, 50)], 100.0)
    spots, cells = find(pixels, labels)
    assert spots["label"].tolist() == [7]
    assert cells["count"].tolist() == [1, 0]
    assert np.isnan(cells["mean_intensity"][1])
    assert cells["sum_intensity"][1] == 0


def test_the_threshold_is_a_height_or_a_number_of_deviations():
    labels = np.ones((90, 90), np.uint32)
    places = [(20, 20), (20, 60), (60, 20), (60, 60)]
    pixels = np.random.default_rng(0).normal(100, 1, (90, 90)) + put_spots((90, 90), places, [10, 20, 40, 80])
    assert len(find(pixels, labels, threshold=30, threshold_unit="intensity").spots) == 2
    spots = find(pixels, labels, threshold=5).spots
    assert len(spots) == 4
    response = filter_spots(pixels, (SIGMA, SIGMA))
    middle = np.median(response)
    deviation = median_abs_deviation(response, axis=None, scale="normal")
    np.testing.assert_allclose(spots["height_sd"], (spots["height"] - middle) / deviation)
    least = spots["height_sd"].sort_values().to_numpy()
    assert len(find(pixels, labels, threshold=least[1] - 1e-6).spots) == 3


def test_of_two_near_spots_the_higher_stays():
    places = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 2.0], [9.0, 9.0]])
    assert thin_out(places, np.array([1.0, 3.0, 2.0, 1.0]), 1.0).tolist() == [1, 3]
    assert thin_out(places, np.array([3.0, 2.0, 1.0, 1.0]), 1.0).tolist() == [0, 2, 3]
    assert thin_out(places, np.ones(4), 1.5).tolist() == [0, 2, 3]
    labels = np.ones((60, 60), np.uint32)
    pixels = put_spots((60, 60), [(30, 25), (30, 31)], [100, 80])
    assert len(find(pixels, labels, threshold=10, threshold_unit="intensity").spots) == 2
    near = find(pixels, labels, threshold=10, threshold_unit="intensity", least_distance=2).spots
    assert near["x_px"].round().tolist() == [25]


@given(st.integers(0, 2**32 - 1), st.floats(0, 3))
@settings(max_examples=40)
def test_spots_that_stay_are_apart_and_near_to_all_that_go(seed, distance):
    rng = np.random.default_rng(seed)
    places, heights = rng.uniform(0, 8, (30, 2)), rng.integers(1, 5, 30).astype(float)
    kept = thin_out(places, heights, distance)
    gone = np.setdiff1d(np.arange(30), kept)
    between = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    assert (between[np.ix_(kept, kept)] + np.eye(len(kept)) * 99 > distance).all()
    for place in gone:
        assert (heights[kept[between[place, kept] <= distance]] >= heights[place]).any()


@pytest.mark.parametrize("sampled", [1 << 24, 3000])
@pytest.mark.parametrize("method", ["log", "dog"])
def test_bands_change_nothing(method, sampled, monkeypatch):
    labels = discs()
    places = places_in(labels, 6, within=31)
    clean = 100 + 400 * (labels > 0) + put_spots(labels.shape, places, 400.0)
    pixels = np.random.default_rng(2).poisson(clean).astype(np.uint16)
    bands = pair_values.sampled_bands
    monkeypatch.setattr(spot_planes, "sampled_bands", lambda plane: bands(plane, most=sampled))
    whole = find(pixels, labels, method=method)
    monkeypatch.setattr(pair_values, "_BAND_PIXELS", 1)
    monkeypatch.setattr(pair_values, "_FEWEST_ROWS", 17)
    parts = find(pixels, labels, method=method)
    assert len(whole.spots) > 60
    assert parts.spots.equals(whole.spots)
    assert parts.cells.equals(whole.cells)


@given(st.integers(0, 40), st.sampled_from(["log", "dog"]), st.floats(0.6, 4))
@settings(max_examples=30)
def test_a_part_with_its_margin_is_filtered_as_the_whole(start, method, sigma):
    pixels = np.random.default_rng(5).random((120, 30))
    sigmas = (sigma, sigma / 2 + 0.3)
    margin = filter_margin(sigmas)
    box = Box(max(0, start - margin), min(120, start + 9 + margin), 0, 30)
    inner = Box(start, start + 9, 0, 30).within(box)
    for function in (lambda part: filter_spots(part, sigmas, method), lambda part: spot_roundness(part, sigmas)):
        np.testing.assert_array_equal(function(pixels[box.slices])[inner.slices], function(pixels)[start : start + 9])


def test_pixels_of_other_cells_and_missing_ones_count_for_no_spot():
    labels = np.ones((40, 40), np.uint32)
    labels[:, 20:] = 2
    pixels = np.full((40, 40), 100.0)
    pixels[:, 20:] = 900
    pixels[20, 17] = 109
    shape = SpotShape((2.0, 2.0), (2.0, 3.0))
    row = {name: values[0] for name, values in spot_intensity(pixels, labels, np.array([[20, 17]]), shape).items()}
    assert row["background"] == 100
    assert row["disc_px"] == 13
    assert row["sum_intensity"] == pytest.approx(9)
    assert row["contrast"] == pytest.approx((9 / 13) / (200 + 9 / 13))
    pixels[19, 17] = np.nan
    assert spot_intensity(pixels, labels, np.array([[20, 17]]), shape)["disc_px"].tolist() == [12]
    alone = spot_intensity(pixels, np.eye(40, dtype=np.uint32), np.array([[5, 5]]), SpotShape((1, 1), (1.0, 1.2)))
    assert np.isnan(alone["background"][0])
    noisy = np.random.default_rng(0).normal(100, 1, (60, 60)) + put_spots((60, 60), [(15, 15), (45, 45)], 100.0)
    noisy[15, 17] = np.nan
    spots = find(noisy, np.ones((60, 60), np.uint32)).spots
    assert spots[["y_px", "x_px"]].round().to_numpy().tolist() == [[45, 45]]


def test_diameter_in_um_and_pixels_that_are_not_square():
    labels = np.ones((100, 100), np.uint32)
    sigma = (3.0, 1.5)
    pixels = np.random.default_rng(0).normal(100, 1, (100, 100)) + put_spots((100, 100), [(50, 30)], 60.0, sigma)
    image = cm.image_from_array(pixels)
    cells = Labels(labels, "YX", PixelSize(x=0.2, y=0.1))
    options = SpotOptions(diameter_um=2 * np.sqrt(2) * 0.3, least_roundness=0.7)
    spots, table = find_spots(image, cells, options)
    assert spots[["y_um", "x_um"]].to_numpy() == pytest.approx(np.array([[5, 6]]), abs=0.05)
    assert spots["height"][0] == pytest.approx(60, rel=0.05)
    assert table["density_um2"][0] == pytest.approx(1 / 200)
    with pytest.raises(PixelSizeNeeded, match="diameter_um"):
        find(pixels, labels, diameter_um=1.0)
    with pytest.raises(ParameterError, match="less than 1.5 pixels"):
        find(pixels, labels, diameter_um=0.5, pixel_size_um=0.5)
    same = find(pixels, labels, diameter_um=2.0, pixel_size_um=0.5).spots
    assert same.drop(columns=["y_um", "x_um"]).equals(find(pixels, labels, diameter_px=4.0).spots)


def test_whole_pixels_where_wanted():
    labels = np.ones((40, 40), np.uint32)
    pixels = put_spots((40, 40), [(20.3, 15.4)], 100.0)
    options = {"threshold": 10, "threshold_unit": "intensity"}
    assert find(pixels, labels, **options).spots[["y_px", "x_px"]].to_numpy() == pytest.approx(
        np.array([[20.3, 15.4]]), abs=0.05
    )
    whole = find(pixels, labels, subpixel=False, **options).spots
    assert whole[["y_px", "x_px"]].to_numpy().tolist() == [[20, 15]]
    at_border = find(put_spots((40, 40), [(0, 15)], 100.0), labels, **options).spots
    assert at_border["y_px"].tolist() == [0]


def test_maxima_of_plateaus_and_missing_values():
    response = np.array([[0.0, 3, 3, 0, np.nan, 2]])
    assert local_maxima(response, response > 1)[:, 1].tolist() == [1, 2, 5]


def test_the_step_adds_columns_to_the_cells():
    labels = discs()
    pixels = np.zeros((2, *labels.shape))
    for channel in range(2):
        light = put_spots(labels.shape, places_in(labels, 2 + channel, channel), 200.0)
        pixels[channel] = np.random.default_rng(channel).normal(100, 2, labels.shape) + light
    image = cm.image_from_array(pixels, "CYX", channel_names=["FISH", "GFP"], pixel_size_um=0.1)
    cells = cm.labels_from_array(labels)
    sample = Sample(image, {"cells": cells}).with_table("cells", measure(image, cells))
    sample = Spots(channel="FISH", diameter_px=DIAMETER)(sample)
    with pytest.raises(ParameterError, match="'spot_count' already"):
        Spots(channel="GFP", diameter_px=DIAMETER, made="more")(sample)
    sample = Spots(channel="GFP", diameter_px=DIAMETER, prefix="gfp", made="more")(sample)
    table = sample.tables["cells"]
    assert table["spot_count"].tolist() == [2] * 16
    assert table["gfp_count"].tolist() == [3] * 16
    assert table["spot_density_um2"].tolist() == pytest.approx((2 / table["area_um2"]).tolist())
    assert len(sample.tables["spots"]) == 32
    assert [column.name for column in describe_columns(table)] == list(table.columns)
    assert "Spots of channel GFP." in next(c for c in describe_columns(table) if c.name == "gfp_count").definition
    spots = sample.tables["spots"]
    assert [column.name for column in describe_columns(spots)] == list(spots.columns)
    alone = Spots(channel="FISH", diameter_px=DIAMETER)(Sample(image, {"cells": cells})).tables["cells"]
    assert list(alone.columns) == [
        "label", "spot_count", "spot_mean_intensity", "spot_sum_intensity", "spot_density_um2",
    ]  # fmt: skip


def test_stacks_are_looked_at_plane_by_plane_or_projected():
    labels = np.ones((2, 40, 40), np.uint32)
    pixels = np.stack([put_spots((40, 40), [(10, 10), (30, 30)][: z + 1], 100.0) for z in range(2)])
    image = cm.image_from_array(pixels, "ZYX")
    options = {"diameter_px": DIAMETER, "threshold": 10, "threshold_unit": "intensity"}
    planes = Labels(labels, "ZYX", linked_z=False)
    found = find_spots(image, planes, SpotOptions(**options))
    assert found.spots["z"].tolist() == [0, 1, 1]
    assert found.cells[["label", "z", "count"]].to_numpy().tolist() == [[1, 0, 1], [1, 1, 2]]
    volumes = Labels(labels, "ZYX", linked_z=True)
    with pytest.raises(ParameterError, match="plane by plane"):
        find_spots(image, volumes, SpotOptions(**options))
    assert len(find_spots(image, volumes, SpotOptions(volume=False, **options)).spots) == 3
    flat = find_spots(image, cm.labels_from_array(labels[0]), SpotOptions(project="max", **options))
    assert len(flat.spots) == 2
    sample = Sample(image, {"cells": volumes}).with_table("cells", measure(image, volumes))
    with pytest.raises(ParameterError, match="rows are told by label, since"):
        Spots(volume=False, **options)(sample)


def test_options_that_do_not_go_together():
    wrong = ({}, {"diameter_px": 3, "diameter_um": 1}, {"ring": [3, 2]}, {"volume": True})
    for options in wrong:
        entry = {"step": "spots", "diameter_px": 4, **options} if options else {"step": "spots"}
        with pytest.raises(ParameterError, match=r"diameter|ring|volume"):
            parse_recipe({"steps": [entry]})
