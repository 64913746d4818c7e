"""All or nothing: a failed write leaves what was there, and nothing else."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from cellmetry.errors import MissingInput, OutputError
from cellmetry.io.atomic import atomic_folder, atomic_write, clean_leftovers


def _all(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_write_makes_folders_and_keeps_the_suffix(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "x.csv"
    with atomic_write(target) as temporary:
        assert temporary.suffix == ".csv"
        assert temporary.parent == target.parent
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert _all(tmp_path) == ["a", "a/b", "a/b/x.csv"]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), OSError(errno.ENOSPC, "full")])
def test_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    (tmp_path / "x.csv").write_text("old")
    expected = OutputError if isinstance(error, OSError) else type(error)

    def fail(target: Path) -> None:
        with atomic_write(target) as temporary:
            temporary.write_text("half")
            raise error

    for target in (tmp_path / "x.csv", tmp_path / "new" / "deep" / "y.csv"):
        with pytest.raises(expected):
            fail(target)
    assert _all(tmp_path) == ["x.csv"]
    assert (tmp_path / "x.csv").read_text() == "old"


def test_full_disk_names_the_file_and_the_cause(tmp_path: Path) -> None:
    sentence = r"x\.csv could not be written: the disk is full"
    with pytest.raises(OutputError, match=sentence), atomic_write(tmp_path / "x.csv"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_really_full_device_is_refused() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no device that is always full")
    with pytest.raises(OSError, match="No space") as caught, full.open("wb", buffering=0) as file:
        file.write(b"x")
    assert caught.value.errno == errno.ENOSPC


def test_an_input_error_inside_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(MissingInput), atomic_write(tmp_path / "x.csv"):
        raise MissingInput("a.tif does not exist.")
    assert _all(tmp_path) == []


def test_writing_under_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("file")
    with pytest.raises(OutputError, match=r"not a folder|exists"), atomic_write(tmp_path / "x" / "y.csv"):
        pass


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_no_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="not permitted"), atomic_write(tmp_path / "x.csv") as temporary:
            temporary.write_text("x")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failing_system_call_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    (tmp_path / "x.csv").write_text("old")

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OutputError, match="Input/output error"), atomic_write(tmp_path / "x.csv") as temporary:
        temporary.write_text("new")
    monkeypatch.undo()
    assert _all(tmp_path) == ["x.csv"]
    assert (tmp_path / "x.csv").read_text() == "old"


def _fill(folder: Path, text: str) -> None:
    with atomic_folder(folder) as temporary:
        (temporary / "zarr.json").write_text(text)
        (temporary / "0").mkdir()
        (temporary / "0" / "c").write_text(text)


def test_folder_replaces_one_of_its_kind(tmp_path: Path) -> None:
    _fill(tmp_path / "x.zarr", "old")
    _fill(tmp_path / "x.zarr", "new")
    assert (tmp_path / "x.zarr" / "0" / "c").read_text() == "new"
    assert _all(tmp_path) == ["x.zarr", "x.zarr/0", "x.zarr/0/c", "x.zarr/zarr.json"]


def test_folder_never_replaces_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "precious.tif").write_text("x")
    with pytest.raises(OutputError, match="other contents"):
        _fill(tmp_path / "data", "new")
    (tmp_path / "file.zarr").write_text("x")
    with pytest.raises(OutputError, match="a file of this name"):
        _fill(tmp_path / "file.zarr", "new")
    assert _all(tmp_path) == ["data", "data/precious.tif", "file.zarr"]


def test_failed_folder_leaves_the_old_one(tmp_path: Path) -> None:
    _fill(tmp_path / "x.zarr", "old")

    def fail() -> None:
        with atomic_folder(tmp_path / "x.zarr") as temporary:
            (temporary / "zarr.json").write_text("half")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert (tmp_path / "x.zarr" / "zarr.json").read_text() == "old"
    assert len(_all(tmp_path)) == 4


def test_leftovers_of_a_killed_program_are_cleaned_once_old(tmp_path: Path) -> None:
    young, old = tmp_path / ".cellmetry-1.part.tif", tmp_path / ".cellmetry-2.part.zarr"
    young.write_text("x")
    old.mkdir()
    (old / "c").write_text("x")
    os.utime(old / "c", (time.time() - 7200,) * 2)
    os.utime(old, (time.time() - 7200,) * 2)
    assert clean_leftovers(tmp_path) == [old]
    assert _all(tmp_path) == [young.name]


def test_a_folder_with_a_file_that_is_still_written_is_no_leftover(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "upload", marker="a.tif") as part, (part / "a.tif").open("wb") as file:
        os.utime(part, (time.time() - 7200,) * 2)  # made two hours ago, and its file comes slowly
        file.write(b"more")
        file.flush()
        assert clean_leftovers(tmp_path) == []
    assert (tmp_path / "upload" / "a.tif").read_bytes() == b"more"
