"""Fetching: from a real server on this machine, broken off, altered, hostile."""

from __future__ import annotations

import hashlib
import io
import re
import stat
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import ValidationError

from cellmetry.errors import DamagedFile, InputError, MissingInput, UnknownName
from cellmetry.learn.fetching import accept_file, fetch_file, unpack_files
from cellmetry.learn.importers import IMPORTERS
from cellmetry.learn.registry import RemoteFile, find_public, list_public


class Server(ThreadingHTTPServer):
    """Serves `content`; breaks off after `breaks_after` bytes where that is set; notes the ranges asked for."""

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.breaks_after, self.ranges, self.knows_ranges = content, 0, list[str](), True

    def remote(self, **known: object) -> RemoteFile:
        return RemoteFile.model_validate({"url": f"http://127.0.0.1:{self.server_port}/data%20set.zip", **known})


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.server.ranges.append(asked)
        start = int(re.findall(r"\d+", asked)[0]) if asked and self.server.knows_ranges else 0
        if start and start >= len(self.server.content):
            self.send_error(416)
            return
        body = self.server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = self.server.breaks_after
        self.wfile.write(body[:cut] if cut else body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(bytes(range(256)) * 20_000) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_comes_whole_and_only_once(server: Server, tmp_path: Path) -> None:
    remote = server.remote(sha256=sha(server.content), size_bytes=len(server.content))
    path = fetch_file(remote, tmp_path)
    assert path == tmp_path / "data set.zip"
    assert path.read_bytes() == server.content
    assert fetch_file(remote, tmp_path) == path
    assert len(server.ranges) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["data set.zip"]


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_broken_download_goes_on(server: Server, tmp_path: Path, knows_ranges: bool) -> None:
    server.breaks_after, server.knows_ranges = 2_000_000, knows_ranges
    remote = server.remote(sha256=sha(server.content))
    with pytest.raises(InputError, match="broke"):
        fetch_file(remote, tmp_path)
    assert not (tmp_path / "data set.zip").exists()
    server.breaks_after = 0
    assert fetch_file(remote, tmp_path).read_bytes() == server.content
    assert server.ranges[1] == "bytes=2000000-"


def test_a_part_that_was_whole_is_taken(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data set.zip.part").write_bytes(server.content)
    assert fetch_file(server.remote(sha256=sha(server.content)), tmp_path).read_bytes() == server.content


def test_another_size_or_checksum_is_refused_and_removed(server: Server, tmp_path: Path) -> None:
    for known in ({"sha256": "0" * 64}, {"size_bytes": 5}):
        with pytest.raises(DamagedFile, match="the registry"):
            fetch_file(server.remote(**known), tmp_path)
        assert list(tmp_path.iterdir()) == []


def test_an_unknown_checksum_is_recorded_and_compared_after(server: Server, tmp_path: Path) -> None:
    path = fetch_file(server.remote(), tmp_path)
    assert sha(server.content) in (tmp_path / "checksums.csv").read_text()
    path.unlink()
    server.content = server.content[::-1]
    with pytest.raises(DamagedFile, match="the first download"):
        fetch_file(server.remote(), tmp_path)
    assert not path.exists()


def test_a_server_that_refuses_or_is_not_there(server: Server, tmp_path: Path) -> None:
    (tmp_path / "x.part").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be fetched"):
        fetch_file(RemoteFile(url="http://127.0.0.1:9/x"), tmp_path)
    with pytest.raises(ValidationError):
        RemoteFile(url="file:///etc/passwd")


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_archives_and_plain_files_are_unpacked_into_their_folders(tmp_path: Path) -> None:
    first = make_zip(tmp_path / "a.zip", {"images/1.txt": b"one", "empty/": b""})
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("deep/2.txt")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"two"))
    (tmp_path / "c.json").write_text("{}")
    unpack_files([(first, "."), (tmp_path / "b.tar.gz", "tar"), (tmp_path / "c.json", "notes/x")], tmp_path / "out")
    assert (tmp_path / "out/images/1.txt").read_bytes() == b"one"
    assert (tmp_path / "out/tar/deep/2.txt").read_bytes() == b"two"
    assert (tmp_path / "out/notes/x/c.json").read_text() == "{}"


@pytest.mark.parametrize("name", ["../out.txt", "/abs.txt", "a/../../b.txt", "..\\win.txt", "C:\\win.txt", "C:win.txt"])
def test_an_archive_never_writes_outside_its_folder(tmp_path: Path, name: str) -> None:
    before = {path.name for path in tmp_path.iterdir()} | {"bad.zip"}
    path = make_zip(tmp_path / "bad.zip", {"good.txt": b"x", name: b"x"})
    with pytest.raises(DamagedFile, match="outside its folder"):
        unpack_files([(path, ".")], tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == before


def test_links_bombs_and_web_pages_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc")
    with tarfile.open(tmp_path / "link.tar", "w") as tar:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(member)
    make_zip(tmp_path / "bomb.zip", {"zeros": bytes(50_000_000)})
    (tmp_path / "page.zip").write_text("<html>please log in</html>")
    for name, said in (("link.zip", "a link"), ("link.tar", "link or device"), ("page.zip", "web page")):
        with pytest.raises(DamagedFile, match=said):
            unpack_files([(tmp_path / name, ".")], tmp_path / "out")
        assert not (tmp_path / "out").exists()
    broken = bytearray(make_zip(tmp_path / "broken.zip", {"a": b"abcdefgh" * 4000}).read_bytes())
    broken[60] ^= 255
    (tmp_path / "broken.zip").write_bytes(broken)
    with pytest.raises(DamagedFile, match="damaged"):
        unpack_files([(tmp_path / "broken.zip", ".")], tmp_path / "out")


def test_a_file_given_by_hand_is_compared(tmp_path: Path) -> None:
    (tmp_path / "data set.zip").write_bytes(b"abc")
    accept_file([RemoteFile(url="http://x/data%20set.zip", sha256=sha(b"abc"))], tmp_path / "data set.zip")
    with pytest.raises(DamagedFile, match="another file than expected"):
        accept_file([RemoteFile(url="http://x/data%20set.zip", sha256="0" * 64)], tmp_path / "data set.zip")
    with pytest.raises(MissingInput, match="--from"):
        accept_file([], tmp_path / "nothing.zip")


def test_the_registry_is_sound() -> None:
    known = list_public()
    assert len({each.name for each in known}) == len(known)
    assert {"bbbc038", "bbbc039", "bbbc007", "bbbc009", "bbbc018", "bbbc030", "bbbc041"} <= {
        each.name for each in known
    }
    for each in known:
        assert each.home.startswith("https://")
        assert each.files or each.login or each.by_hand
        assert each.importer or each.advice
        if each.importer:
            IMPORTERS.load(each.importer).model_validate(each.options)
        assert ("NC" not in each.licence) or each.non_commercial
        assert each.card.non_commercial == each.non_commercial
    assert {each.name for each in known if each.non_commercial} >= {"livecell", "sartorius", "cellpose", "tissuenet"}
    assert find_public("bbbc039").size_bytes == 80_669_559
    with pytest.raises(UnknownName, match="bbbc039"):
        find_public("bbbc39")
