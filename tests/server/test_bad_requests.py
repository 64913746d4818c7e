"""Bad inputs 58 to 64 and the rules of design, against one running server that may speak to no other host.

Each is refused with a sentence, writes nothing, and leaves the server alive. What single parts refuse stands in their
own tests: names of uploads in `routes/test_images.py`, headers and hosts in `test_guarding.py`, lengths and slowness of
bodies in `test_bodies.py`, other people's studies in `test_people.py`.
"""

from __future__ import annotations

import csv
import io
import os
import pickle
import socket
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

GUARD = """
import os, sys
HERE = (None, "", "0.0.0.0", "127.0.0.1", "::1", "localhost")
def hook(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in HERE:
        with open(os.environ["ASKED"], "a") as asked:
            asked.write(f"{event} {host}\\n")
        raise OSError(f"no other host may be asked: {host}")
sys.addaudithook(hook)
"""
EVIL = "=HYPERLINK(1)"
MANY = [[float(number % 90), 5.0] for number in range(20_001)]
TRIANGLE = [[10, 10], [10, 30], [30, 10]]


class _Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)


@pytest.fixture(scope="module")
def guarded(serving: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server whose processes cannot speak to another host and write down whom they asked; its place."""
    place = tmp_path_factory.mktemp("guarded")
    (place / "site").mkdir()
    (place / "site" / "sitecustomize.py").write_text(GUARD)
    path = os.pathsep.join(filter(None, (str(place / "site"), os.environ.get("PYTHONPATH"))))
    (place / "images").mkdir()
    with serving.real_server(
        place / "home", "--root", str(place / "images"), PYTHONPATH=path, ASKED=str(place / "asked.txt")
    ) as server:
        yield server


@pytest.fixture(scope="module")
def client(guarded: Any) -> Any:
    return guarded.client()


@pytest.fixture(scope="module")
def known(guarded: Any, client: Any, seeding: Any, tiny_models: Any, tmp_path_factory: Any) -> dict[str, str]:
    """Ids of a study with something of every kind."""
    found: dict[str, str] = seeding.seeded_study(guarded, client, tiny_models, tmp_path_factory.mktemp("model"))
    return found


def state(client: Any, known: dict[str, str]) -> Any:
    """Return what a refused request may not change."""
    study = client.get(f"studies/{known['study']}").json()
    return study, len(client.get("studies").json()), len(client.get(f"studies/{known['study']}/jobs").json())


def _edit(operation: str, **parameters: Any) -> dict[str, Any]:
    return {"json": {"operation": operation, "parameters": parameters}}


def _raw(text: str) -> dict[str, Any]:
    return {"content": text.encode(), "headers": {"Content-Type": "application/json"}}


def _job(kind: str, **parameters: Any) -> dict[str, Any]:
    return {"json": {"kind": kind, "parameters": parameters}}


EDITS, JOBS, REGISTER = "labels/{labels}/edits", "jobs", "images/register"
REFUSED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "63 a model that is not there": ("PUT", "models/active", {"json": {"model": "mdl_0000000000000000"}}),
    "63 a model by its path": ("PUT", "models/active", {"json": {"model": "../../model"}}),
    "63 a recipe with a model by its path": (
        "POST",
        "recipes",
        {"json": {"name": "x", "text": 'name = "x"\n[[steps]]\nstep = "segment"\nmodel = "/tmp/evil.onnx"\n'}},
    ),
    "64 a point that is no number": (
        "POST",
        EDITS,
        _raw('{"operation": "draw", "parameters": {"points": [[NaN, 1], [2, 3], [4, 5]]}}'),
    ),
    "64 a point without end": (
        "POST",
        EDITS,
        _raw('{"operation": "draw", "parameters": {"points": [[1e999, 1], [2, 3], [4, 5]]}}'),
    ),
    "64 a point of 1e308": ("POST", EDITS, _edit("draw", points=[[1e308, 1], [2, 3], [4, 5]])),
    "64 an outline of two points": ("POST", EDITS, _edit("draw", points=TRIANGLE[:2])),
    "64 an outline of too many points": ("POST", EDITS, _edit("draw", points=MANY)),
    "64 an outline without area": ("POST", EDITS, _edit("draw", points=[[5, 5], [5, 5], [5, 5]])),
    "64 an edit of a plane that is not there": ("POST", EDITS, _edit("draw", points=TRIANGLE, z=7)),
    "64 an edit of an object that is not there": ("POST", EDITS, _edit("delete", ids=[4_000_000])),
    "64 an operation that is not there": ("POST", EDITS, _edit("drop_table", points=TRIANGLE)),
    "64 a tile outside": ("GET", "labels/{labels}/tiles/0/0/0/9/9", {}),
    "64 a tile of a level that is not there": ("GET", "images/{image}/tiles/40/0/0/0/0/0", {}),
    "64 a tile below zero": ("GET", "images/{image}/tiles/0/0/0/0/-1/0", {}),
    "64 a tile beyond all integers": ("GET", "images/{image}/tiles/0/0/0/0/99999999999999999999/0", {}),
    "64 a path that climbs": ("GET", "images/%2e%2e%2f%2e%2e%2fstudy.sqlite/tiles", {}),
    "64 a file of a result that climbs": ("GET", "results/{result_id}/download?file=../../../study.sqlite", {}),
    "64 a folder of the system": ("POST", REGISTER, {"json": {"paths": ["/etc"]}}),
    "64 a share of another computer": ("POST", REGISTER, {"json": {"paths": ["\\\\host\\share"]}}),
    "64 a path that climbs out of the roots": ("POST", REGISTER, {"json": {"paths": ["{root}/../../home"]}}),
    "64 a link out of the roots": ("POST", REGISTER, {"json": {"paths": ["{root}/link"]}}),
    "64 an address of another host": ("POST", REGISTER, {"json": {"paths": ["http://169.254.169.254/x.tif"]}}),
    "64 moved files of the system": ("POST", "originals/relink", {"json": {"path": "/etc"}}),
    "64 a study that is not one's own": ("GET", "../study_0000000000000000/images", {}),
    "rule 3 an edit on a version to come": ("POST", EDITS, _edit("delete", ids=[2]) | {}),
    "rule 9 a job without a kind": ("POST", JOBS, {"json": {"parameters": {}}}),
    "rule 9 a job of an unknown kind": ("POST", JOBS, _job("shell", command="id")),
    "rule 11 a job of a path": ("POST", JOBS, _job("segment", recipe="/etc/passwd")),
    "rule 11 an import of a path": ("POST", JOBS, _job("import", upload="../study.sqlite", image="{image}")),
    "rule 12 an engine's weights of the client": (
        "POST",
        JOBS,
        _job("segment", recipe="nuclei", set=["segment.model=/tmp/x.pkl"]),
    ),
    "rule 13 a name without end": ("PATCH", "", {"json": {"name": "x" * 100_000}}),
    "rule 13 a list without end": ("POST", JOBS, _job("segment", recipe="nuclei", set=["segment.a=1"] * 1000)),
    "rule 13 images without end": (
        "PATCH",
        "images",
        {"json": {"images": ["img_0123456789abcdef"] * 10_001, "values": {"a": 1}}},
    ),
    "rule 13 a field that nobody knows": ("PATCH", "", {"json": {"name": "x", "owner": "me"}}),
    "rule 13 a value without end": ("PATCH", "images/{image}", _raw('{"values": {"a": Infinity}}')),
    "rule 13 a question without end": ("GET", "tables/{table}/rows?where=" + "area_um2%20%3E%201%20and%20" * 400, {}),
    "rule 13 a page without end": ("GET", "images?limit=100000000", {}),
    "rule 13 nested without end": ("POST", EDITS, _raw("[" * 100_000)),
}
REFUSED["rule 3 an edit on a version to come"][2]["json"]["base_version"] = 10_000


def _filled(value: Any, words: dict[str, str]) -> Any:
    """Put ids and the root into the texts of a request."""
    if isinstance(value, str):
        for name, word in words.items():
            value = value.replace(f"{{{name}}}", word)
        return value
    if isinstance(value, dict):
        return {name: _filled(each, words) for name, each in value.items()}
    return [_filled(each, words) for each in value] if isinstance(value, list) and len(value) < 100 else value


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_request_is_refused_in_words_and_changes_nothing(
    guarded: Any, client: Any, known: dict[str, str], case: str
) -> None:
    method, path, more = REFUSED[case]
    root = guarded.home.parent / "images"
    if not (root / "link").is_symlink():
        (root / "link").symlink_to("/etc")
    words = {**known, "root": str(root)}
    before = state(client, known)
    url = f"studies/{known['study']}" + (f"/{_filled(path, words)}" if path else "")
    answer = client.request(method, url, **_filled(more, words))
    assert 400 <= answer.status_code < 500, answer.text
    error = answer.json()["error"]
    assert error["kind"]
    assert 10 < len(error["message"]) < 2000
    assert "Traceback" not in answer.text
    assert "root:" not in answer.text
    assert state(client, known) == before


def _zip(*entries: tuple[Any, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def _link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("a.roi")
    entry.external_attr = 0o120777 << 16
    return entry


def test_59_61_62_hostile_files_fail_their_jobs_and_leave_nothing(
    guarded: Any, client: Any, known: dict[str, str], seeding: Any
) -> None:
    files = {
        "up.zip": _zip(("../../evil.roi", b"Iout")),
        "link.zip": _zip((_link(), b"/etc/passwd")),
        "lying.roi": b"Iout\x00\xe4\x00\x00" + b"\x7f" * 60,
        "table.csv": "x;x\n1,5;2\n".encode("utf-16"),
    }
    study = known["study"]
    before = client.get(f"studies/{study}/labels").json()
    outside = _outside(guarded)
    jobs = []
    for name, content in files.items():
        sent = client.post(f"studies/{study}/uploads", files={"file": (name, content)}).json()
        body = _job("import", upload=sent["id"], image=known["image"])["json"]
        jobs.append(client.post(f"studies/{study}/jobs", json=body).json()["id"])
    for job in jobs:
        found = seeding.wait_job(client, f"studies/{study}/jobs/{job}")
        assert found["state"] == "failed", found
        assert found["error"].endswith(".")
        assert "Traceback" not in found["error"]
    assert client.get(f"studies/{study}/labels").json() == before
    assert _outside(guarded) == outside


def _outside(guarded: Any) -> set[Path]:
    """Return the files beside studies."""
    return {each for each in guarded.home.parent.rglob("*") if ".cellmetry" not in str(each)}


def test_rules_6_7_12_hostile_images_fail_alone_and_run_nothing(
    guarded: Any, client: Any, seeding: Any, tmp_path: Path
) -> None:
    marker = tmp_path / "payload-was-run"
    huge = io.BytesIO()
    np.lib.format.write_array_header_1_0(huge, {"descr": "<u2", "fortran_order": False, "shape": (10**6, 10**6)})
    pickled = io.BytesIO()
    np.save(pickled, np.array([_Payload(marker)], object), allow_pickle=True)
    hostile = {
        "huge.npy": huge.getvalue(),
        "objects.npy": pickled.getvalue(),
        "pickle.tif": pickle.dumps(_Payload(marker)),
        "vast.tif": b"II*\x00\x08\x00\x00\x00"
        + struct.pack("<H", 3)
        + struct.pack("<HHII", 256, 4, 1, 400_000)
        + struct.pack("<HHII", 257, 4, 1, 400_000)
        + struct.pack("<HHII", 258, 3, 1, 16)
        + b"\0" * 4,
        "empty.tif": b"",
    }
    for name, content in hostile.items():
        study = seeding.new_study(client, name)
        answer = client.post(f"studies/{study}/images", files=[("files", (name, content))])
        if answer.status_code == 201:
            [job] = client.get(f"studies/{study}/jobs").json()
            seeding.wait_job(client, f"studies/{study}/jobs/{job['id']}")
            [image] = client.get(f"studies/{study}/images").json()
            assert image["state"] == "failed", name
            assert image["reason"]
            assert "Traceback" not in image["reason"]
        else:
            assert 400 <= answer.status_code < 500, answer.text
            assert answer.json()["error"]["message"]
    assert not marker.exists()
    assert client.get("health").status_code == 200


def test_58_names_that_spreadsheets_would_run_are_quoted_and_numbers_are_not(
    client: Any, known: dict[str, str], seeding: Any
) -> None:
    study = known["study"]
    said = client.patch(f"studies/{study}/images/{known['image']}", json={"values": {"condition": EVIL, "depth": -1.5}})
    assert said.status_code == 200
    table = seeding.do_job(client, study, "measure", images=[known["image"]])["result"]["table"]
    made = seeding.do_job(client, study, "export", tables=[table], table_forms=["csv"])["result"]["export"]
    content = client.get(f"studies/{study}/results/{made}/download").content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".csv") and "columns" not in name]
        rows = list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
    assert {row["condition"] for row in rows} == {f"'{EVIL}"}
    assert {float(row["depth"]) for row in rows} == {-1.5}


def test_60_names_are_shown_as_text(guarded: Any, client: Any) -> None:
    name = "<img src=x onerror=alert(1)> CON 🧬"
    made = client.post("studies", json={"name": name}).json()
    assert made["name"] == name
    assert name in [each["name"] for each in client.get("studies").json()]
    answer = client.get(f"{guarded.url}/")
    assert "img src" not in answer.text
    assert "script-src" not in answer.headers["content-security-policy"]  # so that of default-src holds: 'self' alone
    assert all(each.name.isascii() for each in guarded.home.iterdir())


def test_63_bad_weights_are_refused_and_the_old_model_stays(guarded: Any, client: Any, known: dict[str, str]) -> None:
    url, model = f"studies/{known['study']}/models", known["model_id"]
    [folder] = guarded.home.glob("seeded*.cellmetry")
    weights = next(each for each in (folder / "models").rglob("*.onnx"))
    whole = weights.read_bytes()
    before = client.get(f"{url}/active").json()
    for content in (whole[: len(whole) // 2], pickle.dumps(_Payload(guarded.home / "run")), b"", None):
        if content is None:
            weights.unlink()
        else:
            weights.write_bytes(content)
        answer = client.put(f"{url}/active", json={"model": model})
        assert 400 <= answer.status_code < 500, answer.text
        assert client.get(f"{url}/active").json() == before
    weights.write_bytes(whole)
    assert not (guarded.home / "run").exists()
    assert client.put(f"{url}/active", json={"model": model}).status_code == 200


def test_64_nothing_is_fetched(guarded: Any, client: Any, known: dict[str, str]) -> None:
    """A server that is asked for a file of an address asks nobody for it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.5)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x.tif"
        study = f"studies/{known['study']}"
        answers = [
            client.post(f"{study}/images/register", json={"paths": [url]}),
            client.post(f"{study}/originals/relink", json={"path": url}),
            client.post(f"{study}/jobs", json={"kind": "segment", "parameters": {"recipe": url}}),
            client.post("predict", files={"files": (url, b"II*")}, data={"recipe": url}),
        ]
        for answer in answers:
            assert 400 <= answer.status_code < 500, answer.text
        with pytest.raises(TimeoutError):
            listening.accept()


