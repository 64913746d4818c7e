"""The history of a study: every act, who did it, and undoing any of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from pydantic import Field

from cellmetry.errors import NotAllowed, ParameterError
from cellmetry.server.bodies import Limit, Number, View
from cellmetry.server.dependencies import ActorDep, EditStudy, GateDep, ReadStudy, RoleDep
from cellmetry.server.security.visitor import Gate, Role, Visitor
from cellmetry.study.store.acts import Act, Actor, acts, find_act
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


@dataclass(frozen=True)
class Asker:
    """Who asks for an act to be undone, and what they may do."""

    actor: Actor
    role: Role
    gate: Gate


def _asker(actor: ActorDep, role: RoleDep, gate: GateDep) -> Asker:
    return Asker(actor, role, gate)


AskerDep = Annotated[Asker, Depends(_asker)]


@router.post("/{seq}/undo")
def undo_one(store: EditStudy, seq: Seq, asker: AskerDep) -> ActView:
    """Take back any act: an edit by its pixels, all others by hiding what they added and showing what they removed.

    Editors take back edits of labels by anybody, and other acts of their own and of other editors, not of owners.
    """
    _must_undo(store, find_act(store, seq), asker)
    return act_view(find_act(store, undo_any(store, asker.actor, seq)))


@router.post("/{seq}/redo")
def redo_one(store: EditStudy, seq: Seq, asker: AskerDep) -> ActView:
    """Do an act again that was taken back."""
    undone_by = find_act(store, seq).undone_by
    if undone_by is None:
        raise ParameterError(f"Act {seq} is not undone.")
    _must_undo(store, find_act(store, undone_by), asker)
    return act_view(find_act(store, undo_any(store, asker.actor, undone_by)))


def act_view(found: Act) -> ActView:
    """Return an act as it is answered."""
    return ActView(**vars(found))


def _must_undo(store: Store, found: Act, asker: Asker) -> None:
    """Refuse an editor to take back what an owner did, or somebody who has no role any more; edits are open to all."""
    if asker.role is Role.owner or found.who == asker.actor.who:
        return
    if store.database.row("SELECT act FROM edits WHERE act = ?", (found.seq,)) is not None:
        return
    if asker.gate.role(Visitor(found.who), store) not in (Role.editor, Role.viewer):
        raise NotAllowed(f"Act {found.seq} ({found.summary}) was done by {found.who}, an owner; ask one to undo it.")
