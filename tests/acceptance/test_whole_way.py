"""From files to a report over real HTTP, with a restart, two people at one image, a copy of the study, moved images.

The tests of this module go on where the one before ended: run them together.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile

from cellmetry.study.editing.registry import EDIT_OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SIDE = 96
FIRST, RIGHT, BELOW, LAST = (14, 14), (14, 38), (38, 14), (62, 62)
"""Centres of objects."""


@dataclass
class Way:
    """What the tests make one after another."""

    place: Path
    home: Path
    server: Any = None
    client: Any = None
    study: str = ""
    images: dict[str, str] = field(default_factory=dict)
    labels: str = ""
    states: list[np.ndarray] = field(default_factory=list)
    stack: str = ""
    table: str = ""
    servers: ExitStack = field(default_factory=ExitStack)

    def serve(self, serving: Any, home: Path) -> None:
        """Start a server of a home folder."""
        self.server = self.servers.enter_context(serving.real_server(home, "--root", str(self.place)))
        self.client = self.server.client()

    def ask(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        answer = self.client.request(method, f"studies/{self.study}/{path}", **more)
        assert answer.status_code == status, answer.text
        return answer

    def plane(self, labels: str, z: int = 0, client: Any = None) -> np.ndarray:
        """Return the ids of a plane, by its tile."""
        path = f"studies/{self.study}/labels/{labels}/tiles/0/0/{z}/0/0"
        answer = (client or self.client).get(path)
        assert answer.status_code in {200, 204}, answer.text
        if answer.status_code == 204:
            return np.zeros((SIDE, SIDE), np.uint32)
        return np.frombuffer(answer.content, "<u4").reshape(SIDE, SIDE)

    def edit(self, operation: str, labels: str = "", status: int = 200, **more: Any) -> Any:
        session = more.pop("session", "window")
        base = more.pop("base_version", None)
        body = {"operation": operation, "parameters": more, "session": session, "base_version": base}
        return self.ask("POST", f"labels/{labels or self.labels}/edits", status, json=body).json()


@pytest.fixture(scope="module")
def way(serving: Any, seeding: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    """Six images in a folder, and a server with an empty home folder."""
    place = tmp_path_factory.mktemp("way")
    (place / "images").mkdir()
    for number in range(6):
        (place / "images" / f"i{number}.tif").write_bytes(seeding.tiff(seeding.cells(number)))
    way = Way(place, place / "home")
    with way.servers:
        way.serve(serving, way.home)
        way.study = seeding.new_study(way.client, "whole way")
        yield way


def events(client: Any, path: str) -> list[dict[str, Any]]:
    """Return the events of a stream until it ends."""
    found = []
    with client.stream("GET", path) as stream:
        for block in "".join(stream.iter_text()).split("\n\n"):
            said = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "id" in said:
                found.append({"event": said["event"], **json.loads(said["data"])})
    return found


def do_watched(way: Way, kind: str, **parameters: Any) -> Any:
    """Submit a job and follow its events to its end; its view."""
    job = way.ask("POST", "jobs", 202, json={"kind": kind, "parameters": parameters}).json()["id"]
    said = events(way.client, f"studies/{way.study}/jobs/{job}/events")
    assert [each["text"] for each in said if each["event"] == "state"] == ["queued", "running", "done"], said
    progress = [each for each in said if each["event"] == "progress"]
    assert progress
    assert progress[-1]["done"] == progress[-1]["total"]
    return way.ask("GET", f"jobs/{job}").json()


def test_images_are_registered_and_uploaded(way: Way, seeding: Any) -> None:
    way.ask("POST", "images/register", 201, json={"paths": [str(way.place / "images")]})
    stack = np.stack([seeding.cells(9), seeding.cells(9)])
    file = io.BytesIO()
    tifffile.imwrite(file, stack, imagej=True, metadata={"axes": "ZYX"})
    [made] = way.ask("POST", "images", 201, files=[("files", ("stack.tif", file.getvalue()))]).json()
    for job in way.ask("GET", "jobs").json():
        seeding.wait_job(way.client, f"studies/{way.study}/jobs/{job['id']}")
    found = way.ask("GET", "images").json()
    assert {each["state"] for each in found} == {"ready"}
    way.images = {each["name"]: each["id"] for each in found if each["id"] != made["id"]}
    assert len(way.images) == 6
    way.stack = made["id"]
    for number, image in enumerate(way.images.values()):
        said = {"condition": "ab"[number % 2], "replicate": number // 2}
        way.ask("PATCH", f"images/{image}", json={"values": said})


def test_a_recipe_makes_labels_while_its_progress_is_watched(way: Way, seeding: Any) -> None:
    images = list(way.images.values())
    job = do_watched(way, "segment", recipe_text=seeding.RECIPE, images=images)
    assert job["state"] == "done"
    labels = way.ask("GET", "labels").json()
    assert sorted(each["image"] for each in labels) == sorted(images)
    assert {each["outlines"] for each in labels} == {9}
    way.labels = next(each["id"] for each in labels if each["image"] == images[0])
    ids = way.plane(way.labels)
    assert ids.max() == len(np.unique(ids)) - 1 == 9


def at(way: Way, place: tuple[float, float]) -> int:
    y, x = place
    return int(way.ask("GET", f"labels/{way.labels}/at", params={"y": y, "x": x}).json()["id"])


def _outline(y0: float, x0: float, y1: float, x1: float) -> list[list[float]]:
    return [[y0, x0], [y0, x1], [y1, x1], [y1, x0]]


EDITS: list[tuple[str, Callable[[Way], dict[str, Any]]]] = [
    ("brush", lambda _: {"points": [[90, 5], [90, 30]], "radius": 2}),
    ("erase", lambda _: {"points": [list(FIRST)], "radius": 1.5}),
    ("fill_holes", lambda way: {"ids": [at(way, (10, 14))]}),
    ("draw", lambda _: {"points": _outline(76, 76, 92, 92), "over": True}),
    ("erase", lambda _: {"points": [[84, 84]], "radius": 2}),
    ("fill", lambda _: {"point": [84, 84]}),
    ("grow", lambda way: {"ids": [at(way, FIRST)], "pixels": 2}),
    ("shrink", lambda way: {"ids": [at(way, FIRST)], "pixels": 1}),
    ("split", lambda _: {"points": [[2, 14], [26, 14]]}),
    ("merge_along", lambda _: {"points": [[14, 11], [14, 17]]}),
    ("merge", lambda way: {"ids": [at(way, FIRST), at(way, RIGHT)]}),
    ("part_apart", lambda way: {"id": at(way, FIRST)}),
    ("watershed", lambda way: {"id": at(way, BELOW), "seeds": [[35, 14], [41, 14]]}),
    ("relabel", lambda way: {"id": at(way, LAST)}),
    ("replace", lambda way: {"box": [0, 2, 0, 2], "values": [0, 0, 0, at(way, FIRST)]}),
    ("delete", lambda way: {"ids": [at(way, RIGHT)]}),
    ("delete_inside", lambda _: {"points": _outline(50, 50, 72, 72)}),
]


def test_edits_of_every_kind_are_answered_and_seen(way: Way, seeding: Any) -> None:
    way.states = [way.plane(way.labels)]
    for number, (operation, parameters) in enumerate(EDITS, 1):
        answer = way.edit(operation, **parameters(way))
        assert answer["version"] == number
        assert answer["ids"]
        way.states.append(way.plane(way.labels))
        assert not np.array_equal(way.states[-1], way.states[-2]), operation
    _of_the_stack(way, seeding)
    assert {operation for operation, _ in EDITS} | {"copy_plane"} == set(EDIT_OPERATIONS)
    log = way.ask("GET", f"labels/{way.labels}/edits").json()
    assert [each["operation"] for each in reversed(log)] == [operation for operation, _ in EDITS]


def _of_the_stack(way: Way, seeding: Any) -> None:
    """Import labels of the first plane of the stack, and copy them to the second."""
    ids = np.zeros((2, SIDE, SIDE), np.uint16)
    ids[0, 8:20, 8:20] = 7
    file = io.BytesIO()
    tifffile.imwrite(file, ids, imagej=True, metadata={"axes": "ZYX"})
    sent = way.ask("POST", "uploads", 201, files={"file": ("l.tif", file.getvalue())}).json()
    seeding.do_job(way.client, way.study, "import", upload=sent["id"], image=way.stack, labels="stack")
    [labels] = way.ask("GET", "labels", params={"image": way.stack}).json()
    assert way.edit("copy_plane", labels["id"], axis="Z", step=1)["version"] == 1
    assert np.array_equal(way.plane(labels["id"], 1), ids[0])


def test_all_is_undone_and_redone_after_the_server_began_anew(way: Way, serving: Any) -> None:
    way.server.kill()
    way.serve(serving, way.home)
    assert np.array_equal(way.plane(way.labels), way.states[-1])
    for state in reversed(way.states[:-1]):
        way.ask("POST", f"labels/{way.labels}/undo", json={"session": "window"})
        assert np.array_equal(way.plane(way.labels), state)
    refused = way.ask("POST", f"labels/{way.labels}/undo", 422, json={"session": "window"}).json()
    assert refused["error"]["message"]
    for state in way.states[1:]:
        way.ask("POST", f"labels/{way.labels}/redo", json={"session": "window"})
        assert np.array_equal(way.plane(way.labels), state)


def test_two_who_edit_one_place_are_both_in_the_log(way: Way) -> None:
    other = way.server.client()
    path = f"studies/{way.study}/labels/{way.labels}"
    version = way.client.get(path).json()["version"]
    body = {"operation": "draw", "parameters": {"points": _outline(70, 10, 80, 20), "over": True}}
    first = way.client.post(f"{path}/edits", json={**body, "session": "anna", "base_version": version})
    second = other.post(f"{path}/edits", json={**body, "session": "ben", "base_version": version})
    assert (first.status_code, second.status_code) == (200, 409)
    error = second.json()["error"]
    assert (error["version"], error["act"]) == (version + 1, first.json()["act"])
    log = other.get(f"{path}/edits", params={"limit": 2}).json()
    assert [(each["session"], each["version"]) for each in log] == [("ben", None), ("anna", version + 1)]
    again = other.post(f"{path}/edits", json={**body, "session": "ben", "base_version": version + 1})
    assert again.status_code == 200


def test_a_table_is_measured_asked_and_compared(way: Way) -> None:
    job = do_watched(way, "measure", images=list(way.images.values()))
    way.table = job["result"]["table"]
    plane = way.plane(way.labels)
    of_labels = way.ask("GET", f"labels/{way.labels}").json()["image"]
    [edited] = [name for name, each in way.images.items() if each == of_labels]
    query = {"where": [f'image == "{edited}"', "area_px > 100"], "sort": "-area_px", "limit": 1000}
    page = way.ask("GET", f"tables/{way.table}/rows", params=query).json()
    ids, counts = np.unique(plane[plane > 0], return_counts=True)
    truth = sorted(counts[counts > 100].tolist(), reverse=True)
    assert [row["area_px"] for row in page["rows"]] == truth
    assert {row["label"] for row in page["rows"]} == set(ids[counts > 100].tolist())
    names = [column["name"] for column in way.ask("GET", f"tables/{way.table}").json()["columns"]]
    value = next(name for name in names if name.startswith("mean_"))
    settings = {
        "comparisons": [{"value": value, "by": "condition", "replicate": "replicate", "control": "a"}],
        "figures": ["superplot"],
        "tables": [],
        "style": {"formats": ["svg"]},
    }
    made = do_watched(way, "compare", table=way.table, settings=settings)["result"]["comparison"]
    [contrast] = way.ask("GET", f"comparisons/{made}").json()["contrasts"]
    assert contrast["value"] == value
    report = way.ask("GET", f"comparisons/{made}/report")
    assert report.headers["content-disposition"].startswith("attachment")
    assert [each for each in way.ask("GET", "figures").json() if each["result"] == made]


def test_an_export_is_downloaded_with_the_edited_labels(way: Way) -> None:
    forms = [{"form": "labels"}, {"form": "rois"}]
    made = do_watched(way, "export", forms=forms, images=list(way.images.values()), tables=[way.table])["result"]
    [found] = [each for each in way.ask("GET", "exports").json() if each["id"] == made["export"]]
    content = way.ask("GET", f"results/{found['id']}/download").content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        planes = [tifffile.imread(io.BytesIO(archive.read(name))) for name in names if name.endswith(".tif")]
    assert len(planes) == 6
    assert any(np.array_equal(each, way.plane(way.labels)) for each in planes)
    assert [name for name in names if name.endswith(".csv")]


def test_moved_originals_are_found_again_and_nothing_of_them_is_written(way: Way) -> None:
    content = {file.name: file.read_bytes() for file in (way.place / "images").iterdir()}
    (way.place / "images").rename(way.place / "moved")
    image = way.images["i0"] if "i0" in way.images else next(iter(way.images.values()))
    path = f"images/{image}/originals"
    assert [each["status"] for each in way.ask("GET", path).json()] == ["missing"]
    assert way.plane(way.labels).any()
    found = way.ask("POST", "originals/relink", json={"path": str(way.place / "moved")}).json()
    assert len(found) == 6
    [original] = way.ask("GET", path).json()
    assert original["status"] == "there"
    assert way.ask("GET", f"{path}/{original['id']}").content == content[original["name"]]
    assert {file.name: file.read_bytes() for file in (way.place / "moved").iterdir()} == content


def test_a_copy_in_another_folder_opens_with_everything(way: Way, serving: Any) -> None:
    before = _everything(way.client, way.study)
    plane = way.plane(way.labels)
    assert way.server.end() == 0
    [folder] = way.home.glob("*.cellmetry")
    copy = way.place / "elsewhere" / "another name.cellmetry"
    shutil.copytree(folder, copy)
    shutil.rmtree(way.home)
    way.serve(serving, copy.parent)
    assert _everything(way.client, way.study) == before
    assert np.array_equal(way.plane(way.labels), plane)
    way.ask("POST", f"labels/{way.labels}/undo", json={})
    way.ask("POST", f"labels/{way.labels}/redo", json={})
    assert np.array_equal(way.plane(way.labels), plane)
    assert way.ask("GET", f"tables/{way.table}/rows").json()["total"] > 0
    [original] = way.ask("GET", f"images/{next(iter(way.images.values()))}/originals").json()
    assert original["status"] == "there"
    assert way.server.end() == 0
    assert _verified(copy) == []


def _everything(client: Any, study: str) -> dict[str, Any]:
    """Return all that lists of a study say."""
    path = f"studies/{study}"
    lists = ("images", "labels", "tables", "results", "jobs", "recipes", "acts?limit=1000")
    return {"study": client.get(path).json(), **{each: client.get(f"{path}/{each}").json() for each in lists}}


def _verified(folder: Path) -> list[str]:
    """Return the faults that `cellmetry study verify` finds."""
    code = """
import sys
from cellmetry.study.store.store import open_store
from cellmetry.study.store.verifying import verify
with open_store(sys.argv[1]) as store:
    for each in (*store.notices, *store.database.check(), *verify(store, thorough=True)):
        print(each)
"""
    done = subprocess.run([sys.executable, "-c", code, str(folder)], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()
