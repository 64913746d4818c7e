"""Every request of the client is one that the API's document describes, and every operation there has a verb."""

from __future__ import annotations

import inspect
import json
import re
from urllib.parse import parse_qs

import httpx
import jsonschema
import numpy as np
import pandas as pd
import pytest

from cellmetry import Client
from cellmetry.client.arrow import ARROW_TYPE
from cellmetry.client.jobs import RemoteJob
from cellmetry.client.pixels import Window
from cellmetry.client.study import RemoteStudy
from cellmetry.server.app import API, create_app
from cellmetry.server.settings import ServerSettings
from cellmetry.study.tables.arrow import arrow_bytes

ID = "00000000000000ab"
SAMPLES = {"id": f"img_{ID}", "dtype": "uint16", "axes": "YX", "state": "done", "token": "secret"}
NO_VERB = {
    ("PATCH", "/studies/{study}/images/{image}"): "say_of_images says it of one, too",
    ("GET", "/studies/{study}/tables/{table}/download"): "table returns its rows, to be written in any form",
    ("GET", "/studies/{study}/tables/{table}/rows"): "table asks by POST, which has no limit of length",
    ("GET", "/studies/{study}/preview/{preview}/{number}/tiff"): "preview_count returns the values as an array",
    ("GET", "/examples/{name}"): "a picture for people to look at",
    ("GET", "/steps/{name}"): "steps returns all of them",
    ("GET", "/edit-operations/{name}"): "edit_operations returns all of them",
    ("GET", "/job-kinds/{name}"): "job_kinds returns all of them",
    ("GET", "/formats/{name}"): "formats returns all of them",
    ("GET", "/engines/{name}"): "engines returns all of them",
    ("GET", "/recipes/{name}"): "recipes returns all of them",
    ("GET", "/models/{name}"): "models returns all of them",
    ("POST", "/studies/{study}/preview/warm"): "for pages, where somebody is about to ask",
}
PARAMETERS_NOT_USED = {
    ("GET", "/studies/{study}/jobs/{job_id}/events", "after"): "Last-Event-ID says it",
    ("GET", "/studies/{study}/events", "after"): "Last-Event-ID says it",
    ("GET", "/studies/{study}/labels/{labels}/edits", "key"): "for pages, whose edits are sent again after a reload",
    ("GET", "/studies", "after"): "a further page is asked for after a full one only",
    ("GET", "/studies/{study}/recipes/{recipe_id}", "form"): "the JSON has the text as TOML",
    ("GET", "/studies/{study}/comparisons/{result_id}/report", "shown"): "for pages that show it",
    ("GET", "/studies/{study}/jobs/{job_id}/log", "limit"): "the server's own is the most",
}
IMAGE, LABELS, RESULT, MODEL = f"img_{ID}", f"lbl_{ID}", f"res_{ID}", f"mdl_{ID}"


