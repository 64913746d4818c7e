"""Jobs of a study on a server: ask for work of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellmetry.client.jobs import ENDED, RemoteJob
from cellmetry.client.results import ResultVerbs
from cellmetry.client.sending import open_files
from cellmetry.core.progress import SILENT

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.core.progress import Progress

__all__ = ["JobVerbs"]


class JobVerbs(ResultVerbs):
    """What may be asked to be worked. Parameters are those that ``Client.job_kinds()`` tells of each kind."""

    def submit(self, kind: str, **parameters: Any) -> RemoteJob:
        """Return a new job in the study's queue: segment, measure, count, compare, train, evaluate, export, …."""
        said = self._send("/jobs", {"kind": kind, "parameters": parameters})
        return RemoteJob(self._connection, self.id, said)

    def job(self, job: str) -> RemoteJob:
        """Return a job by its id."""
        return RemoteJob(self._connection, self.id, self._get(f"/jobs/{job}"))

    def jobs(self, *, state: str | None = None) -> list[RemoteJob]:
        """Return all jobs, or those in one state, the oldest first."""
        found = self._all("/jobs", by="seq", state=state)
        return [RemoteJob(self._connection, self.id, said) for said in found]

    def wait_read(self, progress: Progress = SILENT) -> None:
        """Wait until the images that were added are read, or it is known why they cannot be."""
        for job in self.jobs():
            if job.said["kind"] == "read" and job.state not in ENDED:
                job.wait(progress)

    def segment(self, recipe: str | None = None, **parameters: Any) -> RemoteJob:
        """Return a job that applies a recipe to images; their labels become label images of the study."""
        return self.submit("segment", **({} if recipe is None else {"recipe": recipe}), **parameters)

    def measure(self, labels: str = "cells", **parameters: Any) -> RemoteJob:
        """Return a job that measures the objects of labels, as they are edited now, into one table."""
        return self.submit("measure", labels=labels, **parameters)

    def quantify(self, target: str, reference: str | None = None, **parameters: Any) -> RemoteJob:
        """Return a job that measures a target channel, and its ratio to a reference, in masks and rings of cells.

        ``plan`` says how, as the options of `cellmetry quantify` do.
        """
        return self.submit("quantify", target=target, reference=reference, **parameters)

    def count(self, **parameters: Any) -> RemoteJob:
        """Return a job that counts cells of the study's images; ``Client.count`` counts files."""
        return self.submit("count", **parameters)

    def compare(self, table: str = "cells", **parameters: Any) -> RemoteJob:
        """Return a job that compares conditions by a table, named by its id or its name.

        ``settings`` says what is compared and how, as the settings of `cellmetry compare` do.
        """
        return self.submit("compare", table=self.table_id(table), **parameters)

    def train(self, **parameters: Any) -> RemoteJob:
        """Return a job that trains a model on images whose labels were corrected."""
        return self.submit("train", **parameters)

    def evaluate(self, **parameters: Any) -> RemoteJob:
        """Return a job that compares a model's labels with corrected ones."""
        return self.submit("evaluate", **parameters)

    def export(self, *forms: str, tables: tuple[str, ...] = (), **parameters: Any) -> RemoteJob:
        """Return a job that writes labels in formats of other programs, and tables (by id or name), into one ZIP."""
        named = [{"form": form} for form in forms]
        ids = [self.table_id(table) for table in tables]
        return self.submit("export", forms=named, tables=ids, **parameters)

    def rebase(self, **parameters: Any) -> RemoteJob:
        """Return a job that puts corrections onto new labels; what it cannot decide it asks (`questions`)."""
        return self.submit("rebase", **parameters)

    def relabel(self, image: str, *, previous: str | None = None, **parameters: Any) -> RemoteJob:
        """Return a job that gives cells of an image the ids of the earlier labels that they overlap.

        ``previous`` are labels of the study; ``upload`` is a label image instead (`upload_file`).
        """
        return self.submit("relabel", image=image, previous=previous, **parameters)

    def review(self, labels: str = "cells", **parameters: Any) -> RemoteJob:
        """Return a job that finds what is doubtful in labels, for `correction_queue`."""
        return self.submit("review", labels=labels, **parameters)

    def upload_file(self, path: str | Path, *, progress: Progress = SILENT) -> str:
        """Return the id by which a job may read a file of this computer that is no image."""
        with open_files("file", [path], progress) as files:
            answer = self._connection.ask("POST", self._path("/uploads"), files=files, timeout=None)
        return str(answer.json()["id"])

    def import_labels(self, path: str | Path, image: str, **parameters: Any) -> RemoteJob:
        """Return a job that makes labels of an image from a file: a label image, ROIs of Fiji, GeoJSON, COCO, …."""
        return self.submit("import", upload=self.upload_file(path), image=image, **parameters)
