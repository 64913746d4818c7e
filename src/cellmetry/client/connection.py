"""`Connection`: requests to a Cellmetry server; its errors are raised as the classes that the server raised."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from cellmetry import errors
from cellmetry.errors import CellmetryError, EditConflict, NotAllowed, OutputError
from cellmetry.io.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["API", "Connection", "ServerError", "raise_for"]

API = "/api/v1"
_TRIES = 3
_WAIT_S = 0.5
_LONGEST_WAIT_S = 10.0
_BY_STATUS = {401: NotAllowed, 403: NotAllowed, 404: errors.MissingInput, 507: OutputError}


class ServerError(CellmetryError):
    """The server failed, cannot be reached, or answered what is no answer of Cellmetry's."""

    exit_code = 1
    http_status = 502


class Connection:
    """Requests to one server.

    Parameters
    ----------
    url
        Of the server, with the path below which a proxy shows it, as in ``http://127.0.0.1:8765``.
    token
        Says who asks; None where the server lets anybody in.
    via
        What acts in the history of a study say they came by.
    timeout_s
        How long an answer may take; uploads and downloads go on as long as bytes flow.
    transport
        What carries requests; connections over the network if left out.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        via: str = "python",
        timeout_s: float = 120.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        headers = {"X-Cellmetry": "1", "X-Cellmetry-Via": via}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.Client(
            base_url=self.url, headers=headers, timeout=timeout_s, trust_env=False, transport=transport
        )

    def close(self) -> None:
        """Close what is open to the server."""
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a resource below ``/api/v1``."""
        return self.ask("GET", path, params=_stated(query)).json()

    def send(self, path: str, body: Any = None, *, method: str = "POST", **query: Any) -> Any:
        """Return the JSON that a change answers, None where it answers nothing."""
        answer = self.ask(method, path, json={} if body is None else body, params=_stated(query))
        return answer.json() if answer.content else None

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Return an answer; questions that change nothing are asked again when the connection breaks.

        Raises
        ------
        CellmetryError
            The class and the words that the server said.
        ServerError
            If it cannot be reached or failed.
        """
        tries = _TRIES if method == "GET" else 1
        for left in reversed(range(tries)):
            try:
                answer = self._http.request(method, API + path, **more)
            except httpx.HTTPError as error:
                if left:
                    time.sleep(_WAIT_S)
                    continue
                raise self._unreached(error) from error
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and left:
                time.sleep(_retry_after(answer))
                continue
            break
        raise_for(answer)
        return answer

    @contextmanager
    def stream(self, method: str, path: str, **more: Any) -> Iterator[httpx.Response]:
        """Yield an answer whose body is read bit by bit."""
        try:
            with self._http.stream(method, API + path, **more) as answer:
                if answer.is_error:
                    answer.read()
                    raise_for(answer)
                yield answer
        except httpx.HTTPError as error:
            raise self._unreached(error) from error

    def download(self, path: str, to: Path, **query: Any) -> Path:
        """Return `to` after a body was written there as a whole."""
        with (
            self.stream("GET", path, params=_stated(query)) as answer,
            atomic_write(to) as part,
            part.open("wb") as file,
        ):
            for chunk in answer.iter_bytes():
                file.write(chunk)
        return to

    def _unreached(self, error: httpx.HTTPError) -> ServerError:
        return ServerError(
            f"The server {self.url} did not answer ({type(error).__name__}: {error}); start it with `cellmetry serve`, "
            f"or check the address."
        )


def _stated(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def raise_for(answer: httpx.Response) -> None:
    """Raise the error that an answer tells, if it is one."""
    if not answer.is_error:
        return
    try:
        said = answer.json()["error"]
        kind, message = str(said["kind"]), str(said["message"])
    except (ValueError, KeyError, TypeError) as error:
        raise ServerError(
            f"{answer.request.url} answered {answer.status_code} without saying why; is that a Cellmetry server?"
        ) from error
    if kind == "EditConflict":
        raise EditConflict(message, version=int(said["version"]), act=said.get("act"))
    raise _error(kind, message, answer)


def _error(kind: str, message: str, answer: httpx.Response) -> CellmetryError:
    """Return the error of the class that the server names, with its words."""
    found = getattr(errors, kind, None)
    if not (isinstance(found, type) and issubclass(found, CellmetryError)):
        by_status = ServerError if answer.is_server_error else errors.ParameterError
        return _BY_STATUS.get(answer.status_code, by_status)(message)
    if any("__init__" in vars(each) for each in found.__mro__ if issubclass(each, CellmetryError)):
        return found.__new__(found, message)  # made of other things than its sentence
    return found(message)


def _retry_after(answer: httpx.Response) -> float:
    """Return how long to wait before asking again, in seconds."""
    said = answer.headers.get("Retry-After", "")
    return min(float(said), _LONGEST_WAIT_S) if said.isascii() and said.isdigit() else _WAIT_S
