"""One file of a one-shot request: what is to be done with it, and what became of each image in it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

__all__ = ["FileTask", "ImageAnswer", "Verb", "failed"]

Verb = Literal["predict", "count", "preview", "preview count", "masks", "propose", "warm"]


@dataclass(frozen=True)
class FileTask:
    """A file and what is to be done with it; it travels to a worker as JSON.

    Parameters
    ----------
    request
        Fields of the request.
    path
        Where the file lies.
    name
        As its sender calls it.
    out
        Folder for what is made of it.
    """

    verb: Verb
    request: dict[str, Any]
    path: str
    name: str
    out: str


@dataclass(frozen=True)
class ImageAnswer:
    """What became of one image.

    Parameters
    ----------
    file
        Name of its file, as the sender calls it.
    image
        Name of the image: that of the file without its suffix, and the scene where there are several.
    status
        ``done`` or ``failed``.
    reason, kind, http_status
        Why it failed: a sentence, the name of the error's class, and the status that says so.
    n_objects, labels_sha256
        Of each label image, by its name.
    output
        File that was made, by its path; empty if there is none.
    counts
        Rows of the table of counts, of a request to count.
    """

    file: str
    image: str
    status: Literal["done", "failed"] = "done"
    reason: str = ""
    kind: str = ""
    http_status: int = 200
    warnings: tuple[str, ...] = ()
    axes: str = ""
    channels: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    pixel_size_um: tuple[float | None, ...] = (None, None, None)
    n_objects: dict[str, int] = field(default_factory=dict)
    labels_sha256: dict[str, str] = field(default_factory=dict)
    output: str = ""
    counts: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, values: dict[str, Any]) -> ImageAnswer:
        """Return the answer that travelled as JSON."""
        known: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**known)

    def row(self) -> dict[str, Any]:
        """Return what is told of the image, as JSON values."""
        told = asdict(self)
        del told["output"]
        if not self.counts:
            del told["counts"]
        return told


def failed(task: FileTask, reason: str, kind: str, status: int, *, image: str = "") -> ImageAnswer:
    """Return the answer for an image that failed."""
    return ImageAnswer(task.name, image or task.name, "failed", reason, kind, status)
