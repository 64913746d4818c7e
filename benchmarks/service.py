"""Tiles and edits of a real server: a 20,000 × 20,000 two-channel image with 62,500 cells, eight clients.

Rates are those of whole answers over loopback, beside a route that returns constant bytes of the mean size of these
tiles behind the same middleware, measured in turns in the same run. `ordinary` is such a route of FastAPI, `bare` is
answered as tiles are, before any routing.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import psutil
from large_study import SIDE, build

from cellmetry.study.store.label_tiles import TILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CLIENTS = 8
_ROUNDS = 11
ENCODINGS = ("zstd", "gzip", "identity")


def main() -> None:
    """Build the study, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="where the study is made, or lies from the last time")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement of a rate")
    parser.add_argument("--encodings", nargs="*", choices=ENCODINGS, default=ENCODINGS)
    parser.add_argument("--edits", type=int, default=1000)
    parser.add_argument("--side", type=int, default=SIDE)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve)
        return
    with contextlib.ExitStack() as stack:
        home = args.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        names = build(home, args.side)
        server = stack.enter_context(running(home))
        measure(server, names, args)


def serve(home: Path) -> None:
    """Run the server as `cellmetry serve` does, with two routes of constant bytes."""
    from fastapi import Response
    from starlette.middleware import Middleware

    from cellmetry.server import running as real
    from cellmetry.server.settings import ServerSettings

    bodies: dict[int, bytes] = {}
    make = real.create_app

    def body(size: int) -> bytes:
        if size not in bodies:
            bodies[size] = os.urandom(size)
        return bodies[size]

    async def ordinary(size: int) -> Response:
        return Response(body(size), media_type="application/octet-stream")

    class Bare:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if not scope.get("path", "").startswith("/api/v1/bare/"):
                await self.app(scope, receive, send)
                return
            data = body(int(scope["path"].rsplit("/", 1)[1]))
            headers = [(b"content-type", b"application/octet-stream"), (b"content-length", str(len(data)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": data})

    def with_constants(settings: ServerSettings) -> Any:
        app = make(settings)
        app.user_middleware.append(Middleware(Bare))
        app.add_api_route("/api/v1/ordinary/{size}", ordinary)
        app.router.routes.insert(0, app.router.routes.pop())
        return app

    real.create_app = with_constants
    real.run_server(ServerSettings(home, port=0), lambda address: print(address, flush=True))


class Running:
    """A server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], port: int, token: str) -> None:
        self.process, self.port, self.token = process, port, token

    def request(self, path: str, encoding: str) -> bytes:
        """Return the bytes of a GET."""
        head = f"GET /api/v1/{path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {self.token}\r\n"
        accepted = "gzip, identity;q=0" if encoding == "gzip" else encoding
        return f"{head}Accept-Encoding: {accepted}\r\n\r\n".encode()

    def cpu_s(self) -> float:
        """Return the processor time that the server's process has used."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def memory_mb(self) -> float:
        """Return the memory of the server's process."""
        return psutil.Process(self.process.pid).memory_info().rss / 1e6


@contextlib.contextmanager
def running(home: Path) -> Iterator[Running]:
    """Yield the server of a home folder."""
    command = [sys.executable, __file__, "--serve", str(home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        port = int(line.split("127.0.0.1:")[1].split("/")[0])
        token = json.loads((home / "server.json").read_text())["token"]
        time.sleep(1)
        yield Running(process, port, token)
    finally:
        process.terminate()
        process.wait(60)


def ask(connection: socket.socket, request: bytes, buffer: bytearray) -> int:
    """Return the bytes of the body of an answer, which is read to its end."""
    connection.sendall(request)
    view = memoryview(buffer)
    got = connection.recv_into(view)
    while (end := buffer.find(b"\r\n\r\n", 0, got)) < 0:
        got += connection.recv_into(view[got:])
    head = bytes(view[:end]).lower()
    if not head.startswith((b"http/1.1 200", b"http/1.1 204")):
        raise RuntimeError(head.decode() + bytes(view[end:got]).decode("latin-1"))
    at = head.find(b"content-length:")
    size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    missing = size - (got - end - 4)
    while missing > 0:
        missing -= connection.recv_into(view, min(missing, len(buffer)))
    return size


class Rate(NamedTuple):
    """Answers a second, mean bytes of a body, and processor time of the server for an answer in ms."""

    answers: float
    size: float
    cpu_ms: float


def rate(server: Running, requests: Sequence[bytes], seconds: float) -> Rate:
    """Return how fast eight clients that ask for these in turn are answered."""
    stop = time.perf_counter() + seconds
    done: list[tuple[int, int]] = []

    def client(number: int) -> None:
        buffer, count, size = bytearray(4 << 20), 0, 0
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while time.perf_counter() < stop:
                size += ask(connection, requests[(number * 7919 + count) % len(requests)], buffer)
                count += 1
        done.append((count, size))

    start, used = time.perf_counter(), server.cpu_s()
    clients = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    total = sum(count for count, _ in done)
    size = sum(size for _, size in done) / total
    return Rate(total / (time.perf_counter() - start), size, (server.cpu_s() - used) / total * 1000)


def measure(server: Running, names: dict[str, str], args: argparse.Namespace) -> None:
    """Print rates of tiles, the latency of edits, and the memory."""
    tiles = -(-args.side // TILE)
    study = f"studies/{names['study']}"
    random = np.random.default_rng(1)
    places = [tuple(map(int, random.integers(0, tiles, 2))) for _ in range(2000)]
    version = _newest_version(server, names)
    kinds = {
        "image": [f"{study}/images/{names['image']}/tiles/0/0/{i % 2}/0/{y}/{x}" for i, (y, x) in enumerate(places)],
        "labels": [f"{study}/labels/{names['labels']}/tiles/0/0/0/{y}/{x}?version={version}" for y, x in places],
    }
    view = [(y, x) for y in range(3) for x in range(4)]
    near = {
        "image": [f"{study}/images/{names['image']}/tiles/0/0/{c}/0/{y}/{x}" for c in (0, 1) for y, x in view],
        "labels": [f"{study}/labels/{names['labels']}/tiles/0/0/0/{y}/{x}?version={version}" for y, x in view],
    }
    print(
        "| tiles | encoding | where | body KB | tiles/s | ordinary/s | bare/s | ratio | of bare | CPU ms | ordinary |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for encoding in args.encodings:
        for where, paths in (("anywhere", kinds), ("one view", near)):
            for kind in kinds:
                _print_rates(server, encoding, (kind, where), paths[kind], args.seconds)
    _print_edits(server, names, args, kinds)


def _newest_version(server: Running, names: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    path = f"/api/v1/studies/{names['study']}/labels/{names['labels']}"
    connection.request("GET", path, headers={"Authorization": f"Bearer {server.token}"})
    return int(json.loads(connection.getresponse().read())["version"])


def _print_rates(server: Running, encoding: str, what: tuple[str, str], paths: Sequence[str], seconds: float) -> None:
    requests = [server.request(path, encoding) for path in paths]
    body = int(rate(server, requests, seconds / 2).size)
    constants = {name: [server.request(f"{name}/{body}", encoding)] for name in ("ordinary", "bare")}
    found: dict[str, list[Rate]] = {"tiles": [], "ordinary": [], "bare": []}
    for _ in range(_ROUNDS):  # in turns, as the machine is busy with other things too
        for name, some in {"tiles": requests, **constants}.items():
            found[name].append(rate(server, some, seconds / _ROUNDS))
    tiles, ordinary, bare = (statistics.median(each.answers for each in found[name]) for name in found)
    cpu = [statistics.median(each.cpu_ms for each in found[name]) for name in ("tiles", "ordinary")]
    kind, where = what
    print(
        f"| {kind} | {encoding} | {where} | {body / 1000:.1f} | {tiles:.0f} | {ordinary:.0f} | {bare:.0f} | "
        f"{tiles / ordinary:.2f} | {tiles / bare:.2f} | {cpu[0]:.2f} | {cpu[1]:.2f} |",
        flush=True,
    )


def _print_edits(server: Running, names: dict[str, str], args: argparse.Namespace, kinds: dict[str, list[str]]) -> None:
    random = np.random.default_rng(2)
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    headers = {"Authorization": f"Bearer {server.token}", "X-Cellmetry": "1", "Content-Type": "application/json"}
    path = f"/api/v1/studies/{names['study']}/labels/{names['labels']}"
    times: dict[str, list[float]] = {"draw": [], "delete": [], "undo": []}
    memory = [server.memory_mb()]
    buffer = bytearray(4 << 20)

    def post(what: str, kind: str, body: dict[str, Any]) -> Any:
        start = time.perf_counter()
        connection.request("POST", f"{path}/{what}", json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        times[kind].append((time.perf_counter() - start) * 1000)
        if answer.status != 200:
            raise RuntimeError(text.decode())
        return json.loads(text)

    tiles = [server.request(each, "zstd") for each in (*kinds["image"], *kinds["labels"])]
    with socket.create_connection(("127.0.0.1", server.port)) as other:
        for number in range(args.edits):
            y, x = (float(each) for each in random.uniform(100, args.side - 200, 2))
            angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
            points = np.stack([y + 25 * np.sin(angles), x + 25 * np.cos(angles)], axis=1).round(2).tolist()
            made = post("edits", "draw", {"operation": "draw", "parameters": {"points": points, "over": True}})
            if number % 3 == 1:
                post("edits", "delete", {"operation": "delete", "parameters": {"ids": [max(made["ids"])]}})
            elif number % 3 == 2:
                post("undo", "undo", {})
            for each in range(10):
                ask(other, tiles[(number * 10 + each) % len(tiles)], buffer)
            if (number + 1) % max(args.edits // 5, 1) == 0:
                memory.append(server.memory_mb())
    print("\n| edit | number | median ms | 95 % ms |\n|---|---|---|---|")
    for kind, found in times.items():
        if found:
            print(f"| {kind} | {len(found)} | {statistics.median(found):.1f} | {np.percentile(found, 95):.1f} |")
    print(f"\nmemory of the server in MB, over {args.edits} edits and {args.edits * 10} tiles:", end=" ")
    print(", ".join(f"{each:.0f}" for each in memory))


if __name__ == "__main__":
    main()