class Described:
    """Answers requests as the document says, and notes what was asked; refuses what it does not describe."""

    def __init__(self, document):
        self.document = document
        self.asked: set[tuple[str, str]] = set()
        self.parameters: set[tuple[str, str, str]] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(API)
        template, operation = self.operation(request.method, path)
        key = (request.method, template)
        self.asked.add(key)
        query = parse_qs(request.url.query.decode())
        known = {each["name"].lower() for each in operation.get("parameters", ())}
        names = set(query) | {name for name in request.headers if name in ("x-cellmetry", "last-event-id")}
        if request.method == "GET":
            names.discard("x-cellmetry")
        assert names <= known, (key, names - known)
        self.parameters |= {(*key, name) for name in names}
        self.check_body(request, operation)
        return self.answer(request, template, operation, query)

    def operation(self, method, path):
        found = []
        for template, item in self.document["paths"].items():
            below = template.removeprefix(API)
            if method.lower() in item and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", below), path):
                found.append((below, item[method.lower()]))
        assert found, f"{method} {path} is not in the document"
        return min(found, key=lambda each: each[0].count("{"))

    def check_body(self, request, operation):
        content = (operation.get("requestBody") or {}).get("content", {})
        kind = request.headers.get("content-type", "").partition(";")[0]
        if not content:
            assert request.content in (b"", b"{}"), (request.url, request.content)
            return
        assert kind in content, (request.url, kind)
        if kind == "application/json":
            schema = {**content[kind]["schema"], "components": self.document["components"]}
            jsonschema.validate(json.loads(request.content), schema)
        else:
            [field] = [name for name in ("files", "file") if name in content[kind]["schema"]["properties"]]
            assert f'name="{field}"'.encode() in request.content

    def answer(self, request, template, operation, query):
        if template.endswith("/events"):
            lines = 'id: 7\nevent: act\ndata: {"seq": 7}\n\n' if "jobs" not in template else ""
            return httpx.Response(200, text=lines)
        if request.headers.get("accept") == ARROW_TYPE:
            return httpx.Response(
                200, content=arrow_bytes(pd.DataFrame({"label": [1]})), headers={"X-Cellmetry-Total": "1"}
            )
        if "after" in query and query["after"] != ["0"]:
            return httpx.Response(200, json=[])
        code, said = next((code, each) for code, each in operation["responses"].items() if code.startswith("2"))
        content = said.get("content", {})
        if "application/json" in content and "octet" not in str(content):
            told = self.sample(content["application/json"]["schema"])
            if template.endswith("/maps"):
                told = [{**each, "pixels": f"maps/job_{ID}/{IMAGE}/density/0/0", "shape": [2, 2]} for each in told]
            if template.endswith(("/preview", "/preview/masks")):
                told["box"] = [0, 2, 0, 2]
            if template.endswith("/tiles"):
                of_labels = {"axes": "TZYX", "dtype": "uint32"}
                told |= {"axes": "TCZYX", "version": None} if "/images/" in template else of_labels
            return httpx.Response(int(code), json=told)
        if code == "204":
            return httpx.Response(204)
        return httpx.Response(int(code), content=np.ones(4, "<u2" if "/images/" in template else "<u4").tobytes())

    def sample(self, schema, name=""):
        """Something that a schema describes."""
        schema = schema.get("anyOf", [schema])[0]
        if "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        if "const" in schema or "enum" in schema:
            given = schema.get("enum", [schema.get("const")])
            return SAMPLES[name] if SAMPLES.get(name) in given else given[0]
        kind = schema.get("type")
        if kind == "object":
            return {each: self.sample(inner, each) for each, inner in schema.get("properties", {}).items()}
        if kind == "array":
            parts = schema.get("prefixItems") or [schema.get("items", {})]
            return [self.sample(part, "one") for part in parts]
        if name in SAMPLES and kind == "string":
            return SAMPLES[name]
        return {"integer": 2, "number": 2.0, "boolean": True, "null": None}.get(kind, "word")


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    app = create_app(ServerSettings(home=tmp_path_factory.mktemp("home")))
    return Described(app.openapi())


@pytest.fixture
def client(described):
    with Client("http://127.0.0.1:1", "t", transport=httpx.MockTransport(described)) as client:
        yield client


@pytest.fixture
def study(client):
    return client.create_study("drug")


def of_client(client, file, to):
    """Calls of all verbs of `Client`."""
    return {
        "close": client.close,
        "sign_in": lambda: client.sign_in("mira", "password"),
        "sign_out": client.sign_out,
        "who": client.who,
        "new_link": client.new_link,
        "new_token": lambda: client.new_token("script"),
        "tokens": client.tokens,
        "end_token": lambda: client.end_token(f"key_{ID}"),
        "studies": client.studies,
        "refused_studies": client.refused_studies,
        "create_study": lambda: client.create_study("drug"),
        "create_sample": client.create_sample,
        "study": lambda: client.study(SAMPLES["id"]),
        "health": client.health,
        "steps": client.steps,
        "examples": client.examples,
        "edit_operations": client.edit_operations,
        "job_kinds": client.job_kinds,
        "formats": client.formats,
        "engines": client.engines,
        "recipes": client.recipes,
        "check_recipe": lambda: client.check_recipe("any"),
        "models": client.models,
        "predict": lambda: client.predict([file], to, engine="classical"),
        "count": lambda: client.count([file]),
    }


