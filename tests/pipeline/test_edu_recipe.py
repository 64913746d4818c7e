"""The shipped recipe `edu` on a generated study: totals and fractions are those of the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import ParameterError
from cellmetry.io.tables import read_columns, read_table
from cellmetry.learn.generate.edu import PATTERN, ROLES, EduCondition, EduOptions, write_edu_study
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.recipe import STEPS, load_recipe
from cellmetry.stats.positive import population_threshold

if TYPE_CHECKING:
    from pathlib import Path

CONDITIONS = (
    EduCondition(name="vehicle", fraction=0.25, intensity=900),
    EduCondition(name="factor", fraction=0.6, intensity=1100),
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edu")
    options = EduOptions(conditions=CONDITIONS, replicates=2, fields=1, shape=(384, 384), cells=35)
    write_edu_study(folder / "study", options)
    reading = Reading(pattern=PATTERN, roles=ROLES, detector_bits=16)
    run(load_recipe("edu"), [folder / "study" / "images"], folder / "run", reading=reading)
    return folder


def test_totals_and_fractions_of_all_cells_are_right(study: Path) -> None:
    truth = read_table(study / "study" / "truth" / "cells.csv")
    truth = truth[truth["nucleus_px"] > 0]
    nuclei = read_table(study / "run" / "tables" / "nuclei.csv")
    images = read_table(study / "run" / "tables" / "images.csv").set_index("image")
    totals = truth.groupby("image").size()
    assert (images["n_nuclei"] - totals).abs().max() <= 0.03 * totals.max()
    threshold = population_threshold(nuclei["mean_EdU"].to_numpy(float)).value
    found = (nuclei["mean_EdU"] > threshold).groupby(nuclei["image"]).mean()
    assert (found - truth.groupby("image")["positive"].mean()).abs().max() < 0.03


def test_phase_contrast_misses_hidden_cells_so_that_fewer_are_positive_of_all(study: Path) -> None:
    truth = read_table(study / "study" / "truth" / "cells.csv")
    images = read_table(study / "run" / "tables" / "images.csv")
    seen = truth["seen"].sum()
    assert images["n_cells"].sum() == pytest.approx(seen, rel=0.12)
    relations = read_table(study / "run" / "tables" / "relations.csv")
    assert 0.02 < (relations["parent_label"] == 0).mean() < 0.25


def test_cells_carry_imagejs_words_and_flags(study: Path) -> None:
    cells = read_table(study / "run" / "tables" / "cells.parquet")
    imagej = read_table(study / "run" / "tables" / "imagej.parquet")
    assert {"flag_saturation", "flag_focus", "flag_any"} <= set(cells)
    both = cells.merge(imagej, on=["image", "label"], validate="one_to_one")
    assert len(both) == len(cells)
    pd.testing.assert_series_equal(both["Mean"], both["mean_EdU"], check_names=False)
    pd.testing.assert_series_equal(both["RawIntDen"], both["sum_EdU"], check_names=False)
    assert both["Area"].mul(both["Mean"]).to_numpy() == pytest.approx(both["IntDen"].to_numpy())
    described = {column.name for column in read_columns(study / "run" / "tables" / "imagej.parquet")}
    assert {"Mean", "IntDen", "RawIntDen"} <= described


def test_a_column_that_imagej_has_not_is_refused() -> None:
    with pytest.raises(ParameterError, match="no column of ImageJ"):
        parse_parameters(STEPS.load("measure_imagej"), {"columns": ["Meen"]}, where="step")
