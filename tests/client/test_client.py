"""`cellmetry.Client` against a real server: from files to a comparison, edits, errors, events."""

from __future__ import annotations

import os
import shutil
import sqlite3
import zipfile
from contextlib import closing

import httpx
import numpy as np
import pytest
import tifffile

import cellmetry
from cellmetry import Client
from cellmetry.client.connection import ServerError
from cellmetry.client.pixels import Window
from cellmetry.errors import (
    Cancelled,
    EditConflict,
    InputError,
    LimitExceeded,
    MissingInput,
    NotAllowed,
    NotSignedIn,
    ParameterError,
    StudyInUse,
    UnknownName,
)
from cellmetry.server.security.accounts import Accounts
from cellmetry.study.store.store import open_store

WHOLE = {"recipe": "whole-cells", "set": ["segment.tile_px=256"]}


class Heard:
    """A progress that notes what it hears."""

    def __init__(self):
        self.tasks, self.units = [], 0

    def start(self, task, total):
        self.tasks.append((task, total))

    def advance(self, units=1):
        self.units += units


@pytest.fixture(scope="module")
def client(server):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLMETRY_HOME", str(server.home))
        for name in ("CELLMETRY_URL", "CELLMETRY_TOKEN"):
            patch.delenv(name, raising=False)
        with cellmetry.Client() as client:
            yield client


@pytest.fixture(scope="module")
def study(client, files):
    """A study with four images that were uploaded, read and segmented; two conditions of two replicates."""
    study = client.create_study("drug")
    heard = Heard()
    made = study.upload(files, progress=heard, axes="YX")
    assert heard.units == sum(file.stat().st_size for file in files)
    study.wait_read()
    for number, image in enumerate(made):
        said = {"condition": "control" if number < 2 else "bright", "replicate": str(number % 2)}
        study.say_of_images([image["id"]], pixel_size_um=0.5, **said)
    heard = Heard()
    job = study.segment(**WHOLE).wait(heard)
    assert (job.state, heard.tasks[-1][1]) == ("done", 4)
    assert {line["kind"] for line in job.log()} >= {"state", "progress"}
    assert {line["kind"] for line in job.log(kind="state")} == {"state"}
    return study


def test_the_running_server_is_found_by_its_file_and_its_token_goes_nowhere_else(client, server, monkeypatch):
    assert client.health()["mode"] == "laptop"
    assert client.who()["signed_in"]
    assert client.new_link().startswith(server.url)
    with Client("http://127.0.0.1:1") as other:
        assert "authorization" not in other._connection._http.headers
    with Client(server.url + "/", "wrong") as wrong, pytest.raises(NotSignedIn):
        wrong.studies()
    monkeypatch.setenv("CELLMETRY_HOME", str(server.home / "nothing"))
    with pytest.raises(MissingInput, match="cellmetry serve"):
        Client()
    monkeypatch.setenv("CELLMETRY_URL", server.url)
    monkeypatch.setenv("CELLMETRY_TOKEN", server.token)
    with Client() as by_environment:
        assert by_environment.who()["signed_in"]


def test_pixels_and_labels_come_as_arrays(study, files):
    image = study.images(name="w1")[0]
    truth = tifffile.imread(files[1])
    assert (study.pixels(image["id"]) == truth).all()
    assert (study.all_pixels(image["id"]) == truth).all()
    assert (study.pixels(image["id"], window=Window(10, 60, 100, 999)) == truth[10:60, 100:]).all()
    [labels] = study.label_images(image["id"])
    ids = study.labels(labels["id"])
    assert (ids.dtype, ids.shape, len(np.unique(ids)) - 1) == (np.uint32, (128, 128), 12)
    assert (study.all_labels(labels["id"]) == ids).all()
    found = study.objects(labels["id"])
    assert found["id"].tolist() == np.unique(ids)[1:].tolist()
    box = found.iloc[0]
    assert study.object(labels["id"], int(box["id"]))["area_px"] == (ids == box["id"]).sum()
    y, x = np.argwhere(ids == box["id"])[0]
    assert study.object_at(labels["id"], y + 0.5, x + 0.5) == box["id"]
    with pytest.raises(ParameterError, match="no level 9"):
        study.pixels(image["id"], level=9)


