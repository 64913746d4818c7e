"""Rolling ball and sliding paraboloid beside those of a real ImageJ, where one is installed."""

from __future__ import annotations

import shutil
import subprocess
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from cellmetry.ops.rolling_ball import subtract_imagej

IMAGEJ = Path("/usr/share/java/ij.jar")
TYPES = {8: (np.uint8, 16), 16: (np.uint16, 1), 32: (np.float32, 100)}


class Case(NamedTuple):
    scene: str
    bits: int
    radius: int
    create: bool
    light: bool
    paraboloid: bool
    smooth: bool

    @property
    def name(self) -> str:
        return "_".join(map(str, self))


CASES = [Case(*each) for each in product(("spots", "discs"), TYPES, (10, 50), *[(False, True)] * 4)]


def scene(name: str) -> np.ndarray:
    """Return soft spots on a slope, or flat discs on a wave; with noise, some at the border."""
    rng = np.random.default_rng(len(name))
    height, width = 180, 221
    y, x = np.mgrid[:height, :width]
    middles = rng.uniform(0, 1, (35, 2)) * (height, width)
    if name == "spots":
        light = 600 + 2 * x + 1.5 * y + rng.normal(0, 15, x.shape)
        for cy, cx in middles:
            light += rng.uniform(200, 900) * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * rng.uniform(3, 8) ** 2))
        return light
    light = 300 + 100 * np.sin(x / 60) + 80 * np.cos(y / 45) + rng.normal(0, 5, x.shape)
    for cy, cx in middles:
        light[(y - cy) ** 2 + (x - cx) ** 2 < rng.uniform(5, 14) ** 2] += 400
    return light


def pixels_of(case: Case) -> np.ndarray:
    light = scene(case.scene)
    light = light.max() + 100 - light if case.light else light
    dtype, by = TYPES[case.bits]
    return (light / by).astype(dtype)


@pytest.fixture(scope="module")
def imagej(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """Return what ImageJ makes of each case, by its name; one Java for all."""
    java = shutil.which("java")
    if java is None or shutil.which("javac") is None or not IMAGEJ.is_file():
        pytest.skip("needs ImageJ (Debian's package imagej) and a JDK")
    folder, lines = tmp_path_factory.mktemp("imagej"), []
    for case in CASES:
        pixels = pixels_of(case)
        pixels.astype(">f4").tofile(folder / case.name)
        height, width = pixels.shape
        lines.append(" ".join(map(str, (case.name, width, height, case.bits, case.radius, *map(int, case[3:])))))
    (folder / "tasks").write_text("\n".join(lines) + "\n", encoding="ascii")
    code = Path(__file__).parent / "java" / "Background.java"
    command = [java, "-Djava.awt.headless=true", "-cp", str(IMAGEJ), str(code), str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return {case.name: np.fromfile(folder / f"{case.name}.out", ">f4").reshape(pixels.shape) for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_imagej_makes_the_same(imagej: dict[str, np.ndarray], case: Case) -> None:
    """Every pixel of the ball; of the paraboloid, whose lines we compute with 64 bits, all but roundings."""
    pixels, theirs = pixels_of(case), imagej[case.name]
    ours = subtract_imagej(
        pixels, case.radius, light_background=case.light, create_background=case.create,
        sliding_paraboloid=case.paraboloid, smooth=case.smooth,
    )  # fmt: skip
    if not case.paraboloid:
        np.testing.assert_array_equal(ours, theirs)
    elif case.bits == 32:
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * np.abs(pixels).max())
    else:
        assert np.abs(ours - theirs).max() <= 1
        assert (ours != theirs).mean() < 1e-3
