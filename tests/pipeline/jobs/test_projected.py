"""Z stacks whose cells were found in a projection: each cell once, in the planes made one as then, and told so."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from cellmetry.core.labels import Labels
from cellmetry.io.opening import open_image
from cellmetry.io.tables import read_table
from cellmetry.pipeline.jobs.data_sets import write_stored_data
from cellmetry.pipeline.jobs.labelled import labelled_images
from cellmetry.pipeline.jobs.table_facts import facts_of_table
from cellmetry.pipeline.quick.counting import CountPreviewRequest, preview_count
from cellmetry.pipeline.quick.masking import MaskRequest, preview_masks
from cellmetry.study.store.acts import act
from cellmetry.study.store.images import images
from cellmetry.study.store.jobs import add_job
from cellmetry.study.store.label_pixels import read_labels
from cellmetry.study.store.labels import add_labels, labels_of_image
from cellmetry.study.store.results import result, result_path

sys.path.insert(0, str(Path(__file__).parent))
from labelled_studies import ANNA, do, squares, study_with_stack, truth, work_on

SHARES = (0.5, 1, 0.25, 0)
CELLS = int(truth().max())


@pytest.fixture(scope="module", params=["max", "mean"])
def study(request, tmp_path_factory):
    store = study_with_stack(tmp_path_factory.mktemp(request.param), request.param, SHARES)
    [stack] = [image for image in images(store) if image.name == "stack"]
    yield store, request.param, labels_of_image(store, stack.id, "cells")
    store.close()


def made_by(store, kind, **parameters):
    made, _ = do(store, kind, **parameters)
    assert made["failed"] == {}
    found = result(store, made["table"])
    return found, read_table(result_path(store, found))


def projected(how):
    """The one plane that labels of the stack saw."""
    planes = np.stack([(squares(7) * share).astype(np.uint16) for share in SHARES])
    return planes.max(0) if how == "max" else planes.mean(0)


def projections(found):
    return {each["name"]: each["project"] for each in found.details["images"].values()}


def test_cells_of_a_projection_are_counted_once(study):
    store, how, labels = study
    found, table = made_by(store, "count", labels="cells", density=False)
    assert table.set_index("image")["n"].to_dict() == {"a": CELLS, "b": CELLS, "stack": CELLS}
    assert projections(found) == {"a": None, "b": None, "stack": how}
    seen = preview_count(
        store, CountPreviewRequest(image=labels.image_id, z=3, box=(0, 96, 0, 96), labels="cells", density=False)
    )
    assert [row["n"] for row in seen.counts] == [CELLS]
    assert not any("several planes" in warning for warning in seen.warnings)


def test_channels_are_quantified_in_the_projection(study):
    store, how, labels = study
    found, table = made_by(store, "quantify", target="0")
    assert projections(found) == {"a": None, "b": None, "stack": how}
    cells = table[table["image"] == "stack"]
    pixels = read_labels(store, labels.id).read()
    expected = [projected(how)[pixels == cell].mean() for cell in cells["label"]]
    assert len(cells) == CELLS
    np.testing.assert_allclose(cells["cell_mean_target"], expected)


def test_masks_are_shown_in_the_projection_whatever_plane_is_looked_at(study):
    store, _, labels = study
    bright = {"target": {"mask": "value", "value": 300}}
    asked = {"image": labels.image_id, "labels": labels.id, "target": "0", "plan": bright, "box": (0, 96, 0, 96)}
    first, dark = (preview_masks(store, MaskRequest(**asked, z=z)).shown.seen for z in (0, 3))
    assert next(each.n for each in first if each.name == "target_mask") == CELLS
    assert [each.ids.tolist() for each in first] == [each.ids.tolist() for each in dark]


def test_a_model_learns_from_the_projection(study):
    store, how, labels = study
    work = work_on(store, add_job(store, ANNA, "train", {}))
    data = write_stored_data(work, labelled_images(store, [labels.image_id], "cells"), None)
    assert data.images[labels.image_id]["project"] == how
    [item] = data.data_set.items
    np.testing.assert_allclose(open_image(item.image).read().squeeze(), projected(how))


def test_a_measured_projection_is_recorded_and_told(study):
    store, how, _ = study
    found, _ = made_by(store, "measure")
    assert projections(found) == {"a": None, "b": None, "stack": how}
    word = {"max": "maximum", "mean": "mean"}[how]
    assert (
        f"Z stacks were analysed as the {word} of their planes (1 of 3 images)." in facts_of_table(store, found).labels
    )
    asked, _ = made_by(store, "measure", measure={"plane": 0}, passport={"plane": 0}, images=[images(store)[2].id])
    assert set(projections(asked).values()) == {None}
    assert not any("Z stacks" in sentence for sentence in facts_of_table(store, asked).labels)


def test_what_is_doubtful_is_sought_in_the_one_plane_of_the_labels(study):
    pytest.importorskip("torch", reason="the network needs torch")
    store, how, labels = study
    with store.database.write():
        seq = act(store, ANNA, "import labels", "Import labels")
        add_labels(store, seq, labels.image_id, Labels(np.where(truth() == 1, 0, truth())), name=f"part {how}")
    made, _ = do(store, "review", labels=f"part {how}")
    found = result(store, made["table"]).details["images"][labels.image_id]
    assert {each["z"] for each in found["maps"]} == {0}


def test_flat_labels_of_a_stack_without_a_word_are_of_its_maximum(study):
    store, _, labels = study
    with store.database.write():
        seq = act(store, ANNA, "import labels", "Import labels")
        add_labels(store, seq, labels.image_id, Labels(truth()), name="brought")
    for kind, asked in (("measure", {}), ("count", {"density": False}), ("quantify", {"target": "0"})):
        found, _ = made_by(store, kind, labels="brought", table=f"brought {kind}", **asked)
        assert projections(found) == {"stack": "max"}
