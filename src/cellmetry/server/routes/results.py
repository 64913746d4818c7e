"""Results of a study: exports, reports, figures, comparisons; what they are, and downloads of all."""

from __future__ import annotations

import json
from pathlib import Path as File
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from cellmetry.errors import DamagedFile, MissingInput, UnknownName
from cellmetry.pipeline.jobs.outdated import outdated_comparison
from cellmetry.server.app_words import Told
from cellmetry.server.bodies import ActDone
from cellmetry.server.dependencies import ActorDep, EditStudy, Id, ReadStudy
from cellmetry.server.downloading import DOWNLOADS, download, show_in_frame
from cellmetry.server.wording import ValuesView
from cellmetry.study.store.results import ResultKind, StoredResult, hide_result, result, result_path, results
from cellmetry.study.store.store import Store
from cellmetry.study.tables.query import open_table
from cellmetry.study.tables.summary import ValuesQuery, table_values

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}", tags=["results"])

_COMPARISON: Literal["comparison"] = "comparison"
_RECORD, _REPORT = "comparison.json", "report"
_OF_CELL = ("image", "label", "t", "z", "frame")
_PICTURES = (".png", ".svg", ".pdf")
_MOST_RECORD = 100_000_000
Shown = Annotated[bool, Query(description="Show the HTML in a frame of the web app, without scripts.")]
FileName = Annotated[str, Query(min_length=1, max_length=1000, description="Name of a file, as `files` lists it.")]
Number = Annotated[int, Query(ge=0, le=10_000, description="Which of the values compared, in order.")]


class ResultView(BaseModel):
    """A result: a file, or a folder of files."""

    id: str
    kind: ResultKind
    name: str
    sha256: str
    details: dict[str, Any]
    job_id: str | None
    added_by: int
    removed_by: int | None


class FileView(BaseModel):
    """A file of a result."""

    name: str
    """Its place in the folder of the result."""
    bytes: int


class FigureView(BaseModel):
    """A figure: a result of its own, or a file of a comparison."""

    result: str
    name: str
    file: str
    """What `download?file=` takes; empty where the result itself is the figure."""


@router.get("/results")
def list_results(store: ReadStudy, kind: ResultKind | None = None) -> list[ResultView]:
    """Return the results of a study, of one kind or all, the oldest first."""
    return [_view(each) for each in results(store, kind)]


@router.get("/results/{result_id}")
def get_result(store: ReadStudy, result_id: Id) -> ResultView:
    """Return one result, also one that a newer has taken the place of."""
    return _view(result(store, result_id))


@router.get("/results/{result_id}/files")
def list_files(store: ReadStudy, result_id: Id) -> list[FileView]:
    """Return the files of a result, in order."""
    path = result_path(store, result(store, result_id))
    return [FileView(name=name, bytes=file.stat().st_size) for name, file in _files(path).items()]


@router.get("/results/{result_id}/download", responses=DOWNLOADS, response_class=Response)
def download_result(store: ReadStudy, result_id: Id, file: FileName | None = None) -> Response:
    """Return a result to be saved, or one file of it; a folder comes as a ZIP made while it is sent."""
    found = result(store, result_id)
    path = result_path(store, found)
    if file is not None:
        return _one_file(found, path, file)
    return download(path, _file_name(found, path))


@router.delete("/results/{result_id}")
def remove_result(store: EditStudy, actor: ActorDep, result_id: Id) -> ActDone:
    """Hide a result; undoing the act brings it back."""
    return ActDone(act=hide_result(store, actor, result_id))


@router.get("/comparisons")
def list_comparisons(store: ReadStudy) -> list[ResultView]:
    """Return the comparisons of a study, the oldest first."""
    return [_view(each) for each in results(store, _COMPARISON)]


@router.get("/comparisons/{result_id}")
def get_comparison(store: ReadStudy, result_id: Id) -> dict[str, Any]:
    """Return what a comparison found: groups, estimates with intervals, tests, and what a naive test would claim."""
    path = result_path(store, _comparison(store, result_id)) / _RECORD
    try:
        if path.stat().st_size > _MOST_RECORD:
            raise DamagedFile(f"The record of the comparison {result_id} is too long to be sent; download its folder.")
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingInput(f"The record of the comparison {result_id} is not there any more; compare again.") from error
    except ValueError as error:
        raise DamagedFile(f"The record of the comparison {result_id} is damaged: {error}; compare again.") from error
    return found


