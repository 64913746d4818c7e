"""Colour deconvolution agrees with scikit-image where both do the same."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2hed, rgb_from_hed
from skimage.data import immunohistochemistry

from cellmetry.ops.stain import STAINS, stain_density


@pytest.mark.parametrize(("stain", "column"), [("haematoxylin", 0), ("dab", 2)])
def test_densities_are_those_of_scikit_image_but_for_their_unit(stain: str, column: int) -> None:
    """Theirs is in units of six decades, of stain colours not brought to length 1, and cut at 0."""
    picture = immunohistochemistry()
    ours = stain_density(np.moveaxis(picture, -1, 0).astype(np.float32), STAINS[stain])
    theirs = 6 * rgb2hed(picture)[..., column] * np.linalg.norm(rgb_from_hed[column])
    lit = picture.min(axis=-1) > 0  # black counts as 1/256 here, as a millionth there
    np.testing.assert_allclose(np.maximum(ours, 0)[lit], theirs[lit], atol=1e-5)


def test_white_has_no_density_whatever_the_scale() -> None:
    for white in (1, 255, 65535):
        picture = np.full((3, 4, 4), white, np.float32)
        assert np.abs(stain_density(picture, None)).max() == 0


def test_all_stains_together_is_the_optical_density() -> None:
    picture = np.array([255, 25.5, 255], np.float32).reshape(3, 1, 1)
    assert stain_density(picture, None)[0, 0] == pytest.approx(1.0)
