"""Pictures to try counting on; they belong to no study until somebody adds one."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import Field

from cellmetry.pipeline.examples import EXAMPLES, example_picture
from cellmetry.server.bodies import View, Word
from cellmetry.server.downloading import file_answer

__all__ = ["router"]

router = APIRouter(prefix="/examples", tags=["examples"])
_PNG = "image/png"


class ExampleView(View):
    """A picture to try."""

    name: str
    title: str
    cells: int | None = Field(description="True count; null where nobody knows it.")
    picture: str = Field(description="Where the picture is, below /api/v1.")


@router.get("")
def list_examples() -> list[ExampleView]:
    """Return pictures to try counting on."""
    return [
        ExampleView(name=name, title=each.title, cells=each.cells, picture=f"examples/{name}")
        for name, each in EXAMPLES.items()
    ]


@router.get("/{name}", responses=file_answer("The picture.", _PNG), response_class=Response)
def get_example(name: Word) -> Response:
    """Return a picture."""
    headers = {"Cache-Control": "private, max-age=86400"}
    return Response(example_picture(name), media_type=_PNG, headers=headers)
