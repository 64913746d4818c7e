"""What `import cellmetry` offers, and how little it loads."""

from __future__ import annotations

import json
import subprocess
import sys
import types

import pytest

import cellmetry

HEAVY = [
    "torch", "numpy", "pandas", "dask", "skimage", "scipy", "numba", "zarr", "tifffile", "onnxruntime", "PIL",
    "pydantic", "typer", "rich",
]  # fmt: skip


def modules_after(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded after `code`."""
    script = f"{code}\nimport sys, json\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_all_is_sorted_and_agrees_with_the_lazy_names() -> None:
    assert cellmetry.__all__ == sorted(cellmetry.__all__)
    assert set(cellmetry.__all__) == {*cellmetry._HOMES, "__version__"}
    assert dir(cellmetry) == sorted(cellmetry.__all__)


@pytest.mark.parametrize("name", cellmetry._HOMES)
def test_every_public_name_is_there_and_listed_by_its_module(name: str) -> None:
    value = cellmetry.__getattr__(name)
    home = sys.modules[cellmetry._HOMES[name]]
    assert getattr(home, name) is value
    assert name in home.__all__
    assert not isinstance(value, types.ModuleType)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'segmant'"):
        _ = cellmetry.segmant


def test_import_loads_nothing_heavy() -> None:
    assert not modules_after("import cellmetry") & set(HEAVY)


def test_opening_and_measuring_load_no_torch_or_dask() -> None:
    loaded = modules_after("import cellmetry as cm\n[getattr(cm, name) for name in cm.__all__]")
    assert not loaded & {"torch", "tensorflow", "cellpose", "stardist", "dask"}


@pytest.mark.parametrize(
    "before", ["", "import cellmetry.measure", "from cellmetry.measure.table import measure", "cm.run"]
)
def test_measure_is_called_whether_or_not_the_package_of_that_name_was_imported_before(before: str) -> None:
    script = f"""
import numpy as np
import cellmetry as cm
{before}
image = cm.image_from_array(np.ones((4, 4)))
labels = cm.labels_from_array(np.eye(4, dtype=int))
for _ in range(2):
    assert cm.measure(image, labels)["area_px"].tolist() == [4]
"""
    subprocess.run([sys.executable, "-c", script], check=True)
