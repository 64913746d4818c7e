"""A generated EdU study: its effects are what it says, in tables and in pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from typer import Typer
from typer.testing import CliRunner

from cellmetry.cli.study.example import example
from cellmetry.errors import OutputError
from cellmetry.io.labels import read_labels
from cellmetry.io.opening import open_image
from cellmetry.io.tables import read_columns, read_table
from cellmetry.learn.generate.edu import (
    EduCondition,
    EduOptions,
    generate_edu_study,
    generate_edu_tables,
    write_edu_study,
)
from cellmetry.ops.rolling_ball import subtract_imagej

TWO = (
    EduCondition(name="vehicle", fraction=0.3, intensity=900),
    EduCondition(name="factor", fraction=0.6, intensity=1200, number=1.3),
)
SMALL = EduOptions(conditions=TWO, replicates=1, fields=1, shape=(256, 256), cells=15)


def replicate_means(seeds: int) -> pd.DataFrame:
    """Return fraction, number of cells and mean EdU of each replicate of many studies."""
    tables = [
        generate_edu_tables(EduOptions(conditions=TWO, seed=seed)).cells.assign(seed=seed) for seed in range(seeds)
    ]
    groups = pd.concat(tables).groupby(["condition", "seed", "replicate"])
    return groups.agg(fraction=("positive", "mean"), number=("label", "size"), edu=("edu", "mean"))


def test_over_many_studies_every_mean_is_the_stated_one() -> None:
    means = replicate_means(200)
    truth = generate_edu_tables(EduOptions(conditions=TWO)).conditions.set_index("condition")
    found = means.groupby("condition").mean()
    error = means.groupby("condition").std() / np.sqrt(600)  # days are shared by conditions, not by seeds
    assert np.all(np.abs(found["fraction"] - truth["fraction"]) < 4 * error["fraction"])
    assert np.all(np.abs(found["edu"] - truth["edu"]) < 4 * error["edu"])
    usual = truth["number"] * 2 * EduOptions().cells
    assert np.all(np.abs(found["number"] - usual) < 4 * error["number"])


def test_replicates_differ_more_than_their_cells_explain_and_days_are_shared() -> None:
    means = replicate_means(200)["fraction"].unstack("condition")
    within = 0.3 * 0.7 / 130
    assert means["vehicle"].var() > 1.5 * within
    assert means["vehicle"].corr(means["factor"]) > 0.1


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    fraction=st.floats(0.01, 0.99),
    hidden=st.floats(0, 0.5),
    replicates=st.integers(1, 8),
    fields=st.integers(1, 3),
)
def test_tables_have_each_well_and_repeat_with_the_seed(
    seed: int, fraction: float, hidden: float, replicates: int, fields: int
) -> None:
    condition = EduCondition(name="a", fraction=fraction, intensity=500)
    options = EduOptions(conditions=(condition,), seed=seed, hidden=hidden, replicates=replicates, fields=fields)
    made, again = generate_edu_tables(options), generate_edu_tables(options)
    pd.testing.assert_frame_equal(made.cells, again.cells)
    assert made.cells["image"].nunique() == replicates * fields
    assert made.cells["replicate"].nunique() == replicates
    assert (made.cells["edu"] > 0).all()
    assert not made.cells.duplicated(["image", "label"]).any()
    assert {column.name for column in made.cells.attrs["columns"]} == set(made.cells)


def test_every_nucleus_lies_in_its_cell_and_shows_what_the_truth_says() -> None:
    for _, _, field in generate_edu_study(SMALL):
        n = int(field.cells.max())
        assert len(field.truth.edu) == n
        assert np.array_equal(np.unique(field.cells), np.arange(n + 1))
        inside = field.nuclei > 0
        assert np.array_equal(field.nuclei[inside], field.cells[inside])
        assert field.phase.dtype == field.edu.dtype == field.topro.dtype == np.uint16
        flat = subtract_imagej(field.edu, 50.0)
        ids = np.unique(field.nuclei[inside])
        mean = np.array([flat[field.nuclei == each].mean() for each in ids])
        truth = field.truth.edu[ids - 1]
        positive = field.truth.positive[ids - 1]
        assert mean[positive].min() > mean[~positive].max()
        assert np.median(mean[positive] / truth[positive]) == pytest.approx(0.95, abs=0.08)


def test_the_background_is_uneven_until_a_ball_of_50_px_rolls_below_it() -> None:
    field = next(generate_edu_study(EduOptions(fields=1))).field
    empty = field.cells == 0
    flat = subtract_imagej(field.edu, 50.0)
    corners = [
        (slice(0, 128), slice(0, 128)),
        (slice(-128, None), slice(-128, None)),
        (slice(0, 128), slice(-128, None)),
    ]
    before = [float(field.edu[place][empty[place]].mean()) for place in corners]
    after = [float(flat[place][empty[place]].mean()) for place in corners]
    assert max(before) - min(before) > 30
    assert max(after) - min(after) < 0.2 * (max(before) - min(before))


def test_cells_that_are_hidden_are_faint_in_phase_contrast_only() -> None:
    fields = [named.field for named in generate_edu_study(EduOptions(fields=1, replicates=1, hidden=0.4))]
    contrast, stain = {True: [], False: []}, {True: [], False: []}
    for field in fields:
        for each in range(1, len(field.truth.seen) + 1):
            nucleus = field.nuclei == each
            if nucleus.sum() < 100:
                continue
            seen = bool(field.truth.seen[each - 1])
            contrast[seen].append(field.phase[field.cells == each].std())
            stain[seen].append(field.topro[nucleus].mean())
    assert np.median(contrast[False]) < 0.5 * np.median(contrast[True])
    assert np.median(stain[False]) == pytest.approx(np.median(stain[True]), rel=0.15)


def test_the_look_is_that_of_one_microscope_whatever_the_seed() -> None:
    backgrounds = []
    for seed in (1, 2):
        field = next(generate_edu_study(EduOptions(fields=1, seed=seed))).field
        backgrounds.append(np.percentile(field.phase, 50))
    assert backgrounds[0] == pytest.approx(backgrounds[1], rel=0.05)


def test_a_study_is_written_as_a_plate_reader_names_it(tmp_path: Path) -> None:
    images = write_edu_study(tmp_path / "study", SMALL)
    assert images == ("A01_0", "A02_0")
    folder = tmp_path / "study"
    assert sorted(path.name for path in (folder / "images").iterdir())[:3] == [
        f"A01_x0_y0_w{channel}.tif" for channel in range(3)
    ]
    image = open_image(folder / "images" / "A02_x0_y0_w1.tif")
    assert image.shape == (256, 256)
    assert image.pixel_size.x == pytest.approx(0.65)
    field = [named.field for named in generate_edu_study(SMALL)][1]
    assert np.array_equal(image.read(), field.edu)
    cells = read_table(folder / "truth" / "cells.csv")
    own = cells[cells["image"] == "A02_0"]
    assert np.array_equal(read_labels(folder / "truth" / "labels" / "A02_0_cells.tif").ids(), own["label"])
    nuclei = read_labels(folder / "truth" / "labels" / "A02_0_nuclei.tif").ids()
    assert np.array_equal(nuclei, own.loc[own["nucleus_px"] > 0, "label"])
    assert {column.name for column in read_columns(folder / "truth" / "cells.csv")} == set(cells)
    assert list(read_table(folder / "plate_map.csv")["condition"]) == ["vehicle", "factor"]
    with pytest.raises(OutputError):
        write_edu_study(folder, SMALL)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValidationError, match="no room"):
        EduOptions(cells=400)
    with pytest.raises(ValidationError, match="one name"):
        EduOptions(conditions=(TWO[0], TWO[0]))
    with pytest.raises(ValidationError, match="sides"):
        EduOptions(shape=(64, 64), cells=1)


def test_the_command_writes_a_small_study_and_says_how_to_go_on(tmp_path: Path) -> None:
    app = Typer()
    app.command()(example)
    result = CliRunner().invoke(app, [str(tmp_path / "small"), "--small", "--seed", "3"])
    assert result.exit_code == 0, result.output
    assert "18 fields" in result.output
    assert "cellmetry study run" in result.output
    assert (tmp_path / "small" / "edu.cellmetry" / "study.toml").is_file()
    assert len(list((tmp_path / "small" / "images").glob("*.tif"))) == 54
