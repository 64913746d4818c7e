"""What a table's methods say of how it came about."""

from __future__ import annotations

import sys
from pathlib import Path

from cellmetry.pipeline.jobs.table_facts import facts_of_table
from cellmetry.pipeline.stored.registering import register_images
from cellmetry.pipeline.teaching import standings
from cellmetry.report.methods import MethodsFacts, methods_text
from cellmetry.study.editing.objects import Delete
from cellmetry.study.store.acts import undo_act
from cellmetry.study.store.edits import apply_edit, redo, undo
from cellmetry.study.store.images import images
from cellmetry.study.store.labels import label_set, labels_of_image
from cellmetry.study.store.results import result

sys.path.insert(0, str(Path(__file__).parent))
from job_studies import ANNA, CLASSICAL, do_all, new_store, write_images
from labelled_studies import do

HASH = "The recipe with all parameters has the SHA-256"


def methods_of(store, table_id):
    facts = facts_of_table(store, result(store, table_id))
    return methods_text(
        MethodsFacts(
            images=facts.images,
            recipe=facts.steps,
            defaults=facts.defaults,
            recipe_sha256=facts.recipe_sha256,
            labels=facts.labels,
        )
    )


def test_methods_tell_by_what_a_table_was_made_and_of_nothing_else(tmp_path):
    store = new_store(tmp_path)
    register_images(store, ANNA, [write_images(tmp_path / "images", "ab")])
    do_all(store)
    segmented, _ = do(store, "segment", recipe_text=CLASSICAL)
    of_recipe = methods_of(store, segmented["tables"]["run_cells"])
    assert "Objects of cells were measured in all channels" in of_recipe
    assert HASH in of_recipe

    plan = {"target": {"background": "dark:5", "mask": "global_otsu"}, "passport": False}
    quantified, _ = do(store, "quantify", target="0", plan=plan)
    said = methods_of(store, quantified["table"])
    assert "Cells were segmented by the engine classical" in said
    assert "pixels up to its 5th percentile was subtracted from channel target" in said
    assert "The mask target_mask was made from the pixels of cells that are above a threshold (otsu" in said
    assert "Channel target was quantified in each object of cells" in said
    assert "In the quantification, target is the channel 0." in said
    assert "were measured in all channels" not in said
    assert HASH not in said
    assert "The recipe that found the labels has the SHA-256" in said

    counted, _ = do(store, "count", labels="cells", density=False, outside=True, regions=[])
    said = methods_of(store, counted["table"])
    assert "Objects of cells were counted in each plane (outside = True)." in said
    assert "Cells were counted in the regions drawn on the images." in said
    assert "were measured in all channels" not in said

    measured, _ = do(store, "measure", measure={"features": ["shape"]}, passport=None)
    said = methods_of(store, measured["table"])
    assert said.count("were measured in all channels") == 1
    assert "(groups of measures: shape)" in said
    store.close()


def test_the_edits_of_methods_are_those_that_hold_and_teach(tmp_path):
    store = new_store(tmp_path)
    register_images(store, ANNA, [write_images(tmp_path / "images", "a")])
    do_all(store)
    do(store, "segment", recipe_text=CLASSICAL)
    image_id = images(store)[0].id
    labels = labels_of_image(store, image_id)

    def said():
        made, _ = do(store, "measure", passport=None)
        (known,) = standings(store, [labels_of_image(store, image_id)]).values()
        return made["table"], facts_of_table(store, result(store, made["table"])).labels[0], known.teaches

    none = "Labels of all 1 image were used as they were found, without corrections."
    corrected = "Labels were corrected by hand in 1 of 1 image ({})."
    assert said()[1:] == (none, False)
    apply_edit(store, ANNA, labels.id, Delete(ids=(1,)))
    one, *told = said()
    assert told == [corrected.format("1 edit"), True]
    undo(store, ANNA, labels.id)
    assert said()[1:] == (none, False)
    assert facts_of_table(store, result(store, one)).labels[0] == corrected.format("1 edit"), "in that version"
    redo(store, ANNA, labels.id)
    apply_edit(store, ANNA, labels.id, Delete(ids=(2,)))
    assert said()[1:] == (corrected.format("2 edits"), True)

    do(store, "segment", recipe_text=CLASSICAL)
    again = labels_of_image(store, image_id)
    assert again.origin["rebased"] == labels.id
    assert said()[1:] == (corrected.format("2 edits"), True)
    apply_edit(store, ANNA, again.id, Delete(ids=(3,)))
    made, _ = do(store, "relabel", image=image_id)
    assert label_set(store, made["labels"]).version == 0
    assert said()[1:] == (corrected.format("3 edits"), True)
    undo_act(store, ANNA, made["act"])
    assert said()[1:] == (corrected.format("3 edits"), True)
    store.close()
