"""Edits over a real server: conflicts, undo, the log, history of a study, events, what is refused."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest

SQUARE = [[500, 500], [500, 540], [540, 540], [540, 500]]


@pytest.fixture
def labels(made, tools):
    """The address of a fresh label image of the study."""
    return f"{made.url}/labels/{tools.put_labels(made.folder, made.image, made.ids, name='cells')}"


def edit(made, labels, points=SQUARE, **more):
    body = {"operation": "draw", "parameters": {"points": points, "over": True}, **more}
    return made.client.post(f"{labels}/edits", json=body)


def at(made, labels, y, x):
    return made.client.get(f"{labels}/at", params={"y": y, "x": x}).json()


def test_an_edit_answers_with_all_that_changed(made, labels):
    view = made.client.get(labels).json()
    answer = edit(made, labels, base_version=0, session="tab-1").json()
    new = view["next_id"]
    assert answer["version"] == 1
    assert new in answer["ids"]
    assert answer["boxes"]
    assert [0, 0, 0, 0, 0] in answer["tiles"]
    assert [1, 0, 0, 0, 0] in answer["tiles"]
    found = at(made, labels, 520.5, 520.5)
    assert (found["id"], found["version"], found["object"]["area_px"]) == (new, 1, 40 * 40)
    one = made.client.get(f"{labels}/objects/{new}").json()
    assert [one[edge] for edge in ("y0", "y1", "x0", "x1")] == [500, 540, 500, 540]
    assert at(made, labels, 0.5, 0.5) == {"id": 0, "object": None, "version": 1}


def test_objects_of_a_window_come_page_by_page(made, labels):
    window = {"y0": 100, "y1": 300, "x0": 0, "x1": 260}
    truth = [int(each) for each in np.unique(made.ids[100:300, :260]) if each]
    found, after = [], 0
    while page := made.client.get(f"{labels}/objects", params={**window, "limit": 5, "after": after}).json():
        found += [each["id"] for each in page]
        after = found[-1]
    assert found == truth


def test_two_who_edit_one_place_both_are_in_the_log(made, labels):
    assert edit(made, labels, base_version=0, session="anna").status_code == 200
    refused = edit(made, labels, base_version=0, session="ben")
    assert refused.status_code == 409
    error = refused.json()["error"]
    assert (error["kind"], error["version"]) == ("EditConflict", 1)
    log = made.client.get(f"{labels}/edits").json()
    assert [(each["session"], each["version"]) for each in log] == [("ben", None), ("anna", 1)]
    assert log[1]["act"]["seq"] == error["act"]
    elsewhere = [[y - 200, x - 200] for y, x in SQUARE]
    assert edit(made, labels, elsewhere, base_version=0, session="ben").status_code == 200


def test_what_was_sent_with_a_key_is_found_by_it(made, labels):
    first = edit(made, labels, session="anna", key="anna.1").json()
    edit(made, labels, [[y - 200, x - 200] for y, x in SQUARE], session="anna", key="anna.2")
    undone = made.client.post(f"{labels}/undo", json={"session": "anna", "key": "anna.3"}).json()

    def found(key):
        return [each["act"]["seq"] for each in made.client.get(f"{labels}/edits", params={"key": key}).json()]

    assert found("anna.1") == [first["act"]]
    assert found("anna.3") == [undone["act"]]
    assert found("anna.4") == []


def test_one_older_edit_is_undone_and_done_again_by_the_window_that_undid_it(made, labels):
    before = at(made, labels, 520.5, 520.5)["id"]
    first = edit(made, labels, session="anna").json()
    edit(made, labels, [[y - 200, x - 200] for y, x in SQUARE], session="anna")
    body = {"session": "later", "act": first["act"]}
    assert made.client.post(f"{labels}/undo", json=body).status_code == 200
    assert at(made, labels, 520.5, 520.5)["id"] == before
    assert made.client.post(f"{labels}/redo", json={"session": "later"}).status_code == 200
    assert at(made, labels, 520.5, 520.5)["id"] == max(first["ids"])


def test_undo_and_redo_go_by_window(made, labels):
    edit(made, labels, session="anna")
    edit(made, labels, [[y - 200, x - 200] for y, x in SQUARE], session="ben")
    mine = at(made, labels, 520, 520)["id"]
    assert made.client.post(f"{labels}/undo", json={"session": "anna"}).json()["version"] == 3
    assert at(made, labels, 520, 520)["id"] != mine
    assert made.client.post(f"{labels}/redo", json={"session": "anna"}).json()["version"] == 4
    assert at(made, labels, 520, 520)["id"] == mine
    again = made.client.post(f"{labels}/redo", json={"session": "anna"})
    assert (again.status_code, again.json()["error"]["message"]) == (422, "There is nothing to redo.")


def test_labels_that_others_changed_since_one_looked_are_not_restored(made, labels):
    edit(made, labels, session="anna")
    edit(made, labels, [[y - 200, x - 200] for y, x in SQUARE], session="ben")
    known = {"base_version": 1, "session": "anna"}
    refused = made.client.post(f"{labels}/versions/0/restore", json=known)
    assert (refused.status_code, refused.json()["error"]["version"]) == (409, 2)
    assert made.client.post(f"{labels}/versions/0/restore", json={**known, "base_version": 2}).json()["version"] == 3
    assert made.client.post(f"{labels}/undo", json={"session": "anna"}).json()["version"] == 4
    assert made.client.post(f"{labels}/versions/0/restore").json()["version"] == 5
    assert made.client.post(f"{labels}/versions/0/restore", json={"base_version": 9}).status_code == 422
    log = [(each["operation"], each["version"]) for each in made.client.get(f"{labels}/edits").json()]
    assert log[:4] == [("restore", 5), ("undo", 4), ("restore", 3), ("restore", None)]


def test_labels_that_were_removed_are_not_edited(made, labels):
    edit(made, labels)
    removed = made.client.delete(labels).json()["act"]
    asked = (edit(made, labels), *(made.client.post(f"{labels}/{path}", json={}) for path in ("undo", "redo")))
    assert [(each.status_code, each.json()["error"].get("act")) for each in asked] == [
        (409, removed),
        (409, removed),
        (422, None),
    ]
    made.client.post(f"{made.url}/acts/{removed}/undo")
    assert made.client.post(f"{labels}/undo", json={}).json()["version"] == 2


def test_one_edit_shows_its_pixels_before_and_after(made, labels):
    act = edit(made, labels).json()["act"]
    one = made.client.get(f"{labels}/edits/{act}").json()
    box = one["boxes"][0]
    for side in ("before", "after"):
        raw = made.client.get(f"{labels}/edits/{act}/pixels/0", params={"side": side}).content
        ids = np.frombuffer(raw, "<u4").reshape(box["y1"] - box["y0"], box["x1"] - box["x0"])
        truth = made.ids[box["y0"] : box["y1"], box["x0"] : box["x1"]]
        assert np.array_equal(ids, truth) == (side == "before")
    assert made.client.get(f"{labels}/edits/{act}/pixels/9").status_code == 422
    assert made.client.get(f"{made.labels_url}/edits/{act}").status_code == 404


def test_any_act_is_undone_and_done_again(made, labels):
    client = made.client
    removed = client.delete(labels).json()["act"]
    assert client.get(labels).json()["removed"] is True
    undone = client.post(f"{made.url}/acts/{removed}/undo").json()
    assert (undone["verb"], undone["undoes"]) == ("undo", removed)
    assert client.get(labels).json()["removed"] is False
    assert client.post(f"{made.url}/acts/{removed}/undo").status_code == 422
    assert client.post(f"{made.url}/acts/{removed}/redo").json()["verb"] == "redo"
    assert client.get(labels).json()["removed"] is True
    assert client.get(f"{made.url}/acts/{removed}").json()["undone_by"] is None
    acts = client.get(f"{made.url}/acts", params={"limit": 2}).json()
    older = client.get(f"{made.url}/acts", params={"limit": 2, "before": acts[-1]["seq"]}).json()
    assert [each["seq"] for each in acts + older] == list(range(acts[0]["seq"], acts[0]["seq"] - 4, -1))
    assert client.get(f"{made.url}/acts/999999").status_code == 404


def test_another_browser_sees_an_edit(made, labels):
    seen, ready = [], threading.Event()

    def follow():
        with made.client.stream("GET", f"{made.url}/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            for line in stream.iter_lines():
                ready.set()
                if line.startswith("data: "):
                    seen.append(json.loads(line[6:]))
                    return

    other = threading.Thread(target=follow)
    other.start()
    assert ready.wait(30)
    answer = edit(made, labels, session="here").json()
    other.join(30)
    told = seen[0]
    assert (told["seq"], told["verb"], told["edit"]["version"]) == (answer["act"], "edit", 1)
    assert (told["edit"]["session"], told["edit"]["labels"]) == ("here", labels.rsplit("/", 1)[-1])
    assert len(told["edit"]["boxes"]) == len(answer["boxes"])
    with made.client.stream("GET", f"{made.url}/events", headers={"Last-Event-ID": str(told["seq"] - 1)}) as stream:
        missed = next(line for line in stream.iter_lines() if line.startswith("id: "))
    assert missed == f"id: {told['seq']}"


RAW = '{"operation": "draw", "parameters": {"points": %s}}'


@pytest.mark.parametrize(
    "text",
    [
        RAW % "[[1, 1], [5, 5]]",
        RAW % "[[NaN, 1], [5, 5], [1, 5]]",
        RAW % "[[Infinity, 1], [5, 5], [1, 5]]",
        RAW % "[[1e308, 1], [5, 5], [1, 5]]",
        RAW % "[[1e999, 1], [5, 5], [1, 5]]",
        RAW % f"[{', '.join(['[1, 1]'] * 1_000_000)}]",
        RAW % "[[-50, -50], [-5, -5], [-1, -50]]",
        RAW % '"x"',
        '{"operation": "drew", "parameters": {}}',
        '{"operation": "draw", "parameters": {"dots": 1}}',
        '{"operation": "draw", "parameters": {"points": [[1, 1], [9, 1], [9, 9]], "t": 5}}',
        '{"operation": "draw", "parameters": {"points": [[1, 1], [9, 1], [9, 9]], "z": -1}}',
        '{"operation": "delete", "parameters": {"ids": []}}',
        '{"operation": "delete", "parameters": {"ids": [0]}}',
        '{"operation": "delete", "parameters": {"ids": [4000000000]}}',
        '{"operation": "delete", "parameters": {"ids": [1]}, "base_version": 1e400}',
        '{"operation": "delete", "parameters": {"ids": [1]}, "base_version": 77}',
        '{"operation": "delete", "parameters": {"ids": [1]}, "session": "%s"}' % ("x" * 65),
        '{"operation": "delete", "parameters": {"ids": [1]}, "path": "/etc/passwd"}',
        '{"operation": "draw", "parameters": ' + "[" * 100_000,
        "[]",
        "no JSON",
    ],
    ids=range(22),
)
def test_a_senseless_edit_is_refused_and_changes_nothing(made, labels, text):
    before = made.client.get(labels).json()["version"]
    last = made.client.get(made.url).json()["last_act"]
    headers = {"Content-Type": "application/json"}
    answer = made.client.post(f"{labels}/edits", content=text, headers=headers)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["error"]["message"]
    assert made.client.get(labels).json()["version"] == before
    assert made.client.get(made.url).json()["last_act"] == last


def test_a_self_crossing_outline_is_drawn_or_refused(made, labels):
    answer = edit(made, labels, [[500, 500], [560, 560], [500, 560], [560, 500]])
    assert answer.status_code in (200, 422)


def test_an_edit_outlives_the_server(serving, tools, tmp_path):
    with serving.real_server(tmp_path / "home") as first:
        client = first.client()
        study = tools.new_study(client, "Lasting")
        image = client.post(f"studies/{study}/images", files=[("files", ("a.tif", tools.tiff(np.eye(90))))]).json()[0][
            "id"
        ]
        folder = tools.folder_of(first, client, study)
        labels = tools.put_labels(folder, image, tools.squares((90, 90)))
        url = f"studies/{study}/labels/{labels}"
        body = {"operation": "delete", "parameters": {"ids": [1]}}
        assert client.post(f"{url}/edits", json=body).json()["version"] == 1
        first.kill()
    with serving.real_server(tmp_path / "home") as second:
        client = second.client()
        assert client.get(f"{url}/at", params={"y": 20, "x": 20}).json()["id"] == 0
        assert client.post(f"{url}/undo", json={}).json()["version"] == 2
        assert client.get(f"{url}/at", params={"y": 20, "x": 20}).json()["id"] == 1
        assert client.get(f"studies/{study}").json()["read_only"] == ""


def test_the_log_of_an_image_has_the_edits_of_all_its_labels(made, labels):
    act = edit(made, labels).json()["act"]
    made.client.post(f"{labels}/undo", json={})
    lines = made.client.get(f"{made.image_url}/edits", params={"limit": 2}).json()
    assert [line["operation"] for line in lines] == ["undo", "draw"]
    assert {line["labels"] for line in lines} == {labels.rsplit("/", 1)[-1]}
    assert (lines[1]["act"]["seq"], lines[1]["act"]["undone_by"]) == (act, lines[0]["act"]["seq"])
    assert made.client.get(f"{made.url}/images/img_0123456789abcdef/edits").status_code == 404
