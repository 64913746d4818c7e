"""The step Segment in a browser: preview, apply, counts, cancel, what is wanted survives a reload."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="module")
def study(api: Any, pictures: Any) -> str:
    """A study of two images with nine squares each, that were read."""
    study = api.post("studies", json={"name": "Squares"}).json()["id"]
    parts = [("files", (f"{k}.tif", pictures.tiff(pictures.squares(96, channels=2, seed=k), um=0.5))) for k in range(2)]
    assert api.post(f"studies/{study}/images", files=parts).status_code == 201
    return study


@pytest.fixture
def opened(page: Any, study: str, until: Any) -> Any:
    """The step Segment of that study, ready to be used, set to the quick engine."""
    page.evaluate("study => cellmetry.place.go(study, 'segment')", study)
    until(page, "cellmetry.study?.images.ready.length === 2 && cellmetry.viewer?.image")
    page.get_by_text("More settings").click()
    page.get_by_label("Engine").select_option("classical")
    return page


def apply(page: Any, until: Any) -> dict[str, Any]:
    before = page.evaluate("cellmetry.study.jobs.all.filter((job) => job.kind === 'segment').length")
    page.get_by_role("button", name="Apply to all").click()
    jobs = "cellmetry.study.jobs.all.filter((job) => job.kind === 'segment')"
    until(page, f"{jobs}.length > {before}")
    return until(page, f"((job) => ['done', 'failed', 'cancelled'].includes(job.state) && job)({jobs}[0])", 60)


def test_cells_are_found_counted_and_undone(opened: Any, api: Any, study: str, until: Any) -> None:
    page = opened
    assert apply(page, until)["state"] == "done"
    page.get_by_text("18 cells in 2 images").wait_for()
    labels = api.get(f"studies/{study}/labels").json()
    assert [each["outlines"] for each in labels] == [9, 9]
    until(page, "cellmetry.viewer.labels !== null")

    page.get_by_role("button", name="History").click()
    page.get_by_role("button", name="Undo: Segment 2 images").first.click()
    page.get_by_text("Nothing was segmented yet").wait_for()
    assert api.get(f"studies/{study}/labels").json() == []
    until(page, "cellmetry.viewer.labels === null")


def test_a_preview_shows_outlines_and_leaves_the_study(opened: Any, api: Any, study: str, until: Any) -> None:
    page = opened
    before = api.get(f"studies/{study}").json()["last_act"]
    page.get_by_role("button", name="Preview", exact=True).click()
    page.get_by_text("9 cells, typically").wait_for(timeout=60_000)
    outlines = page.evaluate("cellmetry.viewer.layers.get('preview').shapes.filter((shape) => !shape.dashed).length")
    assert outlines == 9
    assert api.get(f"studies/{study}").json()["last_act"] == before
    page.get_by_role("button", name="End the preview").click()
    assert page.evaluate("cellmetry.viewer.layers.has('preview')") is False

    what = page.get_by_label("What to find")
    what.select_option(label="Cell and nucleus")
    until(page, "cellmetry.place.get('recipe') === 'cell-and-nucleus'")
    assert [each.input_value() for each in page.get_by_label("Channel", exact=True).all()] == ["channel0", "channel1"]
    page.get_by_label("Channel", exact=True).first.select_option("channel1")
    page.get_by_text("Nuclei and Cells are looked for in the same channel.").wait_for()
    what.select_option(label="Translocation")
    page.get_by_label("Channel of DNA").select_option("channel1")
    asked = page.evaluate("JSON.parse(cellmetry.place.get('set'))")
    assert {'segment.channel="channel1"', 'translocation.stain="channel1"'} <= set(asked)
    what.select_option(label="EdU")
    page.get_by_text("This needs 3 channels; the image that is seen has 2.").wait_for()
    assert page.get_by_role("button", name="Apply to all").is_disabled()
    assert "Existing labels" not in what.inner_text()
    left = "document.querySelector('.left').scrollTop"
    assert page.evaluate(f"{left} = 200, {left}") > 0
    page.evaluate("cellmetry.goStep('correct')")
    until(page, f"cellmetry.step === 'correct' && {left} === 0")


def test_what_is_wanted_survives_a_reload_and_is_checked(opened: Any, until: Any, faults: Any) -> None:
    page = opened
    page.get_by_label("Diameter of a cell").fill("12")
    page.get_by_label("Channel", exact=True).select_option(index=1)
    page.get_by_label("Sensitivity").fill("11")
    page.get_by_text("At most 10.").wait_for()
    page.get_by_label("Sensitivity").fill("2")
    page.reload()
    page.get_by_text("More settings").wait_for()
    until(page, "document.querySelector('[data-field=sensitivity] input')?.value === '2'")
    assert page.get_by_label("Diameter of a cell").input_value() == "12"
    assert page.evaluate("JSON.parse(cellmetry.place.get('set'))") == [
        'segment.engine="classical"',
        'segment.channel="channel1"',
        "segment.diameter_um=12",
        "segment.options.sensitivity=2",
    ]


def test_the_ruler_sets_the_diameter(opened: Any) -> None:
    page = opened
    page.get_by_role("button", name="Measure the diameter with a ruler").click()
    page.get_by_text("Draw a line across one cell").wait_for()
    ends = page.evaluate(
        """() => {
          const { left, top } = cellmetry.frame.viewerHost.getBoundingClientRect();
          const places = [[20, 20], [20, 60]].map(([y, x]) => cellmetry.viewer.toScreen(y, x));
          return places.map(({ x, y }) => [x + left, y + top]);
        }"""
    )
    page.mouse.move(*ends[0])
    page.mouse.down()
    page.mouse.move(*ends[1], steps=3)
    page.mouse.up()
    assert abs(float(page.get_by_label("Diameter of a cell").input_value()) - 20) < 0.5
    assert page.get_by_text("Draw a line across one cell").is_hidden()


def test_a_job_is_cancelled_and_resumed(opened: Any, until: Any) -> None:
    page = opened
    page.get_by_label("Engine").select_option("cellmetry")
    page.get_by_role("button", name="Apply to all").click()
    page.get_by_label("Controls").get_by_role("button", name="Cancel").click()
    last = "cellmetry.study.jobs.all.find((job) => job.kind === 'segment')"
    until(page, f"{last}.state === 'cancelled'")
    page.get_by_role("button", name="Jobs").click()
    page.get_by_role("dialog", name="Jobs").get_by_role("button", name="Resume").first.click()
    until(page, f"['queued', 'running', 'done'].includes({last}.state)")
    page.evaluate(f"cellmetry.study.jobs.cancel({last}.id)")
    until(page, f"['cancelled', 'done'].includes({last}.state)")


def test_outlines_go_round_pixels_and_holes(page: Any) -> None:
    lines = page.evaluate(
        """async () => {
          const { contours } = await import(new URL("web/steps/contours.js", document.baseURI));
          const ids = new Uint32Array([1, 1, 1, 0, 1, 0, 1, 2, 1, 1, 1, 0]);
          return contours(ids, 3, 4, { y: 10, x: 20 });
        }"""
    )
    assert sorted(len(line) for line in lines) == [4, 4, 4]
    assert sorted([min(line), max(line)] for line in lines) == [
        [[10, 20], [13, 23]],
        [[11, 21], [12, 22]],
        [[11, 23], [12, 24]],
    ]


@pytest.fixture(scope="module")
def stack(api: Any, pictures: Any) -> str:
    """A study of a flat image and a Z stack of four planes, with nine squares each."""
    study = api.post("studies", json={"name": "Stack"}).json()["id"]
    flat = pictures.squares(96)
    files = [
        ("files", ("flat.tif", pictures.tiff(flat, um=0.5))),
        ("files", ("stack.tif", pictures.tiff(np.stack([flat] * 4), um=0.5, axes="ZYX"))),
    ]
    assert api.post(f"studies/{study}/images", files=files).status_code == 201
    return study


def stacks_of(page: Any, *images: str, chosen: str = "max") -> Any:
    """What is changed in the recipe where the study has such images, and what is said of a choice that was replaced."""
    return page.evaluate(
        """async ([kinds, chosen]) => {
          const { StackField } = await import(new URL("web/steps/segment/stack.js", document.baseURI));
          const known = { flat: { axes: "YX", shape: [9, 9] }, deep: { axes: "ZYX", shape: [4, 9, 9] }, new: {} };
          const all = kinds.map((kind) => ({ state: kind === "new" ? "new" : "ready", header: known[kind] }));
          const ready = all.filter((image) => image.state === "ready");
          const field = new StackField({ openStudy: { images: { all, ready } } }, () => {});
          field.show(chosen);
          const about = field.element.querySelector("p").textContent;
          return [field.setOf("segment"), field.element.hidden ? "" : about];
        }""",
        [images, chosen],
    )


def test_cells_of_a_stack_count_once_unless_planes_are_asked_for(page: Any, stack: str, api: Any, until: Any) -> None:
    page.evaluate("study => cellmetry.place.go(study, 'segment')", stack)
    until(page, "cellmetry.study?.images.ready.length === 2 && cellmetry.viewer?.image")
    page.get_by_text("More settings").click()
    page.get_by_label("Engine").select_option("classical")
    assert page.get_by_label("Z stack").input_value() == "max"
    assert stacks_of(page, "flat") == [[], ""]
    assert stacks_of(page, "flat", "new") == [['segment.stack="max"'], ""]
    said, about = stacks_of(page, "deep", "flat", chosen="volume")
    assert said == ['segment.stack="max"']
    assert about.startswith("Volumes were chosen, but there are flat images")
    assert apply(page, until)["parameters"]["set"] == ['segment.engine="classical"', 'segment.stack="max"']
    page.get_by_text("18 cells in 2 images").wait_for()
    page.evaluate("cellmetry.goStep('correct', { image: cellmetry.study.images.all[1].id, z: 2 })")
    until(page, "cellmetry.viewer.z === 2 && cellmetry.viewer.labels")
    page.get_by_role("button", name="Mark field as reviewed").click()
    until(page, "cellmetry.viewer.layers.has('reviewed')")
    assert [(each["z"], each["box"]) for each in api.get(f"studies/{stack}/reviewed").json()] == [(0, [0, 96, 0, 96])]
    page.evaluate("cellmetry.goStep('measure')")
    page.get_by_label("Controls").get_by_role("button", name="Measure", exact=True).click()
    page.get_by_role("grid", name="Table cells").wait_for(timeout=60_000)
    page.get_by_text("18 rows", exact=True).wait_for()
    assert page.get_by_text("Not in this table").count() == 0

    page.evaluate("cellmetry.goStep('segment')")
    page.get_by_label("Z stack").select_option("planes")
    page.get_by_text("counts once in each of them").wait_for()
    assert apply(page, until)["state"] == "done"
    page.get_by_text("36 in 4 planes").wait_for()
    page.get_by_text("1 Z stack: each plane was worked by itself").wait_for()
    tables = api.get(f"studies/{stack}/tables").json()
    run = next(each for each in tables if each["name"] == "run_cells")
    page.evaluate("table => cellmetry.goStep('measure', { table })", run["id"])
    page.get_by_text("45 rows", exact=True).wait_for()
    page.get_by_text("1 Z stack: each plane was worked by itself").wait_for()


def test_a_double_click_begins_one_job_and_moves_no_button(opened: Any, until: Any) -> None:
    page = opened
    jobs = "cellmetry.study.jobs.all.filter((job) => job.kind === 'segment')"
    before = page.evaluate(f"{jobs}.length")
    button = page.get_by_role("button", name="Apply to all")
    place = button.bounding_box()
    button.dblclick()
    page.get_by_label("Controls").get_by_role("button", name="Cancel").wait_for()
    assert button.bounding_box() == place
    until(page, f"{jobs}.every((job) => ['done', 'cancelled'].includes(job.state))", 60)
    assert page.evaluate(f"{jobs}.length") == before + 1
    until(page, "!document.querySelector('.left-actions button.primary').disabled")
