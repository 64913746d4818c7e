"""Walk through the app on the sample study as a person does, and take a picture of every step.

Each step is pictured at 1280 × 720 and 1920 × 1080, dark and light: `OUT/STEP-WIDTH-THEME.png`. `--docs` makes the
five pictures of the documentation only: `OUT/app_STEP.webp`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from in_browser import chromium, served
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = ((1280, 720), (1920, 1080))
THEMES = ("dark", "light")
DOCUMENTED = {"segment": "dark", "correct": "dark", "train": "light", "measure": "dark", "compare": "light"}
"""Steps in the documentation, and the theme of each."""
LONG = 300_000
"""Milliseconds that a job of a step may take."""


def main() -> None:
    """Walk, and picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--only", nargs="*", default=[], help="steps to picture; the way there is walked all the same")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(served(home))
        browser = stack.enter_context(chromium())
        page = browser.new_page(viewport={"width": SIZES[0][0], "height": SIZES[0][1]}, color_scheme=THEMES[0])
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: print("error in the page:", error))
        page.goto(url)

        def show(name: str) -> None:
            if args.docs and name in DOCUMENTED:
                page.emulate_media(color_scheme=DOCUMENTED[name])
                page.wait_for_timeout(2500)
                taken(page).save(args.out / f"app_{name}.webp", quality=90, method=6)
            elif not args.docs and name in (args.only or [name]):
                picture(page, args.out, name)

        walk(page, show)


def walk(page: Any, show: Callable[[str], None]) -> None:
    """Use the app from its first page to the report."""
    page.get_by_role("button", name="Choose files").wait_for()
    show("start")
    page.get_by_role("button", name="sample").first.click()
    page.locator(".step[data-step=images][aria-current]").wait_for()
    settle(page, "cellmetry.study.images.ready.length > 5 && cellmetry.study.jobs.running.length === 0")
    show("images")
    go(page, "segment")
    press(page, "Apply to all")
    done(page, "segment")
    show("segment")
    go(page, "correct")
    show("correct")
    for _ in range(4):
        delete_one(page)
        page.keyboard.press(".")
        page.wait_for_timeout(2500)
    go(page, "train")
    page.wait_for_timeout(3000)
    show("train-fields")
    page.get_by_label("Time").fill("1")
    press(page, "Train")
    page.wait_for_timeout(45_000)
    show("train-running")
    done(page, "train")
    show("train")
    go(page, "measure")
    press(page, "Measure")
    done(page, "measure")
    show("measure")
    go(page, "count")
    page.wait_for_timeout(8000)
    show("count")
    go(page, "dual")
    page.wait_for_timeout(3000)
    press(page, "Preview")
    page.wait_for_timeout(5000)
    show("dual")
    go(page, "compare")
    press(page, "Compare")
    done(page, "compare")
    show("compare")
    go(page, "report")
    show("report")


def delete_one(page: Any) -> None:
    """Delete the first cell of the image that is shown, as somebody would who finds it wrong."""
    page.evaluate("cellmetry.viewer.select([1])")
    page.get_by_role("heading", name="Cell 1", exact=True).wait_for()
    page.keyboard.press("Delete")
    page.locator(".correct-saved[data-state=saved]").wait_for()


def go(page: Any, step: str) -> None:
    """Go to a step by its button."""
    page.locator(f"button.step[data-step={step}]").click()
    page.locator(f".step[data-step={step}][aria-current]").wait_for()


def press(page: Any, name: str) -> None:
    """Press the step's own button of this name."""
    page.get_by_label("Controls").get_by_role("button", name=name, exact=True).click()


def done(page: Any, kind: str) -> None:
    """Wait until the last job of a kind is done."""
    settle(page, f"cellmetry.study.jobs.all.find((job) => job.kind === '{kind}')?.state === 'done'")


def settle(page: Any, expression: str) -> None:
    """Wait until something is true in the page, and a moment more for it to be drawn."""
    page.wait_for_function(f"() => {expression}", timeout=LONG)
    page.wait_for_timeout(3000)


def taken(page: Any) -> Image.Image:
    """Return what is seen, without the notes of what was just done."""
    for close in page.locator(".toast").get_by_role("button", name="Close this note").all():
        close.click()
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def picture(page: Any, out: Path, name: str) -> None:
    """Take the pictures of what is seen."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(2500)
            taken(page).save(out / f"{name}-{width}-{theme}.png")
    page.emulate_media(color_scheme=THEMES[0])
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[0], strict=True)))


if __name__ == "__main__":
    main()
