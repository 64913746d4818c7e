"""Nuclei, cells, cytoplasm and rings in one row a cell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cellmetry as cm
from cellmetry.core.sample import Sample
from cellmetry.errors import ParameterError
from cellmetry.measure.columns import describe_columns
from cellmetry.measure.nested import MeasureNested, join_regions
from cellmetry.measure.options import MeasureOptions
from cellmetry.measure.table import measure
from cellmetry.ops.regions import Cytoplasm, Ring, relate_labels


@pytest.fixture
def sample() -> Sample:
    """Three cells: with two nuclei (3 and 1 px), with one, with none; one nucleus outside all."""
    cells = np.zeros((6, 20), np.uint32)
    cells[1:5, 1:6], cells[1:5, 7:12], cells[1:5, 14:17] = 10, 20, 30
    nuclei = np.zeros_like(cells)
    nuclei[2, 2:5], nuclei[4, 5], nuclei[2:4, 8:10], nuclei[0, 19] = 4, 1, 2, 3
    pixels = np.arange(cells.size, dtype=np.uint16).reshape(cells.shape)
    image = cm.image_from_array(pixels, channel_names=["Edu"], pixel_size_um=0.5)
    return Sample(image, {"cells": cm.labels_from_array(cells), "nuclei": cm.labels_from_array(nuclei)})


def test_one_row_a_cell(sample):
    made = Ring(width_px=1)(Cytoplasm()(sample))
    table = MeasureNested(regions=("cytoplasm", "ring"), features=("size", "intensity"))(made).tables["cells"]
    assert table["label"].tolist() == [10, 20, 30]
    assert table["children"].tolist() == [2, 1, 0]
    assert table["nucleus_label"].tolist()[:2] == [4, 2]
    assert table["nucleus_area_px"].tolist()[:2] == [3, 4]
    assert table["nucleus_parent_overlap"].tolist()[:2] == [1, 1]
    assert np.isnan(table["nucleus_mean_Edu"][2])
    assert table["cytoplasm_area_px"].tolist() == [16, 16, 12]
    assert (table["ring_area_px"] > 0).all()
    pixels, cells = sample.image.read(), sample.labels["cells"].read()
    nuclei = sample.labels["nuclei"].read()
    assert table["cell_mean_Edu"][0] == pixels[cells == 10].mean()
    assert table["cytoplasm_mean_Edu"][0] == pixels[(cells == 10) & (nuclei == 0)].mean()
    described = describe_columns(table)
    assert [column.name for column in described] == list(table.columns)
    assert any(column.definition.startswith("Of the nucleus:") for column in described)


def test_no_cells_and_no_nuclei(sample):
    options = MeasureOptions(features=("size",))
    nothing = cm.labels_from_array(np.zeros((6, 20), np.uint32))
    for cells, nuclei in ((nothing, sample.labels["nuclei"]), (sample.labels["cells"], nothing)):
        tables = [measure(sample.image, labels, options) for labels in (cells, nuclei)]
        joined = join_regions(*tables, relate_labels(nuclei, cells), {})
        assert len(joined) == len(tables[0])
        assert joined["children"].sum() == 0
        assert "nucleus_area_um2" in joined


def test_frames_stay_apart(sample):
    movie = {name: cm.labels_from_array(np.stack([part.read()] * 2), "TYX") for name, part in sample.labels.items()}
    image = cm.image_from_array(np.stack([sample.image.read()] * 2), "TYX", pixel_size_um=0.5)
    made = MeasureNested(regions=(), features=("size",))(Sample(image, movie)).tables["cells"]
    one = MeasureNested(regions=(), features=("size",))(sample).tables["cells"]
    last = made[made["t"] == 1].drop(columns="t").reset_index(drop=True)
    pd.testing.assert_frame_equal(last, one)


def test_area_is_needed(sample):
    with pytest.raises(ParameterError, match="'size'"):
        MeasureNested(regions=(), features=("intensity",))(sample)
