from __future__ import annotations

import numpy as np
import pytest

import cellmetry as cm
from cellmetry.core.sample import Sample
from cellmetry.counting.step import Count
from cellmetry.ops.density import density_from_labels
from cellmetry.report.counts import draw_counts


def counted(*, labels: bool, density: bool, side: int = 1400) -> Sample:
    truth = np.zeros((side, side), np.int32)
    for label in range(100):
        y, x = divmod(label, 10)
        truth[y * 130 + 20 : y * 130 + 80, x * 130 + 20 : x * 130 + 80] = label + 1
    sample = Sample(cm.image_from_array((truth > 0).astype(np.uint8) * 200, pixel_size_um=0.5))
    if labels:
        found = np.where((truth > 50) & (truth % 2 == 0), truth - 1, truth)
        sample = sample.with_labels("cells", cm.labels_from_array(found))
    if density:
        sample = sample.with_maps({"density": cm.image_from_array(density_from_labels(truth))})
    return Count()(sample)


@pytest.mark.parametrize(
    ("labels", "density", "panels"), [(True, True, (2, 2)), (True, False, (1, 2)), (False, True, (1, 2))]
)
def test_there_are_as_many_panels_as_there_is_to_show(labels, density, panels) -> None:
    picture = draw_counts(counted(labels=labels, density=density))
    rows, columns = panels
    assert picture.dtype == np.uint8
    assert picture.shape == (rows * 712 - 12, columns * 712 - 12, 3)


def test_the_disagreement_is_orange_where_the_density_counts_more() -> None:
    panel = draw_counts(counted(labels=True, density=True))[712:, 712:].astype(int)
    warmth = panel[..., 0] - panel[..., 2]
    assert warmth[400:600].max() > 60
    assert abs(warmth[100:300]).max() < 20


def test_an_empty_image_has_a_picture() -> None:
    sample = Sample(cm.image_from_array(np.zeros((90, 70), np.uint8)))
    sample = sample.with_labels("cells", cm.labels_from_array(np.zeros((90, 70), int)))
    sample = Count()(sample.with_maps({"density": cm.image_from_array(np.zeros((90, 70), np.float32))}))
    assert draw_counts(sample).shape[2] == 3
