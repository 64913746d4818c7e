"""The queue, questions of a rebase, fields reviewed, the history of an image, and smart click."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cellmetry.core.image import Box
from cellmetry.study.rebase.questions import Question, add_question
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.store import join_store

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def study(squares: Any, server: Any, api: Any, browser: Any) -> dict[str, str]:
    """Ids of a study, its images and their labels."""
    assert browser.is_connected()
    return dict(squares.make_study(server, api, "Queue"))


@pytest.fixture
def hand(squares: Any, server: Any, page: Any, study: dict[str, str]) -> Any:
    """A hand in the step Correct of the flat image."""
    return squares.open_correct(page, server.url, study["study"], study["image"])


@pytest.fixture
def ids(squares: Any, api: Any, study: dict[str, str]) -> Callable[[], Any]:
    """Return the function that reads the ids of the image."""
    return lambda: squares.pixels(api, study["study"], study["labels"])


def _ask(server: Any, study: dict[str, str], box: Box, mine: Any, theirs: Any, one: int) -> None:
    [folder] = server.home.glob("Queue*.cellmetry")
    store = join_store(folder)
    with store.database.write():
        seq = act(store, Actor("t", "python"), "rebase", "Rebase")
        add_question(store, seq, study["labels"], Question(0, 0, box, one, "several", mine, theirs))
    store.database.close()


def test_a_question_is_answered_and_a_field_reviewed(
    squares: Any, server: Any, api: Any, signed_in: Any, study: dict[str, str], ids: Callable[[], Any]
) -> None:
    box = Box(20, 80, 20, 80)
    mine = ids()[box.slices]
    theirs = np.where(mine > 0, 1000, 0).astype(np.uint32)
    theirs[:, 30:][theirs[:, 30:] > 0] = 1001
    _ask(server, study, box, mine, theirs, squares.number(0, 0))
    hand = squares.open_correct(signed_in(), server.url, study["study"], study["image"])
    page = hand.page
    page.get_by_text("You corrected one object here; the new model sees 2 in its place.").wait_for()
    page.keyboard.press("n")
    page.get_by_role("button", name="Take theirs").click()
    page.get_by_text("The new version was taken").wait_for()
    assert len(np.unique(ids()[box.slices])) == 3
    page.get_by_role("button", name="Undo", exact=True).last.click()  # in the note
    for _ in range(200):
        if np.array_equal(ids()[box.slices], mine):
            break
        page.wait_for_timeout(50)
    assert np.array_equal(ids()[box.slices], mine)
    page.get_by_role("listitem").filter(has_text="You corrected one object here").wait_for()
    page.locator(".correct-task", has_text="You corrected one object here").click()
    page.get_by_role("button", name="Keep mine").click()
    page.get_by_text("Your version stays").wait_for()
    page.get_by_role("button", name="Mark field as reviewed").wait_for()
    hand.look_at(600, 600)
    page.keyboard.press("r")
    page.get_by_text("1 of 7 fields reviewed").wait_for()
    fields = api.get(f"studies/{study['study']}/reviewed", params={"image": study["image"]}).json()
    assert [each["box"] for each in fields] == [[512, 800, 512, 800]]
    fresh = page.get_by_role("listitem").filter(has_text="Not looked through yet")
    assert fresh.count() == 6
    for seen in (2, 3):  # N and R lead from field to field, also to those of other planes
        page.keyboard.press("n")
        fresh.locator("[aria-current=true]").wait_for()
        page.keyboard.press("r")
        page.get_by_text(f"{seen} of 7 fields reviewed").wait_for()


def test_the_history_shows_undoes_and_goes_back(hand: Any, squares: Any, ids: Callable[[], Any]) -> None:
    page = hand.page
    y, x = squares.middle(4, 4)
    hand.look_at(y, x)
    page.keyboard.press("x")
    before = ids()
    hand.click(y, x)
    hand.saved()
    page.get_by_role("tab", name="History").click()
    row = page.get_by_role("listitem").filter(has_text=f"Deleted · cell {squares.number(4, 4)}")
    row.get_by_title("Show where").click()
    page.get_by_role("list", name="Edits of this image").wait_for()
    row.get_by_role("button", name="Undo").click()
    row.get_by_role("button", name="Redo").wait_for()
    assert np.array_equal(ids(), before)
    row.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Go back to how it was after this edit").click()
    page.get_by_role("listitem").filter(has_text="Brought an older version back").first.wait_for()
    assert not np.any(ids() == squares.number(4, 4))


def test_smart_click_proposes_and_takes(hand: Any, squares: Any, ids: Callable[[], Any]) -> None:
    page = hand.page
    y, x = 2 * squares.PITCH, 2 * squares.PITCH  # between four squares
    outline = [[y - 10, x - 10], [y - 10, x + 10], [y + 10, x + 10], [y + 10, x - 10]]
    told = {"outline": outline, "box": [y - 10, y + 10, x - 10, x + 10], "area_px": 400, "score": 0.9}
    asked: list[Any] = []

    def propose(route: Any) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(body=json.dumps(told), content_type="application/json")

    page.route("**/propose", propose)
    hand.look_at(y, x)
    page.keyboard.press("a")
    hand.click(y, x)
    page.evaluate(
        "() => new Promise((done) => { const look = () => (cellmetry.viewer.tool.offers ? done() : "
        "requestAnimationFrame(look)); look(); })"
    )
    assert asked[0]["t"] == asked[0]["z"] == 0
    assert ids()[y, x] == 0
    page.keyboard.press("Enter")
    hand.saved()
    new = ids()[y, x]
    assert new > 0
    assert np.count_nonzero(ids() == new) == 400


def test_maps_lie_over_the_picture_and_a_deleted_cell_leaves_the_queue(
    squares: Any, server: Any, api: Any, page: Any, study: dict[str, str], until: Any
) -> None:
    told = {"image": study["image"], "labels": "cells", "kind": "density", "t": 0, "z": 0, "block": 400}
    told |= {"shape": [2, 2], "low": 0, "high": 2, "pixels": "maps/density"}
    page.route("**/maps?*", lambda route: route.fulfill(json=[told]))
    page.route("**/maps/density", lambda route: route.fulfill(body=np.float32([0, 1, 2, 2]).tobytes()))
    queue = api.get(f"studies/{study['study']}/queue").json()
    item = {"image": study["image"], "labels": study["labels"], "t": 0, "z": 0, "effect": 0.1, "kind": "size"}
    doubts = [
        {**item, "box": [600, 700, 100 * k, 100 * k + 100], "ids": [squares.number(6, k)], "reason": f"Doubt {k}."}
        for k in range(3)
    ]
    page.route("**/queue?*", lambda route: route.fulfill(json=queue | {"items": doubts}))
    hand = squares.open_correct(page, server.url, study["study"], study["image"])
    page.get_by_text("Doubt 1.").click()
    until(page, f"cellmetry.viewer.selected.has({squares.number(6, 1)})")
    hand.take("Delete")
    hand.click(*squares.middle(6, 1))
    page.locator(".correct-task[aria-current=true]", has_text="Doubt 2.").wait_for()
    hand.saved()
    page.get_by_label("Map").select_option("density")
    until(page, "cellmetry.viewer.layers.get('map')?.box.join() === '0,800,0,800'")
    page.get_by_text("cells/mm²").wait_for()
    page.get_by_label("Map").select_option("")
    until(page, "!cellmetry.viewer.layers.has('map')")