def test_an_edit_is_undone_redone_restored_and_seen_by_others(study, client):
    labels = study.label_images()[0]["id"]
    before = study.labels(labels)
    number = int(before.max())
    seen = study.refresh().said["last_act"]
    done = study.edit(labels, "delete", ids=[number])
    assert (study.labels(labels) == np.where(before == number, 0, before)).all()
    assert (study.labels(labels, version=0) == before).all()
    event = next(study.events(after=seen))
    assert (event["seq"], event["edit"]["labels"]) == (done["act"], labels)
    [box] = study.edit_of(labels, done["act"])["boxes"]
    assert (study.edit_pixels(labels, done["act"]) == before[box["y0"] : box["y1"], box["x0"] : box["x1"]]).all()
    assert not (study.edit_pixels(labels, done["act"], side="after") == number).any()
    study.undo(labels)
    assert (study.labels(labels) == before).all()
    study.redo(labels)
    study.restore(labels, 0)
    assert (study.labels(labels) == before).all()
    assert study.act(done["act"])["via"] == "python"
    assert [each["operation"] for each in study.edits(labels)][-1] == "delete"
    with Client(client._connection.url, study._connection._http.headers["authorization"].split()[1]) as second:
        other = second.study("drug")
        other.edit(labels, "delete", ids=[number])
        with pytest.raises(EditConflict) as refused:
            study.edit(labels, "grow", ids=[number], pixels=1, base_version=study.label_image(labels)["version"] - 1)
        assert refused.value.version == study.label_image(labels)["version"]
        with pytest.raises(EditConflict, match="changed the labels since"):
            study.restore(labels, 0, base_version=refused.value.version - 1)
        other.undo(labels)


def test_tables_exports_and_downloads(study, tmp_path):
    study.measure(passport=None).wait()
    table = study.table("cells", where="area_px > 10", sort=["-area_px"])
    assert (len(table), table["area_px"].is_monotonic_decreasing) == (48, True)
    assert table.groupby("condition").size().to_dict() == {"bright": 24, "control": 24}
    value = next(column for column in table.columns if column.startswith("mean_"))
    assert study.table("cells", columns=["label", value]).columns.tolist() == ["label", value]
    assert study.describe_table("cells")["rows"] == 48
    study.export("labels", tables=("cells",)).wait()
    [export] = study.exports()
    with zipfile.ZipFile(study.download(export["id"], tmp_path / "e.zip")) as archive:
        assert sum(name.endswith(".tif") for name in archive.namelist()) == 4
    act = study.remove_result(export["id"])
    assert study.exports() == []
    study.undo_act(act)
    assert [each["id"] for each in study.exports()] == [export["id"]]
    with pytest.raises(ParameterError, match="comparisons"):
        study.compare("cells", settings={})


def test_labels_of_a_file_are_imported(study, tmp_path, files):
    image = study.images()[0]["id"]
    mine = np.zeros((128, 128), np.uint16)
    mine[5:20, 5:20] = 7
    tifffile.imwrite(tmp_path / "mine.tif", mine)
    study.import_labels(tmp_path / "mine.tif", image, labels="mine").wait()
    [made] = [each for each in study.label_images(image) if each["name"] == "mine"]
    assert ((study.labels(made["id"]) > 0) == (mine > 0)).all()
    [file] = study.originals(image)
    assert study.download_original(image, file["id"], tmp_path / "o.tif").read_bytes() == files[0].read_bytes()


def test_a_folder_of_the_server_is_registered_and_others_are_not(client, files):
    study = client.create_study("by reference")
    assert [each["name"] for each in study.register(files[0].parent)] == ["w0", "w1", "w2", "w3"]
    with pytest.raises(NotAllowed):
        study.register("/etc")
    job = study.segment("whole-cells")
    with pytest.raises(Cancelled, match="was cancelled"):
        job.cancel().wait()
    assert [each.id for each in study.jobs(state="cancelled")] == [job.id]


