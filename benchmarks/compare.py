"""A million cells with sixty columns: `cellmetry compare` with figures and report, its time and its memory.

    python benchmarks/compare.py [--cells 1000000] [--csv]

The table is made anew (6 conditions × 3 replicates, known differences) and compared by the command as a user calls it,
in a process of its own, whose largest memory is read when it ends.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from cellmetry.io.tables import write_table

CONDITIONS, REPLICATES, COLUMNS = 6, 3, 60


def make_table(cells: int) -> pd.DataFrame:
    random = np.random.default_rng(5)
    condition, replicate = random.integers(CONDITIONS, size=cells), random.integers(REPLICATES, size=cells)
    image = random.integers(40, size=cells) + 40 * (condition * REPLICATES + replicate)
    day, both = random.normal(0, 8, REPLICATES), random.normal(0, 4, (CONDITIONS, REPLICATES))
    value = 100 + 5 * condition + day[replicate] + both[condition, replicate] + random.gamma(4, 10, cells)
    words = {
        "image": np.char.add("image_", image.astype(str)),
        "label": np.arange(1, cells + 1),
        "condition": np.char.add("drug ", condition.astype(str)),
        "replicate": np.char.add("day ", replicate.astype(str)),
        "mean_EdU": value,
    }
    rest = {f"feature_{place}": random.normal(size=cells) for place in range(COLUMNS - len(words))}
    return pd.DataFrame(words | rest)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=1_000_000)
    parser.add_argument("--csv", action="store_true", help="a CSV in place of Parquet")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("cells.csv" if options.csv else "cells.parquet")
        write_table(make_table(options.cells), path)
        print(f"{options.cells:,} cells × {COLUMNS} columns: {path.stat().st_size / 1e6:.0f} MB as {path.suffix[1:]}")
        command = [
            sys.executable,
            "-m",
            "cellmetry",
            "compare",
            str(path),
            "--value",
            "mean_EdU",
            "--control",
            "drug 0",
        ]
        start = time.perf_counter()
        subprocess.run([*command, "--control", "drug 0", "--out", f"{folder}/out"], check=True)
        seconds = time.perf_counter() - start
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        contrasts = json.loads(Path(folder, "out", "comparison.json").read_text(encoding="utf-8"))["contrasts"]
    print(f"compare, figures and report: {seconds:.1f} s, {memory:.2f} GB at most")
    print(f"{contrasts[0]['condition']}: {contrasts[0]['estimate']:.2f}, n = {contrasts[0]['n_cells']:,} cells")


if __name__ == "__main__":
    main()
