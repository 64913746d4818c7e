"""Numbers of a table are those of its own objects: of no older labels, and of no other image of the same name."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cellmetry.errors import InputError, ParameterError
from cellmetry.io.tables import read_header, read_table
from cellmetry.pipeline.jobs.registry import parse_job
from cellmetry.study.editing.objects import Delete
from cellmetry.study.store.acts import act
from cellmetry.study.store.edits import apply_edit
from cellmetry.study.store.images import images, say
from cellmetry.study.store.label_pixels import read_labels
from cellmetry.study.store.labels import labels_of_image
from cellmetry.study.store.results import result, result_path, results

sys.path.insert(0, str(Path(__file__).parent))
from job_studies import CLASSICAL, study_of
from labelled_studies import ANNA, do, labelled_study

SETTINGS = {
    "comparisons": [{"value": "area_px", "by": "condition", "replicate": "replicate", "control": "a"}],
    "figures": [],
    "tables": [],
    "style": {"formats": ["svg"]},
}


def visible(store, name):
    """The tables of a name that are to be seen."""
    return [each.id for each in results(store, "table") if each.name == name]


def rows(store, table):
    return read_table(result_path(store, result(store, table)))


def sizes(store, image):
    ids, count = np.unique(read_labels(store, labels_of_image(store, image.id).id).read(), return_counts=True)
    return dict(zip(ids[1:].tolist(), count[1:].tolist(), strict=True))


@pytest.fixture
def corrected(tmp_path):
    """A study of two images that were segmented, a cell of the first deleted, and measured."""
    store = study_of(tmp_path, "ab")
    do(store, "segment", recipe_text=CLASSICAL)
    for number, image in enumerate(images(store)):
        with store.database.write():
            seq = act(store, ANNA, "say", image.name)
            say(store, seq, image.id, {"condition": "ab"[number], "replicate": 1})
    apply_edit(store, ANNA, labels_of_image(store, images(store)[0].id).id, Delete(ids=(1,)))
    made, _ = do(store, "measure", passport=None)
    yield store, made["table"]
    store.close()


@pytest.mark.parametrize("again", [{}, {"edits": "keep_old"}, {"edits": "replace"}, {"images": "b"}])
def test_segmenting_again_hides_no_measured_table(corrected, again):
    store, table = corrected
    if "images" in again:
        again = {"images": [images(store)[1].id]}
    do(store, "segment", recipe_text=CLASSICAL, **again)
    assert visible(store, "cells") == [table]
    (made,) = visible(store, "run_cells")
    assert all(each["labels"] is None for each in result(store, made).details["images"].values())
    fresh, _ = do(store, "measure", passport=None)
    found = rows(store, fresh["table"])
    for image in images(store):
        mine = found[found["image"] == image.name]
        assert dict(zip(mine["label"].tolist(), mine["area_px"].tolist(), strict=True)) == sizes(store, image)
    assert "condition" in found


@pytest.mark.parametrize("kind", ["measure", "count"])
def test_no_job_takes_the_names_of_a_runs_tables(kind):
    with pytest.raises(ParameterError, match="begin with run_"):
        parse_job(kind, {"table": "run_cells"})


def test_numbers_of_other_labels_are_not_exported(corrected):
    store, table = corrected
    forms = [{"form": "geojson"}]
    a, b = images(store)
    assert do(store, "export", forms=forms, numbers=table)[0]["failed"] == {}
    apply_edit(store, ANNA, labels_of_image(store, a.id).id, Delete(ids=(2,)))
    failed = do(store, "export", forms=forms, numbers=table)[0]["failed"]
    assert set(failed) == {a.id}
    assert "labels cells of a as they are now; measure them again" in failed[a.id]
    do(store, "segment", recipe_text=CLASSICAL)
    for old in (table, *visible(store, "run_cells")):
        with pytest.raises(InputError, match="measure them again"):
            do(store, "export", forms=forms, numbers=old)
    only_b, _ = do(store, "measure", images=[b.id], passport=None)
    made, _ = do(store, "export", forms=forms, numbers=only_b["table"])
    assert set(made["failed"]) == {a.id}
    with zipfile.ZipFile(result_path(store, result(store, made["export"]))) as archive:
        found = json.loads(archive.read("labels/b.geojson"))["features"]
    told = rows(store, only_b["table"])["area_px"].tolist()
    assert sorted(each["properties"]["measurements"]["area_px"] for each in found) == sorted(told)


def test_a_comparison_says_that_its_table_is_of_older_labels(corrected):
    store, table = corrected
    said = []
    made, _ = do(store, "compare", table=table, settings=SETTINGS, said=said)
    assert said == []
    apply_edit(store, ANNA, labels_of_image(store, images(store)[0].id).id, Delete(ids=(2,)))
    made, _ = do(store, "compare", table=table, settings=SETTINGS, said=said)
    ((kind, text),) = said
    assert kind == "warning"
    assert "before labels of 1 of its images were changed (a)" in text
    found = result(store, made["comparison"])
    assert found.details["notes"][0] == text
    assert "measure again for the numbers of now" in (result_path(store, found) / "report.html").read_text()
    do(store, "segment", recipe_text=CLASSICAL)
    do(store, "compare", table=visible(store, "run_cells")[0], settings=SETTINGS, said=said)
    assert "what a recipe found" in said[-1][1]


def test_the_design_is_that_of_the_image_though_another_has_its_name(tmp_path):
    store, _ = labelled_study(tmp_path, "ab")
    made, _ = do(store, "measure", passport=None)
    with store.database.write() as connection:
        connection.execute("UPDATE images SET name = 'a'")
    for kind, asked in (("measure", {"passport": None}), ("count", {"labels": "cells", "density": False})):
        result_id = do(store, kind, **asked)[0]["table"]
        assert set(rows(store, result_id).groupby("condition").size()) in ({9}, {1})
    twice, _ = do(store, "measure")
    assert "flag_edge" in read_header(result_path(store, result(store, twice["table"])))
    with pytest.raises(ParameterError, match="two images named a"):
        do(store, "compare", table=twice["table"], settings=SETTINGS)
    with pytest.raises(ParameterError, match="two images named a"):
        do(store, "export", forms=[{"form": "csv"}], numbers=twice["table"])
    assert len(rows(store, made["table"])) == len(rows(store, twice["table"]))
    store.close()
