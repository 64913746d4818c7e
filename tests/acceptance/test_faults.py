"""Full disks, a folder that cannot be written and two programs at one study, as a user of the server sees them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cellmetry.core.labels import labels_from_array
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.labels import add_labels, label_set
from cellmetry.study.store.store import join_store, open_store
from cellmetry.study.store.verifying import verify

if TYPE_CHECKING:
    from collections.abc import Iterator

WHO = Actor("t", "python")
SIDE = 400


@contextmanager
def mounted(place: Path) -> Iterator[None]:
    """Put a disk of 8 MB at a folder."""
    place.mkdir()
    may = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("mount") is not None
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if not may or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("a small disk can only be mounted by the administrator of a Linux computer")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def with_labels(folder: Path, image: str) -> str:
    """Add labels of 49 squares to an image as a worker does; their id."""
    ids = np.zeros((SIDE, SIDE), np.uint32)
    for number in range(49):
        y, x = 10 + number // 7 * 54, 10 + number % 7 * 54
        ids[y : y + 40, x : x + 40] = number + 1
    store = join_store(folder)
    try:
        return add_labels(store, act(store, WHO, "segment", "Segment"), image, labels_from_array(ids), name="cells")
    finally:
        store.close()


def draw(client: Any, path: str, rng: np.random.Generator) -> Any:
    """Draw a polygon of many corners."""
    points = rng.uniform(0, SIDE - 1, (300, 2)).round(2).tolist()
    return client.post(f"{path}/edits", json={"operation": "draw", "parameters": {"points": points, "over": True}})


def plane(client: Any, path: str) -> bytes:
    return bytes(client.get(f"{path}/tiles/0/0/0/0/0").content)


def test_f5_f6_a_full_disk_is_told_loses_nothing_and_works_again(serving: Any, seeding: Any, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with mounted(disk):
        with serving.real_server(disk / "home", "--root", str(tmp_path)) as server:
            _fill_and_free(server, seeding, disk)
        [folder] = (disk / "home").glob("*.cellmetry")
        with open_store(folder) as store:
            assert store.notices == ()
            assert store.database.check() == []
            assert verify(store, thorough=True) == []


def _fill_and_free(server: Any, seeding: Any, disk: Path) -> None:
    client, rng = server.client(), np.random.default_rng(1)
    study = seeding.new_study(client, "full")
    [image] = seeding.upload(client, study, {"a.tif": seeding.tiff(seeding.cells(0, SIDE))})
    [folder] = server.home.glob("full*.cellmetry")
    path = f"studies/{study}/labels/{with_labels(folder, image)}"
    assert draw(client, path, rng).status_code == 200
    ballast = disk / "ballast"
    ballast.touch()
    ballast.write_bytes(bytes(max(shutil.disk_usage(disk).free - 16_384, 0)))
    version, seen = client.get(path).json()["version"], plane(client, path)
    for _ in range(60):
        answer = draw(client, path, rng)
        if answer.status_code != 200:
            break
        version, seen = answer.json()["version"], plane(client, path)
    _is_told(answer)
    assert client.get(path).json()["version"] == version
    assert plane(client, path) == seen
    before = client.get(f"studies/{study}/images").json()
    files = set((folder / "uploads").rglob("*"))
    noise = rng.integers(0, 60_000, (SIDE, SIDE), dtype=np.uint16)
    _is_told(client.post(f"studies/{study}/images", files=[("files", ("b.tif", seeding.tiff(noise)))]))
    _is_told(client.post(f"studies/{study}/uploads", files={"file": ("b.tif", seeding.tiff(noise))}))
    assert client.get(f"studies/{study}/images").json() == before
    assert {each for each in (folder / "uploads").rglob("*") if each.is_file()} <= files
    assert client.get("health").status_code == 200
    ballast.unlink()
    assert draw(client, path, rng).json()["version"] == version + 1
    [_] = seeding.upload(client, study, {"b.tif": seeding.tiff(noise[:64, :64])})
    done = seeding.do_job(client, study, "export", forms=[{"form": "labels"}])
    assert client.get(f"studies/{study}/results/{done['result']['export']}/download").status_code == 200


def _is_told(answer: Any) -> None:
    """Assert that an answer says that the disk is full."""
    assert answer.status_code == 507, answer.text
    assert answer.json()["error"]["kind"] == "OutputError"
    assert "full" in answer.json()["error"]["message"]


def _made(place: Path, name: str) -> tuple[Path, str, str]:
    """Make a study of one label image without a server: its folder, its id, the path of its labels."""
    folder = place / f"{name}.cellmetry"
    folder.mkdir(parents=True)
    with open_store(folder) as store:
        with store.database.write() as connection:
            seq = act(store, WHO, "add", "an image")
            connection.execute(
                "INSERT INTO images (id, seq, name, source, sha256, state, added_by) "
                "VALUES ('img_0123456789abcdef', 1, 'a', '{}', '', 'ready', ?)",
                (seq,),
            )
        study = store.id
    labels = with_labels(folder, "img_0123456789abcdef")
    return folder, study, f"studies/{study}/labels/{labels}"


def _is_read_only(client: Any, study: str, path: str, words: str) -> None:
    """Assert that a study is shown, says why it cannot be changed, and is not changed."""
    view = client.get(f"studies/{study}").json()
    assert words in view["read_only"]
    assert client.get(path).json()["version"] == 0
    assert np.frombuffer(plane(client, path), "<u4").max() == 49
    changes = [
        draw(client, path, np.random.default_rng(0)),
        client.patch(f"studies/{study}", json={"name": "x"}),
        client.delete(path),
        client.post(f"studies/{study}/jobs", json={"kind": "measure", "parameters": {}}),
        client.post(f"studies/{study}/images", files=[("files", ("a.tif", b"II*"))]),
    ]
    for answer in changes:
        assert answer.status_code == 423, answer.text
        assert words in answer.json()["error"]["message"]
    assert client.get(f"studies/{study}").json() == view


def test_f11_a_study_that_another_program_has_is_read_only(serving: Any, tmp_path: Path) -> None:
    folder, study, path = _made(tmp_path / "a", "held")
    with serving.real_server(tmp_path / "a") as first:
        with serving.real_server(tmp_path / "b", str(folder)) as second:
            _is_read_only(second.client(), study, path, "is open in")
            assert draw(first.client(), path, np.random.default_rng(0)).json()["version"] == 1
            assert second.client().get(path).status_code == 200
        command = [sys.executable, "-m", "cellmetry", "study", "add", str(folder), str(tmp_path)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 2
        assert "is open in" in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr
        assert draw(first.client(), path, np.random.default_rng(1)).json()["version"] == 2
    with open_store(folder) as store:
        assert store.read_only == ""
        assert label_set(store, path.rsplit("/", 1)[1]).version == 2
        assert verify(store, thorough=True) == []


def test_f18_a_folder_that_cannot_be_written_is_served_read_only(serving: Any, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with mounted(disk):
        folder, study, path = _made(disk, "fixed")
        before = {each: each.stat().st_mtime_ns for each in folder.rglob("*")}
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with serving.real_server(tmp_path / "home", str(folder)) as server:
            _is_read_only(server.client(), study, path, "cannot be written")
            [listed] = server.client().get("studies").json()
            assert listed["id"] == study
        assert {each: each.stat().st_mtime_ns for each in folder.rglob("*")} == before
