"""Every operation of the OpenAPI document, asked at random: no fault of the server, and only answers it documents.

``CELLMETRY_SCHEMATHESIS=N`` asks each operation N times with right values and N times with wrong ones.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = int(os.environ.get("CELLMETRY_SCHEMATHESIS", "3"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
TAGS = (
    "server",
    "session",
    "studies",
    "members",
    "history",
    "images",
    "tiles",
    "labels",
    "edits",
    "schemas",
    "recipes",
    "jobs",
    "tables",
    "results",
    "models",
    "maps",
    "one-shot",
    "preview",
    "examples",
    "queue",
    "regions",
    "questions",
    "uploads",
)
_PLANE = {"level": "0", "t": "0", "c": "0", "z": "0", "y": "0", "x": "0", "version": "0", "part": "0"}
_NAMES = {
    "/steps/": "segment",
    "/edit-operations/": "brush",
    "/job-kinds/": "measure",
    "/formats/": "labels",
    "/engines/": "classical",
    "/recipes/": "nuclei",
    "/examples/": "sparse",
}
_LISTS = {"images": "image"}
_TEXTS = ("image", "table", "labels", "upload", "recipe")


@pytest.fixture(scope="module")
def known(server: Any, seeding: Any, tiny_models: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Ids of a study with something of every kind, by the names that paths have for them."""
    with server.client() as client:
        return seeding.seeded_study(server, client, tiny_models, tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def document(server: Any) -> Iterator[Any]:
    """The OpenAPI document of the running server, as schemathesis has it."""
    with server.client() as client:
        yield schemathesis.openapi.from_dict(client.get("openapi.json").json())


def operations(document: Any) -> list[Any]:
    return [each.ok() for each in document.get_all_operations()]


def test_every_operation_is_asked(document: Any) -> None:
    assert {tag for each in operations(document) for tag in each.tags} == set(TAGS)


@pytest.mark.parametrize("tag", TAGS)
def test_no_operation_fails_and_each_answers_as_documented(server: Any, document: Any, known: Any, tag: str) -> None:
    problems = []
    with requests.Session() as session:
        for operation in operations(document):
            if tag in operation.tags:
                for mode in schemathesis.GenerationMode:
                    problems += _asked(server, session, operation, known, mode)
    assert server.stranger().get("/api/v1/health").status_code == 200
    assert not problems, "\n\n".join(problems)


def _asked(server: Any, session: requests.Session, operation: Any, known: dict[str, str], mode: Any) -> list[str]:
    """Ask an operation at random; what was wrong."""
    problems = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize="CELLMETRY_SCHEMATHESIS" not in os.environ,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), real=st.integers(0, 9))
    def ask(case: Any, real: int) -> None:
        if real:
            _bind(case, known)
        answer = _send(server, session, case)
        if answer is None:
            return
        try:
            case.validate_response(answer, checks=CHECKS)
        except BaseExceptionGroup as found:
            problems.append("\n".join(str(each) for each in found.exceptions))

    with suppress(Unsatisfiable):  # nothing can be wrong with a request that has no part
        ask()
    return problems[:1]


def _bind(case: Any, known: dict[str, str]) -> None:
    """Put real ids into a request, so that it comes to the code behind the route."""
    for name in case.path_parameters or {}:
        if name == "name":
            case.path_parameters[name] = next((v for part, v in _NAMES.items() if part in case.path), "nuclei")
        else:
            case.path_parameters[name] = known.get(name, _PLANE.get(name, case.path_parameters[name]))
    if isinstance(case.body, dict):
        for name in case.body:
            if name in _LISTS:
                case.body[name] = [known[_LISTS[name]]]
            elif name in _TEXTS and isinstance(case.body[name], str):
                case.body[name] = known.get(name, case.body[name])


def _send(server: Any, session: requests.Session, case: Any) -> Any:
    """Send a request; of a stream without end only the head is looked at, and nothing returned."""
    headers = {"Authorization": f"Bearer {server.token}"}
    if not case.path.endswith("/{study}/events"):
        return case.call(base_url=server.url, session=session, headers=headers, timeout=60)
    wanted = case.as_transport_kwargs(base_url=server.url, headers=headers)
    with session.request(**wanted, stream=True, timeout=60) as answer:
        assert answer.status_code < 500
    return None
