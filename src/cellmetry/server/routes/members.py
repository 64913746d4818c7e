"""Members of a study: who may see, change or own it, on a server with accounts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from cellmetry.errors import NotAllowed, ParameterError
from cellmetry.server.bodies import Body, View
from cellmetry.server.dependencies import GateDep, OwnStudy
from cellmetry.server.security.accounts import Accounts
from cellmetry.server.security.people import PeopleGate
from cellmetry.server.security.visitor import Role

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}/members", tags=["members"])
Who = Annotated[str, Path(max_length=64, pattern=r"^[a-z0-9][a-z0-9._@-]*$")]


class MemberView(View):
    """Somebody with a role in a study."""

    who: str
    role: Role


class RoleBody(Body):
    """A role to give."""

    role: Role
    """viewer, editor or owner."""


@router.get("")
def members(store: OwnStudy, gate: GateDep) -> list[MemberView]:
    """Return who has which role."""
    return [MemberView(who=who, role=role) for who, role in _accounts(gate).roles(store.id).items()]


@router.put("/{who}")
def give_role(who: Who, body: RoleBody, store: OwnStudy, gate: GateDep) -> MemberView:
    """Give somebody a role; the last owner stays owner."""
    accounts = _accounts(gate)
    if body.role is not Role.owner:
        _must_leave_an_owner(accounts, store.id, who)
    accounts.set_role(store.id, who, body.role)
    return MemberView(who=who, role=body.role)


@router.delete("/{who}", status_code=204)
def take_role(who: Who, store: OwnStudy, gate: GateDep) -> None:
    """Take somebody's role away: the study is not there for them any more."""
    _must_leave_an_owner(_accounts(gate), store.id, who)
    _accounts(gate).set_role(store.id, who, None)


def _accounts(gate: GateDep) -> Accounts:
    if not isinstance(gate, PeopleGate):
        raise NotAllowed("Studies have members where there are accounts: on a server of mode server.")
    return gate.accounts


def _must_leave_an_owner(accounts: Accounts, study_id: str, who: str) -> None:
    owners = [each for each, role in accounts.roles(study_id).items() if role is Role.owner]
    if owners == [who]:
        raise ParameterError(f"{who} is the only owner of this study; make somebody else an owner first.")
