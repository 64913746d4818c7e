"""What the server loads when it starts: nothing that only jobs need."""

from __future__ import annotations

import subprocess
import sys

JOBS_NEED = ("matplotlib", "torch", "sklearn", "cellmetry.pipeline.jobs.kinds.segmenting")


def test_the_server_starts_without_what_only_jobs_need():
    code = f"import sys, cellmetry.server.running; print([each for each in {JOBS_NEED!r} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
