"""The history of a study: every act, who did it, and undoing any of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Path as InPath
from pydantic import Field

from cellmetry.errors import NotAllowed, ParameterError
from cellmetry.server.bodies import View
from cellmetry.server.dependencies import ActorDep, EditStudy, GateDep, Id, ReadStudy, RoleDep
from cellmetry.server.routes.bodies import Limit, Number
from cellmetry.server.security.visitor import Gate, Role, Visitor
from cellmetry.study.store.acts import Act, acts, find_act
from cellmetry.study.store.edits import undo_any
from cellmetry.study.store.store import Store

__all__ = ["ActView", "act_view", "router"]

router = APIRouter(prefix="/studies/{study}/acts", tags=["history"])
Seq = Annotated[int, InPath(ge=1, le=2**62)]


class ActView(View):
    """One line of a study's history."""

    seq: int
    at: str = Field(description="Time by the server's clock; the order is that of `seq`.")
    who: str
    via: str
    verb: str
    summary: str
    details: dict[str, Any]
    undoes: int | None = Field(description="The act that this one took back.")
    undone_by: int | None = Field(description="The act that took this one back; none if it holds.")


@router.get("")
def list_acts(store: ReadStudy, before: Number | None = None, limit: Limit = 100) -> list[ActView]:
    """Return the history, newest first; for the next page ask with `before` = the last `seq`."""
    return [act_view(each) for each in acts(store, before=before, limit=limit)]


@router.get("/{seq}")
def get_act(store: ReadStudy, seq: Seq) -> ActView:
    """Return one act."""
    return act_view(find_act(store, seq))


@router.post("/{seq}/undo")
def undo_one(study: Id, store: EditStudy, seq: Seq, actor: ActorDep, role: RoleDep, gate: GateDep) -> ActView:
    """Take back any act: an edit by its pixels, all others by hiding what they added and showing what they removed.

    Editors take back edits of labels by anybody, and other acts of their own and of other editors, not of owners.
    """
    _must_undo(store, find_act(store, seq), study, role, gate)
    return act_view(find_act(store, undo_any(store, actor, seq)))


@router.post("/{seq}/redo")
def redo_one(study: Id, store: EditStudy, seq: Seq, actor: ActorDep, role: RoleDep, gate: GateDep) -> ActView:
    """Do an act again that was taken back."""
    undone_by = find_act(store, seq).undone_by
    if undone_by is None:
        raise ParameterError(f"Act {seq} is not undone.")
    _must_undo(store, find_act(store, undone_by), study, role, gate)
    return act_view(find_act(store, undo_any(store, actor, undone_by)))


def act_view(found: Act) -> ActView:
    """Return an act as it is answered."""
    return ActView(**vars(found))


def _must_undo(store: Store, found: Act, study: str, role: Role, gate: Gate) -> None:
    if role is Role.owner or store.database.row("SELECT act FROM edits WHERE act = ?", (found.seq,)) is not None:
        return
    if gate.role(Visitor(found.who), study) is Role.owner:
        raise NotAllowed(
            f"Act {found.seq} ({found.summary}) was done by {found.who}, an owner; ask an owner to undo it."
        )
