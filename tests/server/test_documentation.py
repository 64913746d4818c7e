"""The calls of the page on REST, run as they stand there against a real server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tifffile

from cellmetry.ops.synthetic import make_cells

sys.path.insert(0, str(Path(__file__).parent))
from real_server import real_server

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "service" / "api.md"

pytestmark = pytest.mark.skipif(
    any(shutil.which(program) is None for program in ("bash", "curl", "jq")), reason="needs bash, curl and jq"
)


def typed_lines() -> list[str]:
    """Return what a user types, as the page shows it; lines that go on in the next are one."""
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    joined = "".join(blocks).replace("\\\n", " ")
    return [line.removeprefix("$ ") for line in joined.splitlines() if line.startswith("$ ")]


def test_the_calls_of_the_page_work_as_they_stand_there(tmp_path: Path) -> None:
    for number in range(2):
        pixels = make_cells((256, 256), 9, seed=number).image[0]
        tifffile.imwrite(tmp_path / f"a{number}.tif", pixels, photometric="minisblack")
    with real_server(tmp_path / "Cellmetry") as server:
        lines = [line.replace("http://127.0.0.1:8765", server.url) for line in typed_lines()]
        lines = [line.replace("curl -sS", "curl -sS --fail-with-body") for line in lines]
        assert sum(line.startswith("api ") for line in lines) >= 7
        script = "\n".join(["set -euo pipefail", *lines])
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert tifffile.imread(tmp_path / "a0_labels.tif").max() > 0
    assert (tmp_path / "rois.zip").is_file()
    page = json.loads(done.stdout.splitlines()[-1])
    assert page["total"] > 0
    assert len(page["rows"]) == 2
