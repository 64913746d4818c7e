"""Limits read from the environment."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from cellmetry.errors import ParameterError
from cellmetry.settings import Settings, current_settings, models_folder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in fields(Settings):
        monkeypatch.delenv(f"CELLMETRY_{field.name.upper()}", raising=False)


def test_defaults_without_any_variable() -> None:
    assert current_settings() == Settings()


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_each_limit_can_be_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CELLMETRY_{name.upper()}", "7")
    assert getattr(current_settings(), name) == 7


@pytest.mark.parametrize("text", ["0", "-3", "many", "1.5", ""])
def test_nonsense_is_refused_by_name(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLMETRY_MAX_PAGES", text)
    with pytest.raises(ParameterError, match="CELLMETRY_MAX_PAGES must be a positive whole number"):
        current_settings()


def test_the_folder_of_models_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CELLMETRY_MODELS", str(tmp_path))
    assert models_folder() == tmp_path
