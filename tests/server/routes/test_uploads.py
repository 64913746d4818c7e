"""A file of outlines over HTTP: sent, made labels of by a job, hostile ones refused."""

from __future__ import annotations

import io
import time
import zipfile

import numpy as np
import pytest
import tifffile


@pytest.fixture(scope="module")
def study(server):
    """The id of a study with one image."""
    client = server.client()
    made = client.post("studies", json={"name": "imports"})
    assert made.status_code == 201, made.text
    study = made.json()["id"]
    file = io.BytesIO()
    tifffile.imwrite(file, np.full((64, 80), 7, np.uint16), photometric="minisblack")
    sent = client.post(f"studies/{study}/images", files={"files": ("a.tif", file.getvalue())})
    assert sent.status_code == 201, sent.text
    client.close()
    return study, sent.json()[0]["id"]


def ended(client, study, kind, parameters):
    made = client.post(f"studies/{study}/jobs", json={"kind": kind, "parameters": parameters})
    assert made.status_code == 202, made.text
    until = time.monotonic() + 120
    while True:
        job = client.get(f"studies/{study}/jobs/{made.json()['id']}").json()
        if job["state"] in ("done", "failed", "cancelled", "interrupted"):
            return job
        assert time.monotonic() < until, job
        time.sleep(0.1)


def send(client, study, name, content):
    sent = client.post(f"studies/{study}/uploads", files={"file": (name, content)})
    assert sent.status_code == 201, sent.text
    return sent.json()


def test_a_label_image_becomes_labels_and_goes_out_again(client, study):
    study, image = study
    labels = np.zeros((64, 80), np.uint16)
    labels[5:20, 7:30], labels[30:50, 40:70] = 3, 8
    file = io.BytesIO()
    tifffile.imwrite(file, labels, photometric="minisblack")
    sent = send(client, study, "l.tif", file.getvalue())
    job = ended(client, study, "import", {"upload": sent["id"], "image": image})
    assert job["state"] == "done", job
    assert job["result"]["objects"] == 2
    job = ended(client, study, "export", {"forms": [{"form": "rois"}]})
    assert job["state"] == "done", job
    job = ended(client, study, "measure", {})
    rows = client.get(f"studies/{study}/tables/{job['result']['table']}/rows", params={"sort": "-label"}).json()
    assert [row["label"] for row in rows["rows"]] == [8, 3]
    assert rows["rows"][0]["area_px"] == 600


def test_a_hostile_archive_fails_its_job_and_changes_nothing(client, study):
    study, image = study
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../../evil.roi", b"Iout")
    before = client.get(f"studies/{study}/labels").text
    sent = send(client, study, "../../evil.zip", out.getvalue())
    job = ended(client, study, "import", {"upload": sent["id"], "image": image})
    assert job["state"] == "failed"
    assert "points outside" in job["error"]
    assert client.get(f"studies/{study}/labels").text == before


def test_what_is_no_single_file_is_refused(client, study):
    study, image = study
    two = client.post(f"studies/{study}/uploads", files=[("file", ("a", b"1")), ("file", ("b", b"2"))])
    assert (two.status_code, "one file" in two.json()["error"]["message"]) == (422, True)
    none = client.post(f"studies/{study}/uploads", files={"files": ("a", b"1")})
    assert none.status_code == 422
    path = client.post(
        f"studies/{study}/jobs", json={"kind": "import", "parameters": {"upload": "../a", "image": image}}
    )
    assert path.status_code == 422
