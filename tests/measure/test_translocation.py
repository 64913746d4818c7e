"""Translocation: numbers known from how the image was made, and what must not change them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.core.image import image_from_array
from cellmetry.core.labels import Labels, labels_from_array
from cellmetry.errors import LabelsError
from cellmetry.measure import translocation
from cellmetry.measure.translocation import TranslocationChannels, measure_translocation
from cellmetry.ops.regions import Width, ring_labels

CHANNELS = TranslocationChannels(stain="DNA")


def made(seed: int = 0, size: int = 160) -> tuple[np.ndarray, Labels, Labels]:
    """Return GFP and DNA as uint16, nuclei and their rings."""
    random = np.random.default_rng(seed)
    nuclei = labels_from_array(ellipses(random, size))
    rings = ring_labels(nuclei, Width(4, 1))
    pixels = random.integers(50, 4000, (2, size, size)).astype(np.uint16)
    return pixels, nuclei, rings


def ellipses(random: np.random.Generator, size: int) -> np.ndarray:
    """Return ellipses on a shaken grid, some of which touch or leave the image."""
    out, (y, x) = np.zeros((size, size), np.uint32), np.indices((size, size))
    for label, (row, column) in enumerate(np.ndindex(size // 24, size // 24), 1):
        centre, axes = 24 * np.array([row, column]) + random.uniform(0, 24, 2), random.uniform(4, 9, 2)
        inside = ((y - centre[0]) / axes[0]) ** 2 + ((x - centre[1]) / axes[1]) ** 2 <= 1
        out[inside & (out == 0)] = label
    return out


def image_of(pixels: np.ndarray):
    return image_from_array(pixels, "CYX", channel_names=["GFP", "DNA"])


def test_against_plain_numpy() -> None:
    pixels, nuclei, rings = made()
    table = measure_translocation(image_of(pixels), nuclei, rings, CHANNELS._replace(background_percentile=1))
    background = np.percentile(pixels[0], 1)
    inner, outer = nuclei.read(), rings.read()
    assert table["label"].tolist() == nuclei.ids().tolist()
    for row in table.itertuples():
        n, c = pixels[0][inner == row.label], pixels[0][outer == row.label]
        assert (row.nucleus_area_px, row.cytoplasm_area_px) == (n.size, c.size)
        assert row.background_GFP == pytest.approx(background)
        assert row.nucleus_mean_GFP == pytest.approx(n.mean() - background)
        assert row.ratio_GFP == pytest.approx((n.mean() - background) / (c.mean() - background))
        assert row.nuclear_share_GFP == pytest.approx(row.ratio_GFP / (1 + row.ratio_GFP))
        assert row.difference_GFP == pytest.approx(n.mean() - c.mean())
        cell = (inner == row.label) | (outer == row.label)
        assert row.correlation_GFP == pytest.approx(np.corrcoef(pixels[0][cell], pixels[1][cell])[0, 1])


def test_every_column_is_described() -> None:
    table = measure_translocation(image_of(made()[0]), *made()[1:], CHANNELS._replace(background_percentile=1))
    assert [column.name for column in table.attrs["columns"]] == list(table.columns)


def test_known_cell() -> None:
    nuclei, cells = np.zeros((20, 20), np.uint32), np.zeros((20, 20), np.uint32)
    cells[4:16, 4:16], nuclei[8:12, 8:12] = 7, 7
    light = np.where(nuclei, 300, np.where(cells, 100, 10)).astype(np.uint16)
    stain = np.where(nuclei, 90, 5).astype(np.uint16)
    image = image_of(np.stack([light, stain]))
    both = labels_from_array(nuclei), labels_from_array(cells)
    table = measure_translocation(image, *both, CHANNELS._replace(background_percentile=5))
    assert table["ratio_GFP"].tolist() == pytest.approx([290 / 90])
    assert table["correlation_GFP"].tolist() == pytest.approx([1])
    assert table["cytoplasm_area_px"].tolist() == [144 - 16]
    assert "correlation_GFP" not in measure_translocation(image, *both)
    assert measure_translocation(image, *both)["ratio_GFP"].tolist() == [3]


def test_no_ratio_where_the_cytoplasm_is_not_above_the_background() -> None:
    nuclei, ring = np.zeros((12, 12), np.uint32), np.zeros((12, 12), np.uint32)
    nuclei[2:4, 2:4], ring[4, 2:4], nuclei[8:10, 8:10] = 1, 1, 2
    light = np.where(nuclei, 100, 10).astype(np.uint16)
    table = measure_translocation(
        image_of(np.stack([light, light])),
        labels_from_array(nuclei),
        labels_from_array(ring),
        CHANNELS._replace(background_percentile=0),
    )
    assert table["ratio_GFP"].isna().all()  # at the background; without cytoplasm
    assert table["nuclear_share_GFP"].tolist() == pytest.approx([1, np.nan], nan_ok=True)
    assert np.isnan(table["correlation_GFP"][1])  # all its pixels are alike


@given(st.integers(1, 5), st.integers(0, 3), st.integers(0, 9))
def test_renumbering_rotation_and_padding_change_nothing(factor, turns, pad) -> None:
    pixels, nuclei, rings = made(3, 96)
    plain = measure_translocation(image_of(pixels), nuclei, rings, CHANNELS)

    def moved(array: np.ndarray) -> np.ndarray:
        return np.rot90(np.pad(array, pad), turns)

    light = np.stack([moved(plane) for plane in pixels])
    labels = (labels_from_array(np.ascontiguousarray(moved(each.read() * factor))) for each in (nuclei, rings))
    again = measure_translocation(image_of(light), *labels, CHANNELS)
    assert again["label"].tolist() == (plain["label"] * factor).tolist()
    for name in ("ratio_GFP", "correlation_GFP", "nuclear_share_GFP"):
        np.testing.assert_allclose(again[name], plain[name], rtol=1e-9)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, nuclei, rings = made()
    whole = measure_translocation(image_of(pixels), nuclei, rings, CHANNELS._replace(background_percentile=3))
    monkeypatch.setattr(translocation, "rows_of_block", lambda _: 17)
    parts = measure_translocation(image_of(pixels), nuclei, rings, CHANNELS._replace(background_percentile=3))
    assert whole.equals(parts)


def test_floats_with_holes_and_counts_agree() -> None:
    pixels, nuclei, rings = made()
    options = CHANNELS._replace(background_percentile=12.5)
    whole = measure_translocation(image_of(pixels), nuclei, rings, options)
    floats = measure_translocation(image_of(pixels.astype(np.float64)), nuclei, rings, options)
    np.testing.assert_allclose(whole.to_numpy(), floats.to_numpy(), rtol=1e-12)
    holed = pixels.astype(np.float32)
    holed[0, nuclei.read() == 1] = np.nan
    found = measure_translocation(image_of(holed), nuclei, rings, CHANNELS).set_index("label")
    assert np.isnan(found.loc[1, "ratio_GFP"])
    assert found.loc[2:, "ratio_GFP"].notna().all()


def test_frames_are_measured_each() -> None:
    pixels, nuclei, rings = made(size=96)
    image = image_from_array(np.stack([pixels, pixels[::-1]]), "TCYX", channel_names=["GFP", "DNA"])
    pair = (
        replace(each, array=np.stack([each.read()] * 2), axes="TYX")  # the same cells in both frames
        for each in (nuclei, rings)
    )
    table = measure_translocation(image, *pair, CHANNELS)
    assert sorted(set(table["t"])) == [0, 1]
    first, second = (table[table["t"] == t]["correlation_GFP"].to_numpy() for t in (0, 1))
    np.testing.assert_allclose(first, second)


def test_sizes_must_agree() -> None:
    pixels, nuclei, rings = made()
    with pytest.raises(LabelsError, match="of one size"):
        measure_translocation(image_of(pixels), nuclei, replace(rings, array=rings.read()[:-1]))


def test_an_empty_image_has_the_same_columns() -> None:
    pixels, nuclei, rings = made()
    nothing = replace(nuclei, array=np.zeros_like(nuclei.read()))
    assert list(measure_translocation(image_of(pixels), nothing, nothing, CHANNELS)) == list(
        measure_translocation(image_of(pixels), nuclei, rings, CHANNELS)
    )