def of_study(study, file, to):
    """Calls of all verbs of `RemoteStudy`."""
    return {
        "refresh": study.refresh,
        "say": lambda: study.say(name="other", notes="n"),
        "history": lambda: study.history(before=9),
        "act": lambda: study.act(1),
        "undo_act": lambda: study.undo_act(1),
        "redo_act": lambda: study.redo_act(1),
        "events": lambda: next(study.events()),
        "members": study.members,
        "give_role": lambda: study.give_role("nils", "editor"),
        "take_role": lambda: study.take_role("nils"),
        "upload": lambda: study.upload([file], pattern="{x}.tif"),
        "register": lambda: study.register("/images", pattern="{x}.tif"),
        "images": lambda: study.images(state="ready", name="a", sort="-name"),
        "image": lambda: study.image(IMAGE),
        "say_of_images": lambda: study.say_of_images([IMAGE], condition="control", pixel_size_um=0.5),
        "read_images_again": lambda: study.read_images_again([IMAGE], axes="ZYX", pixel_size_um=0.5),
        "remove_images": lambda: study.remove_images([IMAGE]),
        "originals": lambda: study.originals(IMAGE),
        "download_original": lambda: study.download_original(IMAGE, f"org_{ID}", to),
        "thumbnail": lambda: study.thumbnail(IMAGE, side=64, labels=LABELS),
        "preview": lambda: study.preview(IMAGE, box=[0, 2, 0, 2]),
        "preview_count": lambda: study.preview_count(IMAGE, box=[0, 2, 0, 2]),
        "preview_masks": lambda: study.preview_masks(IMAGE, LABELS, "GFP", box=[0, 2, 0, 2]),
        "missing_originals": study.missing_originals,
        "relink": lambda: study.relink("/images"),
        "pixels": lambda: study.pixels(IMAGE),
        "all_pixels": lambda: study.all_pixels(IMAGE),
        "label_images": lambda: study.label_images(IMAGE),
        "label_image": lambda: study.label_image(LABELS),
        "labels": lambda: study.labels(LABELS, version=1, window=Window(0, 2, 0, 2)),
        "all_labels": lambda: study.all_labels(LABELS),
        "objects": lambda: study.objects(LABELS, window=Window(0, 2, 0, 2)),
        "object": lambda: study.object(LABELS, 1),
        "object_at": lambda: study.object_at(LABELS, 0.5, 0.5),
        "edit": lambda: study.edit(LABELS, "delete", ids=[1]),
        "correction_queue": lambda: study.correction_queue(result="count", limit=5, share=0.1),
        "reviewed": lambda: study.reviewed(IMAGE),
        "say_reviewed": lambda: study.say_reviewed(IMAGE, (0, 2, 0, 2), labels="cells"),
        "review": study.review,
        "maps": lambda: study.maps(IMAGE, labels="cells"),
        "regions": lambda: study.regions(IMAGE),
        "put_regions": lambda: study.put_regions(IMAGE, [{"name": "a", "rectangle": [0, 0, 2, 2]}]),
        "draw_labels": lambda: study.draw_labels(IMAGE, "nuclei"),
        "check_design": lambda: study.check_design("control"),
        "propose": lambda: study.propose(LABELS, 1.5, 2.5, z=1),
        "undo": lambda: study.undo(LABELS),
        "redo": lambda: study.redo(LABELS),
        "edits": lambda: study.edits(LABELS, before=9),
        "edits_of_image": lambda: study.edits_of_image(IMAGE, before=9),
        "edit_of": lambda: study.edit_of(LABELS, 1),
        "edit_pixels": lambda: study._connection.ask(
            "GET", study._path(f"/labels/{LABELS}/edits/1/pixels/0"), params={"side": "after"}
        ),
        "restore": lambda: study.restore(LABELS, 0),
        "say_right": lambda: study.say_right(LABELS),
        "remove_labels": lambda: study.remove_labels(LABELS),
        "questions": lambda: study.questions(LABELS, answered=True),
        "question": lambda: study.question(f"qst_{ID}"),
        "answer": lambda: study.answer(f"qst_{ID}", "mine"),
        "submit": lambda: study.submit("segment", recipe="any"),
        "job": lambda: study.job(f"job_{ID}"),
        "jobs": lambda: study.jobs(state="done"),
        "wait_read": study.wait_read,
        "segment": lambda: study.segment("any"),
        "measure": study.measure,
        "quantify": lambda: study.quantify("GFP", "mCherry", plan={"radial": "90:100"}),
        "count": study.count,
        "compare": lambda: study.compare(RESULT, settings={}),
        "train": study.train,
        "evaluate": study.evaluate,
        "export": lambda: study.export("labels", tables=(RESULT,)),
        "rebase": study.rebase,
        "relabel": lambda: study.relabel(IMAGE, previous=LABELS),
        "upload_file": lambda: study.upload_file(file),
        "import_labels": lambda: study.import_labels(file, IMAGE),
        "tables": study.tables,
        "table_id": lambda: study.table_id("word"),
        "describe_table": lambda: study.describe_table(RESULT),
        "table_summary": lambda: study.table_summary(RESULT, "label", where=["label > 1"], bins=4),
        "table_values": lambda: study.table_values(RESULT, ["label"], where=["label > 1"]),
        "place_in_table": lambda: study.place_in_table(RESULT, {"label": 1}, sort=["-label"]),
        "table": lambda: study.table(RESULT, columns=["label"], where=["label > 1"], sort=["-label"]),
        "comparisons": study.comparisons,
        "comparison": lambda: study.comparison(RESULT),
        "outdated_table": lambda: study.outdated_table(RESULT),
        "outdated_comparison": lambda: study.outdated_comparison(RESULT),
        "compared_cells": lambda: study.compared_cells(RESULT, 1, most=10),
        "download_report": lambda: study.download_report(RESULT, to),
        "figures": study.figures,
        "exports": study.exports,
        "results": lambda: study.results("table"),
        "result": lambda: study.result(RESULT),
        "files": lambda: study.files(RESULT),
        "download": lambda: study.download(RESULT, to, file="a.csv"),
        "remove_result": lambda: study.remove_result(RESULT),
        "recipes": study.recipes,
        "recipe": lambda: study.recipe(f"rcp_{ID}"),
        "keep_recipe": lambda: study.keep_recipe("mine", "text"),
        "remove_recipe": lambda: study.remove_recipe(f"rcp_{ID}"),
        "models": study.models,
        "model": lambda: study.model(MODEL),
        "active_model": study.active_model,
        "activate_model": lambda: study.activate_model(MODEL),
        "roll_back_model": study.roll_back_model,
        "download_model": lambda: study.download_model(MODEL, to),
        "remove_model": lambda: study.remove_model(MODEL),
    }


