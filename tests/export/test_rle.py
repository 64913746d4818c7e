"""Run-length codes: the four conventions of Kaggle, and COCO's counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellmetry.errors import DamagedFile
from cellmetry.export.rle import (
    KAGGLE_DSB,
    SARTORIUS,
    RleForm,
    decode_coco_counts,
    decode_rle,
    encode_coco_counts,
    encode_rle,
    pack_counts,
    unpack_counts,
)
from cellmetry.ops.instances import Instance, paint_instances

FORMS = [RleForm(order, first) for order in ("row", "column") for first in (0, 1)]
MASKS = arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def whole(instance: Instance, shape: tuple[int, int]) -> np.ndarray:
    return paint_instances([instance], shape).labels > 0


@pytest.mark.parametrize("form", FORMS)
@given(mask=MASKS)
def test_every_mask_comes_back(form: RleForm, mask: np.ndarray) -> None:
    assert np.array_equal(whole(decode_rle(encode_rle(mask, form), mask.shape, form), mask.shape), mask)


def test_the_conventions_are_those_of_the_competitions() -> None:
    mask = np.array([[1, 1, 0], [0, 1, 0]], bool)
    assert encode_rle(mask, SARTORIUS) == "1 2 5 1"
    assert encode_rle(mask, KAGGLE_DSB) == "1 1 3 2"
    assert encode_rle(mask, RleForm("row", 0)) == "0 2 4 1"
    assert encode_rle(mask, RleForm("column", 0)) == "0 1 2 2"


def test_a_run_goes_on_in_the_next_line_and_first_and_last_pixel_count() -> None:
    assert whole(decode_rle("0 1 3 3", (2, 3), RleForm()), (2, 3)).tolist() == [[True, False, False], [True] * 3]
    assert decode_rle("", (2, 3), RleForm()).area == 0


@pytest.mark.parametrize("text", ["1", "0 1", "6 2", "1 0", "1 -1", "a b", "1.5 2", "99999999999999999999 1"])
def test_wrong_codes_are_refused(text: str) -> None:
    with pytest.raises(DamagedFile, match="run-length"):
        decode_rle(text, (2, 3), RleForm("row", 1))


@given(mask=MASKS)
def test_coco_counts_come_back_as_list_and_as_text(mask: np.ndarray) -> None:
    counts = encode_coco_counts(mask)
    assert sum(counts) == mask.size
    assert np.array_equal(whole(decode_coco_counts(counts, mask.shape), mask.shape), mask)
    assert np.array_equal(whole(decode_coco_counts(pack_counts(counts), mask.shape), mask.shape), mask)


@given(st.lists(st.integers(0, 2**31 - 1)))
def test_counts_survive_packing(counts: list[int]) -> None:
    assert unpack_counts(pack_counts(counts)).tolist() == counts
    assert unpack_counts(pack_counts(counts).encode()).tolist() == counts


def test_counts_are_packed_as_by_pycocotools() -> None:
    mask = np.zeros((200, 300), bool)
    mask[50:120, 40:42] = True
    mask[10:15, 200] = True
    mask[199, 299] = True
    assert pack_counts(encode_coco_counts(mask)) == "bk7V2R40Xjn0oMVbDL"


@pytest.mark.parametrize("text", ["~", "!", "P", "0000000", "1O", "\x80"])
def test_wrong_packed_codes_are_refused(text: str) -> None:
    with pytest.raises(DamagedFile, match="COCO"):
        decode_coco_counts(text, (2, 3))


@pytest.mark.parametrize("counts", [[1, 2], [7], [2, -1, 5], [1.5, 4.5], ["6"]])
def test_wrong_lists_of_counts_are_refused(counts: list[int]) -> None:
    with pytest.raises(DamagedFile, match="COCO"):
        decode_coco_counts(counts, (2, 3))
