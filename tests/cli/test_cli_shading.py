"""`cellmetry shading`, `cellmetry shifts` and `cellmetry recipe preview`, as a user gives them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture
from typer.testing import CliRunner

import cellmetry as cm
from cellmetry.cli.app import app
from cellmetry.core.image import image_from_array
from cellmetry.errors import InputError, ParameterError
from cellmetry.io.images import write_image
from cellmetry.pipeline.recipe import load_recipe

Y, X = np.mgrid[-1:1:96j, -1:1:110j]
FLAT = 1 - 0.15 * (Y**2 + X**2)
FLAT /= FLAT.mean()


def call(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*arguments: object) -> Exception:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is not None
    return result.exception


@pytest.fixture
def fields(tmp_path: Path) -> Path:
    """Return a folder of 24 fields of spots, two channels, shaded, with a camera offset of 50."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "fields"
    folder.mkdir()
    for number in range(24):
        light = np.full(FLAT.shape, rng.uniform(100, 500))
        for y, x in rng.integers(0, 90, (8, 2)):
            light[y : y + 9, x : x + 9] += 1000
        planes = np.stack([rng.poisson(light), rng.poisson(light * FLAT) + 50]).astype(np.uint16)
        image = image_from_array(planes, "CYX", channel_names=["DNA", "GFP"], pixel_size_um=0.5)
        write_image(image, folder / f"f{number:02d}.tif")
    return folder


def test_shading_writes_what_the_step_flat_field_takes(fields: Path, tmp_path: Path) -> None:
    flat, dark, picture = (tmp_path / name for name in ("flat.tif", "dark.tif", "shading.png"))
    said = call("shading", fields, "--channel", "GFP", "--out", flat, "--dark", dark, "--picture", picture, "--json")
    report = json.loads(said)
    assert report["fields"] == report["fields_available"] == 24
    assert report["warnings"] == []
    found = cm.open_image(flat)
    assert (found.shape, found.dtype, found.channel_names) == ((96, 110), np.dtype(np.float32), ("GFP",))
    assert found.pixel_size.x == pytest.approx(0.5)
    assert np.sqrt(((found.read() / FLAT - 1) ** 2).mean()) < 0.02
    assert cm.open_image(dark).read().mean() == pytest.approx(50, abs=8)
    with Picture.open(picture) as opened:
        assert opened.width > 1000
    (tmp_path / "r.toml").write_text(
        f'[[steps]]\nstep = "flat_field"\nflat = "{flat.as_posix()}"\ndark = "{dark.as_posix()}"\nchannels = ["GFP"]\n'
        '[[steps]]\nstep = "segment"\nengine = "classical"\nchannel = "GFP"\ndiameter_px = 9\n'
        '[[steps]]\nstep = "measure"\nfeatures = ["size"]\n',
        encoding="utf-8",
    )
    out = tmp_path / "preview"
    said = call("recipe", "preview", tmp_path / "r.toml", fields / "f00.tif", "--out", out, "--crop", "10,20,64")
    assert "1 flat_field" in said
    assert "2 segment" in said
    assert sorted(path.name for path in out.iterdir()) == ["01_flat_field.png", "index.html"]
    assert "01_flat_field.png" in (out / "index.html").read_text("utf-8")


def test_shading_uses_at_most_so_many_fields_and_warns_of_few(fields: Path, tmp_path: Path) -> None:
    said = call("shading", fields, "--channel", "0", "--out", tmp_path / "flat.tif", "--fields", 5, "--json")
    report = json.loads(said)
    assert (report["fields"], report["fields_available"]) == (5, 24)
    assert "5 fields only" in report["warnings"][0]


def test_what_shading_wrote_among_the_images_is_not_taken_for_a_field(fields: Path) -> None:
    for _ in range(2):
        said = call("shading", fields, "--channel", "GFP", "--out", fields / "flat.tif", "--json", "--fields", 4)
        assert json.loads(said)["fields_available"] == 24


def test_shading_refuses_what_it_cannot_do(fields: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat.tif"
    assert "say which with --channel: DNA, GFP" in str(refused("shading", fields, "--out", flat))
    named = ("shading", fields, "--channel", "GFP", "--out")
    assert "must end in .tif" in str(refused(*named, tmp_path / "flat.png"))
    assert "--dark" in str(refused(*named, flat, "--set", "dark_field=true"))
    assert "Did you mean 'smoothness'" in str(refused(*named, flat, "--set", "smothness=1"))
    small = image_from_array(np.ones((2, 50, 60), np.uint16), "CYX", channel_names=["DNA", "GFP"])
    write_image(small, fields / "small.tif")
    error = refused(*named, flat)
    assert isinstance(error, InputError)
    assert "small is 50 × 60 pixels and f00 96 × 110" in str(error)
    assert not flat.exists()


def test_shifts_of_beads_become_a_step_that_moves_them_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:200, :200]
    places = rng.uniform(10, 190, (40, 2))
    planes = [
        rng.poisson(sum(900 * np.exp(-((y - a - v) ** 2 + (x - b - h) ** 2) / 5) for a, b in places) + 50)
        for v, h in ((0, 0), (1.5, -3.2))
    ]
    image = image_from_array(np.stack(planes).astype(np.uint16), "CYX", channel_names=["DAPI", "GFP"], name="beads")
    write_image(image, tmp_path / "beads.tif")
    out = tmp_path / "shifts.toml"
    said = call("shifts", tmp_path / "beads.tif", "--reference", "dapi", "--out", out)
    assert "lie on DAPI" in said
    assert "sharpness" in out.read_text("utf-8")
    [step] = load_recipe(out).steps
    [shift] = step.shifts
    assert (step.method, step.reference, shift.channel) == ("given", "DAPI", "GFP")
    assert (shift.y_px, shift.x_px) == pytest.approx((-1.5, 3.2), abs=0.12)
    preview = tmp_path / "preview"
    call("recipe", "preview", out, tmp_path / "beads.tif", "--out", preview)
    assert (preview / "01_align_channels.png").is_file()
    assert isinstance(
        refused("shifts", tmp_path / "beads.tif", "--reference", "0", "--out", tmp_path / "a.txt"), ParameterError
    )


def test_a_crop_of_another_form_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.ones((30, 30), np.uint16))
    for crop in ("1,2", "a,b,c", "1,2,0"):
        error = refused("recipe", "preview", "nuclei", tmp_path / "a.tif", "--out", tmp_path / "o", "--crop", crop)
        assert "not of the form y,x,size" in str(error)
    assert not (tmp_path / "o").exists()


def test_a_preview_needs_the_files_of_its_steps(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.ones((30, 30), np.uint16))
    (tmp_path / "r.toml").write_text('[[steps]]\nstep = "flat_field"\nflat = "none.tif"\n', encoding="utf-8")
    for command in (("check",), ("preview", tmp_path / "a.tif", "--out", tmp_path / "o")):
        error = refused("recipe", command[0], tmp_path / "r.toml", *command[1:])
        assert "reads none.tif, but there is no such file" in str(error)
