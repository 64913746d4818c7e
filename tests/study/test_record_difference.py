"""Records of two analyses: every parameter, step and image that differs is told, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cellmetry.study.difference.changes import Change
from cellmetry.study.difference.records import compare_images, compare_readings, compare_recipes, compare_values

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


def image(**changed: Any) -> dict[str, Any]:
    return {"status": "done", "reason": "", "sha256": "0", "axes": "YX", "pixel_size_um": [0.5, 0.5, None], **changed}


def test_values_are_compared_to_the_last_leaf() -> None:
    before = {"engine": "cellmetry", "model": {"name": "base", "sha256": "a"}, "gone": 1}
    after = {"engine": "cellmetry", "model": {"name": "base", "sha256": "b"}, "came": [1, 2]}
    assert compare_values(before, after, "engine") == [
        Change("engine", "model.sha256", "a", "b"),
        Change("engine", "gone", 1, None),
        Change("engine", "came", None, [1, 2]),
    ]


@given(st.dictionaries(st.sampled_from("abc"), values))
def test_what_is_equal_has_no_change(said: dict[str, Any]) -> None:
    assert compare_values(said, said, "engine") == []
    assert compare_recipes({"steps": [{"step": "x", **said}]}, {"steps": [{"step": "x", **said}]}) == []


def test_recipes_parameter_by_parameter() -> None:
    before = {
        "steps": [
            {"step": "segment", "diameter_px": 12.0, "cleanup": {"min_area_px": 20}},
            {"step": "measure", "table": "cells"},
            {"step": "filter_cells", "min_area_px": 30},
        ],
        "overlay": {"ids": True},
    }
    after = {
        "steps": [
            {"step": "rolling_ball", "radius_px": 50},
            {"step": "segment", "cleanup": {"min_area_px": 40}},
            {"step": "measure", "table": "cells"},
            {"step": "measure", "table": "nuclei"},
            {"step": "filter_cells", "min_area_px": 25},
        ],
        "overlay": {"ids": False},
    }
    assert compare_recipes(before, after) == [
        Change("recipe", "rolling_ball", None, "a step"),
        Change("recipe", "segment.diameter_px", 12.0, None),
        Change("recipe", "segment.cleanup.min_area_px", 20, 40),
        Change("recipe", "measure[2]", None, "a step"),
        Change("filters", "filter_cells.min_area_px", 30, 25),
        Change("recipe", "overlay.ids", True, False),
    ]


def test_images_added_removed_failed_and_with_other_pixels() -> None:
    before = {"a": image(), "b": image(), "c": image(), "d": image()}
    after = {"b": image(sha256="1"), "c": image(status="failed", reason="Broken."), "d": image(), "e": image()}
    assert compare_images(before, after) == [
        Change("images", "a", "an image", None),
        Change("images", "e", None, "an image"),
        Change("images", "pixels of b", "0", "1"),
        Change("images", "c", "done", "failed: Broken."),
    ]


def test_readings_that_changed_alike_are_told_together() -> None:
    before = {name: image() for name in "abc"}
    after = {name: image(pixel_size_um=[0.6, 0.6, None]) for name in "ab"} | {"c": image(axes="ZYX")}
    assert compare_readings(before, after) == [
        Change("reading", "axes of c", "YX", "ZYX"),
        Change("reading", "pixel_size_um of 2 images (a, …)", [0.5, 0.5, None], [0.6, 0.6, None]),
    ]
