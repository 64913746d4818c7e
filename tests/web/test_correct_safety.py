"""No edit is lost: reload, a server that is killed, two browsers at one place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def study(squares: Any, server: Any, api: Any, browser: Any) -> dict[str, str]:
    """Ids of a study, its images and their labels."""
    assert browser.is_connected()
    return dict(squares.make_study(server, api, "Safety"))


@pytest.fixture
def opened(squares: Any, server: Any, signed_in: Any, study: dict[str, str]) -> Callable[[], Any]:
    """Return the function that opens the step Correct in a browser of its own."""

    def open_one() -> Any:
        return squares.open_correct(signed_in(), server.url, study["study"], study["image"])

    return open_one


@pytest.fixture
def ids(squares: Any, server: Any, study: dict[str, str]) -> Callable[[], Any]:
    """Return the function that reads the ids of the image."""
    return lambda: squares.pixels(server.client(), study["study"], study["labels"])


def test_a_reload_in_the_middle_of_a_stroke_keeps_what_was_saved(
    opened: Callable[[], Any], squares: Any, ids: Callable[[], Any]
) -> None:
    hand = opened()
    page = hand.page
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    y, x = squares.middle(0, 0)
    hand.look_at(y, x + 50)
    page.keyboard.press("b")
    hand.drag((y - 10, x + 50), (y, x + 50))
    hand.saved()
    before = ids()
    hand.drag((y + 20, x + 50), (y + 25, x + 50), lift=False)
    page.reload()
    page.get_by_role("button", name="Undo", exact=True).wait_for()
    assert asked == ["beforeunload"]
    assert np.array_equal(ids(), before)
    assert page.locator(".correct-tool[aria-pressed=true]").inner_text().startswith("Brush")
    page.keyboard.press("Control+z")  # the window is the same one
    hand.saved()
    assert ids()[int(y), int(x) + 50] == 0


def test_two_browsers_at_one_place(
    opened: Callable[[], Any], squares: Any, ids: Callable[[], Any], faults: Any
) -> None:
    faults.allow("status of 409")
    one, other = opened(), opened()
    y, x = squares.middle(3, 3)
    for hand in (one, other):
        hand.look_at(y, x)
    before = ids()
    other.take("Erase")
    other.press(y - 15, x)  # sees the labels as they are now
    one.take("Split")
    one.drag((y, x - 30), (y, x + 30))
    one.saved()
    split = ids()
    assert not np.array_equal(split, before)
    other.page.mouse.move(*other.at(y + 15, x), steps=4)
    other.page.mouse.up()
    note = other.page.get_by_role("alert").or_(other.page.locator(".toast-error")).filter(has_text="changed this place")
    note.wait_for()
    assert np.array_equal(ids(), split)
    shown = "([y, x]) => cellmetry.viewer.idAt(y, x)"
    assert other.page.evaluate(shown, [y + 10, x - 10]) == split[int(y) + 10, int(x) - 10]
    assert other.page.evaluate(shown, [y, x]) == split[int(y), int(x)]
    note.get_by_role("button", name="Do it again").click()
    other.saved()
    assert ids()[int(y) + 10, int(x)] == 0
    one.page.evaluate(
        "([y, x]) => new Promise((done) => { const look = () => (cellmetry.viewer.idAt(y, x) === 0 ? done() : "
        "requestAnimationFrame(look)); look(); })",
        [y + 10, x],
    )  # edits of others are seen without asking


def test_edits_of_others_are_seen_in_every_step_and_after_switching_away_and_back(
    squares: Any, server: Any, api: Any, signed_in: Any, until: Any, study: dict[str, str]
) -> None:
    page = signed_in()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.url}/#/{study['study']}/segment?image={study['image']}")

    def delete(row: int, column: int) -> None:
        body = {"operation": "delete", "parameters": {"ids": [squares.number(row, column)]}}
        answer = api.post(f"studies/{study['study']}/labels/{study['labels']}/edits", json=body)
        assert answer.status_code == 200, answer.text

    def seen(row: int, column: int) -> str:
        return "cellmetry.viewer?.idAt({}, {})".format(*squares.middle(row, column))

    until(page, f"{seen(1, 5)} === {squares.number(1, 5)}")
    delete(1, 5)
    until(page, f"{seen(1, 5)} === 0")
    page.evaluate("(id) => cellmetry.study.images.select(id)", study["stack"])
    until(page, f"cellmetry.viewer.labels === '{study['stack_labels']}'")
    delete(1, 6)
    page.evaluate("(id) => cellmetry.study.images.select(id)", study["image"])
    until(page, f"cellmetry.viewer.labels === '{study['labels']}' && {seen(1, 6)} === 0")
    page.evaluate("cellmetry.goStep('images')")
    until(page, "cellmetry.step === 'images'")
    delete(1, 7)
    page.evaluate("cellmetry.goStep('measure')")
    until(page, f"cellmetry.step === 'measure' && {seen(1, 7)} === 0")
    tiles = [each for each in asked if "/labels/" in each and "version=" in each]
    assert tiles
    assert all("epoch=" in each for each in tiles)


def test_a_window_that_is_closed_without_server_offers_its_edits_again(
    opened: Callable[[], Any], squares: Any, ids: Callable[[], Any], faults: Any
) -> None:
    faults.allow("ERR_FAILED")
    hand = opened()
    page = hand.page
    page.on("dialog", lambda dialog: dialog.accept())
    y, x = squares.middle(5, 0)
    hand.look_at(y, x + 50)
    before = ids()
    page.keyboard.press("b")
    page.route("**/edits", lambda route: route.abort())
    hand.drag((y - 10, x + 50), (y + 10, x + 50))
    hand.drag((y, x + 50), (y, x + 60))  # adds to the cell that is not made yet
    page.get_by_text("2 edits wait").wait_for()
    page.get_by_text("Not saved").wait_for()
    assert np.array_equal(ids(), before)
    page.reload()
    page.get_by_text("2 edits of").wait_for()
    page.unroute("**/edits")
    page.get_by_role("button", name="Save them now").click()
    hand.saved()
    after = ids()
    assert after[int(y), int(x) + 50] == after[int(y), int(x) + 60] == before.max() + 1


def test_an_unsaved_stroke_outlives_other_strokes_and_another_reload(
    opened: Callable[[], Any], squares: Any, ids: Callable[[], Any], faults: Any
) -> None:
    faults.allow("ERR_FAILED")
    hand = opened()
    page = hand.page
    page.on("dialog", lambda dialog: dialog.accept())
    y, x = squares.middle(5, 2)
    hand.look_at(y, x + 50)
    page.keyboard.press("b")
    page.route("**/edits", lambda route: route.abort())
    hand.drag((y - 10, x + 50), (y + 10, x + 50))
    page.get_by_text("1 edit waits").wait_for()
    page.reload()
    page.unroute("**/edits")
    page.get_by_text("1 edit of").wait_for()
    hand.look_at(y, x + 50)
    hand.drag((y + 40, x + 50), (y + 42, x + 50))
    hand.saved()
    page.reload()
    page.get_by_text("1 edit of").wait_for()
    hand.look_at(y, x + 50)
    hand.drag((y + 40, x + 70), (y + 42, x + 70))
    hand.saved()
    page.get_by_role("button", name="Save it now").click()
    hand.saved()
    assert ids()[int(y), int(x) + 50] > 0


def test_an_edit_that_was_saved_is_not_offered_again(
    opened: Callable[[], Any], squares: Any, ids: Callable[[], Any], faults: Any
) -> None:
    faults.allow("ERR_FAILED")
    hand = opened()
    page = hand.page
    page.on("dialog", lambda dialog: dialog.accept())
    y, x = squares.middle(5, 4)
    hand.look_at(y, x + 50)
    page.keyboard.press("b")
    page.route("**/edits", lambda route: (route.fetch(), route.abort()))
    page.route("**/edits?key=*", lambda route: route.abort())
    hand.drag((y - 10, x + 50), (y + 10, x + 50))
    page.get_by_text("1 edit waits").wait_for()
    page.unroute("**/edits?key=*")
    with page.expect_response("**/edits?key=*"):
        page.reload()
    page.get_by_role("button", name="Undo", exact=True).wait_for()
    page.wait_for_timeout(300)
    assert ids()[int(y), int(x) + 50] > 0
    assert page.get_by_text("1 edit of").count() == 0


def test_undo_is_locked_where_there_is_nothing_and_names_an_older_edit_before_it_undoes_it(
    squares: Any, server: Any, signed_in: Any, api: Any, study: dict[str, str]
) -> None:
    hand = squares.open_correct(signed_in(), server.url, study["study"], study["stack"])
    page = hand.page
    undo = page.locator(".correct-state").get_by_role("button", name="Undo")
    page.locator(".correct-state button:disabled").nth(1).wait_for()
    late: list[Any] = []
    page.route("**/edits?limit=50", lambda route: late.append((route, route.fetch())), times=1)
    page.reload()
    hand = squares.open_correct(page, server.url, study["study"], study["stack"])
    hand.look_at(*squares.middle(0, 0))
    hand.take("Delete")
    hand.click(*squares.middle(0, 0))
    hand.saved()
    [(route, answer)] = late  # asked before the edit, answered after it
    route.fulfill(response=answer)
    page.locator(".correct-state button:disabled").wait_for()
    assert undo.is_enabled()
    later = squares.open_correct(signed_in(), server.url, study["study"], study["stack"])
    page = later.page
    page.keyboard.press("Control+z")
    note = page.locator(".toast").filter(has_text="Deleted · cell 1")
    note.get_by_role("button", name="Undo that").click()
    later.saved()
    assert squares.pixels(api, study["study"], study["stack_labels"])[50, 50] == 1
    page.locator(".correct-state").get_by_role("button", name="Redo").click()
    page.wait_for_function("() => cellmetry.viewer.idAt(50, 50) === 0")


def test_what_changes_nothing_is_said_and_what_can_only_be_refused_is_not_offered(
    squares: Any, server: Any, signed_in: Any, api: Any, until: Any
) -> None:
    made = squares.make_study(server, api, "Told")
    hand = squares.open_correct(signed_in(), server.url, made["study"], made["image"])
    page = hand.page
    y, x = squares.middle(1, 1)
    hand.look_at(y, x)
    hand.click(y, x)
    page.get_by_role("button", name="Fill holes").click()
    page.locator(".toast").filter(has_text="There is no hole to fill.").wait_for()
    body = {"operation": "delete", "parameters": {"ids": [squares.number(1, 1)]}}
    edits = f"studies/{made['study']}/labels/{made['labels']}/edits"
    assert api.post(edits, json=body).status_code == 200
    until(page, "cellmetry.viewer.selected.size === 0")
    page.get_by_role("tab", name="History").click()
    row = page.locator(".correct-log-row")
    row.get_by_role("button", name="Undo").wait_for()
    squares.add(server, "Told", {made["image"]: squares.squares()})
    page.reload()
    row.filter(has_text="of labels that newer ones replaced").wait_for()
    assert row.get_by_role("button", name="Undo").count() == 0
    page.get_by_role("button", name="History", exact=True).click()
    act = page.locator(".act").filter(has_text="delete in cells")
    act.wait_for()
    assert act.get_by_role("button").count() == 0


def test_an_edit_whose_answer_is_lost_is_made_once(
    opened: Callable[[], Any], squares: Any, ids: Callable[[], Any], faults: Any
) -> None:
    faults.allow("ERR_FAILED")
    hand = opened()
    y, x = squares.middle(6, 6)
    hand.look_at(y, x)
    done: list[int] = []

    def lose(route: Any) -> None:
        if not done:
            done.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    hand.page.route("**/edits", lose)
    hand.take("Grow")
    hand.click(y, x)
    hand.saved()
    assert done == [200]
    assert np.count_nonzero(ids() == squares.number(6, 6)) == pytest.approx(44 * 44, abs=30)


def test_a_server_that_is_killed_during_strokes_loses_none_and_undoes_after_it_came_back(
    opened: Callable[[], Any], squares: Any, server: Any, serving: Any, api: Any, faults: Any, study: dict[str, str]
) -> None:
    faults.allow("net::ERR")
    hand = opened()
    y, x = squares.middle(7, 4)
    strokes = [(y - 20 + 8 * k, x + 44) for k in range(6)]  # between two cells, each by itself
    hand.look_at(y, x + 50)
    before = squares.pixels(api, study["study"], study["labels"])
    hand.take("Brush")
    hand.page.get_by_role("slider", name="Size").fill("3")
    for number, (row, column) in enumerate(strokes):
        hand.drag((row, column), (row, column + 12), lift=False)
        if number == 3:
            server.kill()
        hand.page.mouse.up()
    hand.page.get_by_text(re.compile(r"[3-6] edits wait")).wait_for()
    port = server.url.rpartition(":")[2]
    with serving.real_server(server.home, "--root", str(server.home.parent), "--port", port) as again:
        hand.saved()  # by itself
        client = again.client()
        painted = squares.pixels(client, study["study"], study["labels"])
        ids = [painted[int(row), int(column) + 6] for row, column in strokes]
        assert len(set(ids)) == 6
        assert min(ids) > before.max()
        assert np.count_nonzero(painted[painted > before.max()]) == np.count_nonzero(painted != before)
        for _ in strokes:
            hand.page.keyboard.press("Control+z")
            hand.saved()
        assert np.array_equal(squares.pixels(client, study["study"], study["labels"]), before)
