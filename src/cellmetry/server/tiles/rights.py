"""Whether who asks for a tile may see its study."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from starlette.concurrency import run_in_threadpool

from cellmetry.errors import NotSignedIn
from cellmetry.server.dependencies import allowed_study
from cellmetry.server.security.visitor import VISITOR

if TYPE_CHECKING:
    from starlette.types import Scope

    from cellmetry.server.security.visitor import Visitor
    from cellmetry.study.store.store import Store

__all__ = ["study_to_read"]


async def study_to_read(scope: Scope, study_id: str) -> Store:
    """Return the study of a request that was let in.

    Raises
    ------
    NotSignedIn
        If nobody knows who asks.
    UnknownName
        If there is no such study, or the visitor may not know that there is.
    """
    visitor = cast("Visitor | None", scope.get(VISITOR))
    if visitor is None:
        raise NotSignedIn("Sign in first: this server does not know who asks.")
    state = scope["app"].state
    if study_id in state.studies:
        return allowed_study(state, visitor, study_id)
    return await run_in_threadpool(allowed_study, state, visitor, study_id)
