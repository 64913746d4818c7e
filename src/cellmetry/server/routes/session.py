"""Who asks: sign in, sign out, and tokens for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from cellmetry.errors import NotAllowed, ParameterError
from cellmetry.server.bodies import Body, View
from cellmetry.server.dependencies import GateDep, SettingsDep, VisitorDep
from cellmetry.server.security.accounts import Key
from cellmetry.server.security.cookies import drop_cookie, set_cookie
from cellmetry.server.security.demo import DemoGate
from cellmetry.server.security.laptop import LaptopGate
from cellmetry.server.security.people import PeopleGate
from cellmetry.server.security.visitor import VISITOR, Visitor
from cellmetry.server.settings import Mode

__all__ = ["router"]

router = APIRouter(prefix="/session", tags=["session"])
KeyId = Annotated[str, Path(max_length=64, pattern=r"^[a-z]+_[0-9a-f]{16}$")]


class SessionView(View):
    """Who asks."""

    who: str
    """Name, empty if not known."""
    signed_in: bool
    admin: bool
    """Whether every study is theirs."""
    mode: Mode


class SignIn(Body):
    """What lets somebody in: a name and a password, or a one-time code; nothing for a demo."""

    name: Annotated[str, Field(max_length=64)] = ""
    """Name of the account."""
    password: Annotated[str, Field(max_length=1024)] = ""
    """Password of the account."""
    code: Annotated[str, Field(max_length=128)] = ""
    """One-time code of the address that `cellmetry serve` shows."""


class LinkView(View):
    """An address that lets one browser in, once."""

    url: str


class NewToken(Body):
    """A token for a program."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    """What it is for."""
    days: Annotated[int, Field(ge=1, le=365)] = 90
    """Days until it ends."""


class TokenView(View):
    """A token for a program, without its secret."""

    id: str
    name: str
    created: str
    ends: str


class TokenMade(TokenView):
    """A token that was made."""

    token: str
    """The secret: send it as ``Authorization: Bearer``. It is shown now only."""


@router.get("")
async def who(request: Request, settings: SettingsDep) -> SessionView:
    """Return who asks."""
    return _session(request.scope[VISITOR], settings.mode)


@router.post("")
def sign_in(body: SignIn, request: Request, response: Response, gate: GateDep, settings: SettingsDep) -> SessionView:
    """Open a session: its cookie comes with the answer."""
    if isinstance(gate, PeopleGate):
        address = request.client.host if request.client else ""
        key, secret = gate.sign_in(body.name, body.password, address)
        set_cookie(response, request, settings, secret, gate.seconds)
        return SessionView(who=key.who, signed_in=True, admin=gate.accounts.is_admin(key.who), mode=settings.mode)
    if isinstance(gate, LaptopGate):
        set_cookie(response, request, settings, gate.open_session(body.code))
        return SessionView(who=settings.person, signed_in=True, admin=True, mode=settings.mode)
    if isinstance(gate, DemoGate) and not _known(request):
        set_cookie(response, request, settings, gate.new_session(), gate.seconds)
    return SessionView(who="a visitor", signed_in=True, admin=False, mode=settings.mode)


@router.delete("", status_code=204)
def sign_out(request: Request, response: Response, gate: GateDep, settings: SettingsDep) -> None:
    """End this session."""
    visitor: Visitor | None = request.scope[VISITOR]
    if visitor is not None and visitor.session:
        if isinstance(gate, LaptopGate):
            gate.end_session(visitor.session)
        elif isinstance(gate, PeopleGate | DemoGate):
            gate.accounts.end_key(visitor.who, visitor.session)
    drop_cookie(response, request, settings)


@router.post("/link")
def new_link(gate: GateDep, settings: SettingsDep, _: VisitorDep) -> LinkView:
    """Return an address that lets a further browser of the same person in, once."""
    if not isinstance(gate, LaptopGate):
        raise ParameterError("Only a server of mode laptop makes such addresses; sign in with your password.")
    return LinkView(url=f"{settings.address}/?token={gate.new_code()}")


@router.get("/tokens")
def tokens(visitor: VisitorDep, gate: GateDep) -> list[TokenView]:
    """Return the tokens of who asks."""
    return [TokenView(**_said(each)) for each in _people(gate).accounts.keys(visitor.who, "token")]


@router.post("/tokens", status_code=201)
def new_token(body: NewToken, visitor: VisitorDep, gate: GateDep) -> TokenMade:
    """Make a token for a program, which may then do what who asks may do."""
    key, secret = _people(gate).new_token(visitor, body.name, body.days)
    return TokenMade(**_said(key), token=secret)


@router.delete("/tokens/{token}", status_code=204)
def end_token(token: KeyId, visitor: VisitorDep, gate: GateDep) -> None:
    """End a token of who asks."""
    _people(gate).accounts.end_key(visitor.who, token)


def _session(visitor: Visitor | None, mode: Mode) -> SessionView:
    if visitor is None:
        return SessionView(who="", signed_in=False, admin=False, mode=mode)
    signed_in = mode != "demo" or bool(visitor.session)
    return SessionView(who=visitor.who, signed_in=signed_in, admin=visitor.admin, mode=mode)


def _known(request: Request) -> bool:
    visitor: Visitor | None = request.scope[VISITOR]
    return visitor is not None and bool(visitor.session)


def _people(gate: GateDep) -> PeopleGate:
    if not isinstance(gate, PeopleGate):
        raise NotAllowed("Tokens are made where there are accounts: on a server of mode server.")
    return gate


def _said(key: Key) -> dict[str, str]:
    return {"id": key.id, "name": key.name, "created": key.created, "ends": key.ends}
