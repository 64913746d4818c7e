"""Unmixing inverts mixing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import cellmetry as cm
from cellmetry.core.sample import Sample
from cellmetry.errors import ParameterError, UnknownName
from cellmetry.ops.bleed_through import Bleed, BleedThrough

shares = st.floats(0.01, 0.4)


def dyes(channels: int = 3) -> np.ndarray:
    return np.random.default_rng(8).integers(0, 1000, (channels, 15, 17)).astype(np.float32)


def unmixed(array: np.ndarray, coefficients: list[dict], **rest) -> np.ndarray:
    sample = Sample(cm.image_from_array(array, "CYX", channel_names=["DAPI", "GFP", "Cy3"][: len(array)]))
    return BleedThrough(coefficients=coefficients, **rest)(sample).image.read()


@given(shares, shares, shares)
def test_exact_unmixing_inverts_mixing(first, second, third):
    true = dyes()
    mixing = np.array([[1, second, 0], [first, 1, 0], [0, third, 1]])
    measured = np.einsum("ij,jyx->iyx", mixing, true).astype(np.float32)
    coefficients = [
        {"from": "DAPI", "into": "GFP", "share": first},
        {"from": "GFP", "into": "DAPI", "share": second},
        {"from": 1, "into": "cy3", "share": third},
    ]
    np.testing.assert_allclose(unmixed(measured, coefficients), true, atol=0.01)


def test_first_order_subtracts_shares_of_the_measured_channels():
    array = dyes()
    coefficients = [{"from": 0, "into": 1, "share": 0.1}, {"from": 1, "into": 2, "share": 0.2}]
    made = unmixed(array, coefficients, exact=False)
    np.testing.assert_allclose(made[1], array[1] - 0.1 * array[0], rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(made[2], array[2] - 0.2 * array[1], rtol=1e-5, atol=1e-3)
    np.testing.assert_array_equal(made[0], array[0])
    assert np.abs(unmixed(array, coefficients)[2] - made[2]).max() > 1


@given(shares)
def test_in_one_direction_both_are_the_same(share):
    array = dyes(2)
    one = [{"from": 0, "into": 1, "share": share}]
    np.testing.assert_allclose(unmixed(array, one), unmixed(array, one, exact=False), atol=1e-3)


def test_negative_values_are_kept_or_clipped_and_whole_numbers_work():
    array = np.array([[[200, 10]], [[3, 50]]], np.uint8)
    one = [{"from": 0, "into": 1, "share": 0.5}]
    assert unmixed(array, one)[1].tolist() == [[-97, 45]]
    assert unmixed(array, one, negatives="clip")[1].tolist() == [[0, 45]]


def test_what_cannot_be_meant_is_an_error():
    for wrong, words in (
        ([{"from": 0, "into": 0, "share": 0.1}], "into itself"),
        ([{"from": 0, "into": 1, "share": 0.1}] * 2, "stands once"),
        ([{"from": 0, "into": 1, "share": -0.1}], "greater than 0"),
        ([], "at least 1"),
    ):
        with pytest.raises(ValidationError, match=words):
            BleedThrough(coefficients=wrong)
    with pytest.raises(ParameterError, match="names one channel"):
        unmixed(dyes(), [{"from": 0, "into": "dapi", "share": 0.1}])
    with pytest.raises(ParameterError, match="cannot be told apart"):
        unmixed(dyes(), [{"from": 0, "into": 1, "share": 1.0}, {"from": 1, "into": 0, "share": 1.0}])
    with pytest.raises(UnknownName):
        unmixed(dyes(2), [{"from": 0, "into": "Cy3", "share": 0.1}])


def test_python_names_the_source():
    made = Bleed(source="GFP", into="Cy3", share=0.1)
    assert made == Bleed.model_validate({"from": "GFP", "into": "Cy3", "share": 0.1})
    assert made.model_dump() == {"from": "GFP", "into": "Cy3", "share": 0.1}
