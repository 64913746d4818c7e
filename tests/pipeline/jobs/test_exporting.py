"""The jobs `export` and `import`: labels to other programs and back, and what hostile files can do."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.core.labels import labels_from_array
from cellmetry.errors import CellmetryError, ParameterError, UnknownName
from cellmetry.io.labels import read_labels as read_label_file
from cellmetry.io.labels import write_labels
from cellmetry.io.tables import read_table
from cellmetry.pipeline.jobs.files import file_stems
from cellmetry.pipeline.jobs.registry import parse_job
from cellmetry.study.editing.objects import Delete
from cellmetry.study.store.acts import act, acts, undo_act
from cellmetry.study.store.edits import apply_edit
from cellmetry.study.store.images import images, remove_images, say
from cellmetry.study.store.label_pixels import read_labels
from cellmetry.study.store.labels import label_set, label_sets, labels_of_image
from cellmetry.study.store.results import result, result_path
from cellmetry.study.store.uploads import new_upload

sys.path.insert(0, str(Path(__file__).parent))
from labelled_studies import ANNA, do, labelled_study, stop, truth

FORMS = ("rois", "geojson", "coco", "seg-npy", "labels")
"""Formats that can be read back; csv is not one."""


@pytest.fixture
def study(tmp_path):
    store, ids = labelled_study(tmp_path, "ab")
    yield store, ids
    store.close()


def upload(store, name, content):
    upload_id, path = new_upload(store, name)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return upload_id


def unpacked(store, made):
    with zipfile.ZipFile(result_path(store, result(store, made["export"]))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("form", FORMS)
def test_edited_labels_come_back_as_they_were(study, form):
    store, ids = study
    apply_edit(store, ANNA, ids["a"], Delete(ids=(2,)))
    made, _ = do(store, "export", forms=[{"form": form}])
    files = unpacked(store, made)
    said = json.loads(files["export.json"])
    (one,) = [each for each in said["images"].values() if each["name"] == "a"]
    assert one["version"] == 1
    (name,) = one["files"]
    target = images(store)[1]
    back, _ = do(store, "import", upload=upload(store, name, files[f"labels/{name}"]), image=target.id, labels="back")
    labels = label_set(store, back["labels"])
    assert (labels.name, labels.image_id, back["objects"]) == ("back", target.id, int(truth().max()) - 1)
    expected = np.where(truth() == 2, 0, truth())
    np.testing.assert_array_equal(read_labels(store, labels.id).read(), expected)


def test_tables_go_whole_and_safe(study):
    store, _ = study
    table, _ = do(store, "measure", table="=cells/..", passport=None)
    made, _ = do(
        store, "export", tables=[table["table"]], table_forms=["csv", "xlsx", "parquet"], name_of_result="tables"
    )
    files = unpacked(store, made)
    assert set(files) == {"export.json"} | {
        f"tables/_cells___{end}" for end in (".csv", ".xlsx", ".parquet", "_columns.csv")
    }
    whole = read_table(result_path(store, result(store, table["table"])))
    sheet = pd.read_excel(io.BytesIO(files["tables/_cells___.xlsx"]))
    assert len(sheet) == len(whole)
    assert list(sheet.columns) == list(whole.columns)


def test_an_export_says_in_what_the_study_changed_since_its_tables(study):
    store, _ = study
    table, _ = do(store, "measure", passport=None)
    image = images(store)[0]
    for excluded in (True, None):
        with store.database.write():
            say(store, act(store, ANNA, "say", image.name), image.id, {"excluded": excluded})
        made, _ = do(store, "export", tables=[table["table"]], name_of_result="tables")
        notes = " ".join(json.loads(unpacked(store, made)["export.json"])["notes"])
        assert ("was left out or removed since the table cells was made" in notes) is bool(excluded)


def test_numbers_of_a_table_go_along(study):
    store, _ = study
    table, _ = do(store, "measure", passport=None)
    made, _ = do(store, "export", forms=[{"form": "geojson", "options": {"object_type": "detection"}}],
                 numbers=table["table"], class_column="condition")  # fmt: skip
    found = json.loads(unpacked(store, made)["labels/b.geojson"])["features"]
    assert {each["properties"]["classification"]["name"] for each in found} == {"b"}
    assert {each["properties"]["objectType"] for each in found} == {"detection"}
    assert "area_px" in json.dumps(found[0])


def test_an_export_that_was_stopped_goes_on(study):
    store, _ = study
    job = stop(store, "export", after=0, forms=[{"form": "labels"}])
    made, _ = do(store, "export", job=job, forms=[{"form": "labels"}])
    whole, _ = do(store, "export", forms=[{"form": "labels"}])
    assert unpacked(store, made) == unpacked(store, whole)
    assert not (store.folder / "jobs" / job / "files").exists()
    before = len(acts(store))
    assert do(store, "export", job=job, forms=[{"form": "labels"}])[0]["export"] == made["export"]
    assert len(acts(store)) == before


def test_an_export_goes_on_with_the_images_and_names_with_which_it_began(tmp_path):
    long = "2026-01-05_an-experiment-with-a-name-as-long-as-microscopes-like-to-write-them_plate-0001_well-"
    store, ids = labelled_study(tmp_path, [long + well for well in "abc"])
    for shift, name in enumerate(sorted(ids), 1):
        apply_edit(store, ANNA, ids[name], Delete(ids=(shift,)))
    asked = {"forms": [{"form": "labels"}]}
    job, said = stop(store, "export", after=1, **asked), []
    with store.database.write():
        remove_images(store, act(store, ANNA, "remove images", "the first"), [images(store)[0].id])
    made, _ = do(store, "export", job=job, said=said, **asked)
    assert [kind for kind, text in said if "a were removed" in text] == ["warning"]
    files = unpacked(store, made)
    told = json.loads(files["export.json"])["images"].values()
    assert {each["name"]: each["labels"] for each in told} == ids
    for each in told:
        (name,) = each["files"]
        (tmp_path / name).write_bytes(files[f"labels/{name}"])
        expected = read_labels(store, each["labels"]).read()
        np.testing.assert_array_equal(read_label_file(tmp_path / name).read(), expected)
    store.close()


def test_an_import_is_one_act_that_undo_takes_back(study, tmp_path):
    store, ids = study
    write_labels(labels_from_array(truth()[::-1].copy()), tmp_path / "l.tif")
    sent, image = upload(store, "l.tif", (tmp_path / "l.tif").read_bytes()), images(store)[0]
    made, job = do(store, "import", upload=sent, image=image.id)
    assert labels_of_image(store, image.id).id == made["labels"]
    assert label_set(store, made["labels"]).origin["file"] == "l.tif"
    assert do(store, "import", upload=sent, image=image.id, job=job)[0] == made
    undo_act(store, ANNA, made["act"])
    assert labels_of_image(store, image.id).id == ids["a"]


def hostile_zip(entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def link():
    entry = zipfile.ZipInfo("a.roi")
    entry.external_attr = 0o120777 << 16
    return entry


@pytest.mark.parametrize(
    "content",
    [
        hostile_zip([("../../evil.roi", b"x")]),
        hostile_zip([("/etc/evil.roi", b"x")]),
        hostile_zip([("..\\evil.roi", b"x")]),
        hostile_zip([(link(), b"/etc/passwd")]),
        hostile_zip([("inner.zip", b"PK")]),
        hostile_zip([("bomb.roi", b"\0" * 300_000_000)]),
        b"PK\x03\x04 and no more",
        b"Iout\x00\xe4\x00\x00" + b"\x7f" * 60,
        b'{"features": [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 1e308]]]}}]}',
        b"\x80\x04payload",
        b"",
    ],
)
def test_hostile_files_are_refused_and_nothing_is_left(study, tmp_path, content):
    store, ids = study
    sent = upload(store, "evil.zip", content)
    files = set(tmp_path.rglob("*"))
    before = len(acts(store))
    with pytest.raises(CellmetryError):
        do(store, "import", upload=sent, image=images(store)[0].id)
    assert {each.id for each in label_sets(store)} == set(ids.values())
    assert len(acts(store)) == before
    assert {path for path in set(tmp_path.rglob("*")) - files if "jobs" not in path.parts} == set()


def test_labels_of_another_size_and_unknown_ids_are_refused(study, tmp_path):
    store, _ = study
    write_labels(labels_from_array(truth()[:50]), tmp_path / "l.tif")
    sent = upload(store, "l.tif", (tmp_path / "l.tif").read_bytes())
    assert read_label_file(tmp_path / "l.tif").shape == (50, 96)
    with pytest.raises(CellmetryError):
        do(store, "import", upload=sent, image=images(store)[0].id)
    with pytest.raises(UnknownName):
        do(store, "import", upload="upl_0000000000000000", image=images(store)[0].id)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("export", {}),
        ("export", {"forms": [{"form": "pickle"}]}),
        ("export", {"forms": [{"form": "rois", "options": {"path": "/etc"}}]}),
        ("export", {"tables": ["../x"]}),
        ("export", {"forms": [{"form": "rois"}] * 21}),
        ("import", {"upload": "../a", "image": "img_0000000000000000"}),
        ("import", {"upload": "upl_0000000000000000", "image": "img_0000000000000000", "options": {"a": "b" * 301}}),
    ],
)
def test_requests_are_bounded(kind, parameters):
    with pytest.raises(ParameterError):
        parse_job(kind, parameters)


def test_many_names_that_are_alike_become_different_files():
    names = ["x" * 100 + str(number) for number in range(20_000)]
    stems = file_stems(names)
    assert stems[:2] == ["x" * 80, "x" * 80 + "_2"]
    assert len(set(stems)) == len(names)
    assert file_stems(["a", "a_2", "A", "a"]) == ["a", "a_2", "A_3", "a_4"]


@given(st.lists(st.text(max_size=120), max_size=8))
def test_names_become_files_that_every_disk_takes(names):
    stems = file_stems(names)
    assert len({stem.casefold() for stem in stems}) == len(names)
    for stem in stems:
        assert stem
        assert not set(stem) & set('./\\:*?"<>|\n\r\t\0')
        assert len(stem) < 100
