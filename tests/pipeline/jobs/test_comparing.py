"""The job `compare`: conditions of a table of the study, as the study says them now."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from cellmetry.errors import Cancelled, ParameterError, UnknownName
from cellmetry.io.tables import read_header, read_table
from cellmetry.pipeline.jobs.kinds import comparing
from cellmetry.pipeline.jobs.registry import parse_job
from cellmetry.study.store.acts import act, acts
from cellmetry.study.store.images import images, remove_images, say
from cellmetry.study.store.jobs import jobs
from cellmetry.study.store.results import result, result_path, results

sys.path.insert(0, str(Path(__file__).parent))
from labelled_studies import ANNA, do, labelled_study, study_with_stack

SETTINGS = {
    "comparisons": [{"value": "mean_C0", "by": "condition", "replicate": "replicate", "control": "a"}],
    "figures": ["superplot"],
    "tables": [],
    "style": {"formats": ["svg"]},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    store, _ = labelled_study(tmp_path_factory.mktemp("compare"), "abcdef")
    made, _ = do(store, "measure", passport=None)
    yield store, made["table"]
    store.close()


def value(store, table):
    """The name of the intensity of the only channel."""
    names = read_header(result_path(store, result(store, table)))
    return next(name for name in names if name.startswith("mean_"))


def settings(store, table, **changes):
    first = {**SETTINGS["comparisons"][0], "value": value(store, table)}
    return {**SETTINGS, "comparisons": [first], **changes}


def test_a_comparison_is_a_folder_with_record_report_and_figures(study):
    store, table = study
    made, job = do(store, "compare", table=table, settings=settings(store, table))
    found = result(store, made["comparison"])
    folder = result_path(store, found)
    record = json.loads((folder / "comparison.json").read_text())
    (contrast,) = record["contrasts"]
    assert contrast["value"] == value(store, table)
    (source,) = record["source"]["inputs"]
    page = (folder / "report.html").read_text()
    assert "6 images were analysed" in page
    assert "Labels of 6 of 6 images were made by other programs." in page
    assert "Objects of cells were measured in all channels" in page
    assert (source["result"], source["sha256"]) == (table, result(store, table).sha256)
    assert (folder / "report.html").is_file()
    assert list((folder / "figures").glob("*.svg"))
    used = {each["image"]: (record["source"]["design"][key], each) for key, each in record["source"]["images"].items()}
    design, said = used["a"]
    assert design == {"condition": "a", "replicate": "1"}, "what was said of it then"
    assert (said["labels"], said["version"]) == ("cells", 0)
    assert "cells, version 0" in page
    assert "design: {" not in page
    assert f"per cell (column {value(store, table)}, in units of the detector) was compared between" in page
    assert str(store.folder) not in (folder / "comparison.json").read_text() + (folder / "report.html").read_text()
    before = len(acts(store))
    again, _ = do(store, "compare", table=table, settings=settings(store, table), job=job)
    assert (again["comparison"], len(acts(store))) == (found.id, before)


def test_what_was_not_written_is_told_also_by_a_job_that_was_stopped(study, monkeypatch):
    store, table = study
    asked = settings(store, table)
    with monkeypatch.context() as patch:
        patch.setattr(comparing, "keep_result", stopped)
        with pytest.raises(Cancelled):
            do(store, "compare", table=table, settings=asked, name_of_result="notes")
    job = jobs(store)[-1].id
    folder = store.folder / "jobs" / job / "comparison"
    record = json.loads((folder / "comparison.json").read_text())
    (folder / "comparison.json").write_text(json.dumps({**record, "not_written": ["A table was too large."]}))
    made, _ = do(store, "compare", table=table, settings=asked, name_of_result="notes", job=job)
    assert result(store, made["comparison"]).details["notes"] == ["A table was too large."]


def stopped(*args, **options):
    raise Cancelled("Stopped.")


def test_conditions_are_those_of_now_and_removed_images_are_out(study):
    store, table = study
    ids = {each.name: each.id for each in images(store)}
    with store.database.write():
        say(store, act(store, ANNA, "design", "e"), ids["e"], {"condition": "b", "replicate": 9})
        remove_images(store, act(store, ANNA, "remove", "f"), [ids["f"]])
    made, _ = do(store, "compare", table=table, settings=settings(store, table), name_of_result="second")
    tables = sorted((result_path(store, result(store, made["comparison"])) / "tables").rglob("*.parquet"))
    cells = next(each for each in map(read_table, tables) if "label" in each and "image" in each)
    told = cells.groupby("image")[["condition", "replicate"]].first()
    assert told["condition"].to_dict() == {"a": "a", "b": "b", "c": "a", "d": "b", "e": "b"}
    assert told.loc["e", "replicate"] == 9
    assert [each.name for each in results(store, "comparison")][-1] == "second"


def test_a_second_segmentation_is_put_beside(study):
    store, table = study
    asked = settings(store, table)
    made, _ = do(store, "compare", table=table, second=table, corrected=table, settings=asked, name_of_result="third")
    record = json.loads((result_path(store, result(store, made["comparison"])) / "comparison.json").read_text())
    assert len(record["source"]["inputs"]) == 3
    assert all("segmentation" in json.dumps(each) for each in record["contrasts"])


def test_wells_of_one_plate_give_no_p_value_until_their_batches_are_said(tmp_path):
    store, _ = labelled_study(tmp_path, "abcdef")
    table = do(store, "measure", passport=None)[0]["table"]

    def compared(**words):
        with store.database.write():
            for each in images(store):
                said = {name: of[each.name] for name, of in words.items()}
                say(store, act(store, ANNA, "design", each.name), each.id, said)
        made, _ = do(store, "compare", table=table, settings=settings(store, table))
        found = result(store, made["comparison"])
        record = json.loads((result_path(store, found) / "comparison.json").read_text())
        return record["contrasts"][0], record["source"]["no_p_value"], found.details

    (one, doubts, details) = compared(well={name: f"B{k}" for k, name in enumerate("abcdef", start=1)})
    assert one["p_value"] is None
    assert one["estimate"] is not None
    assert "are wells of one plate" in doubts[0]
    assert doubts[0] in details["notes"]
    (one, doubts, details) = compared(batch=dict(zip("abcdef", "112233", strict=True)))
    assert one["p_value"] is not None
    assert doubts == []
    assert {each["batch"] for each in details["design"].values()} == {"1", "2", "3"}
    store.close()


def test_what_cannot_be_compared_is_told(study):
    store, table = study
    with pytest.raises(UnknownName, match="mean_C9"):
        do(store, "compare", table=table, settings={**SETTINGS, "comparisons": [{"value": "mean_C9"}]})
    with pytest.raises(UnknownName):
        do(store, "compare", table="res_0000000000000000", settings=settings(store, table))
    made = results(store, "comparison")
    if made:
        with pytest.raises(ParameterError, match="not a table"):
            do(store, "compare", table=made[0].id, settings=settings(store, table))


@pytest.mark.parametrize(
    "changes",
    [
        {"table": "../a"},
        {"settings": {"comparisons": []}},
        {"settings": {"comparisons": [{"value": "a"}] * 51}},
        {"settings": {"comparisons": [{"value": "a" * 10_001}]}},
        {"settings": {"comparisons": [{"value": "a", "order": ["x"] * 100_001}]}},
        {"settings": {"comparisons": [{"value": "a"}], "style": {"labels": {"a": "b" * 10_001}}}},
        {"settings": {"comparisons": [{"value": "a"}], "style": {"width_mm": float("inf")}}},
        {"name_of_result": ""},
    ],
)
def test_requests_are_bounded(changes):
    with pytest.raises(ParameterError):
        parse_job("compare", {"table": "res_0000000000000000", "settings": SETTINGS, **changes})


def test_another_question_of_the_same_name_is_kept_beside_the_first(tmp_path):
    store, _ = labelled_study(tmp_path, "abcd")
    made, _ = do(store, "measure", passport=None)
    table = made["table"]
    asked = {"settings": settings(store, table), "table": table, "name_of_result": "one"}
    other = {**asked, "settings": settings(store, table, keep=["area_px > 1"])}
    for question in (asked, other, asked, other):
        do(store, "compare", **question)
    names = [each.name for each in results(store, "comparison")]
    assert names == ["one", "one (2)"]
    first = next(each for each in images(store) if each.name == "a")
    with store.database.write():
        say(store, act(store, ANNA, "design", "a"), first.id, {"replicate": 12})
    do(store, "compare", **asked)
    assert [each.name for each in results(store, "comparison")] == ["one", "one (2)", "one (3)"]
    store.close()


def test_numbers_of_cells_are_compared_by_image_also_of_one_without_cells(tmp_path):
    store, _ = labelled_study(tmp_path, "abcd")
    made, _ = do(store, "measure", passport=None)
    ids = {each.name: each.id for each in images(store)}
    with store.database.write():
        for image_id in ids.values():
            say(store, act(store, ANNA, "say", "size"), image_id, {"pixel_size_um": 10.0})
    asked = {**SETTINGS["comparisons"][0], "table": "fields", "rows": "images", "value": "n_cells_kept_per_mm2"}
    settings = {**SETTINGS, "comparisons": [asked, {**asked, "value": "n_cells_kept"}], "keep": ['image != "c"']}
    found, _ = do(store, "compare", table=made["table"], settings=settings)
    folder = result_path(store, result(store, found["comparison"]))
    fields = read_table(folder / "tables" / "fields.parquet").set_index("image")
    cells = read_table(result_path(store, result(store, made["table"]))).groupby("image").size()
    assert fields["n_cells_kept"].to_dict() == {**cells.to_dict(), "c": 0}
    area = fields["area_mm2"]["a"]
    assert area == pytest.approx(0.96**2)
    assert fields["n_cells_kept_per_mm2"]["a"] == pytest.approx(cells["a"] / area)
    record = json.loads((folder / "comparison.json").read_text())
    left_out = sum(each["n_removed_first"] for each in record["filters"])
    assert left_out == cells["c"]
    groups = record["comparisons"][1]["groups"]
    assert groups[0]["mean"] == pytest.approx(fields[fields["condition"] == "a"]["n_cells_kept"].mean())
    store.close()


def test_a_table_of_counts_is_compared_by_images(tmp_path):
    store, _ = labelled_study(tmp_path, "abcd")
    made, _ = do(store, "count", labels="cells", density=False)
    asked = {**SETTINGS["comparisons"][0], "rows": "images", "value": "n"}
    found, _ = do(
        store, "compare", table=made["table"], settings={**SETTINGS, "comparisons": [asked], "keep": ['region == ""']}
    )
    folder = result_path(store, result(store, found["comparison"]))
    groups = json.loads((folder / "comparison.json").read_text())["comparisons"][0]["groups"]
    assert [each["n_cells"] for each in groups] == [2, 2]
    store.close()


def test_planes_that_were_counted_one_by_one_are_told(tmp_path):
    store = study_with_stack(tmp_path, "planes")
    with store.database.write():
        seq = act(store, ANNA, "say", "Say the design")
        for number, image in enumerate(images(store)):
            say(store, seq, image.id, {"condition": "ab"[number % 2], "replicate": number // 2 + 1})
    table = do(store, "measure", passport=None)[0]["table"]
    made, _ = do(store, "compare", table=table, settings=settings(store, table, figures=[]))
    notes = result(store, made["comparison"]).details["notes"]
    assert any("Z stacks stack (1 in all)" in note for note in notes)
    store.close()
