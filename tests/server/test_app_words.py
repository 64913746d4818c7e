"""What the library says for its command line, as it is said to somebody who has none."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

import cellmetry
from cellmetry.cli.app import app
from cellmetry.errors import AxesError, PixelSizeNeeded
from cellmetry.io.axes import resolve_axes
from cellmetry.server.app_words import _OPTIONS, app_words
from cellmetry.server.errors import error_body


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("leave --plate out only if you can", "leave “plate” out only if you can"),
        (
            "If it is one camera, say its bits (--detector-bits 12).",
            "If it is one camera, say its bits (“detector bits” 12).",
        ),
        ("--set segment.x=1: the recipe has 2 steps", "segment.x=1: the recipe has 2 steps"),
        ("or project it with --set segment.stack=max.", "or project it with segment.stack=max."),
        (
            "it failed: the disk is full; free some space, or choose another folder with --out.",
            "it failed: the disk is full; free some space.",
        ),
        ("it failed: not permitted; choose another folder with --out.", "it failed: not permitted."),
        ("start it with --root FOLDER.", "start it with --root FOLDER."),
        ("file a--b.tif and --", "file a--b.tif and --"),
        (
            "day1 --old scan.tif and a (--x).tif: no such channel.",
            "day1 --old scan.tif and a (--x).tif: no such channel.",
        ),
        ("scan --plate.tif, scan --plate-2 b.tif", "scan --plate.tif, scan --plate-2 b.tif"),
        ("or give one by --axes.", "or give one by “axes”."),
        (
            "a.tif is not there any more; `cellmetry study relink` finds it by its content in another folder.",
            "a.tif is not there any more; put it back, or say in the step Images where it is now.",
        ),
        (
            "`cellmetry study repair` makes it whole.",
            "the command `cellmetry study repair` on the server's computer makes it whole.",
        ),
        (
            "There is no channel in drug_rep2 'DNA'. Known: 0 (channel0), 1 (channel1).",
            "drug_rep2 has no channel “DNA”. Its channels: 0 (channel0), 1 (channel1).",
        ),
        (
            "a was worked at its own scale; say how wide they are with diameter_um or diameter_px.",
            "a was worked at its own scale; say how wide they are by the diameter in the step Segment.",
        ),
        (
            "There is no model 'x'. Known: base. Give one with --model PATH, the path of its .onnx file with the card "
            "beside it, or put both into the folder of models; nothing is downloaded.",
            "There is no model 'x'. Known: base. Choose one of these.",
        ),
    ],
)
def test_options_and_commands_become_words_of_the_app(said, told):
    assert app_words(said) == told
    assert error_body("ParameterError", said)["error"]["message"] == told


def test_errors_of_reading_name_the_control():
    message = app_words(str(PixelSizeNeeded("diameter_um", "a.tif")))
    assert message.startswith(
        "diameter_um is in µm, but a.tif does not state its pixel size; say it in the step Images"
    )
    assert not re.search(r"--\w", message)
    with pytest.raises(AxesError) as open_axes:
        resolve_axes("QYX", (5, 64, 64), None, "a.tif")
    assert "by “Read again as…” in the step Images: " in app_words(str(open_axes.value))


def test_the_options_are_those_of_the_command_line_that_the_library_names():
    named = {
        name
        for path in Path(cellmetry.__file__).parent.rglob("*.py")
        if "cli" not in path.parts
        for each in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
        for name in re.findall(r"(?<![\w-])--([a-z]+(?:-[a-z0-9]+)*)", each.value)
    }
    real = options_of(typer.main.get_command(app))
    assert named & real <= set(_OPTIONS.split("|")) <= real


def options_of(command: Any) -> set[str]:
    own = {name[2:] for each in command.params for name in each.opts if name.startswith("--")}
    return own.union(*(options_of(each) for each in getattr(command, "commands", {}).values()))
