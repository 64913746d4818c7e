"""The step Count in a browser: examples, the count of what is seen, regions, kept tables, downloads."""

from __future__ import annotations

import io
import json
import re
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import tifffile

CLASSICAL = json.dumps({"look": {"engine": "classical"}})
NUMBER = "document.querySelector('.count-number').textContent"
IDLE = "document.querySelector('.count-card').ariaBusy === 'false'"


@pytest.fixture(scope="module")
def study(api: Any, pictures: Any) -> str:
    """A study of two images with nine and sixteen squares, that were read."""
    study = api.post("studies", json={"name": "Squares"}).json()["id"]
    planes = [pictures.squares(96 * k // 3, cells=k, seed=k) for k in (3, 4)]
    parts = [("files", (f"{len(each)}.tif", pictures.tiff(each, um=0.5))) for each in planes]
    assert api.post(f"studies/{study}/images", files=parts).status_code == 201
    return study


@pytest.fixture
def opened(page: Any, study: str, until: Any) -> Any:
    """The step Count of that study, counting by the quick engine."""
    page.evaluate("hash => (location.hash = hash)", f"#/{study}/count?count={quote(CLASSICAL)}")
    until(page, "cellmetry.study?.images.ready.length === 2 && cellmetry.step === 'count'")
    until(page, f"{IDLE} && {NUMBER} === '9'", 60)
    return page


def test_what_is_seen_is_counted_and_left_as_it_is(opened: Any, api: Any, study: str, until: Any) -> None:
    page = opened
    before = api.get(f"studies/{study}").json()["last_act"]
    assert page.evaluate("cellmetry.viewer.layers.get('count cells').kind") == "labels"
    page.get_by_text("1 note").click()
    page.get_by_text("no interval is given").wait_for()
    page.get_by_role("button", name="Next image").click()
    until(page, f"{NUMBER} === '16'")
    assert api.get(f"studies/{study}").json()["last_act"] == before
    page.get_by_role("button", name="Measure", exact=True).click()
    until(page, "cellmetry.step === 'measure'")
    assert page.evaluate("[...cellmetry.viewer.layers.keys()]") == []
    assert page.evaluate("[cellmetry.viewer.pair.mode, cellmetry.viewer.look.visible]") == ["one", True]


def test_regions_are_counted_inside_and_outside(opened: Any, api: Any, study: str, until: Any) -> None:
    page = opened
    image = page.evaluate("cellmetry.viewer.image.id")
    half = {"name": "top row", "rectangle": [0, 0, 32, 96]}
    api.put(f"studies/{study}/regions", json={"image": image, "regions": [half]})
    page.get_by_role("row", name="top row 3").wait_for()
    page.get_by_text("More settings").click()
    page.get_by_label("Count what lies outside").check()
    page.get_by_role("row", name="outside 6").wait_for()
    page.reload()
    page.get_by_role("row", name="outside 6").wait_for()
    page.get_by_role("button", name="Remove the region top row").click()
    until(page, "!document.querySelector('.count-more table')")


def test_counts_are_kept_as_a_table_whose_rows_lead_to_images(opened: Any, api: Any, study: str, until: Any) -> None:
    page = opened
    page.get_by_role("button", name="Apply to all").click()
    page.locator(".count-table .table-row").nth(1).wait_for(timeout=60_000)
    [table] = api.get(f"studies/{study}/tables").json()
    rows = api.post(f"studies/{study}/tables/{table['id']}/query", json={}).json()["rows"]
    assert sorted((row["image"], row["n"]) for row in rows) == [("128", 16), ("96", 9)]
    page.locator(".count-table .table-row", has_text="128").first.click()
    until(page, f"cellmetry.viewer.image?.name === '128' && {NUMBER} === '16'")
    page.get_by_label("Images", exact=True).select_option("this")
    page.get_by_role("button", name="Apply to all").click()
    until(page, "document.querySelector('.count-table .table-panel')?.ariaLabel === 'Table counts 128'", 60)
    page.get_by_label("Table of counts").select_option(label="counts (2 rows)")
    until(page, "document.querySelector('.count-table .table-panel')?.ariaLabel === 'Table counts'")

    ids = {each["name"]: each["id"] for each in api.get(f"studies/{study}/images").json()}
    said = {"images": list(ids.values()), "values": {"condition": "a"}}
    left_out = {"images": [ids["128"]], "values": {"excluded": True}}
    assert [api.patch(f"studies/{study}/images", json=each).status_code for each in (said, left_out)] == [200, 200]
    which = page.get_by_label("Images", exact=True)
    which.locator("option", has_text="All (1)").wait_for(state="attached")
    which.select_option(label="Condition a")
    with page.expect_request("**/jobs") as asked:
        page.get_by_role("button", name="Apply to all").click()
    assert asked.value.post_data_json["parameters"]["images"] == [ids["96"]]
    api.patch(f"studies/{study}/images", json={**left_out, "values": {"excluded": None}})


def test_an_example_is_one_click_away_and_its_density_can_be_saved(page: Any, api: Any, until: Any) -> None:
    pytest.importorskip("torch", reason="the network needs torch")
    study = api.post("studies", json={"name": "Empty"}).json()["id"]
    page.evaluate("study => cellmetry.place.go(study, 'count')", study)
    page.get_by_role("button", name="A few nuclei").click()
    until(page, "document.querySelector('.count-interval strong') !== null", 90)
    low, high = page.locator(".count-interval strong").text_content().split(" – ")
    assert int(low) <= 9 <= int(high)
    until(page, "cellmetry.viewer.pair.second?.layers.get('count map')?.palette === 'magma'")
    page.get_by_label("Map beside the cells").select_option("disagreement")
    assert page.evaluate("cellmetry.viewer.pair.second.layers.get('count map').palette") == "balance"
    page.get_by_label("Views").select_option("one")
    assert page.evaluate("cellmetry.viewer.layers.get('count map').palette") == "balance"

    density = float(page.locator(".count-facts dd").nth(1).text_content())
    names = {"Density (TIFF)": "_density.tif", "Density (PNG)": "_density.png", "Counts (CSV)": ".csv"}
    for item, ending in names.items():
        page.get_by_role("button", name="Download this count").click()
        with page.expect_download() as saved:
            page.get_by_role("menuitem", name=item).click()
        assert saved.value.suggested_filename.endswith(ending)
        content = saved.value.path().read_bytes()
        if ending.endswith(".tif"):
            assert np.isclose(tifffile.imread(io.BytesIO(content)).sum(), density, atol=0.06)
        elif ending.endswith(".png"):
            assert content.startswith(b"\x89PNG")
        else:
            assert content.decode().splitlines()[1].startswith("Example sparse,,196608,9,")


def test_of_a_large_image_what_is_seen_is_counted_wherever_that_is(
    page: Any, api: Any, pictures: Any, until: Any
) -> None:
    study = api.post("studies", json={"name": "Large"}).json()["id"]
    plane = np.full((1030, 4200), 100, np.uint16)
    plane[:96, :96] = pictures.squares(96)
    file = ("files", ("large.tif", pictures.tiff(plane), "image/tiff"))
    assert api.post(f"studies/{study}/images", files=[file]).status_code == 201
    page.evaluate("hash => (location.hash = hash)", f"#/{study}/count?count={quote(CLASSICAL)}&y=48&x=48&zoom=3")
    until(page, "cellmetry.study?.images.ready.length === 1 && cellmetry.viewer.image")
    page.evaluate("cellmetry.viewer.goTo({y: 48, x: 48, zoom: 3})")
    until(page, f"{IDLE} && {NUMBER} === '9'", 60)
    page.get_by_text(re.compile(r"cells in the marked .* % of the image")).wait_for()
    until(page, "cellmetry.viewer.layers.get('counted part')?.shapes[0].points[0].join() === '0,0'")
    page.evaluate("cellmetry.viewer.goTo({y: 600, x: 3000, zoom: 3})")
    until(page, f"{IDLE} && {NUMBER} === '0'", 60)
    until(page, "cellmetry.viewer.layers.get('counted part')?.shapes[0].points[0][1] > 2000")


def test_labels_in_the_place_of_others_are_counted_and_those_that_went_stay_the_choice_and_are_said_to_be_gone(
    opened: Any, server: Any, squares: Any, until: Any, faults: Any
) -> None:
    page = opened
    image = page.evaluate("cellmetry.viewer.image.id")
    given = json.dumps({"labels": "cells", "density": False})
    for count in (4, 2):  # both are version 0
        ids = np.zeros((96, 96), np.uint32)
        ids[10, 10 : 10 + 2 * count : 2] = range(1, count + 1)
        squares.add(server, "Squares", {image: ids})
        page.evaluate("cellmetry.study.labels.load()")
        page.evaluate("count => cellmetry.place.go(cellmetry.study.id, 'count', {count})", given)
        if count == 4:
            page.reload()
        until(page, f"document.querySelector('.count-number')?.textContent === '{count}'")
    faults.allow("status of 4")
    gone = json.dumps({"labels": "gone", "density": False})
    page.evaluate("count => cellmetry.place.go(cellmetry.study.id, 'count', {count})", gone)
    page.reload()
    page.get_by_text("no labels called 'gone'").wait_for()
    which = page.get_by_label("Cells to count")
    assert which.input_value() == "gone"
    assert which.locator("option:checked").text_content() == "Labels “gone”, which are not there now"


def test_a_spoiled_address_opens_the_steps_all_the_same(page: Any, api: Any, until: Any) -> None:
    study = api.post("studies", json={"name": "Spoiled"}).json()["id"]
    spoiled = [("count", "count", "{"), ("segment", "set", "{"), ("count", "count", "[]")]
    for step, name, text in [*spoiled, ("dual", "quantify", "[1]"), ("compare", "where", "7")]:
        page.evaluate("hash => (location.hash = hash)", f"#/{study}/{step}?recipe=any&{name}={quote(text)}")
        until(page, f"cellmetry.step === '{step}' && cellmetry.place.get('{name}') === null")


SLOW_MAPS = """async () => {
  const { CountMaps } = await import(new URL("web/steps/count/maps.js", document.baseURI));
  window.reviewed = new CountMaps(cellmetry);
  window.slow = window.reviewed.showReviewed("slow");
}"""


def test_maps_of_a_review_that_come_late_are_not_shown(opened: Any) -> None:
    page, held = opened, []

    def hold(route: Any) -> None:
        held.append(route)

    told = {
        "kind": "density",
        "t": 0,
        "z": 0,
        "block": 64,
        "shape": [2, 2],
        "low": 0,
        "high": 2,
        "pixels": "maps/values",
    }
    page.route("**/maps?*labels=slow", hold)
    page.route("**/maps?*labels=quick", lambda route: route.fulfill(json=[told]))
    page.route("**/maps/values", lambda route: route.fulfill(body=np.float32([0, 1, 2, 2]).tobytes()))
    page.evaluate(SLOW_MAPS)
    page.evaluate("window.reviewed.showReviewed('quick')")
    seen = "cellmetry.viewer.pair.second.layers.get('count map')?.pixels.block"
    assert page.evaluate(seen) == 64
    held[0].fulfill(json=[{**told, "block": 32}])
    page.evaluate("window.slow")
    assert page.evaluate(seen) == 64
    page.evaluate("window.reviewed.close()")
