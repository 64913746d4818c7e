"""What tells cheaply that a file or a folder was written again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cellmetry.io.hashing import content_hash, file_state


@pytest.fixture
def chunks(tmp_path: Path) -> Path:
    """Return a folder with chunks in a folder, as of an OME-Zarr image."""
    folder = tmp_path / "a.zarr" / "0"
    folder.mkdir(parents=True)
    for name in ("0", "1"):
        (folder / name).write_bytes(b"1234")
    return folder.parent


def test_every_change_of_a_folder_changes_its_state(chunks: Path) -> None:
    chunk, states = chunks / "0" / "0", [file_state(chunks)]
    own_time = chunks.stat().st_mtime_ns
    later = states[0].newest_ns

    def wrote() -> None:
        nonlocal later
        later += 1_000_000_000
        os.utime(chunk, ns=(later, later))
        states.append(file_state(chunks))

    chunk.write_bytes(b"4321")
    wrote()
    chunk.write_bytes(b"43210")
    wrote()
    (chunks / "0" / "2").write_bytes(b"")
    states.append(file_state(chunks))
    assert chunks.stat().st_mtime_ns == own_time
    assert len(set(states)) == 4


def test_nothing_changed_is_the_same_state(chunks: Path) -> None:
    assert file_state(chunks) == file_state(chunks)
    assert file_state(chunks / "0" / "0").size == 4


def test_the_size_of_a_folder_is_that_of_its_files_as_file_systems_differ_in_their_folders(chunks: Path) -> None:
    assert file_state(chunks).size == 8


def test_what_does_not_exist_has_no_state(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        file_state(tmp_path / "no.tif")


def test_the_hash_of_a_folder_is_of_names_and_bytes(chunks: Path) -> None:
    before = content_hash(chunks)
    (chunks / "0" / "1").rename(chunks / "0" / "2")
    assert content_hash(chunks) != before
