"""The plate layout of a study has the study's order of conditions."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from cellmetry.pipeline.study.plates import layout_of
from cellmetry.report.style import FigureStyle


def test_the_layout_takes_the_order_of_the_study() -> None:
    names = ["a", "b", "c"]
    images = pd.DataFrame({"row": "B", "column": [2, 3, 4], "condition": names, "excluded": False})
    design = SimpleNamespace(order=("c", "a"), plate_wells=96)
    block = layout_of(SimpleNamespace(said=SimpleNamespace(design=design)), images, FigureStyle())
    assert block is not None
    assert [text.get_text() for text in block.figure.legends[0].get_texts()] == ["c", "a", "b"]
