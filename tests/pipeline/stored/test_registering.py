"""Files become images of a study, are read, and are opened again as they were."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellmetry.core.image import image_from_array
from cellmetry.errors import DamagedFile, InputError, MissingInput
from cellmetry.io.hashing import content_hash
from cellmetry.io.image_store import write_image_store
from cellmetry.io.opening import open_image
from cellmetry.io.tile_store import TileStore, decode_tile
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.stored.opening import image_ref, open_stored
from cellmetry.pipeline.stored.registering import register_images
from cellmetry.study.store.acts import act, acts, undo_act
from cellmetry.study.store.images import image, images, say
from cellmetry.study.store.jobs import events_of, jobs
from cellmetry.study.store.originals import originals
from cellmetry.study.store.repairing import repair
from cellmetry.study.store.verifying import verify

sys.path.insert(0, str(Path(__file__).parents[1] / "jobs"))
from job_studies import ANNA, do_all, new_store, squares, study_of, write_images


def test_images_are_registered_in_one_act_and_read(tmp_path):
    before = {path: path.stat().st_mtime_ns for path in write_images(tmp_path / "images", "ab", 700).iterdir()}
    store = new_store(tmp_path)
    ids = register_images(store, ANNA, [tmp_path / "images"])
    assert [each.state for each in images(store)] == ["new", "new"]
    assert [job.kind for job in jobs(store)] == ["read"]
    do_all(store)
    first = image(store, ids[0])
    assert (first.name, first.state, first.header["axes"], first.header["shape"]) == ("a", "ready", "YX", [700, 700])
    assert first.header["dtype"] == "uint16"
    assert first.header["levels"] == 2
    display = first.header["channels"][0]["display"]
    assert 150 < display["start"] < display["end"] <= 65535
    tiles = TileStore(store.folder / first.pyramid)
    assert tiles.levels[0].tile == (512, 512)
    frame = tiles.frame(0, (0, 1))
    np.testing.assert_array_equal(
        decode_tile(frame, (512, 512), np.dtype("<u2"), "tile")[:512, :188], squares(0, 700)[:512, 512:]
    )
    np.testing.assert_array_equal(open_stored(store, first).read(), squares(0, 700))
    undo_act(store, ANNA, acts(store)[0].seq)
    assert images(store) == []
    assert {path: path.stat().st_mtime_ns for path in before} == before
    store.close()


@pytest.mark.parametrize("lost", ["0/c/1/1", "zarr.json"])
def test_lost_tiles_are_made_again_from_the_original(tmp_path, lost):
    write_images(tmp_path / "images", "a", 700)
    store = new_store(tmp_path)
    (name,) = register_images(store, ANNA, [tmp_path / "images"])
    do_all(store)
    place = store.folder / image(store, name).pyramid
    before = content_hash(place)
    (place / lost).unlink()
    assert len(verify(store)) == 1
    repair(store, ANNA)
    do_all(store)
    assert verify(store) == []
    assert content_hash(place) == before
    store.close()


def test_what_is_there_already_is_not_added_again(tmp_path):
    store = study_of(tmp_path, "ab")
    write_images(tmp_path / "images", "abc")
    (added,) = register_images(store, ANNA, [tmp_path / "images"])
    assert image(store, added).name == "c"
    assert register_images(store, ANNA, [tmp_path / "images"]) == ()
    store.close()


def test_a_pattern_makes_one_image_of_several_files(tmp_path):
    folder = write_images(tmp_path / "images", ["B02_w1", "B02_w2", "B03_w1", "B03_w2"])
    store = new_store(tmp_path)
    reading = Reading(pattern="{well}_w{channel}.tif", roles={"1": "DNA", "2": "EdU"}, pixel_size_um=0.5)
    ids = register_images(store, ANNA, [folder], reading=reading)
    do_all(store)
    second = image(store, ids[1])
    assert second.name == "B03"
    assert [each["name"] for each in second.header["channels"]] == ["DNA", "EdU"]
    assert second.header["pixel_size_um"]["x"] == 0.5
    opened = open_stored(store, second)
    np.testing.assert_array_equal(opened.plane(c=1), squares(3))
    assert image_ref(store, second).parts == {"well": "B03"}
    assert image_ref(store, second).sha256() == second.sha256
    assert len(originals(store)) == 4
    store.close()


def test_uploaded_files_are_known_by_their_users_names(tmp_path):
    store = new_store(tmp_path)
    folder = write_images(store.folder / "uploads", ["u1", "u2"])
    names = {folder / "u1.tif": "../plate/B02_w1.tif", folder / "u2.tif": "..\\plate\\B02_w2.tif"}
    ids = register_images(store, ANNA, list(names), names=names, reading=Reading(pattern="{well}_w{channel}.tif"))
    assert [image(store, each).name for each in ids] == ["plate/B02"]
    assert {each.name for each in originals(store)} == {"plate/B02_w1.tif", "plate/B02_w2.tif"}
    do_all(store)
    assert image(store, ids[0]).header["shape"] == [2, 96, 96]
    assert image_ref(store, image(store, ids[0])).stem.name == ids[0]
    store.close()


@pytest.mark.parametrize("links", [True, False])
def test_a_link_that_took_the_place_of_a_file_is_followed_only_where_links_are(tmp_path, links):
    folder = tmp_path / "z.ome.zarr"
    write_image_store(image_from_array(squares(1), name="z"), folder)
    tifffile.imwrite(tmp_path / "t.tif", squares(2), photometric="minisblack")
    store = new_store(tmp_path)
    ids = register_images(store, ANNA, [folder, tmp_path / "t.tif"], links=links)
    chunk = max((each for each in folder.rglob("*") if each.is_file()), key=lambda each: len(each.parts))
    for path in (chunk, tmp_path / "t.tif"):
        open_stored(store, image(store, ids[0]))
        elsewhere = tmp_path / f"of another user {path.name}"
        path.rename(elsewhere)
        path.symlink_to(elsewhere)
    for each in ids:
        if links:
            open_stored(store, image(store, each))
        else:
            with pytest.raises(InputError, match="this server follows none"):
                open_stored(store, image(store, each))
    store.close()


def test_scenes_and_zarr_folders_are_images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    write_image_store(image_from_array(squares(1), name="z"), folder / "z.ome.zarr")
    with tifffile.TiffWriter(folder / "many.ome.tif") as writer:
        for seed in (2, 3):
            writer.write(squares(seed), photometric="minisblack", metadata={"axes": "YX"})
    store = new_store(tmp_path)
    ids = register_images(store, ANNA, [folder])
    do_all(store)
    assert [image(store, each).name for each in ids] == ["many_s0", "many_s1", "z"]
    np.testing.assert_array_equal(open_stored(store, image(store, ids[1])).read(), squares(3))
    np.testing.assert_array_equal(open_stored(store, image(store, ids[2])).read(), squares(1))
    assert len(originals(store)) == 2
    store.close()


def test_a_broken_file_is_an_image_that_says_why(tmp_path):
    folder = write_images(tmp_path / "images", "a")
    (folder / "b.tif").write_bytes((folder / "a.tif").read_bytes()[:900])
    (folder / "c.tif").write_bytes(b"")
    store = new_store(tmp_path)
    ids = register_images(store, ANNA, [folder])
    do_all(store)
    states = [image(store, each) for each in ids]
    assert [each.state for each in states] == ["ready", "failed", "failed"]
    assert "empty" in states[2].reason
    (job,) = jobs(store)
    assert job.result["images"] == 1
    assert set(job.result["failed"]) == set(ids[1:])
    told = [*job.result["failed"].values(), *(each.text for each in events_of(store, job.id))]
    assert not [text for text in told if str(tmp_path) in text]
    assert all(each.reason.startswith(f"{each.name}.tif ") for each in states[1:])
    store.close()


def test_changed_and_missing_originals_are_refused(tmp_path):
    store = study_of(tmp_path, "ab")
    first, second = images(store)
    tifffile.imwrite(tmp_path / "images" / "a.tif", squares(9), photometric="minisblack")
    (tmp_path / "images" / "b.tif").unlink()
    with pytest.raises(DamagedFile, match="was changed"):
        open_stored(store, first)
    with pytest.raises(MissingInput, match="relink"):
        open_stored(store, second)
    store.close()


def test_what_users_say_since_holds_when_an_image_is_opened(tmp_path):
    store = study_of(tmp_path, "a")
    (first,) = images(store)
    say(store, act(store, ANNA, "say", "size"), first.id, {"pixel_size_um": 0.3, "channel_names": ["DNA"]})
    opened = open_stored(store, first)
    assert (opened.pixel_size.x, opened.channel_names) == (0.3, ("DNA",))
    assert open_image(tmp_path / "images" / "a.tif").pixel_size.x is None
    store.close()
