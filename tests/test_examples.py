"""Every example runs as it is and says what it should."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SAYS = {
    "anyones_labels.py": r"(?s)label\s+area_um2\s+mean_signal.*\n +10 ",
    "client.py": r"(?s)Cellmetry serves\n\d+ cells\n +image +label .*python: ",
    "membrane_ratio.py": r"cell 1: .* 0\.72 in the whole cell, 2\.00 in its membrane",
    "measure_in_python.py": r"axes CYX.*\n60 cells",
    "own_engine.py": r"40 objects, F1 against the truth: 1\.000",
    "plate_recipe.py": r"(?s)control +25 .*high dose +18 .*index\.html",
}


def test_every_example_is_listed() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SAYS)
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in listed for name in SAYS)


@pytest.mark.parametrize("name", sorted(SAYS))
def test_example_runs_and_says(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search(SAYS[name], done.stdout), done.stdout