@router.get("/comparisons/{result_id}/outdated")
def get_outdated_comparison(store: ReadStudy, result_id: Id) -> list[Told]:
    """Return in what the study has changed since a comparison was made, a sentence each; none if it holds still."""
    return outdated_comparison(store, _comparison(store, result_id))


@router.get("/comparisons/{result_id}/cells")
def get_compared_cells(
    store: ReadStudy, result_id: Id, number: Number = 0, most: Annotated[int, Query(ge=1, le=1_000_000)] = 100_000
) -> ValuesView:
    """Return the rows that a comparison used: condition, replicate and value as it took them, and which cell each is.

    Of more than `most` rows, ones at equal distances are taken.
    """
    asked = get_comparison(store, result_id).get("comparisons", [])
    if number >= len(asked):
        raise UnknownName("value of the comparison called", str(number), map(str, range(len(asked))))
    options = asked[number]["options"]
    known = _files(result_path(store, result(store, result_id)))
    name = f"tables/{options['table']}.parquet"
    if name not in known:
        raise MissingInput(f"The table {options['table']} of the comparison is not there any more; compare again.")
    table = open_table(known[name])
    wanted = {"condition": options["by"], "replicate": options["replicate"], "value": options["value"]}
    wanted |= {key: key for key in _OF_CELL if key in table.names}
    total, values = table_values(table, ValuesQuery(columns=tuple(dict.fromkeys(wanted.values())), most=most))
    return ValuesView(total=total, values={key: values[column] for key, column in wanted.items()})


@router.get("/comparisons/{result_id}/report", responses=DOWNLOADS, response_class=Response)
def get_report(
    store: ReadStudy, result_id: Id, form: Literal["html", "pdf"] = "html", shown: Shown = False
) -> Response:
    """Return the report of a comparison: one HTML file, or PDF; saved, or `shown` in a page of the app."""
    found = _comparison(store, result_id)
    answer = _one_file(found, result_path(store, found), f"{_REPORT}.{form}")
    if shown and form == "html":
        show_in_frame(answer)
    return answer


@router.get("/figures")
def list_figures(store: ReadStudy) -> list[FigureView]:
    """Return all figures of a study: those that are results, and those of its comparisons, in every form."""
    own = [FigureView(result=each.id, name=each.name, file="") for each in results(store, "figure")]
    return own + [
        FigureView(result=each.id, name=f"{each.name}: {PurePosixPath(name).stem}", file=name)
        for each in results(store, _COMPARISON)
        for name in _files(result_path(store, each))
        if name.startswith("figures/") and name.endswith(_PICTURES)
    ]


@router.get("/exports")
def list_exports(store: ReadStudy) -> list[ResultView]:
    """Return the exports of a study, the oldest first."""
    return [_view(each) for each in results(store, "export")]


def _comparison(store: Store, result_id: str) -> StoredResult:
    found = result(store, result_id)
    if found.kind != _COMPARISON:
        raise UnknownName("comparison", result_id, (each.id for each in results(store, _COMPARISON)))
    return found


def _one_file(found: StoredResult, path: File, name: str) -> Response:
    """Return one file of a result; only a name that is in its list leads to a file."""
    known = _files(path)
    if name not in known:
        raise UnknownName(f"file of {found.name} called", name, list(known)[:20])
    return download(known[name], f"{found.name} {PurePosixPath(name).name}")


def _files(path: File) -> dict[str, File]:
    """Return the files of a result by their places in it, in order; links are left out."""
    if not path.is_dir():
        return {path.name: path} if path.is_file() else {}
    inside = sorted(each for each in path.rglob("*") if each.is_file() and not each.is_symlink())
    return {each.relative_to(path).as_posix(): each for each in inside}


def _file_name(found: StoredResult, path: File) -> str:
    """Return what a download is called: the name of the result, with the suffix of its file."""
    has_suffix = path.is_dir() or found.name.lower().endswith(path.suffix.lower())
    return found.name if has_suffix else f"{found.name}{path.suffix}"


def _view(found: StoredResult) -> ResultView:
    return ResultView(**{name: getattr(found, name) for name in ResultView.model_fields})
