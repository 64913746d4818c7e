"""Tools of results: tables, comparisons, and what else jobs made."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from cellmetry.server.agents.api import AgentApi
from cellmetry.server.agents.tool import AgentTool, Names, OfStudy

__all__ = ["RESULT_TOOLS"]

ResultId = Annotated[str, Field(max_length=64, pattern=r"^res_[0-9a-f]{16}$")]
Conditions = Annotated[tuple[Annotated[str, Field(max_length=1000)], ...], Field(max_length=50)]


class ListTables(OfStudy):
    """List the tables of a study with their rows and what each column means, unit included."""

    name: ClassVar[str] = "list_tables"

    async def call(self, api: AgentApi) -> Any:
        """Return them."""
        return await api.get(self.below("/tables"))


class ReadTable(OfStudy):
    """Read rows of a table: those that meet conditions, in an order, a page at a time."""

    name: ClassVar[str] = "read_table"

    table: ResultId
    """Id of the table."""
    columns: Names | None = None
    """Names of columns; all if left out."""
    where: Conditions = ()
    """Conditions that a row must meet: ``area_um2 > 50 and not flag_edge``."""
    sort: Names = ()
    """Columns to sort by; ``-area_um2`` from large to small."""
    offset: Annotated[int, Field(ge=0, le=1 << 40)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 50

    async def call(self, api: AgentApi) -> Any:
        """Return the rows, and how many there are on all pages."""
        body = self.model_dump(exclude={"study", "table"}, exclude_none=True, mode="json")
        found = await api.send(self.below(f"/tables/{self.table}/query"), body)
        return {name: found[name] for name in ("total", "offset", "rows")}


class ListResults(OfStudy):
    """List what jobs made: tables, comparisons, figures, exports, evaluations, records of runs."""

    name: ClassVar[str] = "list_results"

    kind: Annotated[str, Field(max_length=20)] | None = None
    """Only those of this kind."""

    async def call(self, api: AgentApi) -> Any:
        """Return them."""
        return await api.get(self.below("/results"), kind=self.kind)


class ReadComparison(OfStudy):
    """Read what a comparison found: groups, estimates with intervals, tests, what a naive test would claim."""

    name: ClassVar[str] = "read_comparison"

    comparison: ResultId
    """Id of the comparison."""
    part: Literal["contrasts", "all"] = "contrasts"
    """Only the estimates and tests, or the whole record."""

    async def call(self, api: AgentApi) -> Any:
        """Return the record."""
        found = await api.get(self.below(f"/comparisons/{self.comparison}"))
        return found if self.part == "all" else {"contrasts": found.get("contrasts", [])}


class RemoveResult(OfStudy):
    """Hide a result; undoing the act brings it back."""

    name: ClassVar[str] = "remove_result"
    changes: ClassVar[bool] = True

    result: ResultId
    """Id of the result."""

    async def call(self, api: AgentApi) -> Any:
        """Return the act."""
        return await api.send(self.below(f"/results/{self.result}"), method="DELETE")


RESULT_TOOLS: tuple[type[AgentTool], ...] = (ListTables, ReadTable, ListResults, ReadComparison, RemoveResult)
