"""The tree of errors: drawn as it is, each with its codes, each told apart by the fitting built-in."""

from __future__ import annotations

import inspect

import pytest

from cellmetry import errors
from cellmetry.errors import CellmetryError, MissingExtra, PixelSizeNeeded, UnknownName

CLASSES = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_is_in_the_tree_drawn_and_has_codes(error: type[CellmetryError]) -> None:
    assert issubclass(error, CellmetryError)
    assert error.__name__ in (errors.__doc__ or "")
    assert error.exit_code in (2, 130)
    assert 400 <= error.http_status < 600


def test_all_lists_every_class() -> None:
    defined = {
        name for name, value in inspect.getmembers(errors, inspect.isclass) if value.__module__ == errors.__name__
    }
    assert defined == set(errors.__all__)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.InputError, ValueError),
        (errors.MissingInput, FileNotFoundError),
        (errors.UnknownName, LookupError),
        (errors.MissingExtra, ImportError),
        (errors.OutputError, OSError),
    ],
)
def test_the_fitting_builtin_catches_it(error: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(error, builtin)


def test_an_unknown_name_says_the_nearest_and_the_known() -> None:
    message = str(UnknownName("engine", "clasical", ["labels", "classical"]))
    assert message == "There is no engine 'clasical'. Did you mean 'classical'? Known: classical, labels."


def test_an_unknown_name_far_from_all_only_lists() -> None:
    assert str(UnknownName("step", "zzz", ["measure"])) == "There is no step 'zzz'. Known: measure."
    assert str(UnknownName("step", "zzz", [])) == "There is no step 'zzz'. Known: none."
    assert str(UnknownName("job", "job_0")) == "There is no job 'job_0'."


def test_messages_say_what_to_do() -> None:
    assert "--pixel-size" in str(PixelSizeNeeded("diameter_um", "a.tif"))
    assert "pip install 'cellmetry[bioio]'" in str(MissingExtra("bioio", "Reading this file"))
