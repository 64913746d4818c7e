"""Jobs: ask for one of any kind, watch it, cancel it, resume it, read its log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from cellmetry.core.step import Parameters
from cellmetry.pipeline.jobs.registry import parse_job
from cellmetry.pipeline.served_jobs import check_job
from cellmetry.server.app_words import Told
from cellmetry.server.bodies import Limit, Number
from cellmetry.server.dependencies import ActorDep, EditStudy, GrowStudy, Id, ReadStudy, RunnerDep
from cellmetry.server.job_events import EVENT_STREAM, job_events
from cellmetry.server.watching import StillAllowed
from cellmetry.study.store.jobs import (
    ENDED,
    JobState,
    StoredJob,
    add_job,
    events_of,
    job,
    jobs,
    resume_job,
)

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}/jobs", tags=["jobs"])


class NewJob(Parameters):
    """Work to be done; `GET /job-kinds` tells the kinds and the schema of the parameters of each."""

    kind: str = Field(min_length=1, max_length=64)
    parameters: dict[str, Any] = Field(default_factory=dict, max_length=200)


class JobView(BaseModel):
    """A job: what, how far, what came of it."""

    seq: int
    id: str
    kind: str
    parameters: dict[str, Any]
    state: JobState
    who: str
    via: str
    created: str
    started: str | None
    ended: str | None
    task: str
    done: int
    total: int
    error: Told
    result: dict[str, Any]
    act: int | None


class LogLine(BaseModel):
    """Something that was said of a job."""

    seq: int
    at: str
    kind: str
    text: Told


@router.post("", status_code=202)
def submit_job(store: GrowStudy, actor: ActorDep, runner: RunnerDep, body: NewJob, response: Response) -> JobView:
    """Put a job into the queue; wrong parameters are refused at once, with the nearest right word."""
    check_job(store, parse_job(body.kind, body.parameters), runner.limits)
    job_id = add_job(store, actor, body.kind, body.parameters)
    runner.wake()
    response.headers["Location"] = f"jobs/{job_id}"
    return _view(job(store, job_id))


@router.get("")
def list_jobs(
    store: ReadStudy,
    state: JobState | None = None,
    after: Number = 0,
    limit: Limit = 100,
) -> list[JobView]:
    """Return the jobs of a study, the oldest first; next page: `after` = the last one's `seq`."""
    return [_view(each) for each in jobs(store, state) if each.seq > after][:limit]


@router.get("/{job_id}")
def get_job(store: ReadStudy, job_id: Id) -> JobView:
    """Return one job."""
    return _view(job(store, job_id))


@router.post("/{job_id}/cancel")
def cancel(store: EditStudy, job_id: Id, runner: RunnerDep) -> JobView:
    """Cancel a job: it ends within seconds, finished images stay; one that has ended stays as it is."""
    if job(store, job_id).state not in ENDED:
        runner.cancel(store, job_id)
    return _view(job(store, job_id))


@router.post("/{job_id}/resume")
def resume(store: GrowStudy, job_id: Id, runner: RunnerDep) -> JobView:
    """Put a job that was interrupted, cancelled or failed back into the queue; what is done is not done again."""
    resume_job(store, job_id)
    runner.wake()
    return _view(job(store, job_id))


@router.get("/{job_id}/log")
def get_log(
    store: ReadStudy,
    job_id: Id,
    after: Number = 0,
    limit: Limit = 1000,
    kind: Annotated[str | None, Query(max_length=20, pattern="^[a-z]+$", description="Only lines of a kind.")] = None,
) -> list[LogLine]:
    """Return what was said of a job: states, progress, warnings, lines of its log; `after` = the last one's `seq`.

    The text of `progress` and `learning` is JSON.
    """
    job(store, job_id)
    lines = events_of(store, job_id, after=after, limit=limit, kind=kind)
    return [LogLine(seq=line.seq, at=line.at, kind=line.kind, text=line.text) for line in lines]


_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "A stream of events.", "content": EVENT_STREAM},
    204: {"description": "The job has ended and all was told: do not connect again."},
}


@router.get("/{job_id}/events", responses=_STREAM, response_class=StreamingResponse)
async def watch(
    request: Request,
    store: ReadStudy,
    job_id: Id,
    last_event_id: Annotated[str | None, Header(max_length=20, pattern="^[0-9]{1,18}$")] = None,
    after: Number = 0,
) -> Response:
    """Return what is said of a job as it is said, as Server-Sent Events; the stream ends when the job ends.

    Each event has the `seq` of the log as its id, so that a browser which reconnects goes on where it was.
    """
    seen = int(last_event_id) if last_event_id is not None else after
    found = await run_in_threadpool(job, store, job_id)
    if found.state in ENDED and not await run_in_threadpool(events_of, store, job_id, after=seen, limit=1):
        return Response(status_code=204)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_bytes(request, store, job_id, seen), media_type="text/event-stream", headers=headers)


async def _bytes(request: Request, store: ReadStudy, job_id: str, seen: int) -> AsyncIterator[bytes]:
    allowed = StillAllowed(request, store)

    async def left() -> bool:
        stops = request.app.state.service.stopping.is_set() or await request.is_disconnected()
        return stops or not await allowed()

    async for text in job_events(store, job_id, seen, left):
        yield text.encode()


def _view(found: StoredJob) -> JobView:
    return JobView(**{name: getattr(found, name) for name in JobView.model_fields})
