"""`Quantifying`: what of a target channel, and of a reference, is measured in cells that were found before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from cellmetry.core.sample import Sample
from cellmetry.core.step import Parameters
from cellmetry.ops.saturation import find_detectors
from cellmetry.pipeline.quantification import QuantificationPlan, RolePlan
from cellmetry.pipeline.quantification_compat import dualcellquant_entry
from cellmetry.pipeline.recipe import parse_recipe
from cellmetry.pipeline.roles import in_roles, same_channel

if TYPE_CHECKING:
    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.pipeline.recipe import Recipe

__all__ = ["CELLS", "Quantifying"]

CELLS = "cells"
"""What the steps of a quantification call the labels, and their table, whatever these are called elsewhere."""
ChannelText = Annotated[str, Field(min_length=1, max_length=200)]


class Quantifying(Parameters):
    """What of a target channel, and of a reference, is measured in cells: the same as by ``cellmetry quantify``."""

    target: ChannelText = Field(description="Target channel, by name or index; of a colour picture R, G, B or gray.")
    reference: ChannelText | None = Field(
        default=None, description="Reference channel, likewise; without it the target alone is measured."
    )
    plan: QuantificationPlan = Field(
        default_factory=QuantificationPlan, description="Masks, backgrounds, radial range, ratio, profile and peaks."
    )
    rules: Literal["cellmetry", "dualcellquant"] = Field(
        default="cellmetry", description="By whose rules: ours, or those of the program DualCellQuant, to the letter."
    )
    set: Annotated[tuple[Annotated[str, Field(max_length=2000)], ...], Field(max_length=200)] = Field(
        default=(), description="Parameters of the steps to change, as in peaks.highest=anywhere."
    )

    @model_validator(mode="after")
    def _two_channels(self) -> Self:
        if self.reference is not None and self.reference.casefold() == self.target.casefold():
            raise ValueError(same_channel(self.reference))
        return self

    @property
    def roles(self) -> dict[str, str]:
        """Role → channel."""
        return {"target": self.target} | ({} if self.reference is None else {"reference": self.reference})

    @property
    def whole_plan(self) -> QuantificationPlan:
        """The plan with what is not said of a reference that is there, and without what is said of one that is not."""
        if (self.reference is None) == (self.plan.reference is None):
            return self.plan
        return self.plan.model_copy(update={"reference": None if self.reference is None else RolePlan()})

    def recipe(self) -> Recipe:
        """Return the steps after the cells were found.

        Raises
        ------
        ParameterError, UnknownName
            If the plan wants what the rules do not know, or a change names what is not there.
        """
        plan = self.whole_plan
        steps: list[dict[str, Any]] = plan.entries()
        if self.rules == "dualcellquant":
            steps = [dualcellquant_entry(plan, self.roles)]
        return parse_recipe({"name": "quantify", "steps": steps}, self.set, where="quantify")

    def sample_of(self, image: Image, cells: Labels, recipe: Recipe) -> Sample:
        """Return the channels of an image in their roles, with what is known of their detectors, and the cells.

        Raises
        ------
        UnknownName
            If the image has no such channel.
        ParameterError
            If target and reference are one channel, by its name and by its index.
        """
        known, _ = find_detectors(chosen := in_roles(image, self.roles), recipe.detectors_used(chosen))
        # The image's may have been said since the cells were found.
        size = known.pixel_size if known.pixel_size.known else cells.pixel_size
        return Sample(known, {CELLS: replace(cells, pixel_size=size)})
