"""Tables and comparisons say in what the study has changed since."""

from __future__ import annotations

import sys
from pathlib import Path

from cellmetry.pipeline.jobs.outdated import outdated_comparison, outdated_table
from cellmetry.study.store.acts import act
from cellmetry.study.store.images import images, say
from cellmetry.study.store.results import result

sys.path.insert(0, str(Path(__file__).parent))
from labelled_studies import ANNA, do, labelled_study
from test_comparing import settings


def test_what_was_said_and_measured_since_is_told(tmp_path):
    store, _ = labelled_study(tmp_path, "abcd")
    made, _ = do(store, "measure", passport=None)
    table = result(store, made["table"])
    asked = settings(store, table.id)
    compared, _ = do(store, "compare", table=table.id, settings=asked)
    comparison = result(store, compared["comparison"])
    assert outdated_table(store, table) == outdated_comparison(store, comparison) == []

    ids = {each.name: each.id for each in images(store)}
    with store.database.write():
        say(store, act(store, ANNA, "say", "a"), ids["a"], {"condition": "other"})
        say(store, act(store, ANNA, "say", "b"), ids["b"], {"excluded": True})
    sentences = (
        "1 image was left out or removed since {} (b).",
        "1 image got another condition or replicate since {} (a).",
    )
    since = "the table cells was made", "this was compared"
    assert outdated_table(store, table) == [each.format(since[0]) for each in sentences]
    assert outdated_comparison(store, comparison) == [each.format(since[1]) for each in sentences]
    with store.database.write():
        say(store, act(store, ANNA, "say", "a"), ids["a"], {"condition": "a"})
        say(store, act(store, ANNA, "say", "b"), ids["b"], {"excluded": None})
    assert outdated_comparison(store, comparison) == []
    do(store, "measure", passport=None)
    assert outdated_comparison(store, comparison) == ["The table cells was made again since."]
    store.close()
