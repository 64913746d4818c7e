"""`Step`, `Parameters`, `Sample`: frozen, described, refusing what they do not know."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from pydantic import Field, ValidationError

from cellmetry.core.image import image_from_array
from cellmetry.core.labels import labels_from_array
from cellmetry.core.parameters import parse_parameters
from cellmetry.core.progress import SILENT, Progress
from cellmetry.core.sample import Sample
from cellmetry.core.step import Parameters, Step
from cellmetry.errors import ParameterError, UnknownName


class Shift(Step):
    """Add a number to every id."""

    name: ClassVar[str] = "shift"
    by: int = Field(default=1, ge=0, description="What to add.")
    unit: str = "px"
    """A word, described by its docstring."""

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with shifted ids."""
        progress.start("shift", 1)
        labels = sample.need_labels("cells")
        progress.advance()
        return sample.with_labels("cells", labels_from_array(labels.read() + self.by))


@pytest.fixture
def sample() -> Sample:
    return Sample(image_from_array(np.zeros((2, 2))), {"cells": labels_from_array(np.array([[0, 1], [2, 0]]))})


def test_a_step_returns_a_new_sample(sample: Sample) -> None:
    after = Shift(by=10)(sample)
    np.testing.assert_array_equal(after.labels["cells"].read(), [[10, 11], [12, 10]])
    np.testing.assert_array_equal(sample.labels["cells"].read(), [[0, 1], [2, 0]])


def test_a_step_is_frozen_and_refuses_unknown_and_impossible_values() -> None:
    step = Shift()
    with pytest.raises(ValidationError):
        step.by = 3
    for wrong in ({"bye": 1}, {"by": -1}, {"by": "x"}):
        with pytest.raises(ValidationError):
            Shift(**wrong)


def test_a_step_survives_json() -> None:
    step = Shift(by=3, unit="um")
    assert Shift.model_validate_json(step.model_dump_json()) == step


def test_every_parameter_is_described_in_the_schema() -> None:
    properties = Shift.model_json_schema()["properties"]
    assert properties["by"]["description"] == "What to add."
    assert properties["unit"]["description"] == "A word, described by its docstring."


def test_values_that_are_not_finite_are_refused() -> None:
    class Scale(Parameters):
        """One factor."""

        factor: float = 1.0

    with pytest.raises(ValidationError):
        Scale(factor=float("nan"))


def test_parsing_text_says_what_is_wrong_in_words() -> None:
    assert parse_parameters(Shift, {"by": "4"}, where="step shift").by == 4
    with pytest.raises(UnknownName, match="Did you mean 'unit'"):
        parse_parameters(Shift, {"unitt": "px"}, where="step shift")
    with pytest.raises(ParameterError, match=r"step shift: by: .* greater than or equal to 0, not -4"):
        parse_parameters(Shift, {"by": -4}, where="step shift")


def test_a_sample_tells_which_labels_there_are(sample: Sample) -> None:
    with pytest.raises(ParameterError, match=r"No step before made labels named 'nuclei' \(there are: cells\)"):
        sample.need_labels("nuclei")
    with pytest.raises(ParameterError, match="there are: none"):
        Sample(sample.image).need_labels("cells")


def test_tables_and_warnings_are_added_to_a_new_sample(sample: Sample) -> None:
    table = pd.DataFrame({"label": [1, 2]})
    after = sample.with_table("cells", table).with_warnings("a", "b")
    assert after.tables["cells"] is table
    assert after.warnings == ("a", "b")
    assert sample.tables == {}
    assert sample.warnings == ()
