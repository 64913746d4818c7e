"""Telling images unlike those of a training by their features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.errors import ParameterError
from cellmetry.ops.familiarity import fit_familiarity, unfamiliarity


def two_kinds(seed: int, count: int, features: int = 24) -> np.ndarray:
    """Features of images of two kinds: two clouds far apart, each varying along few directions."""
    rng = np.random.default_rng(seed)
    directions = np.random.default_rng(1).normal(size=(3, features))
    middles = np.where(np.arange(count)[:, None] % 2, 3.0, -3.0) * np.eye(1, features)
    return middles + rng.normal(size=(count, 3)) @ directions + rng.normal(0, 0.05, (count, features))


def test_others_of_the_same_kinds_are_usual_and_another_kind_is_not():
    known = fit_familiarity(two_kinds(0, 200), two_kinds(2, 60))
    same = np.array([unfamiliarity(known, vector) for vector in two_kinds(3, 200)])
    other = two_kinds(4, 200) + 4 * np.eye(1, 24, k=5)
    strange = np.array([unfamiliarity(known, vector) for vector in other])
    assert (same > 1).mean() < 0.07
    assert (strange > 1).mean() > 0.95


def test_held_out_images_set_what_is_usual():
    wide = fit_familiarity(two_kinds(0, 40), 3 * two_kinds(2, 40))
    narrow = fit_familiarity(two_kinds(0, 40), two_kinds(0, 40))
    assert wide.usual > 2 * narrow.usual


def test_few_images_are_generous():
    known = fit_familiarity(two_kinds(0, 6))
    assert max(unfamiliarity(known, vector) for vector in two_kinds(0, 6)) < 1
    assert unfamiliarity(known, two_kinds(0, 6)[0] + 40 * np.eye(1, 24)[0]) > 1


def test_images_all_alike_make_no_division_by_zero():
    known = fit_familiarity(np.ones((5, 8)))
    assert np.isfinite(unfamiliarity(known, np.ones(8)))
    assert np.isfinite(unfamiliarity(known, np.arange(8.0)))


def test_three_images_are_too_few():
    with pytest.raises(ParameterError, match="3 images are too few"):
        fit_familiarity(np.ones((3, 8)))


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 100), st.floats(-50, 50))
def test_units_of_the_features_do_not_matter(factor, shift):
    learnt, other = two_kinds(0, 30), two_kinds(5, 1)[0] + 2
    plain = unfamiliarity(fit_familiarity(learnt), other)
    changed = unfamiliarity(fit_familiarity(learnt * factor + shift), other * factor + shift)
    assert changed == pytest.approx(plain, rel=0.02)
