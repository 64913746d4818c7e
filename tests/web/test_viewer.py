"""The viewer in a browser: what it shows of an image and its labels, and what it does with pointer and keys."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def helping() -> Any:
    """Return the module `viewer_study`."""
    place = Path(__file__).parent / "viewer_study.py"
    spec = spec_from_file_location("tests_web_viewer_study", place)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def study(helping: Any, server: Any, api: Any, browser: Any) -> dict[str, str]:
    """Ids of a study, its images and their labels."""
    assert browser.is_connected()
    return dict(helping.make_study(server, api))


@pytest.fixture
def shown(helping: Any, server: Any, page: Any, study: dict[str, str]) -> Callable[..., Any]:
    """Return a function that shows an image in a page with nothing but a viewer: `shown("image", "labels", z=1)`."""

    def show(image: str = "image", labels: str | None = None, **more: Any) -> Any:
        helping.open_page(page, server, study["study"])
        told = [study[image], study[labels] if labels else None, more]
        page.evaluate("([image, labels, more]) => look(image, labels, more)", told)
        return page

    return show


PLAIN = """() => {
  viewer.setChannel(0, { colour: "#0000ff", low: 0, high: 4000 });
  viewer.setChannel(1, { colour: "#ff8000", low: 100, high: 2000 });
}"""


def _near(found: list[int], wanted: list[float], by: int = 2) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, wanted, strict=True))


def test_pixels_are_the_channels_added_up(shown: Any, helping: Any) -> None:
    page = shown()
    pixels = helping.picture(helping.objects())[:, 700, 650].astype(float)
    page.evaluate(f"drawn(() => {{ ({PLAIN})(); viewer.goTo({{ y: 700.5, x: 650.5, zoom: 8 }}); }})")
    blue, orange = pixels[0] / 4000, np.clip((pixels[1] - 100) / 1900, 0, 1)
    assert _near(page.evaluate("pixel(700.5, 650.5)"), [255 * orange, 128 * orange, 255 * blue])
    page.evaluate("drawn(() => viewer.setChannel(0, { visible: false }))")
    assert _near(page.evaluate("pixel(700.5, 650.5)"), [255 * orange, 128 * orange, 0])
    page.evaluate("drawn(() => viewer.setChannel(1, { gamma: 0.5 }))")
    assert _near(page.evaluate("pixel(700.5, 650.5)"), [255 * orange**0.5, 128 * orange**0.5, 0])


def test_large_windows_are_drawn_coarser_only_while_somebody_drags(shown: Any, helping: Any) -> None:
    page = shown()
    page.set_viewport_size({"width": 1900, "height": 1000})
    page.evaluate("drawn(() => viewer.goTo({ y: 700, x: 650, zoom: 1 }))")
    page.evaluate("drawn(() => viewer.setChannel(1, { visible: false }))")
    look = "{ colour: '#ffffff', low: 100, high: 2000 }"
    rough = f"(() => {{ viewer.setChannel(0, {look}); return viewer.stage.scene.picture.rough; }})()"
    assert page.evaluate(rough) is True
    page.wait_for_function("() => !viewer.stage.scene.picture.rough")
    page.evaluate("drawn()")
    read = "[...Array(400).keys()].map((k) => pixel(690.5 + Math.floor(k / 20), 640.5 + (k % 20))[0])"
    pixels = helping.picture(helping.objects())[0, 690:710, 640:660].astype(float)
    wanted = np.round(255 * np.clip((pixels - 100) / 1900, 0, 1))
    assert np.abs(np.reshape(page.evaluate(read), (20, 20)) - wanted).max() <= 2


def test_contrast_is_chosen_by_the_image_and_kept_by_the_study(shown: Any) -> None:
    page = shown()
    assert page.evaluate("viewer.channels.map((each) => each.chosen)") == [False, False]
    page.evaluate("viewer.autoContrast()")
    low, high = page.evaluate("[viewer.channels[0].low, viewer.channels[0].high]")
    assert 80 < low < 150
    assert 1200 < high < 2300
    counted = page.evaluate("viewer.histogram(0, 32).then((found) => [...found.counts])")
    assert len(counted) == 32
    assert sum(counted) > 10_000
    page.evaluate("viewer.setChannel(1, { low: 7, high: 900, colour: '#00ffff' })")
    page = shown()
    said = page.evaluate("viewer.channels.map(({ low, high, colour, chosen }) => [low, high, colour, chosen])")
    assert said[1] == [7, 900, "#00ffff", True]
    assert said[0][3] is False


def test_labels_are_outlined_filled_hidden_and_highlighted(shown: Any) -> None:
    page = shown("image", "labels")
    dark = "viewer.setChannel(0, { visible: false }); viewer.setChannel(1, { visible: false });"
    page.evaluate(f"drawn(() => {{ {dark} viewer.goTo({{ y: 620, x: 626, zoom: 4 }}); }})")
    middle, inside = page.evaluate("[viewer.idAt(620, 626), pixel(620.5, 626.5)]")
    assert middle > 0
    rim = page.evaluate(
        "(() => { let x = 626; while (viewer.idAt(620, x) === viewer.idAt(620, 626)) x -= 0.25; return x; })()"
    )
    outline = page.evaluate(f"pixel(620.5, {rim} + 0.4)")
    assert sum(outline) > 3 * sum(inside) > 0
    assert page.evaluate("pixel(600.5, 626.5)") == [0, 0, 0]

    page.evaluate("drawn(() => viewer.setLabels({ outline: false, fill: 1 }))")
    assert sum(page.evaluate("pixel(620.5, 626.5)")) > sum(outline) / 2
    page.evaluate(f"drawn(() => viewer.setHidden(new Set([{middle}])))")
    assert page.evaluate("pixel(620.5, 626.5)") == [0, 0, 0]
    page.evaluate(f"drawn(() => {{ viewer.setHidden(new Set()); viewer.select([{middle}]); }})")
    assert page.evaluate(f"pixel(620.5, {rim} + 0.4)") == [255, 255, 255]
    assert page.evaluate("[...viewer.selected]") == [middle]
    page.evaluate("drawn(() => viewer.setLabels({ visible: false }))")
    assert page.evaluate("pixel(620.5, 626.5)") == [0, 0, 0]


def test_neighbours_have_unlike_colours_and_values_their_own(shown: Any) -> None:
    page = shown("image", "labels")
    dark = "viewer.setChannel(0, { visible: false }); viewer.setChannel(1, { visible: false });"
    look = "viewer.setLabels({ outline: false, fill: 1 }); viewer.goTo({ y: 600, x: 600, zoom: 1 });"
    page.evaluate(f"drawn(() => {{ {dark} {look} }})")
    pairs = page.evaluate(
        "[...Array(20).keys()].map((k) => [pixel(420.5, k * 40 + 20 + (k % 2 ? -2 : 6)), "
        "pixel(420.5, k * 40 + 60 + (k % 2 ? 6 : -2))])"
    )
    assert all(left != right for left, right in pairs)
    values = "ids: [301, 302, 303], values: [0, 10, NaN], low: 0, high: 10, palette: 'viridis'"
    page.evaluate(f"drawn(() => viewer.setLabels({{ colouring: {{ kind: 'value', {values} }} }}))")
    found = page.evaluate("[26, 58, 106].map((x) => pixel(420.5, x + 0.5))")
    assert _near(found[0], [68, 1, 84])
    assert _near(found[1], [253, 231, 37])
    assert _near(found[2], [150, 150, 150])


def test_ids_are_those_of_the_server_and_clicks_tell_them(shown: Any, api: Any, study: dict[str, str]) -> None:
    page = shown("image", "labels")
    page.evaluate("drawn(() => viewer.goTo({ y: 500, x: 640, zoom: 2 }))")
    places = [(500.5, 640.5), (400.2, 533.9), (587.0, 702.3), (520.5, 500.5)]
    found = [page.evaluate(f"viewer.idAt({y}, {x})") for y, x in places]
    url = f"studies/{study['study']}/labels/{study['labels']}/at"
    assert found == [api.get(url, params={"y": y, "x": x}).json()["id"] for y, x in places]

    page.evaluate("window.picked = []; void viewer.on('pick', ({ id, y, x }) => picked.push([id, y, x]))")
    page.evaluate("window.hovered = []; void viewer.on('hover', (said) => hovered.push(said))")
    at = page.evaluate("viewer.toScreen(500.5, 640.5)")
    page.mouse.move(at["x"], at["y"])
    page.wait_for_function("() => hovered.some(({ y }) => y > 499)")
    said = page.evaluate("hovered.at(-1)")
    assert said["id"] == found[0]
    assert len(said["values"]) == 2
    assert f"Cell {found[0]}" in page.locator(".viewer-readout").inner_text() or found[0] == 0
    page.mouse.click(at["x"], at["y"])
    page.mouse.down()
    page.mouse.move(at["x"] + 60, at["y"] + 20, steps=3)
    page.mouse.up()
    [(picked, y, x)] = page.evaluate("picked")
    assert (picked, int(y), int(x)) == (found[0], 500, 640)


def test_pointer_and_keys_move_the_camera(shown: Any) -> None:
    page = shown()
    page.evaluate("drawn(() => viewer.goTo({ y: 600, x: 600, zoom: 2 }))")
    before = page.evaluate("viewer.toImage(300, 200)")
    page.mouse.move(300, 200)
    page.mouse.wheel(0, -300)
    page.wait_for_function("() => viewer.camera.zoom > 2.5")
    after = page.evaluate("viewer.toImage(300, 200)")
    assert after == pytest.approx(before, abs=1e-6)

    page.mouse.down()
    page.mouse.move(360, 230, steps=4)
    page.mouse.up()
    zoom = page.evaluate("viewer.camera.zoom")
    here = page.evaluate("viewer.toImage(360, 230)")
    assert here == pytest.approx(before, abs=5 / zoom)

    page.keyboard.press("0")
    fitted = page.evaluate("viewer.camera")
    assert (fitted["y"], fitted["x"]) == (600, 600)
    page.keyboard.press("+")
    assert page.evaluate("viewer.camera.zoom") == pytest.approx(1.3 * fitted["zoom"])
    page.keyboard.press("-")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("viewer.camera.x") > 600
    page.get_by_role("button", name="Zoom in").click()
    assert page.evaluate("viewer.camera.zoom") > fitted["zoom"] * 1.4
    page.evaluate("viewer.goToBox([100, 140, 300, 340])")
    assert page.evaluate("[viewer.camera.y, viewer.camera.x, viewer.camera.zoom]") == [120, 320, 8]


def test_two_fingers_zoom_and_move(shown: Any) -> None:
    page = shown()
    page.evaluate("drawn(() => viewer.goTo({ y: 600, x: 600, zoom: 1 }))")
    middle = page.evaluate("viewer.toImage(500, 300)")
    page.evaluate("""() => {
      const canvas = document.querySelector(".viewer-over");
      canvas.setPointerCapture = () => {};
      const tell = (name, pointerId, clientX, clientY) => canvas.dispatchEvent(
        new PointerEvent(name, { pointerId, clientX, clientY, bubbles: true, pointerType: "touch" }));
      tell("pointerdown", 11, 450, 300);
      tell("pointerdown", 12, 550, 300);
      for (let k = 1; k <= 50; k++) { tell("pointermove", 11, 450 - k, 300); tell("pointermove", 12, 550 + k, 300); }
      tell("pointerup", 11, 400, 300);
      tell("pointerup", 12, 600, 300);
    }""")
    assert page.evaluate("viewer.camera.zoom") == pytest.approx(2, abs=0.05)
    assert page.evaluate("viewer.toImage(500, 300)") == pytest.approx(middle, abs=2)


def test_a_tool_gets_the_pointer_and_space_pans(shown: Any) -> None:
    page = shown("image", "labels")
    page.evaluate(
        """drawn(() => {
      window.told = [];
      viewer.setTool({
        name: "test", cursor: "cell",
        down: ({ y, x }) => told.push(["down", y, x]), move: () => told.push(["move"]), up: () => told.push(["up"]),
        key: (event) => event.key === "b" && told.push(["key"]) && true, draw: () => told.push(["draw"]),
      });
      viewer.goTo({ y: 600, x: 600, zoom: 2 });
    })""".replace("window.told = []", "window.told = Object.assign([], {})")
    )
    page.mouse.move(640, 360)
    page.mouse.down()
    page.mouse.move(700, 380, steps=3)
    page.mouse.up()
    page.keyboard.press("b")
    page.wait_for_function("() => told.some(([name]) => name === 'draw')")
    names = page.evaluate("told.map(([name]) => name)")
    assert [each for each in names if each in {"down", "up", "key"}] == ["down", "up", "key"]
    assert page.evaluate("told.find(([name]) => name === 'down').slice(1)") == [600, 600]
    assert page.evaluate("viewer.camera") == {"y": 600, "x": 600, "zoom": 2}
    assert page.evaluate("document.querySelector('.viewer-over').style.cursor") == "cell"

    page.keyboard.down("Space")
    page.mouse.move(640, 360)
    page.mouse.down()
    page.mouse.move(700, 360, steps=3)
    page.mouse.up()
    page.keyboard.up("Space")
    assert page.evaluate("viewer.camera.x") == pytest.approx(570, abs=3)


def test_coarser_pixels_are_shown_until_the_fine_ones_are_there(shown: Any) -> None:
    page = shown()
    held: list[Any] = []
    page.route("**/tiles/0/**", lambda route: held.append(route))  # noqa: PLW0108  playwright marks it
    page.evaluate("viewer.goTo({ y: 900, x: 900, zoom: 4 })")
    page.wait_for_timeout(150)
    assert held
    assert sum(page.evaluate("pixel(900.5, 906.5)")) > 60
    aborted: list[str] = []
    page.on("requestfailed", lambda request: aborted.append(request.url))
    page.evaluate("viewer.goTo({ y: 150, x: 150 })")
    page.wait_for_timeout(100)
    assert aborted, "what is out of view is read on"
    page.unroute("**/tiles/0/**")
    for route in held:
        if route.request.url not in aborted:
            route.continue_()
    page.evaluate("drawn(() => viewer.goTo({ y: 151, x: 151 }))")


def test_an_edit_is_seen_at_once_and_reads_its_tiles_only(shown: Any, api: Any, study: dict[str, str]) -> None:
    page = shown("image", "labels")
    page.evaluate("drawn(() => viewer.goTo({ y: 300, x: 300, zoom: 1 }))")
    points = [[300.0, 280.0], [310.5, 300.25], [290.0, 330.0]]
    touched = page.evaluate("(points) => viewer.paint(points, 6.5, 901).tiles", points)
    assert [0, 0, 0, 0, 0] in touched
    shown_at_once = page.evaluate("[...Array(60).keys()].map((k) => viewer.idAt(302.5, 275.5 + k))")
    assert 901 in shown_at_once

    url = f"studies/{study['study']}/labels/{study['labels']}"
    body = {"operation": "brush", "parameters": {"points": points, "radius": 6.5}, "base_version": 0}
    done = api.post(f"{url}/edits", json=body).json()
    page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("({ tiles, version }) => drawn(() => viewer.refresh(tiles, { version }))", done)
    again = page.evaluate("[...Array(60).keys()].map((k) => viewer.idAt(302.5, 275.5 + k))")
    assert again == shown_at_once, "the stroke in the browser is not the one of the server"
    assert page.evaluate("viewer.version") == done["version"] == 1
    tiles = [each for each in asked if "/labels/" in each]
    assert 0 < len(tiles) <= len(done["tiles"])
    assert all(f"version={done['version']}" in each for each in tiles)

    api.post(f"{url}/undo", json={})
    page.evaluate("(tiles) => drawn(() => viewer.refresh(tiles))", done["tiles"])
    assert 901 not in page.evaluate("[...Array(60).keys()].map((k) => viewer.idAt(302.5, 275.5 + k))")
    assert page.evaluate("viewer.version") == 2


def test_strokes_are_those_of_the_server(shown: Any, helping: Any) -> None:
    from cellmetry.ops.editing.outlines import stroke_mask

    page = shown("image", "labels")
    page.evaluate("drawn(() => viewer.goTo({ y: 256, x: 256, zoom: 1 }))")
    random = np.random.default_rng(3)
    ids = helping.objects()[:512, :512]
    for number in range(6):
        points = random.uniform(20, 480, (number + 1, 2))
        radius = float(random.uniform(0.5, 20))
        over = number % 2 == 0
        told = [points.tolist(), radius, 2000 + number, over]
        page.evaluate("([points, radius, id, over]) => { viewer.paint(points, radius, id, { over }); }", told)
        mask = stroke_mask(points, radius, ids.shape)
        ids[mask if over else mask & (ids == 0)] = 2000 + number
    places = random.integers(0, 512, (4000, 2))
    found = page.evaluate("(places) => places.map(([y, x]) => viewer.idAt(y, x))", places.tolist())
    assert found == ids[places[:, 0], places[:, 1]].tolist()


def test_planes_and_projections(shown: Any, helping: Any) -> None:
    page = shown("stack", "stack_labels", z=1)
    assert page.evaluate("[viewer.t, viewer.z, viewer.sizes.z]") == [0, 1, 3]
    assert page.evaluate("viewer.idAt(20, 26)") == 1
    page.evaluate("document.querySelector('.viewer-over').focus()")
    page.keyboard.press("PageDown")
    page.wait_for_function("() => viewer.z === 2")
    assert page.evaluate("viewer.idAt(20, 26)") == 0
    read = """async (kind) => { await drawn(() => viewer.setProjection(kind));
      let said; const end = viewer.on("hover", (each) => (said = each));
      const at = viewer.toScreen(150.5, 130.5);
      viewer.hover({ clientX: at.x, clientY: at.y });
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      end();
      return said.values[0]; }"""
    ids = helping.objects()
    stack = [helping.picture(np.roll(ids, 10 * z, 0), 1)[0, 150, 130].astype(int) * (z + 1) for z in range(3)]
    assert page.evaluate(read, "none") == stack[2]
    assert page.evaluate(read, "max") == max(stack)
    assert page.evaluate(read, "mean") == round(sum(stack) / 3)


def test_pictures_of_other_kinds(shown: Any, helping: Any) -> None:
    page = shown("colour")
    page.evaluate("drawn(() => viewer.goTo({ y: 45, x: 35, zoom: 6 }))")
    for y, x in ((10, 8), (60, 50)):
        assert _near(page.evaluate(f"pixel({y}.5, {x}.5)"), helping.colours()[y, x].tolist())
    page = shown("tiny")
    page.evaluate("drawn(() => viewer.setChannel(0, { low: -1, high: 1, colour: '#ffffff' }))")
    value = round(255 * (20 * 53 + 30) / (37 * 53 - 1))
    assert _near(page.evaluate("pixel(20.5, 30.5)"), [value] * 3)
    assert page.evaluate("pixel(40, 60)") == [0, 0, 0]
    assert page.locator(".viewer-scale").inner_text().endswith("px")


def test_two_views_look_at_one_place(shown: Any) -> None:
    page = shown("image", "labels")
    page.get_by_label("Views").select_option("side")
    page.wait_for_function("() => viewer.pair.second?.image")
    page.evaluate("viewer.goTo({ y: 300, x: 320, zoom: 3 })")
    page.wait_for_function("() => viewer.pair.second.camera.zoom === 3")
    assert page.evaluate("viewer.pair.second.camera") == page.evaluate("viewer.camera")
    assert page.evaluate("viewer.pair.second.labels") is None
    page.get_by_label("Labels of the second view").select_option(label="cells")
    page.wait_for_function("() => viewer.pair.second.labels !== null")
    page.get_by_label("Views").select_option("split")
    page.evaluate("viewer.pair.second.zoomBy(0.5)")
    assert page.evaluate("viewer.camera.zoom") == 1.5
    page.get_by_label("Views").select_option("one")
    assert page.locator(".viewer").count() == 1


def test_the_second_view_offers_no_labels_of_the_image_before(shown: Any, study: dict[str, str]) -> None:
    page, held = shown("image", "labels"), []

    def hold(route: Any) -> None:
        held.append(route)

    page.route(f"**/labels?image={study['image']}&*", hold)
    page.get_by_label("Views").select_option("side")
    page.evaluate(f"look('{study['tiny']}')")
    page.wait_for_function(f"() => viewer.pair.second?.image?.id === '{study['tiny']}'")
    held[0].fulfill(json=[{"id": study["labels"], "name": "cells"}])
    page.wait_for_timeout(200)
    assert page.locator("select[aria-label^='Labels of the second'] option").all_text_contents() == ["No labels"]


def test_layers_and_furniture(shown: Any) -> None:
    page = shown()
    page.evaluate("drawn(() => viewer.goTo({ y: 600, x: 600, zoom: 2 }))")
    assert page.locator(".viewer-scale").inner_text() == "20 µm"
    assert page.locator(".viewer-minimap").is_visible()
    box = page.locator(".viewer-minimap").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    assert page.evaluate("viewer.camera.x") == pytest.approx(300, abs=20)
    page.evaluate("drawn(() => viewer.fit())")
    assert not page.locator(".viewer-minimap").is_visible()
    before = page.evaluate("pixel(40.5, 40.5)")
    pixels = "{ data: [1, 1, 1, 1], height: 2, width: 2, low: 0, high: 1 }"
    page.evaluate(f"drawn(() => viewer.setLayer('map', {{ kind: 'map', pixels: {pixels}, opacity: 1 }}))")
    assert _near(page.evaluate("pixel(40.5, 40.5)"), [253, 231, 37])
    page.evaluate("drawn(() => viewer.setLayer('map', null))")
    assert page.evaluate("pixel(40.5, 40.5)") == before
    assert page.evaluate("viewer.layers.size") == 0
    name = page.locator(".viewer-over").get_attribute("aria-label")
    assert "1200 × 1200 pixels" in name


def test_a_field_lies_over_the_image_as_labels_do(shown: Any) -> None:
    page = shown()
    dark = "viewer.setChannel(0, { visible: false }); viewer.setChannel(1, { visible: false });"
    page.evaluate(f"drawn(() => {{ {dark} viewer.goTo({{ y: 500, x: 500, zoom: 8 }}); }})")
    ids = "new Uint32Array(400).fill(7, 100, 300)"
    field = f"{{ kind: 'labels', ids: {ids}, box: [490, 510, 490, 510], colour: '#00ff00', fill: 0.4 }}"
    page.evaluate(f"drawn(() => viewer.setLayer('found', {field}))")
    assert _near(page.evaluate("pixel(500.5, 500.5)"), [0, 102, 0])
    assert page.evaluate("pixel(492.5, 500.5)") == [0, 0, 0]
    assert page.evaluate("pixel(495.07, 500.5)")[1] > 200


def test_the_address_keeps_the_place_and_choices_end_with_the_labels(shown: Any, study: dict[str, str]) -> None:
    page = shown("image", "labels")
    page.evaluate("viewer.select([5]); viewer.setHidden(new Set([6])); viewer.setLabels({ fill: 0.5 });")
    values = "kind: 'value', ids: [1], values: [1], low: 0, high: 1, palette: 'magma'"
    page.evaluate(f"viewer.setLabels({{ colouring: {{ {values} }} }})")
    page.evaluate("viewer.goTo({ y: 321, x: 123.4, zoom: 3 })")
    page.wait_for_function("() => location.hash.includes('view=')")
    told = [study["stack"], study["stack_labels"], {"z": 1}]
    page.evaluate("([image, labels, more]) => look(image, labels, more)", told)
    assert page.evaluate("[viewer.selected.size, viewer.look.fill, viewer.look.colouring.kind]") == [0, 0.5, "id"]
    page.wait_for_function("() => !location.hash.includes('view=')")
    page.evaluate("history.replaceState(null, '', '#/s/step?view=321,123.4,3')")
    page.evaluate("viewer.close()")
    page.evaluate("open_()")
    page.evaluate("([image]) => look(image)", [study["image"]])
    assert page.evaluate("viewer.camera") == {"y": 321, "x": 123.4, "zoom": 3}
