"""`Client`: a Cellmetry server from Python."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cellmetry.client.connection import Connection
from cellmetry.client.part import PAGE
from cellmetry.client.sending import open_files
from cellmetry.client.study import RemoteStudy
from cellmetry.core.progress import SILENT
from cellmetry.errors import InputError, MissingInput, UnknownName
from cellmetry.io.atomic import atomic_write
from cellmetry.study.home import ADDRESS_FILE, default_home

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    import httpx

    from cellmetry.core.progress import Progress

__all__ = ["Client"]


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
    via
        What the history of a study says that acts came by.
    transport
        What carries requests; connections over the network if left out.

    Raises
    ------
    MissingInput
        If no server is named and none runs on this computer.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        session: str | None = None,
        via: str = "python",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        url, token = _address(url, token)
        self._connection = Connection(url, token, via=via, transport=transport)
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
        self._connection.send("/session", method="DELETE")

    def who(self) -> dict[str, Any]:
        """Return who asks."""
        found: dict[str, Any] = self._connection.get("/session")
        return found

    def new_link(self) -> str:
        """Return an address that lets a browser of yours in, once, on a server of mode laptop."""
        return str(self._connection.send("/session/link")["url"])

    def new_token(self, name: str, *, days: int = 90) -> str:
        """Return a token by which a program may do what you may do, on a server with accounts. It is shown once."""
        return str(self._connection.send("/session/tokens", {"name": name, "days": days})["token"])

    def tokens(self) -> list[dict[str, Any]]:
        """Return your tokens without their secrets."""
        found: list[dict[str, Any]] = self._connection.get("/session/tokens")
        return found

    def end_token(self, token: str) -> None:
        """Let nobody in by a token, named by its id, any more."""
        self._connection.send(f"/session/tokens/{token}", method="DELETE")

    def studies(self) -> list[RemoteStudy]:
        """Return the studies that you may see and that are open."""
        found: list[RemoteStudy] = []
        while True:
            page = self._connection.get("/studies", after=found[-1].id if found else None, limit=PAGE)
            there = [self._study(said) for said in page if said["id"]]
            found += there
            if len(there) < PAGE:
                return found

    def refused_studies(self) -> dict[str, str]:
        """Return why studies cannot be opened, by the names of their folders; who may see all studies is told."""
        return {said["name"]: said["refused"] for said in self._connection.get("/studies") if not said["id"]}

    def create_study(self, name: str) -> RemoteStudy:
        """Return a new study."""
        return self._study(self._connection.send("/studies", {"name": name}))

    def create_sample(self) -> RemoteStudy:
        """Return a new study of generated images to try things: two conditions, three replicates."""
        return self._study(self._connection.send("/studies/sample"))

    def study(self, name: str) -> RemoteStudy:
        """Return a study by its id, or by its name where one only has it.

        Raises
        ------
        UnknownName
            If there is none, or several.
        InputError
            If it cannot be opened; says why.
        """
        found = [each for each in self.studies() if name in (each.id, each.name)]
        refused = {} if found else self.refused_studies()
        if name in refused:
            raise InputError(refused[name])
        if len(found) != 1:
            kind = "study" if not found else "single study (there are several; give the id)"
            raise UnknownName(kind, name, [each.name for each in self.studies()])
        return found[0]

    def health(self) -> dict[str, Any]:
        """Return that the server lives."""
        found: dict[str, Any] = self._connection.get("/health")
        return found

    def steps(self) -> list[dict[str, Any]]:
        """Return the steps of recipes, with the schemas of their parameters."""
        return self._list("/steps")

    def edit_operations(self) -> list[dict[str, Any]]:
        """Return the edits of labels, with the schemas of their parameters."""
        return self._list("/edit-operations")

    def job_kinds(self) -> list[dict[str, Any]]:
        """Return the kinds of jobs, with the schemas of their parameters."""
        return self._list("/job-kinds")

    def formats(self) -> list[dict[str, Any]]:
        """Return the formats of other programs into which labels are exported, with their options."""
        return self._list("/formats")

    def examples(self) -> list[dict[str, Any]]:
        """Return pictures to try counting on, some with their true counts."""
        return self._list("/examples")

    def engines(self) -> list[dict[str, Any]]:
        """Return what can find objects."""
        return self._list("/engines")

    def recipes(self) -> list[dict[str, Any]]:
        """Return the recipes that come with Cellmetry."""
        return self._list("/recipes")

    def check_recipe(
        self, recipe: str | None = None, *, text: str | None = None, changes: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return a recipe, a shipped one or given as TOML, with changes (``segment.diameter_um=12``), if it is right.

        Raises
        ------
        ParameterError
            If it is wrong; names the nearest right word.
        """
        body = {"recipe": recipe, "text": text, "set": list(changes)}
        found: dict[str, Any] = self._connection.send("/recipes/check", body)
        return found

    def models(self) -> list[dict[str, Any]]:
        """Return the models that come with Cellmetry or were installed."""
        return self._list("/models")

    def predict(
        self, images: Iterable[str | Path], to: str | Path, *, progress: Progress = SILENT, **options: Any
    ) -> Path:
        """Return `to` after the labels of files were written there; nothing is kept on the server.

        One file gives a TIFF (or what ``output`` says: tiff, png, rois, json, overlay), several a ZIP with
        ``results.json``, which says what became of each. Options are those of ``POST /predict``: recipe, engine,
        model, channel, diameter_um, set, ….

        Raises
        ------
        CellmetryError
            If none of the files could be worked; says why the first could not.
        """
        content = self._one_shot("/predict", images, options, progress).content
        with atomic_write(to) as part:
            part.write_bytes(content)
        return Path(to)

    def count(self, images: Iterable[str | Path], *, progress: Progress = SILENT, **options: Any) -> dict[str, Any]:
        """Return how many cells files show, with intervals, and what became of each file."""
        found: dict[str, Any] = self._one_shot("/count", images, options, progress).json()
        return found

    def _list(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._connection.get(path)
        return found

    def _study(self, said: dict[str, Any]) -> RemoteStudy:
        return RemoteStudy(self._connection, said, session=self._session)

    def _one_shot(self, path: str, images: Iterable[str | Path], options: dict[str, Any], progress: Progress) -> Any:
        data = {name: value for name, value in options.items() if value is not None}
        with open_files("files", images, progress) as files:
            return self._connection.ask("POST", path, files=files, data=data, timeout=None)


def _address(url: str | None, token: str | None) -> tuple[str, str | None]:
    """Return where the server is and what lets in there; a token that was found goes to its own server only."""
    url = url or os.environ.get("CELLMETRY_URL")
    token = token or os.environ.get("CELLMETRY_TOKEN")
    if url and token:
        return url, token
    home = default_home()
    try:
        said = json.loads((home / ADDRESS_FILE).read_text(encoding="utf-8"))
        found, secret = str(said["url"]), str(said["token"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        if url:
            return url, token
        raise MissingInput(
            f"No server runs on this computer for the folder {home}; start one with `cellmetry serve`, or give url and "
            f"token."
        ) from error
    if url is not None and url.rstrip("/") != found.rstrip("/"):
        return url, token
    return found, token or secret
