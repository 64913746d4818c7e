"""Training recipes: every choice of a training in one file, so that it can be read, changed and done again."""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from cellmetry.core.parameters import parse_parameters
from cellmetry.core.step import Parameters
from cellmetry.errors import MissingInput, ParameterError, UnknownName
from cellmetry.learn.augment import Augmentation
from cellmetry.learn.emphasis import Emphasis
from cellmetry.learn.losses import LossWeights
from cellmetry.learn.network import NetworkShape
from cellmetry.learn.sampling import Sampling
from cellmetry.models.card import Head, Limits, Percentiles
from cellmetry.ops.flows import FlowDecoding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Optimisation", "TrainingRecipe", "list_training_recipes", "read_training_recipe"]

_SHIPPED = resources.files("cellmetry.learn") / "recipes"


def _different(heads: tuple[Head, ...]) -> tuple[Head, ...]:
    if len(set(heads)) != len(heads):
        raise ValueError("Each head can stand once only.")
    return heads


class Optimisation(Parameters):
    """How the weights are moved."""

    steps: int = Field(default=10_000, ge=1)
    """Batches to learn from, unless minutes or epochs are given."""
    optimiser: Literal["adamw", "sgd"] = "adamw"
    """AdamW (Loshchilov and Hutter 2019), or gradient descent with momentum 0.9."""
    learning_rate: float = Field(default=2e-3, gt=0, le=1)
    """Largest step width."""
    weight_decay: float = Field(default=0.02, ge=0, le=1)
    """Pull towards 0."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Course of the step width after warming up: down to a hundredth, or constant."""
    warm_up: float = Field(default=0.03, ge=0, le=0.5)
    """Part of the steps over which the step width rises from 0."""
    clip: float = Field(default=5.0, gt=0)
    """Longest gradient."""
    averaging: float = Field(default=0.998, ge=0, lt=1)
    """Weights that are validated and kept are a running mean, which forgets with this factor per step."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the convolutions; auto takes bfloat16 where the processor computes in it."""
    kept: Literal["best", "last"] = "best"
    """Which state becomes the model: the best on the validation images, or the last, whose scores there are fair."""
    validate_every: int = Field(default=250, ge=1)
    """Steps between two validations."""


class TrainingRecipe(Parameters):
    """All choices of a training."""

    name: str = Field(default="training", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    """Word by which the recipe is known."""
    summary: str = Field(default="", max_length=1000)
    """What its models are for, for their cards."""
    heads: Annotated[tuple[Head, ...], AfterValidator(_different)] = Field(
        default=("foreground", "flow", "density"), min_length=1
    )
    """What the network puts out."""
    network: NetworkShape = NetworkShape()
    """Size and form of the network."""
    percentiles: Percentiles = (1.0, 99.8)
    """Percentiles of each image that are stretched to 0 and 1."""
    diameters_px: Limits = None
    """Diameters of cells that the model is good at; at inference, images of smaller or larger ones are rescaled just so
    far. None to work at the image's own scale."""
    sampling: Sampling = Sampling()
    """Which crops are shown."""
    augmentation: Augmentation = Augmentation()
    """How they are varied."""
    emphasis: Emphasis = Emphasis()
    """Which pixels count more."""
    losses: LossWeights = LossWeights()
    """What is made small."""
    optimisation: Optimisation = Optimisation()
    """How the weights are moved."""
    decoding: FlowDecoding = FlowDecoding()
    """How labels are read off the outputs."""
    joining_images: int = Field(default=100, ge=0)
    """Most training images, drawn as likely as their crops, on which it is fitted in the end how `decoding` joins and
    keeps pieces; 0 leaves it as it is."""
    validation_images: int = Field(default=60, ge=1)
    """Most images scored at each validation, taken evenly from all data sets."""
    seed: int = Field(default=0, ge=0)
    """Decides the first weights and all that is drawn at random."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        side, stride = self.sampling.crop_px, self.network.stride
        if side % stride:
            raise ValueError(f"Sampling.crop_px must be a multiple of {stride}, which the network needs, not {side}.")
        return self


def list_training_recipes() -> list[str]:
    """Return the names of the shipped training recipes."""
    return sorted(Path(entry.name).stem for entry in _SHIPPED.iterdir() if entry.name.endswith(".toml"))


def read_training_recipe(name_or_path: str | Path, changes: Sequence[str] = ()) -> TrainingRecipe:
    """Return a shipped training recipe by name, or the one in a TOML file, with changes ``part.name=value``.

    Raises
    ------
    MissingInput
        If there is no such file.
    UnknownName
        If no recipe or no parameter has such a name.
    ParameterError
        If the file is no TOML, or a value does not fit.
    """
    text, where = _read(name_or_path)
    try:
        values = tomllib.loads(text)
        for change in changes:
            _apply(values, change)
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(f"{where} is not a training recipe in TOML: {error}.") from error
    return parse_parameters(TrainingRecipe, values, where=where)


def recipe_as_changes(recipe: TrainingRecipe) -> tuple[str, ...]:
    """Return every choice of a training as a change ``part.name=value`` of the recipe that it is named after.

    How labels are read off (``decoding``) is left out: the model's card says it, fitted where it was.
    """
    values = recipe.model_dump(mode="json", exclude={"name", "summary", "decoding"})
    return tuple(f"{address}={_toml(value)}" for address, value in _leaves(values) if value is not None)


def _leaves(values: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the address and the value of everything that is no part of a recipe."""
    for name, value in values.items():
        if isinstance(value, dict) and not above:
            yield from _leaves(value, f"{name}.")
        else:
            yield f"{above}{name}", value


def _toml(value: Any) -> str:
    """Return numbers, texts, truth values, lists and flat tables as TOML has them."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {json.dumps(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)


def _read(name_or_path: str | Path) -> tuple[str, str]:
    name = str(name_or_path)
    if not name.endswith(".toml") and "/" not in name and "\\" not in name:
        if name not in list_training_recipes():
            raise UnknownName("training recipe", name, list_training_recipes())
        return (_SHIPPED / f"{name}.toml").read_text(encoding="utf-8"), f"training recipe {name}"
    path = Path(name)
    if not path.is_file():
        raise MissingInput(f"There is no training recipe {path}; give a TOML file or one of the shipped names.")
    return path.read_text(encoding="utf-8"), str(path)


def _apply(values: dict[str, Any], change: str) -> None:
    """Set one value, addressed like ``optimisation.learning_rate=0.001``; values are read as TOML, else as text."""
    address, equals, text = change.partition("=")
    if not equals or not address.strip():
        raise ParameterError(f"A change of a training recipe is written part.name=value, not {change!r}.")
    *parents, last = address.strip().split(".")
    place = values
    for parent in parents:
        place = place.setdefault(parent, {})
        if not isinstance(place, dict):
            raise ParameterError(f"{parent!r} in {change!r} is a value, not a part of the training recipe.")
    place[last] = _value(text.strip())


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
