"""Tables of a study: list them, what their columns mean, and their rows page by page."""

from __future__ import annotations

from pathlib import Path as File
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import UnknownName
from cellmetry.io.tables import read_table, write_table
from cellmetry.pipeline.jobs.outdated import outdated_table
from cellmetry.server.app_words import Told
from cellmetry.server.dependencies import Id, ReadStudy
from cellmetry.server.downloading import DOWNLOADS, download
from cellmetry.server.wording import ColumnView, ValuesView, column_view
from cellmetry.study.store.results import StoredResult, result, result_path, results
from cellmetry.study.store.store import Store
from cellmetry.study.tables.arrow import ARROW_TYPE, arrow_bytes
from cellmetry.study.tables.query import StoredTable, TableQuery, open_table, query_table
from cellmetry.study.tables.summary import (
    RowKey,
    SummaryQuery,
    ValuesQuery,
    place_of_row,
    summarise_table,
    table_values,
)

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}/tables", tags=["tables"])

Texts = Annotated[list[Annotated[str, Field(max_length=1000)]], Query(max_length=200)]


class TableView(BaseModel):
    """A table."""

    id: str
    name: str
    rows: int
    columns: tuple[ColumnView, ...]
    details: dict[str, Any]
    job_id: str | None


class TableRows(BaseModel):
    """A page of a table's rows; a missing or infinite value is null."""

    total: int
    """Rows that meet the conditions, on all pages."""
    offset: int
    columns: tuple[ColumnView, ...]
    rows: list[dict[str, Any]]


class GroupView(BaseModel):
    """The rows of one group."""

    value: str | float | bool | None
    rows: int
    counts: tuple[int, ...]
    """How many values lie in each part from `low` to `high`."""
    mean: float | None
    median: float | None


class SummaryView(BaseModel):
    """How the values of a column are spread."""

    total: int
    """Rows that meet the conditions."""
    low: float | None
    high: float | None
    groups: tuple[GroupView, ...]


class PlaceView(BaseModel):
    """Where a row stands."""

    place: int | None
    """Rows before it; null if it does not meet the conditions."""


_ROWS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A page of rows: as JSON, or as an Arrow stream where `Accept` says so.",
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/TableRows"}},
            ARROW_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.get("")
def list_tables(store: ReadStudy) -> list[TableView]:
    """Return the tables of a study with what their columns mean, the oldest first."""
    return [_view(store, each) for each in results(store, "table")]


@router.get("/{table}")
def get_table(store: ReadStudy, table: Id) -> TableView:
    """Return one table, also one that a newer has taken the place of."""
    return _view(store, _found(store, table))


@router.get("/{table}/outdated")
def get_outdated_table(store: ReadStudy, table: Id) -> list[Told]:
    """Return in what the study has changed since a table was made, a sentence each; none if it tells of now."""
    return outdated_table(store, _found(store, table))


@router.get("/{table}/download", responses=DOWNLOADS, response_class=Response)
def download_table(store: ReadStudy, table: Id) -> Response:
    """Return all rows and columns of a table as one CSV to be saved; nothing is kept."""
    found = _found(store, table)
    folder = TemporaryDirectory(prefix="cellmetry-")
    path = File(folder.name) / "table.csv"
    write_table(read_table(result_path(store, found)), path)
    answer = download(path, f"{found.name}.csv")
    answer.background = BackgroundTask(folder.cleanup)
    return answer


@router.get("/{table}/rows", responses=_ROWS, response_model=TableRows)
def get_rows(  # noqa: PLR0913, PLR0917  the fields of a query, each by itself in an address
    request: Request,
    store: ReadStudy,
    table: Id,
    columns: Texts = [],  # noqa: B006
    where: Texts = [],  # noqa: B006
    sort: Texts = [],  # noqa: B006
    offset: Annotated[int, Query(ge=0, le=1 << 40)] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
) -> Any:
    """Return rows that meet conditions (`where=area_um2 > 50`), in an order (`sort=-area_um2`), as JSON or Arrow."""
    values = {"columns": columns or None, "where": where, "sort": sort, "offset": offset, "limit": limit}
    return _page(request, store, table, parse_parameters(TableQuery, values, where="query"))


@router.post("/{table}/query", responses=_ROWS, response_model=TableRows)
def query_rows(request: Request, store: ReadStudy, table: Id, body: TableQuery) -> Any:
    """Return rows as `rows` does; for questions too long for an address."""
    return _page(request, store, table, body)


@router.post("/{table}/summary")
def summarise(store: ReadStudy, table: Id, body: SummaryQuery) -> SummaryView:
    """Return how the values of a column are spread: a histogram, mean and median, by groups if wanted."""
    found = summarise_table(_opened(store, _found(store, table)), body)
    groups = tuple(GroupView(**group._asdict()) for group in found.groups)
    return SummaryView(total=found.total, low=found.low, high=found.high, groups=groups)


@router.post("/{table}/values")
def get_values(store: ReadStudy, table: Id, body: ValuesQuery) -> ValuesView:
    """Return a few columns whole, for plots and for colouring objects."""
    total, values = table_values(_opened(store, _found(store, table)), body)
    return ValuesView(total=total, values=values)


@router.post("/{table}/place")
def find_place(store: ReadStudy, table: Id, body: RowKey) -> PlaceView:
    """Return where a row stands among the rows that meet conditions, in an order."""
    return PlaceView(place=place_of_row(_opened(store, _found(store, table)), body))


def _page(request: Request, store: Store, table: str, query: TableQuery) -> Any:
    page = query_table(_opened(store, _found(store, table)), query)
    if ARROW_TYPE in request.headers.get("accept", ""):
        headers = {"X-Cellmetry-Total": str(page.total), "Vary": "Accept"}
        return Response(arrow_bytes(page.frame), media_type=ARROW_TYPE, headers=headers)
    columns = tuple(column_view(column) for column in page.columns)
    return TableRows(total=page.total, offset=query.offset, columns=columns, rows=page.records())


def _found(store: Store, table: str) -> StoredResult:
    found = result(store, table)
    if found.kind != "table":
        raise UnknownName("table", table, (each.name for each in results(store, "table")))
    return found


def _opened(store: Store, found: StoredResult) -> StoredTable:
    return open_table(result_path(store, found))


def _view(store: Store, found: StoredResult) -> TableView:
    table = _opened(store, found)
    return TableView(
        id=found.id,
        name=found.name,
        rows=table.rows,
        columns=tuple(column_view(column) for column in table.columns),
        details=found.details,
        job_id=found.job_id,
    )
