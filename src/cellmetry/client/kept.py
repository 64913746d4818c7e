"""Recipes and models that a study on a server keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cellmetry.client.part import StudyPart

__all__ = ["KeptVerbs"]


class KeptVerbs(StudyPart):
    """What may be done with recipes and models."""

    def recipes(self) -> list[dict[str, Any]]:
        """Return the recipes that the study keeps."""
        found: list[dict[str, Any]] = self._get("/recipes")
        return found

    def recipe(self, recipe: str) -> dict[str, Any]:
        """Return one recipe by its id."""
        found: dict[str, Any] = self._get(f"/recipes/{recipe}")
        return found

    def keep_recipe(self, name: str, text: str) -> dict[str, Any]:
        """Return a recipe, given as TOML, that the study keeps from now on; an older one of its name is hidden."""
        found: dict[str, Any] = self._send("/recipes", {"name": name, "text": text})
        return found

    def remove_recipe(self, recipe: str) -> int:
        """Return the act that hid a recipe; undoing it brings it back."""
        return self._act(f"/recipes/{recipe}", method="DELETE")

    def models(self) -> list[dict[str, Any]]:
        """Return the models of the study with their cards."""
        found: list[dict[str, Any]] = self._get("/models")
        return found

    def model(self, model: str) -> dict[str, Any]:
        """Return one model of the study with its card."""
        found: dict[str, Any] = self._get(f"/models/{model}")
        return found

    def active_model(self) -> dict[str, Any] | None:
        """Return the model that is taken where none is named; None for the one that comes with Cellmetry."""
        found: dict[str, Any] | None = self._get("/models/active")
        return found

    def activate_model(self, model: str | None) -> int:
        """Return the act by which a model is taken where none is named; None for the one that comes with Cellmetry."""
        return self._act("/models/active", {"model": model}, method="PUT")

    def roll_back_model(self) -> int:
        """Return the act by which the model that was active before is active again."""
        return self._act("/models/rollback")

    def download_model(self, model: str, to: str | Path) -> Path:
        """Return `to` after the weights and the card of a model were written there as a ZIP."""
        return self._connection.download(self._path(f"/models/{model}/download"), Path(to))

    def remove_model(self, model: str) -> int:
        """Return the act that hid a model that is not active; undoing it brings it back."""
        return self._act(f"/models/{model}", method="DELETE")
