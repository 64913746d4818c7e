"""`cellmetry study add` and `cellmetry job` as a user types them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.errors import MissingInput, ParameterError, StudyInUse, UnknownName
from cellmetry.study.store.images import images
from cellmetry.study.store.jobs import jobs
from cellmetry.study.store.labels import label_sets
from cellmetry.study.store.store import open_store

RUNNER = CliRunner()
RECIPE = '[[steps]]\nstep = "segment"\nengine = "classical"\noptions = {look = "bright"}\n'


def typed(*words):
    """What a command printed; what it raised is raised."""
    done = RUNNER.invoke(app, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture
def study(tmp_path):
    """A study of two images, in the queue of which a job waits that reads them."""
    (tmp_path / "images").mkdir()
    for name in "ab":
        pixels = np.random.default_rng(1).normal(100, 3, (64, 64))
        pixels[20:40, 20:40] += 500
        tifffile.imwrite(tmp_path / "images" / f"{name}.tif", pixels.astype(np.uint16), photometric="minisblack")
    folder = tmp_path / "s.cellmetry"
    assert "2 images were added" in typed("study", "add", folder, tmp_path / "images").output
    return folder


def test_a_queue_is_filled_and_worked(study, tmp_path):
    (tmp_path / "r.toml").write_text(RECIPE)
    job_id = typed("job", "submit", study, "segment", f"recipe_text=@{tmp_path / 'r.toml'}", "--image", "b").output
    job_id = job_id.strip()
    assert [each["state"] for each in json.loads(typed("job", "list", study, "--json").output)] == ["queued"] * 2
    done = typed("job", "run", study)
    assert done.exit_code == 0, done.output
    assert f"{job_id} segment: done" in done.output
    with open_store(study) as store:
        assert [each.state for each in images(store)] == ["ready"] * 2
        (labels,) = label_sets(store)
        assert labels.image_id == images(store)[1].id
    shown = json.loads(typed("job", "show", study, job_id, "--json").output)
    assert (shown["state"], shown["via"], shown["done"]) == ("done", "cli", 1)
    assert "segment, done" in typed("job", "show", study, job_id).output
    assert "state: done" in typed("job", "log", study, job_id).output
    assert "all of these images already" in typed("study", "add", study, tmp_path / "images").output


def test_jobs_are_submitted_and_cancelled_while_another_program_has_the_study(study):
    with open_store(study, program="a server"):
        job_id = typed("job", "submit", study, "segment", "recipe=any", "--set", "segment.tile_px=512").output.strip()
        told = json.loads(typed("job", "show", study, job_id, "--json").output)
        assert (told["state"], told["parameters"]["set"]) == ("queued", ["segment.tile_px=512"])
        assert "is cancelled" in typed("job", "cancel", study, job_id).output
        assert "is queued" in typed("job", "resume", study, job_id).output
        with pytest.raises(StudyInUse, match="open in a server"):
            typed("job", "run", study)
    assert "job_" in typed("job", "list", study).output


def test_wrong_words_are_refused(study):
    with pytest.raises(UnknownName, match="segment"):
        typed("job", "submit", study, "segmet")
    with pytest.raises(UnknownName, match="recipe"):
        typed("job", "submit", study, "segment", "recip=any")
    with pytest.raises(ParameterError, match="name=value"):
        typed("job", "submit", study, "segment", "any")
    with pytest.raises(UnknownName, match="image in the study"):
        typed("job", "submit", study, "segment", "--image", "c")
    with pytest.raises(UnknownName, match="'job_1'\\.$"):
        typed("job", "show", study, "job_1")
    with pytest.raises(UnknownName, match="recipe 'nope'"):
        typed("job", "submit", study, "segment", "recipe=nope")
    with pytest.raises(UnknownName, match="model 'nope'"):
        typed("job", "submit", study, "segment", "--set", "segment.model=nope")
    with pytest.raises(ParameterError, match="beside look"):
        typed("job", "submit", study, "count", "look=1", "look.channel=a")
    with open_store(study) as store:
        assert [each.kind for each in jobs(store)] == ["read"]


def test_values_are_toml_or_json_and_dots_part_names(study):
    settings = '{"comparisons": [{"value": "area_px", "by": "condition"}]}'
    for words in (
        ("count", 'look={"channel": "signal"}', 'table="2024"'),
        ("count", 'look={channel = "signal"}', "table='2024'"),
        ("count", "look.channel=signal", 'table="2024"'),
        ("compare", "table=res_0123456789abcdef", f"settings={settings}"),
        ("export", 'forms=[{form = "geojson"}]', 'table_forms=["csv"]'),
        ("measure", "passport=null", 'measure.features=["size"]'),
    ):
        job_id = typed("job", "submit", study, *words).output.strip()
        asked = json.loads(typed("job", "show", study, job_id, "--json").output)["parameters"]
        if words[0] == "count":
            assert asked == {"look": {"channel": "signal"}, "table": "2024"}
        if words[0] == "measure":
            assert asked == {"passport": None, "measure": {"features": ["size"]}}


def test_one_name_for_two_images_is_refused(study):
    with open_store(study) as store, store.database.write() as connection:
        connection.execute("UPDATE images SET name = 'a'")
    with pytest.raises(ParameterError, match="2 images of the study are named a; give an id: img_"):
        typed("job", "submit", study, "segment", "recipe=any", "--image", "a")


def test_only_a_folder_of_a_study_becomes_one(tmp_path):
    plate = tmp_path / "plate"
    plate.mkdir()
    tifffile.imwrite(plate / "a.tif", np.zeros((8, 8), np.uint16), photometric="minisblack")
    for words in (("study", "add", plate, plate), ("serve", plate, "--no-browser"), ("job", "list", plate)):
        with pytest.raises(MissingInput):
            typed(*words)
    assert [each.name for each in plate.iterdir()] == ["a.tif"]
    with pytest.raises(MissingInput):
        typed("study", "add", tmp_path / "new.cellmetry", tmp_path / "nothing")
    with pytest.raises(MissingInput, match=r"study add NAME\.cellmetry"):
        typed("study", "add", tmp_path / "new", plate)
    assert [each.name for each in tmp_path.iterdir()] == ["plate"]
