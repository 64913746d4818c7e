"""`RemoteStudy`: a study on a server, by the same verbs as in the browser."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cellmetry.client.arrow import ARROW_TYPE, frame_of_arrow
from cellmetry.client.jobs import RemoteJob
from cellmetry.client.pixels import Window, read_tiles
from cellmetry.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cellmetry.client.connection import Connection

__all__ = ["RemoteStudy"]

_PAGE = 1000
_ROWS = 10_000
_BESIDE = {"pixel_size_um", "pixel_size_z_um", "channel_names"}


class RemoteStudy:
    """A study. What it returns are the dictionaries that the API's document describes, unless said otherwise.

    Parameters
    ----------
    said
        What the server said of it last, as ``GET /studies/{study}`` answers.
    session
        Name of this program among those that edit: undo goes by it.
    """

    def __init__(self, connection: Connection, said: dict[str, Any], *, session: str) -> None:
        self._connection, self.said, self.session = connection, said, session

    def __repr__(self) -> str:
        return f"<study {self.name!r} ({self.id}) at {self._connection.url}>"

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.said["id"])

    @property
    def name(self) -> str:
        """What people call it."""
        return str(self.said["name"])

    def refresh(self) -> RemoteStudy:
        """Ask the server how it stands; return the study itself."""
        self.said = self._connection.get(self._path())
        return self

    def say(self, *, name: str | None = None, notes: str | None = None) -> RemoteStudy:
        """Name the study, or write notes to it; return the study itself."""
        body = {key: value for key, value in {"name": name, "notes": notes}.items() if value is not None}
        self.said = self._connection.send(self._path(), body, method="PATCH")
        return self

    # Images

    def upload(self, paths: Iterable[str | Path], **reading: Any) -> list[dict[str, Any]]:
        """Return the images that files of this computer became; `reading` says what the files do not.

        All of them become images, or none.
        """
        with ExitStack() as stack:
            files = [
                ("files", (Path(path).name, stack.enter_context(Path(path).open("rb")), "application/octet-stream"))
                for path in paths
            ]
            answer = self._connection.ask(
                "POST", self._path("/images"), files=files, data={"reading": json.dumps(reading)}, timeout=None
            )
        found: list[dict[str, Any]] = answer.json()
        return found

    def register(self, paths: Iterable[str | Path], **reading: Any) -> list[dict[str, Any]]:
        """Return the images that files and folders of the server's computer became, by reference."""
        body = {"paths": [str(path) for path in paths], "reading": reading}
        found: list[dict[str, Any]] = self._connection.send(self._path("/images/register"), body)
        return found

    def images(self, *, state: str | None = None) -> list[dict[str, Any]]:
        """Return all images."""
        return self._all("/images", state=state)

    def image(self, image: str) -> dict[str, Any]:
        """Return one image by its id."""
        found: dict[str, Any] = self._connection.get(self._path(f"/images/{image}"))
        return found

    def say_of_images(self, images: Sequence[str], **values: Any) -> int:
        """Return the act by which something is said of images: ``condition="control", replicate="1"``."""
        own: dict[str, Any] = {
            name: values.pop(name) for name in ("pixel_size_um", "pixel_size_z_um", "channel_names") if name in values
        }
        body: dict[str, Any] = {"images": list(images), "values": values, **own}
        return int(self._connection.send(self._path("/images"), body, method="PATCH")["act"])

    def remove_images(self, images: Sequence[str]) -> int:
        """Return the act that hid images; undoing it brings them back."""
        return int(self._connection.send(self._path("/images/remove"), {"images": list(images)})["act"])

    def originals(self, image: str) -> list[dict[str, Any]]:
        """Return the files of an image, and whether they are there."""
        found: list[dict[str, Any]] = self._connection.get(self._path(f"/images/{image}/originals"))
        return found

    def download_original(self, image: str, file: str, to: str | Path) -> Path:
        """Return `to` after an original was written there."""
        return self._connection.download(self._path(f"/images/{image}/originals/{file}"), Path(to))

    def relink(self, folder: str | Path) -> list[str]:
        """Return the ids of missing originals that were found in a folder of the server's computer."""
        found: list[str] = self._connection.send(self._path("/originals/relink"), {"path": str(folder)})
        return found

    def pixels(
        self, image: str, *, channel: int = 0, t: int = 0, z: int = 0, level: int = 0, window: Window | None = None
    ) -> NDArray[Any]:
        """Return pixels of one channel of a plane, shape (Y, X), as they are in the file."""
        path = self._path(f"/images/{image}/tiles")
        return read_tiles(self._connection, path, (t, channel, z), level=level, window=window)

    # Labels and edits

    def label_images(self, image: str | None = None) -> list[dict[str, Any]]:
        """Return the label images, of one image or of all."""
        return self._all("/labels", image=image)

    def labels(
        self, labels: str, *, version: int | None = None, t: int = 0, z: int = 0, window: Window | None = None
    ) -> NDArray[np.uint32]:
        """Return the ids of a plane of a label image, shape (Y, X), now or as they were at a version."""
        path = self._path(f"/labels/{labels}/tiles")
        query = {} if version is None else {"version": version}
        return read_tiles(self._connection, path, (t, z), level=0, window=window, **query)

    def objects(self, labels: str, *, t: int = 0, z: int = 0) -> pd.DataFrame:
        """Return where the objects of a plane are: id, box (end outside) and area in pixels."""
        found: list[dict[str, Any]] = []
        while page := self._connection.get(
            self._path(f"/labels/{labels}/objects"), t=t, z=z, after=found[-1]["id"] if found else 0, limit=_PAGE
        ):
            found += page
        return pd.DataFrame(found, columns=["id", "t", "z", "y0", "y1", "x0", "x1", "area_px"])

    def edit(
        self, labels: str, operation: str, *, base_version: int | None = None, **parameters: Any
    ) -> dict[str, Any]:
        """Return what an edit changed; it is on the server's disk then.

        Raises
        ------
        EditConflict
            If somebody else changed the same place since `base_version`.
        """
        body = {"operation": operation, "parameters": parameters, "session": self.session, "base_version": base_version}
        found: dict[str, Any] = self._connection.send(self._path(f"/labels/{labels}/edits"), body)
        return found

    def undo(self, labels: str) -> dict[str, Any]:
        """Return what changed by taking back the last edit that this program made."""
        return self._labels_verb(labels, "undo")

    def redo(self, labels: str) -> dict[str, Any]:
        """Return what changed by doing again what this program took back last."""
        return self._labels_verb(labels, "redo")

    def edits(self, labels: str, *, before: int | None = None) -> list[dict[str, Any]]:
        """Return the last 1,000 lines of the log of a label image, newest first; older ones with `before`."""
        path = self._path(f"/labels/{labels}/edits")
        found: list[dict[str, Any]] = self._connection.get(path, before=before, limit=_PAGE)
        return found

    def restore(self, labels: str, version: int) -> dict[str, Any]:
        """Return what changed by bringing back an older version; that can be undone."""
        found: dict[str, Any] = self._connection.send(self._path(f"/labels/{labels}/versions/{version}/restore"))
        return found

    def remove_labels(self, labels: str) -> int:
        """Return the act that hid a label image; undoing it brings it back."""
        return int(self._connection.send(self._path(f"/labels/{labels}"), method="DELETE")["act"])

    # Jobs

    def submit(self, kind: str, **parameters: Any) -> RemoteJob:
        """Return a new job in the study's queue: segment, measure, count, compare, train, evaluate, export, ….

        ``Client.job_kinds()`` tells the parameters of each.
        """
        said = self._connection.send(self._path("/jobs"), {"kind": kind, "parameters": parameters})
        return RemoteJob(self._connection, self.id, said)

    def job(self, job: str) -> RemoteJob:
        """Return a job by its id."""
        return RemoteJob(self._connection, self.id, self._connection.get(self._path(f"/jobs/{job}")))

    def jobs(self, *, state: str | None = None) -> list[RemoteJob]:
        """Return all jobs, or those in one state, the oldest first."""
        found: list[dict[str, Any]] = []
        while page := self._connection.get(
            self._path("/jobs"), state=state, after=found[-1]["seq"] if found else 0, limit=_PAGE
        ):
            found += page
        return [RemoteJob(self._connection, self.id, said) for said in found]

    # What came of them

    def tables(self) -> list[dict[str, Any]]:
        """Return the tables with what their columns mean."""
        found: list[dict[str, Any]] = self._connection.get(self._path("/tables"))
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
        path, pages, offset = self._path(f"/tables/{self._table_id(table)}/query"), list[pd.DataFrame](), 0
        while True:
            body = {"where": list(where), "sort": list(sort), "offset": offset, "limit": _ROWS}
            if columns is not None:
                body["columns"] = list(columns)
            answer = self._connection.ask("POST", path, json=body, headers={"Accept": ARROW_TYPE})
            pages.append(frame_of_arrow(answer.content))
            offset += len(pages[-1])
            if not len(pages[-1]) or offset >= int(answer.headers["X-Cellmetry-Total"]):
                break
        filled = [page for page in pages if len(page)] or pages[:1]
        return filled[0] if len(filled) == 1 else pd.concat(filled, ignore_index=True)

    def comparisons(self) -> list[dict[str, Any]]:
        """Return the comparisons, the oldest first."""
        found: list[dict[str, Any]] = self._connection.get(self._path("/comparisons"))
        return found

    def comparison(self, comparison: str) -> dict[str, Any]:
        """Return what a comparison found: groups, estimates with intervals, tests."""
        found: dict[str, Any] = self._connection.get(self._path(f"/comparisons/{comparison}"))
        return found

    def download_report(self, comparison: str, to: str | Path, *, form: str = "html") -> Path:
        """Return `to` after the report of a comparison was written there, as html or pdf."""
        return self._connection.download(self._path(f"/comparisons/{comparison}/report"), Path(to), form=form)

    def figures(self) -> list[dict[str, Any]]:
        """Return the figures: which result each belongs to, and its file there."""
        found: list[dict[str, Any]] = self._connection.get(self._path("/figures"))
        return found

    def results(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the results of one kind (table, comparison, export, …) or all, the oldest first."""
        found: list[dict[str, Any]] = self._connection.get(self._path("/results"), kind=kind)
        return found

    def files(self, result: str) -> list[dict[str, Any]]:
        """Return the files of a result."""
        found: list[dict[str, Any]] = self._connection.get(self._path(f"/results/{result}/files"))
        return found

    def download(self, result: str, to: str | Path, *, file: str | None = None) -> Path:
        """Return `to` after a result, or one file of it, was written there; a folder comes as a ZIP."""
        return self._connection.download(self._path(f"/results/{result}/download"), Path(to), file=file)

    def remove_result(self, result: str) -> int:
        """Return the act that hid a result; undoing it brings it back."""
        return int(self._connection.send(self._path(f"/results/{result}"), method="DELETE")["act"])

    # Recipes and models

    def recipes(self) -> list[dict[str, Any]]:
        """Return the recipes that the study keeps."""
        found: list[dict[str, Any]] = self._connection.get(self._path("/recipes"))
        return found

    def add_recipe(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a recipe that the study keeps from now on."""
        found: dict[str, Any] = self._connection.send(self._path("/recipes"), dict(body))
        return found

    def models(self) -> list[dict[str, Any]]:
        """Return the models of the study with their cards."""
        found: list[dict[str, Any]] = self._connection.get(self._path("/models"))
        return found

    def activate_model(self, model: str | None) -> int:
        """Return the act by which a model is taken where none is named; None for the one that comes with Cellmetry."""
        return int(self._connection.send(self._path("/models/active"), {"model": model}, method="PUT")["act"])

    def roll_back_model(self) -> int:
        """Return the act by which the model that was active before is active again."""
        return int(self._connection.send(self._path("/models/rollback"))["act"])

    # History

    def history(self, *, before: int | None = None) -> list[dict[str, Any]]:
        """Return the last 1,000 acts of the study, newest first; older ones with `before`."""
        found: list[dict[str, Any]] = self._connection.get(self._path("/acts"), before=before, limit=_PAGE)
        return found

    def undo_act(self, act: int) -> dict[str, Any]:
        """Return the act that took another back."""
        found: dict[str, Any] = self._connection.send(self._path(f"/acts/{act}/undo"))
        return found

    def redo_act(self, act: int) -> dict[str, Any]:
        """Return the act that did another again."""
        found: dict[str, Any] = self._connection.send(self._path(f"/acts/{act}/redo"))
        return found

    def _path(self, below: str = "") -> str:
        return f"/studies/{self.id}{below}"

    def _all(self, below: str, **query: Any) -> list[dict[str, Any]]:
        """Return the whole list of a resource that is paged by the id of its last."""
        found: list[dict[str, Any]] = []
        while page := self._connection.get(
            self._path(below), after=found[-1]["id"] if found else None, limit=_PAGE, **query
        ):
            found += page
        return found

    def _labels_verb(self, labels: str, verb: str) -> dict[str, Any]:
        found: dict[str, Any] = self._connection.send(self._path(f"/labels/{labels}/{verb}"), {"session": self.session})
        return found

    def _table_id(self, table: str) -> str:
        if table.startswith("res_"):
            return table
        named = {each["name"]: str(each["id"]) for each in self.tables()}
        if table not in named:
            raise UnknownName("table", table, named)
        return named[table]
