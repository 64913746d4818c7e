"""Originals that were moved: found by their content, on any file system, also where several are alike."""

from __future__ import annotations

import os
import shutil

import pytest
from tests.study.store.made_study import ANNA

from cellmetry.study.store.acts import act
from cellmetry.study.store.originals import add_original, find_moved, original, original_path, original_status
from cellmetry.study.store.store import open_store


def a_zarr(folder):
    """Return a folder as of an OME-Zarr image."""
    (folder / "0" / "c").mkdir(parents=True)
    (folder / "zarr.json").write_text("{}")
    (folder / "0" / "c" / "0").write_bytes(b"x" * 100)
    return folder


@pytest.fixture
def store(tmp_path):
    """Return an empty study."""
    (tmp_path / "a.cellmetry").mkdir()
    with open_store(tmp_path / "a.cellmetry") as opened:
        yield opened


def added(store, *paths):
    with store.database.write():
        seq = act(store, ANNA, "add", "images")
        return [add_original(store, seq, path, path.name) for path in paths]


def noted_with_the_bytes_of_folders(store, file):
    """Have a row say what it would on another file system, as older versions wrote it."""
    with store.database.write() as connection:
        connection.execute("UPDATE files SET size = size + 3 * 4096 WHERE id = ?", (file,))


def test_a_folder_that_moved_to_another_file_system_is_found(store, tmp_path):
    (file,) = added(store, a_zarr(tmp_path / "im.ome.zarr"))
    noted_with_the_bytes_of_folders(store, file)
    (tmp_path / "moved").mkdir()
    shutil.move(tmp_path / "im.ome.zarr", tmp_path / "moved" / "other.ome.zarr")
    assert [each.id for each in find_moved(store, ANNA, [tmp_path / "moved"]).found] == [file]
    assert original(store, file).state.size == 102


def test_a_study_and_its_zarr_copied_to_another_file_system_are_there(store, tmp_path):
    (file,) = added(store, a_zarr(tmp_path / "im.ome.zarr"))
    noted_with_the_bytes_of_folders(store, file)
    for chunk in (tmp_path / "im.ome.zarr").rglob("*"):
        os.utime(chunk, ns=(10**18, 10**18))
    assert original_status(store, original(store, file)) == "there"
    (tmp_path / "im.ome.zarr" / "0" / "c" / "0").write_bytes(b"y" * 100)
    assert original_status(store, original(store, file)) == "changed"


@pytest.mark.parametrize("copies", [("one.tif", "two.tif"), ("two.tif", "any.tif"), ("any.tif",)])
def test_originals_that_are_alike_are_all_found_each_by_its_name_if_it_can(store, tmp_path, copies):
    for name in ("one.tif", "two.tif"):
        (tmp_path / name).write_bytes(b"same pixels")
    files = added(store, tmp_path / "one.tif", tmp_path / "two.tif")
    (tmp_path / "moved").mkdir()
    for name in copies:
        (tmp_path / "moved" / name).write_bytes(b"same pixels")
    for name in ("one.tif", "two.tif"):
        (tmp_path / name).unlink()
    assert [each.id for each in find_moved(store, ANNA, [tmp_path / "moved"]).found] == files
    places = [original_path(store, original(store, file)).name for file in files]
    assert all(place == name or name not in copies for place, name in zip(places, ("one.tif", "two.tif"), strict=True))


def test_what_cannot_be_read_is_passed_over_and_counted(store, tmp_path):
    (tmp_path / "one.tif").write_bytes(b"pixels")
    (file,) = added(store, tmp_path / "one.tif")
    (tmp_path / "moved").mkdir()
    (tmp_path / "one.tif").rename(tmp_path / "moved" / "one.tif")
    try:
        (tmp_path / "moved" / "dangling.tif").symlink_to(tmp_path / "nowhere")
    except OSError:
        pytest.skip("this system makes no links")
    found, unreadable = find_moved(store, ANNA, [tmp_path / "moved"])
    assert ([each.id for each in found], unreadable) == ([file], 1)
