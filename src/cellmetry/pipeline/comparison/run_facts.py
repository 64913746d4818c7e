"""What a finished run says of itself, for the methods paragraph and the provenance of a report."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from cellmetry.errors import DamagedFile
from cellmetry.pipeline.recipe import STEPS
from cellmetry.report.methods import ImageFacts, ModelFacts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["RunFacts", "default_parameters", "facts_of_run", "run_of_table"]

_MODEL = ("name", "version", "licence", "sha256")


@dataclass(frozen=True)
class RunFacts:
    """Facts of a run.

    Parameters
    ----------
    folder
        Its folder.
    images
        How many, their channels and size of a pixel where all have the same.
    steps, defaults
        Of the recipe, and the parameters that its steps have by default.
    recipe, recipe_sha256
        Text and hash; the hash only of a recipe that did all that was done.
    models
        That its engines ran.
    versions
        That made the run.
    labels
        Sentences about labels that people drew or corrected, and about what steps do not say.
    """

    folder: Path
    images: ImageFacts
    steps: tuple[Mapping[str, Any], ...]
    defaults: Mapping[str, Mapping[str, Any]]
    recipe: str
    recipe_sha256: str
    models: tuple[ModelFacts, ...]
    versions: Mapping[str, str]
    labels: tuple[str, ...] = ()


def run_of_table(path: Path) -> Path | None:
    """Return the folder of the run that made a table (``RUN/tables/cells.csv``), None if no run did."""
    folder = path.resolve().parent.parent
    return folder if path.parent.name == "tables" and (folder / "run.json").is_file() else None


def facts_of_run(folder: Path) -> RunFacts:
    """Return what ``run.json`` and ``recipe.toml`` of a run's folder say.

    Raises
    ------
    DamagedFile
        If one of them cannot be read.
    """
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        text = (folder / record["recipe"]["file"]).read_text(encoding="utf-8")
        steps = tuple(tomllib.loads(text)["steps"])
    except (OSError, ValueError, KeyError) as error:
        raise DamagedFile(f"{folder} has no whole record of its run ({error}); run it again.") from error
    done = [image for image in record["images"] if image["status"] == "done"]
    sizes = {tuple(image["pixel_size_um"][:2]) for image in done}
    channels = {tuple(image.get("channels", ())) for image in done}
    known = sizes.pop() if len(sizes) == 1 else (None, None)
    return RunFacts(
        folder=folder,
        images=ImageFacts(
            len(done),
            channels=channels.pop() if len(channels) == 1 else (),
            pixel_size_um=None if None in known else (known[1], known[0]),
        ),
        steps=steps,
        defaults={step["step"]: default_parameters(step["step"]) for step in steps},
        recipe=text,
        recipe_sha256=record["recipe"]["sha256"],
        models=tuple(dict.fromkeys(_model(engine) for engine in record["engines"] if "model" in engine)),
        versions=record["versions"],
    )


def default_parameters(step: str) -> dict[str, Any]:
    """Return the parameters that a step has by default, as a recipe states them."""
    fields = STEPS.load(step).model_fields.items()
    found = {name: field.get_default(call_default_factory=True) for name, field in fields if not field.is_required()}
    return {name: each.model_dump(mode="json") if isinstance(each, BaseModel) else each for name, each in found.items()}


def _model(engine: Mapping[str, Any]) -> ModelFacts:
    said = engine["model"]
    return ModelFacts(str(engine["engine"]), **{key: str(said.get(key) or "") for key in _MODEL})
