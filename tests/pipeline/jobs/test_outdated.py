"""Tables and comparisons say in what the study has changed since."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cellmetry.ops.shapes import Shape
from cellmetry.pipeline.jobs import outdated
from cellmetry.pipeline.jobs.outdated import outdated_comparison, outdated_table
from cellmetry.study.store.acts import act
from cellmetry.study.store.images import images, say
from cellmetry.study.store.regions import put_regions
from cellmetry.study.store.results import result, result_path
from cellmetry.study.store.said import excluded_images

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
    assert excluded_images(store) == {ids["b"]}
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
    assert excluded_images(store) == set()
    assert outdated_comparison(store, comparison) == []
    do(store, "measure", passport=None)
    assert outdated_comparison(store, comparison) == ["The table cells was made again since."]
    store.close()


def test_the_design_of_a_table_asks_for_all_images_once(tmp_path, monkeypatch):
    store, _ = labelled_study(tmp_path, "abc")
    made, _ = do(store, "measure", passport=None)
    asked = []
    monkeypatch.setattr(outdated, "images", lambda store: asked.append(store) or images(store))
    design = outdated.design_of(store, result(store, made["table"]), {"condition"})
    assert sorted(each["condition"] for each in design.values()) == ["a", "a", "b"]
    assert len(asked) == 1
    store.close()


def test_images_were_added_to_tables_of_all_images_only(tmp_path):
    store, _ = labelled_study(tmp_path, "abc")
    ids = [each.id for each in images(store)]
    with store.database.write():
        say(store, act(store, ANNA, "say", "c"), ids[2], {"excluded": True})
    chosen = {"images": ids[:1]}
    tables = [
        result(store, do(store, kind, table=f"{kind} {len(of)}", **asked, **of)[0]["table"])
        for kind, asked in (("measure", {"passport": None}), ("quantify", {"target": "0", "plan": {"passport": False}}))
        for of in ({}, chosen)
    ]
    assert [outdated_table(store, each) for each in tables] == [[]] * 4
    with store.database.write():
        say(store, act(store, ANNA, "say", "c"), ids[2], {"excluded": None})
    added = "1 image was added since the table {} was made (c)."
    assert [outdated_table(store, each) for each in tables] == [
        [added.format("measure 0")],
        [],
        [added.format("quantify 0")],
        [],
    ]
    store.close()


def test_another_pixel_size_and_other_names_and_regions_are_told(tmp_path):
    store, _ = labelled_study(tmp_path, "abcd")
    ids = {each.name: each.id for each in images(store)}

    def say_of_all(**values):
        with store.database.write():
            seq = act(store, ANNA, "say", "all")
            for image_id in ids.values():
                say(store, seq, image_id, values)

    say_of_all(pixel_size_um=0.5)
    put_regions(store, ANNA, ids["a"], [Shape(name="left", rectangle=(0, 0, 96, 48))])
    named = [do(store, "measure", passport=None, regions=regions, table=f"{regions}") for regions in ((), None)]
    counted, _ = do(store, "count", labels="cells", density=False, regions=["left"])
    tables = [result(store, made["table"]) for made in (*(each for each, _ in named), counted)]
    assert [outdated_table(store, each) for each in tables] == [[], [], []]

    say_of_all(pixel_size_um=0.25)
    size = "4 images got another pixel size since the table {} was made (a, b, c, …)."
    assert [outdated_table(store, each) for each in tables] == [[size.format(each.name)] for each in tables]
    asked = {"comparisons": [{"value": "area_um2"}, {"value": "n_cells_kept_per_mm2", "table": "fields"}]}
    for each in asked["comparisons"]:
        each |= {"by": "condition", "replicate": "replicate"}
    compared, _ = do(store, "compare", table=tables[0].id, settings=asked)
    comparison = result(store, compared["comparison"])
    record = json.loads((result_path(store, comparison) / "comparison.json").read_text(encoding="utf-8"))
    area, density = ([group["mean"] for group in each["groups"]] for each in record["comparisons"])
    cells, mm2 = 9, (96 * 0.5) ** 2 / 1e6
    assert area[0] == 144 * 0.25
    assert density[0] == cells / mm2
    assert size.format(tables[0].name) in record["source"]["notes"]
    assert outdated_comparison(store, comparison) == [size.format(tables[0].name)]

    say_of_all(pixel_size_um=0.5, channel_names=["DAPI"])
    put_regions(
        store, ANNA, ids["a"], [Shape(name="left", rectangle=(0, 0, 96, 40)), Shape(name="b", rectangle=(1, 1, 9, 9))]
    )
    names = "4 images got other channel names since the table {} was made (a, b, c, …)."
    regions = "1 image got other regions since the table {} was made (a)."
    told = [[names, regions], [names], [regions]]  # no channel is looked at to count labels
    assert [outdated_table(store, each) for each in tables] == [
        [sentence.format(table.name) for sentence in sentences] for table, sentences in zip(tables, told, strict=True)
    ]
    store.close()
