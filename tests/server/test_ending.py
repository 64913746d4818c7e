"""SIGTERM while a job works: its image is finished, it is interrupted, its listener let go; then it is resumed."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from cellmetry.io.images import write_image
from cellmetry.ops.synthetic import field_image, make_cells

if TYPE_CHECKING:
    from pathlib import Path

N_IMAGES = 5
QUICK = {"recipe": "nuclei", "set": ["segment.engine=classical", "segment.channel=0"]}


def wait_for(what: Any, seconds: float = 120.0) -> Any:
    for _ in range(int(seconds / 0.05)):
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("It did not come to that.")


def test_a_job_is_interrupted_and_resumed(serving: Any, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for seed in range(N_IMAGES):
        write_image(field_image(make_cells((200, 220), 6, seed=seed), pixel_size_um=0.5), folder / f"f{seed}.ome.tif")
    home = tmp_path / "home"
    with serving.real_server(home, "--root", str(tmp_path)) as server:
        client = server.client()
        study = client.post("studies", json={"name": "edu"}).json()["id"]
        path = f"studies/{study}"
        added = client.post(f"{path}/images/register", json={"paths": [str(folder)]})
        assert added.status_code == 201, added.text
        wait_for(lambda: all(each["state"] == "ready" for each in client.get(f"{path}/images").json()))
        job = client.post(f"{path}/jobs", json={"kind": "segment", "parameters": QUICK}).json()["id"]
        heard: list[str] = []

        def listen() -> None:
            with client.stream("GET", f"{path}/jobs/{job}/events") as events:
                heard.extend(events.iter_lines())

        listener = threading.Thread(target=listen)
        listener.start()
        wait_for(lambda: client.get(f"{path}/jobs/{job}").json()["done"] >= 1)
        assert server.end() == 0
        listener.join(30)
        assert not listener.is_alive()
        assert any(line.startswith("event: progress") for line in heard)
    with serving.real_server(home) as server:
        client = server.client()
        found = client.get(f"{path}/jobs/{job}").json()
        assert found["state"] == "interrupted"
        before = client.get(f"{path}/labels").json()
        assert 1 <= len(before) < N_IMAGES
        assert client.post(f"{path}/jobs/{job}/resume").status_code in (200, 202)
        wait_for(lambda: client.get(f"{path}/jobs/{job}").json()["state"] == "done")
        after = client.get(f"{path}/labels").json()
        assert len(after) == N_IMAGES
        assert {each["id"] for each in before} <= {each["id"] for each in after}
        assert len({each["image"] for each in after}) == N_IMAGES