def test_errors_are_those_of_the_server(client, study, tmp_path):
    with pytest.raises(UnknownName, match="whole-cells") as unknown:
        study.segment("whole-cell")
    assert type(unknown.value) is UnknownName
    with pytest.raises(UnknownName):
        client.study("no such")
    with pytest.raises(LimitExceeded):
        study.say_of_images(["img_0000000000000000"] * 100, **{"a": "x" * (33 << 20)})
    with pytest.raises(MissingInput, match="is no file"):
        study.upload([tmp_path])
    (tmp_path / "broken.tif").write_bytes(b"II*\0 no image")
    broken = client.create_study("broken")
    [image] = broken.upload([tmp_path / "broken.tif"])
    broken.wait_read()
    assert broken.image(image["id"])["state"] == "failed"
    with Client("http://127.0.0.1:1", "x") as nobody, pytest.raises(ServerError, match="cellmetry serve"):
        nobody._connection.send("/studies", {"name": "x"})


def test_a_study_that_cannot_be_opened_is_told(client, server):
    (server.home / "newer.cellmetry").mkdir()
    with closing(sqlite3.connect(server.home / "newer.cellmetry" / "study.sqlite")) as database:
        database.executescript("CREATE TABLE about (key, value); INSERT INTO about VALUES ('schema', '9999')")
    assert "newer" not in [each.name for each in client.studies()]
    assert list(client.refused_studies()) == ["newer"]
    with pytest.raises(InputError) as refused:
        client.study("newer")
    assert str(refused.value) == client.refused_studies()["newer"]
    assert str(server.home) not in str(refused.value)
    shutil.rmtree(server.home / "newer.cellmetry")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not forbid it here")
def test_a_study_that_can_only_be_read_says_so_without_the_servers_folders(client, server):
    folder = server.home / "fixed.cellmetry"
    folder.mkdir()
    open_store(folder).close()
    folder.chmod(0o500)
    try:
        study = client.study("fixed")
        with pytest.raises(StudyInUse) as refused:
            study.say(notes="x")
        assert study.said["read_only"] == str(refused.value)
        assert "fixed.cellmetry cannot be written" in str(refused.value)
        assert str(server.home) not in str(refused.value)
    finally:
        folder.chmod(0o700)


def test_one_shot_calls(client, files, tmp_path):
    to = client.predict([files[0]], tmp_path / "labels.tif", recipe="whole-cells", set=["segment.tile_px=256"])
    assert len(np.unique(tifffile.imread(to))) == 13
    assert client.count([files[0]], engine="classical")["images"][0]["status"]


def test_only_questions_are_asked_again_when_the_connection_breaks(monkeypatch):
    monkeypatch.setattr("cellmetry.client.connection._WAIT_S", 0.0)
    asked = []

    def breaks(request):
        asked.append(request.method)
        if len(asked) < 3:
            raise httpx.ReadError("broken", request=request)
        return httpx.Response(503, headers={"Retry-After": "0"}, json={}) if len(asked) < 5 else None

    with Client("http://x", "t", transport=httpx.MockTransport(breaks)) as client:
        with pytest.raises(ServerError, match="without saying why"):
            client.health()
        assert asked == ["GET"] * 3
        asked.clear()
        with pytest.raises(ServerError, match="ReadError"):
            client.create_study("a")
        assert asked == ["POST"]


def test_accounts_tokens_and_members(serving, tmp_path):
    accounts = Accounts(tmp_path / "home")
    for name in ("mira", "nils"):
        accounts.add(name, "correct horse battery")
    accounts.close()
    with serving.real_server(tmp_path / "home", "--mode", "server") as server, Client(server.url) as mira:
        mira.sign_in("mira", "correct horse battery")
        study = mira.create_study("ours")
        study.give_role("nils", "viewer")
        assert study.members() == [{"who": "mira", "role": "owner"}, {"who": "nils", "role": "viewer"}]
        with Client(server.url) as nils:
            nils.sign_in("nils", "correct horse battery")
            secret = nils.new_token("script")
        with Client(server.url, secret) as script:
            assert [each["name"] for each in script.tokens()] == ["script"]
            with pytest.raises(NotAllowed):
                script.study("ours").say(notes="x")
            study.take_role("nils")
            assert script.studies() == []
            script.end_token(script.tokens()[0]["id"])
            with pytest.raises(NotSignedIn):
                script.studies()
        mira.sign_out()
        assert not mira.who()["signed_in"]
