"""Channels that lie off each other are found out before a study runs, and what cannot be told is said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cellmetry.core.image import Image, image_from_array
from cellmetry.errors import UnknownName
from cellmetry.learn.generate.edu import EduOptions, generate_edu_study
from cellmetry.pipeline.inputs import find_images
from cellmetry.pipeline.pairing import PAIRING_COLUMNS, PairingOptions, check_pairing
from cellmetry.pipeline.reading import Reading

if TYPE_CHECKING:
    from pathlib import Path

CHANNELS = ("phase", "EdU", "TO-PRO-3")


@dataclass(frozen=True)
class Made:
    """Stands for a file: an image in memory."""

    image: Image

    def open(self) -> Image:
        return self.image


@cache
def fields() -> tuple[np.ndarray, ...]:
    study = generate_edu_study(EduOptions(replicates=1, fields=1, seed=5))
    return tuple(np.stack([named.field.phase, named.field.edu, named.field.topro]) for named in study)


def shifted(y: int, x: int, channels: tuple[int, ...] = (1, 2), keep: tuple[int, ...] = (0, 1, 2)) -> list[Made]:
    """Return images whose fluorescence must move `y` down and `x` right to lie on phase contrast."""
    made = []
    for number, planes in enumerate(fields()):
        moved = planes[:, 40:-40, 40:-40].copy()
        for c in channels:
            moved[c] = planes[c, 40 + y : planes.shape[1] - 40 + y, 40 + x : planes.shape[2] - 40 + x]
        names = [CHANNELS[c] for c in keep]
        made.append(Made(image_from_array(moved[list(keep)], "CYX", channel_names=names, name=f"field{number}")))
    return made


@pytest.mark.parametrize(("y", "x"), [(0, 0), (1, -1), (3, 0), (0, -12), (-7, 10)])
def test_the_shift_of_fluorescence_against_phase_contrast_is_found(y: int, x: int) -> None:
    pairing = check_pairing(shifted(y, x), "phase", ("EdU", "TO-PRO-3"))
    for finding, channel in zip(pairing.findings, ("EdU", "TO-PRO-3"), strict=True):
        own = pairing.shifts[pairing.shifts["channel"] == channel]
        believed = own[own["believed"]]
        assert len(believed) >= len(own) / 2
        assert believed["y_px"].median() == pytest.approx(y, abs=0.6)
        assert believed["x_px"].median() == pytest.approx(x, abs=0.6)
        far = np.hypot(y, x) > 2
        assert finding.severity == ("warning" if far else "note")
        assert ("align_channels" in finding.text) == far
    assert tuple(pairing.shifts.columns) == tuple(column.name for column in PAIRING_COLUMNS)


def test_edu_is_compared_through_the_stain_of_all_nuclei() -> None:
    pairing = check_pairing(shifted(3, 0), "phase", ("EdU",))
    assert set(pairing.shifts["through"]) == {"TO-PRO-3"}
    assert "through TO-PRO-3" in pairing.findings[0].text


def test_only_edu_shifted_against_the_nuclei_is_found_too() -> None:
    (finding,) = check_pairing(shifted(0, 12, channels=(1,)), "TO-PRO-3", ("EdU",)).findings
    assert finding.severity == "warning"
    assert re.search(r"and 1[12]\.\d px right", finding.text)


def test_channels_with_nothing_in_common_are_not_told() -> None:
    rng = np.random.default_rng(0)
    noise = rng.poisson(200, (6, 2, 256, 256)).astype(np.uint16)
    refs = [Made(image_from_array(each, "CYX", channel_names=["phase", "EdU"])) for each in noise]
    (finding,) = check_pairing(refs, "phase", ("EdU",)).findings
    assert finding.severity == "note"
    assert "could not be told" in finding.text


def test_different_shifts_of_clear_fields_are_a_warning_by_the_longest() -> None:
    refs = shifted(0, 0)[:3] + shifted(0, 9, channels=(1,))[3:]
    (finding,) = check_pairing(refs, "TO-PRO-3", ("EdU",)).findings
    assert finding.severity == "warning"
    assert re.search(r"at most (8\.[89]|9\.\d) px", finding.text)


def test_a_real_plate_of_two_channels_lies_well(shared: Path) -> None:
    reading = Reading(pattern="Channel{channel}-{_}-{row}-{column}.tif", roles={"1": "FKHR", "2": "DNA"})
    refs = find_images([shared / "data" / "bbbc013" / "images"], reading).images
    (finding,) = check_pairing(refs, "DNA", ("FKHR",)).findings
    assert finding.severity == "note", finding.text
    assert "within" in finding.text


def test_few_fields_are_looked_at_and_the_tolerance_is_the_users() -> None:
    options = PairingOptions(fields=2, tolerance_px=5)
    pairing = check_pairing(shifted(3, 0), "TO-PRO-3", ("phase",), options)
    assert len(pairing.shifts) == 2
    assert pairing.findings[0].severity == "note"


def test_an_unknown_channel_is_refused() -> None:
    with pytest.raises(UnknownName, match="DAPI"):
        check_pairing(shifted(0, 0), "phase", ("DAPI",))
