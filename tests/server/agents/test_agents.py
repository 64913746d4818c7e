"""A scripted agent at a real server: it segments and compares generated wells, and everything is undone again."""

from __future__ import annotations

import json

import httpx2
import mcp
import numpy as np
import pytest
import tifffile
from mcp.client.streamable_http import streamable_http_client

from cellmetry.pipeline.jobs.registry import JOB_KINDS
from cellmetry.server.agents.registry import AGENT_TOOLS
from cellmetry.study.editing.registry import EDIT_OPERATIONS

pytestmark = pytest.mark.anyio
SETTINGS = {"figures": [], "tables": [], "style": {"formats": ["svg"]}}


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


class Agent:
    """What a program of somebody else's does with the endpoint."""

    def __init__(self, client):
        self.client = client

    async def ask(self, tool, **arguments):
        """The answer of a tool."""
        answer = await self.client.call_tool(tool, arguments)
        assert not answer.is_error, answer.content[0].text
        assert json.loads(answer.content[0].text) == answer.structured_content
        return answer.structured_content.get("items", answer.structured_content)

    async def refused(self, tool, **arguments):
        """Kind and message of the error of a tool."""
        answer = await self.client.call_tool(tool, arguments)
        assert answer.is_error
        return answer.structured_content["error"]

    async def done(self, study, tool, **parameters):
        """What a job made, when it is done."""
        job = await self.ask(tool, study=study, parameters=parameters)
        for _ in range(20):
            job = await self.ask("wait_for_job", study=study, job=job["id"], seconds=60)
            if job["state"] == "done":
                return job["result"]
            assert job["state"] in ("queued", "running"), job
        raise AssertionError(job)


