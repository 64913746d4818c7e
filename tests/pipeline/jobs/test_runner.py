"""Jobs in real processes: they are done, cancelled, interrupted, resumed; a bad image or process costs only itself."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from cellmetry.pipeline.jobs.limits import JobLimits
from cellmetry.pipeline.jobs.runner import JobRunner
from cellmetry.pipeline.stored.registering import register_images
from cellmetry.study.store.images import images
from cellmetry.study.store.jobs import ENDED, jobs

sys.path.insert(0, str(Path(__file__).parent))
from job_studies import ANNA, new_store, write_images


def wait_for(true, seconds=60):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def test_a_job_is_done_in_a_process_of_its_own(tmp_path):
    store = new_store(tmp_path)
    runner = JobRunner(JobLimits(workers=1))
    runner.start()
    runner.add(store)
    register_images(store, ANNA, [write_images(tmp_path / "images", "abc")])
    runner.wake()
    wait_for(lambda: all(each.state in ENDED for each in jobs(store)))
    (done,) = jobs(store)
    assert (done.state, done.done, done.total, done.error) == ("done", 3, 3, "")
    assert [each.state for each in images(store)] == ["ready"] * 3
    wait_for(lambda: runner.idle)
    runner.stop()
    store.close()
