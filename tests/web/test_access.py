"""Who cannot see or point well: names of controls, contrast of colours, keyboard."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

from cellmetry.server.pages.web_app import WEB

sys.path.insert(0, str(Path(__file__).parent))
from results_study import run_job

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

_PALE = """() => {
  const parts = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([red, green, blue]) => [red, green, blue]
    .map((part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, k) => sum + part * [0.2126, 0.7152, 0.0722][k], 0);
  const over = (top, ground) => ground.slice(0, 3).map((part, k) => part + ((top[k] ?? 0) - part) * (top[3] ?? 1));
  const chain = (element) => (element ? [...chain(element.parentElement), element] : []);
  const ground = (element) => chain(element).reduce(
    (below, each) => over(parts(getComputedStyle(each).backgroundColor), below), [255, 255, 255]);
  const isSeen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    && !chain(element).some((each) => each.matches(":disabled, .unseen, .viewer, .thumb, [aria-disabled=true]"))
    && getComputedStyle(element).backgroundImage === "none";
  const said = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const contrast = (element) => {
    const [below, { color }] = [ground(element), getComputedStyle(element)];
    const [low, high] = [light(below), light(over(parts(color), below))].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  return [...document.body.querySelectorAll("*:not(svg *, option, noscript)")]
    .filter((element) => said(element) && isSeen(element) && contrast(element) < 4.5)
    .map((element) => `${contrast(element).toFixed(2)} ${element.className} ${element.textContent.slice(0, 60)}`);
}"""
_FOCUS = """() => {
  const at = document.activeElement;
  if (!at || at === document.body || at === document.documentElement) return "";
  const { outlineStyle, outlineWidth, backgroundColor } = getComputedStyle(at);
  const ringed = outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
  const { width, height } = at.getBoundingClientRect();
  const lit = at.matches(".splitter") && backgroundColor;
  return (ringed || lit) && width > 0 && height > 0 ? "" : at.outerHTML.slice(0, 160);
}"""
_AXE = """() => axe.run(document, { preload: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] })
  .then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html.slice(0, 160))]))"""


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


@pytest.fixture(scope="module")
def study(api: Any, pictures: Any) -> str:
    """A study of two images of two channels and conditions, segmented and measured."""
    study = str(api.post("studies", json={"name": "Access"}).json()["id"])
    parts = [("files", (f"{k}.tif", pictures.tiff(pictures.squares(96, channels=2, seed=k), um=0.5))) for k in range(2)]
    for image, condition in zip(api.post(f"studies/{study}/images", files=parts).json(), "ab", strict=True):
        api.patch(f"studies/{study}/images", json={"images": [image["id"]], "values": {"condition": condition}})
    settings = ['segment.engine="classical"', "segment.channel=0"]
    run_job(api, study, "segment", {"recipe": "any", "set": settings})
    run_job(api, study, "measure", {"labels": "cells"})
    return study


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_step_can_be_read_and_worked_by_keyboard(
    signed_in: Any, server: Any, study: str, until: Any, theme: str
) -> None:
    page = signed_in(theme=theme)
    page.evaluate("(study) => cellmetry.place.go(study, 'images')", study)
    until(page, "cellmetry.study?.images.ready.length === 2")
    wrong: dict[str, Any] = {}
    for step in page.evaluate("import('./web/app/steps.js').then((all) => all.STEPS.map((step) => step.name))"):
        page.evaluate("(step) => cellmetry.goStep(step)", step)
        until(page, f"cellmetry.step === '{step}'")
        page.wait_for_load_state("networkidle")
        found = [page.evaluate(_NAMELESS), page.evaluate(_PALE), _without_focus(page), *_axe(page)]
        wrong |= {step: found} if any(found) else {}
    assert not wrong


def test_panels_and_menus_can_be_read_and_lie_within_the_window(page: Any, study: str, until: Any) -> None:
    page.evaluate("(study) => cellmetry.place.go(study, 'measure')", study)
    until(page, "document.querySelector('.table-row')")
    for name in ("Add a filter", "Columns", "Download the table", "Jobs", "Settings"):
        page.get_by_role("button", name=name).first.click()
        panel = page.locator("[popover]:not([hidden])")
        box = panel.bounding_box()
        assert box["x"] >= 0, name
        assert box["y"] >= 0, name
        assert box["x"] + box["width"] <= 1280, name
        assert box["y"] + box["height"] <= 720, name
        top = "(panel) => panel.contains(document.elementFromPoint(...((box) => [box.x + 20, box.bottom - 12])"
        assert panel.evaluate(f"{top}(panel.getBoundingClientRect())))"), name  # nothing clips or covers it
        assert page.evaluate(_PALE) == [], name
        page.keyboard.press("Escape")
        assert panel.count() == 0, name


def _without_focus(page: Any) -> list[str]:
    """Return elements that the Tab key reaches without being seen to have the focus."""
    found = []
    page.evaluate("document.activeElement?.blur()")
    for _ in range(25):
        page.keyboard.press("Tab")
        found.append(page.evaluate(_FOCUS))
    return [each for each in dict.fromkeys(found) if each]


def _axe(page: Any) -> list[Any]:
    """Return what axe-core finds against WCAG 2.1 A and AA."""
    page.evaluate((Path(str(axe_playwright_python.__file__)).parent / "axe.min.js").read_text(encoding="utf-8"))
    return list(page.evaluate(_AXE))


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
