"""The step Train in a browser: choose, learn with curves that survive a reload, judge, activate, segment again."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("torch", reason="training needs the extra 'train'")

SHORT = ["optimisation.steps=6", "optimisation.validate_every=3", "sampling.crop_px=64", "sampling.batch=2"]


def open_train(page: Any, study: str, until: Any) -> None:
    page.evaluate("study => cellmetry.place.go(study, 'train')", study)
    until(page, "cellmetry.step === 'train'")
    page.get_by_role("heading", name="Train a model").wait_for()


def shorten(page: Any) -> list[dict[str, Any]]:
    """Make trainings take few steps; return what the app asked for."""
    asked: list[dict[str, Any]] = []

    def send(route: Any) -> None:
        body = json.loads(route.request.post_data or "null")
        if route.request.method == "POST" and body["kind"] == "train":
            asked.append({**body["parameters"]})
            del body["parameters"]["minutes"]
            body["parameters"]["changes"] = SHORT
        route.continue_(post_data=None if body is None else json.dumps(body))

    page.route("**/jobs", send)
    return asked


def train_button(page: Any) -> Any:
    return page.get_by_label("Controls").get_by_role("button", name="Train", exact=True)


def test_what_is_needed_before_a_model_can_learn_is_said(
    page: Any, server: Any, api: Any, fields: Any, until: Any, faults: Any
) -> None:
    study = fields.make_study(server, api, "Few", fields=3, corrected=1)
    open_train(page, study.id, until)
    page.get_by_text("Choose at least two corrected images").wait_for()
    assert train_button(page).is_disabled()
    cells = page.evaluate("cellmetry.study.labels.all.find((labels) => labels.version).outlines")
    edited = page.evaluate("cellmetry.study.labels.all.find((labels) => labels.version).id")
    more = {"operation": "delete", "parameters": {"ids": [4]}}
    assert api.post(f"studies/{study.id}/labels/{edited}/edits", json=more).status_code == 200
    page.get_by_text(f"{cells - 1} cells · 2 corrected").wait_for()
    page.get_by_text("Images without corrections (2)").click()
    page.get_by_label("All cells of field_1 are right").check()
    page.get_by_text("2 of 2 images chosen").wait_for()
    image = next(each for each in api.get(f"studies/{study.id}/images").json() if each["name"] == "field_2")
    height, width = image["header"]["shape"][-2:]
    looked = {"image": image["id"], "box": [0, height, 0, width]}
    act = api.put(f"studies/{study.id}/reviewed", json=looked).json()["act"]
    page.get_by_text("3 of 3 images chosen").wait_for()
    page.get_by_text("100 % reviewed").wait_for()
    assert page.get_by_text("% reviewed").count() == 1
    api.post(f"studies/{study.id}/acts/{act}/undo")
    page.get_by_text("2 of 2 images chosen").wait_for()
    assert train_button(page).is_enabled()
    page.get_by_text("Of 1 image nobody said that all cells are right").wait_for()
    right = page.get_by_label("All cells of field_0 are right")
    faults.allow("status of 422")
    refused = {"error": {"kind": "ParameterError", "message": "It is not to be."}}
    page.route("**/labels/*/right", lambda route: route.fulfill(status=422, json=refused), times=1)
    right.click()
    page.get_by_text("It is not to be.").wait_for()
    assert not right.is_checked()
    page.get_by_label("field_0", exact=True).uncheck()
    page.get_by_text("Choose at least two corrected images").wait_for()
    page.get_by_label("Time").fill("-1")
    assert page.get_by_label("Time").get_attribute("aria-invalid") == "true"
    page.get_by_role("tab", name="Training").click()
    page.get_by_text("No training yet").wait_for()


def test_scores_are_of_all_cells_and_the_segmentation_that_is_repeated_is_of_the_trained_labels(page: Any) -> None:
    few = {"name": "a", "objects": 2, "found": 2, "f1": 1.0, "ap50": 1.0}
    many = {"name": "b", "objects": 98, "found": 98, "f1": 0.5, "ap50": 1 / 3}
    words = "rows => import('./web/steps/train/words.js').then((made) => made.outcomeOf({before: null, after: rows}))"
    after = page.evaluate(words, [few, many])["after"]
    assert (after["right"], round(after["f1"]), after["ap75"]) == (51, 51, None)
    assert round(after["ap50"]) == 67
    parts = (
        "([job, before]) => import('./web/app/job_parts.js').then((made) => before "
        "? made.leftAsBefore(job, before, Date.parse('2026-01-01T00:00:30Z')) : made.farOf(job, 40))"
    )
    learns = {"kind": "train", "task": "Training", "done": 3, "total": 6, "parameters": {"minutes": 1}}
    far = page.evaluate(parts, [learns, None])
    assert far["share"] == pytest.approx(0.5)
    assert far["words"].startswith("Part 2 of 3, learning: 3 of 6")
    assert far["left"] == "about 40 s left, then judging"
    assert page.evaluate(parts, [{**learns, "task": "?"}, None])["words"] == "?…"
    times = {"started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T00:01:00Z"}
    before = {"kind": "segment", "total": 3, "parameters": {}, **times}
    assert page.evaluate(parts, [{**before, "total": 6}, before]) == 90
    before = {**learns, **times}
    assert page.evaluate(parts, [{**before, "parameters": {"minutes": 2}}, before]) == 90
    jobs = [
        {"id": "c", "kind": "segment", "parameters": {"labels_name": "nuclei"}, "result": {}},
        {"id": "b", "kind": "segment", "parameters": {}, "result": {"labels": {"img": {"cells": "lbl"}}}},
        {"id": "a", "kind": "segment", "parameters": {"labels_name": "nuclei"}, "result": {}},
    ]
    again = "([name, jobs]) => import('./web/steps/train/again.js').then((made) => made.%s(jobs, name)?.id)"
    assert page.evaluate(again % "lastInto", ["cells", jobs]) == "b"
    assert page.evaluate(again % "lastInto", ["nuclei", jobs]) == "c"
    assert page.evaluate(again % "lastInto", ["membranes", jobs]) is None
    named = "set => import('./web/steps/train/again.js').then((made) => made.otherEngines(set))"
    assert page.evaluate(named, ['segment.engine="cellpose"', "segment.diameter_um=9"]) == ["cellpose"]
    assert page.evaluate(named, ['segment.engine="cellmetry"']) == []


def test_a_model_learns_is_activated_and_segments_again(
    page: Any, server: Any, api: Any, fields: Any, until: Any
) -> None:
    study = fields.make_study(server, api, "Learning", fields=4, corrected=3)
    asked = shorten(page)
    open_train(page, study.id, until)
    page.get_by_text("9 cells · 1 corrected").or_(page.get_by_text("8 cells · 1 corrected")).first.wait_for()
    page.get_by_label("All cells of field_0 are right").check()
    page.get_by_role("button", name="1 minute", exact=True).click()
    train_button(page).click()
    page.get_by_role("heading", name="Training mine-1…").wait_for()
    until(page, "document.querySelectorAll('.train-curves .plot-curve').length > 0", 180)
    page.reload()
    until(page, "document.querySelectorAll('.train-curves .plot-curve').length > 0")
    ended = "['done', 'failed'].includes(job.state)"
    job = until(page, f"cellmetry.study.jobs.all.find((job) => job.kind === 'train' && {ended})", 240)
    assert job["state"] == "done", job["error"]
    page.get_by_role("button", name="Activate", exact=True).wait_for()
    assert asked[0]["minutes"] == 1
    assert set(asked[0]["images"]) == set(study.images[:3])
    page.get_by_text("Only 1 image could be held out").wait_for()
    page.get_by_role("row", name="Found right").wait_for()
    until(page, "[...document.querySelectorAll('.train-picture img')].length === 3")
    page.locator(".train-picture").first.scroll_into_view_if_needed()
    until(page, "[...document.querySelectorAll('.train-picture img')].every((each) => each.naturalWidth > 100)")

    page.get_by_role("button", name="Activate", exact=True).click()
    page.get_by_text("Taken wherever no other model is named").wait_for()
    [model] = api.get(f"studies/{study.id}/models").json()
    assert (model["name"], model["active"]) == ("mine-1", True)
    page.get_by_text("1 image whose cells are all right stays as it is").wait_for()
    page.get_by_role("button", name="Segment again").click()
    page.get_by_text("Of 2 corrections:").wait_for(timeout=120_000)
    labels = {each["image"]: each for each in api.get(f"studies/{study.id}/labels").json()}
    for image, place in zip(study.images[1:3], study.deleted[1:3], strict=True):
        assert "rebased" in labels[image]["origin"]
        path = f"studies/{study.id}/labels/{labels[image]['id']}/at"
        assert api.get(path, params=dict(zip("yx", place, strict=True))).json()["id"] == 0
    assert "rebased" not in labels[study.images[0]]["origin"]

    page.get_by_role("button", name="Roll back").first.click()
    page.get_by_role("button", name="Discard", exact=True).click()
    page.get_by_text("This model was discarded").wait_for()
    assert api.get(f"studies/{study.id}/models").json() == []
