"""Print how long `import cellmetry` takes in a fresh interpreter: `python benchmarks/import_time.py`."""

from __future__ import annotations

import statistics
import subprocess
import sys

REPEATS = 15
CODE = "import time; start = time.perf_counter(); import cellmetry; print(time.perf_counter() - start)"


def main() -> None:
    command = [sys.executable, "-c", CODE]
    times = [float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(REPEATS)]
    print(f"import cellmetry: median {statistics.median(times) * 1e3:.1f} ms, longest {max(times) * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
