"""Tools of jobs: work of every kind, how far it is, and what may be asked for."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from cellmetry.pipeline.jobs.registry import job_kind
from cellmetry.server.agents.api import AgentApi
from cellmetry.server.agents.tool import AgentTool, JobId, OfStudy
from cellmetry.study.store.jobs import ENDED

__all__ = ["WORK_TOOLS"]

_LOOK_S = 0.3
Topic = Literal["recipes", "steps", "edit-operations", "engines", "models", "formats"]


class Describe(AgentTool):
    """Tell what there is, with parameters: recipes, their steps, edit operations, engines, models, formats."""

    name: ClassVar[str] = "describe"

    topic: Topic
    """What to tell of."""
    entry: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")] | None = None
    """Name of one, to be told with all its parameters; without it all are listed by name."""

    async def call(self, api: AgentApi) -> Any:
        """Return one with its schema, or names and summaries of all."""
        if self.entry is not None:
            return await api.get(f"/{self.topic}/{self.entry}")
        told = ("name", "summary", "description", "licence", "problem")
        return [{key: each[key] for key in told if each.get(key)} for each in await api.get(f"/{self.topic}")]


class _Job(OfStudy):
    """Puts a job of the kind that the tool is called by into the queue; `wait_for_job` tells its end."""

    changes: ClassVar[bool] = True

    parameters: dict[Annotated[str, Field(max_length=64)], Any] = Field(default_factory=dict, max_length=200)
    """What is asked for."""

    @classmethod
    def model_json_schema(cls, *more: Any, **named: Any) -> dict[str, Any]:
        """Return the schema with that of the kind's own parameters in it."""
        schema = super().model_json_schema(*more, **named)
        own = job_kind(cls.name).model_json_schema()
        schema["$defs"] = {**schema.get("$defs", {}), **own.pop("$defs", {})}
        schema["properties"]["parameters"] = own
        return schema

    async def call(self, api: AgentApi) -> Any:
        """Return the job."""
        return await api.send(self.below("/jobs"), {"kind": self.name, "parameters": self.parameters})


class Segment(_Job):
    """Find cells in images by a recipe: labels become label images of the study, tables results."""

    name: ClassVar[str] = "segment"


class Measure(_Job):
    """Measure the objects of labels, as they are edited now, into one table; conditions go along."""

    name: ClassVar[str] = "measure"


class Quantify(_Job):
    """Quantify a target channel, and its ratio to a reference, in cells, masks and rings; profiles and peaks."""

    name: ClassVar[str] = "quantify"


class Count(_Job):
    """Count the cells of images, with an interval where one holds."""

    name: ClassVar[str] = "count"


class Compare(_Job):
    """Compare conditions by independent replicates: estimates with intervals, tests, figures, a report."""

    name: ClassVar[str] = "compare"


class Train(_Job):
    """Train a model on images whose labels were corrected; says how good it is on images held out."""

    name: ClassVar[str] = "train"


class Evaluate(_Job):
    """Compare a model's labels, or labels that are there, with corrected ones."""

    name: ClassVar[str] = "evaluate"


class Export(_Job):
    """Write labels for other programs, and tables, into one ZIP."""

    name: ClassVar[str] = "export"


class Rebase(_Job):
    """Put what people corrected onto new labels of a better model; what it cannot decide it asks."""

    name: ClassVar[str] = "rebase"


class Relabel(_Job):
    """Give the cells of an image the ids of the earlier labels that they overlap; tells which id became which."""

    name: ClassVar[str] = "relabel"


class ListJobs(OfStudy):
    """List the jobs of a study, the oldest first: what was asked, how far they are, what they made."""

    name: ClassVar[str] = "list_jobs"

    state: Annotated[str, Field(max_length=20)] | None = None
    """Only those in this state: queued, running, done, failed, cancelled, interrupted."""
    after: Annotated[int, Field(ge=0, le=2**62)] = 0
    """Only jobs with a ``seq`` above this."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    async def call(self, api: AgentApi) -> Any:
        """Return a page of them."""
        return await api.get(self.below("/jobs"), state=self.state, after=self.after, limit=self.limit)


class _OneJob(OfStudy):
    """A tool that works on one job."""

    job: JobId
    """Id of the job."""


class JobStatus(_OneJob):
    """Tell how far a job is, what it made (``result``), or why it failed (``error``)."""

    name: ClassVar[str] = "job_status"

    async def call(self, api: AgentApi) -> Any:
        """Return the job."""
        return await api.get(self.below(f"/jobs/{self.job}"))


class WaitForJob(_OneJob):
    """Wait until a job has ended, at most some seconds; tells how it stands then. Ask again if it still runs."""

    name: ClassVar[str] = "wait_for_job"

    seconds: Annotated[float, Field(ge=0, le=60)] = 30.0

    async def call(self, api: AgentApi) -> Any:
        """Return the job when it has ended or the time is up."""
        clock = asyncio.get_running_loop().time
        until = clock() + self.seconds
        while True:
            found = await api.get(self.below(f"/jobs/{self.job}"))
            if found["state"] in ENDED or clock() >= until or api.stopping:
                return found
            await asyncio.sleep(_LOOK_S)


class CancelJob(_OneJob):
    """Stop a job; finished images are kept."""

    name: ClassVar[str] = "cancel_job"
    changes: ClassVar[bool] = True

    async def call(self, api: AgentApi) -> Any:
        """Return the job."""
        return await api.send(self.below(f"/jobs/{self.job}/cancel"))


class ResumeJob(_OneJob):
    """Go on with a job that was interrupted, cancelled or failed; what is done is not done again."""

    name: ClassVar[str] = "resume_job"
    changes: ClassVar[bool] = True

    async def call(self, api: AgentApi) -> Any:
        """Return the job."""
        return await api.send(self.below(f"/jobs/{self.job}/resume"))


class JobLog(_OneJob):
    """Tell what was said of a job: states, warnings, errors, images that failed and why."""

    name: ClassVar[str] = "job_log"

    after: Annotated[int, Field(ge=0, le=2**62)] = 0
    """Only lines with a ``seq`` above this."""

    async def call(self, api: AgentApi) -> Any:
        """Return up to 200 lines."""
        return await api.get(self.below(f"/jobs/{self.job}/log"), after=self.after, limit=200)


WORK_TOOLS: tuple[type[AgentTool], ...] = (
    Describe,
    *(Segment, Measure, Quantify, Count, Compare, Train, Evaluate, Export, Rebase, Relabel),
    *(ListJobs, JobStatus, WaitForJob, CancelJob, ResumeJob, JobLog),
)
