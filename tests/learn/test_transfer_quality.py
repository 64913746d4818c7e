"""Which objects of one channel may teach another, and that rejected ones are left open rather than background."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from cellmetry.learn.generate import FieldLook, generate_field
from cellmetry.learn.transfer import OBJECT_COLUMNS, TransferQuality, judge_objects, not_annotated

QUALITY = TransferQuality(faint=None)


def field() -> tuple[np.ndarray, np.ndarray]:
    """Return labels and light of: 1 good, 2 good, 3 tiny, 4 bent, 5 dim, 6 huge, 7 cut by the border."""
    labels, light = np.zeros((200, 200), np.int32), np.full((200, 200), 100.0)
    light += np.random.default_rng(0).normal(0, 5, light.shape)
    labels[20:40, 20:40], labels[20:40, 60:80], labels[20:23, 100:103] = 1, 2, 3
    labels[60:90, 20:26], labels[84:90, 20:50] = 4, 4
    labels[60:80, 70:90], labels[110:180, 40:110], labels[60:80, 190:] = 5, 6, 7
    light[np.isin(labels, [1, 2, 3, 4, 6, 7])] += 200
    return labels, light.astype(np.float32)


def reasons(quality: TransferQuality) -> dict[int, str]:
    judged = judge_objects(*field(), quality)
    return dict(zip(judged.table["label"], judged.table["reason"], strict=True))


def test_each_object_is_rejected_for_what_is_wrong_with_it() -> None:
    found = reasons(QUALITY)
    assert found == {
        1: "",
        2: "",
        3: "smaller than the least area",
        4: "not compact",
        5: "hardly brighter than its surround",
        6: "much larger than the field's usual object",
        7: "",
    }


@pytest.mark.parametrize(
    ("changes", "label", "reason"),
    [
        ({"keep_border": False}, 7, "cut by the border of the image"),
        ({"max_area_px": 300.0}, 1, "larger than the largest area"),
        ({"min_area_px": 5.0}, 3, "much smaller than the field's usual object"),
        ({"min_area_px": 5.0, "min_relative_area": 0.0}, 3, ""),
        ({"min_solidity": 0.3}, 4, ""),
        ({"min_contrast": -1.0}, 5, ""),
        ({"max_relative_area": 20.0}, 6, ""),
    ],
)
def test_every_limit_is_a_parameter(changes: dict[str, object], label: int, reason: str) -> None:
    assert reasons(QUALITY.model_copy(update=changes))[label] == reason


def test_rejected_objects_are_left_open_with_a_margin_and_accepted_ones_keep_every_pixel() -> None:
    labels, light = field()
    labels[20:40, 40:44] = 8
    judged = judge_objects(labels, light, QUALITY)
    assert [column.name for column in OBJECT_COLUMNS] == list(judged.table.columns)
    assert set(np.unique(judged.labels)) == {0, 1, 2, 7}
    assert judged.annotated[judged.labels > 0].all()
    assert not judged.annotated[np.isin(labels, [3, 4, 5, 6, 8])].any()
    assert not judged.annotated[58:60, 75:85].any()
    assert judged.annotated[57, 75:85].all()
    assert judged.labels.dtype == np.int32


def test_light_that_no_object_claims_is_left_open() -> None:
    labels, light = field()
    light[150:170, 150:170] += 190
    open_places = ~judge_objects(labels, light, TransferQuality(faint=0.5)).annotated
    closed = ~judge_objects(labels, light, QUALITY).annotated
    assert open_places[152:168, 152:168].all()
    assert not closed[152:168, 152:168].any()
    assert not open_places[182:, :].any()


def test_a_field_without_objects_is_all_background() -> None:
    judged = judge_objects(np.zeros((40, 40), np.int32), np.ones((40, 40), np.float32), TransferQuality())
    assert len(judged.table) == 0
    assert judged.annotated.all()
    assert not judged.labels.any()


def test_objects_that_leave_no_free_ground_are_compared_with_what_there_is() -> None:
    labels = np.ones((40, 40), np.int32)
    judged = judge_objects(labels, np.ones((40, 40), np.float32), TransferQuality(max_relative_area=9))
    assert np.isfinite(judged.table["contrast"]).all()


def test_a_refused_field_keeps_the_first_reason_of_each_object() -> None:
    labels, light = field()
    judged = judge_objects(labels, light, QUALITY)
    refused = not_annotated(labels, judged.table, "the channels are shifted by 9.0 px")
    assert not refused.table["accepted"].any()
    assert refused.table.set_index("label")["reason"][[1, 3]].tolist() == [
        "the channels are shifted by 9.0 px",
        "smaller than the least area",
    ]
    assert not refused.annotated.any()
    assert not refused.labels.any()


def test_limits_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValidationError, match="max_area_px is below min_area_px"):
        TransferQuality(min_area_px=50, max_area_px=20)


@pytest.mark.parametrize("found", [0, 3])
def test_cells_that_were_missed_do_not_become_background(found: int) -> None:
    """Of a confluent field nothing was found, or three cells; an empty field is background all over."""
    field = generate_field(FieldLook(kind="brightfield", cell_shape="confluent", shape=(256, 256)), 3)
    stain = field.channels["fluorescence"]
    judged = judge_objects(np.where(field.labels <= found, field.labels, 0), stain, TransferQuality())
    missed = field.labels > found
    assert (judged.annotated & missed).sum() < 0.15 * missed.sum()
    noise = np.random.default_rng(0).normal(100, 10, (256, 256)).astype(np.float32)
    assert judge_objects(np.zeros((256, 256), np.int32), noise, TransferQuality()).annotated.mean() > 0.99
