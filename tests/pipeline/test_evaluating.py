"""A report of predictions and an engine: files, what the page says, and that nothing is half done or lost."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

import cellmetry as cm
from cellmetry.engines.segment import Segment
from cellmetry.errors import Cancelled, InputError, MissingInput, OutputError, ParameterError
from cellmetry.io.discover import is_own_output
from cellmetry.learn.dataset import DataSet, DataSetCard, Item
from cellmetry.learn.pairs import read_truth_set
from cellmetry.ops.matching import match_labels
from cellmetry.ops.synthetic import make_cells
from cellmetry.pipeline.evaluating import EngineRun, evaluate_to, prediction_names

ENGINE = EngineRun(Segment(engine="classical", diameter_px=26))


@pytest.fixture
def fields(tmp_path: Path) -> DataSet:
    """Three generated fields with their truth, of two modalities."""
    items = []
    for seed in range(3):
        field = make_cells((200, 240), 8, seed=seed)
        tifffile.imwrite(tmp_path / f"f{seed}.tif", field.image[1])
        tifffile.imwrite(tmp_path / f"t{seed}.tif", field.labels.astype(np.uint16))
        modality = "fluorescence" if seed else "other <b>"
        items.append(Item(f"f{seed}", tmp_path / f"f{seed}.tif", tmp_path / f"t{seed}.tif", modality=modality))
    return DataSet(DataSetCard(name="generated & <true>"), tmp_path, tuple(items))


def test_an_engine_is_scored_on_the_labels_that_segment_gives(fields, tmp_path):
    (found,) = evaluate_to(tmp_path / "report", fields, engine=ENGINE)
    assert found.name == "classical"
    for item in fields.items:
        labels = cm.read_labels(tmp_path / "report" / "predicted" / f"{item.name}_labels.tif")
        direct = cm.segment(cm.open_image(item.image), engine="classical", diameter_px=26)
        assert cm.labels_hash(labels) == cm.labels_hash(direct)
        row = found.tables["images"].set_index("image").loc[item.name]
        assert row["ap_50"] == match_labels(cm.read_labels(item.truth).read(), labels.read()).ap


def test_the_report_holds_page_tables_pictures_and_json(fields, tmp_path):
    out = tmp_path / "report"
    (found,) = evaluate_to(out, fields, engine=ENGINE)
    record = json.loads((out / "evaluation.json").read_text("utf-8"))
    assert record["evaluations"] == [found.summary()]
    for name, table in found.tables.items():
        read = cm.read_table(out / "tables" / f"{name}.csv")
        assert len(read) == len(table)
        assert [column.name for column in read.attrs["columns"]] == ["prediction", *table.columns]
    assert {path.name for path in (out / "pictures").iterdir()} >= {"curves.png", "counts.png"}
    assert is_own_output(out)
    assert not list(tmp_path.glob(".cellmetry-*"))


def test_the_page_is_one_file_escapes_names_and_allows_its_own_script_only(fields, tmp_path):
    import base64
    import hashlib
    import re

    evaluate_to(tmp_path / "report", fields, engine=ENGINE)
    page = (tmp_path / "report" / "index.html").read_text("utf-8")
    assert "generated &amp; &lt;true&gt;" in page
    assert "<b>" not in page
    assert not re.findall(r"(?:src|href)=\"(?!data:|tables/|evaluation\.json|#)[^\"]*", page.replace("xlink:href", "x"))
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "#01010" not in page  # every stand-in became a colour of the page
    assert page.count("<svg") == 2


def test_several_predictions_stand_side_by_side(fields, tmp_path):
    evaluate_to(tmp_path / "first", fields, engine=ENGINE)
    (tmp_path / "nothing").mkdir()
    for item in fields.items:
        tifffile.imwrite(tmp_path / "nothing" / f"{item.name}.tif", np.zeros((200, 240), np.uint16))
    folders = [tmp_path / "first" / "predicted", tmp_path / "nothing"]
    found = evaluate_to(tmp_path / "both", fields, folders)
    assert [each.name for each in found] == ["predicted", "nothing"]
    assert found[1].score("ap_50") == 0
    assert found[0].score("ap_50") > 0.5
    images = cm.read_table(tmp_path / "both" / "tables" / "images.csv")
    assert images["prediction"].tolist() == ["predicted"] * 3 + ["nothing"] * 3
    assert (tmp_path / "both" / "pictures" / "worst_2_3.png").is_file()
    assert "nothing: AP" in (tmp_path / "both" / "index.html").read_text("utf-8")


def test_an_earlier_report_is_replaced_and_anything_else_refused(fields, tmp_path):
    evaluate_to(tmp_path / "report", fields, engine=ENGINE)
    (tmp_path / "report" / "old").write_text("x")
    evaluate_to(tmp_path / "report", fields, engine=ENGINE)
    assert not (tmp_path / "report" / "old").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "data").write_text("x")
    with pytest.raises(OutputError, match="other contents"):
        evaluate_to(tmp_path / "mine", fields, engine=ENGINE)
    assert (tmp_path / "mine" / "data").read_text() == "x"


def test_inputs_inside_the_report_are_never_replaced(fields, tmp_path):
    evaluate_to(tmp_path / "report", fields, engine=ENGINE)
    with pytest.raises(ParameterError, match="which the report would replace"):
        evaluate_to(tmp_path / "report", fields, [tmp_path / "report" / "predicted"])
    assert (tmp_path / "report" / "predicted" / "f0_labels.tif").exists()


def test_a_failure_leaves_nothing(fields, tmp_path):
    tifffile.imwrite(tmp_path / "f2.tif", np.zeros((3, 200, 240), np.uint8), metadata={"axes": "ZYX"}, imagej=True)
    with pytest.raises(InputError, match="stack or a series"):
        evaluate_to(tmp_path / "report", fields, engine=ENGINE)
    tifffile.imwrite(tmp_path / "f2.tif", np.zeros((90, 90), np.uint8))
    with pytest.raises(InputError, match="90 × 90"):
        evaluate_to(tmp_path / "report", fields, engine=ENGINE)
    assert not (tmp_path / "report").exists()
    assert not list(tmp_path.glob(".cellmetry-*"))


def test_perfect_empty_and_pictureless_reports_are_written(tmp_path):
    truth = tmp_path / "truth"
    truth.mkdir()
    tifffile.imwrite(truth / "a.tif", np.zeros((40, 50), np.uint16))
    (found,) = evaluate_to(tmp_path / "report", read_truth_set(truth), [truth])
    assert found.score("ap_50") == 1
    page = (tmp_path / "report" / "index.html").read_text("utf-8")
    assert "Worst errors" not in page
    assert "Found: 0 of 0 true objects" in page


def test_refusals(fields, tmp_path):
    with pytest.raises(ParameterError, match="nothing to evaluate"):
        evaluate_to(tmp_path / "report", fields)
    with pytest.raises(MissingInput, match="needs images"):
        evaluate_to(tmp_path / "report", read_truth_set(tmp_path / "t0.tif"), engine=ENGINE)
    with pytest.raises(ParameterError, match="twice"):
        evaluate_to(tmp_path / "report", read_truth_set(tmp_path / "t0.tif"), [tmp_path / "t0.tif"] * 2)


def test_stopping_leaves_nothing(fields, tmp_path):
    class Stopper:
        def start(self, task: str, total: int) -> None:
            """Let it begin."""

        def advance(self, units: int = 1) -> None:
            raise KeyboardInterrupt

    with pytest.raises(Cancelled, match="nothing was written"):
        evaluate_to(tmp_path / "report", fields, engine=ENGINE, progress=Stopper())
    assert not (tmp_path / "report").exists()
    assert not list(tmp_path.glob(".cellmetry-*"))


def test_real_fields_of_nuclei(shared, tmp_path):
    folder = shared / "data" / "bbbc039"
    images = sorted((folder / "images").iterdir())[2:4]
    engine = EngineRun(Segment(engine="classical"))
    (found,) = evaluate_to(tmp_path / "report", read_truth_set(folder / "labels", images), engine=engine)
    assert found.score("ap_50") > 0.8
    assert found.score("boundary_f1") > 0.9
    images_table = found.tables["images"]
    assert (images_table["tp_50"] + images_table["fn_50"]).tolist() == images_table["n_true"].tolist()


def test_names_tell_folders_apart():
    assert prediction_names(["x/a", "x/b"]) == ["a", "b"]
    assert prediction_names(["run1/labels", "run2/labels"]) == ["run1", "run2"]
    assert prediction_names(["x/a", "y/a"]) == ["x/a", "y/a"]
    assert prediction_names([]) == []
