"""Server-Sent Events: what a server tells as it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["ServerEvent", "read_events"]


class ServerEvent(NamedTuple):
    """One event: its number, by which a later request goes on after it, its kind, and its text."""

    id: str
    kind: str
    data: str


def read_events(lines: Iterable[str]) -> Iterator[ServerEvent]:
    """Yield the events of a stream as they come; comments, which keep a connection open, are none."""
    number, kind, data = "", "message", list[str]()
    for line in lines:
        if not line:
            if data:
                yield ServerEvent(number, kind, "\n".join(data))
            kind, data = "message", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id":
            number = value
