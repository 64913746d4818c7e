"""Who cannot see or point well: names of controls, contrast of colours, keyboard."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cellmetry.server.pages.web_app import WEB

_TEXTS = ("text", "quiet", "accent", "good", "warn", "bad")
_GROUNDS = ("ground", "panel", "raised")
_NAMELESS = """() => {
  const named = (element) => element.getAttribute("aria-label") || element.textContent.trim() || element.labels?.length
    || element.getAttribute("aria-labelledby") || element.title;
  const controls = "button, input, select, textarea, [role=separator], [role=listbox], canvas[tabindex]";
  return [...document.querySelectorAll(controls)]
    .filter((element) => !named(element) && element.type !== "hidden")
    .map((element) => element.outerHTML.slice(0, 200));
}"""


def _themes() -> dict[str, dict[str, str]]:
    css = (WEB / "style" / "tokens.css").read_text()
    found = {}
    for theme in ("dark", "light"):
        block = css.split(f'[data-theme="{theme}"] {{', 1)[1].split("}", 1)[0]
        found[theme] = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})\b", block))
    return found


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(first: str, second: str) -> float:
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_colours_differ_enough(theme: str) -> None:
    tokens = _themes()[theme]
    pairs = [(text, ground, 4.5) for text in _TEXTS for ground in _GROUNDS]
    pairs += [("on-accent", "accent", 4.5), ("on-bad", "bad", 4.5), ("text", "chosen", 4.5), ("text", "notice", 4.5)]
    pairs += [("edge", ground, 3.0) for ground in ("ground", "panel")]
    poor = {
        f"{a} on {b}": round(_contrast(tokens[a], tokens[b]), 2)
        for a, b, least in pairs
        if _contrast(tokens[a], tokens[b]) < least
    }
    assert not poor


def test_the_light_theme_is_the_same_whether_chosen_or_the_computers() -> None:
    css = (WEB / "style" / "tokens.css").read_text()
    chosen = css.split(':root[data-theme="light"] {', 1)[1].split("}", 1)[0].split()
    computers = css.split(":root:not([data-theme]) {", 1)[1].split("}", 1)[0].split()
    assert chosen == computers


def test_every_control_of_every_step_has_a_name(page: Any, api: Any, pictures: Any, until: Any) -> None:
    study = api.post("studies", json={"name": "Names"}).json()["id"]
    api.post(f"studies/{study}/images", files=[("files", ("a.tif", pictures.tiff(pictures.squares(64))))])
    assert page.evaluate(_NAMELESS) == []
    steps = page.evaluate(
        "import(new URL('web/app/steps.js', document.baseURI)).then((all) => all.STEPS.map((step) => step.name))"
    )
    for step in steps:
        page.evaluate("([study, step]) => cellmetry.place.go(study, step)", [study, step])
        until(page, f"cellmetry.step === '{step}' && cellmetry.study.images.ready.length === 1")
        page.wait_for_timeout(300)
        assert page.evaluate(_NAMELESS) == [], step


def test_a_study_is_made_by_keyboard_alone(page: Any, until: Any) -> None:
    page.get_by_role("button", name="New study").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("By keys")
    page.keyboard.press("Enter")
    until(page, "cellmetry.study?.name === 'By keys' && cellmetry.step === 'images'")
    page.get_by_role("button", name="Settings").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Settings"
