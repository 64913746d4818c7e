"""For which counters a calibration holds: the model as it comes, or the one that a calibration names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cellmetry as cm
from cellmetry.core.parameters import parse_parameters
from cellmetry.counting.calibration import calibrate
from cellmetry.counting.count import count, count_known
from cellmetry.counting.step import Count
from cellmetry.counting.validity import with_checked_calibrations, with_own_calibration
from cellmetry.engines.network import NetworkEngine
from cellmetry.engines.segment import Segment
from cellmetry.errors import ParameterError
from cellmetry.models.count_calibration import CountCalibration, CountedBy
from cellmetry.models.store import find_model
from cellmetry.models.versions import install_model
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.recipe import load_recipe, parse_recipe

CALIBRATION = CountCalibration(factor=0.5, largest_count=100, largest_disagreement=9, images=40, images_fitted=40)
SAID = ["n_low", "n_high", "coverage"]


def disc_pixels(number: int) -> np.ndarray:
    y, x = np.mgrid[:240, :240]
    inside = np.hypot(y % 48 - 24, x % 48 - 24) <= 11
    return np.where(inside & ((y // 48) * 5 + x // 48 < number), 1500, 500).astype(np.uint16)


def discs(number: int = 20) -> cm.Image:
    return cm.image_from_array(disc_pixels(number), pixel_size_um=0.5, name=f"field {number}")


@pytest.fixture(scope="module")
def model(tmp_path_factory, tiny_models) -> Path:
    return tiny_models(tmp_path_factory.mktemp("models"), counting=CALIBRATION, diameters_px=(10.0, 90.0))


@pytest.fixture(scope="module")
def other(tmp_path_factory, tiny_models) -> Path:
    """Another model: other weights, the same name."""
    weights = find_model(tiny_models(tmp_path_factory.mktemp("same"))).read_weights() + b"\x32\x01x"
    return tiny_models(tmp_path_factory.mktemp("others"), weights=weights, counting=CALIBRATION)


@pytest.fixture(scope="module")
def own(model: Path) -> CountCalibration:
    """A calibration of the model that its user made."""
    return calibrate(count_known([(discs(number), number) for number in range(3, 23)], model=str(model)))


def test_the_models_calibration_gives_intervals_where_it_counts_as_it_comes(model: Path) -> None:
    unchanged = {"foreground_threshold": find_model(model).card.decoding.foreground_threshold}
    for choices in ({}, {"options": unchanged}, {"tile_px": 128}, {"cleanup": {"fill_holes": True}}):
        done = count(discs(), model=str(model), **choices)
        assert done.table[SAID].notna().all(axis=None)
        assert done.warnings == ()


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"options": {"foreground_threshold": 0.4, "sink_radius_px": 3}}, "foreground_threshold, sink_radius_px"),
        ({"options": {"join_from": 0.9}}, "join_from"),
        ({"options": {"keep_from": 0.2}}, "keep_from"),
        ({"cleanup": {"min_area_px": 5}}, "cleanup.min_area_px"),
        ({"diameter_px": 22}, "diameter_px"),
        ({"diameter_um": 11}, "diameter_um"),
    ],
)
def test_other_choices_count_without_an_interval_and_say_which(model: Path, choices, said) -> None:
    done = count(discs(), model=str(model), **choices)
    assert done.table["n_instances"].tolist() == [20]
    assert done.table["n"].notna().all()
    assert done.table[SAID].isna().all(axis=None)
    [warning] = [each for each in done.warnings if "No interval" in each]
    assert f"the model was calibrated without {said}, by which" in warning
    assert "--calibration" in warning


def test_a_projection_voids_the_calibration(model: Path) -> None:
    flat = disc_pixels(20)
    stack = cm.image_from_array(np.stack([flat, flat // 2]), "ZYX", name="stack")
    done = count(stack, model=str(model), stack="max")
    assert done.table["n_instances"].tolist() == [20]
    assert done.table[SAID].isna().all(axis=None)
    assert "without stack=max" in done.warnings[-1]


def test_a_diameter_that_changes_no_scale_voids_nothing(tmp_path: Path, tiny_models) -> None:
    path = tiny_models(tmp_path, counting=CALIBRATION)
    assert count(discs(), model=str(path), diameter_px=22).table[SAID].notna().all(axis=None)


def test_a_calibration_of_ones_own_is_used_with_any_choices(model: Path, own: CountCalibration) -> None:
    counting = Count(calibration=own)
    done = count(discs(), counting, model=str(model), cleanup={"min_area_px": 5}, diameter_px=22)
    assert done.table[SAID].notna().all(axis=None)


def test_a_calibration_of_another_model_is_refused(own: CountCalibration, other: Path) -> None:
    counting = Count(calibration=own)
    with pytest.raises(ParameterError, match=r"made with the model tiny \(.*but cells are counted by the model tiny"):
        count(discs(), counting, model=str(other))
    with pytest.raises(ParameterError, match="but cells are counted by the engine classical: its intervals"):
        count(discs(), counting, engine="classical", diameter_px=22)
    assert ParameterError.exit_code == 2


def test_a_calibration_of_an_engine_is_not_for_a_model(model: Path) -> None:
    known = [(discs(number), number) for number in range(3, 23)]
    fitted = calibrate(count_known(known, engine="classical", diameter_px=22))
    assert fitted.counted_by == CountedBy(engine="classical")
    done = count(discs(), Count(calibration=fitted), engine="classical", diameter_px=22)
    assert done.table[SAID].notna().all(axis=None)
    with pytest.raises(ParameterError, match="made with the engine classical, but cells are counted by the model tiny"):
        count(discs(), Count(calibration=fitted), model=str(model))


def test_a_copy_of_the_model_by_another_name_is_the_same(
    model: Path, own: CountCalibration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELLMETRY_MODELS", str(tmp_path))
    copy = install_model(find_model(model), "copied")
    assert count(discs(), Count(calibration=own), model=str(copy.path)).table[SAID].notna().all(axis=None)


def test_one_that_names_no_model_is_taken_at_its_word(other: Path) -> None:
    assert CALIBRATION.counted_by is None
    elsewhere = Count(calibration=CALIBRATION.model_copy(update={"data": "by hand"}))
    assert count(discs(), elsewhere, model=str(other), diameter_px=22).table[SAID].notna().all(axis=None)


def test_unfamiliar_images_have_no_interval_but_by_a_calibration_on_such_images(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NetworkEngine, "unfamiliarity", lambda *_: 1.4)
    done = count(discs(), model=str(model))
    assert done.table[SAID].isna().all(axis=None)
    assert "unlike the images of the calibration (unfamiliarity 1.40, intervals hold up to 1.00)" in done.warnings[-1]
    fitted = calibrate(count_known([(discs(number), number) for number in range(3, 23)], model=str(model)))
    assert fitted.largest_unfamiliarity == 1.4
    assert count(discs(), Count(calibration=fitted), model=str(model)).table[SAID].notna().all(axis=None)


def test_a_recorded_recipe_is_judged_anew_when_it_is_changed(model: Path, other: Path, tmp_path: Path) -> None:
    cm.write_image(discs(), tmp_path / "field.tif")
    look = {"step": "segment", "model": str(model), "maps": ["density"]}
    recipe = parse_recipe({"steps": [look, {"step": "count"}]})
    steps = with_own_calibration(recipe.steps)
    run(type(recipe)("count", steps), [tmp_path / "field.tif"], tmp_path / "first")
    recorded = tmp_path / "first" / "recipe.toml"
    assert load_recipe(recorded).steps == with_checked_calibrations(steps)

    def counts(name: str, *changes: str) -> bool:
        run(load_recipe(recorded, changes), [tmp_path / "field.tif"], tmp_path / name)
        return bool(cm.read_table(tmp_path / name / "tables" / "counts.parquet")[SAID].notna().all(axis=None))

    assert counts("same")
    assert not counts("changed", "segment.cleanup.min_area_px=5")
    with pytest.raises(ParameterError, match="The calibration was made with the model tiny"):
        run(load_recipe(recorded, [f"segment.model='{other}'"]), [tmp_path / "field.tif"], tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_labels_from_elsewhere_leave_a_calibration_as_it_is() -> None:
    segment = parse_parameters(Segment, {"engine": "classical", "labels": "nuclei"}, where="test")
    steps = (segment, Count(calibration=CALIBRATION))
    assert with_checked_calibrations(with_own_calibration(steps)) == steps
