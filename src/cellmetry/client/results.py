"""Tables, comparisons, figures and other results of a study on a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cellmetry.client.arrow import ARROW_TYPE, frame_of_arrow
from cellmetry.client.part import StudyPart
from cellmetry.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ResultVerbs"]

_ROWS = 10_000


class ResultVerbs(StudyPart):
    """What may be done with what jobs made."""

    def tables(self) -> list[dict[str, Any]]:
        """Return the tables with what their columns mean."""
        found: list[dict[str, Any]] = self._get("/tables")
        return found

    def table_id(self, table: str) -> str:
        """Return the id of a table that is named by its id or its name.

        Raises
        ------
        UnknownName
            If there is none.
        """
        if table.startswith("res_"):
            return table
        named = {each["name"]: str(each["id"]) for each in self.tables()}
        if table not in named:
            raise UnknownName("table", table, named)
        return named[table]

    def describe_table(self, table: str) -> dict[str, Any]:
        """Return how many rows a table has and what its columns mean; a table that a newer replaced, too."""
        found: dict[str, Any] = self._get(f"/tables/{self.table_id(table)}")
        return found

    def table(
        self, table: str, *, columns: Sequence[str] | None = None, where: Sequence[str] = (), sort: Sequence[str] = ()
    ) -> pd.DataFrame:
        """Return a table by its id or name, read page by page.

        Parameters
        ----------
        where
            Conditions that a row must meet, as in ``area_um2 > 50``.
        sort
            Columns, the first first; ``-area_um2`` from large to small.
        """
        path, pages, offset = self._path(f"/tables/{self.table_id(table)}/query"), list[pd.DataFrame](), 0
        where, sort = ([each] if isinstance(each, str) else list(each) for each in (where, sort))
        while True:
            body = {"where": where, "sort": sort, "offset": offset, "limit": _ROWS}
            if columns is not None:
                body["columns"] = list(columns)
            answer = self._connection.ask("POST", path, json=body, headers={"Accept": ARROW_TYPE})
            pages.append(frame_of_arrow(answer.content))
            offset += len(pages[-1])
            if not len(pages[-1]) or offset >= int(answer.headers["X-Cellmetry-Total"]):
                break
        filled = [page for page in pages if len(page)] or pages[:1]
        return filled[0] if len(filled) == 1 else pd.concat(filled, ignore_index=True)

    def table_summary(self, table: str, column: str, **asked: Any) -> dict[str, Any]:
        """Return how the values of a column are spread; `asked` are `where`, `by`, `bins`, `low` and `high`."""
        body = {"column": column, **asked}
        found: dict[str, Any] = self._send(f"/tables/{self.table_id(table)}/summary", body)
        return found

    def table_values(
        self, table: str, columns: Sequence[str], *, where: Sequence[str] = (), most: int = 100_000
    ) -> dict[str, list[Any]]:
        """Return a few columns whole, each as a list; of more than `most` rows, ones at equal distances."""
        body = {"columns": list(columns), "where": list(where), "most": most}
        found: dict[str, list[Any]] = self._send(f"/tables/{self.table_id(table)}/values", body)["values"]
        return found

    def place_in_table(
        self, table: str, key: dict[str, Any], *, where: Sequence[str] = (), sort: Sequence[str] = ()
    ) -> int | None:
        """Return where the row of a key (``{"image": "a", "label": 7}``) stands; None if it does not meet `where`."""
        body = {"key": key, "where": list(where), "sort": list(sort)}
        place: int | None = self._send(f"/tables/{self.table_id(table)}/place", body)["place"]
        return place

    def outdated_table(self, table: str) -> list[str]:
        """Return in what the study has changed since a table was made, a sentence each."""
        found: list[str] = self._get(f"/tables/{self.table_id(table)}/outdated")
        return found

    def check_design(self, control: str | None = None) -> list[dict[str, Any]]:
        """Return what is wrong or doubtful with conditions and replicates as they are said, errors first."""
        found: list[dict[str, Any]] = self._get("/design/check", control=control)
        return found

    def comparisons(self) -> list[dict[str, Any]]:
        """Return the comparisons, the oldest first."""
        found: list[dict[str, Any]] = self._get("/comparisons")
        return found

    def comparison(self, comparison: str) -> dict[str, Any]:
        """Return what a comparison found: groups, estimates with intervals, tests."""
        found: dict[str, Any] = self._get(f"/comparisons/{comparison}")
        return found

    def outdated_comparison(self, comparison: str) -> list[str]:
        """Return in what the study has changed since a comparison was made, a sentence each."""
        found: list[str] = self._get(f"/comparisons/{comparison}/outdated")
        return found

    def compared_cells(self, comparison: str, number: int = 0, *, most: int = 100_000) -> dict[str, list[Any]]:
        """Return the rows that a comparison used for one of its values, as lists: condition, replicate, value, cell."""
        path = f"/comparisons/{comparison}/cells"
        found: dict[str, list[Any]] = self._get(path, number=number, most=most)["values"]
        return found

    def download_report(self, comparison: str, to: str | Path, *, form: str = "html") -> Path:
        """Return `to` after the report of a comparison was written there, as html or pdf."""
        return self._connection.download(self._path(f"/comparisons/{comparison}/report"), Path(to), form=form)

    def figures(self) -> list[dict[str, Any]]:
        """Return the figures: which result each belongs to, and its file there."""
        found: list[dict[str, Any]] = self._get("/figures")
        return found

    def exports(self) -> list[dict[str, Any]]:
        """Return the exports, the oldest first."""
        found: list[dict[str, Any]] = self._get("/exports")
        return found

    def results(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the results of one kind (table, comparison, export, …) or all, the oldest first."""
        found: list[dict[str, Any]] = self._get("/results", kind=kind)
        return found

    def result(self, result: str) -> dict[str, Any]:
        """Return one result by its id, also one that a newer has taken the place of."""
        found: dict[str, Any] = self._get(f"/results/{result}")
        return found

    def files(self, result: str) -> list[dict[str, Any]]:
        """Return the files of a result."""
        found: list[dict[str, Any]] = self._get(f"/results/{result}/files")
        return found

    def download(self, result: str, to: str | Path, *, file: str | None = None) -> Path:
        """Return `to` after a result, or one file of it, was written there; a folder comes as a ZIP."""
        return self._connection.download(self._path(f"/results/{result}/download"), Path(to), file=file)

    def remove_result(self, result: str) -> int:
        """Return the act that hid a result; undoing it brings it back."""
        return self._act(f"/results/{result}", method="DELETE")
