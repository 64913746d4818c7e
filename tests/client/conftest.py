"""One real server for all tests of the client."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
import tifffile


@pytest.fixture(scope="session")
def serving():
    """Return the module `real_server` of the server's tests."""
    file = Path(__file__).parents[1] / "server" / "real_server.py"
    spec = spec_from_file_location("tests_server_real_server", file)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def cells():
    """Return a function of a seed and a brightness: twelve cells on a noisy ground, uint16 (128, 128)."""

    def made(seed, light=3000):
        centres = [(20 + 40 * row, 20 + 30 * column) for row in range(3) for column in range(4)]
        y, x = np.mgrid[:128, :128]
        signal = sum(light * np.exp(-((y - a) ** 2 + (x - b) ** 2) / 40) for a, b in centres)
        return (signal + np.random.default_rng(seed).normal(400, 10, (128, 128))).astype(np.uint16)

    return made


@pytest.fixture(scope="session")
def files(cells, tmp_path_factory):
    """Return four images: two of a control, two that are twice as bright."""
    folder = tmp_path_factory.mktemp("images")
    for number in range(4):
        tifffile.imwrite(folder / f"w{number}.tif", cells(number, 3000 + 3000 * (number // 2)))
    return sorted(folder.glob("*.tif"))


@pytest.fixture(scope="module")
def server(serving, tmp_path_factory, files):
    """A real server of mode laptop that may open the folder of the images."""
    home = tmp_path_factory.mktemp("server") / "home"
    with serving.real_server(home, "--root", str(files[0].parent)) as running:
        yield running
