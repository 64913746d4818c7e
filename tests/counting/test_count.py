"""Counting whole images: with both counters, with one, with and without a calibration, beyond it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import cellmetry as cm
from cellmetry.core.sample import Sample
from cellmetry.core.step import Step
from cellmetry.counting.calibration import calibrate
from cellmetry.counting.count import count, count_known, counting_steps
from cellmetry.counting.step import Count
from cellmetry.counting.validity import with_checked_calibrations
from cellmetry.engines.maps_step import Maps
from cellmetry.engines.segment import Segment
from cellmetry.errors import LabelsError, ModelError, ParameterError
from cellmetry.models.count_calibration import CountCalibration, CountedBy
from cellmetry.models.store import find_model
from cellmetry.ops.density import density_from_labels
from cellmetry.ops.shapes import Shape
from cellmetry.testing.step import StepContract

if TYPE_CHECKING:
    from pathlib import Path

CALIBRATION = CountCalibration(
    factor=0.5, largest_count=100, largest_disagreement=2, images=40, images_fitted=40, data="simulated"
)


class TestCount(StepContract):
    def make(self) -> Step:
        return Count(shapes=(Shape(name="left", rectangle=(0, 0, 120, 70)),), calibration=CALIBRATION)


def labels(count: int = 36, side: int = 240) -> np.ndarray:
    found = np.zeros((side, side), np.int32)
    for label in range(count):
        y, x = divmod(label, 10)
        found[y * 24 + 4 : y * 24 + 18, x * 24 + 4 : x * 24 + 18] = label + 1
    return found


def sample(found: np.ndarray | None, truth: np.ndarray | None) -> Sample:
    image = cm.image_from_array(np.zeros((240, 240), np.uint16), pixel_size_um=0.5, name="field")
    made = Sample(image)
    if found is not None:
        made = made.with_labels("cells", cm.labels_from_array(found))
    if truth is not None:
        made = made.with_maps({"density": cm.image_from_array(density_from_labels(truth))})
    return made


def test_both_counters_with_an_interval() -> None:
    done = Count(calibration=CALIBRATION)(sample(labels(32), labels(36)))
    [row] = done.tables["counts"].to_dict("records")
    assert (row["region"], row["area_px"], row["n_instances"]) == ("", 240 * 240, 32)
    assert row["area_um2"] == 120 * 120
    assert row["n_density"] == pytest.approx(36, abs=1e-3)
    assert row["n"] == 34
    assert row["n_low"] < row["n_instances"] < row["n_density"] < row["n_high"]
    assert row["coverage"] == 0.9
    assert row["disagreement"] == pytest.approx(4 / np.sqrt(35), rel=1e-3)
    assert done.maps["disagreement"].shape == (4, 4)
    assert done.maps["disagreement"].pixel_size.x == 32
    assert done.warnings == ()
    described = [column.name for column in done.tables["counts"].attrs["columns"]]
    assert described == list(done.tables["counts"].columns)


def test_regions_have_both_counts_and_no_interval() -> None:
    regions = np.zeros((240, 240), np.uint8)
    regions[:24] = 9
    given = sample(labels(36), labels(36)).with_labels("regions", cm.labels_from_array(regions))
    shapes = (Shape(name="left", rectangle=(0, 0, 240, 48)), Shape(name="other", rectangle=(0, 0, 1, 1), image="x"))
    table = Count(calibration=CALIBRATION, regions="regions", shapes=shapes)(given).tables["counts"]
    assert table["region"].tolist() == ["", "left", "9"]
    assert table["n_instances"].tolist() == [36, 8, 10]
    assert table["n"].tolist() == [36, 8, 10]
    assert table["n_low"].isna().tolist() == [False, True, True]


def test_one_counter_alone_says_so() -> None:
    only = Count(calibration=CALIBRATION)(sample(labels(20), None))
    assert only.tables["counts"]["n"].tolist() == [20]
    assert only.tables["counts"][["n_density", "n_low", "disagreement"]].isna().all(axis=None)
    assert "counted by instances only; no interval is given" in only.warnings[0]
    assert "disagreement" not in only.maps
    dense = Count()(sample(None, labels(20)))
    assert dense.tables["counts"]["n"].tolist() == [20]
    assert dense.tables["counts"]["n_instances"].isna().all()
    assert "density only; no interval is given, because the model has no calibration" in dense.warnings[0]


def test_a_calibration_of_one_counter_gives_that_one_an_interval() -> None:
    fitted = CALIBRATION.model_copy(update={"counters": "density"})
    assert Count(calibration=fitted)(sample(None, labels(20))).tables["counts"]["n_low"].notna().all()
    both = Count(calibration=fitted)(sample(labels(20), labels(20)))
    assert both.tables["counts"]["n_low"].isna().all()
    assert "the model's calibration is for density only" in both.warnings[0]


@pytest.mark.parametrize(("found", "truth"), [(20, 60), (90, 90)])
def test_beyond_the_calibration_there_is_no_interval(found: int, truth: int) -> None:
    fitted = CALIBRATION.model_copy(update={"largest_count": 80})
    done = Count(calibration=fitted)(sample(labels(found), labels(truth)))
    assert done.tables["counts"]["n_low"].isna().all()
    assert done.tables["counts"]["n"].notna().all()
    assert "lies outside the 80 images of the calibration" in done.warnings[0]


def test_where_the_steps_void_the_calibration_counts_are_joined_by_it_without_an_interval() -> None:
    weighted = CALIBRATION.model_copy(update={"toward_more": 1.0})
    done = Count(calibration=weighted, void_because="the moon is full")(sample(labels(32), labels(36)))
    [row] = done.tables["counts"].to_dict("records")
    assert (row["n_instances"], row["n"]) == (32, 36)
    assert done.tables["counts"][["n_low", "n_high", "coverage"]].isna().all(axis=None)
    assert done.warnings == ("No interval is given for field, because the moon is full.",)


@pytest.mark.parametrize(("score", "limit"), [(0.9, 1.0), (1.0, 1.0), (1.4, 1.5)])
def test_images_as_familiar_as_those_of_the_calibration_have_an_interval(score: float, limit: float) -> None:
    fitted = CALIBRATION.model_copy(update={"largest_unfamiliarity": limit})
    done = Count(calibration=fitted)(sample(labels(36), labels(36)).with_scores({"unfamiliarity": score}))
    assert done.tables["counts"]["n_low"].notna().all()
    assert done.warnings == ()


def test_unfamiliar_images_are_counted_without_an_interval() -> None:
    done = Count(calibration=CALIBRATION)(sample(labels(36), labels(36)).with_scores({"unfamiliarity": 1.01}))
    assert done.tables["counts"]["n"].tolist() == [36]
    assert done.tables["counts"][["n_low", "n_high", "coverage"]].isna().all(axis=None)
    assert "No interval is given for field, because it looks unlike the images of the calibration" in done.warnings[0]


def test_counters_far_apart_are_told_without_a_calibration_too() -> None:
    done = Count()(sample(labels(20), labels(60)))
    assert "two counters disagree in field: instances say 20, density says 60.0" in done.warnings[1]


def test_given_labels_count_as_themselves_and_the_density_only_checks_them() -> None:
    shape = Shape(name="upper", rectangle=(0, 0, 48, 240))
    done = Count(number="objects", shapes=(shape,), calibration=CALIBRATION)(sample(labels(33), labels(36)))
    table = done.tables["counts"]
    assert table["n"].tolist() == table["n_instances"].tolist() == [33, 20]
    assert table["n_density"].iloc[0] == pytest.approx(36, abs=1e-3)
    assert table[["n_low", "n_high", "coverage"]].isna().all(axis=None)
    assert done.warnings == ()
    far = Count(number="objects")(sample(labels(20), labels(60)))
    assert far.tables["counts"]["n"].tolist() == [20]
    assert [text[:28] for text in far.warnings] == ["The two counters disagree in"]


def test_labels_that_are_looked_up_are_given() -> None:
    found = Segment(engine="labels", options={"folder": "drawn"})
    steps = with_checked_calibrations((Maps(model="base", heads=("density",)), found, Count()))
    assert [step.number for step in steps if isinstance(step, Count)] == ["objects"]
    steps = with_checked_calibrations((Segment(engine="classical"), Count()))
    assert [step.number for step in steps if isinstance(step, Count)] == ["joint"]


def test_movies_have_a_row_for_each_frame() -> None:
    image = cm.image_from_array(np.zeros((2, 240, 240), np.uint16), "TYX", name="movie")
    found = cm.labels_from_array(np.stack([labels(10), labels(20)]), "TYX")
    density = cm.image_from_array(np.stack([density_from_labels(labels(n)) for n in (10, 21)]), "TYX")
    table = Count()(Sample(image, {"cells": found}).with_maps({"density": density})).tables["counts"]
    assert table["t"].tolist() == [0, 1]
    assert table["n_instances"].tolist() == [10, 20]
    assert table["n_density"].round(2).tolist() == [10, 21]


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(ParameterError, match="nothing to count in field"):
        Count()(sample(None, None))
    with pytest.raises(LabelsError, match="not of the size"):
        Count()(sample(labels(3)[:100], None))
    image = cm.image_from_array(np.zeros((2, 240, 240), np.uint16), "ZYX")
    linked = replace(cm.labels_from_array(np.stack([labels(3)] * 2), "ZYX"), linked_z=True)
    with pytest.raises(ParameterError, match="these objects run through Z"):
        Count()(Sample(image, {"cells": linked}))


def test_classical_counts_by_instances(tmp_path: Path) -> None:
    light = (labels(30) > 0) * 1000.0 + 200
    done = count(cm.image_from_array(light), engine="classical", diameter_px=14)
    assert done.table["n"].tolist() == [30]
    assert done.labels is not None
    assert done.maps == {}


def test_a_model_that_cannot_count_is_refused(tmp_path: Path, tiny_models) -> None:
    path = tiny_models(tmp_path, heads=("foreground",))
    with pytest.raises(ModelError, match="cannot count"):
        counting_steps({"model": str(path)}, Count())


def test_a_model_counts_by_what_it_has(tmp_path: Path, tiny_models) -> None:
    image = cm.image_from_array(((labels(36) > 0) * 1000 + 500).astype(np.uint16), name="field")
    full = tiny_models(tmp_path, counting=CALIBRATION.model_copy(update={"largest_disagreement": 9.0}))
    both = count(image, model=str(full))
    assert both.table["n_instances"].tolist() == [36]
    assert both.table["n_low"].notna().all()
    assert sorted(both.maps) == ["density", "disagreement"]
    dense = tiny_models(tmp_path, "dense", heads=("density",))
    alone = count(image, model=str(dense))
    assert alone.table["n_density"].iloc[0] == pytest.approx(both.table["n_density"].iloc[0], rel=1e-6)
    assert alone.labels is None
    with pytest.raises(ParameterError, match="counts by density only and labels no cells; it has no use for cleanup"):
        count(image, model=str(dense), cleanup={"min_area_px": 5})
    outlined = tiny_models(tmp_path, "outlined", heads=("foreground", "flow"))
    assert count(image, model=str(outlined)).table["n_density"].isna().all()


def test_known_images_are_counted_for_a_calibration(tmp_path: Path, tiny_models) -> None:
    def image_of(number: int) -> cm.Image:
        return cm.image_from_array(((labels(number) > 0) * 1000 + 500).astype(np.uint16), name=f"f{number}")

    path = tiny_models(tmp_path)
    known = count_known([(image_of(number), number) for number in range(5, 25)], model=str(path))
    assert known["truth"].tolist() == known["instances"].tolist() == list(range(5, 25))
    fitted = calibrate(known)
    assert (fitted.toward_more, fitted.toward_fewer, fitted.factor) == (0.5, 0.0, 0.0)
    assert fitted.counted_by == CountedBy(engine="cellmetry", model="tiny", sha256=find_model(path).card.sha256)
    classical = count_known([(image_of(9), 9)], engine="classical", diameter_px=14)
    assert list(classical) == ["image", "truth", "instances", "engine"]
    movie = cm.image_from_array(np.zeros((2, 64, 64), np.uint8), "TYX")
    with pytest.raises(ParameterError, match="2 planes; calibration takes images of one plane"):
        count_known([(movie, 1)], model=str(path))
