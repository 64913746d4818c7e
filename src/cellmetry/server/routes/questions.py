"""Questions of a rebase: places where a human and a better model disagree; answering them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from cellmetry.server.bodies import Body, SessionName
from cellmetry.server.dependencies import ActorDep, EditStudy, Id, ReadStudy
from cellmetry.study.rebase.questions import StoredQuestion, answer_question, find_question, questions_of
from cellmetry.study.store.labels import label_sets

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}/questions", tags=["questions"])

LabelsId = Annotated[str, Query(max_length=64, pattern=r"^[a-z]+_[0-9a-f]{16}$")]


class QuestionView(BaseModel):
    """A question: where it is, and what is there by the human and by the new model."""

    id: str
    labels_id: str
    text: str
    kind: str
    t: int
    z: int
    box: dict[str, int]
    """In pixels, end exclusive: y0, y1, x0, x1."""
    object: int
    """Id of the human's object, or of the one that they deleted."""
    answer: Literal["mine", "theirs"] | None
    answered_by: int | None


class QuestionPixels(QuestionView):
    """A question with the ids of both in its box, row by row."""

    mine: list[list[int]]
    theirs: list[list[int]]


class Answer(Body):
    """Whose version holds: the human's or the new model's."""

    answer: Literal["mine", "theirs"]
    base_version: int | None = Field(None, ge=0, le=2**62)
    """Version of the labels that who answers saw; the present one if left out."""
    session: SessionName = ""
    """Name of the window or program: what this person did there since `base_version` is known to them."""


class Answered(BaseModel):
    """What an answer did: the act to undo it, and the version of the labels."""

    act: int | None
    version: int


@router.get("")
def list_questions(store: ReadStudy, labels: LabelsId | None = None, answered: bool = False) -> list[QuestionView]:
    """Return the open questions of a study, or of one label image; also those that were answered with `answered`."""
    wanted = [labels] if labels is not None else [each.id for each in label_sets(store)]
    return [_view(each) for labels_id in wanted for each in questions_of(store, labels_id, answered=answered)]


@router.get("/{question}")
def get_question(store: ReadStudy, question: Id) -> QuestionPixels:
    """Return a question with the ids of its box as they are by both."""
    found = find_question(store, question)
    pixels = {"mine": found.question.mine.tolist(), "theirs": found.question.theirs.tolist()}
    return QuestionPixels(**_said(found), **pixels)


@router.post(
    "/{question}/answer", responses={409: {"description": "Somebody else changed the place since; it is logged."}}
)
def answer(store: EditStudy, actor: ActorDep, question: Id, body: Answer) -> Answered:
    """Answer a question; undoing the act opens it again."""
    done = answer_question(store, actor, question, body.answer, base_version=body.base_version, session=body.session)
    act = done.act if done.act is not None else find_question(store, question).answered_by
    return Answered(act=act, version=done.version)


def _view(found: StoredQuestion) -> QuestionView:
    return QuestionView(**_said(found))


def _said(found: StoredQuestion) -> dict[str, Any]:
    asked = found.question
    return {
        **{name: getattr(found, name) for name in ("id", "labels_id", "text", "answer", "answered_by")},
        **{name: getattr(asked, name) for name in ("kind", "t", "z")},
        "box": dict(asked.box._asdict()),
        "object": asked.id,
    }
