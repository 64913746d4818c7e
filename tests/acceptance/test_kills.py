"""Three kills of a busy server or its worker: nothing that was answered is lost (`benchmarks/kills.py` has fifty)."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "kills.py"


def test_nothing_that_was_answered_is_lost(tmp_path: Path) -> None:
    spec = spec_from_file_location("benchmark_kills", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    kills = module_from_spec(spec)
    sys.modules[spec.name] = kills
    spec.loader.exec_module(kills)
    faults, done = kills.kill_again_and_again(tmp_path, kills=3, images=3, seed=3)
    assert faults == []
    assert done["server killed"] + done["worker killed"] == 3
    assert done["edits"] > 0
