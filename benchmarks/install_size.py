"""Print what `pip install .` puts on disk, by package: `python benchmarks/install_size.py [--keep FOLDER]`.

A fresh virtual environment is made, Cellmetry is installed as any user would, and the files are counted as they lie
(bytes of content, 1 MB = 1,000,000 bytes; pip itself left out).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SIZES = """
import json
from importlib.metadata import distributions
sizes = {}
for dist in distributions():
    files = [dist.locate_file(file) for file in dist.files or ()]
    sizes[dist.metadata["Name"]] = sum(file.stat().st_size for file in files if file.is_file())
print(json.dumps(sizes))
"""


def install(folder: Path) -> Path:
    """Return the interpreter of a fresh environment in `folder` that holds Cellmetry."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(ROOT)], check=True)
    return python


def sizes(python: Path) -> dict[str, int]:
    done = subprocess.run([python, "-I", "-c", SIZES], check=True, capture_output=True, text=True)
    found: dict[str, int] = json.loads(done.stdout)
    return {name: size for name, size in found.items() if name not in {"pip", "setuptools"}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="Folder in which the environment is made and left.")
    keep = parser.parse_args().keep
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        found = sizes(install(keep or Path(scratch) / "env"))
    for name, size in sorted(found.items(), key=lambda item: -item[1])[:20]:
        print(f"{size / 1e6:8.1f} MB  {name}")
    print(f"{sum(found.values()) / 1e6:8.1f} MB  all {len(found)} packages")


if __name__ == "__main__":
    main()