async def agent_at(server, mode="auto"):
    """Yield an agent that has the token, and nothing else."""
    headers = {"Authorization": f"Bearer {server.token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=90.0) as http:
        transport = streamable_http_client(f"{server.url}/mcp", http_client=http)
        async with mcp.Client(transport, mode=mode) as client:
            yield Agent(client)


@pytest.fixture
async def agent(server):
    async for each in agent_at(server):
        yield each


@pytest.fixture(scope="module")
def wells(server):
    """A folder of four wells: two of a control and two that are twice as bright."""
    folder = server.home.parent / "wells"
    folder.mkdir()
    y, x = np.mgrid[:128, :128]
    places = [(20 + 40 * row, 20 + 30 * column) for row in range(3) for column in range(4)]
    for number in range(4):
        light = 3000 * (1 + number // 2)
        signal = sum(light * np.exp(-((y - a) ** 2 + (x - b) ** 2) / 40) for a, b in places)
        noise = np.random.default_rng(number).normal(400, 10, (128, 128))
        tifffile.imwrite(folder / f"A0{number + 1}.tif", (signal + noise).astype(np.uint16))
    return folder


async def seen(agent, study):
    """What is to be seen of a study."""
    found = {name: await agent.ask(name, study=study) for name in ("list_images", "list_labels", "list_results")}
    ids = [each["id"] for each in found["list_labels"]]
    labels = {each: await agent.ask("list_objects", study=study, labels=each) for each in ids}
    for each in found["list_labels"]:
        del each["version"]
    return {**found, "objects": labels}


async def test_an_agent_segments_and_compares_and_every_act_is_undone(agent, wells, server):
    study = (await agent.ask("create_study", title="wells"))["id"]
    empty = await seen(agent, study)
    begin = (await agent.ask("history", study=study))[0]["seq"]
    images = await agent.ask("register_images", study=study, paths=[str(wells)])
    for job in await agent.ask("list_jobs", study=study):
        await agent.ask("wait_for_job", study=study, job=job["id"], seconds=60)
    for number, image in enumerate(images):
        values = {"condition": "bright" if number > 1 else "control", "replicate": number % 2}
        await agent.ask("say_of_images", study=study, images=[image["id"]], values=values, pixel_size_um=0.5)
    await agent.done(study, "segment", recipe="whole-cells", set=["segment.tile_px=256"])
    labels = (await agent.ask("list_labels", study=study))[0]["id"]
    objects = await agent.ask("list_objects", study=study, labels=labels)
    assert len(objects) == 12
    edit = {"study": study, "labels": labels, "operation": "delete", "parameters": {"ids": [objects[0]["id"]]}}
    await agent.ask("edit_labels", **edit)
    await agent.ask("undo_edit", study=study, labels=labels)
    await agent.ask("redo_edit", study=study, labels=labels)
    table = (await agent.done(study, "measure", passport=None))["table"]
    described = next(each for each in await agent.ask("list_tables", study=study) if each["id"] == table)
    value = next(each["name"] for each in described["columns"] if each["name"].startswith("mean_"))
    rows = {"columns": ["image", value], "sort": [f"-{value}"], "limit": 2}
    page = await agent.ask("read_table", study=study, table=table, **rows)
    assert (page["total"], len(page["rows"])) == (47, 2)
    question = {"value": value, "by": "condition", "replicate": "replicate", "control": "control"}
    settings = {**SETTINGS, "comparisons": [question]}
    comparison = (await agent.done(study, "compare", table=table, settings=settings))["comparison"]
    [contrast] = (await agent.ask("read_comparison", study=study, comparison=comparison))["contrasts"]
    assert contrast["value"] == value
    history = [each for each in await agent.ask("history", study=study, limit=200) if each["seq"] > begin]
    assert {each["via"] for each in history} == {"mcp"}
    assert {"edit", "say"} <= {each["verb"].split()[0] for each in history}
    for each in history:
        if each["undone_by"] is None and each["undoes"] is None:
            await agent.ask("undo_act", study=study, act=each["seq"])
    assert await seen(agent, study) == empty


async def test_wrong_requests_are_told_in_words(agent):
    study = (await agent.ask("create_study", title="wrong"))["id"]
    assert "history" in (await agent.refused("histori"))["message"]
    assert "Did you mean 'study'" in (await agent.refused("history", studi=study))["message"]
    wrong = await agent.refused("segment", study=study, parameters={"recipe": "nucleus"})
    assert wrong["kind"] == "UnknownName"
    assert "nuclei" in wrong["message"]
    assert (await agent.refused("register_images", study=study, paths=["/etc"]))["kind"] == "NotAllowed"
    assert (await agent.refused("history", study="study_0000000000000000"))["kind"] == "UnknownName"
    assert (await agent.refused("create_study", title="x" * 201))["kind"] == "ParameterError"


async def test_tools_say_what_they_take(agent):
    tools = {each.name: each for each in (await agent.client.list_tools()).tools}
    assert set(tools) == set(AGENT_TOOLS)
    assert set(JOB_KINDS) - set(tools) == {"read", "import", "review"}
    assert "recipe" in tools["segment"].input_schema["properties"]["parameters"]["properties"]
    assert all(each.description and each.input_schema["additionalProperties"] is False for each in tools.values())
    assert tools["undo_act"].annotations.read_only_hint is False
    assert {each["name"] for each in await agent.ask("describe", topic="edit-operations")} == set(EDIT_OPERATIONS)
    assert "ids" in (await agent.ask("describe", topic="edit-operations", entry="merge"))["parameters"]["properties"]


async def test_an_older_agent_shakes_hands_first(server):
    async for agent in agent_at(server, "legacy"):
        assert isinstance(await agent.ask("list_studies"), list)


def test_only_who_is_known_gets_in_and_no_other_site(server):
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    accepts = {"Accept": "application/json, text/event-stream"}
    stranger = server.stranger()
    assert stranger.post("/mcp", json=body, headers={**accepts, "X-Cellmetry": "1"}).status_code == 401
    known = {**accepts, "Authorization": f"Bearer {server.token}"}
    assert stranger.post("/mcp", json=body, headers=known).status_code == 200
    assert stranger.post("/mcp", json=body, headers={**known, "Origin": "https://elsewhere.org"}).status_code == 403
    assert stranger.post("/mcp", json=body, headers={**known, "Host": "elsewhere.org"}).status_code == 421
    assert stranger.post("/mcp", content=b"x", headers={**known, "Content-Type": "text/plain"}).status_code == 415
    assert stranger.get("/mcp", headers=known).status_code == 405
    assert stranger.post("/mcp", content=b"{", headers={**known, "Content-Type": "application/json"}).status_code == 400
