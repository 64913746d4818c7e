"""`Look`: by which engine and model a job looks at images; models are named, never given as a path."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from cellmetry.core.parameters import parse_parameters
from cellmetry.core.step import Parameters
from cellmetry.engines.base import ENGINES, Device, LookupEngine
from cellmetry.engines.segment import Segment
from cellmetry.errors import ParameterError
from cellmetry.io.atomic import atomic_write
from cellmetry.models.store import find_model
from cellmetry.study.store.models import active_model, find_model_of, load_model, refuse_unknown_model

if TYPE_CHECKING:
    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.study.store.store import Store

__all__ = ["Look", "ModelName", "named_model", "same_look"]

_NOTED = "model.json"

ModelName = Annotated[str, Field(max_length=200, pattern=r"^\w[\w -]*$")]
"""A model by its id in the study, its name there, or the name of one that is installed."""


class Look(Parameters):
    """By which engine and model a job looks at images."""

    engine: str = Field(default="cellmetry", min_length=1, max_length=200)
    """Which engine finds objects."""
    model: ModelName | None = None
    """Model of the engine: id or name of one of the study, or the name of an installed one; the study's active model
    if left out."""
    channel: str | None = Field(default=None, max_length=200, coerce_numbers_to_str=True)
    """Channel to look at, by name or index; needed when there are several."""
    diameter_um: float | None = Field(default=None, gt=0)
    """Usual diameter of an object in µm."""
    diameter_px: float | None = Field(default=None, gt=0)
    """Usual diameter of an object in pixels."""
    device: Device = "auto"
    """Where the engine computes: auto, cpu or cuda."""

    def chosen(self, store: Store) -> dict[str, Any]:
        """Return what was said, as the step `segment` takes it, with where the model lies.

        Raises
        ------
        ParameterError
            If the engine looks up files in place of looking at images.
        ModelError
            If the study's model is missing or altered.
        """
        if issubclass(ENGINES.load(self.engine), LookupEngine):
            raise ParameterError(f"The engine {self.engine!r} looks up files; import labels in place of that.")
        said = self.model_dump(exclude_none=True, exclude={"model"})
        model = self.model if self.engine != "cellmetry" else named_model(store, self.model)
        return said if model is None else {**said, "model": model}


def named_model(store: Store, name: str | None) -> str | None:
    """Return what an engine takes as the model of this name: the path of one of the study, or the name as it is.

    Parameters
    ----------
    name
        Id or name; None for the study's active model, if it has one.

    Raises
    ------
    UnknownName
        If there is none of this name.
    ModelError
        If the study's model is missing or altered.
    """
    if name is None:
        found = active_model(store)
    else:
        refuse_unknown_model(store, name)
        found = find_model_of(store, name)
    return name if found is None else str(load_model(store, found).path)


def same_look(work: JobWork, look: Look) -> dict[str, Any]:
    """Return what `Look.chosen` does, by the same engine and model as when the job began: one table never mixes two.

    Raises
    ------
    ParameterError
        If the job was begun with another engine or model; says to submit it anew.
    """
    chosen = look.chosen(work.store)
    noted = work.folder / _NOTED
    now = _described(look.engine, chosen)
    if not noted.is_file():
        with atomic_write(noted) as part:
            part.write_text(json.dumps(now), encoding="utf-8")
        return chosen
    before = json.loads(noted.read_text(encoding="utf-8"))
    if before != now:
        other = f"{now['name']} would be taken" if now["name"] != before["name"] else "it is another version of it"
        raise ParameterError(
            f"The job was begun with {before['name']}, but now {other}; submit it anew, or bring back what it was "
            f"begun with (a model: activate it)."
        )
    return chosen


def _described(engine: str, chosen: dict[str, Any]) -> dict[str, Any]:
    """Return by what a job looks, as JSON values: a model by its hash, another engine by what it says of itself."""
    if engine == "cellmetry":
        card = find_model(chosen.get("model")).card
        return {"name": f"the model {card.name}", "sha256": card.sha256}
    said = parse_parameters(Segment, chosen, where="look").load_engine().describe()
    where_it_ran = {"device", "threads"}
    described = {key: value for key, value in said.items() if key not in where_it_ran}
    return {"name": f"the engine {engine}", "engine": json.loads(json.dumps(described))}