def test_rule_12_downloads_are_saved_and_pages_run_only_their_own(
    guarded: Any, client: Any, known: dict[str, str]
) -> None:
    study = f"studies/{known['study']}"
    for path in (f"comparisons/{known['comparison']}/report", f"results/{known['result_id']}/download"):
        headers = client.get(f"{study}/{path}").headers
        assert headers["content-disposition"].startswith("attachment")
        assert headers["x-content-type-options"] == "nosniff"
    policy = client.get(f"{guarded.url}/").headers["content-security-policy"]
    assert "default-src 'self'" in policy or "default-src 'none'" in policy
    assert "unsafe-eval" not in policy


def test_no_other_host_was_asked(guarded: Any, known: dict[str, str], tmp_path: Path) -> None:
    """Of all that the other tests of this module did, in the server and its workers; the guard sees who is asked."""
    asked = guarded.home.parent / "asked.txt"
    assert not asked.exists(), asked.read_text()
    code = "import socket\nsocket.create_connection(('192.0.2.1', 9), timeout=1)"
    environment = {"PYTHONPATH": str(guarded.home.parent / "site"), "ASKED": str(tmp_path / "asked.txt")}
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert "no other host may be asked" in done.stderr
    assert "192.0.2.1" in (tmp_path / "asked.txt").read_text()
