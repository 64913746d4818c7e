"""A public demo: a gallery that nobody changes, studies of each visitor's own, limits, and clearing up."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from cellmetry.errors import OutputError
from cellmetry.server.app import create_app
from cellmetry.server.housekeeping import keep_house
from cellmetry.server.security.demo import SANDBOXES, DemoGate
from cellmetry.server.security.visitor import Visitor
from cellmetry.server.settings import DEMO_LIMITS, ServerSettings
from cellmetry.server.studies import OpenStudies
from cellmetry.study.store.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cellmetry.study.store.store import Store


def test_visitors_try_things_in_studies_of_their_own(serving: Any, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "gallery.cellmetry").mkdir(parents=True)
    open_store(home / "gallery.cellmetry").close()
    with serving.real_server(home, "--mode", "demo") as server:
        stranger, one, other = server.client(), server.client(), server.client()
        gallery = stranger.get("studies").json()
        assert [each["name"] for each in gallery] == ["gallery"]
        assert stranger.post("studies", json={"name": "mine"}).status_code == 401
        assert stranger.get("session").json()["signed_in"] is False
        assert one.post("session", json={}).status_code == 200
        assert other.get(f"{server.url}/").status_code == 200
        assert other.get("session").json()["signed_in"] is True
        mine = one.post("studies", json={"name": "mine"}).json()["id"]
        assert one.get(f"studies/{mine}").status_code == 200
        assert other.get(f"studies/{mine}").status_code == stranger.get(f"studies/{mine}").status_code == 404
        assert len(list((home / SANDBOXES).iterdir())) == 1
        assert one.get(f"studies/{gallery[0]['id']}/members").status_code == 403
        made = [one.post("studies", json={"name": "more"}).status_code for _ in range(3)]
        assert made == [201, 201, 403]
        assert one.post("session/tokens", json={"name": "x"}).status_code == 403


@pytest.mark.parametrize(("hours", "left"), [(1, 2), (25, 1)])
def test_visitors_studies_are_removed_after_their_time_and_the_gallery_stays(
    tmp_path: Path, hours: int, left: int
) -> None:
    settings = ServerSettings(tmp_path, mode="demo", limits=DEMO_LIMITS)
    gate = DemoGate(settings)
    studies = OpenStudies((tmp_path, tmp_path / SANDBOXES), "test")
    (tmp_path / "gallery.cellmetry").mkdir()
    visitor = gate.accounts.visitor(gate.new_session(), "visit")
    made = studies.create("mine", visitor.who, inside=gate.place)
    gate.own(visitor, made.id)
    study, folder = made.id, made.folder
    removed = keep_house(settings, gate, studies, datetime.now(UTC) + timedelta(hours=hours))
    assert removed == ([] if left == 2 else [study])
    assert folder.exists() is (left == 2)
    assert len(studies.find()) == left
    assert (tmp_path / "gallery.cellmetry").is_dir()
    assert gate.accounts.owned() == ([study] if left == 2 else [])
    studies.close()
    gate.close()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[DemoGate, OpenStudies, Callable[[float], list[str]]]]:
    """A demo without a server: its gate, its studies, and what clears it up a number of hours from now."""
    settings = ServerSettings(tmp_path, mode="demo", limits=DEMO_LIMITS)
    gate, studies = DemoGate(settings), OpenStudies((tmp_path, tmp_path / SANDBOXES), "test")
    yield gate, studies, lambda hours: keep_house(settings, gate, studies, datetime.now(UTC) + timedelta(hours=hours))
    studies.close()
    gate.close()


def made_by_a_visitor(gate: DemoGate, studies: OpenStudies) -> tuple[Visitor, Store]:
    visitor = gate.accounts.visitor(gate.new_session(), "visit")
    store = studies.create("mine", visitor.who, inside=gate.place)
    assert gate.role(visitor, store) is None  # nobody's, and nobody else's either
    gate.own(visitor, store.id)
    return visitor, store


def test_a_study_that_cannot_be_opened_is_never_shown_to_others(demo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, studies, keep = demo
    visitor, store = made_by_a_visitor(gate, studies)
    keep(0)
    gate.accounts.forget_study(store.id)  # whatever lost it
    assert gate.role(visitor, store) is None
    assert gate.role(Visitor("visitor-other", session="visit_1"), store) is None
    gate.own(visitor, store.id)
    studies.close_one(store.id)

    def fail(*_: Any, **__: Any) -> Store:
        raise OutputError("The disk failed.")

    monkeypatch.setattr("cellmetry.server.studies.open_store", fail)
    keep(23)
    assert (studies.find(), store.folder.exists(), len(gate.accounts.owned())) == ({}, True, 1)
    keep(25)
    assert list((store.folder.parent).iterdir()) == gate.accounts.owned() == []


def test_a_study_that_is_being_removed_is_not_opened_again(demo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, studies, keep = demo
    _, store = made_by_a_visitor(gate, studies)
    study = store.id
    seen: list[dict[str, Store]] = []
    remove, let_go = shutil.rmtree, studies.runner.remove

    def slow(folder: Path, **options: Any) -> None:
        seen.append(studies.find(again=True))
        remove(folder, **options)

    def with_jobs(left: Store) -> None:
        """Look as another request does while a job finishes its image."""
        with ThreadPoolExecutor(1) as other:
            seen.append(other.submit(studies.find, again=True).result(timeout=30))
        let_go(left)

    monkeypatch.setattr("cellmetry.server.studies.shutil.rmtree", slow)
    monkeypatch.setattr(studies.runner, "remove", with_jobs)
    assert keep(25) == [study]
    assert seen == [{}, {}]
    assert studies.find() == {}


def test_a_removal_that_was_killed_is_finished(demo: Any) -> None:
    gate, studies, keep = demo
    _, store = made_by_a_visitor(gate, studies)
    studies.close_one(store.id)
    store.folder.rename(store.folder.with_name(".removed-0123"))
    keep(0)
    assert list((store.folder.parent).iterdir()) == []


def test_a_study_takes_so_much_and_a_job_so_long(tmp_path: Path) -> None:
    limits = replace(DEMO_LIMITS, study_bytes=1_000_000)
    app = create_app(ServerSettings(tmp_path, mode="demo", limits=limits))
    with TestClient(app, base_url="http://127.0.0.1", headers={"X-Cellmetry": "1"}) as client:
        assert client.post("/api/v1/session", json={}).status_code == 200
        study = f"/api/v1/studies/{client.post('/api/v1/studies', json={'name': 'a'}).json()['id']}"
        long = client.post(f"{study}/jobs", json={"kind": "train", "parameters": {"minutes": 11}})
        assert (long.status_code, "may take 600 s" in long.text) == (422, True), long.text
        assert client.post(f"{study}/uploads", files={"file": ("a.csv", b"x" * 1_000_001)}).status_code == 201
        for full in (
            client.post(f"{study}/uploads", files={"file": ("b.csv", b"x")}),
            client.post(f"{study}/images", files={"files": ("b.tif", b"x")}),
            client.post(f"{study}/jobs", json={"kind": "read", "parameters": {"images": []}}),
        ):
            assert (full.status_code, "a study may have 1 MB" in full.text) == (413, True), full.text
        assert client.patch(study, json={"notes": "full"}).status_code == 200


def test_files_are_taken_only_while_the_disk_has_room(tmp_path: Path) -> None:
    limits = replace(DEMO_LIMITS, free_bytes=1 << 60)
    app = create_app(ServerSettings(tmp_path, mode="demo", limits=limits))
    with TestClient(app, base_url="http://127.0.0.1", headers={"X-Cellmetry": "1"}) as client:
        full = client.post("/api/v1/predict", files={"files": b"x"})
        assert full.status_code == 507
        assert "nearly full" in full.json()["error"]["message"]
        assert client.post("/api/v1/session", json={}).status_code == 200
