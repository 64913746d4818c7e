"""The page around the steps: start page, studies, header, jobs, history, keys, themes."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def study(api: Any) -> str:
    return api.post("studies", json={"name": "Wound healing"}).json()["id"]


def open_study(page: Any, study: str, step: str) -> None:
    page.evaluate("([study, step]) => cellmetry.place.go(study, step)", [study, step])
    page.locator(f".step[data-step={step}][aria-current]").wait_for()


def test_a_new_study_is_made_and_opened_and_survives_a_reload(page: Any) -> None:
    page.get_by_role("button", name="New study").click()
    page.get_by_label("Name").fill("Wound healing")
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("navigation", name="Steps").get_by_role("button", name="Segment").click()
    page.locator(".step[aria-current]", has_text="Segment").wait_for()
    page.reload()
    page.locator(".step[aria-current]", has_text="Segment").wait_for()
    assert page.evaluate("cellmetry.study.name") == "Wound healing"
    assert page.evaluate("cellmetry.study.role") == "owner"
    page.get_by_role("button", name="Cellmetry").click()
    page.get_by_role("button", name="Wound healing", exact=False).first.wait_for()


def test_a_study_is_renamed_and_another_window_sees_it(signed_in: Any, study: str) -> None:
    mine, other = signed_in(), signed_in()
    open_study(mine, study, "images")
    open_study(other, study, "images")
    mine.get_by_role("button", name="Wound healing").click()
    mine.get_by_label("Name of the study").fill("Scratch")
    mine.get_by_role("button", name="Save").click()
    other.get_by_role("button", name="Scratch").wait_for()


def test_an_act_is_undone_and_redone_in_the_history(page: Any, api: Any, study: str) -> None:
    open_study(page, study, "images")
    api.post(f"studies/{study}/recipes", json={"name": "mine", "text": api.get("recipes/any?form=toml").text})
    page.get_by_role("button", name="History").click()
    page.get_by_role("button", name="Undo: Keep the recipe mine").click()
    page.get_by_role("button", name="Redo: Keep the recipe mine").wait_for()
    assert api.get(f"studies/{study}/recipes").json() == []
    page.get_by_role("button", name="Redo: Keep the recipe mine").click()
    page.get_by_role("button", name="Undo: Keep the recipe mine").wait_for()
    assert len(api.get(f"studies/{study}/recipes").json()) == 1


def test_keys_are_shown_and_letters_belong_to_fields(page: Any, study: str) -> None:
    open_study(page, study, "images")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").get_by_text("All keys").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Wound healing").click()
    page.get_by_label("Name of the study").fill("")
    page.keyboard.type("what?")
    assert page.get_by_label("Name of the study").input_value() == "what?"
    assert page.get_by_role("dialog").count() == 1


def test_the_theme_is_kept(page: Any) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("menuitem", name="How it goes").click()
    page.get_by_role("dialog", name="How it goes").get_by_text("Two channels").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("menuitemradio", name="Light").click()
    light = page.evaluate(ground)
    assert light != dark
    page.reload()
    page.get_by_role("button", name="New study").wait_for()
    assert page.evaluate(ground) == light


def test_a_study_that_is_not_there_is_said_and_left(page: Any, faults: Any) -> None:
    faults.allow("status of 404")
    page.evaluate("cellmetry.place.go('study_0123456789abcdef', 'images')")
    page.get_by_text("There is no study").wait_for()
    page.get_by_role("button", name="New study").wait_for()


def test_signing_out_shows_the_way_in(page: Any, faults: Any) -> None:
    faults.allow("status of 401")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_text("cellmetry serve").first.wait_for()
    assert page.locator("script[src*=main]").count() == 0
