"""Measure, Compare and Report in a browser: from labels to a report, with every number looked up."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest


def _made():
    place = Path(__file__).parent / "results_study.py"
    spec = spec_from_file_location("tests_web_results_study", place)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def study(api, pictures):
    return _made().segmented_study(api, pictures.tiff, side=128, across=4)


@pytest.fixture
def opened(page, study, until):
    def go(step):
        page.evaluate(f"cellmetry.place.go('{study}', '{step}')")
        until(page, f"cellmetry.step === '{step}'")
        return page

    return go


CELL = """(() => {
  const { viewer } = cellmetry;
  for (let y = 4; y < 128; y += 4) for (let x = 4; x < 128; x += 4) {
    const id = viewer.idAt(y, x);
    if (id > 1) return { id, ...viewer.toScreen(y, x) };
  }
  return null;
})()"""


def _held(page, pattern):
    """Return a list that gets the requests of a page, each waiting for its answer."""
    held = []

    def hold(route):
        held.append(route)

    page.route(pattern, hold)
    return held


def test_cells_are_measured_and_each_leads_to_its_row(opened, until, api, study):
    page = opened("measure")
    page.get_by_role("grid", name="Table run_cells").wait_for()
    page.get_by_label("Controls").get_by_role("button", name="Measure", exact=True).click()
    grid = page.get_by_role("grid", name="Table cells")
    grid.get_by_role("columnheader", name="Condition").wait_for(timeout=60_000)
    table = next(each for each in api.get(f"studies/{study}/tables").json() if each["name"] == "cells")
    page.get_by_text(f"{table['rows']} rows", exact=True).wait_for()

    cell = until(page, CELL)
    box = page.locator(".viewer-over").bounding_box()
    page.mouse.click(box["x"] + cell["x"], box["y"] + cell["y"])
    chosen = grid.locator("[aria-selected=true]")
    chosen.wait_for()
    assert chosen.locator("[role=gridcell]").nth(1).inner_text() == str(cell["id"])
    page.locator(".viewer-readout", has_text=f"Cell {cell['id']}").filter(has_text="Mean").wait_for()

    grid.focus()
    page.keyboard.press("End")
    last = api.get(f"studies/{study}/tables/{table['id']}/rows", params={"offset": table["rows"] - 1}).json()["rows"][0]
    until(page, f"cellmetry.viewer.image?.name === '{last['image']}'")
    until(page, f"[...cellmetry.viewer.selected].join() === '{last['label']}'")

    handle = page.get_by_role("slider", name="Lower end of the gate")
    handle.focus()
    for _ in range(4):
        page.keyboard.press("PageUp")
    page.get_by_text(f"of {table['rows']} rows").wait_for()
    until(page, "location.hash.includes('where=')")
    page.wait_for_timeout(1000)  # until the last of the four is counted
    kept = page.locator(".table-bar [role=status]").inner_text()
    page.reload()
    page.get_by_text(kept).wait_for()
    page.locator("button.step[data-step=compare]").click()
    page.get_by_text("Only cells with").wait_for()
    page.locator("button.step[data-step=measure]").click()
    page.get_by_text(kept).wait_for()
    page.get_by_role("button", name="Take away").click()
    page.get_by_text(f"{table['rows']} rows", exact=True).wait_for()

    page.get_by_label("Colour cells").check()
    until(page, "cellmetry.viewer.look.colouring.kind === 'value'")
    grid.get_by_role("button", name="Area").first.click()
    grid.get_by_role("button", name="Area").first.click()
    assert grid.get_by_role("columnheader", name="Area").get_attribute("aria-sort") == "descending"

    held = _held(page, "**/tables/*/values")
    page.get_by_label("Column that is shown").select_option("perimeter_um")
    while len(held) < 2:  # of the readout, and of the colours
        page.wait_for_timeout(50)
    page.locator("button.step[data-step=correct]").click()
    until(page, "cellmetry.step === 'correct'")
    for each in held:
        each.continue_()
    page.wait_for_timeout(300)
    assert page.evaluate("[cellmetry.viewer.look.colouring.kind, cellmetry.viewer.stage.describe]") == ["id", None]


def test_a_region_is_drawn_and_its_cells_are_counted(opened, page, faults, api, study, until):
    faults.allow("status of 500")
    image = _made().images_of(api, study)[0]["id"]
    old = {"name": "Old", "rectangle": [0, 0, 9, 9]}
    assert api.put(f"studies/{study}/regions", json={"image": image, "regions": [old]}).status_code == 200
    refused = {"status": 500, "json": {"error": {"kind": "Any", "message": "The list cannot be read."}}}
    page.route("**/regions", lambda route: route.fulfill(**refused))
    page = opened("measure")
    page.get_by_text("The list cannot be read.").wait_for()
    page.unroute("**/regions")
    until(page, CELL)
    page.get_by_role("button", name="Of the view").click()
    page.get_by_label("Name").fill("Rim")
    page.get_by_role("button", name="Add", exact=True).click()
    seen = page.locator(".region", has_text="Rim").get_by_text("cell")
    seen.wait_for()
    table = next(each for each in api.get(f"studies/{study}/tables").json() if each["name"] == "cells")
    query = {"where": 'image == "control_1"', "limit": 1}
    cells = api.get(f"studies/{study}/tables/{table['id']}/rows", params=query).json()["total"]
    assert seen.inner_text() == f"{cells} cells"
    kept = api.get(f"studies/{study}/regions").json()
    assert sorted(each["name"] for each in kept) == ["Old", "Rim"]
    page.get_by_role("button", name="Undo").last.click()
    seen.wait_for(state="detached")
    page.get_by_role("button", name="Remove the region Old").click()
    page.locator(".region").wait_for(state="detached")


def test_conditions_are_compared_and_the_report_is_saved(opened, api, study, until):
    page = opened("compare")
    page.get_by_text("2 conditions with 6 replicates (3 each).").wait_for()
    assert page.locator("label.field", has_text="Control").locator("select").input_value() == "control"
    value = page.locator("label.field").filter(has=page.get_by_text("Value", exact=True)).locator("select")
    first = value.input_value()
    assert value.locator("optgroup").first.get_attribute("label") == "Number of cells"
    value.select_option("n_cells_kept_per_mm2")  # the size of a pixel is known
    page.get_by_text("Compared is the").wait_for(state="hidden")
    value.select_option(first)
    page.get_by_role("button", name="Compare", exact=True).last.click()
    page.get_by_text("Say first whether replicates of one name are pairs.").wait_for()
    page.get_by_role("radio", name="Pairs: made side by side").check()
    page.get_by_role("button", name="Compare", exact=True).last.click()
    page.get_by_text("higher than control").wait_for(timeout=90_000)
    page.get_by_role("heading", name="What to keep in mind").wait_for()
    page.get_by_role("button", name="Download Superplot as SVG").wait_for()

    plot = page.get_by_role("application", name="Superplot")
    until(page, "document.querySelector('.plot-cells')?.getAttribute('d').length > 0")
    (used,) = [each["details"]["table"] for each in api.get(f"studies/{study}/comparisons").json()]
    _made().run_job(api, study, "measure", {"labels": "cells", "table": "cells"})  # hides the table that was compared
    plot.focus()
    page.keyboard.press("ArrowRight")
    page.locator(".plot-tip").get_by_text("control_1, cell 1").wait_for()
    page.keyboard.press("Enter")
    until(page, "cellmetry.step === 'measure' && [...cellmetry.viewer.selected].join() === '1'")
    page.get_by_text("This table was compared.").wait_for()
    assert page.locator("label.field", has_text="older").locator("select").input_value() == used

    page = opened("report")
    frame = page.frame_locator("iframe[title=Report]")
    frame.get_by_role("heading", name="Summary").wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download the report as HTML").click()
    assert saved.value.suggested_filename.endswith(".html")
    page.get_by_role("tab", name="Methods").click()
    page.get_by_text("was compared between control and treated").wait_for()
    with page.expect_download(timeout=60_000) as written:
        page.get_by_role("button", name="Export", exact=True).click()
    assert written.value.suggested_filename.endswith(".zip")


def test_a_design_is_said_and_undone(opened, api, study, until):
    page = opened("compare")
    page.get_by_role("tab", name="Design").click()
    page.get_by_label("replicate of control_1").fill("")
    page.get_by_label("replicate of control_1").blur()
    page.get_by_text("1 image of no replicate").wait_for()
    page.get_by_role("tab", name="Result").click()
    page.get_by_text("1 image got another condition or replicate since this was compared").wait_for()
    page.get_by_text("Computed from 6 images, as the study said them then").click()
    changed = page.get_by_role("row", name="control_1")
    changed.get_by_text("(now not said)").wait_for()
    assert "day 1" in changed.inner_text()
    assert "cells, 0 edits" in changed.inner_text()
    page.get_by_role("tab", name="Design").click()
    page.get_by_label("condition of control_1").fill("treated")
    page.keyboard.press("Tab")
    said = "cellmetry.study.images.all.find((each) => each.name === 'control_1').said"
    until(page, f"{said}.condition === 'treated'")
    page.keyboard.type("day 1")  # into the next field, though the list was read again
    page.keyboard.press("Tab")
    until(page, f"{said}.replicate === 'day 1'")
    page.get_by_label("condition of control_1").fill("control")
    page.get_by_label("condition of control_1").blur()
    page.get_by_text("2 conditions with 6 replicates").wait_for()


def test_an_older_check_of_a_design_never_hides_a_newer_one(opened, until):
    page = opened("measure")
    held = _held(page, "**/design/check")
    opened("compare")
    page.get_by_role("tab", name="Design").click()
    for asked in (1, 2):
        while len(held) < asked:
            page.wait_for_timeout(50)
        if asked == 1:
            page.evaluate("cellmetry.study.images.tell('change', cellmetry.study.images)")
    said = [{"severity": "warning", "kind": "any", "text": text} for text in ("older", "newer")]
    held[1].fulfill(json=said[1:])
    page.get_by_text("newer").wait_for()
    held[0].fulfill(json=said[:1])
    page.wait_for_timeout(200)
    assert page.get_by_text("older").count() == 0


def test_a_former_comparison_comes_back_with_its_settings_and_a_table_shows_its_cells(opened, api, study, until):
    table = next(each for each in api.get(f"studies/{study}/tables").json() if each["name"].endswith("cells"))
    settings = {
        "comparisons": [{"value": "area_um2_positive", "control": "treated", "scale": "log"}],
        "gates": [{"value": "area_um2", "threshold": 12.5}],
        "keep": ["area_px > 3"],
        "figures": [],
        "tables": [],
    }
    parameters = {"table": table["id"], "settings": settings, "name_of_result": "Large cells"}
    _made().run_job(api, study, "compare", parameters)
    page = opened("compare")
    page.get_by_role("heading", name="Large cells").first.wait_for()
    page.locator(".chip", has_text="area_px > 3").wait_for()
    said = {}
    for name in ("Value", "Compared is the", "Threshold", "Control"):
        field = page.locator("label.field").filter(has=page.get_by_text(name, exact=True).and_(page.locator("span")))
        said[name] = field.locator("select, input").input_value()
    assert said == {"Value": "area_um2", "Compared is the": "share", "Threshold": "12.5", "Control": "treated"}
    assert not page.get_by_label("Leave out cells with a flag").is_checked()
    page.get_by_role("button", name="All cells").click()
    page.locator(".chip", has_text="area_px > 3").wait_for(state="detached")

    asked = {"recipe": "any", "set": ['segment.engine="classical"'], "labels_name": "nuclei"}
    _made().run_job(api, study, "segment", asked)
    page = opened("measure")
    page.get_by_role("grid", name="Table cells").wait_for()
    page.get_by_label("Colour cells").check()
    until(page, "cellmetry.viewer.look.colouring.kind === 'value' && cellmetry.study.labels.names.length === 2")
    page.evaluate("cellmetry.study.labels.select('nuclei')")
    page.get_by_text("This table is of cells, but nuclei are seen").wait_for()
    assert page.evaluate("[cellmetry.viewer.look.colouring.kind, cellmetry.viewer.stage.describe]") == ["id", None]
    cell, box = until(page, CELL), page.locator(".viewer-over").bounding_box()
    page.mouse.click(box["x"] + cell["x"], box["y"] + cell["y"])
    until(page, "cellmetry.viewer.selected.size === 1")
    page.wait_for_timeout(300)
    assert page.locator(".measure-cell, .table [aria-selected=true]").count() == 0
    page.get_by_role("button", name="Show cells").click()
    until(page, "cellmetry.viewer.look.colouring.kind === 'value'")
