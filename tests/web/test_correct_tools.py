"""Each tool of the step Correct on generated squares; the pixels are asked of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def study(squares: Any, server: Any, api: Any, browser: Any) -> dict[str, str]:
    """Ids of a study, its images and their labels."""
    assert browser.is_connected()
    return dict(squares.make_study(server, api, "Tools"))


@pytest.fixture
def hand(squares: Any, server: Any, page: Any, study: dict[str, str]) -> Any:
    """A hand in the step Correct of the flat image."""
    return squares.open_correct(page, server.url, study["study"], study["image"])


@pytest.fixture
def ids(squares: Any, api: Any, study: dict[str, str]) -> Callable[..., Any]:
    """Return the function that reads the ids of the flat image, or of a plane of the stack."""

    def read(labels: str = "labels", z: int = 0) -> Any:
        return squares.pixels(api, study["study"], study[labels], z)

    return read


def test_pens(hand: Any, squares: Any, ids: Callable[..., Any]) -> None:
    y, x = squares.middle(0, 0)
    before = ids()
    hand.look_at(y, x + 50)
    hand.page.keyboard.press("b")
    hand.drag((y, x), (y, x + 40))  # from the square outwards
    hand.drag((y - 2, x + 50), (y + 20, x + 50))  # on background, up to nothing
    hand.saved()
    painted = ids()
    assert painted[int(y), int(x) + 40] == squares.number(0, 0)
    new = painted[int(y), int(x) + 50]
    assert new == before.max() + 1
    assert np.count_nonzero(painted == new) > 12 * 20
    shown = hand.page.evaluate("([y, x]) => cellmetry.viewer.idAt(y, x)", [y + 10, x + 50])
    assert shown == new
    hand.take("Erase")
    hand.page.mouse.move(*hand.at(y, x + 50))
    size = hand.page.get_by_role("slider", name="Size")
    for _ in range(3):
        hand.page.keyboard.press("]")
    assert int(size.input_value()) == 18
    hand.drag((y - 2, x + 50), (y + 20, x + 50))
    hand.saved()
    assert not np.any(ids() == new)
    for _ in range(3):
        hand.page.get_by_role("button", name="Undo", exact=True).click()
    hand.saved()
    assert np.array_equal(ids(), before)
    hand.page.keyboard.press("Control+Shift+Z")
    hand.saved()
    assert np.count_nonzero(ids() != before)


def test_lines(hand: Any, squares: Any, ids: Callable[..., Any]) -> None:
    y, x = squares.middle(2, 2)
    before = ids()
    hand.look_at(y, x)
    hand.page.keyboard.press("s")
    hand.drag((y - 30, x), (y + 30, x))
    hand.saved()
    halves = np.unique(ids()[int(y) - 20 : int(y) + 20, int(x) - 20 : int(x) + 20])
    assert len(halves[halves > 0]) == 2
    hand.take("Merge")
    hand.drag((y, x - 10), (y, x + 10))
    hand.saved()
    assert np.count_nonzero(ids() == before[int(y), int(x) - 10]) == 40 * 40
    hand.take("Draw")
    hand.drag((y + 30, x + 30), (y + 30, x + 60), (y + 60, x + 60), (y + 60, x + 30))
    hand.saved()
    new = ids()[int(y) + 45, int(x) + 45]
    assert new > before.max()
    assert np.count_nonzero(ids() == new) == pytest.approx(900, abs=90)
    hand.page.keyboard.press("x")
    hand.click(y + 45, x + 45)
    hand.saved()
    assert not np.any(ids() == new)
    hand.look_at(y + 50, x + 50, 2)
    hand.drag((y + 55, x + 55), (y + 55, x + 145), (y + 145, x + 145), (y + 145, x + 55))  # round one square
    hand.saved()
    assert not np.any(ids() == squares.number(3, 3))
    assert np.any(ids() == squares.number(3, 2))


_IS_EMPTY = """([y, x]) => new Promise((done) => {
  const look = () => (cellmetry.viewer.idAt(y, x) === 0 ? done() : requestAnimationFrame(look));
  look();
})"""


def test_clicks(hand: Any, squares: Any, ids: Callable[..., Any], api: Any, study: dict[str, str]) -> None:
    y, x = squares.middle(5, 5)
    one = squares.number(5, 5)
    edits = f"studies/{study['study']}/labels/{study['labels']}/edits"
    hand.look_at(y, x)
    hand.page.keyboard.press("g")
    hand.click(y, x)
    hand.saved()
    assert np.count_nonzero(ids() == one) == pytest.approx(44 * 44, abs=30)
    hand.page.keyboard.press("h")
    hand.click(y, x)
    hand.saved()
    assert np.count_nonzero(ids() == one) == pytest.approx(40 * 40, abs=30)
    ring = {"operation": "erase", "parameters": {"points": [[y, x]], "radius": 5}}
    assert api.post(edits, json=ring).status_code == 200
    hand.page.keyboard.press("f")
    hand.page.evaluate(_IS_EMPTY, [y, x])
    hand.click(y, x - 10)  # in the cell, whose hole is closed
    hand.saved()
    assert ids()[int(y), int(x)] == one
    waist = {"operation": "erase", "parameters": {"points": [[y - 20, x], [y - 6, x]], "radius": 8}}
    waist_below = {"operation": "erase", "parameters": {"points": [[y + 20, x], [y + 6, x]], "radius": 8}}
    for each in (waist, waist_below):
        assert api.post(edits, json=each).status_code == 200
    hand.page.evaluate(_IS_EMPTY, [y + 10, x])
    hand.page.keyboard.press("w")
    hand.click(y, x - 12)
    hand.saved()
    after = ids()
    assert after[int(y), int(x) - 12] != after[int(y), int(x) + 12]


def test_selected_cells_and_planes(hand: Any, squares: Any, ids: Callable[..., Any], study: dict[str, str]) -> None:
    page = hand.page
    (y, x), (y1, x1) = squares.middle(7, 0), squares.middle(7, 1)
    hand.look_at(y, x + 50)
    hand.click(y, x)
    hand.click(y1, x1, shift=True)
    page.get_by_role("heading", name="2 cells selected").wait_for()
    page.locator(".correct-actions").get_by_role("button", name="Merge").click()
    hand.saved()
    assert ids()[int(y1), int(x1)] == squares.number(7, 0)
    page.keyboard.press("Delete")
    hand.saved()
    assert not np.any(ids() == squares.number(7, 0))
    page.evaluate("([id]) => cellmetry.study.images.select(id)", [study["stack"]])
    page.get_by_role("button", name="Copy to next plane").click()
    hand.saved()
    assert np.array_equal(ids("stack_labels", 1), ids("stack_labels", 0))
    assert page.evaluate("cellmetry.look.z") == 1


def test_what_is_looked_at_outlives_a_reload_and_nobody_edits_planes_that_are_shown_in_one(
    signed_in: Any, server: Any, api: Any, squares: Any, until: Any, study: dict[str, str]
) -> None:
    hand = squares.open_correct(signed_in(), server.url, study["study"], study["stack"])
    page = hand.page
    version = api.get(f"studies/{study['study']}/labels/{study['stack_labels']}").json()["version"]
    planes = page.get_by_role("slider", name="Plane").bounding_box()
    assert planes["y"] + planes["height"] < 300
    page.get_by_label("Projection").select_option("max")
    until(page, "cellmetry.viewer.projection === 'max' && location.hash.includes('planes=max')")
    page.keyboard.press("l")
    page.get_by_label("Views").select_option("split")
    page.reload()
    page.get_by_role("button", name="Undo", exact=True).wait_for()
    until(page, "cellmetry.viewer.projection === 'max' && cellmetry.viewer.pair.mode === 'split'")
    assert page.evaluate("cellmetry.viewer.look.visible") is False
    assert page.get_by_label("Projection").input_value() == "max"
    hand.take("Delete")
    until(page, "cellmetry.viewer.pair.second.image !== null")
    box = page.locator(".centre-viewer").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
    page.locator(".toast").filter(has_text="Tools work left of the line").wait_for()
    page.get_by_label("Views").select_option("one")
    hand.look_at(*squares.middle(0, 1))
    hand.click(*squares.middle(0, 1))
    note = page.locator(".toast").filter(has_text="Nothing was changed")
    note.get_by_role("button", name="Show one plane").click()
    until(page, "cellmetry.viewer.projection === 'none' && !location.hash.includes('planes=')")
    assert page.get_by_label("Projection").input_value() == "none"
    assert api.get(f"studies/{study['study']}/labels/{study['stack_labels']}").json()["version"] == version


def test_a_cell_is_drawn_where_nothing_was_segmented(
    page: Any, server: Any, api: Any, squares: Any, pictures: Any, until: Any
) -> None:
    study = api.post("studies", json={"name": "By hand"}).json()["id"]
    sent = [("files", ("a.tif", pictures.tiff(pictures.squares()), "image/tiff"))]
    image = api.post(f"studies/{study}/images", files=sent).json()[0]["id"]
    page.goto(f"{server.url}/#/{study}/segment?image={image}")
    page.get_by_role("button", name="Draw by hand").click()
    page.get_by_text("Draw the first cell with the brush").wait_for()
    until(page, "cellmetry.step === 'correct' && cellmetry.viewer.labels !== null")
    page.get_by_role("button", name="Undo", exact=True).first.wait_for()
    hand = squares.Hand(page)
    hand.look_at(60, 60)
    page.keyboard.press("b")
    hand.drag((60, 60), (64, 60))
    hand.saved()
    [labels] = api.get(f"studies/{study}/labels").json()
    assert (labels["name"], labels["version"], labels["outlines"]) == ("cells", 1, 1)
