"""Recipes: reading, hashing, changing, refusing with the nearest right word."""

from __future__ import annotations

from pathlib import Path

import pytest

from cellmetry.errors import MissingInput, ParameterError, UnknownName
from cellmetry.pipeline.recipe import STEPS, load_recipe, parse_recipe, recipe_text, shipped_recipes


@pytest.mark.parametrize("name", shipped_recipes())
def test_shipped_recipes_are_right_and_survive_writing(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    assert recipe.description
    assert "--" not in recipe.description, "The app shows it too."
    path = tmp_path / "copy.toml"
    path.write_text(recipe_text(recipe), encoding="utf-8")
    again = load_recipe(path)
    assert again.hash == recipe.hash
    assert again.steps == recipe.steps


@pytest.mark.parametrize("name", STEPS.names())
def test_every_step_is_found_under_its_name(name: str) -> None:
    assert STEPS.load(name).name == name
    for field in STEPS.load(name).model_fields.values():
        assert field.description


def test_the_hash_is_that_of_the_steps_alone() -> None:
    a = parse_recipe({"name": "a", "steps": [{"step": "segment"}]})
    b = parse_recipe({"name": "b", "description": "x", "steps": [{"step": "segment", "engine": "cellmetry"}]})
    c = parse_recipe({"name": "a", "steps": [{"step": "segment", "diameter_px": 9}]})
    device = parse_recipe({"name": "a", "steps": [{"step": "segment", "device": "cpu"}]})
    assert a.hash == b.hash == device.hash != c.hash


def test_changes_reach_any_depth_and_read_values_as_toml() -> None:
    recipe = load_recipe(
        "nuclei",
        [
            "segment.diameter_px=12.5",
            "segment.cleanup.keep_border=false",
            "segment.options.look=dark",
            'measure.features=["size", "intensity"]',
            "segment.channel=DNA",
        ],
    )
    segment, measure = recipe.steps
    assert (segment.diameter_px, segment.cleanup.keep_border, segment.channel) == (12.5, False, "DNA")
    assert segment.options["look"] == "dark"
    assert measure.features == ("size", "intensity")


def test_one_of_several_steps_is_chosen_by_number() -> None:
    table = {"steps": [{"step": "segment", "labels": "a"}, {"step": "segment", "labels": "b"}]}
    recipe = parse_recipe(table, ["segment[2].diameter_px=7"])
    assert [step.diameter_px for step in recipe.steps] == [None, 7]
    with pytest.raises(ParameterError, match=r"segment\[1\], segment\[2\]"):
        parse_recipe(table, ["segment.diameter_px=7"])
    with pytest.raises(ParameterError, match="2 steps"):
        parse_recipe(table, ["segment[3].diameter_px=7"])


@pytest.mark.parametrize(
    ("table", "changes", "message"),
    [
        ({"steps": [{"step": "segmnt"}]}, [], "Did you mean 'segment'"),
        ({"steps": [{"step": "segment", "diametr_um": 3}]}, [], "Did you mean 'diameter_um'"),
        ({"steps": [{"step": "segment"}], "stepps": 1}, [], "Did you mean 'steps'"),
        ({"steps": [{"step": "segment"}]}, ["measure.table=x"], "no step in this recipe called 'measure'"),
        ({"steps": [{"step": "segment"}]}, ["segment.cleanup.min_aera_px=3"], "min_aera_px"),
    ],
)
def test_unknown_words_say_the_nearest(table: dict, changes: list[str], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        parse_recipe(table, changes)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "has no steps"),
        ({"steps": []}, "has no steps"),
        ({"steps": [{}]}, "does not say which"),
        ({"steps": 3}, "no"),
    ],
)
def test_a_recipe_needs_steps(table: dict, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        parse_recipe(table)


@pytest.mark.parametrize("change", ["segment", "diameter=3", "segment.=3", "=", "segment.a b=1"])
def test_a_change_of_another_form_is_refused(change: str) -> None:
    with pytest.raises(ParameterError, match="step.parameter=value"):
        load_recipe("nuclei", [change])


def test_files(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="no recipe"):
        load_recipe(tmp_path / "none.toml")
    with pytest.raises(UnknownName, match="Did you mean 'nuclei'"):
        load_recipe("nuclej")
    broken = tmp_path / "broken.toml"
    broken.write_text("[[steps\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"broken.toml is not valid TOML: .*line 1"):
        load_recipe(broken)
    broken.write_text("\ufeff[[steps]]\nstep = 'measure'\n", encoding="utf-8")
    assert load_recipe(broken).name == "broken"
    broken.write_bytes(b"name = '\xff'\n")
    with pytest.raises(ParameterError, match="not UTF-8"):
        load_recipe(broken)


def test_the_given_table_is_not_changed() -> None:
    table = {"steps": [{"step": "segment", "options": {"split": 1.0}}]}
    parse_recipe(table, ["segment.options.split=3"])
    assert table == {"steps": [{"step": "segment", "options": {"split": 1.0}}]}
    with pytest.raises(ParameterError, match="overlay is a table"):
        parse_recipe({**table, "overlay": 3})