def of_job(job):
    """Calls of all verbs of `RemoteJob`."""
    return {
        "refresh": job.refresh,
        "wait": job.wait,
        "cancel": job.cancel,
        "resume": job.resume,
        "log": lambda: job.log(kind="state"),
        "_listen": lambda: job._listen("0", None),
    }


def verbs(kind):
    return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


def test_every_request_is_in_the_document_and_every_operation_has_a_verb(described, client, study, tmp_path):
    file, to = tmp_path / "a.tif", tmp_path / "out"
    file.write_bytes(b"image")
    calls = [of_study(study, file, to), of_job(study.segment()), of_client(client, file, to)]
    for kind, named in zip((RemoteStudy, RemoteJob, Client), calls, strict=True):
        assert verbs(kind) == {name for name in named if not name.startswith("_")}
        for name, call in named.items():
            if name != "close":
                call()
    document = described.document["paths"]
    operations = {
        (method.upper(), path.removeprefix(API)): operation
        for path, item in document.items()
        for method, operation in item.items()
    }
    assert set(NO_VERB) == set(operations) - described.asked
    optional = {
        (*key, each["name"].lower())
        for key, operation in operations.items()
        for each in operation.get("parameters", ())
        if each["in"] != "path" and key not in NO_VERB
    }
    assert optional - described.parameters == set(PARAMETERS_NOT_USED)
