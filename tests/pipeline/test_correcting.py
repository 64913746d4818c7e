"""What is most worth correcting, by values of the very labels that are corrected."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from cellmetry.core.labels import Labels
from cellmetry.errors import ParameterError
from cellmetry.io.tables import read_table
from cellmetry.pipeline.correcting import correction_queue
from cellmetry.study.store.acts import act
from cellmetry.study.store.images import images
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.results import result, result_path

sys.path.insert(0, str(Path(__file__).parent / "jobs"))
from job_studies import ANNA
from labelled_studies import do, labelled_study, truth

COLUMN = "perimeter_px"


def test_the_effect_on_a_result_takes_values_of_these_labels_alone(tmp_path):
    store, _ = labelled_study(tmp_path, "a")
    [image] = images(store)

    def label(name, ids):
        with store.database.write():
            add_labels(store, act(store, ANNA, "segment", name), image.id, Labels(ids), name=name)

    def measured(name):
        made, _ = do(store, "measure", labels=name, table=name, passport=None)
        return float(read_table(result_path(store, result(store, made["table"])))[COLUMN].mean())

    small = np.where(np.roll(truth(), (4, 4), (0, 1)) == truth(), truth(), 0).astype(np.uint32)
    label("nuclei", small)
    cells, nuclei = measured("cells"), measured("nuclei")
    assert nuclei < cells
    assert correction_queue(store, "cells", result=COLUMN).value == pytest.approx(cells)
    assert correction_queue(store, "nuclei", result=COLUMN).value == pytest.approx(nuclei)
    label("cells", small)
    with pytest.raises(ParameterError, match="No table of these labels has a column"):
        correction_queue(store, "cells", result=COLUMN)
    store.close()
