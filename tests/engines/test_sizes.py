"""How large objects are, found in a few windows, and what follows for the scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cellmetry.core.image import image_from_array
from cellmetry.engines.segment import Segment, planes_of, segment_with
from cellmetry.engines.sizes import survey_windows, usual_diameter

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.core.image import Box


def discs(diameter: int, *, side: int = 320) -> np.ndarray:
    """Return the labels of round cells on a grid, the first ones cut by the edge."""
    y, x = np.mgrid[:side, :side]
    pitch = 2 * diameter
    inside = np.hypot(y % pitch - pitch / 4, x % pitch - pitch / 4) < diameter / 2
    return np.where(inside, y // pitch * side + x // pitch + 1, 0).astype(np.int32)


@pytest.mark.parametrize("shape", [(40, 60), (512, 513), (700, 1500), (3000, 2000)])
def test_windows_lie_inside_the_plane_and_start_where_tiles_may(shape: tuple[int, int]) -> None:
    boxes = list(survey_windows(shape, 16, 512))
    assert len(boxes) in (1, 2, 4)
    for box in boxes:
        assert 0 <= box.y0 < box.y1 <= shape[0]
        assert 0 <= box.x0 < box.x1 <= shape[1]
        assert (box.y1 - box.y0, box.x1 - box.x0) <= (512, 512)
        assert box.y0 % 16 == box.x0 % 16 == 0


def diameter_of(labels: np.ndarray) -> tuple[float | None, int]:
    """Return the usual diameter in a plane with these labels, and how many of its pixels were looked at."""
    seen = 0

    def find(box: Box) -> np.ndarray:
        nonlocal seen
        seen += labels[box.slices].size
        return labels[box.slices]

    return usual_diameter(find, labels.shape, 16), seen


@pytest.mark.parametrize("diameter", [6, 20, 40, 80])
def test_the_diameter_is_that_of_round_objects_of_the_usual_area(diameter: int) -> None:
    found, _ = diameter_of(discs(diameter, side=1200))
    assert found == pytest.approx(diameter, rel=0.06)


def test_small_windows_suffice_where_they_show_many_objects() -> None:
    found, seen = diameter_of(discs(20, side=2048))
    assert found == pytest.approx(20, rel=0.06)
    assert seen == 4 * 256**2
    found, seen = diameter_of(discs(80, side=2048))
    assert found == pytest.approx(80, rel=0.06)
    assert seen == 4 * (256**2 + 512**2)


def test_nothing_is_said_of_few_objects_or_of_those_that_windows_cut() -> None:
    labels = np.zeros((50, 50), np.int32)
    assert diameter_of(labels)[0] is None
    for number in range(5):
        labels[10 * number : 10 * number + 6, 0:6] = number + 1
    assert diameter_of(labels)[0] is None
    assert diameter_of(np.pad(labels, 1))[0] == pytest.approx(2 * np.sqrt(36 / np.pi))


def test_small_cells_are_enlarged_with_a_warning_and_only_the_asked_plane_is_looked_at(
    tiny_models, tmp_path: Path
) -> None:
    model = str(tiny_models(tmp_path, diameters_px=(30.0, 60.0)))
    light = (discs(20) > 0).astype(np.float32)
    step = Segment(engine="cellmetry", model=model)
    found = segment_with(step, image_from_array(light, "YX", name="small"))
    assert any(sentence.startswith("small was worked at 1.") for sentence in found.warnings)
    given = segment_with(step.model_copy(update={"diameter_px": 40.0}), image_from_array(light, "YX", name="small"))
    assert not any("its own scale" in sentence for sentence in given.warnings)

    (found_alone,) = [plane.scale for plane in planes_of(step, step.load_engine(), image_from_array(light, "YX"))]  # type: ignore[arg-type]
    assert found_alone == pytest.approx(1.5, rel=0.15)


@pytest.mark.parametrize("axes", ["TYX", "ZYX"])
def test_all_planes_are_worked_at_one_scale_found_where_there_are_objects(
    tiny_models, tmp_path: Path, axes: str
) -> None:
    step = Segment(engine="cellmetry", model=str(tiny_models(tmp_path, diameters_px=(30.0, 60.0))))
    small, large = (discs(diameter) > 0 for diameter in (20, 40))
    engine = step.load_engine()
    stack = image_from_array(np.stack([large, small, np.zeros_like(small)]).astype(np.float32), axes)
    scales = [plane.scale for plane in planes_of(step, engine, stack)]  # type: ignore[arg-type]
    assert scales == pytest.approx([1.5] * 3, rel=0.15)
    assert len(set(scales)) == 1
    (second,) = planes_of(step, engine, stack, only=(0, 2) if axes == "ZYX" else (2, 0))  # type: ignore[arg-type]
    assert second.scale == scales[0]
    empty = image_from_array(np.zeros((5, 64, 64), np.float32), axes)
    assert {plane.scale for plane in planes_of(step, engine, empty)} == {1.0}  # type: ignore[arg-type]
