"""The page around the steps: start page, studies, header."""

from __future__ import annotations

from typing import Any


def test_a_new_study_is_made_and_opened_and_survives_a_reload(page: Any) -> None:
    page.get_by_role("heading", name="Studies").wait_for()
    page.get_by_role("button", name="New study").first.click()
    page.get_by_label("Name").fill("Wound healing")
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("navigation", name="Steps").get_by_role("button", name="Segment").click()
    page.locator(".step[aria-current]", has_text="Segment").wait_for()
    page.reload()
    page.locator(".step[aria-current]", has_text="Segment").wait_for()
    assert page.evaluate("window.cellmetry.study.name") == "Wound healing"
    assert page.evaluate("window.cellmetry.study.role") == "owner"
