"""`Client`: a Cellmetry server from Python."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cellmetry.client.connection import Connection
from cellmetry.client.study import RemoteStudy
from cellmetry.errors import MissingInput, UnknownName
from cellmetry.io.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

__all__ = ["Client"]

_ADDRESS_FILE = "server.json"


class Client:
    """A server: its studies, and one-shot calls.

    >>> with Client() as client:  # doctest: +SKIP
    ...     study = client.create_study("drug")
    ...     study.upload(["a.tif", "b.tif"])
    ...     study.submit("segment", recipe="nuclei").wait()

    Parameters
    ----------
    url
        Of the server; that of ``CELLMETRY_URL``, or of the server that runs on this computer, if left out.
    token
        Says who asks; that of ``CELLMETRY_TOKEN``, or of the server that runs on this computer, if left out.
    session
        Name of this program among those that edit; a new one if left out.

    Raises
    ------
    MissingInput
        If no server is named and none runs on this computer.
    """

    def __init__(
        self, url: str | None = None, token: str | None = None, *, session: str | None = None, via: str = "python"
    ) -> None:
        url, token = _address(url, token)
        self._connection = Connection(url, token, via=via)
        self._session = session or f"python-{uuid4().hex[:12]}"

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open to the server."""
        self._connection.close()

    def sign_in(self, name: str, password: str) -> dict[str, Any]:
        """Return who asks from now on, on a server with accounts."""
        found: dict[str, Any] = self._connection.send("/session", {"name": name, "password": password})
        return found

    def sign_out(self) -> None:
        """End the session that `sign_in` opened."""
        self._connection.ask("DELETE", "/session", json={})

    def who(self) -> dict[str, Any]:
        """Return who asks."""
        found: dict[str, Any] = self._connection.get("/session")
        return found

    def new_token(self, name: str, *, days: int = 90) -> str:
        """Return a token by which a program may do what you may do, on a server with accounts. It is shown once."""
        return str(self._connection.send("/session/tokens", {"name": name, "days": days})["token"])

    def studies(self) -> list[RemoteStudy]:
        """Return the studies that you may see."""
        return [self._study(said) for said in self._connection.get("/studies")]

    def create_study(self, name: str) -> RemoteStudy:
        """Return a new study."""
        return self._study(self._connection.send("/studies", {"name": name}))

    def study(self, name: str) -> RemoteStudy:
        """Return a study by its id, or by its name where one only has it.

        Raises
        ------
        UnknownName
            If there is none, or several.
        """
        found = [each for each in self.studies() if name in (each.id, each.name)]
        if len(found) != 1:
            kind = "study" if not found else "single study (there are several; give the id)"
            raise UnknownName(kind, name, [each.name for each in self.studies()])
        return found[0]

    def health(self) -> dict[str, Any]:
        """Return that the server lives."""
        found: dict[str, Any] = self._connection.get("/health")
        return found

    def steps(self) -> Any:
        """Return the schemas of the steps of recipes."""
        return self._connection.get("/steps")

    def edit_operations(self) -> Any:
        """Return the schemas of the edits of labels."""
        return self._connection.get("/edit-operations")

    def job_kinds(self) -> Any:
        """Return the schemas of the kinds of jobs."""
        return self._connection.get("/job-kinds")

    def engines(self) -> Any:
        """Return what can find objects."""
        return self._connection.get("/engines")

    def recipes(self) -> Any:
        """Return the recipes that come with Cellmetry."""
        return self._connection.get("/recipes")

    def models(self) -> Any:
        """Return the models that come with Cellmetry or were installed."""
        return self._connection.get("/models")

    def predict(self, images: Iterable[str | Path], to: str | Path, **options: Any) -> Path:
        """Return `to` after the labels of files were written there; nothing is kept on the server.

        One file gives a TIFF (or what ``output`` says: tiff, png, rois, json, overlay), several a ZIP with
        ``results.json``, which says what became of each. Options are those of ``POST /predict``: recipe, engine,
        model, channel, diameter_um, set, ….

        Raises
        ------
        CellmetryError
            If none of the files could be worked; says why the first could not.
        """
        content = self._one_shot("/predict", images, options).content
        with atomic_write(to) as part:
            part.write_bytes(content)
        return Path(to)

    def count(self, images: Iterable[str | Path], **options: Any) -> dict[str, Any]:
        """Return how many cells files show, with intervals, and what became of each file."""
        found: dict[str, Any] = self._one_shot("/count", images, options).json()
        return found

    def _study(self, said: dict[str, Any]) -> RemoteStudy:
        return RemoteStudy(self._connection, said, session=self._session)

    def _one_shot(self, path: str, images: Iterable[str | Path], options: dict[str, Any]) -> Any:
        data = {name: value for name, value in options.items() if value is not None}
        with ExitStack() as stack:
            files = [
                ("files", (Path(image).name, stack.enter_context(Path(image).open("rb")), "application/octet-stream"))
                for image in images
            ]
            return self._connection.ask("POST", path, files=files, data=data, timeout=None)


def _address(url: str | None, token: str | None) -> tuple[str, str | None]:
    """Return where the server is and what lets in there."""
    url = url or os.environ.get("CELLMETRY_URL")
    token = token or os.environ.get("CELLMETRY_TOKEN")
    if url and token:
        return url, token
    home = Path(os.environ.get("CELLMETRY_HOME") or Path.home() / "Cellmetry")
    try:
        said = json.loads((home / _ADDRESS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        if url:
            return url, token
        raise MissingInput(
            f"No server runs on this computer for the folder {home}; start one with `cellmetry serve`, or give url and "
            f"token."
        ) from error
    return (said["url"], token or said["token"]) if url in (None, said["url"]) else (url, token)
