"""AnnData files: read back by anndata, every number, flag and word is what the table held."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellmetry.core.columns import Column
from cellmetry.errors import MissingExtra, ParameterError
from cellmetry.export.anndata_file import write_h5ad

COLUMNS = (
    Column("area_px", "px", "Number of pixels.", "scikit-image"),
    Column("image", "", "Name of the image.", "Cellmetry"),
)


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image": ["a", "a", "b"],
            "label": [1, 2, 1],
            "condition": ["drug", None, "=1+1"],
            "replicate": [1, 2, 2],
            "area_px": [10, 20, 2**53],
            "mean_DNA": [0.1, np.nan, np.inf],
            "count": pd.array([1, None, 3], "Int64"),
            "centroid_x_px": [1.0, 2.0, 3.0],
            "centroid_y_px": [4.0, 5.0, 6.0],
            "saturated": [True, False, True],
            "edge": pd.array([True, None, False], "boolean"),
            "large": [2**60, 1, 2],
            "a/b": ["x", "y", "x"],
            "dtype": ["f", "g", "h"],
        }
    )


def test_everything_comes_back(tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    cells = table()
    write_h5ad(tmp_path / "a.h5ad", cells, COLUMNS, provenance={"recipe": {"sha256": "abc"}, "/": 1})
    book = anndata.read_h5ad(tmp_path / "a.h5ad")
    measures = ["area_px", "mean_DNA", "count", "centroid_x_px", "centroid_y_px"]
    assert book.var_names.tolist() == measures
    np.testing.assert_array_equal(book.X, cells[measures].astype(float).to_numpy())
    assert book.X.dtype == np.float64
    assert book.obs_names.tolist() == ["a:1", "a:2", "b:1"]
    assert list(book.obs) == [
        *("image", "label", "condition", "replicate", "saturated", "edge", "large", "a_b", "dtype_")
    ]
    assert book.obs["label"].tolist() == [1, 2, 1]
    assert book.obs["large"].tolist() == [2**60, 1, 2]
    assert book.obs["saturated"].dtype == bool
    assert book.obs["edge"].isna().tolist() == [False, True, False]
    assert isinstance(book.obs["condition"].dtype, pd.CategoricalDtype)
    assert book.obs["condition"].astype(object).where(book.obs["condition"].notna(), None).tolist() == [
        *("drug", None, "=1+1")
    ]
    assert book.var.loc["area_px"].tolist() == ["px", "Number of pixels.", "scikit-image", "int64"]
    np.testing.assert_array_equal(book.obsm["spatial"], [[1, 4], [2, 5], [3, 6]])
    told = json.loads(book.uns["cellmetry"])
    assert told["provenance"] == {"recipe": {"sha256": "abc"}, "/": 1}
    assert (told["spatial_unit"], told["renamed"]) == ("px", {"a_b": "a/b", "dtype_": "dtype"})
    assert told["obs"]["image"]["definition"] == "Name of the image."


def test_float32_where_asked_and_micrometres_where_known(tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    cells = table().assign(centroid_x_um=0.5, centroid_y_um=0.25, centroid_z_um=2.0)
    write_h5ad(tmp_path / "a.h5ad", cells, dtype="float32")
    book = anndata.read_h5ad(tmp_path / "a.h5ad")
    assert book.X.dtype == np.float32
    assert book.obsm["spatial"].tolist() == [[0.5, 0.25, 2.0]] * 3


@pytest.mark.parametrize("rows", [0, 2])
def test_tables_without_cells_measures_or_names(tmp_path: Path, rows: int) -> None:
    anndata = pytest.importorskip("anndata")
    write_h5ad(tmp_path / "a.h5ad", pd.DataFrame({"image": ["a", "a"]}).head(rows))
    book = anndata.read_h5ad(tmp_path / "a.h5ad")
    assert book.shape == (rows, 0)
    assert book.obs_names.tolist() == ["0", "1"][:rows]
    assert "spatial" not in book.obsm


def test_errors_are_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ParameterError, match=r"suffix \.h5ad"):
        write_h5ad(tmp_path / "a.h5", table())
    twice = pd.concat([table(), table()[["label"]]], axis=1)
    with pytest.raises(ParameterError, match="'label' stands twice"):
        write_h5ad(tmp_path / "a.h5ad", twice)
    monkeypatch.setitem(sys.modules, "anndata", None)
    with pytest.raises(MissingExtra, match=r"pip install 'cellmetry\[anndata\]'"):
        write_h5ad(tmp_path / "a.h5ad", table())
    assert list(tmp_path.iterdir()) == []
